package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unsafe"

	modernc "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection to the database with its prepared statements. It speaks
// to the driver directly: database/sql would add locks, a goroutine per query and
// a copy per column to statements that take microseconds. One goroutine uses it
// at a time.
type conn struct {
	raw   driver.Conn
	stmts map[string]*stmt
	known map[*byte]*stmt // the same by where their text stands, for texts that stand in the program
	used  uint64          // clock of stmts
	args  []driver.NamedValue
	lost  error // the failure after which SQLite may have dropped the transaction
	stale bool  // a statement was interrupted: close, don't reuse
	kept  bool  // of a reader: a transaction is open between uses
	state int64 // of a reader: what was committed when it was used last, see pool
}

// stmt is a prepared statement and a place for one row of it.
type stmt struct {
	driver.Stmt
	sql    string // held, so that nothing else can come to stand where it does
	used   uint64
	row    []driver.Value
	busy   bool // its rows are being read; a nested use prepares another
	cached bool // stands in stmts
}

// maxStatements bounds the prepared statements of a connection. Searches have as
// many shapes as clients think of.
const maxStatements = 256

func connect(ctx context.Context, dsn string) (*conn, error) {
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]*stmt{}, known: map[*byte]*stmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	c.stmts, c.known = nil, nil
	return c.raw.Close()
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
	raw, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, c.failed(err)
	}
	s := &stmt{Stmt: raw, sql: sql, used: c.used}
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
			_ = s.Close()
			delete(c.stmts, sql)
			delete(c.known, unsafe.StringData(s.sql))
		}
	}
}

// done gives a statement back.
func (c *conn) done(s *stmt) {
	s.busy = false
	if !s.cached {
		_ = s.Close()
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
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, c.failed(err)
	}
	return r.RowsAffected()
}

// query calls each for every row. The row is valid during the call. When ctx ends
// the statement is interrupted while it looks for its first row, which for a plan
// that collects its rows first is all of its work.
func (c *conn) query(ctx context.Context, sql string, args []any, each func(row row) error) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	defer c.done(s)
	s.busy = true
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, c.bind(args))
	if err != nil {
		return c.failed(err)
	}
	defer func() {
		if e := rows.Close(); err == nil && e != nil {
			err = c.failed(e)
		}
	}()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		if err := rows.Next(s.row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return c.failed(err)
		}
		if err := each(s.row); err != nil {
			return err
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
	_, err = c.one(sql, args, func(row row) { n, _ = row[0].(int64) })
	return n, err
}

// limited ends a query with a LIMIT. The number stands in the text, because SQLite
// plans a statement anew each time a bound limit is set.
func limited[N int | int64](n N) string { return " LIMIT " + strconv.FormatInt(int64(n), 10) }

func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case bool:
			if v {
				a = int64(1)
			} else {
				a = int64(0)
			}
		case []byte:
			if v == nil {
				a = nil
			}
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// failed notes failures after which the open transaction may be gone, and after
// which the connection is not to be trusted with the next statement.
func (c *conn) failed(err error) error {
	var e *modernc.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		c.stale = true
	case errors.As(err, &e):
		switch e.Code() & 0xff {
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
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	if err != nil {
		return c.failed(err)
	}
	return nil
}

// pragma returns a setting as the database reads it back.
func (c *conn) pragma(name string) (string, error) {
	var value string
	_, err := c.one("PRAGMA "+name, nil, func(row row) { value = fmt.Sprint(row[0]) })
	return value, err
}
