package sqlite

import (
	"context"
	"errors"

	lib "modernc.org/sqlite/lib"

	"github.com/yilian/yilian/gateway/fault"
)

// classify gives errors of SQLite a kind. Faults and the context's own errors
// pass as they are.
func classify(err error) error {
	var e *sqliteError
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), !errors.As(err, &e):
		return err
	}
	switch e.kind() {
	case lib.SQLITE_FULL:
		return fault.Wrap(fault.Unavailable, err, "the store is full").WithCode("no-store")
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Wrap(fault.Busy, err, "the store is locked by another process").WithCode("lock-error")
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PROTOCOL:
		return fault.Wrap(fault.Unavailable, err, "the store cannot read or write its files")
	case lib.SQLITE_TOOBIG:
		return fault.Wrap(fault.TooCostly, err, "too large to store").WithCode("too-long")
	}
	return err
}

// tooCostly turns the end of a search's own time into a fault; the end of the
// client's patience stays what it is.
func tooCostly(client context.Context, err error) error {
	var e *sqliteError
	ended := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.kind() == lib.SQLITE_INTERRUPT
	switch {
	case err == nil || !ended:
		return classify(err)
	case client.Err() != nil:
		return client.Err()
	}
	return fault.Wrap(fault.TooCostly, err, "the search needs too much work; narrow it")
}
