package snapshot

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// structure is a definition with its snapshot as a tree.
type structure struct {
	url  string
	typ  string // what it is a definition of: "Patient", "Extension"
	base string // canonical URL of what it derives from
	root *element
	// typeOnly is true for a definition that introduces its type.
	typeOnly bool
	flaw     fhir.Text // what was found wrong when it was made, "" for nothing
}

// read makes the tree of a snapshot; nil if the definition has none that can be read.
func read(sd *fhir.Node, limits Limits) *structure {
	list := sd.Path("snapshot", "element").Items()
	if len(list) == 0 || len(list) > limits.Elements {
		return nil
	}
	s := describe(sd)
	b := builder{list: list, owner: s, items: limits.Items}
	s.root = b.element(0)
	if b.broken || b.at != len(list) {
		return nil
	}
	return s
}

func describe(sd *fhir.Node) *structure {
	return &structure{
		url: sd.Get("url").Text(), typ: typeName(sd), base: sd.Get("baseDefinition").Text(),
		typeOnly: sd.Get("derivation").Text() != "constraint",
	}
}

// typeName is the name that paths begin with: logical models may give a URL as their type.
func typeName(sd *fhir.Node) string {
	name := sd.Get("type").Text()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// builder makes a tree of a list whose order is depth first.
type builder struct {
	list  []*fhir.Node
	at    int
	owner *structure
	items int // most values of one property

	broken bool // an element stands without the one it is part of, or too deep, or is too large
}

// element reads the element at the cursor and all below it.
func (b *builder) element(depth int) *element {
	def := b.list[b.at]
	path := def.Get("path").Text()
	name, slice := path[strings.LastIndexByte(path, '.')+1:], def.Get("sliceName").Text()
	// A choice may be named as instances do in the path; the id tells that it is a slice of the choice.
	if id := segments(def.Get("id").Text()); len(id) > 0 {
		last := id[len(id)-1]
		if stem, ok := strings.CutSuffix(last.name, "[x]"); ok && last.name != name && strings.HasPrefix(name, stem) {
			name = last.name
			if slice == "" {
				slice = last.slice
			}
		}
	}
	props := propertiesOf(def)
	b.broken = b.broken || crowded(props, b.items) || len(path) > maxPath
	if props.get("base") == nil {
		props = props.with("base", baseOf(path, props))
	}
	if ref := props.get("contentReference").Text(); strings.HasPrefix(ref, "#") && b.owner.typeOnly {
		props = props.with("contentReference", fhir.NewString(b.owner.url+ref))
	}
	props = sourced(props, b.owner.url)
	b.at++
	var children []*element
	for b.at < len(b.list) && !b.broken {
		next := b.list[b.at].Get("path").Text()
		if !below(next, path) {
			break
		}
		if depth == maxDepth || strings.Contains(next[len(path)+1:], ".") {
			b.broken = true
			break
		}
		children = append(children, b.element(depth+1))
	}
	return newElement(name, slice, props, children)
}

// maxDepth bounds the nesting of elements, in what is read and in what is made.
const maxDepth = 64

// maxPath bounds the length of a path.
const maxPath = 2048

// crowded reports whether a property has more values than allowed.
func crowded(props properties, items int) bool {
	for _, p := range props {
		if p.value.Len() > items {
			return true
		}
	}
	return false
}

func below(path, parent string) bool {
	return len(path) > len(parent) && path[len(parent)] == '.' && strings.HasPrefix(path, parent)
}

func baseOf(path string, p properties) *fhir.Node {
	base := fhir.NewObject().SetString("path", path)
	least := "0"
	if v := p.get("min"); v.Kind() == fhir.Number {
		least = v.Text()
	}
	most := p.get("max").Text()
	if most == "" {
		most = "1"
	}
	return base.Set("min", fhir.NewNumber(least)).SetString("max", most)
}

// sourced names, in constraints that do not, the definition that they come from.
func sourced(p properties, url string) properties {
	list := p.get("constraint").Items()
	missing := false
	for _, c := range list {
		missing = missing || c.Get("source") == nil
	}
	if !missing || url == "" {
		return p
	}
	out := fhir.NewArray()
	for _, c := range list {
		c = c.Clone()
		if c.Kind() == fhir.Object && c.Get("source") == nil {
			c.SetString("source", url)
		}
		out.Append(c)
	}
	return p.with("constraint", out)
}

// find follows names from the root: what a content reference points to.
func (s *structure) find(path string) *element {
	parts := strings.Split(path, ".")
	e := s.root
	if len(parts) == 0 || e == nil {
		return nil
	}
	for _, part := range parts[1:] {
		name, slice, _ := strings.Cut(part, ":")
		var next *element
		for _, c := range e.children {
			if c.name == name && c.slice == slice {
				next = c
				break
			}
		}
		if next == nil {
			return nil
		}
		e = next
	}
	return e
}

// list writes the tree down as the elements of a snapshot.
func (s *structure) list() *fhir.Node {
	out := fhir.NewArray()
	appendElement(out, s.root, "", "")
	return out
}

func appendElement(out *fhir.Node, e *element, path, id string) {
	if path != "" {
		path += "."
		id += "."
	}
	path += e.name
	id += e.name
	n := fhir.NewObject()
	if e.slice != "" {
		id += ":" + e.slice
	}
	n.SetString("id", id)
	// extension and modifierExtension of the definition itself stand before its path.
	rest := e.props
	for len(rest) > 0 && (rest[0].name == "extension" || rest[0].name == "modifierExtension") {
		n.Set(rest[0].name, rest[0].value.Clone())
		rest = rest[1:]
	}
	n.SetString("path", path)
	if e.slice != "" {
		if r := rest.get("representation"); r != nil {
			n.Set("representation", r.Clone())
		}
		n.SetString("sliceName", e.slice)
	}
	for _, p := range rest {
		if p.name != "representation" || e.slice == "" {
			n.Set(p.name, p.value.Clone())
		}
	}
	out.Append(n)
	for _, c := range e.children {
		appendElement(out, c, path, id)
	}
}
