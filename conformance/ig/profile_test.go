package ig_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/patch"
	"github.com/yilian/yilian/conformance/validate"
)

const structures = ig.Base + "/StructureDefinition/"

// shelf finds the guide's examples by reference.
type shelf map[string]*fhir.Node

func (s shelf) Resolve(reference string) *fhir.Node { return s[reference] }

var examples = sync.OnceValue(func() shelf {
	s := shelf{}
	for _, n := range ig.Guide().Examples() {
		s[n.ResourceType()+"/"+n.ID()] = n
	}
	return s
})

// judge validates by all that FHIR and the guide say, with the examples as what references lead to.
var judge = sync.OnceValue(func() *validate.Validator {
	return validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide(), Resolver: examples(),
		UnknownExtensions: fhir.Error, MaxIssues: 1000})
})

// tolerated are the warnings about examples that stay: message, end of the place, and why.
var tolerated = []struct{ id, place, why string }{
	{"code-extensible", "identifier.type", "R4's value set of identifier types is extensible and has none for resident numbers, health cards, visits, staff, licences"},
}

func isTolerated(i fhir.Issue) bool {
	for _, k := range tolerated {
		if i.ID == k.id && i.Severity == fhir.Warning && strings.HasSuffix(normal(i.Expression), k.place) {
			return true
		}
	}
	return false
}

func TestExamplesAreValid(t *testing.T) {
	if n := len(ig.Guide().Examples()); n < len(profiles()) {
		t.Fatalf("only %d examples", n)
	}
	for _, n := range ig.Guide().Examples() {
		t.Run(n.ResourceType()+"/"+n.ID(), func(t *testing.T) {
			for _, i := range judge().Resource(n) {
				if i.Severity != fhir.Information && !isTolerated(i) {
					t.Error(i)
				}
			}
		})
	}
}

// Each profile is claimed by an example, and each extension stands in one.
func TestEachProfileHasAnExample(t *testing.T) {
	shown := map[string]bool{}
	for _, n := range ig.Guide().Examples() {
		for _, p := range n.Path("meta").Get("profile").Items() {
			shown[p.Text()] = true
		}
		extensionsIn(n, shown)
	}
	for _, sd := range profiles() {
		if !shown[sd.Get("url").Text()] {
			t.Errorf("%s has no example", sd.ID())
		}
	}
}

func extensionsIn(n *fhir.Node, found map[string]bool) {
	for _, k := range n.All() {
		if k.Name() == "url" {
			found[k.Text()] = true
		}
		extensionsIn(k, found)
	}
}

func profiles() []*fhir.Node {
	return slices.DeleteFunc(ig.Guide().Resources(), func(n *fhir.Node) bool { return n.ResourceType() != "StructureDefinition" })
}

// What people read in profiles and extensions is there in English and Chinese, and a rule that several of them have is the
// same in all.
func TestRulesAreSaidInBothLanguages(t *testing.T) {
	expressions := map[string]string{}
	for _, sd := range profiles() {
		both := func(n *fhir.Node, name, where string) {
			if n.Get(name) != nil && !translated(n.Get("_"+name)) {
				t.Errorf("%s: %s has no Chinese %s", sd.ID(), where, name)
			}
		}
		if sd.Get("title") == nil || sd.Get("description") == nil {
			t.Errorf("%s has no title or description", sd.ID())
		}
		both(sd, "title", "it")
		for _, e := range sd.Path("differential").Get("element").Items() {
			both(e, "short", e.Get("id").Text())
			for _, c := range e.Get("constraint").Items() {
				key := c.Get("key").Text()
				both(c, "human", key)
				if x := expressions[key]; x != "" && x != c.Get("expression").Text() {
					t.Errorf("%s: %s means something else in another profile", sd.ID(), key)
				}
				expressions[key] = c.Get("expression").Text()
			}
		}
	}
}

