package reference

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// maxChain is how many links a chain may have.
const maxChain = 4

// errUnknownParameter is the answer to a parameter that does not exist. Lenient handling leaves it out.
var errUnknownParameter = invalid("there is no search parameter of that name")

// predicate makes the test of one parameter: plain, chained ("subject:Patient.name") or reversed
// ("_has:Observation:patient:code").
func (s *Server) predicate(kind, name, value string, depth int) (func(id string, n *fhir.Node) bool, *answer) {
	if depth > maxChain {
		return nil, invalid("the chain is too long")
	}
	if rest, ok := strings.CutPrefix(name, "_has:"); ok {
		return s.has(kind, rest, value, depth)
	}
	if head, rest, ok := strings.Cut(name, "."); ok {
		return s.chain(kind, head, rest, value, depth)
	}
	code, modifier, _ := strings.Cut(name, ":")
	param := s.parameter(kind, code)
	if param == nil {
		return nil, errUnknownParameter
	}
	test, wrong := s.test(param, modifier, value)
	return func(_ string, n *fhir.Node) bool { return test(n) }, wrong
}

// has finds what others of a type refer to.
func (s *Server) has(kind, rest, value string, depth int) (func(id string, n *fhir.Node) bool, *answer) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) < 3 || !s.defs.IsResource(parts[0]) {
		return nil, invalid("_has needs a type, a reference and a parameter")
	}
	param := s.parameter(parts[0], parts[1])
	if param == nil || param.Type != "reference" {
		return nil, errUnknownParameter
	}
	test, wrong := s.predicate(parts[0], parts[2], value, depth+1)
	if wrong != nil {
		return nil, wrong
	}
	return func(id string, _ *fhir.Node) bool {
		if s.faults[HasIgnored] {
			return true
		}
		for other := range s.stored[parts[0]] {
			v := s.current(parts[0], other)
			if v.node != nil && test(other, v.node) {
				for _, t := range s.targets(param, v.node) {
					if t == (key{kind, id}) {
						return true
					}
				}
			}
		}
		return false
	}, nil
}

// chain finds what refers to something that a parameter of its own finds.
func (s *Server) chain(kind, head, rest, value string, depth int) (func(id string, n *fhir.Node) bool, *answer) {
	code, only, _ := strings.Cut(head, ":")
	param := s.parameter(kind, code)
	if param == nil || param.Type != "reference" {
		return nil, errUnknownParameter
	}
	tests := map[string]func(id string, n *fhir.Node) bool{}
	for _, target := range param.Targets {
		if only != "" && target != only {
			continue
		}
		test, wrong := s.predicate(target, rest, value, depth+1)
		switch {
		case wrong == errUnknownParameter: // of this type
		case wrong != nil:
			return nil, wrong
		default:
			tests[target] = test
		}
	}
	if len(tests) == 0 {
		return nil, errUnknownParameter
	}
	return func(_ string, n *fhir.Node) bool {
		if s.faults[ChainIgnored] {
			return true
		}
		for _, t := range s.targets(param, n) {
			if test, v := tests[t.kind], s.current(t.kind, t.id); test != nil && v != nil && v.node != nil && test(t.id, v.node) {
				return true
			}
		}
		return false
	}, nil
}

// key names a resource.
type key struct{ kind, id string }

// targets are the resources here that a parameter's references lead to.
func (s *Server) targets(param *definitions.SearchParameter, n *fhir.Node) []key {
	var out []key
	for _, v := range s.values(param, n) {
		ref := v.Node().Get("reference").Text()
		kind, id, ok := strings.Cut(strings.TrimPrefix(ref, s.base+"/"), "/")
		if ok && s.defs.IsResource(kind) && !strings.Contains(id, "/") {
			out = append(out, key{kind, id})
		}
	}
	return out
}
