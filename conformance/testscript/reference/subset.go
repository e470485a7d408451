package reference

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// subset copies what _summary and _elements leave of a resource.
func (s *Server) subset(kind string, n *fhir.Node, summary, elements string) *fhir.Node {
	if s.faults[ElementsIgnored] {
		elements = ""
	}
	if elements == "" && (summary == "" || summary == "false") {
		return n.Clone()
	}
	var chosen []string
	if elements != "" {
		chosen = strings.Split(elements, ",")
	}
	out := fhir.NewObject()
	for _, p := range n.All() {
		name := strings.TrimPrefix(p.Name(), "_")
		if name == "resourceType" || name == "id" || name == "meta" || kept(s.defs.Type(kind).Child(name), name, summary, chosen) {
			out.Set(p.Name(), p.Clone())
		}
	}
	if s.faults[SubsettedUntold] {
		return out
	}
	tags := fhir.NewArray()
	for _, t := range out.Path("meta", "tag").Items() {
		tags.Append(t.Clone())
	}
	tags.Append(fhir.NewObject().SetString("system", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue").
		SetString("code", "SUBSETTED"))
	out.Get("meta").Set("tag", tags)
	return out
}

func kept(p *definitions.Property, name, summary string, chosen []string) bool {
	switch {
	case p == nil:
		return false
	case p.Element.Min > 0:
		return true
	case chosen != nil:
		return slices.Contains(chosen, name) || slices.Contains(chosen, strings.TrimSuffix(p.Element.Name, "[x]"))
	case summary == "text":
		return name == "text"
	case summary == "data":
		return name != "text"
	}
	return p.Element.IsSummary
}
