package validate

import (
	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// bindingCheck tests codes against a required value set; nil where there is
// none, or where the specification does not enumerate any of it.
func (v *Validator) bindingCheck(p *definitions.Property) check {
	b := p.Element.Binding
	if b == nil || b.Strength != definitions.BindingRequired {
		return nil
	}
	set := v.defs.ValueSet(b.ValueSet)
	if set == nil {
		return nil
	}
	name := set.URL
	switch p.Type {
	case "code", "string", "uri", "id":
		if !set.Complete {
			return nil
		}
		return func(r *run, n *fhir.Node) {
			if set.HasCode(n.Text()) == definitions.NotMember {
				r.fail(n, msgCodeUnknown, name)
			}
		}
	case "Coding":
		return func(r *run, n *fhir.Node) {
			if !codingIn(set, n) {
				r.fail(n, msgCodingUnknown, name)
			}
		}
	case "CodeableConcept":
		return func(r *run, n *fhir.Node) {
			codings := n.Get("coding")
			if codings == nil {
				// An extension may say why there is no code.
				if n.Get("extension") == nil {
					r.fail(n, msgConceptUncoded, name)
				}
				return
			}
			for _, c := range codings.Items() {
				if codingIn(set, c) {
					return
				}
			}
			r.fail(n, msgConceptUnknown, name)
		}
	case "Quantity", "Age", "Distance", "Duration", "Count", "Money":
		return func(r *run, n *fhir.Node) {
			if code := n.Get("code"); code != nil && set.Has(n.Get("system").Text(), code.Text()) == definitions.NotMember {
				r.fail(code, msgUnitUnknown, name)
			}
		}
	}
	return nil
}

func codingIn(set *definitions.ValueSet, coding *fhir.Node) bool {
	return set.Has(coding.Get("system").Text(), coding.Get("code").Text()) != definitions.NotMember
}
