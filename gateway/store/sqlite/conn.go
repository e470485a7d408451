package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection to the database with its prepared statements. It speaks
// to SQLite directly (native.go): database/sql and the driver below it would add
// locks, a goroutine per query and a dozen of allocations for the names of columns to
// statements that take microseconds. One goroutine uses it at a time.
type conn struct {
	tls     *libc.TLS
	db      uintptr
	out     buffer // what SQLite writes answers to
	methods buffer // of the file, where pages are taken from a mapping
	stmts   map[string]*stmt
	known   map[*byte]*stmt // the same by where their text stands, for texts that stand in the program
	used    uint64          // clock of stmts
	lost    error           // the failure after which SQLite may have dropped the transaction
	stale   bool            // a statement was interrupted: close, don't reuse
	kept    bool            // of a reader: a transaction is open between uses
	// mapped: of a reader, whose pages are those of the file. broken: one of them could not be read, so that
	// nobody knows in what state that left the connection.
	mapped, broken bool
	state          int64 // of a reader: what was committed when it was used last, see pool
}

// stmt is a prepared statement.
type stmt struct {
	handle  uintptr
	params  int
	columns int
	buf     buffer // its arguments
	sql     string // held, so that nothing else can come to stand where it does
	used    uint64
	busy    bool // its rows are being read; a nested use prepares another
	cached  bool // stands in stmts
}

// maxStatements bounds the prepared statements of a connection. Searches have as
// many shapes as clients think of.
const maxStatements = 256

// connect opens a database, which it makes where there is none, with some settings. m is
// nil where it is not mapped.
func connect(path string, pragmas []pragma, m *mapping) (c *conn, err error) {
	c = &conn{tls: libc.NewTLS(), stmts: map[string]*stmt{}, known: map[*byte]*stmt{}}
	defer func() {
		if err != nil {
			_ = c.close()
			c = nil
		}
	}()
	if !c.out.grow(c.tls, 16) {
		return nil, newError(c.tls, lib.SQLITE_NOMEM, 0)
	}
	rc := text(c.tls, path, func(at uintptr) int32 {
		// Nobody uses a connection twice at a time, so it needs no locks of its own.
		return lib.Xsqlite3_open_v2(c.tls, at, c.out.at, lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_CREATE|lib.SQLITE_OPEN_NOMUTEX, 0)
	})
	c.db = word(c.out.at)
	if rc == lib.SQLITE_OK {
		rc = lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	}
	if rc == lib.SQLITE_OK {
		// A text in double quotes is a mistake, and nothing can make the file itself unreadable.
		rc = max(c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 1), c.configure(lib.SQLITE_DBCONFIG_DQS_DDL, 0),
			c.configure(lib.SQLITE_DBCONFIG_DQS_DML, 0))
	}
	if rc == lib.SQLITE_OK {
		rc = define(c)
	}
	if rc == lib.SQLITE_OK && m != nil {
		rc, c.mapped = c.share(m), true
	}
	if rc != lib.SQLITE_OK {
		return nil, newError(c.tls, rc, c.db)
	}
	for _, p := range pragmas {
		if p.value != "" {
			if err := c.script("PRAGMA " + p.name + "=" + p.value); err != nil {
				return nil, fmt.Errorf("setting %s: %w", p.name, err)
			}
		}
	}
	return c, nil
}

func (c *conn) configure(what, on int32) int32 {
	var args buffer
	if !args.grow(c.tls, 16) {
		return lib.SQLITE_NOMEM
	}
	defer args.free(c.tls)
	return lib.Xsqlite3_db_config(c.tls, c.db, what, libc.VaList(args.at, on, uintptr(0)))
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.finalize(c)
	}
	c.stmts, c.known = nil, nil
	var err error
	if c.db != 0 {
		if rc := lib.Xsqlite3_close_v2(c.tls, c.db); rc != lib.SQLITE_OK {
			err = newError(c.tls, rc, c.db)
		}
		c.db = 0
	}
	if c.tls != nil {
		c.out.free(c.tls)
		c.methods.free(c.tls)
		c.tls.Close()
		c.tls = nil
	}
	return err
}

func (c *conn) prepare(sql string) (*stmt, error) {
	c.used++
	if s := c.known[unsafe.StringData(sql)]; s != nil && len(s.sql) == len(sql) && !s.busy {
		s.used = c.used
		return s, nil
	}
	if s := c.stmts[sql]; s != nil && !s.busy {
		s.used = c.used
		return s, nil
	}
	rc := text(c.tls, sql, func(at uintptr) int32 {
		return lib.Xsqlite3_prepare_v3(c.tls, c.db, at, int32(len(sql)+1), lib.SQLITE_PREPARE_PERSISTENT, c.out.at, 0)
	})
	if rc != lib.SQLITE_OK {
		return nil, c.failed(newError(c.tls, rc, c.db))
	}
	s := &stmt{handle: word(c.out.at), sql: sql, used: c.used}
	s.params, s.columns = int(lib.Xsqlite3_bind_parameter_count(c.tls, s.handle)), int(lib.Xsqlite3_column_count(c.tls, s.handle))
	if old := c.stmts[sql]; old != nil {
		return s, nil // closed after use, see done
	}
	if len(c.stmts) >= maxStatements {
		c.evict()
	}
	s.cached = true
	c.stmts[sql], c.known[unsafe.StringData(sql)] = s, s
	return s, nil
}

