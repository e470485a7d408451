// Package hl7v2 reads HL7 v2 messages in the ER7 encoding: bytes to the neutral
// record tree, with the segments in the groups of the message's structure.
//
// It owns framing of files (Split), the delimiters a message declares, escapes,
// repetitions, components, the grammar of message structures and the dictionary
// of segments and data types, the quick look at a header (Peek) and the
// acknowledgement (Ack). Which bytes are which characters is package charset's
// business; connections are source/mllp's; what a message means is the maps'.
//
// Real feeds leave out required segments, repeat single ones, put them in the
// wrong order, break lines inside fields and invent segments. None of that loses
// a segment or fails: what cannot be understood is kept as it stands, with a
// warning. Only what is not a message at all, is cut, or is over a limit is a
// *record.SyntaxError.
//
// Structures and dictionary are the union of versions 2.3.1 to 2.9.
//
// Specification: https://www.hl7.org/implement/standards/product_brief.cfm?product_id=185,
// chapter 2 (control) and the chapters of each domain.
package hl7v2
