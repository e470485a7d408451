package rest_test

import (
	"strconv"
	"strings"
	"testing"
)

func TestPreferDecidesWhatAWriteAnswers(t *testing.T) {
	for _, tt := range []struct{ name, prefer, post, same, remove, applied string }{
		{"nothing", "", "201 Patient", "200 Patient", "204 ", ""},
		{"the resource", "return=representation", "201 Patient", "200 Patient", "204 ", "return=representation"},
		{"little", "return=minimal", "201 ", "200 ", "204 ", "return=minimal"},
		{"an outcome", "return=OperationOutcome", "201 OperationOutcome", "200 OperationOutcome", "200 OperationOutcome", "return=OperationOutcome"},
		{"little, among others", `handling=strict; wait=1, return="minimal"`, "201 ", "200 ", "204 ", "return=minimal"},
		{"little, in another case", `Return = "Minimal"`, "201 ", "200 ", "204 ", "return=minimal"},
		{"what is none", "return=everything", "201 Patient", "200 Patient", "204 ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			say := func(r reply) string {
				return strconv.Itoa(r.Code) + " " + r.tree.ResourceType()
			}
			prefer := "Prefer: " + tt.prefer
			created := c.do("POST", "/fhir/Patient", patient, prefer)
			if applied := created.Header().Get("Preference-Applied"); applied != tt.applied {
				t.Errorf("applied %q, want %q", applied, tt.applied)
			}
			if got := say(created); got != tt.post {
				t.Errorf("create: %s, want %s", got, tt.post)
			}
			address, _, _ := strings.Cut(strings.TrimPrefix(created.Header().Get("Location"), "http://test"), "/_history/")
			body := strings.Replace(patient, `"resourceType"`, `"id":"`+strings.TrimPrefix(address, "/fhir/Patient/")+`","resourceType"`, 1)
			same := c.do("PUT", address, body, prefer)
			if got := say(same); got != tt.same || same.Header().Get("ETag") != `W/"1"` {
				t.Errorf("update: %s, want %s", got, tt.same)
			}
			patched := c.do("PATCH", address, `[{"op":"replace","path":"/gender","value":"male"}]`, prefer, "Content-Type: application/json-patch+json")
			if got := say(patched); got != tt.same || patched.Header().Get("ETag") != `W/"2"` || patched.Header().Get("Last-Modified") == "" ||
				patched.Header().Get("Content-Location") != "http://test"+address+"/_history/2" {
				t.Errorf("patch: %s, want %s: %v", got, tt.same, patched.Header())
			}
			if got := say(c.do("DELETE", address, "", prefer)); got != tt.remove {
				t.Errorf("delete: %s, want %s", got, tt.remove)
			}
		})
	}
}

