package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// writer owns the writing connection. Its loop decides when groups begin and end;
// between, it lends the connection and the counters below to one member at a time.
type writer struct {
	s       *Store
	c       *conn
	queue   chan *request
	stopped chan struct{}
	started bool

	mu     sync.RWMutex // over closed and the closing of queue
	closed bool

	change   int64 // last used, also by members that are not committed yet
	updated  int64 // time of it, microseconds
	sequence int64 // of records
	fresh    map[string]int64
	added    []string // keys of fresh in order, so that a member's can be taken back
	batch    batch

	members  []*request
	held     *request // taken from the queue for after this group
	log      log
	scrub    bool  // the log holds what was erased since
	analyzed int64 // change at which statistics were gathered last
}

// request is one waiting Update.
type request struct {
	state atomic.Int32
	turn  chan struct{} // the writer lends the connection
	ran   chan error    // and gets it back with what fn returned
	done  chan error    // the answer, after the commit
	err   error
	alone bool // outside of any transaction
}

// States of a request. Only one that waits can leave; one that left is not run.
const (
	waiting = iota
	running
	left
)

type inUpdate struct{}

var (
	errNested    = errors.New("Update inside Update")
	errAbandoned = errors.New("the transaction's goroutine ended")
	errOver      = errors.New("the transaction is over")
)

func newWriter(s *Store, c *conn) *writer {
	return &writer{s: s, c: c, queue: make(chan *request, s.opt.Queue), stopped: make(chan struct{}),
		fresh: map[string]int64{}}
}

// load reads the counters from the database.
func (w *writer) load() error {
	w.change, w.updated = 0, 0
	// What was expunged still counts, so that no number is given twice.
	_, err := w.c.one("SELECT max(change), max(updated) FROM (SELECT change, updated FROM counter UNION ALL "+
		"SELECT * FROM (SELECT change, updated FROM version ORDER BY change DESC LIMIT 1))", nil, func(row row) {
		w.change, w.updated = row.int(0), row.int(1)
	})
	if err != nil {
		return err
	}
	w.sequence, err = w.c.integer("SELECT max(coalesce((SELECT max(sequence) FROM record), 0), coalesce((SELECT max(place) FROM work), 0) >> " +
		strconv.Itoa(placeBits) + ")")
	w.s.latest.Store(w.change)
	if err == nil && w.analyzed == 0 { // an earlier process gathered statistics of what there is, if there are any
		var known int64
		if known, err = w.c.integer("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'"); known > 0 {
			w.analyzed = w.change
		}
	}
	return err
}

func (w *writer) start() {
	w.started = true
	go func() {
		defer close(w.stopped)
		for {
			r := w.held
			w.held = nil
			if r == nil {
				var open bool
				if r, open = <-w.queue; !open {
					return
				}
			}
			if r.alone {
				w.lend(r)
				w.answer(r, r.err)
			} else {
				w.group(r)
			}
			w.log.grew(w)
			w.analyze()
		}
	}()
}

func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	if !w.started {
		return w.c.close()
	}
	<-w.stopped
	w.s.read.hold(forever)
	w.log.stop()
	// The log is moved into the database so that a copy of the folder's main file is whole. Durability does not
	// depend on it.
	return errors.Join(w.c.script("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)"), w.c.close())
}

func (w *writer) enqueue(r *request) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- r:
		return nil
	default:
		return fault.New(fault.Busy, "too many writes are waiting")
	}
}

// Update runs fn in a transaction of its own, see store.Writer.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	return s.update(ctx, func(ctx context.Context, tx *tx) error { return fn(ctx, tx) })
}

func (s *Store) update(ctx context.Context, fn func(ctx context.Context, tx *tx) error) error {
	ctx2 := context.WithValue(ctx, inUpdate{}, true)
	return s.write.wait(ctx, false, func() error { return s.write.member(ctx2, fn) })
}

// alone runs fn on the writing connection outside of any transaction.
func (w *writer) alone(ctx context.Context, fn func(*conn) error) error {
	return w.wait(ctx, true, func() error { return classify(fn(w.c)) })
}

// wait queues, runs when the turn comes and returns after the commit.
func (w *writer) wait(ctx context.Context, alone bool, run func() error) error {
	if ctx.Value(inUpdate{}) != nil {
		return errNested
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{turn: make(chan struct{}, 1), ran: make(chan error, 1), done: make(chan error, 1), alone: alone}
	if err := w.enqueue(r); err != nil {
		return err
	}
	gone := ctx.Done()
	for {
		select {
		case <-r.turn:
			contained(r, run)
			gone = ctx.Done()
		case err := <-r.done:
			return err
		case <-gone:
			if r.state.CompareAndSwap(waiting, left) {
				return ctx.Err()
			}
			gone = nil // the turn is ours already; take it
		}
	}
}

// contained gives the connection back whatever run does: return, panic, or end
// its goroutine.
func contained(r *request, run func() error) {
	err := errAbandoned
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		r.ran <- err
	}()
	err = run()
}

