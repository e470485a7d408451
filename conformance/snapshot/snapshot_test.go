package snapshot_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
)

func parse(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return n
}

// constraint is a profile on a type or on another profile, with a differential in JSON.
func constraint(t testing.TB, url, typ, base, elements string) *fhir.Node {
	t.Helper()
	if !strings.Contains(base, ":") {
		base = definitions.Canonical + base
	}
	return parse(t, fmt.Sprintf(`{"resourceType": "StructureDefinition", "url": %q, "type": %q, "baseDefinition": %q,
		"kind": "resource", "derivation": "constraint", "differential": {"element": [%s]}}`, url, typ, base, elements))
}

// over finds definitions in a list before those of the core.
func over(list ...*fhir.Node) layered {
	k := known{}
	for _, n := range list {
		k[n.Get("url").Text()] = n
	}
	return layered{k, packages.R4()}
}

// having returns the facts of the elements whose id is one of the given, or lies below one that ends in a star.
func having(sd *fhir.Node, ids ...string) []string {
	var out []string
	for _, e := range sd.Path("snapshot", "element").Items() {
		id := e.Get("id").Text()
		if slices.ContainsFunc(ids, func(want string) bool {
			stem, ok := strings.CutSuffix(want, "*")
			return id == want || ok && strings.HasPrefix(id, stem)
		}) {
			out = append(out, fact(e))
		}
	}
	return out
}

const identifierSlicing = `{"path": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}}`

