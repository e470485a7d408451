package patch

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// place is where an element stands in the tree: a property of an object, or one
// item of it; for a primitive with what is beside it.
type place struct {
	fhir.Element
	parent   *fhir.Node            // the object with the property; nil for the resource itself
	name     string                // of the property, without the underscore
	index    int                   // in the array; -1 if the element cannot repeat
	property *definitions.Property // nil for what R4 does not have
	above    *place                // the element that parent belongs to
}

// locate finds an element by its nodes.
func (p *pathPatch) locate(e fhir.Element) (*place, error) {
	here := &place{Element: fhir.Element{Value: p.root}, index: -1}
	if e.Value == p.root {
		return here, nil
	}
	s := search{target: e}
	found := s.in(p.root)
	if err := p.spend(s.seen); err != nil {
		return nil, err
	}
	if !found {
		return nil, fail(msgTarget, "an element of the resource")
	}
	// The trail leads from the root to the target, through objects and arrays.
	n := p.root
	for i := len(s.trail) - 1; i >= 0; i-- {
		parent := n
		n = parent.At(s.trail[i])
		next := &place{parent: parent, name: strings.TrimPrefix(n.Name(), "_"), index: -1, above: here}
		next.Value, next.Extra = parent.Get(next.name), parent.Get("_"+next.name)
		if n.Kind() == fhir.Array {
			if i--; i < 0 {
				return nil, fail(msgTarget, "an element of the resource")
			}
			next.index = s.trail[i]
			n = n.At(next.index)
			next.Value, next.Extra = next.Value.At(next.index), next.Extra.At(next.index)
		}
		next.Value, next.Extra = solid(next.Value), solid(next.Extra)
		next.property = here.child(next.name)
		if n.Kind() == fhir.Array {
			return nil, fail(msgTarget, "an element of the resource") // an array in an array is none
		}
		here = next
	}
	return here, nil
}

// search looks for a node in a tree.
type search struct {
	target fhir.Element
	trail  []int // places of children, from the target up
	seen   int
}

func (s *search) in(n *fhir.Node) bool {
	for i, k := range n.All() {
		s.seen++
		if k == s.target.Value || k == s.target.Extra || k.Len() > 0 && s.in(k) {
			s.trail = append(s.trail, i)
			return true
		}
	}
	return false
}

func solid(n *fhir.Node) *fhir.Node {
	if n.Kind() == fhir.Null {
		return nil
	}
	return n
}

func (p *place) primitive() bool {
	return p.property != nil && definitions.R4().KindOf(p.property.Type) == definitions.Primitive
}

// child is the property of that name that may stand below the element.
func (p *place) child(name string) *definitions.Property {
	if t := p.resource(); t != nil {
		return t.Child(name)
	}
	switch {
	case p.property == nil:
		return nil
	case p.primitive():
		return definitions.R4().Type("Element").Child(name)
	}
	return p.property.Child(name)
}

// resource is the type of the resource that the element is, nil if it is none.
func (p *place) resource() *definitions.Type {
	if p.parent != nil && (p.property == nil || definitions.R4().KindOf(p.property.Type) != definitions.Resource) {
		return nil
	}
	if name := p.Value.ResourceType(); definitions.R4().IsResource(name) {
		return definitions.R4().Type(name)
	}
	return nil
}

// owner is the element that defines what stands below, nil if none does.
func (p *place) owner() *definitions.Element {
	if t := p.resource(); t != nil {
		return t.Root()
	}
	switch {
	case p.property == nil:
		return nil
	case p.primitive():
		return definitions.R4().Type("Element").Root()
	}
	return p.property.Container()
}

// object is the object that holds what stands below the element. A primitive gets
// one beside its value if it has none.
func (p *place) object() *fhir.Node {
	if !p.primitive() {
		return p.Value
	}
	if p.Extra == nil {
		p.Extra = fhir.NewObject()
		p.list().set(p.index, p.Element)
	}
	return p.Extra
}

func (p *place) list() *list {
	return &list{object: p.parent, name: p.name, property: p.property, above: p.above}
}

// remove takes the element away, and what has no content then: FHIR has no empty
// elements.
func (p *place) remove() {
	if p.index >= 0 {
		p.list().removeAt(p.index)
	} else {
		p.parent.Remove(p.name)
		p.parent.Remove("_" + p.name)
	}
	if p.parent.Len() > 0 || p.above.parent == nil {
		return
	}
	if p.above.primitive() && p.above.Value != nil {
		p.above.Extra = nil
		p.above.list().set(p.above.index, p.above.Element)
		return
	}
	p.above.remove()
}

// replace puts a value in the element's place, under the name that its type needs.
func (p *place) replace(name string, v fhir.Element) {
	if name != p.name {
		p.parent.Remove(p.name)
		p.parent.Remove("_" + p.name)
	}
	l := p.list()
	l.name = name
	l.set(p.index, v)
}

// list is the repetitions of one element: an array of values and, for primitives,
// an array of what is beside them, with nulls that keep places. With an index of -1
// it is an element that cannot repeat.
type list struct {
	object   *fhir.Node // nil while there is no object to hold it
	name     string
	property *definitions.Property
	above    *place
}

func (l *list) len() int { return max(l.object.Get(l.name).Len(), l.object.Get("_"+l.name).Len()) }

// set puts a value in place of another.
func (l *list) set(index int, v fhir.Element) {
	if index < 0 {
		l.object.Set(l.name, v.Value)
		l.object.Set("_"+l.name, v.Extra)
		return
	}
	l.each(l.len(), func(array *fhir.Node, n *fhir.Node) { array.SetAt(index, n) }, v)
}

// insert puts a value before the one at the index, or last.
func (l *list) insert(index int, v fhir.Element) {
	l.each(l.len(), func(array *fhir.Node, n *fhir.Node) { array.InsertAt(index, n) }, v)
}

// each does to both arrays, which have the length, what do does to one.
func (l *list) each(length int, do func(array, n *fhir.Node), v fhir.Element) {
	for _, side := range [...]struct {
		name string
		n    *fhir.Node
	}{{l.name, v.Value}, {"_" + l.name, v.Extra}} {
		array := l.object.Get(side.name)
		if array == nil {
			if side.n == nil {
				continue
			}
			array = fhir.NewArray()
			l.object.Set(side.name, array)
		}
		for array.Len() < length {
			array.Append(fhir.NewNull())
		}
		if side.n == nil {
			side.n = fhir.NewNull()
		}
		do(array, side.n)
	}
	l.tidy()
}

// removeAt takes a value out and returns it.
func (l *list) removeAt(index int) (v fhir.Element) {
	for _, side := range [...]struct {
		name string
		to   **fhir.Node
	}{{l.name, &v.Value}, {"_" + l.name, &v.Extra}} {
		if array := l.object.Get(side.name); index < array.Len() {
			*side.to = solid(array.At(index))
			array.RemoveAt(index)
		}
	}
	l.tidy()
	return v
}

// tidy takes away an array that keeps no value.
func (l *list) tidy() {
	for _, name := range [...]string{l.name, "_" + l.name} {
		empty := true
		for _, n := range l.object.Get(name).All() {
			if n.Kind() != fhir.Null {
				empty = false
				break
			}
		}
		if empty {
			l.object.Remove(name)
		}
	}
}