// translated reports whether a text has a Chinese translation with Chinese in it.
func translated(extra *fhir.Node) bool {
	for _, x := range extra.Get("extension").Items() {
		parts := map[string]string{}
		for _, p := range x.Get("extension").Items() {
			parts[p.Get("url").Text()] = p.Get("valueCode").Text() + p.Get("valueString").Text()
		}
		if x.Get("url").Text() == "http://hl7.org/fhir/StructureDefinition/translation" && parts["lang"] == "zh-CN" &&
			strings.ContainsFunc(parts["content"], func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			return true
		}
	}
	return false
}

// Each operation has examples of what goes in and what comes out, which are right by its definition; with a parameter
// that it does not have they are not.
func TestEachOperationHasExamples(t *testing.T) {
	for _, op := range ig.Guide().Resources() {
		if op.ResourceType() != "OperationDefinition" {
			continue
		}
		for _, use := range []string{"in", "out"} {
			n := examples()["Parameters/"+op.ID()+"-"+use]
			if n == nil {
				t.Errorf("%s has no example of what goes %s", op.ID(), use)
				continue
			}
			if issues := judge().Parameters(n, op.Get("url").Text(), use); fhir.HasErrors(issues) {
				t.Errorf("%s %s: %v", op.ID(), use, issues)
			}
			wrong := n.Clone()
			wrong.Get("parameter").At(0).SetString("name", "nothing-of-it")
			if !fhir.HasErrors(judge().Parameters(wrong, op.Get("url").Text(), use)) {
				t.Errorf("%s %s: takes a parameter that it does not have", op.ID(), use)
			}
		}
	}
}

// rule is one thing that a differential says beyond its base, and that a resource can break.
type rule struct {
	profile string // id
	url     string
	element string // id
	name    string // min, max, fixed, pattern, minValue, type, target, profile, binding, slicing, context, or the key of an invariant, with warning: before it where it only warns
	warning bool

	detail   string   // what the finding must name: a value set, a profile on a type
	sameType bool     // of target: the types are those of the base, so only what a reference leads to can be wrong
	slice    bool     // the element is a slice
	targets  []string // of target
}

func (r rule) String() string { return r.profile + ": " + r.element + " " + r.name }

// texts are the properties of an element that say nothing a resource could break.
var texts = []string{"id", "path", "sliceName", "short", "_short", "definition", "_definition", "comment", "_comment", "requirements", "mustSupport"}

// rules reads what a differential says more than the type that it constrains.
func rules(sd *fhir.Node, defs *definitions.Definitions) ([]rule, error) {
	var out []rule
	elements := sd.Path("differential").Get("element").Items()
	if base := defs.Type(sd.Get("type").Text()); base == nil || base.URL != sd.Get("baseDefinition").Text() {
		return nil, fmt.Errorf("%s does not constrain a type of FHIR", sd.ID())
	}
	if places := sd.Get("context"); places != nil {
		var on []string
		for _, c := range places.Items() {
			on = append(on, c.Get("expression").Text())
		}
		out = append(out, rule{profile: sd.ID(), url: sd.Get("url").Text(), element: "Extension", name: "context", detail: strings.Join(on, ", ")})
	}
	marks := discriminators(elements)
	for _, e := range elements {
		id, path := e.Get("id").Text(), e.Get("path").Text()
		add := func(name string, more ...func(*rule)) {
			r := rule{profile: sd.ID(), url: sd.Get("url").Text(), element: id, name: name, slice: e.Get("sliceName") != nil}
			for _, f := range more {
				f(&r)
			}
			if !marks.decide(id, name) {
				out = append(out, r)
			}
		}
		var base definitions.Element
		if strings.Contains(path, ".") {
			p, err := defs.Resolve(path)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", sd.ID(), id, err)
			}
			base = *p.Element
			if e.Get("sliceName") != nil {
				base.Min = 0
			}
		}
		for _, k := range e.All() {
			switch name := k.Name(); {
			case slices.Contains(texts, name):
			case name == "min":
				if n, err := strconv.Atoi(k.Text()); err != nil || n > base.Min {
					add("min")
				}
			case name == "max":
				if n, err := strconv.Atoi(k.Text()); err == nil && (base.Max == definitions.Unbounded || n < base.Max) {
					add("max")
				}
			case strings.HasPrefix(name, "fixed"):
				add("fixed")
			case strings.HasPrefix(name, "pattern"):
				add("pattern")
			case strings.HasPrefix(name, "minValue"):
				add("minValue")
			case name == "type":
				out = append(out, typeRules(k, base, add)...)
			case name == "binding":
				set := k.Get("valueSet").Text()
				if k.Get("strength").Text() == definitions.BindingRequired && (base.Binding == nil || base.Binding.Strength != definitions.BindingRequired || base.Binding.ValueSet != set) {
					add("binding", func(r *rule) { r.detail = set })
				}
			case name == "constraint":
				for _, c := range k.Items() {
					key, warning := c.Get("key").Text(), c.Get("severity").Text() == "warning"
					name := key
					if warning {
						name = "warning:" + key
					}
					add(name, func(r *rule) { r.warning, r.detail = warning, "rule "+key+" " })
				}
			case name == "slicing":
				if k.Get("rules").Text() != "open" || k.Get("ordered").Text() == "true" {
					add("slicing")
				}
			default:
				return nil, fmt.Errorf("%s: %s: nobody has told how %s is broken", sd.ID(), id, name)
			}
		}
	}
	return out, nil
}

