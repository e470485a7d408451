package sqlite

import (
	"context"
	"errors"
	"runtime/debug"

	lib "modernc.org/sqlite/lib"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// defaultRows is the page of a listing that names no limit; maxRows bounds all.
const (
	defaultRows = 100
	maxRows     = 10_000
)

func rows(limit int) int {
	if limit <= 0 {
		return defaultRows
	}
	return min(limit, maxRows)
}

// reading lends a reading connection to fn.
func (s *Store) reading(ctx context.Context, fn func(v view) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.read.get(ctx)
	if err != nil {
		return classify(err)
	}
	defer s.read.put(c)
	return classify(s.guarded(c, func() error { return fn(view{s: s, c: c}) }))
}

// guarded runs fn on a connection that may map the database. Where the system cannot
// read a page for it – the disk fails, somebody cut the file – it says so by a fault of
// memory; that is an error of this question, and readers read from then on, so that
// the next one is an error of SQLite's.
func (s *Store) guarded(c *conn, fn func() error) (err error) {
	if !c.mapped {
		return fn()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if _, fault := p.(interface{ Addr() uintptr }); p != nil && !fault {
			panic(p)
		}
		if p != nil {
			c.broken, err = true, &sqliteError{lib.SQLITE_IOERR, "a page of the database cannot be read"}
			s.faulty.Store(true)
			s.read.drop()
		}
	}()
	return fn()
}

// Read returns the current version of a resource.
func (s *Store) Read(ctx context.Context, k store.Key) (v store.Version, err error) {
	err = s.reading(ctx, func(view view) error {
		v, err = view.read(k)
		return err
	})
	return v, err
}

const versionColumns = `v.number, v.change, v.updated, v.deleted, v.owner, v.patient, v.source, v.stamp_time, v.stamp_sequence, v.body, v.blob`

// currentColumns are the same of a resource r and its current version v.
const currentColumns = `v.number, v.change, v.updated, v.deleted, v.owner, v.patient, v.source, r.stamp_time, r.stamp_sequence, v.body, v.blob`

const readSQL = `SELECT ` + currentColumns + ` FROM resource r INDEXED BY resource_id CROSS JOIN version v ON v.change = r.change
WHERE r.type = ? AND r.id = ?`

func (v view) read(k store.Key) (store.Version, error) {
	return v.readOne(k, readSQL)
}

func notFound(k store.Key) error { return fault.Newf(fault.NotFound, "%s is not known", k) }

func (v view) readOne(k store.Key, sql string, args ...any) (store.Version, error) {
	typ, ok, err := v.nameID(k.Type)
	if err != nil {
		return store.Version{}, err
	}
	if !ok {
		return store.Version{}, notFound(k)
	}
	found := store.Version{Key: k}
	var owner int64
	var damaged error
	ok, err = v.c.one(sql, append([]any{typ, k.ID}, args...), func(row row) { owner, damaged = scanVersion(&found, row) })
	if err == nil {
		err = damaged
	}
	if err == nil && !ok {
		err = notFound(k)
	}
	if err != nil {
		return store.Version{}, err
	}
	found.Owner, err = v.nameText(owner)
	return found, err
}

// scanVersion reads versionColumns; the owner's name is left to the caller.
func scanVersion(v *store.Version, row row) (owner int64, err error) {
	v.Number, v.Change, v.Updated, v.Deleted = row.int(0), row.int(1), row.time(2), row.bool(3)
	v.Patient, v.Source = row.text(5), row.text(6)
	v.Stamp = store.Stamp{Time: row.int(7), Sequence: row.int(8)}
	v.Blob = decodeBlob(row.lent(10))
	v.Body, err = unpackBody(row.lent(9))
	return row.int(4), err
}

// ReadVersion returns one version of a resource.
func (s *Store) ReadVersion(ctx context.Context, k store.Key, number int64) (v store.Version, err error) {
	err = s.reading(ctx, func(view view) error {
		v, err = view.readOne(k, `SELECT `+versionColumns+` FROM resource r JOIN version v ON v.rid = r.rid
WHERE r.type = ? AND r.id = ? AND v.number = ?`, number)
		return err
	})
	return v, err
}

// History returns versions of a resource, newest first.
func (s *Store) History(ctx context.Context, k store.Key, before int64, limit int) (list []store.Version, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	err = s.reading(ctx, func(v view) error {
		typ, ok, err := v.nameID(k.Type)
		if err != nil {
			return err
		}
		var rid int64
		if ok {
			rid, err = v.c.integer("SELECT rid FROM resource WHERE type = ? AND id = ?", typ, k.ID)
		}
		if err == nil && rid == 0 {
			err = notFound(k)
		}
		if err != nil {
			return err
		}
		var owners []int64
		err = v.c.query(ctx, `SELECT `+versionColumns+` FROM version v WHERE v.rid = ? AND v.number < ?
ORDER BY v.number DESC`+limited(rows(limit)), []any{rid, before}, func(row row) error {
			found := store.Version{Key: k}
			owner, err := scanVersion(&found, row)
			owners, list = append(owners, owner), append(list, found)
			return errors.Join(err, ctx.Err())
		})
		for i := 0; err == nil && i < len(list); i++ {
			list[i].Owner, err = v.nameText(owners[i])
		}
		return err
	})
	return list, err
}

// Changes returns what changed after a place in the order of commits. One writer
// numbers changes and commits them in that order, so no open transaction can
// precede what is visible.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (list []store.Change, err error) {
	err = s.reading(ctx, func(v view) error {
		var types, owners []int64
		err := v.c.query(ctx, `SELECT v.change, r.type, r.id, v.number, v.deleted, v.owner, v.updated
FROM version v CROSS JOIN resource r ON r.rid = v.rid WHERE v.change > ? ORDER BY v.change`+limited(rows(limit)),
			[]any{after}, func(row row) error {
				list = append(list, store.Change{Change: row.int(0), Key: store.Key{ID: row.text(2)}, Number: row.int(3),
					Deleted: row.bool(4), Updated: row.time(6)})
				types, owners = append(types, row.int(1)), append(owners, row.int(5))
				return ctx.Err()
			})
		for i := 0; err == nil && i < len(list); i++ {
			if list[i].Type, err = v.nameText(types[i]); err == nil {
				list[i].Owner, err = v.nameText(owners[i])
			}
		}
		return err
	})
	return list, err
}
