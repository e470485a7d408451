package postgres

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	return s.entered(ctx, fn)
}

// entered is reading for who is counted already.
func (s *Store) entered(ctx context.Context, fn func(v view) error) error {
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
type found struct{ list []versionRow }

// versionRow is a version as its columns have it.
type versionRow struct {
	store.Version
	typ, owner int32
}

// scan reads columns of a version and whatever follows them.
func (f *found) scan(rows pgx.Rows, more ...any) error {
	var r versionRow
	if err := r.scan(rows, more...); err != nil {
		return err
	}
	f.list = append(f.list, r)
	return nil
}

func (r *versionRow) scan(rows pgx.Rows, more ...any) error {
	var id, patient, source, blob []byte
	var updated int64
	to := append([]any{&r.typ, &id, &r.Number, &r.Change, &updated, &r.Deleted, &r.owner, &patient, &source, &r.Stamp.Time, &r.Stamp.Sequence,
		&r.Body, &blob}, more...)
	if err := rows.Scan(to...); err != nil {
		return err
	}
	r.ID, r.Patient, r.Source, r.Updated, r.Blob = string(id), string(patient), string(source), microTime(updated), decodeBlob(blob)
	return nil
}

// finish completes the version.
func (r *versionRow) finish(ctx context.Context, s *Store) (v store.Version, err error) {
	v = r.Version
	if v.Type, err = s.names.text(ctx, r.typ); err != nil {
		return v, err
	}
	if v.Owner, err = s.names.text(ctx, r.owner); err != nil {
		return v, err
	}
	v.Body, err = s.bodies.unpack(ctx, r.typ, v.Body)
	return v, err
}

// finish completes the versions.
func (f *found) finish(ctx context.Context, s *Store) ([]store.Version, error) {
	if len(f.list) == 0 {
		return nil, nil
	}
	out := make([]store.Version, len(f.list))
	for i := range f.list {
		var err error
		if out[i], err = f.list[i].finish(ctx, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// versionsOf asks for versions.
func (v view) versionsOf(ctx context.Context, f fragment) ([]store.Version, error) {
	var list found
	if err := v.q.query(ctx, ask(f, func(rows pgx.Rows) error { return list.scan(rows) })); err != nil {
		return nil, err
	}
	return list.finish(ctx, v.s)
}

// wanted is a version of a resource; number 0 is the current one.
type wanted struct {
	typ    int32
	id     []byte
	number int64
}

// readsPerTrip is how many reads go together at most.
const readsPerTrip = 64

// startReads lets a trip be under way for every two processors: the other works on what the last one brought.
func (s *Store) startReads() {
	s.reads.ask, s.reads.most, s.reads.spawn = s.readAll, readsPerTrip, s.work.Go
	s.reads.trips = max(1, runtime.GOMAXPROCS(0)/2)
}

const (
	fromCurrent = ` JOIN resource r ON r.type = w.type AND r.id = w.id JOIN version v ON v.change = r.change`
	fromNumber  = ` JOIN resource r ON r.type = w.type AND r.id = w.id JOIN version v ON v.rid = r.rid AND v.number = w.number`
)

// readAll reads versions in one trip, nil where there is none.
func (s *Store) readAll(list []wanted) ([]*versionRow, error) {
	ctx, cancel := context.WithTimeout(s.done, s.opt.SearchTime+cancelDelay)
	defer cancel()
	var out []*versionRow
	err := s.entered(ctx, func(v view) error {
		out = make([]*versionRow, len(list))
		return v.q.query(ctx, readsOf(list, out)...)
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded): // not that of a caller
		err = fault.Wrap(fault.Busy, err, "the database took too long")
	case errors.Is(err, context.Canceled):
		err = errClosed
	}
	return out, err
}

// readsOf asks for current and for numbered versions in a statement each.
func readsOf(list []wanted, out []*versionRow) (questions []*question) {
	for _, current := range []bool{true, false} {
		var at, types, numbers []int32
		var ids [][]byte
		for i, w := range list {
			if (w.number == 0) == current {
				at, types, ids, numbers = append(at, int32(i)), append(types, w.typ), append(ids, w.id), append(numbers, int32(w.number))
			}
		}
		if len(at) == 0 {
			continue
		}
		columns, which := currentColumns, fromCurrent
		if !current {
			columns, which = versionColumns, fromNumber
		}
		f := fragment{"SELECT " + columns + ", w.at FROM ", nil}
		if len(at) == 1 { // an eighth quicker than arrays of one
			f.add("(VALUES (?::int4, ?::int4, ?::bytea, ?::int4))", at[0], types[0], ids[0], numbers[0])
		} else {
			f.add("unnest(?::int4[], ?::int4[], ?::bytea[], ?::int4[])", at, types, ids, numbers)
		}
		f.sql += " w(at, type, id, number)" + which
		questions = append(questions, ask(f, func(rows pgx.Rows) error {
			var r versionRow
			var at int32
			if err := r.scan(rows, &at); err != nil {
				return err
			}
			out[at] = &r
			return nil
		}))
	}
	return questions
}

// Read returns the current version of a resource.
func (s *Store) Read(ctx context.Context, k store.Key) (store.Version, error) {
	return s.readOne(ctx, k, 0)
}

// ReadVersion returns one version of a resource.
func (s *Store) ReadVersion(ctx context.Context, k store.Key, number int64) (store.Version, error) {
	if number < 1 || number > maxNumber {
		return store.Version{}, notFound(k)
	}
	return s.readOne(ctx, k, number)
}

// readOne reads a version together with what others read at the time.
func (s *Store) readOne(ctx context.Context, k store.Key, number int64) (v store.Version, err error) {
	leave, err := s.enter()
	if err != nil {
		return v, err
	}
	defer leave()
	typ, ok, err := s.names.id(ctx, k.Type)
	if err != nil {
		return v, classify(err)
	}
	if !ok {
		return v, notFound(k)
	}
	r, err := s.reads.look(ctx, wanted{typ, []byte(k.ID), number})
	if err != nil {
		return v, err
	}
	if r == nil {
		return v, notFound(k)
	}
	v, err = r.finish(ctx, s)
	return v, classify(err)
}

// read returns the current version as the view sees it.
func (v view) read(ctx context.Context, k store.Key) (store.Version, error) {
	typ, ok, err := v.s.names.id(ctx, k.Type)
	if err != nil {
		return store.Version{}, err
	}
	if !ok {
		return store.Version{}, notFound(k)
	}
	list, err := v.versionsOf(ctx, fragment{"SELECT " + currentColumns + " FROM resource r JOIN version v ON v.change = r.change WHERE r.type = ? AND r.id = ?",
		[]any{typ, []byte(k.ID)}})
	if err == nil && len(list) == 0 {
		err = notFound(k)
	}
	if err != nil {
		return store.Version{}, err
	}
	return list[0], nil
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
