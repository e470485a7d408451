package postgres

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strings"

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

const currentRowSQL = `SELECT r.rid, r.change, r.number, r.shard, r.deleted, r.keys, r.x_pid, r.x_text, r.x_rows, r.d_pid, r.d_group,
r.d_bounds, r.q_pid, r.q_bounds, r.q_rows, w.words, w.grams FROM resource r LEFT JOIN index_word w ON w.rid = r.rid `

// lookup queues the question for a resource's row.
func (t *tx) lookup(typ int32, k store.Key) {
	c := &current{}
	t.known[k] = c
	t.queue(currentRowSQL+"WHERE r.type = ? AND r.id = ?", typ, []byte(k.ID)).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			v := &values{}
			if err := rows.Scan(&c.rid, &c.change, &c.number, &c.shard, &c.deleted, &v.keys, &v.xPid, &v.xText, &v.xRows, &v.dPid, &v.dGroup,
				&v.dBounds, &v.qPid, &v.qBounds, &v.qRows, &v.words, &v.grams); err != nil {
				return err
			}
			v.derive()
			c.values = v
		}
		return rows.Err()
	})
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
	body := t.s.bodies.pack(typ, whose, v.Body)
	id, patient, source := []byte(p.ID), []byte(p.Patient), []byte(p.Source)
	if now.rid == 0 {
		now.shard = shardOf(p.Owner, p.Patient)
		t.queue(`WITH r AS (INSERT INTO resource (rid, change, updated, stamp_time, stamp_sequence, self, shard, type, number, owner, x_rows, q_rows,
deleted, id, patient, source, keys, x_pid, x_space, x_form, x_group, x_text, d_pid, d_group, d_bounds, q_pid, q_group, q_bounds, q_units)
VALUES ($1, $1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, false, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26))
INSERT INTO version (change, rid, updated, stamp_time, stamp_sequence, shard, number, owner, deleted, patient, source, blob, body)
VALUES ($1, $1, $2, $3, $4, $6, 1, $8, false, $12, $13, $27, $28)`,
			change, t.at, p.Stamp.Time, p.Stamp.Sequence, t.s.hash.text(p.ID), now.shard, typ, owner, fresh.xRows, fresh.qRows,
			id, patient, source, fresh.keys, fresh.xPid, fresh.xSpace, fresh.xForm, fresh.xGroup, fresh.xText, fresh.dPid, fresh.dGroup, fresh.dBounds,
			fresh.qPid, fresh.qGroup, fresh.qBounds, fresh.qUnits, blob, body)
		now.rid, now.change, now.fresh, now.values = change, change, true, &values{}
		t.s.statistics.add(1)
	} else {
		t.queue(`WITH r AS (UPDATE resource SET change = $2, updated = $4, stamp_time = $5, stamp_sequence = $6, number = $7, owner = $8, x_rows = $9,
q_rows = $10, deleted = $11, patient = $12, source = $13, keys = $14, x_pid = $15, x_space = $16, x_form = $17, x_group = $18, x_text = $19,
d_pid = $20, d_group = $21, d_bounds = $22, q_pid = $23, q_group = $24, q_bounds = $25, q_units = $26
WHERE rid = $1 AND change = $3 RETURNING 1), v AS (
INSERT INTO version (change, rid, updated, stamp_time, stamp_sequence, shard, number, owner, deleted, patient, source, blob, body)
VALUES ($2, $1, $4, $5, $6, $27, $7, $8, $11, $12, $13, $28, $29))
SELECT found_one((SELECT count(*) FROM r))`,
			now.rid, change, now.change, t.at, p.Stamp.Time, p.Stamp.Sequence, v.Number, owner, fresh.xRows, fresh.qRows, p.Deleted, patient, source,
			fresh.keys, fresh.xPid, fresh.xSpace, fresh.xForm, fresh.xGroup, fresh.xText, fresh.dPid, fresh.dGroup, fresh.dBounds,
			fresh.qPid, fresh.qGroup, fresh.qBounds, fresh.qUnits, now.shard, blob, body)
	}
	if t.first == 0 {
		t.first = change
	}
	if now.change != change {
		t.rows = append(t.rows, now.rid)
	}
	t.wrote[p.Key] = true
	t.writeIndex(now.rid, now.values, fresh)
	now.change, now.number, now.deleted, now.values = change, v.Number, p.Deleted, fresh
	return v, nil
}

