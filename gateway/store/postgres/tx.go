package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// tx is one transaction: a connection, lent. ctx of its methods is looked at before a
// trip and never during one.
type tx struct {
	s *Store
	c *pgxpool.Conn
	b *pgx.Batch // what goes with the next trip
	w *writes    // what is to be written, and goes with the next trip that must find it there; of all members of a group

	member   *member // shares the connection of its group, and sends nothing itself
	solo     *member // has a group to itself
	alone    bool    // is to stay out of groups
	begun    bool
	foretold bool
	answers  *answers                  // what was foreseen, and found; nil: nothing
	waits    bool                      // it changed what resources wait for
	gone     bool                      // a member that ended
	bytes    int                       // of what members of a group wrote
	relinked bool                      // it changed links that were foreseen
	said     map[string]store.Features // by Patient
	locked   bool
	searched bool
	over     bool
	broken   error // a statement failed; the transaction must not commit

	at      int64 // time of the transaction, microseconds; 0 before it is taken
	changes int64 // given so far
	first   int64 // the first change that stands in a version, by which a commit shows
	known   map[store.Key]*current
	rows    []int64        // of resources, that the next trip writes over
	held    map[int64]bool // rows that are locked
	hot     []row          // resources that a run before wrote: locked before anything else
	heated  bool           // they are locked
	wrote   map[store.Key]bool
	sizes   map[string]int64
	keeps   bool            // it holds the lock of those that name archived bytes
	born    map[string]bool // persons that the transaction made, and nobody else sees
	linked  map[string]bool // Patients that it linked
}

var _ store.Tx = (*tx)(nil)

// row is a resource with the number of its type.
type row struct {
	key store.Key
	typ int32
}

// epoch is the year 2020 in microseconds. A change is the time since then, 12 bits to
// the left, and the place in the transaction; its 16 bits fill the microseconds that
// take_stamp leaves free.
const (
	epoch       = 1_577_836_800_000_000
	changeShift = 12
	maxChanges  = 1 << 16
)

func changeAt(micros int64) int64 { return (micros - epoch) << changeShift }

// newTx makes a transaction; c may be nil until it is needed.
func (s *Store) newTx(c *pgxpool.Conn, hot []row) *tx {
	return &tx{s: s, c: c, hot: hot, w: &writes{}, known: map[store.Key]*current{}, wrote: map[store.Key]bool{},
		born: map[string]bool{}, linked: map[string]bool{}, said: map[string]store.Features{}}
}

// ready reports why the next statement must not run.
func (t *tx) ready(ctx context.Context) error {
	if err := t.usable(ctx); err != nil || t.c != nil || t.member != nil {
		return err
	}
	return t.connect(ctx)
}

// connect waits for a connection.
func (t *tx) connect(ctx context.Context) (err error) {
	t.c, err = t.s.acquire(ctx)
	return t.breaks(err)
}

func (t *tx) usable(ctx context.Context) error {
	switch {
	case t.over:
		return errOver
	case t.broken != nil:
		return t.broken
	}
	return ctx.Err()
}

// breaks makes a failed write the end of the transaction, whatever fn does with
// the error.
func (t *tx) breaks(err error) error {
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return err
}

// begin makes sure that there is a next trip, and that it finds the transaction begun.
func (t *tx) begin() {
	if t.b == nil {
		t.b = &pgx.Batch{}
	}
	if !t.begun {
		t.begun = true
		t.b.Queue(beginSQL)
	}
}

// queue adds a statement to the next trip.
func (t *tx) queue(sql string, args ...any) *pgx.QueuedQuery {
	t.begin()
	return t.b.Queue(numbered(sql), args...)
}

// trip sends what is queued. A statement that fails ends the transaction.
func (t *tx) trip(ctx context.Context) error {
	if t.broken != nil {
		return t.broken
	}
	if t.b == nil {
		return nil
	}
	if t.member != nil {
		return t.breaks(errRerun) // it asks what was not foreseen
	}
	t.inOrder()
	b := t.b
	t.b = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.s.opt.StatementTime+t.s.opt.LockTime+cancelDelay)
	defer cancel()
	return t.breaks(t.c.SendBatch(ctx, b).Close())
}

