package definitions_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
)

func TestSearchParameters(t *testing.T) {
	for _, tt := range []struct{ resource, code, typ, expression, targets string }{
		{"Patient", "name", "string", "Patient.name", ""},
		{"Patient", "birthdate", "date", "Patient.birthDate | Person.birthDate | RelatedPerson.birthDate", ""},
		{"Patient", "identifier", "token", "Patient.identifier", ""},
		{"Patient", "_id", "token", "Resource.id", ""},
		{"Patient", "_lastUpdated", "date", "Resource.meta.lastUpdated", ""},
		{"Patient", "_tag", "token", "Resource.meta.tag", ""},
		{"Patient", "_source", "uri", "Resource.meta.source", ""},
		{"Patient", "_text", "string", "", ""},
		{"Patient", "_content", "string", "", ""},
		{"Observation", "status", "token", "Observation.status", ""},
		{"Observation", "category", "token", "Observation.category", ""},
		{"Observation", "value-quantity", "quantity", "(Observation.value as Quantity) | (Observation.value as SampledData)", ""},
		{"Encounter", "date", "date", "", ""},
		{"DiagnosticReport", "based-on", "reference", "DiagnosticReport.basedOn", "CarePlan MedicationRequest NutritionOrder ServiceRequest ImmunizationRecommendation"},
		{"Condition", "subject", "reference", "Condition.subject", "Group Patient"},
		{"Bundle", "_id", "token", "Resource.id", ""},
		{"ServiceRequest", "authored", "date", "ServiceRequest.authoredOn", ""},
		{"Organization", "name", "string", "Organization.name | Organization.alias", ""},
	} {
		p := r4.SearchParameter(tt.resource, tt.code)
		if p == nil {
			t.Errorf("%s has no parameter %s", tt.resource, tt.code)
			continue
		}
		if p.Code != tt.code || p.Type != tt.typ {
			t.Errorf("%s.%s is %s of type %s", tt.resource, tt.code, p.Code, p.Type)
		}
		if len(p.Base) == 1 && p.Expression != tt.expression || len(p.Base) > 1 && !strings.Contains(p.Expression, tt.expression) {
			t.Errorf("%s.%s is %s", tt.resource, tt.code, p.Expression)
		}
		if tt.targets != "" && !sameWords(strings.Join(p.Targets, " "), tt.targets) {
			t.Errorf("%s.%s points to %v", tt.resource, tt.code, p.Targets)
		}
		if r4.SearchParameterByURL(p.URL) != p {
			t.Errorf("%s is not found by its URL", p.URL)
		}
	}
	for _, tt := range [][2]string{{"Patient", "part-agree"}, {"Patient", "nothing"}, {"Bundle", "_text"}, {"HumanName", "name"}, {"", "_id"}} {
		if p := r4.SearchParameter(tt[0], tt[1]); p != nil {
			t.Errorf("%s has a parameter %s: %s", tt[0], tt[1], p.URL)
		}
	}
}

func TestSearchParameterOfManyBases(t *testing.T) {
	p := r4.SearchParameter("Observation", "patient")
	if p == nil || p.ID != "clinical-patient" || r4.SearchParameter("Encounter", "patient") != p {
		t.Fatalf("Observation.patient is %+v", p)
	}
	if !strings.Contains(p.Expression, "Observation.subject.where(resolve() is Patient)") || !slices.Contains(p.Base, "Observation") {
		t.Errorf("clinical-patient is %s for %v", p.Expression, p.Base)
	}
	if r4.SearchParameter("Patient", "patient") != nil {
		t.Error("Patient has a parameter patient")
	}
}

func TestCompositeSearchParameter(t *testing.T) {
	p := r4.SearchParameter("Observation", "code-value-quantity")
	want := []definitions.Component{
		{Definition: "http://hl7.org/fhir/SearchParameter/clinical-code", Expression: "code"},
		{Definition: "http://hl7.org/fhir/SearchParameter/Observation-value-quantity", Expression: "value.as(Quantity)"},
	}
	if p.Type != "composite" || p.MultipleOr {
		t.Errorf("type %s, several values %v", p.Type, p.MultipleOr)
	}
	if diff := cmp.Diff(want, p.Components); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	for _, c := range p.Components {
		if r4.SearchParameterByURL(c.Definition) == nil {
			t.Errorf("%s is unknown", c.Definition)
		}
	}
}

