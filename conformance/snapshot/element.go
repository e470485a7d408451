package snapshot

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// element is one element definition with what lies below it. An element that was built is not changed any more:
// snapshots share what they have in common, which makes unfolding a type one pointer. So an element does not know its
// path or id; they follow from the way to it.
type element struct {
	name     string // last part of the path: "value[x]"
	slice    string // slice name, "" for what is not a slice
	props    properties
	children []*element
	// size counts the elements in this tree, itself included, and cost the bytes they take when they are written down;
	// neither counts beyond endless.
	size, cost int
}

// endless is where counting ends: shared trees may stand for more elements than any number holds.
const endless = 1 << 40

func newElement(name, slice string, props properties, children []*element) *element {
	e := &element{name: name, slice: slice, props: props, children: children, size: 1, cost: elementCost}
	for _, p := range props {
		e.cost += p.cost
	}
	for _, c := range children {
		e.size = min(e.size+c.size, endless)
		e.cost = min(e.cost+c.cost, endless)
	}
	// The name is part of the path and the id of everything below.
	e.cost = min(e.cost+min(e.size, endless>>20)*2*min(len(name)+len(slice)+2, 1<<20), endless)
	return e
}

// What an element and a value of a tree take, in bytes.
const (
	elementCost = 400
	nodeCost    = 72
)

func (e *element) choice() bool { return strings.HasSuffix(e.name, "[x]") }

func (e *element) sliced() bool { return e.props.get("slicing") != nil }

// run is an element with the slices that follow it.
type run struct {
	main   *element
	slices []*element
}

// runs groups children: slices follow the element that they are slices of.
func runs(children []*element) []run {
	var out []run
	for _, c := range children {
		if n := len(out); n > 0 && out[n-1].main.name == c.name && c.slice != "" {
			out[n-1].slices = append(out[n-1].slices, c)
			continue
		}
		out = append(out, run{main: c})
	}
	return out
}

// properties are those of an ElementDefinition in their order, without id, path and sliceName. Its nodes belong to the
// definitions they were read from and are not changed.
type properties []property

type property struct {
	name  string
	value *fhir.Node
	cost  int // bytes of a copy
}

func newProperty(name string, value *fhir.Node) property {
	return property{name, value, nodes(value) * nodeCost}
}

func nodes(n *fhir.Node) int {
	total := 1
	for _, v := range n.All() {
		total += nodes(v)
	}
	return total
}

func (p properties) get(name string) *fhir.Node {
	for i := range p {
		if p[i].name == name {
			return p[i].value
		}
	}
	return nil
}

// with returns the properties with one put in, replaced, or taken out when value is nil.
func (p properties) with(name string, value *fhir.Node) properties {
	out := make(properties, 0, len(p)+1)
	found := false
	for _, have := range p {
		switch {
		case have.name != name:
			out = append(out, have)
		case value != nil:
			out = append(out, newProperty(name, value))
			found = true
		}
	}
	if value != nil && !found {
		out = append(out, newProperty(name, value))
	}
	return out
}

// choiceOf returns the property with the prefix, such as fixedCode for "fixed".
func (p properties) choiceOf(prefix string) (name string, value *fhir.Node) {
	for i := range p {
		if rest, ok := strings.CutPrefix(p[i].name, prefix); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
			return p[i].name, p[i].value
		}
	}
	return "", nil
}

func (p properties) min() int {
	n, _ := strconv.Atoi(p.get("min").Text())
	return n
}

// unbounded stands for a max of "*".
const unbounded = 1 << 30

func (p properties) max() int { return maximum(p.get("max").Text()) }

func maximum(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return unbounded
}

func (p properties) types() []*fhir.Node { return p.get("type").Items() }

// typeCodes are the codes of the types.
func (p properties) typeCodes() []string {
	var out []string
	for _, t := range p.types() {
		out = append(out, t.Get("code").Text())
	}
	return out
}

// propertiesOf reads an ElementDefinition.
func propertiesOf(def *fhir.Node) properties {
	out := make(properties, 0, def.Len())
	for _, v := range def.All() {
		switch v.Name() {
		case "id", "path", "sliceName", "_path", "_sliceName":
		default:
			out = append(out, newProperty(v.Name(), v))
		}
	}
	return out
}

// segment is one part of an element's id: name and slice.
type segment struct{ name, slice string }

// segments takes an id apart: "Observation.value[x]:valueQuantity.code".
func segments(id string) []segment {
	if id == "" {
		return nil
	}
	parts := strings.Split(id, ".")
	out := make([]segment, len(parts))
	for i, part := range parts {
		out[i].name, out[i].slice, _ = strings.Cut(part, ":")
	}
	return out
}
