package sqlite

import (
	"context"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Compartment returns what belongs to some Patients, see store.Reader.
func (s *Store) Compartment(ctx context.Context, q store.CompartmentQuery) (page store.Page, err error) {
	err = s.reading(ctx, func(v view) error {
		page, err = v.compartment(ctx, q)
		return err
	})
	return page, err
}

func (v view) compartment(client context.Context, q store.CompartmentQuery) (store.Page, error) {
	page := store.Page{Total: -1, AsOf: q.AsOf}
	if q.Count < 0 {
		return page, fault.New(fault.Invalid, "a compartment needs a page size")
	}
	if q.Count > v.s.opt.PageCount {
		return page, fault.Newf(fault.TooCostly, "a page holds at most %d", v.s.opt.PageCount)
	}
	if page.AsOf == 0 {
		page.AsOf = v.s.latest.Load()
	}
	ctx, cancel := context.WithTimeout(client, v.s.opt.SearchTime)
	defer cancel()
	b, err := newBuilder(v, q.Allowed)
	if err != nil {
		return page, err
	}
	defer b.close()
	patients := make([]any, 0, len(q.Patients))
	for _, p := range q.Patients {
		if p != "" {
			patients = append(patients, p)
		}
	}
	if err := b.spend(len(patients) + len(q.Types)); err != nil {
		return page, err
	}
	var w where
	if err := b.allow(0, &w); err != nil {
		return page, err
	}
	if w.none || len(patients) == 0 || q.Count == 0 {
		return page, nil
	}
	cond := list("r.patient", patients)
	cond.sql = "r.deleted = 0 AND r.patient <> '' AND " + cond.sql
	allowed := w.cond.at("r")
	cond.add(allowed.sql, allowed.args...)
	if q.Types != nil {
		var types []any
		for _, typ := range q.Types {
			id, ok, err := v.nameID(typ)
			if err != nil {
				return page, err
			}
			if ok {
				types = append(types, id)
			}
		}
		if len(types) == 0 {
			return page, nil
		}
		in := list("r.type", types)
		cond.add(" AND "+in.sql, in.args...)
	}
	if !q.Since.IsZero() {
		cond.add(" AND r.updated >= ?", q.Since.UnixMicro())
	}
	if q.AsOf > 0 {
		cond.add(" AND r.change <= ?", q.AsOf)
	}
	if q.After != nil {
		typ, id, ok := strings.Cut(q.After.ID, "/")
		if !ok {
			return page, errPosition
		}
		cond.add(" AND (n.text, r.id) > (?, ?)", typ, id)
	}
	sql := "WITH hit AS MATERIALIZED (SELECT r.rid AS rid, r.change AS change, n.text AS type FROM resource r INDEXED BY resource_patient " +
		"CROSS JOIN name n ON n.id = r.type WHERE " + cond.sql + " ORDER BY n.text, r.id" + limited(q.Count+1) + ") SELECT " + currentColumns +
		", (SELECT max(change) FROM version), r.id, h.type FROM hit h CROSS JOIN resource r ON r.rid = h.rid " +
		"CROSS JOIN version v ON v.change = h.change"
	var owners []int64
	more := false
	err = v.c.query(ctx, sql, cond.args, func(row row) error {
		if q.AsOf == 0 {
			page.AsOf = row.int(columnLatest)
		}
		if more = len(page.Rows) == q.Count; more {
			return ctx.Err()
		}
		found := store.Version{Key: store.Key{Type: row.text(columnID + 1), ID: row.text(columnID)}}
		owner, err := scanVersion(&found, row)
		if err != nil {
			return err
		}
		owners = append(owners, owner)
		page.Rows = append(page.Rows, found)
		return ctx.Err()
	})
	for i := 0; err == nil && i < len(page.Rows); i++ {
		page.Rows[i].Owner, err = v.nameText(owners[i])
	}
	if more {
		last := page.Rows[len(page.Rows)-1]
		page.Next = &search.Position{ID: last.String()}
	}
	return page, tooCostly(client, err)
}
