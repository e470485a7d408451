package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

// horizon is what was written up to a moment: all that has a time up to last, but for
// the transactions that were open then.
type horizon struct {
	last int64
	open []int64 // ascending
}

// horizonOf asks for the horizon. What is asked behind it in the same trip sees all
// that is within.
func (v view) horizonOf(h *horizon) *question {
	_, inside := v.q.(*tx)
	return ask(fragment{"SELECT open_stamps(?)", []any{!inside}}, func(rows pgx.Rows) error {
		var times []int64
		if err := rows.Scan(&times); err != nil {
			return err
		}
		h.last = times[len(times)-1]
		h.open = times[:len(times)-1]
		for i, at := range h.open {
			if at > h.last { // began in between
				h.open = h.open[:i]
				break
			}
		}
		v.s.took(h.last)
		return nil
	})
}

// settled is the first change that is not certain to be preceded by all others.
func (h *horizon) settled() int64 {
	if len(h.open) > 0 {
		return changeAt(h.open[0])
	}
	return h.asOf() + 1
}

// asOf is the last change within the horizon.
func (h *horizon) asOf() int64 { return changeAt(h.last) + maxChanges - 1 }

// Changes returns what changed after a place in the order of changes.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (list []store.Change, err error) {
	err = s.reading(ctx, func(v view) error {
		settled, err := v.settled(ctx)
		if err != nil {
			return err
		}
		list, err = v.changes(ctx, after, settled, limit)
		return err
	})
	return list, err
}

// changes are those after one place and before another.
func (v view) changes(ctx context.Context, after, before int64, limit int) (list []store.Change, err error) {
	var types, owners []int32
	err = v.q.query(ctx, ask(fragment{`SELECT v.change, r.type, r.id, v.number, v.deleted, v.owner, v.updated
FROM version v JOIN resource r ON r.rid = v.rid WHERE v.change > ? AND v.change < ? ORDER BY v.change` + limited(rows(limit)),
		[]any{after, before}}, func(rows pgx.Rows) error {
		var c store.Change
		var typ, owner int32
		var id []byte
		var updated int64
		err := rows.Scan(&c.Change, &typ, &id, &c.Number, &c.Deleted, &owner, &updated)
		c.ID, c.Updated = string(id), microTime(updated)
		list, types, owners = append(list, c), append(types, typ), append(owners, owner)
		return err
	}))
	for i := 0; err == nil && i < len(list); i++ {
		if list[i].Type, err = v.s.names.text(ctx, types[i]); err == nil {
			list[i].Owner, err = v.s.names.text(ctx, owners[i])
		}
	}
	return list, err
}

// settled asks, in a trip of its own, up to where nothing can come in between.
func (v view) settled(ctx context.Context) (int64, error) {
	var h horizon
	err := v.q.query(ctx, v.horizonOf(&h))
	return h.settled(), err
}

// Versions returns the history of a type or of everything, see store.HistoryQuery.
func (s *Store) Versions(ctx context.Context, q store.HistoryQuery) (page store.HistoryPage, err error) {
	client := ctx
	ctx, cancel := context.WithTimeout(client, s.opt.SearchTime)
	defer cancel()
	err = s.reading(ctx, func(v view) error {
		settled, err := v.settled(ctx)
		if err != nil {
			return err
		}
		page, err = v.versions(ctx, q, settled)
		return err
	})
	return page, tooCostly(client, err)
}

// versions are those of a query before a place in the order of changes.
func (v view) versions(ctx context.Context, q store.HistoryQuery, before int64) (page store.HistoryPage, err error) {
	from := int64(math.MinInt64)
	if q.Before > 0 {
		before = min(before, q.Before)
	}
	if !q.Until.IsZero() {
		before = min(before, changeAt(q.Until.UnixMicro()))
	}
	if !q.Since.IsZero() {
		from = changeAt(q.Since.UnixMicro())
		if ns := q.Since.Nanosecond(); ns%1000 != 0 {
			from = changeAt(q.Since.UnixMicro() + 1)
		}
	}
	b, err := newBuilder(ctx, v, q.Allowed)
	if err != nil {
		return page, err
	}
	var w where
	if err := b.allow(0, &w); err != nil || w.none {
		return page, err
	}
	f := fragment{sql: "SELECT " + versionColumns + " FROM version v JOIN resource r ON r.rid = v.rid WHERE v.change < ? AND v.change >= ?",
		args: []any{before, from}}
	f.append(w.cond.at("v"))
	if q.Type != "" {
		typ, ok, err := v.s.names.id(ctx, q.Type)
		if err != nil || !ok {
			return page, err
		}
		f.add(" AND r.type = ?", typ)
	}
	f.add(partSQL[q.Part])
	limit := rows(q.Limit)
	f.sql += " ORDER BY v.change DESC" + limited(limit+1)
	list, err := v.versionsOf(ctx, f)
	if err != nil {
		return page, err
	}
	page.More = len(list) > limit
	page.Rows = slices.Clip(list[:min(len(list), limit)])
	if len(page.Rows) == 0 {
		page.Rows = nil
	}
	return page, nil
}

// partSQL chooses between the versions of a history.
var partSQL = map[store.Part]string{store.Replaced: " AND v.change <> r.change", store.Removed: " AND v.change = r.change AND v.deleted"}

// Scan returns current resources of a type by id.
func (s *Store) Scan(ctx context.Context, typ, after string, limit int) (list []store.Version, err error) {
	err = s.reading(ctx, func(v view) error {
		list = nil
		number, ok, err := v.s.names.id(ctx, typ)
		if err != nil || !ok {
			return err
		}
		list, err = v.versionsOf(ctx, fragment{"SELECT " + currentColumns + ` FROM resource r JOIN version v ON v.change = r.change
WHERE r.type = ? AND r.id > ? AND NOT r.deleted ORDER BY r.id` + limited(rows(limit)), []any{number, []byte(after)}})
		return err
	})
	return list, err
}
