package sqlite

import (
	"context"
	"errors"
	"math"

	"github.com/yilian/yilian/gateway/store"
)

// errEnough ends a query that has all it was asked for.
var errEnough = errors.New("enough")

// Versions returns the history of a type or of everything. One writer numbers
// changes and commits them in that order, and times never run back, so no open
// transaction can precede what is visible.
func (s *Store) Versions(ctx context.Context, q store.HistoryQuery) (page store.HistoryPage, err error) {
	err = s.reading(ctx, func(v view) error {
		page, err = v.versions(ctx, q)
		return err
	})
	return page, err
}

func (v view) versions(client context.Context, q store.HistoryQuery) (page store.HistoryPage, err error) {
	ctx, cancel := context.WithTimeout(client, v.s.opt.SearchTime)
	defer cancel()
	before, from := int64(math.MaxInt64), int64(0)
	if q.Before > 0 {
		before = q.Before
	}
	if !q.Until.IsZero() {
		bound, err := v.changeAt(q.Until.UnixMicro())
		if err != nil {
			return page, err
		}
		before = min(before, bound)
	}
	if !q.Since.IsZero() {
		if from, err = v.changeAt(q.Since.UnixMicro()); err != nil {
			return page, err
		}
	}
	b, err := newBuilder(v, q.Allowed)
	if err != nil {
		return page, err
	}
	var w where
	if err := b.allow(0, &w); err != nil || w.none {
		return page, err
	}
	cond := fragment{"v.change < ? AND v.change >= ?", []any{before, from}}
	allowed := w.cond.at("v")
	cond.add(allowed.sql, allowed.args...)
	if q.Type != "" {
		typ, ok, err := v.nameID(q.Type)
		if err != nil || !ok {
			return page, err
		}
		cond.add(" AND r.type = ?", typ)
	}
	cond.add(partSQL[q.Part])
	var types, owners []int64
	limit := rows(q.Limit)
	err = v.c.query(ctx, "SELECT "+versionColumns+", r.type, r.id FROM version v CROSS JOIN resource r ON r.rid = v.rid WHERE "+cond.sql+
		" ORDER BY v.change DESC"+limited(limit+1), cond.args, func(row row) error {
		if len(page.Rows) == limit {
			page.More = true
			return errEnough
		}
		found := store.Version{Key: store.Key{ID: row.text(columnID)}}
		owner, err := scanVersion(&found, row)
		owners, types = append(owners, owner), append(types, row.int(columnID-1))
		page.Rows = append(page.Rows, found)
		return errors.Join(err, ctx.Err())
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	for i := 0; err == nil && i < len(page.Rows); i++ {
		if page.Rows[i].Type, err = v.nameText(types[i]); err == nil {
			page.Rows[i].Owner, err = v.nameText(owners[i])
		}
	}
	return page, tooCostly(client, err)
}

// partSQL chooses between the versions of a history.
var partSQL = map[store.Part]string{store.Replaced: " AND v.change <> r.change", store.Removed: " AND v.change = r.change AND v.deleted = 1"}

// changeAt returns the first change that was made at a time or after it, one more
// than the last if there is none.
func (v view) changeAt(updated int64) (int64, error) {
	last, err := v.c.integer("SELECT coalesce(max(change), 0) FROM version")
	low, high := int64(0), last+1 // all below low are earlier, all from high on are not
	for err == nil && low < high {
		middle := low + (high-low)/2
		var change, at int64
		if _, err = v.c.one("SELECT change, updated FROM version WHERE change >= ? ORDER BY change LIMIT 1", []any{middle},
			func(row row) { change, at = row.int(0), row.int(1) }); err != nil {
			break
		}
		if at < updated {
			low = change + 1
		} else {
			high = middle
		}
	}
	return low, err
}

// Scan returns current resources of a type by id.
func (s *Store) Scan(ctx context.Context, typ, after string, limit int) (list []store.Version, err error) {
	err = s.reading(ctx, func(v view) error {
		number, ok, err := v.nameID(typ)
		if err != nil || !ok {
			return err
		}
		var owners []int64
		err = v.c.query(ctx, "SELECT "+currentColumns+`, r.id FROM resource r INDEXED BY resource_id CROSS JOIN version v ON v.change = r.change
WHERE r.type = ? AND r.id > ? AND r.deleted = 0 ORDER BY r.id`+limited(rows(limit)), []any{number, after}, func(row row) error {
			found := store.Version{Key: store.Key{Type: typ, ID: row.text(columnLatest)}}
			owner, err := scanVersion(&found, row)
			owners, list = append(owners, owner), append(list, found)
			return errors.Join(err, ctx.Err())
		})
		for i := 0; err == nil && i < len(list); i++ {
			list[i].Owner, err = v.nameText(owners[i])
		}
		return err
	})
	return list, err
}
