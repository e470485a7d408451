package store

import (
	"time"

	"github.com/yilian/yilian/gateway/search"
)

// HistoryQuery asks for versions of many resources, newest first: in falling
// order of Change. Only what no open transaction can still precede is answered,
// so that who asks again with Since set to the newest time it saw misses nothing.
type HistoryQuery struct {
	Type    string // "": all types
	Since   time.Time
	Until   time.Time // zero: no bound; exclusive
	Before  int64     // only Changes below; 0: from the newest
	Part    Part
	Allowed search.Allowed
	Limit   int
}

// Part says which versions a HistoryQuery asks for.
type Part int8

// The parts of a history. The zero Part is all of it.
const (
	Replaced Part = 1 + iota // versions that are not current any more
	Removed                  // current versions that say that their resource is deleted
)

// HistoryPage is what a HistoryQuery found.
type HistoryPage struct {
	Rows []Version
	More bool // there are older ones
}
