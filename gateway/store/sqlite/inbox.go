package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// States as they are stored; 0 is none of them.
var states = []store.RecordState{"", store.Received, store.Committed, store.Unchanged, store.Superseded, store.Quarantined,
	store.Split, store.Erased}

func stateCode(s store.RecordState) int64 { return int64(max(slices.Index(states, s), 0)) }

var (
	codeReceived = stateCode(store.Received)
	codeSplit    = stateCode(store.Split)
	codeErased   = stateCode(store.Erased)
)

// placeBits leaves room in line for the records of a delivery behind its own place.
const placeBits = 24

// maxLanes bounds the lanes of a record.
const maxLanes = 64

// Accept makes entries durable and answers each, see store.Inbox.
func (s *Store) Accept(ctx context.Context, entries []store.Entry) ([]store.Receipt, error) {
	var receipts []store.Receipt
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		receipts = receipts[:0]
		for i := range entries {
			r, err := t.accept(ctx, &entries[i], nil)
			if err != nil {
				return err
			}
			receipts = append(receipts, r)
		}
		return nil
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

// accept stores one entry; parent is the delivery it was cut from, or nil.
func (t *tx) accept(ctx context.Context, e *store.Entry, parent *delivery) (store.Receipt, error) {
	r := e.Record
	if r.Institution == "" || r.Format == "" || len(r.Lanes) > maxLanes {
		return store.Receipt{}, fault.Newf(fault.Invalid, "a record needs an institution and a format, and at most %d lanes", maxLanes)
	}
	if r.State == "" {
		r.State = store.Received
	}
	if r.State != store.Received && r.State != store.Quarantined {
		return store.Receipt{}, fault.Newf(fault.Invalid, "a record cannot come in as %s", r.State)
	}
	digest, own, err := t.bytesOf(ctx, e, &r)
	if err != nil {
		return store.Receipt{}, err
	}
	institution, err := t.intern(r.Institution)
	if err != nil {
		return store.Receipt{}, t.breaks(err)
	}
	used := false
	if r.Control != "" {
		var first int64
		err := t.c.query(context.Background(), "SELECT sequence, sum FROM record WHERE institution = ? AND source = ? AND control = ? AND control <> ''",
			[]any{institution, r.Source, r.Control}, func(row row) error {
				used = true
				if string(row.bytes(1)) == string(own) {
					first = row.int(0)
				}
				return nil
			})
		if err != nil {
			return store.Receipt{}, err
		}
		if first > 0 {
			old, err := t.view().record("sequence = ?", first)
			return store.Receipt{Record: old, Duplicate: true}, err
		}
	}
	t.w.sequence++
	now := t.s.opt.Now()
	r.ID, r.Sequence, r.Received, r.Attempts = recordID(now.UnixMilli()), t.w.sequence, microTime(now.UnixMicro()), 0
	place := r.Sequence << placeBits
	if parent != nil {
		r.Parent = parent.id
		place = parent.place + parent.expanded + 1
	}
	r.Lanes = lanesOf(r.Lanes)
	lanes, err := json.Marshal(r.Lanes)
	if err != nil {
		return store.Receipt{}, err
	}
	finished := int64(0)
	if r.State != store.Received {
		finished = r.Received.UnixMicro()
	}
	r.Finished = microTime(finished)
	_, err = t.c.exec(`INSERT INTO record (sequence, id, institution, source, format, name, control, sum, type, digest, offset, length, place,
key, hash, parent, lanes, received, state, answer, reason, map, attempts, finished, expanded)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0)`,
		r.Sequence, r.ID, institution, r.Source, r.Format, r.Name, r.Control, own, r.Type, digest, r.Offset, r.Length, r.Place,
		r.Key, r.Hash, r.Parent, string(lanes), r.Received.UnixMicro(), stateCode(r.State), r.Answer, r.Reason, r.Map, finished)
	if err == nil && r.State == store.Received {
		err = t.queue(place, r.Sequence, institution, r.Format == store.Delivery, r.Lanes)
	}
	return store.Receipt{Record: r, ControlUsed: used}, t.breaks(err)
}

// bytesOf archives or finds the bytes of an entry and completes where they stand.
// own is the sum of the record's own bytes where duplicates are looked for.
func (t *tx) bytesOf(ctx context.Context, e *store.Entry, r *store.Record) (digest, own []byte, err error) {
	own = []byte{}
	if e.Bytes != nil || r.Digest == "" {
		if digest, err = t.archive(e.Bytes); err != nil {
			return nil, nil, err
		}
		r.Digest, r.Offset, r.Length = hex.EncodeToString(digest), 0, int64(len(e.Bytes))
		if r.Control != "" {
			own = digest
		}
		return digest, own, nil
	}
	if digest, err = decodeDigest(r.Digest); err != nil {
		return nil, nil, err
	}
	if r.Control != "" {
		content, err := t.view().content(context.WithoutCancel(ctx), digest, r.Offset, r.Length)
		if err != nil {
			return nil, nil, err
		}
		sum := sha256.Sum256(content)
		return digest, sum[:], nil
	}
	return digest, own, t.holds(digest, r.Offset, r.Length)
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
	var d delivery
	var sequence, state int64
	ok, err := t.c.one(`SELECT r.sequence, r.state, n.text, r.source, r.expanded FROM record r JOIN name n ON n.id = r.institution
WHERE r.id = ? AND r.format = ?`, []any{id, store.Delivery}, func(row row) {
		sequence, state = row.int(0), row.int(1)
		d = delivery{id: id, institution: row.text(2), source: row.text(3), expanded: row.int(4)}
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, "no delivery has this id")
	case state != codeReceived:
		return fault.Newf(fault.Conflict, "the delivery is %s already", states[state])
	case int64(at) > d.expanded || at < 0:
		return fault.Newf(fault.Invalid, "the delivery has %d records so far, %d cannot be the next", d.expanded, at)
	case int64(at)+int64(len(entries)) >= 1<<placeBits:
		return fault.Newf(fault.TooCostly, "a delivery holds at most %d records", 1<<placeBits-1).WithCode("too-long")
	}
	if d.place, err = t.c.integer("SELECT place FROM work WHERE sequence = ?", sequence); err != nil {
		return err
	}
	before := d.expanded
	for _, e := range entries[min(int64(len(entries)), d.expanded-int64(at)):] {
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
		if _, err := t.accept(ctx, &e, &d); err != nil {
			return t.breaks(err)
		}
		d.expanded++
	}
	if d.expanded != before {
		if _, err := t.c.exec("UPDATE record SET expanded = ? WHERE sequence = ?", d.expanded, sequence); err != nil {
			return t.breaks(err)
		}
	}
	if !done {
		return nil
	}
	return t.finish(sequence, store.Outcome{State: store.Split})
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
	var sequence, state int64
	ok, err := t.c.one("SELECT sequence, state FROM record WHERE id = ?", []any{id}, func(row row) {
		sequence, state = row.int(0), row.int(1)
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, "no record has this id")
	case state != codeReceived:
		return fault.Newf(fault.Conflict, "the record is %s already", states[state])
	}
	return t.finish(sequence, o)
}

func (t *tx) finish(sequence int64, o store.Outcome) error {
	set, args := "state = ?, reason = ?, finished = ?", []any{stateCode(o.State), o.Reason, t.s.opt.Now().UnixMicro()}
	if o.Map != "" {
		set, args = set+", map = ?", append(args, o.Map)
	}
	if o.Answer != "" {
		set, args = set+", answer = ?", append(args, o.Answer)
	}
	if _, err := t.c.exec("UPDATE record SET "+set+" WHERE sequence = ?", append(args, sequence)...); err != nil {
		return t.breaks(err)
	}
	return t.breaks(t.unqueue(sequence))
}

// Applied returns the hash of the last applied state of a row's key.
func (t *tx) Applied(ctx context.Context, institution, key string) (hash string, err error) {
	if err := t.ready(ctx); err != nil {
		return "", err
	}
	return t.view().applied(institution, key)
}

func (v view) applied(institution, key string) (hash string, err error) {
	id, ok, err := v.nameID(institution)
	if !ok || err != nil {
		return "", err
	}
	_, err = v.c.one("SELECT hash FROM applied WHERE institution = ? AND key = ?", []any{id, key}, func(row row) { hash = row.text(0) })
	return hash, err
}

// Applied returns the committed hash of the last applied state of a row's key.
func (s *Store) Applied(ctx context.Context, institution, key string) (hash string, err error) {
	err = s.reading(ctx, func(v view) error {
		hash, err = v.applied(institution, key)
		return err
	})
	return hash, err
}

func (t *tx) SetApplied(ctx context.Context, institution, key, hash string) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	id, err := t.intern(institution)
	if err == nil {
		_, err = t.c.exec("INSERT OR REPLACE INTO applied (institution, key, hash) VALUES (?, ?, ?)", id, key, hash)
	}
	return t.breaks(err)
}

