package fhirxml

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yilian/yilian/conformance/definitions"
)

// kind says how a value looks in XML and in JSON.
type kind uint8

const (
	complexType kind = iota
	text             // primitives that are strings in JSON
	boolean
	integer
	decimal
	narrative // XHTML
	resource  // one resource inside the element
)

func (k kind) primitive() bool { return k == text || k == boolean || k == integer || k == decimal }

// plan is what the elements below one element may be.
type plan struct {
	owner  string // path of the element, for issues
	fields map[string]*field
}

// field is a property as instances name it.
type field struct {
	name      string
	path      string // in FHIRPath: "name", "value.ofType(Quantity)"
	order     int    // among its siblings; the types of a choice share one
	kind      kind
	repeats   bool
	attribute bool
	choice    bool

	property *definitions.Property
	below    atomic.Pointer[plan]
}

// plans holds the plan of each element that has been met; there are as many as the
// definitions have elements.
var plans sync.Map // *definitions.Element -> *plan

func planOf(container *definitions.Element) *plan {
	if p, ok := plans.Load(container); ok {
		return p.(*plan)
	}
	p := &plan{owner: container.Path, fields: map[string]*field{}}
	order, last := -1, (*definitions.Element)(nil)
	for _, property := range container.Properties() {
		if property.Element != last {
			order++
			last = property.Element
		}
		p.fields[property.Name] = newField(property, order)
	}
	known, _ := plans.LoadOrStore(container, p)
	return known.(*plan)
}

func newField(p *definitions.Property, order int) *field {
	e := p.Element
	f := &field{
		name: p.Name, path: p.Name, order: order, kind: kindOf(p),
		repeats: p.Repeats(), attribute: e.XMLAttr, choice: e.Choice(), property: p,
	}
	if f.choice {
		f.path = strings.TrimSuffix(e.Name, "[x]") + ".ofType(" + p.Type + ")"
	}
	return f
}

func kindOf(p *definitions.Property) kind {
	d := definitions.R4()
	switch {
	case p.Type == "xhtml":
		return narrative
	case d.KindOf(p.Type) == definitions.Resource:
		return resource
	case d.KindOf(p.Type) != definitions.Primitive:
		return complexType
	case p.Type == "boolean":
		return boolean
	case p.Type == "decimal":
		return decimal
	case d.IsA(p.Type, "integer"):
		return integer
	}
	return text
}

// children is the plan of what stands below the field: below a primitive its
// extensions.
func (f *field) children() *plan {
	if p := f.below.Load(); p != nil {
		return p
	}
	var p *plan
	if f.kind.primitive() {
		p = planOf(definitions.R4().Type("Element").Root())
	} else {
		p = planOf(f.property.Container())
	}
	f.below.Store(p)
	return p
}

// resourcePlan is the plan of a resource type, nil if there is none of that name.
func resourcePlan(name string) *plan {
	if !definitions.R4().IsResource(name) {
		return nil
	}
	return planOf(definitions.R4().Type(name).Root())
}

// called is the property of that name that XML writes as an element, or as an
// attribute.
func (p *plan) called(name string, attribute bool) *field {
	if f := p.fields[name]; f != nil && f.attribute == attribute {
		return f
	}
	return nil
}
