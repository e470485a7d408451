package snapshot

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// context is where a change is applied.
type context struct {
	path       string // of the element, with slices
	url        string // of the definition whose differential it is
	specialize bool   // elements that the base does not have are new ones
	depth      int

	slice        bool // the element is part of a slice whose elements are written down in the base
	newSlice     bool // the element is a slice that the base does not have
	slicedBefore bool // and the base has others
}

func (c context) child(e *element) context {
	path := c.path + "." + e.name
	if e.slice != "" {
		path += ":" + e.slice
	}
	return context{path: path, url: c.url, specialize: c.specialize, depth: c.depth + 1, slice: c.slice || e.slice != ""}
}

// merge applies a change, and those below it, to an element.
func (w *work) merge(e *element, c *change, at context) *element {
	if at.depth > maxDepth || !w.step(1) || !w.put(c.props) {
		return e
	}
	props := e.props
	own := e.children
	if c.def != nil {
		props, own = w.apply(e, c, at)
	}
	if len(c.children) == 0 {
		return newElement(e.name, e.slice, props, own)
	}
	if own == nil {
		props, own = w.unfold(props, c, at)
		at.slice = false
	}
	children := w.mergeChildren(own, c.children, at)
	return newElement(e.name, e.slice, props, children)
}

// unfold finds what lies below an element whose children were not written down: those of the element its content
// reference points to, or of its type or profile.
func (w *work) unfold(props properties, c *change, at context) (properties, []*element) {
	if ref := props.get("contentReference").Text(); ref != "" {
		target := w.referenced(ref)
		if target == nil {
			w.report(c.index, fhir.Error, fhir.TypeNotFound, "reference-missing",
				"{1} refers to {2}, which does not exist", clip(at.path), clip(ref))
			return props, nil
		}
		return props.with("contentReference", nil).with("type", target.props.get("type")), target.children
	}
	types := props.types()
	var s *structure
	switch codes := props.typeCodes(); {
	case len(types) == 0 && at.specialize:
		return props, nil
	case len(types) == 1:
		if profiles := types[0].Get("profile").Items(); len(profiles) == 1 {
			s = w.unfolded(profiles[0].Text(), c, at)
		}
		if s == nil {
			s = w.structure(canonicalOf(codes[0]))
		}
	case len(types) > 1 && same(codes):
		s = w.structure(canonicalOf(codes[0]))
	case len(types) > 1:
		// What all types have in common: id and extension.
		s = w.structure(definitions + "Element")
	}
	if s == nil {
		w.report(c.index, fhir.Error, fhir.TypeNotFound, "type-unknown",
			"{1} has no type whose elements are known", clip(at.path))
		return props, nil
	}
	return props, s.root.children
}

// unfolded is the profile below which a change goes on. What cannot be had was said when the change named it.
func (w *work) unfolded(url string, c *change, at context) *structure {
	if w.making(url) {
		w.cut++
		return nil
	}
	if c.props.get("type") != nil && !at.slicedBefore {
		return w.structure(url)
	}
	return w.profile(url, c, at)
}

func same(list []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return s != list[0] })
}

// referenced finds the element of a content reference, "#Type.path" or "URL#Type.path".
func (w *work) referenced(ref string) *element {
	url, path, ok := strings.Cut(ref, "#")
	if !ok {
		return nil
	}
	name, _, _ := strings.Cut(path, ".")
	if w.root != nil && w.root.name == name {
		// The base is the base profile's, but what a reference repeats is the type's own.
		if e := (&structure{root: w.root}).find(path); e != nil && url == "" {
			return e
		}
	}
	if url == "" {
		url = canonicalOf(name)
	}
	if s := w.structure(url); s != nil {
		return s.find(path)
	}
	return nil
}

// mergeChildren applies changes to the children of an element.
func (w *work) mergeChildren(children []*element, changes []*change, at context) []*element {
	if len(changes) == 0 {
		return children
	}
	groups := runs(children)
	index := make(map[string]int, len(groups))
	for i, g := range groups {
		index[g.main.name] = i
	}
	of := make([][]*change, len(groups))
	var added []*change
	last := 0
	for _, c := range changes {
		i, ok := index[c.name]
		if !ok {
			i, ok = choiceNamed(c.name, groups)
		}
		switch {
		case !ok && at.specialize:
			added = append(added, c)
			continue
		case !ok:
			w.report(c.index, fhir.Error, fhir.TypeStructure, "path-unknown",
				"{1} has no element \"{2}\"", clip(at.path), clip(c.name))
			continue
		case i < last && !w.unsorted:
			w.report(c.index, fhir.Error, fhir.TypeStructure, "order",
				"\"{1}\" does not stand in the order of the elements of {2}", clip(c.name), clip(at.path))
		}
		last = max(last, i)
		of[i] = append(of[i], c)
	}
	out := make([]*element, 0, len(children)+len(added))
	for i, g := range groups {
		if len(of[i]) == 0 {
			out = append(append(out, g.main), g.slices...)
			continue
		}
		out = append(out, w.mergeRun(g, of[i], at)...)
	}
	return append(out, w.added(added, at)...)
}

// choiceNamed finds the choice that a name such as valueQuantity belongs to.
func choiceNamed(name string, groups []run) (int, bool) {
	for i, g := range groups {
		stem, ok := strings.CutSuffix(g.main.name, "[x]")
		if !ok {
			continue
		}
		if rest, ok := strings.CutPrefix(name, stem); ok && rest != "" && typeOfName(rest, g.main.props) != "" {
			return i, true
		}
	}
	return 0, false
}

// typeOfName finds the type that the end of a choice's name means.
func typeOfName(rest string, props properties) string {
	for _, code := range props.typeCodes() {
		if capital(code) == rest {
			return code
		}
	}
	return ""
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// added makes the elements that a specialization adds to its base, slices of them included.
func (w *work) added(changes []*change, at context) []*element {
	var out []*element
	for len(changes) > 0 {
		c := changes[0]
		var rest, group []*change
		for _, o := range changes[1:] {
			if o.name == c.name {
				group = append(group, o)
			} else {
				rest = append(rest, o)
			}
		}
		changes = rest
		e := newElement(c.name, "", nil, nil)
		in := at.child(e)
		if c.def == nil {
			w.report(c.index, fhir.Error, fhir.TypeStructure, "path-unknown",
				"{1} is not defined, only what lies below it", clip(in.path))
			continue
		}
		props := sourced(c.props, at.url)
		props = props.with("base", baseOf(unsliced(in.path), props))
		e = newElement(c.name, "", props, nil)
		if len(c.children) > 0 {
			var own []*element
			if len(props.types()) > 0 || props.get("contentReference") != nil {
				props, own = w.unfold(props, c, in)
			}
			e = newElement(c.name, "", props, w.mergeChildren(own, c.children, in))
		}
		if len(group) == 0 {
			out = append(out, e)
			continue
		}
		out = append(out, w.mergeRun(run{main: e}, group, at)...)
	}
	return out
}

// unsliced is a path without slices.
func unsliced(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, ":")
	}
	return strings.Join(parts, ".")
}
