package sqlite

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Search answers one page of a query, see store.Reader.
func (s *Store) Search(ctx context.Context, q *search.Query) (page store.Page, err error) {
	err = s.reading(ctx, func(v view) error {
		page, err = v.search(ctx, q)
		return err
	})
	return page, err
}

func (v view) search(client context.Context, q *search.Query) (store.Page, error) {
	page := store.Page{Total: -1, AsOf: q.AsOf}
	if q.Type == "" || q.Count < 0 {
		return page, fault.New(fault.Invalid, "a search needs a type and a page size")
	}
	if q.Count > v.s.opt.PageCount {
		return page, fault.Newf(fault.TooCostly, "a page holds at most %d", v.s.opt.PageCount)
	}
	ctx, cancel := context.WithTimeout(client, v.s.opt.SearchTime)
	defer cancel()
	b, err := newBuilder(v, q.Allowed)
	if err != nil {
		return page, err
	}
	defer b.close()
	w, err := b.compile(q.Type, q.Where, 0)
	if err != nil {
		return page, tooCostly(client, err)
	}
	if w.none {
		if page.AsOf == 0 {
			page.AsOf = v.s.latest.Load()
		}
		if q.Total != search.TotalNone {
			page.Total = 0
		}
		return page, nil
	}
	plan, err := b.plan(q, w)
	if err != nil {
		return page, tooCostly(client, err)
	}
	if q.Total == search.TotalNone {
		return page, tooCostly(client, v.page(ctx, q, plan, &page))
	}
	both := func() error {
		err := v.c.query(ctx, plan.count.sql, plan.count.args, func(row row) error {
			page.Total = int(row.int(0))
			return nil
		})
		if err != nil {
			return err
		}
		return v.page(ctx, q, plan, &page)
	}
	if v.fresh != nil { // within a transaction
		return page, tooCostly(client, both())
	}
	return page, tooCostly(client, v.c.snapshot(both)) // rows and total come from one state of the database
}

func newBuilder(v view, allowed search.Allowed) (*builder, error) {
	b := &builder{v: v, allowed: allowed, budget: v.s.opt.MaxOperands}
	if len(allowed.Patients) > 1 {
		text, err := json.Marshal(allowed.Patients)
		if err != nil {
			return nil, err
		}
		b.patients = string(text)
	}
	return b, nil
}

// plan is the SQL of one page and of the count. Rows of page: rid, the sort keys,
// resource and version columns, the last change of the database.
type plan struct {
	page, count fragment
	mark        string // what a position begins with where the order is that of a listing
}

