package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"

	"github.com/yilian/yilian/gateway/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the version of a store's schema: when it was opened, and since.
type Schema struct{ Before, Now int64 }

// Schema tells what Open did to the schema. Before is 0 for a store it made.
func (s *Store) Schema() Schema { return s.schema }

// migrationLock is held while the schema is brought up to date; migrationTime bounds
// the waiting for it.
const (
	migrationLock = 6870641029387642158
	migrationTime = 10 * time.Minute
)

// apart is the last of the first migrations, none of which needs another. A new store
// has them at the same time, each in a transaction on a connection of its own, because
// every index that is made waits for the disk. Those after it run in order.
const apart = 5

// newest is the version that migrate goes to.
const newest = math.MaxInt64

// migrate brings the schema up to date. Processes that start together do it one after
// another, and all but the first find nothing to do. c is not used by anybody else.
func migrate(ctx context.Context, c *pgx.Conn, version int64) (schema Schema, err error) {
	all, err := schemas()
	if err != nil {
		return Schema{}, err
	}
	schema.Now = all[len(all)-1]
	if done, err := migrated(ctx, c); err != nil {
		return Schema{}, err
	} else if slices.Equal(done, all) {
		return Schema{schema.Now, schema.Now}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	for _, statement := range []string{"SET lock_timeout = 0", "SET statement_timeout = 0"} {
		if _, err := c.Exec(ctx, statement); err != nil {
			return Schema{}, err
		}
	}
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return Schema{}, err
	}
	defer func() {
		end := context.WithoutCancel(ctx)
		_, e := c.Exec(end, "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		for _, statement := range []string{"RESET lock_timeout", "RESET statement_timeout"} {
			if e == nil {
				_, e = c.Exec(end, statement)
			}
		}
		err = errors.Join(err, e)
	}()
	done, err := migrated(ctx, c)
	if err != nil {
		return Schema{}, err
	}
	if len(done) > 0 {
		schema.Before = done[len(done)-1]
	}
	if schema.Before > schema.Now {
		return Schema{}, fault.Newf(fault.Unavailable, "the store has schema %d, this program knows %d; a newer one wrote it", schema.Before, schema.Now)
	}
	pending := slices.DeleteFunc(all, func(v int64) bool { return v > version || slices.Contains(done, v) })
	return schema, apply(ctx, c.Config(), pending)
}

// migrated lists the migrations that a database has, in order.
func migrated(ctx context.Context, c *pgx.Conn) (list []int64, err error) {
	var there bool
	if err := c.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", versionTable).Scan(&there); err != nil || !there {
		return nil, err
	}
	err = c.QueryRow(ctx, "SELECT array_agg(version_id ORDER BY version_id) FROM "+versionTable+" WHERE is_applied AND version_id > 0").Scan(&list)
	return list, err
}

// schemas lists the migrations that this program has, in order.
func schemas() (list []int64, err error) {
	files, err := migrations.ReadDir("migrations")
	for _, f := range files {
		var n int64
		if _, err := fmt.Sscanf(f.Name(), "%d_", &n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, err
}

// apply runs migrations that have not been run.
func apply(ctx context.Context, config *pgx.ConnConfig, pending []int64) (err error) {
	for name, value := range map[string]string{
		"application_name": "yilian migrate", "synchronous_commit": "on", "lock_timeout": "0", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
	} {
		config.RuntimeParams[name] = value
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxIdleConns(apart)
	defer func() { err = errors.Join(err, db.Close()) }()
	one := func(ctx context.Context, version int64) error {
		p, err := goose.NewProvider(goose.DialectPostgres, db, files) // each waits for itself only
		if err != nil {
			return err
		}
		_, err = p.ApplyVersion(ctx, version, true)
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return err
	}
	if _, _, err := p.GetVersions(ctx); err != nil { // makes the table of versions
		return err
	}
	together, within := errgroup.WithContext(ctx)
	for len(pending) > 0 && pending[0] <= apart {
		version := pending[0]
		together.Go(func() error { return one(within, version) })
		pending = pending[1:]
	}
	if err := together.Wait(); err != nil {
		return err
	}
	for _, version := range pending {
		if err := one(ctx, version); err != nil {
			return err
		}
	}
	return nil
}
