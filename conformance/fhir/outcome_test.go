package fhir_test

import (
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
