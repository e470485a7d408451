package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

var pagingTests = []test{
	{"keeps the order of the date that a type is sorted by, whatever dates there are", leadingPages},
	{"sorts, with what has no value last in both directions", func(t *testing.T, s Store) {
		for id, v := range map[string]search.Values{
			"a": {Dates: []search.Date{{Param: "date", Low: 30, High: 40}}, Strings: []search.String{{Param: "name", Folded: "b"}},
				Tokens: []search.Token{{Param: "code", Code: "2"}}, Numbers: []search.Number{{Param: "length", Low: 10, High: 10}},
				Quantities: []search.Quantity{{Param: "value", Low: 1, High: 1, CanonicalCode: "g", CanonicalLow: 1000, CanonicalHigh: 1000}},
				URIs:       []search.URI{{Param: "url", Value: "http://b"}}, References: []search.Reference{{Param: "subject", Type: "P", ID: "2"}}},
			"b": {Dates: []search.Date{{Param: "date", Low: 10, High: 99}}, Strings: []search.String{{Param: "name", Folded: "a"}},
				Tokens: []search.Token{{Param: "code", Code: "1"}}, Numbers: []search.Number{{Param: "length", Low: 9, High: 9}},
				Quantities: []search.Quantity{{Param: "value", Low: 500, High: 500, CanonicalCode: "g", CanonicalLow: 500, CanonicalHigh: 500}},
				URIs:       []search.URI{{Param: "url", Value: "http://a"}}, References: []search.Reference{{Param: "subject", Type: "P", ID: "1"}}},
			"c": {},
			"d": {Dates: []search.Date{{Param: "date", Low: 20, High: 21}, {Param: "date", Low: 40, High: 41}},
				Strings: []search.String{{Param: "name", Folded: "aa"}, {Param: "name", Folded: "z"}},
				Tokens:  []search.Token{{Param: "code", Code: "11"}, {Param: "code", Code: "3"}},
				Numbers: []search.Number{{Param: "length", Low: 9.5, High: 9.5}, {Param: "length", Low: 100, High: 100}},
				Quantities: []search.Quantity{{Param: "value", Low: 1, High: 1, CanonicalCode: "g", CanonicalLow: 700, CanonicalHigh: 700},
					{Param: "value", Low: 1, High: 1, CanonicalCode: "g", CanonicalLow: 2000, CanonicalHigh: 2000}},
				URIs:       []search.URI{{Param: "url", Value: "http://ab"}, {Param: "url", Value: "http://c"}},
				References: []search.Reference{{Param: "subject", Type: "P", ID: "11"}, {Param: "subject", Type: "P", ID: "3"}}},
		} {
			write(t, s, item{key: "X/" + id, values: v})
		}
		for _, k := range []search.Sort{{Param: "date", Kind: search.KindDate}, {Param: "name", Kind: search.KindString},
			{Param: "code", Kind: search.KindToken}, {Param: "length", Kind: search.KindNumber}, {Param: "value", Kind: search.KindQuantity},
			{Param: "url", Kind: search.KindURI}, {Param: "subject", Kind: search.KindReference}} {
			for count := 1; count <= 5; count++ {
				up := walk(t, s, search.Query{Type: "X", Allowed: everybody, Count: count, Sort: []search.Sort{k}})
				same(t, fmt.Sprint(k.Param, " up by ", count), up, []string{"b", "d", "a", "c"})
				k.Down = true
				down := walk(t, s, search.Query{Type: "X", Allowed: everybody, Count: count, Sort: []search.Sort{k}})
				same(t, fmt.Sprint(k.Param, " down by ", count), down, []string{"d", "a", "b", "c"})
				k.Down = false
			}
		}
		two := walk(t, s, search.Query{Type: "X", Allowed: everybody, Count: 1,
			Sort: []search.Sort{{Param: "none", Kind: search.KindDate, Down: true}, {Param: "_id", Kind: search.KindToken, Down: true}}})
		same(t, "by a second key", two, []string{"d", "c", "b", "a"})
	}},
	{"sorts by id and by time of change", func(t *testing.T, s Store) {
		for _, id := range []string{"c", "a", "d", "b"} {
			write(t, s, item{key: "X/" + id})
		}
		write(t, s, item{key: "X/a", expect: 1})
		for count := 1; count <= 5; count++ {
			sort := func(param string, down bool) []string {
				return walk(t, s, search.Query{Type: "X", Allowed: everybody, Count: count, Sort: []search.Sort{{Param: param, Down: down}}})
			}
			same(t, "_id", sort("_id", false), []string{"a", "b", "c", "d"})
			same(t, "_id down", sort("_id", true), []string{"d", "c", "b", "a"})
			if got := sort("_lastUpdated", true); got[0] != "a" || len(got) != 4 {
				t.Errorf("_lastUpdated down by %d: %v", count, got)
			}
			if got := sort("_lastUpdated", false); got[3] != "a" || len(got) != 4 {
				t.Errorf("_lastUpdated by %d: %v", count, got)
			}
		}
	}},
	{"asks for no rows but a total", func(t *testing.T, s Store) {
		write(t, s, item{key: "X/a"}, item{key: "X/b"})
		p, err := s.Search(t.Context(), &search.Query{Type: "X", Allowed: everybody, Total: search.TotalAccurate})
		if err != nil || p.Total != 2 || len(p.Rows) != 0 || p.Next != nil {
			t.Errorf("got %+v, %v", p, err)
		}
		p, err = s.Search(t.Context(), &search.Query{Type: "X", Allowed: everybody, Count: 2})
		if err != nil || p.Total != -1 || len(p.Rows) != 2 || p.Next != nil {
			t.Errorf("without total: %+v, %v", p, err)
		}
	}},
	{"says up to which change it looked", func(t *testing.T, s Store) {
		v := write(t, s, item{key: "X/a"}, item{key: "X/b"})
		p, err := s.Search(t.Context(), &search.Query{Type: "X", Allowed: everybody, Count: 1})
		if err != nil || p.AsOf < v[1].Change || p.Next == nil {
			t.Fatalf("as of %d, %v", p.AsOf, err)
		}
		write(t, s, item{key: "X/b", expect: 1}, item{key: "X/c"})
		q := search.Query{Type: "X", Allowed: everybody, Count: 5, AsOf: p.AsOf, Total: search.TotalAccurate}
		p, err = s.Search(t.Context(), &q)
		if err != nil || len(p.Rows) != 1 || p.Rows[0].ID != "a" || p.Total != 1 || p.AsOf != q.AsOf {
			t.Errorf("as of then: %d rows, total %d, %v", len(p.Rows), p.Total, err)
		}
	}},
	{"returns what did not change once and the rest at most once, whatever happens between pages", pagingProperty},
}

