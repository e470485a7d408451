package patch

import (
	"errors"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// xmlNode is one node of an XML document.
type xmlNode struct {
	kind   xmltext.Kind // Start for an element; 0 for the document
	name   xmltext.Name // of an element; Local is the target of an instruction
	attrs  []xmltext.Attr
	spaces []xmltext.Binding // that an element of a patch can use in selectors
	text   string
	parent *xmlNode
	kids   []*xmlNode
	offset int
}

// declares is the namespace of attributes that declare a prefix. Declarations of the
// default namespace are not kept: writing makes those that are needed.
const declares = "http://www.w3.org/2000/xmlns/"

// MaxXMLNodes bounds the nodes and attributes of a document that is patched and of
// its patch, each of which takes up to 200 bytes.
const MaxXMLNodes = 250_000

// parseDocument reads a document into nodes. With selectors, elements right below
// the root remember which prefixes they know.
func parseDocument(text []byte, lim Limits, selectors bool) (*xmlNode, *xmltext.Scanner, error) {
	s, err := xmltext.New(text, fhir.Limits{Bytes: lim.Bytes, Depth: lim.Depth + 1})
	if err != nil {
		return nil, nil, err
	}
	document := &xmlNode{}
	at, count, most := document, 0, min(lim.Nodes, MaxXMLNodes)
	for s.Next() {
		if s.Kind == xmltext.End {
			at = at.parent
			continue
		}
		if count += 1 + len(s.Attrs) + len(s.Declares); count > most {
			return nil, nil, failLimit(msgNodes, most)
		}
		n := &xmlNode{kind: s.Kind, name: s.Name, text: s.Text, parent: at, offset: s.Begin}
		if n.kind == xmltext.Text {
			at.appendText(n)
			continue
		}
		at.kids = append(at.kids, n)
		if n.kind != xmltext.Start {
			continue
		}
		for _, d := range s.Declares {
			if d.Prefix != "" {
				n.attrs = append(n.attrs, declaration(d))
			}
		}
		n.attrs = append(n.attrs, s.Attrs...)
		if selectors && s.Depth() == 2 {
			n.spaces = append(n.spaces, s.Bindings()...)
		}
		at = n
	}
	return document, s, s.Err()
}

func declaration(b xmltext.Binding) xmltext.Attr {
	return xmltext.Attr{Name: xmltext.Name{Prefix: "xmlns", Local: b.Prefix, Space: declares}, Value: b.Space}
}

// appendText adds a text to an element; it continues one that ends there.
func (n *xmlNode) appendText(t *xmlNode) {
	if t.text == "" {
		return
	}
	if i := len(n.kids) - 1; i >= 0 && n.kids[i].kind == xmltext.Text {
		n.kids[i].text += t.text
		return
	}
	n.kids = append(n.kids, t)
}

// root is the element of a document.
func (n *xmlNode) root() *xmlNode {
	for _, k := range n.kids {
		if k.kind == xmltext.Start {
			return k
		}
	}
	return nil
}

// blank reports whether a node is white space.
func (n *xmlNode) blank() bool {
	return n.kind == xmltext.Text && strings.Trim(n.text, " \t\r\n") == ""
}

// join makes texts that have become neighbours one, as they are when they are read.
func (n *xmlNode) join() {
	kids := n.kids
	n.kids = n.kids[:0:0]
	for _, k := range kids {
		k.parent = n
		if k.kind == xmltext.Text {
			n.appendText(k)
			continue
		}
		n.kids = append(n.kids, k)
	}
}

// append writes a node, within elements whose default namespace is outer and which
// declare prefixes. A character that XML does not have, and what cannot stand in a
// comment, cannot be there: all of it was read from XML.
func (n *xmlNode) append(dst []byte, outer string, prefixes []xmltext.Binding) []byte {
	switch n.kind {
	case xmltext.Text:
		return xmltext.Escape(dst, n.text, false)
	case xmltext.Comment:
		return append(append(append(dst, "<!--"...), n.text...), "-->"...)
	case xmltext.Instruction:
		dst = append(append(dst, "<?"...), n.name.Local...)
		return append(append(append(dst, ' '), n.text...), "?>"...)
	case xmltext.Start:
	default:
		for _, k := range n.kids {
			dst = k.append(dst, "", nil)
		}
		return dst
	}
	dst = append(append(dst, '<'), n.name.Local...)
	if n.name.Space != outer {
		dst = appendAttr(dst, "xmlns", n.name.Space)
	}
	own := len(prefixes)
	prefixes = prefixes[:own:own]
	for _, a := range n.attrs {
		if a.Space == declares {
			prefixes = append(prefixes, xmltext.Binding{Prefix: a.Local, Space: a.Value})
			dst = appendAttr(dst, "xmlns:"+a.Local, a.Value)
		}
	}
	for _, a := range n.attrs {
		switch {
		case a.Space == declares:
		case a.Space == "":
			dst = appendAttr(dst, a.Local, a.Value)
		case a.Prefix == "xml":
			dst = appendAttr(dst, "xml:"+a.Local, a.Value)
		default:
			prefix := prefixFor(prefixes, a.Name)
			if !bound(prefixes, prefix, a.Space) {
				prefixes = append(prefixes, xmltext.Binding{Prefix: prefix, Space: a.Space})
				dst = appendAttr(dst, "xmlns:"+prefix, a.Space)
			}
			dst = appendAttr(dst, prefix+":"+a.Local, a.Value)
		}
	}
	if len(n.kids) == 0 {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	for _, k := range n.kids {
		dst = k.append(dst, n.name.Space, prefixes)
	}
	return append(append(append(dst, '<', '/'), n.name.Local...), '>')
}

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), '=', '"')
	return append(xmltext.Escape(dst, value, true), '"')
}

// bound reports whether a prefix stands for a namespace; the last declaration counts.
func bound(prefixes []xmltext.Binding, prefix, space string) bool {
	for i := len(prefixes) - 1; i >= 0; i-- {
		if prefixes[i].Prefix == prefix {
			return prefixes[i].Space == space
		}
	}
	return false
}

// prefixFor returns a prefix for an attribute: its own, if that is free or right,
// another that stands for the namespace, or a new one.
func prefixFor(prefixes []xmltext.Binding, name xmltext.Name) string {
	if bound(prefixes, name.Prefix, name.Space) {
		return name.Prefix
	}
	taken := map[string]bool{"": true}
	for _, b := range prefixes {
		if bound(prefixes, b.Prefix, name.Space) {
			return b.Prefix
		}
		taken[b.Prefix] = true
	}
	prefix := name.Prefix
	for i := 1; taken[prefix]; i++ {
		prefix = "ns" + strconv.Itoa(i)
	}
	return prefix
}

// syntaxError turns what the reader of XML says into an Error.
func syntaxError(m fhir.Message, what string, err error) error {
	var syntax *fhir.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	e := fail(m, texts.Say(what, syntax))
	e.Line, e.Column, e.Limit = syntax.Line, syntax.Column, syntax.Limit
	return e
}
