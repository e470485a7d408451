package rest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

func bundleOf(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
}

// entry writes an entry; extra are further properties of its request.
func entry(method, url, resource string, extra ...string) string {
	request := append([]string{`"method":"` + method + `"`, `"url":"` + url + `"`}, extra...)
	out := `{"request":{` + strings.Join(request, ",") + `}`
	if resource != "" {
		out += `,"resource":` + resource
	}
	return out + `}`
}

// said writes a response Bundle as lines of status, what is shown and what is told.
func said(t *testing.T, got reply) (lines []string) {
	t.Helper()
	if got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if wrong := validate.New(definitions.R4(), validate.Options{}).Resource(got.tree); fhir.HasErrors(wrong) {
		t.Errorf("the answer is not valid FHIR: %v", wrong)
	}
	for _, e := range got.tree.Get("entry").Items() {
		response := e.Get("response")
		line := response.Get("status").Text()
		if r := e.Get("resource"); r != nil {
			line += " " + r.ResourceType()
		}
		if response.Get("outcome") != nil {
			line += " outcome"
		}
		if tag := response.Get("etag").Text(); tag != "" {
			line += " " + tag
		}
		lines = append(lines, line)
	}
	return lines
}

func want(t *testing.T, got []string, lines ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func TestBatchAnswersEachEntryOnItsOwn(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	got := c.do("POST", "/fhir", bundleOf("batch",
		entry("GET", "Patient/"+id, ""),
		entry("GET", "Patient/nobody", ""),
		entry("POST", "Patient", `{"resourceType":"Patient","gender":"m"}`),
		entry("POST", "Patient", `{"resourceType":"Patient","gender":"male"}`),
		entry("POST", "Patient", patient, `"ifNoneExist":"identifier=990101199001010027"`),
		entry("GET", "Patient/"+id, "", `"ifNoneMatch":"W/\"1\""`),
		entry("GET", "Patient?colour=red", ""),
		entry("GET", "http://test/fhir/Patient?identifier=990101199001010027&_format=xml", ""),
		entry("DELETE", "Patient/nobody", ""),
		entry("PUT", "Patient/nobody", `{"resourceType":"Patient","id":"nobody"}`),
		entry("GET", "metadata", ""),
		entry("GET", "Patient/"+id+"/_history", ""),
		entry("HEAD", "Patient/"+id, ""),
		entry("PATCH", "Patient/"+id, `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9nZW5kZXIiLCJ2YWx1ZSI6Im1hbGUifV0="}`, `"ifMatch":"W/\"7\""`),
		entry("POST", "Patient/"+id, `{"resourceType":"Patient"}`),
		entry("GET", "%zz", ""),
	))
	want(t, said(t, got),
		`200 OK Patient W/"1"`,
		`404 Not Found outcome`,
		`422 Unprocessable Entity outcome`,
		`201 Created W/"1"`,
		`200 OK W/"1"`,
		`304 Not Modified W/"1"`,
		`400 Bad Request outcome`,
		`200 OK Bundle`,
		`204 No Content`,
		`405 Method Not Allowed outcome`,
		`200 OK CapabilityStatement`,
		`200 OK Bundle`,
		`200 OK W/"1"`,
		`412 Precondition Failed outcome`,
		`405 Method Not Allowed outcome`,
		`400 Bad Request outcome`,
	)
	created := got.tree.Get("entry").At(3).Path("response", "location").Text()
	if read := c.do("GET", "/fhir/"+created, ""); read.Code != http.StatusOK {
		t.Errorf("location %q: %d", created, read.Code)
	}
}

// A batch carries out its methods in the order of a transaction, and is no way to
// send another.
func TestABatchIsNoWayAround(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	got := c.do("POST", "/fhir", bundleOf("batch",
		entry("POST", "/", bundleOf("batch", entry("GET", "metadata", ""))),
		entry("GET", "Patient/"+id, ""),
		entry("DELETE", "Patient/"+id, ""),
		entry("POST", "../oauth/token", `{"resourceType":"Patient"}`),
	), "X-Test-Institution: city")
	want(t, said(t, got), "400 Bad Request outcome", "410 Gone outcome", `204 No Content W/"2"`, "404 Not Found outcome")
	other := c.create("Patient", patient)
	got = c.do("POST", "/fhir", bundleOf("batch", entry("GET", "Patient/"+other, ""), entry("GET", "Patient?gender=female", "")), "X-Test-Institution: county")
	want(t, said(t, got), "404 Not Found outcome", "200 OK Bundle")
	if found := got.tree.Get("entry").At(1).Path("resource", "entry").Len(); found != 0 {
		t.Errorf("an entry sees %d Patients that its sender may not", found)
	}
}

func TestTransactionIsAnsweredInItsOrder(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	entries := func(gender string) string {
		return bundleOf("transaction",
			entry("GET", "Patient?gender=unknown", ""),
			entry("GET", "Patient/"+id, "", `"ifNoneMatch":"W/\"1\""`),
			entry("POST", "Patient", `{"resourceType":"Patient","gender":"`+gender+`"}`),
			entry("POST", "Patient", patient, `"ifNoneExist":"?identifier=990101199001010027"`),
			entry("DELETE", "Patient?identifier=nothing", ""),
			entry("HEAD", "Patient/"+id, ""),
		)
	}
	got := c.do("POST", "/fhir", entries("unknown"))
	want(t, said(t, got), "200 OK Bundle", `304 Not Modified W/"1"`, `201 Created W/"1"`, `200 OK W/"1"`, "204 No Content", `200 OK W/"1"`)
	if n := got.tree.Get("entry").At(0).Path("resource", "entry").Len(); n != 1 {
		t.Errorf("the search sees %d of the Patients that the transaction wrote, want 1", n)
	}
	got = c.do("POST", "/fhir", entries("other"), "Prefer: respond-async, return=representation")
	want(t, said(t, got), "200 OK Bundle", `304 Not Modified W/"1"`, `201 Created Patient W/"1"`, `200 OK Patient W/"1"`, "204 No Content", `200 OK W/"1"`)
	got = c.do("POST", "/fhir/", entries("other"), "Prefer: return=OperationOutcome")
	want(t, said(t, got), "200 OK Bundle", `304 Not Modified W/"1"`, `201 Created outcome W/"1"`, `200 OK outcome W/"1"`, "204 No Content outcome", `200 OK W/"1"`)
}

func TestATransactionThatFailsIsOneOutcome(t *testing.T) {
	c := newClient(t)
	for _, tt := range []struct {
		name, entry, place string
		status             int
	}{
		{"content", entry("POST", "Patient", `{"resourceType":"Patient","gender":"m"}`), "Bundle.entry[1].resource.gender", 422},
		{"an update of nothing", entry("PUT", "Patient/nobody", `{"resourceType":"Patient","id":"nobody"}`), "Bundle.entry[1]", 405},
		{"a read of nothing", entry("GET", "Patient/nobody", ""), "Bundle.entry[1]", 404},
		{"a search that is unknown", entry("GET", "Patient?colour=red", ""), "Bundle.entry[1]", 400},
		{"a version", entry("DELETE", "Patient/nobody", "", `"ifMatch":"W/\"1\""`), "Bundle.entry[1]", 412},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			got := c.do("POST", "/fhir", bundleOf("transaction", entry("POST", "Patient", `{"resourceType":"Patient","gender":"unknown"}`), tt.entry))
			if got.Code != tt.status || got.tree.ResourceType() != "OperationOutcome" {
				t.Fatalf("%d %s, want %d", got.Code, got.Body, tt.status)
			}
			if place := got.tree.Get("issue").At(0).Get("expression").At(0).Text(); place != tt.place {
				t.Errorf("place %q, want %q", place, tt.place)
			}
			if found := c.do("GET", "/fhir/Patient?gender=unknown", ""); found.tree.Get("entry").Len() != 0 {
				t.Error("half of it was written")
			}
		})
	}
}

