package rest_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/rest"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// header says who asks: X-Test-Institution, or everybody when absent.
type header struct{}

func (header) Viewer(r *http.Request) (interaction.Viewer, error) {
	if id := r.Header.Get("X-Test-Institution"); id != "" {
		return interaction.Viewer{Client: id, Institution: id}, nil
	}
	return interaction.Viewer{Client: "all", Institution: "city", Everything: true}, nil
}

type client struct {
	t      testing.TB
	server http.Handler
	engine *interaction.Engine
}

func newClient(t testing.TB) *client {
	t.Helper()
	return newClientOf(t)
}

// newClientOf is newClient of an endpoint that pages of some sites may use.
func newClientOf(t testing.TB, origins ...string) *client {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	defs := definitions.R4()
	engine := interaction.New(interaction.Config{
		Store: s, Definitions: defs, Validator: validate.New(defs, validate.Options{Thorough: true, NoBestPractice: true}),
		Index:    search.New(defs, search.Options{Bases: []string{"http://test/fhir"}}),
		Identity: identity.New(identity.DefaultSystems("https://yilian.dev")),
		Base:     "https://yilian.dev", FHIRBase: "http://test/fhir",
	})
	h := rest.New(rest.Config{Engine: engine, Auth: header{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Path: "/fhir", Origins: origins, Body: 1 << 20, Depth: 30})
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = h.Fail(c, err) }
	h.Register(e)
	return &client{t, e, engine}
}

type reply struct {
	*httptest.ResponseRecorder
	tree *fhir.Node
}

