package server_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestWithoutAccessControlOnlyThisMachineIsAnswered(t *testing.T) {
	g := start(t, false, nil)
	for _, tt := range []struct {
		name, host, origin string
		status             int
	}{
		{"an address of this machine", "", "", 200},
		{"its name", "localhost:8080", "", 200},
		{"IPv6", "[::1]:8080", "", 200},
		{"a page of this machine", "", "http://127.0.0.1:3000", 200},
		{"a name that was pointed here", "evil.example:8080", "", 403},
		{"an address elsewhere", "192.0.2.1", "", 403},
		{"a page from elsewhere", "", "https://evil.example", 403},
		{"a page without an origin of its own", "", "null", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest("GET", "http://"+g.address+"/fhir/Patient", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			got, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got.Body.Close()
			if got.StatusCode != tt.status {
				t.Errorf("status %d, want %d", got.StatusCode, tt.status)
			}
		})
	}
}

func TestHeadersOverTheLimitAreRefused(t *testing.T) {
	g := start(t, false, nil)
	r, err := http.NewRequest("GET", "http://"+g.address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 128<<10))
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d, want 431", got.StatusCode)
	}
}

func TestPagesOfNamedSitesAreAnswered(t *testing.T) {
	g := start(t, false, map[string]string{"browser.origins": "https://app.example.org"})
	for _, tt := range []struct {
		origin  string
		status  int
		allowed string
	}{
		{"https://app.example.org", 200, "https://app.example.org"},
		{"https://evil.example", 403, ""},
		{"http://127.0.0.1:3000", 200, ""},
	} {
		r, err := http.NewRequest("GET", "http://"+g.address+"/fhir/Patient", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", tt.origin)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if allowed := got.Header.Get("Access-Control-Allow-Origin"); got.StatusCode != tt.status || allowed != tt.allowed {
			t.Errorf("%s: %d, allowed to %q, want %d to %q", tt.origin, got.StatusCode, allowed, tt.status, tt.allowed)
		}
	}
}
