package rest_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/validate"
)

// send sends any body and takes any answer; headers are "Name: value".
func (c *client) send(method, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, "http://test"+path, bytes.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	return w
}

// keep posts content and returns its address.
func (c *client) keep(content []byte, headers ...string) string {
	c.t.Helper()
	got := c.send("POST", "/fhir/Binary", content, headers...)
	address, _, ok := strings.Cut(got.Header().Get("Location"), "/_history/")
	if got.Code != http.StatusCreated || !ok {
		c.t.Fatalf("%d %s at %q", got.Code, got.Body, got.Header().Get("Location"))
	}
	return strings.TrimPrefix(address, "http://test")
}

// scan is content that is no text of any kind, of several pieces of the archive.
func scan(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(i * i >> 5)
	}
	return out
}

// parsed reads the resource of an answer, in either form.
func parsed(t *testing.T, w *httptest.ResponseRecorder) *fhir.Node {
	t.Helper()
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/fhir+xml") {
		tree, issues, err := fhirxml.Parse(bytes.Clone(w.Body.Bytes()), fhirxml.Options{})
		if err != nil || len(issues) > 0 {
			t.Fatalf("%v %v: %.300s", err, issues, w.Body)
		}
		return tree
	}
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/fhir+json") {
		t.Fatalf("%d Content-Type %q", w.Code, got)
	}
	tree, err := fhir.Parse(bytes.Clone(w.Body.Bytes()), fhir.Limits{})
	if err != nil {
		t.Fatalf("%v: %.300s", err, w.Body)
	}
	return tree
}

