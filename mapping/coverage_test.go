package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

func cover(t *testing.T, inst *mapping.Institution, records ...*record.Record) *mapping.Coverage {
	t.Helper()
	total := &mapping.Coverage{}
	for _, rec := range records {
		total.Merge(run(t, inst, rec, func(o *mapping.RunOptions) { o.Coverage = true }).Coverage)
	}
	return total
}

// fills writes what became of the rules of the only map, those of its elements by their paths.
func fills(inst *mapping.Institution, c *mapping.Coverage) []string {
	m := inst.Maps()[0]
	var out []string
	for i, f := range c.Fills[m.Name()] {
		out = append(out, fmt.Sprintf("%s %d-%d=%d", m.Fields()[i].Element, f.Tried, f.Off, f.Filled))
	}
	return out
}

func TestCoverageCountsWhatBecameOfEveryRule(t *testing.T) {
	inst := load(t, hl7Head, `
p: {type: Patient, write: update, key: [PID-3], when: {PID-1: "1"}, set: {birthDate: [PID-7, {from: PID-29}], gender: {when: {PID-8: M}, value: male}, maritalStatus: {set: {text: PID-16}}, name: {each: PID-5, set: {text: .1}}, telecom: PID-13}}
o: {type: Observation, each: OBX, write: merge, key: [OBX-3], set: {status: =final, code: OBX-3, method: {from: OBX-17, set: {text: .1}}}}
`)
	total := cover(t, inst,
		er7(t, "PID|1||A||x~y||19900101|M", "OBX|1|NM|K", "OBX|2|NM|"),
		er7(t, "PID|1||A||x~y||1|F||||||||married", "OBX|1|NM|K||||||||||||||m"),
		er7(t, "PID|2||A"))
	want := []string{
		"Patient 3-1=2",
		"Patient.birthDate 2-0=1", "Patient.birthDate 1-0=0", // the second is asked only when the first gave nothing
		"Patient.gender 2-1=1",
		"Patient.maritalStatus 2-0=1", "Patient.maritalStatus.text 2-0=1",
		"Patient.name 2-0=2", "Patient.name.text 4-0=4",
		"Patient.telecom 2-0=0",
		"Observation 3-0=2", // one has no key
		"Observation.status 2-0=2", "Observation.code 2-0=2",
		"Observation.method 2-0=1", "Observation.method.text 1-0=1",
	}
	if diff := cmp.Diff(want, fills(inst, total)); diff != "" {
		t.Error(diff)
	}
	if total.Records != 3 || total.Rejected != 0 || total.Maps["m"] != 3 {
		t.Errorf("%d records, %d rejected, %v", total.Records, total.Rejected, total.Maps)
	}
}

