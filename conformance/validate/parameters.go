package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Parameters judges a Parameters resource as what goes into an operation (use
// "in") or comes out of it ("out"), by the operation's definition besides all
// else. The definition is one of the specification or of the Source; nothing is
// said of one that is not known but that.
func (v *Validator) Parameters(n *fhir.Node, operation, use string) []fhir.Issue {
	r := run{v: v, thorough: v.options.Thorough, asked: v.options.Profiles}
	r.path = r.pathStore[:0]
	r.resource(n)
	if n.ResourceType() != "Parameters" || r.full {
		return r.issues
	}
	definition := v.definition("OperationDefinition", operation)
	if definition == nil {
		r.fail(n, msgProfileUnknown, operation)
		return distinct(r.issues)
	}
	var wanted []*fhir.Node
	for _, p := range definition.Get("parameter").Items() {
		if p.Get("use").Text() == use {
			wanted = append(wanted, p)
		}
	}
	r.parameters(n, "parameter", wanted, 0)
	return distinct(r.issues)
}

// parameters tests the parameters, or parts of one, that n holds under a name.
func (r *run) parameters(n *fhir.Node, under string, wanted []*fhir.Node, depth int) {
	counts := make(map[string]int, len(wanted))
	for i, p := range n.Get(under).Items() {
		name := p.Get("name").Text()
		r.push(under, i)
		var known *fhir.Node
		for _, w := range wanted {
			if w.Get("name").Text() == name {
				known = w
			}
		}
		if known == nil {
			r.fail(p, msgParameterUnknown)
		} else {
			counts[name]++
			r.parameter(p, known, depth)
		}
		r.pop()
	}
	for _, w := range wanted {
		name := w.Get("name").Text()
		if counts[name] < number(w.Get("min"), 0) {
			r.fail(n, msgParameterMissing, name)
		}
		if most := number(w.Get("max"), definitions.Unbounded); most >= 0 && counts[name] > most {
			r.fail(n, msgParameterTooMany, name)
		}
	}
}

func (r *run) parameter(p, wanted *fhir.Node, depth int) {
	name, typ := wanted.Get("name").Text(), wanted.Get("type").Text()
	if parts := wanted.Get("part"); parts != nil {
		if depth < DefaultMaxDepth {
			r.parameters(p, "part", parts.Items(), depth+1)
		}
		return
	}
	value, resource := extensionValue(p), p.Get("resource")
	switch {
	case typ == "" || typ == "Any" || typ == "Type" || typ == "Element":
	case resource != nil:
		if got := resource.ResourceType(); got != typ && !r.v.defs.IsA(got, typ) {
			r.fail(p, msgParameterType, name, typ)
		}
	case value != "":
		if got := typeOfValue(value); got != typ && !r.v.defs.IsA(got, typ) && !searchType(wanted, got) {
			r.fail(p, msgParameterType, name, typ)
		}
	}
}

// searchType reports whether a parameter that is a search parameter is given as
// the text of one.
func searchType(wanted *fhir.Node, got string) bool {
	return wanted.Get("searchType") != nil && strings.EqualFold(got, "string")
}
