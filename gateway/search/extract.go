package search

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// maxExtension bounds how deep a value is looked for in extensions.
const maxExtension = 4

// add makes index values of one found value by the kind of the parameter.
func (x *indexer) add(v *fhirpath.Value, depth int) {
	if v.Type() == "Extension" && v.Kind() == fhirpath.Element {
		x.addExtension(v.Node(), depth)
		return
	}
	switch x.param.kind {
	case KindToken:
		x.addToken(v)
	case KindString:
		x.addString(v)
	case KindDate:
		x.addDate(v)
	case KindReference:
		x.addReference(v)
	case KindNumber:
		x.addNumber(v)
	case KindQuantity:
		x.addQuantity(v)
	case KindURI:
		x.addURI(v)
	case KindSpecial:
		x.addPosition(v)
	}
}

// addExtension indexes the value of an extension as if it stood in its place.
func (x *indexer) addExtension(n *fhir.Node, depth int) {
	if depth >= maxExtension {
		return
	}
	extension := x.engine.defs.Type("Extension")
	for _, k := range n.All() {
		p := extension.Child(k.Name())
		if p == nil || !p.Element.Choice() {
			continue
		}
		v := x.engine.model.Element(fhir.Element{Value: k}, p)
		x.add(&v, depth+1)
	}
}
