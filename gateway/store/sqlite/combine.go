package sqlite

import (
	"math"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
)

// conjunction answers clauses that must all hold, as one of several alternatives.
func (b *builder) conjunction(typ string, typeID int64, m search.AllMatch, depth int) (source, error) {
	var w where
	if err := b.all(typ, typeID, m.Where, &w, depth); err != nil || w.none {
		return noSource, err
	}
	w.bound()
	best, _, _, err := b.rarest(w.sources, false)
	if err != nil {
		return noSource, err
	}
	s := source{cond: w.but(nil)}
	if s.cond.sql == "" {
		return source{always: true}, nil
	}
	s.cond.sql = "(" + strings.TrimPrefix(s.cond.sql, " AND ") + ")"
	if best != nil {
		s.rids, s.ordered, s.nested, s.size = best.rids, best.ordered, best.nested, best.size
	}
	return s, nil
}

// composite answers elements whose values fulfil all parts: the rows of the parts
// share a group.
func (b *builder) composite(typ string, typeID int64, param string, m search.CompositeMatch, depth int) (source, error) {
	if len(m.Parts) > maxParts {
		return noSource, fault.New(fault.TooCostly, "the search has too many conditions")
	}
	var first source
	parts := make([][]test, len(m.Parts))
	b.part = true
	defer func() { b.part = false }()
	for i, part := range m.Parts {
		if err := b.spend(1); err != nil {
			return noSource, err
		}
		c := search.Clause{Param: search.Component(param, i), Kind: part.Kind, Any: []search.Operand{part.Match}}
		found, err := b.operands(typ, typeID, &c, depth)
		if err != nil {
			return noSource, err
		}
		s := union(found)
		if s.none {
			return s, nil
		}
		if s.tests == nil {
			return noSource, fault.Newf(fault.Invalid, "a component cannot be asked with %T", part.Match)
		}
		if first.rids.sql == "" {
			first = s
		}
		parts[i] = s.tests
	}
	if len(m.Parts) == 0 {
		return noSource, nil
	}
	return source{rids: first.rids, cond: b.asks(inOneGroup(parts)), ordered: first.ordered, listing: first.listing}, nil
}

// maxParts bounds the components of a composite.
const maxParts = 63

// radius of the sphere on which distances are, in meters.
const radius = 6371008.8

// near answers positions within a distance: those in the belt of latitudes, then
// by the formula of the haversine.
func (b *builder) near(typ, param string, m search.NearMatch) (source, error) {
	latitude, ok, err := b.pid(typ, search.Component(param, 0), "")
	if !ok || err != nil {
		return noSource, err
	}
	longitude, ok, err := b.pid(typ, search.Component(param, 1), "")
	if !ok || err != nil {
		return noSource, err
	}
	const rad = math.Pi / 180
	belt := m.Meters/radius/rad + 1e-9
	within := func(lat, lon float64) bool {
		h := math.Pow(math.Sin((lat-m.Latitude)*rad/2), 2) +
			math.Cos(m.Latitude*rad)*math.Cos(lat*rad)*math.Pow(math.Sin((lon-m.Longitude)*rad/2), 2)
		return 2*radius*math.Asin(math.Sqrt(min(1, h))) <= m.Meters
	}
	type place struct {
		group    int64
		lat, lon float64
	}
	cond := b.asks(func(c *check) bool {
		var places []place
		for c.r.next(&c.e) {
			if c.e.pid != latitude && c.e.pid != longitude {
				continue
			}
			i := slices.IndexFunc(places, func(p place) bool { return p.group == c.e.group })
			if i < 0 {
				i = len(places)
				places = append(places, place{c.e.group, math.NaN(), math.NaN()})
			}
			if c.e.pid == latitude {
				places[i].lat = c.e.middle()
			} else {
				places[i].lon = c.e.middle()
			}
		}
		return slices.ContainsFunc(places, func(p place) bool { return within(p.lat, p.lon) }) // not for NaN
	})
	return source{
		rids: fragment{"SELECT x.rid FROM index_number x WHERE x.pid = ? AND x.value BETWEEN ? AND ?",
			[]any{latitude, m.Latitude - belt, m.Latitude + belt}},
		cond: cond,
	}, nil
}

// words answers texts in which all terms occur. It drives no query: what else is
// asked, or the order of the type, does.
func (b *builder) words(typ, param string, m search.TextMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil || len(m.Terms) == 0 {
		return noSource, err
	}
	if err := b.spend(len(m.Terms)); err != nil {
		return noSource, err
	}
	narrative := false
	var text int64
	if param == paramContent {
		if text, narrative, err = b.pid(typ, paramText, ""); err != nil {
			return noSource, err
		}
	}
	var s source
	s.cond.add("EXISTS (SELECT 1 FROM index_text x WHERE x.rid = @.rid AND x.pid = ?", pid)
	for _, term := range m.Terms {
		word := " " + term + " "
		if !narrative {
			s.cond.add(" AND instr(x.terms, ?) > 0", word)
			continue
		}
		s.cond.add(" AND (instr(x.terms, ?) > 0 OR substr(x.terms, 1, 2) = '"+alsoText+"' AND EXISTS ("+
			"SELECT 1 FROM index_text y WHERE y.rid = x.rid AND y.pid = ? AND instr(y.terms, ?) > 0))", word, text, word)
	}
	s.cond.sql += ")"
	return s, nil
}
