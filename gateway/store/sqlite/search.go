package sqlite

import (
	"context"
	"encoding/json"
	"slices"
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
	b.after = q.After != nil
	if q.Total != search.TotalNone {
		b.effort = careful
	}
	for ; ; b.effort++ {
		b.budget = v.s.opt.MaxOperands
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
		page := page
		more, err := v.answer(ctx, q, plan, &page)
		if !more {
			return page, tooCostly(client, err)
		}
	}
}

// effort is how much is found out before a page is looked for.
type effort int

const (
	bold     effort = iota // follow an order for some way, where nothing rare is seen soon
	careful                // find the rarest condition
	thorough               // and what the order of an index does not know
)

// answer runs a plan; more says that another one must.
func (v view) answer(ctx context.Context, q *search.Query, p plan, page *store.Page) (more bool, err error) {
	count := func() error {
		if q.Total == search.TotalNone {
			return nil
		}
		return v.c.query(ctx, p.count.sql, p.count.args, func(row row) error {
			page.Total = int(row.int(0))
			return nil
		})
	}
	both := func() error {
		if err := count(); err != nil {
			return err
		}
		return v.page(ctx, q, p, page)
	}
	if v.fresh != nil || q.Total == search.TotalNone { // within a transaction, or one statement
		err = both()
	} else {
		err = v.c.snapshot(both) // rows and total come from one state of the database
	}
	if p.look != nil && p.look.over {
		return true, nil
	}
	return p.open && err == nil && q.Count > 0 && page.Next == nil, err
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
	mark        string   // what a position begins with where the order is that of a listing
	look        *lookout // the statement fails when it is over
	open        bool     // more may be found than the order that is followed knows
}

func (b *builder) plan(q *search.Query, w where) (plan, error) {
	var p plan
	dated := slices.ContainsFunc(w.sources, func(s source) bool { return s.streams() && (s.listing.dated || s.listing.table == dates) })
	best, size, common, err := b.rarest(w.sources, len(q.Sort) > 0 && !dated)
	if err != nil {
		return p, err
	}
	inOrder, err := b.inOrder(q, &w, best, size)
	if err != nil {
		return p, err
	}
	if inOrder != nil && inOrder.open && b.effort == thorough {
		inOrder = nil
	}
	// within ends the statement early where nothing rare is known to drive it.
	within := func(rid string) fragment {
		if b.effort != bold || !common {
			return fragment{}
		}
		p.look = &lookout{left: lookMost}
		if slices.ContainsFunc(w.sources, func(s source) bool { return s.nested }) {
			p.look.left = lookNested
		}
		return fragment{"yl_within(?, " + rid + ") AND ", []any{b.check(&check{look: p.look})}}
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
		from, by, key, reads := inOrder.stream()
		cond, within := asked(nil), within("x.rid")
		p.open = inOrder.open
		hit.add("SELECT r.rid AS rid, r.change AS change, "+key+" AS k0 FROM "+from+" WHERE "+within.sql+reads.sql+" AND "+cond.sql,
			append(append(within.args, reads.args...), cond.args...)...)
		if after != nil {
			if after[0] == nil {
				after[0] = int64(atNone)
			}
			op := ">"
			if down {
				op = "<"
			}
			hit.add(" AND ("+by+", x.rid) "+op+" (?, ?)", after...)
		}
		hit.add(" ORDER BY " + by + order + ", x.rid" + order)
	case len(q.Sort) == 0:
		rid := "r.rid"
		var soon fragment
		if best != nil && (best.ordered || !common) {
			rid = "d.rid"
		} else {
			from, cond = all, asked(nil) // common and unordered: the page fills soon in the order of the type
			soon = within("r.rid")
		}
		hit.add("SELECT r.rid AS rid, r.change AS change FROM "+from.sql, from.args...)
		hit.add(" WHERE "+soon.sql+cond.sql, append(soon.args, cond.args...)...)
		if after != nil {
			hit.add(" AND "+rid+" > ?", after[0])
		}
		if rid == "d.rid" {
			hit.add(" GROUP BY d.rid")
		}
		hit.add(" ORDER BY " + rid)
	case len(q.Sort) == 1 && q.Sort[0].Param == paramUpdated && (best == nil || common):
		cond = asked(nil)
		soon := within("r.rid")
		hit.add("SELECT r.rid AS rid, r.change AS change, r.updated AS k0 FROM resource r INDEXED BY resource_updated WHERE "+
			soon.sql+cond.sql, append(soon.args, cond.args...)...)
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
