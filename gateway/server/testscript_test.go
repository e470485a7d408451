package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/suites"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// published is the folder of published TestScripts in the corpus.
const published = "testscripts"

// TestScoreTestScripts runs our suite for servers and the published scripts against a server, over HTTP. What does not
// pass must be in testdata/testscripts.txt, with the reason; what is there must not pass.
func TestScoreTestScripts(t *testing.T) {
	scripts := testenv.Corpus(t, published)
	g := start(t, false, map[string]string{"fhir.update-as-create": "on"})
	known := score.Exceptions(t, "testdata/testscripts.txt")
	passed, total := 0, 0
	count := func(s *testscript.Script, report testscript.ScriptReport) {
		total++
		reason, listed := known[s.File]
		delete(known, s.File)
		switch {
		case report.Result.OK() && listed:
			t.Errorf("%s passes, and is excused: %s", s.File, reason)
		case report.Result.OK():
			passed++
		case !listed:
			t.Errorf("%s: %s", s.File, told(report))
		}
	}
	own, err := suites.Load("server")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range own.Scripts {
		count(s, g.run(s, nil))
	}
	loader := testscript.Loader{Resolve: fixture(t, scripts)}
	suite, err := loader.Load(os.DirFS(scripts), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suite.Scripts {
		for _, example := range []string{"Patient/example", "Observation/example"} {
			g.put(t, example)
		}
		count(s, g.run(s, asked))
	}
	for name := range known {
		t.Errorf("%s is excused and no script", name)
	}
	score.Report(t, "testscripts", passed, total)
}

// TestTheServerFulfilsItsSuiteOnPostgreSQL runs our suite for servers with the settings that a server begins with, of
// which it promises no creation by update.
func TestTheServerFulfilsItsSuiteOnPostgreSQL(t *testing.T) {
	g := start(t, false, map[string]string{"store.url": testenv.Postgres(t)})
	suite, err := suites.Load("server")
	if err != nil {
		t.Fatal(err)
	}
	if len(suite.Scripts) < 50 {
		t.Errorf("%d scripts", len(suite.Scripts))
	}
	for _, s := range suite.Scripts {
		report := g.run(s, nil)
		if creates := s.File == "server/update-create.json"; creates != (report.Result == testscript.Skip) || !creates && !report.Result.OK() {
			t.Errorf("%s: %s", s.File, told(report))
		}
	}
}

// asked are what published scripts ask a person for.
var asked = map[string]string{
	"PatientSearchFamilyName": "Chalmers", "PatientSearchGivenName": "Peter",
	"ObservationSearchCode": "15074-8", "ObservationSearchStatus": "final",
	"PatientResourceId1": "example", "PatientResourceId2": "example", "PatientResourceId3": "example",
}

// run runs one script.
func (g *gateway) run(s *testscript.Script, variables map[string]string) testscript.ScriptReport {
	g.t.Helper()
	runner := testscript.Runner{
		Validator: validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()}),
		Variables: map[string]string{"run": "kqzvb"},
	}
	for name, value := range variables {
		runner.Variables[name] = value
	}
	base := testscript.Server{Base: "http://" + g.address + "/fhir"}
	report, err := runner.Run(context.Background(), &testscript.Suite{Name: "one", Scripts: []*testscript.Script{s}}, []testscript.Server{base, base})
	if err != nil {
		g.t.Fatal(err)
	}
	return report.Scripts[0]
}

// put stores one of the specification's examples under its id.
func (g *gateway) put(t *testing.T, key string) {
	t.Helper()
	body, err := os.ReadFile(testenv.Corpus(t, "r4-examples", strings.ReplaceAll(key, "/", "-")+".json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+g.address+"/fhir/"+key, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/fhir+json")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, _ := io.ReadAll(got.Body); got.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s: %d %s", key, got.StatusCode, text)
	}
}

// fixture finds what published scripts refer to, as the engine that they were written for would be told: in folders of
// their own, or among the specification's examples.
func fixture(t *testing.T, scripts string) func(reference string) ([]byte, error) {
	t.Helper()
	examples := testenv.Corpus(t, "r4-examples")
	return func(reference string) ([]byte, error) {
		for _, folder := range []string{"examples/testscript", "TestScripts/fixtures", "examples/fixtures", "fixtures"} {
			file := filepath.Join(scripts, "r4-crucible-engine", folder, strings.TrimPrefix(reference, "fixtures/"))
			if raw, err := os.ReadFile(file); err == nil {
				return raw, nil
			}
		}
		parts := strings.Split(strings.TrimPrefix(reference, "http://hl7.org/fhir/"), "/")
		if len(parts) < 2 {
			return nil, fs.ErrNotExist
		}
		name := parts[len(parts)-2] + "-" + parts[len(parts)-1]
		if !strings.HasSuffix(name, ".json") {
			name += ".json"
		}
		return os.ReadFile(filepath.Join(examples, name))
	}
}

// told says why a script did not pass.
func told(r testscript.ScriptReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Result, r.Message)
	actions := slices.Concat(r.Setup, r.Teardown)
	for _, test := range r.Tests {
		actions = append(actions, test.Actions...)
	}
	for _, a := range actions {
		if !a.Result.OK() && a.Result != testscript.Skip {
			fmt.Fprintf(&b, "\n  line %d: %s: %s %s (%s)", a.Line, a.Result, a.Label, a.Message, a.Detail)
		}
	}
	return b.String()
}