const beginSQL = "BEGIN"

const lockHotSQL = `SELECT r.rid FROM unnest($1::int4[], $2::bytea[]) x(type, id) JOIN resource r ON r.type = x.type AND r.id = x.id
ORDER BY r.rid FOR NO KEY UPDATE OF r`

const lockRowsSQL = "SELECT rid FROM resource WHERE rid = ANY($1) ORDER BY rid FOR NO KEY UPDATE"

// inOrder locks the rows that a trip writes over before it does, in an order that all
// transactions have in common.
func (t *tx) inOrder() {
	var locks pgx.Batch
	if len(t.hot) > 0 && !t.heated {
		t.heated = true
		types, ids := make([]int32, len(t.hot)), make([][]byte, len(t.hot))
		for i, r := range t.hot {
			types[i], ids[i] = r.typ, []byte(r.key.ID)
		}
		locks.Queue(lockHotSQL, types, ids)
	}
	t.rows = slices.DeleteFunc(t.rows, func(rid int64) bool { return t.held[rid] })
	if len(t.rows) > 1 {
		locks.Queue(lockRowsSQL, unique(t.rows))
	}
	t.rows = t.rows[:0]
	if len(locks.QueuedQueries) == 0 {
		return
	}
	at := 0
	if t.b.QueuedQueries[0].SQL == beginSQL {
		at = 1
	}
	t.b.QueuedQueries = slices.Insert(t.b.QueuedQueries, at, locks.QueuedQueries...)
}

// flush queues what is to be written.
func (t *tx) flush() {
	switch {
	case t.w.empty():
	case t.member != nil:
		_ = t.breaks(errRerun)
	default:
		t.begin()
		t.rows = append(t.rows, t.w.flush(t.b)...)
	}
}

// query asks questions behind all that is queued or to be written.
func (t *tx) query(ctx context.Context, list ...*question) error {
	t.flush()
	return t.ask(ctx, list...)
}

func (t *tx) ask(ctx context.Context, list ...*question) error {
	t.begin()
	for _, q := range withBitmaps(list) {
		q.queue(t.b)
	}
	return t.trip(ctx)
}

// aside asks questions that what is queued has no part in, and leaves it queued, so that
// rows are not locked before they must.
func (t *tx) aside(ctx context.Context, list ...*question) error {
	if !t.begun || t.b == nil || t.b.QueuedQueries[0].SQL == beginSQL {
		return t.ask(ctx, list...)
	}
	waiting, rows := t.b, t.rows
	t.b, t.rows = nil, nil
	err := t.ask(ctx, list...)
	t.b, t.rows = waiting, rows
	return err
}

func (t *tx) view() view { return view{s: t.s, q: t} }

// stamp queues the taking of the transaction's time.
func (t *tx) stamp() {
	t.queue("SELECT take_stamp()").QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&t.at); err != nil {
			return err
		}
		t.s.took(t.at)
		return nil
	})
}

// Update runs fn in a transaction, see store.Writer.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	return s.attempts(ctx, false, func(ctx context.Context, t *tx) error { return fn(ctx, t) })
}

type inUpdate struct{}

// update runs fn in a transaction that has a connection when fn begins.
func (s *Store) update(ctx context.Context, fn func(ctx context.Context, t *tx) error) error {
	return s.attempts(ctx, true, fn)
}

// attempts runs fn until it is committed, or fails for good. Only the first run may be
// in a group.
func (s *Store) attempts(ctx context.Context, alone bool, fn func(ctx context.Context, t *tx) error) error {
	if ctx.Value(inUpdate{}) != nil {
		return errNested
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	ctx = context.WithValue(ctx, inUpdate{}, true)
	var hot []row
	until := time.Now().Add(s.opt.AwayTime)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		t, err := s.run(ctx, hot, alone, fn)
		if errors.Is(err, errRerun) {
			alone = true
			continue
		}
		if err == nil || !again(err) || time.Now().After(until) {
			return classify(err)
		}
		if t != nil {
			hot = t.written()
		}
		if lost(err) {
			s.write.Reset()
			s.shared.Reset()
		}
		alone = true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(pause) + pause/2):
		}
	}
}

