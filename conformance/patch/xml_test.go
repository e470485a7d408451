package patch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
)

func diff(operations string) string {
	return `<diff xmlns="http://hl7.org/fhir">` + operations + `</diff>`
}

func TestApplyXML(t *testing.T) {
	const resource = `{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`
	for _, tt := range []struct{ name, patch, want string }{
		{"replaces the value of an attribute", `<replace sel="/f:Patient/f:gender/@value">female</replace>`,
			`{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"female"}`},
		{"replaces an element chosen by what stands in it", `<replace sel="f:Patient/f:name[f:use/@value='official']/f:given[2]"><given value="d"/></replace>`,
			`{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","d"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`},
		{"removes an element chosen by its attribute", `<remove sel="f:Patient/f:name[@id='n2']"/>`,
			`{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","b"]}],"gender":"male"}`},
		{"removes the last", `<remove sel="f:Patient/f:name[1]/f:given[last()]"/>`,
			`{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`},
		{"adds before and after", `<add sel="f:Patient/f:gender" pos="before"><active value="true"/></add><add sel="f:Patient/f:gender" pos="after"><birthDate value="2000"/></add>`,
			`{"resourceType":"Patient","id":"p","active":true,"name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male","birthDate":"2000"}`},
		{"does not mind the order of elements", `<add sel="f:Patient"><active value="true"/></add>`,
			`{"resourceType":"Patient","id":"p","active":true,"name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`},
		{"adds an id", `<add sel="*/f:gender" type="@id">g</add>`,
			`{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male","_gender":{"id":"g"}}`},
		{"adds a narrative", `<add sel="f:Patient/f:id" pos="after"><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a<b>c</b> &lt;</div></text></add>`,
			`{"resourceType":"Patient","id":"p","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a<b>c</b> &lt;</div>"},"name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`},
		{"applies one operation to the result of another", `<add sel="f:Patient"><birthDate value="2000"/></add><replace sel="Patient/birthDate/@value">2001</replace>`,
			`{"resourceType":"Patient","id":"p","birthDate":"2001","name":[{"use":"official","given":["a","b"]},{"id":"n2","use":"usual","text":"c"}],"gender":"male"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := tree(t, resource)
			got, err := patch.ApplyXML(n, []byte(diff(tt.patch)), patch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !fhir.Equal(got, tree(t, tt.want)) {
				t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), tt.want)
			}
			if !fhir.Equal(n, tree(t, resource)) {
				t.Error("the input is changed")
			}
		})
	}
}

func TestApplyXMLRefusesResults(t *testing.T) {
	const resource = `{"resourceType":"Patient","gender":"male"}`
	for _, tt := range []struct{ name, resource, patch, id string }{
		{"an element that R4 does not have", resource, `<add sel="f:Patient"><shoe value="1"/></add>`, "patch-result"},
		{"text between elements", resource, `<add sel="f:Patient">a</add>`, "patch-result"},
		{"an element of another namespace", resource, `<add sel="f:Patient"><active xmlns="" value="true"/></add>`, "patch-result"},
		{"an element that is empty now", resource, `<remove sel="f:Patient/f:gender/@value"/>`, "patch-result"},
		{"another root", resource, `<replace sel="f:Patient"><Shoe/></replace>`, "patch-result"},
		{"a result that is too deep", resource, `<add sel="f:Patient" pos="prepend">` + strings.Repeat(`<extension url="a">`, 64) + strings.Repeat(`</extension>`, 64) + `</add>`, "patch-result"},
		{"a resource that XML cannot write", `{"resourceType":"Patient","shoe":1}`, `<remove sel="f:Patient/f:gender"/>`, "patch-resource"},
		{"a resource that is none", `{}`, `<remove sel="f:Patient/f:gender"/>`, "patch-resource"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.ApplyXML(tree(t, tt.resource), []byte(diff(tt.patch)), patch.Limits{})
			expectError(t, got, err, tt.id)
		})
	}
}

func TestApplyXMLDocument(t *testing.T) {
	for _, tt := range []struct{ name, doc, patch, want string }{
		{"prepends", `<a>x</a>`, `<diff><add sel="a" pos="prepend">y</add></diff>`, `<a>yx</a>`},
		{"makes texts that meet one", `<a>x<b/>y<c/>z</a>`, `<diff><remove sel="a/b"/><replace sel="a/text()[1]">w</replace></diff>`, `<a>w<c/>z</a>`},
		{"counts sections of CDATA as text", `<a>x<![CDATA[<]]>y</a>`, `<diff><replace sel="a/text()">z&gt;</replace></diff>`, `<a>z&gt;</a>`},
		{"removes white space with a node", `<a> <b/>  <c/></a>`, `<diff><remove sel="a/b" ws="both"/></diff>`, `<a><c/></a>`},
		{"removes white space before it", `<a> <b/>  <c/></a>`, `<diff><remove sel="a/b" ws="before"/></diff>`, `<a>  <c/></a>`},
		{"removes white space behind it", `<a> <b/>  <c/></a>`, `<diff><remove sel="a/b" ws="after"/></diff>`, `<a> <c/></a>`},
		{"replaces text by nothing", `<a>x<b/></a>`, `<diff><replace sel="a/text()"/></diff>`, `<a><b/></a>`},
		{"replaces an instruction", `<a><?p q?></a>`, `<diff><replace sel="a/processing-instruction()"><?r s?></replace></diff>`, `<a><?r s?></a>`},
		{"adds a comment beside the root", `<a/>`, `<diff><add sel="a" pos="before"><!--c--></add><add sel="a" pos="after"><!--d--></add></diff>`, `<!--c--><a/><!--d-->`},
		{"replaces the root", `<a/>`, `<diff> <replace sel="a"> <b/> </replace> </diff>`, `<b/>`},
		{"knows the prefixes of the patch", `<a xmlns="u"><b xmlns="v"/></a>`, `<p:diff xmlns:p="p" xmlns:x="u"><p:remove xmlns:y="v" sel="x:a/y:b"/></p:diff>`, `<a xmlns="u"/>`},
		{"knows the default namespace of the patch", `<a xmlns="u"/>`, `<diff xmlns="u"><add sel="a"><b/><c xmlns=""/></add></diff>`, `<a xmlns="u"><b/><c xmlns=""/></a>`},
		{"declares the prefix of an attribute that it adds", `<a/>`, `<diff xmlns:p="u"><add sel="a" type="@p:b">c</add></diff>`, `<a xmlns:p="u" p:b="c"/>`},
		{"finds another prefix where its own is taken", `<a xmlns:p="v"><b xmlns:p="w" p:c="1"/></a>`, `<diff xmlns:p="u"><add sel="a/b" type="@p:c">d</add></diff>`, `<a xmlns:p="v"><b xmlns:p="w" p:c="1" xmlns:ns1="u" ns1:c="d"/></a>`},
		{"uses the prefix that there is", `<a xmlns:q="u"/>`, `<diff xmlns:p="u"><add sel="a" type="@p:c">d</add></diff>`, `<a xmlns:q="u" q:c="d"/>`},
		{"keeps the language", `<a xml:lang="zh"/>`, `<diff><replace sel="a/@xml:lang">en</replace></diff>`, `<a xml:lang="en"/>`},
		{"tests the text of an element", `<a><b>x<c>y</c></b><b>z</b></a>`, `<diff><remove sel="a/b[.='xy']"/></diff>`, `<a><b>z</b></a>`},
		{"tests the text of a child", `<a><b><c>y</c></b><b><c>z</c></b></a>`, `<diff><remove sel='a/b[c="z"]'/></diff>`, `<a><b><c>y</c></b></a>`},
		{"tests that something is there", `<a><b/><b c="1"/></a>`, `<diff><remove sel="a/b[@c]"/></diff>`, `<a><b/></a>`},
		{"tests several things", `<a><b c="1" d="2"/><b c="1" d="3"/><b c="1" d="3"/></a>`, `<diff><remove sel="a/b[ @c = '1' and @d='3' ][position()=2]"/></diff>`, `<a><b c="1" d="2"/><b c="1" d="3"/></a>`},
		{"tests the attribute it has chosen", `<a b="1" c="2"/>`, `<diff><remove sel="a/@*[.='2']"/></diff>`, `<a b="1"/>`},
		{"stays at an attribute", `<a b="1"/>`, `<diff><remove sel="a/@b/."/></diff>`, `<a/>`},
		{"tests the text of a comment", `<a><!--x--><!--y--></a>`, `<diff><remove sel="a/comment()[.='y']"/></diff>`, `<a><!--x--></a>`},
		{"knows XHTML by h", `<a><p xmlns="http://www.w3.org/1999/xhtml"/></a>`, `<diff><remove sel="a/h:p"/></diff>`, `<a/>`},
		{"goes nowhere with a dot", `<a><b/></a>`, `<diff><remove sel="/a/b[.]/."/></diff>`, `<a/>`},
		{"writes what an attribute would lose", `<a/>`, "<diff><add sel='a' type='@b'>&#10;&lt;\"</add></diff>", `<a b="&#10;&lt;&quot;"/>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.ApplyXMLDocument([]byte(tt.doc), []byte(tt.patch), patch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestApplyXMLDocumentRefuses(t *testing.T) {
	const doc = `<a x="1">t<b> <c/></b><b/><!--c--></a>`
	for _, tt := range []struct{ name, operation, id string }{
		{"an unknown operation", `<delete sel="a"/>`, "patch-operation-unknown"},
		{"an operation of another namespace", `<remove xmlns="u" sel="a/@x"/>`, "patch-operation-unknown"},
		{"no selector", `<remove/>`, "patch-part-missing"},
		{"an empty selector", `<remove sel=""/>`, "patch-path-syntax"},
		{"a selector that goes up", `<remove sel="a/b/../@x"/>`, "patch-path-syntax"},
		{"a selector that goes anywhere", `<remove sel="//c"/>`, "patch-path-syntax"},
		{"a function", `<remove sel="id('x')"/>`, "patch-path-syntax"},
		{"an unknown prefix", `<remove sel="q:a"/>`, "patch-path-syntax"},
		{"a test that does not end", `<remove sel="a/b[1"/>`, "patch-path-syntax"},
		{"a literal that does not end", `<remove sel="a/b[@x='1]"/>`, "patch-path-syntax"},
		{"an alternative", `<remove sel="a|b"/>`, "patch-path-syntax"},
		{"the position zero", `<remove sel="a/b[0]"/>`, "patch-path-syntax"},
		{"a position beyond numbers", `<remove sel="a/b[99999999999]"/>`, "patch-path-syntax"},
		{"a name of nothing", `<remove sel="a/@"/>`, "patch-path-syntax"},
		{"what is not there", `<remove sel="a/d"/>`, "patch-target-none"},
		{"a root in another namespace", `<remove sel="f:a/@x"/>`, "patch-target-none"},
		{"something below an attribute", `<remove sel="a/@x/b"/>`, "patch-target-none"},
		{"several nodes", `<remove sel="a/b"/>`, "patch-target-many"},
		{"the document", `<remove sel="."/>`, "patch-target-invalid"},
		{"the root, to remove", `<remove sel="a"/>`, "patch-target-invalid"},
		{"a removal with content", `<remove sel="a/@x">1</remove>`, "patch-part-invalid"},
		{"a removal of white space that is none", `<remove sel="a/b[1]" ws="before"/>`, "patch-target-invalid"},
		{"a removal of white space that is not there", `<remove sel="a/b[1]/c" ws="after"/>`, "patch-target-invalid"},
		{"a removal of other white space", `<remove sel="a/b[1]/c" ws="around"/>`, "patch-part-invalid"},
		{"an element for an attribute", `<replace sel="a/@x"><b/></replace>`, "patch-part-invalid"},
		{"text for an element", `<replace sel="a/b[2]">t</replace>`, "patch-part-invalid"},
		{"two elements for one", `<replace sel="a/b[2]"><b/><b/></replace>`, "patch-part-invalid"},
		{"an element for a comment", `<replace sel="a/comment()"><b/></replace>`, "patch-part-invalid"},
		{"an addition to an attribute", `<add sel="a/@x">1</add>`, "patch-target-invalid"},
		{"an addition to text", `<add sel="a/text()">1</add>`, "patch-target-invalid"},
		{"an addition in an unknown place", `<add sel="a" pos="around">1</add>`, "patch-part-invalid"},
		{"an attribute in a place", `<add sel="a" pos="before" type="@y">1</add>`, "patch-part-invalid"},
		{"an attribute of text", `<add sel="a/text()" type="@y">1</add>`, "patch-part-invalid"},
		{"an attribute that there is", `<add sel="a" type="@x">1</add>`, "patch-target-exists"},
		{"an attribute with content", `<add sel="a" type="@y"><b/></add>`, "patch-part-invalid"},
		{"an attribute that declares", `<add sel="a" type="@xmlns">u</add>`, "patch-part-invalid"},
		{"a prefix that declares", `<add sel="a" type="@xmlns:y">u</add>`, "patch-part-invalid"},
		{"a type that is none", `<add sel="a" type="y">1</add>`, "patch-part-invalid"},
		{"an attribute without a name", `<add sel="a" type="@y z">1</add>`, "patch-part-invalid"},
		{"a namespace without a name", `<add sel="a" type="namespace::">1</add>`, "patch-part-invalid"},
		{"a namespace of XML's own", `<add sel="a" type="namespace::xml">1</add>`, "patch-part-invalid"},
		{"a namespace that is empty", `<add sel="a" type="namespace::p"></add>`, "patch-part-invalid"},
		{"an element beside the root", `<add sel="a" pos="after"><b/></add>`, "patch-target-invalid"},
		{"text beside the root", `<add sel="a" pos="before">t</add>`, "patch-target-invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.ApplyXMLDocument([]byte(doc), []byte("<diff>\n <add sel='a' type='@first'>1</add>\n "+tt.operation+"</diff>"), patch.Limits{})
			var e *patch.Error
			if !errors.As(err, &e) || got != nil {
				t.Fatalf("got %s, %v; want %s", got, err, tt.id)
			}
			if e.ID != tt.id || e.Operation != 1 || e.Line != 3 || e.Column != 2 || e.Text == "" || strings.Contains(e.Text, "%") {
				t.Errorf("got %+v, want %s", e, tt.id)
			}
		})
	}
	for name, tt := range map[string]struct{ doc, patch, id string }{
		"a patch that is no XML":           {doc, `<diff>`, "patch-malformed"},
		"a patch with a document type":     {doc, `<!DOCTYPE a><diff/>`, "patch-malformed"},
		"a patch with text":                {doc, `<diff>a</diff>`, "patch-malformed"},
		"a patch without operations":       {doc, `<diff> <!--a--> </diff>`, "patch-empty"},
		"a document that is no XML":        {`<a>`, `<diff><remove sel="a"/></diff>`, "patch-resource"},
		"a document that is not there":     {``, `<diff><remove sel="a"/></diff>`, "patch-resource"},
		"a document with a document type":  {`<!DOCTYPE a><a/>`, `<diff><remove sel="a"/></diff>`, "patch-resource"},
		"a document in another encoding":   {`<?xml version="1.0" encoding="GBK"?><a/>`, `<diff><remove sel="a"/></diff>`, "patch-resource"},
		"a patch that ends in the middle ": {doc, `<diff><remove sel="a"`, "patch-malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := patch.ApplyXMLDocument([]byte(tt.doc), []byte(tt.patch), patch.Limits{})
			var e *patch.Error
			if !errors.As(err, &e) || e.ID != tt.id {
				t.Errorf("got %v", err)
			}
		})
	}
}