// do sends a request; headers are "Name: value".
func (c *client) do(method, path, body string, headers ...string) reply {
	c.t.Helper()
	r := httptest.NewRequest(method, "http://test"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	out := reply{ResponseRecorder: w}
	if w.Body.Len() > 0 && w.Header().Get("Content-Encoding") == "" {
		if strings.Contains(w.Header().Get("Content-Type"), "xml") {
			tree, issues, err := fhirxml.Parse(bytes.Clone(w.Body.Bytes()), fhirxml.Options{})
			if err != nil || len(issues) > 0 {
				c.t.Fatalf("%s %s: the answer is not XML: %v %v", method, path, err, issues)
			}
			out.tree = tree
			return out
		}
		tree, err := fhir.Parse(w.Body.Bytes(), fhir.Limits{})
		if err != nil {
			c.t.Fatalf("%s %s: the answer is not JSON: %v", method, path, err)
		}
		out.tree = tree
	}
	return out
}

// create posts a resource and returns its id.
func (c *client) create(typ, body string, headers ...string) string {
	c.t.Helper()
	got := c.do("POST", "/fhir/"+typ, body, headers...)
	if got.Code != http.StatusCreated {
		c.t.Fatalf("create %s: %d %s", typ, got.Code, got.Body)
	}
	return got.tree.ID()
}

const patient = `{"resourceType":"Patient","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],"name":[{"text":"王小明","family":"王","given":["小明"]}],"gender":"female","birthDate":"1990-01-01"}`

func TestEveryWrongRequestIsAnsweredWithAnOutcomeThatSaysWhy(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	gone := c.create("Patient", `{"resourceType":"Patient","active":true}`)
	if got := c.do("DELETE", "/fhir/Patient/"+gone, ""); got.Code != http.StatusNoContent {
		t.Fatalf("delete: %d", got.Code)
	}
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, text               string
	}{
		{"an unknown id", "GET", "/fhir/Patient/nobody", "", nil, 404, "not-found", ""},
		{"an id that cannot be one", "GET", "/fhir/Patient/a%20b", "", nil, 404, "not-found", ""},
		{"a deleted resource", "GET", "/fhir/Patient/" + gone, "", nil, 410, "deleted", ""},
		{"an unknown type", "GET", "/fhir/Patent/1", "", nil, 404, "not-found", ""},
		{"an unknown version", "GET", "/fhir/Patient/" + id + "/_history/9", "", nil, 404, "not-found", ""},
		{"a version that is a deletion", "GET", "/fhir/Patient/" + gone + "/_history/2", "", nil, 410, "deleted", ""},
		{"an unknown address", "GET", "/fhir/Patient/1/2/3", "", nil, 404, "not-found", ""},
		{"an unsupported interaction", "POST", "/fhir/Patient/" + id, "{}", nil, 405, "not-supported", ""},
		{"an unknown search parameter", "GET", "/fhir/Patient?colour=red", "", nil, 400, "not-supported", "colour"},
		{"a malformed search value", "GET", "/fhir/Patient?birthdate=soon", "", nil, 400, "value", "birthdate"},
		{"a forged page link", "GET", "/fhir/Patient?_cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", nil, 400, "invalid", "page"},
		{"malformed JSON", "POST", "/fhir/Patient", "{\n \"resourceType\": 01}", nil, 400, "structure", "2:"},
		{"a duplicate property", "POST", "/fhir/Patient", `{"resourceType":"Patient","a":1,"a":2}`, nil, 400, "structure", "duplicate"},
		{"another type", "POST", "/fhir/Patient", `{"resourceType":"Observation"}`, nil, 400, "invalid", ""},
		{"content that is not R4", "POST", "/fhir/Patient", `{"resourceType":"Patient","gender":"m"}`, nil, 422, "", "Patient.gender"},
		{"an element that R4 does not have", "POST", "/fhir/Patient", `{"resourceType":"Patient","colour":"red"}`, nil, 422, "", "colour"},
		{"asking for another version of FHIR", "GET", "/fhir/Patient/" + id, "", []string{"Accept: application/fhir+json; fhirVersion=3.0"}, 406, "not-supported", ""},
		{"a body over the limit", "POST", "/fhir/Patient", `{"resourceType":"Patient","language":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "too-long", ""},
		{"a body nested deeper than the limit", "POST", "/fhir/Patient", `{"resourceType":"Patient","extension":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}`, nil, 400, "structure", "nested deeper than 30"},
		{"update without an id in the body", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient"}`, nil, 400, "invalid", ""},
		{"update under an id that cannot be one", "PUT", "/fhir/Patient/a_b", `{"resourceType":"Patient","id":"a_b"}`, nil, 400, "value", "1 to 64"},
		{"update under an id that is too long", "PUT", "/fhir/Patient/" + strings.Repeat("a", 65), `{"resourceType":"Patient"}`, nil, 400, "value", "1 to 64"},
		{"an id that is a number", "POST", "/fhir/Patient", `{"resourceType":"Patient","id":5}`, nil, 422, "structure", "Patient.id"},
		{"a meta that is a text", "POST", "/fhir/Patient", `{"resourceType":"Patient","meta":"x"}`, nil, 422, "structure", "Patient.meta"},
		{"a meta that is a list", "POST", "/fhir/Patient", `{"resourceType":"Patient","meta":[{}]}`, nil, 422, "structure", "Patient.meta"},
		{"a version that is a number", "POST", "/fhir/Patient", `{"resourceType":"Patient",
			"meta":{"versionId":5}}`, nil, 422, "structure", "2:24"},
		{"a patch of meta to a text", "PATCH", "/fhir/Patient/" + id, `[{"op":"replace","path":"/meta","value":"x"}]`, []string{"Content-Type: application/json-patch+json"}, 422, "structure", "Patient.meta"},
		{"a version with a sign", "GET", "/fhir/Patient/" + id + "/_history/+1", "", nil, 404, "not-found", ""},
		{"a version with a zero before it", "GET", "/fhir/Patient/" + id + "/_history/01/$meta", "", nil, 404, "not-found", ""},
		{"an operation that changes, by reading", "GET", "/fhir/Patient/" + id + "/$meta-add", "", nil, 405, "not-supported", ""},
		{"an operation that there is not", "GET", "/fhir/Patient/$guess", "", nil, 404, "not-found", "operation"},
		{"a conditional create by nothing", "POST", "/fhir/Patient", patient, []string{"If-None-Exist: "}, 400, "required", "criterion"},
		{"a conditional create by what another type has", "POST", "/fhir/Patient", patient, []string{"If-None-Exist: Observation?code=x"}, 400, "invalid", "another type"},
		{"a change of meta of an old version", "POST", "/fhir/Patient/" + id + "/$meta-add", metaOf("x"), []string{`If-Match: W/"7"`}, 412, "conflict", ""},
		{"a reference by criteria that nothing fits", "POST", "/fhir/Observation", observing("Patient?identifier=nobody"), nil, 412, "not-found", "reference"},
		{"a reference by criteria that are unknown", "POST", "/fhir/Observation", observing("Patient?colour=red"), nil, 400, "not-supported", "colour"},
		{"update of another id", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient","id":"x"}`, nil, 400, "invalid", ""},
		{"update that would create", "PUT", "/fhir/Patient/fresh", `{"resourceType":"Patient","id":"fresh"}`, nil, 405, "not-supported", ""},
		{"update of an old version", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient","id":"` + id + `"}`, []string{`If-Match: W/"7"`}, 412, "conflict", ""},
		{"update of one of several old versions", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient","id":"` + id + `"}`, []string{`If-Match: W/"7", W/"8"`}, 412, "conflict", ""},
		{"update of a version of another server", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient","id":"` + id + `"}`, []string{`If-Match: "x7"`}, 412, "conflict", ""},
		{"a malformed If-Match", "PUT", "/fhir/Patient/" + id, `{"resourceType":"Patient","id":"` + id + `"}`, []string{`If-Match: 1`}, 400, "invalid", ""},
		{"a conditional create without criteria", "POST", "/fhir/Patient", patient, []string{"If-None-Exist: ?"}, 400, "required", "criterion"},
		{"criteria that are unknown", "POST", "/fhir/Patient", patient, []string{"If-None-Exist: colour=red"}, 400, "not-supported", "colour"},
		{"criteria that say how to sort", "POST", "/fhir/Patient", patient, []string{"If-None-Exist: identifier=1&_sort=name"}, 400, "invalid", ""},
		{"an update of a type without criteria", "PUT", "/fhir/Patient", patient, nil, 400, "required", "criterion"},
		{"a delete of a type without criteria", "DELETE", "/fhir/Patient", "", nil, 400, "required", "criterion"},
		{"a patch that is no Parameters", "PATCH", "/fhir/Patient/" + id, "[]", nil, 400, "structure", "Parameters"},
		{"a patch of an unknown type", "PATCH", "/fhir/Patient/" + id, "x", []string{"Content-Type: text/plain"}, 415, "not-supported", ""},
		{"a JSON Patch that is no JSON", "PATCH", "/fhir/Patient/" + id, "[{", []string{"Content-Type: application/json-patch+json"}, 400, "structure", "1:3"},
		{"a JSON Patch of what is not there", "PATCH", "/fhir/Patient/" + id, `[{"op":"remove","path":"/photo"}]`, []string{"Content-Type: application/json-patch+json"}, 422, "not-found", ""},
		{"a JSON Patch of the id", "PATCH", "/fhir/Patient/" + id, `[{"op":"replace","path":"/id","value":"x"}]`, []string{"Content-Type: application/json-patch+json"}, 422, "business-rule", ""},
		{"a patch to what is not R4", "PATCH", "/fhir/Patient/" + id, `[{"op":"replace","path":"/gender","value":"m"}]`, []string{"Content-Type: application/json-patch+json"}, 422, "", "Patient.gender"},
		{"a patch of what is not there", "PATCH", "/fhir/Patient/nobody", `[]`, []string{"Content-Type: application/json-patch+json"}, 404, "not-found", ""},
		{"a patch of what was deleted", "PATCH", "/fhir/Patient/" + gone, `[]`, []string{"Content-Type: application/json-patch+json"}, 410, "deleted", ""},
		{"a Bundle that is no batch", "POST", "/fhir", `{"resourceType":"Bundle","type":"collection"}`, nil, 400, "invalid", "Bundle.type"},
		{"a resource posted to the endpoint", "POST", "/fhir", patient, nil, 400, "invalid", ""},
		{"a transaction with an entry without a request", "POST", "/fhir", `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient"}}]}`, nil, 400, "required", "Bundle.entry[0]"},
		{"a transaction with a method that is none", "POST", "/fhir", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"TRACE","url":"Patient/1"}}]}`, nil, 400, "", "Bundle.entry[0].request.method"},
		{"a history by an unknown parameter", "GET", "/fhir/Patient/" + id + "/_history?name=x", "", nil, 400, "invalid", "_since"},
		{"a history since nothing", "GET", "/fhir/_history?_since=soon", "", nil, 400, "invalid", "_since"},
		{"a forged history link", "GET", "/fhir/Patient/_history?_cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", nil, 400, "invalid", "page"},
		{"the history of an unknown type", "GET", "/fhir/Patent/_history", "", nil, 404, "not-found", ""},
		{"$everything of something else", "GET", "/fhir/Observation/1/$everything", "", nil, 404, "not-found", ""},
		{"a posted search that is no form", "POST", "/fhir/Patient/_search", "{}", nil, 415, "not-supported", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			got := c.do(tt.method, tt.path, tt.body, tt.headers...)
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if got.tree.ResourceType() != "OperationOutcome" {
				t.Fatalf("got a %s", got.tree.ResourceType())
			}
			if wrong := validate.New(definitions.R4(), validate.Options{}).Resource(got.tree); fhir.HasErrors(wrong) {
				t.Errorf("the outcome is not valid FHIR: %v", wrong)
			}
			issue := got.tree.Path("issue")
			if code := issue.Path("code").Text(); tt.code != "" && code != tt.code && issue.At(0).Get("code").Text() != tt.code {
				t.Errorf("code %s, want %s", issue.At(0).Get("code").Text(), tt.code)
			}
			if !strings.Contains(got.Body.String(), tt.text) {
				t.Errorf("%q is not in %s", tt.text, got.Body)
			}
		})
	}
}

func metaOf(tag string) string {
	return `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"system":"urn:oid:2.25.1","code":"` + tag + `"}]}}]}`
}

func observing(subject string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"` + subject + `"}}`
}

