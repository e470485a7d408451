package validate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

var validator = validate.New(definitions.R4(), validate.Options{})

func parse(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// findings are the issues as "id at expression", warnings marked.
func findings(issues []fhir.Issue) []string {
	out := []string{}
	for _, i := range issues {
		s := i.ID + " at " + i.Expression
		if i.Severity == fhir.Warning {
			s = "warning: " + s
		}
		out = append(out, s)
	}
	return out
}

// observation is a valid Observation with more properties put in.
func observation(more string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"glucose"}` + more + `}`
}

// patient is a valid Patient with more properties put in.
func patient(more string) string { return `{"resourceType":"Patient","active":true` + more + `}` }

func TestResource(t *testing.T) {
	const div = `<div xmlns=\"http://www.w3.org/1999/xhtml\">`
	narrative := func(inner string) string {
		return patient(`,"text":{"status":"generated","div":"` + inner + `"}`)
	}
	tests := []struct {
		name, json string
		want       []string // none for a valid resource
	}{
		// The resource itself.
		{"accepts a minimal patient", `{"resourceType":"Patient","active":false}`, nil},
		{"accepts a resource with nothing but its type", `{"resourceType":"Patient"}`, nil},
		{"refuses an array as resource", `[]`, []string{"resource-not-object at "}},
		{"refuses a missing resourceType", `{"active":true}`, []string{"resource-type-missing at "}},
		{"refuses a resourceType that is not text", `{"resourceType":1}`, []string{"resource-type-missing at "}},
		{"refuses an unknown resourceType", `{"resourceType":"Pateint"}`, []string{"resource-type-unknown at "}},
		{"refuses an abstract resourceType", `{"resourceType":"DomainResource"}`, []string{"resource-type-unknown at "}},
		{"refuses a data type as resource", `{"resourceType":"HumanName"}`, []string{"resource-type-unknown at "}},

		// Names.
		{"refuses an unknown property", patient(`,"nmae":[]`), []string{"element-unknown at Patient.nmae"}},
		{"refuses an unknown property inside a data type", patient(`,"name":[{"first":"x"}]`), []string{"element-unknown at Patient.name[0].first"}},
		{"refuses an unknown property inside a backbone element", patient(`,"contact":[{"nam":{}}]`), []string{"element-unknown at Patient.contact[0].nam"}},
		{"refuses a choice without its type", observation(`,"value":1`), []string{"element-unknown at Observation.value"}},
		{"refuses a choice with a type it does not have", observation(`,"valueDecimal":1`), []string{"element-unknown at Observation.valueDecimal"}},
		{"refuses an extension object for an element that is not primitive", patient(`,"_name":[{"id":"a"}]`), []string{"element-unknown at Patient._name"}},
		{"refuses resourceType inside a data type", patient(`,"name":[{"resourceType":"HumanName","text":"x"}]`), []string{"element-unknown at Patient.name[0].resourceType"}},
		{"does not repeat a property name that may be data", patient(`,"13900000000 x":1`), []string{"element-unknown at Patient"}},
		{"refuses an empty property name", patient(`,"":1`), []string{"element-unknown at Patient"}},
		{"refuses an underscore alone", patient(`,"_":{}`), []string{"element-unknown at Patient._"}},

		// Cardinality.
		{"misses a required element", `{"resourceType":"Observation","code":{"text":"x"}}`, []string{"element-missing at Observation"}},
		{"misses each required element", `{"resourceType":"Observation"}`, []string{"element-missing at Observation", "element-missing at Observation"}},
		{"misses a required element in a backbone element", patient(`,"link":[{"type":"refer"}]`), []string{"element-missing at Patient.link[0]"}},
		{"misses a required choice", `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}}`, []string{"element-missing at MedicationRequest"}},
		{"accepts an extension in place of a required value", `{"resourceType":"Observation","_status":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]},"code":{"text":"x"}}`, nil},
		{"refuses two types of a choice", observation(`,"valueString":"a","valueInteger":1`), []string{"choice-multiple at Observation.value.ofType(integer)"}},
		{"refuses two types of a choice, one with an extension only", observation(`,"valueString":"a","_valueInteger":{"id":"a"}`), []string{"choice-multiple at Observation.value.ofType(integer)"}},
		{"refuses an extension on a narrative's div", patient(`,"text":{"status":"generated","div":"` + div + `x</div>","_div":{"extension":[{"url":"http://a.b","valueString":"x"}]}}`), []string{"element-prohibited at Patient.text.div.extension"}},

		// JSON shape.
		{"refuses a single value where an array belongs", patient(`,"name":{"text":"x"}`), []string{"array-expected at Patient.name"}},
		{"refuses an array where a single value belongs", patient(`,"birthDate":["1990-01-01"]`), []string{"array-unexpected at Patient.birthDate"}},
		{"refuses an array where a single object belongs", observation(`,"subject":[{"reference":"Patient/1"}]`), []string{"array-unexpected at Observation.subject"}},
		{"refuses an empty array", patient(`,"name":[]`), []string{"array-empty at Patient.name"}},
		{"refuses an empty object", patient(`,"name":[{}]`), []string{"object-empty at Patient.name[0]"}},
		{"refuses text where an object belongs", patient(`,"name":["Li"]`), []string{"object-expected at Patient.name[0]"}},
		{"refuses an object where text belongs", patient(`,"birthDate":{"value":"1990"}`), []string{"json-type at Patient.birthDate"}},
		{"refuses text where a boolean belongs", `{"resourceType":"Patient","active":"true"}`, []string{"json-type at Patient.active"}},
		{"refuses text where a number belongs", observation(`,"valueInteger":"1"`), []string{"json-type at Observation.value.ofType(integer)"}},
		{"refuses a number where text belongs", observation(`,"valueString":1`), []string{"json-type at Observation.value.ofType(string)"}},
		{"refuses null", patient(`,"birthDate":null`), []string{"null-unexpected at Patient.birthDate"}},
		{"refuses null as an object", patient(`,"maritalStatus":null`), []string{"null-unexpected at Patient.maritalStatus"}},
		{"refuses null in an array of objects", patient(`,"name":[null]`), []string{"null-unexpected at Patient.name[0]"}},
		{"refuses null in an array without extensions", patient(`,"name":[{"given":["A",null]}]`), []string{"null-unexpected at Patient.name[0].given[1]"}},
		{"refuses an array in an array", patient(`,"name":[[{"text":"x"}]]`), []string{"object-expected at Patient.name[0]"}},

		// Primitive extensions.
		{"accepts a value with an extension", patient(`,"birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"http://a.b/c","valueString":"x"}]}`), nil},
		{"accepts aligned arrays", patient(`,"name":[{"given":[null,"B"],"_given":[{"id":"a"},null]}]`), nil},
		{"accepts an array of extensions alone", patient(`,"name":[{"_given":[{"id":"a"}]}]`), nil},
		{"refuses arrays of different length", patient(`,"name":[{"given":["A","B"],"_given":[{"id":"a"}]}]`), []string{"array-misaligned at Patient.name[0].given"}},
		{"refuses a place with neither value nor extension", patient(`,"name":[{"given":["A",null],"_given":[{"id":"a"},null]}]`), []string{"null-unexpected at Patient.name[0].given[1]"}},
		{"refuses an empty object beside a value", patient(`,"birthDate":"1990","_birthDate":{}`), []string{"object-empty at Patient.birthDate"}},
		{"refuses text beside a value", patient(`,"birthDate":"1990","_birthDate":"x"`), []string{"object-expected at Patient.birthDate"}},
		{"refuses a value inside the object beside a value", patient(`,"_birthDate":{"value":"1990"}`), []string{"element-unknown at Patient.birthDate.value"}},
		{"looks into the extensions beside a value", patient(`,"_birthDate":{"extension":[{"valueString":"x"}]}`), []string{"element-missing at Patient.birthDate.extension[0]"}},

		// Extensions.
		{"refuses an extension without url", patient(`,"extension":[{"valueString":"x"}]`), []string{"element-missing at Patient.extension[0]"}},
		{"refuses an extension with value and extensions", patient(`,"extension":[{"url":"http://a.b","valueString":"x","extension":[{"url":"c","valueCode":"d"}]}]`), []string{"extension-value-and-extensions at Patient.extension[0]"}},
		{"refuses an extension with neither", patient(`,"extension":[{"url":"http://a.b"}]`), []string{"extension-empty at Patient.extension[0]"}},
		{"refuses an extension with two values", patient(`,"extension":[{"url":"http://a.b","valueString":"x","valueCode":"y"}]`), []string{"choice-multiple at Patient.extension[0].value.ofType(code)"}},
		{"refuses a nested extension with neither", patient(`,"extension":[{"url":"http://a.b","extension":[{"url":"c"}]}]`), []string{"extension-empty at Patient.extension[0].extension[0]"}},
		{"accepts an extension whose value has only an extension", patient(`,"extension":[{"url":"http://a.b","_valueString":{"id":"x"}}]`), nil},

		// Extensions published with FHIR.
		{"refuses a published extension with another type of value", patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName","valueCode":"x"}]`), []string{"extension-value-type at Patient.extension[0]"}},
		{"refuses a value where a published extension has parts", patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","valueString":"x"}]`), []string{"extension-value-type at Patient.extension[0]"}},
		{"refuses a part a published extension does not have", patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[{"url":"cod","valueString":"x"}]}]`), []string{"extension-part-unknown at Patient.extension[0].extension[0]"}},
		{"refuses a part with another type of value", patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[{"url":"code","valueString":"x"}]}]`), []string{"extension-value-type at Patient.extension[0].extension[0]"}},
		{"misses a required part", patient(`,"address":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/geolocation","extension":[{"url":"latitude","valueDecimal":1}]}]}]`), []string{"extension-part-missing at Patient.address[0].extension[0]"}},
		{"refuses a part too many", patient(`,"address":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/geolocation","extension":[{"url":"latitude","valueDecimal":1},{"url":"latitude","valueDecimal":1},{"url":"longitude","valueDecimal":1}]}]}]`), []string{"extension-part-too-many at Patient.address[0].extension[0]"}},
		{"accepts a published extension", patient(`,"address":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/geolocation","extension":[{"url":"latitude","valueDecimal":1},{"url":"longitude","valueDecimal":1},{"url":"http://a.b/c","valueCode":"d"}]}]}]`), nil},

		// Primitive values in their places; every form is tested on its own below.
		{"refuses an impossible date", patient(`,"birthDate":"1990-02-30"`), []string{"format-date at Patient.birthDate"}},
		{"refuses a dateTime without zone", observation(`,"effectiveDateTime":"2024-01-01T10:00:00"`), []string{"format-dateTime at Observation.effective.ofType(dateTime)"}},
		{"refuses an instant without seconds", observation(`,"issued":"2024-01-01T10:00+08:00"`), []string{"format-instant at Observation.issued"}},
		{"refuses an empty string", patient(`,"name":[{"family":""}]`), []string{"format-string at Patient.name[0].family"}},
		{"refuses a code with a leading space", patient(`,"language":" zh"`), []string{"format-code at Patient.language"}},
		{"refuses an id with an underscore", patient(`,"id":"a_b"`), []string{"format-id at Patient.id"}},
		{"takes the id of an element as text", patient(`,"name":[{"id":"a_b","text":"x"}]`), nil},
		{"refuses a fraction as integer", observation(`,"valueInteger":1.0`), []string{"format-integer at Observation.value.ofType(integer)"}},
		{"refuses zero as positiveInt", patient(`,"telecom":[{"value":"1","rank":0}]`), []string{"format-positiveInt at Patient.telecom[0].rank"}},
		{"refuses broken base64", patient(`,"photo":[{"data":"abc"}]`), []string{"format-base64Binary at Patient.photo[0].data"}},
		{"refuses a space in a uri", patient(`,"identifier":[{"system":"http://a b"}]`), []string{"format-uri at Patient.identifier[0].system"}},
		{"warns of control characters", patient(`,"name":[{"family":"a\u0001"}]`), []string{"warning: string-control at Patient.name[0].family"}},
		{"warns of blank text", patient(`,"name":[{"family":"  "}]`), []string{"warning: string-blank at Patient.name[0].family"}},

		// Bindings.
		{"refuses a code outside a required value set", patient(`,"gender":"M"`), []string{"code-unknown at Patient.gender"}},
		{"refuses a code in the wrong case", patient(`,"gender":"Male"`), []string{"code-unknown at Patient.gender"}},
		{"refuses a code outside a required value set in a data type", patient(`,"name":[{"use":"nick","text":"x"}]`), []string{"code-unknown at Patient.name[0].use"}},
		{"refuses a concept none of whose codings is in the value set", condition(`{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"sick"}]}`), []string{"concept-unknown at Condition.clinicalStatus"}},
		{"refuses a concept with the right code in the wrong system", condition(`{"coding":[{"system":"http://a.b","code":"active"}]}`), []string{"concept-unknown at Condition.clinicalStatus"}},
		{"refuses a concept with a coding without system", condition(`{"coding":[{"code":"active"}]}`), []string{"concept-unknown at Condition.clinicalStatus"}},
		{"refuses a concept with text alone", condition(`{"text":"active"}`), []string{"concept-uncoded at Condition.clinicalStatus"}},
		{"accepts a concept one of whose codings is in the value set", condition(`{"coding":[{"system":"http://a.b","code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}`), nil},
		{"accepts any mime type", patient(`,"photo":[{"contentType":"image/made-up"}]`), nil},
		{"accepts any code where the binding is extensible", patient(`,"maritalStatus":{"coding":[{"system":"http://a.b","code":"?"}]}`), nil},
		{"refuses an unknown comparator", observation(`,"valueQuantity":{"value":1,"comparator":"≤"}`), []string{"code-unknown at Observation.value.ofType(Quantity).comparator"}},

		// References.
		{"accepts the forms of references", observation(`,"subject":{"reference":"Patient/1"},"basedOn":[{"reference":"https://h.example/fhir/ServiceRequest/1/_history/2"},{"reference":"urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0"},{"reference":"urn:oid:1.2.3"},{"reference":"ServiceRequest?identifier=a|b"},{"reference":"http://h.example/anything"}]`), nil},
		{"refuses a reference to an unknown type", observation(`,"subject":{"reference":"Pateint/1"}`), []string{"reference-format at Observation.subject"}},
		{"refuses a bare id as reference", observation(`,"subject":{"reference":"123"}`), []string{"reference-format at Observation.subject"}},
		{"refuses a reference without id", observation(`,"subject":{"reference":"Patient/"}`), []string{"reference-format at Observation.subject"}},
		{"refuses a space in a reference", observation(`,"subject":{"reference":"Patient/1 2"}`), []string{"reference-format at Observation.subject"}},
		{"refuses a URN without name", observation(`,"subject":{"reference":"urn:uuid:"}`), []string{"reference-format at Observation.subject"}},
		{"refuses a target the element does not allow", observation(`,"subject":{"reference":"Practitioner/1"}`), []string{"reference-target-type at Observation.subject"}},
		{"refuses an absolute target the element does not allow", observation(`,"subject":{"reference":"https://h.example/fhir/Practitioner/1"}`), []string{"reference-target-type at Observation.subject"}},
		{"refuses a type the element does not allow", observation(`,"subject":{"type":"Practitioner","identifier":{"value":"1"}}`), []string{"reference-target-type at Observation.subject"}},
		{"refuses an unknown type", observation(`,"subject":{"type":"Pateint","display":"x"}`), []string{"reference-type-unknown at Observation.subject.type"}},
		{"refuses a type that contradicts the reference", observation(`,"subject":{"reference":"Patient/1","type":"Group"}`), []string{"reference-type-mismatch at Observation.subject.type"}},
		{"accepts any target where any resource is allowed", observation(`,"focus":[{"reference":"Slot/1"}]`), nil},

		// Contained resources.
		{"accepts a contained resource that is referenced", observation(`,"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`), nil},
		{"accepts a contained resource that refers to its container", observation(`,"contained":[{"resourceType":"Provenance","id":"p","target":[{"reference":"#"}],"recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"reference":"Organization/1"}}]}]`), nil},
		{"accepts a contained resource that another contained one references", observation(`,"contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"#o"}}],"subject":{"reference":"#p"}`), nil},
		{"refuses a fragment nothing has", observation(`,"subject":{"reference":"#p"}`), []string{"reference-unresolved at Observation.subject"}},
		{"refuses a fragment of a type the element does not allow", observation(`,"contained":[{"resourceType":"Organization","id":"o"}],"subject":{"reference":"#o"}`), []string{"reference-target-type at Observation.subject"}},
		{"refuses a contained resource without id", observation(`,"contained":[{"resourceType":"Patient","active":true}]`), []string{"contained-id-missing at Observation.contained[0]"}},
		{"refuses a contained resource nobody references", observation(`,"contained":[{"resourceType":"Patient","id":"p"}]`), []string{"contained-unreferenced at Observation.contained[0]"}},
		{"refuses two contained resources with one id", observation(`,"contained":[{"resourceType":"Patient","id":"p"},{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`), []string{"contained-id-duplicate at Observation.contained[1]", "contained-unreferenced at Observation.contained[1]"}},
		{"refuses nested contained resources", observation(`,"contained":[{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Organization","id":"o"}]}],"subject":{"reference":"#p"}`), []string{"contained-nested at Observation.contained[0].contained[0]"}},
		{"refuses meta a contained resource cannot have", observation(`,"contained":[{"resourceType":"Patient","id":"p","meta":{"versionId":"1"}}],"subject":{"reference":"#p"}`), []string{"contained-meta at Observation.contained[0].meta"}},
		{"refuses a contained thing without type", observation(`,"contained":[{"id":"p"}],"subject":{"reference":"#p"}`), []string{"resource-type-missing at Observation.contained[0]"}},
		{"looks into contained resources", observation(`,"contained":[{"resourceType":"Patient","id":"p","gender":"x"}],"subject":{"reference":"#p"}`), []string{"code-unknown at Observation.contained[0].gender"}},

		// Resources within resources, and content references.
		{"looks into a bundle", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":` + patient(`,"gender":"x"`) + `}]}`, []string{"code-unknown at Bundle.entry[0].resource.gender"}},
		{"refuses a relative fullUrl", `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"Patient/1","resource":` + patient("") + `}]}`, []string{"full-url-relative at Bundle.entry[0]"}},
		{"refuses an entry without resourceType", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"id":"a"}}]}`, []string{"resource-type-missing at Bundle.entry[0].resource"}},
		{"keeps fragments within their entry", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":` + observation(`,"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`) + `},{"resource":` + observation(`,"subject":{"reference":"#p"}`) + `}]}`, []string{"reference-unresolved at Bundle.entry[1].resource.subject"}},
		{"looks into a parameter's resource", `{"resourceType":"Parameters","parameter":[{"name":"a","resource":` + patient(`,"gender":"x"`) + `}]}`, []string{"code-unknown at Parameters.parameter[0].resource.gender"}},
		{"follows content references", `{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"group","item":[{"type":"string"}]}]}]}`, []string{"element-missing at Questionnaire.item[0].item[0].item[0]"}},
		{"follows content references to another path", observation(`,"component":[{"code":{"text":"x"},"referenceRange":[{"hihg":{}}]}]`), []string{"element-unknown at Observation.component[0].referenceRange[0].hihg"}},

		// Narratives.
		{"accepts a narrative", narrative(div + `<p>a &amp; b&#160;<b class=\"x\">c</b><br/><!-- d --><img src=\"data:image/png;base64,AAAA\" alt=\"e\"/></p></div>`), nil},
		{"refuses a narrative that is not a div", narrative(`<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>`), []string{"xhtml-root at Patient.text.div"}},
		{"refuses a narrative outside the XHTML namespace", narrative(`<div>x</div>`), []string{"xhtml-root at Patient.text.div"}},
		{"refuses plain text as narrative", narrative(`x`), []string{"xhtml-root at Patient.text.div"}},
		{"refuses unbalanced elements", narrative(div + `<p>x</div>`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses an unclosed narrative", narrative(div + `x`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses content after the narrative", narrative(div + `x</div><div>y</div>`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses a bare ampersand", narrative(div + `a & b</div>`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses an entity of HTML", narrative(div + `a&nbsp;b</div>`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses an attribute without quotes", narrative(div + `<p class=x>a</p></div>`), []string{"xhtml-malformed at Patient.text.div"}},
		{"refuses a script", narrative(div + `<script>x</script></div>`), []string{"xhtml-element at Patient.text.div"}},
		{"refuses a form", narrative(div + `<form action=\"x\">x</form></div>`), []string{"xhtml-element at Patient.text.div"}},
		{"refuses elements in capitals", narrative(div + `<P>x</P></div>`), []string{"xhtml-element at Patient.text.div"}},
		{"refuses an event handler", narrative(div + `<p onclick=\"x()\">x</p></div>`), []string{"xhtml-attribute at Patient.text.div"}},
		{"refuses a script as link", narrative(div + `<a href=\" java\tScript:x()\">x</a></div>`), []string{"xhtml-script at Patient.text.div"}},
		{"refuses a script hidden in references", narrative(div + `<a href=\"&#106;avascript:x()\">x</a></div>`), []string{"xhtml-script at Patient.text.div"}},
		{"refuses a document as link", narrative(div + `<a href=\"data:text/html,x\">x</a></div>`), []string{"xhtml-script at Patient.text.div"}},
		{"warns of an empty narrative", narrative(div + ` </div>`), []string{"warning: xhtml-empty at Patient.text.div"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == nil {
				tt.want = []string{}
			}
			if diff := cmp.Diff(tt.want, findings(validator.Resource(parse(t, tt.json)))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// condition is a Condition with that clinicalStatus.
func condition(status string) string {
	return `{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":` + status + `}`
}

func TestIssueTellsThePlace(t *testing.T) {
	text := "{\n  \"resourceType\": \"Patient\",\n  \"gender\": \"very private\"\n}"
	got := validator.Resource(parse(t, text))
	want := []fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeCodeInvalid, ID: "code-unknown", Expression: "Patient.gender",
		Line: 3, Column: 13,
		Text:    "the code is not in the required value set http://hl7.org/fhir/ValueSet/administrative-gender",
		Chinese: "代码不在必需值集 http://hl7.org/fhir/ValueSet/administrative-gender 中",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("issue (-want +got):\n%s", diff)
	}
}

func TestIssueNamesWhatIsMissing(t *testing.T) {
	got := validator.Resource(parse(t, `{"resourceType":"Observation","code":{"text":"x"}}`))
	if len(got) != 1 || got[0].Text != "Observation.status is required but missing" || got[0].Code != fhir.TypeRequired {
		t.Errorf("got %v", got)
	}
}

// TestTextsNeverQuoteTheData plants one marker wherever a value can be wrong.
func TestTextsNeverQuoteTheData(t *testing.T) {
	const marker = "Zhang San"
	issues := validator.Resource(parse(t, patient(`,"gender":"Zhang San","birthDate":"Zhang San","id":"Zhang San","Zhang San":1,
		"generalPractitioner":[{"reference":"Zhang San"}],"maritalStatus":"Zhang San","text":{"status":"Zhang San","div":"Zhang San"}`)))
	if len(issues) < 7 {
		t.Fatalf("only %d issues: %v", len(issues), issues)
	}
	for _, i := range issues {
		if strings.Contains(i.Text, marker) || strings.Contains(i.Expression, marker) {
			t.Errorf("%s quotes the data", i.ID)
		}
	}
}
