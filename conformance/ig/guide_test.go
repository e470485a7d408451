package ig_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/conformance/validate"
)

func catalog() *terminology.Catalog {
	return terminology.New(definitions.R4(), terminology.Options{Source: ig.Guide()})
}

func thorough(source validate.Source) *validate.Validator {
	return validate.New(definitions.R4(), validate.Options{Thorough: true, Source: source, NoBestPractice: true})
}

// complain reports errors and warnings.
func complain(t *testing.T, n *fhir.Node, issues []fhir.Issue) {
	t.Helper()
	for _, i := range issues {
		if i.Severity != fhir.Information {
			t.Errorf("%s %s: %s", n.ResourceType(), n.ID(), i)
		}
	}
}

func TestDefinitionsAreValid(t *testing.T) {
	v := thorough(ig.Guide())
	for _, n := range ig.Guide().Resources() {
		complain(t, n, v.Resource(n))
	}
}

func TestDefinitionsAreNamedAlike(t *testing.T) {
	for _, n := range ig.Guide().Resources() {
		kind, id, url := n.ResourceType(), n.ID(), n.Get("url").Text()
		if want := ig.Base + "/" + kind + "/" + id; url != want && !(kind == "CodeSystem" && strings.HasPrefix(url, "urn:oid:")) {
			t.Errorf("%s %s has the URL %s, want %s", kind, id, url, want)
		}
		if got := n.Get("version").Text(); got != ig.Version {
			t.Errorf("%s %s has the version %q", kind, id, got)
		}
		if n.Get("publisher") == nil || n.Get("date") == nil || n.Get("jurisdiction") == nil {
			t.Errorf("%s %s does not say who published it, when, and for where", kind, id)
		}
		what := "title"
		if kind == "SearchParameter" { // has none
			what = "description"
		}
		if !chinese(n.Get("_" + what)) {
			t.Errorf("%s %s: %s is not translated", kind, id, what)
		}
	}
}

// chinese reports whether an element beside a text has a Chinese translation of it.
func chinese(beside *fhir.Node) bool {
	for _, e := range beside.Get("extension").Items() {
		lang, content := "", ""
		for _, part := range e.Get("extension").Items() {
			switch part.Get("url").Text() {
			case "lang":
				lang = part.Get("valueCode").Text()
			case "content":
				content = part.Get("valueString").Text()
			}
		}
		if e.Get("url").Text() == "http://hl7.org/fhir/StructureDefinition/translation" && lang == "zh-CN" && content != "" {
			return true
		}
	}
	return false
}

func TestEveryDefinitionIsFound(t *testing.T) {
	for _, n := range ig.Guide().Resources() {
		url := n.Get("url").Text()
		for _, canonical := range []string{url, url + "|" + ig.Version} {
			if got, ok := ig.Guide().Resolve(n.ResourceType(), canonical); !ok || got != n {
				t.Errorf("%s is not found", canonical)
			}
		}
		for _, canonical := range []string{url + "|0.0.9", url + "x", "https://other.example/" + url} {
			if _, ok := ig.Guide().Resolve(n.ResourceType(), canonical); ok {
				t.Errorf("%s is found", canonical)
			}
		}
		if _, ok := ig.Guide().Resolve("Library", url); ok {
			t.Errorf("%s is found as another kind", url)
		}
	}
}

// Who validates what has nothing to do with the guide does not wait for it to be read.
func TestOtherDefinitionsAreNotLookedForInTheFiles(t *testing.T) {
	unreadable := ig.Open(fstest.MapFS{"source/ig.json": {Data: []byte("{")}})
	for _, url := range []string{"http://hl7.org/fhir/StructureDefinition/Patient", "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", "urn:oid:2.16.840.1.113883.6.1", ""} {
		if _, ok := unreadable.Resolve("StructureDefinition", url); ok {
			t.Errorf("%s is found", url)
		}
	}
}

