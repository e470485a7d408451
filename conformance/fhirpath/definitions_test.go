package fhirpath_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Every expression of the specification's own compiles where it is used.
func TestDefinitionsCompile(t *testing.T) {
	defs := definitions.R4()
	invariants, parameters := 0, 0
	for _, name := range defs.TypeNames() {
		typ := defs.Type(name)
		for _, e := range append(typ.Elements(), typ.Root()) {
			for _, c := range e.Constraints {
				if c.Expression == "" {
					continue
				}
				invariants++
				if _, err := model().Compile(c.Expression, fhirpath.Options{Context: e.Path, Lenient: true}); err != nil {
					t.Errorf("%s of %s: %v\n%s", c.Key, e.Path, err, c.Expression)
				}
			}
		}
	}
	for _, url := range defs.URLs("SearchParameter") {
		p := defs.SearchParameterByURL(url)
		if p == nil || p.Expression == "" {
			continue
		}
		parameters++
		for _, base := range p.Base {
			if _, err := model().Compile(p.Expression, fhirpath.Options{Context: base, Lenient: true}); err != nil {
				t.Errorf("%s on %s: %v", url, base, err)
			}
		}
	}
	if invariants < 1000 || parameters < 1300 {
		t.Errorf("%d invariants, %d parameters", invariants, parameters)
	}
}