// writeIndex replaces the rows of the index tables by which they differ.
func (t *tx) writeIndex(rid int64, old, fresh *values) {
	if gone := without(old.keys, fresh.keys, cmp.Compare[int64]); len(gone) > 0 {
		t.queue("DELETE FROM index_key WHERE key = ANY(?) AND rid = ?", gone, rid)
	}
	if more := without(fresh.keys, old.keys, cmp.Compare[int64]); len(more) > 0 {
		t.queue("INSERT INTO index_key (key, rid) SELECT k, ? FROM unnest(?::int8[]) k", rid, more)
	}
	t.writeStrings(rid, without(old.strings, fresh.strings, compareEntries), without(fresh.strings, old.strings, compareEntries))
	t.writeDates(rid, without(old.dates, fresh.dates, compareDates), without(fresh.dates, old.dates, compareDates))
	t.writeNumbers(rid, without(old.numbers, fresh.numbers, compareNumbers), without(fresh.numbers, old.numbers, compareNumbers))
	before, after := len(old.words)+len(old.grams) > 0, len(fresh.words)+len(fresh.grams) > 0
	changed := len(without(old.words, fresh.words, cmp.Compare[int64]))+len(without(fresh.words, old.words, cmp.Compare[int64]))+
		len(without(old.grams, fresh.grams, cmp.Compare[int32]))+len(without(fresh.grams, old.grams, cmp.Compare[int32])) > 0
	switch {
	case !changed:
	case before && !after:
		t.queue("DELETE FROM index_word WHERE rid = ?", rid)
	case before:
		t.queue("UPDATE index_word SET words = ?, grams = ? WHERE rid = ?", some(fresh.words), some(fresh.grams), rid)
	default:
		t.queue("INSERT INTO index_word (rid, words, grams) VALUES (?, ?, ?)", rid, some(fresh.words), some(fresh.grams))
	}
}

// some keeps an empty list out of an index.
func some[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), strings.Compare(a.text, b.text))
}

func compareDates(a, b date) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.class, b.class), cmp.Compare(a.low, b.low))
}

func compareNumbers(a, b number) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.value, b.value))
}

func (t *tx) writeStrings(rid int64, gone, more []entry) {
	columns := func(list []entry) (pids []int32, texts [][]byte) {
		for _, e := range list {
			pids, texts = append(pids, e.pid), append(texts, []byte(e.text))
		}
		return pids, texts
	}
	if len(gone) > 0 {
		pids, texts := columns(gone)
		t.queue("DELETE FROM index_string s USING unnest(?::int4[], ?::bytea[]) x(pid, text) WHERE s.pid = x.pid AND s.text = x.text AND s.rid = ?",
			pids, texts, rid)
	}
	if len(more) > 0 {
		pids, texts := columns(more)
		t.queue("INSERT INTO index_string (rid, pid, text) SELECT ?, p, x FROM unnest(?::int4[], ?::bytea[]) u(p, x)", rid, pids, texts)
	}
}

func (t *tx) writeDates(rid int64, gone, more []date) {
	columns := func(list []date) (pids, classes []int32, lows []int64) {
		for _, d := range list {
			pids, classes, lows = append(pids, d.pid), append(classes, d.class), append(lows, d.low)
		}
		return pids, classes, lows
	}
	if len(gone) > 0 {
		pids, classes, lows := columns(gone)
		t.queue(`DELETE FROM index_date s USING unnest(?::int4[], ?::int4[], ?::int8[]) x(pid, class, low)
WHERE s.pid = x.pid AND s.class = x.class AND s.low = x.low AND s.rid = ?`, pids, classes, lows, rid)
	}
	if len(more) > 0 {
		pids, classes, lows := columns(more)
		t.queue("INSERT INTO index_date (rid, pid, class, low) SELECT ?, p, c, l FROM unnest(?::int4[], ?::int4[], ?::int8[]) u(p, c, l)", rid, pids, classes, lows)
	}
}

func (t *tx) writeNumbers(rid int64, gone, more []number) {
	columns := func(list []number) (pids []int32, values []float64) {
		for _, n := range list {
			pids, values = append(pids, n.pid), append(values, n.value)
		}
		return pids, values
	}
	if len(gone) > 0 {
		pids, values := columns(gone)
		t.queue("DELETE FROM index_number s USING unnest(?::int4[], ?::float8[]) x(pid, value) WHERE s.pid = x.pid AND s.value = x.value AND s.rid = ?",
			pids, values, rid)
	}
	if len(more) > 0 {
		pids, values := columns(more)
		t.queue("INSERT INTO index_number (rid, pid, value) SELECT ?, p, v FROM unnest(?::int4[], ?::float8[]) u(p, v)", rid, pids, values)
	}
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
	t.queue(`WITH r AS (UPDATE resource SET x_rows = ?, q_rows = ?, keys = ?, x_pid = ?, x_space = ?, x_form = ?, x_group = ?, x_text = ?, d_pid = ?, d_group = ?,
d_bounds = ?, q_pid = ?, q_group = ?, q_bounds = ?, q_units = ? WHERE rid = ? AND change = ? RETURNING 1) SELECT found_one((SELECT count(*) FROM r))`,
		fresh.xRows, fresh.qRows, fresh.keys, fresh.xPid, fresh.xSpace, fresh.xForm, fresh.xGroup, fresh.xText, fresh.dPid, fresh.dGroup, fresh.dBounds,
		fresh.qPid, fresh.qGroup, fresh.qBounds, fresh.qUnits, now.rid, now.change)
	t.writeIndex(now.rid, now.values, fresh)
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
	t.queue("UPDATE resource SET stamp_time = $1, stamp_sequence = $2 WHERE rid = $3 AND (stamp_time, stamp_sequence) < ($1, $2)",
		s.Time, s.Sequence, now.rid)
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
	t.writeIndex(now.rid, now.values, &values{})
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
