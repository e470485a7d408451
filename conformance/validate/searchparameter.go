package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// judgeSearchParameter tests a search parameter against the one that it derives
// from, and its expression against the types that it is for.
func (r *run) judgeSearchParameter(n *fhir.Node) {
	if from := r.v.defs.SearchParameterByURL(n.Get("derivedFrom").Text()); from != nil {
		for _, base := range n.Get("base").Items() {
			covered := false
			for _, b := range from.Base {
				covered = covered || r.v.defs.IsA(base.Text(), b)
			}
			if !covered {
				r.fail(n, msgSearchBase, identifier(base.Text()))
			}
		}
	}
	expression := n.Get("expression")
	if expression.Kind() != fhir.String || len(expression.Text()) > maxExpression {
		return
	}
	usable, last, why := false, "", error(nil)
	for _, base := range n.Get("base").Items() {
		if r.v.defs.KindOf(base.Text()) == 0 {
			return
		}
		// The expressions of several types are joined, each for its own.
		for part := range strings.SplitSeq(expression.Text(), "|") {
			_, err := r.v.model.Compile(part, fhirpath.Options{Context: base.Text(), Lenient: true, Strict: true})
			if err == nil {
				usable = true
			} else {
				last, why = base.Text(), err
			}
		}
	}
	if !usable && last != "" {
		r.reportBelow(expression, fhir.Error, msgSearchExpression, "expression", last, why)
	}
}

// judgeCapabilities tests that the search parameters of a server have the types
// that their definitions give them.
func (r *run) judgeCapabilities(n *fhir.Node) {
	for i, rest := range n.Get("rest").Items() {
		for j, res := range rest.Get("resource").Items() {
			for k, p := range res.Get("searchParam").Items() {
				known := r.v.defs.SearchParameterByURL(p.Get("definition").Text())
				if known == nil || known.Type == p.Get("type").Text() {
					continue
				}
				r.push("rest", i)
				r.push("resource", j)
				r.push("searchParam", k)
				r.fail(p, msgSearchType, known.URL, known.Type)
				r.path = r.path[:len(r.path)-3]
			}
		}
	}
}
