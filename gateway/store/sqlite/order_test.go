package sqlite_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// second is a moment of the leading date of results.
func second(n int64) search.Date {
	return search.Date{Param: "date", Low: 1.7e15 + n*1e6, High: 1.7e15 + (n+1)*1e6}
}

// dates a resource may have: what index_key orders by, and what it cannot.
var leadingDates = map[string][]search.Date{
	"one":            {second(7)},
	"another":        {second(3)},
	"the same":       {second(3)},
	"none":           nil,
	"several":        {second(1), second(9)},
	"long":           {{Param: "date", Low: 1.7e15 + 5e6, High: 1.7e15 + 90*86400e6}},
	"open":           {{Param: "date", Low: 1.7e15 + 4e6, High: search.MaxTime}},
	"before 1970":    {{Param: "date", Low: -5e12, High: -5e12 + 1e6}},
	"the first":      {{Param: "date", Low: 0, High: 1e6}},
	"of other kinds": {{Param: "issued", Low: 1.7e15, High: 1.7e15 + 1e6}},
}

// result has the code and date of a leading date.
func result(id string, expect int64, dates []search.Date) *store.Put {
	p := put(id, expect, "{}")
	p.Type = "Observation"
	p.Values = search.Values{
		Tokens:     []search.Token{{Param: "code", Code: "K"}, {Param: "status", Code: "final"}, {Param: "identifier", Code: "number-12345"}},
		References: []search.Reference{{Param: "patient", Type: "Patient", ID: "p1"}, {Param: "subject", Type: "Patient", ID: "p1"}},
		Strings:    []search.String{{Param: "note", Folded: "ab", Exact: "ab"}, {Param: "note", Folded: "aa" + id, Exact: "aa" + id}, {Param: "note", Folded: "b", Exact: "b"}},
		Dates:      dates,
	}
	return p
}

// pages reads a search to its end, three at a time, and calls between before each page but the first.
func pages(t *testing.T, s *sqlite.Store, q search.Query, between func(page int)) (ids []string) {
	t.Helper()
	q.Type, q.Count, q.Allowed = "Observation", 3, search.Allowed{All: true}
	for n := 1; ; n++ {
		p, err := s.Search(t.Context(), &q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			ids = append(ids, r.ID)
		}
		if p.Next == nil {
			return ids
		}
		q.After, q.AsOf = p.Next, p.AsOf
		between(n)
	}
}

func begins(text string) search.Clause {
	return search.Clause{Param: "note", Kind: search.KindString, Any: []search.Operand{search.StringMatch{Text: text}}}
}

