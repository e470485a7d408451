package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
)

const threeNumbers = "PID|1||A1^^^HIS^MR~B2^^^GA^NI~C3^^^WJW^MR||||19900102|M"

func TestASelectorTakesItsRepetition(t *testing.T) {
	inst := load(t, hl7Head, `p: {type: Patient, write: update, key: ["PID-3[.5='NI'].1"], with: {own: "PID-3[.5='MR'].1"}, set: {identifier: [{from: $own, set: {value: .}}, {each: "PID-3[.5='MR'][.4='WJW']", set: {value: .1}}, {each: "PID-3[.5='MR']", when: {.1: C3}, set: {value: .4}}]}}`)
	res := run(t, inst, er7(t, threeNumbers), func(o *mapping.RunOptions) { o.Coverage, o.Trace = true, true })
	resources, issues := show(res)
	want := []string{`{"resourceType":"Patient","id":"#1","identifier":[{"value":"A1"},{"value":"C3"},{"value":"WJW"}]}`}
	if diff := cmp.Diff(want, resources); diff != "" || issues != nil {
		t.Error(diff, issues)
	}
	t.Run("what it compared counts as read", func(t *testing.T) {
		// Read: all types, all authorities of type MR, three numbers. Of the person's own number the authority is not.
		if diff := cmp.Diff(map[string]int{"PID-1": 1, "PID-3.4": 1, "PID-7": 1, "PID-8": 1}, patientFields(res.Coverage.Unread)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the trace names the repetition", func(t *testing.T) {
		var got []string
		for _, s := range res.Trace {
			if s.Element == "Patient.identifier.value" {
				for _, o := range s.From {
					got = append(got, o.Path)
				}
			}
		}
		if diff := cmp.Diff([]string{"PID[1]-3[1].1", "PID[1]-3[3].1", "PID[1]-3[3].4"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func patientFields(unread map[string]int) map[string]int {
	out := map[string]int{}
	for k, n := range unread {
		if k[:3] == "PID" {
			out[k] = n
		}
	}
	return out
}

func TestSelectorsOfWhatCannotBeAreFound(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a component that the field does not have", patientHead + "      birthDate: PID-3[.15='MR'].1\n",
			`maps/m.yaml:10:18: path "PID-3[.15='MR'].1": PID-3.15 does not exist, CX has 12 components`},
		{"a field that the segment does not have", patientHead + "      birthDate: PID[.90='MR']-7\n",
			`maps/m.yaml:10:18: path "PID[.90='MR']-7": PID-90 does not exist, PID has 40 fields`},
		{"a named field that the segment does not have", patientHead + "      birthDate: PATIENT[PID-90='x'].PID-7\n",
			`maps/m.yaml:10:18: path "PATIENT[PID-90='x'].PID-7": PID-90 does not exist, PID has 40 fields`},
		{"a column, which stands once", tableHead + "      valueString: BZ[.='x']\n",
			`maps/m.yaml:12:20: there is no join "BZ"; there are none`},
		{"a field in a table", tableHead + "      valueString: BZ[PID-3='x']\n",
			"maps/m.yaml:12:20: path \"BZ[PID-3='x']\" reads an HL7 v2 field, but the map reads csv; names with signs in them stand in double quotes\nmaps/m.yaml:12:20: there is no join \"BZ\"; there are none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadMap(tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}
