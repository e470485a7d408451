package patch_test

import (
	"errors"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/patch"
)

const fuzzed = `{"resourceType":"Patient","id":"p","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},"contained":[{"resourceType":"Organization","name":"o"}],` +
	`"name":[{"given":["a","b"],"_given":[null,{"id":"x"}]},{"text":"c"}],"birthDate":"2000","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]},"deceasedBoolean":true,"shoe":{"a":[1,null]}}`

// small are limits under which no patch takes long.
var small = patch.Limits{Operations: 20, Nodes: 2000, Bytes: 1 << 16, Work: 100_000}

// checkPatched tests what must hold whatever a patch says.
func checkPatched(t *testing.T, resource *fhir.Node, got *fhir.Node, err error) {
	if !fhir.Equal(resource, tree(t, fuzzed)) {
		t.Fatal("the input is changed")
	}
	var e *patch.Error
	if err != nil {
		if got != nil || !errors.As(err, &e) || e.ID == "" || e.Text == "" {
			t.Fatalf("got %v", err)
		}
		return
	}
	again, err := fhir.Parse(got.AppendJSON(nil), fhir.Limits{})
	if err != nil || !fhir.Equal(got, again) {
		t.Fatalf("the result is no JSON: %v", err)
	}
}

func FuzzApplyJSON(f *testing.F) {
	for _, s := range []string{
		`[{"op":"add","path":"/name/-","value":{"text":"d"}},{"op":"move","from":"/name/0","path":"/x"}]`,
		`[{"op":"copy","from":"","path":"/name/0/a~1b"},{"op":"test","path":"/shoe/a","value":[1.0,null]}]`,
		`[{"op":"replace","path":"","value":[]},{"op":"remove","path":"/0"}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		operations, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		resource := tree(t, fuzzed)
		got, err := patch.ApplyJSON(resource, operations, small)
		checkPatched(t, resource, got, err)
	})
}

func FuzzApplyFHIRPath(f *testing.F) {
	for _, s := range []string{
		operations(`type=add|path=Patient.name[0]|name=given|value="valueString":"d","_valueString":{"id":"y"}`, `type=move|path=Patient.name.first().given|source=0|destination=2`),
		operations(`type=delete|path=Patient.birthDate.extension`, `type=replace|path=Patient.deceased|value="valueDateTime":"2000"`, `type=insert|path=Patient.contact|index=0|value="part":[{"name":"gender","valueCode":"male"}]`),
		operations(`type=delete|path=Patient.name.given[1]`, `type=delete|path=Patient.contained.name`, `type=add|path=Patient.birthDate|name=extension|value="part":[{"name":"url","valueUri":"v"}]`, `type=delete|path=Patient.text.div`),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parameters, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		resource := tree(t, fuzzed)
		got, err := patch.ApplyFHIRPath(resource, parameters, small)
		checkPatched(t, resource, got, err)
	})
}

func FuzzApplyXML(f *testing.F) {
	for _, s := range []string{
		diff(`<add sel="f:Patient/f:name[1]"><family value="d"/></add><remove sel="/*/f:name[f:text/@value='c']"/>`),
		diff(`<replace sel="f:Patient/f:birthDate/@value">2001</replace><add sel="f:Patient" type="@a:b" xmlns:a="u">c</add><add sel="f:Patient" type="namespace::q">v</add>`),
		diff(`<add sel="*/*[last()]" pos="before"><!--c--><?p q?>t</add><remove sel="*/text()" ws="both"/><replace sel="*/comment()"><!--d--></replace>`),
	} {
		f.Add([]byte(s))
	}
	doc, _ := fhirxml.Append(nil, tree(f, `{"resourceType":"Patient","name":[{"text":"c"}],"birthDate":"2000"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := patch.ApplyXMLDocument(doc, text, small)
		if err == nil {
			// Whatever is in it, it is XML, and a patch that does nothing leaves it as it is.
			again, err := patch.ApplyXMLDocument(out, []byte(`<d><add sel="*"/></d>`), patch.Limits{})
			if err != nil || string(again) != string(out) {
				t.Fatalf("%v\n%s\n%s", err, out, again)
			}
		}
		resource := tree(t, `{"resourceType":"Patient","name":[{"text":"c"}],"birthDate":"2000"}`)
		got, err := patch.ApplyXML(resource, text, small)
		var e *patch.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
		if err == nil {
			if _, issues := fhirxml.Append(nil, got); len(issues) > 0 {
				t.Fatalf("a result that cannot be written: %v", issues)
			}
		}
	})
}
