package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/gateway/interaction"
)

// asks writes a Parameters resource with the given parameters, as JSON.
func asks(parameters ...string) string {
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(parameters, ",") + `]}`
}

// parameter writes one parameter of Parameters: name, the name of its value and that.
func parameter(name, element, value string) string {
	return `{"name":"` + name + `","` + element + `":` + value + `}`
}

func TestOperationsAnswer(t *testing.T) {
	const named = `{"resourceType":"Patient","name":[{"family":"王"}]}`
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		person := c.do("GET", "/fhir/Patient?_tag=https://yilian.dev/fhir/institution|alliance&identifier=990101199001010027", "")
		id := person.tree.Get("entry").At(0).Path("resource", "id").Text()
		for _, tt := range []struct {
			feature, method, path, body string
			status                      int
			want                        string // of a Bundle its entries, else a part of the answer
		}{
			{"everything of a Patient", "GET", "Patient/p1/$everything", "", 200, "+Binary/bin1 +Organization/org1 +Practitioner/dr1 Condition/c1 Device/dev1 DocumentReference/d1 Encounter/e1 Observation/o1 Observation/o2 Observation/o3 Observation/o4 Observation/o5 Patient/p1 RelatedPerson/rp1"},
			{"everything of a Patient, posted", "POST", "Patient/p2/$everything", "", 200, "Condition/c2 Observation/o6 Patient/p2"},
			{"everything of a Patient, posted with parameters", "POST", "Patient/p1/$everything", asks(parameter("_type", "valueCode", `"Condition"`)), 200, "Condition/c1"},
			{"everything of a Patient, of types", "GET", "Patient/p1/$everything?_type=Condition,Encounter&_type=Device", "", 200, "Condition/c1 Device/dev1 Encounter/e1"},
			{"everything of a Patient, from a day", "GET", "Patient/p1/$everything?start=2025-03-01&_type=Observation,Encounter,Condition", "", 200, "Encounter/e1 Observation/o3 Observation/o4"},
			{"everything of a Patient, up to a day", "GET", "Patient/p1/$everything?end=2025-01-31&_type=Observation,Encounter,Condition", "", 200, "Condition/c1 Observation/o1 Observation/o5"},
			{"everything of a Patient, in a month", "GET", "Patient/p1/$everything?start=2025-02&end=2025-02&_type=Observation,Encounter", "", 200, "Observation/o2"},
			{"everything of a Patient, since tomorrow", "GET", "Patient/p1/$everything?_since=2100-01-01T00:00:00Z", "", 200, ""},
			{"everything of a person", "GET", "Patient/" + id + "/$everything?_type=Patient,Condition", "", 200, "Condition/c1 Patient/p1 Patient/person"},
			{"everything of an Encounter", "GET", "Encounter/e1/$everything", "", 200, "+Organization/org1 +Patient/p1 +Practitioner/dr1 Condition/c1 Encounter/e1 Observation/o1"},
			{"everything of an Encounter, of a type", "GET", "Encounter/e1/$everything?_type=Observation", "", 200, "Observation/o1"},
			{"everything of an Encounter, since tomorrow", "GET", "Encounter/e1/$everything?_since=2100-01-01T00:00:00Z", "", 200, ""},
			{"everything of nobody", "GET", "Patient/nobody/$everything", "", 404, "not-found"},
			{"everything of what has no such operation", "GET", "Organization/org1/$everything", "", 404, "no such operation"},
			{"everything of all", "GET", "Patient/$everything", "", 404, "not-found"},
			{"everything with an unknown parameter", "GET", "Patient/p1/$everything?colour=red", "", 400, "start"},
			{"everything of an Encounter from a day", "GET", "Encounter/e1/$everything?start=2025", "", 400, "_since"},
			{"everything from a day that is none", "GET", "Patient/p1/$everything?start=soon", "", 400, "start"},
			{"everything of a type that is none", "GET", "Patient/p1/$everything?_type=Patent", "", 400, "_type"},
			{"everything, by a resource", "POST", "Patient/p1/$everything", named, 400, "Parameters"},

			{"the last of each kind", "GET", "Observation/$lastn?patient=p1&category=laboratory", "", 200, "Observation/o3 Observation/o4 Observation/o5"},
			{"the last two of each kind", "GET", "Observation/$lastn?patient=p1&category=laboratory&max=2", "", 200, "Observation/o3 Observation/o4 Observation/o5"},
			{"the last three of each kind", "GET", "Observation/$lastn?patient=p1&category=laboratory&max=3", "", 200, "Observation/o2 Observation/o3 Observation/o4 Observation/o5"},
			{"the last of a code", "GET", "Observation/$lastn?subject=Patient/p1&code=a", "", 200, "Observation/o3"},
			{"the last of a code before a day", "GET", "Observation/$lastn?subject=Patient/p1&code=a&date=lt2025-02-15", "", 200, "Observation/o2"},
			{"the last, posted", "POST", "Observation/$lastn", asks(parameter("patient", "valueReference", `{"reference":"Patient/p2"}`), parameter("category", "valueString", `"laboratory"`), parameter("max", "valuePositiveInt", "9")), 200, "Observation/o6"},
			{"the last of nothing", "GET", "Observation/$lastn?patient=p1&category=vital-signs", "", 200, ""},
			{"the last of anybody", "GET", "Observation/$lastn?category=laboratory", "", 400, "patient"},
			{"the last of anything", "GET", "Observation/$lastn?patient=p1", "", 400, "category"},
			{"the last none", "GET", "Observation/$lastn?patient=p1&category=laboratory&max=0", "", 400, "max"},
			{"the last, sorted", "GET", "Observation/$lastn?patient=p1&category=laboratory&_sort=date", "", 400, "latest first"},
			{"the last by an unknown parameter", "GET", "Observation/$lastn?patient=p1&category=laboratory&colour=red", "", 400, "colour"},
			{"the last of an instance", "GET", "Observation/o1/$lastn", "", 404, "operation"},

			{"validate", "POST", "Patient/$validate", named, 200, `"severity":"information"`},
			{"validate what is wrong", "POST", "Patient/$validate", `{"resourceType":"Patient","gender":"m"}`, 200, "Patient.gender"},
			{"validate what breaks a rule", "POST", "Patient/$validate", `{"resourceType":"Patient","contact":[{"gender":"male"}]}`, 200, "pat-1"},
			{"validate Parameters", "POST", "Patient/$validate", asks(`{"name":"resource","resource":` + named + `}`), 200, `"severity":"information"`},
			{"validate by a stored profile", "POST", "Patient/$validate?profile=http://test/named", named, 200, "Patient.birthDate"},
			{"validate by a stored profile that fits", "POST", "Patient/$validate", asks(`{"name":"resource","resource":{"resourceType":"Patient","birthDate":"1990"}}`, parameter("profile", "valueUri", `"http://test/named"`)), 200, `"severity":"information"`},
			{"validate by a profile of the guide", "POST", "Patient/$validate?profile=https://yilian.dev/fhir/StructureDefinition/patient", named, 200, "Patient.identifier"},
			{"validate by a profile that is unknown", "POST", "Patient/$validate?profile=http://test/none", named, 404, "profile"},
			{"validate a create", "POST", "Patient/$validate?mode=create", named, 200, `"severity":"information"`},
			{"validate an update of no instance", "POST", "Patient/$validate?mode=update", named, 400, "mode"},
			{"validate an update", "POST", "Patient/p1/$validate?mode=update", `{"resourceType":"Patient","id":"p1"}`, 200, `"severity":"information"`},
			{"validate an update of another id", "POST", "Patient/p1/$validate?mode=update", `{"resourceType":"Patient","id":"p9"}`, 200, "id-other"},
			{"validate a delete", "POST", "Patient/p1/$validate?mode=delete", "", 200, `"severity":"information"`},
			{"validate a delete by GET", "GET", "Patient/p1/$validate?mode=delete", "", 200, `"severity":"information"`},
			{"validate a delete of nothing", "GET", "Patient/nobody/$validate?mode=delete", "", 404, "not-found"},
			{"validate what is stored", "GET", "Patient/p1/$validate", "", 200, `"severity":"information"`},
			{"validate what is stored by a profile", "GET", "Patient/p2/$validate?profile=http://test/named", "", 200, "Patient.birthDate"},
			{"validate in another mode", "POST", "Patient/$validate?mode=some", named, 400, "mode"},
			{"validate nothing", "POST", "Patient/$validate", asks(), 400, "no resource"},
			{"validate another type", "POST", "Patient/$validate", `{"resourceType":"Group"}`, 400, "not a Patient"},
			{"validate with an unknown parameter", "POST", "Patient/$validate?colour=red", named, 400, "profile"},
			{"validate what is no JSON", "POST", "Patient/$validate", "{", 400, "1:2"},
			{"validate a Parameters resource", "POST", "Parameters/$validate", asks(parameter("x", "valueString", `"y"`)), 200, `"severity":"information"`},

			{"meta", "GET", "Patient/p1/$meta", "", 200, `"name":"return","valueMeta":{"versionId":"1"`},
			{"meta of a version", "GET", "Patient/p1/_history/1/$meta", "", 200, `"versionId":"1"`},
			{"meta of a version that is none", "GET", "Patient/p1/_history/7/$meta", "", 404, "not-found"},
			{"meta of a type without resources", "GET", "Basic/$meta", "", 200, `"valueCode":"not-applicable"`},
			{"meta of an unknown type", "GET", "Dog/$meta", "", 404, "not a resource type"},
			{"meta of a type with a parameter", "GET", "Patient/$meta?colour=red", "", 400, "parameters"},
			{"meta of everything with a parameter", "GET", "$meta?colour=red", "", 400, "parameters"},
			{"meta with a parameter", "GET", "Patient/p1/$meta?colour=red", "", 400, "parameters"},
			{"meta-add by GET", "GET", "Patient/p1/$meta-add", "", 405, "not supported"},
			{"meta-add without a meta", "POST", "Patient/p1/$meta-add", asks(), 400, "valueMeta"},
			{"meta-add to nobody", "POST", "Patient/nobody/$meta-add", asks(parameter("meta", "valueMeta", `{"tag":[{"code":"x"}]}`)), 404, "not-found"},

			{"expand", "GET", "ValueSet/$expand?url=http://test/dogs", "", 200, `"code":"puppy","display":"小狗"`},
			{"expand of FHIR", "GET", "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender", "", 200, `"code":"unknown"`},
			{"expand, filtered", "GET", "ValueSet/$expand?url=http://test/dogs&filter=小", "", 200, `"total":1`},
			{"expand an instance", "GET", "ValueSet/vs1/$expand", "", 200, `"code":"dog"`},
			{"expand what is handed over", "POST", "ValueSet/$expand", `{"resourceType":"ValueSet","status":"active","compose":{"include":[{"system":"http://test/animals","concept":[{"code":"cat"}]}]}}`, 200, `"display":"猫"`},
			{"expand by Parameters", "POST", "ValueSet/$expand", asks(parameter("url", "valueUri", `"http://test/dogs"`), parameter("count", "valueInteger", "1")), 200, `"total":2`},
			{"expand what is unknown", "GET", "ValueSet/$expand?url=http://test/none", "", 404, "value-set-unknown"},
			{"expand with an unknown parameter", "GET", "ValueSet/$expand?url=http://test/dogs&colour=red", "", 400, "parameter-unknown"},
			{"expand nothing", "GET", "ValueSet/$expand", "", 400, "parameter-missing"},
			{"expand fewer than none", "GET", "ValueSet/$expand?url=http://test/dogs&count=-1", "", 400, "parameter-invalid"},
			{"validate-code", "GET", "ValueSet/$validate-code?url=http://test/dogs&system=http://test/animals&code=puppy", "", 200, `"valueBoolean":true`},
			{"validate-code of what is not in it", "GET", "ValueSet/$validate-code?url=http://test/dogs&system=http://test/animals&code=cat", "", 200, `"valueBoolean":false`},
			{"validate-code of a coding in the address", "GET", "ValueSet/vs1/$validate-code?coding=http://test/animals|dog", "", 200, `"valueBoolean":true`},
			{"validate-code of a code system", "GET", "CodeSystem/$validate-code?url=http://test/animals&code=cat", "", 200, `"valueBoolean":true`},
			{"validate-code of an instance", "GET", "CodeSystem/cs1/$validate-code?code=fish", "", 200, `"valueBoolean":false`},
			{"lookup", "GET", "CodeSystem/$lookup?system=http://test/animals&code=cat", "", 200, `"valueString":"猫"`},
			{"lookup of FHIR", "POST", "CodeSystem/$lookup", asks(parameter("coding", "valueCoding", `{"system":"http://hl7.org/fhir/administrative-gender","code":"male"}`)), 200, `"valueString":"Male"`},
			{"lookup of a code that is none", "GET", "CodeSystem/$lookup?system=http://test/animals&code=fish", "", 404, "code-unknown"},
			{"lookup in what is unknown", "GET", "CodeSystem/$lookup?system=http://test/none&code=fish", "", 404, "code-system-unknown"},
			{"subsumes", "GET", "CodeSystem/$subsumes?system=http://test/animals&codeA=animal&codeB=puppy", "", 200, `"valueCode":"subsumes"`},
			{"subsumes of an instance", "GET", "CodeSystem/cs1/$subsumes?codeA=cat&codeB=puppy", "", 200, `"valueCode":"not-subsumed"`},
			{"translate", "GET", "ConceptMap/$translate?url=http://test/map&system=http://test/animals&code=dog", "", 200, `"code":"bark"`},
			{"translate by any map", "GET", "ConceptMap/$translate?system=http://test/animals&code=dog&targetsystem=http://test/sounds", "", 200, `"code":"bark"`},
			{"translate by an instance", "POST", "ConceptMap/cm1/$translate", asks(parameter("coding", "valueCoding", `{"system":"http://test/animals","code":"dog"}`)), 200, `"code":"bark"`},
			{"translate what has no translation", "GET", "ConceptMap/$translate?url=http://test/map&system=http://test/animals&code=cat", "", 200, `"valueBoolean":false`},
			{"an operation of another type", "GET", "Patient/$expand", "", 404, "operation"},
			{"an operation that there is not", "GET", "Patient/p1/$fly", "", 404, "operation"},
		} {
			t.Run(tt.feature, func(t *testing.T) {
				c.t = t
				got := c.do(tt.method, "/fhir/"+tt.path, tt.body)
				if got.Code != tt.status {
					t.Fatalf("%d %.600s", got.Code, got.Body)
				}
				if got.tree.ResourceType() == "Bundle" {
					want := strings.Fields(tt.want)
					slices.Sort(want)
					if found := entries(got.tree, false); found != strings.Join(want, " ") {
						t.Errorf("found %s, want %s", found, strings.Join(want, " "))
					}
				} else if !strings.Contains(got.Body.String(), tt.want) {
					t.Errorf("%q is not in %.1000s", tt.want, got.Body)
				}
				if wrong := thorough().Resource(got.tree); fhir.HasErrors(wrong) {
					t.Errorf("not valid: %v in %.500s", wrong[0], got.Body)
				}
				// The same in XML, asked and answered.
				if tt.body == "" || got.Code == http.StatusBadRequest {
					return
				}
				body, err := fhir.Parse([]byte(tt.body), fhir.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				asked, issues := fhirxml.Append(nil, body)
				if len(issues) > 0 {
					t.Fatal(issues)
				}
				if inXML := c.do(tt.method, "/fhir/"+tt.path, string(asked), asXML, "Accept: application/fhir+xml"); inXML.Code != got.Code ||
					inXML.tree.ResourceType() != got.tree.ResourceType() || inXML.tree.Get("entry").Len() != got.tree.Get("entry").Len() {
					t.Errorf("in XML: %d %.500s", inXML.Code, inXML.Body)
				}
			})
		}
	})
}

