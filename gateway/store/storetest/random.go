package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// dice draws small values from few, so that random rows and questions meet.
type dice struct{ *rand.Rand }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func (d dice) some(n int) int { return d.IntN(n + 1) }

func (d dice) text() string {
	var b strings.Builder
	for range 1 + d.IntN(3) {
		b.WriteString(pick(d, "a", "b", "李", "𠮷", "%"))
	}
	return b.String()
}

func (d dice) uri() string {
	return "http://x/" + strings.Join([]string{pick(d, "a", "ab"), pick(d, "", "b", "c")}[:1+d.IntN(2)], "/")
}

func (d dice) interval() (low, high int64) {
	unit := pick[int64](d, 1, 3600e6, 40*86400e6)
	low = int64(d.IntN(6)) * unit
	high = low + pick[int64](d, 1, unit, 2*unit)
	if d.IntN(12) == 0 {
		low = search.MinTime
	}
	if d.IntN(12) == 0 {
		high = search.MaxTime
	}
	return low, high
}

func (d dice) around() (low, high float64) {
	n, half := float64(d.IntN(5)), pick(d, 0, 0.5, 0.05)
	low, high = n-half, n+half
	switch d.IntN(10) {
	case 0:
		low = math.Inf(-1)
	case 1:
		high = math.Inf(1)
	}
	return low, high
}

func (d dice) values() (v search.Values) {
	for range d.some(3) {
		v.Tokens = append(v.Tokens, search.Token{Param: pick(d, "code", "status"), System: pick(d, "", "s", "t"), Code: pick(d, "", "a", "b", "c"),
			Text: pick(d, "", d.text()), Type: pick(d, "", "", "x")})
	}
	for range d.some(2) {
		text := d.text()
		v.Strings = append(v.Strings, search.String{Param: "name", Folded: text, Exact: pick(d, text, strings.ToUpper(text))})
	}
	for range d.some(2) {
		low, high := d.interval()
		v.Dates = append(v.Dates, search.Date{Param: pick(d, "date", "date", "issued"), Low: low, High: high})
	}
	for range d.some(2) {
		r := search.Reference{Param: pick(d, "subject", "basedOn")}
		switch d.IntN(6) {
		case 0:
			r.URL = d.uri()
		case 1:
			r.System, r.Value = pick(d, "", "s", "A"), pick(d, "1", "2")
		default:
			r.Type, r.ID = pick(d, "A", "B"), fmt.Sprint(1+d.IntN(12))
		}
		v.References = append(v.References, r)
	}
	for range d.some(2) {
		low, high := d.around()
		v.Numbers = append(v.Numbers, search.Number{Param: "length", Low: low, High: high})
	}
	for range d.some(1) {
		low, high := d.around()
		q := search.Quantity{Param: "value", Low: low, High: high, System: pick(d, "", "u"), Code: pick(d, "", "g", "kg"), Unit: pick(d, "", "g")}
		if q.Code != "" && d.IntN(2) == 0 {
			q.CanonicalCode, q.CanonicalLow, q.CanonicalHigh = "g", q.Low, q.High
		}
		v.Quantities = append(v.Quantities, q)
	}
	for g := range d.some(3) {
		v.Tokens = append(v.Tokens, search.Token{Param: "pair$0", Code: pick(d, "a", "b"), Group: uint16(g + 1)})
		v.Numbers = append(v.Numbers, search.Number{Param: "pair$1", Low: float64(d.IntN(3)), Group: uint16(g + 1)})
		v.Numbers[len(v.Numbers)-1].High = v.Numbers[len(v.Numbers)-1].Low
	}
	if d.IntN(2) == 0 {
		for i, span := range []float64{90, 180} {
			f := (d.Float64()*2 - 1) * span
			v.Numbers = append(v.Numbers, search.Number{Param: search.Component("near", i), Low: f, High: f, Group: 1})
		}
	}
	for _, param := range []string{"_text", "_content"} {
		if terms := d.terms(); len(terms) > 0 {
			v.Texts = append(v.Texts, search.Text{Param: param, Terms: terms})
		}
	}
	for range d.some(1) {
		v.URIs = append(v.URIs, search.URI{Param: "url", Value: d.uri()})
	}
	return v
}

