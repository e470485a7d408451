package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

func wantLabels(t testing.TB, s Store, typ string, want ...store.Label) {
	t.Helper()
	got, err := s.Labels(t.Context(), typ, 100)
	if err != nil {
		t.Fatal(err)
	}
	by := func(a, b store.Label) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Param, b.Param), cmp.Compare(a.System, b.System), cmp.Compare(a.Code, b.Code))
	}
	slices.SortFunc(got, by)
	slices.SortFunc(want, by)
	if !slices.Equal(got, want) {
		t.Errorf("of %q there are the labels %+v, want %+v", typ, got, want)
	}
}

func tag(param, system, code string) search.Token {
	return search.Token{Param: param, System: system, Code: code}
}

var labelTests = []test{
	{"is told once, by type", func(t *testing.T, s Store) {
		wantLabels(t, s, "")
		labels := search.Values{
			Tokens: []search.Token{tag("_tag", "urn:a|b", "c"), tag("_tag", "urn:a", "b|c"), tag("_security", "", "R"), tag("_tag", "urn:a", ""), tag("_tag", "", ""), tag("code", "urn:a", "x")},
			URIs:   []search.URI{{Param: "_profile", Value: "http://test/p=1:2"}, {Param: "_profile", Value: "http://test/p=1:2|3"}, {Param: "_profile", Value: "http://test/p"}, {Param: "url", Value: "http://test/u"}},
		}
		write(t, s, item{key: "Observation/a", values: labels}, item{key: "Observation/b", values: labels},
			item{key: "Patient/a", values: search.Values{Tokens: []search.Token{tag("_tag", "urn:a", "b|c")}}})
		observation := []store.Label{
			{Type: "Observation", Param: "_profile", Code: "http://test/p=1:2|3"}, {Type: "Observation", Param: "_profile", Code: "http://test/p"}, {Type: "Observation", Param: "_security", Code: "R"},
			{Type: "Observation", Param: "_tag", System: "urn:a"}, {Type: "Observation", Param: "_tag", System: "urn:a", Code: "b|c"},
			{Type: "Observation", Param: "_tag", System: "urn:a|b", Code: "c"},
		}
		patient := store.Label{Type: "Patient", Param: "_tag", System: "urn:a", Code: "b|c"}
		wantLabels(t, s, "Observation", slices.Clone(observation)...)
		wantLabels(t, s, "Patient", patient)
		wantLabels(t, s, "Pat")
		wantLabels(t, s, "", append(slices.Clone(observation), patient)...)
	}},
	{"is told of what is indexed anew", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.Reindex(ctx, key("Patient/a"), 1, search.Values{Tokens: []search.Token{tag("_tag", "urn:a", "b")}})
		})
		if err != nil {
			t.Fatal(err)
		}
		wantLabels(t, s, "Patient", store.Label{Type: "Patient", Param: "_tag", System: "urn:a", Code: "b"})
	}},
	{"is told as often as asked for, and not by names that look like one", func(t *testing.T, s Store) {
		for i, system := range []string{"=", "=Patient", "=Patient._tag=", "=Patient._tag=9:x", "=Patient._tag=-1:x", "=Patient._tag=:", "=Patient.code=1:xy", "=Patient._tag=1", "=.=0:"} {
			write(t, s, item{key: fmt.Sprintf("Observation/o%d", i), values: search.Values{Tokens: []search.Token{tag("code", system, "x")}}})
		}
		wantLabels(t, s, "")
		wantLabels(t, s, "Patient")
		for _, code := range []string{"a", "b", "c"} {
			write(t, s, item{key: "Basic/" + code, values: search.Values{Tokens: []search.Token{tag("_tag", "urn:a", code)}}})
		}
		if got, err := s.Labels(t.Context(), "Basic", 2); err != nil || len(got) != 2 {
			t.Errorf("%v %v, want two", got, err)
		}
	}},
}
