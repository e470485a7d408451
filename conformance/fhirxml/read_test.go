package fhirxml_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

func read(t *testing.T, text string) (*fhir.Node, []fhir.Issue) {
	t.Helper()
	n, issues, err := fhirxml.Parse([]byte(text), fhirxml.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n, issues
}

// patient puts elements into a Patient that begins on the first line.
func patient(content string) string {
	return `<Patient xmlns="http://hl7.org/fhir">` + content + `</Patient>`
}

const div = `<div xmlns="http://www.w3.org/1999/xhtml">`

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, xml, want string }{
		{"an element that cannot repeat is no array", patient(`<birthDate value="2000"/>`), `{"resourceType":"Patient","birthDate":"2000"}`},
		{"one repetition is an array", patient(`<name><given value="a"/></name>`), `{"resourceType":"Patient","name":[{"given":["a"]}]}`},
		{"booleans and numbers are not strings", patient(`<active value="true"/><multipleBirthInteger value="2"/>`), `{"resourceType":"Patient","active":true,"multipleBirthInteger":2}`},
		{"the text of a number is kept", `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1.00e+2"/></valueQuantity></Observation>`, `{"resourceType":"Observation","valueQuantity":{"value":1.00e+2}}`},
		{"the plus of an integer goes", patient(`<multipleBirthInteger value="+2"/>`), `{"resourceType":"Patient","multipleBirthInteger":2}`},
		{"the id of a resource is an element and that of an element an attribute", patient(`<id value="a"/><name id="b"/>`), `{"resourceType":"Patient","id":"a","name":[{"id":"b"}]}`},
		{"the url of an extension is an attribute", patient(`<extension url="http://a.b"><valueCode value="c"/></extension>`), `{"resourceType":"Patient","extension":[{"url":"http://a.b","valueCode":"c"}]}`},
		{"a primitive has an id and extensions beside it", patient(`<birthDate id="b" value="2000"><extension url="u"><valueString value="v"/></extension></birthDate>`),
			`{"resourceType":"Patient","birthDate":"2000","_birthDate":{"id":"b","extension":[{"url":"u","valueString":"v"}]}}`},
		{"a primitive without a value has only what is beside it", patient(`<gender id="g"/>`), `{"resourceType":"Patient","_gender":{"id":"g"}}`},
		{"nulls keep the places of values and of what is beside them", patient(`<name><given value="a"/><given id="x"/><given id="y" value="c"/><given value="d"/></name>`),
			`{"resourceType":"Patient","name":[{"given":["a",null,"c","d"],"_given":[null,{"id":"x"},{"id":"y"},null]}]}`},
		{"there is no array of nulls", patient(`<name><given id="x"/><given id="y"/></name>`), `{"resourceType":"Patient","name":[{"_given":[{"id":"x"},{"id":"y"}]}]}`},
		{"a value behind places without one", patient(`<name><given id="x"/><given value="b"/></name>`), `{"resourceType":"Patient","name":[{"_given":[{"id":"x"},null],"given":[null,"b"]}]}`},
		{"contained resources", patient(`<contained><Organization><id value="o"/></Organization></contained><contained><Practitioner/></contained>`),
			`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Practitioner"}]}`},
		{"resources of entries", `<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Patient><active value="false"/></Patient></resource></entry></Bundle>`,
			`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","active":false}}]}`},
		{"resources of parameters", `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="a"/><resource><Patient/></resource></parameter></Parameters>`,
			`{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient"}}]}`},
		{"content that is defined elsewhere", `<Questionnaire xmlns="http://hl7.org/fhir"><item><linkId value="1"/><item><linkId value="2"/></item></item></Questionnaire>`,
			`{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"2"}]}]}`},
		{"the narrative as it stands", patient("<text><status value=\"generated\"/>" + div + "<p>a&lt;&#160;<br/>\r\n<!-- c --><b\n>x</b ></p></div></text>"),
			`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a&lt;&#160;<br/>\r\n<!-- c --><b\n>x</b ></p></div>"}}`},
		{"a narrative that inherits its namespace", `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><div class="a"><br/></div></f:text></f:Patient>`,
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"a\"><br/></div>"}}`},
		{"a narrative with prefixes", `<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text><h:div><h:p xml:lang="zh" title='"'>a &amp; b<![CDATA[<]]><!-- c --></h:p><h:br/></h:div></text></Patient>`,
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p xml:lang=\"zh\" title=\"&quot;\">a &amp; b&lt;<!-- c --></p><br/></div>"}}`},
		{"a narrative that declares and uses a prefix keeps it", `<Patient xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml" xmlns:h="http://www.w3.org/1999/xhtml"><h:b/></div></text></Patient>`,
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:b/></div>"}}`},
		{"a prefix for FHIR", `<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="true"/></f:Patient>`, `{"resourceType":"Patient","active":true}`},
		{"prolog, comments, instructions and where the schema is", `<?xml version="1.0" encoding="UTF-8"?><!-- a --><?b c?>` +
			`<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir ../patient.xsd"><!-- d --><active value="true"/><?e?></Patient><!-- f -->`,
			`{"resourceType":"Patient","active":true}`},
		{"references and white space in attributes", patient("<name><text value=\"a&#10;b&#x4E00;&lt;&gt;&amp;&quot;&apos;\tc\r\nd\"/></name>"),
			`{"resourceType":"Patient","name":[{"text":"a\nb一<>&\"' c d"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, issues := read(t, tt.xml)
			if len(issues) > 0 {
				t.Error(issues)
			}
			want, err := fhir.Parse([]byte(tt.want), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !fhir.Equal(n, want) {
				t.Errorf("got  %s\nwant %s", n.AppendJSON(nil), tt.want)
			}
		})
	}
}

func TestParseReports(t *testing.T) {
	for _, tt := range []struct{ name, xml, want, left string }{
		{"an element that R4 does not have", patient("<active value=\"true\"/>\n <shoe value=\"1\"><a/></shoe>"), "2:2 element-unknown Patient.shoe", `{"resourceType":"Patient","active":true}`},
		{"an unknown element whose name could be data, without its name", patient(`<a1/>`), "1:38 element-unknown Patient", `{"resourceType":"Patient"}`},
		{"an attribute written as an element", patient(`<name><id value="1"/></name>`), "1:44 element-unknown Patient.name[0].id|1:38 element-empty Patient.name[0]", `{"resourceType":"Patient"}`},
		{"an element in no namespace", `<f:Patient xmlns:f="http://hl7.org/fhir"><active value="true"/></f:Patient>`, "1:42 xml-namespace Patient.active", `{"resourceType":"Patient"}`},
		{"an element in another namespace", patient(`<active xmlns="urn:x" value="true"/>`), "1:38 xml-namespace Patient.active", `{"resourceType":"Patient"}`},
		{"a narrative in the namespace of FHIR", patient(`<text><status value="empty"/><div>a</div></text>`), "1:67 xml-namespace Patient.text.div", `{"resourceType":"Patient","text":{"status":"empty"}}`},
		{"an element of FHIR in the narrative, once", patient(`<text>` + div + `<f xmlns="http://hl7.org/fhir"/><f xmlns="http://hl7.org/fhir"/></div></text>`), "1:86 xhtml-namespace Patient.text.div",
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><f xmlns=\"http://hl7.org/fhir\"/><f xmlns=\"http://hl7.org/fhir\"/></div>"}}`},
		{"elements out of order", patient("<gender value=\"male\"/>\n<active value=\"true\"/>"), "2:1 element-order Patient.active", `{"resourceType":"Patient","gender":"male","active":true}`},
		{"repetitions that are not together", patient(`<name><text value="a"/></name><gender value="male"/><name><text value="b"/></name>`), "1:90 element-order Patient.name", `{"resourceType":"Patient","gender":"male","name":[{"text":"a"},{"text":"b"}]}`},
		{"repetitions of primitives that are not together", patient(`<name><given id="a"/><suffix value="s"/><given value="b"/></name>`), "1:78 element-order Patient.name[0].given", `{"resourceType":"Patient","name":[{"_given":[{"id":"a"},null],"given":[null,"b"],"suffix":["s"]}]}`},
		{"a single element twice", patient(`<active value="true"/><active value="false"/>`), "1:60 element-too-many Patient.active", `{"resourceType":"Patient","active":true}`},
		{"a single element twice, far apart", patient(`<active value="true"/><gender value="male"/><active value="false"/>`), "1:82 element-order Patient.active|1:82 element-too-many Patient.active", `{"resourceType":"Patient","active":true,"gender":"male"}`},
		{"two types of a choice", patient(`<deceasedBoolean value="true"/><deceasedDateTime value="2000"/>`), "1:69 choice-multiple Patient.deceased.ofType(dateTime)", `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2000"}`},
		{"an attribute that does not exist", patient(`<active value="true" when="now"/>`), "1:38 xml-attribute Patient.active", `{"resourceType":"Patient","active":true}`},
		{"an attribute of another namespace", patient(`<name xmlns:x="urn:x" x:id="1" id="2"/>`), "1:38 xml-attribute Patient.name[0]", `{"resourceType":"Patient","name":[{"id":"2"}]}`},
		{"a value where there is none", patient(`<name value="x" id="1"/>`), "1:38 xml-attribute Patient.name[0]", `{"resourceType":"Patient","name":[{"id":"1"}]}`},
		{"the id of a resource as an attribute", `<Patient xmlns="http://hl7.org/fhir" id="1"/>`, "1:1 xml-attribute Patient", `{"resourceType":"Patient"}`},
		{"text between elements", patient(`<active value="true"/> x `), "1:60 xml-text Patient", `{"resourceType":"Patient","active":true}`},
		{"text in a primitive", patient(`<active value="true">x</active>`), "1:59 xml-text Patient.active", `{"resourceType":"Patient","active":true}`},
		{"an empty element", patient(`<name/>`), "1:38 element-empty Patient.name[0]", `{"resourceType":"Patient"}`},
		{"an empty primitive", patient(`<active/>`), "1:38 element-empty Patient.active", `{"resourceType":"Patient"}`},
		{"an empty attribute", patient(`<gender value=""/>`), "1:38 value-empty Patient.gender", `{"resourceType":"Patient","gender":""}`},
		{"a boolean that is none", patient(`<active value="1"/>`), "1:38 value-boolean Patient.active", `{"resourceType":"Patient","active":"1"}`},
		{"a number that is none", patient(`<multipleBirthInteger value="01"/>`), "1:38 value-number Patient.multipleBirth.ofType(integer)", `{"resourceType":"Patient","multipleBirthInteger":"01"}`},
		{"a decimal with a plus", `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="+1"/></valueQuantity></Observation>`, "1:57 value-number Observation.value.ofType(Quantity).value", `{"resourceType":"Observation","valueQuantity":{"value":"+1"}}`},
		{"two resources in one place", patient(`<contained><Patient/><Patient/></contained>`), "1:59 resource-many Patient.contained[0]", `{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}`},
		{"an attribute and text where only a resource may stand", patient(`<contained id="c">x<!-- y --><Patient/></contained>`), "1:38 xml-attribute Patient.contained[0]|1:56 xml-text Patient.contained[0]", `{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}`},
		{"an attribute of another namespace in the narrative", patient(`<text>` + div + `<b xmlns:x="urn:x" x:c="1" x:d="2"/></div></text>`), "1:86 xhtml-namespace Patient.text.div",
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><b xmlns:x=\"urn:x\" x:c=\"1\" x:d=\"2\"/></div>"}}`},
		{"an attribute of a namespace from outside the narrative", `<Patient xmlns="http://hl7.org/fhir" xmlns:x="urn:x"><text>` + div + `<b x:c="1" x:d="2"/></div></text></Patient>`, "1:102 xhtml-namespace Patient.text.div",
			`{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><b xmlns:x=\"urn:x\" x:c=\"1\" x:d=\"2\"/></div>"}}`},
		{"a point without digits", `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1."/></valueQuantity></Observation>`, "1:57 value-number Observation.value.ofType(Quantity).value", `{"resourceType":"Observation","valueQuantity":{"value":"1."}}`},
		{"an exponent without digits", `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1e-"/></valueQuantity></Observation>`, "1:57 value-number Observation.value.ofType(Quantity).value", `{"resourceType":"Observation","valueQuantity":{"value":"1e-"}}`},
		{"an unknown element with a name too long to be one", patient(`<` + strings.Repeat("a", 65) + `/>`), "1:38 element-unknown Patient", `{"resourceType":"Patient"}`},
		{"no resource where one belongs", patient(`<contained></contained>`), "1:38 element-empty Patient.contained[0]", `{"resourceType":"Patient"}`},
		{"a contained resource that R4 does not have", patient(`<contained><Shoe/></contained>`), "1:49 resource-type-unknown Patient.contained[0]", `{"resourceType":"Patient"}`},
		{"a root that R4 does not have", `<Shoe xmlns="http://hl7.org/fhir"/>`, "1:1 resource-type-unknown ", `null`},
		{"an abstract root", `<DomainResource xmlns="http://hl7.org/fhir"/>`, "1:1 resource-type-unknown ", `null`},
		{"a root in no namespace", `<Patient/>`, "1:1 xml-namespace ", `null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, issues := read(t, tt.xml)
			var got []string
			for _, i := range issues {
				if i.Severity != fhir.Error || i.Text == "" || strings.Contains(i.Text, "%") {
					t.Errorf("%+v", i)
				}
				got = append(got, strconv.Itoa(i.Line)+":"+strconv.Itoa(i.Column)+" "+i.ID+" "+i.Expression)
			}
			if d := cmp.Diff(strings.Split(tt.want, "|"), got); d != "" {
				t.Error(d)
			}
			if tt.left == "null" {
				if n != nil {
					t.Errorf("got %s", n.AppendJSON(nil))
				}
				return
			}
			want, err := fhir.Parse([]byte(tt.left), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !fhir.Equal(n, want) {
				t.Errorf("left %s, want %s", n.AppendJSON(nil), tt.left)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat(`<extension url="a">`, n) + strings.Repeat(`</extension>`, n)
	}
	for _, tt := range []struct {
		name, xml, reason string
		lim               fhir.Limits
		limit             bool
	}{
		{name: "a document type declaration", xml: `<!DOCTYPE a [<!ENTITY b "c">]>` + patient(""), reason: "document type"},
		{name: "an entity", xml: patient(`<gender value="&male;"/>`), reason: "entity"},
		{name: "an entity of HTML in the narrative", xml: patient(`<text>` + div + `&nbsp;</div></text>`), reason: "entity"},
		{name: "what does not end", xml: `<Patient xmlns="http://hl7.org/fhir"><name>`, reason: "does not end"},
		{name: "a narrative that does not end", xml: `<Patient xmlns="http://hl7.org/fhir"><text>` + div, reason: "does not end"},
		{name: "no document", xml: ``, reason: "no element"},
		{name: "something behind the root", xml: patient("") + "x", reason: "outside"},
		{name: "too many bytes", xml: patient(""), lim: fhir.Limits{Bytes: 10}, reason: "at most 10", limit: true},
		{name: "too many values", xml: patient(`<name><given value="a"/><given value="b"/></name>`), lim: fhir.Limits{Nodes: 6}, reason: "more than 6 values", limit: true},
		{name: "too many levels of the tree", xml: patient(deep(64)), reason: "deeper than 128", limit: true},
		{name: "too many levels of the text", xml: patient(`<text>` + div + strings.Repeat("<b>", 200)), reason: "deeper than 129", limit: true},
		{name: "too many levels beside a primitive", xml: patient(`<gender><extension url="a"/></gender>`), lim: fhir.Limits{Depth: 3}, reason: "deeper than 3", limit: true},
		{name: "too many levels of primitives", xml: patient(`<name><given value="a"/></name>`), lim: fhir.Limits{Depth: 3}, reason: "deeper than 3", limit: true},
		{name: "too many levels of what is beside them", xml: patient(`<name><text id="a"/></name>`), lim: fhir.Limits{Depth: 3}, reason: "deeper than 3", limit: true},
		{name: "too many values by default", xml: patient(`<name>` + strings.Repeat(`<given value="a"/>`, fhirxml.DefaultMaxNodes) + `</name>`), lim: fhir.Limits{Bytes: 1 << 26}, reason: "more than 1000000 values", limit: true},
		{name: "too many bytes by default", xml: patient(strings.Repeat(" ", fhir.DefaultMaxBytes)), reason: "at most 16777216", limit: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, _, err := fhirxml.Parse([]byte(tt.xml), fhirxml.Options{Limits: tt.lim})
			var syntax *fhir.SyntaxError
			if !errors.As(err, &syntax) || n != nil {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(syntax.Reason, tt.reason) || syntax.Limit != tt.limit || syntax.Line != 1 || syntax.Column < 1 {
				t.Errorf("got %v, limit %t", err, syntax.Limit)
			}
		})
	}
	t.Run("and takes what is just within its limits", func(t *testing.T) {
		for _, tt := range []struct {
			xml string
			lim fhir.Limits
		}{
			{patient(`<name><given value="a"/><given value="b"/></name>`), fhir.Limits{Nodes: 7}},
			{patient(deep(63)), fhir.Limits{}},
			{patient(`<gender><extension url="a"/></gender>`), fhir.Limits{Depth: 4}},
			{patient(`<name><given value="a"/><text id="a"/></name>`), fhir.Limits{Depth: 4}},
		} {
			n, _, err := fhirxml.Parse([]byte(tt.xml), fhirxml.Options{Limits: tt.lim})
			if err != nil {
				t.Fatal(err)
			}
			// JSON counts depth and values in the same way.
			if _, err := fhir.Parse(n.AppendJSON(nil), tt.lim); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestParseEndsAfterManyIssues(t *testing.T) {
	n, issues, err := fhirxml.Parse([]byte(patient(strings.Repeat(`<a/>`, 5000))), fhirxml.Options{})
	if n != nil || err != nil || len(issues) != fhirxml.MaxIssues+1 {
		t.Fatalf("%d issues, %v", len(issues), err)
	}
	if last := issues[len(issues)-1]; last.ID != "too-many-issues" || last.Severity != fhir.Fatal || !strings.Contains(last.Text, "1000") {
		t.Errorf("got %v", last)
	}
}

func TestParseReadsUTF16(t *testing.T) {
	text := `<?xml version="1.0" encoding="UTF-16"?>` + patient("\n"+`<name><text value="测试𠮷"/></name>`)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"\uFEFF", ""} {
			var doc []byte
			for _, u := range utf16.Encode([]rune(mark + text)) {
				doc = order.AppendUint16(doc, u)
			}
			n, issues, err := fhirxml.Parse(doc, fhirxml.Options{})
			if err != nil || len(issues) > 0 || n.Path("name", "text").Text() != "测试𠮷" {
				t.Errorf("got %s, %v, %v", n.AppendJSON(nil), issues, err)
			}
			if line, column := n.Path("name", "text").Position(); line != 2 || column != 7 {
				t.Errorf("at %d:%d", line, column)
			}
		}
	}
}

func TestNodesKnowTheirPlace(t *testing.T) {
	n, _ := read(t, "<Patient xmlns=\"http://hl7.org/fhir\">\n  <name id=\"n\">\n    <given value=\"a\" id=\"g\"/>\n  </name>\n  <text>"+div+"</div></text>\n</Patient>")
	for _, tt := range []struct {
		node         *fhir.Node
		line, column int
	}{
		{n, 1, 1}, {n.Get("name"), 2, 3}, {n.Path("name"), 2, 3}, {n.Get("name").At(0), 2, 3}, {n.Path("name", "id"), 2, 9},
		{n.Path("name", "given").At(0), 3, 5}, {n.Path("name", "_given").At(0), 3, 5}, {n.Path("name", "_given").At(0).Get("id"), 3, 22}, {n.Path("text", "div"), 5, 9},
	} {
		if line, column := tt.node.Position(); line != tt.line || column != tt.column {
			t.Errorf("%s at %d:%d, want %d:%d", tt.node.Name(), line, column, tt.line, tt.column)
		}
	}
}

func TestIssuesDoNotQuoteData(t *testing.T) {
	_, issues := read(t, patient(`<active value="SECRET1">SECRET2</active><SECRET_33/><name SECRET4="SECRET5"/>`))
	if len(issues) < 4 {
		t.Fatal(issues)
	}
	if slices.ContainsFunc(issues, func(i fhir.Issue) bool { return strings.Contains(i.String(), "SECRET") }) {
		t.Error(issues)
	}
}

func TestManyMayReadAndWriteAtOnce(t *testing.T) {
	var all sync.WaitGroup
	want := tree(t, record)
	for range 8 {
		all.Go(func() {
			text, issues := fhirxml.Append(nil, want)
			got, more, err := fhirxml.Parse(text, fhirxml.Options{})
			if err != nil || len(issues)+len(more) > 0 || !fhir.Equal(got, want) {
				t.Errorf("got %v, %v, %v", err, issues, more)
			}
		})
	}
	all.Wait()
}
