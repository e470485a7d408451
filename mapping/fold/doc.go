// Package fold makes texts comparable that differ only in how an input method wrote them.
//
// It owns the folding of full-width forms (GB 18030 double-byte letters, digits and punctuation), of the many Unicode
// spaces and of invisible characters. It does not own meaning: no synonym, no traditional-to-simplified conversion.
//
// Source: Unicode block "Halfwidth and Fullwidth Forms", https://www.unicode.org/charts/PDF/UFF00.pdf
package fold
