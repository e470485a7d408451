package validate

import (
	"sync/atomic"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// plan says what an object of one type, or of one backbone element, may hold.
// It is immutable once it can be reached, but for the links between plans,
// which are filled in on first use.
type plan struct {
	path     string // in the definitions: "Patient.contact"
	resource bool   // resourceType is one of its properties
	fields   fields
	slots    []slot
	required slotSet
	checks   []check

	invariants []*invariant // of the type as a whole
	advice     []check      // checks of a thorough validator
}

// slot is one element of a plan; the properties of a choice share theirs.
type slot struct {
	path   string // in the definitions, for messages
	choice bool
}

// field is one property of a plan.
type field struct {
	element   *definitions.Element
	name      string // as FHIRPath: "name", "value.ofType(Quantity)"
	slot      int
	repeats   bool
	typ       string
	primitive *primitive // nil if the value is an object
	resource  bool       // the value is a whole resource
	checks    []check
	below     atomic.Pointer[plan] // see plan

	property   *definitions.Property
	typed      fhirpath.Type // for a thorough validator
	container  bool          // the type of the value has children
	invariants []*invariant  // of the element, without those of its type
	advice     []adviser     // checks of a thorough validator
}

// adviser is a check that sees the element beside its extensions.
type adviser func(r *run, e fhir.Element)

// check is something to test beyond shape, run when the shape of the value has
// been walked. It stands at a field, where it gets each value, or at a plan,
// where it gets each object.
type check func(r *run, n *fhir.Node)

// slotSet is a set of slot numbers. No type of R4 has more than 64 elements on
// one level besides ElementDefinition.
type slotSet [2]uint64

const maxSlots = 128

func (s *slotSet) add(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s *slotSet) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

// plan is the plan of a type, compiled when it is first needed; nil if there
// is no such type. Two goroutines may compile the same type at once; the first
// to finish wins.
func (v *Validator) plan(name string) *plan {
	if p, ok := v.plans.Load(name); ok {
		return p.(*plan)
	}
	t := v.defs.Type(name)
	if t == nil {
		return nil
	}
	p, _ := v.plans.LoadOrStore(t.Name, v.compile(t))
	return p.(*plan)
}

// compile makes the plans of a type and of its backbone elements.
func (v *Validator) compile(t *definitions.Type) *plan {
	c := compiler{v: v, made: map[*definitions.Element]*plan{}}
	p := c.container(t.Root())
	p.resource = t.Kind == definitions.Resource
	if t.Kind == definitions.Primitive {
		p.required = slotSet{}
	}
	return p
}

type compiler struct {
	v    *Validator
	made map[*definitions.Element]*plan // content references lead back to these
}

// container makes the plan of a type or backbone element.
func (c *compiler) container(e *definitions.Element) *plan {
	if p := c.made[e]; p != nil {
		return p
	}
	properties := e.Properties()
	p := &plan{path: e.Path, fields: newFields(len(properties))}
	c.made[e] = p
	number := map[*definitions.Element]int{}
	for _, prop := range properties {
		i, ok := number[prop.Element]
		if !ok {
			i = len(p.slots)
			if i == maxSlots {
				panic("validate: " + e.Path + " has more elements than a plan can hold")
			}
			number[prop.Element] = i
			p.slots = append(p.slots, slot{path: prop.Element.Path, choice: prop.Element.Choice()})
			if prop.Element.Required() {
				p.required.add(i)
			}
		}
		if prop.Name == "value" && e.Owner().Root() == e && e.Owner().Kind == definitions.Primitive {
			continue // only the object beside the value is walked with a plan
		}
		p.fields.add(c.field(prop, i))
	}
	p.checks = c.v.objectChecks(e)
	if c.v.options.Thorough {
		if e.Owner().Root() == e {
			p.invariants = c.v.compileAll(e.Constraints)
		}
		p.advice = c.v.objectAdvice(e)
	}
	return p
}

func (c *compiler) field(prop *definitions.Property, number int) *field {
	e := prop.Element
	f := &field{element: e, name: e.Name, slot: number, repeats: e.Repeats(), typ: prop.Type, property: prop}
	if e.Choice() {
		f.name = e.Name[:len(e.Name)-len("[x]")] + ".ofType(" + prop.Type + ")"
	}
	switch c.v.defs.KindOf(prop.Type) {
	case definitions.Primitive:
		f.primitive = primitives[prop.Type]
	case definitions.Resource:
		f.resource = true
	}
	f.container = prop.Container() != nil
	if inner := prop.Container(); inner != nil && (e.Backbone() || e.ContentReference != "") {
		f.below.Store(c.container(inner))
	}
	f.checks = c.v.fieldChecks(prop)
	if c.v.options.Thorough {
		f.typed = c.v.model.Type(prop)
		f.invariants = c.v.compileAll(e.Constraints)
		if inner := prop.Container(); e.ContentReference != "" && inner != nil {
			f.invariants = append(f.invariants, c.v.compileAll(inner.Constraints)...)
		}
		f.advice = c.v.fieldAdvice(prop)
	}
	return f
}

// plan is the plan of the field's value, or of the object beside a primitive.
func (f *field) plan(v *Validator) *plan {
	if p := f.below.Load(); p != nil {
		return p
	}
	p := v.plan(f.typ)
	if p == nil {
		panic("validate: no definition of type " + f.typ)
	}
	f.below.Store(p)
	return p
}

// objectChecks are what objects of a type have to satisfy beyond their shape.
func (v *Validator) objectChecks(e *definitions.Element) []check {
	switch e.Path {
	case "Extension":
		return []check{v.checkExtension}
	case "Reference":
		return []check{v.checkReference}
	}
	return nil
}

// fieldChecks are what values of a property have to satisfy beyond their type.
func (v *Validator) fieldChecks(p *definitions.Property) []check {
	var out []check
	if c := v.bindingCheck(p); c != nil {
		out = append(out, c)
	}
	if p.Element.Path == "Bundle.entry.fullUrl" {
		out = append(out, checkAbsolute)
	}
	switch p.Type {
	case "Reference":
		if c := v.targetCheck(p); c != nil {
			out = append(out, c)
		}
	case "uri", "url", "canonical":
		out = append(out, noteFragment)
	}
	return out
}
