package bench_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// rawBatch is how many resources one transaction of raw inserts holds.
const rawBatch = 200

// rawSQLite inserts all rows of a store that no server holds into an empty one of the same schema, table by table in the
// order in which they came, 200 resources a transaction, in the same sync mode. It returns the time that the inserts took.
func rawSQLite(t testing.TB, dir string, resources int) time.Duration {
	t.Helper()
	ctx := t.Context()
	target := t.TempDir()
	s, err := sqlite.Open(ctx, target, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	from := openSQLite(t, filepath.Join(dir, "yilian.db"), "")
	to := openSQLite(t, filepath.Join(target, "yilian.db"), "&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	tables := strings.Fields(column(t, from, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose%'`))
	var took time.Duration
	for _, table := range tables {
		took += copyTable(t, from, to, table, resources)
	}
	return took
}

func openSQLite(t testing.TB, path, pragmas string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// column returns the values of a query of one column, with spaces between.
func column(t testing.TB, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func copyTable(t testing.TB, from, to *sql.DB, table string, resources int) (took time.Duration) {
	t.Helper()
	var n int
	if err := from.QueryRow(`SELECT count(*) FROM "` + table + `"`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		return 0
	}
	order := ""
	if columns := " " + column(t, from, `SELECT name FROM pragma_table_info('`+table+`')`) + " "; strings.Contains(columns, " rid ") {
		order = " ORDER BY rid"
	}
	rows, err := from.Query(`SELECT * FROM "` + table + `"` + order)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	insert := `INSERT OR IGNORE INTO "` + table + `" VALUES (?` + strings.Repeat(",?", len(names)-1) + `)`
	batch := max(1, n*rawBatch/max(resources, 1))
	var chunk [][]any
	write := func() {
		began := time.Now()
		if err := insertAll(to, insert, chunk); err != nil {
			t.Fatal(err)
		}
		took += time.Since(began)
		chunk = chunk[:0]
	}
	for rows.Next() {
		row, to := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		if chunk = append(chunk, row); len(chunk) == batch {
			write()
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(chunk) > 0 {
		write()
	}
	return took
}

func insertAll(to *sql.DB, insert string, rows [][]any) error {
	tx, err := to.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	st, err := tx.Prepare(insert)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for _, row := range rows {
		if _, err := st.Exec(row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// rawPostgres copies all rows of a store into an empty one of the same schema with COPY, a table at a time.
func rawPostgres(t testing.TB, source, empty string) (took time.Duration) {
	t.Helper()
	ctx := t.Context()
	s, err := postgres.Open(ctx, empty, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	from, to := connect(t, source), connect(t, empty)
	rows, err := from.Query(ctx, `SELECT c.relname, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'rid')
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'goose%' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	type table struct {
		Name string
		Rid  bool
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rows")
	for _, one := range tables {
		order := ""
		if one.Rid {
			order = " ORDER BY rid"
		}
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := from.PgConn().CopyTo(ctx, f, `COPY (SELECT * FROM `+pgx.Identifier{one.Name}.Sanitize()+order+`) TO STDOUT (FORMAT binary)`); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Exec(ctx, `TRUNCATE `+pgx.Identifier{one.Name}.Sanitize()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := to.PgConn().CopyFrom(ctx, f, `COPY `+pgx.Identifier{one.Name}.Sanitize()+` FROM STDIN (FORMAT binary)`); err != nil {
			t.Fatal(err)
		}
		took += time.Since(began)
		_ = f.Close()
	}
	return took
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// bare answers the questions of shapes from tables that hold nothing but them: for each question the resources it found,
// by their place in it, and the bodies by key. One indexed SELECT per question, no HTTP.
type bare struct {
	lite *sql.DB
	pg   *pgxpool.Pool
	keys map[string]int
}

const (
	bareTables = `CREATE TABLE bare_hit (shape int, question int, place int, key int, PRIMARY KEY (shape, question, place))`
	bareBody   = `CREATE TABLE bare_body (key int PRIMARY KEY, body %s)`
	bareSelect = `SELECT b.body FROM bare_hit h JOIN bare_body b ON b.key = h.key WHERE h.shape = %s AND h.question = %s ORDER BY h.place`
)

// newBare makes the tables in a SQLite of its own, or in a database.
func newBare(t testing.TB, storeURL string) *bare {
	t.Helper()
	b := &bare{keys: map[string]int{}}
	if storeURL == "" {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "bare.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=cache_size(-16384)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		b.lite = db
	} else {
		pool, err := pgxpool.New(t.Context(), storeURL+"&synchronous_commit=off") // it is made once, and then read
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		b.pg = pool
	}
	kind := "blob"
	if b.pg != nil {
		kind = "bytea"
	}
	b.exec(t, bareTables)
	b.exec(t, fmt.Sprintf(bareBody, kind))
	return b
}

func (b *bare) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	var err error
	if b.lite != nil {
		_, err = b.lite.ExecContext(t.Context(), query, args...)
	} else {
		_, err = b.pg.Exec(t.Context(), query, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// add keeps what the questions of a shape found. body reads a resource.
func (b *bare) add(t testing.TB, shape int, all []hit, body func(ref string) []byte) {
	t.Helper()
	marks := []any{"?", "?", "?", "?"}
	if b.pg != nil {
		marks = []any{"$1", "$2", "$3", "$4"}
	}
	for i, h := range all {
		for place, ref := range h.refs {
			key, ok := b.keys[ref]
			if !ok {
				key = len(b.keys)
				b.keys[ref] = key
				b.exec(t, fmt.Sprintf(`INSERT INTO bare_body VALUES (%s, %s)`, marks[:2]...), key, body(ref))
			}
			b.exec(t, fmt.Sprintf(`INSERT INTO bare_hit VALUES (%s, %s, %s, %s)`, marks...), shape, i, place, key)
		}
	}
}

// run asks questions of a shape for a time and returns how many a second.
func (b *bare) run(t testing.TB, shape, questions, workers int, d time.Duration) float64 {
	t.Helper()
	marks := []any{"?", "?"}
	if b.pg != nil {
		marks = []any{"$1", "$2"}
	}
	query := fmt.Sprintf(bareSelect, marks...)
	counts := make([]int, workers)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(i)))
			for time.Since(began) < d {
				if err := b.one(t.Context(), query, shape, rng.IntN(questions)); err != nil {
					t.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / time.Since(began).Seconds()
}

func (b *bare) one(ctx context.Context, query string, shape, question int) error {
	if b.pg != nil {
		rows, err := b.pg.Query(ctx, query, shape, question)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			_ = rows.RawValues()
		}
		return rows.Err()
	}
	rows, err := b.lite.QueryContext(ctx, query, shape, question)
	if err != nil {
		return err
	}
	defer rows.Close()
	var body sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&body); err != nil {
			return err
		}
	}
	return rows.Err()
}

// databasePID returns the process of a PostgreSQL on this machine, 0 where there is none.
func databasePID(t testing.TB, storeURL string) int {
	t.Helper()
	if storeURL == "" {
		return 0
	}
	var dir string
	if err := connect(t, storeURL).QueryRow(t.Context(), `SHOW data_directory`).Scan(&dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// another returns the URL of a further, empty database on the same PostgreSQL.
func another(t testing.TB, storeURL, name string) string {
	t.Helper()
	if _, err := connect(t, storeURL).Exec(t.Context(), `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