func TestAResourceLives(t *testing.T) {
	c := newClient(t)
	created := c.do("POST", "/fhir/Patient", strings.Replace(patient, `"resourceType"`, `"id":"mine","meta":{"tag":[{"system":"https://yilian.dev/fhir/institution","code":"county"}]},"resourceType"`, 1))
	id := created.tree.ID()
	if id == "mine" || id == "" {
		t.Error("the id is the server's to give")
	}
	if tag := created.tree.Path("meta", "tag").At(0).Get("code").Text(); tag != "city" {
		t.Errorf("owner tag %q: a client may not claim another owner", tag)
	}
	if got := created.Header().Get("Location"); got != "http://test/fhir/Patient/"+id+"/_history/1" {
		t.Errorf("Location %q", got)
	}
	if got := created.Header().Get("ETag"); got != `W/"1"` {
		t.Errorf("ETag %q", got)
	}
	same := c.do("PUT", "/fhir/Patient/"+id, created.Body.String())
	if same.Code != 200 || same.Header().Get("ETag") != `W/"1"` {
		t.Errorf("unchanged content made version %s (%d)", same.Header().Get("ETag"), same.Code)
	}
	changed := c.do("PUT", "/fhir/Patient/"+id, strings.Replace(created.Body.String(), "1990-01-01", "1990-01-02", 1), `If-Match: W/"7", W/"1"`)
	if changed.Code != 200 || changed.Header().Get("ETag") != `W/"2"` {
		t.Errorf("update: %d %s", changed.Code, changed.Body)
	}
	if got := c.do("GET", "/fhir/Patient/"+id+"/_history/1", ""); got.tree.Get("birthDate").Text() != "1990-01-01" {
		t.Error("the first version changed")
	}
	if got := c.do("GET", "/fhir/Patient/"+id, "", `If-None-Match: W/"2"`); got.Code != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", got.Code)
	}
	if got := c.do("HEAD", "/fhir/Patient/"+id, ""); got.Code != http.StatusOK || got.Header().Get("ETag") != `W/"2"` {
		t.Errorf("HEAD: %d %s", got.Code, got.Header().Get("ETag"))
	}
	if got := c.do("DELETE", "/fhir/Patient/"+id, ""); got.Code != http.StatusNoContent {
		t.Errorf("delete: %d", got.Code)
	}
	if got := c.do("DELETE", "/fhir/Patient/"+id, ""); got.Code != http.StatusNoContent {
		t.Errorf("delete again: %d", got.Code)
	}
	history := c.do("GET", "/fhir/Patient/"+id+"/_history", "")
	var methods []string
	for _, e := range history.tree.Get("entry").Items() {
		methods = append(methods, e.Path("request", "method").Text())
	}
	if got := strings.Join(methods, " "); got != "DELETE PUT POST" {
		t.Errorf("history: %s", got)
	}
	if got := c.do("GET", "/fhir/Patient?identifier=990101199001010027", ""); got.tree.Get("entry").Len() != 0 {
		t.Error("a deleted resource is found")
	}
}

