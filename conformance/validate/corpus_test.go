package validate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// The cases of the HL7 validator's own suite. A case agrees if what we say of
// the resource agrees, and also what we say of it with its profile.

type suiteManifest struct {
	Cases []suiteCase `json:"test-cases"`
}

type suiteCase struct {
	Name, File    string
	Java          json.RawMessage
	Supporting    []string
	Profiles      []string
	Packages      []string
	References    string `json:"validateReference"`
	BestPractice  string `json:"best-practice"`
	SecurityCheck bool   `json:"security-checks"`
	NoHTML        bool   `json:"noHtmlInMarkdown"`
	Examples      *bool
	Profile       *struct {
		Source     string
		Java       json.RawMessage
		Supporting []string
	}
}

// said is a severity and a place, as the suite has them.
type said struct{ severity, expression string }

var (
	comments = regexp.MustCompile(`/\*[^*]*\*/`)
	// Some findings about documents count from one, others name elements as XML does.
	fromOne   = regexp.MustCompile(`isn't reachable|^Can't find|^Found \d+ matches`)
	counted   = regexp.MustCompile(`\[\d+\]`)
	xmlName   = regexp.MustCompile(`/f:(\w+)`)
	xmlChoice = regexp.MustCompile(`\.value([A-Z]\w+)$`)
	urlFilter = regexp.MustCompile(`\[url='[^']*'\]`)
)

func place(expression string) string {
	if strings.Contains(expression, "/f:") {
		expression = strings.TrimPrefix(xmlName.ReplaceAllString(expression, ".$1"), ".")
		expression = xmlChoice.ReplaceAllStringFunc(expression, func(s string) string {
			return ".value.ofType(" + strings.ToLower(s[6:7]) + s[7:] + ")"
		})
	}
	return strings.TrimSuffix(urlFilter.ReplaceAllString(comments.ReplaceAllString(expression, ""), ""), ".")
}

// wanted reads an outcome of the suite. errors is a count where it has no list.
func wanted(t *testing.T, folder string, raw json.RawMessage) (set []said, errors int, listed bool) {
	t.Helper()
	var name string
	if json.Unmarshal(raw, &name) != nil {
		var counts struct{ ErrorCount int }
		if err := json.Unmarshal(raw, &counts); err != nil {
			t.Fatal(err)
		}
		return nil, counts.ErrorCount, false
	}
	text, err := os.ReadFile(filepath.Join(folder, "outcomes", name))
	if err != nil {
		t.Fatal(err)
	}
	var outcome struct {
		Issue []struct {
			Severity   string
			Expression []string
			Details    struct{ Text string }
		}
	}
	if err := json.Unmarshal(text, &outcome); err != nil {
		t.Fatal(err)
	}
	for _, i := range outcome.Issue {
		if i.Severity == "information" && i.Details.Text == "All OK" {
			continue
		}
		s := said{severity: i.Severity}
		if len(i.Expression) > 0 {
			s.expression = place(i.Expression[0])
		}
		if fromOne.MatchString(i.Details.Text) {
			s.expression = counted.ReplaceAllStringFunc(s.expression, func(index string) string {
				n, _ := strconv.Atoi(strings.Trim(index, "[]"))
				return fmt.Sprintf("[%d]", n-1)
			})
		}
		if s.severity == "fatal" {
			s.severity = "error"
		}
		if s.severity == "error" {
			errors++
		}
		set = append(set, s)
	}
	return unique(set), errors, true
}

func unique(set []said) []said {
	slices.SortFunc(set, func(a, b said) int {
		return strings.Compare(a.severity+a.expression, b.severity+b.expression)
	})
	return slices.Compact(set)
}

// shelf is the supporting definitions of a case.
type shelf map[string]*fhir.Node