func TestABinaryIsReadInTheFormThatIsAskedFor(t *testing.T) {
	c := newClient(t)
	content := []byte("%PDF-1.7 \x00\xFF\xFE")
	address := c.keep(content, "Content-Type: application/pdf")
	const raw, resource, inXML, neither = "content", "resource", "XML", "neither"
	for _, tt := range []struct {
		name, query string
		headers     []string
		want        string
	}{
		{"nothing said", "", nil, raw},
		{"anything", "", []string{"Accept: */*"}, raw},
		{"its type", "", []string{"Accept: application/pdf"}, raw},
		{"its kind", "", []string{"Accept: application/*"}, raw},
		{"another type", "", []string{"Accept: image/png"}, raw},
		{"what browsers ask for", "", []string{"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, raw},
		{"nonsense", "", []string{"Accept: ;;;,,/ q=x"}, raw},
		{"an empty Accept", "", []string{"Accept: "}, raw},
		{"FHIR JSON", "", []string{"Accept: application/fhir+json"}, resource},
		{"FHIR JSON of the version", "", []string{"Accept: application/fhir+json; fhirVersion=4.0"}, resource},
		{"FHIR JSON of another version", "", []string{"Accept: application/fhir+json; fhirVersion=3.0"}, neither},
		{"JSON", "", []string{"Accept: application/json"}, resource},
		{"FHIR JSON or else anything", "", []string{"Accept: application/fhir+json, */*;q=0.1"}, resource},
		{"FHIR JSON or equally anything", "", []string{"Accept: */*, application/fhir+json"}, resource},
		{"rather its own type than FHIR JSON", "", []string{"Accept: application/fhir+json;q=0.5, application/pdf"}, raw},
		{"rather FHIR JSON than its own type", "", []string{"Accept: application/fhir+json, application/pdf;q=0.9"}, resource},
		{"anything but its own type, or FHIR JSON", "", []string{"Accept: */*, application/pdf;q=0.1, application/fhir+json;q=0.5"}, resource},
		{"no FHIR JSON", "", []string{"Accept: application/fhir+json;q=0"}, raw},
		{"in two lines", "", []string{"Accept: image/png;q=0.1", "Accept: application/fhir+json"}, resource},
		{"a weight that is none", "", []string{"Accept: application/fhir+json;q=NaN"}, resource},
		{"_format=json", "?_format=json", nil, resource},
		{"_format before Accept", "?_format=application/fhir%2Bjson", []string{"Accept: application/pdf"}, resource},
		{"_format with its type", "?_format=application/pdf", []string{"Accept: application/fhir+json"}, raw},
		{"_format=xml", "?_format=xml", nil, inXML},
		{"_format of a form that is none", "?_format=application/fhir%2Bturtle", nil, neither},
		{"FHIR XML and nothing else", "", []string{"Accept: application/fhir+xml"}, inXML},
		{"XML of any kind", "", []string{"Accept: application/xml"}, raw},
		{"FHIR XML of another version", "", []string{"Accept: application/fhir+xml; fhirVersion=3.0"}, neither},
		{"FHIR JSON of another version or anything", "", []string{"Accept: application/fhir+json;fhirVersion=5.0, */*"}, raw},
		{"FHIR XML or anything", "", []string{"Accept: application/fhir+xml, */*;q=0.5"}, inXML},
		{"FHIR XML before FHIR JSON", "", []string{"Accept: application/fhir+xml, application/fhir+json;q=0.5"}, inXML},
		{"FHIR XML or FHIR JSON", "", []string{"Accept: application/fhir+xml, application/fhir+json"}, resource},
	} {
		for _, path := range []string{address, address + "/_history/1"} {
			t.Run(tt.name+" "+strconv.Itoa(strings.Count(path, "/")), func(t *testing.T) {
				got := c.send("GET", path+tt.query, nil, tt.headers...)
				switch tt.want {
				case raw:
					if got.Code != 200 || got.Header().Get("Content-Type") != "application/pdf" || !bytes.Equal(got.Body.Bytes(), content) {
						t.Errorf("%d %s %.100q", got.Code, got.Header().Get("Content-Type"), got.Body)
					}
				case resource, inXML:
					tree := parsed(t, got)
					if strings.Contains(got.Header().Get("Content-Type"), "xml") != (tt.want == inXML) {
						t.Errorf("Content-Type %q", got.Header().Get("Content-Type"))
					}
					if got.Code != 200 || tree.Get("data").Text() != base64.StdEncoding.EncodeToString(content) || tree.Get("contentType").Text() != "application/pdf" {
						t.Errorf("%d %.300s", got.Code, got.Body)
					}
					if issues := validate.New(definitions.R4(), validate.Options{}).Resource(tree); fhir.HasErrors(issues) {
						t.Errorf("not valid: %v", issues)
					}
				default:
					if got.Code != http.StatusNotAcceptable || parsed(t, got).ResourceType() != "OperationOutcome" {
						t.Errorf("%d %.100s", got.Code, got.Body)
					}
				}
				if got.Header().Get("ETag") != `W/"1"` && tt.want != neither || got.Header().Get("Last-Modified") == "" && tt.want != neither {
					t.Errorf("ETag %q, Last-Modified %q", got.Header().Get("ETag"), got.Header().Get("Last-Modified"))
				}
			})
		}
	}
}

func TestABrowserRunsNothingOfAContent(t *testing.T) {
	c := newClient(t)
	for _, typ := range []string{"text/html; charset=gb18030", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", "application/pdf"} {
		got := c.send("GET", c.keep([]byte("<script>alert(1)</script>"), "Content-Type: "+typ), nil)
		want := map[string]string{
			"Content-Type": typ, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "attachment",
		}
		for name, value := range want {
			if got.Header().Get(name) != value {
				t.Errorf("%s: %s is %q", typ, name, got.Header().Get(name))
			}
		}
	}
	// A type that a client made up in FHIR JSON never reaches the header as it is.
	id := c.create("Binary", `{"resourceType":"Binary","contentType":"text/html,\u0000x","data":"PGI+"}`)
	if got := c.send("GET", "/fhir/Binary/"+id, nil); got.Header().Get("Content-Type") != "application/octet-stream" || got.Body.String() != "<b>" {
		t.Errorf("%q %q", got.Header().Get("Content-Type"), got.Body)
	}
}

func TestWhatIsSentAsABinaryIsTaken(t *testing.T) {
	c := newClient(t)
	for _, tt := range []struct {
		name, sent  string
		headers     []string
		contentType string
		content     string
		about       string
	}{
		{"bytes of any type", "\x89PNG\r\n\x1a\n\x00", []string{"Content-Type: image/png"}, "image/png", "\x89PNG\r\n\x1a\n\x00", ""},
		{"a type with its charset", "\xd6\xd0", []string{"Content-Type: text/plain;  charset=gb18030"}, "text/plain; charset=gb18030", "\xd6\xd0", ""},
		{"no type", "bytes", nil, "application/octet-stream", "bytes", ""},
		{"nothing at all", "", []string{"Content-Type: text/plain"}, "text/plain", "", ""},
		{"whose it is", "x", []string{"Content-Type: text/plain", "X-Security-Context: Patient/p7"}, "text/plain", "x", "Patient/p7"},
		{"whose it is, in full", "x", []string{"Content-Type: text/plain", "X-Security-Context: http://test/fhir/Patient/p7"}, "text/plain", "x", "Patient/p7"},
		{"a Binary in FHIR JSON", `{"resourceType":"Binary","contentType":"text/plain","securityContext":{"reference":"Patient/p8"},"data":"aGVs bG8="}`,
			[]string{"Content-Type: application/fhir+json"}, "text/plain", "hello", "Patient/p8"},
		{"a Binary in JSON", `{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}`, []string{"Content-Type: application/json"}, "text/plain", "hello", ""},
		{"a Binary without a type of its body", `{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}`, nil, "text/plain", "hello", ""},
		{"a Binary without data", `{"resourceType":"Binary","contentType":"text/plain"}`, []string{"Content-Type: application/fhir+json"}, "text/plain", "", ""},
		{"another resource is content", `{"resourceType":"Patient", "active":true, "a":"\u4e2d"}`, []string{"Content-Type: application/fhir+json"},
			"application/fhir+json", `{"resourceType":"Patient", "active":true, "a":"\u4e2d"}`, ""},
		{"FHIR XML is content", `<Patient xmlns="http://hl7.org/fhir"/>`, []string{"Content-Type: application/fhir+xml"}, "application/fhir+xml", `<Patient xmlns="http://hl7.org/fhir"/>`, ""},
		{"a Binary's JSON of another type is content", `{"resourceType":"Binary","contentType":"a/b"}`, []string{"Content-Type: text/plain"}, "text/plain", `{"resourceType":"Binary","contentType":"a/b"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := *c
			c.t = t
			address := c.keep([]byte(tt.sent), tt.headers...)
			got := c.send("GET", address, nil, "Accept: image/webp")
			if got.Code != 200 || got.Header().Get("Content-Type") != tt.contentType || got.Body.String() != tt.content || got.Header().Get("X-Security-Context") != tt.about {
				t.Errorf("%d %q %q for %q", got.Code, got.Header().Get("Content-Type"), got.Body, got.Header().Get("X-Security-Context"))
			}
			tree := parsed(t, c.send("GET", address+"?_format=json", nil))
			if got := tree.Get("data").Text(); got != base64.StdEncoding.EncodeToString([]byte(tt.content)) {
				t.Errorf("data %q", got)
			}
			if got := tree.Path("securityContext", "reference").Text(); got != tt.about {
				t.Errorf("securityContext %q", got)
			}
		})
	}
}

func TestWrongBinariesAreRefusedWithAnOutcome(t *testing.T) {
	c := newClient(t)
	address := c.keep([]byte("x"), "Content-Type: text/plain")
	gone := c.keep([]byte("x"), "Content-Type: text/plain")
	if got := c.send("DELETE", gone, nil); got.Code != http.StatusNoContent {
		t.Fatal(got.Code)
	}
	const asFHIR = "Content-Type: application/fhir+json"
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		text                     string
	}{
		{"wrong base64", "POST", "/fhir/Binary", `{"resourceType":"Binary","contentType":"a/b","data":"!!!!"}`, []string{asFHIR}, 422, "Binary.data"},
		{"base64 that ends too early", "POST", "/fhir/Binary", `{"resourceType":"Binary","contentType":"a/b","data":"YQ"}`, []string{asFHIR}, 422, "Binary.data"},
		{"empty data", "POST", "/fhir/Binary", `{"resourceType":"Binary","contentType":"a/b","data":""}`, []string{asFHIR}, 422, "Binary.data"},
		{"data that is a number", "POST", "/fhir/Binary", `{"resourceType":"Binary","contentType":"a/b","data":1}`, []string{asFHIR}, 422, "Binary.data"},
		{"no content type", "POST", "/fhir/Binary", `{"resourceType":"Binary","data":"YQ=="}`, []string{asFHIR}, 422, "contentType"},
		{"an element that it does not have", "POST", "/fhir/Binary", `{"resourceType":"Binary","contentType":"a/b","colour":"red"}`, []string{asFHIR}, 422, "colour"},
		{"malformed JSON as JSON", "POST", "/fhir/Binary", `{"resourceType":"Binary",`, []string{asFHIR}, 400, "structure"},
		{"a type that is none", "POST", "/fhir/Binary", "x", []string{"Content-Type: a b;;"}, 415, "media type"},
		{"a type without a subtype", "POST", "/fhir/Binary", "x", []string{"Content-Type: text"}, 415, "media type"},
		{"content over the limit", "POST", "/fhir/Binary", strings.Repeat("x", 1<<20+1), []string{"Content-Type: text/plain"}, 413, "over 1048576 bytes"},
		{"a conditional create", "POST", "/fhir/Binary", "x", []string{"Content-Type: text/plain", "If-None-Exist: colour=red"}, 400, "colour"},
		{"update of nothing", "PUT", "/fhir/Binary/nothing", "x", []string{"Content-Type: text/plain"}, 405, "does not create"},
		{"update of another version", "PUT", address, "y", []string{"Content-Type: text/plain", `If-Match: W/"7"`}, 412, "version"},
		{"update by another institution", "PUT", address, "y", []string{"Content-Type: text/plain", "X-Test-Institution: county"}, 405, "does not create"},
		{"update with another id", "PUT", address, `{"resourceType":"Binary","id":"x","contentType":"a/b"}`, []string{asFHIR}, 400, "id"},
		{"reading nothing", "GET", "/fhir/Binary/nothing", "", nil, 404, "no such"},
		{"reading an id that is none", "GET", "/fhir/Binary/a%20b", "", []string{"Accept: image/png"}, 404, "no such"},
		{"reading what was deleted", "GET", gone, "", nil, 410, "deleted"},
		{"reading a deletion", "GET", gone + "/_history/2", "", nil, 410, "deleted"},
		{"reading a version that is none", "GET", address + "/_history/x", "", nil, 404, "no such"},
		{"reading of another institution", "GET", address, "", []string{"X-Test-Institution: county"}, 404, "no such"},
		{"reading a version of another institution", "GET", address + "/_history/1", "", []string{"X-Test-Institution: county"}, 404, "no such"},
		{"searching in another format", "GET", "/fhir/Binary?_id=1", "", []string{"Accept: application/pdf"}, 406, "application/fhir+json"},
		{"patching without a type", "PATCH", address, "[]", nil, 415, "Content-Type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.send(tt.method, tt.path, []byte(tt.body), tt.headers...)
			if got.Code != tt.status || parsed(t, got).ResourceType() != "OperationOutcome" || !strings.Contains(got.Body.String(), tt.text) {
				t.Errorf("%d %.300s, want %d with %q", got.Code, got.Body, tt.status, tt.text)
			}
		})
	}
	if got := c.send("GET", address, nil); got.Body.String() != "x" || got.Header().Get("ETag") != `W/"1"` {
		t.Errorf("something refused was written: %q", got.Body)
	}
}

func TestABinaryLives(t *testing.T) {
	c := newClient(t)
	first, second := scan(900_000), scan(800_001)
	address := c.keep(first, "Content-Type: image/tiff", "X-Security-Context: Patient/p1")
	if got := c.send("PUT", address, first, "Content-Type: image/tiff", "X-Security-Context: Patient/p1"); got.Code != 200 || got.Header().Get("ETag") != `W/"1"` {
		t.Errorf("unchanged content made version %s (%d)", got.Header().Get("ETag"), got.Code)
	}
	if got := c.send("PUT", address, second, "Content-Type: image/tiff", `If-Match: W/"1"`); got.Code != 200 || got.Header().Get("ETag") != `W/"2"` || got.Body.Len() != 0 {
		t.Errorf("update: %d %s with %d bytes", got.Code, got.Header().Get("ETag"), got.Body.Len())
	}
	now := c.send("GET", address, nil)
	if !bytes.Equal(now.Body.Bytes(), second) || now.Header().Get("X-Security-Context") != "" {
		t.Errorf("%d bytes for %q", now.Body.Len(), now.Header().Get("X-Security-Context"))
	}
	if old := c.send("GET", address+"/_history/1", nil); !bytes.Equal(old.Body.Bytes(), first) || old.Header().Get("X-Security-Context") != "Patient/p1" {
		t.Errorf("the first version has %d bytes for %q", old.Body.Len(), old.Header().Get("X-Security-Context"))
	}
	// What is read as FHIR JSON is written back without a new version.
	asJSON := c.send("GET", address, nil, "Accept: application/fhir+json")
	if got := c.send("PUT", address, asJSON.Body.Bytes(), "Content-Type: application/fhir+json"); got.Code != 413 {
		t.Errorf("a body over the limit: %d", got.Code)
	}
	small := c.keep([]byte("small"), "Content-Type: text/plain")
	asJSON = c.send("GET", small+"?_pretty=true", nil, "Accept: application/fhir+json")
	if !strings.HasSuffix(asJSON.Body.String(), "\n  \"data\": \"c21hbGw=\"\n}\n") {
		t.Errorf("indented: %q", asJSON.Body)
	}
	got := c.send("PUT", small, asJSON.Body.Bytes(), "Content-Type: application/fhir+json")
	if got.Code != 200 || got.Header().Get("ETag") != `W/"1"` || parsed(t, got).Get("data").Text() != "c21hbGw=" {
		t.Errorf("written back: %d %s", got.Code, got.Body)
	}
	if got := c.send("PUT", small, []byte("small"), "Content-Type: text/markdown", "Prefer: return=representation"); parsed(t, got).Get("contentType").Text() != "text/markdown" {
		t.Errorf("%s", got.Body)
	}
	if got := c.send("DELETE", small, nil); got.Code != http.StatusNoContent {
		t.Errorf("delete: %d", got.Code)
	}
	history := parsed(t, c.send("GET", small+"/_history", nil))
	var methods []string
	for _, e := range history.Get("entry").Items() {
		methods = append(methods, e.Path("request", "method").Text()+" "+e.Path("resource", "data").Text())
	}
	if diff := cmp.Diff([]string{"DELETE ", "PUT c21hbGw=", "POST c21hbGw="}, methods); diff != "" {
		t.Error(diff)
	}
}

func TestPartsAndConditionsOfAContent(t *testing.T) {
	c := newClient(t)
	content := scan(600_000)
	address := c.keep(content, "Content-Type: application/pdf")
	whole := c.send("GET", address, nil)
	since := whole.Header().Get("Last-Modified")
	asJSON := c.send("GET", address, nil, "Accept: application/fhir+json")
	for _, tt := range []struct {
		name, method string
		headers      []string
		status       int
		from, to     int // of content in the body
		length       string
	}{
		{"a part", "GET", []string{"Range: bytes=262140-262150"}, 206, 262140, 262151, "11"},
		{"the end", "GET", []string{"Range: bytes=-5"}, 206, 599_995, 600_000, "5"},
		{"a part behind the end", "GET", []string{"Range: bytes=600000-"}, 416, 0, 0, ""},
		{"no body for HEAD", "HEAD", nil, 200, 0, 0, "600000"},
		{"no body for HEAD of the resource", "HEAD", []string{"Accept: application/fhir+json"}, 200, 0, 0, strconv.Itoa(asJSON.Body.Len())},
		{"the version that is known", "GET", []string{`If-None-Match: W/"1"`}, 304, 0, 0, ""},
		{"the version that is known, as a resource", "GET", []string{`If-None-Match: W/"1"`, "Accept: application/fhir+json"}, 304, 0, 0, ""},
		{"another version", "GET", []string{`If-None-Match: W/"7"`}, 200, 0, 600_000, "600000"},
		{"nothing newer", "GET", []string{"If-Modified-Since: " + since}, 304, 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.send(tt.method, address, nil, tt.headers...)
			if got.Code != tt.status || got.Header().Get("Content-Length") != tt.length && tt.length != "" {
				t.Fatalf("%d with %s bytes, want %d with %s", got.Code, got.Header().Get("Content-Length"), tt.status, tt.length)
			}
			if tt.status != 416 && !bytes.Equal(got.Body.Bytes(), content[tt.from:tt.to]) {
				t.Errorf("%d bytes, not those from %d to %d", got.Body.Len(), tt.from, tt.to)
			}
		})
	}
}

func TestBinariesInBundlesComeWithWhatFits(t *testing.T) {
	c := newClient(t)
	patientID := c.create("Patient", patient)
	about := "X-Security-Context: Patient/" + patientID
	ids := map[string]string{}
	for name, size := range map[string]int{"small": 5, "large": 1_000_000} {
		ids[strings.TrimPrefix(c.keep(scan(size), "Content-Type: application/pdf", about), "/fhir/Binary/")] = name
	}
	for i := range 6 { // together too much for a page
		body := scan(900_000)
		body[0] = byte(i)
		ids[strings.TrimPrefix(c.keep(body, "Content-Type: application/pdf", about), "/fhir/Binary/")] = "large"
	}
	for _, path := range []string{"/fhir/Binary?_count=50", "/fhir/Patient/" + patientID + "/$everything?_type=Binary"} {
		got := c.send("GET", path, nil)
		if got.Body.Len() > 6<<20 {
			t.Errorf("%s: %d bytes", path, got.Body.Len())
		}
		with, without := 0, 0
		for _, e := range parsed(t, got).Get("entry").Items() {
			r := e.Get("resource")
			marked := strings.Contains(string(r.Get("meta").AppendJSON(nil)), "SUBSETTED")
			if r.ResourceType() != "Binary" || e.Get("fullUrl").Text() != "http://test/fhir/Binary/"+r.ID() {
				t.Errorf("a %s at %s", r.ResourceType(), e.Get("fullUrl").Text())
			}
			switch data := r.Get("data"); {
			case data != nil && !marked:
				with++
			case data == nil && marked && ids[r.ID()] == "large":
				without++
			default:
				t.Errorf("%s Binary: data %t, marked %t", ids[r.ID()], data != nil, marked)
			}
		}
		if with != 5 || without != 3 {
			t.Errorf("%s: %d Binaries with content and %d without, want 4 large ones and the small one with it", path, with, without)
		}
	}
	for query, data := range map[string]bool{"_elements=contentType": false, "_elements=data": true, "_summary=true": false, "_summary=data": true, "_summary=text": false} {
		tree := parsed(t, c.send("GET", "/fhir/Binary?_count=1&"+query, nil))
		r := tree.Get("entry").At(0).Get("resource")
		if (r.Get("data") != nil) != data || r.Get("contentType") == nil || !strings.Contains(string(r.AppendJSON(nil)), "SUBSETTED") {
			t.Errorf("%s: %.200s", query, r.AppendJSON(nil))
		}
	}
}

func TestTheCapabilityStatementTellsHowBinariesAreServed(t *testing.T) {
	c := newClient(t)
	for _, r := range c.do("GET", "/fhir/metadata", "").tree.Get("rest").At(0).Get("resource").Items() {
		if r.Get("type").Text() == "Binary" {
			if !strings.Contains(r.Get("documentation").Text(), "in its own type") {
				t.Errorf("%s", r.Get("documentation").AppendJSON(nil))
			}
			return
		}
	}
	t.Error("no Binary")
}

// FuzzFormOfABinary asks for a Binary of any type in any way: the answer is the
// content, the resource, or an outcome.
func FuzzFormOfABinary(f *testing.F) {
	for _, accept := range []string{"", "*/*", "application/fhir+json", "application/fhir+xml;q=0.1, a/b", "a/b;q=1e400,,;", "application/json;q=-1", "\x00", "text/*, application/fhir+json; fhirVersion=4.0"} {
		f.Add(accept, "json", "text/plain")
	}
	f.Add("a/b", "application/fhir xml", "text/html; charset=\"\r\nX: y\"")
	server := newClient(f).server
	f.Fuzz(func(t *testing.T, accept, format, contentType string) {
		c := client{t: t, server: server}
		posted := c.send("POST", "/fhir/Binary", []byte("<b>content"), "Content-Type: "+contentType)
		if posted.Code == http.StatusUnsupportedMediaType || posted.Code == http.StatusBadRequest || posted.Code == http.StatusUnprocessableEntity {
			return
		}
		if posted.Code != http.StatusCreated {
			t.Fatalf("%q: %d %s", contentType, posted.Code, posted.Body)
		}
		address, _, _ := strings.Cut(strings.TrimPrefix(posted.Header().Get("Location"), "http://test"), "/_history/")
		if format != "" {
			address += "?_format=" + url.QueryEscape(format)
		}
		got := c.send("GET", address, nil, "Accept: "+accept)
		switch got.Code {
		case http.StatusNotAcceptable:
			parsed(t, got)
		case http.StatusOK:
			if got.Header().Get("Content-Security-Policy") == "" {
				if data := parsed(t, got).Get("data").Text(); data != "PGI+Y29udGVudA==" {
					t.Errorf("data %q", data)
				}
			} else if got.Body.String() != "<b>content" || got.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%q", got.Body)
			}
		default:
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}