func TestNothingOfAnotherInstitutionIsSeen(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	c.create("Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+id+`"}}`)
	stranger := "X-Test-Institution: county"
	for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient/" + id + "/_history", "/fhir/Patient/" + id + "/_history/1", "/fhir/Patient/" + id + "/$everything"} {
		absent := c.do("GET", strings.Replace(path, id, "absent", 1), "", stranger)
		got := c.do("GET", path, "", stranger)
		if got.Code != 404 || got.Body.String() != absent.Body.String() {
			t.Errorf("%s: %d, and not like an absent one", path, got.Code)
		}
	}
	for _, query := range []string{"Patient?name=王", "Patient?_id=" + id, "Observation?subject=Patient/" + id, "Observation?subject:Patient.name=王",
		"Patient?_has:Observation:subject:status=final", "Patient?_summary=count", "Patient?_total=accurate", "Observation?_include=Observation:subject"} {
		got := c.do("GET", "/fhir/"+query, "", stranger)
		if got.Code != 200 || got.tree.Get("entry").Len() != 0 || got.tree.Get("total") != nil && got.tree.Get("total").Text() != "0" {
			t.Errorf("%s: %d %s", query, got.Code, got.Body)
		}
	}
	if got := c.do("PUT", "/fhir/Patient/"+id, strings.Replace(patient, `"resourceType"`, `"id":"`+id+`","resourceType"`, 1), stranger); got.Code != 405 {
		t.Errorf("update: %d", got.Code)
	}
	if got := c.do("DELETE", "/fhir/Patient/"+id, "", stranger); got.Code != http.StatusNoContent {
		t.Errorf("delete: %d", got.Code)
	}
	if got := c.do("GET", "/fhir/Patient/"+id, ""); got.Code != 200 {
		t.Errorf("the stranger's delete did something: %d", got.Code)
	}
}

func TestAPersonIsFoundAndReadThroughItsPatients(t *testing.T) {
	c := newClient(t)
	city := c.create("Patient", patient)
	county := c.create("Patient", patient, "X-Test-Institution: county")
	c.create("Observation", `{"resourceType":"Observation","status":"final","code":{"text":"a"},"subject":{"reference":"Patient/`+city+`"}}`)
	c.create("Observation", `{"resourceType":"Observation","status":"final","code":{"text":"b"},"subject":{"reference":"Patient/`+county+`"}}`, "X-Test-Institution: county")

	persons := c.do("GET", "/fhir/Patient?identifier=990101199001010027&_tag=https://yilian.dev/fhir/institution|alliance", "")
	if persons.tree.Get("entry").Len() != 1 {
		t.Fatalf("%d persons, want 1: %s", persons.tree.Get("entry").Len(), persons.Body)
	}
	person := persons.tree.Get("entry").At(0).Get("resource")
	if person.Get("link").Len() != 2 || person.Path("link").At(0).Get("type").Text() != "seealso" {
		t.Errorf("links: %s", person.Get("link").AppendJSON(nil))
	}
	if got := c.do("GET", "/fhir/Patient?identifier=990101199001010027", ""); got.tree.Get("entry").Len() != 2 {
		t.Errorf("a plain search shows %d, want the two Patients and no person", got.tree.Get("entry").Len())
	}
	if got := c.do("GET", "/fhir/Patient?identifier=urn:oid:2.16.840.1.113883.2.23.1.19.1|990101199001010027", ""); got.tree.Get("entry").Len() != 2 {
		t.Errorf("by the alias: %d", got.tree.Get("entry").Len())
	}
	id := person.ID()
	for query, want := range map[string]int{
		"Observation?subject=Patient/" + id: 2, "Observation?patient=" + id: 2, "Observation?subject:Patient._id=" + id: 2,
		"Patient?_id=" + id: 1, "Patient?_id=" + city: 1,
	} {
		if got := c.do("GET", "/fhir/"+query, ""); got.tree.Get("entry").Len() != want {
			t.Errorf("%s: %d, want %d: %s", query, got.tree.Get("entry").Len(), want, got.Body)
		}
	}
	everything := c.do("GET", "/fhir/Patient/"+id+"/$everything", "")
	if got := everything.tree.Get("entry").Len(); got != 5 {
		t.Errorf("$everything: %d entries, want the person, two Patients and two Observations: %s", got, everything.Body)
	}
	narrow := c.do("GET", "/fhir/Patient/"+id, "", "X-Test-Institution: county")
	if narrow.tree.Get("link").Len() != 1 || strings.Contains(narrow.Body.String(), city) {
		t.Errorf("the county sees the city's Patient: %s", narrow.Body)
	}
}

func TestPagingShowsEverythingOnce(t *testing.T) {
	c := newClient(t)
	for range 25 {
		c.create("Patient", `{"resourceType":"Patient","gender":"female"}`)
	}
	seen := map[string]int{}
	path := "/fhir/Patient?gender=female&_count=7&_sort=-_lastUpdated"
	pages := 0
	for path != "" {
		got := c.do("GET", path, "")
		if got.Code != 200 {
			t.Fatalf("%s: %s", path, got.Body)
		}
		pages++
		for _, e := range got.tree.Get("entry").Items() {
			seen[e.Path("resource", "id").Text()]++
		}
		path = ""
		for _, l := range got.tree.Get("link").Items() {
			if l.Get("relation").Text() == "next" {
				path = strings.TrimPrefix(l.Get("url").Text(), "http://test")
			}
		}
	}
	if len(seen) != 25 || pages != 4 {
		t.Errorf("%d resources on %d pages", len(seen), pages)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s shown %d times", id, n)
		}
	}
}

func TestIncludesAndSubsets(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	c.create("Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+id+`"},"note":[{"text":"n"}]}`)
	for query, want := range map[string]string{
		"Observation?status=final&_include=Observation:subject":       "match include",
		"Patient?gender=female&_revinclude=Observation:subject":       "match include",
		"Observation?status=final&_include=*":                         "match include",
		"Observation?status=final&_include=Observation:subject:Group": "match",
	} {
		got := c.do("GET", "/fhir/"+query, "")
		var modes []string
		for _, e := range got.tree.Get("entry").Items() {
			modes = append(modes, e.Path("search", "mode").Text())
		}
		if strings.Join(modes, " ") != want {
			t.Errorf("%s: %v, want %s", query, modes, want)
		}
	}
	got := c.do("GET", "/fhir/Observation?status=final&_elements=status", "")
	res := got.tree.Get("entry").At(0).Get("resource")
	if res.Get("note") != nil || res.Get("status") == nil || res.Get("code") == nil || !strings.Contains(string(res.AppendJSON(nil)), "SUBSETTED") {
		t.Errorf("_elements: %s", res.AppendJSON(nil))
	}
	if got := c.do("GET", "/fhir/Observation?_summary=count", ""); got.tree.Get("total").Text() != "1" || got.tree.Get("entry").Len() != 0 {
		t.Errorf("_summary=count: %s", got.Body)
	}
}

func TestCapabilityStatementIsValidAndTrue(t *testing.T) {
	c := newClient(t)
	got := c.do("GET", "/fhir/metadata", "")
	if issues := validate.New(definitions.R4(), validate.Options{}).Resource(got.tree); fhir.HasErrors(issues) {
		t.Errorf("not valid: %v", issues[:min(3, len(issues))])
	}
	for _, r := range got.tree.Path("rest", "resource").Items() {
		if r.Get("type").Text() != "Patient" {
			continue
		}
		for _, p := range r.Get("searchParam").Items() {
			if p.Get("name").Text() == "birthdate" {
				return
			}
		}
	}
	t.Error("Patient has no search parameter birthdate")
}
