package testscript

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// xnode is a node of the XML form of a resource: the document, an element or an attribute.
type xnode struct {
	name      string
	attribute bool
	document  bool
	text      string // of an attribute
	element   fhir.Element
	parent    *xnode

	built    bool
	children []*xnode
	attrs    []*xnode
}

func document(n *fhir.Node) *xnode {
	d := &xnode{document: true, built: true}
	d.children = []*xnode{{name: n.ResourceType(), element: fhir.Element{Value: n}, parent: d}}
	return d
}

// build makes children and attributes when they are first asked for.
func (x *xnode) build() {
	if x.built {
		return
	}
	x.built = true
	value := x.element.Value
	resource := value.Kind() == fhir.Object && value.ResourceType() != ""
	switch {
	case resource && x.name != value.ResourceType():
		// entry.resource and contained hold an element of the resource's name
		x.children = []*xnode{{name: value.ResourceType(), element: fhir.Element{Value: value}, parent: x}}
	case value.Kind() == fhir.Object:
		x.properties(value, resource)
	case value != nil:
		x.attrs = append(x.attrs, &xnode{name: "value", attribute: true, text: value.Text(), parent: x})
	}
	if x.element.Extra.Kind() == fhir.Object {
		x.properties(x.element.Extra, false)
	}
}

func (x *xnode) properties(object *fhir.Node, resource bool) {
	for _, p := range object.All() {
		name := p.Name()
		switch {
		case name == "resourceType":
			continue
		case !resource && name == "id", (x.name == "extension" || x.name == "modifierExtension") && name == "url":
			x.attrs = append(x.attrs, &xnode{name: name, attribute: true, text: p.Text(), parent: x})
			continue
		case strings.HasPrefix(name, "_"):
			name = name[1:]
			if object.Get(name) != nil {
				continue // comes with its value
			}
		}
		for _, e := range object.Elements(name) {
			x.children = append(x.children, &xnode{name: name, element: e, parent: x})
		}
	}
}

// string is the node's text: an attribute's, or a primitive's value. XML would say that an element without text is empty;
// scripts write Patient/id and mean the value.
func (x *xnode) string() string {
	if x.attribute {
		return x.text
	}
	if v := x.element.Value; v != nil && v.Kind() != fhir.Object && v.Kind() != fhir.Array {
		return v.Text()
	}
	return ""
}
