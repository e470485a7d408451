package sqlite

import (
	"context"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

// Pragma reads a setting back, from the writer or from a reader.
func (s *Store) Pragma(ctx context.Context, name string, writer bool) (value string, err error) {
	if writer {
		err = s.write.alone(ctx, func(c *conn) error {
			value, err = c.pragma(name)
			return err
		})
		return value, err
	}
	err = s.reading(ctx, func(v view) error {
		value, err = v.c.pragma(name)
		return err
	})
	return value, err
}

// Exec runs SQL on a connection, where a test needs damage that nothing else does.
func (s *Store) Exec(ctx context.Context, sql string, writer bool) error {
	if writer {
		return s.write.alone(ctx, func(c *conn) error { return c.script(sql) })
	}
	return s.reading(ctx, func(v view) error { return v.c.script(sql) })
}

// Count returns how many rows a table has.
func (s *Store) Count(ctx context.Context, table string) (n int64, err error) {
	err = s.reading(ctx, func(v view) error {
		n, err = v.c.integer("SELECT count(*) FROM " + table)
		return err
	})
	return n, err
}

// Explain returns the plan of a search, a line per step.
func (s *Store) Explain(ctx context.Context, q *search.Query) (lines []string, err error) {
	err = s.reading(ctx, func(v view) error {
		b, err := newBuilder(v, q.Allowed)
		if err != nil {
			return err
		}
		defer b.close()
		w, err := b.compile(q.Type, q.Where, 0)
		if err != nil {
			return err
		}
		p, err := b.plan(q, w)
		if err != nil {
			return err
		}
		return v.c.query(ctx, "EXPLAIN QUERY PLAN "+p.page.sql, p.page.args, func(row row) error {
			lines = append(lines, strings.TrimSpace(row.text(3)))
			return nil
		})
	})
	return lines, err
}
