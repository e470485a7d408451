package snapshot

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// mergeRun applies changes to an element and its slices.
func (w *work) mergeRun(g run, changes []*change, at context) []*element {
	var whole *change
	var parts []*change
	for _, c := range changes {
		c = w.named(g, c, at)
		switch {
		case c == nil:
		case c.slice != "" && c.slice != g.main.slice: // some snapshots have a slice without the element it is a slice of
			parts = append(parts, c)
		case whole != nil:
			w.report(c.index, fhir.Error, fhir.TypeDuplicate, "element-duplicate", "the element stands here twice")
		default:
			whole = c
		}
	}
	main := g.main
	if whole != nil {
		main = w.merge(main, whole, at.child(main))
	}
	if len(parts) == 0 && (whole == nil || !whole.sliced() || !main.choice()) {
		return append([]*element{main}, g.slices...)
	}
	main = w.introduce(main, parts, at)
	byType := slicedByType(main)
	out := slices.Clone(g.slices)
	place := map[string]int{}
	for i, e := range out {
		place[e.slice] = i
	}
	for _, c := range parts {
		if i, ok := place[c.slice]; ok {
			out[i] = w.merge(out[i], c, at.child(out[i]))
			continue
		}
		e, i := w.newSlice(g.main, main, out, c, at, byType)
		if e == nil {
			continue
		}
		out = slices.Insert(out, i, e)
		for ; i < len(out); i++ {
			place[out[i].slice] = i
		}
	}
	if byType {
		main = w.closeTypes(main, out, parts, at)
	} else {
		w.roomFor(main, out, parts, at)
	}
	return append([]*element{main}, out...)
}

// roomFor checks that all slices that must be there can be. Those of a slice are part of it.
func (w *work) roomFor(main *element, parts []*element, changes []*change, at context) {
	needed := 0
	for _, e := range parts {
		if !strings.Contains(e.slice, "/") {
			needed = min(needed+max(e.props.min(), 0), unbounded)
		}
	}
	if most := main.props.max(); needed > most {
		w.report(changes[len(changes)-1].index, fhir.Warning, fhir.TypeBusinessRule, "slice-min",
			"{1}.{2}: slices that must be there {3} times have room for {4}", clip(at.path), main.name, needed, most)
	}
}

// named brings a change to the name that the base uses: valueQuantity is the slice of value[x] that has this type. It is
// value[x] itself when that has no other type and nothing is said but of what lies below. Inside a slice it is value[x]
// with this type alone: a slice is told apart for what it holds, as those of blood pressure are.
func (w *work) named(g run, c *change, at context) *change {
	if c.name == g.main.name {
		return c
	}
	stem := strings.TrimSuffix(g.main.name, "[x]")
	code := typeOfName(c.name[len(stem):], g.main.props)
	out := *c
	out.name = g.main.name
	only := len(g.main.props.types()) == 1
	if c.slice == "" && !g.main.sliced() && (at.slice || only && c.def == nil) {
		if !only {
			out.narrow(w.typed(g.main, code))
		}
		return &out
	}
	if c.slice != "" && c.slice != c.name && !slices.ContainsFunc(g.slices, func(e *element) bool { return e.slice == c.slice }) {
		w.report(c.index, fhir.Error, fhir.TypeInvalid, "slice-name",
			"the slice of {1}.{2} must be named {3}", clip(at.path), g.main.name, clip(c.name))
		return nil
	}
	// The value of an extension is of one type as a rule: a slice named in the path and by its name says which.
	out.narrows = c.slice == c.name && g.main.props.get("base").Get("path").Text() == "Extension.value[x]"
	if out.slice == "" {
		out.slice = c.name
	}
	out.narrow(w.typed(g.main, code))
	return &out
}

// narrow gives a change the type that it implies, unless it names one.
func (c *change) narrow(t *fhir.Node) {
	if c.props.get("type") != nil {
		return
	}
	c.props = c.props.with("type", fhir.NewArray(t))
	if c.def == nil {
		c.def = fhir.NewObject()
	}
}

// typed is the type of that code as an element has it, with its profiles and targets.
func (w *work) typed(e *element, code string) *fhir.Node {
	for _, t := range e.props.types() {
		if t.Get("code").Text() == code {
			return t.Clone()
		}
	}
	return fhir.NewObject().SetString("code", code)
}

// introduce sees to it that an element with slices says how it is sliced. Extensions are told apart by their URL and
// choices by their type; anything else must be told.
func (w *work) introduce(main *element, parts []*change, at context) *element {
	slicing := main.props.get("slicing")
	if slicing != nil {
		if main.choice() && slicing.Get("discriminator").Len() == 0 {
			return newElement(main.name, main.slice, main.props.with("slicing", completed(slicing)), main.children)
		}
		return main
	}
	discriminator := ""
	switch {
	case main.name == "extension" || main.name == "modifierExtension":
		discriminator = "value"
	case main.choice():
		discriminator = "type"
	default:
		w.report(parts[0].index, fhir.Error, fhir.TypeStructure, "slicing-missing",
			"{1}.{2} has slices, but nothing says how they are told apart", clip(at.path), main.name)
		return main
	}
	d := fhir.NewObject().SetString("type", discriminator).SetString("path", map[string]string{"value": "url", "type": "$this"}[discriminator])
	slicing = fhir.NewObject().Set("discriminator", fhir.NewArray(d)).
		Set("ordered", fhir.NewBool(false)).SetString("rules", "open")
	return newElement(main.name, main.slice, main.props.with("slicing", slicing), main.children)
}

