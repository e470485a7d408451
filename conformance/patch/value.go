package patch

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// valueFor finds the property that a name means below an element, with the type of
// the value where it is a choice, and makes the value that part gives it.
func valueFor(child func(string) *definitions.Property, owner *definitions.Element, name string, part *fhir.Node) (*definitions.Property, fhir.Element, error) {
	if part == nil {
		return nil, fhir.Element{}, fail(msgMissing, "a value")
	}
	if owner == nil {
		return nil, fhir.Element{}, fail(msgTarget, "an element that R4 has")
	}
	given, typeName := valueOf(part)
	property := child(name)
	if property == nil {
		e := owner.Element(name)
		if e == nil || !e.Choice() {
			return nil, fhir.Element{}, inPart(part, fail(msgName, owner.Path))
		}
		if property = child(strings.TrimSuffix(e.Name, "[x]") + definitions.Capital(typeName)); property == nil || property.Element != e {
			return nil, fhir.Element{}, inPart(part, fail(msgType, e.Path))
		}
	}
	v, err := convert(property, given, typeName, part)
	if err != nil {
		return nil, fhir.Element{}, inPart(part, err)
	}
	return property, v, nil
}

// valueOf finds the value[x] or the resource of a part, and the name of its type,
// "" if it has neither.
func valueOf(part *fhir.Node) (v fhir.Element, typeName string) {
	if n := part.Get("resource"); n != nil {
		return fhir.Element{Value: n}, n.ResourceType()
	}
	container := definitions.R4().Type("Parameters").Child("parameter")
	for _, k := range part.All() {
		name := strings.TrimPrefix(k.Name(), "_")
		property := container.Child(name)
		if property == nil || !property.Element.Choice() {
			continue
		}
		if typeName != "" && typeName != property.Type {
			return fhir.Element{}, "" // two values are none
		}
		typeName = property.Type
		if k.Name() == name {
			v.Value = k
		} else {
			v.Extra = k
		}
	}
	return v, typeName
}

// convert makes a property's value of the one that is given.
func convert(p *definitions.Property, given fhir.Element, typeName string, part *fhir.Node) (fhir.Element, error) {
	d := definitions.R4()
	kind := d.KindOf(p.Type)
	if typeName == "" {
		if kind != definitions.Complex || part.Get("part").Len() == 0 {
			return fhir.Element{}, fail(msgType, p.Element.Path)
		}
		n, err := assemble(p, part.Get("part"))
		return fhir.Element{Value: n}, err
	}
	fits := false
	switch {
	case kind == definitions.Primitive:
		fits = d.KindOf(typeName) == definitions.Primitive && jsonKind(typeName) == jsonKind(p.Type) &&
			(given.Value == nil || given.Value.Kind() == jsonKind(p.Type)) &&
			(given.Extra == nil || given.Extra.Kind() == fhir.Object)
	case kind == definitions.Resource:
		fits = d.IsResource(typeName) && given.Value.Kind() == fhir.Object
	default:
		fits = !p.Element.Backbone() && p.Element.ContentReference == "" && given.Value.Kind() == fhir.Object &&
			(d.IsA(typeName, p.Type) || d.IsA(p.Type, typeName))
	}
	if !fits {
		return fhir.Element{}, fail(msgType, p.Element.Path)
	}
	return fhir.Element{Value: given.Value.Clone(), Extra: given.Extra.Clone()}, nil
}

// jsonKind is what a value of a primitive type is in JSON.
func jsonKind(typeName string) fhir.Kind {
	d := definitions.R4()
	switch {
	case typeName == "boolean":
		return fhir.Bool
	case typeName == "decimal" || d.IsA(typeName, "integer"):
		return fhir.Number
	}
	return fhir.String
}

// assemble makes an element out of parts, each of which names a property of it. The
// depth is that of the patch.
func assemble(p *definitions.Property, parts *fhir.Node) (*fhir.Node, error) {
	n := fhir.NewObject()
	for _, part := range parts.Items() {
		property, v, err := valueFor(p.Child, p.Container(), part.Get("name").Text(), part)
		if err != nil {
			return nil, err
		}
		if err := put(n, property, v, p.Child); err != nil {
			return nil, inPart(part, err)
		}
	}
	return n, nil
}

// put adds a value to an object: to the list, if the property repeats; otherwise it
// must be the first.
func put(n *fhir.Node, p *definitions.Property, v fhir.Element, child func(string) *definitions.Property) error {
	if n.Kind() != fhir.Object {
		return fail(msgTarget, "an element with elements below it")
	}
	l := &list{object: n, name: p.Name, property: p}
	if p.Repeats() {
		for _, name := range [...]string{p.Name, "_" + p.Name} {
			if array := n.Get(name); array != nil && array.Kind() != fhir.Array {
				return fail(msgTarget, "a list")
			}
		}
		l.insert(l.len(), v)
		return nil
	}
	for _, k := range n.All() {
		other := child(strings.TrimPrefix(k.Name(), "_"))
		if other != nil && other.Element == p.Element {
			return fail(msgExists)
		}
	}
	l.set(-1, v)
	return nil
}
