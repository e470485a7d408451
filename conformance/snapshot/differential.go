package snapshot

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// change is one element of a differential with those below it. One that only stands between others has no definition.
type change struct {
	name, slice string
	idSlice     string // the slice that its id names, which may be another
	def         *fhir.Node
	props       properties
	index       int // in the differential, of the first element that is part of it
	children    []*change
	named       map[segment]*change // the children by name and slice
	narrows     bool                // a choice to the type that its path names
}

func (c *change) sliced() bool { return c.props.get("slicing") != nil }

// differential makes the tree of a differential. Elements stand below the last element that their path names; where the
// ids tell slices that the list left out, these are put in.
func (w *work) differential(list []*fhir.Node, root string) *change {
	top := &change{name: root}
	for i, def := range list {
		path := def.Get("path").Text()
		parts := strings.Split(path, ".")
		if len(path) > maxPath || len(def.Get("sliceName").Text()) > maxName {
			w.report(i, fhir.Error, fhir.TypeTooCostly, "too-long",
				"the path has more than {1} characters, or the name of the slice more than {2}", maxPath, maxName)
			continue
		}
		if strings.ContainsAny(def.Get("sliceName").Text(), ".: ") {
			w.report(i, fhir.Error, fhir.TypeInvalid, "slice-name", "the name of a slice has a dot, a colon or a space")
			continue
		}
		if parts[0] != root || slices.Contains(parts, "") {
			w.report(i, fhir.Error, fhir.TypeStructure, "path-invalid",
				"the path \"{1}\" is none of {2}", clip(path), clip(root))
			continue
		}
		if len(parts) > maxDepth {
			w.report(i, fhir.Error, fhir.TypeTooCostly, "too-deep", "the path has more than {1} parts", maxDepth)
			continue
		}
		if len(parts) == 1 {
			if top.def != nil {
				w.report(i, fhir.Error, fhir.TypeDuplicate, "element-duplicate", "the root stands here twice")
				continue
			}
			top.def, top.props, top.index = def, propertiesOf(def), i
			continue
		}
		id := segments(def.Get("id").Text())
		if len(id) != len(parts) {
			id = nil
		}
		at := top
		for j := 1; j < len(parts)-1; j++ {
			at = w.descend(at, parts[j], idSlice(id, j, parts[j]), i)
		}
		w.add(at, def, parts[len(parts)-1], i)
	}
	return top
}

// idSlice is the slice that an id names at a place, if the id speaks of the same element.
func idSlice(id []segment, at int, name string) string {
	if id == nil {
		return ""
	}
	s := id[at]
	if stem, ok := strings.CutSuffix(s.name, "[x]"); s.name == name || ok && strings.HasPrefix(name, stem) {
		return s.slice
	}
	return ""
}

// descend finds the change below which an element stands: the last of that name.
func (w *work) descend(at *change, name, slice string, index int) *change {
	for i := len(at.children) - 1; i >= 0; i-- {
		c := at.children[i]
		if c.name != name || slice != "" && c.slice != slice && c.idSlice != slice && !(c.slice == "" && c.name == slice) {
			continue
		}
		if i != len(at.children)-1 && !w.unsorted && slice == "" {
			w.report(index, fhir.Error, fhir.TypeStructure, "order",
				"the element does not follow what it is part of")
		}
		return c
	}
	// A choice named as instances do is its own slice; it is no implied slice of that name as well.
	if slice == name {
		slice = ""
	}
	c := &change{name: name, slice: slice, index: index}
	at.adopt(c)
	return c
}

func (w *work) add(at *change, def *fhir.Node, name string, index int) {
	slice, named := def.Get("sliceName").Text(), ""
	if id := segments(def.Get("id").Text()); len(id) > 0 {
		named = id[len(id)-1].slice
	}
	key := segment{name, slice}
	c := at.named[key]
	switch {
	case c == nil:
		at.adopt(&change{name: name, slice: slice, idSlice: named, def: def, props: propertiesOf(def), index: index})
	case c.def == nil:
		c.def, c.props, c.index, c.idSlice = def, propertiesOf(def), index, named
	default:
		text := "the element stands here twice"
		if slice == "" {
			text = "the element stands here twice, and has no slice name"
		}
		w.report(index, fhir.Error, fhir.TypeDuplicate, "element-duplicate", text)
	}
}

func (c *change) adopt(child *change) {
	if c.named == nil {
		c.named = map[segment]*change{}
	}
	c.named[segment{child.name, child.slice}] = child
	c.children = append(c.children, child)
}

// maxName bounds the length of a slice's name.
const maxName = 256

// maxClip bounds what of a definition is quoted in a message.
const maxClip = 120

func clip(s string) string {
	if len(s) > maxClip {
		return strings.ToValidUTF8(s[:maxClip], "") + "…"
	}
	return s
}
