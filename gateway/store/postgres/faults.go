package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// PostgreSQL's error codes that the store tells apart, see
// https://www.postgresql.org/docs/14/errcodes-appendix.html.
const (
	codeUnique       = "23505"
	codeDeadlock     = "40P01"
	codeSerialize    = "40001"
	codeLock         = "55P03"
	codeCanceled     = "57014"
	codeReadOnly     = "25006"
	codeFoundNone    = "YL001" // found_all
	codeState        = "YL002" // hold_state, set_state
	constraintID     = "resource_id"
	constraintNext   = "version_number"
	constraintPerson = "person_pkey"
)

var (
	errClosed    = fault.New(fault.Unavailable, "the store is closed")
	errNested    = errors.New("Update inside Update")
	errOver      = errors.New("the transaction is over")
	errLockTwice = errors.New("Lock called twice in a transaction")
	errLockLate  = errors.New("Lock called after a search in the same transaction")
	errBeginLate = errors.New("Begin called late, or twice, in a transaction")
	errQueue     = fault.New(fault.Busy, "too many writes are waiting")
	errPosition  = fault.New(fault.Invalid, "the page does not belong to this search")
	errConflict  = fault.New(fault.Conflict, "another transaction wrote one of the resources first")
	errPerson    = fault.New(fault.Conflict, "a person with this id is there already")
	// errOrder: a version was written after this transaction got its time, and is to be replaced by it.
	errOrder = errors.New("the time of the transaction is earlier than that of a version it replaces")
)

func notFound(k store.Key) error { return fault.Newf(fault.NotFound, "%s is not known", k) }

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// lost reports whether the connection is gone, or about to be, for a reason that has
// nothing to do with what was asked.
func lost(err error) bool {
	var e *pgconn.PgError
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &e):
		switch e.Code[:2] {
		case "08", "53": // connection; resources, such as too many connections
			return true
		case "57":
			return e.Code != codeCanceled
		}
		return false
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) || broken(err)
}

// broken reports an error of the network or of a connection that was closed.
func broken(err error) bool {
	var network net.Error
	return pgconn.Timeout(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.HasSuffix(err.Error(), "conn closed") // the driver has no value for it
}

// again reports whether a transaction that failed so may simply be run again. That of a
// version that came in between shows late; in another run Put sees it.
func again(err error) bool {
	switch code(err) {
	case codeDeadlock, codeSerialize:
		return true
	}
	return errors.Is(err, errOrder) || raced(err) || lost(err)
}

// raced reports that a version was written in between.
func raced(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == codeFoundNone || e.Code == codeUnique && (e.ConstraintName == constraintID || e.ConstraintName == constraintNext)
}

// classify gives the driver's errors a kind. Faults and the context's own errors pass
// as they are.
func classify(err error) error {
	var known *fault.Error
	var e *pgconn.PgError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case raced(err):
		return errConflict
	case code(err) == codeState:
		return store.ErrState
	case errors.As(err, &e) && e.Code == codeUnique && e.ConstraintName == constraintPerson:
		return errPerson
	case errors.As(err, &e):
		if connect := new(*pgconn.ConnectError); errors.As(err, connect) && !lost(err) {
			return fault.Wrap(fault.Unavailable, err, "the store refuses the connection")
		}
		switch e.Code {
		case codeReadOnly: // a standby, or an operator's setting
			return fault.Wrap(fault.Unavailable, err, "the store takes no writes now")
		case codeDeadlock, codeSerialize, codeLock:
			return fault.Wrap(fault.Busy, err, "other transactions are in the way").WithCode("lock-error")
		case codeCanceled:
			return fault.Wrap(fault.Busy, err, "the database took too long")
		case "54000", "54001", "54011", "54023":
			return fault.Wrap(fault.TooCostly, err, "too large to store").WithCode("too-long")
		case "53100": // disk full
			return fault.Wrap(fault.Unavailable, err, "the store is full").WithCode("no-store")
		}
		if lost(err) {
			return fault.Wrap(fault.Unavailable, err, "the store is away")
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errOrder):
		return fault.Wrap(fault.Busy, err, "other transactions are in the way").WithCode("lock-error")
	case lost(err):
		return fault.Wrap(fault.Unavailable, err, "the store is away")
	}
	return err
}

// connecting names what opening a connection failed of in one line, without the account
// and the address, which the operator has in the configuration.
func connecting(err error) error {
	var e *pgconn.PgError
	var c *pgconn.ConnectError
	switch {
	case err == nil || !errors.As(err, &c):
		return err
	case errors.As(err, &e):
		return fault.Wrap(fault.Unavailable, errors.New(e.Message), "the store refuses the connection")
	}
	return fault.Wrap(fault.Unavailable, errors.New("cannot connect"), "the store is away")
}

// tooCostly turns the end of a search's own time into a fault; the end of the
// client's patience stays what it is.
func tooCostly(client context.Context, err error) error {
	ended := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || code(err) == codeCanceled
	switch {
	case err == nil || !ended:
		return classify(err)
	case client.Err() != nil:
		return client.Err()
	}
	return fault.Wrap(fault.TooCostly, err, "the search needs too much work; narrow it")
}

var errPart = fault.New(fault.Invalid, "a composite cannot be asked for that")
