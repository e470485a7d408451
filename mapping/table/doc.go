// Package table reads delimited text files, as hospitals export them from their
// databases, into the neutral record tree: one record is a row of the main table
// with the rows of other tables that belong to it.
//
// It owns headings, delimiters and quotes, the rows of a file with their byte
// ranges, joins between the files of a delivery, and the digest that tells whether
// a row changed. Bytes become characters in package charset, decided once per
// file; a line is decoded before it is split, for | is a trail byte of GBK. It
// neither opens files nor knows what a column means, and formula text is text.
//
// Memory: the main table is streamed. Of each joined table an index of 24 bytes a
// row is kept; its rows are read from the file when they are wanted. Nothing else
// grows with the size of a file.
//
// What is wrong with one row is yielded in its place and the rest goes on.
//
// Format: https://www.rfc-editor.org/rfc/rfc4180, and what is exported in its name.
package table
