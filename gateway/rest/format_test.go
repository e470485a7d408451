package rest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/validate"
)

const asXML = "Content-Type: application/fhir+xml"

func TestAnswersComeInTheFormThatIsAskedFor(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	const json, xml, neither = "application/fhir+json; charset=utf-8", "application/fhir+xml; charset=utf-8", ""
	for _, tt := range []struct {
		name, query, accept, want string
	}{
		{"nothing said", "", "", json},
		{"anything", "", "*/*", json},
		{"FHIR XML", "", "application/fhir+xml", xml},
		{"XML", "", "application/xml", xml},
		{"XML as text", "", "text/xml", xml},
		{"JSON", "", "application/json", json},
		{"the name that XML had", "", "application/xml+fhir", xml},
		{"the name that JSON had", "", "application/json+fhir", json},
		{"both alike", "", "application/fhir+xml, application/fhir+json", json},
		{"rather XML", "", "application/fhir+json;q=0.5, application/fhir+xml;q=0.9", xml},
		{"rather JSON", "", "application/fhir+xml;q=0.5, application/fhir+json;q=0.9", json},
		{"anything but JSON", "", "application/fhir+json;q=0, */*", xml},
		{"anything but XML", "", "*/*, application/fhir+xml;q=0", json},
		{"any application", "", "application/*", json},
		{"what browsers ask for", "", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", json},
		{"the version", "", "application/fhir+xml; fhirVersion=4.0", xml},
		{"the version to the last digit", "", "application/fhir+json; fhirVersion=4.0.1", json},
		{"another version", "", "application/fhir+xml; fhirVersion=3.0", neither},
		{"a version that only begins like ours", "", "application/fhir+json; fhirVersion=4.01", neither},
		{"another version or anything", "", "application/fhir+json; fhirVersion=5.0, */*;q=0.1", json},
		{"a picture", "", "image/png", neither},
		{"an empty header", "", " ", json},
		{"the other name of the charset", "", "application/fhir+xml; charset=utf8", xml},
		{"nothing at all", "", "*/*;q=0", neither},
		{"the charset", "", "application/fhir+json; charset=UTF-8", json},
		{"_format=xml", "_format=xml", "", xml},
		{"_format=json", "_format=json", "application/fhir+xml", json},
		{"_format as a media type", "_format=application/fhir%2Bxml", "application/json", xml},
		{"_format whose plus became a space", "_format=application/fhir+xml", "", xml},
		{"_format of the version", "_format=application/fhir%2Bxml;fhirVersion=4.0", "", xml},
		{"_format of another version", "_format=application/fhir%2Bxml;fhirVersion=3.0", "", neither},
		{"_format=html", "_format=html", "", json},
		{"_format that is unknown", "_format=ttl", "", neither},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient?_id=" + id, "/fhir/metadata", "/fhir/Patient/" + id + "/_history"} {
				var headers []string
				if tt.accept != "" {
					headers = []string{"Accept: " + tt.accept}
				}
				separator := "?"
				if strings.Contains(path, "?") {
					separator = "&"
				}
				got := c.do("GET", path+separator+tt.query, "", headers...)
				switch {
				case tt.want == neither && (got.Code != http.StatusNotAcceptable || got.tree.ResourceType() != "OperationOutcome"):
					t.Errorf("%s: %d %.200s", path, got.Code, got.Body)
				case tt.want != neither && (got.Code != http.StatusOK || got.Header().Get("Content-Type") != tt.want):
					t.Errorf("%s: %d %s", path, got.Code, got.Header().Get("Content-Type"))
				}
			}
		})
	}
}