func TestWhatXMLSaysAndFHIRDoesNotHaveIsFoundByValidate(t *testing.T) {
	c := newClient(t)
	body := `<Patient xmlns="http://hl7.org/fhir"><colour value="red"/></Patient>`
	got := c.do("POST", "/fhir/Patient/$validate", body, asXML)
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "colour") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := c.do("POST", "/fhir/ValueSet/$expand", body, asXML); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("another operation: %d %s", got.Code, got.Body)
	}
}

func TestMetaIsAddedToAndTakenFrom(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		tag := func(code string) string {
			return asks(parameter("meta", "valueMeta", `{"profile":["http://hl7.org/fhir/StructureDefinition/Patient"],"security":[{"system":"http://test/s","code":"`+code+`"}],"tag":[{"system":"http://test/t","code":"`+code+`"}]}`))
		}
		for _, tt := range []struct {
			what, operation, body string
			version, tags         string
		}{
			{"adding", "$meta-add", tag("x"), "2", "x city"},
			{"adding what is there", "$meta-add", tag("x"), "2", "x city"},
			{"adding more", "$meta-add", tag("y"), "3", "x y city"},
			{"taking away", "$meta-delete", tag("x"), "4", "y city"},
			{"taking away what is not there", "$meta-delete", tag("x"), "4", "y city"},
			{"taking away the owner", "$meta-delete", asks(parameter("meta", "valueMeta", `{"tag":[{"system":"https://yilian.dev/fhir/institution","code":"city"}]}`)), "4", "y city"},
		} {
			got := c.do("POST", "/fhir/Patient/p1/"+tt.operation, tt.body)
			meta := got.tree.Get("parameter").At(0).Get("valueMeta")
			var tags []string
			for _, n := range meta.Get("tag").Items() {
				tags = append(tags, n.Get("code").Text())
			}
			if got.Code != http.StatusOK || meta.Get("versionId").Text() != tt.version || strings.Join(tags, " ") != tt.tags {
				t.Errorf("%s: %d %s", tt.what, got.Code, got.Body)
			}
		}
		if got := c.do("GET", "/fhir/Patient?_tag=http://test/t|y&_security=http://test/s|y", ""); entries(got.tree, true) != "Patient/p1" {
			t.Errorf("not found by the tag: %s", got.Body)
		}
		if got := c.do("POST", "/fhir/Patient/p1/$meta-add", tag("z"), "X-Test-Institution: county"); got.Code != http.StatusNotFound {
			t.Errorf("by another institution: %d", got.Code)
		}
		if got := c.do("POST", "/fhir/Binary/bin1/$meta-add", asks(parameter("meta", "valueMeta", `{"tag":[{"code":"x"}]}`))); got.Code != http.StatusOK {
			t.Errorf("of a Binary: %d %s", got.Code, got.Body)
		}
		if got := c.send("GET", "/fhir/Binary/bin1", nil); got.Body.String() != "a" {
			t.Errorf("the content is lost: %s", got.Body)
		}
	})
}