func TestABundleOverTheLimitIsRefused(t *testing.T) {
	c := newClient(t)
	c.engine.Limit.Entries = 10
	for _, kind := range []string{"batch", "transaction"} {
		list := make([]string, 11)
		for i := range list {
			list[i] = entry("POST", "Patient", `{"resourceType":"Patient"}`)
		}
		if got := c.do("POST", "/fhir", bundleOf(kind, list...)); got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", kind, got.Code, got.Body)
		}
		if got := c.do("POST", "/fhir", bundleOf(kind, list[1:]...)); got.Code != http.StatusOK {
			t.Errorf("%s: %d %s", kind, got.Code, got.Body)
		}
	}
	if got := c.do("POST", "/fhir", bundleOf("batch", entry("POST", "Binary", `{"resourceType":"Binary","contentType":"a/b","data":"`+strings.Repeat("A", 1<<20)+`"}`))); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("bytes: %d", got.Code)
	}
}

func TestABatchOfManyEntriesKeepsTheirOrder(t *testing.T) {
	c := newClient(t)
	list := make([]string, 100)
	for i := range list {
		list[i] = entry("POST", "Patient", fmt.Sprintf(`{"resourceType":"Patient","birthDate":"1990-01-%02d"}`, 1+i%28))
	}
	got := c.do("POST", "/fhir", bundleOf("batch", list...), "Prefer: return=representation")
	said(t, got)
	for i, e := range got.tree.Get("entry").Items() {
		if date := e.Path("resource", "birthDate").Text(); date != fmt.Sprintf("1990-01-%02d", 1+i%28) {
			t.Errorf("entry %d answers %s", i, date)
		}
	}
	if n := c.do("GET", "/fhir/Patient?_summary=count", "").tree.Get("total").Text(); n != strconv.Itoa(len(list)) {
		t.Errorf("%s Patients", n)
	}
}
