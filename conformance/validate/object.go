package validate

import (
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// resource walks a resource that stands on its own: the root, or one in a
// Bundle or Parameters. References to fragments stay within it.
func (r *run) resource(n *fhir.Node) {
	if n.Kind() != fhir.Object {
		r.fail(n, msgResourceNotObject, "")
		return
	}
	name := n.Get("resourceType")
	if name.Kind() != fhir.String || name.Text() == "" {
		r.fail(at(name, n), msgResourceTypeMissing, "")
		return
	}
	if !r.v.defs.IsResource(name.Text()) {
		r.fail(name, msgResourceTypeUnknown, "")
		return
	}
	if r.root == "" {
		r.root = name.Text()
	}
	outer := r.scope
	r.scope = r.open(n)
	p := r.v.plan(name.Text())
	if r.thorough {
		if r.top == nil {
			r.top = n
		}
		r.enter(n, name.Text())
		r.object(p, n)
		r.judge(p.invariants, r.v.model.Resource(n), n)
		r.leave(n, name.Text())
	} else {
		r.object(p, n)
	}
	r.close(r.scope)
	r.scope = outer
}

// object walks an object along its plan.
func (r *run) object(p *plan, n *fhir.Node) {
	if len(r.path) > r.v.options.MaxDepth {
		r.fail(n, msgTooDeep, strconv.Itoa(r.v.options.MaxDepth))
		return
	}
	size := n.Len()
	beside := false // some property is the object beside a primitive
	for i := range size {
		if name := n.At(i).Name(); len(name) > 0 && name[0] == '_' {
			beside = true
			break
		}
	}
	var seen slotSet
	content := 0
	for i := range size {
		if r.full {
			return
		}
		value := n.At(i)
		name := value.Name()
		if name == "resourceType" && p.resource {
			continue
		}
		content++
		var extra *fhir.Node
		f := p.fields.get(name)
		switch {
		case f != nil && beside && f.primitive != nil:
			extra = sibling(n, name)
		case f == nil && len(name) > 0 && name[0] == '_':
			f = p.fields.get(name[1:])
			if f == nil || f.primitive == nil {
				f = nil
				break
			}
			if n.Get(name[1:]) != nil {
				continue // walked with its value
			}
			value, extra = nil, value
		}
		if f == nil {
			r.reportBelow(value, fhir.Error, msgElementUnknown, identifier(name), p.path)
			continue
		}
		if seen.has(f.slot) && p.slots[f.slot].choice {
			r.reportBelow(at(value, extra), fhir.Error, msgChoiceMultiple, f.name, f.element.Path)
		}
		seen.add(f.slot)
		r.field(f, value, extra)
	}
	if content == 0 && !p.resource {
		r.fail(n, msgObjectEmpty, p.path)
		return
	}
	for w := range p.required {
		if missing := p.required[w] &^ seen[w]; missing != 0 {
			r.missing(p, n, missing, w<<6)
		}
	}
	for _, c := range p.checks {
		c(r, n)
	}
	for _, c := range p.advice {
		c(r, n)
	}
}

func (r *run) missing(p *plan, n *fhir.Node, set uint64, base int) {
	for i := range 64 {
		if set&(1<<i) != 0 {
			r.fail(n, msgElementMissing, p.slots[base+i].path)
		}
	}
}

// sibling finds the object beside the primitive of that name.
func sibling(n *fhir.Node, name string) *fhir.Node {
	for i := range n.Len() {
		k := n.At(i)
		if s := k.Name(); len(s) == len(name)+1 && s[0] == '_' && s[1:] == name {
			return k
		}
	}
	return nil
}

// maxIdentifier bounds an unknown name that is repeated in a location.
const maxIdentifier = 64

// identifier is name if it looks like a property name and not like data.
func identifier(name string) string {
	if len(name) > maxIdentifier {
		return ""
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return ""
		}
	}
	return name
}

// field walks the values of one property, and the objects beside them.
func (r *run) field(f *field, value, extra *fhir.Node) {
	if f.element.Max == 0 {
		r.reportBelow(at(value, extra), fhir.Error, msgElementProhibited, f.name, f.element.Path)
		return
	}
	if !f.repeats {
		r.push(f.name, none)
		switch {
		case value.Kind() == fhir.Array || extra.Kind() == fhir.Array:
			r.fail(at(value, extra), msgArrayUnexpected, f.element.Path)
		default:
			r.value(f, value, extra)
		}
		r.pop()
		return
	}
	values, ok := r.items(f, value)
	extras, fine := r.items(f, extra)
	if !ok || !fine {
		return
	}
	if value != nil && extra != nil && len(values) != len(extras) {
		r.reportBelow(extra, fhir.Error, msgArrayMisaligned, f.name, f.element.Path)
	}
	count := max(len(values), len(extras))
	if f.element.Max > 0 && count > f.element.Max {
		r.reportBelow(at(value, extra), fhir.Error, msgElementTooMany, f.name, f.element.Path)
	}
	for i := range count {
		if r.full {
			return
		}
		var v, x *fhir.Node
		if i < len(values) {
			v = values[i]
		}
		if i < len(extras) {
			x = extras[i]
		}
		r.push(f.name, i)
		if v.Kind() == fhir.Null && x.Kind() != fhir.Null {
			v = nil // only keeps the place
		}
		if x.Kind() == fhir.Null && v.Kind() != fhir.Null {
			x = nil
		}
		r.value(f, v, x)
		r.pop()
	}
}

// items are the items of a repeating property. What should have been an array
// and is not has been reported, and nothing below it is walked.
func (r *run) items(f *field, n *fhir.Node) ([]*fhir.Node, bool) {
	if n == nil {
		return nil, true
	}
	if n.Kind() != fhir.Array {
		r.reportBelow(n, fhir.Error, msgArrayExpected, f.name, f.element.Path)
		return nil, false
	}
	if n.Len() == 0 {
		r.reportBelow(n, fhir.Error, msgArrayEmpty, f.name, f.element.Path)
	}
	return n.Items(), true
}

// value walks one value and the object beside it.
func (r *run) value(f *field, value, extra *fhir.Node) {
	before := len(r.issues)
	switch {
	case value != nil && value.Kind() == fhir.Null, value == nil && extra.Kind() == fhir.Null:
		r.fail(at(value, extra), msgNullUnexpected, "")
		return
	case f.primitive != nil:
		if value != nil {
			r.primitive(f.primitive, value)
		}
		if extra != nil {
			if extra.Kind() == fhir.Object {
				r.object(f.plan(r.v), extra)
			} else {
				r.fail(extra, msgObjectExpected, f.element.Path)
			}
		}
	case value.Kind() != fhir.Object:
		r.fail(value, msgObjectExpected, f.element.Path)
	case f.resource && f.name == "contained":
		r.contained(value)
	case f.resource:
		r.resource(value)
	default:
		r.object(f.plan(r.v), value)
	}
	if value != nil && len(r.issues) == before { // one finding about a value is enough
		for _, c := range f.checks {
			c(r, value)
		}
	}
	if r.thorough {
		r.advise(f, fhir.Element{Value: value, Extra: extra})
	}
}
