package validate

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// judgeDefinition tests that a profile's differential can be applied.
func (r *run) judgeDefinition(n *fhir.Node) {
	if n.Get("derivation").Text() != "constraint" || n.Path("differential", "element") == nil {
		return
	}
	_, issues := r.v.generator().Generate(n)
	for _, i := range issues {
		switch {
		case i.Severity != fhir.Error || i.Code == fhir.TypeNotFound:
		case i.ID == "cycle":
			r.report(n, fhir.Warning, msgSnapshot, i.Text)
		default:
			r.fail(n, msgSnapshot, i.Text)
		}
	}
}
