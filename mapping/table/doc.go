// Package table reads delimited text files, as hospitals export them from their
// databases, and workbooks into the neutral record tree: one record is a row of the
// main table with the rows of other tables that belong to it. A sheet of a workbook
// is a table as a file is, and either may be joined to the other.
//
// It owns headings, delimiters and quotes, the rows of a file with their byte
// ranges, joins between the tables of a delivery, and the digest that tells whether
// a row changed; of workbooks their parts, strings, number formats, merged cells and
// headings of several rows, and the tables of pages of HTML that programs save as
// workbooks. Bytes become characters in package charset, decided once per file; a
// line is decoded before it is split, for | is a trail byte of GBK. It neither opens
// files nor knows what a column means. Formula text is text, and a formula counts
// for the value it was saved with.
//
// Memory: the main table is streamed when it is a text file. Of each joined table an
// index of 24 bytes a row is kept; its rows are read from the file when they are
// wanted. Nothing else grows with the size of a text file. Of a workbook the sheets
// that are opened are held, at 16 bytes a cell and 12 a row beside their texts, a
// text that cells share once; Limits bound all of it.
//
// What is wrong with one row is yielded in its place and the rest goes on. A number
// that has lost digits is such a wrong, wherever it stands: nobody can bring them
// back, and half a resident number is somebody else's.
//
// Workbooks are read by our own few readers of parts: a library that builds the
// whole of one in memory writes 20 GB for 3 kB that put one cell at the far right of
// many rows.
//
// Formats: https://www.rfc-editor.org/rfc/rfc4180, and what is exported in its name;
// https://ecma-international.org/publications-and-standards/standards/ecma-376/,
// parts 1 and 2.
package table
