package storetest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

var allowedTests = []test{
	{"selects by owner, patient and sharing", func(t *testing.T, s Store) {
		write(t, s,
			item{key: "Observation/a", owner: "h1", patient: "p1"}, item{key: "Observation/b", owner: "h2", patient: "p2"},
			item{key: "Observation/c", owner: store.Alliance, patient: "person"}, item{key: "Observation/d", owner: store.Alliance},
			item{key: "Observation/e", owner: "h2"}, item{key: "Observation/f", owner: "h1"})
		for _, tt := range []struct {
			name    string
			allowed search.Allowed
			want    string
		}{
			{"nobody", search.Allowed{}, ""},
			{"all", search.Allowed{All: true}, "a b c d e f"},
			{"one owner", search.Allowed{Owners: []string{"h1"}}, "a f"},
			{"two owners", search.Allowed{Owners: []string{"h1", "h2"}}, "a b e f"},
			{"an unknown owner", search.Allowed{Owners: []string{"h3", ""}}, ""},
			{"shared is the alliance's without a patient", search.Allowed{Shared: true}, "d"},
			{"owner and shared", search.Allowed{Owners: []string{"h2"}, Shared: true}, "b d e"},
			{"patients narrow", search.Allowed{All: true, Patients: []string{"p1", "p2"}}, "a b"},
			{"patients narrow owners", search.Allowed{Owners: []string{"h1"}, Patients: []string{"p1", "p2"}}, "a"},
			{"patients do not widen", search.Allowed{Patients: []string{"p1"}}, ""},
			{"no patients", search.Allowed{All: true, Patients: []string{}}, ""},
			{"an empty patient is nobody", search.Allowed{All: true, Patients: []string{""}}, ""},
			{"patients and shared", search.Allowed{Shared: true, Patients: []string{"person"}}, ""},
		} {
			q := search.Query{Type: "Observation", Allowed: tt.allowed, Count: 2, Total: search.TotalAccurate}
			same(t, tt.name, sorted(walk(t, s, q)), ids(tt.want))
			if p, err := s.Search(t.Context(), &q); err != nil || p.Total != len(ids(tt.want)) {
				t.Errorf("%s: total %d, %v", tt.name, p.Total, err)
			}
		}
	}},
	{"lets nothing through without being said so, whatever is asked", func(t *testing.T, s Store) {
		d := dice{rand.New(rand.NewPCG(7, 7))}
		var all []item
		for n := range 30 {
			all = append(all, d.item("A", n), d.item("B", n))
		}
		write(t, s, all...)
		for n := range 300 {
			q := search.Query{Type: pick(d, "A", "B"), Where: d.where(2), Count: 10, Total: search.TotalAccurate}
			if p, err := s.Search(t.Context(), &q); err != nil || len(p.Rows) != 0 || p.Total != 0 || p.Next != nil {
				t.Fatalf("query %d %+v: %d rows, total %d, %v", n, q.Where, len(p.Rows), p.Total, err)
			}
		}
	}},
	// What a viewer gets must be what a store would answer that holds only what the viewer may see: rows, totals
	// and order. Then nothing hidden can be felt through chains, absence, counts or sorting.
	{"answers as if what is hidden were not there", func(t *testing.T, s Store) {
		d := dice{rand.New(rand.NewPCG(11, 13))}
		var seen []item
		viewer := search.Allowed{Owners: []string{"h1"}, Shared: true}
		all := model{}
		for n := range 40 {
			for _, typ := range []string{"A", "B"} {
				i := d.item(typ, n+1)
				all = append(all, i)
				if visible(&i, &viewer) {
					i.key = "Seen" + i.key
					for j := range i.values.References {
						if i.values.References[j].Type != "" {
							i.values.References = slices.Clone(i.values.References)
							i.values.References[j].Type = "Seen" + i.values.References[j].Type
						}
					}
					seen = append(seen, i)
				}
			}
		}
		write(t, s, all...)
		write(t, s, seen...)
		for n := range 250 {
			typ, where := pick(d, "A", "B"), d.where(2)
			by := []search.Sort{pick(d, search.Sort{Param: "date", Kind: search.KindDate}, search.Sort{Param: "name", Kind: search.KindString}),
				{Param: "_id", Kind: search.KindToken}}
			by[0].Down = d.IntN(2) == 0
			restricted := search.Query{Type: typ, Where: where, Allowed: viewer, Sort: by, Count: 5, Total: search.TotalAccurate}
			alone := search.Query{Type: "Seen" + typ, Where: rename(where), Allowed: everybody, Sort: by, Count: 5, Total: search.TotalAccurate}
			a, b := walk(t, s, restricted), walk(t, s, alone)
			pa, _ := s.Search(t.Context(), &restricted)
			pb, _ := s.Search(t.Context(), &alone)
			if !slices.Equal(a, b) || pa.Total != pb.Total {
				t.Fatalf("query %d %s %+v: the viewer gets %v (total %d), of the visible alone it would be %v (total %d)",
					n, typ, where, a, pa.Total, b, pb.Total)
			}
		}
	}},
}

// rename points the conditions at the copies of the visible resources.
func rename(where []search.Clause) []search.Clause {
	out := slices.Clone(where)
	for i := range out {
		out[i].Any = slices.Clone(out[i].Any)
		for j, o := range out[i].Any {
			switch m := o.(type) {
			case search.ReferenceMatch:
				if m.Type != "" {
					m.Type = "Seen" + m.Type
				}
				out[i].Any[j] = m
			case search.ChainMatch:
				m.Type, m.Where = "Seen"+m.Type, rename(m.Where)
				out[i].Any[j] = m
			case search.HasMatch:
				m.Type, m.Where = "Seen"+m.Type, rename(m.Where)
				out[i].Any[j] = m
			}
		}
	}
	return out
}
