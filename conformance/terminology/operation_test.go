package terminology_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/terminology"
)

// ask makes the parameters of a request of "name:Type=value" and "name={…}" for JSON of a whole parameter's rest.
func ask(list ...string) string {
	var out []string
	for _, p := range list {
		name, value, _ := strings.Cut(p, "=")
		name, typ, _ := strings.Cut(name, ":")
		if typ == "" {
			out = append(out, `{"name":"`+name+`",`+strings.TrimPrefix(value, "{"))
			continue
		}
		if typ != "Boolean" && typ != "Integer" {
			value = `"` + value + `"`
		}
		out = append(out, `{"name":"`+name+`","value`+typ+`":`+value+`}`)
	}
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(out, ",") + `]}`
}

// local, standard and the rest are maps between animals and their codes in a hospital.
var maps = []string{
	`{"resourceType":"ConceptMap","url":"urn:map","status":"active","sourceUri":"urn:vs:local","targetUri":"urn:vs:animals","group":[
 {"source":"urn:local","target":"urn:animals","element":[
  {"code":"1","target":[{"code":"cat","equivalence":"wider"},{"code":"mammal","equivalence":"equivalent"}]},
  {"code":"2","target":[{"code":"bat","equivalence":"equivalent","dependsOn":[{"property":"urn:legs","value":"2"}],"product":[{"property":"urn:flies","system":"urn:yesno","value":"Y","display":"Yes"}]}]},
  {"code":"3"},
  {"code":"4","target":[{"code":"dodo","equivalence":"disjoint"}]}],
  "unmapped":{"mode":"other-map","url":"urn:map:rest"}},
 {"source":"urn:local","target":"urn:other","element":[{"code":"1","target":[{"code":"o1","display":"One","equivalence":"inexact","comment":"roughly"}]}]}]}`,
	`{"resourceType":"ConceptMap","url":"urn:map:rest","status":"active","group":[
 {"source":"urn:local","target":"urn:animals","element":[{"code":"5","target":[{"code":"dodo","equivalence":"equal"}]}],"unmapped":{"mode":"fixed","code":"animal","display":"Some animal"}}]}`,
	`{"resourceType":"ConceptMap","url":"urn:map:same","status":"active","group":[{"source":"urn:a","target":"urn:b","element":[],"unmapped":{"mode":"provided"}}]}`,
	`{"resourceType":"ConceptMap","url":"urn:map:round","status":"active","group":[{"source":"urn:a","target":"urn:b","unmapped":{"mode":"other-map","url":"urn:map:trip"}}]}`,
	`{"resourceType":"ConceptMap","url":"urn:map:trip","status":"active","group":[{"source":"urn:a","target":"urn:b","unmapped":{"mode":"other-map","url":"urn:map:round"}}]}`,
	`{"resourceType":"ConceptMap","url":"urn:map:lost","status":"active","group":[{"source":"urn:a","target":"urn:b","unmapped":{"mode":"other-map","url":"urn:map:nowhere"}}]}`,
}