func TestStoredDefinitionsAnswerAtOnceAndToWhoMaySeeThem(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		const ask = "/fhir/ValueSet/$validate-code?url=http://test/dogs&system=http://test/animals&code=cat"
		says := func(want string, headers ...string) {
			t.Helper()
			if got := c.do("GET", ask, "", headers...); !strings.Contains(got.Body.String(), want) {
				t.Errorf("%q is not in %s", want, got.Body)
			}
		}
		says(`"valueBoolean":false`)
		wider := strings.Replace(world[slices.IndexFunc(world, func(s string) bool { return strings.Contains(s, `"id":"vs1"`) })], `"value":"dog"`, `"value":"animal"`, 1)
		if got := c.do("PUT", "/fhir/ValueSet/vs1", wider); got.Code != http.StatusOK {
			t.Fatal(got.Body)
		}
		says(`"valueBoolean":true`)
		says("value-set-unknown", "X-Test-Institution: county")
		if got := c.do("GET", "/fhir/Condition?code:in=http://test/dogs", "", "X-Test-Institution: county"); got.Code != http.StatusBadRequest {
			t.Errorf("a search in a value set that may not be seen: %d %s", got.Code, got.Body)
		}
		if got := c.do("DELETE", "/fhir/ValueSet/vs1", ""); got.Code != http.StatusNoContent {
			t.Fatal(got.Body)
		}
		says("value-set-unknown")
	})
}

