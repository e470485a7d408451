package definitions

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// Property is an element as an instance names it.
type Property struct {
	Name    string // "valueQuantity"
	Element *Element
	// Type is the name of its type. It is empty only where Resolve was asked
	// for a choice without saying which of its types.
	Type string

	ref *TypeRef
	// container is what Container found first.
	container atomic.Pointer[Element]
}

// Ref is the type reference behind Type, with targets and profiles; nil for a
// content reference or an open choice.
func (p *Property) Ref() *TypeRef { return p.ref }

// Targets are what a Reference or canonical may point to, see TypeRef.
func (p *Property) Targets() []string {
	if p.ref == nil {
		return nil
	}
	return p.ref.Targets
}

// Repeats reports whether the property is an array in JSON.
func (p *Property) Repeats() bool { return p.Element.Repeats() }

// Container is the element whose children are the children of p: p's own
// element for a backbone, the referenced one for a content reference, the
// root of its type otherwise. It is nil for an open choice.
func (p *Property) Container() *Element {
	if known := p.container.Load(); known != nil {
		return known
	}
	found := p.findContainer()
	p.container.Store(found)
	return found
}

func (p *Property) findContainer() *Element {
	e := p.Element
	if e.shape != nil || e.target != nil {
		return e.container()
	}
	if t := e.defs.Type(p.Type); t != nil {
		return t.root
	}
	return nil
}

// Properties are the names an instance may use below p, in XML order.
func (p *Property) Properties() []*Property {
	if c := p.Container(); c != nil {
		return c.shape.list
	}
	return nil
}

// Child is the property of that exact name below p, nil if there is none.
func (p *Property) Child(name string) *Property {
	if c := p.Container(); c != nil {
		return c.shape.byName[name]
	}
	return nil
}

// Properties are the names an instance may use below the element, in XML
// order. An element with several types has none.
func (e *Element) Properties() []*Property {
	if c := e.container(); c != nil {
		return c.shape.list
	}
	return nil
}

// Child is the property of that exact name below the element, nil if there is
// none.
func (e *Element) Child(name string) *Property {
	if c := e.container(); c != nil {
		return c.shape.byName[name]
	}
	return nil
}

// Element is the element below e with that FHIRPath name, see Type.Element.
func (e *Element) Element(name string) *Element {
	if c := e.container(); c != nil {
		return c.shape.element(name)
	}
	return nil
}

// shape is the set of children of a type or backbone element.
type shape struct {
	list   []*Property
	byName map[string]*Property
	choice map[string]*Element // by name with and without [x]
}

func (s *shape) element(name string) *Element {
	if p := s.byName[name]; p != nil && !p.Element.Choice() {
		return p.Element
	}
	return s.choice[name]
}

func newShape(children []*Element) *shape {
	s := &shape{byName: make(map[string]*Property, len(children))}
	for _, e := range children {
		if !e.Choice() {
			p := &Property{Name: e.Name, Element: e}
			switch {
			case len(e.Types) > 0:
				p.Type, p.ref = e.Types[0].Code, &e.Types[0]
			case e.target != nil && len(e.target.Types) > 0:
				p.Type = e.target.Types[0].Code
			}
			s.add(p)
			continue
		}
		stem := strings.TrimSuffix(e.Name, "[x]")
		if s.choice == nil {
			s.choice = map[string]*Element{}
		}
		s.choice[stem], s.choice[e.Name] = e, e
		for i := range e.Types {
			ref := &e.Types[i]
			s.add(&Property{Name: stem + Capital(ref.Code), Element: e, Type: ref.Code, ref: ref})
		}
	}
	return s
}

func (s *shape) add(p *Property) {
	s.list = append(s.list, p)
	s.byName[p.Name] = p
}

// Capital is a type's name as it appears in the name of a choice property.
func Capital(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// Resolve follows a path such as "Patient.contact.name.given" from a type
// down. A choice is named as instances do (valueQuantity) or left open
// (value[x], value); nothing can follow an open choice. The error says which
// step does not exist.
func (d *Definitions) Resolve(path string) (*Property, error) {
	head, rest, more := strings.Cut(path, ".")
	t := d.Type(head)
	if t == nil {
		return nil, fmt.Errorf("unknown type %q", head)
	}
	p := &Property{Name: t.Name, Element: t.root, Type: t.Name}
	for at := t.Name; more; {
		var name string
		name, rest, more = strings.Cut(rest, ".")
		next := p.Child(name)
		if next == nil {
			if c := p.Container(); c == nil {
				return nil, fmt.Errorf("%s may have several types: name one of them, such as %s", at, p.example())
			} else if e := c.shape.choice[name]; e != nil {
				next = &Property{Name: e.Name, Element: e}
			} else {
				return nil, unknownChild(at, name, c)
			}
		}
		p = next
		at += "." + name
	}
	return p, nil
}

// example is a property of an open choice that could be meant instead.
func (p *Property) example() string {
	if len(p.Element.Types) == 0 {
		return p.Name
	}
	return strings.TrimSuffix(p.Element.Name, "[x]") + Capital(p.Element.Types[0].Code)
}

func unknownChild(at, name string, c *Element) error {
	if near := nearest(name, c.shape); near != "" {
		return fmt.Errorf("%s has no element %q, did you mean %q?", at, name, near)
	}
	return fmt.Errorf("%s has no element %q", at, name)
}

// nearest is the child whose name is closest to a misspelt one, if any is
// close enough to be meant.
func nearest(name string, s *shape) string {
	best, found := 3, ""
	for _, p := range s.list {
		if d := distance(strings.ToLower(name), strings.ToLower(p.Name), best); d < best {
			best, found = d, p.Name
		}
	}
	if best*2 > len(name) {
		return ""
	}
	return found
}

// distance counts the insertions, deletions and replacements between two
// names; anything of at least limit is returned as limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], limit)
}
