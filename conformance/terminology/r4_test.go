package terminology_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// Every code system of the specification is read whole: each code is found with its display, and lies below its parents.
func TestReadR4(t *testing.T) {
	c := catalog(t)
	defs := definitions.R4()
	systems, codes := 0, 0
	for _, url := range defs.URLs("CodeSystem") {
		known := defs.CodeSystem(url)
		s, err := c.CodeSystem(url)
		if refused(t, err) == "code-system-unknown" && url == "http://hl7.org/fhir/CodeSystem/example-supplement" {
			continue // names of another one's codes
		}
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		systems++
		about := s.Describe()
		if about.Count != len(known.Concepts()) || about.CaseSensitive != known.CaseSensitive || (about.Content == terminology.Complete) != known.Complete {
			t.Errorf("%s: %+v, the definitions know %d codes", url, about, len(known.Concepts()))
		}
		for _, k := range known.Concepts() {
			codes++
			d, ok, err := s.Details(t.Context(), k.Code)
			if err != nil || !ok || d.Code != k.Code || d.Display != k.Display || d.Abstract != k.Abstract {
				t.Errorf("%s: %+v, want %+v", url, d.Concept, k)
			}
			for _, p := range d.Parents {
				if !known.Subsumes(p, k.Code) {
					t.Errorf("%s: a code has a parent that the definitions do not know", url)
				}
			}
		}
	}
	t.Logf("%d code systems, %d codes", systems, codes)
	if systems < 1000 {
		t.Errorf("%d code systems", systems)
	}
}

// Every line of every concept map of the specification is found by translating, there and back.
func TestTranslateR4(t *testing.T) {
	c := catalog(t)
	defs := definitions.R4()
	lines := 0
	for _, url := range defs.URLs("ConceptMap") {
		n, err := fhir.Parse(defs.Source("ConceptMap", url), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.ConceptMap(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		for _, g := range n.Get("group").Items() {
			for _, e := range g.Get("element").Items() {
				for _, target := range e.Get("target").Items() {
					if target.Get("dependsOn") != nil || target.Get("code") == nil || e.Get("code") == nil {
						continue
					}
					lines++
					there := terminology.Coding{System: g.Get("source").Text(), Code: e.Get("code").Text()}
					back := terminology.Coding{System: g.Get("target").Text(), Code: target.Get("code").Text()}
					if !leads(t, c, terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{there}}, back) ||
						!leads(t, c, terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{back}, Reverse: true}, there) {
						t.Errorf("%s does not lead from %s to %s and back", url, there.Code, back.Code)
					}
				}
			}
		}
	}
	t.Logf("%d lines of %d concept maps", lines, len(defs.URLs("ConceptMap")))
	if lines < 500 {
		t.Errorf("%d lines", lines)
	}
}

func leads(t *testing.T, c *terminology.Catalog, q terminology.TranslateRequest, to terminology.Coding) bool {
	t.Helper()
	out, err := c.Translate(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range out.Matches {
		if m.Coding.System == to.System && m.Coding.Code == to.Code {
			return true
		}
	}
	return false
}
