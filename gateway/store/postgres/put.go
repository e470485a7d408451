package postgres

import (
	"context"
	"hash/fnv"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// maxID bounds ids, which stand in indexes.
const maxID = 512

// current is what a transaction knows of the version that it replaces.
type current struct {
	rid, change int64
	number      int64
	shard       int32
	deleted     bool
	fresh       bool // made by this transaction
	values      *values
}

const currentRowColumns = `r.rid, r.change, r.number, r.shard, r.type, r.deleted, r.at, r.keys, r.x_pid, r.x_text, r.x_strings, r.x_rows,
r.d_pid, r.d_group, r.d_bounds, r.q_pid, r.q_bounds, r.q_canonical, r.q_rows, w.words, w.grams`

const currentRowSQL = "SELECT " + currentRowColumns + " FROM resource r LEFT JOIN index_word w ON w.rid = r.rid WHERE r.type = $1 AND r.id = $2"

// scan reads the columns of a current row, behind others.
func (c *current) scan(rows pgx.Rows, before ...any) error {
	v := &values{}
	var typ int32
	if err := rows.Scan(append(before, &c.rid, &c.change, &c.number, &c.shard, &typ, &c.deleted, &v.at, &v.marks, &v.xPid, &v.xText,
		&v.xStrings, &v.xRows, &v.dPid, &v.dGroup, &v.dBounds, &v.qPid, &v.qBounds, &v.qCanonical, &v.qRows, &v.words, &v.grams)...); err != nil {
		return err
	}
	v.derive(typ)
	c.values = v
	return nil
}

// lookup queues the question for a resource's row.
func (t *tx) lookup(typ int32, k store.Key) {
	c := &current{}
	t.known[k] = c
	each(t.queue(currentRowSQL, typ, []byte(k.ID)), func(rows pgx.Rows) error { return c.scan(rows) }, nil)
}

// isFresh reports whether the transaction made the resource.
func (t *tx) isFresh(k store.Key) bool {
	c := t.known[k]
	return c != nil && c.fresh
}

// current returns what is there of a resource.
func (t *tx) current(ctx context.Context, k store.Key) (*current, error) {
	if c := t.known[k]; c != nil {
		return c, nil
	}
	typ, ok, err := t.s.names.id(context.WithoutCancel(ctx), k.Type)
	if err != nil || !ok {
		return &current{}, err
	}
	t.lookup(typ, k)
	if err := t.trip(ctx); err != nil {
		delete(t.known, k)
		return &current{}, err
	}
	return t.known[k], nil
}

// Put writes a version and makes it the current one, with its index values. That of a
// new resource is not looked for: if another is there, the transaction fails.
func (t *tx) Put(ctx context.Context, p *store.Put) (store.Version, error) {
	if err := t.ready(ctx); err != nil {
		return store.Version{}, err
	}
	if p.Type == "" || p.ID == "" || p.Owner == "" || !p.Deleted && p.Render == nil {
		return store.Version{}, fault.New(fault.Invalid, "a version needs a type, an id, an owner and a body")
	}
	if len(p.ID) > maxID || len(p.Patient) > maxID {
		return store.Version{}, fault.Newf(fault.Invalid, "an id has at most %d bytes", maxID)
	}
	values := &p.Values
	if p.Deleted {
		values = &search.Values{}
	}
	background := context.WithoutCancel(ctx)
	if err := t.s.names.intern(background, []string{p.Type, p.Owner}); err != nil {
		return store.Version{}, t.breaks(err)
	}
	fresh, err := t.s.valuesOf(background, p.Type, values)
	if err != nil {
		return store.Version{}, t.breaks(err)
	}
	blob, err := t.blob(ctx, p.Blob)
	if err != nil {
		return store.Version{}, err
	}
	now, err := t.replaces(ctx, p)
	if err != nil {
		return store.Version{}, err
	}
	if now.number != p.Expect {
		return store.Version{}, fault.Newf(fault.Conflict, "%s is at version %d, not %d", p.Key, now.number, p.Expect)
	}
	if now.number == 0 && p.Deleted {
		return store.Version{}, fault.Newf(fault.Invalid, "%s is not there to be deleted", p.Key)
	}
	if t.changes == maxChanges {
		return store.Version{}, t.breaks(fault.Newf(fault.TooCostly, "a transaction writes at most %d versions", maxChanges))
	}
	v, err := t.put(background, p, now, fresh, blob)
	return v, t.breaks(err)
}

// replaces makes sure that the transaction has a time, and knows the row of a resource
// that is to be there.
func (t *tx) replaces(ctx context.Context, p *store.Put) (*current, error) {
	now := t.known[p.Key]
	if now == nil && p.Expect == 0 && !slices.ContainsFunc(t.hot, func(r row) bool { return r.key == p.Key }) {
		now = &current{}
		t.known[p.Key] = now
	}
	if now != nil && t.at != 0 {
		return now, nil
	}
	if t.at == 0 {
		t.stamp()
	}
	if now == nil {
		typ, _, err := t.s.names.id(context.WithoutCancel(ctx), p.Type)
		if err != nil {
			return nil, t.breaks(err)
		}
		t.lookup(typ, p.Key)
	}
	if err := t.trip(ctx); err != nil {
		return nil, err
	}
	return t.known[p.Key], nil
}

func (t *tx) put(ctx context.Context, p *store.Put, now *current, fresh *values, blob []byte) (store.Version, error) {
	change := changeAt(t.at) + t.changes
	if change <= now.change {
		return store.Version{}, errOrder
	}
	t.changes++
	v := store.Version{Key: p.Key, Number: now.number + 1, Change: change, Updated: microTime(t.at), Deleted: p.Deleted, Owner: p.Owner,
		Patient: p.Patient, Source: p.Source, Stamp: p.Stamp, Blob: p.Blob}
	if !p.Deleted {
		v.Body = p.Render(v.Number, v.Updated)
	}
	typ, _ := t.s.names.cached(p.Type)
	owner, _ := t.s.names.cached(p.Owner)
	if typ == 0 || owner == 0 { // the cache was emptied in between
		var err error
		if typ, _, err = t.s.names.id(ctx, p.Type); err != nil {
			return v, err
		}
		if owner, _, err = t.s.names.id(ctx, p.Owner); err != nil {
			return v, err
		}
	}
	whose := p.Patient
	if whose == "" {
		whose = p.ID
	}
	row := resourceWrite{kind: replacing, was: now.change, change: change, at: t.at, number: v.Number, stamp: p.Stamp, typ: typ, owner: owner,
		deleted: p.Deleted, id: p.ID, patient: p.Patient, source: p.Source, before: now.values, after: fresh}
	if now.rid == 0 {
		row.self, row.before = t.s.hash.self(p.ID), &values{}
		now.rid, now.fresh, now.shard = change, true, shardOf(p.Owner, p.Patient)
		t.s.statistics.add(1)
	}
	row.rid, row.shard = now.rid, now.shard
	t.w.rows = append(t.w.rows, row)
	t.w.versions = append(t.w.versions, versionWrite{change: change, rid: now.rid, at: t.at, number: v.Number, stamp: p.Stamp, shard: now.shard,
		owner: owner, deleted: p.Deleted, patient: p.Patient, source: p.Source, blob: blob, body: t.s.bodies.pack(typ, whose, v.Body)})
	if t.first == 0 {
		t.first = change
	}
	t.wrote[p.Key] = true
	now.change, now.number, now.deleted, now.values = change, v.Number, p.Deleted, fresh
	return v, nil
}

// Reindex replaces the index values of a current version.
func (t *tx) Reindex(ctx context.Context, k store.Key, number int64, v search.Values) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now, err := t.current(ctx, k)
	if err != nil {
		return err
	}
	if now.rid == 0 {
		return notFound(k)
	}
	if now.number != number {
		return fault.Newf(fault.Conflict, "%s is at version %d, not %d", k, now.number, number)
	}
	if now.deleted {
		v = search.Values{}
	}
	fresh, err := t.s.valuesOf(context.WithoutCancel(ctx), k.Type, &v)
	if err != nil {
		return t.breaks(err)
	}
	t.w.rows = append(t.w.rows, resourceWrite{kind: reindexing, rid: now.rid, was: now.change, before: now.values, after: fresh})
	now.values = fresh
	return nil
}