func (d dice) terms() []string {
	var out []string
	for _, term := range []string{"and", "bone", "李", "李𠮷", "x1"} {
		if d.IntN(3) == 0 {
			out = append(out, term)
		}
	}
	return out
}

func (d dice) item(typ string, n int) item {
	i := item{key: fmt.Sprint(typ, "/", n), owner: pick(d, "h1", "h1", "h2", store.Alliance), patient: pick(d, "", "1", "2"), values: d.values()}
	return i
}

func (d dice) compare() search.Compare {
	return pick(d, search.EQ, search.NE, search.GT, search.LT, search.GE, search.LE, search.SA, search.EB, search.AP)
}

func (d dice) number() search.NumberMatch {
	n := float64(d.IntN(5))
	half := pick(d, 0, 0.5, 0.05)
	return search.NumberMatch{Compare: d.compare(), Low: n - half, Value: n, High: n + half}
}

func (d dice) system() *string { return pick(d, nil, nil, ptr(""), ptr("s"), ptr("unknown")) }

func (d dice) clause(depth int) search.Clause {
	c := search.Clause{Not: d.IntN(5) == 0}
	if d.IntN(6) == 0 {
		return d.combined(c, depth)
	}
	c.Kind = pick(d, search.KindToken, search.KindString, search.KindDate, search.KindReference, search.KindNumber, search.KindQuantity, search.KindURI)
	c.Param = map[search.Kind]string{search.KindToken: pick(d, "code", "status", "unknown"), search.KindString: "name",
		search.KindDate: pick(d, "date", "issued"), search.KindReference: pick(d, "subject", "basedOn"), search.KindNumber: "length",
		search.KindQuantity: "value", search.KindURI: "url"}[c.Kind]
	if d.IntN(10) == 0 {
		absent := d.IntN(2) == 0
		c.Missing = &absent
		return c
	}
	for range 1 + d.some(2) {
		var o search.Operand
		switch c.Kind {
		case search.KindToken:
			m := search.TokenMatch{System: d.system(), Code: pick(d, "a", "b", "c", "")}
			switch d.IntN(6) {
			case 0:
				m = search.TokenMatch{Text: d.text()}
			case 1:
				m.Code, m.Type = pick(d, "a", "b"), "x"
			}
			if m.Text == "" && (m.Code != "" || m.System != nil) {
				m.Other = d.IntN(5) == 0
			}
			o = m
		case search.KindString:
			o = search.StringMatch{Mode: pick(d, search.Prefix, search.Exact, search.Contains, search.Equal, search.Suffix, search.Other), Text: d.text()}
		case search.KindDate:
			low, high := d.interval()
			o = search.DateMatch{Compare: d.compare(), Low: low, High: high}
		case search.KindReference:
			switch n := d.IntN(8); {
			case n == 0:
				o = search.ReferenceMatch{URL: d.uri()}
			case n == 1:
				o = search.ReferenceMatch{Identifier: &search.TokenMatch{System: d.system(), Code: pick(d, "1", "2")}}
			case n <= 4 || depth == 0:
				o = search.ReferenceMatch{Type: pick(d, "", "A", "B"), ID: fmt.Sprint(1 + d.IntN(12))}
			case n <= 6:
				o = search.ChainMatch{Type: pick(d, "A", "B"), Where: d.where(depth - 1)}
			default:
				o = search.HasMatch{Type: pick(d, "A", "B"), Param: pick(d, "subject", "basedOn"), Where: d.where(depth - 1)}
			}
		case search.KindNumber:
			o = d.number()
		case search.KindQuantity:
			m := search.QuantityMatch{NumberMatch: d.number(), System: pick(d, "", "u"), Code: pick(d, "", "g", "kg")}
			if m.Code == "g" && d.IntN(2) == 0 {
				m.Canonical = true
			}
			if m.Code == "" {
				m.System = ""
			}
			o = m
		case search.KindURI:
			o = pick(d, search.URIMatch{Value: d.uri()}, search.URIMatch{Value: d.uri(), Below: true}, search.URIMatch{Value: d.uri(), Above: true})
		}
		c.Any = append(c.Any, o)
	}
	return c
}

