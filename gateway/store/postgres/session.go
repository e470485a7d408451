package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// fragment is SQL text with its arguments, for each of which it has a question mark.
// In conditions "@." stands for the resource row that is asked about; values are always
// arguments, so neither ever means anything else.
type fragment struct {
	sql  string
	args []any
}

func (f *fragment) add(sql string, args ...any) {
	f.sql += sql
	f.args = append(f.args, args...)
}

func (f *fragment) append(o fragment) { f.add(o.sql, o.args...) }

func (f fragment) at(alias string) fragment {
	return fragment{strings.ReplaceAll(f.sql, "@.", alias+"."), f.args}
}

// numbered turns question marks into PostgreSQL's numbered parameters.
func numbered(sql string) string {
	n := strings.Count(sql, "?")
	if n == 0 {
		return sql
	}
	var b strings.Builder
	b.Grow(len(sql) + 2*n)
	for i := 1; ; i++ {
		at := strings.IndexByte(sql, '?')
		if at < 0 {
			b.WriteString(sql)
			return b.String()
		}
		b.WriteString(sql[:at])
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i))
		sql = sql[at+1:]
	}
}

// limited ends a query with a LIMIT. The number stands in the text, because a plan for
// any limit is a plan for many rows.
func limited[N int | int64](n N) string { return " LIMIT " + strconv.FormatInt(int64(n), 10) }

// querier runs questions: a connection for reading, or a transaction. Statements of a
// list go in one trip.
type querier interface {
	query(ctx context.Context, list ...*question) error
}

// question is a statement and what to do with each of its rows.
type question struct {
	fragment
	each func(rows pgx.Rows) error
}

func ask(f fragment, each func(rows pgx.Rows) error) *question { return &question{f, each} }

// one asks for the first row of a statement and reports whether there is one.
func one(ctx context.Context, q querier, f fragment, to ...any) (found bool, err error) {
	err = q.query(ctx, ask(f, func(rows pgx.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(to...)
	}))
	return found, err
}

// queue puts a question into a batch.
func (q *question) queue(b *pgx.Batch) {
	b.Queue(numbered(q.sql), q.args...).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			if err := q.each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// withBitmaps lets statements that look for words have the bitmaps that GIN cannot do
// without. Where the statement fails, the setting goes with its transaction.
func withBitmaps(list []*question) []*question {
	if !slices.ContainsFunc(list, func(q *question) bool { return strings.Contains(q.sql, "index_word x") }) {
		return list
	}
	set := func(value string) *question {
		return ask(fragment{"SELECT set_config('enable_bitmapscan', ?, false)", []any{value}}, func(pgx.Rows) error { return nil })
	}
	return slices.Concat([]*question{set("on")}, list, []*question{set("off")})
}

// reader is a connection that is lent for reading.
type reader struct{ c *pgxpool.Conn }

func (r reader) query(ctx context.Context, list ...*question) error {
	if len(list) == 0 || list[0].sql != beginIsolatedSQL {
		list = withBitmaps(list)
	}
	if len(list) == 1 {
		q := list[0]
		rows, err := r.c.Query(ctx, numbered(q.sql), q.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := q.each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	b := &pgx.Batch{}
	for _, q := range list {
		q.queue(b)
	}
	return r.c.SendBatch(ctx, b).Close()
}

// settings of a connection. Plans must not depend on statistics that may be missing:
// what there is to choose is chosen when a search is built.
func (o *Options) settings(statement time.Duration) map[string]string {
	ms := func(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }
	return map[string]string{
		"application_name":                    "yilian",
		"timezone":                            "UTC",
		"statement_timeout":                   ms(statement),
		"lock_timeout":                        ms(o.LockTime),
		"idle_in_transaction_session_timeout": ms(o.IdleTime),
		"default_transaction_isolation":       "read committed",
		"synchronous_commit":                  "on",
		"plan_cache_mode":                     "force_generic_plan",
		"enable_seqscan":                      "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"enable_material":                     "off",
		"enable_memoize":                      "off", // no row is asked for twice
		"enable_bitmapscan":                   "off", // a bitmap has no order; but see withBitmaps
		"max_parallel_workers_per_gather":     "0",
		"jit":                                 "off",
	}
}

// cancelDelay is how long a connection whose question was cancelled may take to say so.
const cancelDelay = 2 * time.Second

func (o *Options) pool(ctx context.Context, url string, size int, statement time.Duration, reading bool) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errURL // the driver's words may hold the password
	}
	config.MaxConns = int32(size)
	config.MinConns = 0
	config.MaxConnIdleTime = 5 * time.Minute
	config.MaxConnLifetime = time.Hour
	for name, value := range o.settings(statement) {
		config.ConnConfig.RuntimeParams[name] = value
	}
	if reading {
		config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	}
	config.ConnConfig.ConnectTimeout = min(o.AwayTime, 5*time.Second)
	config.ConnConfig.StatementCacheCapacity = maxStatements
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelDelay}
	}
	if !reading {
		config.AfterConnect = learn
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// maxStatements bounds the prepared statements of a connection. Searches have as
// many shapes as clients think of.
const maxStatements = 256
