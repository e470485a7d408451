package search_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
)

// FuzzParse holds that a query is either refused with a reason that names the
// parameter, or understood so that its self link means the same.
func FuzzParse(f *testing.F) {
	for _, q := range []string{
		"name=x&birthdate=ge2024", "subject:Patient.name:exact=%E6%AC%A7", "_has:Observation:patient:code=a|b", "identifier=a\\,b,c\\|d",
		"value-quantity=lt5.4|http://unitsofmeasure.org|mg/dL", "_sort=-date,_id&_count=3", "_include:iterate=Observation:subject", "date=2024-02-29T10:00:00+08:00",
		"_elements=code", "code:text=%EF%BC%A1", "patient._has:Condition:patient:code=1", "probability=1e400", "=&&;%00", "_type=Patient",
		"_filter=name+co+%22pet%22+and+not+(birthdate+ge+2014-10-10)", "_filter=subject[gender+eq+male].name+sw+a+or+code+pr+true", "_filter=_has:Observation:patient:code+eq+1",
		"_filter=target.subject.subject.name+eq+x", "_filter=target[_id+eq+1].subject[_id+eq+2].subject.name+eq+x",
		"component-code-value-quantity=a$gt5|http://unitsofmeasure.org|g", "combo-code-value-concept=a$b,c$d", "near=1|2|3|km", "_text=(a+OR+b)+NOT+c", "_content=%E7%B3%96%E5%B0%BF",
		"_list=1", "_list=$current", "partof:below=1", "depends-on:above=x|1.2", "code:in=http://x", "_revinclude=*", "name-pinyin=zs", "_total=estimate",
		"_type=Condition,Observation&patient=1&_sort=_id", "_type=Patient&_sort=name&name=x", "_text=\"a\"+and+not+(b+or+c)", "_content=\"a+b\"",
	} {
		f.Add("Observation", q)
		f.Add("Patient", q)
		f.Add("", q)
		f.Add("Location", q)
	}
	f.Fuzz(func(t *testing.T, resource, query string) {
		pairs, issues := search.Pairs(query)
		if issues != nil {
			return
		}
		r, issues := engine().Parse(resource, pairs, search.ParseOptions{})
		if (r == nil) != fhir.HasErrors(issues) {
			t.Fatalf("request %v with issues %v", r, issues)
		}
		if r == nil {
			for _, i := range issues {
				if i.ID == "" || i.Text == "" || strings.ContainsAny(i.Text, "\x00\n") {
					t.Errorf("bad issue %q", i.Text)
				}
			}
			return
		}
		again, issues := search.Pairs(search.Encode(r.Self))
		if issues != nil {
			t.Fatal(issues)
		}
		r2, issues := engine().Parse(resource, again, search.ParseOptions{})
		if r2 == nil {
			t.Fatalf("self link of %q is refused: %v", query, issues)
		}
		if r2.Hash != r.Hash || showQuery(r2.Query.Where) != showQuery(r.Query.Where) || !cmp.Equal(r2.Query.Sort, r.Query.Sort) {
			t.Errorf("self link of %q means another search", query)
		}
		if _, q, _ := engine().Criterion(t.Context(), resource, pairs); q != nil {
			if _, q2, _ := engine().Criterion(t.Context(), resource, again); q2 == nil || search.Normal(q2) != search.Normal(q) {
				t.Errorf("the criterion %q has two normal forms", query)
			}
		}
	})
}

// FuzzValues holds that no resource, however malformed, makes extraction panic.
func FuzzValues(f *testing.F) {
	for _, row := range valueTests {
		f.Add([]byte(row.resource))
	}
	f.Add([]byte(`{"resourceType":"Patient","name":[[{}]],"identifier":"x","birthDate":{"a":1},"_birthDate":7}`))
	f.Add([]byte(`{"resourceType":"Observation","valueQuantity":{"value":1e308,"system":"http://unitsofmeasure.org","code":"Ym"},"component":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		res, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			return
		}
		values, _ := engine().Values(res)
		for _, d := range values.Dates {
			if d.Low >= d.High {
				t.Errorf("empty interval %+v", d)
			}
		}
		for _, n := range values.Numbers {
			if !(n.Low <= n.High) {
				t.Errorf("empty interval %+v", n)
			}
		}
		for _, q := range values.Quantities {
			if !(q.Low <= q.High) || !(q.CanonicalLow <= q.CanonicalHigh) {
				t.Errorf("empty interval %+v", q)
			}
		}
		for _, text := range values.Texts {
			for i, term := range text.Terms {
				if term == "" || slices.Contains(text.Terms[:i], term) {
					t.Errorf("terms %q", text.Terms)
				}
			}
		}
		for _, s := range values.Strings {
			if s.Folded == "" || search.Fold(s.Folded) != s.Folded {
				t.Errorf("folding %q is not stable", s.Folded)
			}
		}
	})
}
