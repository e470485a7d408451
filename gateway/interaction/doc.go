// Package interaction is every FHIR interaction without HTTP, and what ingest
// needs of them: read, vread, create, update, delete, history, search,
// Patient/$everything, the capability statement, and Apply, the one transaction
// in which a record's resources, identity, Provenance and end of work are
// written.
//
// It is the only caller of store writes and the only place of authorisation,
// versioning and identity. It speaks resource trees, bytes and faults; what a
// request looks like is for package rest, what a record was before mapping for
// package ingest.
//
// # How a write goes
//
// Everything dear – parsing, merging with what is stored, validating, extracting
// index values – is done before the transaction, against what is committed. The
// transaction then only checks that this is still true (version numbers, targets
// of references), writes rows and commits. If it is not, the plan is made again.
//
// # Contents
//
// What a record attaches over a limit becomes a Binary, see attachment.go. A Binary
// is stored without its data: its version names a run of archived bytes, and reads,
// searches and histories put the two together, see binary.go.
//
// Specification: https://hl7.org/fhir/R4/http.html
package interaction
