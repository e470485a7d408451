package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

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
		number, err = v.c.integer("SELECT number FROM erasure")
		return err
	})
	return number, err
}

// Expunge removes a resource with all its versions.
func (t *tx) Expunge(ctx context.Context, k store.Key) error {
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
	part, err := t.intern(k.Type + "." + asPart)
	if err != nil {
		return t.breaks(err)
	}
	if err := t.writeIndex(now.rid, &values{part: part}, now.held); err != nil {
		return t.breaks(err)
	}
	if err := t.erased(); err != nil {
		return err
	}
	for _, sql := range []string{"DELETE FROM version WHERE rid = ?", "DELETE FROM resource WHERE rid = ?"} {
		if _, err := t.c.exec(sql, now.rid); err != nil {
			return t.breaks(err)
		}
	}
	_, err = t.c.exec("DELETE FROM pending WHERE from_type = ? AND from_id = ?", k.Type, k.ID)
	return t.breaks(err)
}

// erased notes that something is being removed for good.
func (t *tx) erased() error {
	// The numbers of what goes away must not come again.
	if _, err := t.c.exec("UPDATE counter SET change = ?, updated = ?", t.w.change, t.w.updated); err != nil {
		return t.breaks(err)
	}
	if _, err := t.c.exec(eraseSQL); err != nil {
		return t.breaks(err)
	}
	t.w.scrub = true
	return nil
}

// ExpungeVersions removes versions that are not the current one.
func (t *tx) ExpungeVersions(ctx context.Context, k store.Key, numbers []int64) (int, error) {
	if err := t.ready(ctx); err != nil {
		return 0, err
	}
	now, err := t.current(k)
	switch {
	case err != nil:
		return 0, err
	case now.rid == 0:
		return 0, notFound(k)
	case slices.Contains(numbers, now.number):
		return 0, fault.New(fault.Conflict, "the current version of a resource stays")
	}
	if err := t.erased(); err != nil {
		return 0, err
	}
	gone := int64(0)
	for _, number := range numbers {
		n, err := t.c.exec("DELETE FROM version WHERE rid = ? AND number = ?", now.rid, number)
		if err != nil {
			return 0, t.breaks(err)
		}
		gone += n
	}
	return int(gone), nil
}

// EraseRecord removes what is left of a record, see store.ErasureTx.
func (t *tx) EraseRecord(ctx context.Context, id string) (bool, error) {
	if err := t.ready(ctx); err != nil {
		return false, err
	}
	var sequence, institution, state, offset, length int64
	var digest []byte
	var key string
	ok, err := t.c.one("SELECT sequence, institution, state, digest, offset, length, key FROM record WHERE id = ?", []any{id}, func(row row) {
		sequence, institution, state, digest = row.int(0), row.int(1), row.int(2), row.bytes(3)
		offset, length, key = row.int(4), row.int(5), row.text(6)
	})
	switch {
	case err != nil:
		return false, err
	case !ok:
		return false, fault.New(fault.NotFound, "no record has this id")
	case state == codeErased:
		return true, nil
	case !erasable(states[state]):
		return false, fault.Newf(fault.Conflict, "the record is %s", states[state])
	}
	if err := t.erased(); err != nil {
		return false, err
	}
	if err := t.blank(sequence); err != nil {
		return false, err
	}
	if key != "" {
		if _, err := t.c.exec("DELETE FROM applied WHERE institution = ? AND key = ?", institution, key); err != nil {
			return false, t.breaks(err)
		}
	}
	return t.overwrite(digest, offset, length)
}

// erasable reports whether a record of a state can be erased.
func erasable(s store.RecordState) bool {
	return s == store.Committed || s == store.Unchanged || s == store.Superseded
}

// blank leaves of a record that there was one.
func (t *tx) blank(sequence int64) error {
	_, err := t.c.exec(`UPDATE record SET state = ?, digest = x'', offset = 0, length = 0, name = '', place = '', key = '', hash = '', lanes = 'null',
reason = '' WHERE sequence = ?`, codeErased, sequence)
	return t.breaks(err)
}

