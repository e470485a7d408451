package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// maxLabels bounds the profiles, tags and labels that $meta looks for, each by type.
const maxLabels = 1000

var errLabels = fault.Newf(fault.TooCostly, "there are more than %d profiles, tags and labels: ask by type, or search by _profile, _tag and _security", maxLabels)

// absentURL says why an element has no content.
const absentURL = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// labels answers $meta of a type, or of all for "": the profiles, tags and security
// labels that resources carry which the viewer may see. The store tells which there may
// be, and a search for one resource tells of each whether it is in use.
func (e *Engine) labels(ctx context.Context, v Viewer, typ string) (Result, error) {
	list, err := e.Store.Labels(ctx, typ, maxLabels+1)
	if err != nil {
		return Result{}, err
	}
	if len(list) > maxLabels {
		return Result{}, errLabels
	}
	if typ == "" || typ == "Patient" { // persons are kept without a resource of their own
		list = append(list, store.Label{Type: "Patient", Param: "_tag", System: e.InstitutionSystem(), Code: Alliance})
	}
	allowed := v.allowed()
	found := map[string]*fhir.Node{"_profile": fhir.NewArray(), "_security": fhir.NewArray(), "_tag": fhir.NewArray()}
	seen := map[store.Label]bool{}
	for _, l := range list {
		in := found[l.Param]
		one := store.Label{Param: l.Param, System: l.System, Code: l.Code}
		if in == nil || seen[one] || !e.mayCarry(allowed, l) {
			continue
		}
		page, err := e.matches(ctx, v, &search.Query{Type: l.Type, Where: []search.Clause{labelled(l)}, Allowed: allowed, Count: 1}, true)
		if err != nil {
			return Result{}, err
		}
		if len(page.Rows) == 0 {
			continue
		}
		seen[one] = true
		if l.Param == "_profile" {
			in.Append(fhir.NewString(l.Code))
			continue
		}
		coding := fhir.NewObject()
		if l.System != "" {
			coding.SetString("system", l.System)
		}
		if l.Code != "" {
			coding.SetString("code", l.Code)
		}
		in.Append(coding)
	}
	meta := fhir.NewObject()
	for _, l := range metaLists {
		if in := found["_"+l.name]; in.Len() > 0 {
			meta.Set(l.name, in)
		}
	}
	if len(seen) == 0 { // nothing is in use, and no element may be empty
		meta.Set("extension", fhir.NewArray(fhir.NewObject().SetString("url", absentURL).SetString("valueCode", "not-applicable")))
	}
	return returned(meta), nil
}

// mayCarry is false for the tags of owners whose resources the viewer does not see:
// looking for one among all of theirs would be for nothing.
func (e *Engine) mayCarry(a search.Allowed, l store.Label) bool {
	return a.All || l.Param != "_tag" || l.System != e.InstitutionSystem() || slices.Contains(a.Owners, l.Code) || a.Shared && l.Code == Alliance
}

// labelled asks for the resources that carry a label.
func labelled(l store.Label) search.Clause {
	if l.Param == "_profile" {
		return search.Clause{Param: l.Param, Kind: search.KindURI, Any: []search.Operand{search.URIMatch{Value: l.Code}}}
	}
	return search.Clause{Param: l.Param, Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{System: &l.System, Code: l.Code}}}
}
