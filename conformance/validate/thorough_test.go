package validate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// library is definitions by kind and URL.
type library map[string]*fhir.Node

func (l library) Resolve(kind, url string) (*fhir.Node, bool) {
	n, ok := l[kind+" "+url]
	return n, ok
}

func shelve(t testing.TB, texts ...string) library {
	t.Helper()
	l := library{}
	for _, text := range texts {
		n := parse(t, text)
		l[n.ResourceType()+" "+n.Get("url").Text()] = n
	}
	return l
}

// constraint is a profile of a type by its differential.
func constraint(url, typ, elements string) string {
	return `{"resourceType":"StructureDefinition","url":"` + url + `","name":"P","status":"draft","kind":"resource","abstract":false,
		"type":"` + typ + `","baseDefinition":"http://hl7.org/fhir/StructureDefinition/` + typ + `","derivation":"constraint",
		"differential":{"element":[` + elements + `]}}`
}

func all(issues []fhir.Issue) []string {
	out := []string{}
	for _, i := range issues {
		out = append(out, string(i.Severity)+": "+i.ID+" at "+i.Expression)
	}
	return out
}

// definition is a profile of Patient whose id is of a type.
func definition(typ string) string {
	element := func(path, more string) string {
		return `{"id":"` + path + `","path":"` + path + `","definition":"x","min":0,"max":"1","base":{"path":"` + path + `","min":0,"max":"1"}` + more + `}`
	}
	return `{"resourceType":"StructureDefinition","url":"https://a.example/p","name":"P","status":"draft","kind":"resource","abstract":false,
		"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
		"snapshot":{"element":[` + element("Patient", "") + `,` + element("Patient.id", `,"type":[{"code":"`+typ+`"}]`) + `]}}`
}

// TestPlaceOfExtension wants who reads of a misplaced extension to find it: holders may have many.
func TestPlaceOfExtension(t *testing.T) {
	const url = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
	text := observation(`,
"extension":[{"url":"http://a.b/c","valueString":"x"},
   {"url":"` + url + `","valueAddress":{"text":"x"}}]`)
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true})
	for _, i := range v.Resource(parse(t, text)) {
		if i.ID != "extension-context" {
			continue
		}
		if i.Line != 3 || i.Column != 4 || !strings.Contains(i.Text, url) || !strings.Contains(i.Chinese, url) {
			t.Errorf("%d:%d: %s (%s)", i.Line, i.Column, i.Text, i.Chinese)
		}
		return
	}
	t.Error("no finding")
}

