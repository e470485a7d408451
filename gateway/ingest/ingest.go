package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
)

// Applier commits what a record became.
type Applier interface {
	Apply(ctx context.Context, b interaction.Batch) (interaction.Applied, error)
}

// Config is what an Ingest is made of.
type Config struct {
	Inbox  store.Inbox
	Writer store.Writer
	Engine Applier
	Log    *slog.Logger
	Limits Limits
	// Workers carry records at the same time. Most of them wait for the store's group
	// commit; default DefaultWorkers.
	Workers int
	// Lease is how long a claimed record is this process's; default DefaultLease.
	Lease time.Duration
	// Fault, when set, is called at the named points of a record's way. The process
	// may end there. For tests.
	Fault func(point string)
}

// The points at which Config.Fault is called.
const (
	AfterAccept  = "after accept"  // durable in the inbox, the sender does not know
	BeforeExpand = "before expand" // a delivery is claimed and read, not yet split
	BeforeApply  = "before apply"  // a record is mapped, not yet committed
	AfterApply   = "after apply"   // committed, nobody was told
)

// Limits bound what is taken in. A zero field means its default.
type Limits struct {
	Record   int64 // bytes of one record; default DefaultMaxRecord
	Delivery int64 // bytes of one delivery; default DefaultMaxDelivery
	Workbook int64 // bytes of one workbook, unzipped; default the reader's
	Depth    int   // of objects and arrays in a document; default the reader's
	Attempts int   // tries before a record that fails for no reason of its own is put aside; default DefaultMaxAttempts
}

// Defaults.
const (
	DefaultMaxRecord   = 16 << 20
	DefaultMaxDelivery = 256 << 20
	DefaultMaxAttempts = 5
	DefaultLease       = time.Minute
	DefaultWorkers     = 32
)

// Member is an institution that records are taken from.
type Member struct {
	Institution *mapping.Institution
	Salt        []byte // from which the ids of its resources are made
	Folder      string // names a pushed version of its folder as "number/hash"; "" for any other
}

// Ingest takes records in and carries them to FHIR. It is safe for concurrent use.
type Ingest struct {
	Config
	holder string
	roster atomic.Pointer[roster]
	wake   chan struct{}
	sets   *setCache

	mu       sync.Mutex
	waiting  map[string][]chan struct{} // who waits for a record or delivery to end, by its id
	underway map[string]struct{}        // records that are claimed and not given back
}

// New returns an Ingest without members.
func New(c Config) *Ingest {
	c.Limits.Record = cmp.Or(c.Limits.Record, DefaultMaxRecord)
	c.Limits.Delivery = cmp.Or(c.Limits.Delivery, DefaultMaxDelivery)
	c.Limits.Attempts = cmp.Or(c.Limits.Attempts, DefaultMaxAttempts)
	c.Workers = cmp.Or(c.Workers, DefaultWorkers)
	c.Lease = cmp.Or(c.Lease, DefaultLease)
	if c.Fault == nil {
		c.Fault = func(string) {}
	}
	in := &Ingest{
		Config: c, holder: rand.Text(), wake: make(chan struct{}, 1), sets: newSetCache(),
		waiting: map[string][]chan struct{}{}, underway: map[string]struct{}{},
	}
	in.SetMembers(nil)
	return in
}

// Members returns the members in order of their ids.
func (in *Ingest) Members() []Member {
	members := in.roster.Load().members
	var list []Member
	for _, id := range slices.Sorted(maps.Keys(members)) {
		list = append(list, members[id])
	}
	return list
}

// Institutions returns the ids of the members, sorted.
func (in *Ingest) Institutions() []string { return slices.Sorted(maps.Keys(in.roster.Load().members)) }

func (in *Ingest) member(id string) (Member, bool) {
	m, ok := in.roster.Load().members[id]
	return m, ok
}

// Run works on what is in the inbox until ctx ends.
func (in *Ingest) Run(ctx context.Context) error {
	queue := make(chan store.Record)
	var workers sync.WaitGroup
	for range in.Workers {
		workers.Go(func() {
			for r := range queue {
				in.work(ctx, r)
			}
		})
	}
	in.hand(ctx, queue)
	close(queue)
	workers.Wait()
	in.sets.close()
	return nil
}

// idle is how long the inbox is left alone when there is nothing to do and nobody
// in this process put something in.
const idle = 500 * time.Millisecond

// hand claims records and hands them to the workers. What is claimed and not yet
// handed out when ctx ends is given back.
func (in *Ingest) hand(ctx context.Context, queue chan<- store.Record) {
	for ctx.Err() == nil {
		claimed, err := in.Inbox.ClaimExcept(ctx, in.holder, in.Lease, 8*in.Workers, in.roster.Load().waiting)
		if err != nil && ctx.Err() == nil {
			in.Log.ErrorContext(ctx, "claim records", "error", err)
		}
		claimed = slices.DeleteFunc(claimed, in.isUnderway)
		for i, r := range claimed {
			select {
			case queue <- r:
			case <-ctx.Done():
				in.release(claimed[i:])
				return
			}
		}
		if len(claimed) > 0 {
			continue
		}
		select {
		case <-in.wake:
		case <-time.After(idle):
		case <-ctx.Done():
		}
	}
}

