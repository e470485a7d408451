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

// listing is what index_key has for some keys, as a source.
type listing struct {
	keys     []any
	dated    bool // the order is that of leading dates, else that of creation
	bounded  bool // only resources whose leading date may be from … to
	from, to int64
}

// rids lists the resources in no order.
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
func (s *source) streams() bool { return s != nil && s.listing != nil && len(s.listing.keys) == 1 }

// bound lets the dates that are asked for narrow what keys list.
func (w *where) bound() {
	for i := range w.sources {
		period := &w.sources[i]
		if !period.leading {
			continue
		}
		for j := range w.sources {
			if s := &w.sources[j]; s.listing != nil && s.listing.dated {
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

// irregular reports whether a key lists resources that the order does not know: any
// without a regular date, or those of atOther only.
func (b *builder) irregular(l *listing, any bool) (bool, error) {
	from := atOther
	if any {
		from = atNone
	}
	n, err := b.v.c.integer("SELECT EXISTS (SELECT 1 FROM index_key WHERE key = ? AND at >= ? AND at <= ?)", l.keys[0], from, atOther)
	return n != 0, err
}

// stream writes what reads a listing in order: rows of index_key x and resource r.
// Where it is bounded, no resource of atOther is among them.
func (l *listing) stream() (from string, cond fragment) {
	cond = fragment{"x.key = ?", l.keys}
	if l.bounded {
		cond.add(" AND x.at >= ? AND x.at <= ?", max(l.from, atOther+1), l.to)
	}
	return "index_key x CROSS JOIN resource r ON r.rid = x.rid", cond
}

// mark begins the positions of a search without an order of its own that reads a
// listing: the pages after must read it too.
func (l *listing) mark() string { return "k" + strconv.FormatInt(l.keys[0].(int64), 36) }

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
			if s := &w.sources[i]; s.streams() && s.listing.mark() == q.After.Keys[0] {
				return b.whole(s.listing)
			}
		}
		return nil, errPosition
	}
	s := &q.Sort[0]
	if len(q.Sort) > 1 || s.Param != search.LeadingDate(q.Type) || s.Kind != search.KindDate {
		return nil, nil
	}
	if size > 0 && (size < sortFrom || !best.streams()) {
		return nil, nil
	}
	for i := 0; (!best.streams() || !best.listing.dated) && i < len(w.sources); i++ {
		best = &w.sources[i]
	}
	if !best.streams() || !best.listing.dated {
		return nil, nil
	}
	// Without a date comes last in both directions.
	if unknown, err := b.irregular(best.listing, !s.Down); unknown || err != nil {
		return nil, err
	}
	return best.listing, nil
}

// whole widens a listing that leaves out what it knows no date of.
func (b *builder) whole(l *listing) (*listing, error) {
	if !l.bounded {
		return l, nil
	}
	unknown, err := b.irregular(l, false)
	if unknown && err == nil {
		l = &listing{keys: l.keys, dated: l.dated}
	}
	return l, err
}
