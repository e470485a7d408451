package sqlite

import (
	"bytes"
	"strconv"

	"github.com/yilian/yilian/gateway/search"
)

// What a key of index_key lists may be ordered by the date that clients sort the type
// by, so that the newest results of a patient, or of a code, are read from the table as
// they are asked for. Keys of other words are not: they list a large part of the type,
// and where all that is new comes to their end, many rows share a page.

// The column at of index_key is the low end of the resource's only leading date of at
// most a day; or one of these, which no such date has.
const (
	atNone  = 0 // the resource has no leading date
	atOther = 1 // it has several, or a long one, or one before 1970

	atUnknown = -1 // while rows are made
)

// datedToken is the token whose keys are ordered by the leading date, beside references
// and what tells much.
const datedToken = "code"

// keyPID is the number of the parameter under which index_key has a text. What tells
// much – a number of a person, an id – leads for all parameters of a type together: a
// result names its patient twice, and is found under one key. A word does not, because
// "false" of one parameter has nothing to do with that of another.
func keyPID(pid, part int64, grouped bool, text []byte) int64 {
	if grouped || tells(text) {
		return part
	}
	return pid
}

func tells(text []byte) bool { return len(text) >= telling && bytes.ContainsAny(text, "0123456789") }

// telling is the length from which a text with a digit leads for all parameters.
const telling = 8

// amountPID is the number under which index_number has an amount: quantities of all
// parameters of a type together, those in base units apart.
func amountPID(pid, part int64, of byte) int64 {
	switch of {
	case isQuantity:
		return part
	case isCanonical:
		return -part
	}
	return pid
}

// listing is what an index table has for a source, in the order of the table.
type listing struct {
	table    int8 // keys, dates or strs
	keys     []any
	dated    bool // of keys: the order is that of leading dates, else that of creation
	bounded  bool // of keys: only resources whose leading date may be from … to
	from, to int64

	pid       int64 // of dates and strs
	low, high string
	first     int64 // of strs: the check that finds the first text of a resource that lies in low … high
	open      bool  // of dates: resources without a date fulfil the source too
}

// rids lists the resources that keys lead to, in no order.
func (l *listing) rids() fragment {
	in := list("x.key", l.keys)
	out := fragment{"SELECT x.rid FROM index_key x WHERE " + in.sql, in.args}
	if l.bounded {
		out.add(" AND x.at >= ? AND x.at <= ? UNION ALL SELECT x.rid FROM index_key x WHERE "+in.sql+" AND x.at = ?",
			append(append([]any{max(l.from, atOther+1), l.to}, in.args...), atOther)...)
	}
	return out
}

// streams reports whether a source lists its resources in an order.
func (s *source) streams() bool { return s != nil && s.listing.streams() }

func (l *listing) streams() bool { return l != nil && (l.table != keys || len(l.keys) == 1) }

// sole is the key that a source lists, all of it.
func (s *source) sole() (key int64, ok bool) {
	if l := s.listing; l != nil && l.table == keys && len(l.keys) == 1 && !l.bounded {
		return l.keys[0].(int64), true
	}
	return 0, false
}

