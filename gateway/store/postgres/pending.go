package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

func targetOf(typ string, id store.Identifier) []byte { return digestOf(typ, id.System, id.Value) }

// SetPending replaces what a resource waits for.
func (t *tx) SetPending(ctx context.Context, from store.Key, waits []store.Pending) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	t.waits = true
	fresh := t.isFresh(from) && t.w.flushed == 0 // nothing can wait for a resource that was not there
	t.w.pending = append(t.w.pending, pendingWrite{from: from, waits: slices.Clone(waits), fresh: fresh})
	return nil
}

// Waiting returns who waits for a resource of the type by one of the identifiers.
func (t *tx) Waiting(ctx context.Context, typ string, ids []store.Identifier) ([]store.Pending, error) {
	if err := t.ready(ctx); err != nil || len(ids) == 0 {
		return nil, err
	}
	if list, ok := t.answers.waiting(typ, ids); ok && !t.waits {
		return list, nil
	}
	var targets [][]byte
	for _, id := range ids {
		targets = append(targets, targetOf(typ, id))
	}
	var found []store.Pending
	err := t.query(ctx, ask(fragment{waitingSQL, []any{targets}}, func(rows pgx.Rows) error {
		p, err := scanPending(rows)
		found = append(found, p)
		return err
	}))
	return found, err
}

const waitingSQL = `SELECT type, system, value, from_type, from_id FROM pending WHERE target = ANY(?)
ORDER BY system, value, from_type, from_id`

func scanPending(rows pgx.Rows) (store.Pending, error) {
	var typ, system, value, fromType, fromID []byte
	err := rows.Scan(&typ, &system, &value, &fromType, &fromID)
	return store.Pending{Type: string(typ), Identifier: store.Identifier{System: string(system), Value: string(value)},
		From: store.Key{Type: string(fromType), ID: string(fromID)}}, err
}