// What all conditions list many of may have little in common, and that at the end.
func TestWhatIsRareOnlyTogetherIsFound(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	const size = 3000
	last := map[int]bool{2500: true, 2998: true, 2999: true}
	var want []string
	for from := 0; from < size; from += 500 {
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			for n := from; n < from+500; n++ {
				p := result(fmt.Sprintf("r%04d", n), 0, nil)
				p.Values = search.Values{Tokens: []search.Token{{Param: "status", Code: "final"}},
					References: []search.Reference{{Param: "subject", Type: "Patient", ID: fmt.Sprint("p", n)}}}
				if n%2 == 0 || last[n] { // most are of one half or of the other
					p.Values.Tokens = append(p.Values.Tokens, search.Token{Param: "code", Code: "K"})
					p.Values.Strings = []search.String{{Param: "method", Folded: "x", Exact: "x"}}
				}
				if n%2 == 1 || last[n] {
					p.Values.Strings = append(p.Values.Strings, search.String{Param: "note", Folded: "ab", Exact: "ab"}, search.String{Param: "note", Folded: "aa", Exact: "aa"})
					p.Values.Dates = []search.Date{second(int64(n))}
				}
				if last[n] {
					want = append(want, p.ID)
				}
				if _, err := tx.Put(ctx, p); err != nil {
					return err
				}
				patient := put(fmt.Sprint("p", n), 0, "{}")
				patient.Values.Tokens = []search.Token{{Param: "gender", Code: map[bool]string{true: "female", false: "male"}[n%2 == 1 || last[n]]}}
				if _, err := tx.Put(ctx, patient); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	since := date("date", search.GE, 0)
	newest := []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}
	for name, tt := range map[string]struct {
		where []search.Clause
		sort  []search.Sort
	}{
		"a code and a text":               {[]search.Clause{token("code", "K"), begins("a")}, nil},
		"a text and a date":               {[]search.Clause{{Param: "method", Kind: search.KindString, Any: []search.Operand{search.StringMatch{Text: "x"}}}, since}, nil},
		"three":                           {[]search.Clause{token("status", "final"), token("code", "K"), begins("aa")}, nil},
		"a code and a text, newest first": {[]search.Clause{token("code", "K"), begins("a")}, newest},
		"a text, newest first":            {[]search.Clause{token("status", "final"), begins("a"), token("code", "K")}, newest},
		"the latest change first":         {[]search.Clause{token("code", "K"), begins("a")}, []search.Sort{{Param: "_lastUpdated", Kind: search.KindDate, Down: true}}},
		"of female patients with a code": {[]search.Clause{token("code", "K"), {Param: "subject", Kind: search.KindReference, Any: []search.Operand{
			search.ChainMatch{Type: "Patient", Where: []search.Clause{token("gender", "female")}}}}}, nil},
	} {
		for _, total := range []search.Total{search.TotalNone, search.TotalAccurate} {
			q := &search.Query{Type: "Observation", Where: tt.where, Sort: tt.sort, Total: total, Count: 2, Allowed: search.Allowed{All: true}}
			var got []string
			for {
				p, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if total == search.TotalAccurate && p.Total != len(want) {
					t.Errorf("%s: %d in all, want %d", name, p.Total, len(want))
				}
				for _, r := range p.Rows {
					got = append(got, r.ID)
				}
				if p.Next == nil {
					break
				}
				q.After, q.AsOf = p.Next, p.AsOf
			}
			if tt.sort != nil {
				slices.Reverse(got)
			} else {
				slices.Sort(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
	of := search.Clause{Kind: search.KindReference, Any: []search.Operand{search.HasMatch{Type: "Observation", Param: "subject",
		Where: []search.Clause{token("code", "K"), begins("a")}}}}
	for name, where := range map[string][]search.Clause{"patients of both": {of}, "women of both": {token("gender", "female"), of}} {
		p, err := s.Search(t.Context(), &search.Query{Type: "Patient", Where: where, Count: 10, Allowed: search.Allowed{All: true}})
		if err != nil || len(p.Rows) != len(want) {
			t.Errorf("%s: %d, want %d; %v", name, len(p.Rows), len(want), err)
		}
	}
}

func TestPagesInTheOrderOfDatesHoldEverythingOnce(t *testing.T) {
	since := search.Clause{Param: "date", Kind: search.KindDate, Any: []search.Operand{
		search.DateMatch{Compare: search.GE, Low: 1.7e15, High: 1.7e15 + 1}}}
	orders := map[string][]search.Sort{
		"unsorted": nil,
		"oldest":   {{Param: "date", Kind: search.KindDate}},
		"newest":   {{Param: "date", Kind: search.KindDate, Down: true}},
	}
	wheres := map[string][]search.Clause{
		"code":             {token("code", "K")},
		"status":           {token("status", "final")},
		"identifier":       {token("identifier", "number-12345")},
		"patient":          {reference("patient", "Patient", "p1")},
		"patient and code": {reference("patient", "Patient", "p1"), token("code", "K")},
		"code since":       {token("code", "K"), since},
		"since":            {since},
		"note":             {begins("a")},
		"note since":       {since, begins("ab")},
		"note and status":  {begins("aa"), token("status", "final")},
		"all":              nil,
	}
	for _, late := range []bool{false, true} { // some dates of another kind come between two pages
		for order, sort := range orders {
			for where, clauses := range wheres {
				t.Run(fmt.Sprintf("%s, %s, late %v", where, order, late), func(t *testing.T) {
					s := open(t, t.TempDir(), sqlite.Options{})
					var want []string
					sortKey := map[string]int64{}
					place := map[string]int{}
					keep := func(id string, dates []search.Date) {
						if err := write(s, result(id, 0, dates)); err != nil {
							t.Fatal(err)
						}
					}
					for round := range 4 {
						for name, dates := range leadingDates {
							regular := name == "one" || name == "another" || name == "the same"
							if late && !regular {
								continue
							}
							id := fmt.Sprint(strings.ReplaceAll(name, " ", "-"), "-", round)
							keep(id, dates)
							place[id] = len(place)
							low, high, ok := int64(0), int64(0), false
							for _, d := range dates {
								if d.Param == "date" {
									if !ok || d.Low < low {
										low = d.Low
									}
									if !ok || d.Low > high {
										high = d.Low
									}
									ok = true
								}
							}
							if ok {
								sortKey[id] = low
								if order == "newest" {
									sortKey[id] = high
								}
							}
							if strings.HasSuffix(where, "since") && (name == "none" || name == "of other kinds" || name == "before 1970" || name == "the first") {
								continue
							}
							want = append(want, id)
						}
					}
					got := pages(t, s, search.Query{Where: clauses, Sort: sort}, func(page int) {
						if late && page == 1 {
							for name, dates := range leadingDates {
								keep("late-"+strings.ReplaceAll(name, " ", "-"), dates)
							}
						}
					})
					if sort != nil {
						slices.SortFunc(want, func(a, b string) int {
							ka, oka := sortKey[a]
							kb, okb := sortKey[b]
							switch {
							case oka != okb:
								if oka {
									return -1
								}
								return 1
							case order == "newest":
								return cmp.Or(cmp.Compare(kb, ka), cmp.Compare(place[b], place[a]))
							}
							return cmp.Or(cmp.Compare(ka, kb), cmp.Compare(place[a], place[b]))
						})
					} else {
						slices.Sort(want)
						slices.Sort(got)
					}
					if !slices.Equal(got, want) {
						t.Errorf("got  %v\nwant %v", got, want)
					}
				})
			}
		}
	}
}
