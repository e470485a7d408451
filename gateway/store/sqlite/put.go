package sqlite

import (
	"context"
	"hash/fnv"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Put writes a version and makes it the current one, with its index values.
func (t *tx) Put(ctx context.Context, p *store.Put) (store.Version, error) {
	if err := t.ready(ctx); err != nil {
		return store.Version{}, err
	}
	if p.Type == "" || p.ID == "" || p.Owner == "" || !p.Deleted && p.Render == nil {
		return store.Version{}, fault.New(fault.Invalid, "a version needs a type, an id, an owner and a body")
	}
	now, err := t.current(p.Key)
	if err != nil {
		return store.Version{}, err
	}
	if now.number != p.Expect {
		return store.Version{}, fault.Newf(fault.Conflict, "%s is at version %d, not %d", p.Key, now.number, p.Expect)
	}
	if now.number == 0 && p.Deleted {
		return store.Version{}, fault.Newf(fault.Invalid, "%s is not there to be deleted", p.Key)
	}
	blob, err := t.blob(p.Blob)
	if err != nil {
		return store.Version{}, err
	}
	v, err := t.put(p, now, blob)
	return v, t.breaks(err)
}

// current is what Put needs of the version that it replaces.
type current struct {
	rid, number, shard int64
	held               held
}

func (t *tx) current(k store.Key) (c current, err error) {
	typ, ok, err := t.view().nameID(k.Type)
	if !ok || err != nil {
		return c, err
	}
	_, err = t.c.one("SELECT rid, number, shard, held FROM resource WHERE type = ? AND id = ?", []any{typ, k.ID},
		func(row row) { c = current{row.int(0), row.int(1), row.int(2), row.bytes(3)} })
	return c, err
}

func (t *tx) put(p *store.Put, now current, blob []byte) (store.Version, error) {
	t.w.change++
	t.w.updated = max(t.w.updated, t.s.opt.Now().UnixMicro()) // never runs back, whatever the clock does
	v := store.Version{Key: p.Key, Number: now.number + 1, Change: t.w.change, Updated: microTime(t.w.updated),
		Deleted: p.Deleted, Owner: p.Owner, Patient: p.Patient, Source: p.Source, Stamp: p.Stamp, Blob: p.Blob}
	values := p.Values
	if p.Deleted {
		values = search.Values{}
	} else {
		v.Body = p.Render(v.Number, v.Updated)
	}
	owner, err := t.intern(p.Owner)
	if err != nil {
		return v, err
	}
	rid, shard := now.rid, now.shard
	if rid == 0 {
		rid, shard = v.Change, shardOf(p.Owner, p.Patient)
	}
	index, err := t.valuesOf(p.Type, &values)
	if err != nil {
		return v, err
	}
	body, err := packBody(v.Body)
	if err != nil {
		return v, err
	}
	if now.rid == 0 {
		typ, err := t.intern(p.Type)
		if err != nil {
			return v, err
		}
		_, err = t.c.exec(`INSERT INTO resource
(rid, shard, type, id, number, change, updated, deleted, owner, patient, source, stamp_time, stamp_sequence, held)
VALUES (?, ?, ?, ?, 1, ?, ?, 0, ?, ?, ?, ?, ?, ?)`,
			rid, shard, typ, p.ID, v.Change, t.w.updated, owner, p.Patient, p.Source, p.Stamp.Time, p.Stamp.Sequence, []byte(index.held))
		if err != nil {
			return v, err
		}
	} else {
		_, err := t.c.exec(`UPDATE resource
SET number = ?, change = ?, updated = ?, deleted = ?, owner = ?, patient = ?, source = ?,
stamp_time = ?, stamp_sequence = ?, held = ? WHERE rid = ?`,
			v.Number, v.Change, t.w.updated, p.Deleted, owner, p.Patient, p.Source, p.Stamp.Time, p.Stamp.Sequence, []byte(index.held), rid)
		if err != nil {
			return v, err
		}
	}
	_, err = t.c.exec(`INSERT INTO version
(change, rid, shard, number, updated, deleted, owner, patient, source, stamp_time, stamp_sequence, blob, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Change, rid, shard, v.Number, t.w.updated, p.Deleted, owner, p.Patient, p.Source, p.Stamp.Time, p.Stamp.Sequence, blob, body)
	if err != nil {
		return v, err
	}
	return v, t.writeIndex(rid, index, now.held)
}

// Reindex replaces the index values of a current version.
func (t *tx) Reindex(ctx context.Context, k store.Key, number int64, values search.Values) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now, err := t.current(k)
	if err != nil {
		return err
	}
	if now.rid == 0 {
		return notFound(k)
	}
	if now.number != number {
		return fault.Newf(fault.Conflict, "%s is at version %d, not %d", k, now.number, number)
	}
	index, err := t.valuesOf(k.Type, &values)
	if err != nil {
		return t.breaks(err)
	}
	if _, err := t.c.exec("UPDATE resource SET held = ? WHERE rid = ?", []byte(index.held), now.rid); err != nil {
		return t.breaks(err)
	}
	return t.breaks(t.writeIndex(now.rid, index, now.held))
}

// Advance gives the current version a newer stamp.
func (t *tx) Advance(ctx context.Context, k store.Key, s store.Stamp) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	now, err := t.current(k)
	if err != nil {
		return err
	}
	if now.rid == 0 {
		return notFound(k)
	}
	_, err = t.c.exec(`UPDATE resource SET stamp_time = ?1, stamp_sequence = ?2
WHERE rid = ?3 AND (stamp_time, stamp_sequence) < (?1, ?2)`, s.Time, s.Sequence, now.rid)
	return t.breaks(err)
}

// shardOf decides where rows would live if the store were split: with their
// patient, or with their owner.
func shardOf(owner, patient string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(owner))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(patient))
	return int64(h.Sum32())
}