// evict closes the half of the statements that was not used for longest.
func (c *conn) evict() {
	var sum uint64
	for _, s := range c.stmts {
		sum += s.used
	}
	mean := sum / uint64(len(c.stmts))
	for sql, s := range c.stmts {
		if s.used <= mean && !s.busy {
			s.finalize(c)
			delete(c.stmts, sql)
			delete(c.known, unsafe.StringData(s.sql))
		}
	}
}

// done gives a statement back.
func (c *conn) done(s *stmt) {
	s.busy = false
	s.reset(c)
	if !s.cached {
		s.finalize(c)
	}
}

// leave ends the transaction that a reader keeps.
func (c *conn) leave() error {
	c.kept = false
	_, err := c.exec("ROLLBACK")
	return err
}

// snapshot lends fn one state of the database for several statements.
func (c *conn) snapshot(fn func() error) error {
	if c.kept {
		return fn()
	}
	if _, err := c.exec("BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = c.exec("ROLLBACK") }()
	return fn()
}

// exec runs a statement that returns nothing and tells how many rows it changed.
// It cannot be interrupted: what runs in a group belongs to all of its members.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	defer c.done(s)
	s.busy = true
	if err := s.bind(c, args); err != nil {
		return 0, c.failed(err)
	}
	rc := int32(lib.SQLITE_ROW)
	for rc == lib.SQLITE_ROW {
		rc = lib.Xsqlite3_step(c.tls, s.handle)
	}
	if rc != lib.SQLITE_DONE {
		return 0, c.failed(newError(c.tls, rc, c.db))
	}
	return int64(lib.Xsqlite3_changes(c.tls, c.db)), nil
}

// query calls each for every row. The row is valid during the call. When ctx ends
// the statement is interrupted.
func (c *conn) query(ctx context.Context, sql string, args []any, each func(row row) error) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	defer c.done(s)
	s.busy = true
	if err := s.bind(c, args); err != nil {
		return c.failed(err)
	}
	if ctx.Done() != nil {
		defer c.interruptible(ctx)()
	}
	at := row{c.tls, s.handle, s.columns}
	for {
		switch rc := lib.Xsqlite3_step(c.tls, s.handle); {
		case rc == lib.SQLITE_DONE:
			return nil
		case rc == lib.SQLITE_ROW:
			if err := each(at); err != nil {
				return err
			}
		case rc&0xff == lib.SQLITE_INTERRUPT && ctx.Err() != nil:
			return c.failed(ctx.Err())
		default:
			return c.failed(newError(c.tls, rc, c.db))
		}
	}
}

// interruptible lets the end of ctx interrupt what runs until the function that it
// returns is called.
func (c *conn) interruptible(ctx context.Context) (end func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		tls := libc.NewTLS() // that of the connection is in use
		lib.Xsqlite3_interrupt(tls, c.db)
		tls.Close()
	})
	return func() {
		if !stop() {
			<-done
			c.stale = true
		}
	}
}

// one runs a query for its first row and reports whether there is one.
func (c *conn) one(sql string, args []any, each func(row row)) (bool, error) {
	found := false
	err := c.query(context.Background(), sql, args, func(row row) error {
		found = true
		each(row)
		return errFirst
	})
	if errors.Is(err, errFirst) {
		err = nil
	}
	return found, err
}

var errFirst = errors.New("first row taken")

// integer runs a query for one number; none is 0.
func (c *conn) integer(sql string, args ...any) (n int64, err error) {
	_, err = c.one(sql, args, func(row row) { n = row.int(0) })
	return n, err
}

// limited ends a query with a LIMIT. The number stands in the text, because SQLite
// plans a statement anew each time a bound limit is set.
func limited[N int | int64](n N) string { return " LIMIT " + strconv.FormatInt(int64(n), 10) }

// failed notes failures after which the open transaction may be gone, and after
// which the connection is not to be trusted with the next statement.
func (c *conn) failed(err error) error {
	var e *sqliteError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		c.stale = true
	case errors.As(err, &e):
		switch e.kind() {
		case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_CORRUPT, lib.SQLITE_BUSY, lib.SQLITE_NOTADB,
			lib.SQLITE_READONLY, lib.SQLITE_PROTOCOL, lib.SQLITE_CANTOPEN:
			c.lost = err
		case lib.SQLITE_INTERRUPT:
			c.lost, c.stale = err, true
		}
	}
	return err
}

// script runs several statements.
func (c *conn) script(sql string) error {
	rc := text(c.tls, sql, func(at uintptr) int32 { return lib.Xsqlite3_exec(c.tls, c.db, at, 0, 0, 0) })
	if rc != lib.SQLITE_OK {
		return c.failed(newError(c.tls, rc, c.db))
	}
	return nil
}

// written tells how many pages were written since it was asked last.
func (c *conn) written() int {
	if lib.Xsqlite3_db_status(c.tls, c.db, lib.SQLITE_DBSTATUS_CACHE_WRITE, c.out.at, c.out.at+8, 1) != lib.SQLITE_OK {
		return 0
	}
	return int(int32(uint32(word(c.out.at))))
}

// pragma returns a setting as the database reads it back.
func (c *conn) pragma(name string) (string, error) {
	var value string
	_, err := c.one("PRAGMA "+name, nil, func(row row) { value = fmt.Sprint(row.value(0)) })
	return value, err
}