func TestEntriesOfABundleMayAskWhateverThereIs(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		asked := []struct{ url, want string }{
			{"Patient/p1/$everything?_type=Condition", `"Condition"`},
			{"ValueSet/$expand?url=http://test/dogs", `"puppy"`},
			{"Patient/p1/Observation?code=b", `"o3"`},
			{"Patient?_summary=count", `"total":2`},
			{"Observation/$lastn?patient=p1&code=a", `"o3"`},
			{"Patient/p1?_elements=gender&_format=xml", "SUBSETTED"},
			{"Condition?code:in=http://test/dogs", `"c1"`},
		}
		for _, kind := range []string{"batch", "transaction"} {
			var list []string
			for _, a := range asked {
				list = append(list, `{"request":{"method":"GET","url":"`+a.url+`"}}`)
			}
			got := c.do("POST", "/fhir", `{"resourceType":"Bundle","type":"`+kind+`","entry":[`+strings.Join(list, ",")+`]}`)
			if got.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", kind, got.Code, got.Body)
			}
			for i, e := range got.tree.Get("entry").Items() {
				if text := string(e.AppendJSON(nil)); !strings.Contains(text, asked[i].want) || !strings.HasPrefix(e.Path("response", "status").Text(), "200") {
					t.Errorf("%s: %s: %.500s", kind, asked[i].url, text)
				}
			}
		}
	})
}

