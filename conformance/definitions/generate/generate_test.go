package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// available is the package if it is on this machine; nothing is fetched.
func available(t *testing.T) string {
	t.Helper()
	if p := os.Getenv(packageEnv); p != "" {
		return p
	}
	if p, err := cached(); err == nil {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skip("needs the FHIR package: run go generate, or set " + packageEnv)
	return ""
}

func TestEmbeddedFileIsWhatThePackageGives(t *testing.T) {
	got, err := build(available(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../r4.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("r4.bin differs from what the package gives: run go generate ./conformance/definitions")
	}
}

func TestOtherPackageIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), packageFile)
	if err := os.WriteFile(file, []byte("not the package"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPackage(file); err == nil || !strings.Contains(err.Error(), "integrity") {
		t.Errorf("error is %v", err)
	}
	if _, err := readPackage(file + "x"); err == nil {
		t.Error("a missing file is read")
	}
}

// animals is a small code system with two hierarchies: cat and dog nest under
// pet; dog is also a child of worker by property.
func animals(content string) *codeSystem {
	c := &codeSystem{URL: "urn:animals", Content: content, Concept: []concept{
		{Code: "pet", Property: []property{{Code: "notSelectable", ValueBoolean: true}}, Concept: []concept{
			{Code: "cat", Display: "Cat", Concept: []concept{{Code: "kitten"}}},
			{Code: "dog", Display: "Dog", Property: []property{{Code: "status", ValueCode: "retired"}}},
		}},
		{Code: "worker", Property: []property{{Code: "child", ValueCode: "dog"}}},
		{Code: "ox", Property: []property{{Code: "size", ValueString: "big"}}},
	}}
	c.flatten()
	return c
}

func TestExpand(t *testing.T) {
	filter := func(property, op, value string) include {
		in := include{System: "urn:animals"}
		in.Filter = append(in.Filter, struct{ Property, Op, Value string }{property, op, value})
		return in
	}
	list := func(codes ...string) include {
		in := include{System: "urn:animals"}
		for _, c := range codes {
			in.Concept = append(in.Concept, concept{Code: c})
		}
		return in
	}
	all := include{System: "urn:animals"}
	sets := func(urls ...string) include { return include{ValueSet: urls} }
	tests := []struct {
		name    string
		content string
		include []include
		exclude []include
		codes   string
		open    []string
	}{
		{"whole system", "complete", []include{all}, nil, "pet cat kitten dog worker ox", nil},
		{"whole system with examples only", "example", []include{all}, nil, "pet cat kitten dog worker ox", []string{"urn:animals"}},
		{"system without content", "not-present", []include{all}, nil, "", []string{"urn:animals"}},
		{"unknown system", "complete", []include{{System: "urn:plants"}}, nil, "", []string{"urn:plants"}},
		{"filter on an unknown system", "complete", []include{{System: "urn:plants", Filter: filter("concept", "is-a", "x").Filter}}, nil, "", []string{"urn:plants"}},
		{"list in an unknown system", "complete", []include{{System: "urn:plants", Concept: []concept{{Code: "rose"}}}}, nil, "rose", nil},
		{"is-a takes nesting and child properties", "complete", []include{filter("concept", "is-a", "worker")}, nil, "dog worker", nil},
		{"is-a takes all levels", "complete", []include{filter("concept", "is-a", "pet")}, nil, "pet cat kitten dog", nil},
		{"descendent-of leaves out the top", "complete", []include{filter("concept", "descendent-of", "pet")}, nil, "cat kitten dog", nil},
		{"is-not-a takes the others", "complete", []include{filter("concept", "is-not-a", "pet")}, nil, "worker ox", nil},
		{"is-a of an unknown code is empty", "complete", []include{filter("concept", "is-a", "x")}, nil, "", nil},
		{"regex holds for the whole code", "complete", []include{filter("code", "regex", "[a-z]{3}")}, nil, "pet cat dog", nil},
		{"equal compares a property", "complete", []include{filter("size", "=", "big")}, nil, "ox", nil},
		{"a list keeps its order", "complete", []include{list("ox", "cat")}, nil, "ox cat", nil},
		{"a code taken twice is there once", "complete", []include{list("ox", "cat"), list("cat", "dog")}, nil, "ox cat dog", nil},
		{"exclude removes codes", "complete", []include{all}, []include{list("ox"), filter("concept", "is-a", "pet")}, "worker", nil},
		{"other value sets", "complete", []include{sets("urn:pets"), list("ox")}, nil, "cat dog ox", nil},
		{"several value sets in one include intersect", "complete", []include{sets("urn:pets", "urn:workers|1.0")}, nil, "dog", nil},
		{"unknown value set", "complete", []include{sets("urn:nothing")}, nil, "", []string{""}},
		{"value set of itself", "complete", []include{sets("urn:test"), list("ox")}, nil, "ox", []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			terms := terminology{
				systems: map[string]*codeSystem{"urn:animals": animals(tt.content)},
				valueSets: map[string]*valueSet{
					"urn:pets":    {URL: "urn:pets"},
					"urn:workers": {URL: "urn:workers"},
					"urn:test":    {URL: "urn:test"},
				},
			}
			terms.valueSets["urn:pets"].Compose.Include = []include{list("cat", "dog")}
			terms.valueSets["urn:workers"].Compose.Include = []include{list("dog", "ox")}
			v := terms.valueSets["urn:test"]
			v.Compose.Include, v.Compose.Exclude = tt.include, tt.exclude
			e := terms.expand(v.URL, nil)
			var codes []string
			for _, p := range terms.unique(e.parts) {
				codes = append(codes, p.list(&terms).codes...)
			}
			if got := strings.Join(codes, " "); got != tt.codes {
				t.Errorf("codes are %s, want %s", got, tt.codes)
			}
			if diff := cmp.Diff(tt.open, e.open); diff != "" {
				t.Errorf("open systems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConceptFlags(t *testing.T) {
	c := animals("complete")
	for code, want := range map[string][2]bool{"pet": {true, false}, "dog": {false, true}, "cat": {false, false}} {
		if f := c.flat[c.byCode[code]]; f.abstract != want[0] || f.inactive != want[1] {
			t.Errorf("%s: abstract %v, inactive %v", code, f.abstract, f.inactive)
		}
	}
}

func TestSlimLeavesOutWhatNobodyReads(t *testing.T) {
	got, err := slim([]byte(`{"resourceType":"CodeSystem","text":{"div":"x"},"contact":[],"url":"u",
		"concept":[{"code":"a","designation":[{"value":"b"}],"concept":[{"code":"c","extension":[{"url":"d"}],"definition":"e"}]}]}`), "CodeSystem")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"concept":[{"code":"a","concept":[{"code":"c","definition":"e"}]}],"resourceType":"CodeSystem","url":"u"}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}
