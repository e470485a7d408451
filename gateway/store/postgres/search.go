package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Search answers one page of a query, see store.Reader.
func (s *Store) Search(ctx context.Context, q *search.Query) (page store.Page, err error) {
	client := ctx
	ctx, cancel := context.WithTimeout(client, s.opt.SearchTime)
	defer cancel()
	err = s.reading(ctx, func(v view) error {
		page, err = v.search(ctx, q)
		return err
	})
	return page, tooCostly(client, err)
}

func (v view) search(ctx context.Context, q *search.Query) (store.Page, error) {
	page := store.Page{Total: -1, AsOf: q.AsOf}
	if q.Type == "" || q.Count < 0 {
		return page, fault.New(fault.Invalid, "a search needs a type and a page size")
	}
	if q.Count > v.s.opt.PageCount {
		return page, fault.Newf(fault.TooCostly, "a page holds at most %d", v.s.opt.PageCount)
	}
	b, err := newBuilder(ctx, v, q.Allowed)
	if err != nil {
		return page, err
	}
	w, err := b.compile(q.Type, q.Where, 0)
	if err != nil {
		return page, b.tooCostly(err)
	}
	if w.none {
		if page.AsOf == 0 {
			page.AsOf = (&horizon{last: v.s.latest.Load()}).asOf()
		}
		if q.Total != search.TotalNone {
			page.Total = 0
		}
		return page, nil
	}
	p, err := b.plan(q, w)
	if err != nil {
		return page, b.tooCostly(err)
	}
	return page, b.tooCostly(v.page(ctx, q, p, &page))
}

// tooCostly names the end of a statement's time; inside a transaction nobody else does.
func (b *builder) tooCostly(err error) error {
	if code(err) == codeCanceled && b.ctx.Err() == nil {
		return tooCostly(context.Background(), err)
	}
	return err
}

// plan is the SQL of one page and of the count. Rows of page: version columns, rid, the
// sort keys.
type plan struct {
	page, count fragment
	types       []sortType
	horizon     horizon // of the first page; none on the first
	mark        string  // what a position begins with where the order is that of a listing
}

// hitColumns are what a hit keeps of resource r, so that nothing is looked up there again for what is on the page.
const hitColumns = "r.rid AS rid, r.change AS change, r.type AS type, r.id AS id, r.stamp_time AS stamp_time, r.stamp_sequence AS stamp_sequence"

// hits is the start of a statement: from where, and under which condition.
type hits struct{ from, cond fragment }

func (h hits) rows(columns string) fragment {
	f := fragment{sql: "SELECT " + columns + " FROM "}
	f.append(h.from)
	f.sql += " WHERE "
	f.append(h.cond)
	return f
}

func (b *builder) plan(q *search.Query, w where) (plan, error) {
	var p plan
	best, size, common, err := b.rarest(w.sources, false)
	if err != nil {
		return p, err
	}
	listed, err := b.inOrder(q, &w, best, size)
	if err != nil {
		return p, err
	}
	var keys []fragment
	for _, s := range q.Sort {
		k, typ, err := b.sortKey(q.Type, s)
		if err != nil {
			return p, err
		}
		keys, p.types = append(keys, k.at("r")), append(p.types, typ)
	}
	var after []any
	var asOf fragment
	if q.AsOf > 0 {
		asOf.add(" AND @.change <= ?", q.AsOf)
	}
	total := asOf
	position := q.After
	if listed != nil && len(q.Sort) == 0 {
		p.mark, p.types = listed.listing.mark(), []sortType{sortInt}
		if position != nil {
			position = &search.Position{Keys: position.Keys[1:], ID: position.ID}
		}
	}
	if position != nil {
		if after, p.horizon, err = decodePosition(position, p.types); err != nil {
			return p, err
		}
		asOf.sql += " AND "
		asOf.append(p.horizon.within())
	}
	start := func(driver *source, asOf fragment, behind any) hits {
		cond := w.but(driver)
		cond.append(asOf)
		h := hits{fragment{sql: "resource r"}, cond.at("r")}
		if driver != nil {
			h.from = driver.drive("r", w.met(driver, driver.dated), behind)
		}
		return h
	}
	b.total(q, start(best, total, nil), &p)
	date, byDate, err := b.walks(q)
	if err != nil {
		return p, err
	}
	down := len(q.Sort) > 0 && q.Sort[len(q.Sort)-1].Down
	order := ""
	if down {
		order = " DESC"
	}
	var keyed, hit fragment
	by := "h.rid"
	switch {
	case listed != nil:
		x := stream{of: listed, sorted: len(q.Sort) > 0, down: down, asOf: asOf, after: after}
		if x.sorted {
			x.key = keys[0]
		} else if after != nil && after[0] == nil {
			return p, errPosition
		}
		keyed, hit = b.stream(q, w, x)
		by = "h.k0" + order + " NULLS LAST, h.rid" + order
	case len(q.Sort) == 0:
		rid := "dr.rid"
		if best == nil || common && !best.ordered {
			best, rid = nil, "r.rid" // common and unordered: the page fills soon in the order of the type
		}
		var behind any
		if after != nil {
			behind = after[0]
		}
		hit = start(best, asOf, behind).rows(hitColumns)
		if after != nil {
			hit.add(" AND "+rid+" > ?", behind)
		}
		hit.sql += " ORDER BY " + rid
	case len(q.Sort) == 1 && q.Sort[0].Param == paramUpdated && (best == nil || common):
		hit = start(nil, asOf, nil).rows(hitColumns + ", r.updated AS k0")
		if after != nil {
			if after[0] == nil {
				return p, errPosition
			}
			op := ">"
			if down {
				op = "<"
			}
			hit.add(" AND (r.updated, r.rid) "+op+" (?, ?)", after...)
		}
		by = "h.k0" + order + ", h.rid" + order
		hit.sql += " ORDER BY r.updated" + order + ", r.rid" + order
	case byDate && (after == nil || after[0] != nil):
		keyed, hit = b.walk(q, w, walk{date: date, key: keys[0], best: best, asOf: asOf, after: after})
		by = "h.k0" + order + " NULLS LAST, h.rid" + order
	default:
		var names, sorted []string
		var downs []bool
		columns := fragment{sql: hitColumns}
		for i, s := range q.Sort {
			name := "k" + strconv.Itoa(i)
			columns.add(", "+keys[i].sql+" AS "+name, keys[i].args...)
			dir := ""
			if s.Down {
				dir = " DESC"
			}
			sorted = append(sorted, "h."+name+dir+" NULLS LAST")
			names, downs = append(names, "h."+name), append(downs, s.Down)
		}
		// Materialized, so that each key is looked up once however often it is compared.
		h := start(best, asOf, nil)
		keyed.sql = "keyed AS MATERIALIZED (SELECT "
		keyed.append(columns)
		keyed.sql += " FROM "
		keyed.append(h.from)
		keyed.sql += " WHERE "
		keyed.append(h.cond)
		keyed.sql += "), "
		hit.sql = "SELECT * FROM keyed h"
		if after != nil {
			hit.sql += " WHERE "
			hit.append(beyond(append(names, "h.rid"), append(downs, down), after))
		}
		by = strings.Join(sorted, ", ") + ", h.rid" + order
		hit.sql += " ORDER BY " + by
	}
	hit.sql += limited(q.Count + 1)
	p.page.sql = "WITH "
	p.page.append(keyed)
	p.page.sql += "hit AS MATERIALIZED ("
	p.page.append(hit)
	p.page.sql += ") SELECT " + strings.ReplaceAll(currentColumns, "r.", "h.") + ", h.rid"
	for i := range p.types {
		p.page.sql += ", h.k" + strconv.Itoa(i)
	}
	p.page.sql += " FROM hit h JOIN version v ON v.change = h.change ORDER BY " + by
	return p, nil
}