func TestXMLAndJSONSayTheSame(t *testing.T) {
	c := newClient(t)
	v := validate.New(definitions.R4(), validate.Options{})
	const content = `<Patient xmlns="http://hl7.org/fhir"><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">小明 &amp; <b>a</b></div></text><name><family value="王"/></name><gender value="female"/><birthDate value="1990-01-01"><extension url="http://example.org/t"><valueBoolean value="true"/></extension></birthDate></Patient>`
	created := c.do("POST", "/fhir/Patient", content, asXML, "Accept: application/fhir+xml")
	if created.Code != http.StatusCreated || created.Header().Get("Content-Type") != "application/fhir+xml; charset=utf-8" {
		t.Fatalf("%d %s", created.Code, created.Body)
	}
	id := created.tree.ID()
	for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient/" + id + "/_history/1", "/fhir/Patient/" + id + "/_history", "/fhir/Patient?family=王&_include=*", "/fhir/metadata"} {
		json, xml := c.do("GET", path, ""), c.do("GET", path, "", "Accept: application/fhir+xml")
		if json.Code != http.StatusOK || xml.Code != http.StatusOK {
			t.Fatalf("%s: %d %d", path, json.Code, xml.Code)
		}
		back, issues := fhirxml.Append(nil, json.tree)
		if len(issues) > 0 || !bytes.Equal(back, xml.Body.Bytes()) {
			t.Errorf("%s: %v\n%.500s\n%.500s", path, issues, back, xml.Body)
		}
		if wrong := v.Resource(xml.tree); fhir.HasErrors(wrong) {
			t.Errorf("%s: %v", path, wrong)
		}
	}
	body := c.do("GET", "/fhir/Patient/"+id, "", "Accept: application/xml").Body.String()
	if got := c.do("PUT", "/fhir/Patient/"+id, strings.Replace(body, `"female"`, `"male"`, 1), "Content-Type: application/xml"); got.Code != http.StatusOK || got.tree.Get("gender").Text() != "male" {
		t.Errorf("update: %d %s", got.Code, got.Body)
	}
	patch := `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="delete"/></part><part><name value="path"/><valueString value="Patient.gender"/></part></parameter></Parameters>`
	if got := c.do("PATCH", "/fhir/Patient/"+id, patch, asXML); got.Code != http.StatusOK || got.tree.Get("gender") != nil {
		t.Errorf("patch: %d %s", got.Code, got.Body)
	}
	bundle := `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Patient><active value="true"/></Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle>`
	if got := c.do("POST", "/fhir", bundle, asXML, "Accept: text/xml"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `<status value="201`) {
		t.Errorf("transaction: %d %s", got.Code, got.Body)
	}
}

