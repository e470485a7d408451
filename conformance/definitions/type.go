package definitions

import "strings"

// Canonical is the prefix of the URLs of FHIR's own types.
const Canonical = "http://hl7.org/fhir/StructureDefinition/"

// Kind says what sort of type a Type is.
type Kind uint8

// The kinds of types.
const (
	Primitive Kind = iota + 1 // string, date, …
	Complex                   // HumanName, Extension, BackboneElement, …
	Resource                  // Patient, …, and the abstract Resource and DomainResource
)

func (k Kind) String() string {
	switch k {
	case Primitive:
		return "primitive"
	case Complex:
		return "complex"
	case Resource:
		return "resource"
	}
	return "unknown"
}

// Unbounded is the Max of an element that may repeat without limit.
const Unbounded = -1

// Type is a FHIR type.
type Type struct {
	Name     string
	URL      string
	Kind     Kind
	Abstract bool
	Base     string // name of the type it specializes; empty for Element and Resource
	Short    string
	// Regex is the lexical form the specification gives for a primitive.
	Regex string

	root     *Element
	elements []*Element
}

// Root is the element that stands for the type itself. It carries the
// constraints on the whole.
func (t *Type) Root() *Element { return t.root }

// Elements are all elements of the type in the order of the specification,
// inherited ones included, depth first, without the root.
func (t *Type) Elements() []*Element { return t.elements[1:] }

// Children are the elements directly below the type, in XML order.
func (t *Type) Children() []*Element { return t.root.children }

// Properties are the names an instance may use directly below the type, in
// XML order; a choice appears once for each of its types.
func (t *Type) Properties() []*Property { return t.root.shape.list }

// Child is the property of that exact name, nil if there is none.
func (t *Type) Child(name string) *Property { return t.root.shape.byName[name] }

// Element is the element with the FHIRPath name of a child: "value" and
// "value[x]" give value[x]. It is nil if there is none.
func (t *Type) Element(name string) *Element { return t.root.shape.element(name) }

// Element is one element of a type.
type Element struct {
	Name string // last part of the path: "name", "value[x]"
	Path string // "Patient.contact.name"
	// Base is the path where the element was first defined, such as
	// "DomainResource.extension"; equal to Path when it is new in its type.
	Base  string
	Short string
	Min   int
	Max   int // Unbounded or the number

	// Types are the types the element may have, none for a content reference.
	Types []TypeRef
	// ContentReference is the path of the element in the same type whose
	// content this one shares, such as "Questionnaire.item".
	ContentReference string
	Binding          *Binding
	Constraints      []*Constraint
	// Conditions are keys of constraints elsewhere that concern this element.
	Conditions []string

	IsModifier       bool
	ModifierReason   string
	IsSummary        bool
	XMLAttr          bool   // written as an attribute in XML
	XHTML            bool   // written as an XHTML div in XML
	Ordered          string // meaning of the order, if it has one
	MaxLength        int    // 0 if not limited
	MeaningIfMissing string

	children []*Element
	target   *Element // of the content reference
	shape    *shape   // nil if the content is defined elsewhere
	owner    *Type
	defs     *Definitions
}

// Choice reports whether the element has one of several types and carries the
// type's name in its own, as value[x] does.
func (e *Element) Choice() bool { return strings.HasSuffix(e.Name, "[x]") }

// Repeats reports whether the element is an array in JSON.
func (e *Element) Repeats() bool { return e.Max == Unbounded || e.Max > 1 }

// Required reports whether the element must be there if its parent is.
func (e *Element) Required() bool { return e.Min > 0 }

// Owner is the type the element belongs to.
func (e *Element) Owner() *Type { return e.owner }

// Type returns the type reference with that code, nil if there is none.
func (e *Element) Type(code string) *TypeRef {
	for i := range e.Types {
		if e.Types[i].Code == code {
			return &e.Types[i]
		}
	}
	return nil
}

// Backbone reports whether the element defines its own children in place.
func (e *Element) Backbone() bool { return len(e.children) > 0 }

// Children are the elements below this one in XML order, wherever they are
// defined: in place, at the end of a content reference, or by the element's
// type. An element with several types has none.
func (e *Element) Children() []*Element {
	if c := e.container(); c != nil {
		return c.children
	}
	return nil
}

// container is the element that holds the definition of e's children.
func (e *Element) container() *Element {
	switch {
	case e.shape != nil:
		return e
	case e.target != nil:
		return e.target
	case len(e.Types) == 1:
		if t := e.defs.Type(e.Types[0].Code); t != nil {
			return t.root
		}
	}
	return nil
}

// TypeRef is one type an element may have.
type TypeRef struct {
	Code string // "Quantity", "Reference", "string"
	// Profiles constrain the type, such as SimpleQuantity: canonical URLs.
	Profiles []string
	// Targets are what a Reference or canonical may point to: names of FHIR
	// types, or canonical URLs of profiles on them. "Resource" is any.
	Targets []string
}

// AllowsTarget reports whether a reference of this type may point to a
// resource of the named type. Targets given as profiles count as allowed,
// because they need more than the name.
func (r *TypeRef) AllowsTarget(resource string) bool {
	if len(r.Targets) == 0 {
		return true
	}
	for _, t := range r.Targets {
		if t == resource || t == "Resource" || strings.Contains(t, "/") {
			return true
		}
	}
	return false
}

// The strengths of a binding.
const (
	BindingRequired   = "required"
	BindingExtensible = "extensible"
	BindingPreferred  = "preferred"
	BindingExample    = "example"
)

// Binding ties a coded element to a value set.
type Binding struct {
	Strength string
	ValueSet string // canonical URL without version; empty if only described
	Max      string // value set that bounds an extensible or preferred binding
	Name     string
}

// Constraint is an invariant written in FHIRPath.
type Constraint struct {
	Key        string
	Severity   string // "error" or "warning"
	Human      string
	Expression string
	Source     string // canonical URL of the type it comes from; empty for the own type
}