func TestMetaTellsWhatIsInUse(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		labelled := func(typ, id, meta, institution string) {
			if got := c.do("PUT", "/fhir/"+typ+"/"+id, `{"resourceType":"`+typ+`","id":"`+id+`","meta":`+meta+map[string]string{"Basic": `,"code":{"text":"a"}`}[typ]+`}`, "X-Test-Institution: "+institution); got.Code >= 300 {
				t.Fatal(got.Code, got.Body)
			}
		}
		labelled("Patient", "a", `{"profile":["http://hl7.org/fhir/StructureDefinition/Patient|4.0.1"],"security":[{"system":"http://test/s","code":"R","display":"restricted"}],"tag":[{"system":"http://test/t","code":"x"},{"code":"bare"}]}`, "city")
		labelled("Patient", "b", `{"security":[{"system":"http://test/s","code":"R"}],"tag":[{"system":"http://test/t","code":"y"}]}`, "city")
		labelled("Patient", "c", `{"tag":[{"system":"http://test/t","code":"z"}]}`, "county")
		labelled("Basic", "d", `{"tag":[{"system":"http://test/t","code":"x"},{"system":"http://test/t","code":"basic"}]}`, "city")
		answered := func(path, institution string) string {
			t.Helper()
			var headers []string
			if institution != "" {
				headers = []string{"X-Test-Institution: " + institution}
			}
			get, post := c.do("GET", "/fhir/"+path, "", headers...), c.do("POST", "/fhir/"+path, "", headers...)
			if get.Code != http.StatusOK || post.Code != http.StatusOK || get.Body.String() != post.Body.String() {
				t.Fatalf("%s: %d %s, posted %d %s", path, get.Code, get.Body, post.Code, post.Body)
			}
			meta := get.tree.Get("parameter").At(0).Get("valueMeta")
			for _, k := range meta.All() {
				if !slices.Contains([]string{"extension", "profile", "security", "tag"}, k.Name()) {
					t.Errorf("%s answers %s", path, k.Name())
				}
			}
			var all []string
			for _, p := range meta.Get("profile").Items() {
				all = append(all, p.Text())
			}
			for _, list := range []string{"security", "tag"} {
				for _, n := range meta.Get(list).Items() {
					all = append(all, n.Get("system").Text()+"|"+n.Get("code").Text())
				}
			}
			slices.Sort(all)
			return strings.NewReplacer("http://hl7.org/fhir/StructureDefinition/", "", "http://test/", "", "https://yilian.dev/fhir/institution", "owner").Replace(strings.Join(all, " "))
		}
		// Each institution has the persons of its patients, which are the alliance's.
		for _, tt := range []struct{ name, path, institution, want string }{
			{"a type", "Patient/$meta", "", "Patient|4.0.1 s|R t|x t|y t|z owner|alliance owner|city owner|county |bare"},
			{"a type, as one institution sees it", "Patient/$meta", "city", "Patient|4.0.1 s|R t|x t|y owner|alliance owner|city |bare"},
			{"a type, as another sees it", "Patient/$meta", "county", "t|z owner|alliance owner|county"},
			{"a type, as nobody's friend sees it", "Patient/$meta", "village", ""},
			{"another type", "Basic/$meta", "", "t|basic t|x owner|city"},
			{"everything", "$meta", "", "Patient|4.0.1 s|R t|basic t|x t|y t|z owner|alliance owner|city owner|county |bare"},
			{"everything, as one institution sees it", "$meta", "county", "t|z owner|alliance owner|county"},
		} {
			want := strings.Fields(tt.want)
			got := strings.Fields(answered(tt.path, tt.institution))
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", tt.name, got, want)
			}
		}
		labelled("Patient", "b", `{"tag":[{"system":"http://test/t","code":"x"}]}`, "city")
		if got := c.do("DELETE", "/fhir/Basic/d", ""); got.Code >= 300 {
			t.Fatal(got.Code, got.Body)
		}
		for path, gone := range map[string]string{"Patient/$meta": "t|y", "$meta": "t|basic", "Basic/$meta": "|"} {
			if got := answered(path, ""); slices.Contains(strings.Fields(got), gone) || gone == "|" && got != "" {
				t.Errorf("%s: %s, with %s, which nothing carries any more", path, got, gone)
			}
		}
		for i := range 10 {
			var many []string
			for j := range 101 {
				many = append(many, fmt.Sprintf(`{"system":"http://test/many","code":"%d-%d"}`, i, j))
			}
			labelled("Basic", fmt.Sprint("many", i), `{"tag":[`+strings.Join(many, ",")+`]}`, "city")
		}
		for _, path := range []string{"Basic/$meta", "$meta"} {
			if got := c.do("GET", "/fhir/"+path, ""); got.Code < 400 || !strings.Contains(got.Body.String(), "too-costly") {
				t.Errorf("%s with more than it looks for: %d %.300s", path, got.Code, got.Body)
			}
		}
		if got := answered("Patient/$meta", "county"); !strings.Contains(got, "t|z") {
			t.Errorf("the labels of another type are in the way: %s", got)
		}
	})
}

func TestEveryOperationThatIsPromisedIsThere(t *testing.T) {
	c := newClient(t)
	c.engine.Expunges = true
	promised := map[string]bool{}
	for _, r := range c.do("GET", "/fhir/metadata", "").tree.Get("rest").At(0).Get("resource").Items() {
		for _, o := range r.Get("operation").Items() {
			promised[r.Get("type").Text()+" "+o.Get("name").Text()] = true
		}
	}
	for _, o := range interaction.Operations() {
		typ := o.Type
		if typ == "" {
			typ = "Patient"
		}
		if !promised[typ+" "+o.Name] {
			t.Errorf("$%s of %s is there and not promised", o.Name, typ)
		}
	}
	for name := range promised {
		typ, operation, _ := strings.Cut(name, " ")
		o, ok := interaction.OperationOf(typ, operation)
		path := "/fhir/" + typ + "/x/$" + operation
		if o.OnType {
			path = "/fhir/" + typ + "/$" + operation
		}
		if got := c.do("POST", path, asks()); !ok || got.Code == http.StatusMethodNotAllowed || strings.Contains(got.Body.String(), "operation here") {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
}
