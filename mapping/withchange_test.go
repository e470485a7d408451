package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

const resultOfReport = `o: {type: Observation, write: WRITE, key: [ID], set: {
    basedOn: {ref: {type: ServiceRequest, identifier: {system: order, from: SQ}}},
    status: {from: ZT, table: observation-status, with-change: corrected},
    code: ID, issued: {from: SJ, with-change: "*"}, valueString: JG, note: {from: BZ, as: annotation}}}`

// lay lays records one over the other, as a store does, and returns what is stored in the end.
func lay(t *testing.T, inst *mapping.Institution, stored *fhir.Node, records ...*record.Record) *fhir.Node {
	t.Helper()
	for _, rec := range records {
		res := run(t, inst, rec)
		if len(res.Resources) != 1 || len(res.Issues) > 0 {
			t.Fatal(len(res.Resources), res.Issues)
		}
		stored = res.Resources[0].Over(stored)
	}
	return stored
}

func TestAValueThatIsWrittenOnlyWithAnotherChange(t *testing.T) {
	first := row("ID=A", "ZT=1", "JG=阳性", "SJ=2024-05-01 08:00:00", "SQ=7")
	same := row("ID=A", "ZT=2", "JG=阳性", "SJ=2024-05-02 09:00:00", "SQ=7")
	other := row("ID=A", "ZT=2", "JG=阴性", "SJ=2024-05-02 09:00:00", "SQ=7")
	noted := row("ID=A", "ZT=2", "JG=阳性", "SJ=2024-05-02 09:00:00", "SQ=7", "BZ=复查")
	void := row("ID=A", "ZT=3", "JG=阳性", "SJ=2024-05-03 09:00:00", "SQ=7")
	dateless := row("ID=A", "ZT=2", "JG=阳性", "SJ=", "SQ=7")
	const final, corrected, early, late = "final", "corrected", "2024-05-01T08:00:00+08:00", "2024-05-02T09:00:00+08:00"
	for _, tt := range []struct {
		name    string
		records []*record.Record
		status  string
		issued  string
	}{
		{"what nothing is stored of is written as it is", []*record.Record{same}, corrected, late},
		{"a result that stays the same stays final", []*record.Record{first, same}, final, early},
		{"one that changes is corrected", []*record.Record{first, other}, corrected, late},
		{"one that gets a note is corrected", []*record.Record{first, noted}, corrected, late},
		{"the same record twice", []*record.Record{first, same, same}, final, early},
		{"the correction twice", []*record.Record{first, other, other}, corrected, late},
		{"a second correction of another result", []*record.Record{first, other, row("ID=A", "ZT=2", "JG=阴性", "SJ=2024-05-04 09:00:00", "SQ=7")}, corrected, late},
		{"corrected back", []*record.Record{first, other, same}, corrected, late},
		{"a value that is not listed is always written", []*record.Record{first, void}, "entered-in-error", "2024-05-03T09:00:00+08:00"},
		{"after a void one the correction is a change of status alone", []*record.Record{first, void, same}, "entered-in-error", "2024-05-03T09:00:00+08:00"},
		{"what goes is a change", []*record.Record{first, dateless}, corrected, ""},
		{"what comes later and says otherwise is written", []*record.Record{same, first}, final, early},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, write := range []string{"replace", "update"} {
				inst := load(t, csvHead, strings.Replace(resultOfReport, "WRITE", write, 1))
				got := lay(t, inst, nil, tt.records...)
				if diff := cmp.Diff([]string{tt.status, tt.issued}, []string{got.Get("status").Text(), got.Get("issued").Text()}); diff != "" {
					t.Errorf("%s: %s", write, diff)
				}
			}
		})
	}
	inst := load(t, csvHead, strings.Replace(resultOfReport, "WRITE", "replace", 1))
	t.Run("what the gateway adds is no change", func(t *testing.T) {
		stored := lay(t, inst, nil, first)
		stored.Get("basedOn").At(0).Prepend("reference", fhir.NewString("ServiceRequest/x"))
		stored.Set("meta", tree(t, `{"versionId":"1","tag":[{"code":"test"}]}`))
		if got := lay(t, inst, stored, same).Get("status").Text(); got != final {
			t.Error(got)
		}
	})
	t.Run("another order is a change", func(t *testing.T) {
		stored := lay(t, inst, nil, first)
		if got := lay(t, inst, stored, row("ID=A", "ZT=2", "JG=阳性", "SJ=2024-05-02 09:00:00", "SQ=8")).Get("status").Text(); got != corrected {
			t.Error(got)
		}
	})
	t.Run("filling gaps changes nothing", func(t *testing.T) {
		merge := load(t, csvHead, strings.Replace(resultOfReport, "WRITE", "merge", 1))
		if got := lay(t, merge, nil, first, other).Get("status").Text(); got != final {
			t.Error(got)
		}
	})
}

func TestMistakesOfWithChange(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"inside an element", patientHead + "      contact: {set: {gender: {from: NK1-15, with-change: male}}}\n",
			"maps/m.yaml:10:46: with-change is for elements of the resource itself"},
		{"of an element with parts", patientHead + "      maritalStatus: {from: PID-16, with-change: M}\n",
			`maps/m.yaml:10:37: Patient.maritalStatus has no single value to compare; want with-change: "*", whatever it is`},
		{"of an open choice", patientHead + "      deceased[x]: {from: PID-30, as: boolean, with-change: true}\n",
			`maps/m.yaml:10:48: Patient.deceased[x] has no single value to compare; want with-change: "*", whatever it is`},
		{"without a value", patientHead + "      gender: {from: PID-8, with-change: []}\n",
			"maps/m.yaml:10:42: an empty list; want one or more literals"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := loadMap(tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("got %v", err)
			}
		})
	}
}