// run tries a transaction once. An error that is worth another try means that nothing
// was committed.
func (s *Store) run(ctx context.Context, hot []row, alone bool, fn func(ctx context.Context, t *tx) error) (*tx, error) {
	t := s.newTx(nil, hot)
	if t.alone = alone; alone {
		if err := t.connect(ctx); err != nil {
			return nil, err
		}
	}
	settled := false
	defer func() { // also when the goroutine of fn ends
		t.over = true
		t.abandon()
		t.release(settled)
		t.endSolo()
	}()
	err := contained(ctx, t, fn)
	switch {
	case t.member != nil:
		return t, t.await(ctx, err)
	case t.broken != nil && (err == nil || again(t.broken)):
		return t, t.broken // fn's error may have come of it
	case err != nil:
		return t, err
	case !t.begun && t.w.empty():
		return t, nil
	}
	_, err = t.commit(ctx)
	settled = err == nil
	return t, err
}

// commit sends what is left and ends the transaction. Where it is not known whether
// that is stored, neither is it safe to run it again.
func (t *tx) commit(ctx context.Context) (unknown bool, err error) {
	if err := t.s.opt.Fault(BeforeCommit); err != nil {
		return false, err
	}
	t.flush()
	t.queue("COMMIT")
	err = t.trip(ctx)
	if lost(err) {
		t.close()
		unknown, err = t.s.settle(ctx, t, err)
	}
	if err == nil {
		_ = t.s.opt.Fault(AfterCommit)
	}
	return unknown, err
}

// acquire waits for a connection.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(s.opt.Queue) {
		return nil, errQueue
	}
	return s.write.Acquire(ctx)
}

// contained runs fn and turns a panic into an error that tells an operator where; the
// value may hold data and stays out, except for the runtime's own words.
func contained(ctx context.Context, t *tx, fn func(ctx context.Context, t *tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			what := fmt.Sprintf("%T", p)
			if e, ok := p.(interface{ RuntimeError() }); ok {
				what = fmt.Sprint(e)
			}
			err = fmt.Errorf("panic in a transaction: %s\n%s", what, debug.Stack())
		}
	}()
	return fn(ctx, t)
}

// release gives the connection back, if there is one.
func (t *tx) release(settled bool) {
	if t.c == nil {
		return
	}
	if !settled {
		t.rollback()
	}
	t.c.Release()
	t.c = nil
}

// rollback ends a transaction that did not commit, if BEGIN ever left.
func (t *tx) rollback() {
	if t.c.Conn().IsClosed() || t.c.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelDelay)
	defer cancel()
	if _, err := t.c.Exec(ctx, "ROLLBACK", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.close()
	}
}

// close ends a connection in an unknown state.
func (t *tx) close() {
	ctx, cancel := context.WithTimeout(context.Background(), cancelDelay)
	defer cancel()
	_ = t.c.Conn().Close(ctx)
}

// written returns the resources that the transaction was to write.
func (t *tx) written() (list []row) {
	for k := range t.known {
		if typ, ok := t.s.names.cached(k.Type); ok {
			list = append(list, row{k, typ})
		}
	}
	return list
}

// settle finds out what came of a commit during which the connection was lost. As long
// as the transaction may be committing it holds the lock on its time, so once the lock
// can be had its first version is there, or never will be.
func (s *Store) settle(ctx context.Context, t *tx, lost error) (unknown bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.AwayTime)
	defer cancel()
	dark := fault.Wrap(fault.Unavailable, lost, "the store went away during the commit; whether the write is stored is not known")
	if t.first == 0 {
		return true, dark
	}
	for {
		committed := false
		err := lend(ctx, s.upkeep, func(c *pgxpool.Conn) error {
			b := &pgx.Batch{}
			b.Queue("SELECT pg_advisory_xact_lock(($1::int8 >> 32)::int4, (($1::int8 & 4294967295) - 2147483648)::int4)", t.at)
			b.Queue("SELECT EXISTS (SELECT 1 FROM version WHERE change = $1)", t.first).QueryRow(func(row pgx.Row) error { return row.Scan(&committed) })
			return c.SendBatch(ctx, b).Close()
		})
		switch {
		case err == nil && committed:
			return false, nil
		case err == nil:
			return false, lost // nothing was stored: another try is safe
		case ctx.Err() != nil:
			return true, dark
		}
		s.upkeep.Reset()
		time.Sleep(50 * time.Millisecond)
	}
}