const recordColumns = `sequence, id, institution, source, format, name, control, type, digest, offset, length, key, hash, parent, lanes,
received, state, answer, reason, map, attempts, finished, place`

func (v view) recordsOf(ctx context.Context, sql string, args []any) (list []store.Record, err error) {
	var institutions []int64
	var lanes []string
	err = v.c.query(ctx, "SELECT "+recordColumns+" FROM record WHERE "+sql, args, func(row row) error {
		institutions, lanes = append(institutions, row.int(2)), append(lanes, row.text(14))
		state := row.int(16)
		list = append(list, store.Record{Sequence: row.int(0), ID: row.text(1), Source: row.text(3), Format: row.text(4),
			Name: row.text(5), Control: row.text(6), Type: row.text(7), Digest: hex.EncodeToString(row.bytes(8)),
			Offset: row.int(9), Length: row.int(10), Key: row.text(11), Hash: row.text(12), Parent: row.text(13),
			Received: row.time(15), State: states[state], Answer: row.text(17), Reason: row.text(18), Map: row.text(19),
			Attempts: int(row.int(20)), Finished: row.time(21), Place: row.text(22)})
		return ctx.Err()
	})
	for i := 0; err == nil && i < len(list); i++ {
		if list[i].Institution, err = v.nameText(institutions[i]); err == nil {
			err = json.Unmarshal([]byte(lanes[i]), &list[i].Lanes)
		}
	}
	return list, err
}

