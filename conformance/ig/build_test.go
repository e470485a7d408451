package ig_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
)

func build(t *testing.T) ([]byte, []ig.File) {
	t.Helper()
	var b bytes.Buffer
	list, err := ig.Build(&b, ig.Guide())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), list
}

func TestPackageIsTheSameEveryTime(t *testing.T) {
	first, _ := build(t)
	second, _ := build(t)
	if !bytes.Equal(first, second) {
		t.Error("two packages of one guide differ")
	}
}

func TestPackageIsReadAsItWasWritten(t *testing.T) {
	text, files := build(t)
	p, err := packages.Read(bytes.NewReader(text), packages.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.ID(), ig.Name+"#"+ig.Version; got != want {
		t.Errorf("the package is %s, want %s", got, want)
	}
	if p.Canonical != ig.Base || !slices.Equal(p.FHIRVersions, []string{"4.0.1"}) ||
		!slices.Equal(p.Dependencies, []packages.Dependency{{Name: "hl7.fhir.r4.core", Version: "4.0.1"}}) {
		t.Errorf("manifest: canonical %s, FHIR %v, dependencies %v", p.Canonical, p.FHIRVersions, p.Dependencies)
	}
	if found := p.Findings(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
	for _, f := range files {
		if f.Resource == nil || f.Example {
			continue
		}
		got, ok := p.Resolve(f.Resource.ResourceType(), f.Resource.Get("url").Text()+"|"+ig.Version)
		if !ok {
			t.Errorf("%s is not found", f.Name)
		} else if diff := cmp.Diff(string(f.Resource.AppendJSON(nil)), string(got.AppendJSON(nil))); diff != "" {
			t.Errorf("%s: %s", f.Name, diff)
		}
	}
}

var fhirpathType = regexp.MustCompile(`^StructureDefinition\.snapshot\.element\[\d+\]\.type\[0\]\.code$`)

// What is in the package is judged with the package alone, as others will use it.
func TestPackageIsValid(t *testing.T) {
	text, files := build(t)
	p, err := packages.Read(bytes.NewReader(text), packages.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	set := packages.NewSet([]*packages.Package{p}, nil, packages.R4(), packages.Limits{})
	for _, i := range set.Findings() {
		if !strings.Contains(i.Text, "hl7.fhir.r4.core") { // is built in
			t.Error(i)
		}
	}
	v := thorough(set)
	profiles := 0
	for _, f := range files {
		if f.Resource == nil {
			continue
		}
		if f.Resource.ResourceType() == "StructureDefinition" {
			profiles++
			if f.Resource.Path("snapshot", "element") == nil {
				t.Errorf("%s has no snapshot", f.Name)
			}
		}
		complain(t, f.Resource, slices.DeleteFunc(v.Resource(f.Resource), func(i fhir.Issue) bool {
			return i.Severity == fhir.Warning && (
			// Ids are of types that FHIRPath has and FHIR does not: every snapshot says so.
			i.ID == "code-extensible" && fhirpathType.MatchString(i.Expression) ||
				// Which warnings about examples are right is for the tests of profiles to say.
				f.Example)
		}))
	}
	if profiles == 0 {
		t.Error("there are no profiles")
	}
}

func TestImplementationGuideListsEverything(t *testing.T) {
	_, files := build(t)
	var guide *fhir.Node
	want := map[string]bool{}
	for _, f := range files {
		switch {
		case f.Resource == nil:
		case f.Resource.ResourceType() == "ImplementationGuide":
			guide = f.Resource
		default:
			want[f.Resource.ResourceType()+"/"+f.Resource.ID()] = f.Example
		}
	}
	groups := map[string]int{}
	for _, g := range guide.Path("definition", "grouping").Items() {
		groups[g.ID()] = 0
		if !chinese(g.Get("_name")) {
			t.Errorf("the name of the group %s is not translated", g.ID())
		}
	}
	got := map[string]bool{}
	for _, r := range guide.Path("definition", "resource").Items() {
		got[r.Path("reference", "reference").Text()] = r.Get("exampleBoolean").Text() != "false"
		if _, ok := groups[r.Get("groupingId").Text()]; !ok {
			t.Errorf("%s is in no group", r.Path("reference", "reference").Text())
		}
		groups[r.Get("groupingId").Text()]++
		if profile := r.Get("exampleCanonical"); profile != nil {
			if _, ok := ig.Guide().Resolve("StructureDefinition", profile.Text()); !ok {
				t.Errorf("%s is an example of %s, which is not of the guide", r.Path("reference", "reference").Text(), profile.Text())
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for id, n := range groups {
		if n == 0 {
			t.Errorf("the group %s is empty", id)
		}
	}
}

// The package and the sources say the same: who validates with one or the other finds the same.
func TestPackageJudgesAsTheSources(t *testing.T) {
	text, _ := build(t)
	p, err := packages.Read(bytes.NewReader(text), packages.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	broken, err := fhir.Parse([]byte(`{"resourceType":"Patient","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101198002290"}]}`), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range ig.Guide().Resources() {
		if n.ResourceType() != "StructureDefinition" || n.Get("type").Text() != "Patient" {
			continue
		}
		url := n.Get("url").Text()
		var found [2][]fhir.Issue
		for i, source := range []validate.Source{ig.Guide(), packages.NewSet([]*packages.Package{p}, nil, packages.R4(), packages.Limits{})} {
			found[i] = validate.New(definitions.R4(), validate.Options{Thorough: true, Source: source}).Conforms(broken, url)
		}
		if diff := cmp.Diff(found[0], found[1]); diff != "" || !fhir.HasErrors(found[0]) {
			t.Errorf("%s: %v\n%s", url, found[0], diff)
		}
	}
}

func TestGuideThatContradictsItselfIsNotBuilt(t *testing.T) {
	const guide = `{"resourceType": "ImplementationGuide", "version": "1", "date": "2026-01-01", "packageId": "test.guide", "fhirVersion": ["4.0.1"]}`
	profile := func(path, more string) string {
		return `{"resourceType": "StructureDefinition", "id": "p", "url": "` + ig.Base + `/StructureDefinition/p", "name": "P", "status": "draft", "kind": "resource",
			"abstract": false, "type": "Patient", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
			"differential": {"element": [{"id": "Patient", "path": "Patient"}, {"id": "` + path + `", "path": "` + path + `"` + more + `}]}}`
	}
	const example = `{"resourceType": "Patient", "id": "one"}`
	for _, tt := range []struct {
		name    string
		profile string
		again   string
		want    string
	}{
		{"fits", profile("Patient.gender", `, "min": 1`), "", ""},
		{"constrains an element that does not exist", profile("Patient.colour", `, "min": 1`), "", "StructureDefinition-p.json"},
		{"raises a maximum", profile("Patient.gender", `, "max": "2"`), "", "StructureDefinition-p.json"},
		{"has two examples of one name", profile("Patient.gender", `, "min": 1`), example, "two package/example/Patient-one.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := fstest.MapFS{
				"source/ig.json":           {Data: []byte(guide)},
				"source/profiles/p.json":   {Data: []byte(tt.profile)},
				"source/examples/one.json": {Data: []byte(example)},
			}
			if tt.again != "" {
				folder["source/examples/two.json"] = &fstest.MapFile{Data: []byte(tt.again)}
			}
			var b bytes.Buffer
			_, err := ig.Build(&b, ig.Open(folder))
			switch {
			case tt.want == "" && (err != nil || b.Len() == 0):
				t.Errorf("%d bytes, %v", b.Len(), err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || b.Len() > 0):
				t.Errorf("%d bytes, error %v; want one about %s", b.Len(), err, tt.want)
			}
		})
	}
}
