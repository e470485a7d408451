package acceptance_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// element is a piece of XML: all there is to know of FHIR's is names, attributes and, in narratives, text.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	content  []string // tags and text, of a narrative
}

func readXML(text string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	root := &element{}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(root.children) != 1 {
				return nil, errors.New("no single root")
			}
			return root.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		switch v := token.(type) {
		case xml.StartElement:
			e := &element{name: v.Name.Local, attrs: map[string]string{}}
			for _, a := range v.Attr {
				if a.Name.Local != "xmlns" {
					e.attrs[a.Name.Local] = a.Value
				}
			}
			top := stack[len(stack)-1]
			top.children = append(top.children, e)
			for _, s := range stack {
				s.content = append(s.content, fmt.Sprint("<", e.name, e.attrs))
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			for _, s := range stack {
				s.content = append(s.content, ">")
			}
		case xml.CharData:
			if t := strings.Join(strings.Fields(string(v)), " "); t != "" {
				for _, s := range stack {
					s.content = append(s.content, t)
				}
			}
		}
	}
}

// sameInXML compares a resource's JSON with its XML, by the rules of https://hl7.org/fhir/R4/xml.html: a property is an
// element of that name, a list several; primitives are attributes "value", and what "_name" says of them stands inside;
// the id of what is no resource, and the url of an extension, are attributes; a resource in another one stands in an
// element of its type.
func sameInXML(at string, v map[string]any, x *element) error {
	expected := 0
	resource := v["resourceType"] == x.name // an element may be called so, too
	for name, value := range v {
		under, more := strings.CutPrefix(name, "_")
		if name == "resourceType" && resource || more && v[under] != nil {
			continue
		}
		values, about := list(v[under]), list(v["_"+under])
		if more {
			values = make([]any, len(about))
		}
		children := slices.DeleteFunc(slices.Clone(x.children), func(c *element) bool { return c.name != under })
		if text, ok := value.(string); ok && len(children) == 0 && (under == "id" || under == "url") {
			if x.attrs[under] != text {
				return fmt.Errorf("%s.%s is %q in XML", at, under, x.attrs[under])
			}
			continue
		}
		if len(children) != len(values) {
			return fmt.Errorf("%s.%s: %d elements in XML for %d", at, under, len(children), len(values))
		}
		expected += len(children)
		for i, c := range children {
			place := fmt.Sprintf("%s.%s[%d]", at, under, i)
			var extra map[string]any
			if i < len(about) {
				extra, _ = about[i].(map[string]any)
			}
			if err := sameValue(place, values[i], extra, c); err != nil {
				return err
			}
		}
	}
	if expected != len(x.children) {
		return fmt.Errorf("%s: %d elements in XML for %d", at, len(x.children), expected)
	}
	return nil
}

func sameValue(at string, v any, extra map[string]any, x *element) error {
	m, object := v.(map[string]any)
	switch {
	case x.name == "div":
		text, _ := v.(string)
		want, err := readXML(text)
		if err != nil {
			return err
		}
		if !slices.Equal(want.content, x.content) {
			return fmt.Errorf("%s: another narrative", at)
		}
		return nil
	case object && len(x.children) == 1 && x.children[0].name == m["resourceType"]:
		return sameInXML(at, m, x.children[0])
	case object:
		return sameInXML(at, m, x)
	}
	if value, ok := x.attrs["value"]; ok != (v != nil) || ok && value != fmt.Sprint(v) {
		return fmt.Errorf("%s is %q in XML and %q in JSON", at, value, fmt.Sprint(v))
	}
	return sameInXML(at, extra, x)
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func TestSameInXMLRefusesWhatDiffers(t *testing.T) {
	const right = `<Patient xmlns="http://hl7.org/fhir"><id value="a"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p class="x">Some &lt; <b>text</b></p></div></text>` +
		`<contained><Basic><id value="in"/></Basic></contained><extension url="urn:a"><valueString value="b c"/></extension>` +
		`<name id="n"><given value="A"><extension url="urn:x"><valueBoolean value="true"/></extension></given><given><extension url="urn:y"/></given></name></Patient>`
	v := map[string]any{
		"resourceType": "Patient", "id": "a",
		"text":      map[string]any{"status": "generated", "div": `<div xmlns="http://www.w3.org/1999/xhtml"><p class='x'>Some &lt;  <b>text</b></p></div>`},
		"contained": []any{map[string]any{"resourceType": "Basic", "id": "in"}},
		"extension": []any{map[string]any{"url": "urn:a", "valueString": "b c"}},
		"name": []any{map[string]any{
			"id": "n", "given": []any{"A", nil},
			"_given": []any{
				map[string]any{"extension": []any{map[string]any{"url": "urn:x", "valueBoolean": true}}},
				map[string]any{"extension": []any{map[string]any{"url": "urn:y"}}},
			},
		}},
	}
	for _, tt := range []struct{ old, new string }{
		{"", ""}, {`id value="a"`, `id value="b"`}, {`"urn:a"`, `"urn:b"`}, {"b c", "b  c"}, {`id="n"`, ""}, {`value="A"`, ""}, {`"true"`, `"false"`},
		{"<given><extension url=\"urn:y\"/></given>", ""}, {"<b>text</b>", "text"}, {`class="x"`, `class="y"`}, {"<Basic><id value=\"in\"/></Basic>", "<Group><id value=\"in\"/></Group>"},
		{"</name>", "<family value=\"F\"/></name>"}, {"</Patient>", "<active value=\"true\"/></Patient>"},
	} {
		x, err := readXML(strings.Replace(right, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := sameInXML("Patient", v, x); (err == nil) != (tt.old == "") {
			t.Errorf("%s for %s: %v", tt.new, tt.old, err)
		}
	}
}
