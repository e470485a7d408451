package fhirpath_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// suite is the official test suite, as its schema has it.
type suite struct {
	Groups []struct {
		Name  string      `xml:"name,attr"`
		Tests []suiteTest `xml:"test"`
	} `xml:"group"`
}

type suiteTest struct {
	Name       string `xml:"name,attr"`
	Input      string `xml:"inputfile,attr"`
	Predicate  bool   `xml:"predicate,attr"`
	Mode       string `xml:"mode,attr"`
	CheckOrder bool   `xml:"checkOrderedFunctions,attr"`
	Ordered    string `xml:"ordered,attr"`
	Expression struct {
		Text    string `xml:",chardata"`
		Invalid string `xml:"invalid,attr"`
	} `xml:"expression"`
	Outputs []struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"output"`
}

func TestScoreOfficialSuite(t *testing.T) {
	folder := testenv.Corpus(t, "fhirpath")
	text, err := os.ReadFile(filepath.Join(folder, "tests-fhir-r4.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	skipped := score.Exceptions(t, "testdata/skip.txt")
	inputs := map[string]*fhir.Node{}
	passed, total := 0, 0
	for _, group := range s.Groups {
		for i, test := range group.Tests {
			total++
			name := group.Name + "/" + test.Name
			for _, before := range group.Tests[:i] {
				if before.Name == test.Name {
					name += "-again"
				}
			}
			input, ok := inputs[test.Input]
			if !ok && test.Input != "" {
				input = suiteInput(t, filepath.Join(folder, "input", test.Input))
				inputs[test.Input] = input
			}
			problem := test.run(input)
			_, skip := skipped[name]
			delete(skipped, name)
			switch {
			case problem == "" && skip:
				t.Errorf("%s passes and is on the skip list", name)
			case problem == "":
				passed++
			case !skip:
				t.Errorf("%s: %s: %s", name, strings.TrimSpace(test.Expression.Text), problem)
			}
		}
	}
	for name := range skipped {
		t.Errorf("%s is on the skip list and not in the suite", name)
	}
	score.Report(t, "fhirpath", passed, total)
}

func suiteInput(t *testing.T, path string) *fhir.Node {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) == ".json" {
		return parse(t, string(text))
	}
	n, err := resourceOfXML(text)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return n
}

// run returns what is wrong, "" if the test passes.
func (s *suiteTest) run(input *fhir.Node) string {
	invalid := s.Expression.Invalid
	x, err := model().Compile(s.Expression.Text, fhirpath.Options{
		Context: input.ResourceType(), Strict: s.Mode == "strict" || invalid == "semantic", Ordered: s.CheckOrder,
	})
	var values []fhirpath.Value
	env := &fhirpath.Env{Now: time.Date(2024, 6, 15, 10, 0, 0, 0, time.UTC)}
	if err == nil {
		if input == nil {
			input = fhir.NewObject()
		}
		if s.Predicate && invalid == "" {
			holds, defined, err := x.Holds(env, model().Resource(input))
			switch {
			case err != nil:
				return "error " + err.Error()
			case len(s.Outputs) == 0 && defined:
				return "expected nothing"
			case len(s.Outputs) > 0 && holds != (s.Outputs[0].Text == "true"):
				return "the predicate is not " + s.Outputs[0].Text
			}
			return ""
		}
		values, err = x.Evaluate(env, input)
	}
	if invalid != "" {
		if err == nil {
			return "expected an error of kind " + invalid + ", got " + show(values)
		}
		return ""
	}
	if err != nil {
		return "error " + err.Error()
	}
	var got, want []string
	for _, v := range values {
		got = append(got, v.String())
	}
	for i, o := range s.Outputs {
		want = append(want, strings.TrimPrefix(strings.TrimSpace(o.Text), "@"))
		if o.Type == "string" || o.Type == "code" {
			want[i] = o.Text
		}
		if strings.HasPrefix(want[i], "T") && i < len(values) && values[i].Kind() == fhirpath.Time {
			want[i] = want[i][1:]
		}
		if i < len(values) && o.Type != "" && !strings.EqualFold(o.Type, values[i].Type()) {
			return "type " + values[i].Type() + ", expected " + o.Type
		}
	}
	if s.Ordered == "false" {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		return "got " + strings.Join(got, "|") + ", expected " + strings.Join(want, "|")
	}
	return ""
}