func pagingProperty(t *testing.T, s Store) {
	d := dice{rand.New(rand.NewPCG(3, 5))}
	sorts := [][]search.Sort{nil, {{Param: "date", Kind: search.KindDate}}, {{Param: "name", Kind: search.KindString, Down: true}},
		{{Param: "_lastUpdated", Kind: search.KindDate, Down: true}}, {{Param: "_lastUpdated", Kind: search.KindDate}},
		{{Param: "_id", Kind: search.KindToken, Down: true}},
		{{Param: "status", Kind: search.KindToken}, {Param: "length", Kind: search.KindNumber, Down: true}}}
	filters := [][]search.Clause{nil, {code(search.TokenMatch{Code: "a"})}, {not(code(search.TokenMatch{Code: "a"}))},
		{code(search.TokenMatch{Code: "a"}, search.TokenMatch{Code: "b"})},
		{clause("date", search.KindDate, search.DateMatch{Compare: search.GE, Low: 0, High: 1})}}
	for round := range 60 {
		typ := fmt.Sprint("X", round)
		m := model{}
		number := map[string]int64{}
		for n := range 3 + d.IntN(25) {
			i := d.item(typ, n)
			m = append(m, i)
			number[i.key] = 1
		}
		write(t, s, m...)
		q := search.Query{Type: typ, Allowed: everybody, Count: 1 + d.IntN(6), Sort: pick(d, sorts...), Where: pick(d, filters...)}
		at := m.find(&q)
		touched := map[string]bool{}
		var got []string
		for {
			p, err := s.Search(t.Context(), &q)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Rows) > q.Count || p.Next != nil && len(p.Rows) != q.Count {
				t.Fatalf("round %d: a page of %d rows, %d asked", round, len(p.Rows), q.Count)
			}
			for _, r := range p.Rows {
				got = append(got, r.ID)
			}
			if p.Next == nil {
				break
			}
			q.After, q.AsOf = p.Next, p.AsOf
			for range d.IntN(3) { // what others do meanwhile
				n := d.IntN(len(m) + 2)
				i := d.item(typ, n)
				i.expect = number[i.key]
				i.deleted = i.expect > 0 && d.IntN(3) == 0
				write(t, s, i)
				number[i.key]++
				touched[fmt.Sprint(n)] = true
			}
		}
		count := map[string]int{}
		for _, id := range got {
			count[id]++
			if count[id] > 1 {
				t.Fatalf("round %d %+v: %s came twice", round, q, id)
			}
			if !slices.Contains(at, id) {
				t.Fatalf("round %d %+v: %s did not match when the first page was read", round, q, id)
			}
		}
		for _, id := range at {
			if count[id] != 1 && !touched[id] {
				t.Fatalf("round %d %+v: %s did not change and came %d times", round, q, id, count[id])
			}
		}
	}
}

