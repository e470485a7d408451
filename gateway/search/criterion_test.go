package search_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
)

func criterion(t *testing.T, typ, query string) ([]string, *search.Query, []fhir.Issue) {
	t.Helper()
	pairs, issues := search.Pairs(query)
	if issues != nil {
		t.Fatal(issues)
	}
	return engine().Criterion(t.Context(), typ, pairs)
}

func TestCriterion(t *testing.T) {
	const other = "urn:oid:2.16.840.1.113883.2.23.1.19.1" // an alias of residentID
	// Each row is one criterion, however it is written.
	for _, row := range []struct {
		typ   string
		names []string // of the locks; nil: one by the normal form
		same  []string
	}{
		{"Patient", []string{"Patient|1"}, []string{"identifier=urn:a|1", "identifier=urn%3Aa%7C1", "identifier=urn:a%7c1&_format=json", "identifier=urn:a|1,urn:a|1"}},
		{"Patient", []string{"Patient|1"}, []string{"identifier=" + residentID + "|1", "identifier=" + other + "|1"}},
		{"Patient", []string{"Patient|1"}, []string{"identifier=1"}},
		{"Patient", []string{"Patient|1", "Patient|2"}, []string{"identifier=urn:a|1,2", "identifier=2,urn:a|1"}},
		{"Patient", []string{"Patient|1"}, []string{"identifier=urn:a|1&active=true", "active=true&identifier=urn:a|1"}},
		{"Patient", nil, []string{"name=甲&birthdate=2024", "birthdate=2024&name=%E7%94%B2", "birthdate=eq2024&name=甲&name=甲", "name=甲,甲&birthdate=2024"}},
		{"Patient", nil, []string{"identifier:not=1"}},
		{"Patient", nil, []string{"_filter=identifier ne urn:a|1", "_filter=(identifier ne urn:a|1)"}},
		{"Patient", nil, []string{"identifier:missing=true"}},
		{"Patient", nil, []string{"identifier=urn:a|"}},
		{"Patient", nil, []string{"identifier:text=a"}},
		{"Patient", nil, []string{"organization.identifier=urn:a|1", "organization:Organization.identifier=urn:a|1"}},
		{"Observation", nil, []string{"code=a,b&status=final", "status=final&code=b,a"}},
		{"Observation", nil, []string{"component-code-value-quantity=a$5,b$6", "component-code-value-quantity=b$6,a$5"}},
		{"Observation", nil, []string{"_filter=code eq a or code eq b", "_filter=code eq b or  (code eq a)"}},
		{"Patient", nil, []string{"_has:Observation:patient:code=1,2", "_has:Observation:patient:code=2,1"}},
	} {
		var first []string
		normal := ""
		for _, query := range row.same {
			names, q, issues := criterion(t, row.typ, query)
			if fhir.HasErrors(issues) {
				t.Fatal(query, issues)
			}
			if first == nil {
				first, normal = names, search.Normal(q)
			}
			if !slices.Equal(names, first) || search.Normal(q) != normal {
				t.Errorf("%s and %s differ:\n%v %s\n%v %s", row.same[0], query, first, normal, names, search.Normal(q))
			}
			if row.names != nil && !slices.Equal(names, row.names) {
				t.Errorf("%s: locks %v, want %v", query, names, row.names)
			}
			if row.names == nil && (len(names) != 1 || !strings.HasPrefix(names[0], row.typ+"?")) {
				t.Errorf("%s: locks %v", query, names)
			}
			if q.Type != row.typ || len(q.Where) == 0 || q.Allowed.All || q.Sort != nil {
				t.Errorf("%s: %+v", query, q)
			}
		}
	}
}

func TestCriteriaThatDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, query := range []string{
		"name=a", "name=b", "name:exact=a", "name:contains=a", "given=a", "name=a&name=b", "name=a,b", "birthdate=2024", "birthdate=ge2024", "birthdate=2024-01",
		"active=true", "active:not=true", "active:missing=true", "active:missing=false", "organization=1", "organization=2", "organization:identifier=1", "organization.name=a", "link=1",
		"_has:Observation:patient:code=1", "_has:Observation:subject:code=1", "_filter=name eq a", "_filter=not (name eq a)", "_filter=identifier eq urn:a|1", "_filter=identifier ne urn:a|1", "_filter=family eq a", "_filter=family ne a", "_text=a", "_content=a", "identifier=urn:a|", "_tag=a", "_id=1",
		"identifier:of-type=a|b|c&identifier:not=1", "_source:below=http://a", "_source=http://a", "general-practitioner=Organization/1", "general-practitioner=Practitioner/1",
	} {
		_, q, issues := criterion(t, "Patient", query)
		if fhir.HasErrors(issues) {
			t.Fatal(query, issues)
		}
		n := search.Normal(q)
		if old := seen[n]; old != "" {
			t.Errorf("%s and %s are the same: %s", old, query, n)
		}
		seen[n] = query
	}
}

