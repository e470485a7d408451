package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/backup"
)

// sequences is the section that follows the tables.
const sequences = "sequences"

// versionTable is where migrations are noted.
const versionTable = "goose_db_version"

// seeded are the tables that migrations put rows into.
var seeded = []string{"statistics"}

// alone connects for work that takes as long as it takes.
func alone(ctx context.Context, url, name string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errURL // the driver's words may hold the password
	}
	config.ConnectTimeout = 5 * time.Second
	for key, value := range map[string]string{
		"application_name": name, "timezone": "UTC", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
		"synchronous_commit": "on",
	} {
		config.RuntimeParams[key] = value
	}
	c, err := pgx.ConnectConfig(ctx, config)
	return c, connecting(err)
}

func hangUp(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), cancelDelay)
	defer cancel()
	_ = c.Close(ctx)
}

// Backup writes what is committed in a database when it begins, as one snapshot. Other
// processes may go on writing. Faults: fault.NotFound when the database holds no store.
func Backup(ctx context.Context, url string, w *backup.Writer, m backup.Manifest) (backup.Manifest, error) {
	c, err := alone(ctx, url, "yilian backup")
	if err != nil {
		return m, classify(err)
	}
	defer hangUp(c)
	m, err = dump(ctx, c, w, m)
	return m, classify(err)
}

func dump(ctx context.Context, c *pgx.Conn, w *backup.Writer, m backup.Manifest) (backup.Manifest, error) {
	if _, err := c.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return m, err
	}
	var err error
	m.Store = backup.Postgres
	if m.Schema, err = schemaOf(ctx, c); err != nil { // the snapshot is as of this statement
		return m, err
	}
	if m.Schema == 0 {
		return m, fault.New(fault.NotFound, "the database holds no store")
	}
	if m.Tables, err = tables(ctx, c); err != nil {
		return m, err
	}
	if err := w.Manifest(m); err != nil {
		return m, err
	}
	for _, t := range m.Tables {
		err := w.Section(t.Name, func(out io.Writer) error {
			_, err := c.PgConn().CopyTo(ctx, out, "COPY "+columned(t)+" TO STDOUT (FORMAT binary)")
			return err
		})
		if err != nil {
			return m, fmt.Errorf("copy the table %s: %w", t.Name, err)
		}
	}
	// Sequences stand outside of snapshots. Read last, they are not behind any row.
	at, err := positions(ctx, c)
	if err != nil {
		return m, err
	}
	return m, w.Section(sequences, func(out io.Writer) error { return json.NewEncoder(out).Encode(at) })
}

// schemaOf returns the version of the schema, 0 where there is none.
func schemaOf(ctx context.Context, c *pgx.Conn) (version int64, err error) {
	list, err := migrated(ctx, c)
	if len(list) > 0 {
		version = list[len(list)-1]
	}
	return version, err
}

// tables lists the tables of the store with their columns.
func tables(ctx context.Context, c *pgx.Conn) (list []backup.Table, err error) {
	rows, err := c.Query(ctx, `SELECT t.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname <> $1 GROUP BY t.relname ORDER BY t.relname`, versionTable)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t backup.Table, err error) {
		err = row.Scan(&t.Name, &t.Columns)
		return t, err
	})
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// columned is a table with its columns, as COPY names them.
func columned(t backup.Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = quoted(c)
	}
	return quoted(t.Name) + " (" + strings.Join(columns, ", ") + ")"
}

// positions returns the last values of the sequences that gave any.
func positions(ctx context.Context, c *pgx.Conn) (map[string]int64, error) {
	at := map[string]int64{}
	rows, err := c.Query(ctx, "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = current_schema() AND sequencename <> $1 AND last_value IS NOT NULL",
		versionTable+"_id_seq")
	if err != nil {
		return nil, err
	}
	var name string
	var last int64
	_, err = pgx.ForEachRow(rows, []any{&name, &last}, func() error {
		at[name] = last
		return nil
	})
	return at, err
}

