package patch

import (
	"errors"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// ApplyXML applies an XML Patch to the XML form of a resource. The patch is a
// document whose root, whatever its name, holds add, replace and remove elements;
// they are in the root's namespace. The error is an *Error.
func ApplyXML(resource *fhir.Node, patch []byte, lim Limits) (*fhir.Node, error) {
	lim = lim.withDefaults()
	doc, issues := fhirxml.Append(nil, resource)
	if len(issues) > 0 {
		e := fail(msgResource, texts.Say("writable as XML: {1}", issues[0]))
		e.Expression = issues[0].Expression
		return nil, e
	}
	out, err := ApplyXMLDocument(doc, patch, lim)
	if err != nil {
		return nil, err
	}
	n, issues, err := fhirxml.Parse(out, fhirxml.Options{Limits: fhir.Limits{Bytes: lim.Bytes, Depth: lim.Depth, Nodes: lim.Nodes}})
	var syntax *fhir.SyntaxError
	if errors.As(err, &syntax) {
		e := fail(msgResult, syntax)
		e.Limit = syntax.Limit
		return nil, e
	}
	for _, i := range issues {
		if i.ID != fhirxml.OutOfOrder {
			e := fail(msgResult, i)
			e.Expression = i.Expression
			return nil, e
		}
	}
	return n, nil
}

// ApplyXMLDocument applies an XML Patch to any document. Namespaces may be declared
// elsewhere than they were, and elements lose their prefixes. The error is an *Error.
func ApplyXMLDocument(doc, patch []byte, lim Limits) ([]byte, error) {
	lim = lim.withDefaults()
	operations, s, err := parseDocument(patch, lim, true)
	if err != nil {
		return nil, syntaxError(msgMalformed, "XML that can be read: {1}", err)
	}
	document, _, err := parseDocument(doc, lim, false)
	if err != nil {
		return nil, syntaxError(msgResource, "XML that can be read: {1}", err)
	}
	p := &xmlPatch{budget: budget{lim: lim}, document: document}
	root := operations.root()
	i := 0
	for _, k := range root.kids {
		line, column := s.Position(k.offset)
		switch {
		case k.kind == xmltext.Start && i == lim.Operations:
			return nil, at(failLimit(msgOperations, lim.Operations), -1, "", line, column)
		case k.kind == xmltext.Start:
			if err := p.operation(k, root.name.Space); err != nil {
				return nil, at(err, i, "", line, column)
			}
			i++
		case k.kind == xmltext.Text && !k.blank():
			return nil, at(fail(msgMalformed, "a list of operations: there is text between them"), -1, "", line, column)
		}
	}
	if i == 0 {
		return nil, fail(msgEmpty)
	}
	out := document.append(nil, "", nil)
	if len(out) > lim.Bytes {
		return nil, failLimit(msgBytes, lim.Bytes)
	}
	return out, nil
}

// xmlPatch is an XML Patch being applied to a document, which is ours.
type xmlPatch struct {
	budget
	document *xmlNode
}

func (p *xmlPatch) operation(o *xmlNode, space string) error {
	known := o.name.Space == space && (o.name.Local == "add" || o.name.Local == "replace" || o.name.Local == "remove")
	if !known {
		return fail(msgUnknown, "add, replace and remove")
	}
	given := map[string]string{}
	for _, a := range o.attrs {
		if a.Space == "" {
			given[a.Local] = a.Value
		}
	}
	sel, ok := given["sel"]
	if !ok {
		return fail(msgMissing, "sel")
	}
	s, err := parseSelector(sel, o.spaces)
	if err != nil {
		return err
	}
	found, err := p.choose(s, p.document)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fail(msgNone)
	case len(found) > 1:
		return fail(msgMany)
	}
	parent := found[0].node.parent
	if parent == nil {
		return fail(msgTarget, "a node below the document")
	}
	if err := p.spend(len(parent.kids) + len(found[0].node.kids)); err != nil { // what is moved, and joined
		return err
	}
	switch o.name.Local {
	case "add":
		return p.add(o, found[0], given)
	case "replace":
		return p.replace(o, found[0])
	}
	return p.remove(o, found[0], given["ws"])
}

