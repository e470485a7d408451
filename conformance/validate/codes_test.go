package validate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/conformance/validate"
)

// TestValueSetsOfACatalog binds to a value set that is made by a property.
func TestValueSetsOfACatalog(t *testing.T) {
	source := shelve(t,
		constraint("https://a.example/p", "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"https://a.example/vs"}}`),
		`{"resourceType":"CodeSystem","url":"https://a.example/cs","status":"active","content":"complete","property":[{"code":"kind","type":"code"}],
			"concept":[{"code":"a","property":[{"code":"kind","valueCode":"x"}]},{"code":"b","property":[{"code":"kind","valueCode":"y"}]}]}`,
		`{"resourceType":"ValueSet","url":"https://a.example/vs","status":"active","compose":{"include":[{"system":"https://a.example/cs","filter":[{"property":"kind","op":"=","value":"x"}]}]}}`)
	unasked := terminology.New(definitions.R4(), terminology.Options{})
	for _, tt := range []struct {
		name, code string
		catalog    *terminology.Catalog
		want       []string
	}{
		{"takes a member", "a", nil, []string{"warning: code-extensible at Patient.maritalStatus"}},
		{"refuses another code", "b", nil, []string{"warning: code-extensible at Patient.maritalStatus", "error: concept-unknown at Patient.maritalStatus"}},
		{"asks the catalog that it is given", "b", unasked, []string{"warning: code-extensible at Patient.maritalStatus"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: source, Catalog: tt.catalog})
			got := all(v.Conforms(parse(t, patient(`,"maritalStatus":{"coding":[{"system":"https://a.example/cs","code":"`+tt.code+`"}]}`)), "https://a.example/p"))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
