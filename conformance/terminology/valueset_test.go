package terminology_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/terminology"
)

var _ fhirpath.Membership = (*terminology.Catalog)(nil)

func parse(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// catalog knows FHIR's definitions and the given resources.
func catalog(t testing.TB, resources ...string) *terminology.Catalog {
	t.Helper()
	var o terminology.Options
	for _, r := range resources {
		o.Resources = append(o.Resources, parse(t, r))
	}
	return terminology.New(definitions.R4(), o)
}

const (
	member    = definitions.Member
	notMember = definitions.NotMember
	unknown   = definitions.Unknown
)

// Animals have two parents of bat, an abstract top, and a dodo that is no more.
const animals = `{"resourceType":"CodeSystem","url":"urn:animals","version":"2","language":"en","status":"active","content":"complete","caseSensitive":true,
"valueSet":"urn:animals:all","hierarchyMeaning":"is-a",
"property":[{"code":"legs","type":"integer"},{"code":"status","uri":"http://hl7.org/fhir/concept-properties#status","type":"code"},{"code":"parent","uri":"http://hl7.org/fhir/concept-properties#parent","type":"code"}],
"concept":[
 {"code":"animal","display":"Animal","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
  {"code":"mammal","display":"Mammal","designation":[{"language":"zh-CN","value":"哺乳动物"}],"concept":[
   {"code":"cat","display":"Cat","designation":[{"language":"zh-CN","value":"猫"}],"property":[{"code":"legs","valueInteger":4}]},
   {"code":"bat","display":"Bat","property":[{"code":"legs","valueInteger":2},{"code":"parent","valueCode":"flier"}]}]},
  {"code":"flier","display":"Flying animal","concept":[
   {"code":"dodo","display":"Dodó","property":[{"code":"status","valueCode":"retired"}]}]}]}]}`

func TestMembership(t *testing.T) {
	set := func(url, compose string) string {
		return `{"resourceType":"ValueSet","url":"` + url + `","status":"active","compose":` + compose + `}`
	}
	filter := func(url, property, op, value string) string {
		return set(url, `{"include":[{"system":"urn:animals","filter":[{"property":"`+property+`","op":"`+op+`","value":"`+value+`"}]}]}`)
	}
	c := catalog(t, animals,
		set("urn:whole", `{"include":[{"system":"urn:animals"}]}`),
		set("urn:listed", `{"include":[{"system":"urn:animals","concept":[{"code":"cat"},{"code":"dodo"}]}]}`),
		set("urn:active", `{"inactive":false,"include":[{"system":"urn:animals"}]}`),
		filter("urn:is-a", "concept", "is-a", "flier"),
		filter("urn:descendent-of", "concept", "descendent-of", "flier"),
		filter("urn:is-not-a", "concept", "is-not-a", "flier"),
		filter("urn:generalizes", "concept", "generalizes", "bat"),
		filter("urn:regex", "code", "regex", "[bc]at"),
		filter("urn:in", "concept", "in", "cat, dodo"),
		filter("urn:not-in", "concept", "not-in", "cat,dodo"),
		filter("urn:equal", "legs", "=", "4"),
		filter("urn:parent", "parent", "=", "flier"),
		filter("urn:exists", "legs", "exists", "true"),
		filter("urn:exists-not", "legs", "exists", "false"),
		filter("urn:inactive", "inactive", "=", "true"),
		filter("urn:no-property", "wings", "=", "2"),
		filter("urn:no-code", "concept", "is-a", "fish"),
		set("urn:union", `{"include":[{"valueSet":["urn:is-a"]},{"valueSet":["urn:equal"]}]}`),
		set("urn:intersection", `{"include":[{"valueSet":["urn:is-a","urn:regex"]}]}`),
		set("urn:system-and-set", `{"include":[{"system":"urn:animals","filter":[{"property":"legs","op":"exists","value":"true"}],"valueSet":["urn:is-a"]}]}`),
		set("urn:excluded", `{"include":[{"system":"urn:animals"}],"exclude":[{"valueSet":["urn:is-a"]}]}`),
		set("urn:unknown-system", `{"include":[{"system":"urn:elsewhere"},{"system":"urn:animals","concept":[{"code":"cat"}]}]}`),
		set("urn:unknown-listed", `{"include":[{"system":"urn:elsewhere","concept":[{"code":"x"}]}]}`),
		set("urn:unknown-import", `{"include":[{"valueSet":["urn:not-there"]},{"system":"urn:animals","concept":[{"code":"cat"}]}]}`),
		set("urn:unknown-exclude", `{"include":[{"system":"urn:animals"}],"exclude":[{"valueSet":["urn:not-there"]}]}`),
		set("urn:other-version", `{"include":[{"system":"urn:animals","version":"1"}]}`),
		set("urn:this-version", `{"include":[{"system":"urn:animals","version":"2"}]}`),
		set("urn:shared", `{"include":[{"system":"urn:elsewhere","concept":[{"code":"cat"}]},{"system":"urn:animals","concept":[{"code":"cat"}]}],"exclude":[{"system":"urn:elsewhere","concept":[{"code":"cat"}]}]}`),
		set("urn:cycle-a", `{"include":[{"valueSet":["urn:cycle-b"]},{"system":"urn:animals","concept":[{"code":"cat"}]}]}`),
		set("urn:cycle-b", `{"include":[{"valueSet":["urn:cycle-a"]},{"system":"urn:animals","concept":[{"code":"bat"}]}]}`),
		`{"resourceType":"ValueSet","url":"urn:expansion","expansion":{"contains":[{"abstract":true,"display":"All","contains":[{"system":"urn:elsewhere","code":"x"}]}]}}`,
		`{"resourceType":"ValueSet","url":"urn:both","compose":{"include":[{"system":"urn:elsewhere"}]},"expansion":{"total":1,"contains":[{"system":"urn:elsewhere","code":"x"}]}}`,
		`{"resourceType":"ValueSet","url":"urn:both-in-part","compose":{"include":[{"system":"urn:elsewhere"}]},"expansion":{"total":7,"contains":[{"system":"urn:elsewhere","code":"x"}]}}`,
	)
	for _, row := range []struct {
		name, set, code string
		want            definitions.Membership
	}{
		{"a whole system has every code", "urn:whole", "bat", member},
		{"a whole system has abstract codes", "urn:whole", "animal", member},
		{"a whole system has no other code", "urn:whole", "Bat", notMember},
		{"a list has its codes", "urn:listed", "cat", member},
		{"a list has inactive codes", "urn:listed", "dodo", member},
		{"a list has no other codes", "urn:listed", "bat", notMember},
		{"a set without inactive codes has the active", "urn:active", "bat", member},
		{"a set without inactive codes has no other", "urn:active", "dodo", notMember},
		{"is-a takes the code itself", "urn:is-a", "flier", member},
		{"is-a takes what is below by nesting", "urn:is-a", "dodo", member},
		{"is-a takes what is below by property", "urn:is-a", "bat", member},
		{"is-a takes nothing else", "urn:is-a", "cat", notMember},
		{"descendent-of leaves the code itself out", "urn:descendent-of", "flier", notMember},
		{"descendent-of takes what is below", "urn:descendent-of", "bat", member},
		{"is-not-a takes what is not below", "urn:is-not-a", "mammal", member},
		{"is-not-a leaves out what is below", "urn:is-not-a", "bat", notMember},
		{"generalizes takes the code itself", "urn:generalizes", "bat", member},
		{"generalizes takes every way up", "urn:generalizes", "animal", member},
		{"generalizes takes the second parent", "urn:generalizes", "flier", member},
		{"generalizes leaves siblings out", "urn:generalizes", "cat", notMember},
		{"a pattern takes what it matches whole", "urn:regex", "bat", member},
		{"a pattern takes no part", "urn:regex", "combat", notMember},
		{"in takes what is listed", "urn:in", "dodo", member},
		{"in takes nothing else", "urn:in", "bat", notMember},
		{"not-in takes what is not listed", "urn:not-in", "bat", member},
		{"not-in leaves out what is listed", "urn:not-in", "cat", notMember},
		{"a property that is equal takes", "urn:equal", "cat", member},
		{"a property that differs does not", "urn:equal", "bat", notMember},
		{"parent takes children by property", "urn:parent", "bat", member},
		{"parent takes children by nesting", "urn:parent", "dodo", member},
		{"parent takes no grandchildren", "urn:parent", "animal", notMember},
		{"exists takes who has the property", "urn:exists", "bat", member},
		{"exists leaves out who has it not", "urn:exists", "dodo", notMember},
		{"not exists takes who has it not", "urn:exists-not", "dodo", member},
		{"not exists leaves out who has it", "urn:exists-not", "bat", notMember},
		{"inactive takes the retired", "urn:inactive", "dodo", member},
		{"inactive takes no other", "urn:inactive", "cat", notMember},
		{"a filter on no property of the system cannot be told", "urn:no-property", "cat", unknown},
		{"a filter on no code of the system cannot be told", "urn:no-code", "cat", unknown},
		{"includes are a union", "urn:union", "cat", member},
		{"includes are a union of both", "urn:union", "dodo", member},
		{"a union has nothing else", "urn:union", "mammal", notMember},
		{"value sets of one include are an intersection", "urn:intersection", "bat", member},
		{"an intersection needs all", "urn:intersection", "cat", notMember},
		{"system and value set are an intersection", "urn:system-and-set", "bat", member},
		{"system and value set both bind", "urn:system-and-set", "cat", notMember},
		{"an exclude takes away", "urn:excluded", "bat", notMember},
		{"an exclude leaves the rest", "urn:excluded", "cat", member},
		{"what does not depend on an unknown system is known", "urn:unknown-system", "cat", member},
		{"codes of another system are not in an unknown one", "urn:unknown-system", "bat", notMember},
		{"what does not depend on an unknown import is known", "urn:unknown-import", "cat", member},
		{"what depends on an unknown import is not", "urn:unknown-import", "bat", unknown},
		{"an unknown exclude leaves everything open", "urn:unknown-exclude", "cat", unknown},
		{"a version that is not there cannot be told", "urn:other-version", "cat", unknown},
		{"the version that is there can", "urn:this-version", "cat", member},
		{"an exclude of one system leaves the same code of another", "urn:shared", "cat", member},
		{"a cycle does not hide what is certain", "urn:cycle-a", "cat", member},
		{"a cycle shows what the others have", "urn:cycle-a", "bat", member},
		{"a cycle leaves the rest open", "urn:cycle-a", "dodo", unknown},
		{"a code system defines a set of all its codes", "urn:animals:all", "cat", member},
		{"an implicit set has all codes", "urn:animals?fhir_vs", "cat", member},
		{"an implicit set has those below a code", "urn:animals?fhir_vs=isa/flier", "bat", member},
		{"an implicit set has no others", "urn:animals?fhir_vs=isa/flier", "cat", notMember},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := c.ValueSet(row.set)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Has("urn:animals", row.code); got != row.want {
				t.Errorf("with the system: %v, want %v", got, row.want)
			}
			// Without the system an unknown one may have the code.
			if row.set == "urn:unknown-system" && row.want == notMember {
				row.want = unknown
			}
			if got := s.HasCode(row.code); got != row.want {
				t.Errorf("without a system: %v, want %v", got, row.want)
			}
		})
	}
	for _, row := range []struct {
		name, set, system, code string
		want                    definitions.Membership
	}{
		{"codes of an unknown system cannot be told", "urn:unknown-system", "urn:elsewhere", "x", unknown},
		{"listed codes of an unknown system can", "urn:unknown-listed", "urn:elsewhere", "x", member},
		{"and so can those not listed", "urn:unknown-listed", "urn:elsewhere", "y", notMember},
		{"an expansion has its codes", "urn:expansion", "urn:elsewhere", "x", member},
		{"an expansion has no others", "urn:expansion", "urn:elsewhere", "y", notMember},
		{"an expansion answers for a system that is not known", "urn:both", "urn:elsewhere", "x", member},
		{"a whole expansion answers no too", "urn:both", "urn:elsewhere", "y", notMember},
		{"a part of one does not", "urn:both-in-part", "urn:elsewhere", "y", unknown},
		{"UCUM knows units", "http://unitsofmeasure.org/vs", "http://unitsofmeasure.org", "mmol/L", member},
		{"UCUM knows logarithmic units", "http://unitsofmeasure.org/vs", "http://unitsofmeasure.org", "[pH]", member},
		{"UCUM knows what is none", "http://unitsofmeasure.org/vs", "http://unitsofmeasure.org", "mmHg", notMember},
		{"units of one dimension can be asked for", "http://hl7.org/fhir/ValueSet/duration-units", "http://unitsofmeasure.org", "h", member},
		{"others are not of it", "http://hl7.org/fhir/ValueSet/duration-units", "http://unitsofmeasure.org", "kg", notMember},
		{"languages are tags", "http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", "zh-Hant-HK", member},
		{"languages are registered", "http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", "qqz1", notMember},
		{"MIME types have a subtype", "http://hl7.org/fhir/ValueSet/mimetypes", "urn:ietf:bcp:13", "application/fhir+json; charset=utf-8", member},
		{"MIME types are not words", "http://hl7.org/fhir/ValueSet/mimetypes", "urn:ietf:bcp:13", "json", notMember},
		{"currencies are listed", "http://hl7.org/fhir/ValueSet/currencies", "urn:iso:std:iso:4217", "CNY", member},
		{"countries have two letters", "http://hl7.org/fhir/ValueSet/iso3166-1-2", "urn:iso:std:iso:3166", "CN", member},
		{"countries have three letters", "http://hl7.org/fhir/ValueSet/iso3166-1-3", "urn:iso:std:iso:3166", "CHN", member},
		{"two letters are not three", "http://hl7.org/fhir/ValueSet/iso3166-1-3", "urn:iso:std:iso:3166", "CN", notMember},
		{"countries have a number", "http://hl7.org/fhir/ValueSet/iso3166-1-N", "urn:iso:std:iso:3166", "156", member},
		{"SNOMED CT is not there", "http://hl7.org/fhir/ValueSet/body-site", "http://snomed.info/sct", "38266002", unknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := c.ValueSet(row.set)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Has(row.system, row.code); got != row.want {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}
