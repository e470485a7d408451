package search_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/gateway/search"
)

// given is a SearchParameter as somebody posts it, with some elements replaced.
func given(t testing.TB, replace ...string) *fhir.Node {
	text := `{"resourceType":"SearchParameter","id":"eye","url":"https://x.example/SearchParameter/eye","name":"Eye","status":"active","description":"d",
		"code":"eye-color","base":["Patient"],"type":"token","expression":"Patient.extension.where(url='https://x.example/eye').value"}`
	return read(t, strings.NewReplacer(replace...).Replace(text))
}

const blueEyes = `{"resourceType":"Patient","id":"blue","extension":[{"url":"https://x.example/eye","valueCodeableConcept":{"coding":[{"system":"urn:c","code":"blue"}]}}],
	"contact":[{"gender":"female","name":{"text":"甲"}},{"gender":"male","name":{"text":"乙"}}]}`

func TestSetParameters(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	parse := func(query string) []fhir.Issue {
		pairs, _ := search.Pairs(query)
		_, issues := e.Parse("Patient", pairs, search.ParseOptions{})
		return issues
	}
	blank := e.IndexHash("Patient")
	world(t, e, blueEyes)
	if issues := e.SetParameters([]search.Custom{{Resource: given(t)}}); issues != nil {
		t.Fatal(issues)
	}
	// Until it is ready, it is refused and yet indexed.
	if issues := parse("eye-color=blue"); len(issues) != 1 || issues[0].Text != "parameter 'eye-color': 'eye-color' cannot be searched: resources are still being indexed by it" {
		t.Error(issues)
	}
	if issues := parse("_sort=eye-color"); len(issues) != 1 || issues[0].ID != "search-sort-unsupported" {
		t.Error(issues)
	}
	w := world(t, e, blueEyes)
	if got := lines(w.Resources[0].Values)["eye-color"]; !cmp.Equal(got, []string{"urn:c|blue"}) {
		t.Error(got)
	}
	for _, p := range e.Capability("Patient").Parameters {
		if p.Name == "eye-color" {
			t.Error("it is shown before it is ready")
		}
	}
	if got := e.PendingParameters(); !cmp.Equal(got, []string{"https://x.example/SearchParameter/eye"}) {
		t.Error(got)
	}
	waiting := e.IndexHash("Patient")
	if waiting == blank || e.IndexHash("Observation") != search.New(definitions.R4(), search.Options{}).IndexHash("Observation") {
		t.Error("the hash tells types apart by what they are indexed by")
	}
	if issues := e.SetParameters([]search.Custom{{Resource: given(t), Ready: true}}); issues != nil {
		t.Fatal(issues)
	}
	if e.IndexHash("Patient") != waiting {
		t.Error("being ready changes the hash")
	}
	check(t, e, w, "Patient", []finds{{"eye-color=urn:c|blue", "blue"}, {"eye-color=green", ""}, {"eye-color:missing=false", "blue"}, {"_filter=eye-color eq blue", "blue"}})
	if issues := e.SetParameters(nil); issues != nil || len(parse("eye-color=blue")) != 1 || e.IndexHash("Patient") != blank {
		t.Error("it did not go", issues)
	}
}

func TestGivenComposite(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	list := []search.Custom{
		{Ready: true, Resource: read(t, `{"resourceType":"SearchParameter","url":"urn:both","code":"contact-name-gender","status":"active","base":["Patient"],"type":"composite","expression":"Patient.contact",
			"component":[{"definition":"urn:cn","expression":"name"},{"definition":"urn:cg","expression":"gender"}]}`)},
		{Ready: true, Resource: given(t, "https://x.example/SearchParameter/eye", "urn:cn", "eye-color", "contact-name", `"token"`, `"string"`, "Patient.extension.where(url='https://x.example/eye').value", "Patient.contact.name")},
		{Ready: true, Resource: given(t, "https://x.example/SearchParameter/eye", "urn:cg", "eye-color", "contact-gender", "Patient.extension.where(url='https://x.example/eye').value", "Patient.contact.gender")},
	}
	if issues := e.SetParameters(list); issues != nil {
		t.Fatal(issues)
	}
	check(t, e, world(t, e, blueEyes), "Patient", []finds{
		{"contact-name-gender=甲$female", "blue"}, {"contact-name-gender=甲$male", ""}, {"contact-name-gender=乙$male", "blue"}, {"contact-gender=http://hl7.org/fhir/administrative-gender|male", "blue"},
	})
	// Without its components it cannot be.
	if issues := e.SetParameters(list[:2]); len(issues) != 1 || issues[0].Text != "Patient: the definition of one of its components is not known" {
		t.Error(issues)
	}
	if _, issues := e.Parse("Patient", []search.Pair{{Name: "contact-name", Value: "甲"}}, search.ParseOptions{}); issues != nil {
		t.Error("the others stay usable:", issues)
	}
}

func TestGivenReference(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	ref := given(t, "eye-color", "friend", `"token"`, `"reference","target":["Patient"]`, "Patient.extension.where(url='https://x.example/eye').value", "Patient.extension.where(url='https://x.example/friend').value")
	if issues := e.SetParameters([]search.Custom{{Resource: ref, Ready: true}}); issues != nil {
		t.Fatal(issues)
	}
	w := world(t, e, `{"resourceType":"Patient","id":"a","extension":[{"url":"https://x.example/friend","valueReference":{"reference":"Patient/b"}}]}`,
		`{"resourceType":"Patient","id":"b","name":[{"text":"甲"}]}`)
	check(t, e, w, "Patient", []finds{{"friend=b", "a"}, {"friend.name=甲", "a"}, {"_has:Patient:friend:_id=a", "b"}})
	c := e.Capability("Patient")
	if !strings.Contains(strings.Join(c.RevInclude, " "), "Patient:friend") || !strings.Contains(strings.Join(c.Include, " "), "Patient:friend") {
		t.Error(c.Include, c.RevInclude)
	}
}

