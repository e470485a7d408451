package mapping_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
)

// list writes Fields one a line: element, what it reads, and what else is not empty.
func list(m *mapping.Map) []string {
	var out []string
	for _, f := range m.Fields() {
		var b strings.Builder
		b.WriteString(f.Element)
		for _, r := range f.Reads {
			fmt.Fprintf(&b, " %s=%s", r.For, r.Field)
		}
		for _, more := range []struct{ name, value string }{{"each", f.Each}, {"if", f.Condition}, {"as", f.Function}, {"table", f.Table},
			{"system", f.System}, {"expr", f.Expression}, {"literal", f.Literal}, {"default", f.Default}, {"ref", f.Refers},
			{"with-change", f.WithChange}, {"key", strings.Join(f.Key, ", ")}} {
			if more.value != "" {
				fmt.Fprintf(&b, " | %s %s", more.name, more.value)
			}
		}
		if f.Mandatory {
			b.WriteString(" | mandatory")
		}
		out = append(out, b.String())
	}
	return out
}

func TestFieldsOfAMap(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"HL7 v2", hl7Head + `let:
  own: {each: PID-3, when: {.5: MR}, from: .1}
  number: PV1-19
resources:
  patient:
    type: Patient
    key: [$own]
    write: update
    required: true
    set:
      identifier: [{each: PID-3, when: {.5: {not: [XX, YY]}}, from: .1, as: identifier, with: {authority: .4}}, {from: "PID-3[.5='NI'].1", as: identifier, system: resident-id}]
      name: {each: PID-5, when: {.8: absent}, set: {text: .1.1, period: {from: .10, set: {start: .1}}}}
      birthDate: [PID-7, {with: {s: PID-19}, when: "s != ''", from: $s, as: age-birth}]
      gender: {from: PID-8.1, table: gb-sex, default: unknown}
  result:
    type: Observation
    each: //OBX
    with: {unit: [OBX-6.1, OBX-6.2]}
    when: {OBX-3: present, OBX-2: [NM, SN]}
    key: [[OBR-3.1, OBR-2.1], OBX-3.1, =x]
    write: replace
    set:
      status: {from: OBX-11, table: v2-0085, with-change: corrected}
      code: {from: OBX-3.1, table: lab-item, text: OBX-3.2}
      subject: {ref: patient}
      encounter: {ref: {type: Encounter, key: [$number], display: PV1-3}}
      value[x]: {from: OBX-5, as: result, with: {unit: $unit}}
      note: {from: NTE, set: {text: NTE-3, time: ^.OBR-7}}
      category: {value: {text: Lab}}
      method: {set: {text: =x}}
`, []string{
			"Patient condition=PID-3.5 key=PID-3.1 | key $own | mandatory",
			"Patient.identifier each=PID-3 value=PID-3.1 authority=PID-3.4 condition=PID-3.5 | each PID-3 | if .5 not XX or YY | as identifier",
			"Patient.identifier value=PID-3.1 | as identifier | system resident-id",
			"Patient.name each=PID-5 condition=PID-5.8 | each PID-5 | if .8 absent",
			"Patient.name.text value=PID-5.1.1 | as string",
			"Patient.name.period scope=PID-5.10",
			"Patient.name.period.start value=PID-5.10.1 | as dateTime",
			"Patient.birthDate value=PID-7 | as date",
			"Patient.birthDate value=PID-19 condition=PID-19 | if s != '' | as age-birth",
			"Patient.gender value=PID-8.1 | as code | table gb-sex | default unknown",
			"Observation each=OBX condition=OBX-3 condition=OBX-2 key=OBR-3.1 key=OBR-2.1 key=OBX-3.1 | each //OBX | if OBX-3 present, OBX-2 = NM or SN | key OBR-3.1, OBR-2.1, OBX-3.1, =x",
			"Observation.status value=OBX-11 | as code | table v2-0085 | with-change corrected | mandatory",
			"Observation.code value=OBX-3.1 text=OBX-3.2 | as codeable | table lab-item | mandatory",
			"Observation.subject | ref rule patient",
			"Observation.encounter display=PV1-3 reference=PV1-19 | ref Encounter",
			"Observation.value[x] value=OBX-5 unit=OBX-6.1 unit=OBX-6.2 | as result",
			"Observation.note scope=NTE",
			"Observation.note.text value=NTE-3 | as string | mandatory",
			"Observation.note.time value=OBR-7 | as dateTime",
			`Observation.category | literal {"text":"Lab"}`,
			"Observation.method",
			"Observation.method.text | literal x",
		}},
		{"joined rows", `format: 1
map: m
reads: {format: csv, table: LIS_BG, join: {item: {table: LIS_BGXM, on: {BGDH: BGDH}, many: true}, patient: {table: HIS_HZXX, on: {HZID: HZID}}}}
let: {voided: {from: BGZT, is: [作废]}}
resources:
  observation:
    type: Observation
    each: item
    key: [/BGDH, XMDM]
    write: replace
    set:
      status: {expr: "voided ? 'entered-in-error' : 'final'"}
      code: {from: XMDM, table: lab-item}
      subject: {ref: {type: Patient, identifier: {system: patient, from: patient.HZID}}}
      basedOn: {ref: {type: ServiceRequest, identifier: {system: order, of: SQJG, from: SQDH}}}
      performer: {ref: {institution: {from: JGDM, table: members}}}
`, []string{
			"Observation each=item key=BGDH key=item.XMDM | each item | key /BGDH, XMDM",
			"Observation.status value=BGZT | as code | expr voided ? 'entered-in-error' : 'final' | mandatory",
			"Observation.code value=item.XMDM | as codeable | table lab-item | mandatory",
			"Observation.subject reference=patient.HZID | system patient | ref Patient",
			"Observation.basedOn reference=item.SQDH reference=item.SQJG | system order | ref ServiceRequest",
			"Observation.performer reference=item.JGDM | table members | ref institution",
		}},
		{"documents", `format: 1
map: m
reads: {format: xml, root: r}
resources:
  o:
    type: Observation
    each: //observation[@classCode='OBS']
    key: [id.@extension, ^.no]
    write: replace
    set:
      status: =final
      code: {from: code, set: {coding: {set: {code: "@code", system: /system}}}}
      component: {each: "part.list[@t='a']", set: {code: ^.code, valueString: .}}
      note: {as: annotation, each: note}
      extension: {set: {url: =http://x, valueAttachment: {as: document}}}
`, []string{
			"Observation each=//observation key=//observation.id.@extension key=no | each //observation[@classCode='OBS'] | key id.@extension, ^.no",
			"Observation.status | literal final | mandatory",
			"Observation.code scope=//observation.code | mandatory",
			"Observation.code.coding",
			"Observation.code.coding.code value=//observation.code.@code | as code",
			"Observation.code.coding.system value=system | as uri",
			"Observation.component each=//observation.part.list | each part.list[@t='a']",
			"Observation.component.code value=//observation.part.code | as codeable | mandatory",
			"Observation.component.valueString value=//observation.part.list | as string",
			"Observation.note each=//observation.note value=//observation.note | each note | as annotation",
			"Observation.extension",
			"Observation.extension.url | literal http://x | mandatory",
			"Observation.extension.valueAttachment | as document",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/m.yaml": tt.text,
				"codes/members.csv": "#! system: http://example.org/members\ncode,target\nA,city\n"}), mapping.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m := inst.Maps()[0]
			if diff := cmp.Diff(tt.want, list(m)); diff != "" {
				t.Error(diff)
			}
			fields := m.Fields()
			for i, f := range fields {
				if f.Parent >= i || f.Parent < 0 != (f.Element == f.Resource) || f.File != "maps/m.yaml" || f.Line == 0 || f.Rule == "" {
					t.Errorf("%d: %+v", i, f)
				}
				if f.Parent >= 0 && !fields[f.Parent].Container {
					t.Errorf("%s stands in %s, which holds nothing", f.Element, fields[f.Parent].Element)
				}
			}
		})
	}
	t.Run("built-in maps that were not compiled yet", func(t *testing.T) {
		inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution + "sources: {hl7: {format: hl7v2, base: true}}\n"}),
			mapping.Options{Base: os.DirFS("base"), Lazy: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inst.Maps() {
			if len(m.Fields()) < 20 {
				t.Errorf("%s has %d fields", m.Name(), len(m.Fields()))
			}
		}
	})
	t.Run("code tables", func(t *testing.T) {
		inst := load(t, hl7Head, "p: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}")
		var got []string
		for _, table := range inst.Tables() {
			got = append(got, fmt.Sprint(table.Name(), " ", table.Len()))
		}
		if diff := cmp.Diff([]string{"department 1", "lab-item 1", "observation-status 4", "report-status 3", "report-type 1"}, got); diff != "" {
			t.Error(diff)
		}
		if _, ok := inst.Table("gb-sex"); !ok {
			t.Error("built-in tables are found")
		}
		if _, ok := inst.Table("no-table"); ok {
			t.Error("a table of no name is found")
		}
	})
}
