package interaction

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// subset cuts the matches down to what _summary or _elements ask for, and marks
// them as subsets. Included resources of a summary are cut too.
func (e *Engine) subset(r *search.Request, found *Found) error {
	if r.Summary == search.SummaryCount {
		found.Matches, found.Included = nil, nil
		return nil
	}
	if r.Summary == search.SummaryFalse && len(r.Elements) == 0 {
		return nil
	}
	for _, list := range [][]store.Version{found.Matches, found.Included} {
		for i := range list {
			tree, err := parseStored(list[i].Body)
			if err != nil {
				return err
			}
			list[i].Body = cut(e.Definitions.Type(list[i].Type), tree, r.Summary, r.Elements).AppendJSON(nil)
		}
	}
	return nil
}

func cut(typ *definitions.Type, tree *fhir.Node, summary search.Summary, elements []string) *fhir.Node {
	keep := func(name string) bool {
		property := typ.Child(name)
		if property == nil {
			return name == "resourceType"
		}
		element := property.Element
		switch {
		case name == "id" || name == "meta" || element.Required():
			return true
		case len(elements) > 0:
			return slices.Contains(elements, name) || element.Choice() && slices.Contains(elements, element.Name[:len(element.Name)-3])
		case summary == search.SummaryText:
			return name == "text"
		case summary == search.SummaryData:
			return name != "text"
		default:
			return element.IsSummary
		}
	}
	out := fhir.NewObject()
	for _, k := range tree.All() {
		if keep(strings.TrimPrefix(k.Name(), "_")) {
			out.Set(k.Name(), k)
		}
	}
	return subsetted(out)
}

// subsetted marks a resource as one from which something was left out.
func subsetted(out *fhir.Node) *fhir.Node {
	meta := out.Get("meta")
	if meta == nil {
		meta = fhir.NewObject()
		out.Set("meta", meta)
	}
	tags := meta.Get("tag")
	if tags == nil {
		tags = fhir.NewArray()
		meta.Set("tag", tags)
	}
	tags.Append(fhir.NewObject().
		SetString("system", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue").
		SetString("code", "SUBSETTED"))
	return out
}