func TestGenerate(t *testing.T) {
	base := constraint(t, "urn:base", "Patient", "Patient", identifierSlicing+`,
		{"path": "Patient.identifier", "sliceName": "a", "min": 1, "max": "2"},
		{"path": "Patient.identifier.system", "fixedUri": "urn:a"}`)
	quantity := constraint(t, "urn:quantity", "Quantity", "Quantity", `{"path": "Quantity.unit", "min": 1}`)
	extension := constraint(t, "urn:extension", "Extension", "Extension", `{"path": "Extension", "max": "1"},
		{"path": "Extension.url", "fixedUri": "urn:extension"}, {"path": "Extension.value[x]", "min": 1, "type": [{"code": "Coding"}]}`)
	sections := constraint(t, "urn:sections", "Composition", "Composition",
		`{"path": "Composition.section", "slicing": {"discriminator": [{"type": "value", "path": "title"}], "rules": "open"}},
		 {"path": "Composition.section", "sliceName": "first"}, {"path": "Composition.section.title", "min": 1}`)
	for _, tt := range []struct {
		name     string
		typ      string
		base     string
		elements string
		ids      []string
		want     []string
	}{
		{
			"cardinality and flags of one element", "Patient", "Patient",
			`{"path": "Patient.birthDate", "min": 1, "mustSupport": true}`,
			[]string{"Patient.birthDate", "Patient.gender"},
			[]string{
				"Patient.gender Patient.gender 0..1 code <required http://hl7.org/fhir/ValueSet/administrative-gender> [ele-1]",
				"Patient.birthDate Patient.birthDate 1..1 date [ele-1]",
			},
		},
		{
			"unfolds a type for what is named below", "Patient", "Patient",
			`{"path": "Patient.contact.name.family", "max": "0"}`,
			[]string{"Patient.contact.name.*"},
			[]string{
				"Patient.contact.name.id Patient.contact.name.id 0..1 http://hl7.org/fhirpath/System.String []",
				"Patient.contact.name.extension Patient.contact.name.extension 0..* Extension [ele-1 ext-1] slicing value:url ordered=false open",
				"Patient.contact.name.use Patient.contact.name.use 0..1 code <required http://hl7.org/fhir/ValueSet/name-use> [ele-1]",
				"Patient.contact.name.text Patient.contact.name.text 0..1 string [ele-1]",
				"Patient.contact.name.family Patient.contact.name.family 0..0 string [ele-1]",
				"Patient.contact.name.given Patient.contact.name.given 0..* string [ele-1]",
				"Patient.contact.name.prefix Patient.contact.name.prefix 0..* string [ele-1]",
				"Patient.contact.name.suffix Patient.contact.name.suffix 0..* string [ele-1]",
				"Patient.contact.name.period Patient.contact.name.period 0..1 Period [ele-1]",
			},
		},
		{
			"unfolds the profile of a type, not the type", "Observation", "Observation",
			`{"path": "Observation.value[x]", "type": [{"code": "Quantity", "profile": ["urn:quantity"]}]}, {"path": "Observation.value[x].code", "min": 1}`,
			[]string{"Observation.value[x]", "Observation.value[x].unit", "Observation.value[x].code"},
			[]string{
				"Observation.value[x] Observation.value[x] 0..1 Quantityp[urn:quantity] [ele-1 qty-3]",
				"Observation.value[x].unit Observation.value[x].unit 1..1 string [ele-1]",
				"Observation.value[x].code Observation.value[x].code 1..1 code [ele-1]",
			},
		},
		{
			"follows a content reference", "Questionnaire", "Questionnaire",
			`{"path": "Questionnaire.item.item.text", "min": 1}`,
			[]string{"Questionnaire.item.item", "Questionnaire.item.item.text", "Questionnaire.item.item.item"},
			[]string{
				"Questionnaire.item.item Questionnaire.item.item 0..* BackboneElement [ele-1]",
				"Questionnaire.item.item.text Questionnaire.item.item.text 1..1 string [ele-1]",
				"Questionnaire.item.item.item Questionnaire.item.item.item 0..* [ele-1]",
			},
		},
		{
			"adds a slice behind those of the base and changes one of them", "Patient", "urn:base",
			`{"path": "Patient.identifier", "min": 1}, {"path": "Patient.identifier", "sliceName": "a", "max": "1"},
			 {"path": "Patient.identifier", "sliceName": "b", "max": "3"}`,
			[]string{"Patient.identifier", "Patient.identifier:a", "Patient.identifier:a.system", "Patient.identifier:b*"},
			[]string{
				"Patient.identifier Patient.identifier 1..* Identifier [ele-1] slicing value:system ordered=false open",
				"Patient.identifier:a Patient.identifier 1..1 Identifier [ele-1]",
				`Patient.identifier:a.system Patient.identifier.system 0..1 uri fixedUri="urn:a" [ele-1]`,
				"Patient.identifier:b Patient.identifier 0..3 Identifier [ele-1]",
			},
		},
		{
			"puts a slice of a slice behind it, made from it", "Patient", "urn:base",
			`{"path": "Patient.identifier", "sliceName": "b"},
			 {"path": "Patient.identifier", "sliceName": "a/one", "max": "1"}`,
			[]string{"Patient.identifier*"},
			[]string{
				"Patient.identifier Patient.identifier 0..* Identifier [ele-1] slicing value:system ordered=false open",
				"Patient.identifier:a Patient.identifier 1..2 Identifier [ele-1]",
				"Patient.identifier:a.id Patient.identifier.id 0..1 http://hl7.org/fhirpath/System.String []",
				"Patient.identifier:a.extension Patient.identifier.extension 0..* Extension [ele-1 ext-1] slicing value:url ordered=false open",
				"Patient.identifier:a.use Patient.identifier.use 0..1 code <required http://hl7.org/fhir/ValueSet/identifier-use> [ele-1]",
				"Patient.identifier:a.type Patient.identifier.type 0..1 CodeableConcept <extensible http://hl7.org/fhir/ValueSet/identifier-type> [ele-1]",
				`Patient.identifier:a.system Patient.identifier.system 0..1 uri fixedUri="urn:a" [ele-1]`,
				"Patient.identifier:a.value Patient.identifier.value 0..1 string [ele-1]",
				"Patient.identifier:a.period Patient.identifier.period 0..1 Period [ele-1]",
				"Patient.identifier:a.assigner Patient.identifier.assigner 0..1 Referencet[http://hl7.org/fhir/StructureDefinition/Organization] [ele-1]",
				"Patient.identifier:a/one Patient.identifier 0..1 Identifier [ele-1]",
				"Patient.identifier:a/one.id Patient.identifier.id 0..1 http://hl7.org/fhirpath/System.String []",
				"Patient.identifier:a/one.extension Patient.identifier.extension 0..* Extension [ele-1 ext-1] slicing value:url ordered=false open",
				"Patient.identifier:a/one.use Patient.identifier.use 0..1 code <required http://hl7.org/fhir/ValueSet/identifier-use> [ele-1]",
				"Patient.identifier:a/one.type Patient.identifier.type 0..1 CodeableConcept <extensible http://hl7.org/fhir/ValueSet/identifier-type> [ele-1]",
				`Patient.identifier:a/one.system Patient.identifier.system 0..1 uri fixedUri="urn:a" [ele-1]`,
				"Patient.identifier:a/one.value Patient.identifier.value 0..1 string [ele-1]",
				"Patient.identifier:a/one.period Patient.identifier.period 0..1 Period [ele-1]",
				"Patient.identifier:a/one.assigner Patient.identifier.assigner 0..1 Referencet[http://hl7.org/fhir/StructureDefinition/Organization] [ele-1]",
				"Patient.identifier:b Patient.identifier 0..* Identifier [ele-1]",
			},
		},
		{
			"finds the slice that only the id names", "Patient", "urn:base",
			`{"id": "Patient.identifier:a.value", "path": "Patient.identifier.value", "min": 1}`,
			[]string{"Patient.identifier:a.value", "Patient.identifier.value"},
			[]string{"Patient.identifier:a.value Patient.identifier.value 1..1 string [ele-1]"},
		},
		{
			"slices a choice by the short name of a type", "Observation", "Observation",
			`{"path": "Observation.valueQuantity.value", "min": 1}`,
			[]string{"Observation.value[x]", "Observation.value[x]:valueQuantity", "Observation.value[x]:valueQuantity.value"},
			[]string{
				"Observation.value[x] Observation.value[x] 0..1 Quantity CodeableConcept string boolean integer Range Ratio SampledData time dateTime Period [ele-1] slicing type:$this ordered=false open",
				"Observation.value[x]:valueQuantity Observation.value[x] 0..1 Quantity [ele-1]",
				"Observation.value[x]:valueQuantity.value Observation.value[x].value 1..1 decimal [ele-1]",
			},
		},
		{
			"a slice by type that must be there leaves no other type", "Observation", "Observation",
			`{"path": "Observation.value[x]", "sliceName": "valueString", "min": 1}`,
			[]string{"Observation.value[x]*"},
			[]string{
				"Observation.value[x] Observation.value[x] 1..1 string [ele-1] slicing type:$this ordered=false closed",
				"Observation.value[x]:valueString Observation.value[x] 1..1 string [ele-1]",
			},
		},
		{
			"slices extensions by URL without being told, and takes the extension's cardinality", "Patient", "Patient",
			`{"path": "Patient.extension", "sliceName": "x", "type": [{"code": "Extension", "profile": ["urn:extension"]}]},
			 {"path": "Patient.extension.valueCoding.code", "min": 1}`,
			[]string{"Patient.extension", "Patient.extension:x", "Patient.extension:x.url", "Patient.extension:x.value[x]", "Patient.extension:x.value[x].code"},
			[]string{
				"Patient.extension Patient.extension 0..* Extension [ele-1 ext-1] slicing value:url ordered=false open",
				"Patient.extension:x Patient.extension 0..1 Extensionp[urn:extension] [ele-1 ext-1]",
				`Patient.extension:x.url Patient.extension.url 1..1 http://hl7.org/fhirpath/System.String fixedUri="urn:extension" []`,
				"Patient.extension:x.value[x] Patient.extension.value[x] 1..1 Coding [ele-1]",
				"Patient.extension:x.value[x].code Patient.extension.value[x].code 1..1 code [ele-1]",
			},
		},
		{
			"an element of a profile takes the place of an element", "Composition", "Composition",
			`{"path": "Composition.section", "slicing": {"discriminator": [{"type": "value", "path": "title"}], "rules": "open"}},
			 {"path": "Composition.section", "sliceName": "a", "type": [{"code": "BackboneElement", "profile": ["urn:sections"],
				"_profile": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element", "valueString": "Composition.section:first"}]}]}]},
			 {"path": "Composition.section.text", "min": 1}`,
			[]string{"Composition.section:a", "Composition.section:a.title", "Composition.section:a.text"},
			[]string{
				"Composition.section:a Composition.section 0..* BackboneElementp[urn:sections] [cmp-1 cmp-2 ele-1]",
				"Composition.section:a.title Composition.section.title 1..1 string [ele-1]",
				"Composition.section:a.text Composition.section.text 1..1 Narrative [ele-1]",
			},
		},
		{
			"a binding without a value set keeps the base's", "Patient", "Patient",
			`{"path": "Patient.maritalStatus", "binding": {"strength": "required"}}`,
			[]string{"Patient.maritalStatus"},
			[]string{"Patient.maritalStatus Patient.maritalStatus 0..1 CodeableConcept <required http://hl7.org/fhir/ValueSet/marital-status> [ele-1]"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, issues := snapshot.New(over(base, quantity, extension, sections), snapshot.Options{}).Generate(constraint(t, "urn:new", tt.typ, tt.base, tt.elements))
			if len(issues) > 0 {
				t.Errorf("issues %v", issues)
			}
			if diff := cmp.Diff(tt.want, having(out, tt.ids...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestGenerateMergesTextsListsAndSources(t *testing.T) {
	sd := constraint(t, "urn:new", "Patient", "Patient", `{"path": "Patient.active", "short": "Own", "definition": "... And more.",
		"comment": "Replaced", "alias": ["b"], "mapping": [{"identity": "mine", "map": "X"}],
		"constraint": [{"key": "own-1", "severity": "error", "human": "Own", "expression": "true"}, {"key": "ele-1", "severity": "warning", "human": "Own"}],
		"patternBoolean": true}`)
	core, _ := packages.R4().Resolve("StructureDefinition", definitions.Canonical+"Patient")
	before := element(t, core, "Patient.active")
	out, issues := snapshot.New(packages.R4(), snapshot.Options{}).Generate(sd)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	e := element(t, out, "Patient.active")
	var sources []string
	for _, c := range e.Get("constraint").Items() {
		sources = append(sources, c.Get("key").Text()+" "+c.Get("severity").Text()+" "+c.Get("source").Text())
	}
	want := []any{
		"Own", before.Get("definition").Text() + "\nAnd more.", "Replaced",
		before.Get("mapping").Len() + 1, "Patient.active", before.Get("isModifier").Text(),
		[]string{"ele-1 warning urn:new", "own-1 error urn:new"},
	}
	got := []any{
		e.Get("short").Text(), e.Get("definition").Text(), e.Get("comment").Text(),
		e.Get("mapping").Len(), e.Path("base", "path").Text(), e.Get("isModifier").Text(), sources,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if now := element(t, core, "Patient.active"); !fhir.Equal(before, now) {
		t.Error("the base was changed")
	}
	if sd.Get("snapshot") != nil || !fhir.Equal(sd.Get("differential"), out.Get("differential")) {
		t.Error("the definition was changed, or its differential lost")
	}
}

func element(t testing.TB, sd *fhir.Node, id string) *fhir.Node {
	t.Helper()
	for _, e := range sd.Path("snapshot", "element").Items() {
		if e.Get("id").Text() == id {
			return e
		}
	}
	t.Fatalf("there is no %s", id)
	return nil
}

func TestGenerateNewTypes(t *testing.T) {
	logical := parse(t, `{"resourceType": "StructureDefinition", "url": "urn:model", "type": "http://example.org/Model", "kind": "logical",
		"derivation": "specialization", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element", "differential": {"element": [
		{"path": "Model", "short": "A model"},
		{"path": "Model.part", "min": 0, "max": "*", "type": [{"code": "BackboneElement"}]},
		{"path": "Model.part.name", "min": 1, "max": "1", "type": [{"code": "string"}]},
		{"path": "Model.part.part", "min": 0, "max": "*", "contentReference": "#Model.part"}]}}`)
	profile := constraint(t, "urn:profile", "http://example.org/Model", "urn:model", `{"path": "Model.part.part.name", "max": "1", "fixedString": "x"}`)
	out, issues := snapshot.New(over(logical), snapshot.Options{}).Generate(profile)
	if len(issues) > 0 {
		t.Errorf("issues %v", issues)
	}
	if diff := cmp.Diff([]string{
		"Model Model 0..* [ele-1]",
		"Model.part Model.part 0..* BackboneElement []",
		"Model.part.name Model.part.name 1..1 string []",
		"Model.part.part Model.part.part 0..* BackboneElement []",
		`Model.part.part.name Model.part.part.name 1..1 string fixedString="x" []`,
	}, having(out, "Model", "Model.part", "Model.part.name", "Model.part.part", "Model.part.part.name")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestContradictionsAreIssues(t *testing.T) {
	loose := constraint(t, "urn:loose", "Observation", "Observation", `{"path": "Observation.status", "mustSupport": true},
		{"path": "Observation.category", "max": "2"}`)
	selfish := constraint(t, "urn:selfish", "Extension", "Extension", `{"path": "Extension", "type": [{"code": "Extension", "profile": ["urn:selfish"]}]}`)
	for _, tt := range []struct {
		name     string
		base     string
		elements string
		want     []string
	}{
		{"a max above the base's", "urn:loose", `{"path": "Observation.category", "max": "3"}`, []string{"cardinality 0"}},
		{"a min below the base's", "Observation", `{"path": "Observation.status", "min": 0}`, []string{"cardinality 0"}},
		{"a min above max", "Observation", `{"path": "Observation.category", "min": 2, "max": "1"}`, []string{"cardinality 0"}},
		{"an unknown path", "Observation", `{"path": "Observation.status"}, {"path": "Observation.none"}`, []string{"path-unknown 1"}},
		{"an unknown path in a type", "Observation", `{"path": "Observation.code.none"}`, []string{"path-unknown 0"}},
		{"a path of another type", "Observation", `{"path": "Patient.name"}`, []string{"path-invalid 0"}},
		{"a path with an empty part", "Observation", `{"path": "Observation..code"}`, []string{"path-invalid 0"}},
		{"an element without a path", "Observation", `{"min": 1}, "text"`, []string{"path-invalid 0", "path-invalid 1"}},
		{"a slice of what is not sliced", "Observation", `{"path": "Observation.category", "sliceName": "a"}`, []string{"slicing-missing 0"}},
		{"a slice named otherwise than its type", "Observation", `{"path": "Observation.value[x]", "sliceName": "q", "type": [{"code": "Quantity"}]}`, []string{"slice-name 0"}},
		{"a slice whose name cannot be part of an id", "Observation", `{"path": "Observation.category", "sliceName": "a.b"}`, []string{"slice-name 0"}},
		{"a slice by type without a type", "Observation", `{"path": "Observation.value[x]", "sliceName": "valueNone"}`, []string{"slice-type 0"}},
		{"two slices by type where one must be there", "Observation", `{"path": "Observation.value[x]", "sliceName": "valueString", "min": 1}, {"path": "Observation.value[x]", "sliceName": "valueQuantity"}`, []string{"slice-min 0"}},
		{"slices that need more than there may be", "urn:loose", `{"path": "Observation.category", "slicing": {"discriminator": [{"type": "value", "path": "text"}], "rules": "open"}},
			{"path": "Observation.category", "sliceName": "a", "min": 2}, {"path": "Observation.category", "sliceName": "b", "min": 1}`, []string{"slice-min 2"}},
		{"a type that the element cannot have", "Observation", `{"path": "Observation.value[x]", "type": [{"code": "Coding"}]}`, []string{"type-not-allowed 0"}},
		{"a profile of another type", "Observation", `{"path": "Observation.value[x]", "type": [{"code": "Quantity", "profile": ["http://hl7.org/fhir/StructureDefinition/Period"]}]}`, []string{"profile-type 0"}},
		{"an element that a profile does not have", "Observation", `{"path": "Observation.value[x]", "type": [{"code": "Quantity", "profile": ["urn:loose"],
			"_profile": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element", "valueString": "Observation.none"}]}]}]}`, []string{"profile-element 0"}},
		{"a profile that is not known", "Observation", `{"path": "Observation.value[x]", "type": [{"code": "Quantity", "profile": ["urn:none"]}]}`, []string{"profile-missing 0"}},
		{"a fixed value of another type", "Observation", `{"path": "Observation.status", "fixedInteger": 1}`, []string{"value-type 0"}},
		{"a pattern of another type", "Observation", `{"path": "Observation.code", "patternCoding": {"code": "x"}}`, []string{"value-type 0"}},
		{"a binding weaker than required", "Observation", `{"path": "Observation.status", "binding": {"strength": "example"}}`, []string{"binding 0"}},
		{"mustSupport taken back", "urn:loose", `{"path": "Observation.status", "mustSupport": false}`, []string{"must-support 0"}},
		{"an element twice", "Observation", `{"path": "Observation.status"}, {"path": "Observation.status"}`, []string{"element-duplicate 1"}},
		{"elements out of order", "Observation", `{"path": "Observation.code"}, {"path": "Observation.status"}`, []string{"order 1"}},
		{"a type profile below several types", "Observation", `{"path": "Observation.value[x].unit"}`, []string{"path-unknown 0"}},
		{"a base that does not exist", "urn:none", ``, []string{"base-missing"}},
		{"a base of another type", "Patient", ``, []string{"type-changed"}},
		{"an extension made from itself", "urn:selfish", ``, []string{"dependency-flawed", "type-changed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := snapshot.New(over(loose, selfish), snapshot.Options{})
			_, issues := g.Generate(constraint(t, "urn:new", "Observation", tt.base, tt.elements))
			var got []string
			for _, i := range issues {
				place := strings.TrimSuffix(strings.TrimPrefix(i.Expression, "StructureDefinition.differential.element["), "]")
				got = append(got, strings.TrimSuffix(i.ID+" "+place, " StructureDefinition"))
				if i.Line == 0 {
					t.Errorf("%v has no line", i)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, issues)
			}
		})
	}
	if out, issues := snapshot.New(over(), snapshot.Options{}).Generate(selfish); out == nil || len(issues) != 1 || issues[0].ID != "cycle" {
		t.Errorf("a definition of itself gives %v", issues)
	}
}

func TestResolveGivesASnapshot(t *testing.T) {
	bare := constraint(t, "urn:bare", "Patient", "Patient", `{"path": "Patient.active", "min": 1}`)
	whole := parse(t, `{"resourceType": "StructureDefinition", "url": "urn:whole", "type": "Patient", "snapshot": {"element": [{"id": "Patient", "path": "Patient"}]}}`)
	g := snapshot.New(over(bare, whole), snapshot.Options{})
	if n, issues := g.Resolve("urn:bare"); len(issues) > 0 || element(t, n, "Patient.active").Get("min").Text() != "1" {
		t.Errorf("issues %v", issues)
	}
	if n, _ := g.Resolve("urn:whole"); n != whole {
		t.Error("a snapshot that is there was not taken")
	}
	if n, issues := g.Resolve("urn:none"); n != nil || issues != nil {
		t.Error("there is a definition that is not")
	}
}

func TestSliceWithoutItsElementCanBeChanged(t *testing.T) {
	odd := parse(t, `{"resourceType": "StructureDefinition", "url": "urn:odd", "type": "Patient", "derivation": "constraint", "snapshot": {"element": [
		{"id": "Patient", "path": "Patient", "min": 0, "max": "*"},
		{"id": "Patient.deceased[x]:deceasedBoolean", "path": "Patient.deceased[x]", "sliceName": "deceasedBoolean", "min": 0, "max": "1", "type": [{"code": "boolean"}]}]}}`)
	out, issues := snapshot.New(over(odd), snapshot.Options{}).Generate(constraint(t, "urn:new", "Patient", "urn:odd",
		`{"path": "Patient.deceased[x]", "sliceName": "deceasedBoolean", "min": 1}`))
	if diff := cmp.Diff([]string{"Patient Patient 0..* []", "Patient.deceased[x]:deceasedBoolean Patient.deceased[x] 1..1 boolean []"},
		facts(out, "snapshot")); diff != "" || len(issues) > 0 {
		t.Errorf("(-want +got)\n%s\n%v", diff, issues)
	}
}

func TestUnsortedAcceptsAnyOrder(t *testing.T) {
	sd := constraint(t, "urn:new", "Observation", "Observation", `{"path": "Observation.code", "id": "x"}, {"path": "Observation.status", "mustSupport": true}`)
	out, issues := snapshot.New(packages.R4(), snapshot.Options{Unsorted: true}).Generate(sd)
	if len(issues) > 0 || element(t, out, "Observation.status").Get("mustSupport").Text() != "true" {
		t.Errorf("issues %v", issues)
	}
}

// counting counts what is asked for.
type counting struct {
	layered
	asked map[string]int
}

func (c counting) Resolve(kind, url string) (*fhir.Node, bool) {
	c.asked[url]++
	return c.layered.Resolve(kind, url)
}

func TestSnapshotsAreKeptWithinTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cached int
		want   int
	}{{"kept", 0, 1}, {"not kept when too large", 1000, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			source := counting{over(), map[string]int{}}
			g := snapshot.New(source, snapshot.Options{Limits: snapshot.Limits{Cached: tt.cached}})
			for range 3 {
				g.Generate(constraint(t, "urn:new", "Patient", "Patient", ""))
			}
			if got := source.asked[definitions.Canonical+"Patient"]; got != tt.want {
				t.Errorf("the base was asked for %d times, want %d", got, tt.want)
			}
		})
	}
}

func TestOneGeneratorServesManyAtOnce(t *testing.T) {
	p := constraint(t, "urn:base", "Patient", "Patient", identifierSlicing+`, {"path": "Patient.identifier", "sliceName": "a"}`)
	g := snapshot.New(over(p), snapshot.Options{Limits: snapshot.Limits{Cached: 1 << 20}})
	sd := constraint(t, "urn:new", "Patient", "urn:base", `{"path": "Patient.identifier", "sliceName": "a", "min": 1}, {"path": "Patient.name.family", "min": 1}`)
	want, _ := snapshot.New(over(p), snapshot.Options{}).Generate(sd)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				if got, _ := g.Generate(sd); !fhir.Equal(want, got) {
					t.Error("two runs differ")
				}
			}
		})
	}
	all.Wait()
}
