package mapping_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

var salt = []byte("a salt for tests")

const institution = `
format: 1
id: test
name: 测试医院
identifiers:
  lab: {local: true, type: MR}
authorities: {HIS: patient, CITY: city/order}
systems: {LIS: lab-item, L10: "http://example.org/l10"}
`

// load makes an institution of one map whose resources: section is given.
func load(t *testing.T, head, resources string) *mapping.Institution {
	t.Helper()
	inst, err := loadMap(head + "\nresources:\n" + indent(resources))
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

func loadMap(text string) (*mapping.Institution, error) {
	return mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/m.yaml": text}), mapping.Options{})
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.Trim(s, "\n"), "\n", "\n  ")
}

const hl7Head = "format: 1\nmap: m\nreads: {format: hl7v2, messages: [\"*\"]}\n"

func er7(t *testing.T, segments ...string) *record.Record {
	t.Helper()
	text := strings.Join(segments, "\r") + "\r"
	if !strings.HasPrefix(text, "MSH") {
		text = "MSH|^~\\&|HIS|H|||20240501083000||ADT^A01|1|P|2.4|||||CHN|UNICODE UTF-8\r" + text
	}
	rec, err := hl7v2.Parse([]byte(text), hl7v2.Options{Charset: "UTF-8"})
	if err != nil {
		t.Fatal(err)
	}
	rec.Issues = nil
	return rec
}

