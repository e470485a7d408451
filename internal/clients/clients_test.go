package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/internal/testenv"
)

// scripts are what runs in Node, by the package that each uses.
var scripts = []struct{ name, module string }{
	{"fhirkit", "fhir-kit-client"},
	{"medplum", "@medplum/core"},
}

// maxTime is how long a script may take, on a machine with much else to do.
const maxTime = 2 * time.Minute

func TestClientsGetWhatTheyWantOnSQLite(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) { holds(t, s.name, s.module, nil) })
	}
}

func TestClientsGetWhatTheyWantOnPostgreSQL(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) { holds(t, s.name, s.module, map[string]string{"store.url": testenv.Postgres(t)}) })
	}
}

// holds runs a script against a new server and compares what it got with what is wanted.
func holds(t *testing.T, script, module string, settings map[string]string) {
	t.Helper()
	engine := node(t, module)
	wanted := wantedLines(t, script)
	for _, problem := range differences(wanted, drive(t, engine, script, "http://"+serve(t, settings)+"/fhir")) {
		t.Error(problem)
	}
}

// TestAServerWithAFaultIsFound shows that the comparison finds what clients would stumble over.
func TestAServerWithAFaultIsFound(t *testing.T) {
	engine := node(t, "fhir-kit-client")
	wanted := wantedLines(t, "fhirkit")
	target, err := url.Parse("http://" + serve(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
			r.Out.Header.Del("If-None-Exist")
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("ETag")
			return nil
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	faulty := httptest.NewServer(proxy)
	defer faulty.Close()
	found := strings.Join(differences(wanted, drive(t, engine, "fhirkit", faulty.URL+"/fhir")), "\n")
	for _, step := range []string{`"create"`, `"conditional create, second"`, `"read"`} {
		if !strings.Contains(found, step) {
			t.Errorf("%s is not told of: %s", step, found)
		}
	}
}

// node returns the program that runs scripts.
func node(t *testing.T, module string) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "needs Node: run make services")
	}
	if _, err := os.Stat(filepath.Join("node_modules", filepath.FromSlash(module))); err != nil {
		missing(t, "needs "+module+": run make services")
	}
	return path
}

// missing ends the test: a failure where everything must be there, otherwise a skip.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// serve runs a gateway until the test ends and returns its address.
func serve(t *testing.T, settings map[string]string) string {
	t.Helper()
	all := map[string]string{"listen": "127.0.0.1:0", "data": t.TempDir()}
	for name, value := range settings {
		all[name] = value
	}
	c, err := config.Load(config.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{
			Config: c, Log: slog.New(slog.DiscardHandler), Version: "test", Started: func(a string) { started <- a },
		})
	}()
	var address string
	select {
	case address = <-started:
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		got, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			continue
		}
		got.Body.Close()
		if got.StatusCode == http.StatusOK {
			return address
		}
	}
	t.Fatal("the server is not ready after a minute")
	return ""
}

// line is what a client got in one step.
type line struct {
	step  string
	facts map[string]any
}

// drive runs a script and returns what it printed.
func drive(t *testing.T, engine, script, base string) []line {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), maxTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, engine, script+".mjs", base)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s\n%s", script, err, said.String(), out)
	}
	got, err := lines(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return got
}

func wantedLines(t *testing.T, script string) []line {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", script+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	wanted, err := lines(file)
	if err != nil {
		t.Fatalf("%s: %v", file.Name(), err)
	}
	return wanted
}

// lines reads one object a line, each with its step; empty lines and those that begin with # say nothing.
func lines(r io.Reader) ([]line, error) {
	var out []line
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		var facts map[string]any
		if err := json.Unmarshal([]byte(text), &facts); err != nil {
			return nil, errors.Join(err, errors.New(text))
		}
		step, ok := facts["step"].(string)
		if !ok || slices.ContainsFunc(out, func(l line) bool { return l.step == step }) {
			return nil, errors.New("a line without a step of its own: " + text)
		}
		delete(facts, "step")
		out = append(out, line{step, facts})
	}
	return out, scanner.Err()
}

// differences are the steps that did not bring what is wanted, were not made, or are not wanted.
func differences(wanted, got []line) []string {
	var out []string
	for _, g := range got {
		i := slices.IndexFunc(wanted, func(w line) bool { return w.step == g.step })
		if i < 0 {
			out = append(out, jsonOf(g)+": nobody says what is wanted")
			continue
		}
		if diff := cmp.Diff(wanted[i].facts, g.facts); diff != "" {
			out = append(out, jsonOf(g)+": want+got-\n"+diff)
		}
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(got, func(g line) bool { return g.step == w.step }) {
			out = append(out, jsonOf(w)+": the step was not made")
		}
	}
	return out
}

func jsonOf(l line) string {
	all := map[string]any{"step": l.step}
	for name, value := range l.facts {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return l.step
	}
	return string(text)
}
