package fhir_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

func TestOutcomeSaysWhatWhereAndWhich(t *testing.T) {
	const head = `{"resourceType":"OperationOutcome",`
	tests := []struct {
		name   string
		file   string
		issues []fhir.Issue
		want   string
	}{
		{"no issues", "", nil,
			head + `"issue":[{"severity":"information","code":"informational","details":{"text":"no findings"},"diagnostics":"information: no findings"}]}`},
		{"a file without issues", "a.json", nil,
			head + `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-file","valueString":"a.json"}],` +
				`"issue":[{"severity":"information","code":"informational","details":{"text":"no findings"},"diagnostics":"information: no findings"}]}`},
		{"an issue that knows all", "",
			[]fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeStructure, ID: "json-type", Expression: "Patient.active", Origin: "PID-30", Line: 3, Column: 36, Text: "not a boolean"}},
			head + `"issue":[{"extension":[` +
				`{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line","valueInteger":3},` +
				`{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col","valueInteger":36},` +
				`{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id","valueCode":"json-type"}],` +
				`"severity":"error","code":"structure","details":{"text":"not a boolean"},` +
				`"diagnostics":"3:36: error: not a boolean at Patient.active from PID-30 [json-type]","expression":["Patient.active"]}]}`},
		{"a line without a column", "",
			[]fhir.Issue{{Severity: fhir.Warning, Code: fhir.TypeValue, Line: 7, Text: "odd"}},
			head + `"issue":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line","valueInteger":7}],` +
				`"severity":"warning","code":"value","details":{"text":"odd"},"diagnostics":"7: warning: odd"}]}`},
		{"two issues, in their order", "",
			[]fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeNotFound, Text: "b"}, {Severity: fhir.Fatal, Code: fhir.TypeException, Text: "a"}},
			head + `"issue":[{"severity":"error","code":"not-found","details":{"text":"b"},"diagnostics":"error: b"},` +
				`{"severity":"fatal","code":"exception","details":{"text":"a"},"diagnostics":"fatal: a"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(fhir.Outcome(test.file, test.issues).AppendJSON(nil)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestOutcomeSpeaksTheLanguageAskedFor(t *testing.T) {
	issue := fhir.Issue{Severity: fhir.Error, Code: fhir.TypeRequired, ID: "element-missing", Expression: "Observation", Origin: "OBX[1]", Line: 1, Column: 2, Text: "missing", Chinese: "缺少"}
	place := `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line","valueInteger":1},` +
		`{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col","valueInteger":2},` +
		`{"url":"http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id","valueCode":"element-missing"}],"severity":"error","code":"required",`
	for _, tt := range []struct{ language, want string }{
		{"zh", `"language":"zh-CN","issue":[{` + place + `"details":{"coding":[{"system":"http://hl7.org/fhir/issue-type","code":"required","display":"缺少必填元素"}],"text":"缺少"},` +
			`"diagnostics":"1:2: 错误: 缺少 位于 Observation 来自 OBX[1] [element-missing]","expression":["Observation"]}]}`},
		{"zh-TW", `"language":"zh-CN",`},
		{"en-GB", `"language":"en","issue":[{` + place + `"details":{"coding":[{"system":"http://hl7.org/fhir/issue-type","code":"required","display":"Required element missing"}],"text":"missing"},` +
			`"diagnostics":"1:2: error: missing at Observation from OBX[1] [element-missing]","expression":["Observation"]}]}`},
		{"", `"issue":[{` + place + `"details":{"text":"missing"},`},
	} {
		got := string(fhir.OutcomeIn(tt.language, "", []fhir.Issue{issue}).AppendJSON(nil))
		if want := `{"resourceType":"OperationOutcome",` + tt.want; !strings.HasPrefix(got, want) {
			t.Errorf("%q\ngot  %s\nwant %s", tt.language, got, want)
		}
	}
	if got := string(fhir.OutcomeIn("zh", "", nil).AppendJSON(nil)); !strings.Contains(got, `"text":"没有发现问题"`) {
		t.Error(got)
	}
	odd := string(fhir.OutcomeIn("zh", "", []fhir.Issue{{Severity: fhir.Error, Code: "of-another-version", Text: "x"}}).AppendJSON(nil))
	if !strings.Contains(odd, `"details":{"text":"x"}`) {
		t.Error(odd)
	}
}
