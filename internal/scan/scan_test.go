package scan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/scan"
)

// world is small enough to be answered by reading it.
func world(t *testing.T) *scan.World {
	t.Helper()
	w := &scan.World{Base: "http://test/fhir/", Zone: time.FixedZone("", 8*3600)}
	for _, text := range []string{
		`{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"2024-05-01T00:00:00.5Z","tag":[{"system":"s","code":"t"}]},"gender":"female","birthDate":"1980-02","name":[{"family":"Núñez","given":["Ana","Eva"]}],
			"identifier":[{"system":"urn:a","value":"1,2","type":{"coding":[{"system":"v2","code":"MR"}],"text":"Record No."}}],"telecom":[{"system":"phone","value":"12000000001"}],"multipleBirthBoolean":false}`,
		`{"resourceType":"Patient","id":"b","gender":"male","birthDate":"1980-02-15","name":[{"family":"Nunez Li"}],"deceasedDateTime":"2020-01-01T00:00:00+08:00","link":[{"other":{"reference":"Patient/a"}}]}`,
		`{"resourceType":"Patient","id":"c","deceasedBoolean":false}`,
		`{"resourceType":"Encounter","id":"e","status":"finished","subject":{"reference":"Patient/a"},"serviceProvider":{"reference":"Organization/o"},"period":{"start":"2024-03-01T23:30:00-05:00","end":"2024-03-02T00:30:00-05:00"},"class":{"code":"AMB"}}`,
		`{"resourceType":"Encounter","id":"f","subject":{"reference":"http://test/fhir/Patient/b/_history/3"},"period":{"start":"2024-01-01"}}`,
		`{"resourceType":"Organization","id":"o","name":"North Clinic"}`,
		`{"resourceType":"PractitionerRole","id":"r","organization":{"identifier":{"system":"urn:o","value":"9"}},"telecom":[{"system":"email","value":"x@test"}]}`,
		`{"resourceType":"Observation","id":"x","code":{"coding":[{"system":"loinc","code":"8480-6","display":"Systolic pressure"}]},"subject":{"reference":"Patient/a"},"encounter":{"reference":"Encounter/e"},"effectiveDateTime":"2024-03-02","valueQuantity":{"value":5.40,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg/dL"}}`,
		`{"resourceType":"Observation","id":"y","code":{"coding":[{"code":"8480-6"}],"text":"pressure"},"subject":{"reference":"Patient/b"},"valueQuantity":{"value":0.054,"system":"http://unitsofmeasure.org","code":"g/L"}}`,
		`{"resourceType":"Observation","id":"z","code":{"coding":[{"system":"loinc","code":"55284-4"}]},"component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":120}},{"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":80}}]}`,
		`{"resourceType":"Observation","id":"less","code":{"text":"few"},"valueQuantity":{"value":0.5,"comparator":"<"},"component":[{"valueQuantity":{"value":9,"comparator":">="}},{"valueQuantity":{"value":2,"comparator":"<="}}]}`,
		`{"resourceType":"RiskAssessment","id":"k","prediction":[{"probabilityDecimal":0.50},{"probabilityDecimal":1e2}]}`,
		`{"resourceType":"ServiceRequest","id":"s","status":"active","occurrenceTiming":{"event":["2024-03","2024-01-15"]},"instantiatesCanonical":["http://a.test/p|1.2"],"instantiatesUri":["http://a.test/x/y"]}`,
		`{"resourceType":"Location","id":"l","position":{"latitude":52.52,"longitude":13.405},"status":"active"}`,
		`{"resourceType":"ExplanationOfBenefit","id":"b","insurance":[{"coverage":{"reference":"#in"}}]}`,
	} {
		body, err := scan.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w.Add(&scan.Resource{Type: body["resourceType"].(string), ID: body["id"].(string), Body: body})
	}
	return w
}

