// Package postgres keeps resources, the inbox, the raw archive and identity in a
// PostgreSQL database (14 or later) through jackc/pgx. It fulfils the contract of
// package store and owns the physical schema (migrations/), the plan of every search
// and the order of changes. Any number of processes may use one database. It knows
// no FHIR beyond index values and no HTTP.
//
// # Writing
//
// A transaction is one of PostgreSQL's, READ COMMITTED. It says when it begins what it
// locks, replaces and asks, so that two trips do:
//
//	Begin ───▶ BEGIN, advisory locks in ascending order, rows that are replaced, time of the
//	           transaction, answers to what was foreseen        one trip
//	Put, SetFeatures, Features, Waiting, HoldState …            none
//	commit ──▶ the rows, a statement for each table, COMMIT     one trip
//
// What was not foreseen takes a trip when it is asked, and takes along what was written till
// then. Brief transactions that come while others are under way share one of PostgreSQL's:
// see group.go, which has the order of what happens, and who runs again by itself.
//
// A row of a resource is replaced only where its change is still the one that the
// transaction saw; advisory locks order what is looked for before it is there. That a
// version came in between may show at the end only: then fn runs again, on rows that
// are locked first, and Put says so. Deadlocks, and a time that came out earlier than
// that of the version replaced, run fn again too. Where the connection is lost during COMMIT, the store looks whether the
// transaction's first version is there, and says so if it cannot find out.
//
// # Order of changes
//
// Every transaction gets one time (take_stamp), which no other has, and holds a lock on
// that time until its end. A change is that time and the place in the transaction.
// Readers of Changes and Versions ask first which times are held (open_stamps) and see
// what is earlier than all of them; searches by page remember them, so that a page sees
// what the first one could see. Who reads outside of a transaction lists the locks only
// where a transaction that writes may be open.
//
// # Reading
//
// Reads of single versions that come while others are under way go together with the
// next trip (lookups); one that is alone leaves at once.
//
// # Searching
//
// The row of a resource holds all index values of its current version in arrays. Index
// tables only lead to rows: by a keyed hash of a value, by the start of a text, by a
// date or a number, by words. Parameters of a type share what leads, see lead.go. A
// search is one statement per page that starts with the condition which short probes
// find to be the rarest, asks index_key for keys of the others, and the rest of the row.
//
// What a reference or code lists comes in the order of the date that clients sort the
// type by, and a page is read from there. A page in the order of another date, or under
// conditions that list in no order, walks the dates of the type where reading and
// sorting all that fulfils the condition would take longer.
//
// Specifications: https://hl7.org/fhir/R4/search.html,
// https://www.postgresql.org/docs/14/explicit-locking.html#ADVISORY-LOCKS.
package postgres