func (p *xmlPatch) add(o *xmlNode, t target, given map[string]string) error {
	kind, pos := given["type"], given["pos"]
	if t.attribute >= 0 {
		return fail(msgTarget, "a node to which something can be added")
	}
	if kind != "" {
		if pos != "" || t.node.kind != xmltext.Start {
			return fail(msgPart, "pos, or the target, with a type")
		}
		return addAttribute(o, t.node, kind)
	}
	content := o.kids
	switch pos {
	case "", "prepend":
		if t.node.kind != xmltext.Start {
			return fail(msgTarget, "an element")
		}
		i := len(t.node.kids)
		if pos == "prepend" {
			i = 0
		}
		t.node.kids = slices.Insert(t.node.kids, i, content...)
		t.node.join()
		return nil
	case "before", "after":
		i := t.node.place()
		if pos == "after" {
			i++
		}
		parent := t.node.parent
		if parent == p.document && slices.ContainsFunc(content, beside) {
			return fail(msgTarget, "a node beside which an element or text may stand")
		}
		parent.kids = slices.Insert(parent.kids, i, content...)
		parent.join()
		return nil
	}
	return fail(msgPart, "pos")
}

// beside reports whether a node may not stand beside the root.
func beside(n *xmlNode) bool {
	return n.kind == xmltext.Start || n.kind == xmltext.Text && !n.blank()
}

// place is where a node stands in its parent.
func (n *xmlNode) place() int { return slices.Index(n.parent.kids, n) }

// addAttribute adds an attribute, or the declaration of a prefix.
func addAttribute(o, n *xmlNode, kind string) error {
	value, ok := onlyText(o)
	if !ok {
		return fail(msgPart, "content that is not text")
	}
	var a xmltext.Attr
	if prefix, ok := strings.CutPrefix(kind, "namespace::"); ok {
		q := selectorParser{text: prefix}
		name, err := q.ncName()
		if err != nil || q.pos < len(prefix) || name == "xml" || name == "xmlns" || value == "" || value == declares {
			return fail(msgPart, "type")
		}
		a = declaration(xmltext.Binding{Prefix: name, Space: value})
	} else {
		q := selectorParser{text: kind, spaces: o.spaces}
		if !q.take("@") {
			return fail(msgPart, "type")
		}
		name, err := q.qName(true)
		if err != nil || q.pos < len(kind) || name.Local == "xmlns" {
			return fail(msgPart, "type")
		}
		a = xmltext.Attr{Name: name, Value: value}
	}
	if len(n.attrs) >= xmltext.MaxAttributes {
		return fail(msgTarget, "an element that may have one more attribute")
	}
	for _, other := range n.attrs {
		if other.Local == a.Local && other.Space == a.Space {
			return fail(msgExists)
		}
	}
	n.attrs = append(n.attrs, a)
	return nil
}

// onlyText returns the content of an operation that gives a text.
func onlyText(o *xmlNode) (string, bool) {
	switch {
	case len(o.kids) == 0:
		return "", true
	case len(o.kids) == 1 && o.kids[0].kind == xmltext.Text:
		return o.kids[0].text, true
	}
	return "", false
}

func (p *xmlPatch) replace(o *xmlNode, t target) error {
	if t.attribute >= 0 || t.node.kind == xmltext.Text {
		value, ok := onlyText(o)
		switch {
		case !ok:
			return fail(msgPart, "content that is not text")
		case t.attribute >= 0:
			t.node.attrs[t.attribute].Value = value
		case value == "":
			t.node.remove()
		default:
			t.node.text = value
		}
		return nil
	}
	content := slices.DeleteFunc(o.kids, (*xmlNode).blank)
	if len(content) != 1 || content[0].kind != t.node.kind {
		return fail(msgPart, "content that is not one node of the kind it replaces")
	}
	parent := t.node.parent
	parent.kids[t.node.place()] = content[0]
	content[0].parent = parent
	return nil
}

func (n *xmlNode) remove() {
	parent, i := n.parent, n.place()
	parent.kids = slices.Delete(parent.kids, i, i+1)
	parent.join()
}

func (p *xmlPatch) remove(o *xmlNode, t target, ws string) error {
	if slices.ContainsFunc(o.kids, func(k *xmlNode) bool { return !k.blank() }) {
		return fail(msgPart, "content of a removal")
	}
	if t.attribute >= 0 {
		t.node.attrs = slices.Delete(t.node.attrs, t.attribute, t.attribute+1)
		return nil
	}
	parent := t.node.parent
	if parent == p.document && t.node.kind == xmltext.Start {
		return fail(msgTarget, "something in the document: its root cannot be removed")
	}
	i := t.node.place()
	from, to := i, i+1
	switch ws {
	case "":
	case "before", "after", "both":
		if ws != "after" {
			from--
		}
		if ws != "before" {
			to++
		}
		if from < 0 || to > len(parent.kids) || from < i && !parent.kids[from].blank() || to > i+1 && !parent.kids[to-1].blank() {
			return fail(msgTarget, "a node with white space beside it")
		}
	default:
		return fail(msgPart, "ws")
	}
	parent.kids = slices.Delete(parent.kids, from, to)
	parent.join()
	return nil
}
