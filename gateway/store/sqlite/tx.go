package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// tx is one transaction: the writing connection, lent. ctx of its methods is
// looked at before a statement and never during one.
type tx struct {
	s        *Store
	w        *writer
	c        *conn
	used     bool
	locked   bool
	searched bool
	over     bool
	broken   error // a statement failed half way; the transaction must not commit
}

var _ store.Tx = (*tx)(nil)

var (
	errLockTwice = errors.New("Lock called twice in a transaction")
	errLockLate  = errors.New("Lock called after a search in the same transaction")
	errBeginLate = errors.New("Begin called late, or twice, in a transaction")
)

func (t *tx) view() view { return view{t.s, t.c, t.w.fresh} }

// ready reports why the next statement must not run.
func (t *tx) ready(ctx context.Context) error {
	t.used = true
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

// Begin locks; nothing is asked sooner than it is needed where that costs no trip.
func (t *tx) Begin(ctx context.Context, f store.Foresight) error {
	used := t.used
	if err := t.ready(ctx); err != nil {
		return err
	}
	if used {
		return t.breaks(errBeginLate)
	}
	if len(f.Names) == 0 {
		return nil
	}
	return t.Lock(ctx, f.Names...)
}

// Lock has nothing to do where one transaction writes at a time. It checks what
// other stores need: one call, before anything is looked for.
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
	return nil
}

func (t *tx) Read(ctx context.Context, k store.Key) (store.Version, error) {
	if err := t.ready(ctx); err != nil {
		return store.Version{}, err
	}
	return t.view().read(k)
}

func (t *tx) Search(ctx context.Context, q *search.Query) (store.Page, error) {
	if err := t.ready(ctx); err != nil {
		return store.Page{}, err
	}
	t.searched = true
	if err := t.w.batch.flush(t.c); err != nil {
		return store.Page{}, t.breaks(err)
	}
	// The client's own end must not interrupt: only the time limit does.
	return t.view().search(context.WithoutCancel(ctx), q)
}

// SetPending replaces what a resource waits for.
func (t *tx) SetPending(ctx context.Context, from store.Key, waits []store.Pending) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if _, err := t.c.exec("DELETE FROM pending WHERE from_type = ? AND from_id = ?", from.Type, from.ID); err != nil {
		return t.breaks(err)
	}
	for _, p := range waits {
		if _, err := t.c.exec("INSERT OR IGNORE INTO pending (type, system, value, from_type, from_id) VALUES (?, ?, ?, ?, ?)",
			p.Type, p.Identifier.System, p.Identifier.Value, from.Type, from.ID); err != nil {
			return t.breaks(err)
		}
	}
	return nil
}

// Waiting returns who waits for a resource of the type by one of the identifiers.
func (t *tx) Waiting(ctx context.Context, typ string, ids []store.Identifier) ([]store.Pending, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	var found []store.Pending
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		err := t.c.query(context.Background(),
			"SELECT from_type, from_id FROM pending WHERE type = ? AND system = ? AND value = ? ORDER BY from_type, from_id",
			[]any{typ, id.System, id.Value}, func(row row) error {
				found = append(found, store.Pending{Type: typ, Identifier: id,
					From: store.Key{Type: row.text(0), ID: row.text(1)}})
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
