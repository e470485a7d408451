package sqlite

import (
	"runtime"
	"time"
)

// Options are the limits of a store. Zero fields take the defaults.
type Options struct {
	// Readers is the number of reading connections; default twice the processors, at least 4.
	Readers int
	// BusyTimeout is how long a statement waits for a lock of another process, such as a backup; default 5 s.
	BusyTimeout time.Duration
	// GroupCount and GroupTime bound a group commit; defaults 256 transactions, 50 ms.
	GroupCount int
	GroupTime  time.Duration
	// Queue is how many transactions may wait for the writer before Update answers fault.Busy; default 4096.
	Queue int
	// SearchTime is how long one search may work before it fails with fault.TooCostly; default 5 s.
	SearchTime time.Duration
	// PageCount is the largest page a search returns, MaxOperands the most alternatives and conditions
	// it may have in all; defaults 1000 and 2000.
	PageCount   int
	MaxOperands int
	// ScanFrom is how many resources even the rarest condition of a search lists when reading all of the type in
	// order, until the page is full, is taken to be the cheaper way; default 4096.
	ScanFrom int
	// EstimateRows is how many matches an estimated total counts; default 10,000.
	EstimateRows int
	// AnalyzeFrom is how many changes the statistics of the query planner wait for; they are gathered again
	// whenever there are twice as many. Default 10,000.
	AnalyzeFrom int
	// CheckpointPages is how many pages commits write to the write-ahead log before it is moved into the
	// database; default 8000. Where readers hinder that until it reaches CheckpointBytes, the writer waits for
	// them; default 256 MiB.
	CheckpointPages int
	CheckpointBytes int64
	// CacheBytes is the page cache of the writer, a quarter of it that of each reader, or a sixteenth where the
	// database is mapped; default 64 MiB. A page takes twice its size there.
	CacheBytes int64
	// MapBytes is how much of the database is mapped into memory for the readers, which read the rest page by page;
	// default 1 GiB. It is address space and the system's page cache, which the system takes back where it needs
	// memory, though it counts as memory of the process; negative: nothing.
	MapBytes int64
	// MaxBytes bounds the database; writes beyond it fail as on a full disk. 0: no bound.
	MaxBytes int64
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Fault, when set, is called at the named points of a commit. An error fails that step; the process may also
	// end there. For tests.
	Fault func(point string) error
}

// The points at which Options.Fault is called.
const (
	BeforeCommit = "before commit" // all members ran, nothing is durable
	AfterCommit  = "after commit"  // durable, nobody knows yet; an error here is ignored
)

func (o Options) withDefaults() Options {
	def := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	def(&o.Readers, max(4, 2*runtime.GOMAXPROCS(0)))
	def(&o.GroupCount, 256)
	def(&o.Queue, 4096)
	def(&o.PageCount, 1000)
	def(&o.MaxOperands, 2000)
	def(&o.ScanFrom, 4096)
	def(&o.EstimateRows, 10_000)
	def(&o.AnalyzeFrom, 10_000)
	def(&o.CheckpointPages, 8000)
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.GroupTime <= 0 {
		o.GroupTime = 50 * time.Millisecond
	}
	if o.SearchTime <= 0 {
		o.SearchTime = 5 * time.Second
	}
	if o.CheckpointBytes <= 0 {
		o.CheckpointBytes = 256 << 20
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MapBytes == 0 {
		o.MapBytes = 1 << 30
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	return o
}
