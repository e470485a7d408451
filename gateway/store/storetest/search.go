package storetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// asks is a row of a search table: clauses that must all hold, and who they find.
type asks struct {
	name  string
	where []search.Clause
	want  string
}

func check(t *testing.T, s Store, typ string, table []asks) {
	t.Helper()
	for _, a := range table {
		t.Run(a.name, func(t *testing.T) {
			same(t, "found", find(t, s, typ, a.where...), ids(a.want))
			q := search.Query{Type: typ, Where: a.where, Allowed: everybody, Total: search.TotalAccurate}
			p, err := s.Search(t.Context(), &q)
			if err != nil || p.Total != len(ids(a.want)) || len(p.Rows) != 0 {
				t.Errorf("total %d, %d rows, %v; want %d", p.Total, len(p.Rows), err, len(ids(a.want)))
			}
		})
	}
}

func one(c ...search.Clause) []search.Clause { return c }

func code(m ...search.Operand) search.Clause { return clause("code", search.KindToken, m...) }

const (
	loinc = "http://loinc.org"
	local = "urn:oid:2.16.156.10011.2.3.1.99"
)

var searchTests = []test{
	{"token", func(t *testing.T, s Store) {
		tok := func(k ...search.Token) search.Values { return search.Values{Tokens: k} }
		write(t, s,
			item{key: "Observation/a", values: tok(search.Token{Param: "code", System: loinc, Code: "718-7", Text: "hemoglobin"})},
			item{key: "Observation/b", values: tok(search.Token{Param: "code", System: local, Code: "718-7", Text: "血红蛋白"})},
			item{key: "Observation/c", values: tok(search.Token{Param: "code", Code: "718-7"})},
			item{key: "Observation/d", values: tok(search.Token{Param: "code", System: loinc, Code: "4548-4"},
				search.Token{Param: "code", System: local, Code: "hba1c", Text: "hemoglobin a1c"})},
			item{key: "Observation/e"},
			item{key: "Observation/f", values: tok(search.Token{Param: "identifier", System: "urn:a", Code: "123", Type: "v2|MR"},
				search.Token{Param: "identifier", System: "urn:a", Code: "999", Type: "v2|NI"}, search.Token{Param: "status", Code: "final"})},
			item{key: "Observation/g", values: tok(search.Token{Param: "code", Text: "hemo only as text"})},
			item{key: "Observation/h", values: tok(search.Token{Param: "code", System: loinc, Code: "718-7", Type: "x"},
				search.Token{Param: "code", System: loinc, Code: "718-7", Type: "y"})},
			item{key: "Condition/z", values: tok(search.Token{Param: "code", System: loinc, Code: "718-7"})})
		tm := func(system *string, c string) search.TokenMatch { return search.TokenMatch{System: system, Code: c} }
		check(t, s, "Observation", []asks{
			{"code of any system", one(code(tm(nil, "718-7"))), "a b c h"},
			{"code of a system", one(code(tm(ptr(loinc), "718-7"))), "a h"},
			{"code without system", one(code(tm(ptr(""), "718-7"))), "c"},
			{"system alone", one(code(tm(ptr(loinc), ""))), "a d h"},
			{"unknown system", one(code(tm(ptr("urn:x"), "718-7"))), ""},
			{"unknown system alone", one(code(tm(ptr("urn:x"), ""))), ""},
			{"unknown parameter", one(clause("nothing", search.KindToken, tm(nil, "718-7"))), ""},
			{"codes keep their case", one(code(tm(nil, "HBA1C"))), ""},
			{"nothing asked finds nothing", one(code(tm(nil, ""))), ""},
			{"wildcards are text", one(code(tm(nil, "718%"))), ""},
			{"quotes are text", one(code(tm(nil, "' OR 1=1 --"))), ""},
			{"alternatives", one(code(tm(ptr(local), "718-7"), tm(nil, "hba1c"), tm(nil, "none"))), "b d"},
			{"alternatives over one code", one(code(tm(ptr(local), "718-7"), tm(ptr(""), "718-7"))), "b c"},
			{"alternative of system and text", one(code(tm(ptr(local), ""), search.TokenMatch{Text: "hemo o"})), "b d g"},
			{"two clauses", one(code(tm(nil, "4548-4")), code(tm(nil, "hba1c"))), "d"},
			{"two clauses that exclude each other", one(code(tm(nil, "4548-4")), code(tm(nil, "718-7"))), ""},
			{"no alternative", one(code()), ""},
			{"not a code", one(not(code(tm(nil, "718-7")))), "d e f g"},
			{"not a code of a system", one(not(code(tm(ptr(loinc), "718-7")))), "b c d e f g"},
			{"not, of several", one(not(code(tm(nil, "718-7"), tm(nil, "hba1c")))), "e f g"},
			{"not an unknown code", one(not(code(tm(nil, "none")))), "a b c d e f g h"},
			{"text", one(code(search.TokenMatch{Text: "hemo"})), "a d g"},
			{"another code", one(code(search.TokenMatch{Code: "718-7", Other: true})), "d g"},
			{"another code of a system", one(code(search.TokenMatch{System: ptr(loinc), Code: "718-7", Other: true})), "b c d g"},
			{"another system", one(code(search.TokenMatch{System: ptr(loinc), Other: true})), "b c d g"},
			{"another than of an unknown system", one(code(search.TokenMatch{System: ptr("urn:unknown"), Code: "718-7", Other: true})), "a b c d g h"},
			{"another without a system", one(code(search.TokenMatch{System: ptr(""), Code: "718-7", Other: true})), "a b d g h"},
			{"not another", one(not(code(search.TokenMatch{Code: "718-7", Other: true}))), "a b c e f h"},
			{"another identifier, of several", one(clause("identifier", search.KindToken, search.TokenMatch{System: ptr("urn:a"), Code: "123", Other: true})), "f"},
			{"Chinese text", one(code(search.TokenMatch{Text: "血"})), "b"},
			{"not text", one(not(code(search.TokenMatch{Text: "hemo"}))), "b c e f h"},
			{"type of identifier", one(clause("identifier", search.KindToken, search.TokenMatch{Type: "v2|MR", Code: "123"})), "f"},
			{"other type of identifier", one(clause("identifier", search.KindToken, search.TokenMatch{Type: "v2|MR", Code: "999"})), ""},
			{"unknown type of identifier", one(clause("identifier", search.KindToken, search.TokenMatch{Type: "v2|XX", Code: "123"})), ""},
			{"missing", one(missing("code", search.KindToken, true)), "e f"},
			{"present", one(missing("code", search.KindToken, false)), "a b c d g h"},
			{"missing parameter nobody has", one(missing("nothing", search.KindToken, true)), "a b c d e f g h"},
			{"present parameter nobody has", one(missing("nothing", search.KindToken, false)), ""},
			{"id", one(clause("_id", search.KindToken, tm(nil, "a"), tm(nil, "e"), tm(nil, "zz"))), "a e"},
			{"not id", one(not(clause("_id", search.KindToken, tm(nil, "a")))), "b c d e f g h"},
			{"id and code", one(clause("_id", search.KindToken, tm(nil, "a")), code(tm(nil, "718-7"))), "a"},
			{"id and another code", one(clause("_id", search.KindToken, tm(nil, "a")), code(tm(nil, "4548-4"))), ""},
		})
		check(t, s, "Condition", []asks{{"types are apart", one(code(tm(nil, "718-7"))), "z"}})
		check(t, s, "Nothing", []asks{{"unknown type", nil, ""}})
	}},
	{"string", func(t *testing.T, s Store) {
		str := func(k ...string) (v search.Values) {
			for i := 0; i < len(k); i += 2 {
				v.Strings = append(v.Strings, search.String{Param: "name", Folded: k[i], Exact: k[i+1]})
			}
			return v
		}
		write(t, s,
			item{key: "Patient/a", values: str("李小明", "李小明", "li xiaoming", "Li Xiaoming")},
			item{key: "Patient/b", values: str("李小", "李小")},
			item{key: "Patient/c", values: str("𠮷野", "𠮷野")},
			item{key: "Patient/d", values: str("muller", "Müller")},
			item{key: "Patient/e", values: str("100%_a", "100%_a")},
			item{key: "Patient/f", values: str("\U0010ffff\U0010ffffx", "\U0010ffff\U0010ffffx")},
			item{key: "Patient/g"},
			item{key: "Patient/h", values: str("li", "LI")})
		sm := func(mode search.StringMode, text string) []search.Clause {
			return one(clause("name", search.KindString, search.StringMatch{Mode: mode, Text: text}))
		}
		check(t, s, "Patient", []asks{
			{"from the start", sm(search.Prefix, "李小"), "a b"},
			{"from the start, Latin", sm(search.Prefix, "li"), "a h"},
			{"not from the middle", sm(search.Prefix, "小明"), ""},
			{"four bytes", sm(search.Prefix, "𠮷"), "c"},
			{"the last character there is", sm(search.Prefix, "\U0010ffff\U0010ffff"), "f"},
			{"exact", sm(search.Exact, "Müller"), "d"},
			{"exact is not folded", sm(search.Exact, "muller"), ""},
			{"exact is whole", sm(search.Exact, "李小"), "b"},
			{"exact knows case", sm(search.Exact, "li"), ""},
			{"contains", sm(search.Contains, "小"), "a b"},
			{"contains at the end", sm(search.Contains, "ming"), "a"},
			{"percent is text", sm(search.Contains, "%"), "e"},
			{"underscore is text", sm(search.Prefix, "100_"), ""},
			{"empty finds who has any", sm(search.Prefix, ""), "a b c d e f h"},
			{"alternatives", one(clause("name", search.KindString, search.StringMatch{Text: "mu"}, search.StringMatch{Mode: search.Contains, Text: "野"},
				search.StringMatch{Mode: search.Exact, Text: "LI"})), "c d h"},
			{"two clauses", append(sm(search.Prefix, "李"), sm(search.Contains, "xiao")...), "a"},
			{"missing", one(missing("name", search.KindString, true)), "g"},
			{"present", one(missing("name", search.KindString, false)), "a b c d e f h"},
		})
	}},
	{"date", func(t *testing.T, s Store) {
		for _, scale := range []struct {
			name string
			unit int64
		}{{"seconds", 1e6}, {"hours", 3600e6}, {"months", 30 * 86400e6}} {
			t.Run(scale.name, func(t *testing.T) { dates(t, s, "T"+scale.name, scale.unit) })
		}
	}},
	{"_lastUpdated", func(t *testing.T, s Store) {
		var vs []store.Version
		for _, id := range []string{"a", "b", "c"} {
			vs = append(vs, write(t, s, item{key: "Patient/" + id})[0])
			time.Sleep(2 * time.Millisecond)
		}
		at := vs[1].Updated.UnixMicro()
		when := func(c search.Compare, low, high int64) search.Clause {
			return clause("_lastUpdated", search.KindDate, search.DateMatch{Compare: c, Low: low, High: high})
		}
		check(t, s, "Patient", []asks{
			{"eq", one(when(search.EQ, at, at+1)), "b"},
			{"ne", one(when(search.NE, at, at+1)), "a c"},
			{"gt", one(when(search.GT, at, at+1)), "c"},
			{"lt", one(when(search.LT, at, at+1)), "a"},
			{"ge", one(when(search.GE, at, at+1)), "b c"},
			{"le", one(when(search.LE, at, at+1)), "a b"},
			{"sa", one(when(search.SA, at, at+1)), "c"},
			{"eb", one(when(search.EB, at, at+1)), "a"},
			{"ap", one(when(search.AP, at, at+1)), "b"},
			{"between", one(when(search.GE, at, at+1), when(search.LT, vs[2].Updated.UnixMicro(), vs[2].Updated.UnixMicro()+1)), "b"},
			{"either", one(clause("_lastUpdated", search.KindDate, search.DateMatch{Compare: search.LT, Low: at, High: at + 1},
				search.DateMatch{Compare: search.GT, Low: at, High: at + 1})), "a c"},
			{"the year", one(when(search.EQ, at-1e12, at+1e12)), "a b c"},
			{"present", one(missing("_lastUpdated", search.KindDate, false)), "a b c"},
		})
		write(t, s, item{key: "Patient/a", expect: 1})
		check(t, s, "Patient", []asks{{"an update moves it", one(when(search.GT, at, at+1)), "a c"}})
	}},
	{"number", func(t *testing.T, s Store) {
		num := func(k ...float64) (v search.Values) {
			for i := 0; i < len(k); i += 2 {
				v.Numbers = append(v.Numbers, search.Number{Param: "length", Low: k[i], High: k[i+1]})
			}
			return v
		}
		write(t, s,
			item{key: "Encounter/seven", values: num(6.5, 7.5)}, item{key: "Encounter/sevenzero", values: num(6.95, 7.05)},
			item{key: "Encounter/point", values: num(7, 7)}, item{key: "Encounter/eight", values: num(8, 8)},
			item{key: "Encounter/minus", values: num(-7.05, -6.95)}, item{key: "Encounter/both", values: num(1, 1, 9, 9)},
			item{key: "Encounter/none"})
		write(t, s, item{key: "Stay/over", values: num(5.000001, math.Inf(1))}, item{key: "Stay/under", values: num(math.Inf(-1), 5)})
		nm := func(c search.Compare, low, value, high float64) []search.Clause {
			return one(clause("length", search.KindNumber, search.NumberMatch{Compare: c, Low: low, Value: value, High: high}))
		}
		check(t, s, "Encounter", []asks{
			{"eq 7", nm(search.EQ, 6.5, 7, 7.5), "seven sevenzero point"},
			{"eq 7.0", nm(search.EQ, 6.95, 7, 7.05), "seven sevenzero point"},
			{"eq 8", nm(search.EQ, 7.5, 8, 8.5), "eight"},
			{"ne 7", nm(search.NE, 6.5, 7, 7.5), "eight minus both"},
			{"gt 7", nm(search.GT, 6.5, 7, 7.5), "eight both"},
			{"ge 7", nm(search.GE, 6.5, 7, 7.5), "seven sevenzero point eight both"},
			{"lt 7", nm(search.LT, 6.5, 7, 7.5), "minus both"},
			{"le 7", nm(search.LE, 6.5, 7, 7.5), "seven sevenzero point minus both"},
			{"lt 0", nm(search.LT, -0.5, 0, 0.5), "minus"},
			{"eq -7", nm(search.EQ, -7.5, -7, -6.5), "minus"},
			{"sa 7", nm(search.SA, 6.5, 7, 7.5), "eight both"},
			{"eb 7", nm(search.EB, 6.5, 7, 7.5), "minus both"},
			{"ap 7.5", nm(search.AP, 7.45, 7.5, 7.55), "seven sevenzero point eight"},
			{"missing", one(missing("length", search.KindNumber, true)), "none"},
			{"two clauses by two values", append(nm(search.LT, 1, 2, 2), nm(search.GT, 8.5, 8.5, 8.5)...), "both"},
		})
		check(t, s, "Stay", []asks{
			{"open, eq 5", nm(search.EQ, 4.5, 5, 5.5), ""},
			{"open, ne 5", nm(search.NE, 4.5, 5, 5.5), "over under"},
			{"open, gt 5", nm(search.GT, 4.5, 5, 5.5), "over"},
			{"open, ge 5", nm(search.GE, 4.5, 5, 5.5), "over under"},
			{"open, lt 5", nm(search.LT, 4.5, 5, 5.5), "under"},
			{"open, le 5", nm(search.LE, 4.5, 5, 5.5), "under"},
			{"open, gt 4", nm(search.GT, 3.5, 4, 4.5), "over under"},
			{"open, lt 6", nm(search.LT, 5.5, 6, 6.5), "over under"},
			{"open, sa 4", nm(search.SA, 3.5, 4, 4.5), "over"},
			{"open, eb 6", nm(search.EB, 5.5, 6, 6.5), "under"},
		})
	}},
	{"quantity", func(t *testing.T, s Store) {
		const ucum = "http://unitsofmeasure.org"
		q := func(v, prec float64, system, code, unit, canonical string, factor float64) search.Values {
			return search.Values{Quantities: []search.Quantity{{Param: "value", Low: v - prec, High: v + prec, System: system, Code: code, Unit: unit,
				CanonicalCode: canonical, CanonicalLow: (v - prec) * factor, CanonicalHigh: (v + prec) * factor}}}
		}
		write(t, s,
			item{key: "Observation/g", values: q(1.5, 0.05, ucum, "g/L", "克/升", "g.m-3", 1000)},
			item{key: "Observation/mg", values: q(1500, 0.5, ucum, "mg/L", "mg/L", "g.m-3", 1)},
			item{key: "Observation/bare", values: q(1.5, 0.05, "", "", "", "", 0)},
			item{key: "Observation/printed", values: q(1.5, 0.05, "", "", "g/L", "", 0)},
			item{key: "Observation/other", values: q(1.5, 0.05, "urn:x", "g/L", "", "", 0)},
			item{key: "Observation/none"})
		m := func(c search.Compare, low, v, high float64, system, code string, canonical bool) []search.Clause {
			return one(clause("value", search.KindQuantity, search.QuantityMatch{
				NumberMatch: search.NumberMatch{Compare: c, Low: low, Value: v, High: high}, System: system, Code: code, Canonical: canonical}))
		}
		check(t, s, "Observation", []asks{
			{"any unit", m(search.EQ, 1.45, 1.5, 1.55, "", "", false), "g bare printed other"},
			{"system and code", m(search.EQ, 1.45, 1.5, 1.55, ucum, "g/L", false), "g"},
			{"code or printed unit", m(search.EQ, 1.45, 1.5, 1.55, "", "g/L", false), "g printed other"},
			{"printed unit", m(search.EQ, 1.45, 1.5, 1.55, "", "克/升", false), "g"},
			{"unknown unit", m(search.EQ, 1.45, 1.5, 1.55, "", "xx", false), ""},
			{"unknown system", m(search.EQ, 1.45, 1.5, 1.55, "urn:nobody", "g/L", false), ""},
			{"canonical", m(search.EQ, 1450, 1500, 1550, ucum, "g.m-3", true), "g mg"},
			{"canonical, greater", m(search.GT, 1450, 1499, 1550, ucum, "g.m-3", true), "g mg"},
			{"canonical, another unit", m(search.EQ, 1450, 1500, 1550, ucum, "m", true), ""},
			{"greater", m(search.GT, 100, 100, 100, "", "", false), "mg"},
			{"ne", m(search.NE, 1.45, 1.5, 1.55, "", "", false), "mg"},
			{"missing", one(missing("value", search.KindQuantity, true)), "none"},
		})
	}},
	{"reference", func(t *testing.T, s Store) {
		ref := func(r ...search.Reference) search.Values { return search.Values{References: r} }
		write(t, s,
			item{key: "Observation/a", values: ref(search.Reference{Param: "subject", Type: "Patient", ID: "p1"})},
			item{key: "Observation/b", values: ref(search.Reference{Param: "subject", Type: "Group", ID: "p1"})},
			item{key: "Observation/c", values: ref(search.Reference{Param: "subject", URL: "http://x.example/Patient/p1"})},
			item{key: "Observation/d", values: ref(search.Reference{Param: "subject", System: "urn:a", Value: "p1"})},
			item{key: "Observation/e", values: ref(search.Reference{Param: "subject", System: "Patient", Value: "p1"})},
			item{key: "Observation/f", values: ref(search.Reference{Param: "subject", Type: "Patient", ID: "p2", System: "urn:a", Value: "p2"},
				search.Reference{Param: "performer", Type: "Patient", ID: "p1"})},
			item{key: "Observation/g"},
			item{key: "Observation/h", values: ref(search.Reference{Param: "subject", Value: "p1"})})
		rm := func(m ...search.Operand) []search.Clause { return one(clause("subject", search.KindReference, m...)) }
		check(t, s, "Observation", []asks{
			{"type and id", rm(search.ReferenceMatch{Type: "Patient", ID: "p1"}), "a"},
			{"id of any type", rm(search.ReferenceMatch{ID: "p1"}), "a b"},
			{"unknown type", rm(search.ReferenceMatch{Type: "Device", ID: "p1"}), ""},
			{"type nobody knows", rm(search.ReferenceMatch{Type: "Nobody", ID: "p1"}), ""},
			{"url", rm(search.ReferenceMatch{URL: "http://x.example/Patient/p1"}), "c"},
			{"identifier", rm(search.ReferenceMatch{Identifier: &search.TokenMatch{System: ptr("urn:a"), Code: "p1"}}), "d"},
			{"identifier of any system", rm(search.ReferenceMatch{Identifier: &search.TokenMatch{Code: "p1"}}), "d e h"},
			{"identifier without system", rm(search.ReferenceMatch{Identifier: &search.TokenMatch{System: ptr(""), Code: "p1"}}), "h"},
			{"identifier of an unknown system", rm(search.ReferenceMatch{Identifier: &search.TokenMatch{System: ptr("urn:b"), Code: "p1"}}), ""},
			{"identifier beside a reference", rm(search.ReferenceMatch{Identifier: &search.TokenMatch{System: ptr("urn:a"), Code: "p2"}}), "f"},
			{"alternatives", rm(search.ReferenceMatch{Type: "Patient", ID: "p1"}, search.ReferenceMatch{Type: "Patient", ID: "p2"},
				search.ReferenceMatch{URL: "http://x.example/Patient/p1"}), "a c f"},
			{"not", one(not(rm(search.ReferenceMatch{Type: "Patient", ID: "p1"})[0])), "b c d e f g h"},
			{"missing", one(missing("subject", search.KindReference, true)), "g"},
			{"present", one(missing("subject", search.KindReference, false)), "a b c d e f h"},
		})
	}},
	{"uri", func(t *testing.T, s Store) {
		for id, value := range map[string]string{"a": "http://x.example/a", "b": "http://x.example/a/b", "c": "http://x.example/ab",
			"d": "http://x.example/a/", "e": "urn:oid:1.2.3", "f": "http://x.example"} {
			write(t, s, item{key: "ValueSet/" + id, source: value, values: search.Values{URIs: []search.URI{{Param: "url", Value: value}}}})
		}
		write(t, s, item{key: "ValueSet/g"})
		for _, param := range []string{"url", "_source"} {
			um := func(m ...search.Operand) []search.Clause { return one(clause(param, search.KindURI, m...)) }
			check(t, s, "ValueSet", []asks{
				{param + " exact", um(search.URIMatch{Value: "http://x.example/a"}), "a"},
				{param + " keeps case", um(search.URIMatch{Value: "http://X.example/a"}), ""},
				{param + " below", um(search.URIMatch{Value: "http://x.example/a", Below: true}), "a b d"},
				{param + " below with a slash", um(search.URIMatch{Value: "http://x.example/a/", Below: true}), "b d"},
				{param + " below the host", um(search.URIMatch{Value: "http://x.example", Below: true}), "a b c d f"},
				{param + " above", um(search.URIMatch{Value: "http://x.example/a/b", Above: true}), "a b d f"},
				{param + " urn", um(search.URIMatch{Value: "urn:oid:1.2.3"}), "e"},
				{param + " alternatives", um(search.URIMatch{Value: "urn:oid:1.2.3"}, search.URIMatch{Value: "http://x.example/a/", Below: true}), "b d e"},
				{param + " not", one(not(um(search.URIMatch{Value: "http://x.example/a", Below: true})[0])), "c e f g"},
				{param + " missing", one(missing(param, search.KindURI, true)), "g"},
				{param + " present", one(missing(param, search.KindURI, false)), "a b c d e f"},
			})
		}
	}},
	{"chain and reverse chain", func(t *testing.T, s Store) {
		ref := func(param, target string) search.Reference {
			k := key(target)
			return search.Reference{Param: param, Type: k.Type, ID: k.ID}
		}
		tok := func(param, c string) search.Token { return search.Token{Param: param, System: "urn:a", Code: c} }
		write(t, s,
			item{key: "Organization/o1", values: search.Values{Tokens: []search.Token{tok("identifier", "O1")}}},
			item{key: "Patient/p1", values: search.Values{Tokens: []search.Token{tok("identifier", "1"), tok("gender", "male")},
				References: []search.Reference{ref("organization", "Organization/o1")}}},
			item{key: "Patient/p2", values: search.Values{Tokens: []search.Token{tok("identifier", "2"), tok("gender", "male")}}},
			item{key: "Patient/p3", values: search.Values{Tokens: []search.Token{tok("identifier", "3")}}},
			item{key: "Group/p1", values: search.Values{Tokens: []search.Token{tok("identifier", "1")}}},
			item{key: "Observation/a", values: search.Values{Tokens: []search.Token{tok("code", "x")}, References: []search.Reference{ref("subject", "Patient/p1")}}},
			item{key: "Observation/b", values: search.Values{Tokens: []search.Token{tok("code", "y")}, References: []search.Reference{ref("subject", "Patient/p2")}}},
			item{key: "Observation/c", values: search.Values{Tokens: []search.Token{tok("code", "x")}, References: []search.Reference{ref("subject", "Group/p1")}}},
			item{key: "Observation/d", values: search.Values{Tokens: []search.Token{tok("code", "x")}, References: []search.Reference{ref("subject", "Patient/gone")}}},
			item{key: "Observation/e", values: search.Values{Tokens: []search.Token{tok("code", "z")}, References: []search.Reference{ref("subject", "Patient/p1"), ref("subject", "Patient/p2")}}},
			item{key: "Patient/dead", values: search.Values{Tokens: []search.Token{tok("identifier", "9")}}},
			item{key: "Observation/f", values: search.Values{References: []search.Reference{ref("subject", "Patient/dead")}}})
		write(t, s, item{key: "Patient/dead", expect: 1, deleted: true})
		id := func(c string) search.Clause {
			return clause("identifier", search.KindToken, search.TokenMatch{Code: c})
		}
		gender := clause("gender", search.KindToken, search.TokenMatch{Code: "male"})
		chain := func(param, typ string, where ...search.Clause) search.Clause {
			return clause(param, search.KindReference, search.ChainMatch{Type: typ, Where: where})
		}
		has := func(typ, param string, where ...search.Clause) search.Clause {
			return search.Clause{Kind: search.KindReference, Any: []search.Operand{search.HasMatch{Type: typ, Param: param, Where: where}}}
		}
		x := clause("code", search.KindToken, search.TokenMatch{Code: "x"})
		z := clause("code", search.KindToken, search.TokenMatch{Code: "z"})
		check(t, s, "Observation", []asks{
			{"chain", one(chain("subject", "Patient", id("1"))), "a e"},
			{"chain to another type", one(chain("subject", "Group", id("1"))), "c"},
			{"chain with two conditions", one(chain("subject", "Patient", id("2"), gender)), "b e"},
			{"chain with a condition nobody fulfils", one(chain("subject", "Patient", id("3"), gender)), ""},
			{"chain without condition asks that the target is there", one(chain("subject", "Patient")), "a b e"},
			{"chain to a deleted target", one(chain("subject", "Patient", id("9"))), ""},
			{"chain and code", one(chain("subject", "Patient", gender), x), "a"},
			{"chain of two", one(chain("subject", "Patient", chain("organization", "Organization", id("O1")))), "a e"},
			{"chain of alternatives", one(clause("subject", search.KindReference, search.ChainMatch{Type: "Patient", Where: one(id("2"))},
				search.ChainMatch{Type: "Group", Where: one(id("1"))})), "b c e"},
			{"not a chain", one(not(chain("subject", "Patient", id("1")))), "b c d f"},
			{"chain by missing", one(chain("subject", "Patient", missing("organization", search.KindReference, true))), "b e"},
			{"chain by unknown parameter", one(chain("nothing", "Patient", id("1"))), ""},
			{"chain to unknown type", one(chain("subject", "Nothing", id("1"))), ""},
		})
		check(t, s, "Patient", []asks{
			{"has", one(has("Observation", "subject", x)), "p1"},
			{"has any", one(has("Observation", "subject")), "p1 p2"},
			{"has not", one(not(has("Observation", "subject", x))), "p2 p3"},
			{"has with a condition of its own", one(has("Observation", "subject", z), id("2")), "p2"},
			{"has two", one(has("Observation", "subject", x), has("Observation", "subject", z)), "p1"},
			{"has with a chain back", one(has("Observation", "subject", chain("subject", "Patient", id("1")))), "p1 p2"},
			{"has by unknown parameter", one(has("Observation", "nothing", x)), ""},
			{"has of unknown type", one(has("Nothing", "subject")), ""},
		})
		check(t, s, "Organization", []asks{
			{"has of has", one(has("Patient", "organization", has("Observation", "subject", x))), "o1"},
			{"has of has that nobody fulfils", one(has("Patient", "organization", has("Observation", "subject", search.Clause{Param: "code", Kind: search.KindToken,
				Any: []search.Operand{search.TokenMatch{Code: "y"}}}))), ""},
		})
	}},
	{"refuses what is no query, and what is too much", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		var deep search.Clause
		for range 30 {
			deep = clause("link", search.KindReference, search.ChainMatch{Type: "Patient", Where: one(deep)})
		}
		var wide search.Clause
		for i := range 100_000 {
			wide.Any = append(wide.Any, search.TokenMatch{Code: fmt.Sprint(i)})
		}
		wide.Param, wide.Kind = "code", search.KindToken
		for _, tt := range []struct {
			name string
			q    search.Query
			kind fault.Kind
		}{
			{"no type", search.Query{Count: 1}, fault.Invalid},
			{"a negative page", search.Query{Type: "Patient", Count: -1}, fault.Invalid},
			{"a huge page", search.Query{Type: "Patient", Count: 1 << 30}, fault.TooCostly},
			{"a foreign position", search.Query{Type: "Patient", Count: 1, After: &search.Position{Keys: []string{"?"}, ID: "?"}}, fault.Invalid},
			{"a position of another sort", search.Query{Type: "Patient", Count: 1, After: &search.Position{}}, fault.Invalid},
			{"deep chains", search.Query{Type: "Patient", Count: 1, Where: one(deep)}, fault.TooCostly},
			{"many alternatives", search.Query{Type: "Patient", Count: 1, Where: one(wide)}, fault.TooCostly},
		} {
			tt.q.Allowed = everybody
			if _, err := s.Search(t.Context(), &tt.q); !fault.Is(err, tt.kind) {
				t.Errorf("%s: got %v, want a fault of kind %s", tt.name, err, tt.kind)
			}
		}
	}},
	{"agrees with the plain evaluator on random queries", againstModel},
}