// combined fills a clause with what is made of other operands, or of several rows.
func (d dice) combined(c search.Clause, depth int) search.Clause {
	switch n := d.IntN(6); {
	case n == 0:
		c.Param, c.Kind = "near", search.KindSpecial
		c.Any = append(c.Any, search.NearMatch{Latitude: d.Float64()*180 - 90, Longitude: d.Float64()*360 - 180, Meters: d.Float64() * 1.5e7})
	case n == 1:
		c.Param, c.Kind = pick(d, "_text", "_content"), search.KindText
		for range 1 + d.some(1) {
			if terms := d.terms(); len(terms) > 0 {
				c.Any = append(c.Any, search.TextMatch{Terms: terms})
			}
		}
	case n == 2:
		c.Param, c.Kind = "pair", search.KindComposite
		for range 1 + d.some(1) {
			c.Any = append(c.Any, search.CompositeMatch{Parts: []search.CompositePart{
				{Kind: search.KindToken, Match: search.TokenMatch{Code: pick(d, "a", "b", "c")}}, {Kind: search.KindNumber, Match: d.number()},
			}})
		}
	case depth > 0:
		c.Kind = search.KindSpecial
		for range 1 + d.some(2) {
			c.Any = append(c.Any, search.AllMatch{Where: d.where(depth - 1)})
		}
	default:
		return d.clause(0)
	}
	return c
}

func (d dice) where(depth int) (list []search.Clause) {
	for range d.some(2) {
		list = append(list, d.clause(depth))
	}
	return list
}

func (d dice) allowed() search.Allowed {
	switch d.IntN(6) {
	case 0:
		return search.Allowed{}
	case 1:
		return search.Allowed{Owners: []string{"h1"}, Shared: true}
	case 2:
		return search.Allowed{Owners: []string{"h2", "nobody"}}
	case 3:
		return search.Allowed{All: true, Patients: pick(d, []string{"1"}, []string{"1", "2"}, []string{})}
	}
	return everybody
}

const (
	modelItems   = 40
	modelQueries = 900
)

func againstModel(t *testing.T, s Store) {
	const seed = 20261121
	d := dice{rand.New(rand.NewPCG(seed, 1))}
	var m model
	for n := range modelItems {
		for _, typ := range []string{"A", "B"} {
			m = append(m, d.item(typ, n+1))
		}
	}
	write(t, s, m...)
	var again []item // a second version with other values, and some deletions
	for i := range m {
		if d.IntN(3) == 0 {
			m[i] = d.item(key(m[i].key).Type, i/2+1)
			m[i].expect, m[i].deleted = 1, d.IntN(4) == 0
			again = append(again, m[i])
		}
	}
	write(t, s, again...)
	hits := 0
	for n := range modelQueries {
		q := search.Query{Type: pick(d, "A", "B"), Where: d.where(2), Allowed: d.allowed(), Count: 1 + d.IntN(30), Total: search.TotalAccurate}
		want := m.find(&q)
		got := sorted(walk(t, s, q))
		if !slices.Equal(got, want) {
			t.Fatalf("query %d %s %+v\nallowed %+v\ngot  %v\nwant %v", n, q.Type, q.Where, q.Allowed, got, want)
		}
		if p, err := s.Search(t.Context(), &q); err != nil || p.Total != len(want) {
			t.Fatalf("query %d %s %+v: total %d, %v, want %d", n, q.Type, q.Where, p.Total, err, len(want))
		}
		if len(want) > 0 && len(q.Where) > 0 {
			hits++
		}
	}
	if hits < modelQueries/10 {
		t.Errorf("only %d of %d queries found something", hits, modelQueries)
	}
}
