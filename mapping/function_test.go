package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/residentid"
)

// id is a resident number of nobody: its division is not assigned.
var id = func() string {
	first := "99010119900307721"
	return first + string(residentid.CheckDigit(first))
}()

func TestFunctions(t *testing.T) {
	nobody := strings.ToLower(id)
	v2 := `{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"`
	for _, tt := range []struct {
		name, typ, set string
		cells          []string
		want           string // of the elements
		issues         []string
	}{
		{"date", "Patient", "birthDate: A", []string{"A=19900102"}, `"birthDate":"1990-01-02"`, nil},
		{"date of a moment", "Patient", "birthDate: A", []string{"A=1990-01-02 08:30:00"}, `"birthDate":"1990-01-02"`, nil},
		{"dateTime with the institution's zone", "Patient", "deceasedDateTime: A", []string{"A=20240501083000"}, `"deceasedDateTime":"2024-05-01T08:30:00+08:00"`, nil},
		{"dateTime of a month", "Patient", "deceasedDateTime: A", []string{"A=202405"}, `"deceasedDateTime":"2024-05"`, nil},
		{"a date of a dateTime", "Patient", "deceasedDateTime: {from: A, as: date}", []string{"A=20240501083000"}, `"deceasedDateTime":"2024-05-01"`, nil},
		{"instant without a time", "Observation", "status: =final, code: A, issued: B", []string{"A=x", "B=20240501"}, `"status":"final","code":{"text":"x"}`,
			[]string{"warning: want a date with a time of day at Observation.issued from B [date-precision]"}},
		{"boolean in Chinese", "Patient", "active: A", []string{"A=是"}, `"active":true`, nil},
		{"boolean of something else", "Patient", "active: A", []string{"A=也许"}, ``, []string{"warning: want true or false at Patient.active from A [boolean-format]"}},
		{"integer in full width", "Patient", "multipleBirthInteger: A", []string{"A=０2"}, `"multipleBirthInteger":2`, nil},
		{"a choice by its function", "Patient", "'deceased[x]': [{from: A, as: dateTime}, {from: B, as: boolean}]", []string{"A=", "B=Y"}, `"deceasedBoolean":true`, nil},
		{"string without control characters", "Patient", "name: {set: {text: A}}", []string{"A= 张\x00三\r\n "}, `"name":[{"text":"张三"}]`, nil},
		{"resident id", "Patient", "identifier: {from: A, as: identifier, system: resident-id}", []string{"A= " + nobody}, `"identifier":[{"type":` + v2 + `NI"}]},"system":"urn:oid:2.16.156.10011.1.3","value":"` + id + `"}]`, nil},
		{"resident id under its other OID", "Patient", "identifier: {from: A, as: identifier, system: 'urn:oid:2.16.840.1.113883.2.23.1.19.1'}", []string{"A=" + id}, `"identifier":[{"type":` + v2 + `NI"}]},"system":"urn:oid:2.16.156.10011.1.3","value":"` + id + `"}]`, nil},
		{"resident id that fails its check", "Patient", "identifier: {from: A, as: identifier, system: resident-id}", []string{"A=990101199003077219"}, `"identifier":[{"type":` + v2 + `NI"}]},"value":"990101199003077219"}]`,
			[]string{"warning: not a resident identity number: check digit at Patient.identifier from A [identifier-check]"}},
		{"placeholder for an id", "Patient", "identifier: {from: A, as: identifier, system: resident-id}", []string{"A=无"}, ``, nil},
		{"identifier by its type", "Patient", "identifier: {from: A, as: identifier, system: patient, with: {type: B}}", []string{"A=" + id, "B=NI"}, `"identifier":[{"type":` + v2 + `NI"}]},"system":"urn:oid:2.16.156.10011.1.3","value":"` + id + `"}]`, nil},
		{"identifier by its authority", "Patient", "identifier: {from: A, as: identifier, with: {authority: B, use: =old, start: C}}", []string{"A=1", "B=CITY", "C=2020"}, `"identifier":[{"use":"old","type":` + v2 + `PLAC"}]},"system":"https://yilian.dev/fhir/institution/city/order","value":"1","period":{"start":"2020"}}]`, nil},
		{"identifier of an authority nobody declared", "Patient", "identifier: {from: A, as: identifier, with: {authority: B}}", []string{"A=1", "B=Old HIS"}, `"identifier":[{"system":"https://yilian.dev/fhir/institution/test/authority/old-his","value":"1"}]`, nil},
		{"a literal system is canonical", "Patient", "identifier: {set: {system: '=urn:oid:2.16.840.1.113883.2.23.1.9.1', value: A}}", []string{"A=1"}, `"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"1"}]`, nil},
		{"name in Chinese", "Patient", "name: A", []string{"A=欧阳𠮷"}, `"name":[{"text":"欧阳𠮷","family":"欧阳","given":["𠮷"]}]`, nil},
		{"name with pinyin", "Patient", "name: {from: A, as: name, with: {pinyin: B}}", []string{"A=张三", "B=Zhang San"},
			`"name":[{"text":"张三","family":"张","given":["三"]},{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"SYL"}],"text":"Zhang San","family":"Zhang","given":["San"]}]`, nil},
		{"phones", "Patient", "telecom: {from: A, as: phone, with: {use: =home}}", []string{"A=010-00000000/13000000000"}, `"telecom":[{"system":"phone","value":"010-00000000","use":"home"},{"system":"phone","value":"13000000000","use":"home"}]`, nil},
		{"address", "Patient", "address: A", []string{"A=北京路\n1号"}, `"address":[{"text":"北京路 1号"}]`, nil},
		{"birth date and sex of an id", "Patient", "gender: [{from: B, table: gb-sex}, {from: A, as: id-sex}], birthDate: {from: A, as: age-birth}", []string{"A=" + id, "B="}, `"gender":"male","birthDate":"1990-03-07"`, nil},
		{"code by a table", "Patient", "maritalStatus: {from: A, table: gb-marital}", []string{"A=20"},
			`"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"},{"system":"urn:oid:2.16.156.10011.2.3.3.5","code":"20","display":"已婚"}],"text":"已婚"}`, nil},
		{"code of a named system", "Patient", "maritalStatus: {from: A, system: L10, text: B}", []string{"A=x", "B=y"}, `"maritalStatus":{"coding":[{"system":"http://example.org/l10","code":"x","display":"y"}],"text":"y"}`, nil},
		{"code of the record's own system name", "Condition", "subject: {ref: {type: Patient, key: [ID]}}, code: {from: A, as: codeable, with: {system: B, display: C}}", []string{"A=I10", "B=I10", "C=高血压"},
			`"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"I10","display":"高血压"}],"text":"高血压"},"subject":{"reference":"Patient/REF"}`, nil},
		{"a text for a code", "Condition", "subject: {ref: {type: Patient, key: [ID]}}, code: A", []string{"A=头痛三天"}, `"code":{"text":"头痛三天"},"subject":{"reference":"Patient/REF"}`, nil},
		{"the name of a code", "Organization", "name: {from: A, as: display, table: department}", []string{"A=01"}, `"name":"内科"`, nil},
		{"the name of a code that is not there", "Organization", "name: {from: A, as: display, table: department}", []string{"A=99"}, ``,
			[]string{"warning: the code is not in table department at Organization.name from A [code-unmapped]"}},
		{"quantity", "Observation", "status: =final, code: A, valueQuantity: {from: B, with: {unit: C}}", []string{"A=x", "B=<0.01", "C=10^9/L"},
			`"status":"final","code":{"text":"x"},"valueQuantity":{"value":0.01,"comparator":"<","unit":"10^9/L","system":"http://unitsofmeasure.org","code":"10*9/L"}`, nil},
		{"quantity of words", "Observation", "status: =final, code: A, valueQuantity: B", []string{"A=x", "B=很多"}, `"status":"final","code":{"text":"x"}`,
			[]string{"warning: not one number with an optional comparator at Observation.valueQuantity from B [quantity-format]"}},
		{"flag", "Observation", "status: =final, code: A, interpretation: {from: B, as: flag}", []string{"A=x", "B=↑"},
			`"status":"final","code":{"text":"x"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"H","display":"High"}],"text":"↑"}]`, nil},
		{"flag of unknown meaning", "Observation", "status: =final, code: A, interpretation: {from: B, as: flag}", []string{"A=x", "B=P"}, `"status":"final","code":{"text":"x"},"interpretation":[{"text":"P"}]`,
			[]string{"warning: a result flag whose meaning is not known; settings: flags says what it means at Observation.interpretation from B [flag-unknown]"}},
		{"titre", "Observation", "status: =final, code: A, 'value[x]': {from: B, as: result}", []string{"A=x", "B=1:80"}, `"status":"final","code":{"text":"x"},"valueRatio":{"numerator":{"value":1},"denominator":{"value":80}}`, nil},
		{"arrow in a result", "Observation", "status: =final, code: A, 'value[x]': {from: B, as: result, with: {unit: =g/L}}", []string{"A=x", "B=5.60↑"},
			`"status":"final","code":{"text":"x"},"valueQuantity":{"value":5.60,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"H","display":"High"}]}]`, nil},
		{"ranges by sex", "Observation", "status: =final, code: A, referenceRange: {from: B, as: range}", []string{"A=x", "B=男:1-2;女:3-4"},
			`"status":"final","code":{"text":"x"},"referenceRange":[{"low":{"value":1},"high":{"value":2},"appliesTo":[{"coding":[{"system":"http://hl7.org/fhir/administrative-gender","code":"male"}]}],"text":"男:1-2"},{"low":{"value":3},"high":{"value":4},"appliesTo":[{"coding":[{"system":"http://hl7.org/fhir/administrative-gender","code":"female"}]}],"text":"女:3-4"}]`, nil},
		{"annotation", "Observation", "status: =final, code: A, note: {from: B, as: annotation, with: {time: C, author: D}}", []string{"A=x", "B=一\n二", "C=20240501", "D=李四"}, `"status":"final","code":{"text":"x"},"note":[{"authorString":"李四","time":"2024-05-01","text":"一\n二"}]`, nil},
		{"narrative", "Observation", "status: =final, code: A, text: {from: B, as: narrative}", []string{"A=x", "B=一<二"}, `"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">一&lt;二</div>"},"status":"final","code":{"text":"x"}`, nil},
		{"attachment of text", "Patient", "photo: {from: A, as: attachment, with: {title: B}}", []string{"A=abc", "B=t"}, `"photo":[{"contentType":"text/plain; charset=utf-8","data":"YWJj","size":3,"hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0=","title":"t"}]`, nil},
		{"attachment of base64", "Patient", "photo: {from: A, as: attachment, with: {contentType: =image/png}}", []string{"A=YWJj"}, `"photo":[{"contentType":"image/png","data":"YWJj","size":3,"hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}]`, nil},
		{"attachment that is none", "Patient", "photo: {from: A, as: attachment, with: {contentType: =image/png}}", []string{"A=*"}, ``, []string{"warning: want base64 at Patient.photo from A [base64-format]"}},
		{"reference to another member", "Patient", "managingOrganization: {ref: {institution: A, display: B}}", []string{"A=city-hospital", "B=市医院"}, `"managingOrganization":{"reference":"Organization/city-hospital","display":"市医院"}`, nil},
		{"reference to the own institution", "Patient", "managingOrganization: {ref: institution}", []string{"A=1"}, `"managingOrganization":{"reference":"Organization/test","display":"测试医院"}`, nil},
		{"reference with nothing but a display", "Patient", "generalPractitioner: {ref: {type: Practitioner, key: [A], display: B}}", []string{"A=", "B=李四"}, `"generalPractitioner":[{"display":"李四"}]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst := load(t, csvHead, "r: {type: "+tt.typ+", write: update, key: [ID], set: {"+tt.set+"}}")
			res := run(t, inst, row(append([]string{"ID=1"}, tt.cells...)...))
			resources, issues := show(res)
			want := `{"resourceType":"` + tt.typ + `","id":"#1"`
			if tt.want != "" {
				want += "," + tt.want
			}
			want += "}"
			got := resources[0]
			if i := strings.Index(got, `"Patient/`); i > 0 {
				got = got[:i] + `"Patient/REF` + got[i+len(`"Patient/`)+26:]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.issues, issues); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExpressionsCountAndCutByCharacter(t *testing.T) {
	for _, tt := range []struct{ expr, a, want string }{
		{"text(chars(a))", "张𠮷三", "3"},
		{"left(a, 2)", "张𠮷三", "张𠮷"},
		{"right(a, 2)", "张𠮷三", "𠮷三"},
		{"mid(a, 2, 1)", "张𠮷三", "𠮷"},
		{"mid(a, 0, 2)", "张𠮷三", "张"},
		{"mid(a, 9, 2)", "张𠮷三", ""},
		{"left(a, -1)", "张𠮷三", ""},
		{"right(a, 9)", "张𠮷三", "张𠮷三"},
		{"trim(a)", "\u3000张 三\u3000", "张 三"},
		{"replace(a, '𠮷', '吉')", "张𠮷三", "张吉三"},
		{"replace(a, '', 'x')", "张", "张"},
		{"split(a, '、', 2)", "甲、乙、丙", "乙"},
		{"split(a, '、', 4)", "甲、乙、丙", ""},
		{"split(a, '', 2)", "甲乙", "乙"},
		{"text(find(a, '三'))", "张𠮷三", "3"},
		{"text(find(a, '四'))", "张𠮷三", "0"},
		{"first('', a, 'x')", "张", "张"},
		{"digits(a)", "电话 010-123", "010123"},
		{"upper(a) + lower(a)", "aB张", "AB张ab张"},
		{"a contains '𠮷' ? 'y' : 'n'", "张𠮷三", "y"},
		{"a startsWith '张' && a endsWith '三' ? 'y' : 'n'", "张𠮷三", "y"},
		{`a matches '^[\\\\p{Han}]+$' ? 'y' : 'n'`, "张𠮷三", "y"},
		{"a in ['张', '李'] ? 'y' : 'n'", "李", "y"},
		{"text(number(a) * 2)", "1.5", "3"},
		{"text(number(a) * 2)", "x", ""},
		{"number(a) > 10 ? 'high' : 'low'", "11", "high"},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			inst := load(t, csvHead, "p: {type: Patient, write: update, key: [ID], with: {a: A}, set: {active: =true, name: {set: {text: {expr: \""+tt.expr+"\"}}}}}")
			res := run(t, inst, row("ID=1", "A="+tt.a))
			if got := res.Resources[0].Tree.Path("name", "text").Text(); got != tt.want {
				t.Errorf("%q, want %q; %v", got, tt.want, res.Issues)
			}
			if len(res.Issues) > 0 {
				t.Errorf("issues %v", res.Issues)
			}
		})
	}
}

func TestIssuesNeverHoldTheData(t *testing.T) {
	inst := load(t, csvHead, `
p:
  type: Patient
  write: update
  key: [ID]
  with: {a: A}
  set:
    birthDate: A
    gender: {from: A, table: gb-sex}
    active: A
    deceasedDateTime: A
    multipleBirthInteger: A
    identifier: {from: A, as: identifier, system: resident-id}
    maritalStatus: {from: A, table: gb-marital, unmapped: reject}
    name: {set: {text: {expr: "text(number('1') / 0)"}}}
    photo: {from: A, as: attachment, with: {contentType: =image/png}}
`)
	res := run(t, inst, row("ID=geheim1", "A=geheim2"))
	if len(res.Issues) < 6 {
		t.Errorf("only %d issues", len(res.Issues))
	}
	for _, i := range res.Issues {
		if strings.Contains(i.String(), "geheim") {
			t.Errorf("%s", i)
		}
	}
}

func TestInstitutionShowsItselfAndItsTables(t *testing.T) {
	inst := county(t)
	if diff := cmp.Diff(`{"resourceType":"Organization","id":"county-hospital","identifier":[{"system":"urn:oid:2.16.156.10011.1.5","value":"99X000001"}],"active":true,`+
		`"type":[{"coding":[{"system":"https://yilian.dev/fhir/CodeSystem/institution-level","code":"5"}]}],"name":"衡远县人民医院"}`, string(inst.Organization().AppendJSON(nil))); diff != "" {
		t.Error(diff)
	}
	all, err := inst.Terminology()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range all {
		got = append(got, n.ResourceType()+" "+n.ID()+" "+n.Get("url").Text())
	}
	if len(got) != 2*len(tables) || got[0] != "ConceptMap county-hospital.department https://yilian.dev/fhir/institution/county-hospital/ConceptMap/department" ||
		got[1] != "CodeSystem county-hospital.department https://yilian.dev/fhir/institution/county-hospital/codes/department" {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if inst.Canonical("urn:oid:2.16.840.1.113883.2.23.1.19.1") != "urn:oid:2.16.156.10011.1.3" || inst.Canonical("urn:x") != "urn:x" {
		t.Error("aliases become their system")
	}
	if a := inst.Aliases(); a["urn:oid:2.16.840.1.113883.2.23.1.9.1"] != "urn:oid:2.16.156.10011.1.3" {
		t.Errorf("%v", a)
	}
	if _, ok := inst.Source("his"); !ok || inst.Name() != "衡远县人民医院" || inst.Charset() != "GB18030" || inst.Level() != "5" || len(inst.Version()) != 16 {
		t.Error("what institution.yaml says is there to be read")
	}
	if m := inst.Maps()[0]; m.Table() != "LIS_BG" || len(m.Joins()) != 1 || cmp.Diff([]string{"DiagnosticReport", "Observation"}, m.Types()) != "" {
		t.Errorf("%s %v %v", m.Table(), m.Joins(), m.Types())
	}
}
