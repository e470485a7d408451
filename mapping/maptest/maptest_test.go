package maptest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

var folder = fstest.MapFS{
	"institution.yaml": {Data: []byte("format: 1\nid: t\nname: 医院\nsources: {lis: {format: csv, tables: {BG: BG.csv, XM: XM.csv}}}\n")},
	"maps/bg.yaml": {Data: []byte(`format: 1
map: bg
reads: {format: csv, table: BG, join: {item: {table: XM, on: {NO: NO}, many: true}}}
resources:
  report:
    type: DiagnosticReport
    key: [NO]
    write: replace
    set:
      status: =final
      code: NAME
      subject: {ref: patient}
      result: {ref: {rule: item, all: true}}
  item:
    type: Observation
    each: item
    key: [/NO, CODE]
    write: replace
    set: {status: =final, code: CODE, "value[x]": {from: VALUE, as: result}}
  patient:
    type: Patient
    key: [PAT]
    write: reference
    set: {identifier: {from: PAT, as: identifier, system: patient}}
`)},
}

const case1 = `# a report of two values
charset: GB18030
-- BG.csv --
NO,PAT,NAME
R1,P1,血常规
-- XM.csv --
NO,CODE,VALUE
R1,甲,5.60
R1,乙,阴性
-- want.json --
[
  {"resourceType": "DiagnosticReport", "id": "report", "status": "final", "code": {"text": "血常规"},
   "subject": {"reference": "Patient/patient", "identifier": {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}, "system": "https://yilian.dev/fhir/institution/t/patient", "value": "P1"}},
   "result": [{"reference": "Observation/item"}, {"reference": "Observation/item-2"}]},
  {"resourceType": "Observation", "id": "item", "status": "final", "code": {"text": "甲"}, "valueQuantity": {"value": 5.60}},
  {"resourceType": "Observation", "id": "item-2", "status": "final", "code": {"text": "乙"},
   "valueCodeableConcept": {"coding": [{"system": "https://yilian.dev/fhir/CodeSystem/ordinal-result", "code": "negative", "display": "阴性"}], "text": "阴性"},
   "interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "NEG", "display": "Negative"}]}]}
]
-- want.issues --
`