func (s shelf) Resolve(kind, url string) (*fhir.Node, bool) {
	n, ok := s[kind+" "+url]
	if _, version, has := strings.Cut(url, "|"); !ok && has {
		best := ""
		for key := range s { // a part of a version means the newest that begins so
			if strings.HasPrefix(key, kind+" "+url+".") && key > best && version != "" {
				best = key
			}
		}
		n, ok = s[best]
	}
	return n, ok
}

// standing are the definitions that hold without being named by what they hold for.
func (s shelf) standing() []*fhir.Node {
	var out []*fhir.Node
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if n := s[key]; !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func (s shelf) put(n *fhir.Node) {
	if n.ResourceType() == "Bundle" {
		for _, e := range n.Get("entry").Items() {
			s.put(e.Get("resource"))
		}
		return
	}
	kind, url, version := n.ResourceType(), n.Get("url").Text(), n.Get("version").Text()
	if url == "" {
		return
	}
	if s[kind+" "+url] == nil {
		s[kind+" "+url] = n
	}
	if version != "" {
		s[kind+" "+url+"|"+version] = n
	}
}

// both asks one source and then the other.
type both struct{ first, second validate.Source }

func (b both) Resolve(kind, url string) (*fhir.Node, bool) {
	if n, ok := b.first.Resolve(kind, url); ok {
		return n, true
	}
	return b.second.Resolve(kind, url)
}

// openPackages reads packages, and finds those that they depend on beside them.
func openPackages(t *testing.T, folder string, names []string) *packages.Set {
	t.Helper()
	var roots []*packages.Package
	for _, name := range names {
		p, err := packages.ReadFile(filepath.Join(folder, name), packages.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, p)
	}
	beside := besides{folder: filepath.Join(folder, filepath.Dir(names[0]))}
	return packages.NewSet(roots, beside, packages.NewCore(definitions.R4(), 0), packages.Limits{})
}

type besides struct{ folder string }

func (b besides) Find(d packages.Dependency) (*packages.Package, error) {
	return packages.ReadFile(filepath.Join(b.folder, d.Name+"#"+d.Version+".tgz"), packages.Limits{})
}

// nowhere finds no resource beyond the one that is judged.
type nowhere struct{}

func (nowhere) Resolve(string) *fhir.Node { return nil }

// load reads a resource in either form. What keeps it from being read at all
// comes back as findings.
func load(t *testing.T, path string) (*fhir.Node, []fhir.Issue) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(strings.TrimLeft(string(text), "\ufeff \t\r\n"), "<") {
		n, issues, err := fhirxml.Parse(text, fhirxml.Options{})
		if err != nil {
			issues = append(issues, fhir.Issue{Severity: fhir.Fatal, Text: err.Error()})
			return nil, issues
		}
		return n, issues
	}
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		return nil, []fhir.Issue{{Severity: fhir.Fatal, Text: err.Error()}}
	}
	return n, nil
}

func TestScoreValidatorSuite(t *testing.T) {
	folder := testenv.Corpus(t, "validator")
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m suiteManifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Cases) < 261 {
		t.Fatalf("%d cases", len(m.Cases))
	}
	listed := score.Exceptions(t, "testdata/suite.txt")
	verdicts, sets := 0, 0
	seen := map[string]suiteResult{}
	for i := range m.Cases {
		c := &m.Cases[i]
		verdict, set, why := c.judge(t, folder)
		if verdict {
			verdicts++
		}
		if set {
			sets++
		}
		// Two cases have the same name.
		before := seen[c.Name]
		seen[c.Name] = suiteResult{wrongVerdict: before.wrongVerdict || !verdict, wrongPlace: before.wrongPlace || !set, why: before.why + why}
	}
	for name, got := range seen {
		reason, known := listed[name]
		delete(listed, name)
		switch kind, _, _ := strings.Cut(reason, ":"); {
		case !got.wrongVerdict && !got.wrongPlace && known:
			t.Errorf("%s agrees and is on the list", name)
		case got.wrongVerdict && kind != "verdict", got.wrongPlace && !got.wrongVerdict && kind != "place":
			t.Errorf("%s is not on the list as what it is:\n%s", name, got.why)
		case known:
			t.Logf("%s: %s\n%s", name, reason, got.why)
		}
	}
	for name := range listed {
		t.Errorf("%s is on the list and not in the suite", name)
	}
	score.Report(t, "validator-verdict", verdicts, len(m.Cases))
	score.Report(t, "validator-issues", sets, len(m.Cases))
}