func TestCheckParameter(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	if issues := e.SetParameters([]search.Custom{{Resource: given(t)}}); issues != nil {
		t.Fatal(issues)
	}
	const expression = "Patient.extension.where(url='https://x.example/eye').value"
	for _, row := range []struct {
		name    string
		replace []string
		want    string
	}{
		{"itself again", nil, ""},
		{"retired", []string{"active", "retired", expression, "(("}, ""},
		{"no url", []string{`"url":"https://x.example/SearchParameter/eye",`, ""}, "SearchParameter.url: a canonical URL is needed"},
		{"a url of R4", []string{"https://x.example/SearchParameter/eye", "http://hl7.org/fhir/SearchParameter/Patient-active"}, "SearchParameter.url: it is that of a parameter which is built in"},
		{"a name of R4", []string{"eye-color", "gender"}, "SearchParameter.code: Patient has a parameter of this name"},
		{"a name of all resources", []string{"eye-color", "_id"}, "SearchParameter.code: expected letters, digits, '-' and '_', beginning with a letter"},
		{"a name of ours", []string{"eye-color", "name-pinyin"}, "SearchParameter.code: Patient has a parameter of this name"},
		{"the name of another", []string{"SearchParameter/eye", "SearchParameter/eye2"}, "SearchParameter.code: Patient has a parameter of this name"},
		{"a name that is none", []string{"eye-color", "eye.color"}, "SearchParameter.code: expected letters, digits, '-' and '_', beginning with a letter"},
		{"no base", []string{`["Patient"]`, `[]`}, "SearchParameter.base: a resource type is needed"},
		{"an unknown base", []string{`["Patient"]`, `["Patinet"]`}, "SearchParameter.base: 'Patinet' is not a resource type"},
		{"a special one", []string{`"token"`, `"special"`}, "SearchParameter.type: a type is needed, other than special"},
		{"an unknown type", []string{`"token"`, `"tokens"`}, "SearchParameter.type: 'tokens' is not a type of search parameter"},
		{"no expression", []string{expression, ""}, "SearchParameter.expression: an expression is needed"},
		{"a malformed expression", []string{expression, "Patient.name.("}, "SearchParameter.expression: "},
		{"a path that leads nowhere", []string{expression, "Patient.nmae"}, "SearchParameter.expression: Patient: it selects nothing"},
		{"another resource's path", []string{expression, "Observation.code"}, "SearchParameter.expression: Patient: it selects nothing"},
		{"a type that the kind does not find", []string{`"token"`, `"date"`, expression, "Patient.name"}, "SearchParameter.expression: Patient: it selects HumanName, which a date parameter does not find"},
		{"a long expression", []string{expression, strings.Repeat("Patient.name | ", 300) + "Patient.name"}, "SearchParameter.expression: it is longer than 4096 bytes"},
		{"a composite without components", []string{`"token"`, `"composite"`}, "SearchParameter.component: Patient: its definition has too few components"},
		{"a target that is none", []string{`"token"`, `"reference","target":["X"]`}, "SearchParameter.target: 'X' is not a resource type"},
	} {
		t.Run(row.name, func(t *testing.T) {
			issues := e.CheckParameter(given(t, row.replace...))
			if row.want == "" {
				if issues != nil {
					t.Error(issues)
				}
				return
			}
			if len(issues) == 0 || issues[0].Severity != fhir.Error || !strings.HasPrefix(issues[0].Expression+": "+issues[0].Text, row.want) {
				t.Errorf("got %v, want %s", issues, row.want)
			}
		})
	}
	if issues := e.CheckParameter(read(t, `{"resourceType":"Patient"}`)); !fhir.HasErrors(issues) {
		t.Error("a Patient is a search parameter")
	}
}

// TestSetParametersWhileInUse lets the race detector look, and every answer be one of two.
func TestSetParametersWhileInUse(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	res := read(t, blueEyes)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				v, issues := e.Values(res)
				if n := len(lines(v)["eye-color"]); n > 1 || issues != nil {
					t.Error(n, issues)
				}
				r, issues := e.Parse("Patient", []search.Pair{{Name: "eye-color", Value: "x"}}, search.ParseOptions{})
				if (r == nil) != (len(issues) == 1) {
					t.Error(issues)
				}
			}
		})
	}
	for i := range 50 {
		e.SetParameters([]search.Custom{{Resource: given(t), Ready: i%2 == 0}}[:i%3/2])
	}
	wg.Wait()
}

func TestNamePinyinIsWhatTheGuideDefines(t *testing.T) {
	for _, base := range []string{"Patient", "Practitioner"} {
		for _, p := range engine().Capability(base).Parameters {
			if p.Name != "name-pinyin" {
				continue
			}
			def, ok := ig.Guide().Resolve("SearchParameter", p.Definition)
			if !ok {
				t.Fatal("the guide does not define it")
			}
			if def.Get("code").Text() != p.Name || def.Get("type").Text() != p.Type || def.Get("expression").Text() != "Patient.name | Practitioner.name" || def.Get("base").Len() != 2 {
				t.Errorf("the guide says %s", def.AppendJSON(nil))
			}
		}
	}
}
