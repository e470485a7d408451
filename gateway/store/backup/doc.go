// Package backup is the file that a whole store is written to and restored from. It
// knows no store: an adapter hands in sections, and gets them back in their order.
//
//	"yilian backup" LF, one byte: the version of the format
//	zstd of
//	    length (4 bytes, big-endian), JSON of Manifest
//	    sections: length and bytes of the name; pieces, each a length and bytes;
//	              length 0 ends the section
//	    length 0 for a name ends the sections
//	SHA-256 of everything before, 32 bytes
//
// Lengths inside are unsigned varints. Open reads the whole file before it gives
// anything out, so that a file that was cut or changed is refused while the store is
// still untouched. The sum tells accidents, not forgers: a backup holds patients' data
// and the store's secrets, and is to be kept like the store.
//
// Specification of the compression: https://www.rfc-editor.org/rfc/rfc8878.
package backup
