package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

const csvHead = "format: 1\nmap: m\nreads: {format: csv, table: T}\n"

// row makes a record of one row: "NAME=value", "NAME=" for an empty cell.
func row(cells ...string) *record.Record {
	var b record.Builder
	columns := record.Columns{}
	root := b.Group("T", columns)
	for i, c := range cells {
		name, text, _ := strings.Cut(c, "=")
		columns[name] = i
		state := record.Present
		if text == "" {
			state = record.Empty
		}
		root.Add(b.Leaf(name, text, state))
	}
	return &record.Record{Format: record.Table, Type: "T", Root: root}
}

func tree(t *testing.T, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLayingOverWhatIsStored(t *testing.T) {
	patient := "p: {type: Patient, write: WRITE, key: [ID], set: {identifier: {from: ID, as: identifier, system: 'urn:x'}, gender: {from: XB, table: gb-sex}, " +
		"birthDate: CSRQ, maritalStatus: HYZK, deceasedDateTime: SWSJ}}"
	observation := "o: {type: Observation, write: WRITE, key: [ID], set: {status: =final, code: ID, 'value[x]': {from: JG, as: result}, interpretation: {from: BZ, as: flag}, note: {from: ZS, as: annotation}}}"
	stored := `{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:y","value":"9"}],"active":true,"gender":"female","birthDate":"1980","deceasedBoolean":false,"photo":[{"title":"x"}]}`
	result := `{"resourceType":"Observation","id":"1","status":"preliminary","code":{"text":"A"},"valueQuantity":{"value":9},"interpretation":[{"text":"H"}],"note":[{"text":"old"}],"method":{"text":"m"}}`
	for _, tt := range []struct {
		name, rules, write string
		record             *record.Record
		stored             string
		cleared            string
		want               string
	}{
		{"update replaces what the record gives and keeps what it does not mention", patient, "update", row("ID=1", "XB=1"), stored, "",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"gender":"male","birthDate":"1980","deceasedBoolean":false,"photo":[{"title":"x"}]}`},
		{"update removes what a column empties", patient, "update", row("ID=1", "XB=", "CSRQ="), stored, "birthDate gender",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"deceasedBoolean":false,"photo":[{"title":"x"}]}`},
		{"a value of a choice takes the place of another", patient, "update", row("ID=1", "SWSJ=2024-01-02"), stored, "deceasedBoolean",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"gender":"female","birthDate":"1980","deceasedDateTime":"2024-01-02","photo":[{"title":"x"}]}`},
		{"a new element stands where FHIR puts it", patient, "update", row("ID=1", "HYZK=已婚"), stored, "",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"gender":"female","birthDate":"1980","deceasedBoolean":false,"maritalStatus":{"text":"已婚"},"photo":[{"title":"x"}]}`},
		{"a value that nothing could be made of removes nothing", patient, "update", row("ID=1", "CSRQ=昨天"), stored, "",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"gender":"female","birthDate":"1980","deceasedBoolean":false,"photo":[{"title":"x"}]}`},
		{"a placeholder is as empty as nothing", patient, "update", row("ID=1", "CSRQ=0000-00-00"), stored, "birthDate",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:x","value":"1"}],"active":true,"gender":"female","deceasedBoolean":false,"photo":[{"title":"x"}]}`},
		{"merge fills gaps and adds identifiers of other systems", patient, "merge", row("ID=1", "XB=1", "HYZK=已婚", "SWSJ=2024-01-02"), stored, "",
			`{"resourceType":"Patient","id":"1","extension":[{"url":"http://own"}],"identifier":[{"system":"urn:y","value":"9"},{"system":"urn:x","value":"1"}],"active":true,"gender":"female","birthDate":"1980","deceasedBoolean":false,"maritalStatus":{"text":"已婚"},"photo":[{"title":"x"}]}`},
		{"replace removes what its rules could have made", observation, "replace", row("ID=A", "JG=大量杆菌"), result,
			"dataAbsentReason interpretation note valueBoolean valueCodeableConcept valueDateTime valueInteger valuePeriod valueQuantity valueRange valueRatio valueSampledData valueTime",
			`{"resourceType":"Observation","id":"1","status":"final","code":{"text":"A"},"valueString":"大量杆菌","method":{"text":"m"}}`},
		{"replace of a missing value leaves the reason", observation, "replace", row("ID=A", "JG="), result,
			"interpretation note valueBoolean valueCodeableConcept valueDateTime valueInteger valuePeriod valueQuantity valueRange valueRatio valueSampledData valueString valueTime",
			`{"resourceType":"Observation","id":"1","status":"final","code":{"text":"A"},"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"unknown"}]},"method":{"text":"m"}}`},
		{"a reference is never written", patient, "reference", row("ID=1", "XB=1"), stored, "", stored},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst := load(t, csvHead, strings.Replace(tt.rules, "WRITE", tt.write, 1))
			res := run(t, inst, tt.record)
			if len(res.Resources) != 1 {
				t.Fatalf("%d resources: %v", len(res.Resources), res.Issues)
			}
			r := res.Resources[0]
			if got := strings.Join(r.Cleared, " "); got != tt.cleared {
				t.Errorf("cleared %q, want %q", got, tt.cleared)
			}
			r.Tree.Set("id", fhir.NewString("1"))
			before := tree(t, tt.stored)
			got := r.Over(before)
			if diff := cmp.Diff(tt.want, string(got.AppendJSON(nil))); diff != "" {
				t.Error(diff)
			}
			if again := r.Over(got); !fhir.Equal(again, got) {
				t.Errorf("laying the same over it again changes it: %s", again.AppendJSON(nil))
			}
			if !fhir.Equal(before, tree(t, tt.stored)) {
				t.Error("the stored tree was changed")
			}
		})
	}
}