// estimateRows is how many matches an estimated total counts.
const estimateRows = 10_000

// total plans the count: an estimate counts some, and takes all of the type where there
// are more and nothing narrows.
func (b *builder) total(q *search.Query, h hits, p *plan) {
	switch q.Total {
	case search.TotalAccurate:
		p.count = h.rows("count(*)")
	case search.TotalEstimate:
		p.count.sql = "SELECT count(*) FROM ("
		p.count.append(h.rows("1"))
		p.count.sql += limited(estimateRows) + ") c"
	}
}

const beginIsolatedSQL = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// page runs the plan.
func (v view) page(ctx context.Context, q *search.Query, p plan, page *store.Page) error {
	h := p.horizon
	var list []*question
	if q.After == nil {
		list = append(list, v.horizonOf(&h))
	}
	own, inside := v.q.(*tx)
	both := q.Total != search.TotalNone && q.Count > 0 && !inside
	if both { // rows and total come from one state of the database, which the first statement decides
		if len(list) > 0 {
			if err := v.q.query(ctx, list...); err != nil {
				return err
			}
		}
		list = append([]*question{}, ask(fragment{sql: beginIsolatedSQL}, nil))
	}
	if q.Total != search.TotalNone {
		list = append(list, ask(p.count, func(rows pgx.Rows) error { return rows.Scan(&page.Total) }))
	}
	var rows0 found
	last := make([]any, len(p.types))
	to := make([]any, 1, 1+len(last))
	var rid int64
	to[0] = &rid
	texts, ints, numbers := make([][]byte, len(last)), make([]*int64, len(last)), make([]*float64, len(last))
	for i, typ := range p.types {
		switch typ {
		case sortText:
			to = append(to, &texts[i])
		case sortInt:
			to = append(to, &ints[i])
		case sortNumber:
			to = append(to, &numbers[i])
		}
	}
	more := false
	var position []string
	if q.Count > 0 {
		list = append(list, ask(p.page, func(rows pgx.Rows) error {
			if more = len(rows0.list) == q.Count; more {
				return nil
			}
			if err := rows0.scan(rows, to...); err != nil {
				return err
			}
			if len(rows0.list) < q.Count {
				return nil
			}
			if p.mark != "" {
				position = append(position, p.mark)
			}
			for i := range p.types { // one of them has the key
				switch {
				case ints[i] != nil:
					position = append(position, encodeKey(*ints[i]))
				case numbers[i] != nil:
					position = append(position, encodeKey(*numbers[i]))
				default:
					position = append(position, encodeKey(texts[i]))
				}
			}
			position = append(position, encodeKey(rid))
			return nil
		}))
	}
	if both {
		list = append(list[:1:1], withBitmaps(list[1:])...)
		list = append(list, ask(fragment{sql: "COMMIT"}, nil))
	}
	if len(list) > 0 {
		if err := v.q.query(ctx, list...); err != nil {
			return err
		}
	}
	rows, err := rows0.finish(ctx, v.s)
	if err != nil {
		return err
	}
	page.Rows = rows
	if page.AsOf == 0 {
		page.AsOf = h.asOf()
	}
	if more {
		if inside {
			h.open = slices.DeleteFunc(slices.Clone(h.open), func(at int64) bool { return at == own.at })
		}
		page.Next = &search.Position{Keys: append(position, h.encode()), ID: rows[len(rows)-1].ID}
	}
	return nil
}
