package fhirxml

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// The namespaces of FHIR's XML.
const (
	Namespace = "http://hl7.org/fhir"
	XHTML     = "http://www.w3.org/1999/xhtml"
	instance  = "http://www.w3.org/2001/XMLSchema-instance"
)

// DefaultMaxNodes is the default of Options.Limits.Nodes. It is lower than that of
// JSON, because a value takes up more text.
const DefaultMaxNodes = 1_000_000

// Options say how a document is read.
type Options struct {
	// Limits bound the text and the tree, as they do for JSON. A zero field means
	// its default.
	Limits fhir.Limits
}

// Parse reads a resource from its XML form. The error is a *fhir.SyntaxError: the
// text is not XML or over a limit. What XML can say and FHIR does not allow is an
// issue, with the place of the tag; what has no place in the tree is left out of
// it. The node is nil if the root is not a resource of R4, which an issue says.
// The tree's texts are parts of src, which must not be changed any more.
func Parse(src []byte, o Options) (*fhir.Node, []fhir.Issue, error) {
	lim := o.Limits
	if lim.Depth == 0 {
		lim.Depth = fhir.DefaultMaxDepth
	}
	if lim.Nodes == 0 {
		lim.Nodes = DefaultMaxNodes
	}
	// An element costs at least as much depth in the tree as in the text, but for a
	// primitive, which has none there.
	s, err := xmltext.New(src, fhir.Limits{Bytes: lim.Bytes, Depth: lim.Depth + 1})
	if err != nil {
		return nil, nil, err
	}
	r := &reader{s: s, lim: lim}
	r.path = make([]step, 0, 16)
	n := r.document()
	switch {
	case r.failure != nil:
		return nil, r.issues, r.failure
	case s.Err() != nil:
		return nil, r.issues, s.Err()
	case r.full:
		return nil, r.issues, nil
	}
	return n, r.issues, nil
}

// reader reads one document. Its methods return false, or nil where they return a
// node that cannot be absent, when reading has to end.
type reader struct {
	report

	s       *xmltext.Scanner
	lim     fhir.Limits
	depth   int // of the tree
	nodes   int
	failure *fhir.SyntaxError
}

func (r *reader) document() *fhir.Node {
	for r.s.Next() {
		if r.s.Kind != xmltext.Start {
			continue
		}
		n, ok := r.resource()
		if !ok {
			return nil
		}
		for r.s.Next() { // comments and instructions; anything else is no XML
			continue
		}
		return n
	}
	return nil
}

// issue reports at the token that was read last.
func (r *reader) issue(m fhir.Message, detail, below string) bool {
	line, column := r.s.Position(r.s.Begin)
	r.add(fhir.Error, m, detail, below, line, column)
	return !r.full
}

func (r *reader) limit(reason string, limit int) bool {
	if r.failure == nil {
		line, column := r.s.Position(r.s.Begin)
		said := texts.Say(reason, limit)
		r.failure = &fhir.SyntaxError{Line: line, Column: column, Offset: r.s.Begin, Limit: true, Reason: said.English, Chinese: said.Chinese}
	}
	return false
}

// count takes note of a value.
func (r *reader) count() bool {
	if r.nodes++; r.nodes > r.lim.Nodes {
		return r.limit("more than {1} values", r.lim.Nodes)
	}
	return true
}

// down takes note of a level of the tree.
func (r *reader) down() bool {
	if r.depth++; r.depth > r.lim.Depth {
		return r.limit("nested deeper than {1}", r.lim.Depth)
	}
	return true
}

// skip reads past the element that has just begun.
func (r *reader) skip() bool {
	depth := r.s.Depth()
	for r.s.Next() {
		if r.s.Kind == xmltext.End && r.s.Depth() < depth {
			return true
		}
	}
	return false
}

func (r *reader) stray() bool {
	if strings.Trim(r.s.Text, " \t\r\n") == "" {
		return true
	}
	return r.issue(msgText, "", "")
}

// resource reads the resource whose tag has just begun. Without a node it is one
// that R4 does not have.
func (r *reader) resource() (*fhir.Node, bool) {
	name := r.s.Name
	p := resourcePlan(name.Local)
	if name.Space != Namespace {
		return nil, r.issue(msgNamespace, Namespace, "") && r.skip()
	}
	if p == nil {
		return nil, r.issue(msgResourceTypeUnknown, "", "") && r.skip()
	}
	if len(r.path) == 0 {
		r.enter(name.Local, -1)
		defer r.leave()
	}
	if !r.down() || !r.count() || !r.count() {
		return nil, false
	}
	for _, a := range r.s.Attrs {
		hint := a.Space == instance && (a.Local == "schemaLocation" || a.Local == "noNamespaceSchemaLocation")
		if !hint && !r.issue(msgAttribute, name.Local, "") {
			return nil, false
		}
	}
	n := fhir.NewObject()
	r.place(n)
	typeName := fhir.NewString(name.Local)
	r.place(typeName)
	n.Set("resourceType", typeName)
	if !r.children(n, p) {
		return nil, false
	}
	r.depth--
	return n, true
}