// typeRules are those of an element's types: fewer than the base has, profiles on them, other targets of references.
func typeRules(types *fhir.Node, base definitions.Element, add func(string, ...func(*rule))) []rule {
	if len(types.Items()) < len(base.Types) || len(base.Types) == 1 && types.At(0).Get("code").Text() != base.Types[0].Code {
		add("type")
	}
	for _, t := range types.Items() {
		for _, p := range t.Get("profile").Items() {
			add("profile", func(r *rule) { r.detail = p.Text() })
		}
		if t.Get("targetProfile") == nil {
			continue
		}
		var named, allowed []string
		for _, p := range t.Get("targetProfile").Items() {
			named = append(named, p.Text())
		}
		for i := range base.Types {
			if base.Types[i].Code == t.Get("code").Text() {
				allowed = base.Types[i].Targets
			}
		}
		kinds := map[string]bool{}
		for _, p := range named {
			kinds[targetType(p)] = true
		}
		bare := slices.Sorted(maps.Keys(kinds))
		narrower := !slices.Equal(bare, slices.Sorted(slices.Values(allowed)))
		own := slices.ContainsFunc(named, func(p string) bool { return strings.HasPrefix(p, structures) })
		if narrower || own {
			add("target", func(r *rule) { r.targets, r.sameType = named, !narrower })
		}
	}
	return nil
}

// targetType is the resource type that a profile or type of FHIR is for.
func targetType(url string) string {
	if sd, ok := ig.Guide().Resolve("StructureDefinition", url); ok {
		return sd.Get("type").Text()
	}
	return strings.TrimPrefix(url, definitions.Canonical)
}

// marking knows what tells slices apart: what breaks that is in no slice, and breaks nothing.
type marking struct {
	sliced map[string][]string // element id → paths of its discriminators
}

func discriminators(elements []*fhir.Node) marking {
	m := marking{map[string][]string{}}
	for _, e := range elements {
		for _, d := range e.Path("slicing").Get("discriminator").Items() {
			m.sliced[e.Get("id").Text()] = append(m.sliced[e.Get("id").Text()], d.Get("path").Text())
		}
	}
	return m
}

