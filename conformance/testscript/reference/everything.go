package reference

import (
	"net/http"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// everything answers with a Patient and all that is in its compartment.
func (s *Server) everything(id string) *answer {
	v := s.current("Patient", id)
	switch {
	case v == nil:
		return notFound()
	case v.node == nil:
		return outcome(http.StatusGone, fhir.TypeDeleted, "it has been deleted")
	}
	entries := fhir.NewArray()
	add := func(kind, id string, n *fhir.Node) {
		entries.Append(fhir.NewObject().SetString("fullUrl", s.base+"/"+kind+"/"+id).Set("resource", n.Clone()).
			Set("search", fhir.NewObject().SetString("mode", "match")))
	}
	add("Patient", id, v.node)
	compartment := s.defs.Compartment("Patient")
	for _, kind := range compartment.Types() {
		for _, other := range s.ids(kind) {
			v := s.current(kind, other)
			if v.node == nil || kind == "Patient" && other == id || s.faults[EverythingMisses] {
				continue
			}
			if s.faults[EverythingOthers] || s.within(compartment.Parameters(kind), kind, v.node, key{"Patient", id}) {
				add(kind, other, v.node)
			}
		}
	}
	b := fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", "searchset")
	b.Set("total", fhir.NewNumber(strconv.Itoa(entries.Len())))
	return &answer{status: http.StatusOK, node: b.Set("entry", entries)}
}

// within reports whether any of these parameters leads from a resource to a target.
func (s *Server) within(codes []string, kind string, n *fhir.Node, target key) bool {
	for _, code := range codes {
		param := s.parameter(kind, code)
		if param == nil || param.Type != "reference" {
			continue
		}
		for _, t := range s.targets(param, n) {
			if t == target {
				return true
			}
		}
	}
	return false
}
