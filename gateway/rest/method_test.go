package rest_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestEveryAddressSaysWhichMethodsItTakes(t *testing.T) {
	c := newClient(t)
	const read = "GET, HEAD"
	for _, tt := range []struct{ path, allow string }{
		{"/fhir", read + ", POST"},
		{"/fhir/", read + ", POST"},
		{"/fhir/metadata", read},
		{"/fhir/_history", read},
		{"/fhir/_search", "POST"},
		{"/fhir/Patient", read + ", POST, PUT, PATCH, DELETE"},
		{"/fhir/Patient/", read + ", POST, PUT, PATCH, DELETE"},
		{"/fhir/Patient/_history", read},
		{"/fhir/Patient/a", read + ", PUT, PATCH, DELETE"},
		{"/fhir/Patient/a/_history", read},
		{"/fhir/Patient/a/_history/1", read},
		{"/fhir/Patient/a/Observation", read},
		{"/fhir/Patient/$validate", read + ", POST"},
		{"/fhir/Patient/a/$everything", read + ", POST"},
		{"/fhir/Binary/a", read + ", PUT, PATCH, DELETE"},
		{"/fhir/Binary/_history", read},
		{"/fhir/Patient/_search", "POST"},
		{"/fhir/Patent/a", ""},
		{"/fhir/Patient/a/b/c/d", ""},
		{"/fhir/Patient/a/$guess", ""},
		{"/fhir/$guess", ""},
	} {
		got := c.do(http.MethodOptions, tt.path, "")
		want, status := tt.allow+", OPTIONS", http.StatusNoContent
		if tt.allow == "" {
			want, status = "", http.StatusNotFound
		}
		if allow := got.Header().Get("Allow"); allow != want || got.Code != status {
			t.Errorf("OPTIONS %s: %d %q, want %d %q", tt.path, got.Code, allow, status, want)
		}
		if tt.allow == "" {
			continue
		}
		for _, method := range []string{http.MethodTrace, "BREW"} {
			got := c.do(method, tt.path, "")
			if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != want || got.tree.ResourceType() != "OperationOutcome" {
				t.Errorf("%s %s: %d %q", method, tt.path, got.Code, got.Header().Get("Allow"))
			}
		}
	}
}

func TestAnUpdateOfNothingNamesWhatElseThereIs(t *testing.T) {
	c := newClient(t)
	got := c.do("PUT", "/fhir/Patient/nobody", `{"resourceType":"Patient","id":"nobody"}`)
	if allow := got.Header().Get("Allow"); got.Code != http.StatusMethodNotAllowed || allow != "GET, HEAD, PATCH, DELETE, OPTIONS" {
		t.Errorf("%d %q", got.Code, allow)
	}
}

func TestATypeMayEndWithASlash(t *testing.T) {
	c := newClient(t)
	c.create("Patient/", patient)
	if got := c.do("GET", "/fhir/Patient/?gender=female", ""); got.Code != http.StatusOK || got.tree.Get("entry").Len() != 1 {
		t.Errorf("search: %d %s", got.Code, got.Body)
	}
	if got := c.do("GET", "/fhir/Binary/", ""); got.Code != http.StatusOK {
		t.Errorf("search of Binaries: %d %s", got.Code, got.Body)
	}
	if got := c.do("PUT", "/fhir/Patient/?birthdate=1990-01-01", patient); got.Code != http.StatusOK {
		t.Errorf("update: %d %s", got.Code, got.Body)
	}
	if got := c.do("DELETE", "/fhir/Patient/?gender=female", ""); got.Code != http.StatusNoContent {
		t.Errorf("delete: %d %s", got.Code, got.Body)
	}
}

func TestWhatACacheHasIsNotSentAgain(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient/" + id + "/_history/1"} {
		for _, header := range []string{`If-None-Match: W/"1"`, `If-None-Match: "1"`, `If-None-Match: "7", W/"1"`, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"} {
			got := c.do("GET", path, "", header)
			if got.Code != http.StatusNotModified || got.Body.Len() > 0 || got.Header().Get("ETag") != `W/"1"` || !strings.Contains(got.Header().Get("Vary"), "Accept") {
				t.Errorf("%s, %s: %d %v", path, header, got.Code, got.Header())
			}
		}
		if got := c.do("GET", path, "", `If-None-Match: W/"2"`); got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

func TestWhatMustNotBeThereIsNotReplaced(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	got := c.do("PUT", "/fhir/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`"}`, "If-None-Match: *")
	if got.Code != http.StatusPreconditionFailed {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if read := c.do("GET", "/fhir/Patient/"+id, ""); read.Header().Get("ETag") != `W/"1"` {
		t.Errorf("it was replaced: %s", read.Body)
	}
}

func TestAllowedMethodsAreTakenAndOthersAreNot(t *testing.T) {
	c := newClient(t)
	for _, path := range []string{"/fhir", "/fhir/_search", "/fhir/Binary/_history", "/fhir/Patient/_search", "/fhir/metadata", "/fhir/_history", "/fhir/Patient", "/fhir/Patient/a", "/fhir/Patient/a/_history", "/fhir/Patient/a/$everything", "/fhir/Observation/$lastn"} {
		allow := c.do(http.MethodOptions, path, "").Header().Get("Allow")
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			got := c.do(method, path, `{"resourceType":"Parameters"}`)
			if taken := strings.Contains(allow, method); taken == (got.Code == http.StatusMethodNotAllowed) && !(method == "PUT" && strings.HasSuffix(path, "/a")) {
				t.Errorf("%s %s: %d, and %q is allowed", method, path, got.Code, allow)
			}
		}
	}
}
