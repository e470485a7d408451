package fhirxml_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		patient(`<active value="true"/><name><given id="x"/><given value="b"/></name>`),
		patient(`<contained><Organization><id value="o"/></Organization></contained><birthDate value="2000"><extension url="u"><valueDecimal value="1.0"/></extension></birthDate>`),
		patient("<text><status value=\"generated\"/>" + div + "<p>a&lt;<br/>\r\n<!-- c --></p></div></text>"),
		`<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><div><h:b a="1" xml:lang="b"/></div></f:text></f:Patient>`,
		`<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a"/>`,
		"\xff\xfe<\x00P\x00/\x00>\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, issues, err := fhirxml.Parse(text, fhirxml.Options{Limits: fhir.Limits{Bytes: 1 << 16}})
		if n == nil || err != nil {
			return
		}
		if again, err := fhir.Parse(n.AppendJSON(nil), fhir.Limits{}); err != nil || !fhir.Equal(n, again) {
			t.Fatalf("the tree is no JSON: %v", err)
		}
		out, stopped := fhirxml.Append(nil, n)
		if len(stopped) > 0 {
			if len(issues) == 0 {
				t.Fatalf("read without an issue, not written: %v", stopped)
			}
			return
		}
		back, _, err := fhirxml.Parse(out, fhirxml.Options{})
		if err != nil {
			t.Fatalf("what is written is not read: %v\n%s", err, out)
		}
		if !fhir.Equal(n, back) {
			t.Fatalf("differs:\n%s\n%s\n%s", n.AppendJSON(nil), out, back.AppendJSON(nil))
		}
	})
}

// FuzzAppend writes trees of JSON: what is written must be read as the same.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Patient","active":true,"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}`,
		`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:h=\"urn:x\"><h:b/>&lt;</div>"}}`,
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueQuantity":{"value":1.0}}}]}`,
		`{"resourceType":"Patient","extension":[{"url":"\n<&>\"","valueString":"\u0001"}],"contained":[{"resourceType":"Patient"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 16, Depth: 200})
		if err != nil {
			return
		}
		out, issues := fhirxml.Append(nil, n)
		if len(issues) > 0 {
			return
		}
		back, _, err := fhirxml.Parse(out, fhirxml.Options{})
		if err != nil {
			t.Fatalf("what is written is not read: %v\n%s", err, out)
		}
		if normal(n); !fhir.Equal(n, back) {
			t.Fatalf("differs:\n%s\n%s\n%s", n.AppendJSON(nil), out, back.AppendJSON(nil))
		}
	})
}

// normal gives narratives their namespace, as writing does.
func normal(n *fhir.Node) {
	for i, k := range n.All() {
		if k.Name() == "div" && k.Kind() == fhir.String {
			n.SetAt(i, fhir.NewString(fhirxml.StandingNarrative(k.Text())))
			continue
		}
		normal(k)
	}
}
