package fhirxml_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

func tree(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{Depth: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAppend(t *testing.T) {
	for _, tt := range []struct{ name, json, want string }{
		{"elements in FHIR's order", `{"gender":"male","active":true,"id":"a","resourceType":"Patient","meta":{"versionId":"1"}}`,
			patient(`<id value="a"/><meta><versionId value="1"/></meta><active value="true"/><gender value="male"/>`)},
		{"attributes before elements", `{"resourceType":"Patient","extension":[{"valueCode":"c","url":"http://a.b","id":"x"}]}`,
			patient(`<extension id="x" url="http://a.b"><valueCode value="c"/></extension>`)},
		{"numbers as they are written", `{"resourceType":"Observation","valueQuantity":{"value":1.00e+2}}`,
			`<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1.00e+2"/></valueQuantity></Observation>`},
		{"what is beside primitives", `{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueString":"v"}],"id":"b"},"birthDate":"2000","_gender":{"id":"g"}}`,
			patient(`<gender id="g"/><birthDate value="2000" id="b"><extension url="u"><valueString value="v"/></extension></birthDate>`)},
		{"places that nulls keep", `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}],"_suffix":[{"id":"y"}]}]}`,
			patient(`<name><given value="a"/><given id="x"/><suffix id="y"/></name>`)},
		{"resources in resources", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Practitioner"}]}`,
			patient(`<contained><Organization><id value="o"/></Organization></contained><contained><Practitioner/></contained>`)},
		{"the narrative as it stands", `{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a\r\n<br/>&#160;</div>"}}`,
			patient("<text>" + div + "a\r\n<br/>&#160;</div></text>")},
		{"a narrative without its namespace, with it", `{"resourceType":"Patient","text":{"div":" <div class=\"a\">b</div>\n"}}`,
			patient(`<text><div xmlns="http://www.w3.org/1999/xhtml" class="a">b</div></text>`)},
		{"characters that an attribute would lose", `{"resourceType":"Patient","name":[{"text":"a\n\t\r<>&\"'一"}]}`,
			patient(`<name><text value="a&#10;&#9;&#13;&lt;&gt;&amp;&quot;'一"/></name>`)},
		{"a resource with nothing in it", `{"resourceType":"Patient"}`, `<Patient xmlns="http://hl7.org/fhir"/>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, issues := fhirxml.Append([]byte("> "), tree(t, tt.json))
			if len(issues) > 0 {
				t.Error(issues)
			}
			if d := cmp.Diff("> "+tt.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAppendRefuses(t *testing.T) {
	p := func(content string) string { return "{\"resourceType\":\"Patient\",\n" + content + "}" }
	narrative := func(text string) string { return p(`"text":{"div":` + strconv.Quote(text) + `}`) }
	for _, tt := range []struct{ name, json, want string }{
		{"every element that R4 does not have", p(`"shoe":1,"name":[{"hat":2}]`), "2:8 element-unknown Patient.shoe|2:25 element-unknown Patient.name[0].hat"},
		{"what is beside something that is no primitive", p(`"_name":[{"id":"a"}]`), "2:9 element-unknown Patient._name"},
		{"a resource that R4 does not have", `{"resourceType":"Shoe"}`, "1:1 resource-type-unknown "},
		{"a resource that does not say what it is", `{"id":"a"}`, "1:1 resource-type-unknown "},
		{"a resource that is none", `[]`, "1:1 resource-not-object "},
		{"a contained resource that is none", p(`"contained":["a"]`), "2:14 resource-not-object Patient.contained[0]"},
		{"a value where an array belongs", p(`"name":{"text":"a"}`), "2:8 array-expected Patient.name"},
		{"an array where a value belongs", p(`"gender":["male"]`), "2:10 array-unexpected Patient.gender"},
		{"an empty array", p(`"name":[]`), "2:8 array-empty Patient.name"},
		{"an empty object", p(`"name":[{}]`), "2:9 object-empty Patient.name[0]"},
		{"an empty object beside a primitive", p(`"gender":"male","_gender":{}`), "2:27 object-empty Patient.gender"},
		{"text where an object belongs", p(`"name":["a"]`), "2:9 object-expected Patient.name[0]"},
		{"text where a boolean belongs", p(`"active":"true"`), "2:10 json-type Patient.active"},
		{"text where a number belongs", p(`"multipleBirthInteger":"1"`), "2:24 json-type Patient.multipleBirth.ofType(integer)"},
		{"a number where text belongs", p(`"gender":1`), "2:10 json-type Patient.gender"},
		{"a number as an attribute", p(`"name":[{"id":1}]`), "2:15 json-type Patient.name[0].id"},
		{"an object where text belongs", p(`"gender":{"a":1}`), "2:10 json-type Patient.gender"},
		{"a null", p(`"gender":null`), "2:10 null-unexpected Patient.gender"},
		{"a null that keeps no place", p(`"name":[{"given":["a",null]}]`), "2:23 null-unexpected Patient.name[0].given[1]"},
		{"an array of nulls", p(`"name":[{"given":[null],"_given":[{"id":"a"}]}]`), "2:18 null-unexpected Patient.name[0].given"},
		{"a null among objects", p(`"name":[null]`), "2:9 object-expected Patient.name[0]"},
		{"arrays that do not match", p(`"name":[{"given":["a"],"_given":[null,{"id":"b"}]}]`), "2:33 array-misaligned Patient.name[0].given"},
		{"two types of a choice", p(`"deceasedBoolean":true,"deceasedDateTime":"2000"`), "2:43 choice-multiple Patient.deceased.ofType(dateTime)"},
		{"what is beside an attribute", p(`"extension":[{"url":"a","_url":{"id":"b"}}]`), "2:32 xml-attribute-extension Patient.extension[0].url"},
		{"what is beside a narrative", p(`"text":{"_div":{"id":"b"}}`), "2:16 xml-attribute-extension Patient.text.div"},
		{"a character that XML does not have", p(`"gender":"a\u0001"`), "2:10 xml-character Patient.gender"},
		{"one that Unicode does not have", p(`"gender":"\uFFFF"`), "2:10 xml-character Patient.gender"},
		{"a narrative that is not well-formed", narrative(div + "<b></div>"), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative with an entity of HTML", narrative(div + "&nbsp;</div>"), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative with a document type", narrative("<!DOCTYPE html>" + div + "</div>"), "2:15 xhtml-malformed Patient.text.div"},
		{"an empty narrative", narrative(""), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative in no namespace", narrative(`<div xmlns=""/>`), "2:15 xhtml-root Patient.text.div"},
		{"a narrative that does not end", narrative(div), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative with something behind it", narrative(div + "</div><!-- a -->"), "2:15 xhtml-root Patient.text.div"},
		{"a narrative with two roots", narrative(div + "</div><gender/>"), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative that ends its element", narrative(div + `</div></text><gender value="x"/><text>` + div + "</div>"), "2:15 xhtml-malformed Patient.text.div"},
		{"a narrative that is another element", narrative(`<p xmlns="http://www.w3.org/1999/xhtml"/>`), "2:15 xhtml-root Patient.text.div"},
		{"a narrative of another namespace", narrative(`<div xmlns="urn:x"/>`), "2:15 xhtml-root Patient.text.div"},
		{"a narrative that is no text", p(`"text":{"div":1}`), "2:15 json-type Patient.text.div"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, issues := fhirxml.Append([]byte("> "), tree(t, tt.json))
			if string(out) != "> " {
				t.Errorf("wrote %s", out)
			}
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
		})
	}
}

func TestAppendIsBounded(t *testing.T) {
	deep := `{"resourceType":"Patient",` + strings.Repeat(`"extension":[{"url":"a",`, 200) + `"id":"b"` + strings.Repeat(`}]`, 200) + `}`
	_, issues := fhirxml.Append(nil, tree(t, deep))
	if len(issues) != 1 || issues[0].ID != "too-deep" {
		t.Errorf("got %v", issues)
	}
	var b strings.Builder
	for i := range 3000 {
		b.WriteString(`,"x` + strconv.Itoa(i) + `":1`)
	}
	_, issues = fhirxml.Append(nil, tree(t, `{"resourceType":"Patient"`+b.String()+`}`))
	if len(issues) != fhirxml.MaxIssues+1 || issues[fhirxml.MaxIssues].ID != "too-many-issues" {
		t.Errorf("%d issues", len(issues))
	}
	_, issues = fhirxml.Append(nil, tree(t, `{"resourceType":"Patient","name":[`+strings.Repeat(`1,`, 3000)+`1]}`))
	if len(issues) != fhirxml.MaxIssues+1 {
		t.Errorf("%d issues", len(issues))
	}
}
