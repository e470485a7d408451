package packages_test

import (
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/internal/testenv"
)

// The published packages come from another system: with its own files beside those of the package, and without an index.
func TestPublishedPackagesResolveTheVersionTheyDependOn(t *testing.T) {
	folder := testenv.Corpus(t, "validator", "nested-package-version-dependencies")
	open := func(id string) *packages.Package {
		p, err := packages.ReadFile(filepath.Join(folder, id+".tgz"), packages.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const base = "http://hl7.org/fhir/test/"
	have := shelf{}
	for _, v := range []string{"0.1.0", "0.2.0"} {
		id := "hl7.fhir.test.versions#" + v
		have[id] = open(id)
	}
	for _, tt := range []struct{ version, system string }{
		{"0.1.0", "http://snomed.info/sct"},
		{"0.2.0", "http://loinc.org"},
	} {
		s := packages.NewSet([]*packages.Package{open("hl7.fhir.test.versions.other#" + tt.version)}, have, packages.R4(), packages.Limits{})
		if f := s.Findings(); len(f) > 0 {
			t.Errorf("findings %v", f)
		}
		if _, ok := s.Resolve("StructureDefinition", base+"StructureDefinition/package-version-test-profile-other"); !ok {
			t.Error("its own profile is not found")
		}
		n, _ := s.Resolve("ValueSet", base+"ValueSet/package-version-test-valueset")
		if got := n.Path("compose", "include", "system").Text(); got != tt.system {
			t.Errorf("%s has the value set of %q, want %q", tt.version, got, tt.system)
		}
	}
}
