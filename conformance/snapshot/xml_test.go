package snapshot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// definition reads a resource as JSON or XML.
func definition(t *testing.T, path string) *fhir.Node {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) == ".json" {
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		return n
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		if start, ok := tok.(xml.StartElement); ok {
			n, err := readResource(d, start)
			if err != nil {
				t.Fatalf("%s: %v", filepath.Base(path), err)
			}
			return n
		}
	}
}

func readResource(d *xml.Decoder, start xml.StartElement) (*fhir.Node, error) {
	n := fhir.NewObject().SetString("resourceType", start.Name.Local)
	t := definitions.R4().Type(start.Name.Local)
	if t == nil {
		return n, d.Skip()
	}
	return n, readChildren(d, n, t.Child)
}

// readChildren reads elements up to the end of the open one. Those that R4 does not know are left out: the corpus has
// definitions of other versions among the inputs.
func readChildren(d *xml.Decoder, n *fhir.Node, child func(string) *definitions.Property) error {
	for {
		tok, err := d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			p := child(tok.Name.Local)
			if p == nil || p.Type == "xhtml" {
				if err := d.Skip(); err != nil {
					return err
				}
				continue
			}
			if err := readProperty(d, tok, n, p); err != nil {
				return err
			}
		}
	}
}

func readProperty(d *xml.Decoder, start xml.StartElement, n *fhir.Node, p *definitions.Property) error {
	attrs := map[string]string{}
	for _, a := range start.Attr {
		attrs[a.Name.Local] = a.Value
	}
	below := p.Child
	object := fhir.NewObject()
	primitive := definitions.R4().KindOf(p.Type) == definitions.Primitive
	if primitive {
		below = definitions.R4().Type("Element").Child
	}
	for _, name := range []string{"id", "url"} {
		if v, ok := attrs[name]; ok {
			object.SetString(name, v)
		}
	}
	if err := readChildren(d, object, below); err != nil {
		return err
	}
	if !primitive {
		put(n, p, p.Name, object)
		return nil
	}
	if v, ok := attrs["value"]; ok {
		var value *fhir.Node
		switch {
		case p.Type == "boolean":
			value = fhir.NewBool(v == "true")
		case p.Type == "decimal" || definitions.R4().IsA(p.Type, "integer"):
			value = fhir.NewNumber(v)
		default:
			value = fhir.NewString(v)
		}
		put(n, p, p.Name, value)
	} else if p.Repeats() {
		put(n, p, p.Name, fhir.NewNull())
	}
	if object.Len() > 0 {
		if p.Repeats() {
			return nil // no case has extensions on primitives that repeat
		}
		n.Set("_"+p.Name, object)
	}
	return nil
}

func put(n *fhir.Node, p *definitions.Property, name string, value *fhir.Node) {
	if !p.Repeats() {
		n.Set(name, value)
		return
	}
	list := n.Get(name)
	if list == nil {
		list = fhir.NewArray()
		n.Set(name, list)
	}
	list.Append(value)
}
