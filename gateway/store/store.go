package store

import (
	"context"
	"time"

	"github.com/yilian/yilian/gateway/search"
)

// Reader reads resources outside a transaction: what is committed.
//
// Faults: fault.NotFound for a resource or version that never was. A deleted
// resource is returned with Deleted set; callers make of it what they must.
type Reader interface {
	Read(ctx context.Context, k Key) (Version, error)
	ReadVersion(ctx context.Context, k Key, number int64) (Version, error)
	// History returns versions newest first, at most limit, with numbers below
	// before (0: from the newest).
	History(ctx context.Context, k Key, before int64, limit int) ([]Version, error)
	Search(ctx context.Context, q *search.Query) (Page, error)
	// Compartment returns the current resources that belong to any of the local
	// Patients (Version.Patient), the Patients themselves among them, by type and id,
	// of the given types (nil: all), changed since the given time (zero: ever). Keys
	// of a Position are opaque as in Search.
	Compartment(ctx context.Context, q CompartmentQuery) (Page, error)
	// Versions returns the history of a type or of everything, see HistoryQuery.
	Versions(ctx context.Context, q HistoryQuery) (HistoryPage, error)
	// Scan returns current resources of a type that are not deleted, in the order of
	// their ids, at most limit, with ids after the given one.
	Scan(ctx context.Context, typ, after string, limit int) ([]Version, error)
	// Changes returns what changed after a place in the order of commits, oldest
	// first; only what no open transaction can still precede.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
}

// Tx is one transaction. It sees its own writes. It is used by one goroutine, and
// not after fn of Update returned. A ctx that ended makes the next call fail; it
// never stops one that runs.
type Tx interface {
	// Begin may be called once, before anything else. What it foresees is answered as of
	// its return, when all names are locked, and by what the transaction itself wrote.
	Begin(ctx context.Context, f Foresight) error
	Read(ctx context.Context, k Key) (Version, error)
	Search(ctx context.Context, q *search.Query) (Page, error)
	// Lock serialises transactions that name the same thing, until commit. All
	// names of a transaction are locked in one call, before its first Search or
	// Features; any other use is a bug and fails.
	Lock(ctx context.Context, names ...string) error
	Put(ctx context.Context, p *Put) (Version, error)
	// Reindex replaces the index values of a current version. It fails with
	// fault.Conflict when the current number is another.
	Reindex(ctx context.Context, k Key, number int64, values search.Values) error
	// Expunge removes a resource with all its versions and index values, and what it
	// waits for, as if it had never been. Archived bytes stay. Faults: NotFound.
	Expunge(ctx context.Context, k Key) error
	// Advance gives the current version of a resource a newer stamp, without a new
	// version: a later record said the same. An older stamp changes nothing.
	Advance(ctx context.Context, k Key, s Stamp) error
	// Archive keeps bytes, once however often they come, and returns their digest.
	Archive(ctx context.Context, content []byte) (digest string, err error)
	IdentityTx
	InboxTx
	PendingTx
	StateTx
	ErasureTx
}

// CompartmentQuery asks for everything that belongs to some Patients.
type CompartmentQuery struct {
	Patients []string
	Types    []string
	Since    time.Time
	Allowed  search.Allowed
	Count    int
	After    *search.Position
	AsOf     int64
}

// Pending is a logical reference whose target is not there yet: From refers to a
// resource of Type by its identifier.
type Pending struct {
	Type       string
	Identifier Identifier
	From       Key
}

// PendingTx keeps references that came ahead of their target, so that the
// transaction that brings the target finds who waits for it.
type PendingTx interface {
	// SetPending replaces what from waits for; an empty list forgets it.
	SetPending(ctx context.Context, from Key, waits []Pending) error
	// Waiting returns who waits for a resource of the type by one of the identifiers.
	Waiting(ctx context.Context, typ string, ids []Identifier) ([]Pending, error)
}