// decide reports whether a rule of an element is what makes a repetition belong to a slice.
func (m marking) decide(id, name string) bool {
	if name != "fixed" && name != "pattern" && name != "min" && name != "type" {
		return false
	}
	if id == "Extension.url" && name == "fixed" {
		return true // by its url an extension is what it is
	}
	at := strings.LastIndexByte(id, ':')
	if at < 0 {
		return false
	}
	sliced := id[:at]
	below := ""
	if dot := strings.IndexByte(id[at:], '.'); dot >= 0 {
		below = id[at+dot+1:]
	}
	for _, path := range m.sliced[sliced] {
		if path == below && below != "" || path == "$this" && below == "" && name == "pattern" {
			return true
		}
	}
	return false
}

// failure is a case: an example, and what is done to it so that it breaks a rule.
type failure struct {
	profile, element, rule string
	example                string
	patch                  []byte
	place                  string // in the files
}

// failures reads the cases. Each file is named for a profile, each part for an element, a rule and an example.
func failures(t testing.TB) []failure {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("failing", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	var out []failure
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range txtar.Parse(text).Files {
			words := strings.Fields(f.Name)
			place := fmt.Sprintf("%s, case %d", name, i+1)
			if len(words) != 3 {
				t.Fatalf("%s: %q is not element, rule and example", place, f.Name)
			}
			out = append(out, failure{strings.TrimSuffix(filepath.Base(name), ".txtar"), words[0], words[1], words[2], f.Data, place})
		}
	}
	return out
}

// broken is what the patched example is told.
func broken(f failure) ([]fhir.Issue, error) {
	var example *fhir.Node
	for _, n := range ig.Guide().Examples() {
		if n.ID() == f.example {
			example = n
		}
	}
	if example == nil {
		return nil, fmt.Errorf("no example %s", f.example)
	}
	operations, err := fhir.Parse(slices.Clone(f.patch), fhir.Limits{})
	if err != nil {
		return nil, err
	}
	n, err := patch.ApplyJSON(example, operations, patch.Limits{})
	if err != nil {
		return nil, err
	}
	return judge().Resource(n), nil
}

// TestEveryRuleIsBrokenByACase holds each rule of each differential to a case that breaks it and is told so at its place.
func TestEveryRuleIsBrokenByACase(t *testing.T) {
	var all []rule
	for _, sd := range profiles() {
		found, err := rules(sd, definitions.R4())
		if err != nil {
			t.Error(err)
		}
		all = append(all, found...)
	}
	if len(all) < 300 {
		t.Fatalf("only %d rules", len(all))
	}
	cases := failures(t)
	for _, complaint := range compareRules(all, cases, broken) {
		t.Error(complaint)
	}
	t.Logf("%d profiles, %d rules, %d cases", len(profiles()), len(all), len(cases))
}

// compareRules returns what is wrong: rules without a case, cases without a rule, cases that are told something else.
func compareRules(all []rule, cases []failure, broken func(failure) ([]fhir.Issue, error)) []string {
	var out []string
	byName := map[string]rule{}
	for _, r := range all {
		byName[r.String()] = r
	}
	seen := map[string]bool{}
	for _, f := range cases {
		name := f.profile + ": " + f.element + " " + f.rule
		r, ok := byName[name]
		if !ok {
			out = append(out, f.place+": there is no rule "+name)
			continue
		}
		seen[name] = true
		issues, err := broken(f)
		if err != nil {
			out = append(out, f.place+": "+err.Error())
			continue
		}
		if !slices.ContainsFunc(issues, r.told) {
			out = append(out, fmt.Sprintf("%s: %s is not told, but %v", f.place, name, issues))
		}
	}
	for _, r := range all {
		if !seen[r.String()] {
			out = append(out, r.String()+" has no case")
		}
	}
	return out
}

// kinds are the messages that tell of a rule.
var kinds = map[string][]string{
	"fixed": {"profile-fixed", "profile-fixed-extra"}, "pattern": {"profile-pattern"}, "minValue": {"profile-min-value"}, "type": {"profile-type"},
	"binding": {"code-unknown", "coding-unknown", "concept-unknown", "concept-uncoded", "unit-unknown"}, "slicing": {"slice-unknown"},
}

