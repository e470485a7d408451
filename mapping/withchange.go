package mapping

import (
	"slices"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
)

// anyValue is, in with-change:, every value of the element.
const anyValue = "*"

// withChange compiles with-change: of one rule of an element and returns the rule without it.
func (c *compiler) withChange(n *syntax.Node, t *target, e *element) *syntax.Node {
	v := n.Get("with-change")
	key := n.Key("with-change")
	words := c.words(v)
	switch {
	case c.m.fields[c.field].Parent >= 0:
		c.errorf(key.Position, "with-change is for elements of the resource itself")
	case words == nil:
	case t.open != nil || c.defs.KindOf(t.typ) != definitions.Primitive && !(len(words) == 1 && words[anyValue]):
		c.errorf(key.Position, "%s has no single value to compare; want with-change: \"*\", whatever it is", t.path)
	default:
		for w := range words {
			e.withChange = append(e.withChange, w)
		}
	}
	return n.With(key, nil)
}

// quiet reports whether what the element made is written only when something else of the resource changes.
func (e *element) quiet(made *fhir.Node) bool {
	return e.withChange != nil && made != nil &&
		(slices.Contains(e.withChange, anyValue) || made.Kind() != fhir.Array && slices.Contains(e.withChange, made.Text()))
}

// unless returns what is to be stored: out, or the stored resource's own values of quiet elements if nothing else changes.
func (res *Resource) unless(out, stored *fhir.Node) *fhir.Node {
	if len(res.quiet) == 0 {
		return out
	}
	held := out.Clone()
	for _, name := range res.quiet {
		if v := stored.Get(name); v != nil {
			held.Set(name, v.Clone())
		}
	}
	if alike(held, stored) {
		return held
	}
	return out
}

// alike reports whether two trees say the same. The literal reference that a gateway found for an identifier does not count:
// what is mapped does not have it yet.
func alike(a, b *fhir.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind() != b.Kind() || a.Text() != b.Text() {
		return false
	}
	switch a.Kind() {
	case fhir.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.At(i), b.At(i)) {
				return false
			}
		}
	case fhir.Object:
		found := a.Get("identifier").Kind() == fhir.Object && b.Get("identifier").Kind() == fhir.Object
		for _, k := range a.All() {
			if !(found && k.Name() == "reference") && !alike(k, b.Get(k.Name())) {
				return false
			}
		}
		for _, k := range b.All() {
			if !(found && k.Name() == "reference") && a.Get(k.Name()) == nil {
				return false
			}
		}
	default:
	}
	return true
}