func TestCriterionRefuses(t *testing.T) {
	for query, id := range map[string]string{
		"": "search-criterion-empty", "_format=json": "search-criterion-empty", "name=a&_sort=name": "search-criterion-result", "name=a&_include=*": "search-criterion-result",
		"_count=1": "search-criterion-result", "_summary=true": "search-criterion-result", "foo=1": "search-parameter-unknown", "name=": "search-value-empty",
	} {
		if names, q, issues := criterion(t, "Patient", query); q != nil || names != nil || len(issues) != 1 || issues[0].ID != id {
			t.Errorf("%q: %v, want %s", query, issues, id)
		}
	}
}

func TestIdentifierLocks(t *testing.T) {
	for _, row := range []struct{ resource, want string }{
		{`{"resourceType":"Patient","identifier":[{"system":"urn:b","value":"2"},{"system":"urn:a","value":"1"},{"system":"urn:c","value":"1"},{"system":"urn:none"}]}`, "Patient|1 Patient|2"},
		{`{"resourceType":"Patient"}`, ""},
		{`{"resourceType":"Bundle","identifier":{"value":"7"}}`, "Bundle|7"},
		{`{"resourceType":"Binary"}`, ""},
		{`{"resourceType":"Nothing"}`, ""},
	} {
		got := strings.Join(engine().IdentifierLocks(read(t, row.resource)), " ")
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.resource, got, row.want)
		}
	}
	// What a criterion locks is among what the resource it would create locks.
	names, _, _ := criterion(t, "Patient", "identifier=urn:oid:2.16.840.1.113883.2.23.1.19.1|1")
	locks := engine().IdentifierLocks(read(t, `{"resourceType":"Patient","identifier":[{"system":"`+residentID+`","value":"1"}]}`))
	if !cmp.Equal(names, locks) {
		t.Error(names, locks)
	}
}

func TestCompartment(t *testing.T) {
	for _, row := range []struct{ compartment, typ, want string }{
		{"Patient", "Patient", ":special (link:reference Patient/1) or (_id:token *|1)"},
		{"Patient", "Condition", ":special (patient:reference Patient/1) or (asserter:reference Patient/1)"},
		{"Patient", "Observation", ":special (subject:reference Patient/1) or (performer:reference Patient/1)"},
		{"Encounter", "Encounter", "_id:token *|1"},
		{"Encounter", "Observation", "encounter:reference Encounter/1"},
		{"Practitioner", "Encounter", ":special (practitioner:reference Practitioner/1) or (participant:reference Practitioner/1)"},
		{"Device", "Observation", ":special (subject:reference Device/1) or (device:reference Device/1)"},
		{"RelatedPerson", "Encounter", "participant:reference RelatedPerson/1"},
		{"Patient", "Organization", ""},
		{"Organization", "Patient", ""},
		{"Patient", "Nothing", ""},
	} {
		c, ok := engine().Compartment(row.compartment, "1", row.typ)
		if got := showQuery([]search.Clause{c}); ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%s/1/%s: %v %s, want %s", row.compartment, row.typ, ok, got, row.want)
		}
	}
	if got := engine().Compartments(); !cmp.Equal(got, []string{"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"}) {
		t.Error(got)
	}
	if got := engine().CompartmentTypes("Patient"); len(got) < 60 || !slices.Contains(got, "Observation") || slices.Contains(got, "Organization") {
		t.Error(got)
	}
	// Every parameter that the definitions name is used.
	for _, code := range engine().Compartments() {
		def := definitions.R4().Compartment(code)
		for _, typ := range def.Types() {
			c, ok := engine().Compartment(code, "1", typ)
			if n := len(def.Parameters(typ)); ok != (n > 0) || ok && len(c.Any) < n {
				t.Errorf("%s of %s: %d of %d parameters", typ, code, len(c.Any), n)
			}
		}
	}
	w := world(t, engine(), `{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/1"}}`, `{"resourceType":"Observation","id":"b","performer":[{"reference":"Patient/1"}]}`,
		`{"resourceType":"Observation","id":"c","subject":{"reference":"Patient/2"}}`)
	c, _ := engine().Compartment("Patient", "1", "Observation")
	if got := w.Find("Observation", []search.Clause{c}); !cmp.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
}
