package postgres

import (
	"strconv"

	"github.com/yilian/yilian/gateway/search"
)

// listing is what index_key has for one dated key, as a source.
type listing struct {
	key      int64
	bounded  bool // only resources whose leading date may be from … to
	from, to int64
}

// rids lists the resources: in the order of their dates, unless it is bounded.
func (l *listing) rids() fragment {
	f := fragment{"SELECT x.rid, x.at FROM index_key x WHERE x.key = ?", []any{l.key}}
	if l.bounded {
		f.add(" AND x.at >= ? AND x.at <= ? UNION ALL SELECT x.rid, x.at FROM index_key x WHERE x.key = ? AND x.at = "+strconv.Itoa(atOther),
			l.low(), l.to, l.key)
	}
	return f
}

// low is the first date of a listing that the order knows.
func (l *listing) low() int64 {
	if l.bounded {
		return max(l.from, atOther+1)
	}
	return atOther + 1
}

// bound lets the dates that are asked for narrow what keys list.
func (w *where) bound() {
	for i := range w.sources {
		period := &w.sources[i]
		if !period.leading {
			continue
		}
		for j := range w.sources {
			if s := &w.sources[j]; s.listing != nil {
				narrow := *s.listing
				if !narrow.bounded {
					narrow.bounded, narrow.from, narrow.to = true, period.from, period.to
				}
				narrow.from, narrow.to = max(narrow.from, period.from), min(narrow.to, period.to)
				s.listing, s.rids = &narrow, narrow.rids()
			}
		}
	}
}

// mark begins the positions of a search without an order of its own that reads a
// listing: the pages after must read it too.
func (l *listing) mark() string { return "k" + strconv.FormatInt(l.key, 36) }

// streamFrom is how many resources a source lists from which reading a listing in order
// is taken to be cheaper than sorting them.
const streamFrom = 512

// inOrder returns the source whose order gives the page, nil where there is none. best
// is the rarest source and size how many it lists, 0 when that is not known.
func (b *builder) inOrder(q *search.Query, w *where, best *source, size int64) (*source, error) {
	if len(q.Sort) == 0 {
		if q.After == nil {
			if best == nil || best.listing == nil {
				return nil, nil
			}
			return best, nil
		}
		if len(q.After.Keys) != positionKeys+2 {
			return nil, nil
		}
		for i := range w.sources {
			if s := &w.sources[i]; s.listing != nil && s.listing.mark() == q.After.Keys[0] {
				return s, nil
			}
		}
		return nil, errPosition
	}
	if len(q.Sort) > 1 || q.Sort[0].Param != search.LeadingDate(q.Type) || q.Sort[0].Kind != search.KindDate {
		return nil, nil
	}
	if best != nil && best.listing != nil {
		return best, nil
	}
	if size > 0 && size < streamFrom {
		return nil, nil
	}
	for i := range w.sources {
		if s := &w.sources[i]; s.listing != nil {
			return s, nil
		}
	}
	return nil, nil
}

// stream is a page in the order of a listing.
type stream struct {
	of     *source
	key    fragment // the sort key of r; none where the search has no order of its own
	sorted bool
	down   bool
	asOf   fragment // of @
	after  []any    // at or the sort key, and rid of the last one; nil on the first page
}

// stream plans such a page: what the order of the listing knows is read until the page is full. What has other
// dates is little; it is sorted, or comes first where the search has no order. What has no date comes last.
//
// Both returned are for a WITH: what precedes hit, and hit.
func (b *builder) stream(q *search.Query, w where, x stream) (with, hit fragment) {
	order, behind := "", ">"
	if x.down {
		order, behind = " DESC", "<"
	}
	l := x.of.listing
	page := limited(q.Count + 1)
	cond := w.but(x.of)
	cond.append(x.asOf)
	cond = cond.at("r")
	met := w.met(x.of, true).at("x")
	// part reads one stretch of the listing: what of it, the key of the page, where it begins, and to what end.
	part := func(name string, of fragment, key fragment, after []any, end string) {
		with.sql += name + " AS MATERIALIZED (SELECT " + hitColumns + ", "
		with.append(key)
		with.add(" AS k0 FROM (SELECT x.rid, x.at FROM index_key x WHERE x.key = ? AND ", l.key)
		with.append(of)
		if after != nil {
			with.add(" AND (x.at, x.rid) "+behind+" (?, ?)", after...)
		}
		with.append(met)
		with.sql += " ORDER BY x.at" + order + ", x.rid" + order + " OFFSET 0) dr" + rowOf("r") + " WHERE "
		with.append(cond)
		with.sql += end + "), "
	}
	at := fragment{sql: "dr.at"}
	inOrder := " ORDER BY dr.at" + order + ", dr.rid" + order + page
	known := fragment{"x.at >= ?", []any{l.low()}}
	if l.bounded {
		known.add(" AND x.at <= ?", l.to)
	}
	const other, none = "x.at = 1", "x.at = 0" // atOther, atNone
	var parts []string
	add := func(name string, of, key fragment, after []any, end string) {
		part(name, of, key, after, end)
		parts = append(parts, "SELECT h.* FROM "+name+" h")
	}
	switch {
	case !x.sorted && !l.bounded:
		add("listed", fragment{sql: always}, at, x.after, inOrder)
	case !x.sorted:
		add("listed", known, at, x.after, inOrder)
		add("others", fragment{sql: other}, at, x.after, inOrder)
	default:
		if x.after == nil || x.after[0] != nil {
			add("listed", known, at, x.after, inOrder)
			with.sql += "others AS MATERIALIZED (SELECT * FROM (SELECT " + hitColumns + ", "
			with.append(x.key)
			with.add(" AS k0 FROM (SELECT x.rid, x.at FROM index_key x WHERE x.key = ? AND "+other, l.key)
			with.append(met)
			with.sql += " OFFSET 0) dr" + rowOf("r") + " WHERE "
			with.append(cond)
			with.sql += " OFFSET 0) h"
			if x.after != nil {
				with.sql += " WHERE "
				with.append(beyond([]string{"h.k0", "h.rid"}, []bool{x.down, x.down}, x.after))
			}
			with.sql += "), "
			parts = append(parts, "SELECT h.* FROM others h")
		}
		if l.bounded {
			break
		}
		end := inOrder
		var after []any
		if len(parts) > 0 {
			end = " AND (SELECT count(*) FROM listed) <= " + strconv.Itoa(q.Count) + end
		}
		if x.after != nil && x.after[0] == nil {
			after = []any{int64(atNone), x.after[1]}
		}
		add("undated", fragment{sql: none}, fragment{sql: "NULL::int8"}, after, end)
	}
	for i, sql := range parts {
		if i > 0 {
			hit.sql += " UNION ALL "
		}
		hit.sql += sql
	}
	if hit.sql == "" { // a bounded listing holds nothing without a date
		hit.sql = "SELECT " + hitColumns + ", NULL::int8 AS k0 FROM resource r WHERE " + never
	}
	if len(parts) > 1 {
		hit.sql = "SELECT * FROM (" + hit.sql + ") h ORDER BY h.k0" + order + " NULLS LAST, h.rid" + order
	}
	return with, hit
}
