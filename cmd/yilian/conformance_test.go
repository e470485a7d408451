package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/score"
)

// TestGatewayFulfilsTheSuites runs the built-in suites against the gateway with the demo alliance, all that it can promise
// being promised. What does not pass must be on the list in testdata/conformance/gateway.txt, and what is on the list must
// not pass.
func TestGatewayFulfilsTheSuites(t *testing.T) {
	expected := score.Exceptions(t, "testdata/conformance/gateway.txt")
	settings := filepath.Join(t.TempDir(), "yilian.yaml")
	if err := os.WriteFile(settings, []byte("fhir:\n  update-as-create: on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := startDemo(t, "--config", settings)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"conformance", "run", "--server", base, "--json"}, strings.NewReader(""), &stdout, &stderr); code == exitUsage {
		t.Fatalf("ends with %d: %s", code, &stderr)
	}
	scripts := 0
	for line := range strings.Lines(stdout.String()) {
		var r scriptResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		scripts++
		passed := r.Result == "pass" || r.Result == "warning"
		_, listed := expected[r.File]
		delete(expected, r.File)
		switch {
		case !passed && !listed:
			t.Errorf("%s: %s, and is not on the list: %s", r.File, r.Result, line)
		case passed && listed:
			t.Errorf("%s: %s, and is on the list: take it off", r.File, r.Result)
		}
	}
	for name := range expected {
		t.Errorf("%s is on the list and no script", name)
	}
	if scripts < 80 {
		t.Errorf("%d scripts were run", scripts)
	}
}

// startDemo runs the gateway with the demo alliance for the time of a test, and returns its FHIR base.
func startDemo(t *testing.T, flags ...string) string {
	t.Helper()
	var r runner
	lines := r.start(t, append([]string{"serve", "--demo", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, flags...))
	t.Cleanup(func() {
		if r.stop != nil {
			r.end()
		}
	})
	address, ok := strings.CutPrefix(lines[0], "listening on ")
	if !ok {
		t.Fatalf("%q", lines)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(address + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return address + "/fhir"
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the gateway is not ready after a minute")
		}
	}
}

func TestConformanceRunWritesFiles(t *testing.T) {
	base := startDemo(t)
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	args := []string{"conformance", "run", "--server", base, "--suite", "feed", "--junit", "-", "--html", "page.html", "--report", "report.json", "--lang", "zh"}
	if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code == exitUsage {
		t.Fatalf("ends with %d: %s", code, &stderr)
	}
	for _, want := range []string{"患者符合指南", "<testsuites", "feed/patients"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("standard output has no %q:\n%s", want, &stdout)
		}
	}
	stdout.Reset()
	if code := run(t.Context(), []string{"validate", "report.json"}, strings.NewReader(""), &stdout, &stderr); code != exitDone {
		t.Errorf("the report is not valid: %s", &stdout)
	}
	stdout.Reset()
	if code := run(t.Context(), []string{"conformance", "run", "--server", base + "/nowhere", "--suite", "feed"}, strings.NewReader(""), &stdout, &stderr); code != exitFindings {
		t.Errorf("a base that is none ends with %d: %s", code, &stdout)
	}
	if !slices.ContainsFunc(strings.Split(stderr.String(), "\n"), func(l string) bool { return strings.Contains(l, "scripts: ") && strings.Contains(l, " error") }) {
		t.Errorf("the summary does not tell of errors: %s", &stderr)
	}
}
