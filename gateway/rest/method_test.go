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
