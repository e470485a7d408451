package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

var _ store.States = (*Store)(nil)

var errStateSize = fault.Newf(fault.TooCostly, "a state has at most %d bytes", store.MaxState)

// State returns the state of that name.
func (s *Store) State(ctx context.Context, name string) (store.State, error) {
	list, err := s.states(ctx, "WHERE name = ?", name)
	if err != nil || len(list) == 0 {
		return store.State{Name: name}, err
	}
	return list[0], nil
}

// States returns the states whose names begin with prefix, by name.
func (s *Store) States(ctx context.Context, prefix string) ([]store.State, error) {
	return s.states(ctx, "WHERE substr(name, 1, length(x.prefix)) = x.prefix ORDER BY name", prefix)
}

func (s *Store) states(ctx context.Context, where, arg string) (list []store.State, err error) {
	sql := "SELECT name, number, content FROM state "
	if where != "WHERE name = ?" {
		sql += ", (SELECT ?::bytea AS prefix) x "
	}
	err = s.reading(ctx, func(v view) error {
		list = nil
		return v.q.query(ctx, ask(fragment{sql + where, []any{[]byte(arg)}}, func(rows pgx.Rows) error {
			var found store.State
			var name []byte
			err := rows.Scan(&name, &found.Number, &found.Content)
			found.Name = string(name)
			list = append(list, found)
			return err
		}))
	})
	return list, err
}

func (t *tx) stateLock(name string) int64 { return t.s.hash.text("state\xff" + name) }

const holdStateSQL = "SELECT hold_state(?, ?, ?)"

// HoldState is asked with the next trip.
func (t *tx) HoldState(ctx context.Context, name string, number int64) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if t.answers.holds(name, number) {
		return nil
	}
	t.queue(holdStateSQL, t.stateLock(name), []byte(name), number)
	return nil
}

// SetState is done with the next trip.
func (t *tx) SetState(ctx context.Context, name string, number int64, content []byte) error {
	if len(content) > store.MaxState {
		return errStateSize
	}
	if err := t.ready(ctx); err != nil {
		return err
	}
	t.queue("SELECT set_state(?, ?, ?, ?)", t.stateLock(name), []byte(name), number, content)
	return nil
}