func TestOperate(t *testing.T) {
	c := catalog(t, append(maps, animals, `{"resourceType":"ValueSet","url":"urn:cats","compose":{"include":[{"system":"urn:animals","concept":[{"code":"cat"}]}]}}`)...)
	parameters := func(list string) string { return `{"resourceType":"Parameters","parameter":[` + list + `]}` }
	match := func(equivalence, coding, source string) string {
		return `{"name":"match","part":[{"name":"equivalence","valueCode":"` + equivalence + `"},` + coding + `{"name":"source","valueUri":"` + source + `"}]}`
	}
	concept := func(coding string) string { return `{"name":"concept","valueCoding":{` + coding + `}},` }
	const yes, no = `{"name":"result","valueBoolean":true}`, `{"name":"result","valueBoolean":false},{"name":"message","valueString":"no match for the code was found"}`
	for _, row := range []struct {
		name, operation, ask, want, refused string
	}{
		{"looks a code up", "CodeSystem/$lookup", ask("system:Uri=urn:animals", "code:Code=bat"), parameters(`{"name":"name","valueString":"urn:animals"},{"name":"version","valueString":"2"},{"name":"display","valueString":"Bat"},` +
			`{"name":"property","part":[{"name":"code","valueCode":"parent"},{"name":"value","valueCode":"mammal"}]},{"name":"property","part":[{"name":"code","valueCode":"parent"},{"name":"value","valueCode":"flier"}]},` +
			`{"name":"property","part":[{"name":"code","valueCode":"inactive"},{"name":"value","valueBoolean":false}]},{"name":"property","part":[{"name":"code","valueCode":"legs"},{"name":"value","valueInteger":2}]}`), ""},
		{"looks up what is asked for", "CodeSystem/$lookup", ask(`coding={"valueCoding":{"system":"urn:animals","code":"cat"}}`, "property:Code=designation", "property:Code=legs", "displayLanguage:Code=zh-CN"),
			parameters(`{"name":"name","valueString":"urn:animals"},{"name":"version","valueString":"2"},{"name":"display","valueString":"猫"},{"name":"designation","part":[{"name":"language","valueCode":"zh-CN"},{"name":"value","valueString":"猫"}]},` +
				`{"name":"property","part":[{"name":"code","valueCode":"legs"},{"name":"value","valueInteger":4}]}`), ""},
		{"looks up that a code is abstract, and its children", "CodeSystem/$lookup", ask("system:Uri=urn:animals", "code:Code=animal", "property:Code=notSelectable", "property:Code=child"),
			parameters(`{"name":"name","valueString":"urn:animals"},{"name":"version","valueString":"2"},{"name":"display","valueString":"Animal"},{"name":"property","part":[{"name":"code","valueCode":"child"},{"name":"value","valueCode":"mammal"}]},` +
				`{"name":"property","part":[{"name":"code","valueCode":"child"},{"name":"value","valueCode":"flier"}]},{"name":"property","part":[{"name":"code","valueCode":"notSelectable"},{"name":"value","valueBoolean":true}]}`), ""},
		{"refuses to look up what does not exist", "CodeSystem/$lookup", ask("system:Uri=urn:animals", "code:Code=fish"), "", "code-unknown"},
		{"refuses to look up in no system", "CodeSystem/$lookup", ask("code:Code=fish"), "", "parameter-missing"},
		{"refuses to look up in an unknown system", "CodeSystem/$lookup", ask("system:Uri=urn:elsewhere", "code:Code=fish"), "", "code-system-unknown"},
		{"refuses to look up in a system without codes", "CodeSystem/$lookup", ask("system:Uri=http://snomed.info/sct", "code:Code=38266002"), "", "code-system-not-present"},

		{"subsumes from above", "CodeSystem/$subsumes", ask("system:Uri=urn:animals", "codeA:Code=flier", "codeB:Code=bat"), parameters(`{"name":"outcome","valueCode":"subsumes"}`), ""},
		{"subsumes from below", "CodeSystem/$subsumes", ask("system:Uri=urn:animals", "codeA:Code=bat", "codeB:Code=animal"), parameters(`{"name":"outcome","valueCode":"subsumed-by"}`), ""},
		{"subsumes the same", "CodeSystem/$subsumes", ask(`codingA={"valueCoding":{"system":"urn:animals","code":"bat"}}`, `codingB={"valueCoding":{"system":"urn:animals","code":"bat"}}`), parameters(`{"name":"outcome","valueCode":"equivalent"}`), ""},
		{"subsumes not what is beside", "CodeSystem/$subsumes", ask("system:Uri=urn:animals", "codeA:Code=cat", "codeB:Code=bat"), parameters(`{"name":"outcome","valueCode":"not-subsumed"}`), ""},
		{"refuses to subsume what does not exist", "CodeSystem/$subsumes", ask("system:Uri=urn:animals", "codeA:Code=cat", "codeB:Code=fish"), "", "code-unknown"},
		{"refuses to subsume over systems", "CodeSystem/$subsumes", ask(`codingA={"valueCoding":{"system":"urn:animals","code":"bat"}}`, `codingB={"valueCoding":{"system":"urn:local","code":"1"}}`), "", "parameter-invalid"},

		{"translates, the closest first", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=1"), parameters(yes + `,` +
			match("equivalent", concept(`"system":"urn:animals","code":"mammal","display":"Mammal"`), "urn:map") + `,` + match("wider", concept(`"system":"urn:animals","code":"cat","display":"Cat"`), "urn:map") + `,` +
			match("inexact", concept(`"system":"urn:other","code":"o1","display":"One"`), "urn:map")), ""},
		{"translates to one system", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=1", "targetsystem:Uri=urn:other"),
			parameters(yes + `,` + match("inexact", concept(`"system":"urn:other","code":"o1","display":"One"`), "urn:map")), ""},
		{"translates into one value set", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=1", "target:Uri=urn:cats"),
			parameters(yes + `,` + match("wider", concept(`"system":"urn:animals","code":"cat","display":"Cat"`), "urn:map")), ""},
		{"translates what depends on something", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=2", `dependency={"part":[{"name":"element","valueUri":"urn:legs"},{"name":"concept","valueCodeableConcept":{"text":"2"}}]}`),
			parameters(yes + `,` + `{"name":"match","part":[{"name":"equivalence","valueCode":"equivalent"},{"name":"concept","valueCoding":{"system":"urn:animals","code":"bat","display":"Bat"}},` +
				`{"name":"product","part":[{"name":"element","valueUri":"urn:flies"},{"name":"concept","valueCoding":{"system":"urn:yesno","code":"Y","display":"Yes"}}]},{"name":"source","valueUri":"urn:map"}]}`), ""},
		{"translates nothing where it depends on something else", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=2"), parameters(no), ""},
		{"tells that there is no match", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=3"), parameters(no + `,` + match("unmatched", "", "urn:map")), ""},
		{"tells that a match is none", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=4"), parameters(no + `,` + match("disjoint", concept(`"system":"urn:animals","code":"dodo","display":"Dodó"`), "urn:map")), ""},
		{"goes on to another map", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=5"), parameters(yes + `,` + match("equal", concept(`"system":"urn:animals","code":"dodo","display":"Dodó"`), "urn:map:rest")), ""},
		{"takes a fixed code", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=9"), parameters(yes + `,` + match("inexact", concept(`"system":"urn:animals","code":"animal","display":"Some animal"`), "urn:map:rest")), ""},
		{"takes the code as it is", "ConceptMap/$translate", ask("url:Uri=urn:map:same", "system:Uri=urn:a", "code:Code=9"), parameters(yes + `,` + match("equal", concept(`"system":"urn:b","code":"9"`), "urn:map:same")), ""},
		{"has nothing for another system", "ConceptMap/$translate", ask("url:Uri=urn:map:same", "system:Uri=urn:c", "code:Code=9"), parameters(no), ""},
		{"has nothing where the next map is not known", "ConceptMap/$translate", ask("url:Uri=urn:map:lost", "system:Uri=urn:a", "code:Code=9"), parameters(no), ""},
		{"refuses maps that go round", "ConceptMap/$translate", ask("url:Uri=urn:map:round", "system:Uri=urn:a", "code:Code=9"), "", "concept-map-cyclic"},
		{"translates back", "ConceptMap/$translate", ask("url:Uri=urn:map", "system:Uri=urn:animals", "code:Code=cat", "reverse:Boolean=true"), parameters(yes + `,` + match("narrower", concept(`"system":"urn:local","code":"1"`), "urn:map")), ""},
		{"finds the map", "ConceptMap/$translate", ask("source:Uri=urn:vs:local", "target:Uri=urn:vs:animals", `coding={"valueCoding":{"system":"urn:local","code":"1"}}`, "targetsystem:Uri=urn:other"),
			parameters(yes + `,` + match("inexact", concept(`"system":"urn:other","code":"o1","display":"One"`), "urn:map")), ""},
		{"finds a map of the specification", "ConceptMap/$translate", ask("system:Uri=http://hl7.org/fhir/address-use", "code:Code=home", "targetsystem:Uri=http://terminology.hl7.org/CodeSystem/v3-AddressUse"),
			parameters(yes + `,` + match("equal", concept(`"system":"http://terminology.hl7.org/CodeSystem/v3-AddressUse","code":"H","display":"home address"`), "http://hl7.org/fhir/ConceptMap/cm-address-use-v3") +
				`,` + match("equivalent", concept(`"system":"http://terminology.hl7.org/CodeSystem/v3-AddressUse","code":"H","display":"home"`), "http://hl7.org/fhir/ConceptMap/101")), ""},
		{"refuses without a map", "ConceptMap/$translate", ask("system:Uri=urn:nowhere", "code:Code=1"), "", "concept-map-none"},
		{"refuses a map that is not there", "ConceptMap/$translate", ask("url:Uri=urn:nowhere", "system:Uri=urn:a", "code:Code=1"), "", "concept-map-unknown"},
		{"refuses to translate nothing", "ConceptMap/$translate", ask("url:Uri=urn:map"), "", "parameter-missing"},

		{"validates a code with all that is known", "ValueSet/$validate-code", ask("url:Uri=urn:animals:all", "system:Uri=urn:animals", "code:Code=cat"),
			parameters(`{"name":"result","valueBoolean":true},{"name":"display","valueString":"Cat"},{"name":"code","valueCode":"cat"},{"name":"system","valueUri":"urn:animals"},{"name":"version","valueString":"2"}`), ""},
		{"refuses to validate two things", "ValueSet/$validate-code", ask("url:Uri=urn:animals:all", "code:Code=cat", `coding={"valueCoding":{"code":"cat"}}`), "", "parameter-missing"},
		{"refuses to validate in nothing", "ValueSet/$validate-code", ask("code:Code=cat"), "", "parameter-missing"},
		{"validates in a code system that comes along", "CodeSystem/$validate-code", ask(`codeSystem={"resource":{"resourceType":"CodeSystem","url":"urn:mine","content":"complete","concept":[{"code":"a","display":"A"}]}}`, "code:Code=a", "display:String=a"),
			parameters(`{"name":"result","valueBoolean":true},{"name":"display","valueString":"A"},{"name":"code","valueCode":"a"},{"name":"system","valueUri":"urn:mine"}`), ""},
		{"refuses unknown parameters", "CodeSystem/$lookup", ask("system:Uri=urn:animals", "code:Code=cat", "colour:Code=red"), "", "parameter-unknown"},
		{"refuses unknown operations", "CodeSystem/$find-matches", ask(), "", "operation-unknown"},
		{"refuses endless wishes", "CodeSystem/$lookup", ask(append(slices.Repeat([]string{"property:Code=legs"}, 1_001), "system:Uri=urn:animals", "code:Code=cat")...), "", "parameter-invalid"},
		{"refuses endless concepts", "ValueSet/$validate-code", ask("url:Uri=urn:cats", `codeableConcept={"valueCodeableConcept":{"coding":[`+strings.Repeat(`{"code":"x"},`, 1_000)+`{"code":"y"}]}}`), "", "parameter-invalid"},
		{"refuses endless dependencies", "ConceptMap/$translate", ask("url:Uri=urn:map", "code:Code=1", `dependency={"part":[{"name":"concept","valueCodeableConcept":{"coding":[`+strings.Repeat(`{"code":"x"},`, 1_000)+`{"code":"y"}]}}]}`), "", "parameter-invalid"},
		{"refuses counts below zero", "ValueSet/$expand", ask("url:Uri=urn:cats", "count:Integer=-1"), "", "parameter-invalid"},
		{"refuses what is neither true nor false", "ValueSet/$expand", ask("url:Uri=urn:cats", "activeOnly:String=yes"), "", "parameter-invalid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := c.Operate(t.Context(), row.operation, parse(t, row.ask))
			if got := refused(t, err); got != row.refused {
				t.Fatalf("refused with %q, want %q", got, row.refused)
			}
			if err == nil && string(n.AppendJSON(nil)) != row.want {
				t.Errorf("%s\nwant %s", n.AppendJSON(nil), row.want)
			}
		})
	}
}

func TestConceptMapIsBounded(t *testing.T) {
	c := terminology.New(definitions.R4(), terminology.Options{Limits: terminology.Limits{Targets: 3}})
	if _, err := c.ReadConceptMap(parse(t, maps[0])); refused(t, err) != "concept-map-too-large" {
		t.Errorf("%v", err)
	}
	if _, err := c.ReadConceptMap(parse(t, maps[1])); err != nil {
		t.Error(err)
	}
}

func TestOperateExpand(t *testing.T) {
	c := terminology.New(definitions.R4(), terminology.Options{})
	n, err := c.Operate(t.Context(), "ValueSet/$expand", parse(t, ask(`valueSet={"resource":{"resourceType":"ValueSet","status":"draft","compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender"}]}}}`,
		"filter:String=female", "includeDefinition:Boolean=true", "count:Integer=5")))
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Path("expansion", "contains", "code").Text(); got != "female" || n.Path("expansion", "contains").Len() != 1 {
		t.Errorf("contains %s", got)
	}
	if got := n.Path("compose", "include", "system").Text(); got != "http://hl7.org/fhir/administrative-gender" {
		t.Errorf("defined by %q", got)
	}
	if len(terminology.Operations()) != 6 {
		t.Errorf("operations %v", terminology.Operations())
	}
}
