package terminology_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/terminology"
)

// stored is a code system that somebody else holds, and may be out of reach.
type stored struct {
	codes []string
	fail  error
}

func (s *stored) Describe() *terminology.Description {
	return &terminology.Description{URL: "urn:stored", Content: terminology.Complete, CaseSensitive: true, Count: len(s.codes)}
}

func (s *stored) Lookup(_ context.Context, code string) (terminology.Concept, bool, error) {
	for _, c := range s.codes {
		if c == code {
			return terminology.Concept{Code: c}, true, s.fail
		}
	}
	return terminology.Concept{}, false, s.fail
}

func (s *stored) Details(ctx context.Context, code string) (terminology.Details, bool, error) {
	c, ok, err := s.Lookup(ctx, code)
	return terminology.Details{Concept: c}, ok, err
}

func (s *stored) Subsumes(_ context.Context, a, b string) (bool, error) { return a == b, s.fail }

func (s *stored) Select(context.Context, terminology.Query) (terminology.Selection, error) {
	return s, s.fail
}

func (s *stored) Count() int { return len(s.codes) }

func (s *stored) Has(ctx context.Context, code string) (bool, error) {
	_, ok, err := s.Lookup(ctx, code)
	return ok, err
}

func (s *stored) From(_ context.Context, position int) iter.Seq2[terminology.Concept, error] {
	return func(yield func(terminology.Concept, error) bool) {
		for _, c := range s.codes[min(position, len(s.codes)):] {
			if !yield(terminology.Concept{Code: c}, s.fail) {
				return
			}
		}
	}
}

