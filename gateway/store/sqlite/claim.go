package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// The line of each lane is kept so that what may be claimed next is read from an
// index and never found by looking at all that waits: work.waits counts the lanes
// in which a record is not the first. It changes for the record that joins and for
// its successors, never for the rest of the line.

const (
	laneBefore = "SELECT place FROM lane WHERE institution = ? AND lane = ? AND place < ? ORDER BY place DESC LIMIT 1"
	laneBehind = "SELECT place FROM lane WHERE institution = ? AND lane = ? AND place > ? ORDER BY place LIMIT 1"
)

// queue puts a record in line.
func (t *tx) queue(place, sequence, institution int64, delivery bool, lanes []string) error {
	waits := 0
	for _, lane := range lanes {
		before, err := t.c.integer(laneBefore, institution, lane, place)
		if err != nil {
			return err
		}
		if before > 0 {
			waits++
		} else if err := t.shift(institution, lane, place, +1); err != nil {
			return err
		}
		if _, err := t.c.exec("INSERT INTO lane (institution, lane, place) VALUES (?, ?, ?)", institution, lane, place); err != nil {
			return err
		}
	}
	_, err := t.c.exec("INSERT INTO work (place, sequence, institution, delivery, waits, holder, lease) VALUES (?, ?, ?, ?, ?, '', 0)",
		place, sequence, institution, delivery, waits)
	return err
}

// shift tells the one behind a place that it is no longer the first of a lane, or
// that it is now.
func (t *tx) shift(institution int64, lane string, place int64, by int) error {
	behind, err := t.c.integer(laneBehind, institution, lane, place)
	if err != nil || behind == 0 {
		return err
	}
	_, err = t.c.exec("UPDATE work SET waits = waits + ? WHERE place = ?", by, behind)
	return err
}

// unqueue takes a record out of line and lets those behind it move up.
func (t *tx) unqueue(sequence int64) error {
	var place, institution int64
	ok, err := t.c.one("SELECT place, institution FROM work WHERE sequence = ?", []any{sequence}, func(row row) {
		place, institution = row.int(0), row.int(1)
	})
	if !ok || err != nil {
		return err
	}
	var text string
	if _, err := t.c.one("SELECT lanes FROM record WHERE sequence = ?", []any{sequence}, func(row row) { text = row.text(0) }); err != nil {
		return err
	}
	var lanes []string
	if err := json.Unmarshal([]byte(text), &lanes); err != nil {
		return err
	}
	for _, lane := range lanes {
		if _, err := t.c.exec("DELETE FROM lane WHERE institution = ? AND lane = ? AND place = ?", institution, lane, place); err != nil {
			return err
		}
		before, err := t.c.integer(laneBefore, institution, lane, place)
		if err != nil {
			return err
		}
		if before == 0 {
			if err := t.shift(institution, lane, place, -1); err != nil {
				return err
			}
		}
	}
	_, err = t.c.exec("DELETE FROM work WHERE place = ?", place)
	return err
}

// maxClaim bounds what one Claim hands out.
const maxClaim = 1000

// Claim hands out records, see store.Inbox.
func (s *Store) Claim(ctx context.Context, holder string, lease time.Duration, limit int) ([]store.Record, error) {
	return s.ClaimExcept(ctx, holder, lease, limit, nil)
}

// ClaimExcept hands out records of other institutions, see store.Selective.
func (s *Store) ClaimExcept(ctx context.Context, holder string, lease time.Duration, limit int, except []string) ([]store.Record, error) {
	if holder == "" || lease <= 0 || limit <= 0 {
		return nil, fault.New(fault.Invalid, "a claim needs a holder, a lease and a limit")
	}
	limit = min(limit, maxClaim)
	// Most claims of an idle inbox find nothing; they need not wait for the writer.
	idle := false
	if err := s.reading(ctx, func(v view) error {
		n, err := v.c.integer("SELECT EXISTS (SELECT 1 FROM work)")
		idle = n == 0
		return err
	}); err != nil || idle {
		return nil, err
	}
	var claimed []store.Record
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		var err error
		claimed, err = t.claim(holder, lease, limit, except)
		return t.breaks(err)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

type candidate struct{ place, sequence int64 }

func (t *tx) claim(holder string, lease time.Duration, limit int, except []string) ([]store.Record, error) {
	now := t.s.opt.Now()
	background := context.Background()
	if _, err := t.c.exec("UPDATE work SET lease = 0, holder = '' WHERE lease > 0 AND lease <= ?", now.UnixMicro()); err != nil {
		return nil, err
	}
	var list []candidate
	for institution := int64(0); ; {
		next, err := t.c.integer("SELECT institution FROM work WHERE waits = 0 AND lease = 0 AND institution > ? ORDER BY institution LIMIT 1", institution)
		if err != nil {
			return nil, err
		}
		if next == 0 {
			break
		}
		institution = next
		if len(except) > 0 {
			name, err := t.view().nameText(institution)
			if err != nil {
				return nil, err
			}
			if slices.Contains(except, name) {
				continue
			}
		}
		barrier := int64(1<<63 - 1)
		if _, err := t.c.one("SELECT place FROM work WHERE institution = ? AND delivery = 1 ORDER BY place LIMIT 1",
			[]any{institution}, func(row row) { barrier = row.int(0) }); err != nil {
			return nil, err
		}
		err = t.c.query(background, `SELECT place, sequence FROM work
WHERE waits = 0 AND lease = 0 AND institution = ? AND place <= ? ORDER BY place`+limited(limit),
			[]any{institution, barrier}, func(row row) error {
				list = append(list, candidate{row.int(0), row.int(1)})
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Compare(a.place, b.place) })
	list = list[:min(limit, len(list))]
	claimed := make([]store.Record, 0, len(list))
	for _, c := range list {
		if _, err := t.c.exec("UPDATE work SET holder = ?, lease = ? WHERE place = ?", holder, now.Add(lease).UnixMicro(), c.place); err != nil {
			return nil, err
		}
		if _, err := t.c.exec("UPDATE record SET attempts = attempts + 1 WHERE sequence = ?", c.sequence); err != nil {
			return nil, err
		}
		r, err := t.view().record("sequence = ?", c.sequence)
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, r)
	}
	return claimed, nil
}

// Release gives claimed records back, see store.Inbox.
func (s *Store) Release(ctx context.Context, holder string, ids []string) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		for _, id := range ids {
			_, err := t.c.exec(`UPDATE work SET holder = '', lease = 0
WHERE sequence = (SELECT sequence FROM record WHERE id = ?) AND holder = ? AND lease > 0`, id, holder)
			if err != nil {
				return t.breaks(err)
			}
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
			replayed, err := t.replay(id)
			if err != nil {
				return t.breaks(err)
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

func (t *tx) replay(id string) (bool, error) {
	r, err := t.view().record("id = ?", id)
	if err != nil || r.State != store.Quarantined {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return false, err
	}
	institution, err := t.intern(r.Institution)
	if err != nil {
		return false, err
	}
	// Behind everything: a sequence of its own in line, though the record keeps the one it entered with.
	t.w.sequence++
	if _, err := t.c.exec("UPDATE record SET state = ?, reason = '', finished = 0 WHERE sequence = ?", codeReceived, r.Sequence); err != nil {
		return false, err
	}
	return true, t.queue(t.w.sequence<<placeBits, r.Sequence, institution, r.Format == store.Delivery, r.Lanes)
}
