package fhirpath

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Model is what the engine knows of a FHIR version: which elements a type has
// and how JSON names them. It is safe for concurrent use.
type Model struct {
	defs      *definitions.Definitions
	classes   sync.Map // *class by path of the element that holds the children
	functions map[string]function
	any       *class
}

// NewModel returns a model of the definitions.
func NewModel(defs *definitions.Definitions) *Model {
	m := &Model{defs: defs, functions: functions()}
	m.any = &class{model: m, kind: classAny}
	m.any.load.Do(func() {})
	return m
}

type classKind uint8

const (
	classAny       classKind = iota // nothing is known of it
	classPrimitive                  // its children are id and extension
	classComplex
	classResource
	classAbstract // Resource: the instance says which
)

// class is a type or backbone element: everything that has the same children.
type class struct {
	model  *Model
	name   string // of the type
	path   string
	kind   classKind
	system Kind // the System type that stands for it, Element for none

	load  sync.Once
	props map[string]*prop
}

// prop is an element by its FHIRPath name.
type prop struct {
	name    string
	choice  bool
	repeats bool
	alts    []*alternative // one, or one for each type of a choice
	byName  map[string]*alternative
}

// alternative is a property name in JSON and the class behind it.
type alternative struct {
	name     string
	property *definitions.Property
	model    *Model
	cached   atomic.Pointer[class]
}

func (a *alternative) class() *class {
	if c := a.cached.Load(); c != nil {
		return c
	}
	c := a.model.classOf(a.property)
	a.cached.Store(c)
	return c
}

// typeClass is the class of a type by name, nil if there is no such type.
func (m *Model) typeClass(name string) *class {
	if c, ok := m.classes.Load(name); ok {
		return c.(*class)
	}
	t := m.defs.Type(name)
	if t == nil || t.Name != name {
		return nil
	}
	return m.remember(t.Root(), t.Name)
}

func (m *Model) classOf(p *definitions.Property) *class {
	container := p.Container()
	if container == nil {
		return m.any
	}
	if c, ok := m.classes.Load(container.Path); ok {
		return c.(*class)
	}
	return m.remember(container, p.Type)
}

func (m *Model) remember(e *definitions.Element, typeName string) *class {
	c := &class{model: m, name: typeName, path: e.Path, kind: classComplex}
	switch m.defs.KindOf(typeName) {
	case definitions.Primitive:
		c.kind = classPrimitive
		c.system = systemOf(m.defs, typeName)
	case definitions.Resource:
		c.kind = classResource
		if typeName == "Resource" || typeName == "DomainResource" {
			c.kind = classAbstract
		}
	case definitions.Complex:
		if m.defs.IsA(typeName, "Quantity") {
			c.system = Quantity
		}
	}
	kept, _ := m.classes.LoadOrStore(e.Path, c)
	return kept.(*class)
}

func systemOf(defs *definitions.Definitions, name string) Kind {
	switch {
	case name == "boolean":
		return Boolean
	case defs.IsA(name, "integer"):
		return Integer
	case name == "decimal":
		return Decimal
	case name == "date":
		return Date
	case name == "dateTime", name == "instant":
		return DateTime
	case name == "time":
		return Time
	}
	return String
}

// container is the definition that lists the children of c.
func (c *class) container() *definitions.Element {
	p, err := c.model.defs.Resolve(c.path)
	if err != nil {
		return nil
	}
	return p.Container()
}

func (c *class) init() {
	e := c.container()
	if e == nil {
		return
	}
	c.props = map[string]*prop{}
	for _, property := range e.Properties() {
		name, choice := property.Name, property.Element.Choice()
		if choice {
			name = strings.TrimSuffix(property.Element.Name, "[x]")
		}
		if c.kind == classPrimitive && name == "value" {
			continue
		}
		p := c.props[name]
		if p == nil {
			p = &prop{name: name, choice: choice, repeats: property.Repeats()}
			if choice {
				p.byName = map[string]*alternative{}
			}
			c.props[name] = p
		}
		a := &alternative{name: property.Name, property: property, model: c.model}
		p.alts = append(p.alts, a)
		if choice {
			p.byName[a.name] = a
		}
	}
}

// prop is the child of that FHIRPath name, nil if there is none.
func (c *class) prop(name string) *prop {
	c.load.Do(c.init)
	return c.props[name]
}

// is reports whether c is the named FHIR type or a subtype.
func (c *class) is(name string) bool {
	return c.name == name || c.name != "" && c.model.defs.IsA(c.name, name)
}

// concrete returns the class a node has where only an ancestor is declared.
func (c *class) concrete(n *fhir.Node) *class {
	if c.kind != classAbstract {
		return c
	}
	if found := c.model.resourceClass(n.ResourceType()); found != nil {
		return found
	}
	return c
}

func (m *Model) resourceClass(name string) *class {
	if !m.defs.IsResource(name) {
		return nil
	}
	return m.typeClass(name)
}

// Resource makes the value of a whole resource.
func (m *Model) Resource(n *fhir.Node) Value {
	c := m.resourceClass(n.ResourceType())
	if c == nil {
		c = m.any
	}
	return Value{node: n, class: c}
}

// Element makes the value of an element with what its definition says.
func (m *Model) Element(e fhir.Element, p *definitions.Property) Value {
	return m.Type(p).Value(e)
}

// Type is what elements of a property are, found once for many of them.
type Type struct{ class *class }

// Type finds what elements of a property are.
func (m *Model) Type(p *definitions.Property) Type { return Type{m.classOf(p)} }

// Value is the element as a value.
func (t Type) Value(e fhir.Element) Value {
	return Value{node: e.Value, extra: e.Extra, class: t.class.concrete(e.Value)}
}