// panicked tells an operator where; the value may hold data and stays out, except
// for the runtime's own words.
func panicked(p any) error {
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(interface{ RuntimeError() }); ok {
		what = fmt.Sprint(e)
	}
	return fmt.Errorf("panic in a transaction: %s\n%s", what, debug.Stack())
}

// member runs fn inside a savepoint.
func (w *writer) member(ctx context.Context, fn func(ctx context.Context, tx *tx) error) (err error) {
	change, updated, sequence, added := w.change, w.updated, w.sequence, len(w.added)
	length, at := w.batch.len(), w.batch.at
	if _, err := w.c.exec("SAVEPOINT member"); err != nil {
		return err
	}
	t := &tx{s: w.s, w: w, c: w.c}
	err = errAbandoned
	defer func() {
		t.over = true
		if p := recover(); p != nil {
			err = panicked(p)
		}
		if err == nil {
			err = t.broken
		}
		if err == nil {
			_, err = w.c.exec("RELEASE member")
			return
		}
		w.change, w.updated, w.sequence = change, updated, sequence
		for _, text := range w.added[added:] {
			delete(w.fresh, text)
		}
		w.added = w.added[:added]
		w.batch.back(length, at)
		if w.c.lost != nil {
			return // there may be no transaction left to roll back in
		}
		if _, e := w.c.exec("ROLLBACK TO member"); e != nil {
			w.c.lost = e
		} else if _, e := w.c.exec("RELEASE member"); e != nil {
			w.c.lost = e
		}
	}()
	err = fn(ctx, t)
	return err
}

// lend lets a request run; false when its caller has left.
func (w *writer) lend(r *request) bool {
	if !r.state.CompareAndSwap(waiting, running) {
		return false
	}
	r.turn <- struct{}{}
	r.err = <-r.ran
	r.state.Store(waiting)
	return true
}

func (w *writer) answer(r *request, err error) { r.done <- classify(err) }

// group commits first and what else is queued by then together. What joins the queue
// later goes into the next group: so the callers of one group prepare what they write
// next while the other group runs, where one group of all would have them wait for
// each other.
func (w *writer) group(first *request) {
	most := min(1+len(w.queue), w.s.opt.GroupCount)
	if err := w.begin(); err != nil {
		w.answer(first, err)
		return
	}
	began := time.Now()
	w.members = w.members[:0]
	for r := first; r != nil; {
		if w.lend(r) {
			w.members = append(w.members, r)
		}
		if most--; w.c.lost != nil || most <= 0 || time.Since(began) > w.s.opt.GroupTime {
			break
		}
		select {
		case r = <-w.queue: // nil when closed
			if r != nil && r.alone {
				w.held, r = r, nil
			}
		default:
			r = nil
		}
	}
	if w.commit() == nil {
		for _, r := range w.members {
			w.answer(r, r.err)
		}
		return
	}
	for _, r := range w.members {
		w.single(r)
	}
}

// single runs a member of a failed group in a transaction of its own.
func (w *writer) single(r *request) {
	if err := w.begin(); err != nil {
		w.answer(r, err)
		return
	}
	ran := w.lend(r)
	err := w.commit()
	if !ran {
		return
	}
	if r.err != nil {
		err = r.err
	}
	w.answer(r, err)
}

func (w *writer) begin() error {
	_, err := w.c.exec("BEGIN IMMEDIATE")
	if err != nil {
		w.abandon()
	}
	return err
}

// commit makes the open transaction durable, or gives it up and returns why.
func (w *writer) commit() error {
	err := w.c.lost
	if err == nil {
		err = w.batch.flush(w.c)
	}
	if err == nil {
		err = w.s.opt.Fault(BeforeCommit)
	}
	if err == nil {
		_, err = w.c.exec("COMMIT")
	}
	if err != nil {
		w.abandon()
		return err
	}
	w.s.names.merge(w.fresh)
	w.batch.clear()
	clear(w.fresh)
	w.added = w.added[:0]
	w.s.latest.Store(w.change)
	w.s.read.state.Add(1)
	_ = w.s.opt.Fault(AfterCommit)
	return nil
}

// abandon rolls back on a connection that may be in any state: it is replaced, and
// the counters are read again. Where that fails too, the next begin fails and says
// so.
func (w *writer) abandon() {
	clear(w.fresh)
	w.batch.clear()
	w.added = w.added[:0]
	_, _ = w.c.exec("ROLLBACK")
	if w.c.lost != nil {
		if c, err := connect(w.s.path, w.s.writerPragmas(), nil); err == nil {
			_ = w.c.close()
			w.c = c
		}
	}
	w.c.lost, w.c.stale = nil, false
	if err := w.load(); err != nil {
		w.c.lost = err
	}
}

// statisticsScript looks at some rows of each index, so that it takes milliseconds
// however large the tables are.
const statisticsScript = "PRAGMA analysis_limit=1000; ANALYZE"

// analyze gathers statistics when the store has grown to twice what it was, so that
// nobody has to after a bulk load. Where it fails, plans go by the old ones.
func (w *writer) analyze() {
	if w.change < int64(w.s.opt.AnalyzeFrom) || w.change < 2*w.analyzed {
		return
	}
	w.analyzed = w.change
	_ = w.c.script(statisticsScript)
	w.c.lost = nil
}
