// Package pack is the byte form of the embedded definitions: records of
// integers and strings, and the file that holds them compressed.
//
// A record is a string table followed by a body. The body is a sequence of
// unsigned varints; a string in the body is its number in the table. Reader
// gives strings that share the record's memory, so that reading a record
// costs a handful of allocations whatever its size.
//
// The file:
//
//	magic                 8 bytes
//	dictionaries' length  uint32, big endian
//	index length          uint32, big endian
//	dictionaries          one zstd frame holding a record: raw content that
//	                      the blobs refer to
//	index                 one zstd frame holding a record
//	blobs                 zstd frames, back to back; the index knows where
//
// What the fields of a record mean is known to its writer (the generator) and
// its reader (package definitions), which must agree; Magic changes with them.
package pack
