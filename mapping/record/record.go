package record

import (
	"fmt"

	"github.com/yilian/yilian/conformance/fhir"
)

// The formats of a record.
const (
	HL7v2 = "hl7v2"
	Table = "csv"
	Excel = "excel" // rows of a workbook's sheets
	JSON  = "json"
	XML   = "xml"
)

// Tabular reports whether the records of a format are rows of tables.
func Tabular(format string) bool { return format == Table || format == Excel }

// Record is one message, joined row or document of an institution.
type Record struct {
	Format  string
	Type    string // message type "ORU^R01", main table "LIS_BG", a document's root or "" for JSON
	Version string // HL7 v2 version of MSH-12, namespace of an XML document's root, "" elsewhere
	Control string // the sender's own id of the record, e.g. MSH-10; "" when it has none
	Charset string // what the bytes were decoded from, e.g. "GB18030"
	File    string // name of the file it came in, "" when it came alone
	Root    *Node
	Raw     []byte       // the bytes of a message or document, in Charset; nil for rows. Not to be changed
	Parts   []Part       // the bytes it was made of, when they are part of files; the main row first
	Issues  []fhir.Issue // findings while reading, e.g. a declared charset that is not the real one
}

// Part is a run of bytes of a file.
type Part struct {
	File       string
	Start, End int64
	Line       int    // of its first byte, from 1; of a workbook, the row
	Place      string // of a row of a workbook, whose bytes are the whole file: "sheet!row"
	Path       string // the node made of it, e.g. "LIS_BGXM[2]"; "" for the root
}

// SyntaxError says why bytes are not a record, and where. Reason never quotes
// the bytes. Code is stable: "truncated", "charset", "not-hl7", "too-large",
// "too-many-values", "columns", "json" and the like.
type SyntaxError struct {
	File         string
	Line, Column int
	Offset       int64  // of the byte in the record or file; 0 when not known
	Path         string // e.g. "OBX[3]-5"; "" when not known
	Code         string
	Reason       string
}

func (e *SyntaxError) Error() string {
	place := ""
	if e.File != "" {
		place = e.File + ":"
	}
	if e.Line > 0 {
		place += fmt.Sprintf("%d:%d:", e.Line, e.Column)
	}
	if e.Path != "" {
		place += e.Path + ":"
	}
	if place != "" {
		place += " "
	}
	return place + e.Reason
}
