package fhirpath_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// xmlElement is an XML element with its text.
type xmlElement struct {
	name     string
	attrs    map[string]string
	children []*xmlElement
	raw      string // what stands between its tags
}

func parseXML(text []byte) (*xmlElement, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	var open []*xmlElement
	var starts []int64
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			e := &xmlElement{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			if len(open) > 0 {
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			}
			open = append(open, e)
			starts = append(starts, d.InputOffset())
		case xml.EndElement:
			e := open[len(open)-1]
			inner := text[starts[len(starts)-1]:d.InputOffset()]
			if i := bytes.LastIndex(inner, []byte("</")); i >= 0 {
				e.raw = string(inner[:i])
			}
			open, starts = open[:len(open)-1], starts[:len(starts)-1]
			if len(open) == 0 {
				return e, nil
			}
		}
	}
}

// resourceOfXML turns FHIR XML into the tree that its JSON would give, as far as
// tests need it.
func resourceOfXML(text []byte) (*fhir.Node, error) {
	e, err := parseXML(text)
	if err != nil {
		return nil, err
	}
	return xmlResource(e)
}

func xmlResource(e *xmlElement) (*fhir.Node, error) {
	t := definitions.R4().Type(e.name)
	if t == nil {
		return nil, fmt.Errorf("no resource type %s", e.name)
	}
	n := fhir.NewObject().SetString("resourceType", e.name)
	return n, xmlChildren(n, e, t.Child)
}

func xmlChildren(n *fhir.Node, e *xmlElement, child func(string) *definitions.Property) error {
	for _, c := range e.children {
		p := child(c.name)
		if p == nil {
			return fmt.Errorf("%s has no element %s", e.name, c.name)
		}
		value, extra, err := xmlValue(c, p)
		if err != nil {
			return err
		}
		if !p.Repeats() {
			if value != nil {
				n.Set(c.name, value)
			}
			if extra != nil {
				n.Set("_"+c.name, extra)
			}
			continue
		}
		for name, v := range map[string]*fhir.Node{c.name: value, "_" + c.name: extra} {
			list := n.Get(name)
			if list == nil {
				if strings.HasPrefix(name, "_") && definitions.R4().KindOf(p.Type) != definitions.Primitive {
					continue
				}
				list = fhir.NewArray()
				n.Set(name, list)
			}
			if v == nil {
				v = fhir.NewNull()
			}
			list.Append(v)
		}
	}
	return nil
}

func xmlValue(e *xmlElement, p *definitions.Property) (value, extra *fhir.Node, err error) {
	switch {
	case p.Type == "xhtml":
		return fhir.NewString(`<div xmlns="http://www.w3.org/1999/xhtml">` + e.raw + "</div>"), nil, nil
	case p.Type == "Resource":
		value, err = xmlResource(e.children[0])
		return value, nil, err
	case definitions.R4().KindOf(p.Type) == definitions.Primitive:
		if text, ok := e.attrs["value"]; ok {
			switch {
			case p.Type == "boolean":
				value = fhir.NewBool(text == "true")
			case p.Type == "decimal" || definitions.R4().IsA(p.Type, "integer"):
				value = fhir.NewNumber(text)
			default:
				value = fhir.NewString(text)
			}
		}
		if len(e.children) > 0 || e.attrs["id"] != "" {
			extra = fhir.NewObject()
			if id := e.attrs["id"]; id != "" {
				extra.SetString("id", id)
			}
			err = xmlChildren(extra, e, definitions.R4().Type("Element").Child)
		}
		return value, extra, err
	}
	n := fhir.NewObject()
	for _, attr := range []string{"id", "url"} {
		if v := e.attrs[attr]; v != "" {
			n.SetString(attr, v)
		}
	}
	return n, nil, xmlChildren(n, e, p.Child)
}
