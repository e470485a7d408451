package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Store is a database that this process uses, perhaps together with others. Its
// methods may be called from any number of goroutines.
type Store struct {
	opt          Options
	write, read  *pgxpool.Pool
	shared       *pgxpool.Pool // groups
	upkeep       *pgxpool.Pool // names, dictionaries, statistics
	names        names
	bodies       bodies
	hash         hasher
	statistics   statistics
	reads        lookups[wanted, *versionRow]
	counts       counts
	groups       groups
	waiting      atomic.Int64 // transactions without a connection
	latest       atomic.Int64 // the last time that this process knows to be taken
	schema       Schema
	work         sync.WaitGroup // what runs in the background
	done         context.Context
	end          context.CancelFunc
	transactions sync.WaitGroup

	mu     sync.RWMutex // over closed and the start of transactions
	closed bool
}

var errURL = fault.New(fault.Invalid, "the URL of the store cannot be read, expected postgres://user@host:port/database")

// Open connects to a database, brings its schema up to date and checks that it keeps
// what it will promise. Faults: fault.Unavailable when the database is away, or set up
// so that it may lose what it committed.
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	s := newStore(ctx, opt.withDefaults())
	err := s.connect(url)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(classify(err), s.Close())
	}
	return s, nil
}

func newStore(ctx context.Context, opt Options) *Store {
	s := &Store{opt: opt}
	s.groups.s, s.groups.busy = s, map[claim]bool{}
	s.done, s.end = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// connect makes the pools, which connect when they are asked to.
func (s *Store) connect(url string) (err error) {
	if s.upkeep, err = s.opt.pool(s.done, url, 2, s.opt.StatementTime, false); err != nil {
		return err
	}
	if s.write, err = s.opt.pool(s.done, url, s.opt.Writers, s.opt.StatementTime, false); err != nil {
		return err
	}
	if s.shared, err = s.opt.pool(s.done, url, 2*s.opt.Groups, s.opt.StatementTime, false); err != nil {
		return err
	}
	s.read, err = s.opt.pool(s.done, url, s.opt.Readers, s.opt.SearchTime, true)
	return err
}

func (s *Store) start(ctx context.Context) error {
	s.names.pool, s.names.hash = s.upkeep, &s.hash
	s.startReads()
	// One connection does it all: to make another takes longer than what is asked.
	if err := lend(ctx, s.upkeep, func(c *pgxpool.Conn) error { return s.begin(ctx, c) }); err != nil {
		return connecting(err)
	}
	s.bodies.start(s)
	s.statistics.start(s)
	return nil
}

func (s *Store) begin(ctx context.Context, c *pgxpool.Conn) (err error) {
	if s.schema, err = migrate(ctx, c.Conn(), newest); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	if s.schema.Before != s.schema.Now {
		if err := learn(ctx, c.Conn()); err != nil { // the types may be new
			return err
		}
	}
	if err := s.assertSettings(ctx, c); err != nil {
		return err
	}
	return s.load(ctx, c)
}

// The settings that durability rests on, and what they must be.
var durable = []struct {
	name string
	ok   []string
	why  string
}{
	{"fsync", []string{"on"}, "a crash of the machine could destroy the database"},
	{"full_page_writes", []string{"on"}, "a crash of the machine could destroy the database"},
	{"synchronous_commit", []string{"on", "remote_apply"}, "a crash could lose what was committed"},
	{"server_encoding", []string{"UTF8"}, "texts would not be kept"},
}

// minVersion is PostgreSQL 14, as server_version_num has it.
const minVersion = 140000

func (s *Store) assertSettings(ctx context.Context, c *pgxpool.Conn) error {
	names := make([]string, len(durable))
	for i, d := range durable {
		names[i] = d.name
	}
	var version int
	var all []string
	err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int4,
ARRAY(SELECT current_setting(name) FROM unnest($1::text[]) WITH ORDINALITY x(name, place) ORDER BY place)`, names).Scan(&version, &all)
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	if version < minVersion {
		return fault.Newf(fault.Unavailable, "PostgreSQL is version %d, at least %d is needed", version/10000, minVersion/10000)
	}
	for i, d := range durable {
		if !slices.Contains(d.ok, all[i]) {
			return fault.Newf(fault.Unavailable, "PostgreSQL has %s = %s: %s; set it to %s", d.name, all[i], d.why, d.ok[0])
		}
	}
	return nil
}

// load reads what the store keeps in memory.
func (s *Store) load(ctx context.Context, c *pgxpool.Conn) error {
	key, err := secret(ctx, c, "index")
	if err != nil {
		return err
	}
	s.hash = newHasher(key)
	// A sequence that was restored apart from its tables may be behind them.
	_, err = c.Exec(ctx, "SELECT setval('stamp', v.updated + 16) FROM (SELECT max(updated) AS updated FROM version) v, stamp s WHERE v.updated + 16 > s.last_value")
	if err != nil {
		return err
	}
	var last int64
	if err := c.QueryRow(ctx, "SELECT last_value FROM stamp").Scan(&last); err != nil {
		return err
	}
	s.took(last)
	return nil
}

// took notes that a time was taken.
func (s *Store) took(at int64) {
	for {
		was := s.latest.Load()
		if at <= was || s.latest.CompareAndSwap(was, at) {
			return
		}
	}
}

// Close waits for transactions and readers, and ends the connections. Later calls do
// nothing.
func (s *Store) Close() error {
	if !s.finish() {
		return nil
	}
	for _, p := range []*pgxpool.Pool{s.read, s.write, s.shared, s.upkeep} {
		if p != nil {
			p.Close()
		}
	}
	return nil
}

// finish waits until nothing is under way, and reports false if that was done before.
func (s *Store) finish() bool {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return false
	}
	s.transactions.Wait()
	s.end()
	s.work.Wait()
	return true
}

// enter counts a transaction or a question, so that Close waits for it.
func (s *Store) enter() (leave func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errClosed
	}
	s.transactions.Add(1)
	return s.transactions.Done, nil
}

// lend runs fn with a connection of a pool. One on which a statement failed in an
// unknown state is closed by the pool.
func lend(ctx context.Context, p *pgxpool.Pool, fn func(c *pgxpool.Conn) error) error {
	c, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	return fn(c)
}

var _ store.Secrets = (*Store)(nil)

// Secret returns the secret of that name, making it if it is new.
func (s *Store) Secret(ctx context.Context, name string) (bytes []byte, err error) {
	err = lend(ctx, s.upkeep, func(c *pgxpool.Conn) error {
		bytes, err = secret(ctx, c, name)
		return err
	})
	return bytes, classify(err)
}

func secret(ctx context.Context, c *pgxpool.Conn, name string) (bytes []byte, err error) {
	ask := func() error {
		return c.QueryRow(ctx, "SELECT bytes FROM secret WHERE name = $1", []byte(name)).Scan(&bytes)
	}
	if err := ask(); !errors.Is(err, pgx.ErrNoRows) {
		return bytes, err
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, "INSERT INTO secret (name, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING", []byte(name), fresh); err != nil {
		return nil, err
	}
	err = ask() // another process may have made it
	return bytes, err
}