// suiteResult is in what a case differs.
type suiteResult struct {
	wrongVerdict, wrongPlace bool
	why                      string
}

// judge runs a case and says what we see differently.
func (c *suiteCase) judge(t *testing.T, folder string) (verdict, set bool, why string) {
	t.Helper()
	n, broken := load(t, filepath.Join(folder, c.File))
	definitionsOf := shelf{}
	files := slices.Concat(c.Supporting, c.Profiles)
	if c.Profile != nil {
		files = append(files, c.Profile.Supporting...)
	}
	for _, f := range files {
		if d, _ := load(t, filepath.Join(folder, f)); d != nil {
			definitionsOf.put(d)
		}
	}
	if n != nil {
		definitionsOf.put(n)
	}
	var source validate.Source = definitionsOf
	standing := definitionsOf.standing()
	if len(c.Packages) > 0 {
		set := openPackages(t, folder, c.Packages)
		source = both{definitionsOf, set}
		standing = append(standing, validate.Standing(set)...)
	}
	options := validate.Options{
		Thorough: true, Source: source, Standing: standing, UnknownExtensions: fhir.Error, NoBestPractice: c.BestPractice == "",
		Security: c.SecurityCheck || c.NoHTML, NoExamples: c.Examples != nil && !*c.Examples, Displays: fhir.Error,
	}
	if strings.HasPrefix(c.References, "CHECK_EXISTS") {
		options.Resolver = nowhere{}
	}
	run := func(raw json.RawMessage, options validate.Options, label string) (bool, bool) {
		got := broken
		if n != nil {
			got = append(slices.Clone(broken), validate.New(definitions.R4(), options).Resource(n)...)
		}
		want, errors, listed := wanted(t, folder, raw)
		var have []said
		texts := map[said]string{}
		for _, i := range got {
			s := said{string(i.Severity), place(i.Expression)}
			if i.ID == "element-unknown" {
				// What does not exist has no path: the suite names what holds it.
				if at := strings.LastIndexByte(s.expression, '.'); at > 0 && strings.Contains(i.Expression, ".") {
					s.expression = s.expression[:at]
				}
			}
			if s.severity == "fatal" {
				s.severity = "error"
			}
			have = append(have, s)
			texts[s] = i.ID + ": " + i.Text
		}
		have = unique(have)
		same := fhir.HasErrors(got) == (errors > 0)
		equal := listed && slices.Equal(have, want) || !listed && same
		if !equal {
			kind := "set"
			if !same {
				kind = "VERDICT"
			}
			for _, w := range want {
				if !slices.Contains(have, w) {
					why += fmt.Sprintf("%s %s%s: missed %s at %s\n", kind, c.Name, label, w.severity, w.expression)
				}
			}
			for _, h := range have {
				if !slices.Contains(want, h) {
					why += fmt.Sprintf("%s %s%s: extra %s at %s: %s\n", kind, c.Name, label, h.severity, h.expression, texts[h])
				}
			}
			if !listed {
				why += fmt.Sprintf("%s %s%s: %d errors wanted\n", kind, c.Name, label, errors)
			}
		}
		return same, equal
	}
	verdict, set = run(c.Java, options, "")
	if c.Profile != nil && c.Profile.Source != "" && c.Profile.Java != nil {
		p, _ := load(t, filepath.Join(folder, c.Profile.Source))
		definitionsOf.put(p)
		options.Profiles = []string{p.Get("url").Text()}
		v, s := run(c.Profile.Java, options, " with profile")
		verdict, set = verdict && v, set && s
	}
	return verdict, set, strings.TrimSpace(why)
}