func TestAnHL7FieldDeletesWithQuotesAndNotByBeingEmpty(t *testing.T) {
	inst := load(t, hl7Head, "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: PID-7, gender: {from: PID-8, table: v2-0001}, deceasedDateTime: PID-29, maritalStatus: {set: {coding: {set: {system: =http://x, code: PID-16.1}}}}}}")
	r := run(t, inst, er7(t, `PID|1||A||||""|||||||||""`)).Resources[0]
	if diff := cmp.Diff([]string{"birthDate", "maritalStatus"}, r.Cleared); diff != "" {
		t.Error(diff)
	}
}

func TestIdentityOfResources(t *testing.T) {
	lines := "o: {type: Observation, write: WRITE, each: OBX, key: [/PID-3, OBX-3], set: {status: =final, code: OBX-3}}"
	obx := []string{"PID|1||A", "OBX|1|NM|GLU||1", "OBX|2|NM|GLU||2", "OBX|3|NM|K||3"}
	ids := func(write string, segments ...string) []string {
		var out []string
		for _, r := range run(t, load(t, hl7Head, strings.Replace(lines, "WRITE", write, 1)), er7(t, segments...)).Resources {
			out = append(out, r.ID)
		}
		return out
	}
	replaced := ids("replace", obx...)
	if len(replaced) != 3 || replaced[0] == replaced[1] {
		t.Errorf("results with one key are told apart by their occurrence: %v", replaced)
	}
	if merged := ids("merge", obx...); len(merged) != 2 || merged[0] != replaced[0] || merged[1] != replaced[2] {
		t.Errorf("what is merged is one resource: %v", merged)
	}
	if moved := ids("replace", obx[0], obx[3], obx[1], obx[2]); moved[0] != replaced[2] || moved[1] != replaced[0] || moved[2] != replaced[1] {
		t.Errorf("a place is no part of an identity: %v", moved)
	}
	for _, id := range replaced {
		if len(id) != 26 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("id %q", id)
		}
	}
	inst := load(t, hl7Head, strings.Replace(lines, "WRITE", "replace", 1))
	other := run(t, inst, er7(t, obx...), func(o *mapping.RunOptions) { o.Salt = []byte("another salt") })
	if other.Resources[0].ID == replaced[0] {
		t.Error("another institution's salt makes other ids")
	}
	if _, err := inst.Map(er7(t, obx...), mapping.RunOptions{}); !errors.Is(err, mapping.ErrNoSalt) {
		t.Errorf("without a salt: %v", err)
	}
	parts := load(t, csvHead, "o: {type: Observation, write: replace, key: [A, B], set: {status: =final, code: A}}")
	a, b := run(t, parts, row("A=1", "B=23")).Resources[0].ID, run(t, parts, row("A=12", "B=3")).Resources[0].ID
	if a == b {
		t.Error("the parts of a key do not run into each other")
	}
	if c := run(t, parts, row("A= １", "B=23 ")).Resources[0].ID; c != a {
		t.Error("width and outer spaces do not make another key")
	}
}

func TestTwoRulesForOneResourceAreJoined(t *testing.T) {
	inst := load(t, hl7Head, `
a: {type: Practitioner, write: merge, key: [PV1-7.1], set: {identifier: {from: PV1-7.1, as: identifier, system: staff}}}
b: {type: Practitioner, write: merge, key: [OBR-16.1], set: {identifier: {from: OBR-16.1, as: identifier, system: 'urn:b'}, name: {from: OBR-16.2, as: name}}}
`)
	got, _ := show(run(t, inst, er7(t, "MSH|^~\\&|A|B|||20240501||ORU^R01|1|P|2.4|||||CHN|UNICODE UTF-8", "PID|1||A", "PV1|1|I|||||D1", "OBR|1|||X||||||||||||D1^李四")))
	want := []string{`{"resourceType":"Practitioner","id":"#1","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"EI"}]},"system":"https://yilian.dev/fhir/institution/test/staff","value":"D1"},{"system":"urn:b","value":"D1"}],"name":[{"text":"李四","family":"李","given":["四"]}]}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMappingTwiceGivesTheSame(t *testing.T) {
	inst := baseInstitution(t)
	texts := func() []string {
		res := run(t, inst, er7(t, strings.Split(strings.TrimSuffix(string(oru(20)), "\r"), "\r")...), func(o *mapping.RunOptions) { o.Trace, o.Coverage = true, true })
		var out []string
		for _, r := range res.Resources {
			out = append(out, string(r.Tree.AppendJSON(nil)))
		}
		for _, i := range res.Issues {
			out = append(out, i.String())
		}
		return append(out, res.Version)
	}
	first := texts()
	for range 5 {
		if diff := cmp.Diff(first, texts()); diff != "" {
			t.Fatal(diff)
		}
	}
}
