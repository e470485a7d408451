// Package interaction is every FHIR interaction without HTTP, and what ingest
// needs of them: read, vread, create, update, patch, delete – each conditional
// too –, histories, search on a type, on several and in compartments, transactions,
// the operations (see Operations), the capability statement, and Apply, the one transaction in which a record's resources,
// identity, Provenance and end of work are written.
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
// of references, what criteria find), writes rows and commits. If it is not, the
// plan is made again, and after some times inside of the transaction.
//
// What a client writes is a list of actions, one for an interaction and one for each
// writing entry of a transaction; see action.go. What conditional interactions mean
// is exact because of the locks in criterion.go. A plain create always creates: a
// conditional one beside it sees it, or was there first.
//
// # Contents
//
// What a record attaches over a limit becomes a Binary, see attachment.go. A Binary
// is stored without its data: its version names a run of archived bytes, and reads,
// searches and histories put the two together, see binary.go.
//
// Specification: https://hl7.org/fhir/R4/http.html
package interaction