func ids(list []*scan.Resource) string {
	var out []string
	for _, r := range list {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestFind(t *testing.T) {
	w := world(t)
	for _, tt := range []struct{ typ, query, want string }{
		{"Patient", "", "a b c"},
		{"Patient", "_id=a,c,none", "a c"},
		{"Patient", "gender=female", "a"},
		{"Patient", "gender=http://hl7.org/fhir/administrative-gender|female", "a"},
		{"Patient", "gender=urn:other|female", ""},
		{"Patient", "gender=Female", ""},
		{"Patient", "gender:not=female", "b c"},
		{"Patient", "gender:missing=true", "c"},
		{"Patient", "gender=male,female&birthdate=1980-02-15", "b"},
		{"Patient", "_tag=s|t", "a"},
		{"Patient", `identifier=urn:a|1\,2`, "a"},
		{"Patient", `identifier=1,2`, ""},
		{"Patient", "identifier=urn:a|", "a"},
		{"Patient", `identifier:of-type=v2|MR|1\,2`, "a"},
		{"Patient", `identifier:of-type=v2|NI|1\,2`, ""},
		{"Patient", "identifier:text=record", "a"},
		{"Patient", "phone=12000000001", "a"},
		{"PractitionerRole", "phone=x@test", ""},
		{"PractitionerRole", "email=x@test", "r"},
		{"Patient", "birthOrderBoolean=false", "a"},
		{"Patient", "deceased=true", "b"},
		{"Patient", "deceased=false", "a c"},
		{"Patient", "deceased:missing=true", ""},
		{"Patient", "family=nunez", "a b"},
		{"Patient", "family=NÚÑ", "a b"},
		{"Patient", "family=li", ""},
		{"Patient", "family:contains=z+l", "b"},
		{"Patient", "family:exact=Núñez", "a"},
		{"Patient", "family:exact=Nunez", ""},
		{"Patient", "name=eva", "a"},
		{"Patient", "birthdate=1980", "a b"},
		{"Patient", "birthdate=1980-02", "a b"},
		{"Patient", "birthdate=1980-02-15", "b"},
		{"Patient", "birthdate=ne1980-02-15", "a"},
		{"Patient", "birthdate=gt1980-02-15", "a"},
		{"Patient", "birthdate=lt1980-02-15", "a"},
		{"Patient", "birthdate=ge1980-02-15", "a b"},
		{"Patient", "birthdate=sa1980-02-14", "b"},
		{"Patient", "birthdate=eb1980-03", "a b"},
		{"Patient", "birthdate=ge1980-02-10&birthdate=le1980-02-20", "a b"},
		{"Patient", "death-date=2019-12-31T16:00:00Z", "b"},
		{"Patient", "death-date=2020-01-01T00:00Z", ""},
		{"Patient", "_lastUpdated=ge2024-05-01T08:00:00%2B08:00", "a"},
		{"Patient", "_lastUpdated=gt2024-05-01T00:00:00.5Z", ""},
		{"Encounter", "date=2024-03-02", "e"},
		{"Encounter", "date=2024-03-01", ""},
		{"Encounter", "date=ge2024-06", "f"},
		{"Encounter", "date=sa2024-01", "e"},
		{"Encounter", "class=AMB", "e"},
		{"Encounter", "class=|AMB", "e"},
		{"Encounter", "subject=Patient/b", "f"},
		{"Encounter", "subject=b", "f"},
		{"Encounter", "subject:Patient=b", "f"},
		{"Encounter", "subject:Group=b", ""},
		{"Encounter", "subject=http://test/fhir/Patient/a", "e"},
		{"Encounter", "subject=http://other/fhir/Patient/a", ""},
		{"Encounter", "subject:Patient.family:exact=Núñez", "e"},
		{"Encounter", "patient.gender=male", "f"},
		{"Observation", "encounter.service-provider:Organization.name=north", "x"},
		{"Observation", "encounter.service-provider.name=south", ""},
		{"Patient", "_has:Observation:patient:code=loinc|8480-6", "a"},
		{"Organization", "_has:Encounter:service-provider:_has:Observation:encounter:date=2024", "o"},
		{"PractitionerRole", "organization:identifier=urn:o|9", "r"},
		{"PractitionerRole", "organization:missing=true", ""},
		{"ExplanationOfBenefit", "coverage:missing=true", "b"},
		{"Observation", "code=8480-6", "x y"},
		{"Observation", "code=|8480-6", "y"},
		{"Observation", "code:text=PRESS", "y"},
		{"Observation", "code:text=systolic", "x"},
		{"Observation", "value-quantity=5.4", "x"},
		{"Observation", "value-quantity=5", "x"},
		{"Observation", "value-quantity=ne5", "less y"},
		{"Observation", "value-quantity=5.0", ""},
		{"Observation", "value-quantity=1e1", "x"},
		{"Observation", "value-quantity=lt5.40", "less y"},
		{"Observation", "value-quantity=5.4|http://unitsofmeasure.org|mg/dL", "x y"},
		{"Observation", "value-quantity=ge0.054|http://unitsofmeasure.org|g/L", "x y"},
		{"Observation", "value-quantity=5.4||mg", "x"},
		{"Observation", "value-quantity=5.4|urn:other|mg/dL", ""},
		{"Observation", "code-value-quantity=8480-6$gt5", "x"},
		{"Observation", "component-code-value-quantity=sys$120", "z"},
		{"Observation", "component-code-value-quantity=sys$80", ""},
		{"Observation", "combo-code-value-quantity=dia$lt100,8480-6$gt5", "x z"},
		{"Observation", "combo-code-value-quantity:missing=false", "less x y z"},
		{"Observation", "value-quantity=0.5", ""},
		{"Observation", "value-quantity=lt0.1", "less y"},
		{"Observation", "value-quantity=ge0.5", "x"},
		{"Observation", "component-value-quantity=ge9", "less z"},
		{"Observation", "component-value-quantity=lt2", "less"},
		{"Observation", "component-value-quantity=le9", "less"},
		{"Observation", "component-value-quantity=gt80", "less z"},
		{"RiskAssessment", "probability=0.5", "k"},
		{"RiskAssessment", "probability=100.0", "k"},
		{"RiskAssessment", "probability=gt100", ""},
		{"RiskAssessment", "probability=1", "k"},
		{"ServiceRequest", "occurrence=2024", "s"},
		{"ServiceRequest", "occurrence=2024-02", ""},
		{"ServiceRequest", "occurrence=sa2024-01-14&occurrence=eb2024-04", "s"},
		{"ServiceRequest", "instantiates-canonical=http://a.test/p", "s"},
		{"ServiceRequest", "instantiates-canonical=http://a.test/p|1.2", "s"},
		{"ServiceRequest", "instantiates-canonical=http://a.test/p|1", ""},
		{"ServiceRequest", "instantiates-uri:above=http://a.test/x/y/z", "s"},
		{"ServiceRequest", "instantiates-uri:above=http://a.test/x/yz", ""},
		{"ServiceRequest", "status=|active", "s"},
		{"Encounter", "subject=http://test/fhir/Patient/b/_history/9", "f"},
		{"Patient", "family=ＮＵＮＥＺ", "a b"},
		{"Location", "near=52.5|13.4|5|km", "l"},
		{"Location", "near=52.5|13.4|1|km", ""},
	} {
		got, err := w.Find(tt.typ, strings.ReplaceAll(tt.query, "|", "%7C"))
		if err != nil || ids(got) != tt.want {
			t.Errorf("%s?%s finds %q, %v, wanted %q", tt.typ, tt.query, ids(got), err, tt.want)
		}
	}
}

func TestFindRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, query := range []string{"colour=red", "name:loudly=x", "birthdate=soon", "value-quantity=1", "name.family=x", "link:Patient.colour=x", "_has:Patient:link=x", "identifier=a|b|c", "_has:Encounter:colour:_id=1"} {
		if got, err := world(t).Find("Patient", query); err == nil {
			t.Errorf("%s finds %q", query, ids(got))
		}
	}
}

func TestCompartments(t *testing.T) {
	w := world(t)
	a := w.Read("Patient/a")
	for typ, want := range map[string]string{"Patient": "a", "Encounter": "e", "Observation": "x", "Organization": ""} {
		if got := ids(w.Compartment(a, typ)); got != want {
			t.Errorf("%s: %q, wanted %q", typ, got, want)
		}
	}
	members, supporting := w.Everything(a)
	if ids(members) != "a e x" || ids(supporting) != "o" {
		t.Errorf("everything: %q and %q", ids(members), ids(supporting))
	}
}

// A judge is worth what it refuses: each answer is right but for one planted fault.
func TestCheckRefusesWrongAnswers(t *testing.T) {
	w := world(t)
	keys := func(text string) []string { return strings.Fields(text) }
	page := func(matches, included string, total int) scan.Page {
		return scan.Page{Matches: keys(matches), Included: keys(included), Total: total}
	}
	for _, tt := range []struct {
		name, typ, query string
		pages            []scan.Page
		fault            string // "": the answer is right
	}{
		{"all", "Patient", "_total=accurate", []scan.Page{page("Patient/b Patient/a Patient/c", "", 3)}, ""},
		{"one is missing", "Patient", "", []scan.Page{page("Patient/b Patient/a", "", -1)}, "missing"},
		{"one too many", "Patient", "gender=male", []scan.Page{page("Patient/b Patient/a", "", -1)}, "should not be"},
		{"one that is not stored", "Patient", "gender=male", []scan.Page{page("Patient/b Patient/q", "", -1)}, "should not be"},
		{"one on two pages", "Patient", "_count=2", []scan.Page{page("Patient/a Patient/b", "", -1), page("Patient/b Patient/c", "", -1)}, "twice"},
		{"a page too long", "Patient", "_count=2", []scan.Page{page("Patient/a Patient/b Patient/c", "", -1)}, "at most 2"},
		{"a page too short", "Patient", "_count=2", []scan.Page{page("Patient/a", "", -1), page("Patient/b Patient/c", "", -1)}, "not the last"},
		{"no total", "Patient", "_total=accurate", []scan.Page{page("Patient/b Patient/a Patient/c", "", -1)}, "total"},
		{"a wrong total", "Patient", "", []scan.Page{page("Patient/b Patient/a Patient/c", "", 4)}, "total"},
		{"in order", "Patient", "_sort=birthdate", []scan.Page{page("Patient/a Patient/b Patient/c", "", -1)}, ""},
		{"out of order", "Patient", "_sort=birthdate", []scan.Page{page("Patient/b Patient/a Patient/c", "", -1)}, "order"},
		{"out of order downwards", "Patient", "_sort=-birthdate", []scan.Page{page("Patient/a Patient/b Patient/c", "", -1)}, "order"},
		{"one without a value first", "Patient", "_sort=-birthdate", []scan.Page{page("Patient/c Patient/b Patient/a", "", -1)}, "order"},
		{"out of the second order", "Encounter", "_sort=status,-_id", []scan.Page{page("Encounter/f Encounter/e", "", -1)}, "order"},
		{"with what they refer to", "Encounter", "_include=Encounter:subject", []scan.Page{page("Encounter/e Encounter/f", "Patient/a Patient/b", -1)}, ""},
		{"without what they refer to", "Encounter", "_include=Encounter:subject", []scan.Page{page("Encounter/e Encounter/f", "Patient/a", -1)}, "included: Patient/b is missing"},
		{"with what a page does not refer to", "Encounter", "_id=e&_include=Encounter:subject", []scan.Page{page("Encounter/e", "Patient/a Patient/b", -1)}, "included: Patient/b"},
		{"with what refers to them, and so on", "Patient", "_id=a&_revinclude:iterate=Encounter:subject&_revinclude:iterate=Observation:encounter", []scan.Page{page("Patient/a", "Encounter/e", -1)}, "Observation/x is missing"},
		{"of another type", "Encounter", "_include=Encounter:subject:Group", []scan.Page{page("Encounter/e Encounter/f", "Patient/a", -1)}, "Patient/a"},
	} {
		err := w.Check(tt.typ, tt.query, tt.pages)
		if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%s: %v, wanted %q", tt.name, err, tt.fault)
		}
	}
	members, supporting := w.Everything(w.Read("Patient/a"))
	for _, p := range []struct {
		page scan.Page
		ok   bool
	}{
		{page("Patient/a Encounter/e Observation/x", "Organization/o", -1), true},
		{page("Patient/a Encounter/e Observation/x Organization/o", "", -1), true},
		{page("Patient/a Encounter/e Observation/x", "", -1), false},
		{page("Patient/a Encounter/e", "Observation/x Organization/o", -1), false},
		{page("Patient/a Encounter/e", "Organization/o", -1), false},
		{page("Patient/a Encounter/e Observation/x Patient/b", "Organization/o", -1), false},
	} {
		if err := w.CheckEverything(members, supporting, []scan.Page{p.page}); (err == nil) != p.ok {
			t.Errorf("everything %v: %v", p.page, err)
		}
	}
}