func TestValueSetsExpand(t *testing.T) {
	c := catalog()
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() != "ValueSet" {
			continue
		}
		set, err := c.ValueSet(n.Get("url").Text())
		if err != nil {
			t.Errorf("%s: %v", n.ID(), err)
			continue
		}
		x, err := c.Expand(context.Background(), set, terminology.ExpandRequest{IncludeDesignations: true})
		if err != nil {
			t.Errorf("%s: %v", n.ID(), err)
			continue
		}
		if len(x.Contains) == 0 {
			t.Errorf("%s is empty", n.ID())
		}
		for _, code := range x.Contains {
			if code.Display == "" {
				t.Errorf("%s: %s has no display", n.ID(), code.Code)
			}
		}
	}
}

func TestCodesHaveNamesInBothLanguages(t *testing.T) {
	c := catalog()
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() != "CodeSystem" {
			continue
		}
		for _, language := range []string{"en", "zh-CN"} {
			seen := map[string]string{}
			for _, concept := range n.Get("concept").Items() {
				code := concept.Get("code").Text()
				found, err := c.Lookup(context.Background(), terminology.LookupRequest{
					Coding: terminology.Coding{System: n.Get("url").Text(), Code: code}, DisplayLanguage: language})
				if err != nil {
					t.Errorf("%s %s: %v", n.ID(), code, err)
					continue
				}
				han := strings.ContainsFunc(found.Display, func(r rune) bool { return unicode.Is(unicode.Han, r) })
				if signs := strings.HasSuffix(code, "+"); found.Display == "" || !signs && han != (language == "zh-CN") {
					t.Errorf("%s %s is called %q in %s", n.ID(), code, found.Display, language)
				}
				if other := seen[found.Display]; other != "" {
					t.Errorf("%s: %s and %s are called the same in %s", n.ID(), other, code, language)
				}
				seen[found.Display] = code
			}
		}
		if got := n.Get("count").Text(); got != strconv.Itoa(n.Get("concept").Len()) {
			t.Errorf("%s counts %s codes, has %d", n.ID(), got, n.Get("concept").Len())
		}
	}
}

func TestConceptMapsTranslate(t *testing.T) {
	c := catalog()
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() != "ConceptMap" {
			continue
		}
		m, err := c.ConceptMap(n.Get("url").Text())
		if err != nil {
			t.Errorf("%s: %v", n.ID(), err)
			continue
		}
		covered := map[string]bool{}
		for _, group := range n.Get("group").Items() {
			source, target := group.Get("source").Text(), group.Get("target").Text()
			from, err := c.CodeSystem(source)
			if err != nil {
				t.Errorf("%s: %v", n.ID(), err)
				continue
			}
			for _, e := range group.Get("element").Items() {
				code := e.Get("code").Text()
				covered[code] = true
				if _, ok, err := from.Lookup(context.Background(), code); !ok || err != nil {
					t.Errorf("%s: %s is no code of %s", n.ID(), code, source)
				}
				got, err := c.Translate(context.Background(), terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{{System: source, Code: code}}})
				if err != nil {
					t.Errorf("%s: %s: %v", n.ID(), code, err)
					continue
				}
				for _, want := range e.Get("target").Items() {
					mapped := want.Get("equivalence").Text() != "unmatched"
					if got.Result != mapped {
						t.Errorf("%s: %s is translated: %v", n.ID(), code, got.Result)
					}
					if !mapped {
						continue
					}
					in := terminology.Coding{System: target, Code: want.Get("code").Text()}
					if there, err := c.ValidateCodeIn(context.Background(), target, terminology.ValidateRequest{Code: in.Code, Display: want.Get("display").Text()}); err != nil || !there.Valid {
						if there != nil && there.Member == definitions.Unknown {
							continue // LOINC is not here
						}
						t.Errorf("%s: %s becomes %s, which %s does not have with that display: %v", n.ID(), code, in.Code, target, err)
					}
				}
			}
		}
		for _, group := range n.Get("group").Items() {
			from, ok := ig.Guide().Resolve("CodeSystem", group.Get("source").Text())
			if !ok {
				t.Errorf("%s: %s is no code system of the guide", n.ID(), group.Get("source").Text())
			}
			for _, concept := range from.Get("concept").Items() {
				if !covered[concept.Get("code").Text()] {
					t.Errorf("%s says nothing of %s", n.ID(), concept.Get("code").Text())
				}
			}
		}
	}
}

