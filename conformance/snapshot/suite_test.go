package snapshot_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// suite is the manifest of the cases.
type suite struct {
	Tests []suiteCase `xml:"test"`
}

type suiteCase struct {
	ID       string `xml:"id,attr"`
	Generate bool   `xml:"gen,attr"`
	Sort     bool   `xml:"sort,attr"`
	Fail     bool   `xml:"fail,attr"`
	Register string `xml:"register,attr"`
	Include  string `xml:"include,attr"`
	Version  string `xml:"version,attr"`
}

// applies reports whether a case is one of R4: the version its input names is 4.0, or none.
func (c *suiteCase) applies(input *fhir.Node) bool {
	version := input.Get("fhirVersion").Text()
	return version == "" || strings.HasPrefix(version, "4.0.")
}

func TestScoreSnapshot(t *testing.T) {
	folder := testenv.Corpus(t, "snapshot-generation")
	text, err := os.ReadFile(filepath.Join(folder, "manifest.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	skipped := score.Exceptions(t, "testdata/skip.txt")
	all := known{}
	for _, name := range filesOf(t, folder) {
		if n := definition(t, filepath.Join(folder, name)); n.ResourceType() == "StructureDefinition" {
			all.add(name, n)
		}
	}
	passed, total := 0, 0
	for _, c := range s.Tests {
		input := all.file(c.ID + "-input")
		if input == nil {
			t.Errorf("%s has no input", c.ID)
			continue
		}
		if !c.applies(input) {
			continue
		}
		total++
		problem := c.run(all, input)
		_, skip := skipped[c.ID]
		delete(skipped, c.ID)
		switch {
		case problem == "" && skip:
			t.Errorf("%s passes and is on the skip list", c.ID)
		case problem == "":
			passed++
		case !skip:
			t.Errorf("%s: %s", c.ID, problem)
		}
	}
	for name := range skipped {
		t.Errorf("%s is on the skip list and no case that applies", name)
	}
	score.Report(t, "snapshot", passed, total)
}

// run returns what is wrong, "" if the case passes.
func (c *suiteCase) run(all known, input *fhir.Node) string {
	source := layered{c.registered(all), packages.R4()}
	g := snapshot.New(source, snapshot.Options{Unsorted: c.Sort})
	out, issues := g.Generate(input)
	if c.Fail {
		if !fhir.HasErrors(issues) {
			return "no error was found"
		}
		return ""
	}
	if fhir.HasErrors(issues) {
		return fmt.Sprint("errors: ", issues)
	}
	if !c.Generate {
		return differ(input, out, "differential")
	}
	want := all.file(c.ID + "-expected")
	if want == nil {
		return "there is no expected snapshot"
	}
	return differ(want, out, "snapshot")
}

// registered are the definitions that a case may use beside those of the core: all others of the corpus. Their snapshots
// are made anew, since the wanted ones were made that way; only those without a differential keep theirs.
func (c *suiteCase) registered(all known) known {
	out := known{}
	for name, n := range all {
		if strings.HasSuffix(name, "-expected") || strings.HasSuffix(name, "-actual") {
			continue
		}
		if n.Get("differential") != nil && c.applies(n) {
			n = n.Clone()
			n.Remove("snapshot")
		}
		out[name] = n
	}
	return out
}

// known are definitions by file name.
type known map[string]*fhir.Node

func (k known) add(name string, n *fhir.Node) { k[strings.TrimSuffix(name, filepath.Ext(name))] = n }

func (k known) file(name string) *fhir.Node { return k[name] }

func (k known) Resolve(kind, url string) (*fhir.Node, bool) {
	names := make([]string, 0, len(k))
	for name := range k {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if n := k[name]; n.ResourceType() == kind && n.Get("url").Text() == url {
			return n, true
		}
	}
	return nil, false
}

type layered []snapshot.Source

func (l layered) Resolve(kind, url string) (*fhir.Node, bool) {
	for _, s := range l {
		if n, ok := s.Resolve(kind, url); ok {
			return n, true
		}
	}
	return nil, false
}

func filesOf(t *testing.T, folder string) []string {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		if f.Name() != "manifest.xml" {
			out = append(out, f.Name())
		}
	}
	sort.Strings(out)
	return out
}
