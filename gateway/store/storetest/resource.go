package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

var resourceTests = []test{
	{"reads back what was written", func(t *testing.T, s Store) {
		before := time.Now().Add(-time.Second)
		v := write(t, s, item{key: "Patient/a", owner: "h2", patient: "a", source: "https://a.example/1",
			stamp: store.Stamp{Time: 7, Sequence: 8}})[0]
		if v.Number != 1 || v.Change <= 0 || v.Updated.Before(before) || v.Updated.After(time.Now().Add(time.Second)) {
			t.Errorf("number %d, change %d, updated %s", v.Number, v.Change, v.Updated)
		}
		if v.Updated.Location() != time.UTC || v.Updated.Nanosecond()%1000 != 0 {
			t.Errorf("updated %s is not UTC in microseconds", v.Updated)
		}
		if !strings.Contains(string(v.Body), `"versionId":"1"`) {
			t.Errorf("Render was not told the number: %s", v.Body)
		}
		got, err := s.Read(t.Context(), key("Patient/a"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got); diff != "" {
			t.Errorf("(-written +read)\n%s", diff)
		}
		want := store.Version{Key: key("Patient/a"), Number: 1, Change: v.Change, Updated: v.Updated, Owner: "h2", Patient: "a",
			Source: "https://a.example/1", Stamp: store.Stamp{Time: 7, Sequence: 8}, Body: v.Body}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}},
	{"answers not found for what never was", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		for _, k := range []string{"Patient/b", "Observation/a", "Nothing/a", "Patient/"} {
			_, err := s.Read(t.Context(), key(k))
			wantFault(t, err, fault.NotFound)
			_, err = s.ReadVersion(t.Context(), key(k), 1)
			wantFault(t, err, fault.NotFound)
			_, err = s.History(t.Context(), key(k), 0, 10)
			wantFault(t, err, fault.NotFound)
		}
		for _, n := range []int64{0, -1, 2} {
			_, err := s.ReadVersion(t.Context(), key("Patient/a"), n)
			wantFault(t, err, fault.NotFound)
		}
	}},
	{"keeps every version, without gaps, newest first", func(t *testing.T, s Store) {
		var want []store.Version
		for n := range int64(7) {
			want = append([]store.Version{write(t, s, item{key: "Patient/a", expect: n, owner: fmt.Sprint("h", n),
				deleted: n == 3, stamp: store.Stamp{Time: n}})[0]}, want...)
		}
		got, err := s.History(t.Context(), key("Patient/a"), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for i, v := range got {
			if v.Number != int64(7-i) || i > 0 && (got[i-1].Change <= v.Change || got[i-1].Updated.Before(v.Updated)) {
				t.Errorf("version %d: number %d, change %d, updated %s", i, v.Number, v.Change, v.Updated)
			}
			one, err := s.ReadVersion(t.Context(), v.Key, v.Number)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v, one); diff != "" {
				t.Errorf("version %d (-history +read)\n%s", v.Number, diff)
			}
		}
		page, err := s.History(t.Context(), key("Patient/a"), 5, 2)
		if err != nil || len(page) != 2 || page[0].Number != 4 || page[1].Number != 3 {
			t.Errorf("history before 5 by 2: %v, %v", page, err)
		}
	}},
	{"returns a deleted resource as deleted and takes it out of searches", func(t *testing.T, s Store) {
		code := search.Values{Tokens: []search.Token{{Param: "code", System: "s", Code: "c"}}}
		write(t, s, item{key: "Observation/a", values: code}, item{key: "Observation/b", values: code})
		write(t, s, item{key: "Observation/a", expect: 1, deleted: true, values: code})
		v, err := s.Read(t.Context(), key("Observation/a"))
		if err != nil || !v.Deleted || v.Body != nil || v.Number != 2 {
			t.Errorf("got %+v, %v", v, err)
		}
		c := clause("code", search.KindToken, search.TokenMatch{Code: "c"})
		same(t, "by code", find(t, s, "Observation", c), ids("b"))
		same(t, "all", find(t, s, "Observation"), ids("b"))
		write(t, s, item{key: "Observation/a", expect: 2, values: code})
		same(t, "created again", find(t, s, "Observation", c), ids("a b"))
	}},
	{"refuses a write on any other version than it expects", func(t *testing.T, s Store) {
		put := func(i item) error {
			return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Put(ctx, i.put())
				return err
			})
		}
		wantFault(t, put(item{key: "Patient/a", expect: 1}), fault.Conflict)
		write(t, s, item{key: "Patient/a"})
		wantFault(t, put(item{key: "Patient/a"}), fault.Conflict)
		wantFault(t, put(item{key: "Patient/a", expect: 2}), fault.Conflict)
		write(t, s, item{key: "Patient/a", expect: 1, deleted: true})
		wantFault(t, put(item{key: "Patient/a"}), fault.Conflict)
		wantFault(t, put(item{key: "Patient/a", expect: 1}), fault.Conflict)
		write(t, s, item{key: "Patient/a", expect: 2})
	}},
	{"refuses a version without owner, id or body, and the deletion of nothing", func(t *testing.T, s Store) {
		noOwner, noBody := item{key: "Patient/a"}.put(), item{key: "Patient/a"}.put()
		noOwner.Owner, noBody.Render = "", nil
		for i, p := range []*store.Put{noOwner, noBody, item{key: "Patient/"}.put(), item{key: "/a"}.put(),
			item{key: "Patient/b", deleted: true}.put()} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Put(ctx, p)
				return err
			})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("put %d: got %v, want a fault of kind invalid", i, err)
			}
		}
	}},
	{"replaces the index values of the version before", func(t *testing.T, s Store) {
		first := search.Values{
			Tokens:     []search.Token{{Param: "status", Code: "old", Text: "old"}},
			Strings:    []search.String{{Param: "name", Folded: "old", Exact: "Old"}},
			Dates:      []search.Date{{Param: "date", Low: 10, High: 20}},
			References: []search.Reference{{Param: "subject", Type: "Patient", ID: "old"}, {Param: "subject", URL: "http://old"}},
			Numbers:    []search.Number{{Param: "length", Low: 1, High: 1}},
			Quantities: []search.Quantity{{Param: "value", Low: 1, High: 1, Code: "old", CanonicalCode: "old", CanonicalLow: 1, CanonicalHigh: 1}},
			URIs:       []search.URI{{Param: "url", Value: "http://old"}},
		}
		clauses := []search.Clause{
			clause("status", search.KindToken, search.TokenMatch{Code: "old"}),
			clause("status", search.KindToken, search.TokenMatch{Text: "old"}),
			clause("name", search.KindString, search.StringMatch{Text: "old"}),
			clause("name", search.KindString, search.StringMatch{Mode: search.Exact, Text: "Old"}),
			clause("date", search.KindDate, search.DateMatch{Low: 10, High: 20}),
			clause("subject", search.KindReference, search.ReferenceMatch{ID: "old"}),
			clause("subject", search.KindReference, search.ReferenceMatch{URL: "http://old"}),
			clause("length", search.KindNumber, search.NumberMatch{Low: 0.5, Value: 1, High: 1.5}),
			clause("value", search.KindQuantity, search.QuantityMatch{NumberMatch: search.NumberMatch{Low: 0.5, Value: 1, High: 1.5}, Code: "old"}),
			clause("value", search.KindQuantity, search.QuantityMatch{NumberMatch: search.NumberMatch{Low: 0.5, Value: 1, High: 1.5}, Code: "old", Canonical: true}),
			clause("url", search.KindURI, search.URIMatch{Value: "http://old"}),
		}
		write(t, s, item{key: "Observation/a", values: first}, item{key: "Observation/b", values: first})
		for i, c := range clauses {
			same(t, fmt.Sprint("before, clause ", i), find(t, s, "Observation", c), ids("a b"))
		}
		write(t, s, item{key: "Observation/a", expect: 1, values: search.Values{
			Tokens: []search.Token{{Param: "status", Code: "new"}}, Dates: []search.Date{{Param: "date", Low: 30, High: 40}}}})
		for i, c := range clauses {
			same(t, fmt.Sprint("after, clause ", i), find(t, s, "Observation", c), ids("b"))
		}
		same(t, "the new one", find(t, s, "Observation", clause("status", search.KindToken, search.TokenMatch{Code: "new"})), ids("a"))
		write(t, s, item{key: "Observation/a", expect: 2, values: first})
		for i, c := range clauses {
			same(t, fmt.Sprint("again, clause ", i), find(t, s, "Observation", c), ids("a b"))
		}
	}},
	{"advances a stamp without a version", func(t *testing.T, s Store) {
		at := func(sec, seq int64) store.Stamp { return store.Stamp{Time: sec, Sequence: seq} }
		v := write(t, s, item{key: "Patient/a", stamp: at(5, 5)})[0]
		for _, step := range []struct{ give, want store.Stamp }{
			{at(5, 4), at(5, 5)}, {at(4, 9), at(5, 5)}, {at(0, 0), at(5, 5)}, {at(5, 6), at(5, 6)}, {at(6, 0), at(6, 0)},
		} {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				if err := tx.Advance(ctx, v.Key, step.give); err != nil {
					return err
				}
				got, err := tx.Read(ctx, v.Key)
				if got.Stamp != step.want {
					t.Errorf("in the transaction: advanced to %v: got %v, want %v", step.give, got.Stamp, step.want)
				}
				return err
			})
			got, err := s.Read(t.Context(), v.Key)
			if err != nil || got.Stamp != step.want {
				t.Errorf("advanced to %v: got %v, %v, want %v", step.give, got.Stamp, err, step.want)
			}
			got.Stamp = v.Stamp
			if diff := cmp.Diff(v, got); diff != "" {
				t.Errorf("more than the stamp changed (-want +got)\n%s", diff)
			}
		}
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.Advance(ctx, key("Patient/b"), at(1, 1))
		})
		wantFault(t, err, fault.NotFound)
	}},
	{"keeps any text", func(t *testing.T, s Store) {
		for i, text := range []string{"𠮷野家", "a'b\"c;--", "%_\\", "ＡＢ　１", strings.Repeat("长", 20_000), "\u0000x", "é" + "e\u0301"} {
			id := fmt.Sprint("p", i)
			write(t, s, item{key: "Patient/" + id, source: text, values: search.Values{
				Tokens:  []search.Token{{Param: "identifier", System: text, Code: text}},
				Strings: []search.String{{Param: "name", Folded: text, Exact: text}},
				URIs:    []search.URI{{Param: "url", Value: text}}}})
			v, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: id})
			if err != nil || v.Source != text {
				t.Errorf("text %d: source differs, %v", i, err)
			}
			same(t, fmt.Sprint("token of text ", i), find(t, s, "Patient", clause("identifier", search.KindToken, search.TokenMatch{System: &text, Code: text})), ids(id))
			same(t, fmt.Sprint("string of text ", i), find(t, s, "Patient", clause("name", search.KindString, search.StringMatch{Mode: search.Exact, Text: text})), ids(id))
			same(t, fmt.Sprint("uri of text ", i), find(t, s, "Patient", clause("url", search.KindURI, search.URIMatch{Value: text})), ids(id))
		}
	}},
}