// bound lets the dates that are asked for narrow what keys list.
func (w *where) bound() {
	for i := range w.sources {
		period := &w.sources[i]
		if !period.leading {
			continue
		}
		for j := range w.sources {
			if s := &w.sources[j]; s.listing != nil && s.listing.table == keys && s.listing.dated {
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

// irregular reports whether a listing has resources that the order does not know: any
// without a regular date, or those of atOther only.
func (b *builder) irregular(l *listing, any bool) (bool, error) {
	var n int64
	var err error
	switch l.table {
	case strs:
		return false, nil
	case dates:
		n, err = b.v.c.integer("SELECT EXISTS (SELECT 1 FROM index_date WHERE pid = ? AND class = 1)", l.pid)
	default:
		from := atOther
		if any {
			from = atNone
		}
		n, err = b.v.c.integer("SELECT EXISTS (SELECT 1 FROM index_key WHERE key = ? AND at >= ? AND at <= ?)", l.keys[0], from, atOther)
	}
	return n != 0, err
}

// stream writes what reads a listing in order: rows of an index table x and resource r.
// by is the column of the order, key what a position has of it. Where it is bounded, or
// of dates, no resource of atOther is among them.
func (l *listing) stream() (from, by, key string, cond fragment) {
	switch l.table {
	case dates:
		from, by, key = "index_date", "x.low", "x.low"
		cond.add("x.pid = ? AND x.class = 0 AND x.low >= ? AND x.low <= ?", l.pid, l.from, l.to)
	case strs:
		from, by, key = "index_string", "x.text", "x.text"
		cond.add("x.pid = ? AND x.text >= ?", l.pid, l.low)
		if l.high != "" {
			cond.add(" AND x.text < ?", l.high)
		}
		cond.add(" AND yl_sort(?, r.held) = x.text", l.first)
	default:
		from, by, key = "index_key", "x.at", "nullif(x.at, 0)"
		cond.add("x.key = ?", l.keys[0])
		if l.bounded {
			cond.add(" AND x.at >= ? AND x.at <= ?", max(l.from, atOther+1), l.to)
		}
	}
	return from + " x CROSS JOIN resource r ON r.rid = x.rid", by, key, cond
}

// mark begins the positions of a search without an order of its own that reads a
// listing: the pages after must read it too.
func (l *listing) mark() string {
	if l.table != keys {
		return "i" + strconv.FormatInt(l.pid, 36)
	}
	return "k" + strconv.FormatInt(l.keys[0].(int64), 36)
}

// lookMost is how far the order of an index is followed for a page, where nothing is
// known to be rarer, before what is asked is counted further; lookNested where a chain
// is asked for each resource.
const lookMost, lookNested = 512, 128

// sortFrom is how many resources a source lists from which reading another in order is
// taken to be cheaper than sorting them.
const sortFrom = 512

// inOrder returns the listing whose order gives the page, nil where there is none. best
// is the rarest source and size how many it lists, 0 when that is not known.
func (b *builder) inOrder(q *search.Query, w *where, best *source, size int64) (*listing, error) {
	if len(q.Sort) == 0 {
		if q.After == nil {
			if !best.streams() {
				return nil, nil
			}
			return b.whole(best.listing)
		}
		if len(q.After.Keys) != 3 {
			return nil, nil
		}
		for i := range w.sources {
			s := &w.sources[i]
			if !s.streams() || s.listing.mark() != q.After.Keys[0] {
				continue
			}
			if s.listing.table == keys {
				return b.whole(s.listing)
			}
			return s.listing, nil // what has become irregular since is another version
		}
		return nil, errPosition
	}
	s := &q.Sort[0]
	if len(q.Sort) > 1 || s.Kind != search.KindDate || s.Param == paramUpdated {
		return nil, nil
	}
	leading := s.Param == search.LeadingDate(q.Type)
	if size > 0 && (size < sortFrom || !best.streams()) {
		return nil, nil
	}
	if leading {
		by := best
		for i := 0; (!by.streams() || !by.listing.dated) && i < len(w.sources); i++ {
			by = &w.sources[i]
		}
		if by.streams() && by.listing.dated {
			// Without a date comes last in both directions.
			unknown, err := b.irregular(by.listing, !s.Down)
			if err != nil || !unknown {
				return by.listing, err
			}
			return nil, nil
		}
	}
	if size > 0 && !best.streams() {
		return nil, nil
	}
	pid, ok, err := b.pid(q.Type, s.Param, "")
	if !ok || err != nil {
		return nil, err
	}
	l := &listing{table: dates, pid: pid, from: search.MinTime, to: search.MaxTime, open: true}
	for i := range w.sources {
		if d := w.sources[i].listing; d != nil && d.table == dates && d.pid == pid {
			l = d
		}
	}
	if size > 0 && best.listing != l {
		return nil, nil
	}
	if l.open && q.After != nil && len(q.After.Keys) > 0 && q.After.Keys[0] == "n" {
		return nil, nil // beyond all dates
	}
	if unknown, err := b.irregular(l, true); unknown || err != nil {
		return nil, err
	}
	return l, nil
}

// whole widens a listing that leaves out what it knows no date of; nil where that
// cannot be.
func (b *builder) whole(l *listing) (*listing, error) {
	if l.table == keys && !l.bounded {
		return l, nil
	}
	unknown, err := b.irregular(l, false)
	switch {
	case err != nil || !unknown:
		return l, err
	case l.table == keys:
		return &listing{keys: l.keys, dated: l.dated}, nil
	}
	return nil, nil
}

// lookout ends a statement that looks at too many rows, see yl_within.
type lookout struct {
	left int
	over bool
}