// dates is the table of https://hl7.org/fhir/R4/search.html#prefix for [10, 20).
func dates(t *testing.T, s Store, typ string, unit int64) {
	at := func(n int64) int64 {
		if n <= search.MinTime || n >= search.MaxTime {
			return n
		}
		return n * unit
	}
	for id, v := range map[string][]int64{
		"in": {12, 13}, "equal": {10, 20}, "left": {0, 5}, "right": {30, 35}, "overlapL": {5, 12}, "overlapR": {15, 25},
		"around": {5, 25}, "open": {15, search.MaxTime}, "openL": {search.MinTime, 12}, "touchL": {0, 10}, "touchR": {20, 30},
		"all": {search.MinTime, search.MaxTime}, "two": {12, 13, 30, 31}, "none": {},
	} {
		var values search.Values
		for i := 0; i < len(v); i += 2 {
			values.Dates = append(values.Dates, search.Date{Param: "date", Low: at(v[i]), High: at(v[i+1])})
		}
		write(t, s, item{key: typ + "/" + id, values: values})
	}
	d := func(c search.Compare, low, high int64) search.Clause {
		return clause("date", search.KindDate, search.DateMatch{Compare: c, Low: at(low), High: at(high)})
	}
	check(t, s, typ, []asks{
		{"eq", one(d(search.EQ, 10, 20)), "in equal two"},
		{"ne", one(d(search.NE, 10, 20)), "left right overlapL overlapR around open openL touchL touchR all two"},
		{"gt", one(d(search.GT, 10, 20)), "right overlapR around open touchR all two"},
		{"lt", one(d(search.LT, 10, 20)), "left overlapL around openL touchL all"},
		{"ge", one(d(search.GE, 10, 20)), "right overlapR around open touchR all two in equal"},
		{"le", one(d(search.LE, 10, 20)), "left overlapL around openL touchL all in equal two"},
		{"sa", one(d(search.SA, 10, 20)), "right touchR two"},
		{"eb", one(d(search.EB, 10, 20)), "left touchL"},
		{"ap", one(d(search.AP, 10, 20)), "in equal overlapL overlapR around open openL all two"},
		{"not eq is also what has none", one(not(d(search.EQ, 10, 20))), "left right overlapL overlapR around open openL touchL touchR all none"},
		{"between", one(d(search.GE, 12, 13), d(search.LT, 20, 21)), "in equal overlapR around open all two"},
		{"within", one(d(search.SA, 9, 10), d(search.EB, 20, 21)), "in equal two"},
		{"two values answer two clauses", one(d(search.EQ, 10, 20), d(search.EQ, 30, 32)), "two"},
		{"either", one(clause("date", search.KindDate, search.DateMatch{Low: at(10), High: at(20)},
			search.DateMatch{Compare: search.EB, Low: at(10), High: at(11)})), "in equal two left touchL"},
		{"open bounds", one(d(search.GE, search.MinTime, 0)), "in equal left right overlapL overlapR around open openL touchL touchR all two"},
		{"missing", one(missing("date", search.KindDate, true)), "none"},
	})
}