// told reports whether a finding is the one that the rule calls for: its message, its severity, its place, and what it
// names.
func (r rule) told(i fhir.Issue) bool {
	severity, at := fhir.Error, place(r.element)
	if r.warning {
		severity = fhir.Warning
	}
	if i.Severity != severity {
		return false
	}
	parent := at[:max(strings.LastIndexByte(at, '.'), 0)]
	switch r.name {
	case "min":
		if r.slice {
			return i.ID == "slice-missing" && stands(i, parent) && strings.Contains(i.Text, "the slice "+r.element+" is required by "+r.url)
		}
		return i.ID == "profile-missing" && stands(i, parent) && strings.HasPrefix(i.Text, r.element+" is required by "+r.url)
	case "max":
		if r.slice {
			return i.ID == "slice-too-many" && stands(i, parent) && strings.Contains(i.Text, "the slice "+r.element+" may hold ") && strings.HasSuffix(i.Text, r.url)
		}
		return i.ID == "profile-too-many" && stands(i, parent) && strings.HasPrefix(i.Text, r.element+" may occur ") && strings.HasSuffix(i.Text, r.url)
	case "target":
		if i.ID == "reference-target-type" && !r.sameType {
			var types []string
			for _, p := range r.targets {
				types = append(types, targetType(p))
			}
			return stands(i, at) && strings.HasSuffix(i.Text, strings.Join(types, ", "))
		}
		return i.ID == "reference-profile" && stands(i, at) && strings.Contains(i.Text, r.targets[0])
	case "context": // is told of what holds the extension; all cases put it on a resource
		return i.ID == "extension-context" && !strings.Contains(i.Expression, ".") && strings.HasSuffix(i.Text, " "+r.detail)
	case "profile": // something within is wrong by that profile
		return strings.HasPrefix(normal(i.Expression), at) && strings.Contains(i.Text, r.detail)
	case "binding":
		return slices.Contains(kinds["binding"], i.ID) && stands(i, at) && strings.Contains(i.Text, r.detail)
	case "fixed", "pattern", "minValue", "type", "slicing":
		return slices.Contains(kinds[r.name], i.ID) && stands(i, at) && strings.Contains(i.Text, r.url)
	}
	return i.ID == "invariant-failed" && stands(i, at) && strings.HasPrefix(i.Text, r.detail)
}

var noise = regexp.MustCompile(`\[\d+\]|\.ofType\(\w+\)|\[x\]`)

// normal is a location without what tells repetitions and types apart.
func normal(expression string) string { return noise.ReplaceAllString(expression, "") }

var slicename = regexp.MustCompile(`:[^.]+`)

// place is where an element stands: its path, of extensions from the extension on.
func place(id string) string { return normal(slicename.ReplaceAllString(id, "")) }

// stands reports whether a finding is at a place.
func stands(i fhir.Issue, at string) bool {
	got := normal(i.Expression)
	if rest, ok := strings.CutPrefix(at, "Extension"); ok {
		return strings.HasSuffix(got, ".extension"+rest)
	}
	return got == at
}

