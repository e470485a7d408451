package interaction

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Subset is how much of each resource is wanted. The zero Subset is all of it.
//
// https://hl7.org/fhir/R4/search.html#summary
type Subset struct {
	Summary  search.Summary
	Elements []string
}

// The parameters that ask for a Subset.
const (
	summaryParam  = "_summary"
	elementsParam = "_elements"
)

// SubsetOf reads _summary and _elements among the parameters of a request for
// resources of the types; none means every type. Others are passed over.
//
// Faults: *Refused for values that are none, and for _summary=count.
func (e *Engine) SubsetOf(types []string, pairs []search.Pair) (Subset, error) {
	s, err := e.subsetOf(types, pairs)
	if err == nil && s.Summary == search.SummaryCount {
		return s, invalid("summary-count", "", "_summary=count is for searches")
	}
	return s, err
}

func (e *Engine) subsetOf(types []string, pairs []search.Pair) (s Subset, err error) {
	for _, p := range pairs {
		switch p.Name {
		case summaryParam:
			request, issues := e.Index.Parse("", []search.Pair{p}, search.ParseOptions{})
			if fhir.HasErrors(issues) {
				return s, &Refused{Fault: fault.New(fault.Invalid, "the parameters cannot be read"), Issues: issues}
			}
			s.Summary = request.Summary
		case elementsParam:
			for name := range strings.SplitSeq(p.Value, ",") {
				if !e.isElement(types, name) {
					return s, invalid("elements-unknown", "", "_elements names something that no resource asked for has")
				}
				s.Elements = append(s.Elements, name)
			}
		}
	}
	return s, nil
}

// isElement tells whether one of the types has an element of that name, which may be
// a path, and may begin with its type.
func (e *Engine) isElement(types []string, path string) bool {
	if len(types) == 0 {
		types = e.Definitions.ResourceTypes()
	}
	return slices.ContainsFunc(types, func(name string) bool {
		head, _, _ := strings.Cut(strings.TrimPrefix(path, name+"."), ".")
		t := e.Definitions.Type(name)
		return t != nil && head != "" && (t.Element(head) != nil || t.Child(head) != nil)
	})
}

// Cut returns versions with no more than is asked for. The list is changed.
func (e *Engine) Cut(list []store.Version, s Subset) error {
	if s.Summary == search.SummaryFalse && len(s.Elements) == 0 {
		return nil
	}
	for i := range list {
		if list[i].Body == nil {
			continue
		}
		tree, err := parseStored(list[i].Body)
		if err != nil {
			return err
		}
		list[i].Body = cut(e.Definitions.Type(list[i].Type), tree, s).AppendJSON(nil)
	}
	return nil
}

// cut leaves out what is not asked for, and marks what remains as a subset.
func cut(typ *definitions.Type, tree *fhir.Node, s Subset) *fhir.Node {
	wanted := map[string]bool{}
	for _, path := range s.Elements {
		head, _, _ := strings.Cut(strings.TrimPrefix(path, typ.Name+"."), ".")
		wanted[head] = true
	}
	keep := func(property *definitions.Property) bool {
		element := property.Element
		switch {
		case property.Name == "id" || property.Name == "meta" || element.Required():
			return true
		case len(wanted) > 0:
			return element.IsModifier || wanted[property.Name] || element.Choice() && wanted[element.Name[:len(element.Name)-3]]
		case s.Summary == search.SummaryText:
			return property.Name == "text"
		case s.Summary == search.SummaryData:
			return property.Name != "text"
		default:
			return element.IsSummary
		}
	}
	out := fhir.NewObject()
	for _, k := range tree.All() {
		if k.Name() == "resourceType" {
			out.Set(k.Name(), k)
			continue
		}
		property := typ.Child(strings.TrimPrefix(k.Name(), "_"))
		if property == nil || !keep(property) {
			continue
		}
		name := k.Name()
		if len(wanted) == 0 && s.Summary == search.SummaryTrue {
			k = summary(property, k)
		}
		out.Set(name, k)
	}
	return subsetted(out)
}

// summary leaves out of a backbone element what is not part of summaries. The contents
// of data types are taken whole.
func summary(property *definitions.Property, n *fhir.Node) *fhir.Node {
	if !property.Element.Backbone() && property.Element.ContentReference == "" {
		return n
	}
	switch n.Kind() {
	case fhir.Array:
		out := fhir.NewArray()
		for _, item := range n.Items() {
			out.Append(summary(property, item))
		}
		return out
	case fhir.Object:
		out := fhir.NewObject()
		for _, k := range n.All() {
			name := k.Name()
			child := property.Child(strings.TrimPrefix(name, "_"))
			if child != nil && (name == "id" || child.Element.IsSummary || child.Element.Required()) {
				out.Set(name, summary(child, k))
			}
		}
		return out
	}
	return n
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