// place gives a node the position of the tag that was read last.
func (r *reader) place(n *fhir.Node) *fhir.Node {
	line, column := r.s.Position(r.s.Begin)
	return n.SetPosition(line, column)
}

// children reads into n what stands in the element that has just begun.
func (r *reader) children(n *fhir.Node, p *plan) bool {
	at := siblings{order: -1}
	for r.s.Next() {
		switch r.s.Kind {
		case xmltext.End:
			return true
		case xmltext.Text:
			if !r.stray() {
				return false
			}
		case xmltext.Start:
			if !r.child(n, p, &at) {
				return false
			}
		}
	}
	return false
}

// siblings is how far the children of one element have been read.
type siblings struct {
	order         int // of the last field in its place
	field         *field
	values, extra *fhir.Node // arrays of field, if it repeats
	count         int        // of its items
}

func (r *reader) child(n *fhir.Node, p *plan, at *siblings) bool {
	name := r.s.Name
	f := p.called(name.Local, false)
	if f == nil {
		return r.issue(msgElementUnknown, p.owner, identifier(name.Local)) && r.skip()
	}
	space := Namespace
	if f.kind == narrative {
		space = XHTML
	}
	if name.Space != space {
		return r.issue(msgNamespace, space, f.path) && r.skip()
	}
	if f != at.field {
		if f.order < at.order && !r.issue(msgElementOrder, f.name, f.path) {
			return false
		}
		if f.choice && r.otherType(n, p, f) && !r.issue(msgChoiceMultiple, f.property.Element.Name, f.path) {
			return false
		}
		at.open(n, f)
	}
	if !f.repeats {
		if at.count > 0 {
			return r.issue(msgElementTooMany, f.name, f.path) && r.skip()
		}
		r.enter(f.path, -1)
		value, extra, ok := r.value(f)
		r.leave()
		if value != nil || extra != nil {
			at.count++
		}
		if value != nil {
			n.Set(f.name, value)
		}
		if extra != nil {
			n.Set("_"+f.name, extra)
		}
		return ok
	}
	if !r.down() { // the array
		return false
	}
	r.enter(f.path, at.count)
	begin := r.s.Begin
	value, extra, ok := r.value(f)
	r.leave()
	r.depth--
	if !ok {
		return false
	}
	if value != nil || extra != nil {
		return r.item(n, at, value, extra, begin)
	}
	return true
}

// open makes f the field whose items are read. One that was left before is taken
// up again.
func (at *siblings) open(n *fhir.Node, f *field) {
	again := f.order < at.order
	*at = siblings{order: max(at.order, f.order), field: f}
	if !again {
		return
	}
	at.values, at.extra = n.Get(f.name), n.Get("_"+f.name)
	if f.repeats {
		at.count = max(at.values.Len(), at.extra.Len())
	} else if at.values != nil || at.extra != nil {
		at.count = 1
	}
}

// otherType reports whether the choice that f is of has another of its types.
func (r *reader) otherType(n *fhir.Node, p *plan, f *field) bool {
	for _, k := range n.All() {
		if other := p.fields[strings.TrimPrefix(k.Name(), "_")]; other != nil && other != f && other.order == f.order {
			return true
		}
	}
	return false
}

// item adds an item to the arrays of a field. Nulls keep the places where only the
// other array has something.
func (r *reader) item(n *fhir.Node, at *siblings, value, extra *fhir.Node, begin int) bool {
	add := func(list **fhir.Node, name string, item *fhir.Node) bool {
		if *list == nil {
			if item == nil {
				return true
			}
			if !r.count() {
				return false
			}
			line, column := r.s.Position(begin)
			*list = fhir.NewArray().SetPosition(line, column)
			n.Set(name, *list)
			for range at.count {
				if !r.count() {
					return false
				}
				(*list).Append(fhir.NewNull())
			}
		}
		if item == nil {
			if !r.count() {
				return false
			}
			item = fhir.NewNull()
		}
		(*list).Append(item)
		return true
	}
	if !add(&at.values, at.field.name, value) || !add(&at.extra, "_"+at.field.name, extra) {
		return false
	}
	at.count++
	return true
}

// value reads the element that has just begun. Without value and extra it is one
// that holds nothing, which is reported.
func (r *reader) value(f *field) (value, extra *fhir.Node, ok bool) {
	switch {
	case f.kind == narrative:
		value, ok = r.narrative()
		return value, nil, ok
	case f.kind == resource:
		value, ok = r.inner(f)
		return value, nil, ok
	case f.kind.primitive():
		return r.primitive(f)
	}
	value, ok = r.complex(f.children(), f.name)
	return value, nil, ok
}