// Advance gives the current version a newer stamp.
func (t *tx) Advance(ctx context.Context, k store.Key, s store.Stamp) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now, err := t.current(ctx, k)
	if err != nil {
		return err
	}
	if now.rid == 0 {
		return notFound(k)
	}
	t.wrote[k] = true
	t.w.rows = append(t.w.rows, resourceWrite{kind: advancing, rid: now.rid, was: now.change, stamp: s})
	return nil
}

// Expunge removes a resource with all its versions.
func (t *tx) Expunge(ctx context.Context, k store.Key) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now, err := t.current(ctx, k)
	if err != nil {
		return err
	}
	if now.rid == 0 {
		return notFound(k)
	}
	t.flush()
	t.w.rows = append(t.w.rows, resourceWrite{kind: expunging, rid: now.rid, was: now.change, before: now.values, after: &values{}})
	t.flush()
	t.queue("DELETE FROM version WHERE rid = ?", now.rid)
	t.queue("DELETE FROM resource WHERE rid = ?", now.rid)
	t.queue("DELETE FROM pending WHERE from_type = ? AND from_id = ?", []byte(k.Type), []byte(k.ID))
	t.queue(eraseSQL)
	delete(t.known, k)
	return t.trip(ctx)
}

// shardOf decides where rows would live if the store were split: with their
// patient, or with their owner.
func shardOf(owner, patient string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(owner))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(patient))
	return int32(h.Sum32())
}