func TestSearchParametersCompileAndFindSomething(t *testing.T) {
	model := fhirpath.NewModel(definitions.R4())
	subjects := map[string]string{
		"Patient":      `{"resourceType":"Patient","name":[{"text":"李雷"}]}`,
		"Practitioner": `{"resourceType":"Practitioner","name":[{"text":"李雷"}]}`,
	}
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() != "SearchParameter" {
			continue
		}
		for _, base := range n.Get("base").Items() {
			x, err := model.Compile(n.Get("expression").Text(), fhirpath.Options{Context: base.Text()})
			if err != nil {
				t.Errorf("%s: %v", n.ID(), err)
				continue
			}
			if subjects[base.Text()] == "" {
				t.Errorf("%s: the test has no %s", n.ID(), base.Text())
				continue
			}
			subject, err := fhir.Parse([]byte(subjects[base.Text()]), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if values, err := x.Evaluate(nil, subject); err != nil || len(values) != 1 {
				t.Errorf("%s finds %d values in a %s: %v", n.ID(), len(values), base.Text(), err)
			}
		}
	}
}

// What the guide asks of servers is there to be asked for: profiles, interactions, search parameters of the type given.
func TestRequirementsAreOfThingsThatExist(t *testing.T) {
	n, ok := ig.Guide().Resolve("CapabilityStatement", ig.Base+"/CapabilityStatement/member-server")
	if !ok {
		t.Fatal("there are none")
	}
	for _, resource := range n.Get("rest").At(0).Get("resource").Items() {
		typ := resource.Get("type").Text()
		for _, profile := range resource.Get("supportedProfile").Items() {
			sd, ok := ig.Guide().Resolve("StructureDefinition", profile.Text())
			if !ok || sd.Get("type").Text() != typ {
				t.Errorf("%s: %s is no profile of it", typ, profile.Text())
			}
		}
		for _, p := range resource.Get("searchParam").Items() {
			name, want := p.Get("name").Text(), ""
			if own, ok := ig.Guide().Resolve("SearchParameter", p.Get("definition").Text()); ok {
				want = own.Get("type").Text()
			} else if known := definitions.R4().SearchParameter(typ, name); known != nil {
				want = known.Type
			}
			if got := p.Get("type").Text(); got != want {
				t.Errorf("%s: %s has the type %s, want %q", typ, name, got, want)
			}
		}
	}
}

// Whatever a definition or an example names under the guide's own base is in the guide.
func TestNamedDefinitionsExist(t *testing.T) {
	var look func(in string, n *fhir.Node)
	look = func(in string, n *fhir.Node) {
		if n.Kind() != fhir.String {
			for _, child := range n.All() {
				look(in, child)
			}
			return
		}
		url, _, _ := strings.Cut(n.Text(), "#")
		rest, own := strings.CutPrefix(url, ig.Base+"/")
		kind, _, _ := strings.Cut(rest, "/")
		if own && definitions.R4().IsResource(kind) || own && kind == "StructureDefinition" {
			if _, ok := ig.Guide().Resolve(kind, url); !ok {
				t.Errorf("%s names %s", in, url)
			}
		}
	}
	for _, n := range append(ig.Guide().Resources(), ig.Guide().Examples()...) {
		look(n.ResourceType()+" "+n.ID(), n)
	}
}

// Whoever judges by the guide gives it as Source and nothing as Standing, which is enough as long as nothing in it holds
// without being named: profiles for all resources of a type, supplements of code systems.
func TestNothingOfTheGuideHoldsUnnamed(t *testing.T) {
	text, err := os.ReadFile("source/ig.json")
	if err != nil {
		t.Fatal(err)
	}
	about, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if about.ResourceType() != "ImplementationGuide" || about.Get("global") != nil {
		t.Error("the guide has global profiles: give it as validate.Options.Standing in cmd/yilian and gateway/server")
	}
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() == "ImplementationGuide" || n.Get("content").Text() == "supplement" {
			t.Errorf("%s stands: give it as validate.Options.Standing in cmd/yilian and gateway/server", n.Get("url").Text())
		}
	}
}
