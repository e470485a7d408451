package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPagesOfNamedSitesMayUseTheEndpoint(t *testing.T) {
	const page = "https://app.example.org"
	c := newClientOf(t, page, "http://localhost:3000")
	id := c.create("Patient", patient)
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		admitted                 bool
		want                     map[string]string
	}{
		{"a preflight", "OPTIONS", "/fhir/Patient/" + id, "", []string{"Origin: " + page, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: content-type,if-match,x-medplum"}, 204, true,
			map[string]string{"Access-Control-Allow-Methods": "GET, HEAD, PUT, PATCH, DELETE", "Access-Control-Allow-Headers": "content-type,if-match,x-medplum", "Access-Control-Max-Age": "600"}},
		{"a preflight of another site", "OPTIONS", "/fhir/Patient/" + id, "", []string{"Origin: https://other.example.org", "Access-Control-Request-Method: PUT"}, 204, false,
			map[string]string{"Access-Control-Allow-Methods": ""}},
		{"OPTIONS that is no preflight", "OPTIONS", "/fhir/Patient", "", []string{"Origin: " + page}, 204, true, map[string]string{"Access-Control-Allow-Methods": ""}},
		{"a read", "GET", "/fhir/Patient/" + id, "", []string{"Origin: " + page}, 200, true, nil},
		{"a read for another site", "GET", "/fhir/Patient/" + id, "", []string{"Origin: https://app.example.org.evil.example"}, 200, false, nil},
		{"a read for nobody", "GET", "/fhir/Patient/" + id, "", nil, 200, false, nil},
		{"a write of a second site", "POST", "/fhir/Patient", patient, []string{"Origin: http://localhost:3000"}, 201, true, nil},
		{"an error", "GET", "/fhir/Patient/nobody", "", []string{"Origin: " + page}, 404, true, nil},
		{"an answer in a format that is none", "GET", "/fhir/Patient/" + id, "", []string{"Origin: " + page, "Accept: text/csv"}, 406, true, nil},
		{"a Binary", "GET", "/fhir/Binary/none", "", []string{"Origin: " + page}, 404, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			got := c.do(tt.method, tt.path, tt.body, tt.headers...)
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			origin := ""
			if tt.admitted {
				_, origin, _ = strings.Cut(tt.headers[0], ": ")
			}
			if allow := got.Header().Get("Access-Control-Allow-Origin"); allow != origin {
				t.Errorf("admits %q, want %q", allow, origin)
			}
			if shown := strings.Contains(got.Header().Get("Access-Control-Expose-Headers"), "ETag"); shown != (tt.admitted && tt.method != "OPTIONS") {
				t.Errorf("headers that pages may read: %v", got.Header())
			}
			if !slices.Contains(got.Header().Values("Vary"), "Origin") {
				t.Errorf("a cache could give one site's answer to another: %v", got.Header())
			}
			for name, want := range tt.want {
				if value := got.Header().Get(name); value != want {
					t.Errorf("%s: %q, want %q", name, value, want)
				}
			}
		})
	}
}

func TestPagesMayDoNothingUnlessSitesAreNamed(t *testing.T) {
	c := newClient(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		got := c.do(method, "/fhir/metadata", "", "Origin: https://app.example.org", "Access-Control-Request-Method: GET")
		for name := range got.Header() {
			if strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s answers %s", method, name)
			}
		}
	}
}
