package rest_test

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/rest"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/testenv"
)

// Scenarios ask the endpoint over each store. They share one world, which they do not
// change unless they say so.

// thorough is shared: what it compiles serves all tests.
var thorough = sync.OnceValue(func() *validate.Validator {
	return validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true})
})

// over returns a client of an endpoint over a store, where ids are the clients' to
// choose.
func over(t *testing.T, s interaction.Store, err error) *client {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if closer, ok := s.(io.Closer); ok {
		t.Cleanup(func() {
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	defs := definitions.R4()
	index := search.New(defs, search.Options{Bases: []string{"http://test/fhir"}})
	engine := interaction.New(interaction.Config{
		Store: s, Definitions: defs, Validator: thorough(), Guide: ig.Guide(), Index: index, UpdateCreates: true,
		Identity: identity.New(identity.DefaultSystems("https://yilian.dev")), Base: "https://yilian.dev", FHIRBase: "http://test/fhir",
	})
	index.SetTerminology(engine.Terminology())
	h := rest.New(rest.Config{Engine: engine, Auth: header{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Path: "/fhir", Body: 1 << 20, Depth: 30})
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = h.Fail(c, err) }
	h.Register(e)
	return &client{t, e, engine}
}

func onEachStore(t *testing.T, run func(t *testing.T, c *client)) {
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		run(t, over(t, s, err))
	})
	t.Run("postgres", func(t *testing.T) {
		open := func(url string) (io.Closer, error) { return postgres.Open(t.Context(), url, postgres.Options{}) }
		s, err := postgres.Open(t.Context(), testenv.PostgresCopy(t, "store", open), postgres.Options{})
		run(t, over(t, s, err))
	})
}

// world are the resources that scenarios are about.
var world = []string{
	`{"resourceType":"Organization","id":"org1","name":"市医院"}`,
	`{"resourceType":"Practitioner","id":"dr1","name":[{"text":"李医生"}]}`,
	`{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],
		"name":[{"text":"王小明","family":"王","given":["小明"]}],"gender":"female","birthDate":"1990-01-01","managingOrganization":{"reference":"Organization/org1"},
		"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">王小明</div>"},
		"contact":[{"name":{"text":"王大明"}}],"communication":[{"language":{"text":"zh"}}]}`,
	`{"resourceType":"Patient","id":"p2","name":[{"text":"Anna"}],"gender":"male","active":false}`,
	`{"resourceType":"RelatedPerson","id":"rp1","patient":{"reference":"Patient/p1"}}`,
	`{"resourceType":"Device","id":"dev1","patient":{"reference":"Patient/p1"}}`,
	`{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"},"period":{"start":"2025-03-01","end":"2025-03-02"},
		"participant":[{"individual":{"reference":"Practitioner/dr1"}}],"serviceProvider":{"reference":"Organization/org1"}}`,
	observation("o1", "p1", "2025-01-01", `{"system":"http://loinc.org","code":"a"}`, `"encounter":{"reference":"Encounter/e1"},"valueQuantity":{"value":1},"component":[{"code":{"text":"k"},"valueString":"v","interpretation":[{"text":"i"}]}]`),
	observation("o2", "p1", "2025-02-01", `{"system":"http://loinc.org","code":"a"}`, `"performer":[{"reference":"RelatedPerson/rp1"}]`),
	observation("o3", "p1", "2025-03-01", `{"system":"http://loinc.org","code":"a"},{"system":"http://test/local","code":"b"}`, `"performer":[{"reference":"Practitioner/dr1"}]`),
	observation("o4", "p1", "2025-03-01", `{"system":"http://test/local","code":"b"}`, `"device":{"reference":"Device/dev1"}`),
	observation("o5", "p1", "2025-01-05", ``, ``),
	observation("o6", "p2", "2025-01-06", `{"system":"http://loinc.org","code":"a"}`, ``),
	`{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"onsetDateTime":"2024-05-01","code":{"coding":[{"system":"http://test/animals","code":"puppy"}]},
		"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`,
	`{"resourceType":"Condition","id":"c2","subject":{"reference":"Patient/p2"},"code":{"coding":[{"system":"http://test/animals","code":"cat"}]},
		"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`,
	`{"resourceType":"Binary","id":"bin1","contentType":"text/plain","data":"YQ=="}`,
	`{"resourceType":"DocumentReference","id":"d1","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"contentType":"text/plain","url":"Binary/bin1"}}]}`,
	`{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p2"}}]}`,
	`{"resourceType":"Location","id":"loc1","name":"楼"}`,
	`{"resourceType":"Location","id":"loc2","name":"层","partOf":{"reference":"Location/loc1"}}`,
	`{"resourceType":"Location","id":"loc3","name":"室","partOf":{"reference":"Location/loc2"}}`,
	`{"resourceType":"CodeSystem","id":"cs1","url":"http://test/animals","status":"active","content":"complete","hierarchyMeaning":"is-a","concept":[{"code":"animal","display":"动物","concept":[{"code":"dog","display":"狗","concept":[{"code":"puppy","display":"小狗"}]},{"code":"cat","display":"猫"}]}]}`,
	`{"resourceType":"ValueSet","id":"vs1","url":"http://test/dogs","status":"active","compose":{"include":[{"system":"http://test/animals","filter":[{"property":"concept","op":"is-a","value":"dog"}]}]}}`,
	`{"resourceType":"ConceptMap","id":"cm1","url":"http://test/map","status":"active","group":[{"source":"http://test/animals","target":"http://test/sounds","element":[{"code":"dog","target":[{"code":"bark","equivalence":"relatedto"}]}]}]}`,
	`{"resourceType":"StructureDefinition","id":"sd1","url":"http://test/named","name":"Named","status":"active","kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
		"differential":{"element":[{"id":"Patient","path":"Patient"},{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}`,
}

func observation(id, patient, date, codings, more string) string {
	code := `{"text":"尿酸"}`
	if codings != "" {
		code = `{"coding":[` + codings + `]}`
	}
	if more != "" {
		more = "," + more
	}
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],` +
		`"code":` + code + `,"subject":{"reference":"Patient/` + patient + `"},"effectiveDateTime":"` + date + `"` + more + `}`
}

// fill puts the world into the endpoint.
func (c *client) fill() {
	c.t.Helper()
	for _, text := range world {
		tree, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil {
			c.t.Fatal(err)
		}
		headers := []string{"Content-Type: application/fhir+json"}
		if got := c.do("PUT", "/fhir/"+tree.ResourceType()+"/"+tree.ID(), text, headers...); got.Code != http.StatusCreated {
			c.t.Fatalf("%s: %d %s", tree.ID(), got.Code, got.Body)
		}
	}
}

// entries shows a Bundle: matches, +includes, !outcomes; sorted where the order is not
// asked for. Persons are shown as such.
func entries(bundle *fhir.Node, ordered bool) string {
	var out []string
	for _, e := range bundle.Get("entry").Items() {
		r := e.Get("resource")
		name := r.ResourceType() + "/" + r.ID()
		if len(r.ID()) > 10 {
			name = r.ResourceType() + "/person"
		}
		switch e.Path("search", "mode").Text() {
		case "include":
			name = "+" + name
		case "outcome":
			name = "!"
		}
		out = append(out, name)
	}
	if !ordered {
		slices.Sort(out)
	}
	return strings.Join(out, " ")
}

func TestSearchesFindWhatTheyAskFor(t *testing.T) {
	const all = "Condition/c1 DocumentReference/d1 Encounter/e1 Observation/o1 Observation/o2 Observation/o3 Observation/o4 Observation/o5 Patient/p1 RelatedPerson/rp1"
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		for _, tt := range []struct {
			feature, path string
			status        int
			want          string // ids; for a refusal a part of the outcome
			total         string
		}{
			{"type", "Observation?code=a", 200, "Observation/o1 Observation/o2 Observation/o3 Observation/o6", ""},
			{"_total=accurate", "Observation?code=a&_count=1&_sort=date&_total=accurate", 200, "Observation/o1", "4"},
			{"_total=none", "Observation?code=a&_total=none", 200, "Observation/o1 Observation/o2 Observation/o3 Observation/o6", ""},
			{"_total of another kind", "Observation?_total=some", 400, "_total", ""},
			{"_summary=count", "Observation?code=a&_summary=count", 200, "", "4"},
			{"_count=0", "Observation?code=a&_count=0", 200, "", "4"},
			{"_sort down", "Observation?code=a&_sort=-date", 200, "Observation/o3 Observation/o2 Observation/o6 Observation/o1", ""},
			{"_list", "Patient?_list=l1", 200, "Patient/p2", ""},
			{"below in a hierarchy", "Location?partof:below=Location/loc1", 200, "Location/loc2 Location/loc3", ""},
			{"above in a hierarchy", "Location?partof:above=Location/loc2", 200, "Location/loc2 Location/loc3", ""},
			{"in a stored value set", "Condition?code:in=http://test/dogs", 200, "Condition/c1", ""},
			{"not in a stored value set", "Condition?code:not-in=http://test/dogs", 200, "Condition/c2", ""},
			{"below a code of a stored system", "Condition?code:below=http://test/animals|dog", 200, "Condition/c1", ""},
			{"above a code of a stored system", "Condition?code:above=http://test/animals|puppy", 200, "Condition/c1", ""},
			{"in an unknown value set", "Condition?code:in=http://test/none", 400, "code:in", ""},
			{"_include", "Observation?_id=o3&_include=Observation:performer", 200, "+Practitioner/dr1 Observation/o3", ""},
			{"_include=*", "Observation?_id=o1&_include=*", 200, "+Encounter/e1 +Patient/p1 Observation/o1", ""},
			{"_include:iterate", "Observation?_id=o1&_include=Observation:patient&_include:iterate=Patient:organization", 200, "+Organization/org1 +Patient/p1 Observation/o1", ""},
			{"_revinclude", "Encounter?_id=e1&_revinclude=Condition:encounter", 200, "+Condition/c1 Encounter/e1", ""},
			{"_revinclude=*", "Encounter?_id=e1&_revinclude=*", 200, "+Condition/c1 +Observation/o1 Encounter/e1", ""},
			{"an _include that is unknown", "Observation?_include=Observation:colour", 400, "colour", ""},
			{"several types", "?_type=Patient,Organization&_id=p1,org1", 200, "Organization/org1 Patient/p1", ""},
			{"all types", "?_id=p1,e1,o1", 200, "Encounter/e1 Observation/o1 Patient/p1", ""},
			{"several types counted", "?_type=Patient,Observation&_summary=count", 200, "", "8"},
			{"several types with a total", "?_type=Patient,Observation&_total=accurate&_count=1&_id=p2,o6", 200, "Observation/o6", "2"},
			{"several types merged by id", "?_type=Patient,Observation,Encounter&_sort=_id&_count=4", 200, "Encounter/e1 Observation/o1 Observation/o2 Observation/o3", ""},
			{"several types merged downwards", "?_type=Patient,Encounter&_sort=-_id", 200, "Patient/p2 Patient/p1 Encounter/e1", ""},
			{"several types in the order of writing", "?_type=Patient,Encounter&_sort=-_lastUpdated", 200, "Encounter/e1 Patient/p2 Patient/p1", ""},
			{"all types merged", "?_sort=_id", 422, "_sort", ""},
			{"several types by what they do not share", "?_type=Patient,Group&_sort=_tag", 400, "_lastUpdated", ""},
			{"several types by a parameter of one", "?_type=Patient,Group&birthdate=1990", 400, "birthdate", ""},
			{"a type that is none", "?_type=Patent", 400, "_type", ""},
			{"elements of several types", "?_type=Patient,Encounter&_elements=status&_id=e1", 200, "Encounter/e1", ""},
			{"elements that none of the types has", "?_type=Patient,Encounter&_elements=colour", 400, "_elements", ""},
			{"compartment of a Patient", "Patient/p1/Observation?code=b", 200, "Observation/o3 Observation/o4", ""},
			{"compartment of a Patient, all of a type", "Patient/p2/Observation", 200, "Observation/o6", ""},
			{"compartment of a Patient, all types", "Patient/p1/*", 200, all, ""},
			{"compartment of a Patient, some types", "Patient/p1/*?_type=Condition,Encounter", 200, "Condition/c1 Encounter/e1", ""},
			{"compartment of a Patient, itself", "Patient/p1/Patient", 200, "Patient/p1", ""},
			{"compartment of an Encounter", "Encounter/e1/Observation", 200, "Observation/o1", ""},
			{"compartment of an Encounter, all types", "Encounter/e1/*", 200, "Condition/c1 Encounter/e1 Observation/o1", ""},
			{"compartment of a Practitioner", "Practitioner/dr1/*", 200, "Encounter/e1 Observation/o3 Practitioner/dr1", ""},
			{"compartment of a Device", "Device/dev1/Observation", 200, "Observation/o4", ""},
			{"compartment of a RelatedPerson", "RelatedPerson/rp1/*", 200, "Observation/o2 RelatedPerson/rp1", ""},
			{"compartment of nobody", "Patient/nobody/Observation", 404, "no such", ""},
			{"compartment of what has none", "Organization/org1/Observation", 404, "compartment", ""},
			{"compartment of a type that is never in it", "Encounter/e1/Patient", 404, "compartment", ""},
			{"compartment of a type that is none", "Patient/p1/Patent", 404, "", ""},
			{"an unknown parameter in a compartment", "Patient/p1/Observation?colour=red", 400, "colour", ""},
		} {
			t.Run(tt.feature, func(t *testing.T) {
				c.t = t
				got := c.do("GET", "/fhir/"+tt.path, "")
				if strings.HasPrefix(tt.path, "?") {
					got = c.do("GET", "/fhir"+tt.path, "")
				}
				if got.Code != tt.status {
					t.Fatalf("%d %.600s", got.Code, got.Body)
				}
				if tt.status != http.StatusOK {
					if !strings.Contains(got.Body.String(), tt.want) {
						t.Errorf("%q is not in %s", tt.want, got.Body)
					}
					return
				}
				want := strings.Fields(tt.want)
				ordered := strings.Contains(tt.path, "_sort")
				if !ordered {
					slices.Sort(want)
				}
				if found := entries(got.tree, ordered); found != strings.Join(want, " ") {
					t.Errorf("found %s, want %s", found, strings.Join(want, " "))
				}
				wanted := tt.total
				if wanted == "" && !strings.Contains(got.Body.String(), `"relation":"next"`) { // what is one page is counted
					wanted = strconv.Itoa(strings.Count(got.Body.String(), `"mode":"match"`))
				}
				if total := got.tree.Get("total").Text(); total != wanted {
					t.Errorf("total %q, want %q", total, wanted)
				}
				if wrong := thorough().Resource(got.tree); fhir.HasErrors(wrong) {
					t.Errorf("not valid: %v", wrong[0])
				}
			})
		}
	})
}

func TestEachWayToAskFindsTheSame(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		const form = "Content-Type: application/x-www-form-urlencoded"
		for _, tt := range []struct{ get, post, body string }{
			{"Observation?code=a&_sort=_id", "Observation/_search", "code=a&_sort=_id"},
			{"Observation?code=a&_sort=_id", "Observation/_search?code=a", "_sort=_id"},
			{"?_type=Patient,Encounter&_sort=_id", "_search", "_type=Patient,Encounter&_sort=_id"},
			{"Patient/p1/Observation?code=b&_sort=_id", "Patient/p1/Observation/_search", "code=b&_sort=_id"},
			{"Patient/p1/*?_type=Encounter", "Patient/p1/_search", "_type=Encounter"},
			{"Patient/p1/*?_type=Encounter", "Patient/p1/*/_search", "_type=Encounter"},
		} {
			address := "/fhir/" + tt.get
			if tt.get[0] == '?' {
				address = "/fhir" + tt.get
			}
			get, post := c.do("GET", address, ""), c.do("POST", "/fhir/"+tt.post, tt.body, form)
			if post.Code != http.StatusOK || get.Code != http.StatusOK || entries(get.tree, true) == "" || entries(get.tree, true) != entries(post.tree, true) {
				t.Errorf("%s: %d %s, posted %d %s", tt.get, get.Code, entries(get.tree, true), post.Code, post.Body)
			}
		}
		if got := c.do("POST", "/fhir/Patient/_search", "_id=p1&_format=xml", form); got.Header().Get("Content-Type") != "application/fhir+xml; charset=utf-8" {
			t.Errorf("_format of the form: %s", got.Header().Get("Content-Type"))
		}
		if got := c.do("POST", "/fhir/Patient/_search", "_id=p1&_format=ttl", form); got.Code != http.StatusNotAcceptable {
			t.Errorf("a _format of the form that is unknown: %d", got.Code)
		}
		if got := c.do("POST", "/fhir/Patient/_search", "_id="+strings.Repeat("x,", 1<<20), form); got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("a form over the limit: %d", got.Code)
		}
		if got := c.do("GET", "/fhir/Patient?colour=red&_id=p1", "", "Prefer: handling=lenient"); got.Code != 200 || entries(got.tree, true) != "Patient/p1 !" {
			t.Errorf("lenient: %d %s", got.Code, got.Body)
		}
	})
}

// pages follows next links from an address and returns what each page shows.
func (c *client) pages(path string) (pages []string) {
	c.t.Helper()
	for path != "" {
		got := c.do("GET", path, "")
		if got.Code != http.StatusOK || len(pages) > 100 {
			c.t.Fatalf("%s: %d %s", path, got.Code, got.Body)
		}
		pages = append(pages, entries(got.tree, true))
		self, next := "", ""
		for _, l := range got.tree.Get("link").Items() {
			switch address := strings.TrimPrefix(l.Get("url").Text(), "http://test"); l.Get("relation").Text() {
			case "self":
				self = address
			case "next":
				next = address
			}
		}
		if again := c.do("GET", self, ""); entries(again.tree, true) != pages[len(pages)-1] {
			c.t.Errorf("%s: the self link shows %s", path, again.Body)
		}
		path = next
	}
	return pages
}

func TestPagesOfSeveralTypesShowEverythingOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		for _, tt := range []struct {
			name, path string
			sorted     bool
			pages      int
		}{
			{"in turn", "/fhir?_type=Patient,Observation,Encounter,Location", false, 12},
			{"merged by id", "/fhir?_type=Patient,Observation,Encounter,Location&_sort=_id", true, 12},
			{"merged by time", "/fhir?_type=Patient,Observation,Encounter,Location&_sort=-_lastUpdated", true, 12},
			{"a compartment", "/fhir/Patient/p1/*", false, 10},
			{"$everything of a Patient", "/fhir/Patient/p1/$everything?", false, 11},
			{"$everything of an Encounter", "/fhir/Encounter/e1/$everything?", false, 3},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c.t = t
				separator := "&"
				if !strings.Contains(tt.path, "?") {
					separator = "?"
				}
				matches := func(pages []string) (out []string) {
					for _, p := range strings.Fields(strings.Join(pages, " ")) {
						if p[0] != '+' {
							out = append(out, p)
						}
					}
					if !tt.sorted {
						slices.Sort(out)
					}
					return out
				}
				whole := matches(c.pages(tt.path + separator + "_count=100"))
				if len(whole) != tt.pages {
					t.Errorf("%d matches in one page: %v", len(whole), whole)
				}
				for _, count := range []string{"1", "2", "3", "5"} {
					if got := matches(c.pages(tt.path + separator + "_count=" + count)); !slices.Equal(got, whole) {
						t.Errorf("_count=%s: %v, want %v", count, got, whole)
					}
				}
				if last := c.pages(tt.path + separator + "_count=1"); len(last) != tt.pages {
					t.Errorf("%d pages of one: %q", len(last), last)
				}
			})
		}
		t.Run("a total is carried on", func(t *testing.T) {
			c.t = t
			got := c.do("GET", "/fhir?_type=Patient,Encounter&_count=1&_total=accurate", "")
			for _, l := range got.tree.Get("link").Items() {
				if l.Get("relation").Text() == "next" {
					next := c.do("GET", strings.TrimPrefix(l.Get("url").Text(), "http://test"), "")
					if next.tree.Get("total").Text() != "3" || got.tree.Get("total").Text() != "3" {
						t.Errorf("%s then %s", got.tree.Get("total").Text(), next.tree.Get("total").Text())
					}
				}
			}
		})
		t.Run("a link is good for its search alone", func(t *testing.T) {
			c.t = t
			got := c.do("GET", "/fhir/Patient/p1/Observation?_count=1", "")
			next := got.tree.Get("link").At(2).Get("url").Text()
			_, cursor, _ := strings.Cut(next, "_cursor=")
			for _, path := range []string{"/fhir/Patient/p2/Observation?_count=1&_cursor=", "/fhir/Observation?_cursor=", "/fhir/Patient/p1/$everything?_cursor="} {
				if got := c.do("GET", path+cursor, ""); got.Code != http.StatusBadRequest {
					t.Errorf("%s: %d", path, got.Code)
				}
			}
		})
	})
}

func TestSubsetsShowWhatTheyPromise(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		for _, tt := range []struct {
			feature, path string
			status        int
			has, lacks    []string
		}{
			{"read, true", "Patient/p1?_summary=true", 200, []string{"id", "meta", "identifier", "name", "gender", "birthDate", "managingOrganization"}, []string{"text", "contact", "communication"}},
			{"read, text", "Patient/p1?_summary=text", 200, []string{"id", "meta", "text"}, []string{"name", "gender", "contact"}},
			{"read, text keeps what must be there", "Observation/o1?_summary=text", 200, []string{"status", "code"}, []string{"subject", "valueQuantity"}},
			{"read, data", "Patient/p1?_summary=data", 200, []string{"name", "contact", "communication"}, []string{"text"}},
			{"read, true of parts", "Observation/o1?_summary=true", 200, []string{"component", "component.code", "component.valueString"}, []string{"component.interpretation"}},
			{"read, elements", "Patient/p1?_elements=gender", 200, []string{"id", "meta", "gender"}, []string{"name", "text", "birthDate"}},
			{"read, elements named with their type", "Patient/p1?_elements=Patient.gender,name.family", 200, []string{"gender", "name"}, []string{"birthDate"}},
			{"read, elements keep what must be there", "Observation/o1?_elements=value", 200, []string{"status", "code", "valueQuantity"}, []string{"subject"}},
			{"read, elements keep modifiers", "Patient/p2?_elements=gender", 200, []string{"active", "gender"}, []string{"name"}},
			{"vread", "Patient/p1/_history/1?_elements=gender", 200, []string{"gender"}, []string{"name"}},
			{"search", "Patient?_id=p1&_summary=true", 200, []string{"name"}, []string{"text", "contact"}},
			{"search, elements", "Patient?_id=p1&_elements=gender", 200, []string{"gender"}, []string{"name"}},
			{"search in a compartment", "Patient/p1/Patient?_elements=gender", 200, []string{"gender"}, []string{"name"}},
			{"history of a resource", "Patient/p1/_history?_summary=text", 200, []string{"text"}, []string{"name"}},
			{"history of a type", "Encounter/_history?_elements=status", 200, []string{"status", "class"}, []string{"period"}},
			{"capabilities", "metadata?_elements=status", 200, []string{"status", "format"}, []string{"software"}},
			{"read, count", "Patient/p1?_summary=count", 400, nil, nil},
			{"read, nonsense", "Patient/p1?_summary=some", 400, nil, nil},
			{"read, elements that are none", "Patient/p1?_elements=colour", 400, nil, nil},
			{"history, nonsense", "Patient/p1/_history?_summary=some", 400, nil, nil},
		} {
			t.Run(tt.feature, func(t *testing.T) {
				c.t = t
				got := c.do("GET", "/fhir/"+tt.path, "")
				if got.Code != tt.status {
					t.Fatalf("%d %s", got.Code, got.Body)
				}
				if tt.status != http.StatusOK {
					return
				}
				r := got.tree
				if r.ResourceType() == "Bundle" {
					r = r.Get("entry").At(0).Get("resource")
				}
				for _, path := range tt.has {
					if r.Path(strings.Split(path, ".")...) == nil {
						t.Errorf("%s is not there: %s", path, r.AppendJSON(nil))
					}
				}
				for _, path := range tt.lacks {
					if r.Path(strings.Split(path, ".")...) != nil {
						t.Errorf("%s is there: %s", path, r.AppendJSON(nil))
					}
				}
				if tags := r.Path("meta", "tag").Items(); len(tags) == 0 || tags[len(tags)-1].Get("code").Text() != "SUBSETTED" {
					t.Errorf("not marked as a subset: %s", r.AppendJSON(nil))
				}
			})
		}
		if got := c.do("GET", "/fhir/Patient/p1?_summary=false", ""); got.tree.Get("contact") == nil || strings.Contains(got.Body.String(), "SUBSETTED") {
			t.Errorf("_summary=false: %s", got.Body)
		}
	})
}