// completed is the slicing of a choice with what was left out.
func completed(slicing *fhir.Node) *fhir.Node {
	out := fhir.NewObject()
	d := fhir.NewObject().SetString("type", "type").SetString("path", "$this")
	out.Set("discriminator", fhir.NewArray(d))
	for _, v := range slicing.All() {
		if v.Name() != "discriminator" {
			out.Set(v.Name(), v.Clone())
		}
	}
	if out.Get("ordered") == nil {
		out.Set("ordered", fhir.NewBool(false))
	}
	if out.Get("rules") == nil {
		out.SetString("rules", "open")
	}
	return out
}

// slicedByType reports whether the slices of a choice are its types.
func slicedByType(e *element) bool {
	d := e.props.get("slicing").Get("discriminator").Items()
	return e.choice() && len(d) == 1 && d[0].Get("type").Text() == "type" && d[0].Get("path").Text() == "$this"
}

// newSlice makes a slice that the base does not have, and finds its place. It starts as what the base says of the
// element: what the same differential says of all slices holds beside it.
func (w *work) newSlice(base, main *element, have []*element, c *change, at context, byType bool) (e *element, place int) {
	of, place := base, len(have)
	if i := strings.LastIndexByte(c.slice, '/'); i > 0 {
		// A slice of a slice follows it.
		for j, e := range have {
			if e.slice == c.slice[:i] {
				of, place = e, j+1
			} else if strings.HasPrefix(e.slice, c.slice[:i]+"/") {
				place = j + 1
			}
		}
	}
	if byType {
		var ok bool
		if c, ok = w.typeSlice(main, c, at); !ok {
			return nil, 0
		}
		place = typePlace(main, have, c.props)
	}
	if c.def == nil && !byType {
		w.report(c.index, fhir.Error, fhir.TypeStructure, "slice-missing",
			"{1}.{2} has no slice \"{3}\"", clip(at.path), main.name, clip(c.slice))
		return nil, 0
	}
	props := of.props.with("slicing", nil)
	// That the element must be there says nothing of each slice, unless there can be but one.
	if c.props.get("min") == nil && props.min() > 0 && !(byType && len(main.props.types()) == 1) {
		props = props.with("min", fhir.NewNumber("0"))
	}
	start := newElement(main.name, c.slice, props, of.children)
	in := at.child(start)
	in.newSlice, in.slicedBefore = true, base.sliced()
	return w.merge(start, c, in), place
}

// typeSlice checks that a slice of a choice is one type, and named after it.
func (w *work) typeSlice(main *element, c *change, at context) (*change, bool) {
	stem := strings.TrimSuffix(main.name, "[x]")
	codes := c.props.typeCodes()
	if len(codes) == 0 {
		if code := typeOfName(strings.TrimPrefix(c.slice, stem), main.props); code != "" {
			out := *c
			out.narrow(w.typed(main, code))
			c, codes = &out, []string{code}
		}
	}
	if len(codes) == 0 || !same(codes) {
		w.report(c.index, fhir.Error, fhir.TypeInvalid, "slice-type",
			"the slice \"{1}\" of {2}.{3} must have one type", clip(c.slice), clip(at.path), main.name)
		return c, false
	}
	if !slices.ContainsFunc(main.props.typeCodes(), func(code string) bool { return w.isA(codes[0], code) }) {
		w.report(c.index, fhir.Error, fhir.TypeBusinessRule, "type-not-allowed",
			"{1}.{2} cannot be {3}", clip(at.path), main.name, clip(codes[0]))
		return c, false
	}
	if want := stem + capital(codes[0]); c.slice != want {
		w.report(c.index, fhir.Error, fhir.TypeInvalid, "slice-name",
			"the slice \"{1}\" of {2}.{3} must be named {4}", clip(c.slice), clip(at.path), main.name, clip(want))
		return c, false
	}
	return c, true
}

// typePlace keeps the slices of a choice in the order of its types.
func typePlace(main *element, have []*element, props properties) int {
	order := main.props.typeCodes()
	rank := func(p properties) int {
		codes := p.typeCodes()
		if len(codes) == 0 {
			return len(order)
		}
		return slices.Index(order, codes[0])
	}
	for i, e := range have {
		if rank(e.props) > rank(props) {
			return i
		}
	}
	return len(have)
}

// closeTypes draws the conclusions of slices by type: one that must be there leaves no room for another, and when each
// type has its slice there can be no other.
func (w *work) closeTypes(main *element, parts []*element, changes []*change, at context) *element {
	props := main.props
	var needed []*element
	covered := map[string]bool{}
	for _, e := range parts {
		if e.props.min() > 0 {
			needed = append(needed, e)
		}
		for _, code := range e.props.typeCodes() {
			covered[code] = true
		}
	}
	if len(needed) > 0 && props.max() == 1 {
		if len(parts) > 1 {
			index := 0
			if len(changes) > 0 {
				index = changes[0].index
			}
			w.report(index, fhir.Error, fhir.TypeBusinessRule, "slice-min",
				"a slice of {1}.{2} must be there, so that no other can be", clip(at.path), main.name)
			return main
		}
		props = props.with("type", needed[0].props.get("type")).with("min", fhir.NewNumber("1"))
	}
	if len(parts) > 0 && len(changes) == len(parts) && !slices.ContainsFunc(changes, func(c *change) bool { return !c.narrows }) {
		types := fhir.NewArray()
		for _, e := range parts {
			for _, code := range e.props.typeCodes() {
				types.Append(w.typed(main, code))
			}
		}
		props = props.with("type", types)
	}
	all := len(parts) > 0 && !slices.ContainsFunc(props.typeCodes(), func(code string) bool { return !covered[code] })
	if slicing := props.get("slicing"); all && slicing.Get("rules").Text() != "closed" {
		slicing = slicing.Clone()
		props = props.with("slicing", slicing.SetString("rules", "closed"))
	}
	return newElement(main.name, main.slice, props, main.children)
}