// inner reads an element that holds a resource.
func (r *reader) inner(f *field) (value *fhir.Node, ok bool) {
	begin := r.s.Begin
	for range r.s.Attrs {
		if !r.issue(msgAttribute, f.name, "") {
			return nil, false
		}
	}
	many := false
	for r.s.Next() {
		switch r.s.Kind {
		case xmltext.End:
			if !many {
				return nil, r.empty(f.name, begin)
			}
			return value, true
		case xmltext.Text:
			if !r.stray() {
				return nil, false
			}
		case xmltext.Start:
			if many {
				if !r.issue(msgResourceMany, f.name, "") || !r.skip() {
					return nil, false
				}
				continue
			}
			many = true
			if value, ok = r.resource(); !ok {
				return nil, false
			}
		}
	}
	return nil, false
}

func (r *reader) empty(name string, begin int) bool {
	line, column := r.s.Position(begin)
	r.add(fhir.Error, msgElementEmpty, name, "", line, column)
	return !r.full
}

// complex reads an element with elements below it.
func (r *reader) complex(p *plan, name string) (*fhir.Node, bool) {
	if !r.down() || !r.count() {
		return nil, false
	}
	begin := r.s.Begin
	n := r.place(fhir.NewObject())
	for _, a := range r.s.Attrs {
		f := p.called(a.Local, true)
		if f == nil || a.Space != "" {
			if !r.issue(msgAttribute, name, "") {
				return nil, false
			}
			continue
		}
		if a.Value == "" && !r.issue(msgValueEmpty, "", f.path) || !r.count() {
			return nil, false
		}
		line, column := r.s.Position(a.Offset)
		n.Set(f.name, fhir.NewString(a.Value).SetPosition(line, column))
	}
	if !r.children(n, p) {
		return nil, false
	}
	r.depth--
	if n.Len() == 0 {
		return nil, r.empty(name, begin)
	}
	return n, true
}

// primitive reads an element with a value, an id and extensions.
func (r *reader) primitive(f *field) (value, extra *fhir.Node, ok bool) {
	begin := r.s.Begin
	for _, a := range r.s.Attrs {
		switch {
		case a.Space == "" && a.Local == "value":
			if a.Value == "" && !r.issue(msgValueEmpty, "", "") || !r.count() {
				return nil, nil, false
			}
			if value, ok = r.literal(f.kind, a.Value); !ok {
				return nil, nil, false
			}
			r.place(value)
		case a.Space == "" && a.Local == "id":
			if a.Value == "" && !r.issue(msgValueEmpty, "", "id") || !r.count() || !r.count() {
				return nil, nil, false
			}
			line, column := r.s.Position(a.Offset)
			extra = r.place(fhir.NewObject()).Set("id", fhir.NewString(a.Value).SetPosition(line, column))
		default:
			if !r.issue(msgAttribute, f.name, "") {
				return nil, nil, false
			}
		}
	}
	p := f.children()
	r.depth++ // the object beside the value
	if extra != nil && r.depth > r.lim.Depth {
		return nil, nil, r.limit("nested deeper than {1}", r.lim.Depth)
	}
	at := siblings{order: -1}
	for r.s.Next() {
		switch r.s.Kind {
		case xmltext.End:
			r.depth--
			if extra != nil && extra.Len() == 0 {
				extra = nil
			}
			if value == nil && extra == nil {
				return nil, nil, r.empty(f.name, begin)
			}
			return value, extra, true
		case xmltext.Text:
			if !r.stray() {
				return nil, nil, false
			}
		case xmltext.Start:
			if extra == nil {
				if !r.count() {
					return nil, nil, false
				}
				line, column := r.s.Position(begin)
				extra = fhir.NewObject().SetPosition(line, column)
			}
			if r.depth > r.lim.Depth {
				return nil, nil, r.limit("nested deeper than {1}", r.lim.Depth)
			}
			if !r.child(extra, p, &at) {
				return nil, nil, false
			}
		}
	}
	return nil, nil, false
}

// literal makes the value of a primitive. One that is not what its type needs is
// kept as a string, as JSON could have it, for whoever looks at values.
func (r *reader) literal(k kind, text string) (*fhir.Node, bool) {
	switch k {
	case boolean:
		if text == "true" || text == "false" {
			return fhir.NewBool(text == "true"), true
		}
		return fhir.NewString(text), r.issue(msgValueBoolean, "", "")
	case integer, decimal:
		number := text
		if k == integer { // a plus is allowed here, and not in JSON
			number = strings.TrimPrefix(number, "+")
		}
		if jsonNumber(number) {
			return fhir.NewNumber(number), true
		}
		return fhir.NewString(text), r.issue(msgValueNumber, "", "")
	}
	return fhir.NewString(text), true
}

// jsonNumber reports whether a text is a number of JSON.
func jsonNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	if after, ok := strings.CutPrefix(rest, "."); ok {
		var n int
		if n, rest = digits(after); n == 0 {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		var n int
		if n, rest = digits(rest); n == 0 {
			return false
		}
	}
	return rest == ""
}

func digits(s string) (n int, rest string) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n, s[n:]
}
