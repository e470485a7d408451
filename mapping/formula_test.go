package mapping_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
)

func TestFormulasAreRefused(t *testing.T) {
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试医院\n",
		"maps/m.yaml":      "format: 1\nmap: m\nreads: {format: csv, table: T}\nresources: {p: {type: Patient, key: [A], write: update, set: {name: {set: {text: B}}}}}\n",
	}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		value   string
		refused bool
	}{
		{"=cmd|' /C calc'!A0", true},
		{"@SUM(A1)", true},
		{"=HYPERLINK(\"http://x\")", true},
		{" +cmd|'x'", true},
		{"-calc|'x'!A", true},
		{"=\"00123\"", false}, // as exports keep leading zeros
		{"=5", false},
		{"+", false},
		{"++", false},
		{"-", false},
		{"-1.5", false},
		{"+86 13000000000", false},
		{"-HBsAb(弱阳性)", false},
		{"@", false},
		{"张三(=李四)", false},
	} {
		row := "A,B\n1,\"" + strings.ReplaceAll(tt.value, `"`, `""`) + "\"\n2,b\n"
		var got []string
		for c, err := range inst.Open("", []mapping.File{{Name: "T.csv", Bytes: []byte(row)}}, mapping.IntakeLimits{}).Records() {
			switch {
			case err != nil:
				t.Fatal(err)
			case c.Err != nil:
				got = append(got, c.Err.Code+" "+c.Err.Path)
			default:
				got = append(got, "taken")
			}
		}
		want := "taken taken"
		if tt.refused {
			want = "formula B taken"
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", tt.value, s, want)
		}
	}
}

func TestARecordWithoutWhatIsRequiredIsRefused(t *testing.T) {
	inst := load(t, hl7Head, `
patient: {type: Patient, when: {PID: present}, key: [PID-3.1], write: update, required: true, set: {birthDate: PID-7}}
visit: {type: Encounter, key: [PV1-19.1], write: update, set: {status: =planned, class: {value: {code: AMB}}, subject: {ref: patient}}}
`)
	for _, tt := range []struct {
		name     string
		segments []string
		want     string
	}{
		{"with it", []string{"PID|1||A1", "PV1|1||||||||||||||||||V1"}, ""},
		{"without the segment", []string{"PV1|1||||||||||||||||||V1"}, "rule-required"},
		{"without a key", []string{"PID|1||", "PV1|1||||||||||||||||||V1"}, "rule-required"},
	} {
		res := run(t, inst, er7(t, tt.segments...))
		got := ""
		for _, i := range res.Issues {
			if i.Severity == "error" {
				got = i.ID
			}
		}
		if got != tt.want || res.Rejected() != (tt.want != "") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
