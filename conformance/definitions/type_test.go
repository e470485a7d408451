package definitions_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
)

var r4 = definitions.R4()

// The facts below are read from the pages of the specification.

func TestTypes(t *testing.T) {
	tests := []struct {
		name     string
		kind     definitions.Kind
		base     string
		abstract bool
	}{
		{"Patient", definitions.Resource, "DomainResource", false},
		{"Bundle", definitions.Resource, "Resource", false},
		{"DomainResource", definitions.Resource, "Resource", true},
		{"Resource", definitions.Resource, "", true},
		{"HumanName", definitions.Complex, "Element", false},
		{"Age", definitions.Complex, "Quantity", false},
		{"Dosage", definitions.Complex, "BackboneElement", false},
		{"BackboneElement", definitions.Complex, "Element", true},
		{"Element", definitions.Complex, "", true},
		{"string", definitions.Primitive, "Element", false},
		{"id", definitions.Primitive, "string", false},
		{"positiveInt", definitions.Primitive, "integer", false},
		{"xhtml", definitions.Primitive, "Element", false},
	}
	for _, tt := range tests {
		got := r4.Type(tt.name)
		if got == nil {
			t.Errorf("%s is unknown", tt.name)
			continue
		}
		if got.Name != tt.name || got.Kind != tt.kind || got.Base != tt.base || got.Abstract != tt.abstract {
			t.Errorf("%s is %s of %q, abstract %v", got.Name, got.Kind, got.Base, got.Abstract)
		}
		if got.URL != definitions.Canonical+tt.name || r4.Type(got.URL) != got {
			t.Errorf("%s is not found by its URL %s", tt.name, got.URL)
		}
		if k := r4.KindOf(tt.name); k != tt.kind {
			t.Errorf("KindOf(%s) is %s", tt.name, k)
		}
	}
	for _, name := range []string{"", "patient", "Patients", "vitalsigns", "SimpleQuantity", "http://hl7.org/fhirpath/System.String"} {
		if r4.Type(name) != nil {
			t.Errorf("%q is a type", name)
		}
	}
}

func TestResourceTypes(t *testing.T) {
	got := r4.ResourceTypes()
	if len(got) != 146 || !slices.IsSorted(got) {
		t.Errorf("%d resource types, sorted %v", len(got), slices.IsSorted(got))
	}
	for _, name := range []string{"Account", "Binary", "Parameters", "VisionPrescription"} {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"Resource", "DomainResource", "Element", "HumanName", "MetadataResource"} {
		if slices.Contains(got, name) || r4.IsResource(name) {
			t.Errorf("%s is listed", name)
		}
	}
}

func TestIsA(t *testing.T) {
	for _, tt := range []struct {
		name, ancestor string
		want           bool
	}{
		{"Patient", "Patient", true},
		{"Patient", "DomainResource", true},
		{"Patient", "Resource", true},
		{"Bundle", "DomainResource", false},
		{"Age", "Quantity", true},
		{"Quantity", "Age", false},
		{"id", "string", true},
		{"code", "Element", true},
		{"nothing", "Element", false},
	} {
		if got := r4.IsA(tt.name, tt.ancestor); got != tt.want {
			t.Errorf("%s is a %s: %v", tt.name, tt.ancestor, got)
		}
	}
}