func run(t *testing.T, inst *mapping.Institution, rec *record.Record, o ...func(*mapping.RunOptions)) *mapping.Result {
	t.Helper()
	opts := mapping.RunOptions{Salt: salt, Received: time.Date(2024, 5, 2, 0, 0, 0, 0, time.UTC)}
	for _, f := range o {
		f(&opts)
	}
	res, err := inst.Map(rec, opts)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// show writes a result with ids as #1, #2 … in the order of the resources.
func show(res *mapping.Result) (resources, issues []string) {
	names := []string{}
	for i, r := range res.Resources {
		if r.ID != "" {
			names = append(names, r.ID, fmt.Sprintf("#%d", i+1))
		}
	}
	replace := strings.NewReplacer(names...)
	for _, r := range res.Resources {
		resources = append(resources, replace.Replace(string(r.Tree.AppendJSON(nil))))
	}
	for _, i := range res.Issues {
		issues = append(issues, i.String())
	}
	return resources, issues
}

func TestWhatRulesMake(t *testing.T) {
	pid := "PID|1|P0|A1^^^HIS^MR~B2^^^&2.16.156.10011.1.3&ISO^NI~^^^X||张三^^^^^^L~Zhang^San||19900102|M|||北京路1号^^城^省^100000||13000000000|||||||||||||||20240501"
	for _, tt := range []struct {
		name      string
		resources string
		segments  []string
		want      []string
		issues    []string
	}{
		{"a path of a primitive", "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: PID-7}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","birthDate":"1990-01-02"}`}, nil},
		{"a literal", "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: PID-7, active: =true}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","active":true,"birthDate":"1990-01-02"}`}, nil},
		{"each repetition of a field", "p: {type: Patient, write: update, key: [PID-3], set: {identifier: {each: PID-3, set: {value: .1}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","identifier":[{"value":"A1"},{"value":"B2"}]}`}, nil},
		{"literals do not make an object beside a path without a value", "p: {type: Patient, write: update, key: [PID-3], set: {maritalStatus: {set: {coding: {set: {system: =http://x, code: PID-16}}}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1"}`}, nil},
		{"literals alone make an object", "p: {type: Patient, write: update, key: [PID-3], set: {maritalStatus: {set: {coding: {set: {system: =http://x, code: =M}}}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","maritalStatus":{"coding":[{"system":"http://x","code":"M"}]}}`}, nil},
		{"the first path with a value", "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: {from: [PID-29, PID-7]}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","birthDate":"1990-01-02"}`}, nil},
		{"a list of rules for one that repeats", "p: {type: Patient, write: update, key: [PID-3], set: {identifier: [{from: PID-2, set: {value: .}}, {each: PID-3, set: {value: .}}]}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","identifier":[{"value":"P0"},{"value":"A1"},{"value":"B2"}]}`}, nil},
		{"a condition on a path", "p: {type: Patient, write: update, key: [PID-3], set: {identifier: {each: PID-3, when: {.5: [NI, XX]}, set: {value: .1}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","identifier":[{"value":"B2"}]}`}, nil},
		{"a condition that is not", "p: {type: Patient, write: update, key: [PID-3], set: {identifier: {each: PID-3, when: {.1: present, .5: {not: [NI]}}, set: {value: .1}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","identifier":[{"value":"A1"}]}`}, nil},
		{"a condition as an expression", "p: {type: Patient, write: update, key: [PID-3], with: {sex: PID-8, note: NTE-3}, set: {active: {value: false, when: \"sex in ['M'] && note == ''\"}, birthDate: PID-7}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","active":false,"birthDate":"1990-01-02"}`}, nil},
		{"an expression by characters", "p: {type: Patient, write: update, key: [PID-3], with: {n: PID-5.1}, set: {name: {set: {text: {expr: \"left(n, 1) + '某' + text(chars(n))\"}}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","name":[{"text":"张某2"}]}`}, nil},
		{"a rule that does not apply", "p: {type: Patient, write: update, when: {PID-8: F}, key: [PID-3], set: {birthDate: PID-7}}",
			[]string{pid}, nil, nil},
		{"a key without a value", "p: {type: Patient, write: update, key: [PID-4], set: {birthDate: PID-7}}",
			[]string{pid}, nil, []string{"warning: nothing is made by p: its key has no value at Patient [key-missing]"}},
		{"a table for a code", "p: {type: Patient, write: update, key: [PID-3], set: {gender: {from: PID-8, table: gb-sex}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","gender":"male"}`}, nil},
		{"a code that the table does not have", "p: {type: Patient, write: update, key: [PID-3], set: {gender: {from: PID-5.1, table: gb-sex}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1"}`}, []string{"2:60: warning: the code is not in table gb-sex at Patient.gender from PID[1]-5[1].1 [code-unmapped]"}},
		{"a code that rejects the record", "p: {type: Patient, write: update, key: [PID-3], set: {gender: {from: PID-5.1, table: gb-sex, unmapped: reject}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1"}`}, []string{"2:60: error: the code is not in table gb-sex, which rejects unknown codes at Patient.gender from PID[1]-5[1].1 [code-rejected]"}},
		{"an identifier by its name", "p: {type: Patient, write: update, key: [PID-3], set: {identifier: {from: PID-2, as: identifier, system: lab}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/test/lab","value":"P0"}]}`}, nil},
		{"a date that is none", "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: PID-5.1, active: =true}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","active":true}`},
			[]string{"2:60: warning: not a date or time: want a form such as 20240501, 20240501083000, 2024-05-01 08:30:00 or 2024年5月1日 at Patient.birthDate from PID[1]-5[1].1 [date-format]"}},
		{"an extension of a primitive", "p: {type: Patient, write: update, key: [PID-3], set: {birthDate: PID-7, _birthDate: {set: {extension: {set: {url: =http://x, valueDateTime: PID-7}}}}}}",
			[]string{pid}, []string{`{"resourceType":"Patient","id":"#1","birthDate":"1990-01-02","_birthDate":{"extension":[{"url":"http://x","valueDateTime":"1990-01-02"}]}}`}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst := load(t, hl7Head, tt.resources)
			resources, issues := show(run(t, inst, er7(t, tt.segments...)))
			if diff := cmp.Diff(tt.want, resources); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.issues, issues); diff != "" {
				t.Error(diff)
			}
		})
	}
}
