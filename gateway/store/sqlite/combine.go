package sqlite

import (
	"math"
	"strconv"
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
	best, _, err := b.rarest(w.sources)
	if err != nil {
		return noSource, err
	}
	s := source{cond: w.but(nil)}
	if s.cond.sql == "" {
		return source{always: true}, nil
	}
	s.cond.sql = "(" + strings.TrimPrefix(s.cond.sql, " AND ") + ")"
	if best != nil {
		s.rids, s.ordered, s.nested = best.rids, best.ordered, best.nested
	}
	return s, nil
}

// composite answers elements whose values fulfil all parts: the rows of the parts
// share a group.
func (b *builder) composite(typ string, typeID int64, param string, m search.CompositeMatch, depth int) (source, error) {
	var first source
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
		if s.row.cond.sql == "" {
			return noSource, fault.Newf(fault.Invalid, "a component cannot be asked with %T", part.Match)
		}
		if i == 0 {
			first = s
			continue
		}
		name, alias := indexTables[s.row.table].name, "c"+strconv.Itoa(i)
		also := " AND EXISTS (SELECT 1 FROM " + name + " " + alias + " INDEXED BY " + name + "_rid WHERE " + alias + ".rid = x.rid AND " + alias +
			".grp = x.grp AND " + strings.ReplaceAll(s.row.cond.sql, "x.", alias+".") + ")"
		first.row.cond.add(also, s.row.cond.args...)
	}
	if len(m.Parts) == 0 {
		return noSource, nil
	}
	name := indexTables[first.row.table].name
	cond := first.row.cond
	return source{
		rids:  fragment{"SELECT x.rid FROM " + name + " x WHERE " + cond.sql, cond.args},
		cond:  fragment{"EXISTS (SELECT 1 FROM " + name + " x INDEXED BY " + name + "_rid WHERE x.rid = @.rid AND " + cond.sql + ")", cond.args},
		exact: true,
	}, nil
}

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
	cond := fragment{"x.value BETWEEN ? AND ?", []any{m.Latitude - belt, m.Latitude + belt}}
	cond.add(" AND EXISTS (SELECT 1 FROM index_number y INDEXED BY index_number_rid WHERE y.rid = x.rid AND y.pid = ? AND y.grp = x.grp AND "+
		"2 * ? * asin(sqrt(min(1.0, pow(sin((x.value - ?) * ?), 2) + ? * cos(x.value * ?) * pow(sin((y.value - ?) * ?), 2)))) <= ?)",
		longitude, radius, m.Latitude, rad/2, math.Cos(m.Latitude*rad), rad, m.Longitude, rad/2, m.Meters)
	return indexed(numbers, latitude, cond, false, false), nil
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
	var s source
	s.cond.add("EXISTS (SELECT 1 FROM index_text x WHERE x.rid = @.rid AND x.pid = ?", pid)
	for _, term := range m.Terms {
		s.cond.add(" AND instr(x.terms, ?) > 0", " "+term+" ")
	}
	s.cond.sql += ")"
	return s, nil
}
