package validate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// TestEveryMessageHasBothTexts compares the catalogue with the ids that the
// code names.
func TestEveryMessageHasBothTexts(t *testing.T) {
	named := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`newMessage\("([a-z0-9-]+)",`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range id.FindAllStringSubmatch(string(text), -1) {
			named[m[1]] = true
		}
	}
	for _, typ := range validate.PrimitiveTypes() {
		if typ != "xhtml" { // which has messages of its own
			named["format-"+typ] = true
		}
	}
	placeholder := regexp.MustCompile(`\{\d\}`)
	han := regexp.MustCompile(`\p{Han}`)
	for id, texts := range validate.Catalogue() {
		if !named[id] && texts[0] != id { // phrases are known by their English
			t.Errorf("%s is in the catalogue and nothing says it", id)
		}
		delete(named, id)
		english, chinese := texts[0], texts[1]
		if !han.MatchString(chinese) || han.MatchString(english) {
			t.Errorf("%s: %q and %q", id, english, chinese)
		}
		for _, p := range placeholder.FindAllString(english, -1) {
			if !strings.Contains(chinese, p) {
				t.Errorf("%s: the Chinese text does not have %s", id, p)
			}
		}
	}
	for id := range named {
		t.Errorf("%s has no texts", id)
	}
}

func TestIssuesSpeakBothLanguages(t *testing.T) {
	i := validator.Resource(parse(t, `{"resourceType":"Observation","code":{"text":"x"}}`))[0]
	for _, tt := range []struct{ language, want string }{
		{"en", "Observation.status is required but missing"},
		{"zh", "缺少必填元素 Observation.status"},
		{"zh-CN", "缺少必填元素 Observation.status"},
		{"ZH_cn", "缺少必填元素 Observation.status"},
		{"fr", "Observation.status is required but missing"},
		{"", "Observation.status is required but missing"},
	} {
		if got := i.In(tt.language); got != tt.want {
			t.Errorf("in %q: %q", tt.language, got)
		}
	}
}

// TestOutcomesInALanguageAreValid also holds the names of issue types to those of the specification.
func TestOutcomesInALanguageAreValid(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Displays: fhir.Error})
	types := definitions.R4().CodeSystem("http://hl7.org/fhir/issue-type").Concepts()
	if len(types) < 31 {
		t.Fatalf("%d issue types", len(types))
	}
	var issues []fhir.Issue
	for _, c := range types {
		code := fhir.IssueType(c.Code)
		issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: code, ID: "an-id", Line: 1, Column: 1, Text: "x", Chinese: "某"})
		if code.Display("en") != c.Display || code.Display("zh") == c.Display || code.Display("zh") == "" {
			t.Errorf("%s is %q and %q", code, code.Display("en"), code.Display("zh"))
		}
	}
	for _, language := range []string{"", "en", "zh"} {
		for _, i := range v.Resource(parse(t, string(fhir.OutcomeIn(language, "a.json", issues).AppendJSON(nil)))) {
			if i.Severity == fhir.Error {
				t.Errorf("in %q: %v", language, i)
			}
		}
	}
}

func TestParameters(t *testing.T) {
	const operation = "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code"
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true})
	parameters := func(list string) *fhir.Node {
		return parse(t, `{"resourceType":"Parameters","parameter":[`+list+`]}`)
	}
	for _, tt := range []struct {
		name, list, use string
		want            []string
	}{
		{"accepts what goes in", `{"name":"url","valueUri":"http://a.b"},{"name":"code","valueCode":"x"}`, "in", nil},
		{"accepts what comes out", `{"name":"result","valueBoolean":true}`, "out", nil},
		{"refuses what the operation does not take", `{"name":"nix","valueUri":"http://a.b"}`, "in", []string{"error: parameter-unknown at Parameters.parameter[0]"}},
		{"refuses another type", `{"name":"url","valueString":"http://a.b"}`, "in", []string{"error: parameter-type at Parameters.parameter[0]"}},
		{"refuses another resource", `{"name":"valueSet","resource":{"resourceType":"Patient"}}`, "in", []string{"error: parameter-type at Parameters.parameter[0]"}},
		{"refuses more than allowed", `{"name":"code","valueCode":"x"},{"name":"code","valueCode":"y"}`, "in", []string{"error: parameter-too-many at Parameters"}},
		{"wants what must come out", `{"name":"message","valueString":"x"}`, "out", []string{"error: parameter-missing at Parameters"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == nil {
				tt.want = []string{}
			}
			if diff := cmp.Diff(tt.want, all(v.Parameters(parameters(tt.list), operation, tt.use))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInvariantsThatCannotBeJudgedSayWhy in both languages, whatever stood in the way: what is left of the Chinese text
// without the names and numbers of the expression has no English in it.
func TestInvariantsThatCannotBeJudgedSayWhy(t *testing.T) {
	const root = "https://a.example/root"
	word := regexp.MustCompile(`[A-Za-z]{2,}`)
	han := regexp.MustCompile(`\p{Han}`)
	for _, tt := range []struct {
		name, expression string
		names            []string // of the expression, which stay as they are
	}{
		{"an expression that breaks off", "name.where(", nil},
		{"a character that FHIRPath does not have", "name § given", nil},
		{"a function that does not exist", "name.nothing()", []string{"nothing"}},
		{"a function of too many arguments", "name.exists(true, true)", []string{"exists"}},
		{"several values where one is wanted", "(1 | 2) = (name.given + 'x')", nil},
		{"several values for a Boolean", "name.given and true", []string{"Boolean"}},
		{"an unknown profile", "conformsTo('https://a.example/none')", nil},
		{"an unknown variable", "%nothing.exists()", []string{"nothing"}},
		{"too much work", "repeat(name | $this).count() > 0 and (0 | 1).repeat($this + 1).count() > 0", nil},
		{"an expression that is too long", "true or " + strings.Repeat("true or ", 10_000) + "true", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: shelve(t, rule(root, "Patient", tt.expression))})
			found := 0
			for _, i := range v.Conforms(parse(t, patient(`,"name":[{"given":["a","b"]}]`)), root) {
				if i.ID != "invariant-unusable" {
					t.Errorf("also %v", i)
					continue
				}
				found++
				left := strings.NewReplacer("x-1", "", "FHIRPath", "").Replace(i.Chinese)
				for _, name := range tt.names {
					left = strings.ReplaceAll(left, name, "")
				}
				if !han.MatchString(i.Chinese) || word.MatchString(left) || han.MatchString(i.Text) || i.In("zh-CN") != i.Chinese {
					t.Errorf("%q in Chinese is %q", i.Text, i.Chinese)
				}
			}
			if found != 1 {
				t.Errorf("%d findings", found)
			}
		})
	}
}