// Begin locks and asks for what is foreseen; a transaction that is brief may do so
// together with others.
func (t *tx) Begin(ctx context.Context, f store.Foresight) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	if t.foretold || t.begun || t.c != nil && !t.alone || !t.w.empty() {
		return t.breaks(errBeginLate)
	}
	t.foretold, t.locked = true, true
	m := &member{t: t, f: &f}
	if f.Brief && !t.alone {
		if joined, err := t.join(ctx, m); joined || err != nil {
			return t.breaks(err)
		}
	}
	if t.c == nil {
		if err := t.connect(ctx); err != nil {
			return err
		}
	}
	err := t.foresee(ctx, []*member{m}, false)
	m.tell()
	return err
}

// Lock serialises transactions by advisory locks, taken in ascending order in a
// statement of its own, so that all that is looked for later sees what the holder
// before committed.
func (t *tx) Lock(ctx context.Context, names ...string) error {
	switch err := t.ready(ctx); {
	case err != nil:
		return err
	case t.locked:
		return t.breaks(errLockTwice)
	case t.searched:
		return t.breaks(errLockLate)
	}
	t.locked = true
	keys := make([]int64, len(names))
	for i, name := range names {
		keys[i] = t.s.hash.text("lock\xff" + name)
	}
	return t.lockKeys(ctx, keys)
}

func (t *tx) lockKeys(ctx context.Context, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	t.queue(lockNamesSQL, unique(keys))
	hot := t.hot
	t.hot = nil // rows come after names, as in every transaction
	err := t.trip(ctx)
	t.hot = hot
	return err
}

func (t *tx) Read(ctx context.Context, k store.Key) (store.Version, error) {
	if err := t.ready(ctx); err != nil {
		return store.Version{}, err
	}
	ctx = context.WithoutCancel(ctx)
	if t.wrote[k] {
		return t.view().read(ctx, k)
	}
	return view{s: t.s, q: beside{t}}.read(ctx, k)
}

// beside asks without what is queued.
type beside struct{ t *tx }

func (b beside) query(ctx context.Context, list ...*question) error { return b.t.aside(ctx, list...) }

// Search runs inside a savepoint, so that one that takes too long costs no more than
// itself. The client's own end does not interrupt it: only the time limit does.
func (t *tx) Search(ctx context.Context, q *search.Query) (store.Page, error) {
	if err := t.ready(ctx); err != nil {
		return store.Page{}, err
	}
	t.searched = true
	ctx = context.WithoutCancel(ctx)
	t.flush()
	if err := t.trip(ctx); err != nil { // what was written must not fail inside
		return store.Page{}, err
	}
	t.queue("SAVEPOINT search")
	t.queue("SELECT set_config('statement_timeout', ?, true)", fmt.Sprint(max(1, t.s.opt.SearchTime.Milliseconds())))
	page, err := t.view().search(ctx, q)
	switch {
	case err == nil || t.broken == nil: // also what was refused before any statement ran
		t.queue("SELECT set_config('statement_timeout', ?, true)", fmt.Sprint(t.s.opt.StatementTime.Milliseconds()))
		t.queue("RELEASE SAVEPOINT search")
		return page, err
	case lost(t.broken):
		return page, err
	}
	t.broken, t.b = nil, nil
	ctx, cancel := context.WithTimeout(ctx, cancelDelay)
	defer cancel()
	if _, e := t.c.Exec(ctx, "ROLLBACK TO SAVEPOINT search", pgx.QueryExecModeSimpleProtocol); e != nil {
		return page, t.breaks(e)
	}
	t.queue("RELEASE SAVEPOINT search")
	return page, err
}