func TestConditionalWritesOverHTTP(t *testing.T) {
	c := newClient(t)
	first := c.do("POST", "/fhir/Patient", patient, "If-None-Exist: identifier=990101199001010027")
	again := c.do("POST", "/fhir/Patient", patient, "If-None-Exist: ?identifier=urn:oid:2.16.156.10011.1.3%7C990101199001010027")
	if first.Code != 201 || again.Code != 200 || again.tree.ID() != first.tree.ID() || again.Header().Get("Location") != first.Header().Get("Location") {
		t.Errorf("%d, then %d %s", first.Code, again.Code, again.Header())
	}
	const address = "/fhir/Patient?identifier=urn:oid:2.16.156.10011.1.3|990101199001010027"
	updated := c.do("PUT", address+"&_format=json", strings.Replace(patient, "female", "male", 1), `If-Match: W/"1"`)
	if updated.Code != 200 || updated.Header().Get("ETag") != `W/"2"` {
		t.Errorf("%d %s", updated.Code, updated.Body)
	}
	created := c.do("PUT", "/fhir/Patient?identifier=other", `{"resourceType":"Patient","identifier":[{"value":"other"}]}`)
	if created.Code != 201 || created.Header().Get("Location") == "" {
		t.Errorf("%d %s", created.Code, created.Body)
	}
	patched := c.do("PATCH", address, `[{"op":"replace","path":"/gender","value":"other"}]`, "Content-Type: application/json-patch+json; charset=utf-8")
	if patched.Code != 200 || patched.tree.Get("gender").Text() != "other" {
		t.Errorf("%d %s", patched.Code, patched.Body)
	}
	xml := c.do("PATCH", address, `<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">male</replace></diff>`, "Content-Type: application/xml-patch+xml")
	if xml.Code != 200 || xml.tree.Get("gender").Text() != "male" {
		t.Errorf("%d %s", xml.Code, xml.Body)
	}
	path := c.do("PATCH", address, `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="replace"/></part><part><name value="path"/><valueString value="Patient.gender"/></part><part><name value="value"/><valueCode value="unknown"/></part></parameter></Parameters>`, "Content-Type: application/fhir+xml")
	if path.Code != 200 || path.tree.Get("gender").Text() != "unknown" {
		t.Errorf("%d %s", path.Code, path.Body)
	}
	if got := c.do("DELETE", address, "", `If-Match: W/"9"`); got.Code != 412 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := c.do("DELETE", address, ""); got.Code != 204 || got.Header().Get("ETag") != `W/"6"` {
		t.Errorf("%d %s", got.Code, got.Header())
	}
	if got := c.do("DELETE", address, ""); got.Code != 204 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	c.create("Patient", patient)
	c.create("Patient", patient)
	for _, method := range []string{"PUT", "DELETE"} {
		if got := c.do(method, address, patient); got.Code != 412 || !strings.Contains(got.Body.String(), "multiple-matches") {
			t.Errorf("%s of several: %d %s", method, got.Code, got.Body)
		}
	}
	c.engine.DeletesMany = true
	if got := c.do("DELETE", address, "", "Prefer: return=OperationOutcome"); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := c.do("GET", address, ""); got.tree.Get("entry").Len() != 0 {
		t.Errorf("%s", got.Body)
	}
}

func TestConditionalReads(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	modified := c.do("GET", "/fhir/Patient/"+id, "").Header().Get("Last-Modified")
	for header, status := range map[string]int{
		`If-None-Match: W/"1"`:                             304,
		`If-None-Match: "1"`:                               304,
		`If-None-Match: W/"2", W/"1"`:                      304,
		`If-None-Match: *`:                                 304,
		`If-None-Match: W/"2"`:                             200,
		`If-None-Match: nonsense`:                          200,
		"If-Modified-Since: " + modified:                   304,
		"If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT": 200,
		"If-Modified-Since: nonsense":                      200,
	} {
		if got := c.do("GET", "/fhir/Patient/"+id, "", header); got.Code != status || got.Header().Get("ETag") != `W/"1"` {
			t.Errorf("%s: %d, want %d", header, got.Code, status)
		}
	}
}

func TestHistoriesOverHTTP(t *testing.T) {
	c := newClient(t)
	for range 5 {
		c.create("Patient", patient)
	}
	c.create("Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`)
	for path, want := range map[string]int{"/fhir/_history": 6, "/fhir/Patient/_history": 5, "/fhir/Observation/_history": 1, "/fhir/Patient/_history?_count=2": 5} {
		n := 0
		for next := path; next != ""; {
			got := c.do("GET", next, "")
			if got.Code != 200 || got.tree.Get("type").Text() != "history" {
				t.Fatalf("%s: %d %s", next, got.Code, got.Body)
			}
			next = ""
			for _, e := range got.tree.Get("entry").Items() {
				if e.Path("response", "status").Text() != "201" || e.Path("request", "method").Text() != "POST" || e.Get("resource") == nil {
					t.Errorf("%s", e.AppendJSON(nil))
				}
				n++
			}
			for _, l := range got.tree.Get("link").Items() {
				if l.Get("relation").Text() == "next" {
					next = strings.TrimPrefix(l.Get("url").Text(), "http://test")
				}
			}
		}
		if n != want {
			t.Errorf("%s: %d versions, want %d", path, n, want)
		}
	}
}