func runCase(t *testing.T, text string) maptest.Report {
	t.Helper()
	inst, err := mapping.Load(folder, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := maptest.Parse("a.txtar", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return maptest.Run(inst, c)
}

func TestACasePassesWhenAllComesOutAsWanted(t *testing.T) {
	if rep := runCase(t, case1); !rep.Passed() {
		t.Error(rep)
	}
}

func TestDifferencesNameTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		want           []string
	}{
		{"another value", `"value": 5.60`, `"value": 5.6`, []string{`Observation/item.valueQuantity.value: want 5.6, got 5.60`}},
		{"more than wanted", `"code": {"text": "甲"}, `, ``, []string{`Observation/item.code: want nothing, got {"text":"甲"}`}},
		{"less than wanted", `"code": {"text": "甲"}`, `"code": {"text": "甲", "id": "x"}`, []string{`Observation/item.code.id: want "x", got nothing`}},
		{"another kind", `"status": "final", "code": {"text": "甲"}`, `"status": 1, "code": {"text": "甲"}`, []string{`Observation/item.status: want 1, got "final"`}},
		{"another order", `{"reference": "Observation/item"}, {"reference": "Observation/item-2"}`, `{"reference": "Observation/item-2"}`,
			[]string{`DiagnosticReport/report.result[0].reference: want "Observation/item-2", got "Observation/item"`,
				`DiagnosticReport/report.result[1]: want nothing, got {"reference":"Observation/item-2"}`}},
		{"a resource too many", `"id": "item-2"`, `"id": "other"`, []string{"Observation/other: missing", "Observation/item-2: not wanted"}},
		{"an issue that does not come", "-- want.issues --\n", "-- want.issues --\nwarning: x [y]\n", []string{"missing issue: warning: x [y]"}},
		{"an issue that is not wanted", "R1,甲", "R9,甲", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(case1, tt.old) {
				t.Fatal("nothing replaced")
			}
			rep := runCase(t, strings.Replace(case1, tt.old, tt.new, 1))
			if rep.Passed() {
				t.Fatal("passes")
			}
			if diff := cmp.Diff(tt.want, rep.Diff); tt.want != nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlacesInsteadOfWholeResources(t *testing.T) {
	input, _, _ := strings.Cut(case1, "-- want.json --")
	want := func(lines string) []string { return runCase(t, input+"-- want.txt --\n"+lines).Diff }
	if diff := want(`
# the values
Observation/item.valueQuantity.value = 5.60
Observation/item-2.valueCodeableConcept.coding[0].code = negative
Observation/item-2.valueCodeableConcept.text = "阴性"
DiagnosticReport/report.result[1].reference = Observation/item-2
Observation/item.valueQuantity.comparator absent
Observation/item-3 absent
`); diff != nil {
		t.Error(diff)
	}
	for line, got := range map[string]string{
		"Observation/item.valueQuantity.value = 5.6":                     `Observation/item.valueQuantity.value = 5.6: got 5.60`,
		"Observation/item.valueQuantity = 5.60":                          `Observation/item.valueQuantity = 5.60: got {"value":5.60}`,
		"Observation/item.valueString = 5.60":                            `Observation/item.valueString = 5.60: got nothing`,
		"Observation/item-3.status = final":                              `Observation/item-3.status = final: got nothing`,
		"Observation/item.code absent":                                   `Observation/item.code absent: got {"text":"甲"}`,
		"Observation/item-2 absent":                                      "",
		"DiagnosticReport/report.result[2].reference = Observation/item": `DiagnosticReport/report.result[2].reference = Observation/item: got nothing`,
	} {
		diff := want(line + "\n")
		if len(diff) != 1 || got != "" && diff[0] != got {
			t.Errorf("%s: got %q, want %q", line, diff, got)
		}
	}
	for text, want := range map[string]string{
		"Patient/p.name is x":    `a.txtar: want.txt: line 1: want PLACE = VALUE or PLACE absent, such as Patient/patient.birthDate = 1990-01-02`,
		"name = x":               `a.txtar: want.txt: line 1: "name"; want a resource such as Patient/patient in front`,
		"Patient/p = x":          `a.txtar: want.txt: line 1: want an element behind Patient/p`,
		"\nPatient/p.name = \"x": `a.txtar: want.txt: line 2: "x: want text, or text in double quotes with \n for line breaks`,
	} {
		_, err := maptest.Parse("a.txtar", []byte("-- a.csv --\nA\n-- want.txt --\n"+text+"\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestAnUpdatedCasePasses(t *testing.T) {
	inst, err := mapping.Load(folder, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	input, _, _ := strings.Cut(case1, "-- want.json --")
	c, err := maptest.Parse("a.txtar", []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	rep := maptest.Run(inst, c)
	if !rep.Passed() {
		t.Error(rep)
	}
	updated, err := maptest.Parse("a.txtar", maptest.Update(c, rep))
	if err != nil {
		t.Fatal(err)
	}
	if rep := maptest.Run(inst, updated); !rep.Passed() || updated.Want == nil {
		t.Error(rep)
	}
}

func TestMistakesInCases(t *testing.T) {
	for text, want := range map[string]string{
		"-- want.json --\n[]\n":                                     "a.txtar: nothing goes in; want a file such as -- in.hl7 --",
		"charset: klingon\n-- a.csv --\nA\n":                        `a.txtar: unknown charset "klingon"`,
		"hello\n-- a.csv --\nA\n":                                   `a.txtar: "hello"; want a comment with #, charset: or source:`,
		"-- a.csv --\nA\n-- want.json --\n{":                        "a.txtar: want.json: ",
		"-- a.csv --\nA\n-- want.json --\n[{}]\n":                   "a.txtar: want.json: item 1 is not a resource",
		"-- a.csv --\nA\n-- wanted.json --\n[]\n":                   `a.txtar: file "wanted.json"; want want.json, want.txt, want.issues or the files of a delivery`,
		"# t\n-- a.csv --\n" + strings.Repeat("x", maptest.MaxCase): "a.txtar: more than 16777216 bytes",
	} {
		_, err := maptest.Parse("a.txtar", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}