func TestElements(t *testing.T) {
	const many = definitions.Unbounded
	tests := []struct {
		path     string
		typ      string
		min, max int
		summary  bool
	}{
		{"Patient.identifier", "Identifier", 0, many, true},
		{"Patient.active", "boolean", 0, 1, true},
		{"Patient.deceasedDateTime", "dateTime", 0, 1, true},
		{"Patient.multipleBirthInteger", "integer", 0, 1, false},
		{"Patient.contact", "BackboneElement", 0, many, false},
		{"Patient.contact.name.given", "string", 0, many, true},
		{"Patient.communication.language", "CodeableConcept", 1, 1, false},
		{"Patient.link.other", "Reference", 1, 1, true},
		{"Patient.id", "id", 0, 1, true},
		{"Patient.meta.lastUpdated", "instant", 0, 1, true},
		{"Patient.text.div", "xhtml", 1, 1, false},
		{"Patient.contained", "Resource", 0, many, false},
		{"Patient.contained.id", "id", 0, 1, true},
		{"Patient.birthDate.extension.url", "uri", 1, 1, false},
		{"Patient.birthDate.id", "string", 0, 1, false},
		{"Observation.status", "code", 1, 1, true},
		{"Observation.valueQuantity.value", "decimal", 0, 1, true},
		{"Observation.component.valueSampledData.data", "string", 0, 1, false},
		{"Observation.component.referenceRange.low.value", "decimal", 0, 1, true},
		{"Questionnaire.item.item.item.linkId", "string", 1, 1, false},
		{"Bundle.entry.link.relation", "string", 1, 1, true},
		{"Bundle.entry.resource", "Resource", 0, 1, true},
		{"Parameters.parameter.part.part.name", "string", 1, 1, true},
		{"Encounter.class", "Coding", 1, 1, true},
		{"MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.code", "code", 0, 1, true},
		{"MedicationRequest.dosageInstruction.timing.repeat.frequency", "positiveInt", 0, 1, true},
		{"DiagnosticReport.presentedForm.data", "base64Binary", 0, 1, false},
		{"ServiceRequest.quantityRatio.numerator.system", "uri", 0, 1, true},
		{"Extension.valueReference.reference", "string", 0, 1, true},
		{"ValueSet.expansion.contains.contains.designation.value", "string", 1, 1, false},
		{"Provenance.entity.agent.who", "Reference", 1, 1, true},
	}
	for _, tt := range tests {
		p, err := r4.Resolve(tt.path)
		if err != nil {
			t.Error(err)
			continue
		}
		e := p.Element
		if p.Type != tt.typ || e.Min != tt.min || e.Max != tt.max || e.IsSummary != tt.summary {
			t.Errorf("%s is %s %d..%d, summary %v", tt.path, p.Type, e.Min, e.Max, e.IsSummary)
		}
	}
}

