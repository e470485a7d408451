package postgres

import (
	"log/slog"
	"runtime"
	"time"
)

// Options are the limits of a store. Zero fields take the defaults.
type Options struct {
	// Writers and Readers bound the connections for transactions and for questions; defaults four times the
	// processors, at least 8. Each group has two besides, and two more serve names and upkeep.
	Writers, Readers int
	// Queue is how many transactions may wait for a connection before Update answers fault.Busy; default 4096.
	Queue int
	// Groups is how many groups of brief transactions may run at a time, one beside another only where enough wait;
	// GroupCount how many transactions share one at most; defaults 2 and 64. All of them together have at most GroupNames names and resources, because the
	// database keeps their locks in memory; default 1024. A member that makes it more than GroupBytes that a group
	// writes is the last of it; default 4 MiB.
	Groups, GroupCount, GroupNames, GroupBytes int
	// GroupTime is how long a group may take before another one begins beside it; default 100 ms.
	GroupTime time.Duration
	// LockTime is how long a transaction waits for another one's lock before it fails with fault.Busy; default 10 s.
	LockTime time.Duration
	// StatementTime bounds each statement of a transaction, IdleTime how long one may stay open without a statement;
	// defaults 30 s and 60 s.
	StatementTime, IdleTime time.Duration
	// SearchTime is how long one search may work before it fails with fault.TooCostly; default 5 s.
	SearchTime time.Duration
	// AwayTime is how long a transaction that finds the database away, or must be run again, tries; default 10 s.
	AwayTime time.Duration
	// PageCount is the largest page a search returns, MaxOperands the most alternatives and conditions
	// it may have in all; defaults 1000 and 2000.
	PageCount   int
	MaxOperands int
	// ScanFrom is how many resources even the rarest condition of a search lists when reading all of the type in
	// order, until the page is full, is taken to be the cheaper way; default 4096.
	ScanFrom int
	// AnalyzeFrom is the number of resources at which the store gathers statistics first, and then each time there
	// are twice as many; default 2000.
	AnalyzeFrom int64
	// Now is the clock of records and links; default time.Now. Times of versions are the database's.
	Now func() time.Time
	// Log gets what upkeep has to say; default slog.Default().
	Log *slog.Logger
	// Fault, when set, is called at the named points of a commit. An error fails that step; the process may also
	// end there. For tests.
	Fault func(point string) error
}

// The points at which Options.Fault is called.
const (
	BeforeCommit = "before commit" // fn has run, nothing is durable
	AfterCommit  = "after commit"  // durable, nobody knows yet; an error here is ignored
)

func (o Options) withDefaults() Options {
	def := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	within := func(p *time.Duration, d time.Duration) {
		if *p <= 0 {
			*p = d
		}
	}
	def(&o.Writers, max(8, 4*runtime.GOMAXPROCS(0)))
	def(&o.Readers, max(8, 4*runtime.GOMAXPROCS(0)))
	def(&o.Queue, 4096)
	def(&o.Groups, 2)
	def(&o.GroupCount, 64)
	def(&o.GroupNames, 1024)
	def(&o.GroupBytes, 4<<20)
	def(&o.PageCount, 1000)
	def(&o.MaxOperands, 2000)
	def(&o.ScanFrom, 4096)
	within(&o.GroupTime, 100*time.Millisecond)
	within(&o.LockTime, 10*time.Second)
	within(&o.StatementTime, 30*time.Second)
	within(&o.IdleTime, time.Minute)
	within(&o.SearchTime, 5*time.Second)
	within(&o.AwayTime, 10*time.Second)
	if o.AnalyzeFrom <= 0 {
		o.AnalyzeFrom = 2000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	return o
}