var compartmentTests = []test{
	{"returns what belongs to some patients, by type and id", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/p1", patient: "p1"}, item{key: "Patient/p2", owner: "h2", patient: "p2"}, item{key: "Patient/p3", patient: "p3"})
		want := []string{}
		for n := range 20 {
			for _, typ := range []string{"Observation", "Condition"} {
				i := item{key: fmt.Sprintf("%s/%02d", typ, (n*7)%20), owner: pick1(n%2 == 0, "h1", "h2"), patient: fmt.Sprint("p", n%3+1)}
				write(t, s, i)
				if i.patient != "p3" {
					want = append(want, i.key)
				}
			}
		}
		write(t, s, item{key: "Observation/none"}, item{key: "Observation/dead", patient: "p1"})
		write(t, s, item{key: "Observation/dead", patient: "p1", expect: 1, deleted: true})
		want = append(want, "Patient/p1", "Patient/p2")
		slices.SortFunc(want, func(a, b string) int {
			ka, kb := key(a), key(b)
			return cmp.Or(cmp.Compare(ka.Type, kb.Type), cmp.Compare(ka.ID, kb.ID))
		})
		both := store.CompartmentQuery{Patients: []string{"p1", "p2"}, Allowed: everybody}
		same(t, "all", compartment(t, s, both), want)
		typed := both
		typed.Types = []string{"Patient", "Nothing"}
		same(t, "one type", compartment(t, s, typed), []string{"Patient/p1", "Patient/p2"})
		typed.Types = []string{}
		same(t, "no type", compartment(t, s, typed), []string{})
		own := both
		own.Allowed = search.Allowed{Owners: []string{"h2"}}
		got := compartment(t, s, own)
		if !slices.Contains(got, "Patient/p2") || slices.Contains(got, "Patient/p1") || len(got) >= len(want) {
			t.Errorf("of one owner: %v", got)
		}
		own.Allowed = search.Allowed{}
		same(t, "for nobody", compartment(t, s, own), []string{})
		nobody := both
		for _, patients := range [][]string{nil, {""}, {"unknown"}} {
			nobody.Patients = patients
			same(t, fmt.Sprintf("of %q", patients), compartment(t, s, nobody), []string{})
		}
		v := write(t, s, item{key: "Patient/p1", patient: "p1", expect: 1})[0]
		since := both
		since.Since = v.Updated
		same(t, "since", compartment(t, s, since), []string{"Patient/p1"})
	}},
	{"pages as searches do", func(t *testing.T, s Store) {
		for n := range 9 {
			write(t, s, item{key: fmt.Sprint("Observation/", n), patient: "p"})
		}
		q := store.CompartmentQuery{Patients: []string{"p"}, Allowed: everybody, Count: 3}
		p, err := s.Compartment(t.Context(), q)
		if err != nil || len(p.Rows) != 3 || p.Next == nil {
			t.Fatalf("%d rows, %v", len(p.Rows), err)
		}
		write(t, s, item{key: "Observation/5", patient: "p", expect: 1}, item{key: "Condition/new", patient: "p"}, item{key: "Observation/51", patient: "p"})
		q.After, q.AsOf = p.Next, p.AsOf
		same(t, "the rest", compartment(t, s, q), []string{"Observation/3", "Observation/4", "Observation/6", "Observation/7", "Observation/8"})
	}},
}

func pick1(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func compartment(t *testing.T, s Store, q store.CompartmentQuery) []string {
	t.Helper()
	if q.Count == 0 {
		q.Count = 4
	}
	out := []string{}
	for {
		p, err := s.Compartment(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			out = append(out, r.String())
			if r.Body == nil || r.Number == 0 || r.Owner == "" {
				t.Errorf("%s came without its content", r.Key)
			}
		}
		if p.Next == nil {
			return out
		}
		q.After, q.AsOf = p.Next, p.AsOf
	}
}

var pendingTests = []test{
	{"finds who waits, until it does no longer", func(t *testing.T, s Store) {
		id := func(v string) store.Identifier { return store.Identifier{System: "urn:a", Value: v} }
		wait := func(from string, values ...string) {
			var list []store.Pending
			for _, v := range values {
				list = append(list, store.Pending{Type: "ServiceRequest", Identifier: id(v), From: key(from)})
			}
			update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.SetPending(ctx, key(from), list) })
		}
		waiting := func(typ string, list ...store.Identifier) (out []string) {
			out = []string{}
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				found, err := tx.Waiting(ctx, typ, list)
				out = out[:0]
				for _, p := range found {
					out = append(out, p.From.String()+" "+p.Identifier.Value)
				}
				return err
			})
			return sorted(out)
		}
		wait("Observation/a", "1", "2")
		wait("Observation/b", "1")
		same(t, "two", waiting("ServiceRequest", id("1")), []string{"Observation/a 1", "Observation/b 1"})
		same(t, "by either", waiting("ServiceRequest", id("2"), id("1"), id("2")), []string{"Observation/a 1", "Observation/a 2", "Observation/b 1"})
		same(t, "another type", waiting("Encounter", id("1")), []string{})
		same(t, "another system", waiting("ServiceRequest", store.Identifier{System: "urn:b", Value: "1"}), []string{})
		same(t, "nothing asked", waiting("ServiceRequest"), []string{})
		wait("Observation/a", "3")
		same(t, "replaced", waiting("ServiceRequest", id("1"), id("2"), id("3")), []string{"Observation/a 3", "Observation/b 1"})
		wait("Observation/a")
		same(t, "forgotten", waiting("ServiceRequest", id("1"), id("3")), []string{"Observation/b 1"})
	}},
}
