package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

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

// migrate brings the schema up to date. Processes that start together do it one after
// another, and all but the first find nothing to do.
func migrate(ctx context.Context, url string, o *Options) (Schema, error) {
	return migrateTo(ctx, url, o, newest)
}

// newest is the version that migrate goes to.
const newest = math.MaxInt64

func migrateTo(ctx context.Context, url string, o *Options, version int64) (schema Schema, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return Schema{}, errURL
	}
	config.ConnectTimeout = min(o.AwayTime, 5*time.Second)
	config.RuntimeParams["application_name"] = "yilian migrate"
	config.RuntimeParams["synchronous_commit"] = "on"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	lock, err := db.Conn(ctx)
	if err != nil {
		return Schema{}, err
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return Schema{}, err
	}
	defer func() {
		_, e := lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		err = errors.Join(err, e)
	}()
	return up(ctx, db, version)
}

func up(ctx context.Context, db *sql.DB, version int64) (schema Schema, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return Schema{}, err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return Schema{}, err
	}
	if schema.Before, schema.Now, err = p.GetVersions(ctx); err != nil {
		return Schema{}, err
	}
	if schema.Before > schema.Now {
		return Schema{}, fault.Newf(fault.Unavailable, "the store has schema %d, this program knows %d; a newer one wrote it", schema.Before, schema.Now)
	}
	_, err = p.UpTo(ctx, version)
	return schema, err
}
