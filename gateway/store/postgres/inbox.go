package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// States as they are stored; 0 is none of them.
var states = []store.RecordState{"", store.Received, store.Committed, store.Unchanged, store.Superseded, store.Quarantined,
	store.Split, store.Erased}

func stateCode(s store.RecordState) int32 { return int32(max(slices.Index(states, s), 0)) }

var (
	codeReceived = stateCode(store.Received)
	codeSplit    = stateCode(store.Split)
	codeErased   = stateCode(store.Erased)
)

// placeBits leaves room in line for the records of a delivery behind its own place.
const placeBits = 24

// maxLanes bounds the lanes of a record.
const maxLanes = 64

var (
	errNoRecord   = fault.New(fault.NotFound, "no record has this id")
	errNoDelivery = fault.New(fault.NotFound, "no delivery has this id")
)

// Accept makes entries durable and answers each, see store.Inbox.
func (s *Store) Accept(ctx context.Context, entries []store.Entry) ([]store.Receipt, error) {
	var receipts []store.Receipt
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		var err error
		receipts, err = t.accept(ctx, entries, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return receipts, nil
}

// delivery is what records cut from one take from it.
type delivery struct {
	id, institution, source string
	place                   int64
	expanded                int64
}

// arrival is an entry on its way into the inbox.
type arrival struct {
	record      store.Record
	institution int32
	digest, own []byte // own is the sum of the record's own bytes where duplicates are looked for
	control     []byte // what duplicates and others of the same control id are found by
	lanes       [][]byte
	first       int64 // sequence of the record that it repeats
	used        bool
}

// accept stores entries; parent is the delivery they were cut from, or nil.
func (t *tx) accept(ctx context.Context, entries []store.Entry, parent *delivery) ([]store.Receipt, error) {
	if err := t.ready(ctx); err != nil || len(entries) == 0 {
		return nil, err
	}
	arrivals := make([]arrival, len(entries))
	var locks []int64
	var controls, lanes [][]byte
	for i := range entries {
		a := &arrivals[i]
		if err := a.check(&entries[i]); err != nil {
			return nil, err
		}
		if err := t.s.names.intern(context.WithoutCancel(ctx), []string{a.record.Institution}); err != nil {
			return nil, t.breaks(err)
		}
		var err error
		if a.institution, _, err = t.s.names.id(context.WithoutCancel(ctx), a.record.Institution); err != nil {
			return nil, t.breaks(err)
		}
		if a.record.State == store.Received {
			a.lanes = lanesDigests(a.record.Institution, a.record.Lanes)
			lanes = append(lanes, a.lanes...)
		}
		if a.record.Control != "" {
			a.control = digestOf(a.record.Institution, a.record.Source, a.record.Control)
			controls = append(controls, a.control)
			locks = append(locks, t.s.hash.text("control\xff"+string(a.control)))
		}
	}
	// Two that bring the same control id come one after the other, so each is told rightly whether it was used.
	if len(locks) > 0 {
		t.queue("SELECT pg_advisory_xact_lock(k) FROM unnest(?::int8[]) k", unique(locks))
	}
	t.lockLanes(lanes)
	for i := range entries {
		if err := t.bytesOf(ctx, &entries[i], &arrivals[i]); err != nil {
			return nil, err
		}
	}
	var sequences []int64
	questions := []*question{ask(fragment{"SELECT nextval(pg_get_serial_sequence('record', 'sequence')) FROM generate_series(1, ?)", []any{len(entries)}},
		func(rows pgx.Rows) error {
			var n int64
			err := rows.Scan(&n)
			sequences = append(sequences, n)
			return err
		})}
	type known struct {
		sum      string
		sequence int64
	}
	before := map[string][]known{}
	if len(controls) > 0 {
		questions = append(questions, ask(fragment{"SELECT control_key, sum, sequence FROM record WHERE control_key = ANY(?)", []any{controls}},
			func(rows pgx.Rows) error {
				var control, sum []byte
				var k known
				err := rows.Scan(&control, &sum, &k.sequence)
				k.sum = string(sum)
				before[string(control)] = append(before[string(control)], k)
				return err
			}))
	}
	if err := t.query(ctx, questions...); err != nil {
		return nil, err
	}
	receipts := make([]store.Receipt, len(entries))
	for i := range arrivals {
		a := &arrivals[i]
		for _, k := range before[string(a.control)] {
			a.used = true
			if k.sum == string(a.own) {
				a.first = k.sequence
			}
		}
		if a.first > 0 {
			old, err := t.view().record(ctx, "sequence = ?", a.first)
			if err != nil {
				return nil, err
			}
			receipts[i] = store.Receipt{Record: old, Duplicate: true}
			continue
		}
		if a.control != nil {
			before[string(a.control)] = append(before[string(a.control)], known{string(a.own), sequences[i]})
		}
		if err := t.enter(a, sequences[i], parent); err != nil {
			return nil, t.breaks(err)
		}
		receipts[i] = store.Receipt{Record: a.record, ControlUsed: a.used}
	}
	return receipts, nil
}

// check looks at what an entry says of itself.
func (a *arrival) check(e *store.Entry) error {
	a.record = e.Record
	r := &a.record
	if r.Institution == "" || r.Format == "" || len(r.Lanes) > maxLanes {
		return fault.Newf(fault.Invalid, "a record needs an institution and a format, and at most %d lanes", maxLanes)
	}
	if r.State == "" {
		r.State = store.Received
	}
	r.Lanes = lanesOf(r.Lanes)
	if r.State != store.Received && r.State != store.Quarantined {
		return fault.Newf(fault.Invalid, "a record cannot come in as %s", r.State)
	}
	return nil
}

// bytesOf archives or finds the bytes of an entry and completes where they stand.
func (t *tx) bytesOf(ctx context.Context, e *store.Entry, a *arrival) (err error) {
	a.own = []byte{}
	r := &a.record
	if e.Bytes != nil || r.Digest == "" {
		if a.digest, err = t.archive(ctx, e.Bytes); err != nil {
			return t.breaks(err)
		}
		r.Digest, r.Offset, r.Length = hex.EncodeToString(a.digest), 0, int64(len(e.Bytes))
		if a.control != nil {
			a.own = a.digest
		}
		return nil
	}
	if a.digest, err = decodeDigest(r.Digest); err != nil {
		return err
	}
	if a.control != nil {
		content, err := t.view().content(context.WithoutCancel(ctx), a.digest, r.Offset, r.Length)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		a.own = sum[:]
		return nil
	}
	return t.holds(ctx, a.digest, r.Offset, r.Length)
}

// enter writes a record and puts it in line.
func (t *tx) enter(a *arrival, sequence int64, parent *delivery) error {
	r := &a.record
	now := t.s.opt.Now()
	r.ID, r.Sequence, r.Received, r.Attempts = recordID(now.UnixMilli()), sequence, microTime(now.UnixMicro()), 0
	place := sequence << placeBits
	if parent != nil {
		r.Parent = parent.id
		place = parent.place + parent.expanded + 1
		parent.expanded++
	}
	lanes, err := json.Marshal(r.Lanes)
	if err != nil {
		return err
	}
	finished := int64(0)
	if r.State != store.Received {
		finished = r.Received.UnixMicro()
	}
	r.Finished = microTime(finished)
	t.queue(`INSERT INTO record (sequence, received, finished, "offset", length, institution, state, attempts, expanded, id, source, format, name,
control, control_key, sum, type, digest, place, key, hash, parent, lanes, answer, reason, map)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Sequence, r.Received.UnixMicro(), finished, r.Offset, r.Length, a.institution, stateCode(r.State), []byte(r.ID), []byte(r.Source),
		[]byte(r.Format), []byte(r.Name), []byte(r.Control), a.control, a.own, []byte(r.Type), a.digest, []byte(r.Place), []byte(r.Key), []byte(r.Hash),
		[]byte(r.Parent), lanes, []byte(r.Answer), []byte(r.Reason), []byte(r.Map))
	if r.State == store.Received {
		t.line(place, sequence, a.institution, r.Format == store.Delivery, a.lanes)
	}
	return nil
}

// lanesOf sorts lanes and drops doubles and empty ones.
func lanesOf(lanes []string) []string {
	if len(lanes) == 0 {
		return nil
	}
	out := slices.Clone(lanes)
	slices.Sort(out)
	out = slices.Compact(out)
	if out[0] == "" {
		out = out[1:]
	}
	return out
}

func lanesDigests(institution string, lanes []string) [][]byte {
	out := make([][]byte, len(lanes))
	for i, lane := range lanes {
		out[i] = laneOf(institution, lane)
	}
	return out
}

// recordID is 48 bits of time and 80 of chance in Crockford's base 32, so that ids
// sort by arrival and tell nothing else.
func recordID(ms int64) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [16]byte
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(b[6:])
	var out [26]byte
	var acc uint32
	bits := 2 // 130 bits in 26 digits: two zero bits lead
	next := 0
	for i := range out {
		for bits < 5 {
			acc = acc<<8 | uint32(b[next])
			next++
			bits += 8
		}
		bits -= 5
		out[i] = digits[acc>>bits&31]
	}
	return string(out[:])
}

// Expand adds records cut from a delivery, see store.InboxTx.
func (t *tx) Expand(ctx context.Context, id string, at int, entries []store.Entry, done bool) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	var sequence, place int64
	var institution, state int32
	var source, lanes []byte
	d := delivery{id: id}
	ok, err := one(ctx, t, fragment{`SELECT r.sequence, r.state, r.institution, r.source, r.expanded, coalesce(w.place, 0), r.lanes
FROM record r LEFT JOIN work w ON w.sequence = r.sequence WHERE r.id = ? AND r.format = ? FOR NO KEY UPDATE OF r`, []any{[]byte(id), []byte(store.Delivery)}},
		&sequence, &state, &institution, &source, &d.expanded, &place, &lanes)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoDelivery
	case state != codeReceived:
		return fault.Newf(fault.Conflict, "the delivery is %s already", states[state])
	case int64(at) > d.expanded || at < 0:
		return fault.Newf(fault.Invalid, "the delivery has %d records so far, %d cannot be the next", d.expanded, at)
	case int64(at)+int64(len(entries)) >= 1<<placeBits:
		return fault.Newf(fault.TooCostly, "a delivery holds at most %d records", 1<<placeBits-1).WithCode("too-long")
	}
	d.source, d.place = string(source), place
	if d.institution, err = t.s.names.text(context.WithoutCancel(ctx), institution); err != nil {
		return t.breaks(err)
	}
	fresh := slices.Clone(entries[min(int64(len(entries)), d.expanded-int64(at)):])
	for i := range fresh {
		e := &fresh[i]
		if e.Format == store.Delivery {
			return t.breaks(fault.New(fault.Invalid, "a delivery does not hold deliveries"))
		}
		if e.Institution == "" {
			e.Institution = d.institution
		}
		if e.Institution != d.institution {
			return t.breaks(fault.New(fault.Invalid, "the records of a delivery belong to its institution"))
		}
		if e.Source == "" {
			e.Source = d.source
		}
	}
	before := d.expanded
	if _, err := t.accept(ctx, fresh, &d); err != nil {
		return t.breaks(err)
	}
	d.expanded = before + int64(len(fresh)) // also those that were there already
	if d.expanded != before {
		t.queue("UPDATE record SET expanded = ? WHERE sequence = ?", d.expanded, sequence)
	}
	if done {
		return t.finish(sequence, d.institution, lanes, store.Outcome{State: store.Split})
	}
	return nil
}

// Finish ends the work on a record, see store.InboxTx.
func (t *tx) Finish(ctx context.Context, id string, o store.Outcome) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	code := stateCode(o.State)
	if code == 0 || code == codeReceived || code == codeSplit || code == codeErased {
		return fault.Newf(fault.Invalid, "a record cannot be finished as %q", string(o.State))
	}
	var sequence int64
	var state, institution int32
	var lanes []byte
	ok, err := one(ctx, t, fragment{"SELECT sequence, state, institution, lanes FROM record WHERE id = ? FOR NO KEY UPDATE", []any{[]byte(id)}},
		&sequence, &state, &institution, &lanes)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoRecord
	case state != codeReceived:
		return fault.Newf(fault.Conflict, "the record is %s already", states[state])
	}
	name, err := t.s.names.text(context.WithoutCancel(ctx), institution)
	if err != nil {
		return t.breaks(err)
	}
	return t.finish(sequence, name, lanes, o)
}

// finish writes an outcome and takes the record out of line. lanes is JSON.
func (t *tx) finish(sequence int64, institution string, lanes []byte, o store.Outcome) error {
	var list []string
	if err := json.Unmarshal(lanes, &list); err != nil {
		return t.breaks(err)
	}
	t.queue(`UPDATE record SET state = $1, reason = $2, finished = $3, map = coalesce($4, map), answer = coalesce($5, answer) WHERE sequence = $6`,
		stateCode(o.State), []byte(o.Reason), t.s.opt.Now().UnixMicro(), orNone(o.Map), orNone(o.Answer), sequence)
	t.leave(sequence, lanesDigests(institution, list))
	return nil
}

// orNone is a text, or NULL for an empty one.
func orNone(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

func (s *Store) appliedOf(ctx context.Context, q querier, institution, key string) (string, error) {
	id, ok, err := s.names.id(ctx, institution)
	if !ok || err != nil {
		return "", err
	}
	var hash []byte
	_, err = one(ctx, q, fragment{"SELECT hash FROM applied WHERE institution = ? AND key = ?", []any{id, digestOf(key)}}, &hash)
	return string(hash), err
}

// Applied returns the hash of the last applied state of a row's key.
func (t *tx) Applied(ctx context.Context, institution, key string) (string, error) {
	if err := t.ready(ctx); err != nil {
		return "", err
	}
	return t.s.appliedOf(context.WithoutCancel(ctx), t, institution, key)
}

// Applied returns the committed hash of the last applied state of a row's key.
func (s *Store) Applied(ctx context.Context, institution, key string) (hash string, err error) {
	err = s.reading(ctx, func(v view) error {
		hash, err = s.appliedOf(ctx, v.q, institution, key)
		return err
	})
	return hash, err
}

func (t *tx) SetApplied(ctx context.Context, institution, key, hash string) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	background := context.WithoutCancel(ctx)
	if err := t.s.names.intern(background, []string{institution}); err != nil {
		return t.breaks(err)
	}
	id, _, err := t.s.names.id(background, institution)
	if err != nil {
		return t.breaks(err)
	}
	t.queue("INSERT INTO applied (institution, key, hash) VALUES (?, ?, ?) ON CONFLICT (institution, key) DO UPDATE SET hash = excluded.hash",
		id, digestOf(key), []byte(hash))
	return nil
}

const recordColumns = `r.sequence, r.id, r.institution, r.source, r.format, r.name, r.control, r.type, r.digest, r."offset", r.length, r.key, r.hash, r.parent,
r.lanes, r.received, r.state, r.answer, r.reason, r.map, r.attempts, r.finished, r.place`

// records asks for records; f selects recordColumns.
func (v view) records(ctx context.Context, f fragment) (list []store.Record, err error) {
	var institutions []int32
	err = v.q.query(ctx, ask(f, func(rows pgx.Rows) error {
		var r store.Record
		var institution, state int32
		var received, finished int64
		var texts [15][]byte
		err := rows.Scan(&r.Sequence, &texts[0], &institution, &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6], &r.Offset, &r.Length,
			&texts[7], &texts[8], &texts[9], &texts[10], &received, &state, &texts[11], &texts[12], &texts[13], &r.Attempts, &finished, &texts[14])
		if err != nil {
			return err
		}
		for i, to := range []*string{&r.ID, &r.Source, &r.Format, &r.Name, &r.Control, &r.Type, nil, &r.Key, &r.Hash, &r.Parent, nil, &r.Answer,
			&r.Reason, &r.Map, &r.Place} {
			if to != nil {
				*to = string(texts[i])
			}
		}
		r.Digest, r.Received, r.Finished, r.State = hex.EncodeToString(texts[6]), microTime(received), microTime(finished), states[state]
		institutions, list = append(institutions, institution), append(list, r)
		return json.Unmarshal(texts[10], &list[len(list)-1].Lanes)
	}))
	for i := 0; err == nil && i < len(list); i++ {
		list[i].Institution, err = v.s.names.text(ctx, institutions[i])
	}
	return list, err
}

func (v view) record(ctx context.Context, where string, args ...any) (store.Record, error) {
	list, err := v.records(ctx, fragment{"SELECT " + recordColumns + " FROM record r WHERE " + where, args})
	if err == nil && len(list) == 0 {
		err = errNoRecord
	}
	if err != nil {
		return store.Record{}, err
	}
	return list[0], nil
}

// Record returns a record of the inbox.
func (s *Store) Record(ctx context.Context, id string) (r store.Record, err error) {
	err = s.reading(ctx, func(v view) error {
		r, err = v.record(ctx, "r.id = ?", []byte(id))
		return err
	})
	return r, err
}

// Expanded returns how many records of a delivery are there already.
func (s *Store) Expanded(ctx context.Context, delivery string) (n int, err error) {
	err = s.reading(ctx, func(v view) error {
		ok, err := one(ctx, v.q, fragment{"SELECT expanded FROM record WHERE id = ? AND format = ?", []any{[]byte(delivery), []byte(store.Delivery)}}, &n)
		if err == nil && !ok {
			err = errNoDelivery
		}
		return err
	})
	return n, err
}

// Records lists records in their order of entry.
func (s *Store) Records(ctx context.Context, f store.RecordFilter) (list []store.Record, err error) {
	if f.State != "" && stateCode(f.State) == 0 {
		return nil, fault.Newf(fault.Invalid, "%q is not the state of a record", string(f.State))
	}
	err = s.reading(ctx, func(v view) error {
		limit := limited(rows(f.Limit))
		where := fragment{"r.sequence > ?", []any{f.After}}
		if f.Parent != "" {
			where.add(" AND r.parent <> '' AND r.parent = ?", []byte(f.Parent))
		}
		if f.State != "" {
			where.add(" AND r.state = ?", stateCode(f.State))
		}
		sql := fragment{sql: "SELECT " + recordColumns + " FROM record r WHERE "}
		if f.Institution != "" {
			id, ok, err := s.names.id(ctx, f.Institution)
			if !ok || err != nil {
				list = nil
				return err
			}
			where.add(" AND r.institution = ?", id)
			if f.State == "" && f.Parent == "" {
				// One ordered read per state instead of sorting all that the institution ever sent.
				sql.sql = "SELECT " + recordColumns + " FROM generate_series(1, 6) s(n) CROSS JOIN LATERAL (SELECT * FROM record r WHERE "
				sql.append(where)
				sql.sql += " AND r.state = s.n ORDER BY r.sequence" + limit + ") r WHERE "
				where = fragment{sql: always}
			}
		}
		sql.append(where)
		sql.sql += " ORDER BY r.sequence" + limit
		list, err = v.records(ctx, sql)
		return err
	})
	return list, err
}

// CountRecords counts the records of an institution, of all when it is empty.
func (s *Store) CountRecords(ctx context.Context, institution string) (map[store.RecordState]int, error) {
	var counts map[store.RecordState]int
	err := s.reading(ctx, func(v view) error {
		counts = map[store.RecordState]int{}
		f := fragment{sql: "SELECT state, count(*) FROM record GROUP BY state"}
		if institution != "" {
			id, ok, err := s.names.id(ctx, institution)
			if !ok || err != nil {
				return err
			}
			f = fragment{"SELECT state, count(*) FROM record WHERE institution = ? GROUP BY state", []any{id}}
		}
		return v.q.query(ctx, ask(f, func(rows pgx.Rows) error {
			var state int32
			var n int
			err := rows.Scan(&state, &n)
			counts[states[state]] = n
			return err
		}))
	})
	return counts, err
}
