package snapshot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

// definition reads a resource as JSON or XML. What R4 does not know is left out: the corpus has definitions of other
// versions among the inputs.
func definition(t *testing.T, path string) *fhir.Node {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var n *fhir.Node
	if filepath.Ext(path) == ".json" {
		n, err = fhir.Parse(text, fhir.Limits{})
	} else {
		n, _, err = fhirxml.Parse(text, fhirxml.Options{})
	}
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return n
}
