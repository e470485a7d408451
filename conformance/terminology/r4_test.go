package terminology_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// Every code system of the specification is read whole: each code is found with its display, and lies below its parents.
func TestReadR4(t *testing.T) {
	c := catalog(t)
	defs := definitions.R4()
	systems, codes := 0, 0
	for _, url := range defs.URLs("CodeSystem") {
		known := defs.CodeSystem(url)
		s, err := c.CodeSystem(url)
		if refused(t, err) == "code-system-unknown" && url == "http://hl7.org/fhir/CodeSystem/example-supplement" {
			continue // names of another one's codes
		}
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		systems++
		about := s.Describe()
		if about.Count != len(known.Concepts()) || about.CaseSensitive != known.CaseSensitive || (about.Content == terminology.Complete) != known.Complete {
			t.Errorf("%s: %+v, the definitions know %d codes", url, about, len(known.Concepts()))
		}
		for _, k := range known.Concepts() {
			codes++
			d, ok, err := s.Details(t.Context(), k.Code)
			if err != nil || !ok || d.Code != k.Code || d.Display != k.Display || d.Abstract != k.Abstract {
				t.Errorf("%s: %+v, want %+v", url, d.Concept, k)
			}
			for _, p := range d.Parents {
				if !known.Subsumes(p, k.Code) {
					t.Errorf("%s: a code has a parent that the definitions do not know", url)
				}
			}
		}
	}
	t.Logf("%d code systems, %d codes", systems, codes)
	if systems < 1000 {
		t.Errorf("%d code systems", systems)
	}
}

// Every line of every concept map of the specification is found by translating, there and back.
func TestTranslateR4(t *testing.T) {
	c := catalog(t)
	defs := definitions.R4()
	lines := 0
	for _, url := range defs.URLs("ConceptMap") {
		n, err := fhir.Parse(defs.Source("ConceptMap", url), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.ConceptMap(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		for _, g := range n.Get("group").Items() {
			for _, e := range g.Get("element").Items() {
				for _, target := range e.Get("target").Items() {
					if target.Get("dependsOn") != nil || target.Get("code") == nil || e.Get("code") == nil {
						continue
					}
					lines++
					there := terminology.Coding{System: g.Get("source").Text(), Code: e.Get("code").Text()}
					back := terminology.Coding{System: g.Get("target").Text(), Code: target.Get("code").Text()}
					if !leads(t, c, terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{there}}, back) ||
						!leads(t, c, terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{back}, Reverse: true}, there) {
						t.Errorf("%s does not lead from %s to %s and back", url, there.Code, back.Code)
					}
				}
			}
		}
	}
	t.Logf("%d lines of %d concept maps", lines, len(defs.URLs("ConceptMap")))
	if lines < 500 {
		t.Errorf("%d lines", lines)
	}
}

func leads(t *testing.T, c *terminology.Catalog, q terminology.TranslateRequest, to terminology.Coding) bool {
	t.Helper()
	out, err := c.Translate(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range out.Matches {
		if m.Coding.System == to.System && m.Coding.Code == to.Code {
			return true
		}
	}
	return false
}

// The examples of the specification: its value sets, and the requests on the pages of the operations, over as much of
// SNOMED CT and LOINC as they are about.
func TestSpecificationExamples(t *testing.T) {
	c := catalog(t, `{"resourceType":"CodeSystem","url":"http://snomed.info/sct","content":"fragment","caseSensitive":true,"concept":[
 {"code":"235856003","display":"Disorder of liver","concept":[{"code":"3738000","display":"Viral hepatitis"}]}]}`,
		`{"resourceType":"CodeSystem","url":"http://loinc.org","version":"2.48","name":"LOINC","content":"fragment","caseSensitive":true,"concept":[
 {"code":"1963-8","display":"Bicarbonate [Moles/volume] in Serum"}]}`)
	for _, row := range []struct{ name, operation, ask, want string }{
		{"subsumes", "CodeSystem/$subsumes", ask("system:Uri=http://snomed.info/sct", "codeA:Code=3738000", "codeB:Code=235856003"),
			`[{"name":"outcome","valueCode":"subsumed-by"}]`},
		{"lookup", "CodeSystem/$lookup", ask(`coding={"valueCoding":{"system":"http://loinc.org","code":"1963-8"}}`, "property:Code=definition"),
			`[{"name":"name","valueString":"LOINC"},{"name":"version","valueString":"2.48"},{"name":"display","valueString":"Bicarbonate [Moles/volume] in Serum"}]`},
		{"translate", "ConceptMap/$translate", ask("url:Uri=http://hl7.org/fhir/ConceptMap/101", "system:Uri=http://hl7.org/fhir/address-use", "code:Code=home"),
			`[{"name":"result","valueBoolean":true},{"name":"match","part":[{"name":"equivalence","valueCode":"equivalent"},{"name":"concept","valueCoding":{"system":"http://terminology.hl7.org/CodeSystem/v3-AddressUse","code":"H","display":"home"}},{"name":"source","valueUri":"http://hl7.org/fhir/ConceptMap/101"}]}]`},
		{"validate-code", "ValueSet/$validate-code", ask("url:Uri=http://hl7.org/fhir/ValueSet/administrative-gender", "code:Code=male", "system:Uri=http://hl7.org/fhir/administrative-gender", "display:String=Masculine"),
			`[{"name":"result","valueBoolean":false},{"name":"message","valueString":"the display is not one of the code; in http://hl7.org/fhir/administrative-gender it is: Male"},{"name":"display","valueString":"Male"},` +
				`{"name":"code","valueCode":"male"},{"name":"system","valueUri":"http://hl7.org/fhir/administrative-gender"},{"name":"version","valueString":"4.0.1"},` +
				`{"name":"issues","resource":{"resourceType":"OperationOutcome","issue":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id","valueCode":"display-wrong"}],"severity":"error","code":"invalid",` +
				`"details":{"text":"the display is not one of the code; in http://hl7.org/fhir/administrative-gender it is: Male"},"diagnostics":"error: the display is not one of the code; in http://hl7.org/fhir/administrative-gender it is: Male at Coding.display [display-wrong]","expression":["Coding.display"]}]}}]`},
	} {
		n, err := c.Operate(t.Context(), row.operation, parse(t, row.ask))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if got := string(n.Get("parameter").AppendJSON(nil)); got != row.want {
			t.Errorf("%s: %s\nwant %s", row.name, got, row.want)
		}
	}
	plain := catalog(t) // without LOINC
	for set, want := range map[string]string{
		"example-extensional": "14647-2 2093-3 35200-5 9342-7",
		"example-expansion":   "14647-2 2093-3 48620-9 9342-7 2096-6 35200-5 48089-7 55838-7",
	} {
		s, err := plain.ValueSet("http://hl7.org/fhir/ValueSet/" + set)
		if err != nil {
			t.Fatal(err)
		}
		x, err := plain.Expand(t.Context(), s, terminology.ExpandRequest{})
		if err != nil || drawn(x.Contains) != want {
			t.Errorf("%s: %v %v", set, x, err)
		}
	}
}
