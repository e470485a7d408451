package postgres

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Hasty reads a store without regard for transactions that are open. Its pollers must
// miss changes, or the test that says so proves nothing.
type Hasty struct{ S *Store }

func (h Hasty) Changes(ctx context.Context, after int64, limit int) (list []store.Change, err error) {
	err = h.S.reading(ctx, func(v view) error {
		list, err = v.changes(ctx, after, math.MaxInt64, limit)
		return err
	})
	return list, err
}

func (h Hasty) Versions(ctx context.Context, q store.HistoryQuery) (page store.HistoryPage, err error) {
	err = h.S.reading(ctx, func(v view) error {
		page, err = v.versions(ctx, q, math.MaxInt64)
		return err
	})
	return page, err
}

// Setting reads a setting back, from a connection that writes or one that reads.
func (s *Store) Setting(ctx context.Context, name string, writer bool) (value string, err error) {
	pool := s.read
	if writer {
		pool = s.write
	}
	err = lend(ctx, pool, func(c *pgxpool.Conn) error {
		return c.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	})
	return value, err
}

// Waiting is how many transactions wait for a connection, or a group.
func (s *Store) Waiting() int64 { return s.waiting.Load() }

// Exec runs SQL on a connection that writes or one that reads.
func (s *Store) Exec(ctx context.Context, sql string, writer bool) error {
	pool := s.read
	if writer {
		pool = s.write
	}
	return lend(ctx, pool, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

// Number asks for one number.
func (s *Store) Number(ctx context.Context, sql string) (n int64, err error) {
	err = lend(ctx, s.upkeep, func(c *pgxpool.Conn) error { return c.QueryRow(ctx, sql).Scan(&n) })
	return n, err
}

// Explain returns the plan of a search, a line per step.
func (s *Store) Explain(ctx context.Context, q *search.Query) (lines []string, err error) {
	err = s.reading(ctx, func(v view) error {
		b, err := newBuilder(ctx, v, q.Allowed)
		if err != nil {
			return err
		}
		w, err := b.compile(q.Type, q.Where, 0)
		if err != nil {
			return err
		}
		p, err := b.plan(q, w)
		if err != nil {
			return err
		}
		// Of a prepared statement, so that it is the plan for any value that is shown.
		return lend(ctx, s.upkeep, func(c *pgxpool.Conn) error {
			d, err := c.Conn().Prepare(ctx, "explained", numbered(p.page.sql))
			if err != nil {
				return err
			}
			defer func() { _ = c.Conn().Deallocate(ctx, "explained") }()
			if strings.Contains(p.page.sql, "index_word x") {
				if _, err := c.Exec(ctx, "SET enable_bitmapscan = on"); err != nil {
					return err
				}
				defer func() { _, _ = c.Exec(ctx, "SET enable_bitmapscan = off") }()
			}
			nulls := "NULL" + strings.Repeat(", NULL", max(0, len(d.ParamOIDs)-1))
			rows, err := c.Query(ctx, fmt.Sprintf(`EXPLAIN EXECUTE explained(%s)`, nulls), pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				return err
			}
			var line string
			_, err = pgx.ForEachRow(rows, []any{&line}, func() error {
				lines = append(lines, line)
				return nil
			})
			return err
		})
	})
	return lines, err
}

// Apart is how many migrations need no other.
const Apart = apart

// Migrate runs these migrations in a database, in any case and order.
func Migrate(ctx context.Context, url string, versions ...int64) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if err := apply(ctx, config, []int64{v}); err != nil {
			return err
		}
	}
	return nil
}

// Again ends a store and opens another one over its connections, which are most of what
// opening costs.
func (s *Store) Again(ctx context.Context) (*Store, error) {
	s.finish()
	n := newStore(ctx, s.opt)
	n.upkeep, n.write, n.shared, n.read = s.upkeep, s.write, s.shared, s.read
	return n, n.start(ctx)
}
