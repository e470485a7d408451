package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
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

// alone is a server in a process of its own, over a data folder.
func alone(t *testing.T, dir string) (g *gateway, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), idleFolder+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dead := false
	kill = func() {
		if !dead {
			dead = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	g = &gateway{t: t, address: strings.TrimSpace(address)}
	for deadline := time.Now().Add(30 * time.Second); !ready(g.address); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not ready after 30 s")
		}
	}
	return g, kill
}

func TestReindexGoesOnAfterTheServerWasKilled(t *testing.T) {
	const there = 1500
	dir := t.TempDir()
	g, kill := alone(t, dir)
	var entries []string
	for range there {
		entries = append(entries, `{"request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patient","extension":[{"url":"https://x.example/tall","valueBoolean":true}]}}`)
	}
	if code, text := g.asks("POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[`+strings.Join(entries, ",")+`]}`); code != http.StatusOK {
		t.Fatalf("%d %.500s", code, text)
	}
	if code, text := g.asks("POST", "/SearchParameter", `{"resourceType":"SearchParameter","url":"https://x.example/SearchParameter/tall","name":"Tall","status":"active","description":"d",
		"code":"tall","base":["Patient"],"type":"token","expression":"Patient.extension.where(url='https://x.example/tall').value"}`); code != http.StatusCreated {
		t.Fatal(code, text)
	}
	if code, text := g.asks("POST", "/Patient/$reindex", ""); code != http.StatusAccepted {
		t.Fatal(code, text)
	}
	progress := func(g *gateway) (status string, done int) {
		_, text := g.asks("GET", "/$reindex", "")
		n, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range n.Get("parameter").At(0).Get("part").Items() {
			switch part.Get("name").Text() {
			case "status":
				status = part.Get("valueCode").Text()
			case "done":
				if _, err := fmt.Sscan(part.Get("valueUnsignedInt").Text(), &done); err != nil {
					t.Fatal(err)
				}
			}
		}
		return status, done
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if status, done := progress(g); done > 0 {
			if status != "running" || done >= there {
				t.Fatalf("%s with %d done: it was over before it could be killed", status, done)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the job never began")
		}
	}
	kill()

	g, _ = alone(t, dir)
	if code, _ := g.asks("GET", "/Patient?tall=true", ""); code != http.StatusBadRequest {
		t.Errorf("in the middle of the job it answers %d", code)
	}
	if code, text := g.asks("POST", "/Patient", `{"resourceType":"Patient","extension":[{"url":"https://x.example/tall","valueBoolean":true}]}`); code != http.StatusCreated {
		t.Fatal(code, text)
	}
	if status, done := progress(g); status != "running" || done == 0 {
		t.Errorf("after the start it is %s with %d done", status, done)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if status, done := progress(g); status == "finished" {
			if done < there || done > there+1 {
				t.Errorf("%d were indexed: it did not go on where it was", done)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the job never ended")
		}
	}
	if code, text := g.asks("GET", "/Patient?tall=true&_summary=count", ""); code != http.StatusOK || !strings.Contains(text, fmt.Sprintf(`"total":%d`, there+1)) {
		t.Errorf("%d %s", code, text)
	}
}