func TestPrettyXMLChangesNothing(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a <b>b</b>\n c</p><br/><div title=\"x&gt;y\"> d </div></div>"},"name":[{"family":"a > b"}],"contact":[{"name":{"text":"c"}}]}`)
	plain := c.do("GET", "/fhir/Patient/"+id+"?_format=xml", "")
	pretty := c.do("GET", "/fhir/Patient/"+id+"?_format=xml&_pretty=true", "")
	if !fhir.Equal(plain.tree, pretty.tree) {
		t.Errorf("%s\n%s", plain.Body, pretty.Body)
	}
	if !strings.Contains(pretty.Body.String(), "\n  <contact>\n    <name>\n      <text value=\"c\"/>\n    </name>\n  </contact>\n</Patient>\n") {
		t.Errorf("%s", pretty.Body)
	}
	if !strings.Contains(pretty.Body.String(), "<p>a <b>b</b>\n c</p><br/>") {
		t.Errorf("the narrative is another: %s", pretty.Body)
	}
}

func TestWhatIsWrongIsToldInXMLToo(t *testing.T) {
	c := newClient(t)
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, text               string
	}{
		{"XML that is none", "POST", "/fhir/Patient", "<Patient xmlns=\"http://hl7.org/fhir\">\n <active", []string{asXML}, 400, "structure", "2:"},
		{"XML of another namespace", "POST", "/fhir/Patient", "<Patient/>", []string{asXML}, 400, "structure", "1:1"},
		{"XML of no resource", "POST", "/fhir/Patient", `<Patent xmlns="http://hl7.org/fhir"/>`, []string{asXML}, 400, "invalid", "1:1"},
		{"an element that R4 does not have", "POST", "/fhir/Patient", `<Patient xmlns="http://hl7.org/fhir"><colour value="red"/></Patient>`, []string{asXML}, 422, "structure", "colour"},
		{"a document type", "POST", "/fhir/Patient", `<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>`, []string{asXML}, 400, "structure", "1:1"},
		{"content that is not R4", "POST", "/fhir/Patient", `<Patient xmlns="http://hl7.org/fhir"><gender value="m"/></Patient>`, []string{asXML}, 422, "", "Patient.gender"},
		{"XML sent as JSON", "POST", "/fhir/Patient", `<Patient xmlns="http://hl7.org/fhir"/>`, []string{"Content-Type: application/fhir+json"}, 400, "structure", "1:1"},
		{"JSON sent as XML", "POST", "/fhir/Patient", patient, []string{asXML}, 400, "structure", "1:1"},
		{"another version", "POST", "/fhir/Patient", patient, []string{"Content-Type: application/fhir+json; fhirVersion=3.0"}, 415, "not-supported", "4.0"},
		{"another charset", "POST", "/fhir/Patient", patient, []string{"Content-Type: application/fhir+json; charset=gb18030"}, 415, "not-supported", "UTF-8"},
		{"no media type of FHIR", "POST", "/fhir/Patient", patient, []string{"Content-Type: text/plain"}, 415, "not-supported", "application/fhir+json"},
		{"nested deeper than the limit", "POST", "/fhir/Patient", `<Patient xmlns="http://hl7.org/fhir">` + strings.Repeat(`<contact>`, 40) + strings.Repeat(`</contact>`, 40) + `</Patient>`, []string{asXML}, 400, "structure", "nested deeper than"},
		{"over the limit", "POST", "/fhir/Patient", `<Patient xmlns="http://hl7.org/fhir"><!--` + strings.Repeat("x", 1<<20) + `--></Patient>`, []string{asXML}, 413, "too-long", "1048576"},
		{"a body that is not gzip", "POST", "/fhir/Patient", patient, []string{"Content-Encoding: gzip"}, 400, "invalid", "gzip"},
		{"a body compressed in another way", "POST", "/fhir/Patient", patient, []string{"Content-Encoding: br"}, 415, "not-supported", "gzip"},
		{"_pretty that is neither", "GET", "/fhir/metadata?_pretty=yes", "", nil, 400, "value", "_pretty"},
		{"an unknown id", "GET", "/fhir/Patient/nobody", "", nil, 404, "not-found", ""},
		{"an unknown search parameter", "GET", "/fhir/Patient?colour=red", "", nil, 400, "not-supported", "colour"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			for _, accept := range []string{"application/fhir+xml", "application/fhir+json"} {
				got := c.do(tt.method, tt.path, tt.body, append(tt.headers[:len(tt.headers):len(tt.headers)], "Accept: "+accept)...)
				if got.Code != tt.status || !strings.HasPrefix(got.Header().Get("Content-Type"), accept) {
					t.Fatalf("%d %s, want %d: %.400s", got.Code, got.Header().Get("Content-Type"), tt.status, got.Body)
				}
				if code := got.tree.Get("issue").At(0).Get("code").Text(); tt.code != "" && code != tt.code {
					t.Errorf("code %s, want %s", code, tt.code)
				}
				if !strings.Contains(got.Body.String(), tt.text) {
					t.Errorf("%q is not in %s", tt.text, got.Body)
				}
				if wrong := validate.New(definitions.R4(), validate.Options{}).Resource(got.tree); fhir.HasErrors(wrong) {
					t.Errorf("the outcome is not valid: %v", wrong)
				}
			}
		})
	}
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestBodiesMayBeCompressed(t *testing.T) {
	c := newClient(t)
	got := c.do("POST", "/fhir/Patient", zip(t, patient), "Content-Encoding: gzip")
	if got.Code != http.StatusCreated || got.tree.Get("gender").Text() != "female" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if got := c.do("POST", "/fhir/Patient", zip(t, `{"resourceType":"Patient","language":"`+strings.Repeat("x", 8<<20)+`"}`), "Content-Encoding: gzip"); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a small body that unzips to more than the limit: %d", got.Code)
	}
	if got := c.do("POST", "/fhir/Patient", zip(t, patient)[:60], "Content-Encoding: gzip"); got.Code != http.StatusBadRequest {
		t.Errorf("a body that is cut off: %d", got.Code)
	}
	for _, tt := range []struct {
		path, accept string
		zipped       bool
	}{
		{"/fhir/metadata", "gzip", true},
		{"/fhir/metadata", "br, gzip;q=0.5", true},
		{"/fhir/metadata", "*", true},
		{"/fhir/metadata", "*, gzip;q=0", false},
		{"/fhir/metadata", "identity", false},
		{"/fhir/metadata", "", false},
		{"/fhir/metadata?_format=xml", "gzip", true},
		{"/fhir/Patient/nobody", "gzip", false}, // too small
	} {
		plain := c.do("GET", tt.path, "")
		r := httptest.NewRequest("GET", "http://test"+tt.path, nil)
		r.Header.Set("Accept-Encoding", tt.accept)
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, r)
		body := io.Reader(w.Body)
		if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != tt.zipped {
			t.Errorf("%s for %q: Content-Encoding %q", tt.path, tt.accept, w.Header().Get("Content-Encoding"))
		} else if zipped {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != plain.Body.String() {
			t.Errorf("%s for %q: %v, %d bytes, want %d", tt.path, tt.accept, err, len(text), plain.Body.Len())
		}
		if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("Vary %q", w.Header().Values("Vary"))
		}
	}
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient?_id=" + id, "/fhir/metadata", "/fhir/Patient/" + id + "/_history", "/fhir/Patient/nobody", "/fhir/Patient/" + id + "?_format=xml"} {
		get, head := c.do("GET", path, ""), c.do("HEAD", path, "")
		if head.Code != get.Code || head.Body.Len() != 0 {
			t.Errorf("%s: %d with %d bytes, GET %d", path, head.Code, head.Body.Len(), get.Code)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Last-Modified", "Vary"} {
			if head.Header().Get(name) != get.Header().Get(name) {
				t.Errorf("%s: %s %q, GET %q", path, name, head.Header().Get(name), get.Header().Get(name))
			}
		}
	}
}
