package codes_test

import (
	"bytes"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/mapping/codes"
)

// TestResourcesAreValid holds what every built-in table is shown as to base R4.
func TestResourcesAreValid(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{})
	check := func(what string, data []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		node, err := fhir.Parse(data, fhir.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, issue := range v.Resource(node) {
			t.Errorf("%s: %v", what, issue)
		}
	}
	data, err := codes.OrdinalCodeSystem()
	planted, _ := fhir.Parse(bytes.Replace(data, []byte(`"active"`), []byte(`"gone"`), 1), fhir.Limits{})
	if len(v.Resource(planted)) == 0 {
		t.Fatal("the validator passes a status that does not exist")
	}
	check("ordinals", data, err)
	for _, name := range codes.BuiltinNames() {
		table, _ := codes.Builtin(name)
		id := codes.Identity{ID: name, URL: "https://yilian.dev/fhir/ConceptMap/" + name, Publisher: "Yilian"}
		data, err := table.ConceptMap(id)
		check("ConceptMap "+name, data, err)
		data, err = table.CodeSystem(id)
		check("CodeSystem "+name, data, err)
	}
}
