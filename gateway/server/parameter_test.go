package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/testenv"
)

// asks sends a FHIR request and returns the status and what was answered.
func (g *gateway) asks(method, path, body string) (int, string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), method, "http://"+g.address+"/fhir"+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/fhir+json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestWithoutSearchContentTheParameterIsNotThere(t *testing.T) {
	for setting, want := range map[string]int{"on": http.StatusOK, "off": http.StatusBadRequest} {
		g := start(t, false, map[string]string{"search.content": setting})
		if got, _ := g.asks("GET", "/Patient?_content=x", ""); got != want {
			t.Errorf("%s: searched with %d", setting, got)
		}
		_, statement := g.asks("GET", "/metadata", "")
		if listed := strings.Contains(statement, `"_content"`); listed != (setting == "on") {
			t.Errorf("%s: the statement lists it: %v", setting, listed)
		}
	}
}

// TestServersOfOneStoreSearchByOnePostedParameter posts to one server, lets another index,
// and asks both and one that is started later.
func TestServersOfOneStoreSearchByOnePostedParameter(t *testing.T) {
	flags := map[string]string{"store.url": testenv.Postgres(t)}
	a, b := start(t, false, flags), start(t, false, flags)
	for _, g := range []*gateway{a, b} {
		if code, text := g.asks("POST", "/Patient", `{"resourceType":"Patient","extension":[{"url":"https://x.example/tall","valueBoolean":true}]}`); code != http.StatusCreated {
			t.Fatal(code, text)
		}
	}
	code, text := a.asks("POST", "/SearchParameter", `{"resourceType":"SearchParameter","url":"https://x.example/SearchParameter/tall","name":"Tall","status":"active","description":"d",
		"code":"tall","base":["Patient"],"type":"token","expression":"Patient.extension.where(url='https://x.example/tall').value"}`)
	if code != http.StatusCreated {
		t.Fatal(code, text)
	}
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if code, text := b.asks("POST", "/Patient/$reindex", ""); code != http.StatusAccepted {
		t.Fatal(code, text)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, text := a.asks("GET", "/$reindex", ""); strings.Contains(text, `"finished"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the job never ended")
		}
	}
	c := start(t, false, flags)
	for i, g := range []*gateway{a, b, c} {
		if code, text := g.asks("GET", "/Patient?tall=true&_summary=count", ""); code != http.StatusOK || !strings.Contains(text, `"total":2`) {
			t.Errorf("server %d: %d %s", i, code, text)
		}
	}
	if code, text := c.asks("DELETE", "/SearchParameter/"+n.ID(), ""); code != http.StatusNoContent {
		t.Fatal(code, text)
	}
	for i, g := range []*gateway{a, b, c} {
		if code, _ := g.asks("GET", "/Patient?tall=true", ""); code != http.StatusBadRequest {
			t.Errorf("server %d: %d", i, code)
		}
	}
}