func TestResolveTellsTheWrongStep(t *testing.T) {
	for path, want := range map[string]string{
		"Pateint.name":             `unknown type "Pateint"`,
		"":                         `unknown type ""`,
		"Patient.nmae":             `Patient has no element "nmae", did you mean "name"?`,
		"Patient.name.first":       `Patient.name has no element "first"`,
		"Patient.birthdate":        `Patient has no element "birthdate", did you mean "birthDate"?`,
		"Patient.contact.nam.text": `Patient.contact has no element "nam", did you mean "name"?`,
		"Patient..name":            `Patient has no element ""`,
		"Observation.valueDecimal": `Observation has no element "valueDecimal"`,
		"Observation.value.code":   `Observation.value may have several types: name one of them, such as valueQuantity`,
		"Patient.active.value.x":   `Patient.active.value has no element "x"`,
	} {
		p, err := r4.Resolve(path)
		if err == nil {
			t.Errorf("%s resolves to %+v", path, p)
		} else if err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestChoice(t *testing.T) {
	observation := r4.Type("Observation")
	value := observation.Element("value")
	if value == nil || value.Name != "value[x]" || !value.Choice() || observation.Element("value[x]") != value {
		t.Fatalf("Observation.value[x] is %+v", value)
	}
	var types, names []string
	for _, ref := range value.Types {
		types = append(types, ref.Code)
	}
	for _, p := range observation.Properties() {
		if p.Element == value {
			names = append(names, p.Name)
		}
	}
	wantTypes := strings.Fields("Quantity CodeableConcept string boolean integer Range Ratio SampledData time dateTime Period")
	wantNames := strings.Fields(`valueQuantity valueCodeableConcept valueString valueBoolean valueInteger valueRange valueRatio
		valueSampledData valueTime valueDateTime valuePeriod`)
	if diff := cmp.Diff(wantTypes, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if observation.Child("value") != nil || observation.Child("value[x]") != nil || observation.Child("valueDecimal") != nil {
		t.Error("a name no instance may use is a child")
	}
	if p, err := r4.Resolve("Observation.value[x]"); err != nil || p.Type != "" || p.Element != value {
		t.Errorf("Observation.value[x] resolves to %+v, %v", p, err)
	}
	if n := len(r4.Type("Extension").Element("value").Types); n != 50 {
		t.Errorf("an extension has %d types of values, want 50", n)
	}
}

func TestReferences(t *testing.T) {
	for path, want := range map[string]string{
		"Observation.subject":                 "Patient Group Device Location",
		"Patient.generalPractitioner":         "Organization Practitioner PractitionerRole",
		"ServiceRequest.encounter":            "Encounter",
		"Observation.focus":                   "Resource",
		"PlanDefinition.action.definitionUri": "",
		"PlanDefinition.library":              "Library",
	} {
		p, err := r4.Resolve(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(p.Targets(), " "); got != want {
			t.Errorf("%s points to %q, want %q", path, got, want)
		}
	}
	subject, _ := r4.Resolve("Observation.subject")
	if ref := subject.Ref(); !ref.AllowsTarget("Patient") || ref.AllowsTarget("Practitioner") {
		t.Error("Observation.subject allows the wrong targets")
	}
	focus, _ := r4.Resolve("Observation.focus")
	if !focus.Ref().AllowsTarget("Slot") {
		t.Error("Observation.focus does not allow any target")
	}
}

func TestBindings(t *testing.T) {
	const vs = "http://hl7.org/fhir/ValueSet/"
	for path, want := range map[string]definitions.Binding{
		"Patient.gender":             {Strength: "required", ValueSet: vs + "administrative-gender", Name: "AdministrativeGender"},
		"Observation.status":         {Strength: "required", ValueSet: vs + "observation-status", Name: "ObservationStatus"},
		"Observation.interpretation": {Strength: "extensible", ValueSet: vs + "observation-interpretation", Name: "ObservationInterpretation"},
		"Encounter.class":            {Strength: "extensible", ValueSet: "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", Name: "EncounterClass"},
		"Observation.code":           {Strength: "example", ValueSet: vs + "observation-codes", Name: "ObservationCode"},
		"Patient.language":           {Strength: "preferred", ValueSet: vs + "languages", Max: vs + "all-languages", Name: "Language"},
	} {
		p, err := r4.Resolve(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Element.Binding == nil {
			t.Errorf("%s has no binding", path)
		} else if diff := cmp.Diff(want, *p.Element.Binding); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if name, _ := r4.Resolve("Patient.name"); name.Element.Binding != nil {
		t.Error("Patient.name has a binding")
	}
}

func TestConstraints(t *testing.T) {
	find := func(path, key string) *definitions.Constraint {
		p, err := r4.Resolve(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Element.Constraints {
			if c.Key == key {
				return c
			}
		}
		t.Fatalf("%s has no constraint %s", path, key)
		return nil
	}
	if got, want := *find("Patient.contact", "pat-1"), (definitions.Constraint{
		Key: "pat-1", Severity: "error",
		Human:      "SHALL at least contain a contact's details or a reference to an organization",
		Expression: "name.exists() or telecom.exists() or address.exists() or organization.exists()",
	}); got != want {
		t.Errorf("pat-1 is %+v", got)
	}
	if got := find("Observation", "obs-7"); got.Severity != "error" || !strings.Contains(got.Expression, "value.empty()") {
		t.Errorf("obs-7 is %+v", got)
	}
	if got := find("Patient", "dom-6"); got.Severity != "warning" || got.Source != definitions.Canonical+"DomainResource" {
		t.Errorf("dom-6 is %+v", got)
	}
	if got := find("Extension", "ext-1"); got.Expression != "extension.exists() != value.exists()" {
		t.Errorf("ext-1 is %+v", got)
	}
}

func TestElementFlags(t *testing.T) {
	for path, want := range map[string][3]bool{ // modifier, XML attribute, XHTML
		"Observation.status":        {true, false, false},
		"Patient.active":            {true, false, false},
		"Patient.modifierExtension": {true, false, false},
		"Patient.name":              {false, false, false},
		"Patient.name.id":           {false, true, false},
		"Extension.url":             {false, true, false},
		"Patient.id":                {false, false, false},
	} {
		p, err := r4.Resolve(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := [3]bool{p.Element.IsModifier, p.Element.XMLAttr, p.Element.XHTML}; got != want {
			t.Errorf("%s: modifier, attribute, XHTML are %v", path, got)
		}
	}
	div, _ := r4.Resolve("xhtml.value")
	if !div.Element.XHTML {
		t.Error("the value of xhtml is not written as XHTML")
	}
	if got := r4.Type("string").Child("value").Element.MaxLength; got != 1<<20 {
		t.Errorf("a string has at most %d characters", got)
	}
	if got := r4.Type("id").Regex; got != `[A-Za-z0-9\-\.]{1,64}` {
		t.Errorf("an id looks like %s", got)
	}
	status := r4.Type("Observation").Child("status").Element
	if !strings.HasPrefix(status.Short, "registered | preliminary | final") || status.ModifierReason == "" {
		t.Errorf("Observation.status is described by %q, modifies because %q", status.Short, status.ModifierReason)
	}
}

func TestOrderIsThatOfXML(t *testing.T) {
	var got []string
	for _, e := range r4.Type("Patient").Children() {
		got = append(got, e.Name)
	}
	want := strings.Fields(`id meta implicitRules language text contained extension modifierExtension identifier active name
		telecom gender birthDate deceased[x] address maritalStatus multipleBirth[x] photo contact communication
		generalPractitioner managingOrganization link`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("children of Patient (-want +got):\n%s", diff)
	}
	contact := r4.Type("Patient").Child("contact")
	got = nil
	for _, p := range contact.Properties() {
		got = append(got, p.Name)
	}
	want = strings.Fields("id extension modifierExtension relationship name telecom address gender organization period")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("properties of Patient.contact (-want +got):\n%s", diff)
	}
	if !contact.Element.Backbone() || contact.Container() != contact.Element {
		t.Error("Patient.contact is not a backbone element")
	}
	if base := r4.Type("Patient").Child("text").Element.Base; base != "DomainResource.text" {
		t.Errorf("Patient.text comes from %s", base)
	}
}

func TestContentReference(t *testing.T) {
	item, err := r4.Resolve("Questionnaire.item.item")
	if err != nil {
		t.Fatal(err)
	}
	if item.Element.ContentReference != "Questionnaire.item" || item.Type != "BackboneElement" {
		t.Errorf("Questionnaire.item.item refers to %q with type %q", item.Element.ContentReference, item.Type)
	}
	if got := item.Container().Path; got != "Questionnaire.item" {
		t.Errorf("its children are those of %s", got)
	}
	if len(item.Element.Children()) == 0 || item.Element.Child("linkId") == nil || item.Element.Element("initial") == nil {
		t.Error("its children are not found")
	}
}

// TestEveryElementLeadsOn holds for all types: what a property names exists.
func TestEveryElementLeadsOn(t *testing.T) {
	names := r4.TypeNames()
	if len(names) < 200 || !slices.IsSorted(names) {
		t.Fatalf("%d types", len(names))
	}
	for _, name := range names {
		typ := r4.Type(name)
		if typ.Root() == nil || typ.Root().Path != name {
			t.Errorf("%s has no root", name)
		}
		if base := typ.Base; base != "" && r4.Type(base) == nil {
			t.Errorf("%s: base %s is unknown", name, base)
		}
		for _, e := range typ.Elements() {
			if e.Owner() != typ || !strings.HasPrefix(e.Path, name+".") {
				t.Errorf("%s is in %s", e.Path, name)
			}
			if (len(e.Types) == 0) != (e.ContentReference != "") {
				t.Errorf("%s has types %v and content reference %q", e.Path, e.Types, e.ContentReference)
			}
			if e.Min < 0 || e.Max < definitions.Unbounded || e.Max >= 0 && e.Min > e.Max {
				t.Errorf("%s occurs %d..%d", e.Path, e.Min, e.Max)
			}
			for _, ref := range e.Types {
				if r4.Type(ref.Code) == nil {
					t.Errorf("%s: type %s is unknown", e.Path, ref.Code)
				}
				if e.Type(ref.Code) == nil {
					t.Errorf("%s: type %s is not found", e.Path, ref.Code)
				}
			}
			if !e.Choice() && len(e.Properties()) == 0 {
				t.Errorf("%s leads nowhere", e.Path)
			}
		}
	}
}

// TestConcurrentFirstUse is for the race detector.
func TestConcurrentFirstUse(t *testing.T) {
	d, err := definitions.Open()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range []string{"Patient", "Observation", "Encounter"} {
				if d.Type(name).Child("identifier").Child("system") == nil {
					t.Errorf("%s.identifier.system is unknown", name)
				}
				if len(d.SearchParameters(name)) < 10 {
					t.Errorf("%s has few search parameters", name)
				}
			}
			if d.ValueSet("http://hl7.org/fhir/ValueSet/observation-status").HasCode("final") != definitions.Member {
				t.Error("final is no status")
			}
		})
	}
	wg.Wait()
}
