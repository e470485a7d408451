package definitions_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
)

func TestExtensions(t *testing.T) {
	for _, tt := range []struct{ id, context, types, parts string }{
		{"data-absent-reason", "Element", "code", ""},
		{"patient-birthTime", "Patient.birthDate", "dateTime", ""},
		{"patient-mothersMaidenName", "Patient", "string", ""},
		{"patient-nationality", "Patient", "", "code period"},
		{"geolocation", "Address", "", "latitude longitude"},
		{"iso21090-EN-representation", "HumanName", "code", ""},
		{"ordinalValue", "Questionnaire.item.answerOption Coding", "decimal", ""},
		{"replaces", "ActivityDefinition CodeSystem Library Measure PlanDefinition Questionnaire StructureDefinition StructureMap ValueSet", "canonical", ""},
	} {
		url := definitions.Canonical + tt.id
		e := r4.Extension(url)
		if e == nil {
			t.Errorf("%s is unknown", tt.id)
			continue
		}
		var types, parts []string
		for _, ref := range e.Types {
			types = append(types, ref.Code)
		}
		for _, p := range e.Parts {
			parts = append(parts, p.URL)
			if e.Part(p.URL) != p {
				t.Errorf("%s: part %s is not found", tt.id, p.URL)
			}
		}
		if e.URL != url || e.Name == "" || e.Modifier {
			t.Errorf("%s has URL %s and name %q, modifies: %v", tt.id, e.URL, e.Name, e.Modifier)
		}
		if strings.Join(types, " ") != tt.types || strings.Join(parts, " ") != tt.parts {
			t.Errorf("%s has types %v and parts %v", tt.id, types, parts)
		}
		for _, c := range strings.Fields(tt.context) {
			if !slices.Contains(e.Contexts, c) {
				t.Errorf("%s is allowed on %v, not on %s", tt.id, e.Contexts, c)
			}
		}
	}
	geo := r4.Extension(definitions.Canonical + "geolocation|4.0.1")
	if lat := geo.Part("latitude"); lat.Min != 1 || lat.Max != 1 || !lat.ValueRequired || lat.Type("decimal") == nil || lat.Type("string") != nil {
		t.Errorf("latitude is %+v", lat)
	}
	if geo.Part("altitude") != nil {
		t.Error("geolocation has an altitude")
	}
	if b := r4.Extension(definitions.Canonical + "data-absent-reason").Binding; b == nil || b.ValueSet != fhirSet+"data-absent-reason" {
		t.Errorf("data-absent-reason is bound to %+v", b)
	}
	for _, url := range []string{"", "http://nowhere", definitions.Canonical + "Patient", definitions.Canonical + "vitalsigns"} {
		if r4.Extension(url) != nil {
			t.Errorf("%q is an extension", url)
		}
	}
}

// TestEveryExtensionSaysWhatItHolds: a value or parts, on contexts that exist.
func TestEveryExtensionSaysWhatItHolds(t *testing.T) {
	n := 0
	for _, url := range r4.URLs("StructureDefinition") {
		e := r4.Extension(url)
		if e == nil {
			continue
		}
		n++
		if len(e.Types) == 0 && len(e.Parts) == 0 {
			t.Errorf("%s holds nothing", url)
		}
		if len(e.Contexts) == 0 {
			t.Errorf("%s is allowed nowhere", url)
		}
		for _, p := range e.Parts {
			if p.URL == "" || len(p.Types) == 0 && len(p.Parts) == 0 && r4.Extension(p.URL) == nil {
				t.Errorf("%s: part %q holds nothing", url, p.URL)
			}
		}
	}
	if n != 393 {
		t.Errorf("%d extensions", n)
	}
}
