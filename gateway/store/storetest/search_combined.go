package storetest

import (
	"fmt"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
)

func all(where ...search.Clause) search.AllMatch { return search.AllMatch{Where: where} }

// either is a clause of alternatives, as _filter makes them.
func either(of ...search.Operand) search.Clause {
	return search.Clause{Kind: search.KindSpecial, Any: of}
}

// combinedTests are about operands that are made of others.
var combinedTests = []test{
	{"conditions combine with and, or and not", func(t *testing.T, s Store) {
		tok := func(codes ...string) (v search.Values) {
			for _, c := range codes {
				v.Tokens = append(v.Tokens, search.Token{Param: "code", Code: c})
			}
			return v
		}
		write(t, s, item{key: "X/none"}, item{key: "X/a", values: tok("a")}, item{key: "X/b", values: tok("b")},
			item{key: "X/ab", values: tok("a", "b")}, item{key: "X/abc", values: tok("a", "b", "c")}, item{key: "X/c", values: tok("c")},
			item{key: "X/gone", values: tok("a", "b", "c")}, item{key: "Y/other", values: tok("a")},
			item{key: "Z/z", values: search.Values{References: []search.Reference{{Param: "of", Type: "X", ID: "ab"}, {Param: "of", Type: "X", ID: "gone"}}}})
		write(t, s, item{key: "X/gone", expect: 1, deleted: true})
		is := func(c string) search.Clause { return code(search.TokenMatch{Code: c}) }
		a, b, c := is("a"), is("b"), is("c")
		check(t, s, "X", []asks{
			{"and", one(either(all(a, b))), "ab abc"},
			{"and with nothing is always so", one(either(all())), "none a b ab abc c"},
			{"not always is never so", one(not(either(all()))), ""},
			{"or of always", one(either(all(a), all())), "none a b ab abc c"},
			{"or", one(either(all(a), all(c))), "a ab abc c"},
			{"not and", one(not(either(all(a, b)))), "none a b c"},
			{"not or", one(not(either(all(a), all(c)))), "none b"},
			{"and not", one(either(all(a, not(b)))), "a"},
			{"not alone", one(either(all(not(b)))), "none a c"},
			{"or not", one(either(all(not(b)), all(c))), "none a c abc"},
			{"not not", one(not(either(all(not(a))))), "a ab abc"},
			{"nested", one(either(all(either(all(a, b), all(c)), not(either(all(a, c)))))), "ab c"},
			{"or of or", one(either(all(either(all(a), all(b))), all(c))), "a b ab abc c"},
			{"missing inside", one(either(all(missing("code", search.KindToken, true)), all(c))), "none abc c"},
			{"not missing inside", one(not(either(all(missing("code", search.KindToken, true)), all(c)))), "a b ab"},
			{"beside another clause", one(either(all(a), all(c)), b), "ab abc"},
			{"beside ids", one(clause("_id", search.KindToken, search.TokenMatch{Code: "ab"}, search.TokenMatch{Code: "c"}), either(all(a), all(c))), "ab c"},
			{"ids inside", one(either(all(clause("_id", search.KindToken, search.TokenMatch{Code: "ab"})), all(c))), "ab abc c"},
			{"nobody fulfils one alternative", one(either(all(is("nothing")), all(c))), "abc c"},
			{"nobody fulfils any", one(either(all(is("nothing")), all(is("nobody")))), ""},
			{"reverse chain inside", one(either(all(search.Clause{Kind: search.KindReference, Any: []search.Operand{
				search.HasMatch{Type: "Z", Param: "of"}}}), all(c))), "ab abc c"},
			{"an unknown parameter inside", one(either(all(clause("nothing", search.KindToken, search.TokenMatch{Code: "a"})), all(c))), "abc c"},
			{"a plain match beside a conjunction", one(search.Clause{Param: "code", Kind: search.KindToken, Any: []search.Operand{
				search.TokenMatch{Code: "c"}, all(a, b)}}), "ab abc c"},
		})
		check(t, s, "Z", []asks{
			{"inside a chain", one(clause("of", search.KindReference, search.ChainMatch{Type: "X", Where: one(either(all(a), all(c)))})), "z"},
			{"inside a chain, not", one(clause("of", search.KindReference, search.ChainMatch{Type: "X", Where: one(not(either(all(a), all(c))))})), ""},
		})
		deep := a
		for range 200 {
			deep = not(either(all(deep)))
		}
		check(t, s, "X", []asks{{"deep", one(deep), "a ab abc"}})
		for range 100_000 {
			deep = not(either(all(deep)))
		}
		q := search.Query{Type: "X", Where: one(deep), Allowed: everybody, Count: 1}
		if _, err := s.Search(t.Context(), &q); !fault.Is(err, fault.TooCostly) {
			t.Errorf("conditions without end: %v", err)
		}
	}},
	{"finds a value under its parameter alone, however many have it", mentions},
	{"composites ask for values of one element", composites},
	{"near", func(t *testing.T, s Store) {
		at := func(positions ...float64) (v search.Values) {
			for i := 0; i < len(positions); i += 2 {
				g := uint16(i/2 + 1)
				v.Numbers = append(v.Numbers, search.Number{Param: "near$0", Low: positions[i], High: positions[i], Group: g},
					search.Number{Param: "near$1", Low: positions[i+1], High: positions[i+1], Group: g})
			}
			return v
		}
		write(t, s, item{key: "Location/here", values: at(31.2, 121.5)}, item{key: "Location/north", values: at(31.3, 121.5)},
			item{key: "Location/east", values: at(31.2, 121.6)}, item{key: "Location/far", values: at(39.9, 116.4)},
			item{key: "Location/pole", values: at(89.99, 10)}, item{key: "Location/dateline", values: at(0, 179.95)},
			item{key: "Location/two", values: at(31.2, 10, 60, 121.5)}, item{key: "Location/none"})
		nm := func(lat, lon, meters float64) []search.Clause {
			return one(clause("near", search.KindSpecial, search.NearMatch{Latitude: lat, Longitude: lon, Meters: meters}))
		}
		check(t, s, "Location", []asks{
			{"on the spot", nm(31.2, 121.5, 1), "here"},
			// A tenth of a degree of latitude is 11.12 km, of longitude at 31.2° 9.51 km.
			{"9 km", nm(31.2, 121.5, 9_000), "here"},
			{"10 km", nm(31.2, 121.5, 10_000), "here east"},
			{"11 km", nm(31.2, 121.5, 11_100), "here east"},
			{"12 km", nm(31.2, 121.5, 11_200), "here east north"},
			{"1100 km", nm(31.2, 121.5, 1_100_000), "here east north far"},
			{"over the pole", nm(89.99, -170, 2_500), "pole"},
			{"over the date line", nm(0, -179.95, 11_200), "dateline"},
			{"the whole globe", nm(0, 0, 1e9), "here north east far pole dateline two"},
			{"not", one(not(nm(31.2, 121.5, 11_200)[0])), "far pole dateline two none"},
			{"either of two", append(nm(31.2, 121.5, 1e7)[:0:0], clause("near", search.KindSpecial,
				search.NearMatch{Latitude: 31.2, Longitude: 121.5, Meters: 1}, search.NearMatch{Latitude: 39.9, Longitude: 116.4, Meters: 1})), "here far"},
			{"has a position", one(missing("near$0", search.KindNumber, false)), "here north east far pole dateline two"},
		})
	}},
	{"text", func(t *testing.T, s Store) {
		words := func(param string, terms ...string) search.Text { return search.Text{Param: param, Terms: terms} }
		texts := func(t ...search.Text) search.Values { return search.Values{Texts: t} }
		write(t, s,
			item{key: "X/a", values: texts(words("_text", "bone", "liver", "糖", "糖尿", "尿"), words("_content", "bone", "x1"))},
			item{key: "X/b", values: texts(words("_content", "bone", "and", "or", "not", "near"))},
			item{key: "X/c", values: texts(words("_text", "liver", "𠮷", "𠮷野", "ガ"))},
			item{key: "X/d"}, item{key: "Y/a", values: texts(words("_text", "bone"))})
		tm := func(param string, terms ...string) search.Clause {
			return clause(param, search.KindText, search.TextMatch{Terms: terms})
		}
		check(t, s, "X", []asks{
			{"a word", one(tm("_text", "liver")), "a c"},
			{"all words", one(tm("_text", "bone", "liver")), "a"},
			{"no part of a word", one(tm("_text", "live")), ""},
			{"another parameter", one(tm("_content", "liver")), ""},
			{"words of two parameters are apart", one(tm("_content", "bone", "liver")), ""},
			{"a Chinese character", one(tm("_text", "糖")), "a"},
			{"two Chinese characters", one(tm("_text", "糖尿")), "a"},
			{"two that are not neighbours", one(tm("_text", "糖病")), ""},
			{"four bytes", one(tm("_text", "𠮷野")), "c"},
			{"kana", one(tm("_text", "ガ")), "c"},
			{"words that mean something to a database", one(tm("_content", "and", "or", "not", "near")), "b"},
			{"quotes are text", one(tm("_content", `"x`)), ""},
			{"stars are text", one(tm("_content", "bon*")), ""},
			{"either", one(clause("_text", search.KindText, search.TextMatch{Terms: []string{"bone"}}, search.TextMatch{Terms: []string{"𠮷"}})), "a c"},
			{"not", one(not(tm("_text", "liver"))), "b d"},
			{"two clauses", one(tm("_text", "liver"), tm("_content", "bone")), "a"},
			{"inside a combination", one(either(all(tm("_text", "𠮷")), all(tm("_content", "and")))), "b c"},
			{"nobody's parameter", one(tm("_nothing", "liver")), ""},
		})
		write(t, s, item{key: "X/a", expect: 1, values: texts(words("_text", "spine"))}, item{key: "X/c", expect: 1, deleted: true})
		check(t, s, "X", []asks{
			{"after an update", one(tm("_text", "spine")), "a"},
			{"what is gone", one(tm("_text", "liver")), ""},
			{"what is gone of another parameter", one(tm("_content", "bone")), "b"},
		})
	}},
	{"the whole of a text and its end", func(t *testing.T, s Store) {
		for id, text := range map[string]string{"a": "李小明", "b": "小明", "c": "明", "d": "100%", "e": "00%", "f": "a_b", "g": "xb"} {
			write(t, s, item{key: "X/" + id, values: search.Values{Strings: []search.String{{Param: "name", Folded: text, Exact: "~" + text}}}})
		}
		sm := func(mode search.StringMode, text string) []search.Clause {
			return one(clause("name", search.KindString, search.StringMatch{Mode: mode, Text: text}))
		}
		check(t, s, "X", []asks{
			{"whole", sm(search.Equal, "小明"), "b"},
			{"whole is not what was written", sm(search.Equal, "~小明"), ""},
			{"end", sm(search.Suffix, "小明"), "a b"},
			{"end of one character", sm(search.Suffix, "明"), "a b c"},
			{"end, percent is text", sm(search.Suffix, "%"), "d e"},
			{"end, underscore is text", sm(search.Suffix, "_b"), "f"},
			{"another, of several texts", sm(search.Other, "小明"), "a c d e f g"},
			{"end longer than the text", sm(search.Suffix, "张李小明"), ""},
			{"inside of Chinese", sm(search.Contains, "小"), "a b"},
			{"two characters inside of Chinese", sm(search.Contains, "李小"), "a"},
			{"three characters", sm(search.Contains, "李小明"), "a"},
			{"neighbours in another order", sm(search.Contains, "小李"), ""},
		})
	}},
	{"counts as asked", func(t *testing.T, s Store) {
		for n := range 7 {
			write(t, s, item{key: fmt.Sprint("X/", n), values: search.Values{Tokens: []search.Token{{Param: "code", Code: fmt.Sprint(n % 2)}}}})
		}
		q := search.Query{Type: "X", Where: one(code(search.TokenMatch{Code: "0"})), Allowed: everybody, Count: 2}
		for total, want := range map[search.Total]func(int) bool{
			search.TotalNone:     func(n int) bool { return n == -1 },
			search.TotalEstimate: func(n int) bool { return n >= 0 },
			search.TotalAccurate: func(n int) bool { return n == 4 },
		} {
			q.Total = total
			p, err := s.Search(t.Context(), &q)
			if err != nil || !want(p.Total) || len(p.Rows) != 2 {
				t.Errorf("total %d: %d, %d rows, %v", total, p.Total, len(p.Rows), err)
			}
		}
	}},
}

