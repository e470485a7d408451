package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
)

// datesOf returns those of the n-th resource of the test below: one, several, a long one or none; many are the same.
func datesOf(n int) []search.Date {
	at := func(n int) int64 { return 1.6e15 + int64(n)*37%50*3600e6 }
	switch n % 10 {
	case 0:
		return nil
	case 1:
		return []search.Date{{Param: "date", Low: at(n), High: at(n) + 1}, {Param: "date", Low: at(3 * n), High: at(3*n) + 1}}
	case 2:
		return []search.Date{{Param: "date", Low: at(n), High: at(n) + 40*86400e6}}
	}
	return []search.Date{{Param: "date", Low: at(n), High: at(n) + 1}, {Param: "issued", Low: at(5 * n), High: at(5*n) + 1}}
}

// Whichever way a page in the order of a date is found, it is the same page.
func TestPagesInTheOrderOfADateAreTheSameWhicheverWayTheyAreFound(t *testing.T) {
	const size = 1200
	codes := func(n int) []string {
		list := []string{"all"}
		for _, of := range []int{2, 3, 60} {
			if n%of == 0 {
				list = append(list, fmt.Sprint("every ", of))
			}
		}
		return list
	}
	for name, opt := range map[string]postgres.Options{
		"what is common is walked until that takes longer": {ScanFrom: 4096},
		"what is common is walked to the end":              {ScanFrom: 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, opt)
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				for n := range size {
					p := &store.Put{
						Key: store.Key{Type: "Observation", ID: fmt.Sprint("r", n)}, Owner: "h1",
						Render: func(int64, time.Time) []byte { return []byte(`{}`) },
						Values: search.Values{Dates: datesOf(n)},
					}
					for _, c := range codes(n) {
						p.Values.Tokens = append(p.Values.Tokens, search.Token{Param: "code", System: "s", Code: c})
					}
					if _, err := tx.Put(ctx, p); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range []string{"", "all", "every 2", "every 3", "every 60"} {
				for _, down := range []bool{false, true} {
					want := inOrderOfDate(size, down, func(n int) bool { return code == "" || slices.Contains(codes(n), code) })
					q := &search.Query{Type: "Observation", Count: 70, Allowed: search.Allowed{All: true}, Sort: []search.Sort{{Param: "date", Kind: search.KindDate, Down: down}}}
					if code != "" {
						q.Where = []search.Clause{coded("code", "s", code)}
					}
					var got []string
					for page := 0; page == 0 || q.After != nil; page++ {
						p, err := s.Search(t.Context(), q)
						if err != nil || page > size/q.Count+1 {
							t.Fatal(page, err)
						}
						for _, r := range p.Rows {
							got = append(got, r.ID)
						}
						q.After, q.AsOf = p.Next, p.AsOf
					}
					if !slices.Equal(got, want) {
						at := 0
						for at < min(len(got), len(want)) && got[at] == want[at] {
							at++
						}
						t.Errorf("code %q, down %v: %d of %d, the first difference at %d", code, down, len(got), len(want), at)
					}
				}
			}
		})
	}
}

// inOrderOfDate sorts by the earliest date, or the latest; what has none is last, and what is equal in the order of creation or against it.
func inOrderOfDate(size int, down bool, is func(n int) bool) (ids []string) {
	var list []int
	for n := range size {
		if is(n) {
			list = append(list, n)
		}
	}
	key := func(n int) (low int64, dated bool) {
		for i, d := range datesOf(n) {
			if d.Param == "date" && (i == 0 || down && d.Low > low || !down && d.Low < low) {
				low, dated = d.Low, true
			}
		}
		return low, dated
	}
	slices.SortFunc(list, func(a, b int) int {
		x, dated := key(a)
		y, also := key(b)
		switch {
		case dated != also && dated:
			return -1
		case dated != also:
			return 1
		case down:
			return cmp.Or(cmp.Compare(y, x), cmp.Compare(b, a))
		}
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	})
	for _, n := range list {
		ids = append(ids, fmt.Sprint("r", n))
	}
	return ids
}
