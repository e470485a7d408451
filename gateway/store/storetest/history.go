package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

var historyTests = []test{
	{"pages through everything newest first", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"}, item{key: "Observation/b", owner: "h2"})
		write(t, s, item{key: "Patient/a", expect: 1})
		write(t, s, item{key: "Patient/a", expect: 2, deleted: true})
		want := []string{"Patient/a 3", "Patient/a 2", "Observation/b 1", "Patient/a 1"}
		for _, limit := range []int{1, 2, 3, 4, 100} {
			if got := versions(t, s, store.HistoryQuery{Allowed: search.Allowed{All: true}, Limit: limit}); !slices.Equal(got, want) {
				t.Errorf("pages of %d: %v, want %v", limit, got, want)
			}
		}
	}},
	{"of a type, and only what the viewer may see", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"}, item{key: "Observation/b", owner: "h2"}, item{key: "Patient/c", owner: "h2"})
		for _, row := range []struct {
			q    store.HistoryQuery
			want []string
		}{
			{store.HistoryQuery{Type: "Patient", Allowed: search.Allowed{All: true}}, []string{"Patient/c 1", "Patient/a 1"}},
			{store.HistoryQuery{Allowed: search.Allowed{Owners: []string{"h2"}}}, []string{"Patient/c 1", "Observation/b 1"}},
			{store.HistoryQuery{Type: "Patient", Allowed: search.Allowed{Owners: []string{"h2"}}}, []string{"Patient/c 1"}},
			{store.HistoryQuery{Type: "Basic", Allowed: search.Allowed{All: true}}, nil},
			{store.HistoryQuery{}, nil},
		} {
			if got := versions(t, s, row.q); !slices.Equal(got, row.want) {
				t.Errorf("%+v: %v, want %v", row.q, got, row.want)
			}
		}
	}},
	{"between two times, the first included", func(t *testing.T, s Store) {
		var at []time.Time
		for n := range 4 {
			v := write(t, s, item{key: "Patient/a", expect: int64(n)})
			at = append(at, v[0].Updated)
			time.Sleep(2 * time.Millisecond)
		}
		for _, row := range []struct {
			since, until time.Time
			want         []string
		}{
			{at[1], time.Time{}, []string{"Patient/a 4", "Patient/a 3", "Patient/a 2"}},
			{at[1].Add(time.Microsecond), time.Time{}, []string{"Patient/a 4", "Patient/a 3"}},
			{time.Time{}, at[1], []string{"Patient/a 1"}},
			{at[1], at[3], []string{"Patient/a 3", "Patient/a 2"}},
			{at[3].Add(time.Hour), time.Time{}, nil},
		} {
			q := store.HistoryQuery{Since: row.since, Until: row.until, Allowed: search.Allowed{All: true}}
			if got := versions(t, s, q); !slices.Equal(got, row.want) {
				t.Errorf("%v to %v: %v, want %v", row.since, row.until, got, row.want)
			}
		}
	}},
	{"scan goes through a type by id and leaves out what is deleted", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/c"}, item{key: "Patient/a"}, item{key: "Patient/d"}, item{key: "Observation/b"})
		write(t, s, item{key: "Patient/c", expect: 1, deleted: true})
		var got []string
		for after := ""; ; {
			page, err := s.Scan(t.Context(), "Patient", after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			after = page[0].ID
			got = append(got, after)
			if page[0].Body == nil || page[0].Owner != "h1" {
				t.Errorf("%+v", page[0])
			}
		}
		if want := []string{"a", "d"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}},
	{"reindex changes what a resource is found by, and no version", func(t *testing.T, s Store) {
		code := func(c string) search.Values { return search.Values{Tokens: []search.Token{{Param: "code", Code: c}}} }
		write(t, s, item{key: "Observation/a", values: code("x")})
		reindex := func(number int64, values search.Values) error {
			return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				return tx.Reindex(ctx, key("Observation/a"), number, values)
			})
		}
		if err := reindex(1, code("y")); err != nil {
			t.Fatal(err)
		}
		find := func(c string) int {
			page, err := s.Search(t.Context(), &search.Query{Type: "Observation", Count: 10, Allowed: search.Allowed{All: true}, Where: []search.Clause{
				{Param: "code", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: c}}}}})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Rows)
		}
		if find("x") != 0 || find("y") != 1 {
			t.Error("the resource is not found by its new values alone")
		}
		if v, err := s.Read(t.Context(), key("Observation/a")); err != nil || v.Number != 1 {
			t.Error(v.Number, err)
		}
		if err := reindex(2, code("z")); !fault.Is(err, fault.Conflict) {
			t.Errorf("another version: %v", err)
		}
	}},
	{"expunge leaves nothing", func(t *testing.T, s Store) {
		values := search.Values{Tokens: []search.Token{{Param: "code", Code: "x"}}}
		write(t, s, item{key: "Observation/a", values: values}, item{key: "Observation/b", values: values})
		write(t, s, item{key: "Observation/a", expect: 1, values: values})
		erasures := func() int64 {
			n, err := s.Erasures(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := erasures()
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, key("Observation/a")) })
		after := erasures()
		if after <= before {
			t.Errorf("%d erasures after %d", after, before)
		}
		if _, err := s.Read(t.Context(), key("Observation/a")); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if got := versions(t, s, store.HistoryQuery{Allowed: search.Allowed{All: true}}); !slices.Equal(got, []string{"Observation/b 1"}) {
			t.Error(got)
		}
		if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, key("Observation/a")) }); !fault.Is(err, fault.NotFound) {
			t.Errorf("again: %v", err)
		}
		if n := erasures(); n != after {
			t.Errorf("%d erasures after one that rolled back, want %d", n, after)
		}
		write(t, s, item{key: "Observation/a"})
	}},
}

// versions pages through a history as "Type/id number".
func versions(t *testing.T, s Store, q store.HistoryQuery) (out []string) {
	t.Helper()
	for {
		page, err := s.Versions(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Rows {
			out = append(out, v.String()+" "+string(rune('0'+v.Number)))
			q.Before = v.Change
		}
		if !page.More {
			return out
		}
		if len(page.Rows) == 0 {
			t.Fatal("an empty page with more behind it")
		}
	}
}