// isUnderway notes that a record is claimed, and reports whether it was already:
// its lease ran out while it waited or was worked on, and the new claim renewed it.
func (in *Ingest) isUnderway(r store.Record) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, ok := in.underway[r.ID]; ok {
		return true
	}
	in.underway[r.ID] = struct{}{}
	return false
}

// release gives records back, so that the next process need not wait for their
// leases.
func (in *Ingest) release(list []store.Record) {
	ids := make([]string, len(list))
	in.mu.Lock()
	for i, r := range list {
		ids[i] = r.ID
		delete(in.underway, r.ID)
	}
	in.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := in.Inbox.Release(ctx, in.holder, ids); err != nil {
		in.Log.ErrorContext(ctx, "give records back", "records", len(ids), "error", err)
	}
}

// Poke tells the handing goroutine that there may be something to do.
func (in *Ingest) Poke() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// ended tells those who wait that work on a record ended, and that what stood
// behind it may go on.
func (in *Ingest) ended(r store.Record) {
	in.mu.Lock()
	delete(in.underway, r.ID)
	for _, id := range []string{r.ID, r.Parent} {
		for _, c := range in.waiting[id] {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	in.mu.Unlock()
	in.Poke()
}

// pause is the shortest time between two looks at a delivery somebody waits for,
// whose records end by the hundred.
const pause = 10 * time.Millisecond

// Wait returns when the work on a record, or on all records of a delivery, has
// ended: what became of them, in their order. While their institution's maps do not
// load it ends at once, as if the time were over.
func (in *Ingest) Wait(ctx context.Context, id string) ([]store.Record, error) {
	moved := make(chan struct{}, 1)
	in.mu.Lock()
	in.waiting[id] = append(in.waiting[id], moved)
	in.mu.Unlock()
	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		left := slices.DeleteFunc(in.waiting[id], func(c chan struct{}) bool { return c == moved })
		if in.waiting[id] = left; len(left) == 0 {
			delete(in.waiting, id)
		}
	}()
	for after := int64(0); ; {
		r, err := in.Inbox.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		switch r.State {
		case store.Received:
			if in.waits(r.Institution) {
				return nil, errWaits
			}
		case store.Split:
			first, err := in.Inbox.Records(ctx, store.RecordFilter{Parent: id, State: store.Received, After: after, Limit: 1})
			if err != nil {
				return nil, err
			}
			if len(first) == 0 {
				return in.partsOf(ctx, id)
			}
			if in.waits(r.Institution) {
				return nil, errWaits
			}
			after = first[0].Sequence - 1 // all before it have ended, and need not be looked at again
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		default:
			return []store.Record{r}, nil
		}
		select {
		case <-moved:
		case <-time.After(idle):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// partsOf returns the records of a delivery.
func (in *Ingest) partsOf(ctx context.Context, id string) (list []store.Record, _ error) {
	for after := int64(0); ; after = list[len(list)-1].Sequence {
		page, err := in.Inbox.Records(ctx, store.RecordFilter{Parent: id, After: after, Limit: 1000})
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return list, nil
		}
		list = append(list, page...)
	}
}

// work carries one record as far as it gets. An error that is nobody's fault puts
// the record back; one that keeps coming puts it aside.
func (in *Ingest) work(ctx context.Context, r store.Record) {
	defer in.ended(r)
	err := in.contained(ctx, r)
	switch {
	case err == nil, fault.Is(err, fault.Conflict) && in.isOver(ctx, r):
		return
	case ctx.Err() != nil:
		in.release([]store.Record{r})
		return
	case errors.Is(err, errWaits):
		in.release([]store.Record{r})
		return
	}
	in.Log.ErrorContext(ctx, "record failed", "record", r.ID, "institution", r.Institution, "attempt", r.Attempts, "error", err)
	if r.Attempts >= in.Limits.Attempts {
		if err := in.quarantine(ctx, r, "", internalIssue()); err != nil {
			in.Log.ErrorContext(ctx, "put a record aside", "record", r.ID, "error", err)
		}
		return
	}
	select {
	case <-time.After(time.Duration(r.Attempts) * 50 * time.Millisecond):
	case <-ctx.Done():
	}
	in.release([]store.Record{r})
}

// isOver reports whether the work on a record ended meanwhile, here or elsewhere.
func (in *Ingest) isOver(ctx context.Context, r store.Record) bool {
	now, err := in.Inbox.Record(ctx, r.ID)
	return err == nil && now.State != store.Received
}

// errPanic is what a panic of a map or reader becomes: the record's problem, not
// the process's.
var errPanic = errors.New("panic while working on a record")

func (in *Ingest) contained(ctx context.Context, r store.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// What panicked may hold data of the record: only its place is told.
			err = fmt.Errorf("%w at %s", errPanic, where())
		}
	}()
	if r.Format == store.Delivery {
		return in.split(ctx, r)
	}
	return in.apply(ctx, r)
}

// where names the function that panicked.
func where() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if f.Function != "" && f.Function != "runtime.gopanic" && f.Function[:min(8, len(f.Function))] != "runtime." {
			return f.Function
		}
		if !more {
			return "unknown"
		}
	}
}
