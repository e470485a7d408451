package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/search"
)

// moment is a second of a feed.
func moment(param string, n int64) search.Date {
	return search.Date{Param: param, Low: 1.7e15 + n*1e6, High: 1.7e15 + (n+1)*1e6}
}

// leadingDates are those that a result may have: what an index may be ordered by, and what it cannot be.
var leadingDates = []struct {
	name  string
	dates []search.Date
}{
	{"one", []search.Date{moment("date", 7)}},
	{"another", []search.Date{moment("date", 3), moment("issued", 1)}},
	{"the-same", []search.Date{moment("date", 3)}},
	{"none", nil},
	{"several", []search.Date{moment("date", 1), moment("date", 9)}},
	{"long", []search.Date{{Param: "date", Low: 1.7e15 + 5e6, High: 1.7e15 + 90*86400e6}}},
	{"open", []search.Date{{Param: "date", Low: 1.7e15 + 4e6, High: search.MaxTime}}},
	{"before-1970", []search.Date{{Param: "date", Low: -5e12, High: -5e12 + 1e6}}},
	{"the-first", []search.Date{{Param: "date", Low: 0, High: 1e6}}},
	{"of-others", []search.Date{moment("issued", 0), {Param: "code-date$1", Low: 1.7e15, High: 1.7e15 + 1e6, Group: 1}}},
}

func leadingResult(id string, dates []search.Date) item {
	return item{key: "Observation/" + id, values: search.Values{
		Tokens: []search.Token{{Param: "code", System: "s", Code: "K"}, {Param: "combo-code", System: "s", Code: "K"}, {Param: "status", Code: "final"},
			{Param: "identifier", Code: "number-12345"}, {Param: "code-date$0", System: "s", Code: "K", Group: 1}},
		References: []search.Reference{{Param: "patient", Type: "Patient", ID: "p1"}, {Param: "subject", Type: "Patient", ID: "p1"}},
		Dates:      dates,
	}}
}