func (b *builder) plan(q *search.Query, w where) (plan, error) {
	var p plan
	best, size, common, err := b.rarest(w.sources, false)
	if err != nil {
		return p, err
	}
	inOrder, err := b.inOrder(q, &w, best, size)
	if err != nil {
		return p, err
	}
	asked := func(driver *source) fragment {
		cond := w.but(driver).at("r")
		if q.AsOf > 0 {
			cond.add(" AND r.change <= ?", q.AsOf)
		}
		return cond
	}
	cond := asked(best)
	all := fragment{sql: "resource r INDEXED BY resource_type"}
	from := all
	if best != nil {
		from = fragment{"(" + best.rids.sql + ") d CROSS JOIN resource r ON r.rid = d.rid", best.rids.args}
	}
	switch q.Total {
	case search.TotalAccurate:
		p.count.add("SELECT count(DISTINCT r.rid) FROM "+from.sql, from.args...)
		p.count.add(" WHERE "+cond.sql, cond.args...)
	case search.TotalEstimate:
		p.count.add("SELECT count(*) FROM (SELECT DISTINCT r.rid FROM "+from.sql, from.args...)
		p.count.add(" WHERE "+cond.sql+limited(b.v.s.opt.EstimateRows)+")", cond.args...)
	}
	var after []any
	if q.After != nil {
		position, n := q.After, len(q.Sort)
		if n == 0 && inOrder != nil {
			position, n = &search.Position{Keys: position.Keys[1:]}, 1
		}
		if after, err = decodeKeys(position, n); err != nil {
			return p, err
		}
	}
	down := len(q.Sort) > 0 && q.Sort[len(q.Sort)-1].Down
	order := ""
	if down {
		order = " DESC"
	}
	// hit finds the page and nothing more, all of it in the first step of the statement, where it can be
	// interrupted; bodies are fetched for what it found.
	var keyed, hit fragment
	keyCount := len(q.Sort)
	switch {
	case inOrder != nil:
		keyCount = 1
		if len(q.Sort) == 0 {
			p.mark = inOrder.mark()
		}
		from, reads := inOrder.stream()
		cond := asked(nil)
		hit.add("SELECT r.rid AS rid, r.change AS change, nullif(x.at, 0) AS k0 FROM "+from+" WHERE "+reads.sql+" AND "+cond.sql,
			append(reads.args, cond.args...)...)
		if after != nil {
			if after[0] == nil {
				after[0] = int64(atNone)
			}
			op := ">"
			if down {
				op = "<"
			}
			hit.add(" AND (x.at, x.rid) "+op+" (?, ?)", after...)
		}
		hit.add(" ORDER BY x.at" + order + ", x.rid" + order)
	case len(q.Sort) == 0:
		rid := "r.rid"
		if best != nil && (best.ordered || !common) {
			rid = "d.rid"
		} else {
			from, cond = all, asked(nil) // common and unordered: the page fills soon in the order of the type
		}
		hit.add("SELECT r.rid AS rid, r.change AS change FROM "+from.sql, from.args...)
		hit.add(" WHERE "+cond.sql, cond.args...)
		if after != nil {
			hit.add(" AND "+rid+" > ?", after[0])
		}
		if rid == "d.rid" {
			hit.add(" GROUP BY d.rid")
		}
		hit.add(" ORDER BY " + rid)
	case len(q.Sort) == 1 && q.Sort[0].Param == paramUpdated && (best == nil || common):
		cond = asked(nil)
		hit.add("SELECT r.rid AS rid, r.change AS change, r.updated AS k0 FROM resource r INDEXED BY resource_updated WHERE "+
			cond.sql, cond.args...)
		if after != nil {
			op := ">"
			if down {
				op = "<"
			}
			hit.add(" AND (r.updated, r.rid) "+op+" (?, ?)", after...)
		}
		hit.add(" ORDER BY r.updated" + order + ", r.rid" + order)
	default:
		var columns, by, names []string
		var downs []bool
		keys := fragment{}
		for i, s := range q.Sort {
			k, err := b.sortKey(q.Type, s)
			if err != nil {
				return p, err
			}
			k = k.at("r")
			name := "k" + strconv.Itoa(i)
			keys.add(", "+k.sql+" AS "+name, k.args...)
			columns = append(columns, ", "+name)
			dir := ""
			if s.Down {
				dir = " DESC"
			}
			by = append(by, name+" IS NULL", name+dir)
			names, downs = append(names, name), append(downs, s.Down)
		}
		// Materialized, so that each key is looked up once however often it is compared.
		keyed.add("keyed AS MATERIALIZED (SELECT r.rid AS rid, r.change AS change"+keys.sql+" FROM "+from.sql, append(keys.args, from.args...)...)
		keyed.add(" WHERE "+cond.sql+" GROUP BY r.rid), ", cond.args...)
		hit.add("SELECT rid, change" + strings.Join(columns, "") + " FROM keyed")
		if after != nil {
			far := beyond(append(names, "rid"), append(downs, down), after)
			hit.add(" WHERE "+far.sql, far.args...)
		}
		hit.add(" ORDER BY " + strings.Join(by, ", ") + ", rid" + order)
	}
	hit.add(limited(q.Count + 1))
	keys := ""
	for i := range keyCount {
		keys += ", h.k" + strconv.Itoa(i)
	}
	p.page = keyed
	p.page.sql = "WITH " + p.page.sql
	p.page.add("hit AS MATERIALIZED ("+hit.sql+") SELECT "+currentColumns+
		", (SELECT max(change) FROM version), r.id, h.rid"+keys+
		" FROM hit h CROSS JOIN resource r ON r.rid = h.rid CROSS JOIN version v ON v.change = h.change", hit.args...)
	return p, nil
}

// Columns of a page's rows behind currentColumns.
const (
	columnLatest = 11 + iota
	columnID
	columnRID
	columnKeys
)

// page runs the plan.
func (v view) page(ctx context.Context, q *search.Query, p plan, page *store.Page) error {
	if q.Count == 0 {
		if page.AsOf == 0 {
			page.AsOf = v.s.latest.Load()
		}
		return nil
	}
	var owners []int64
	var last []string
	latest := v.s.latest.Load()
	more := false
	err := v.c.query(ctx, p.page.sql, p.page.args, func(row row) error {
		latest = row.int(columnLatest)
		if more = len(page.Rows) == q.Count; more {
			return ctx.Err()
		}
		found := store.Version{Key: store.Key{Type: q.Type, ID: row.text(columnID)}}
		owner, err := scanVersion(&found, row)
		if err != nil {
			return err
		}
		owners = append(owners, owner)
		page.Rows = append(page.Rows, found)
		if len(page.Rows) == q.Count {
			if last = last[:0]; p.mark != "" {
				last = append(last, p.mark)
			}
			for i := columnKeys; i < row.count; i++ {
				last = append(last, encodeKey(row.value(i)))
			}
			last = append(last, encodeKey(row.value(columnRID)))
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for i := range page.Rows {
		if page.Rows[i].Owner, err = v.nameText(owners[i]); err != nil {
			return err
		}
	}
	if page.AsOf == 0 {
		page.AsOf = latest
	}
	if more {
		page.Next = &search.Position{Keys: last, ID: page.Rows[len(page.Rows)-1].ID}
	}
	return nil
}
