package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pressly/goose/v3"
	modernc "modernc.org/sqlite"

	"github.com/yilian/yilian/gateway/fault"
)

// Store is a data folder held by this process. Its methods may be called from any
// number of goroutines.
type Store struct {
	opt     Options
	path    string
	lock    *os.File
	write   *writer
	read    *pool
	names   names
	hash    hasher
	common  commons
	latest  atomic.Int64 // the last committed change
	mapping *mapping     // nil where readers read
	faulty  atomic.Bool  // a page of the mapped database could not be read: map it no more
	schema  Schema

	closing sync.Once
	closed  error
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open makes or opens the store in a data folder, brings its schema up to date and
// checks that the database keeps what it will promise. Faults: fault.Busy when
// another process holds the folder.
func Open(ctx context.Context, dir string, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	lock, err := holdFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{opt: opt, path: filepath.Join(dir, databaseFile), lock: lock}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	var err error
	if s.schema, err = migrate(ctx, dsn(s.path, s.writerPragmas())); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	c, err := connect(s.path, s.writerPragmas(), nil)
	if err != nil {
		return fmt.Errorf("opening the writer: %w", err)
	}
	s.write = newWriter(s, c)
	if err := errors.Join(assertPragmas(c, s.writerPragmas()), s.write.load(), s.hash.load(c)); err != nil {
		return err
	}
	// Whoever held the folder before is gone, and so are its claims: what it left must not wait for leases to end.
	if _, err := c.exec("UPDATE work SET lease = 0, holder = '' WHERE lease > 0"); err != nil {
		return fmt.Errorf("ending the claims of an earlier process: %w", err)
	}
	if n := min(s.opt.MapBytes, maxMapBytes); n > 0 {
		s.mapping, _ = mapFile(s.path, n) // where it cannot be had, pages are read
	}
	s.read = newPool(s.opt.Readers, s.reader, s.faulty.Load)
	mover, err := connect(s.path, s.writerPragmas(), nil)
	if err != nil {
		return fmt.Errorf("opening the connection that empties the log: %w", err)
	}
	s.write.log.c = mover
	s.write.start()
	rc, err := s.read.get(ctx) // a reader that cannot open must show now
	if err != nil {
		return fmt.Errorf("opening a reader: %w", err)
	}
	s.read.put(rc)
	return nil
}

// Close waits for the transactions that are queued, then for readers, and gives
// the folder back. Later calls return what the first one did.
func (s *Store) Close() error {
	s.closing.Do(func() {
		var errs []error
		if s.write != nil {
			errs = append(errs, s.write.close())
		}
		if s.read != nil {
			errs = append(errs, s.read.close())
		}
		if s.mapping != nil {
			errs = append(errs, s.mapping.close())
		}
		s.closed = errors.Join(append(errs, s.lock.Close())...)
	})
	return s.closed
}

// Optimize refreshes what the query planner knows; worth calling after a bulk load
// and once a day.
func (s *Store) Optimize(ctx context.Context) error {
	return s.write.alone(ctx, func(c *conn) error { return c.script("PRAGMA analysis_limit=1000; PRAGMA optimize") })
}

// pageBytes is the size of a page. Most of what is written lies in pages that a commit
// changes in one place, and all of each goes into the log.
const pageBytes = 4096

type pragma struct{ name, value, reads string }

// The settings that durability and bounds rest on, as set and as they must read back.
func (s *Store) writerPragmas() []pragma {
	p := []pragma{
		{"page_size", strconv.Itoa(pageBytes), ""}, // counts for a new database only
		{"journal_mode", "wal", "wal"},
		{"synchronous", "full", "2"},
		{"busy_timeout", fmt.Sprint(s.opt.BusyTimeout.Milliseconds()), fmt.Sprint(s.opt.BusyTimeout.Milliseconds())},
		{"wal_autocheckpoint", "0", "0"}, // the writer decides, see checkpoint.go
		{"journal_size_limit", fmt.Sprint(s.opt.CheckpointBytes), fmt.Sprint(s.opt.CheckpointBytes)},
		{"cache_size", fmt.Sprint(-s.opt.CacheBytes >> 10), fmt.Sprint(-s.opt.CacheBytes >> 10)},
		{"temp_store", "memory", "2"},
		{"foreign_keys", "off", "0"},
		{"trusted_schema", "off", "0"},
		{"cell_size_check", "on", "1"},
		{"secure_delete", "on", "1"}, // what is removed is overwritten
	}
	if s.opt.MaxBytes > 0 {
		p = append(p, pragma{"max_page_count", fmt.Sprint(s.opt.MaxBytes / pageBytes), ""})
	}
	return p
}

func readerPragmas(opt Options, m *mapping) []pragma {
	mapped, cache := "0", fmt.Sprint(-opt.CacheBytes>>12)
	if m != nil { // then only what is in the log goes through the cache
		mapped, cache = fmt.Sprint(len(m.bytes)), fmt.Sprint(-opt.CacheBytes>>14)
	}
	return []pragma{
		{"mmap_size", mapped, mapped},
		{"busy_timeout", fmt.Sprint(opt.BusyTimeout.Milliseconds()), fmt.Sprint(opt.BusyTimeout.Milliseconds())},
		{"cache_size", cache, cache},
		{"temp_store", "memory", "2"},
		{"trusted_schema", "off", "0"},
		{"query_only", "on", "1"},
		{"journal_mode", "", "wal"},
	}
}

// maxMapBytes is the most that SQLite maps.
const maxMapBytes = 0x7fff0000

// reader opens a connection that reads.
func (s *Store) reader() (*conn, error) {
	m := s.mapping
	if s.faulty.Load() {
		m = nil
	}
	pragmas := readerPragmas(s.opt, m)
	c, err := connect(s.path, pragmas, m)
	if err != nil {
		return nil, err
	}
	if err := assertPragmas(c, pragmas); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

// dsn names a database with its settings for the driver, through which the schema is
// brought up to date.
func dsn(path string, pragmas []pragma) string {
	v := url.Values{}
	for _, p := range pragmas {
		if p.value != "" {
			v.Add("_pragma", p.name+"("+p.value+")")
		}
	}
	v.Set("_txlock", "immediate")
	v.Set("_dqs", "0")
	v.Set("_defensive", "1")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

func assertPragmas(c *conn, pragmas []pragma) error {
	for _, p := range pragmas {
		if p.reads == "" {
			continue
		}
		got, err := c.pragma(p.name)
		if err != nil {
			return fmt.Errorf("reading the setting %s: %w", p.name, err)
		}
		if got != p.reads {
			return fault.Newf(fault.Unavailable, "the database refuses the setting %s: it is %s, not %s", p.name, got, p.reads)
		}
	}
	return nil
}

// Schema is the version of a store's schema: when it was opened, and since.
type Schema struct{ Before, Now int64 }

// Schema tells what Open did to the schema. Before is 0 for a store it made.
func (s *Store) Schema() Schema { return s.schema }

func migrate(ctx context.Context, dsn string) (schema Schema, err error) {
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return Schema{}, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return Schema{}, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return Schema{}, err
	}
	if schema.Before, schema.Now, err = p.GetVersions(ctx); err != nil {
		return Schema{}, err
	}
	if schema.Before > schema.Now {
		return Schema{}, fault.Newf(fault.Unavailable, "the store has schema %d, this program knows %d; a newer one wrote it", schema.Before, schema.Now)
	}
	_, err = p.Up(ctx)
	return schema, err
}