func TestThorough(t *testing.T) {
	entry := func(url, resource string) string { return `{"fullUrl":"` + url + `","resource":` + resource + `}` }
	bundle := func(typ, more string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + typ + `"` + more + `,"entry":[` + strings.Join(entries, ",") + `]}`
	}
	const composition = `{"resourceType":"Composition","id":"c","status":"final","type":{"text":"x"},"date":"2024-01-01","author":[{"reference":"Practitioner/p"}],"title":"x"}`
	const practitioner = `{"resourceType":"Practitioner","id":"p"}`
	const document = `,"identifier":{"system":"http://a.b","value":"1"},"timestamp":"2024-01-01T00:00:00Z"`
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true})
	tests := []struct {
		name, json string
		want       []string
	}{
		// Invariants.
		{"accepts what fulfils its invariants", patient(`,"contact":[{"name":{"text":"x"}}]`), nil},
		{"holds invariants of backbone elements", patient(`,"contact":[{"gender":"male"}]`), []string{"error: invariant-failed at Patient.contact[0]"}},
		{"holds invariants of data types", patient(`,"identifier":[{"period":{"start":"2024-02-01","end":"2024-01-01"}}]`), []string{"error: invariant-failed at Patient.identifier[0].period"}},
		{"holds invariants of resources", observation(`,"dataAbsentReason":{"text":"x"},"valueString":"y"`), []string{"error: invariant-failed at Observation"}},
		{"holds invariants of contained resources", observation(`,"contained":[{"resourceType":"Patient","id":"p","contact":[{"gender":"male"}]}],"subject":{"reference":"#p"}`), []string{"error: invariant-failed at Observation.contained[0].contact[0]"}},
		{"holds invariants behind content references", `{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"display","required":true}]}]}`, []string{"error: invariant-failed at Questionnaire.item[0].item[0]"}},
		{"holds a rule that R4 wrote down wrongly", `{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"boolean"},{"linkId":"2","type":"string","enableWhen":[{"question":"1","operator":"exists","answerBoolean":true},{"question":"1","operator":"=","answerBoolean":true}]}]}`, []string{"error: invariant-failed at Questionnaire.item[1]"}},

		// Codes.
		{"warns of a code that is not in an extensible value set", patient(`,"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]}`), []string{"warning: code-extensible at Patient.maritalStatus"}},
		{"accepts text alone for an extensible value set", patient(`,"maritalStatus":{"text":"x"}`), nil},
		{"tells of a code that is not in a preferred value set", `{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"Patient/1"},"payor":[{"reference":"Patient/1"}],"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]}}`, []string{"information: code-preferred at Coverage.type"}},
		{"refuses a code that its system does not have", patient(`,"meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"nix"}]}`), []string{"error: code-not-in-system at Patient.meta.tag[0].code"}},
		{"warns of a code that a table of HL7 v2 does not have", patient(`,"meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"nix"}]}`), []string{"warning: code-not-in-system at Patient.meta.tag[0].code"}},
		{"knows national numbers of every country", patient(`,"meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NNCHN"}]}`), nil},
		{"warns of a code without a system", patient(`,"meta":{"tag":[{"code":"x"}]}`), []string{"warning: coding-system-missing at Patient.meta.tag[0]"}},
		{"refuses a system that is no address", patient(`,"meta":{"tag":[{"system":"x","code":"x"}]}`), []string{"error: coding-system-relative at Patient.meta.tag[0].system"}},
		{"refuses a value set as system", patient(`,"meta":{"tag":[{"system":"http://hl7.org/fhir/ValueSet/administrative-gender","code":"male"}]}`), []string{"error: coding-system-valueset at Patient.meta.tag[0].system"}},
		{"accepts codes of unknown systems", patient(`,"meta":{"tag":[{"system":"https://a.b","code":"x"}]}`), nil},
		{"warns of a unit that UCUM does not have", observation(`,"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"mmol/Liter"}`), []string{"warning: ucum-invalid at Observation.value.ofType(Quantity).code"}},
		{"warns of a year that nobody meant", patient(`,"birthDate":"0198-01-01"`), []string{"warning: date-unlikely at Patient.birthDate"}},
		{"refuses an attachment of another size", patient(`,"photo":[{"contentType":"image/png","data":"AAAA","size":4}]`), []string{"error: attachment-size at Patient.photo[0]"}},
		{"tells of tags in texts", patient(`,"name":[{"text":"<script src='x'>"}]`), []string{"information: string-html at Patient.name[0].text"}},
		{"leaves signs of comparison alone", observation(`,"valueString":"a<b, c > d"`), nil},

		// Extensions.
		{"tells of an unknown extension", patient(`,"extension":[{"url":"http://a.b/c","valueString":"x"}]`), []string{"information: extension-unknown at Patient.extension[0]"}},
		{"refuses an unknown modifier extension", patient(`,"modifierExtension":[{"url":"http://a.b/c","valueString":"x"}]`), []string{"error: extension-modifier-unknown at Patient.modifierExtension[0]"}},
		{"refuses an extension with a relative url", patient(`,"extension":[{"url":"c","valueString":"x"}]`), []string{"error: extension-url-relative at Patient.extension[0]"}},
		{"accepts a known extension where it belongs", patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"text":"x"}}]`), nil},
		{"refuses a known extension elsewhere", observation(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"text":"x"}}]`), []string{"error: extension-context at Observation"}},
		{"accepts a known extension of a primitive", patient(`,"birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1990-01-01T10:00:00Z"}]}`), nil},
		{"refuses an extension as a modifier that is none", patient(`,"modifierExtension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"text":"x"}}]`), []string{"error: extension-not-modifier at Patient.modifierExtension[0]"}},

		// Definitions.
		{"knows the types of FHIRPath", definition("http://hl7.org/fhirpath/System.String"), nil},
		{"warns of a type that FHIRPath does not have", definition("http://hl7.org/fhirpath/System.Strnig"), []string{"warning: code-extensible at StructureDefinition.snapshot.element[1].type[0].code"}},
		{"warns of a type that FHIR does not have", definition("Strnig"), []string{"warning: code-extensible at StructureDefinition.snapshot.element[1].type[0].code"}},

		// Bundles.
		{"accepts a document", bundle("document", document, entry("http://a.b/Composition/c", composition), entry("http://a.b/Practitioner/p", practitioner)), nil},
		{"wants a Composition first in a document", bundle("document", document, entry("http://a.b/Practitioner/p", practitioner)), []string{"error: invariant-failed at Bundle", "error: bundle-first at Bundle.entry[0]"}},
		{"wants a MessageHeader first in a message", bundle("message", "", entry("http://a.b/Practitioner/p", practitioner)), []string{"error: invariant-failed at Bundle", "error: bundle-first at Bundle.entry[0]"}},
		{"refuses what no reference of a document leads to", bundle("document", document, entry("http://a.b/Composition/c", composition), entry("http://a.b/Practitioner/p", practitioner), entry("http://a.b/Patient/x", `{"resourceType":"Patient","id":"x"}`)), []string{"error: bundle-unreachable at Bundle.entry[2]"}},
		{"wants fullUrls", bundle("collection", "", `{"resource":`+practitioner+`}`), []string{"error: full-url-missing at Bundle.entry[0]"}},
		{"wants no fullUrls in a transaction", bundle("transaction", "", `{"resource":`+practitioner+`,"request":{"method":"PUT","url":"Practitioner/p"}}`), nil},
		{"wants a request in each entry of a transaction", bundle("transaction", "", `{"resource":`+practitioner+`}`), []string{"error: invariant-failed at Bundle"}},
		{"refuses a fullUrl of another resource", bundle("collection", "", entry("http://a.b/Practitioner/q", practitioner)), []string{"error: full-url-mismatch at Bundle.entry[0]"}},
		{"refuses a fullUrl twice", bundle("collection", "", entry("urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a11", practitioner), entry("urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a11", practitioner)), []string{"error: full-url-duplicate at Bundle.entry[1]"}},
		{"refuses a reference to an entry of another type", bundle("collection", "", entry("urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a11", patient("")), entry("urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a12", observation(`,"encounter":{"reference":"urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a11","type":"Encounter"}`))), []string{"error: reference-found-type at Bundle.entry[1].resource.encounter", "error: reference-target-type at Bundle.entry[1].resource.encounter"}},
		{"warns of a URN that is not in the bundle", bundle("collection", "", entry("urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a12", observation(`,"subject":{"reference":"urn:uuid:7cf0bd4d-5c71-4b36-8f3a-0a7d5d5a3a99"}`))), []string{"warning: reference-not-in-bundle at Bundle.entry[0].resource.subject"}},
		{"wants search modes and a self link of a searchset", `{"resourceType":"Bundle","type":"searchset","entry":[` + entry("http://a.b/Practitioner/p", practitioner) + `]}`, []string{"warning: bundle-search-self at Bundle", "warning: bundle-search-mode at Bundle"}},
		{"refuses two self links", `{"resourceType":"Bundle","type":"collection","link":[{"relation":"self","url":"http://a.b"},{"relation":"self","url":"http://a.b"}]}`, []string{"error: bundle-link-duplicate at Bundle.link[1]"}},

		// Vital signs and profiles that are claimed.
		{"holds vital signs to their profile", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-01-01","valueQuantity":{"value":1,"unit":"stone","system":"http://unitsofmeasure.org","code":"[stone_av]"}}`,
			[]string{"information: vital-signs-profile at Observation", "error: code-unknown at Observation.value.ofType(Quantity).code"}},
		{"warns of a profile that it does not know", patient(`,"meta":{"profile":["http://a.b/c"]}`), []string{"warning: profile-claim-unknown at Patient.meta.profile[0]"}},
		{"refuses the claim of a profile for another type", patient(`,"meta":{"profile":["http://hl7.org/fhir/StructureDefinition/bodyweight"]}`), []string{"error: profile-wrong-type at Patient.meta.profile[0]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == nil {
				tt.want = []string{}
			}
			if diff := cmp.Diff(tt.want, all(v.Resource(parse(t, tt.json)))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProfiles(t *testing.T) {
	const url = "https://a.example/p"
	sliced := func(discriminator, rules, slices string) string {
		return `{"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[` + discriminator + `],"rules":"` + rules + `"}},` + slices
	}
	const bySystem = `{"type":"value","path":"system"}`
	const card = `{"id":"Patient.identifier:card","path":"Patient.identifier","sliceName":"card","min":1,"max":"1"},
		{"id":"Patient.identifier:card.system","path":"Patient.identifier.system","min":1,"fixedUri":"https://card"},
		{"id":"Patient.identifier:card.value","path":"Patient.identifier.value","min":1,"maxLength":3}`
	const other = `,{"id":"Patient.identifier:other","path":"Patient.identifier","sliceName":"other","min":0,"max":"*"},
		{"id":"Patient.identifier:other.system","path":"Patient.identifier.system","min":1,"fixedUri":"https://other"}`
	id := func(system, value string) string { return `{"system":"` + system + `","value":"` + value + `"}` }
	ids := func(list ...string) string { return patient(`,"identifier":[` + strings.Join(list, ",") + `]`) }
	tests := []struct {
		name, typ, elements, json string
		want                      []string
	}{
		{"accepts what conforms", "Patient", `{"id":"Patient.name","path":"Patient.name","min":1}`, patient(`,"name":[{"text":"x"}]`), nil},
		{"wants at least so many", "Patient", `{"id":"Patient.name","path":"Patient.name","min":1}`, patient(""), []string{"error: profile-missing at Patient"}},
		{"wants at most so many", "Patient", `{"id":"Patient.name","path":"Patient.name","max":"1"}`, patient(`,"name":[{"text":"x"},{"text":"y"}]`), []string{"error: profile-too-many at Patient"}},
		{"forbids", "Patient", `{"id":"Patient.photo","path":"Patient.photo","max":"0"}`, patient(`,"photo":[{"title":"x"}]`), []string{"error: profile-too-many at Patient"}},
		{"holds what is below an element", "Patient", `{"id":"Patient.name.family","path":"Patient.name.family","min":1}`, patient(`,"name":[{"family":"x"},{"text":"y"}]`), []string{"error: profile-missing at Patient.name[1]"}},
		{"wants a fixed value", "Patient", `{"id":"Patient.gender","path":"Patient.gender","fixedCode":"female"}`, patient(`,"gender":"male"`), []string{"error: profile-fixed at Patient.gender"}},
		{"wants all of a fixed value and nothing more", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","fixedCodeableConcept":{"text":"x"}}`, patient(`,"maritalStatus":{"id":"i","text":"x"}`), []string{"error: profile-fixed-extra at Patient.maritalStatus.id"}},
		{"wants what a pattern has", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","patternCodeableConcept":{"text":"x"}}`, patient(`,"maritalStatus":{"text":"y"}`), []string{"error: profile-pattern at Patient.maritalStatus"}},
		{"accepts more than a pattern has", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","patternCodeableConcept":{"text":"x"}}`, patient(`,"maritalStatus":{"id":"i","text":"x"}`), nil},
		{"restricts the types of a choice", "Patient", `{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","type":[{"code":"boolean"}]}`, patient(`,"deceasedDateTime":"2024-01-01"`), []string{"error: profile-type at Patient.deceased.ofType(dateTime)"}},
		{"bounds numbers from below", "RiskAssessment", `{"id":"RiskAssessment.prediction.relativeRisk","path":"RiskAssessment.prediction.relativeRisk","minValueDecimal":1.5}`, `{"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/1"},"prediction":[{"relativeRisk":1.49}]}`, []string{"error: profile-min-value at RiskAssessment.prediction[0].relativeRisk"}},
		{"bounds quantities across units", "Observation", `{"id":"Observation.valueQuantity","path":"Observation.value[x]","type":[{"code":"Quantity"}],"maxValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}}`, observation(`,"valueQuantity":{"value":1001,"system":"http://unitsofmeasure.org","code":"g"}`), []string{"error: profile-max-value at Observation.value.ofType(Quantity)"}},
		{"bounds dates by a time from now", "Patient", `{"id":"Patient.birthDate","path":"Patient.birthDate","maxValueQuantity":{"value":0,"system":"http://unitsofmeasure.org","code":"d"}}`, patient(`,"birthDate":"2099-01-01"`), []string{"error: profile-max-value at Patient.birthDate"}},
		{"bounds lengths", "Patient", `{"id":"Patient.name.text","path":"Patient.name.text","maxLength":2}`, patient(`,"name":[{"text":"测试者"}]`), []string{"error: too-long at Patient.name[0].text"}},
		{"binds more strongly", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/marital-status"}}`, patient(`,"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"A"},{"system":"https://a","code":"b"}]}`), nil},
		{"refuses codes of a stronger binding", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"https://a.example/vs"}}`, patient(`,"maritalStatus":{"coding":[{"system":"https://a.example/cs","code":"c"}]}`), []string{"warning: code-extensible at Patient.maritalStatus", "error: concept-unknown at Patient.maritalStatus"}},
		{"takes codes of a value set with a hierarchy", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"https://a.example/vs"}}`, patient(`,"maritalStatus":{"coding":[{"system":"https://a.example/cs","code":"b"}]}`), []string{"warning: code-extensible at Patient.maritalStatus"}},
		{"evaluates rules", "Patient", `{"id":"Patient","path":"Patient","constraint":[{"key":"p-1","severity":"error","human":"x","expression":"name.exists()"}]}`, patient(""), []string{"error: invariant-failed at Patient"}},
		{"tells of rules that cannot be evaluated", "Patient", `{"id":"Patient","path":"Patient","constraint":[{"key":"p-1","severity":"error","human":"x","expression":"name.exists("}]}`, patient(""), []string{"warning: invariant-unusable at Patient"}},

		{"tells slices apart by value", "Patient", sliced(bySystem, "open", card), ids(id("https://card", "1234"), id("https://x", "12345")), []string{"information: slice-none at Patient.identifier[1]", "error: too-long at Patient.identifier[0].value"}},
		{"wants a slice that is required", "Patient", sliced(bySystem, "open", card), ids(id("https://x", "1")), []string{"information: slice-none at Patient.identifier[0]", "error: slice-missing at Patient"}},
		{"counts what is in a slice", "Patient", sliced(bySystem, "open", card), ids(id("https://card", "1"), id("https://card", "2")), []string{"error: slice-too-many at Patient"}},
		{"refuses what is in no slice of a closed slicing", "Patient", sliced(bySystem, "closed", card), ids(id("https://card", "1"), id("https://x", "1")), []string{"error: slice-unknown at Patient.identifier[1]"}},
		{"wants what is in no slice at the end", "Patient", sliced(bySystem, "openAtEnd", card), ids(id("https://x", "1"), id("https://card", "1")), []string{"error: slice-end at Patient.identifier[1]"}},
		{"wants slices in their order", "Patient", strings.Replace(sliced(bySystem, "open", card+other), `"rules"`, `"ordered":true,"rules"`, 1), ids(id("https://other", "1"), id("https://card", "1")), []string{"error: slice-order at Patient.identifier[1]"}},
		{"tells slices apart by pattern", "Patient", sliced(`{"type":"pattern","path":"type"}`, "closed", `{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a"},{"id":"Patient.identifier:a.type","path":"Patient.identifier.type","patternCodeableConcept":{"text":"t"}}`), patient(`,"identifier":[{"type":{"id":"1","text":"t"}},{"type":{"text":"u"}}]`), []string{"error: slice-unknown at Patient.identifier[1]"}},
		{"tells slices apart by existence", "Patient", sliced(`{"type":"exists","path":"period"}`, "closed", `{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a"},{"id":"Patient.identifier:a.period","path":"Patient.identifier.period","min":1}`), patient(`,"identifier":[{"value":"1","period":{"start":"2024"}},{"value":"2"}]`), []string{"error: slice-unknown at Patient.identifier[1]"}},
		{"tells slices apart by type", "Observation", `{"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"closed"}},{"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","min":0,"max":"1","type":[{"code":"Quantity"}]}`, observation(`,"valueString":"x"`), []string{"error: slice-unknown at Observation.value.ofType(string)"}},
		{"tells slices apart by what references lead to", "Observation", `{"id":"Observation.performer","path":"Observation.performer","slicing":{"discriminator":[{"type":"type","path":"resolve()"}],"rules":"closed"}},{"id":"Observation.performer:org","path":"Observation.performer","sliceName":"org","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]}`, observation(`,"contained":[{"resourceType":"Organization","id":"o","name":"x"},{"resourceType":"Practitioner","id":"q"}],"performer":[{"reference":"#o"},{"reference":"#q"}]`), []string{"error: slice-unknown at Observation.performer[1]"}},
		{"tells slices apart by profile", "Observation", `{"id":"Observation.performer","path":"Observation.performer","slicing":{"discriminator":[{"type":"profile","path":"resolve()"}],"rules":"closed"}},{"id":"Observation.performer:org","path":"Observation.performer","sliceName":"org","type":[{"code":"Reference","targetProfile":["https://a.example/org"]}]}`, observation(`,"contained":[{"resourceType":"Organization","id":"o","name":"x"},{"resourceType":"Organization","id":"q","alias":["y"],"name":"z"}],"performer":[{"reference":"#o"},{"reference":"#q"}]`), []string{"error: slice-unknown at Observation.performer[0]"}},
		{"slices what is sliced", "Patient", sliced(bySystem, "open", strings.Replace(card, `"max":"1"}`, `"max":"*","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"closed"}}`, 1)+`,{"id":"Patient.identifier:card/old","path":"Patient.identifier","sliceName":"card/old","min":0,"max":"1"},{"id":"Patient.identifier:card/old.use","path":"Patient.identifier.use","min":1,"fixedCode":"old"}`), ids(`{"system":"https://card","value":"1","use":"old"}`, `{"system":"https://card","value":"2","use":"usual"}`), []string{"error: slice-unknown at Patient.identifier[1]"}},
		{"warns of slices that nothing tells apart", "Patient", sliced(bySystem, "open", `{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":1,"max":"*"}`), ids(id("https://x", "1")), []string{"warning: slice-undecidable at Patient.identifier[0]"}},

		{"takes the type that is listed", "Observation", `{"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"string"}]}`, observation(`,"valueString":"x"`), nil},
		{"refuses a type that is not listed", "Observation", `{"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"string"}]}`, observation(`,"valueBoolean":true`), []string{"error: profile-type at Observation.value.ofType(boolean)"}},
		{"refuses a type made from the listed one", "Basic", `{"id":"Basic.extension","path":"Basic.extension","slicing":{"discriminator":[{"type":"value","path":"url"}],"rules":"open"}},{"id":"Basic.extension:s","path":"Basic.extension","sliceName":"s","min":1,"max":"1","type":[{"code":"Extension","profile":["https://a.example/text"]}]}`, `{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"https://a.example/text","valueCode":"x"}]}`, []string{"error: profile-type at Basic.extension[0].value.ofType(code)"}},
		{"takes any resource where an abstract one is listed", "Patient", `{"id":"Patient.contained","path":"Patient.contained","max":"1","type":[{"code":"DomainResource"}]}`, patient(`,"contained":[{"resourceType":"Organization","id":"o","name":"x"}],"managingOrganization":{"reference":"#o"}`), nil},
		{"judges the target of a reference", "Observation", `{"id":"Observation.performer","path":"Observation.performer","type":[{"code":"Reference","targetProfile":["https://a.example/org"]}]}`, observation(`,"contained":[{"resourceType":"Organization","id":"o","name":"x"}],"performer":[{"reference":"#o"}]`), []string{"information: reference-profile-tried at Observation.performer[0]", "error: reference-profile at Observation.performer[0]"}},
		{"refuses a reference to another type", "Observation", `{"id":"Observation.performer","path":"Observation.performer","type":[{"code":"Reference","targetProfile":["https://a.example/org"]}]}`, observation(`,"performer":[{"reference":"Patient/1"}]`), []string{"error: reference-target-type at Observation.performer[0]"}},
		{"wants how a reference leads to its target", "Observation", `{"id":"Observation.performer","path":"Observation.performer","type":[{"code":"Reference","aggregation":["contained"],"targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]}`, observation(`,"performer":[{"reference":"Organization/1"}]`), []string{"error: reference-aggregation at Observation.performer[0]"}},
		{"judges an extension by its definition", "Patient", `{"id":"Patient.extension","path":"Patient.extension","slicing":{"discriminator":[{"type":"value","path":"url"}],"rules":"open"}},{"id":"Patient.extension:e","path":"Patient.extension","sliceName":"e","min":1,"max":"1","type":[{"code":"Extension","profile":["https://a.example/ext"]}]}`, patient(`,"extension":[{"url":"https://a.example/ext","valueString":"x"}]`), []string{"error: profile-type at Patient.extension[0].value.ofType(string)"}},
		{"ends where profiles name each other", "Patient", `{"id":"Patient.link.other","path":"Patient.link.other","type":[{"code":"Reference","targetProfile":["` + url + `"]}]}`, patient(`,"contained":[{"resourceType":"Patient","id":"b","link":[{"type":"seealso","other":{"reference":"#"}}]}],"link":[{"type":"seealso","other":{"reference":"#b"}}]`), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := shelve(t, constraint(url, tt.typ, tt.elements),
				constraint("https://a.example/org", "Organization", `{"id":"Organization.alias","path":"Organization.alias","min":1}`),
				strings.Replace(constraint("https://a.example/ext", "Extension", `{"id":"Extension.url","path":"Extension.url","fixedUri":"https://a.example/ext"},{"id":"Extension.value[x]","path":"Extension.value[x]","min":1,"type":[{"code":"boolean"}]}`), `"kind":"resource"`, `"kind":"complex-type","context":[{"type":"element","expression":"Patient"}]`, 1),
				strings.Replace(constraint("https://a.example/text", "Extension", `{"id":"Extension.url","path":"Extension.url","fixedUri":"https://a.example/text"},{"id":"Extension.value[x]","path":"Extension.value[x]","min":1,"type":[{"code":"string"}]}`), `"kind":"resource"`, `"kind":"complex-type","context":[{"type":"element","expression":"Element"}]`, 1),
				`{"resourceType":"CodeSystem","url":"https://a.example/cs","content":"complete","concept":[{"code":"a","concept":[{"code":"b"}]},{"code":"c"}]}`,
				`{"resourceType":"ValueSet","url":"https://a.example/vs","compose":{"include":[{"system":"https://a.example/cs","filter":[{"property":"concept","op":"is-a","value":"a"}]}]}}`)
			v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: source})
			if tt.want == nil {
				tt.want = []string{}
			}
			if diff := cmp.Diff(tt.want, all(v.Conforms(parse(t, tt.json), url))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
