package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

func microTime(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// view is what one connection sees of the database.
type view struct {
	s *Store
	q querier
}

// reading lends a reading connection to fn, and another one if the first turns out to
// be gone. fn starts anew then.
func (s *Store) reading(ctx context.Context, fn func(v view) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	for try := 0; ; try++ {
		err := lend(ctx, s.read, func(c *pgxpool.Conn) error { return fn(view{s: s, q: reader{c}}) })
		switch {
		case ctx.Err() != nil && err != nil:
			return ctx.Err()
		case !lost(err) || try == 2:
			return classify(err)
		}
		s.read.Reset()
		time.Sleep(20 * time.Millisecond)
	}
}

// Columns of a version, and the same of a resource r and its current version v.
const (
	versionColumns = `r.type, r.id, v.number, v.change, v.updated, v.deleted, v.owner, v.patient, v.source, v.stamp_time, v.stamp_sequence, v.body, v.blob`
	currentColumns = `r.type, r.id, v.number, v.change, v.updated, v.deleted, v.owner, v.patient, v.source, r.stamp_time, r.stamp_sequence, v.body, v.blob`
)

// found collects versions as rows bring them. What takes names or dictionaries, which
// may have to be fetched, is done when the rows are in.
type found struct {
	list  []store.Version
	types []int32
	names []int32 // of owners
}

// scan reads columns of a version and whatever follows them.
func (f *found) scan(rows pgx.Rows, more ...any) error {
	var v store.Version
	var typ, owner int32
	var id, patient, source, blob []byte
	var updated int64
	to := append([]any{&typ, &id, &v.Number, &v.Change, &updated, &v.Deleted, &owner, &patient, &source, &v.Stamp.Time, &v.Stamp.Sequence,
		&v.Body, &blob}, more...)
	if err := rows.Scan(to...); err != nil {
		return err
	}
	v.ID, v.Patient, v.Source, v.Updated, v.Blob = string(id), string(patient), string(source), microTime(updated), decodeBlob(blob)
	f.list, f.types, f.names = append(f.list, v), append(f.types, typ), append(f.names, owner)
	return nil
}

// finish completes the versions.
func (f *found) finish(ctx context.Context, s *Store) ([]store.Version, error) {
	for i := range f.list {
		var err error
		v := &f.list[i]
		if v.Type, err = s.names.text(ctx, f.types[i]); err != nil {
			return nil, err
		}
		if v.Owner, err = s.names.text(ctx, f.names[i]); err != nil {
			return nil, err
		}
		if v.Body, err = s.bodies.unpack(ctx, f.types[i], v.Body); err != nil {
			return nil, err
		}
	}
	return f.list, nil
}

// versionsOf asks for versions.
func (v view) versionsOf(ctx context.Context, f fragment) ([]store.Version, error) {
	var list found
	if err := v.q.query(ctx, ask(f, func(rows pgx.Rows) error { return list.scan(rows) })); err != nil {
		return nil, err
	}
	return list.finish(ctx, v.s)
}

// Read returns the current version of a resource.
func (s *Store) Read(ctx context.Context, k store.Key) (v store.Version, err error) {
	err = s.reading(ctx, func(view view) error {
		v, err = view.read(ctx, k)
		return err
	})
	return v, err
}

func (v view) read(ctx context.Context, k store.Key) (store.Version, error) {
	return v.readOne(ctx, k, "SELECT "+currentColumns+" FROM resource r JOIN version v ON v.change = r.change WHERE r.type = ? AND r.id = ?")
}

func (v view) readOne(ctx context.Context, k store.Key, sql string, args ...any) (store.Version, error) {
	typ, ok, err := v.s.names.id(ctx, k.Type)
	if err != nil {
		return store.Version{}, err
	}
	if !ok {
		return store.Version{}, notFound(k)
	}
	list, err := v.versionsOf(ctx, fragment{sql, append([]any{typ, []byte(k.ID)}, args...)})
	if err == nil && len(list) == 0 {
		err = notFound(k)
	}
	if err != nil {
		return store.Version{}, err
	}
	return list[0], nil
}

// ReadVersion returns one version of a resource.
func (s *Store) ReadVersion(ctx context.Context, k store.Key, number int64) (v store.Version, err error) {
	if number < 1 || number > maxNumber {
		return store.Version{}, notFound(k)
	}
	err = s.reading(ctx, func(view view) error {
		v, err = view.readOne(ctx, k, "SELECT "+versionColumns+` FROM resource r JOIN version v ON v.rid = r.rid
WHERE r.type = ? AND r.id = ? AND v.number = ?`, number)
		return err
	})
	return v, err
}

// maxNumber is the last number of a version that a row can hold.
const maxNumber = 1<<31 - 1

// History returns versions of a resource, newest first.
func (s *Store) History(ctx context.Context, k store.Key, before int64, limit int) (list []store.Version, err error) {
	if before <= 0 || before > maxNumber {
		before = maxNumber
	}
	err = s.reading(ctx, func(v view) error {
		typ, ok, err := v.s.names.id(ctx, k.Type)
		if err != nil {
			return err
		}
		var rid int64
		if ok {
			ok, err = one(ctx, v.q, fragment{"SELECT rid FROM resource WHERE type = ? AND id = ?", []any{typ, []byte(k.ID)}}, &rid)
		}
		if err == nil && !ok {
			err = notFound(k)
		}
		if err != nil {
			return err
		}
		list, err = v.versionsOf(ctx, fragment{"SELECT " + versionColumns + ` FROM resource r JOIN version v ON v.rid = r.rid
WHERE r.rid = ? AND v.number < ? ORDER BY v.number DESC` + limited(rows(limit)), []any{rid, before}})
		return err
	})
	return list, err
}
