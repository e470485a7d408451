package survey_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/survey"
)

const institution = "format: 1\nid: hospital\nname: hospital\nsources:\n  lis: {format: json}\n"

const report = `format: 1
map: report
reads: {format: json, where: {no: present}}
resources:
  patient:
    type: Patient
    key: [who]
    write: merge
    set:
      identifier: {from: who, as: identifier, system: patient}
      birthDate: born
      name:
        - {from: name, as: name}
        - {from: name2, as: name}
  observation:
    type: Observation
    each: items
    key: [/no, code]
    write: replace
    set:
      status: =final
      code: {from: code, table: item, text: name}
      subject: {ref: patient}
      method: {when: {how: present}, set: {text: how}}
      specimen: {when: {kind: blood}, ref: {type: Specimen, key: [/no]}}
      value[x]: {from: value, as: result}
  other:
    type: Basic
    when: {other: present}
    key: [no]
    write: replace
    set: {code: {set: {text: other}}}
`

const never = "format: 1\nmap: never\nreads: {format: json, where: {absent: present}}\nresources:\n  basic: {type: Basic, key: [absent], write: replace, set: {code: {set: {text: absent}}}}\n"

const items = "#! system: http://loinc.org\ncode,display,target,aliases\nH1,空腹血糖,14771-0,\nH2,尿酸,14933-6,\n"

const records = `[
{"no":"1","who":"A","name":"赵明","extra":"x","items":[{"code":"H1","name":"空腹血糖","value":"5.1"},{"code":"X9","name":"糖化血红蛋白","value":"6"}]},
{"no":"2","who":"B","name":"赵明","born":"不详","items":[{"code":"X9","name":"糖化血红蛋白","value":"7"},{"code":"h3","name":"尿酸碱","value":"7"}]},
{"no":"3","who":"C","name":"赵明","items":[]},
{"other":"without a map"}]`

func survey3(t testing.TB) *survey.Survey {
	t.Helper()
	inst, err := mapping.Load(fstest.MapFS{"institution.yaml": {Data: []byte(institution)}, "maps/report.yaml": {Data: []byte(report)},
		"maps/never.yaml": {Data: []byte(never)}, "codes/item.csv": {Data: []byte(items)}}, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var total mapping.Coverage
	for cut, err := range inst.Open("lis", []mapping.File{{Name: "r.json", Bytes: []byte(records)}}, mapping.IntakeLimits{}).Records() {
		if err != nil || cut.Record == nil {
			t.Fatal(err, cut.Err)
		}
		got, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("salt"), Coverage: true})
		if err != nil {
			t.Fatal(err)
		}
		survey.Add(&total, got)
	}
	return survey.Of(inst, &total, map[string]int{"json": 2})
}

func TestElementsNeverFilledNameTheirFields(t *testing.T) {
	var got []string
	for _, e := range survey3(t).Never {
		got = append(got, fmt.Sprintf("%s %s of %s: %d tried, %d off", e.Rule, e.Element, strings.Join(e.Fields, " "), e.Tried, e.Off))
	}
	// Somebody's name comes from the first of two rules; other is for records that there are none of.
	want := []string{
		"observation Observation.method of items.how: 4 tried, 4 off",
		"observation Observation.specimen of no items.kind: 4 tried, 4 off",
		"patient Patient.birthDate of born: 3 tried, 0 off",
		"other Basic of other no: 3 tried, 3 off",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCodesWithoutATranslationNameWhatTheyMayMean(t *testing.T) {
	var got []string
	for _, u := range survey3(t).Unmapped {
		near := ""
		for _, c := range u.Candidates {
			near += fmt.Sprintf(" %s:%s %s", c.From, c.Code, c.Target.Code)
		}
		got = append(got, fmt.Sprintf("%s %s %s %d:%s", u.Table, u.Code, u.Text, u.Count, near))
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "item X9 糖化血红蛋白 2: lab-names:HbA1c 4548-4") || !strings.HasPrefix(got[1], "item h3 尿酸碱 1: item:H2 14933-6") {
		t.Errorf("got %q", got)
	}
}

func TestTheWorstFindingsStandFirst(t *testing.T) {
	s := survey3(t)
	if len(s.Failing) < 3 || s.Failing[0].Severity != "error" || s.Failing[len(s.Failing)-1].Severity == "error" {
		t.Errorf("got %+v", s.Failing)
	}
	if s.Records != 4 || s.Rejected != 1 {
		t.Errorf("%d records, %d refused, want 4 and the one without a map", s.Records, s.Rejected)
	}
	if s.Unreadable != 2 {
		t.Errorf("%d unreadable, want 2", s.Unreadable)
	}
	if diff := cmp.Diff([]string{"never"}, s.Unused); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]survey.Field{{Name: "extra", Count: 1}, {Name: "no", Count: 1}}, s.Unread); diff != "" {
		t.Error(diff)
	}
}
