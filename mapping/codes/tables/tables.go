// Package tables holds the code tables that come with the gateway, as data: the national tables of China (gb-, cv-) and
// the HL7 v2 tables with their FHIR meaning (v2-). Package codes parses them; its documentation has the form of the files.
//
// Sources: GB/T 2261.1, GB/T 2261.2, GB/T 3304, WS 364 (national); HL7 v2 tables and
// https://hl7.org/fhir/uv/v2mappings/ (HL7). A code whose mapping HL7 leaves open is unmatched here, unless its comment says why
// it is not.
package tables

import "embed"

// Files are the tables, one CSV each, named after the table.
//
//go:embed *.csv
var Files embed.FS
