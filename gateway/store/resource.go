package store

import (
	"time"

	"github.com/yilian/yilian/gateway/search"
)

// Key names a resource.
type Key struct{ Type, ID string }

// String returns the key as a relative reference.
func (k Key) String() string { return k.Type + "/" + k.ID }

// Stamp is how new a record is: its event time, then a sequence within it.
// A resource keeps the stamp of its last writer.
type Stamp struct {
	Time     int64 // microseconds since 1970 UTC; 0 when the record has no time
	Sequence int64
}

// Before reports whether s is older than o. A zero stamp is older than any other
// and not older than itself.
func (s Stamp) Before(o Stamp) bool {
	return s.Time < o.Time || s.Time == o.Time && s.Sequence < o.Sequence
}

// Version is one version of a resource as it is stored.
type Version struct {
	Key
	Number  int64     // versionId, gapless from 1
	Change  int64     // place in the order of commits, over all resources
	Updated time.Time // meta.lastUpdated, microsecond precision, UTC
	Deleted bool
	Owner   string // institution id; never empty
	Patient string // id of the local Patient the resource belongs to; its own id for a Patient; "" for none
	Source  string // meta.source
	Stamp   Stamp
	Body    []byte // compact JSON with id and meta; nil for a deletion
	Blob    Blob   // content that belongs to the version and is not in Body
}

// Blob is a run of archived bytes: the content of a Binary, which may be a part of
// what a record was cut from. The zero Blob is none; one without bytes has a Digest.
type Blob struct {
	Digest string // hex SHA-256 of the archived bytes that hold it
	Offset int64  // where in them it stands
	Length int64
}

// Alliance owns what belongs to no institution: persons, and the terminology and
// organizations that search.Allowed.Shared opens. Shared lets through what has
// this owner and no patient.
const Alliance = "alliance"

// Put is a version to be written. The store assigns Number, Change and Updated
// and hands them to Render, which returns the body with them in its meta.
// Values replace the index values of the version before; a deletion has none.
type Put struct {
	Key
	Deleted bool
	Owner   string
	Patient string
	Source  string
	Stamp   Stamp
	Render  func(number int64, updated time.Time) []byte
	Values  search.Values
	// Blob names bytes that are archived already, if only by this transaction.
	Blob Blob
	// Expect is the version number this write replaces, 0 for a create. When the
	// current number is another the write fails with fault.Conflict.
	Expect int64
}

// Page is one page of a search. Total is -1 unless asked for. Next is nil on the
// last page.
type Page struct {
	Rows  []Version
	Total int
	Next  *search.Position
	AsOf  int64 // pass it on with Next, so that a page sees nothing twice
}

// Change tells that a resource changed. Reading changes in order, after the last
// one seen, never misses one.
type Change struct {
	Change int64
	Key
	Number  int64
	Deleted bool
	Owner   string
	Updated time.Time
}
