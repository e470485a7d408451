package sqlite

import (
	"context"

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
	return s.states(ctx, "WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name", prefix)
}

func (s *Store) states(ctx context.Context, where, arg string) (list []store.State, err error) {
	err = s.reading(ctx, func(v view) error {
		return v.c.query(ctx, "SELECT name, number, content FROM state "+where, []any{arg}, func(row row) error {
			list = append(list, store.State{Name: row.text(0), Number: row.int(1), Content: append([]byte{}, row.bytes(2)...)})
			return ctx.Err()
		})
	})
	return list, err
}

// HoldState looks once: where one transaction writes at a time, nobody changes it.
func (t *tx) HoldState(ctx context.Context, name string, number int64) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now := int64(0)
	_, err := t.c.one("SELECT number FROM state WHERE name = ?", []any{name}, func(row row) { now = row.int(0) })
	if err == nil && now != number {
		err = store.ErrState
	}
	return t.breaks(err)
}

// SetState replaces the content of a state.
func (t *tx) SetState(ctx context.Context, name string, number int64, content []byte) error {
	if len(content) > store.MaxState {
		return errStateSize
	}
	if err := t.HoldState(ctx, name, number); err != nil {
		return err
	}
	sql, args := "UPDATE state SET number = number + 1, content = ?2 WHERE name = ?1", []any{name, content}
	switch {
	case content == nil:
		sql, args = "DELETE FROM state WHERE name = ?", []any{name}
	case number == 0:
		sql = "INSERT INTO state (name, number, content) VALUES (?1, 1, ?2)"
	}
	_, err := t.c.exec(sql, args...)
	return t.breaks(err)
}
