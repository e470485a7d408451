package rest_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

const tallness = `{"resourceType":"SearchParameter","url":"https://x.example/SearchParameter/tall","name":"Tall","status":"active","description":"d",
	"code":"tall","base":["Patient"],"type":"token","expression":"Patient.extension.where(url='https://x.example/tall').value"}`

func part(parameters *fhir.Node, name string) string {
	for _, n := range parameters.Get("parameter").Items() {
		if n.Get("name").Text() != name {
			continue
		}
		for _, k := range n.All() {
			if strings.HasPrefix(k.Name(), "value") {
				return k.Text()
			}
		}
	}
	return ""
}

func TestReindex(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		for range 3 {
			c.do("POST", "/fhir/Patient", `{"resourceType":"Patient","extension":[{"url":"https://x.example/tall","valueBoolean":true}]}`)
		}
		if got := c.do("POST", "/fhir/SearchParameter", tallness); got.Code != http.StatusCreated {
			t.Fatal(got.Code, got.Body)
		}
		if got := c.do("POST", "/fhir/SearchParameter", strings.Replace(tallness, `"tall"`, `"gender"`, 1)); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("a name of R4: %d %s", got.Code, got.Body)
		}
		if got := c.do("GET", "/fhir/Patient?tall=true", ""); got.Code != http.StatusBadRequest {
			t.Errorf("before: %d", got.Code)
		}
		if got := c.do("GET", "/fhir/$reindex", ""); got.Code != http.StatusOK || part(got.tree, "waiting") != "https://x.example/SearchParameter/tall" {
			t.Errorf("what waits: %d %s", got.Code, got.Body)
		}
		for _, row := range []struct{ path, body string }{
			{"/fhir/$reindex", `{"resourceType":"Parameters","parameter":[{"name":"type","valueCode":"Patient"},{"name":"type","valueCode":"Basic"}]}`},
			{"/fhir/Patient/$reindex", ""},
			{"/fhir/$reindex?parameter=https://x.example/SearchParameter/tall", ""},
			{"/fhir/$reindex", ""},
		} {
			got := c.do("POST", row.path, row.body)
			where, found := strings.CutPrefix(got.Header().Get("Content-Location"), "http://test")
			if got.Code != http.StatusAccepted || !found || part(got.tree, "status") != "waiting" {
				t.Fatalf("%s: %d %s %s", row.path, got.Code, where, got.Body)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { c.engine.Run(ctx, func(err error) { t.Error(err) }) })
			var now reply
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
				if now = c.do("GET", where, ""); now.Code != http.StatusOK || part(now.tree, "status") == "finished" || time.Now().After(deadline) {
					break
				}
			}
			cancel()
			wg.Wait()
			if part(now.tree, "status") != "finished" || part(now.tree, "failed") != "0" || part(now.tree, "ended") == "" {
				t.Errorf("%s: %s", row.path, now.Body)
			}
		}
		if got := c.do("GET", "/fhir/Patient?tall=true&_summary=count", ""); got.Code != http.StatusOK || got.tree.Get("total").Text() != "3" {
			t.Errorf("after: %d %s", got.Code, got.Body)
		}
		if got := c.do("GET", "/fhir/metadata", ""); !strings.Contains(got.Body.String(), "OperationDefinition/reindex") || !strings.Contains(got.Body.String(), `"tall"`) {
			t.Error("the statement does not tell of it")
		}
		for _, row := range []struct {
			method, path string
			headers      []string
			want         int
		}{
			{"GET", "/fhir/$reindex?job=none", nil, http.StatusNotFound},
			{"GET", "/fhir/$reindex", []string{"X-Test-Institution: county"}, http.StatusForbidden},
			{"POST", "/fhir/$reindex", []string{"X-Test-Institution: county"}, http.StatusForbidden},
			{"POST", "/fhir/Nothing/$reindex", nil, http.StatusNotFound},
			{"POST", "/fhir/Patient/x/$reindex", nil, http.StatusNotFound},
			{"POST", "/fhir/$reindex?x=y", nil, http.StatusBadRequest},
			{"POST", "/fhir/$expunge", nil, http.StatusForbidden},
			{"POST", "/fhir/Patient/x/$expunge", nil, http.StatusForbidden},
			{"POST", "/fhir/SearchParameter", []string{"X-Test-Institution: county"}, http.StatusForbidden},
		} {
			body := ""
			if row.path == "/fhir/SearchParameter" {
				body = strings.ReplaceAll(tallness, "tall", "short")
			}
			if got := c.do(row.method, row.path, body, row.headers...); got.Code != row.want {
				t.Errorf("%s %s: %d, want %d: %s", row.method, row.path, got.Code, row.want, got.Body)
			}
		}
	})
}

func TestExpungeOverHTTP(t *testing.T) {
	c := newClient(t)
	c.engine.Expunges = true
	got := c.do("POST", "/fhir/Patient", `{"resourceType":"Patient"}`)
	path := "/fhir/Patient/" + got.tree.ID()
	if got := c.do("POST", path+"/$expunge", `{"resourceType":"Parameters","parameter":[{"name":"expungeDeletedResources","valueBoolean":true}]}`); got.Code != http.StatusConflict {
		t.Errorf("not deleted: %d %s", got.Code, got.Body)
	}
	if got := c.do("GET", path+"/$expunge", ""); got.Code == http.StatusOK {
		t.Error("by reading")
	}
	for _, row := range []struct {
		path string
		want int
	}{{"/fhir/$expunge", 400}, {"/fhir/Patient/$expunge", 400}, {"/fhir/$expunge?expungePreviousVersions=true", 200},
		{"/fhir/Patient/$expunge?expungePreviousVersions=true&limit=1", 200}, {path + "/_history/1/$expunge", 409}, {path + "/_history/9/$expunge", 404}} {
		if got := c.do("POST", row.path, ""); got.Code != row.want {
			t.Errorf("%s: %d, want %d: %s", row.path, got.Code, row.want, got.Body)
		}
	}
	if got := c.do("POST", path+"/$expunge", ""); got.Code != http.StatusOK || part(got.tree, "count") != "1" {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for _, path := range []string{path, path + "/_history", path + "/_history/1"} {
		if got := c.do("GET", path, ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
