package testscript_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/reference"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// corpusVariables are what scripts ask a person for.
var corpusVariables = map[string]string{
	"PatientSearchFamilyName": "Chalmers", "PatientSearchGivenName": "Peter",
	"ObservationSearchCode": "15074-8", "ObservationSearchStatus": "final",
	"PatientResourceId1": "example", "PatientResourceId2": "example", "PatientResourceId3": "example",
}

// TestScoreRunner runs the published scripts against the reference server, each against a new one that holds the
// specification's example Patient and Observation. A script counts when it ends as testdata/corpus.txt says a server that
// does things right must make it end. Left out ones count as not passed.
func TestScoreRunner(t *testing.T) {
	root := testenv.Corpus(t, "testscripts")
	examples := testenv.Corpus(t, "r4-examples")
	wanted := corpusList(t)
	loader := testscript.Loader{Resolve: func(reference string) ([]byte, error) {
		// the scripts were written for an engine that is told where fixtures are
		for _, folder := range []string{"examples/testscript", "TestScripts/fixtures"} {
			file := filepath.Join(root, "r4-crucible-engine", folder, strings.TrimPrefix(reference, "fixtures/"))
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
	}}
	suite, err := loader.Load(os.DirFS(root), ".")
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, script := range suite.Scripts {
		want, listed := wanted[script.File]
		delete(wanted, script.File)
		if !listed {
			want.verdict = "pass"
		}
		if want.verdict == "left-out" {
			continue
		}
		// They rely on what R4 leaves to servers and the alliance does not: parameters that do not exist are left out
		// (search.html#errors).
		server := reference.New(reference.SearchUnknownIgnored)
		for _, name := range []string{"Patient-example.json", "Observation-example.json"} {
			server.Put(readResource(t, filepath.Join(examples, name)))
		}
		got := runOne(t, server, script, corpusVariables)
		if problem := ends(got, want.verdict); problem != "" {
			t.Errorf("%s: %s", script.File, problem)
			continue
		}
		passed++
	}
	for name := range wanted {
		t.Errorf("%s is on the list and not in the corpus", name)
	}
	score.Report(t, "testscript-runner", passed, len(suite.Scripts))
}

func runOne(t *testing.T, server *reference.Server, script *testscript.Script, variables map[string]string) testscript.ScriptReport {
	t.Helper()
	srv := httptest.NewServer(server)
	defer srv.Close()
	base := testscript.Server{Base: srv.URL + reference.Prefix}
	runner := testscript.Runner{Variables: variables}
	report, err := runner.Run(context.Background(), &testscript.Suite{Name: "one", Scripts: []*testscript.Script{script}},
		[]testscript.Server{base, base})
	if err != nil {
		t.Fatal(err)
	}
	return report.Scripts[0]
}

// ends compares how a script ended with a verdict: a result, and behind it what did not pass: "setup", numbers of tests.
func ends(s testscript.ScriptReport, verdict string) string {
	want, parts, _ := strings.Cut(verdict, " ")
	var bad []string
	if slices.ContainsFunc(s.Setup, func(a testscript.ActionReport) bool { return !a.Result.OK() }) {
		bad = append(bad, "setup")
	}
	for i, test := range s.Tests {
		if !test.Result.OK() {
			bad = append(bad, strconv.Itoa(i+1))
		}
	}
	result := string(s.Result)
	if s.Result == testscript.Warning {
		result = "pass"
	}
	if result == want && strings.Join(bad, " ") == parts {
		return ""
	}
	return fmt.Sprintf("ended with %s %v, wanted %s: %s%s", result, bad, verdict, s.Message, problems(s))
}

func problems(s testscript.ScriptReport) string {
	var b strings.Builder
	all := slices.Clone(s.Setup)
	for _, test := range s.Tests {
		all = append(all, test.Actions...)
	}
	for _, a := range append(all, s.Teardown...) {
		if a.Result != testscript.Pass && a.Result != testscript.Skip {
			fmt.Fprintf(&b, "\n  line %d: %s: %s %s (%s)", a.Line, a.Result, a.Label, a.Message, a.Detail)
		}
	}
	return b.String()
}

type corpusLine struct{ verdict, reason string }

// corpusList reads "path  verdict  reason" lines.
func corpusList(t *testing.T) map[string]corpusLine {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "corpus.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]corpusLine{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := slices.DeleteFunc(strings.Split(line, "  "), func(s string) bool { return strings.TrimSpace(s) == "" })
		if len(parts) != 3 {
			t.Fatalf("corpus list: %q wants a path, a verdict and a reason", line)
		}
		out[strings.TrimSpace(parts[0])] = corpusLine{strings.TrimSpace(parts[1]), strings.TrimSpace(parts[2])}
	}
	return out
}

func readResource(t *testing.T, path string) *fhir.Node {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := fhir.Parse(raw, fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