func (v view) record(where string, args ...any) (store.Record, error) {
	list, err := v.recordsOf(context.Background(), where, args)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "no record has this id")
	}
	if err != nil {
		return store.Record{}, err
	}
	return list[0], nil
}

// Record returns a record of the inbox.
func (s *Store) Record(ctx context.Context, id string) (r store.Record, err error) {
	err = s.reading(ctx, func(v view) error {
		r, err = v.record("id = ?", id)
		return err
	})
	return r, err
}

// Expanded returns how many records of a delivery are there already.
func (s *Store) Expanded(ctx context.Context, delivery string) (n int, err error) {
	err = s.reading(ctx, func(v view) error {
		ok, err := v.c.one("SELECT expanded FROM record WHERE id = ? AND format = ?", []any{delivery, store.Delivery},
			func(row row) { n = int(row.int(0)) })
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "no delivery has this id")
		}
		return err
	})
	return n, err
}

// Records lists records in their order of entry.
func (s *Store) Records(ctx context.Context, f store.RecordFilter) (list []store.Record, err error) {
	err = s.reading(ctx, func(v view) error {
		var where []string
		var args []any
		and := func(sql string, arg any) {
			where, args = append(where, sql), append(args, arg)
		}
		if f.Institution != "" {
			id, ok, err := v.nameID(f.Institution)
			if !ok || err != nil {
				return err
			}
			and("institution = ?", id)
		}
		if f.State != "" {
			code := stateCode(f.State)
			if code == 0 {
				return fault.Newf(fault.Invalid, "%q is not the state of a record", string(f.State))
			}
			and("state = ?", code)
		}
		if f.Parent != "" {
			and("parent <> '' AND parent = ?", f.Parent)
		}
		and("sequence > ?", f.After)
		sql := strings.Join(where, " AND ")
		if f.Institution != "" && f.State == "" && f.Parent == "" {
			// One ordered read per state instead of sorting all that the institution ever sent.
			var parts []string
			var all []any
			for code := codeReceived; code < int64(len(states)); code++ {
				parts = append(parts, "SELECT * FROM (SELECT sequence FROM record WHERE institution = ? AND state = ? AND sequence > ? ORDER BY sequence"+limited(rows(f.Limit))+")")
				all = append(all, args[0], code, f.After)
			}
			sql, args = "sequence IN ("+strings.Join(parts, " UNION ALL ")+")", all
		}
		list, err = v.recordsOf(ctx, sql+" ORDER BY sequence"+limited(rows(f.Limit)), args)
		return err
	})
	return list, err
}

// CountRecords counts the records of an institution, of all when it is empty.
func (s *Store) CountRecords(ctx context.Context, institution string) (map[store.RecordState]int, error) {
	counts := map[store.RecordState]int{}
	err := s.reading(ctx, func(v view) error {
		sql, args := "SELECT state, count(*) FROM record INDEXED BY record_institution GROUP BY state", []any(nil)
		if institution != "" {
			id, ok, err := v.nameID(institution)
			if !ok || err != nil {
				return err
			}
			sql, args = "SELECT state, count(*) FROM record WHERE institution = ? GROUP BY state", []any{id}
		}
		return v.c.query(ctx, sql, args, func(row row) error {
			counts[states[row.int(0)]] = int(row.int(1))
			return ctx.Err()
		})
	})
	return counts, err
}
