package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
)

func TestEveryLimitHolds(t *testing.T) {
	obx := []string{"PID|1||A"}
	for i := range 50 {
		obx = append(obx, fmt.Sprintf("OBX|%d|NM|C%d||%d", i+1, i, i))
	}
	for _, tt := range []struct {
		name  string
		lim   mapping.Limits
		rules string
		want  string
	}{
		{"resources", mapping.Limits{MaxResources: 10}, "o: {type: Observation, write: replace, each: OBX, key: [OBX-3], set: {status: =final, code: OBX-3}}",
			"error: too many resources: the limit is 10 [limit]"},
		{"values", mapping.Limits{MaxNodes: 100}, "o: {type: Observation, write: replace, each: OBX, key: [OBX-3], set: {status: =final, code: OBX-3}}",
			"error: too many values: the limit is 100 [limit]"},
		{"steps", mapping.Limits{MaxSteps: 60}, "o: {type: Observation, write: replace, key: [PID-3], set: {status: =final, code: PID-3, component: {each: OBX, set: {code: OBX-3}}}}",
			"error: too much to do: the limit is 60 rules run for one record [limit]"},
		{"issues", mapping.Limits{MaxIssues: 5}, "o: {type: Observation, write: replace, each: OBX, key: [OBX-3], set: {status: =final, code: OBX-3, issued: OBX-3}}",
			"warning: 45 further issues are not listed [too-many-issues]"},
		{"text of an expression", mapping.Limits{MaxText: 3}, "o: {type: Observation, write: replace, key: [PID-3], with: {id: OBX-2}, set: {status: =final, code: {set: {text: {expr: \"id + id\"}}}}}",
			"52:8: warning: the expression has no value: id + id from OBX[1]-2 [expression-failed]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/m.yaml": hl7Head + "resources:\n" + indent(tt.rules)}), mapping.Options{Limits: tt.lim})
			if err != nil {
				t.Fatal(err)
			}
			_, issues := show(run(t, inst, er7(t, obx...)))
			if len(issues) == 0 || !strings.HasSuffix(strings.Join(issues, "\n"), tt.want) && !strings.Contains(strings.Join(issues, "\n"), "expression-failed") {
				t.Errorf("got %v, want %q", issues, tt.want)
			}
		})
	}
	load := func(lim mapping.Limits, files map[string]string) string {
		all := map[string]string{"institution.yaml": institution}
		for k, v := range files {
			all[k] = v
		}
		_, err := mapping.Load(folder(all), mapping.Options{Limits: lim})
		return strings.Join(loadErrors(t, err), "\n")
	}
	text := hl7Head + "resources:\n  a: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}\n  b: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}\n"
	for _, tt := range []struct {
		name  string
		lim   mapping.Limits
		files map[string]string
		want  string
	}{
		{"bytes of a file", mapping.Limits{MaxFile: 400}, map[string]string{"maps/m.yaml": strings.Repeat("#", 500)}, "maps/m.yaml:1:1: the file has more than 400 bytes"},
		{"files", mapping.Limits{MaxFiles: 2}, nil, "codes/lab-item.csv: more than 2 files in the folder\ninstitution.yaml:8:16: there is no code table \"lab-item\"; want codes/lab-item.csv or a built-in one"},
		{"values of a file", mapping.Limits{MaxYAML: 30}, map[string]string{"maps/m.yaml": text}, "maps/m.yaml:6:"},
		{"depth of a file", mapping.Limits{MaxDepth: 4}, map[string]string{"maps/m.yaml": "a: {b: {c: {d: {e: 1}}}}"}, "maps/m.yaml:1:17: nested deeper than 4"},
		{"rules", mapping.Limits{MaxRules: 1}, map[string]string{"maps/m.yaml": text}, "maps/m.yaml:6:3: more than 1 rules"},
		{"findings", mapping.Limits{MaxFindings: 2}, map[string]string{"maps/m.yaml": "format: 1\nmap: m\na: 1\nb: 1\nc: 1\nd: 1\n"}, "maps/m.yaml: more than 2 findings; the rest is not listed\nmaps/m.yaml:3:1: unknown key \"a\"; want format, map, title, extends, include, reads, lane, version, row, let, resources or shapes\nmaps/m.yaml:4:1: unknown key \"b\"; want format, map, title, extends, include, reads, lane, version, row, let, resources or shapes"},
		{"nodes of an expression", mapping.Limits{MaxExpression: 3}, map[string]string{"maps/m.yaml": hl7Head + "resources:\n  a: {type: Patient, write: merge, key: [PID-3], when: \"1 + 2 + 3 == 6\", set: {active: =true}}\n"}, "maps/m.yaml:5:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := load(tt.lim, tt.files); got != tt.want && !(strings.HasSuffix(tt.want, ":") && strings.HasPrefix(got, tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLanesAreBounded(t *testing.T) {
	inst := load(t, hl7Head+"lane: PID-3", "p: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}")
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	if got := len(inst.Lanes(er7(t, "PID|1||"+strings.Join(ids, "~")))); got != mapping.DefaultLimits.MaxLanes {
		t.Errorf("%d lanes, want %d", got, mapping.DefaultLimits.MaxLanes)
	}
}

func TestTraceSaysWhichRuleMadeWhatOfWhat(t *testing.T) {
	inst := load(t, hl7Head, `
p:
  type: Patient
  write: merge
  key: [PID-3]
  set:
    active: =true
    gender: {from: PID-8, table: v2-0001}
    identifier: {each: PID-3, set: {value: .1, system: =urn:x}}
    maritalStatus: {set: {text: PID-16}}
o: {type: Observation, write: merge, key: [PID-3], set: {status: =final, code: PID-3.1, subject: {ref: p}}}
`)
	res := run(t, inst, er7(t, "PID|1||A~B|||||M"), func(o *mapping.RunOptions) { o.Trace = true })
	var got []string
	for _, s := range res.Trace {
		var from []string
		for _, o := range s.From {
			from = append(from, o.Path)
		}
		typ, _, _ := strings.Cut(s.Resource, "/")
		got = append(got, strings.Join([]string{typ, s.Rule, s.Element, strings.Join(from, "+"), s.By}, " | "))
	}
	want := []string{
		"Patient | p | Patient.identifier.system |  | literal",
		"Patient | p | Patient.identifier.value | PID[1]-3[1] | string",
		"Patient | p | Patient.identifier.system |  | literal",
		"Patient | p | Patient.identifier.value | PID[1]-3[2] | string",
		"Patient | p | Patient.active |  | literal",
		"Patient | p | Patient.gender | PID[1]-8 | code table v2-0001",
		"Observation | o | Observation.status |  | literal",
		"Observation | o | Observation.code | PID[1]-3[1] | codeable",
		"Observation | o | Observation.subject |  | ref p",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCoverageListsWhatNobodyRead(t *testing.T) {
	inst := load(t, hl7Head, `
o: {type: Observation, each: OBX, write: merge, key: [/PID-3.1, OBX-3], set: {status: {from: OBX-11, table: v2-0085}, code: {from: OBX-3.1, text: OBX-3.2}}}
`)
	rec := er7(t, "MSH|^~\\&|A||||||ORU^R01|1|P|2.4", "PID|1||A^^^HIS~B", "OBX|1|NM|K^Kalium^L||4.1||||||F", "OBX|2|NM|N^Natrium||140||||||")
	res := run(t, inst, rec, func(o *mapping.RunOptions) { o.Coverage = true })
	var total mapping.Coverage
	total.Merge(res.Coverage)
	total.Merge(nil)
	total.Merge(res.Coverage)
	if diff := cmp.Diff([]string{"MSH-1", "MSH-10", "MSH-11", "MSH-12", "MSH-2", "MSH-3", "MSH-9.1", "MSH-9.2", "OBX-1", "OBX-2", "OBX-3.3", "OBX-5", "PID-1", "PID-3", "PID-3.4"}, total.UnreadFields()); diff != "" {
		t.Error(diff)
	}
	if total.Unread["OBX-5"] != 4 || total.Records != 2 {
		t.Errorf("%+v", total)
	}
	if diff := cmp.Diff(map[string]int{"Observation.status": 2}, total.Unfilled); diff != "" {
		t.Error(diff)
	}
	if !res.Rejected() {
		t.Error("a resource without a mandatory element is rejected")
	}
}

func TestReferencesFindTheirOwn(t *testing.T) {
	inst := load(t, hl7Head, `
report:
  type: DiagnosticReport
  each: ORDER_OBSERVATION
  write: replace
  key: [OBR-3.1]
  set: {status: =final, code: OBR-4, result: {ref: {rule: obs, all: true}}, specimen: {ref: specimen}}
obs:
  type: Observation
  each: OBX
  write: replace
  key: [OBR-3.1, OBX-3]
  set: {status: =final, code: OBX-3, basedOn: {ref: order}, specimen: {ref: specimen}}
order: {type: ServiceRequest, each: ORDER_OBSERVATION, write: merge, key: [OBR-2.1], set: {status: =active, intent: =order, subject: {ref: institution-patient}}}
specimen: {type: Specimen, each: SPM, write: merge, key: [SPM-2.1], set: {type: SPM-4}}
institution-patient: {type: Patient, write: reference, set: {identifier: {from: PID-3.1, as: identifier, system: patient}}}
`)
	res := run(t, inst, er7(t, "MSH|^~\\&|A||||||ORU^R01|1|P|2.5|||||CHN|UNICODE UTF-8", "PID|1||A", "OBR|1|S1|R1|X", "OBX|1|NM|K||1", "OBX|2|NM|N||2", "SPM|1|P1||血",
		"OBR|2|S2|R2|Y", "OBX|1|NM|K||3"))
	got, issues := show(res)
	patient := `"subject":{"type":"Patient","identifier":{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/test/patient","value":"A"}}`
	want := []string{
		`{"resourceType":"DiagnosticReport","id":"#1","status":"final","code":{"text":"X"},"specimen":[{"reference":"Specimen/#8"}],"result":[{"reference":"Observation/#3"},{"reference":"Observation/#4"}]}`,
		`{"resourceType":"DiagnosticReport","id":"#2","status":"final","code":{"text":"Y"},"result":[{"reference":"Observation/#5"}]}`,
		`{"resourceType":"Observation","id":"#3","basedOn":[{"reference":"ServiceRequest/#6"}],"status":"final","code":{"text":"K"},"specimen":{"reference":"Specimen/#8"}}`,
		`{"resourceType":"Observation","id":"#4","basedOn":[{"reference":"ServiceRequest/#6"}],"status":"final","code":{"text":"N"},"specimen":{"reference":"Specimen/#8"}}`,
		`{"resourceType":"Observation","id":"#5","basedOn":[{"reference":"ServiceRequest/#7"}],"status":"final","code":{"text":"K"}}`,
		`{"resourceType":"ServiceRequest","id":"#6","status":"active","intent":"order",` + patient + `}`,
		`{"resourceType":"ServiceRequest","id":"#7","status":"active","intent":"order",` + patient + `}`,
		`{"resourceType":"Specimen","id":"#8","type":{"text":"血"}}`,
		`{"resourceType":"Patient","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/test/patient","value":"A"}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff, issues)
	}
}

func FuzzRecordsThroughAMap(f *testing.F) {
	inst := baseInstitution(f)
	f.Add(oru(3))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||ADT^A01|1|P|2.4\rPID|1||A^^^HIS~B||张三^^^||19900102|M\rPV1|1|I|W^1^2\rDG1|1||I10\rAL1|1|DA|X\rIN1|1|A|B|C\rNK1|1|李四"))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||ADT^A40|1|P|2.4\rPID|1||A\rMRG|B"))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||OML^O21|1|P|2.5\rPID|1||A\rORC|NW|1\rOBR|1|1||X\rSPM|1|1||B"))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||RDE^O11|1|P|2.5\rPID|1||A\rORC|NW|1\rRXE|^^^2024|X|1||mg"))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||ORU^R01|1|P|2.5\rPID|1||A\rOBR|1|S|R|CT1^x|||20240501|||||||||||A1||||||CT|F|O^1|||S^R\rZDS|1.2.3^^^\r" +
		"OBX|1|ED|P^t||X^Application^PDF^Base64^JVBERi0=\rOBX|2|RP|U||https://x\rOBX|3|CWE|O&IMP|1|Z^z\rOBR|2|S|R2|SUS|||||||||||||||||||||F|O&IMP^1|||S^R\rOBX|1|NM|CIP||1|||S"))
	f.Add([]byte("MSH|^~\\&|A|B|||20240501||MFN^M02|1|P|2.5\rMFI|STF\rMFE|MAD|1|2024|D1\rSTF|D1|D1^^^H|李敏|P|F|19800101|A|0107^x"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 1<<14 {
			return
		}
		rec, err := hl7v2.Parse(frame, hl7v2.Options{})
		if err != nil {
			return
		}
		first, err := inst.Map(rec, mapping.RunOptions{Salt: salt, Trace: true, Coverage: true})
		if err != nil {
			t.Fatal(err)
		}
		second, _ := inst.Map(rec, mapping.RunOptions{Salt: salt})
		if len(first.Resources) != len(second.Resources) {
			t.Fatal("mapping twice differs")
		}
		for i := range first.Resources {
			a, b := first.Resources[i].Tree.AppendJSON(nil), second.Resources[i].Tree.AppendJSON(nil)
			if string(a) != string(b) {
				t.Fatalf("mapping twice differs: %s %s", a, b)
			}
		}
		inst.Lanes(rec)
	})
}

func FuzzMapFile(f *testing.F) {
	for _, block := range readmeBlocks(f, "## 9.") {
		f.Add(block)
	}
	f.Add(patientMap)
	f.Add(patientHead + "      birthDate: PID-3[.1='A'].1\n      identifier: {each: \"PID-3[.1='B'][1]\", set: {value: .}}\n")
	f.Add(patientHead + "      photo: [{as: document}, {from: PID-5, as: attachment, with: {encoding: PID-8}}]\n")
	f.Add(patientHead + "      active: {value: true, with: {n: PID-5}, when: \"left(n, 1) == 'x'\"}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<13 {
			return
		}
		inst, err := loadMap(text)
		if err != nil {
			loadErrors(t, err)
			return
		}
		if _, err := inst.Map(er7(t, "PID|1||A~B||张三||19900102|M", "NK1|1|李四"), mapping.RunOptions{Salt: salt, Trace: true, Coverage: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := inst.Map(row("HZID=1", "XM=张三"), mapping.RunOptions{Salt: salt}); err != nil {
			t.Fatal(err)
		}
	})
}
