package fhirxml

import (
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// Append appends the XML form of a resource to dst, elements in the order of the
// definitions. What XML could not give back as it is stops it: then dst is
// returned as it came, and the issues name everything that stood in the way, with
// the place in the text the tree was read from.
func Append(dst []byte, n *fhir.Node) ([]byte, []fhir.Issue) {
	w := &writer{out: dst, entries: make([]entry, 0, 64)}
	w.path = make([]step, 0, 16)
	w.resource(n, true)
	if len(w.issues) > 0 {
		return dst, w.issues
	}
	return w.out, nil
}

// writer writes one resource. It goes on behind an issue, to find the others.
type writer struct {
	report

	out     []byte
	depth   int
	entries []entry // of the objects being written
}

// entry is one property of an object, with the one beside it for primitives.
type entry struct {
	field *field
	fhir.Element
}

func (w *writer) issue(n *fhir.Node, m fhir.Message, detail, below string) {
	line, column := n.Position()
	w.add(fhir.Error, m, detail, below, line, column)
}

// down enters one more level of the tree, unless it is one too many.
func (w *writer) down(n *fhir.Node) bool {
	if w.depth == fhir.DefaultMaxDepth {
		w.issue(n, msgTooDeep, strconv.Itoa(fhir.DefaultMaxDepth), "")
		return false
	}
	w.depth++
	return !w.full
}

func (w *writer) resource(n *fhir.Node, root bool) {
	if n.Kind() != fhir.Object {
		w.issue(n, msgResourceNotObject, "", "")
		return
	}
	name := n.Get("resourceType")
	p := resourcePlan(name.Text())
	if p == nil || name.Kind() != fhir.String {
		w.issue(n, msgResourceTypeUnknown, "", "")
		return
	}
	if !w.down(n) {
		return
	}
	defer func() { w.depth-- }()
	if root {
		w.enter(name.Text(), -1)
		defer w.leave()
	}
	base := w.collect(n, p, true)
	w.out = append(append(w.out, '<'), name.Text()...)
	if root {
		w.out = append(w.out, ` xmlns="`+Namespace+`"`...)
	}
	w.content(name.Text(), base)
}

// collect sorts the properties of an object, those that are attributes first, and
// returns where they begin.
func (w *writer) collect(n *fhir.Node, p *plan, typed bool) (base int) {
	base = len(w.entries)
	for _, k := range n.All() {
		name := k.Name()
		if typed && name == "resourceType" {
			continue
		}
		f := p.fields[name]
		beside := false
		if f == nil && len(name) > 1 && name[0] == '_' {
			if f = p.fields[name[1:]]; f != nil && !f.kind.primitive() && f.kind != narrative {
				f = nil // only primitives have something beside them
			}
			beside = f != nil
		}
		switch {
		case f == nil:
			w.issue(k, msgElementUnknown, p.owner, identifier(name))
			if w.full {
				return base
			}
			continue
		case beside && (f.attribute || f.kind == narrative):
			w.issue(k, msgAttributeExtra, f.name, f.path)
			continue
		}
		w.entry(base, f, k, beside)
	}
	own := w.entries[base:]
	if !slices.IsSortedFunc(own, inOrder) {
		slices.SortStableFunc(own, inOrder)
	}
	for i := 1; i < len(own); i++ {
		if f := own[i].field; f.choice && f.order == own[i-1].field.order {
			w.issue(own[i].first(), msgChoiceMultiple, f.property.Element.Name, f.path)
		}
	}
	return base
}

func inOrder(a, b entry) int {
	switch {
	case a.field.attribute == b.field.attribute:
		return a.field.order - b.field.order
	case a.field.attribute:
		return -1
	}
	return 1
}

func (w *writer) entry(base int, f *field, n *fhir.Node, beside bool) {
	i := slices.IndexFunc(w.entries[base:], func(e entry) bool { return e.field == f })
	if i < 0 {
		i = len(w.entries) - base
		w.entries = append(w.entries, entry{field: f})
	}
	if e := &w.entries[base+i]; beside {
		e.Extra = n
	} else {
		e.Value = n
	}
}

func (e entry) first() *fhir.Node {
	if e.Value != nil {
		return e.Value
	}
	return e.Extra
}

// content writes what stands in a tag that is begun: attributes, and the elements.
func (w *writer) content(name string, base int) {
	end := len(w.entries)
	i := base
	for ; i < end && w.entries[i].field.attribute; i++ {
		e := w.entries[i]
		if e.Value.Kind() != fhir.String {
			w.issue(e.Value, msgJSONType, "string", e.field.path)
			continue
		}
		w.attribute(e.field.name, e.Value, e.field.path)
	}
	if i == end {
		w.out = append(w.out, '/', '>')
		w.entries = w.entries[:base]
		return
	}
	w.out = append(w.out, '>')
	for ; i < end && !w.full; i++ {
		w.element(w.entries[i])
	}
	w.entries = w.entries[:base]
	w.out = append(append(append(w.out, '<', '/'), name...), '>')
}

func (w *writer) attribute(name string, value *fhir.Node, below string) {
	if !xmltext.Legal(value.Text()) {
		w.issue(value, msgCharacter, "", below)
		return
	}
	w.out = append(append(append(w.out, ' '), name...), '=', '"')
	w.out = append(xmltext.Escape(w.out, value.Text(), true), '"')
}

// element writes every repetition of a property.
func (w *writer) element(e entry) {
	f := e.field
	for _, n := range [...]*fhir.Node{e.Value, e.Extra} {
		switch {
		case n == nil:
		case f.repeats && n.Kind() != fhir.Array:
			w.issue(n, msgArrayExpected, f.name, f.path)
			return
		case !f.repeats && n.Kind() == fhir.Array:
			w.issue(n, msgArrayUnexpected, f.name, f.path)
			return
		case f.repeats && n.Len() == 0:
			w.issue(n, msgArrayEmpty, f.name, f.path)
			return
		}
	}
	if !f.repeats {
		w.enter(f.path, -1)
		w.item(f, e.Element)
		w.leave()
		return
	}
	if e.Value != nil && e.Extra != nil && e.Value.Len() != e.Extra.Len() {
		w.issue(e.Extra, msgArrayMisaligned, f.name, f.path)
		return
	}
	if !w.down(e.first()) {
		return
	}
	for i := range e.first().Len() {
		if w.full {
			break
		}
		w.enter(f.path, i)
		w.item(f, fhir.Element{Value: e.Value.At(i), Extra: e.Extra.At(i)})
		w.leave()
	}
	if f.kind.primitive() && (bare(e.Value) || bare(e.Extra)) {
		w.issue(e.first(), msgNullUnexpected, "", f.path)
	}
	w.depth--
}

// bare reports whether an array has only nulls: without it the tree would say the
// same.
func bare(n *fhir.Node) bool {
	if n == nil {
		return false
	}
	for _, k := range n.All() {
		if k.Kind() != fhir.Null {
			return false
		}
	}
	return true
}

func (w *writer) item(f *field, e fhir.Element) {
	switch {
	case f.kind.primitive():
		w.primitive(f, e)
	case f.kind == narrative:
		w.narrative(e.Value)
	case f.kind == resource:
		w.out = append(append(append(w.out, '<'), f.name...), '>')
		w.resource(e.Value, false)
		w.out = append(append(append(w.out, '<', '/'), f.name...), '>')
	default:
		w.complex(f, e.Value)
	}
}

func (w *writer) complex(f *field, n *fhir.Node) {
	if !w.object(n, f) {
		return
	}
	base := w.collect(n, f.children(), false)
	w.out = append(append(w.out, '<'), f.name...)
	w.content(f.name, base)
	w.depth--
}

// object enters what must be an object with something in it.
func (w *writer) object(n *fhir.Node, f *field) bool {
	switch {
	case n.Kind() != fhir.Object:
		w.issue(n, msgObjectExpected, f.name, "")
	case n.Len() == 0:
		w.issue(n, msgObjectEmpty, f.name, "")
	default:
		return w.down(n)
	}
	return false
}

func (w *writer) narrative(n *fhir.Node) {
	if n.Kind() != fhir.String {
		w.issue(n, msgJSONType, "string", "")
		return
	}
	text, m, ok := writableNarrative(n.Text())
	if !ok {
		w.issue(n, m, "", "")
		return
	}
	w.out = append(w.out, text...)
}

func (w *writer) primitive(f *field, e fhir.Element) {
	value, extra := e.Value, e.Extra
	if value.Kind() == fhir.Null && extra.Kind() == fhir.Null || !f.repeats && (value != nil && value.Kind() == fhir.Null || extra != nil && extra.Kind() == fhir.Null) {
		n := value
		if n == nil {
			n = extra
		}
		w.issue(n, msgNullUnexpected, "", "")
		return
	}
	base := len(w.entries)
	if extra.Kind() != fhir.Null {
		if !w.object(extra, f) {
			return
		}
		base = w.collect(extra, f.children(), false)
		w.depth--
	}
	w.out = append(append(w.out, '<'), f.name...)
	if value.Kind() != fhir.Null {
		if want := f.kind.json(); value.Kind() != want {
			w.issue(value, msgJSONType, want.String(), "")
		} else {
			w.attribute("value", value, "")
		}
	}
	w.depth++
	w.content(f.name, base)
	w.depth--
}

// json is what a primitive's value is in JSON.
func (k kind) json() fhir.Kind {
	switch k {
	case boolean:
		return fhir.Bool
	case integer, decimal:
		return fhir.Number
	}
	return fhir.String
}