func TestSearchParametersOfType(t *testing.T) {
	var got []string
	for _, p := range r4.SearchParameters("Patient") {
		got = append(got, p.Code)
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("not sorted and unique: %v", got)
	}
	for _, code := range strings.Fields(`_id _lastUpdated _profile _security _source _tag _content _text active address
		birthdate death-date deceased email family gender general-practitioner given identifier link name organization
		phone phonetic telecom`) {
		if !slices.Contains(got, code) {
			t.Errorf("%s is missing", code)
		}
	}
	if slices.Contains(got, "part-agree") {
		t.Error("an example is among them")
	}
	if len(r4.SearchParameters("HumanName")) != 0 || len(r4.SearchParameters("nothing")) != 0 {
		t.Error("what is no resource has search parameters")
	}
	known := strings.Fields("number date string token reference composite quantity uri special")
	for _, name := range r4.ResourceTypes() {
		for _, p := range r4.SearchParameters(name) {
			if !slices.Contains(known, p.Type) {
				t.Errorf("%s.%s has type %q", name, p.Code, p.Type)
			}
		}
	}
}

func TestCompartments(t *testing.T) {
	c := r4.Compartment("Patient")
	for resource, want := range map[string]string{
		"Observation": "subject performer",
		"Encounter":   "patient",
		"Patient":     "link",
		"Appointment": "actor",
		"Location":    "",
		"nothing":     "",
	} {
		if got := strings.Join(c.Parameters(resource), " "); got != want {
			t.Errorf("%s is in the compartment by %q, want %q", resource, got, want)
		}
	}
	if types := c.Types(); slices.Contains(types, "Location") || !slices.Contains(types, "Observation") || !slices.IsSorted(types) {
		t.Errorf("types are %v", types)
	}
	// Every parameter named exists, so that a compartment can be searched.
	for _, code := range []string{"Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"} {
		c := r4.Compartment(code)
		for _, name := range c.Types() {
			for _, p := range c.Parameters(name) {
				if p != "{def}" && r4.SearchParameter(name, p) == nil {
					t.Errorf("%s: %s has no parameter %s", code, name, p)
				}
			}
		}
	}
	if r4.Compartment("Location") != nil {
		t.Error("there is a compartment of Location")
	}
}

func TestSource(t *testing.T) {
	for _, tt := range []struct{ kind, url string }{
		{"StructureDefinition", definitions.Canonical + "Patient"},
		{"StructureDefinition", definitions.Canonical + "vitalsigns"},
		{"StructureDefinition", definitions.Canonical + "data-absent-reason"},
		{"ValueSet", fhirSet + "administrative-gender|4.0.1"},
		{"CodeSystem", tableOf + "0001"},
		{"CodeSystem", tableOf + "0006|2.4"},
		{"SearchParameter", "http://hl7.org/fhir/SearchParameter/clinical-patient"},
		{"OperationDefinition", "http://hl7.org/fhir/OperationDefinition/Patient-everything"},
		{"CompartmentDefinition", "http://hl7.org/fhir/CompartmentDefinition/patient"},
		{"ConceptMap", "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2"},
	} {
		var got struct{ ResourceType, URL string }
		data := r4.Source(tt.kind, tt.url)
		if err := json.Unmarshal(data, &got); err != nil {
			t.Errorf("%s %s: %v", tt.kind, tt.url, err)
			continue
		}
		if got.ResourceType != tt.kind || !strings.HasPrefix(tt.url, got.URL) {
			t.Errorf("%s %s is %+v", tt.kind, tt.url, got)
		}
	}
	if r4.Source("StructureDefinition", "http://nowhere") != nil || r4.Source("Patient", "") != nil {
		t.Error("an unknown definition has a source")
	}
	if len(r4.URLs("Patient")) != 0 {
		t.Error("definitions that are none are listed")
	}
}

func TestEverySourceIsJSON(t *testing.T) {
	for _, kind := range []string{"StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "OperationDefinition", "CompartmentDefinition", "ConceptMap"} {
		urls := r4.URLs(kind)
		if len(urls) < 5 {
			t.Errorf("%d of kind %s", len(urls), kind)
		}
		for _, url := range urls {
			if !json.Valid(r4.Source(kind, url)) {
				t.Errorf("%s %s is not JSON", kind, url)
			}
		}
	}
}
