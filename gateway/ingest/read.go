package ingest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// delivery is an archived delivery opened for reading.
type delivery struct {
	files   []mapping.File
	offsets []int64 // where each file begins in the archived bytes
	intake  *mapping.Intake
	// received is when the delivery came first. Records without a time of their own
	// are as old as it, also when they are taken up again.
	received time.Time
	again    bool
}

// limits are those of the readers.
func (in *Ingest) limits() mapping.IntakeLimits {
	return mapping.IntakeLimits{Record: int(in.Limits.Record), Book: int(in.Limits.Workbook), Depth: in.Limits.Depth}
}

// open reads an archived delivery as a whole.
func (in *Ingest) open(ctx context.Context, m Member, r store.Record) (*delivery, error) {
	archived, err := in.Inbox.Content(ctx, r.Digest, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	files, offsets, err := unpack(r.Name, archived)
	if err != nil {
		return nil, err
	}
	d := &delivery{offsets: offsets, received: r.Received}
	if id, ok := deliveredFirst(r); ok {
		first, err := in.Inbox.Record(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read the first delivery: %w", err)
		}
		d.received, d.again = first.Received, true
	}
	for _, f := range files {
		d.files = append(d.files, mapping.File{Name: f.Name, Bytes: f.Bytes})
	}
	d.intake = m.Institution.Open(r.Source, d.files, in.limits())
	return d, nil
}

// read reads one record again from the archive, and tells when it was received
// first. What is wrong with it is a *record.SyntaxError.
func (in *Ingest) read(ctx context.Context, m Member, r store.Record) (*record.Record, time.Time, error) {
	if record.Tabular(r.Format) {
		return in.readRow(ctx, m, r)
	}
	text, err := in.Inbox.Content(ctx, r.Digest, r.Offset, r.Length)
	if err != nil {
		return nil, r.Received, fmt.Errorf("read the archive: %w", err)
	}
	files := []mapping.File{{Name: r.Name, Bytes: text}}
	for cut, err := range m.Institution.Open(r.Source, files, in.limits()).Records() {
		if err != nil {
			return nil, r.Received, err
		}
		if cut.Err != nil {
			return nil, r.Received, cut.Err
		}
		return cut.Record, r.Received, nil
	}
	return nil, r.Received, &record.SyntaxError{File: r.Name, Code: "empty", Reason: "there is no record"}
}

// readRow reads a row with what is joined to it. That takes the whole delivery,
// so deliveries being worked on stay open, and their rows are read in the order in
// which they are asked for, which is nearly that of the file.
func (in *Ingest) readRow(ctx context.Context, m Member, r store.Record) (*record.Record, time.Time, error) {
	set := in.sets.of(r.Parent + "\x00" + m.Institution.Version())
	set.mu.Lock()
	defer set.unlock()
	for range 2 {
		if set.next == nil {
			parent, err := in.Inbox.Record(ctx, r.Parent)
			if err != nil {
				return nil, r.Received, fmt.Errorf("read the delivery of a row: %w", err)
			}
			d, err := in.open(ctx, m, parent)
			if err != nil {
				return nil, r.Received, err
			}
			set.start(d)
		}
		rec, found, err := set.find(row{r.Type, r.Offset, r.Place})
		if err != nil {
			set.stop()
			return nil, r.Received, err
		}
		if found {
			return rec, set.d.received, nil
		}
		set.stop() // the row was passed by: read from the beginning, once
	}
	return nil, r.Received, &record.SyntaxError{File: r.Name, Code: "row-gone", Reason: "the row is not found in its delivery by the maps of today"}
}

// setCache keeps the deliveries whose rows are being read.
type setCache struct {
	mu   sync.Mutex
	open []*rowSet // the last used first
}

// maxOpenSets bounds the deliveries kept open; a delivery is held in memory.
const maxOpenSets = 3

func newSetCache() *setCache { return &setCache{} }

func (c *setCache) of(key string) *rowSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.open, func(s *rowSet) bool { return s.key == key }); i >= 0 {
		s := c.open[i]
		c.open = append([]*rowSet{s}, append(c.open[:i:i], c.open[i+1:]...)...)
		return s
	}
	s := &rowSet{key: key}
	c.open = append([]*rowSet{s}, c.open...)
	if len(c.open) > maxOpenSets {
		c.open[maxOpenSets].evict()
		c.open = c.open[:maxOpenSets]
	}
	return s
}

// close ends all reading; nobody may read any more.
func (c *setCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.open {
		s.evict()
	}
	c.open = nil
}

// row names a joined row: its main table, and where in the archive it stands. What
// stands at one place of the archive is a whole workbook, in which place is that of
// the row.
type row struct {
	table string
	at    int64
	place string
}

// rowSet is one open delivery: a place in it, and the rows passed on the way that
// were not asked for yet.
type rowSet struct {
	key string

	evicted atomic.Bool // not in the cache any more: its last reader stops it

	mu     sync.Mutex
	d      *delivery
	next   func() (mapping.Cut, error, bool)
	close  func()
	window map[row]*record.Record
	passed []row
}

// maxWindow bounds the rows kept for whoever asks for them next.
const maxWindow = 2048

// evict stops a set that left the cache, or has its reader stop it.
func (s *rowSet) evict() {
	s.evicted.Store(true)
	if s.mu.TryLock() {
		s.unlock()
	}
}

func (s *rowSet) unlock() {
	if s.evicted.Load() {
		s.stop()
	}
	s.mu.Unlock()
}

func (s *rowSet) start(d *delivery) {
	s.d = d
	s.next, s.close = iter.Pull2(d.intake.Records())
	s.window, s.passed = map[row]*record.Record{}, nil
}

func (s *rowSet) stop() {
	if s.close != nil {
		s.close()
	}
	s.d, s.next, s.close, s.window, s.passed = nil, nil, nil, nil, nil
}

// find returns the row, reading on to it when it has not been passed by.
func (s *rowSet) find(want row) (*record.Record, bool, error) {
	if rec, ok := s.window[want]; ok {
		delete(s.window, want)
		return rec, true, nil
	}
	for {
		cut, err, ok := s.next()
		if !ok {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if cut.Record == nil {
			continue
		}
		at := row{cut.Record.Type, s.d.offsets[cut.File] + cut.Start, cut.Place}
		if at == want {
			return cut.Record, true, nil
		}
		s.keep(at, cut.Record)
	}
}

func (s *rowSet) keep(at row, rec *record.Record) {
	if len(s.passed) >= maxWindow {
		delete(s.window, s.passed[0])
		s.passed = s.passed[1:]
	}
	s.window[at] = rec
	s.passed = append(s.passed, at)
}
