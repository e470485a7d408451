package search

import "slices"

// Compartments are the types that have a compartment, sorted.
func (e *Engine) Compartments() []string {
	var out []string
	for _, t := range e.defs.ResourceTypes() {
		if e.defs.Compartment(t) != nil {
			out = append(out, t)
		}
	}
	return out
}

// CompartmentTypes are the resource types that may be in a compartment, sorted; nil
// if there is no such compartment.
func (e *Engine) CompartmentTypes(compartment string) []string {
	c := e.defs.Compartment(compartment)
	if c == nil {
		return nil
	}
	var out []string
	for _, t := range c.Types() {
		if _, ok := e.Compartment(compartment, "x", t); ok {
			out = append(out, t)
		}
	}
	return out
}

// Compartment is the condition under which a resource of a type is in the
// compartment of the resource with an id, such as that of a Patient. It is false
// if no resource of the type ever is.
func (e *Engine) Compartment(compartment, id, typ string) (Clause, bool) {
	c := e.defs.Compartment(compartment)
	t := e.parametersOf(typ)
	if c == nil || t == nil {
		return Clause{}, false
	}
	var each []Clause
	for _, code := range c.Parameters(typ) {
		if code == "{def}" {
			each = append(each, Clause{Param: "_id", Kind: KindToken, Any: []Operand{TokenMatch{Code: id}}})
			continue
		}
		p := t.byCode[code]
		if p == nil || p.kind != KindReference || p.urls || !refersTo(p, compartment) {
			continue
		}
		each = append(each, Clause{Param: code, Kind: KindReference, Any: []Operand{ReferenceMatch{Type: compartment, ID: id}}})
	}
	if typ == compartment && !slices.ContainsFunc(each, func(c Clause) bool { return c.Param == "_id" }) {
		each = append(each, Clause{Param: "_id", Kind: KindToken, Any: []Operand{TokenMatch{Code: id}}})
	}
	switch len(each) {
	case 0:
		return Clause{}, false
	case 1:
		return each[0], true
	}
	out := Clause{Kind: KindSpecial}
	for _, c := range each {
		out.Any = append(out.Any, AllMatch{Where: []Clause{c}})
	}
	return out, true
}
