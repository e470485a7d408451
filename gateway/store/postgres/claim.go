package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// laneOf is the digest by which a lane is known.
func laneOf(institution, lane string) []byte { return digestOf(institution, lane) }

// lockLanes makes those who change the line of a lane come one after the other.
func (t *tx) lockLanes(lanes [][]byte) {
	if len(lanes) == 0 {
		return
	}
	keys := make([]int64, len(lanes))
	for i, lane := range lanes {
		keys[i] = t.s.hash.text("lane\xff" + string(lane))
	}
	t.queue("SELECT pg_advisory_xact_lock(k) FROM unnest(?::int8[]) k", unique(keys))
}

// line puts a record in line, and in its lanes, which are locked. Others that it steps
// before, as the records of a delivery do, have to wait.
func (t *tx) line(place, sequence int64, institution int32, delivery bool, lanes [][]byte) {
	if len(lanes) == 0 {
		t.queue("INSERT INTO work (place, sequence, lease, institution, delivery, ready, holder) VALUES (?, ?, 0, ?, ?, true, '')",
			place, sequence, institution, delivery)
		return
	}
	t.queue("INSERT INTO lane (lane, place) SELECT l, ? FROM unnest(?::bytea[]) l", place, lanes)
	t.queue(`INSERT INTO work (place, sequence, lease, institution, delivery, ready, holder)
SELECT $1, $2, 0, $3, $4, NOT EXISTS (SELECT 1 FROM lane a WHERE a.lane = ANY($5) AND a.place < $1), ''`, place, sequence, institution, delivery, lanes)
	if place&(1<<placeBits-1) != 0 { // others are behind all
		t.queue("UPDATE work SET ready = false FROM lane a WHERE a.lane = ANY(?) AND a.place > ? AND work.place = a.place AND work.ready", lanes, place)
	}
}

// leave takes a record out of line, which lets those behind it move up.
func (t *tx) leave(sequence int64, lanes [][]byte) {
	t.lockLanes(lanes)
	if len(lanes) > 0 {
		t.queue("DELETE FROM lane USING work w WHERE w.sequence = ? AND lane.lane = ANY(?) AND lane.place = w.place", sequence, lanes)
	}
	t.queue("DELETE FROM work WHERE sequence = ?", sequence)
	if len(lanes) > 0 {
		t.queue(`UPDATE work SET ready = true FROM (
	SELECT n.place FROM unnest(?::bytea[]) l CROSS JOIN LATERAL (SELECT a.place FROM lane a WHERE a.lane = l ORDER BY a.place LIMIT 1) n) next
WHERE work.place = next.place AND NOT work.ready
AND NOT EXISTS (SELECT 1 FROM lane a JOIN lane e ON e.lane = a.lane AND e.place < a.place WHERE a.place = work.place)`, lanes)
	}
}

// maxClaim bounds what one Claim hands out.
const maxClaim = 1000

// Claim hands out records, see store.Inbox.
func (s *Store) Claim(ctx context.Context, holder string, lease time.Duration, limit int) ([]store.Record, error) {
	return s.ClaimExcept(ctx, holder, lease, limit, nil)
}