func TestCoverageCountsUnmappedCodesAndIssues(t *testing.T) {
	inst := load(t, hl7Head, `
p: {type: Patient, write: update, key: [PID-3], with: {m: {from: PID-16, table: gb-marital}}, set: {gender: {from: PID-8, table: gb-sex}, birthDate: PID-7, maritalStatus: {set: {text: $m}}}}
o: {type: Observation, each: OBX, write: merge, key: [/PID-3.1, OBX-3, OBX-1], set: {status: =final, code: {from: OBX-3.1, table: lab-item, text: OBX-3.2}, method: {from: OBX-3.1, table: lab-item}}}
`)
	total := cover(t, inst,
		er7(t, "PID|1||A||||x|Q||||||||99", "OBX|1|NM|1001^糖", "OBX|2|NM|K^钾", "OBX|3|NM|K^血钾", "OBX|4|NM|K"),
		er7(t, "PID|1||A||||y|Q", "OBX|1|NM|K^钾"))
	t.Run("codes", func(t *testing.T) {
		want := map[mapping.UnmappedCode]int{
			{Table: "gb-sex", Code: "Q"}: 2, {Table: "gb-marital", Code: "99"}: 1, // under with:, which is read twice
			{Table: "lab-item", Code: "K", Text: "钾"}: 2, {Table: "lab-item", Code: "K", Text: "血钾"}: 1, {Table: "lab-item", Code: "K"}: 1,
		}
		if diff := cmp.Diff(want, total.Unmapped); diff != "" {
			t.Error(diff)
		}
		if got := total.UnmappedCodes()[0]; got != (mapping.UnmappedCode{Table: "gb-sex", Code: "Q"}) {
			t.Errorf("the most frequent is %v", got)
		}
	})
	t.Run("issues", func(t *testing.T) {
		kind := func(id, rule, element, field string) mapping.IssueKind {
			return mapping.IssueKind{ID: id, Severity: fhir.Warning, Map: "m", Rule: rule, Element: element, Field: field}
		}
		want := map[mapping.IssueKind]int{
			kind("code-unmapped", "p", "Patient.gender", "PID-8"):       2,
			kind("date-format", "p", "Patient.birthDate", "PID-7"):      2,
			kind("code-unmapped", "o", "Observation.code", "OBX-3.1"):   3,
			kind("code-unmapped", "o", "Observation.method", "OBX-3.1"): 3,
			kind("code-unmapped", "o", "Observation.code", "OBX-3"):     1,
			kind("code-unmapped", "o", "Observation.method", "OBX-3"):   1,
		}
		if diff := cmp.Diff(want, total.Issues); diff != "" {
			t.Error(diff)
		}
		if got := total.IssueKinds()[0]; got != kind("code-unmapped", "o", "Observation.code", "OBX-3.1") {
			t.Errorf("the most frequent is %v", got)
		}
	})
	t.Run("issues beyond those that a record lists are counted", func(t *testing.T) {
		segments := []string{"PID|1||A"}
		for i := range 500 {
			segments = append(segments, fmt.Sprintf("OBX|%d|NM|K", i))
		}
		got := cover(t, inst, er7(t, segments...))
		if n := got.Issues[mapping.IssueKind{ID: "code-unmapped", Severity: fhir.Warning, Map: "m", Rule: "o", Element: "Observation.code", Field: "OBX-3"}]; n != 500 {
			t.Errorf("%d, want 500", n)
		}
	})
	t.Run("a refused record", func(t *testing.T) {
		strict := load(t, hl7Head, "p: {type: Patient, write: update, required: true, key: [PID-3], set: {birthDate: PID-7}}")
		got := cover(t, strict, er7(t, "PID|1||"))
		if got.Rejected != 1 || got.Issues[mapping.IssueKind{ID: "rule-required", Severity: fhir.Error, Map: "m", Rule: "p", Element: "Patient"}] != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestCoverageIsBounded(t *testing.T) {
	inst := load(t, csvHead, "o: {type: Observation, write: merge, key: [ID], set: {status: =final, code: {from: A, table: lab-item, text: B}}}")
	total := &mapping.Coverage{}
	one := cover(t, inst, row("ID=1", "A="+strings.Repeat("甲", 500), "B="+strings.Repeat("乙", 500)))
	for code := range one.Unmapped {
		if len([]rune(code.Code)) != mapping.MaxCoverageText || len([]rune(code.Text)) != mapping.MaxCoverageText {
			t.Errorf("%d and %d characters", len([]rune(code.Code)), len([]rune(code.Text)))
		}
	}
	if len(one.Unmapped) != 1 {
		t.Errorf("%d codes", len(one.Unmapped))
	}
	const more = 7
	for i := range mapping.MaxCoverageKinds + more {
		total.Merge(&mapping.Coverage{Unread: map[string]int{fmt.Sprint(i): 2}, Unmapped: map[mapping.UnmappedCode]int{{Code: fmt.Sprint(i)}: 1},
			Issues: map[mapping.IssueKind]int{{ID: fmt.Sprint(i)}: 1}})
	}
	if len(total.Unread) != mapping.MaxCoverageKinds || len(total.Unmapped) != mapping.MaxCoverageKinds || len(total.Issues) != mapping.MaxCoverageKinds {
		t.Errorf("%d fields, %d codes, %d issues", len(total.Unread), len(total.Unmapped), len(total.Issues))
	}
	if want := more*2 + more + more; total.Dropped != want {
		t.Errorf("%d dropped, want %d", total.Dropped, want)
	}
	total.Merge(&mapping.Coverage{Unread: map[string]int{"0": 5}})
	if total.Unread["0"] != 7 {
		t.Error("what is known goes on being counted")
	}
}

func TestCoverageOfManyFieldsIsBounded(t *testing.T) {
	inst := load(t, csvHead, "o: {type: Observation, write: merge, key: [ID], set: {status: =final, code: ID}}")
	cells := []string{"ID=1"}
	for i := range mapping.MaxCoverageKinds + 5 {
		cells = append(cells, fmt.Sprintf("C%d=x", i))
	}
	got := cover(t, inst, row(cells...))
	if len(got.Unread) != mapping.MaxCoverageKinds || got.Dropped != 5 || got.Fields != mapping.MaxCoverageKinds+6 {
		t.Errorf("%d fields named, %d dropped, %d in all", len(got.Unread), got.Dropped, got.Fields)
	}
}