// composites writes elements with two values each, in and across groups.
func composites(t *testing.T, s Store) {
	const ucum = "http://unitsofmeasure.org"
	var v search.Values
	start := func() { v = search.Values{} }
	code := func(g uint16, c string) {
		v.Tokens = append(v.Tokens, search.Token{Param: "cv$0", System: loinc, Code: c, Text: "text " + c, Group: g})
	}
	quantity := func(g uint16, n float64) {
		v.Quantities = append(v.Quantities, search.Quantity{Param: "cv$1", Low: n - 0.5, High: n + 0.5, System: ucum, Code: "g/L",
			CanonicalCode: "g.m-3", CanonicalLow: (n - 0.5) * 1000, CanonicalHigh: (n + 0.5) * 1000, Group: g})
	}
	put := func(id string) { write(t, s, item{key: "Observation/" + id, values: v}) }

	start()
	code(1, "sys")
	quantity(1, 120)
	code(2, "dia")
	quantity(2, 80)
	put("pressure")
	start()
	code(1, "sys")
	quantity(1, 80)
	code(2, "dia")
	quantity(2, 120)
	put("reversed")
	start()
	code(7, "sys")
	code(7, "local")
	quantity(7, 120)
	put("codes")
	start()
	code(1, "sys")
	put("half")
	start()
	v.Tokens = []search.Token{{Param: "cv", System: loinc, Code: "sys"}}
	v.Quantities = []search.Quantity{{Param: "cv", Low: 119.5, High: 120.5}}
	put("plain")
	start()
	put("none")

	tok := search.CompositePart{Kind: search.KindToken, Match: search.TokenMatch{System: ptr(loinc), Code: "sys"}}
	num := func(c search.Compare, n float64) search.CompositePart {
		return search.CompositePart{Kind: search.KindQuantity, Match: search.QuantityMatch{
			NumberMatch: search.NumberMatch{Compare: c, Low: n - 0.5, Value: n, High: n + 0.5}}}
	}
	cm := func(parts ...search.CompositePart) search.Clause {
		return clause("cv", search.KindComposite, search.CompositeMatch{Parts: parts})
	}
	canonical := search.CompositePart{Kind: search.KindQuantity, Match: search.QuantityMatch{Canonical: true, Code: "g.m-3",
		NumberMatch: search.NumberMatch{Compare: search.GT, Low: 1e5, Value: 1e5, High: 1e5}}}
	check(t, s, "Observation", []asks{
		{"both parts in one element", one(cm(tok, num(search.EQ, 120))), "pressure codes"},
		{"parts of two elements do not match", one(cm(tok, num(search.EQ, 80))), "reversed"},
		{"an order", one(cm(tok, num(search.GT, 100))), "pressure codes"},
		{"canonical units", one(cm(tok, canonical)), "pressure codes"},
		{"any system", one(cm(search.CompositePart{Kind: search.KindToken, Match: search.TokenMatch{Code: "local"}}, num(search.EQ, 120))), "codes"},
		{"by text", one(cm(search.CompositePart{Kind: search.KindToken, Match: search.TokenMatch{Text: "text dia"}}, num(search.EQ, 120))), "reversed"},
		{"a code nobody has", one(cm(search.CompositePart{Kind: search.KindToken, Match: search.TokenMatch{Code: "x"}}, num(search.EQ, 120))), ""},
		{"not", one(not(cm(tok, num(search.EQ, 120)))), "reversed half plain none"},
		{"alternatives", one(clause("cv", search.KindComposite, search.CompositeMatch{Parts: []search.CompositePart{tok, num(search.EQ, 120)}},
			search.CompositeMatch{Parts: []search.CompositePart{tok, num(search.EQ, 80)}})), "pressure reversed codes"},
		{"two clauses by two elements", one(cm(tok, num(search.EQ, 120)),
			cm(search.CompositePart{Kind: search.KindToken, Match: search.TokenMatch{Code: "dia"}}, num(search.EQ, 80))), "pressure"},
		{"beside a conjunction", one(either(search.AllMatch{Where: one(cm(tok, num(search.EQ, 80)))},
			search.AllMatch{Where: one(clause("cv", search.KindToken, search.TokenMatch{Code: "sys"}))})), "reversed plain"},
		{"unknown parameter", one(clause("nothing", search.KindComposite, search.CompositeMatch{Parts: []search.CompositePart{tok, num(search.EQ, 120)}})), ""},
		{"has a value of a component", one(missing("cv$0", search.KindToken, false)), "pressure reversed codes half"},
	})

	// Every kind of component, three of them, and values that are equal but for their group.
	write(t, s, item{key: "Kind/a", values: search.Values{
		Strings:    []search.String{{Param: "c$0", Folded: "x", Exact: "X", Group: 1}, {Param: "c$0", Folded: "x", Exact: "X", Group: 2}},
		Dates:      []search.Date{{Param: "c$1", Low: 10, High: 20, Group: 1}, {Param: "c$1", Low: 30, High: 40, Group: 2}},
		References: []search.Reference{{Param: "c$2", Type: "P", ID: "1", Group: 1}, {Param: "c$2", URL: "urn:2", Group: 2}},
		Numbers:    []search.Number{{Param: "c$3", Low: 1, High: 1, Group: 1}, {Param: "c$3", Low: 2, High: 2, Group: 2}},
		URIs:       []search.URI{{Param: "c$4", Value: "http://x/1", Group: 1}, {Param: "c$4", Value: "http://x/2", Group: 2}},
	}})
	str := search.CompositePart{Kind: search.KindString, Match: search.StringMatch{Mode: search.Exact, Text: "X"}}
	when := func(low, high int64) search.CompositePart {
		return search.CompositePart{Kind: search.KindDate, Match: search.DateMatch{Low: low, High: high}}
	}
	ref := func(m search.ReferenceMatch) search.CompositePart {
		return search.CompositePart{Kind: search.KindReference, Match: m}
	}
	n := func(f float64) search.CompositePart {
		return search.CompositePart{Kind: search.KindNumber, Match: search.NumberMatch{Low: f - 0.5, Value: f, High: f + 0.5}}
	}
	uri := func(u string) search.CompositePart {
		return search.CompositePart{Kind: search.KindURI, Match: search.URIMatch{Value: u}}
	}
	ask := func(parts ...search.CompositePart) []search.Clause {
		return one(clause("c", search.KindComposite, search.CompositeMatch{Parts: parts}))
	}
	check(t, s, "Kind", []asks{
		{"first element", ask(str, when(10, 20), ref(search.ReferenceMatch{Type: "P", ID: "1"}), n(1), uri("http://x/1")), "a"},
		{"second element", ask(str, when(30, 40), ref(search.ReferenceMatch{URL: "urn:2"}), n(2), uri("http://x/2")), "a"},
		{"date of the other", ask(str, when(30, 40), ref(search.ReferenceMatch{Type: "P", ID: "1"}), n(1), uri("http://x/1")), ""},
		{"reference of the other", ask(str, when(10, 20), ref(search.ReferenceMatch{URL: "urn:2"}), n(1), uri("http://x/1")), ""},
		{"number of the other", ask(str, when(10, 20), ref(search.ReferenceMatch{Type: "P", ID: "1"}), n(2), uri("http://x/1")), ""},
		{"uri of the other", ask(str, when(10, 20), ref(search.ReferenceMatch{Type: "P", ID: "1"}), n(1), uri("http://x/2")), ""},
	})
}
