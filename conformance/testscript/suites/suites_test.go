package suites_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/reference"
	"github.com/yilian/yilian/conformance/testscript/suites"
	"github.com/yilian/yilian/conformance/validate"
)

// judge knows the guide's profiles.
var judge = sync.OnceValue(func() *validate.Validator {
	return validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()})
})

func load(t *testing.T, name string) *testscript.Suite {
	t.Helper()
	suite, err := suites.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return suite
}

// runSuite runs a suite against a server.
func runSuite(t *testing.T, suite *testscript.Suite, server http.Handler) testscript.Report {
	t.Helper()
	srv := httptest.NewServer(server)
	defer srv.Close()
	runner := testscript.Runner{Validator: judge(), Variables: map[string]string{"run": "kqzvb"}}
	report, err := runner.Run(t.Context(), suite, []testscript.Server{{Base: srv.URL + reference.Prefix}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// bad are the ids of the scripts that did not pass, and what is to be said of them.
func bad(r testscript.Report) (ids []string, why string) {
	var b strings.Builder
	for i := range r.Scripts {
		s := &r.Scripts[i]
		if s.Result.OK() {
			continue
		}
		ids = append(ids, s.ID)
		b.WriteString("\n" + s.ID + ": " + s.Message)
		for _, a := range actions(s) {
			if !a.Result.OK() {
				b.WriteString("\n  " + a.Description + ": " + a.Message + " " + a.Detail)
			}
		}
	}
	slices.Sort(ids)
	return ids, b.String()
}

func actions(s *testscript.ScriptReport) []testscript.ActionReport {
	list := slices.Concat(s.Setup, s.Teardown)
	for _, t := range s.Tests {
		list = append(list, t.Actions...)
	}
	return list
}

func TestLoadKnowsOnlyItsSuites(t *testing.T) {
	for _, name := range []string{"", ".", "other", "server/read.json", "../server"} {
		if _, err := suites.Load(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestScriptsAreValidAndDocumented(t *testing.T) {
	known := map[string]bool{}
	for _, about := range suites.All() {
		for _, s := range load(t, about.Name).Scripts {
			if s.Err() != nil {
				t.Errorf("%s: %v", s.File, s.Err())
				continue
			}
			for _, i := range judge().Resource(s.Node()) {
				file := i.ID == "reference-format" && strings.HasPrefix(i.Expression, "TestScript.fixture") // as in HL7's own scripts
				if i.Severity != fhir.Information && !file {
					t.Errorf("%s: %s", s.File, i)
				}
			}
			id := about.Name + "-" + strings.TrimSuffix(path.Base(s.File), ".json")
			if s.ID != id || s.URL != ig.Base+"/TestScript/"+id || known[s.Name] {
				t.Errorf("%s: id %s, URL %s and name %s are not its own", s.File, s.ID, s.URL, s.Name)
			}
			known[s.Name] = true
			if s.Title == "" || s.Description == "" || s.Chinese.Title == "" || s.Chinese.Description == "" {
				t.Errorf("%s: title and description must be there, in English and Chinese", s.File)
			}
			for _, n := range s.Node().Get("test").Items() {
				if n.Path("_name", "extension").Len() == 0 {
					t.Errorf("%s: test %s has no Chinese name", s.File, n.Get("name").Text())
				}
			}
			fixturesAreThere(t, s)
		}
	}
}

// fixturesAreThere holds a script to use what it brings along, and to bring along what it uses.
func fixturesAreThere(t *testing.T, s *testscript.Script) {
	t.Helper()
	text := string(s.Node().AppendJSON(nil))
	for _, f := range s.Node().Get("fixture").Items() {
		file := path.Join(path.Dir(s.File), f.Path("resource", "reference").Text())
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", s.File, err)
		}
		text += string(raw)
		if !strings.Contains(text, `"sourceId":"`+f.Get("id").Text()+`"`) {
			t.Errorf("%s: fixture %s is not sent", s.File, f.Get("id").Text())
		}
	}
	for _, v := range s.Node().Get("variable").Items() {
		if !strings.Contains(text, "${"+v.Get("name").Text()+"}") {
			t.Errorf("%s: variable %s is not used", s.File, v.Get("name").Text())
		}
	}
}

func TestStatementsAreValidAndAsked(t *testing.T) {
	asked := map[string]bool{}
	for _, about := range suites.All() {
		for _, s := range load(t, about.Name).Scripts {
			for _, c := range s.Node().Path("metadata", "capability").Items() {
				asked[c.Get("capabilities").Text()] = true
			}
		}
		files, err := fs.Glob(os.DirFS(about.Name), "CapabilityStatement-*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			n := read(t, path.Join(about.Name, file))
			for _, i := range judge().Resource(n) {
				if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
					t.Errorf("%s: %s", file, i)
				}
			}
			url := n.Get("url").Text()
			if file != "CapabilityStatement-"+path.Base(url)+".json" || !asked[url] {
				t.Errorf("%s/%s: %s is not its URL, or no script asks for it", about.Name, file, url)
			}
			delete(asked, url)
		}
	}
	for url := range asked {
		if _, ok := ig.Guide().Resolve("CapabilityStatement", url); !ok {
			t.Errorf("%s is asked for and not there", url)
		}
	}
}

func TestWhatScriptsMakeTheyTakeAway(t *testing.T) {
	for _, name := range []string{"server", "exchange"} {
		server := reference.New()
		report := runSuite(t, load(t, name), server)
		if ids, why := bad(report); ids != nil {
			t.Fatalf("%s", why)
		}
		for _, kind := range definitions.R4().ResourceTypes() {
			if !definitions.R4().IsResource(kind) {
				continue
			}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://ref.test"+reference.Prefix+"/"+kind+"?_summary=count", nil))
			var found struct{ Total *int }
			if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil || found.Total == nil || *found.Total != 0 {
				t.Errorf("%s leaves behind a %s: %s", name, kind, w.Body)
			}
		}
	}
}

func TestFeedOnlyReads(t *testing.T) {
	for _, s := range load(t, "feed").Scripts {
		for _, part := range []*fhir.Node{s.Node().Path("setup", "action"), s.Node().Path("teardown", "action")} {
			if part.Len() > 0 {
				t.Errorf("%s has a setup or teardown", s.File)
			}
		}
		for _, test := range s.Node().Get("test").Items() {
			for _, a := range test.Get("action").Items() {
				o := a.Get("operation")
				if code := o.Path("type", "code").Text(); o != nil && (!slices.Contains([]string{"read", "search", "capabilities"}, code) || o.Get("method") != nil) {
					t.Errorf("%s: %s is no reading", s.File, code)
				}
			}
		}
	}
}

func read(t *testing.T, file string) *fhir.Node {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := fhir.Parse(raw, fhir.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return n
}