// The check itself notices a rule without a case, a case without a rule, and a case that is told something else.
func TestForgottenAndMisplacedCasesAreNoticed(t *testing.T) {
	sd, err := fhir.Parse([]byte(`{"resourceType":"StructureDefinition","id":"planted","url":"https://yilian.dev/fhir/StructureDefinition/planted","type":"Patient",
		"baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{"id":"Patient","path":"Patient"},
		{"id":"Patient.identifier","path":"Patient.identifier","min":1,"max":"*","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}},
		{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":0,"max":"1"},
		{"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
		{"id":"Patient.identifier:a.value","path":"Patient.identifier.value","min":1},
		{"id":"Patient.gender","path":"Patient.gender","min":1,"max":"1"},
		{"id":"Patient.managingOrganization","path":"Patient.managingOrganization","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]},
		{"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]},
		{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","type":[{"code":"dateTime"}]}]}}`), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := rules(sd, definitions.R4())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.element+" "+r.name)
	}
	want := []string{"Patient.identifier min", "Patient.identifier slicing", "Patient.identifier:a max", "Patient.identifier:a.value min", "Patient.gender min",
		"Patient.generalPractitioner target", "Patient.deceased[x] type"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatal(diff)
	}
	gender := failure{profile: "planted", element: "Patient.gender", rule: "min", place: "p"}
	finding := fhir.Issue{Severity: fhir.Error, ID: "profile-missing", Expression: "Patient", Text: "Patient.gender is required by https://yilian.dev/fhir/StructureDefinition/planted but missing"}
	change := func(f func(*fhir.Issue)) fhir.Issue { i := finding; f(&i); return i }
	for _, c := range []struct {
		name  string
		cases []failure
		said  fhir.Issue
		want  string
	}{
		{"accepts the right finding", []failure{gender}, finding, ""},
		{"notices a rule without a case", nil, finding, "planted: Patient.gender min has no case"},
		{"notices a case without a rule", []failure{gender, {profile: "planted", element: "Patient.name", rule: "min", place: "p"}}, finding, "p: there is no rule planted: Patient.name min"},
		{"notices another message", []failure{gender}, change(func(i *fhir.Issue) { i.ID = "element-missing" }), "is not told"},
		{"notices another place", []failure{gender}, change(func(i *fhir.Issue) { i.Expression = "Patient.contact[0]" }), "is not told"},
		{"notices another element", []failure{gender}, change(func(i *fhir.Issue) { i.Text = strings.Replace(i.Text, "gender", "name", 1) }), "is not told"},
		{"notices another profile", []failure{gender}, change(func(i *fhir.Issue) { i.Text = strings.Replace(i.Text, "planted", "other", 1) }), "is not told"},
		{"notices a mere warning", []failure{gender}, change(func(i *fhir.Issue) { i.Severity = fhir.Warning }), "is not told"},
	} {
		t.Run(c.name, func(t *testing.T) {
			only := slices.DeleteFunc(slices.Clone(all), func(r rule) bool { return r.element != "Patient.gender" })
			got := strings.Join(compareRules(only, c.cases, func(failure) ([]fhir.Issue, error) { return []fhir.Issue{c.said}, nil }), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Whether a task's status goes with the state of its referral is said twice: by the profile, and by a ConceptMap.
func TestStatesOfReferralsAreThoseOfTheConceptMap(t *testing.T) {
	states, ok := ig.Guide().Resolve("ConceptMap", ig.Base+"/ConceptMap/referral-state-task")
	if !ok {
		t.Fatal("no ConceptMap")
	}
	elements := states.Path("group", "element").Items()
	if len(elements) < 12 {
		t.Fatalf("%d states", len(elements))
	}
	for _, e := range elements {
		code := e.Get("code").Text()
		var agreed []string
		for _, target := range e.Get("target").Items() {
			agreed = append(agreed, target.Get("code").Text())
		}
		for _, status := range []string{"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed", "completed"} {
			n := examples()["Task/referral-task"].Clone()
			n.SetString("status", status)
			n.Set("statusReason", fhir.NewObject().SetString("text", "因故"))
			n.Path("businessStatus", "coding").At(0).SetString("code", code)
			refused := fhir.HasErrors(judge().Resource(n))
			if refused == slices.Contains(agreed, status) {
				t.Errorf("%s, %s: refused by the profile is %v", code, status, refused)
			}
		}
	}
}

// Check digits that FHIRPath calculates are those of the standards, for any number and every check character.
func TestCheckDigits(t *testing.T) {
	digits, letters, credit := "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789ABCDEFGHJKLMNPQRTUWXY"
	random := rand.New(rand.NewPCG(11643, 32100))
	draw := func(n int, from string) string {
		var b strings.Builder
		for range n {
			b.WriteByte(from[random.IntN(len(from))])
		}
		return b.String()
	}
	weigh := func(s, alphabet string, weight func(int) int) int {
		sum := 0
		for i := range len(s) {
			sum += strings.IndexByte(alphabet, s[i]) * weight(i)
		}
		return sum
	}
	listed := func(weights ...int) func(int) int { return func(i int) int { return weights[i] } }
	for _, c := range []struct {
		name, example, rule string
		body                func() string
		ends                string // all check characters
		check               func(body string) byte
	}{
		{
			"resident number, GB 11643", "Patient/patient-wang", "resident-id-check",
			func() string { return "99" + draw(4, digits) + "1968" + "0312" + draw(3, digits) }, "0123456789X",
			func(b string) byte {
				return "10X98765432"[weigh(b, digits, listed(7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))%11]
			},
		},
		{
			"credit code, GB 32100", "Organization/organization-county-hospital", "credit-code-check",
			func() string { return draw(2, credit) + draw(6, digits) + draw(9, credit) }, credit,
			func(b string) byte {
				return credit[(31-weigh(b, credit, listed(1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28))%31)%31]
			},
		},
		{
			"organization code, GB 11714", "Organization/organization-county-hospital", "organization-code-check",
			func() string { return draw(8, digits+letters) }, "0123456789X",
			func(b string) byte {
				return "0X987654321"[weigh(b, digits+letters, listed(3, 7, 9, 10, 5, 8, 4, 2))%11]
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 20 {
				body := c.body()
				for i := range len(c.ends) {
					n := examples()[c.example].Clone()
					for _, id := range n.Get("identifier").Items() {
						if s := id.Get("system").Text(); s == "urn:oid:2.16.156.10011.1.3" || s == "urn:oid:2.16.156.10011.1.5" {
							id.SetString("value", body+c.ends[i:i+1])
						}
					}
					refused := slices.ContainsFunc(judge().Resource(n), func(i fhir.Issue) bool { return strings.HasPrefix(i.Text, "rule "+c.rule+" ") })
					if want := c.ends[i] != c.check(body); refused != want {
						t.Fatalf("%s and %c: refused is %v", body, c.ends[i], refused)
					}
				}
			}
		})
	}
}

// hundred is a Bundle of as many Patients with different numbers.
func hundred(tb testing.TB) *fhir.Node {
	tb.Helper()
	entries := fhir.NewArray()
	for i := range 100 {
		n := examples()["Patient/patient-wang"].Clone()
		n.SetString("id", fmt.Sprintf("p%d", i))
		n.Remove("managingOrganization")
		n.Set("managingOrganization", fhir.NewObject().SetString("display", "x"))
		n.Get("identifier").At(0).SetString("value", fmt.Sprintf("%08d", i))
		entries.Append(fhir.NewObject().SetString("fullUrl", fmt.Sprintf("https://fhir.county-hospital.invalid/Patient/p%d", i)).Set("resource", n))
	}
	bundle, err := fhir.Parse(fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", "collection").Set("entry", entries).AppendJSON(nil), fhir.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return bundle
}

// BenchmarkHundredPatients validates a Bundle of 100 Patients that claim the profile, by all that FHIR and the guide say.
func BenchmarkHundredPatients(b *testing.B) {
	n := hundred(b)
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()})
	if issues := v.Resource(n); fhir.HasErrors(issues) {
		b.Fatal(issues)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.Resource(n)
	}
}

// BenchmarkHundredPatientsCold does so from a new process each time, which has everything still to read and compile.
func BenchmarkHundredPatientsCold(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestHundredPatientsConform$")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatal(err, string(out))
		}
	}
}

// TestHundredPatientsConform is also the process of BenchmarkHundredPatientsCold.
func TestHundredPatientsConform(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()})
	if issues := v.Resource(hundred(t)); fhir.HasErrors(issues) {
		t.Fatal(issues)
	}
}
