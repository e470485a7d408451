package postgres

import (
	"strconv"

	"github.com/yilian/yilian/gateway/search"
)

// walkFrom is how many resources a condition must list for it to be worth walking the
// dates of a type in order; fewer are read and sorted.
const walkFrom = 128

// walkSteps is how many dates take about as long to walk past as one resource to read
// and sort.
const walkSteps = 4

// walks returns the parameter by whose date alone a search is sorted.
func (b *builder) walks(q *search.Query) (pid int32, ok bool, err error) {
	if len(q.Sort) != 1 || q.Sort[0].Kind != search.KindDate || q.Sort[0].Param == paramUpdated {
		return 0, false, nil
	}
	return b.pid(q.Type, q.Sort[0].Param, "")
}

// walk is a page in the order of a date.
type walk struct {
	date  int32
	key   fragment // the sort key of r
	best  *source  // nil: all of the type
	asOf  fragment // of @
	after []any    // the key and rid of the last one, nil on the first page
}

// dates are the bounds of the leading date that conditions leave.
func (w *where) dates() (from, to int64) {
	from, to = search.MinTime, search.MaxTime
	for i := range w.sources {
		if s := &w.sources[i]; s.leading {
			from, to = max(from, s.from), min(to, s.to)
		}
	}
	return from, to
}

// walk plans such a page. Which way is quicker depends on how many resources the driver
// lists, and is decided where that is known: few are read and sorted; of many, the dates
// of the type are walked in order and index_key is asked of each, until the page is full
// or reading all would have taken no longer; where the driver lists more than can be
// counted, or there is none, the walk goes on to the end. What has no date comes last.
//
// Both returned are for a WITH: what precedes hit, and hit.
func (b *builder) walk(q *search.Query, w where, x walk) (with, hit fragment) {
	order, behind, down := "", ">", q.Sort[0].Down
	if down {
		order, behind = " DESC", "<"
	}
	most := strconv.Itoa(b.v.s.opt.ScanFrom)
	page := limited(q.Count + 1)
	full := "(SELECT count(*) FROM walk) > " + strconv.Itoa(q.Count)
	cond := func(driver *source) fragment {
		f := w.but(driver)
		f.append(x.asOf)
		return f.at("r")
	}

	limit, endless := "", ""
	if x.best != nil {
		with.add("few AS MATERIALIZED (SELECT z.rid, z.at FROM ("+x.best.rids.sql+") z LIMIT "+most+"), n AS MATERIALIZED (SELECT count(*) AS n FROM few), ",
			x.best.rids.args...)
		limit = " LIMIT (SELECT CASE WHEN n.n >= " + most + " THEN NULL WHEN n.n < " + strconv.Itoa(walkFrom) + " THEN 0 ELSE " +
			strconv.Itoa(walkSteps) + " * n.n END FROM n)"
		endless = "(SELECT n.n FROM n) >= " + most
	}
	leading := q.Sort[0].Param == search.LeadingDate(q.Type)
	with.sql += "walk AS MATERIALIZED (SELECT " + hitColumns + ", dr.low AS k0 FROM (SELECT * FROM (" +
		"SELECT u.*, CASE WHEN u.class <> 1 AND u.low > 1 THEN u.low ELSE 1 END AS at FROM (" // atOther
	from, to := w.dates()
	for class := range classDay + 1 {
		if class > 0 {
			with.sql += " UNION ALL "
		}
		with.add("(SELECT y.low, y.rid, y.class FROM index_date y WHERE y.pid = ? AND y.class = "+strconv.Itoa(class), x.date)
		if leading && class != classOther && (from > search.MinTime || to < search.MaxTime) {
			with.add(" AND y.low >= ? AND y.low <= ?", from, to)
		}
		if x.after != nil {
			with.add(" AND (y.low, y.rid) "+behind+" (?, ?)", x.after...)
		}
		with.sql += " ORDER BY y.low" + order + ", y.rid" + order + ")"
	}
	with.sql += ") u ORDER BY u.low" + order + ", u.rid" + order + limit + " OFFSET 0) z WHERE true"
	with.append(w.met(nil, leading).at("z"))
	with.sql += " ORDER BY z.low" + order + ", z.rid" + order + " OFFSET 0) dr" + rowOf("r") + " WHERE "
	with.append(cond(nil))
	// Of several dates of a resource one is its key.
	with.sql += " AND (dr.class <> 1 OR dr.low = "
	with.append(x.key)
	with.sql += ") ORDER BY dr.low" + order + ", dr.rid" + order + page + "), "

	// What has no date, where the walk came to its end.
	list := fragment{sql: "resource r"}
	if x.best != nil {
		list = x.best.drive("r", w.met(x.best, x.best.dated), nil)
	}
	with.sql += "undated AS MATERIALIZED (SELECT " + hitColumns + ", NULL::int8 AS k0 FROM "
	with.append(list)
	with.sql += " WHERE NOT " + full
	if endless != "" {
		with.sql += " AND " + endless
	}
	with.sql += " AND "
	with.append(cond(x.best))
	with.add(" AND (r.d_pid && ?) IS NOT TRUE ORDER BY r.rid"+order+page+"), ", []int32{x.date})

	hit.sql = "SELECT h.* FROM walk h"
	if x.best != nil {
		with.sql += "listed AS MATERIALIZED (SELECT " + hitColumns + ", "
		with.append(x.key)
		with.sql += " AS k0 FROM (SELECT DISTINCT z.rid FROM few z WHERE NOT " + full + " AND NOT " + endless
		with.append(w.met(x.best, x.best.dated).at("z"))
		with.sql += " OFFSET 0) dr" + rowOf("r") + " WHERE "
		with.append(cond(x.best))
		with.sql += "), "
		hit.sql += " WHERE " + endless + " OR " + full + " UNION ALL SELECT h.* FROM listed h"
		if x.after != nil {
			hit.sql += " WHERE "
			hit.append(beyond([]string{"h.k0", "h.rid"}, []bool{down, down}, x.after))
		}
	}
	hit.sql += " UNION ALL SELECT h.* FROM undated h"
	hit.sql = "SELECT * FROM (" + hit.sql + ") h ORDER BY h.k0" + order + " NULLS LAST, h.rid" + order
	return with, hit
}
