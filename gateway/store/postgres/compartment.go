package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Compartment returns what belongs to some Patients, see store.Reader.
func (s *Store) Compartment(ctx context.Context, q store.CompartmentQuery) (page store.Page, err error) {
	client := ctx
	ctx, cancel := context.WithTimeout(client, s.opt.SearchTime)
	defer cancel()
	err = s.reading(ctx, func(v view) error {
		page, err = v.compartment(ctx, q)
		return err
	})
	return page, tooCostly(client, err)
}

func (v view) compartment(ctx context.Context, q store.CompartmentQuery) (store.Page, error) {
	page := store.Page{Total: -1, AsOf: q.AsOf}
	if q.Count < 0 {
		return page, fault.New(fault.Invalid, "a compartment needs a page size")
	}
	if q.Count > v.s.opt.PageCount {
		return page, fault.Newf(fault.TooCostly, "a page holds at most %d", v.s.opt.PageCount)
	}
	if page.AsOf == 0 {
		page.AsOf = (&horizon{last: v.s.latest.Load()}).asOf()
	}
	b, err := newBuilder(ctx, v, q.Allowed)
	if err != nil {
		return page, err
	}
	patients := bytesOf(q.Patients)
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
	cond := fragment{"NOT r.deleted AND r.patient <> '' AND r.patient = ANY(?)", []any{patients}}
	cond.append(w.cond.at("r"))
	if q.Types != nil {
		types := []int32{}
		for _, typ := range q.Types {
			id, ok, err := b.name(typ)
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
		cond.add(" AND r.type = ANY(?)", types)
	}
	if !q.Since.IsZero() {
		cond.add(" AND r.updated >= ?", q.Since.UnixMicro())
	}
	if q.AsOf > 0 {
		cond.add(" AND r.change <= ?", q.AsOf)
	}
	var h horizon
	var list []*question
	if q.After == nil {
		list = append(list, v.horizonOf(&h))
	} else {
		typ, id, ok := strings.Cut(q.After.ID, "/")
		if !ok || len(q.After.Keys) != 1 {
			return page, errPosition
		}
		if h, err = decodeHorizon(q.After.Keys[0]); err != nil {
			return page, err
		}
		cond.add(" AND (n.text, r.id) > (?, ?) AND ", []byte(typ), []byte(id))
		cond.append(h.within().at("r"))
	}
	f := fragment{sql: "WITH hit AS MATERIALIZED (SELECT r.rid AS rid, r.change AS change, n.text AS type FROM resource r JOIN name n ON n.id = r.type WHERE "}
	f.append(cond)
	f.sql += " ORDER BY n.text, r.id" + limited(q.Count+1) + ") SELECT " + currentColumns +
		" FROM hit h JOIN resource r ON r.rid = h.rid JOIN version v ON v.change = h.change ORDER BY h.type, r.id"
	more := false
	var rows0 found
	list = append(list, ask(f, func(rows pgx.Rows) error {
		if more = len(rows0.list) == q.Count; more {
			return nil
		}
		return rows0.scan(rows)
	}))
	if err := v.q.query(ctx, list...); err != nil {
		return page, err
	}
	if page.Rows, err = rows0.finish(ctx, v.s); err != nil {
		return page, err
	}
	if q.AsOf == 0 {
		page.AsOf = h.asOf()
	}
	if more {
		page.Next = &search.Position{Keys: []string{h.encode()}, ID: page.Rows[len(page.Rows)-1].String()}
	}
	return page, nil
}