// ClaimExcept hands out records of other institutions, see store.Selective. Processes
// that claim at the same time skip what another one is about to take.
func (s *Store) ClaimExcept(ctx context.Context, holder string, lease time.Duration, limit int, except []string) ([]store.Record, error) {
	if holder == "" || lease <= 0 || limit <= 0 {
		return nil, fault.New(fault.Invalid, "a claim needs a holder, a lease and a limit")
	}
	limit = min(limit, maxClaim)
	// Most claims of an idle inbox find nothing; they need no transaction.
	busy := false
	if err := s.reading(ctx, func(v view) error {
		return v.q.query(ctx, ask(fragment{sql: "SELECT EXISTS (SELECT 1 FROM work)"}, func(rows pgx.Rows) error { return rows.Scan(&busy) }))
	}); err != nil || !busy {
		return nil, err
	}
	var claimed []store.Record
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		ctx = context.WithoutCancel(ctx)
		out := []int32{}
		for _, name := range except {
			id, ok, err := s.names.id(ctx, name)
			if err != nil {
				return t.breaks(err)
			}
			if ok {
				out = append(out, id)
			}
		}
		var err error
		t.queue(`UPDATE work SET lease = 0, holder = '' WHERE place IN (SELECT place FROM work
WHERE lease > 0 AND lease <= (extract(epoch FROM clock_timestamp()) * 1000000)::int8 FOR UPDATE SKIP LOCKED)`)
		claimed, err = t.view().records(ctx, fragment{`WITH RECURSIVE institutions(id) AS (
	(SELECT w.institution FROM work w WHERE w.ready AND w.lease = 0 ORDER BY w.institution LIMIT 1) UNION ALL
	SELECT (SELECT w.institution FROM work w WHERE w.ready AND w.lease = 0 AND w.institution > i.id ORDER BY w.institution LIMIT 1)
	FROM institutions i WHERE i.id IS NOT NULL),
pick AS MATERIALIZED (SELECT p.place, p.sequence FROM institutions i CROSS JOIN LATERAL (
	SELECT w.place, w.sequence FROM work w WHERE w.institution = i.id AND w.ready AND w.lease = 0
	AND w.place <= coalesce((SELECT d.place FROM work d WHERE d.institution = i.id AND d.delivery ORDER BY d.place LIMIT 1), 9223372036854775807)
	ORDER BY w.place` + limited(limit) + ` FOR UPDATE OF w SKIP LOCKED) p WHERE i.id <> ALL(?) ORDER BY p.place` + limited(limit) + `),
taken AS (UPDATE work w SET holder = ?, lease = (extract(epoch FROM clock_timestamp()) * 1000000)::int8 + ? FROM pick p WHERE w.place = p.place)
UPDATE record r SET attempts = attempts + 1 FROM pick p WHERE r.sequence = p.sequence RETURNING ` + recordColumns,
			[]any{out, []byte(holder), max(1, lease.Microseconds())}})
		if err != nil {
			return t.breaks(err)
		}
		return t.sort(ctx, claimed)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// sort brings records into the order of their places in line.
func (t *tx) sort(ctx context.Context, list []store.Record) error {
	if len(list) < 2 {
		return nil
	}
	sequences := make([]int64, len(list))
	for i, r := range list {
		sequences[i] = r.Sequence
	}
	order := map[int64]int64{}
	err := t.query(ctx, ask(fragment{"SELECT sequence, place FROM work WHERE sequence = ANY(?)", []any{sequences}}, func(rows pgx.Rows) error {
		var sequence, place int64
		err := rows.Scan(&sequence, &place)
		order[sequence] = place
		return err
	}))
	slices.SortFunc(list, func(a, b store.Record) int { return int(max(-1, min(1, order[a.Sequence]-order[b.Sequence]))) })
	return err
}

// Release gives claimed records back, see store.Inbox.
func (s *Store) Release(ctx context.Context, holder string, ids []string) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		if len(ids) > 0 {
			t.queue(`UPDATE work w SET holder = '', lease = 0 FROM record r
WHERE r.id = ANY(?) AND w.sequence = r.sequence AND w.holder = ? AND w.lease > 0`, bytesOf(ids), []byte(holder))
		}
		return nil
	})
}

// Replay puts quarantined records back in line, see store.Inbox.
func (s *Store) Replay(ctx context.Context, ids []string) (int, error) {
	n := 0
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		n = 0
		for _, id := range ids {
			replayed, err := t.replay(ctx, id)
			if err != nil {
				return err
			}
			if replayed {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (t *tx) replay(ctx context.Context, id string) (bool, error) {
	if err := t.ready(ctx); err != nil {
		return false, err
	}
	r, err := t.view().record(ctx, "r.id = ? FOR NO KEY UPDATE", []byte(id))
	if err != nil || r.State != store.Quarantined {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return false, err
	}
	institution, _, err := t.s.names.id(context.WithoutCancel(ctx), r.Institution)
	if err != nil {
		return false, t.breaks(err)
	}
	// Behind everything: a sequence of its own in line, though the record keeps the one it entered with.
	var behind int64
	if _, err := one(ctx, t, fragment{sql: "SELECT nextval(pg_get_serial_sequence('record', 'sequence'))"}, &behind); err != nil {
		return false, err
	}
	t.queue("UPDATE record SET state = ?, reason = '', finished = 0 WHERE sequence = ?", codeReceived, r.Sequence)
	lanes := lanesDigests(r.Institution, r.Lanes)
	t.lockLanes(lanes)
	t.line(behind<<placeBits, r.Sequence, institution, r.Format == store.Delivery, lanes)
	return true, nil
}