// leadingPages reads results in every order under every condition, three at a time. Between two pages some change their
// date, or go.
func leadingPages(t *testing.T, s Store) {
	type result struct {
		id    string
		kind  string
		dates []search.Date
		place int
	}
	var list []result
	for range 3 {
		for _, l := range leadingDates {
			list = append(list, result{fmt.Sprint(l.name, "-", len(list)), l.name, l.dates, len(list)})
			write(t, s, leadingResult(list[len(list)-1].id, l.dates))
		}
	}
	write(t, s, item{key: "Observation/else", values: search.Values{Tokens: []search.Token{{Param: "code", Code: "L"}}, Dates: []search.Date{moment("date", 5)}}})
	since := clause("date", search.KindDate, search.DateMatch{Compare: search.GE, Low: 1.7e15, High: 1.7e15 + 1})
	orders := map[string][]search.Sort{"unsorted": nil, "oldest": {{Param: "date", Kind: search.KindDate}}, "newest": {{Param: "date", Kind: search.KindDate, Down: true}},
		"issued": {{Param: "issued", Kind: search.KindDate}}}
	token := func(param string) search.Clause { return clause(param, search.KindToken, search.TokenMatch{Code: "K"}) }
	patient := clause("patient", search.KindReference, search.ReferenceMatch{Type: "Patient", ID: "p1"})
	wheres := map[string][]search.Clause{
		"code": one(token("code")), "combo-code": one(token("combo-code")), "patient": one(patient), "patient and code": one(patient, token("code")),
		"status":             one(clause("status", search.KindToken, search.TokenMatch{Code: "final"})),
		"status and patient": one(clause("status", search.KindToken, search.TokenMatch{Code: "final"}), patient),
		"identifier":         one(clause("identifier", search.KindToken, search.TokenMatch{Code: "number-12345"})),
		"one of two codes":   one(clause("code", search.KindToken, search.TokenMatch{Code: "K"}, search.TokenMatch{Code: "M"})),
		"code since":         one(token("code"), since),
		"patient since":      one(since, patient),
		"status since":       one(since, clause("status", search.KindToken, search.TokenMatch{Code: "final"})),
		"until": one(clause("date", search.KindDate, search.DateMatch{Compare: search.LE, Low: 1.7e15 + 2e6, High: 1.7e15 + 3e6}),
			clause("status", search.KindToken, search.TokenMatch{Code: "final"})),
		"code until": one(clause("date", search.KindDate, search.DateMatch{Compare: search.LE, Low: 1.7e15 + 2e6, High: 1.7e15 + 3e6}), token("code")),
	}
	changed := 0
	for order, sort := range orders {
		for where, clauses := range wheres {
			for _, busy := range []bool{false, true} {
				if busy && (where == "identifier" || order == "issued") {
					continue
				}
				name := fmt.Sprintf("%s, %s, busy %v", where, order, busy)
				param := "date"
				if order == "issued" {
					param = "issued"
				}
				keyOf := func(r result) (low int64, ok bool) {
					for _, d := range r.dates {
						if d.Param == param && (!ok || d.Low < low && order != "newest" || d.Low > low && order == "newest") {
							low, ok = d.Low, true
						}
					}
					return low, ok
				}
				var want []string
				touched := map[string]bool{}
				sortedList := slices.Clone(list)
				if sort != nil {
					slices.SortFunc(sortedList, func(a, b result) int {
						x, dated := keyOf(a)
						y, also := keyOf(b)
						switch {
						case dated != also && dated:
							return -1
						case dated != also:
							return 1
						case order == "newest":
							return cmp.Or(cmp.Compare(y, x), cmp.Compare(b.place, a.place))
						}
						return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.place, b.place))
					})
				}
				for _, r := range sortedList {
					early := r.kind == "before-1970" || r.kind == "the-first"
					dated := r.kind != "none" && r.kind != "of-others"
					switch {
					case strings.Contains(where, "since") && (early || !dated):
					case strings.Contains(where, "until") && !early && r.kind != "several":
					default:
						want = append(want, r.id)
					}
				}
				q := search.Query{Type: "Observation", Count: 4, Where: clauses, Sort: sort, Allowed: everybody}
				var got []string
				for page := 1; ; page++ {
					p, err := s.Search(t.Context(), &q)
					if err != nil {
						t.Fatal(name, err)
					}
					for _, r := range p.Rows {
						got = append(got, r.ID)
					}
					if p.Next == nil {
						break
					}
					q.After, q.AsOf = p.Next, p.AsOf
					if busy && page%3 == 1 { // one moves to where pages are still to come, one is new, and comes back below
						id := fmt.Sprint("moved-", changed)
						changed++
						write(t, s, leadingResult(id, []search.Date{moment("date", 8)}))
						moved := list[(7*changed)%len(list)]
						write(t, s, rewritten(t, s, moved.id, []search.Date{moment("date", int64(changed%12))}))
						touched[moved.id] = true
						write(t, s, item{key: "Observation/" + id, expect: 1, deleted: true})
					}
				}
				if busy {
					keep := func(list []string) []string {
						return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return touched[id] })
					}
					if seen := slices.Compact(sorted(got)); len(seen) != len(got) {
						t.Errorf("%s: a result comes twice: %v", name, got)
					}
					want, got = keep(want), keep(got)
					for _, r := range list { // as it was
						if touched[r.id] {
							write(t, s, rewritten(t, s, r.id, r.dates))
						}
					}
				}
				if sort == nil {
					got, want = sorted(got), sorted(want)
				}
				same(t, name, got, want)
			}
		}
	}
}

// rewritten is a result with other dates.
func rewritten(t testing.TB, s Store, id string, dates []search.Date) item {
	t.Helper()
	next := leadingResult(id, dates)
	v, err := s.Read(t.Context(), key(next.key))
	if err != nil {
		t.Fatal(err)
	}
	next.expect = v.Number
	return next
}