// overwrite removes a run of archived bytes that no record needs any more.
func (t *tx) overwrite(digest []byte, offset, length int64) (bool, error) {
	var deliveries []int64
	needed, others := false, false
	err := t.c.query(context.Background(), `SELECT state, offset, length, sequence FROM record WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1`,
		[]any{digest}, func(row row) error {
			switch {
			case row.int(0) == codeSplit:
				deliveries = append(deliveries, row.int(3))
			case row.int(1) < offset+length && offset < row.int(1)+row.int(2):
				needed = true
			default:
				others = true
			}
			return nil
		})
	if err != nil || needed {
		return false, err
	}
	if named, err := t.c.integer("SELECT EXISTS (SELECT 1 FROM folder WHERE digest = ?)", digest); err != nil || named != 0 {
		return false, err
	}
	err = t.c.query(context.Background(), "SELECT blob FROM version WHERE substr(blob, 1, 32) = ? AND blob IS NOT NULL", []any{digest}, func(row row) error {
		b := decodeBlob(row.bytes(0))
		others = true
		needed = needed || b.Offset < offset+length && offset < b.Offset+b.Length
		return nil
	})
	if err != nil || needed {
		return false, err
	}
	if !others { // a delivery goes with its last record
		for _, sequence := range deliveries {
			if err := t.blank(sequence); err != nil {
				return false, err
			}
		}
		_, err := t.discard(digest)
		return err == nil, err
	}
	return true, t.zero(digest, offset, length)
}

// zero overwrites archived bytes, length from offset.
func (t *tx) zero(digest []byte, offset, length int64) error {
	archive, err := t.c.integer("SELECT id FROM archive WHERE digest = ?", digest)
	if err != nil || archive == 0 || length == 0 {
		return err
	}
	if _, err := t.c.exec("UPDATE archive SET cut = 1 WHERE id = ?", archive); err != nil {
		return t.breaks(err)
	}
	for part := offset / partBytes; part*partBytes < offset+length; part++ {
		id := archive<<partBits + part
		var content []byte
		if _, err := t.c.one("SELECT bytes FROM archive_part WHERE id = ?", []any{id}, func(row row) { content = slices.Clone(row.bytes(0)) }); err != nil {
			return err
		}
		start := part * partBytes
		clear(content[min(max(offset-start, 0), int64(len(content))):min(offset+length-start, int64(len(content)))])
		if _, err := t.c.exec("UPDATE archive_part SET bytes = ? WHERE id = ?", content, id); err != nil {
			return t.breaks(err)
		}
	}
	return nil
}

// Ineffective returns records that changed nothing, see store.Leftovers.
func (s *Store) Ineffective(ctx context.Context, institution string, lanes []string, limit int) (ids []string, err error) {
	type found struct {
		sequence int64
		id       string
	}
	var list []found
	err = s.reading(ctx, func(v view) error {
		number, ok, err := v.nameID(institution)
		if err != nil || !ok {
			return err
		}
		return v.c.query(ctx, "SELECT sequence, id, lanes FROM record WHERE institution = ? AND state IN (?, ?) AND lanes <> 'null'",
			[]any{number, stateCode(store.Unchanged), stateCode(store.Superseded)}, func(row row) error {
				var own []string
				if err := json.Unmarshal([]byte(row.text(2)), &own); err != nil {
					return err
				}
				if slices.ContainsFunc(own, func(l string) bool { return slices.Contains(lanes, l) }) {
					list = append(list, found{row.int(0), row.text(1)})
				}
				return ctx.Err()
			})
	})
	slices.SortFunc(list, func(a, b found) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, f := range list[:min(limit, len(list))] {
		ids = append(ids, f.id)
	}
	return ids, err
}
