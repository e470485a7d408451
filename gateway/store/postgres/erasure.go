package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

var (
	_ store.Erasures  = (*Store)(nil)
	_ store.Leftovers = (*Store)(nil)
)

// eraseSQL counts an erasure, in the transaction that expunges.
const eraseSQL = "INSERT INTO erasure (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = erasure.number + 1"

// Erasures returns how often something was expunged.
func (s *Store) Erasures(ctx context.Context) (number int64, err error) {
	err = s.reading(ctx, func(v view) error {
		_, err := one(ctx, v.q, fragment{"SELECT number FROM erasure", nil}, &number)
		return err
	})
	return number, err
}

// ExpungeVersions removes versions that are not the current one.
func (t *tx) ExpungeVersions(ctx context.Context, k store.Key, numbers []int64) (int, error) {
	if err := t.ready(ctx); err != nil {
		return 0, err
	}
	now, err := t.current(ctx, k)
	switch {
	case err != nil:
		return 0, err
	case now.rid == 0:
		return 0, notFound(k)
	case slices.Contains(numbers, now.number):
		return 0, fault.New(fault.Conflict, "the current version of a resource stays")
	}
	t.flush()
	// Nobody makes another version the current one before this transaction ends.
	locked := false
	if _, err := one(ctx, t, fragment{"SELECT true FROM resource WHERE rid = ? AND change = ? FOR NO KEY UPDATE", []any{now.rid, now.change}}, &locked); err != nil {
		return 0, t.breaks(err)
	}
	if !locked {
		return 0, t.breaks(fault.Newf(fault.Conflict, "%s was changed by others", k))
	}
	t.queue(eraseSQL)
	gone := 0
	_, err = one(ctx, t, fragment{"WITH gone AS (DELETE FROM version WHERE rid = ? AND number = ANY(?) RETURNING 1) SELECT count(*) FROM gone",
		[]any{now.rid, numbers}}, &gone)
	return gone, t.breaks(err)
}

// EraseRecord removes what is left of a record, see store.ErasureTx.
func (t *tx) EraseRecord(ctx context.Context, id string) (bool, error) {
	if err := t.ready(ctx); err != nil {
		return false, err
	}
	ctx = context.WithoutCancel(ctx)
	t.flush()
	t.queue("SELECT pg_advisory_xact_lock(?)", t.s.hash.text(discardLock))
	if err := t.trip(ctx); err != nil {
		return false, err
	}
	var sequence, offset, length int64
	var institution, state int32
	var digest, key []byte
	ok, err := one(ctx, t, fragment{`SELECT sequence, institution, state, digest, "offset", length, key FROM record WHERE id = ? FOR NO KEY UPDATE`,
		[]any{[]byte(id)}}, &sequence, &institution, &state, &digest, &offset, &length, &key)
	switch {
	case err != nil:
		return false, err
	case !ok:
		return false, errNoRecord
	case int64(state) == int64(codeErased):
		return true, nil
	case !erasable(states[state]):
		return false, fault.Newf(fault.Conflict, "the record is %s", states[state])
	}
	t.blank(sequence)
	if len(key) > 0 {
		t.queue("DELETE FROM applied WHERE institution = ? AND key = ?", institution, digestOf(string(key)))
	}
	return t.overwrite(ctx, digest, offset, length)
}

// erasable reports whether a record of a state can be erased.
func erasable(s store.RecordState) bool {
	return s == store.Committed || s == store.Unchanged || s == store.Superseded
}

// blank leaves of a record that there was one.
func (t *tx) blank(sequence int64) {
	t.queue(`UPDATE record SET state = ?, digest = '', "offset" = 0, length = 0, name = '', place = '', key = '', hash = '', lanes = 'null', reason = ''
WHERE sequence = ?`, codeErased, sequence)
}

// overwrite removes a run of archived bytes that no record needs any more.
func (t *tx) overwrite(ctx context.Context, digest []byte, offset, length int64) (bool, error) {
	var deliveries []int64
	needed, others := false, false
	end := offset + length
	err := t.query(ctx, ask(fragment{`SELECT state = ?, "offset" < ? AND ? < "offset" + length, sequence FROM record WHERE digest = ?`,
		[]any{codeSplit, end, offset, digest}}, func(rows pgx.Rows) error {
		var split, overlaps bool
		var sequence int64
		err := rows.Scan(&split, &overlaps, &sequence)
		if split {
			deliveries = append(deliveries, sequence)
		} else {
			needed, others = needed || overlaps, true
		}
		return err
	}), ask(fragment{"SELECT 1 FROM folder WHERE digest = ?", []any{digest}}, func(pgx.Rows) error {
		needed = true
		return nil
	}), ask(fragment{"SELECT blob FROM version WHERE substr(blob, 1, 32) = ? AND blob IS NOT NULL", []any{digest}}, func(rows pgx.Rows) error {
		var raw []byte
		err := rows.Scan(&raw)
		b := decodeBlob(raw)
		needed, others = needed || b.Offset < end && offset < b.Offset+b.Length, true
		return err
	}))
	if err != nil || needed {
		return false, t.breaks(err)
	}
	if !others { // a delivery goes with its last record
		for _, sequence := range deliveries {
			t.blank(sequence)
		}
		_, err := t.discard(ctx, digest)
		return err == nil, t.breaks(err)
	}
	if length == 0 {
		return true, nil
	}
	delete(t.sizes, string(digest))
	for part := offset / partBytes; part*partBytes < end; part++ {
		from := max(offset-part*partBytes, 0)
		to := min(end-part*partBytes, partBytes)
		t.queue("UPDATE archive_part SET cut = true, bytes = overlay(bytes PLACING ? FROM ? FOR ?) WHERE digest = ? AND part = ?",
			make([]byte, to-from), int32(from)+1, int32(to-from), digest, int32(part))
	}
	return true, nil
}

// Ineffective returns records that changed nothing, see store.Leftovers.
func (s *Store) Ineffective(ctx context.Context, institution string, lanes []string, limit int) (ids []string, err error) {
	type found struct {
		sequence int64
		id       string
	}
	var list []found
	err = s.reading(ctx, func(v view) error {
		list = nil
		number, ok, err := s.names.id(ctx, institution)
		if err != nil || !ok {
			return err
		}
		return v.q.query(ctx, ask(fragment{"SELECT sequence, id, lanes FROM record WHERE institution = ? AND state IN (?, ?) AND lanes <> 'null'",
			[]any{number, stateCode(store.Unchanged), stateCode(store.Superseded)}}, func(rows pgx.Rows) error {
			var sequence int64
			var id, text []byte
			var own []string
			if err := rows.Scan(&sequence, &id, &text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &own); err != nil {
				return err
			}
			if slices.ContainsFunc(own, func(l string) bool { return slices.Contains(lanes, l) }) {
				list = append(list, found{sequence, string(id)})
			}
			return nil
		}))
	})
	slices.SortFunc(list, func(a, b found) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, f := range list[:min(limit, len(list))] {
		ids = append(ids, f.id)
	}
	return ids, err
}