// mentions are about what several parameters of a type have in common: each finds what it has, and no other's.
func mentions(t *testing.T, s Store) {
	const text = "11502-2-long"
	write(t, s, item{key: "Observation/a", values: search.Values{
		Tokens: []search.Token{{Param: "code", System: "x", Code: text, Text: "glucose in serum"}, {Param: "category", System: "y", Code: text},
			{Param: "code-value$0", Code: text, Group: 1}, {Param: "code-value$0", Code: "short", Group: 1}, {Param: "component-code", System: "x", Code: "short"},
			{Param: "combo-code", System: "x", Code: text}, {Param: "combo-code", System: "x", Code: "short"}, {Param: "method", Text: "by hand"}},
		References: []search.Reference{{Param: "subject", Type: "Patient", ID: "patient-1"}, {Param: "performer", Type: "Practitioner", ID: "patient-1"},
			{Param: "focus", System: "s", Value: "number-7890"}, {Param: "device", URL: "http://example.org/device/1"}},
		Quantities: []search.Quantity{
			{Param: "value-quantity", Low: 4, High: 6, System: "u", Code: "g", CanonicalCode: "kg", CanonicalLow: .004, CanonicalHigh: .006},
			{Param: "combo-value-quantity", Low: 40, High: 60, System: "u", Code: "mg"},
			{Param: "code-value$1", Low: 4, High: 6, Code: "g", Group: 1}},
		Numbers: []search.Number{{Param: "probability", Low: 5, High: 5}},
		Strings: []search.String{{Param: "note", Folded: "wang", Exact: "Wáng"}, {Param: "note", Folded: "something else", Exact: "X"},
			{Param: "comment", Folded: "li", Exact: "Li"}},
		URIs: []search.URI{{Param: "_profile", Value: "http://example.org/p/1"}, {Param: "instantiates", Value: "http://example.org/q/2"}},
	}})
	coded := func(param, system, c string) search.Clause {
		return clause(param, search.KindToken, search.TokenMatch{System: &system, Code: c})
	}
	bare := func(param, c string) search.Clause {
		return clause(param, search.KindToken, search.TokenMatch{Code: c})
	}
	labelled := func(param, text string) search.Clause {
		return clause(param, search.KindToken, search.TokenMatch{Text: text})
	}
	ref := func(param string, m search.ReferenceMatch) search.Clause {
		return clause(param, search.KindReference, m)
	}
	str := func(param string, mode search.StringMode, text string) search.Clause {
		return clause(param, search.KindString, search.StringMatch{Mode: mode, Text: text})
	}
	uri := func(param, value string, below bool) search.Clause {
		return clause(param, search.KindURI, search.URIMatch{Value: value, Below: below})
	}
	amount := func(param, code string, canonical bool, low, high float64) search.Clause {
		return clause(param, search.KindQuantity, search.QuantityMatch{
			NumberMatch: search.NumberMatch{Compare: search.EQ, Low: low, Value: (low + high) / 2, High: high}, Code: code, Canonical: canonical})
	}
	check(t, s, "Observation", []asks{
		{"a code of its system", one(coded("code", "x", text)), "a"},
		{"the category of the same text", one(coded("category", "y", text)), "a"},
		{"the code with the category's system", one(coded("code", "y", text)), ""},
		{"the text under another parameter", one(bare("status", text)), ""},
		{"a code of a component", one(bare("component-code", "short")), "a"},
		{"a code of a component as the whole's", one(bare("code", "short")), ""},
		{"the whole's code as a component's", one(bare("component-code", text)), ""},
		{"any code", one(bare("combo-code", "short"), bare("combo-code", text)), "a"},
		{"one of two codes", one(clause("code", search.KindToken, search.TokenMatch{Code: "short"}, search.TokenMatch{Code: text})), "a"},
		{"one of two codes it has not", one(clause("code", search.KindToken, search.TokenMatch{Code: "short"}, search.TokenMatch{Code: "other"})), ""},
		{"the display of a code", one(labelled("code", "glucose")), "a"},
		{"the display of another code", one(labelled("method", "glucose")), ""},
		{"a string as a display", one(labelled("code", "wang")), ""},
		{"the patient", one(ref("subject", search.ReferenceMatch{Type: "Patient", ID: "patient-1"})), "a"},
		{"the patient of any type", one(ref("subject", search.ReferenceMatch{ID: "patient-1"})), "a"},
		{"the patient's id of another type", one(ref("subject", search.ReferenceMatch{Type: "Practitioner", ID: "patient-1"})), ""},
		{"the patient as somebody else", one(ref("encounter", search.ReferenceMatch{ID: "patient-1"})), ""},
		{"a reference by identifier", one(ref("focus", search.ReferenceMatch{Identifier: &search.TokenMatch{Code: "number-7890"}})), "a"},
		{"the identifier as an id", one(ref("focus", search.ReferenceMatch{ID: "number-7890"})), ""},
		{"a reference by url", one(ref("device", search.ReferenceMatch{URL: "http://example.org/device/1"})), "a"},
		{"the url under another parameter", one(ref("focus", search.ReferenceMatch{URL: "http://example.org/device/1"})), ""},
		{"text as it was written", one(str("note", search.Exact, "Wáng")), "a"},
		{"text as it was folded", one(str("note", search.Exact, "wang")), ""},
		{"text that was folded otherwise", one(str("note", search.Exact, "X")), "a"},
		{"another parameter's text as it was written", one(str("note", search.Exact, "Li")), ""},
		{"the beginning of a text", one(str("note", search.Prefix, "wa")), "a"},
		{"the beginning of another's text", one(str("comment", search.Prefix, "wa")), ""},
		{"a part of a text", one(str("note", search.Contains, "ang")), "a"},
		{"a letter of a text", one(str("note", search.Contains, "g")), "a"},
		{"a part of another's text", one(str("comment", search.Contains, "ang")), ""},
		{"a whole text", one(str("note", search.Equal, "wang")), "a"},
		{"another's whole text", one(str("comment", search.Equal, "wang")), ""},
		{"a uri", one(uri("_profile", "http://example.org/p/1", false)), "a"},
		{"another's uri", one(uri("_profile", "http://example.org/q/2", false)), ""},
		{"below a uri", one(uri("_profile", "http://example.org/p", true)), "a"},
		{"below another's uri", one(uri("_profile", "http://example.org/q", true)), ""},
		{"a quantity", one(amount("value-quantity", "g", false, 4, 6)), "a"},
		{"the quantity of another parameter", one(amount("value-quantity", "mg", false, 40, 60)), ""},
		{"a quantity in base units", one(amount("value-quantity", "kg", true, .004, .006)), "a"},
		{"base units under the other parameter", one(amount("combo-value-quantity", "kg", true, .004, .006)), ""},
		{"a quantity's number in base units", one(amount("value-quantity", "", false, .004, .006)), ""},
		{"the other parameter's own quantity", one(amount("combo-value-quantity", "mg", false, 40, 60)), "a"},
		{"a quantity of a component, as a whole", one(amount("code-value", "g", false, 4, 6)), ""},
		{"a number", one(clause("probability", search.KindNumber, search.NumberMatch{Compare: search.EQ, Low: 5, Value: 5, High: 5})), "a"},
		{"a quantity as a number", one(clause("probability", search.KindNumber, search.NumberMatch{Compare: search.EQ, Low: 50, Value: 50, High: 50})), ""},
	})
	words := func(param string, terms ...string) search.Text { return search.Text{Param: param, Terms: terms} }
	write(t, s, item{key: "Observation/both", values: search.Values{Texts: []search.Text{words("_text", "bone", "only"), words("_content", "bone", "liver")}}},
		item{key: "Observation/text", values: search.Values{Texts: []search.Text{words("_text", "bone")}}},
		item{key: "Observation/content", values: search.Values{Texts: []search.Text{words("_content", "bone", "liver")}}})
	has := func(param string, terms ...string) search.Clause {
		return clause(param, search.KindText, search.TextMatch{Terms: terms})
	}
	check(t, s, "Observation", []asks{
		{"a word of both texts", one(has("_text", "bone")), "both text"},
		{"a word of both contents", one(has("_content", "bone")), "both content"},
		{"words of one and of both", one(has("_content", "liver", "bone")), "both content"},
		{"words of the other", one(has("_text", "liver")), ""},
		{"words of the narrative alone", one(has("_content", "only")), ""},
		{"words of the narrative alone, there", one(has("_text", "bone", "only")), "both"},
	})
}