// Writer runs transactions.
type Writer interface {
	// Update runs fn in a transaction and commits. fn runs on the caller's goroutine,
	// may run more than once and must not keep what an abandoned run computed. An
	// error of fn rolls back and is returned as it is, a panic as an error; ctx ends
	// the waiting, never half a commit: after its error the transaction may have been
	// committed or not. fn must not call Update; it may use a Reader, which does not
	// see the transaction.
	Update(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
}

// IdentityTx is what identity needs inside the transaction that writes a Patient.
type IdentityTx interface {
	// Features returns what is known of Patients that share a strong identifier
	// with one of ids, or are one of patients.
	Features(ctx context.Context, ids []Identifier, patients []string) ([]Features, error)
	SetFeatures(ctx context.Context, f Features) error
	// LinkOf returns the living link of a Patient; ok is false when it has none.
	LinkOf(ctx context.Context, patient string) (l Link, ok bool, err error)
	LinksOf(ctx context.Context, person string) ([]Link, error)
	NewPerson(ctx context.Context, p Person) error
	// SetLink ends the Patient's living link, if it has one, and starts l.
	SetLink(ctx context.Context, l Link) error
	// MergePerson moves all living links of from to into and marks from as merged.
	MergePerson(ctx context.Context, from, into, rule, reason string, at time.Time) error
	// AddReview asks a human. A pair that the same rule named before is not asked again.
	AddReview(ctx context.Context, r Review) error
}

// IdentityReader answers questions about persons outside a transaction.
type IdentityReader interface {
	// Person returns a person; one that was merged says so in Into.
	Person(ctx context.Context, id string) (Person, error)
	LinkOf(ctx context.Context, patient string) (l Link, ok bool, err error)
	LinksOf(ctx context.Context, person string) ([]Link, error)
	// Persons returns living persons by id after the given one.
	Persons(ctx context.Context, after string, limit int) ([]Person, error)
	Reviews(ctx context.Context, limit int) ([]Review, error)
	LinkHistory(ctx context.Context, patient string) ([]Link, error)
}

// InboxTx ends work on a record together with the resources it became.
type InboxTx interface {
	// Finish sets the outcome of a record. It fails with fault.Conflict when the
	// record is not in state Received any more, so that no record is applied twice.
	Finish(ctx context.Context, id string, o Outcome) error
	// Applied returns the hash of the last applied state of a row's key, "" for none.
	Applied(ctx context.Context, institution, key string) (hash string, err error)
	SetApplied(ctx context.Context, institution, key, hash string) error
	// Expand adds records cut from a delivery, in chunks: the first of entries is its
	// record number at, counted from 0. Records already there from an earlier try are
	// skipped, a gap is fault.Invalid. done ends the delivery as Split; until then
	// nothing behind it is handed out. The records take its place in line.
	Expand(ctx context.Context, delivery string, at int, entries []Entry, done bool) error
}

// Inbox takes records in and hands them out in the order their lanes allow.
type Inbox interface {
	Selective
	// Accept makes entries durable, all or none, and answers each. Only entries with
	// a Control are compared with earlier ones of their institution and source.
	Accept(ctx context.Context, entries []Entry) ([]Receipt, error)
	// Claim hands out received records that no earlier unfinished record shares a
	// lane with, oldest first, to one holder until the lease ends or Finish. A
	// delivery to be split holds all lanes of its institution behind it.
	Claim(ctx context.Context, holder string, lease time.Duration, limit int) ([]Record, error)
	// Release gives claimed records back unfinished; those of others stay theirs.
	Release(ctx context.Context, holder string, ids []string) error
	Record(ctx context.Context, id string) (Record, error)
	// Expanded returns how many records of a delivery are there already.
	Expanded(ctx context.Context, delivery string) (int, error)
	Records(ctx context.Context, f RecordFilter) ([]Record, error)
	// Replay puts quarantined records back to Received, behind what came since.
	Replay(ctx context.Context, ids []string) (int, error)
	CountRecords(ctx context.Context, institution string) (map[RecordState]int, error)
	// Applied returns the committed hash of the last applied state of a row's key, ""
	// for none.
	Applied(ctx context.Context, institution, key string) (hash string, err error)
	Archive
}

// Archive gives back bytes as they came.
//
// Faults: fault.NotFound for a digest that is not archived, fault.Invalid for a
// range that the bytes do not have.
type Archive interface {
	// Content returns archived bytes: length from offset, the rest if length is 0.
	Content(ctx context.Context, digest string, offset, length int64) ([]byte, error)
}