func TestStoredSystem(t *testing.T) {
	s := &stored{codes: []string{"a", "b", "c"}, fail: errors.New("out of reach")}
	c := terminology.New(definitions.R4(), terminology.Options{Systems: []terminology.CodeSystem{s}})
	set, err := c.ReadValueSet(parse(t, `{"resourceType":"ValueSet","compose":{"include":[{"system":"urn:stored"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if set.Has("urn:stored", "a") != unknown {
		t.Error("what is out of reach is told")
	}
	if _, err := c.Expand(t.Context(), set, terminology.ExpandRequest{}); !errors.Is(err, s.fail) {
		t.Errorf("%v", err)
	}
	if _, err := c.ValidateCode(t.Context(), set, terminology.ValidateRequest{Code: "a"}); !errors.Is(err, s.fail) {
		t.Errorf("%v", err)
	}
	s.fail = nil // it is back, and what failed is not remembered
	if set.Has("urn:stored", "a") != member || set.Has("urn:stored", "z") != notMember {
		t.Error("what is in reach is not told")
	}
	x, err := c.Expand(t.Context(), set, terminology.ExpandRequest{Page: &terminology.Page{Offset: 1, Count: 1}})
	if err != nil || drawn(x.Contains) != "b" || x.Total != 3 {
		t.Errorf("%v %v", x, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	listed, err := c.ReadValueSet(parse(t, `{"resourceType":"ValueSet","compose":{"include":[{"system":"urn:stored","concept":[{"code":"a"}]}],"exclude":[{"system":"urn:stored","concept":[{"code":"b"}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expand(ctx, listed, terminology.ExpandRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait any more gets %v", err)
	}
}

func TestVersions(t *testing.T) {
	system := func(version, code string) string {
		return `{"resourceType":"CodeSystem","url":"urn:v","version":"` + version + `","content":"complete","concept":[{"code":"` + code + `"}]}`
	}
	c := catalog(t, system("2.9", "old"), system("2.10", "new"), system("1", "oldest"),
		`{"resourceType":"ValueSet","url":"urn:set","version":"1","compose":{"include":[{"system":"urn:v","version":"1"}]}}`,
		`{"resourceType":"ValueSet","url":"urn:set","version":"2","compose":{"include":[{"system":"urn:v"}]}}`,
		`{"resourceType":"ValueSet","url":"urn:by-canonical","compose":{"include":[{"system":"urn:v|2.9"},{"valueSet":["urn:set|1"]}]}}`)
	for _, row := range []struct{ set, code string }{
		{"urn:set", "new"}, {"urn:set|1", "oldest"}, {"urn:set|2", "new"}, {"urn:by-canonical", "old"}, {"urn:by-canonical", "oldest"},
	} {
		s, err := c.ValueSet(row.set)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"oldest", "old", "new"} {
			want := notMember
			if code == row.code || row.set == "urn:by-canonical" && code != "new" {
				want = member
			}
			if got := s.HasCode(code); got != want {
				t.Errorf("%s: %s is %v, want %v", row.set, code, got, want)
			}
		}
	}
	for canonical, want := range map[string]string{"urn:v": "2.10", "urn:v|2.9": "2.9", "urn:v|2.x": "2.10", "urn:v|3": ""} {
		s, err := c.CodeSystem(canonical)
		if err == nil && s.Describe().Version != want || (err != nil) != (want == "") {
			t.Errorf("%s: %v", canonical, err)
		}
		if found := c.FindCodeSystem(canonical); found != s {
			t.Errorf("%s is %v, and found %v", canonical, s, found)
		}
	}
}

// source is a place of definitions besides the Catalog's own.
type source map[string]*fhir.Node

func (s source) Resolve(kind, canonical string) (*fhir.Node, bool) {
	url, _, _ := strings.Cut(canonical, "|")
	n, ok := s[kind+" "+url]
	return n, ok
}

func TestSource(t *testing.T) {
	s := source{
		"CodeSystem urn:animals": parse(t, animals),
		"ValueSet urn:set":       parse(t, `{"resourceType":"ValueSet","url":"urn:set","version":"3","compose":{"include":[{"system":"urn:animals"}]}}`),
		"ValueSet http://hl7.org/fhir/ValueSet/administrative-gender": parse(t, `{"resourceType":"ValueSet","url":"http://hl7.org/fhir/ValueSet/administrative-gender","compose":{"include":[{"system":"urn:animals"}]}}`),
	}
	c := terminology.New(definitions.R4(), terminology.Options{Source: s})
	for _, url := range []string{"urn:set", "urn:set|3", "http://hl7.org/fhir/ValueSet/administrative-gender"} {
		set, err := c.ValueSet(url)
		if err != nil {
			t.Fatal(err)
		}
		if set.Has("urn:animals", "cat") != member {
			t.Errorf("%s is not the one of the source", url)
		}
	}
	if _, err := c.ValueSet("urn:set|4"); refused(t, err) != "value-set-unknown" {
		t.Errorf("another version is taken: %v", err)
	}
}

// What does not fit on the shelf is read again, and right again.
func TestKeptIsBounded(t *testing.T) {
	c := terminology.New(definitions.R4(), terminology.Options{Limits: terminology.Limits{Kept: 4096}})
	for range 3 {
		for _, url := range []string{"administrative-gender", "observation-status", "encounter-status", "task-status"} {
			s, err := c.ValueSet("http://hl7.org/fhir/ValueSet/" + url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Expand(t.Context(), s, terminology.ExpandRequest{}); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestFindingTakesNoMemory looks for code systems that are read, and for one that nobody knows, as each coding does.
func TestFindingTakesNoMemory(t *testing.T) {
	c := catalog(t, animals)
	for _, row := range []struct {
		url   string
		known bool
	}{{"urn:animals", true}, {"http://hl7.org/fhir/observation-status", true}, {"https://a.example/items", false}} {
		for range 10 { // until what was read has settled
			c.FindCodeSystem(row.url)
		}
		if n := testing.AllocsPerRun(100, func() {
			if (c.FindCodeSystem(row.url) != nil) != row.known {
				t.Errorf("%s is known: %v", row.url, !row.known)
			}
		}); n > 0 {
			t.Errorf("finding %s takes %v allocations", row.url, n)
		}
	}
}

func TestConcurrentReading(t *testing.T) {
	c := catalog(t, append(maps, animals)...)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for _, url := range []string{"http://hl7.org/fhir/ValueSet/administrative-gender", "urn:animals:all", "http://hl7.org/fhir/ValueSet/ucum-common",
				"http://hl7.org/fhir/ValueSet/duration-units", "http://hl7.org/fhir/ValueSet/iso3166-1-3"} {
				s, err := c.ValueSet(url)
				if err != nil {
					t.Error(err)
					continue
				}
				s.Has("urn:animals", "cat")
				s.Has(terminology.UCUM, "h")
				if _, err := c.Expand(context.Background(), s, terminology.ExpandRequest{Filter: "a"}); err != nil && url != "http://hl7.org/fhir/ValueSet/duration-units" {
					t.Error(err)
				}
			}
			if _, err := c.Operate(context.Background(), "ConceptMap/$translate", parse(t, ask("url:Uri=urn:map", "system:Uri=urn:local", "code:Code=1"))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestMemberOf(t *testing.T) {
	model := fhirpath.NewModel(definitions.R4())
	c := catalog(t)
	patient := parse(t, `{"resourceType":"Patient","gender":"male","birthDate":"1990","maritalStatus":{"coding":[{"system":"urn:local","code":"1"},{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]},
"contact":[{"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"C"}]}]}]}`)
	const sets = "http://hl7.org/fhir/ValueSet/"
	for expression, want := range map[string]string{
		"gender.memberOf('" + sets + "administrative-gender')":                                 "true",
		"birthDate.memberOf('" + sets + "administrative-gender')":                              "false",
		"'male'.memberOf('" + sets + "administrative-gender')":                                 "true",
		"maritalStatus.memberOf('" + sets + "marital-status')":                                 "true",
		"maritalStatus.coding[0].memberOf('" + sets + "marital-status')":                       "false",
		"maritalStatus.coding[1].memberOf('" + sets + "marital-status')":                       "true",
		"contact.relationship.memberOf('http://terminology.hl7.org/ValueSet/v2-0131')":         "true",
		"maritalStatus.coding[1].memberOf('" + sets + "not-there')":                            "",
		"gender.memberOf('" + sets + "clinical-findings')":                                     "",
		"contact.relationship.coding.code.memberOf('" + sets + "patient-contactrelationship')": "true",
	} {
		x, err := model.Compile(expression, fhirpath.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Evaluate(&fhirpath.Env{Membership: c}, patient)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		text := ""
		for _, v := range got {
			text += v.String()
		}
		if text != want {
			t.Errorf("%s is %q, want %q", expression, text, want)
		}
	}
}
