// Package sqlite keeps resources, the inbox, the raw archive and identity in one
// SQLite database in a data folder, through modernc.org/sqlite/lib. It fulfils the
// contract of package store and owns the physical schema (migrations/), the plan
// of every search and the order of commits. It knows no FHIR beyond index values
// and no HTTP.
//
// # Writing
//
// There is one writing connection. Transactions queue for it; a group of them
// shares one BEGIN and one COMMIT, hence one wait for the disk. Each runs on its
// caller's goroutine inside a SAVEPOINT of its own while the writer waits:
//
//	Update ──queue──▶ writer: BEGIN
//	   ◀──turn──────────┤
//	   SAVEPOINT, fn, RELEASE (or ROLLBACK TO)
//	   ──ran───────────▶├─ next member … of those that waited when the group began
//	                    COMMIT (fsync)
//	   ◀──done──────────┘
//
// Nobody is answered before the commit, not even a member whose fn failed: what
// it saw was not committed yet. When SQLite drops the transaction (disk full,
// I/O error, damage) or the commit fails, the members run again one by one.
//
// What comes meanwhile is the next group, so that its members prepare their writes
// while this one commits. The log is moved into the database by another connection
// (checkpoint.go).
//
// Index rows of a group are collected and go in at its end, or before one of its
// members searches, in the order of their keys (batch.go).
//
// # Index values
//
// The index tables only lead to resources: a hash of a value, the start of a text, a
// date, a number. What a resource holds stands packed on its row (held.go), and
// every condition is asked of that by functions that SQLite is given (check.go).
// So nothing needs a second index, and a hash that two values share misleads nobody:
// an id or number leads for all parameters of a type with one row, and a string as it
// was written has none of its own where its folded form leads to it. What a code or a
// reference lists is ordered by date (order.go).
//
// # Reading
//
// Readers have connections of their own (query_only) and see the last commit; while
// there is none they keep their transactions (pool.go). Pages that are not in the log
// they take from a mapping of the file that all of them share (mapping.go).
//
// A search is one statement per page: package search's tree becomes joins over the
// index tables and conditions on rows, driven by the condition that short probes find
// to be the rarest. Where none is rare, the order of an index – of a key, of dates, of
// texts – is the order of the pages, and is followed until the page is full; if that
// takes long, more is found out first (order.go).
//
// Specifications: https://hl7.org/fhir/R4/search.html, https://sqlite.org/wal.html.
package sqlite
