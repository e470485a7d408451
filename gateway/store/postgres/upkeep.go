package postgres

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// background runs fn in a goroutine that Close waits for.
func (s *Store) background(fn func(ctx context.Context)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.closed {
		s.work.Go(func() { fn(s.done) })
	}
}

// statistics gathers what PostgreSQL's planner knows of the tables when they have grown,
// so that a bulk load does not wait for autovacuum.
type statistics struct {
	s       *Store
	written atomic.Int64 // resources made by this process since it looked last
	wake    chan struct{}
}

// upkeepLock is held by the process that gathers statistics.
const upkeepLock = 6870641029387642159

// analyzed are the tables that grow with resources.
const analyzed = "ANALYZE resource, version, index_key, index_string, index_date, index_number, index_word"

func (u *statistics) start(s *Store) {
	u.s, u.wake = s, make(chan struct{}, 1)
	s.background(func(ctx context.Context) {
		for {
			if err := u.refresh(ctx); err != nil && ctx.Err() == nil {
				s.opt.Log.WarnContext(ctx, "statistics of the store are not refreshed", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-u.wake:
			case <-time.After(10 * time.Minute): // what other processes wrote
			}
		}
	})
}

// add counts new resources.
func (u *statistics) add(n int64) {
	if total := u.written.Add(n); total%u.s.opt.AnalyzeFrom == 0 {
		select {
		case u.wake <- struct{}{}:
		default:
		}
	}
}

// refresh analyses when there are twice as many resources as the last time.
func (u *statistics) refresh(ctx context.Context) error {
	return lend(ctx, u.s.upkeep, func(c *pgxpool.Conn) error {
		// How many there are is known from the length of the table: exactly enough, and at no cost.
		var before, now int64
		err := c.QueryRow(ctx, `SELECT s.rows, coalesce((SELECT (pg_relation_size('resource') / 8192
* greatest(reltuples, 1) / greatest(relpages, 1))::int8 FROM pg_class WHERE oid = 'resource'::regclass), 0) FROM statistics s`).Scan(&before, &now)
		if err != nil {
			return err
		}
		if before == 0 {
			now = max(now, u.written.Load())
		}
		if now < u.s.opt.AnalyzeFrom || now < 2*before {
			return nil
		}
		var held bool
		if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(upkeepLock)).Scan(&held); err != nil || !held {
			return err
		}
		defer func() { _, _ = c.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(upkeepLock)) }()
		if _, err := c.Exec(ctx, "SET statement_timeout = 0"); err != nil {
			return err
		}
		defer func() { _, _ = c.Exec(context.WithoutCancel(ctx), "RESET statement_timeout") }()
		if _, err := c.Exec(ctx, analyzed); err != nil {
			return err
		}
		_, err = c.Exec(ctx, "UPDATE statistics SET rows = $1", now)
		return err
	})
}