// Restore makes the store in a database from a backup of this kind. It is there whole
// or not at all; the schema may stay, without rows. Faults: fault.Conflict when the
// database holds a store already, fault.Invalid for a backup that this program cannot
// read.
func Restore(ctx context.Context, url string, r *backup.Reader) error {
	m := r.Manifest()
	all, err := schemas()
	if err != nil {
		return err
	}
	if newest := all[len(all)-1]; m.Schema > newest {
		return fault.Newf(fault.Invalid, "the backup has schema %d, this program knows %d; a newer one wrote it", m.Schema, newest)
	}
	c, err := alone(ctx, url, "yilian restore")
	if err != nil {
		return classify(err)
	}
	defer hangUp(c)
	if err := load(ctx, c, r); err != nil {
		return classify(err)
	}
	if _, err := migrate(ctx, c, newest); err != nil { // an older backup
		return classify(fmt.Errorf("bringing the schema up to date: %w", err))
	}
	_, err = c.Exec(ctx, "ANALYZE")
	return classify(err)
}

func load(ctx context.Context, c *pgx.Conn, r *backup.Reader) (err error) {
	m := r.Manifest()
	before, err := schemaOf(ctx, c)
	if err == nil && before > 0 {
		err = empty(ctx, c) // before anything is made
	}
	if err != nil {
		return err
	}
	if _, err := migrate(ctx, c, m.Schema); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	if now, err := schemaOf(ctx, c); err != nil || now != m.Schema {
		return errors.Join(fault.Newf(fault.Conflict, "the database has schema %d already, the backup %d; restore into a new database", now, m.Schema), err)
	}
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if err := fill(ctx, c, r); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// empty refuses a database in which any table has rows but those of the schema itself.
func empty(ctx context.Context, c *pgx.Conn) error {
	list, err := tables(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range list {
		if slices.Contains(seeded, t.Name) {
			continue
		}
		var held bool
		if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+quoted(t.Name)+")").Scan(&held); err != nil {
			return err
		}
		if held {
			return fault.New(fault.Conflict, "the database holds a store already; restore into a new one")
		}
	}
	return nil
}

func fill(ctx context.Context, c *pgx.Conn, r *backup.Reader) error {
	list, err := tables(ctx, c)
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = quoted(t.Name)
	}
	all := strings.Join(names, ", ")
	if _, err := c.Exec(ctx, "LOCK TABLE "+all+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	if err := empty(ctx, c); err != nil { // nobody can write any more
		return err
	}
	if _, err := c.Exec(ctx, "TRUNCATE "+all); err != nil {
		return err
	}
	for _, t := range r.Manifest().Tables {
		name, content, err := r.Next()
		if err != nil {
			return err
		}
		if name != t.Name || !slices.ContainsFunc(list, func(o backup.Table) bool { return o.Name == t.Name }) {
			return errSections
		}
		if _, err := c.PgConn().CopyFrom(ctx, content, "COPY "+columned(t)+" FROM STDIN (FORMAT binary)"); err != nil {
			return fmt.Errorf("fill the table %s: %w", t.Name, err)
		}
	}
	name, content, err := r.Next()
	if err != nil {
		return err
	}
	at := map[string]int64{}
	if name != sequences || json.NewDecoder(io.LimitReader(content, 1<<20)).Decode(&at) != nil {
		return errSections
	}
	for name, last := range at {
		if _, err := c.Exec(ctx, "SELECT setval($1::regclass, $2)", quoted(name), last); err != nil {
			return fmt.Errorf("set the sequence %s: %w", name, err)
		}
	}
	_, err = c.Exec(ctx, "DELETE FROM secret WHERE name = $1", []byte(store.SecretLineage))
	return err
}

var errSections = fault.New(fault.Invalid, "the backup does not hold what one of this kind holds")
