package mapping_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

func rule(key string) string {
	return "\nresources: {p: {type: Patient, write: merge, key: [" + key + "], set: {active: =true}}}\n"
}

func TestRecordsFindTheMostSpecificMap(t *testing.T) {
	hl7 := func(name, messages string) string {
		return "format: 1\nmap: " + name + "\nreads: {format: hl7v2, messages: [" + messages + "]}" + rule("PID-3")
	}
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": institution + "sources: {hl7: {format: hl7v2, base: true}}\n",
		"maps/a.yaml":      hl7("a", `"ADT^*"`), "maps/b.yaml": hl7("b", "ADT^A01, ORU^R01"), "maps/c.yaml": strings.Replace(hl7("c", `"ORM^O01"`), "messages", "where: {MSH-3: HIS}, messages", 1),
		"maps/d.yaml": "format: 1\nmap: d\nreads: {format: csv, table: T}" + rule("A"),
		"maps/e.yaml": "format: 1\nmap: e\nreads: {format: json, where: {kind: report}}" + rule("a"),
		"maps/f.yaml": "format: 1\nmap: f\nreads: {format: json, where: {kind: report, version: 2}}" + rule("a"),
		"maps/g.yaml": "format: 1\nmap: g\nreads: {format: json}" + rule("a"),
	}), mapping.Options{Base: fstest.MapFS{"x.yaml": &fstest.MapFile{Data: []byte(hl7("x", `"*"`))}, "y.yaml": &fstest.MapFile{Data: []byte(hl7("y", "ADT^A01"))}}})
	if err != nil {
		t.Fatal(err)
	}
	message := func(typ, sender string) *record.Record {
		return er7(t, "MSH|^~\\&|"+sender+"|H|||20240501083000||"+typ+"|1|P|2.4|||||CHN|UNICODE UTF-8", "PID|1||A")
	}
	document := func(pairs ...string) *record.Record {
		r := row(pairs...)
		r.Format, r.Type = record.JSON, ""
		return r
	}
	other := row("A=1")
	other.Type = "U"
	for _, tt := range []struct {
		name string
		rec  *record.Record
		want string
	}{
		{"an own map before a built-in one, a type before a pattern", message("ADT^A01", "HIS"), "b"},
		{"a structure in the type does not matter", message("ADT^A01^ADT_A01", "HIS"), "b"},
		{"a pattern", message("ADT^A08", "HIS"), "a"},
		{"a condition that holds", message("ORM^O01", "HIS"), "c"},
		{"a condition that does not", message("ORM^O01", "LIS"), "base/x"},
		{"what nobody else reads", message("MDM^T02", "HIS"), "base/x"},
		{"a table", row("A=1"), "d"},
		{"another table", other, ""},
		{"a document by its conditions", document("kind=report"), "e"},
		{"more conditions before fewer", document("kind=report", "version=2"), "f"},
		{"a document that fits no condition", document("kind=visit"), "g"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := ""
			if m, ok := inst.Route(tt.rec); ok {
				name = m.Name()
			}
			if name != tt.want {
				t.Errorf("map %q, want %q", name, tt.want)
			}
		})
	}
	res := run(t, inst, other)
	if !res.Rejected() || res.Issues[0].ID != "no-map" {
		t.Errorf("a record without a map is rejected: %v", res.Issues)
	}
}

func TestStampLanesAndRowKeyAreReadBeforeMapping(t *testing.T) {
	inst := load(t, csvHead+"version: {time: [WCSJ, CJSJ], sequence: XH}\nlane: [HZID, [SFZH, KH]]\nrow: [NO, XH]", rule("HZID")[len("\nresources: {"):len(rule("HZID"))-2])
	for _, tt := range []struct {
		name  string
		rec   *record.Record
		stamp mapping.Stamp
		lanes []string
		row   string
	}{
		{"all there", row("NO=1", "XH=2", "HZID=P", "SFZH=", "KH=C", "WCSJ=2024-05-01 08:00:00", "CJSJ=20240101"), mapping.Stamp{Time: 1714521600000000, Sequence: 2}, []string{"P", "C"}, "\x01T\x011\x012"},
		{"the second time", row("NO=1", "WCSJ=", "CJSJ=20240101"), mapping.Stamp{Time: 1704038400000000}, nil, "\x01T\x011\x00"},
		{"a placeholder is no lane", row("NO=", "HZID=无"), mapping.Stamp{}, nil, ""},
		{"equal lanes are one", row("HZID=P", "KH= P "), mapping.Stamp{}, []string{"P"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := inst.Stamp(tt.rec); got != tt.stamp {
				t.Errorf("stamp %+v, want %+v", got, tt.stamp)
			}
			if diff := cmp.Diff(tt.lanes, inst.Lanes(tt.rec)); diff != "" {
				t.Error(diff)
			}
			if got := inst.RowKey(tt.rec); got != tt.row {
				t.Errorf("row key %q, want %q", got, tt.row)
			}
		})
	}
	res := run(t, inst, row("HZID=P", "WCSJ=gestern", "XH=x"))
	if res.Stamp.Time != 1714608000000000 {
		t.Errorf("a record without a readable time is as new as its arrival: %+v", res.Stamp)
	}
	_, issues := show(res)
	if len(issues) != 2 || !strings.Contains(issues[0], "[version-time]") || !strings.Contains(issues[1], "[version-sequence]") {
		t.Errorf("issues %v", issues)
	}
}

func TestAMergeOfTwoPatientsHoldsBothLanes(t *testing.T) {
	inst := load(t, hl7Head+"lane: [PID-3, MRG-1]", "p: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}")
	got := inst.Lanes(er7(t, "PID|1||A^^^HIS~B^^^HIS", "MRG|C^^^HIS"))
	if diff := cmp.Diff([]string{"A", "B", "C"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMapsAreChangedWithoutCopying(t *testing.T) {
	base := fstest.MapFS{
		"lib.yaml": {Data: []byte(`
format: 1
library: lib
let: {sex: PID-8}
shapes:
  hn: {type: HumanName, set: {text: .1, use: =usual}}
resources:
  patient:
    type: Patient
    write: update
    key: [PID-3]
    with: {n: PID-5}
    set: {active: =true, gender: {from: $sex, table: v2-0001}, name: {from: PID-5, shape: hn}}
  nk: {type: RelatedPerson, each: NK1, write: update, key: [PID-3, NK1-1], set: {patient: {ref: patient}}}
`)},
		"adt.yaml": {Data: []byte(`
format: 1
map: adt
include: [lib]
reads: {format: hl7v2, messages: ["ADT^*"]}
`)},
	}
	for _, tt := range []struct{ name, text, want string }{
		{"as it is", "", `{"resourceType":"Patient","id":"#1","active":true,"name":[{"use":"usual","text":"张三"}],"gender":"male"}` + "\n" + `{"resourceType":"RelatedPerson","id":"#2","patient":{"reference":"Patient/#1"}}`},
		{"one element", "resources: {patient: {set: {birthDate: PID-7}}}", `{"resourceType":"Patient","id":"#1","active":true,"name":[{"use":"usual","text":"张三"}],"gender":"male","birthDate":"1990-01-02"}` + "\n" + `{"resourceType":"RelatedPerson","id":"#2","patient":{"reference":"Patient/#1"}}`},
		{"without one element and one rule", "resources: {patient: {set: {active: null}}, nk: null}", `{"resourceType":"Patient","id":"#1","name":[{"use":"usual","text":"张三"}],"gender":"male"}`},
		{"another shape", "shapes: {hn: {set: {use: =official}}}\nresources: {nk: null}", `{"resourceType":"Patient","id":"#1","active":true,"name":[{"use":"official","text":"张三"}],"gender":"male"}`},
		{"another let", "let: {sex: =F}\nresources: {nk: null}", `{"resourceType":"Patient","id":"#1","active":true,"name":[{"use":"usual","text":"张三"}],"gender":"female"}`},
		{"a condition", "resources: {nk: {when: {NK1-2: present}}}", `{"resourceType":"Patient","id":"#1","active":true,"name":[{"use":"usual","text":"张三"}],"gender":"male"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/m.yaml": "format: 1\nmap: m\nextends: base/adt\n" + tt.text + "\n"}), mapping.Options{Base: base})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := show(run(t, inst, er7(t, "PID|1||A||张三||19900102|M", "NK1|1")))
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakesBetweenFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"extends nothing", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nextends: base/atd\n"}, `maps/a.yaml:1:1: no reads, neither here nor in what is extended
maps/a.yaml:3:10: extends: there is no map "base/atd"; there are none`},
		{"extends a library", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nextends: l\nreads: {format: json}\n", "maps/l.yaml": "format: 1\nlibrary: l\n"}, `maps/a.yaml:1:1: no resources; want at least one rule
maps/a.yaml:3:10: extends: "l" is a library; want a map, or include: [l]`},
		{"includes a map", map[string]string{"maps/a.yaml": "format: 1\nmap: a\ninclude: [b]\nreads: {format: json}\n" + rule("x"), "maps/b.yaml": "format: 1\nmap: b\nreads: {format: csv, table: T}\n" + rule("x")},
			`maps/a.yaml:3:11: include: "b" is a map; want a library, or extends: b`},
		{"a circle", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nextends: b\n", "maps/b.yaml": "format: 1\nmap: b\nextends: a\n"}, `maps/a.yaml:1:1: no reads, neither here nor in what is extended
maps/a.yaml:3:10: extends: a circle: b → a → b
maps/b.yaml:1:1: no reads, neither here nor in what is extended
maps/b.yaml:3:10: extends: a circle: a → b → a`},
		{"a circle of libraries", map[string]string{"maps/a.yaml": "format: 1\nlibrary: a\ninclude: [a]\n"}, "maps/a.yaml:3:11: include: a circle: a → a"},
		{"two maps of one name", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nreads: {format: json}\n" + rule("x"), "maps/b.yaml": "format: 1\nmap: a\nreads: {format: csv, table: T}\n" + rule("x")},
			`maps/b.yaml:2:6: a map or library "a" is in maps/a.yaml already`},
		{"two maps for one message", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nreads: {format: hl7v2, messages: [ADT^A01]}\n" + rule("PID-3"), "maps/b.yaml": "format: 1\nmap: b\nreads: {format: hl7v2, messages: [ADT^A01]}\n" + rule("PID-3")},
			"maps/b.yaml:1:1: maps a and b both read ADT^A01; want one of them"},
		{"two maps for one table", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nreads: {format: csv, table: T}\n" + rule("x"), "maps/b.yaml": "format: 1\nmap: b\nreads: {format: csv, table: T}\n" + rule("x")},
			"maps/b.yaml:1:1: maps a and b both read table T; want one of them"},
		{"a circle of shapes", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nreads: {format: json}\nshapes: {s: {type: Identifier, set: {assigner: {set: {identifier: {shape: s}}}}}}\nresources: {p: {type: Patient, write: merge, key: [x], set: {identifier: {shape: s}}}}\n"},
			"maps/a.yaml:4:75: a circle of shapes: s → s"},
		{"a shape of another type", map[string]string{"maps/a.yaml": "format: 1\nmap: a\nreads: {format: json}\nshapes: {s: {type: HumanName, set: {text: x}}}\nresources: {p: {type: Patient, write: merge, key: [x], set: {identifier: {shape: s}}}}\n"},
			"maps/a.yaml:5:82: Patient.identifier is an Identifier; shape s makes a HumanName"},
		{"a table with a mistake", map[string]string{"codes/x.csv": "code\n1\n", "maps/a.yaml": "format: 1\nmap: a\nreads: {format: json}\nresources: {p: {type: Patient, write: merge, key: [x], set: {gender: {from: y, table: x}}}}\n"},
			`codes/x.csv:1:1: no column "target"`},
		{"no institution", map[string]string{"institution.yaml": ""}, "institution.yaml: the file is missing; want institution.yaml in the folder"},
		{"YAML that is none", map[string]string{"maps/a.yaml": "a: [\n"}, "maps/a.yaml:1:4: not YAML: sequence end token ']' not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"institution.yaml": institution}
			for name, text := range tt.files {
				files[name] = text
			}
			_, err := mapping.Load(folder(files), mapping.Options{})
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), loadErrors(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakesInInstitutionYAML(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "institution.yaml:1:1: nothing where a mapping was expected"},
		{"nothing said", "format: 1\n", "institution.yaml:1:1: no id; want id: NAME, which becomes owner, tag and part of every local system\ninstitution.yaml:1:1: no name; want the institution's printed name"},
		{"an id that is none", "format: 1\nid: County\nname: x\n", `institution.yaml:2:5: id "County"; want at most 64 small letters, digits and hyphens, and not alliance`},
		{"the alliance's own id", "format: 1\nid: alliance\nname: x\n", `institution.yaml:2:5: id "alliance"; want at most 64 small letters, digits and hyphens, and not alliance`},
		{"an unknown key", "format: 1\nid: a\nname: x\ntimezon: x\n", `institution.yaml:4:1: unknown key "timezon"; did you mean timezone?`},
		{"a zone that is none", "format: 1\nid: a\nname: x\ntimezone: Peking\n", `institution.yaml:4:11: timezone "Peking"; want an offset such as "+08:00" or a name such as Asia/Shanghai`},
		{"a charset that is none", "format: 1\nid: a\nname: x\ncharset: GBX\n", `institution.yaml:4:10: unknown charset "GBX"; did you mean GBK?`},
		{"an unknown setting", "format: 1\nid: a\nname: x\nsettings: {zulu: true}\n", `institution.yaml:4:12: unknown key "zulu"; want `},
		{"a setting of another kind", "format: 1\nid: a\nname: x\nsettings: {zulu-is-local: yes}\n", "institution.yaml:4:27: text where true or false was expected"},
		{"a flag that means nothing known", "format: 1\nid: a\nname: x\nsettings: {flags: {P: XX}}\n", `institution.yaml:4:23: flag "P" means "XX", which is no code of v3-ObservationInterpretation; want one such as H, L, N or POS`},
		{"an identifier of nowhere", "format: 1\nid: a\nname: x\nidentifiers: {own: {type: MR}}\n", `institution.yaml:4:15: identifier "own" has neither system nor local: true`},
		{"an identifier in two systems", "format: 1\nid: a\nname: x\nidentifiers: {own: {local: true, system: 'urn:x'}}\n", "institution.yaml:4:21: both system and local; want one of them"},
		{"a system that is no URI", "format: 1\nid: a\nname: x\nidentifiers: {own: {system: 1.2.3}}\n", `institution.yaml:4:29: "1.2.3" is not a URI; want one such as urn:oid:2.16.156.10011.1.3 or https://…`},
		{"an unknown check", "format: 1\nid: a\nname: x\nidentifiers: {own: {local: true, check: id}}\n", `institution.yaml:4:41: unknown check "id"; want resident-id or organization-id`},
		{"an authority of nowhere", "format: 1\nid: a\nname: x\nauthorities: {HIS: pat}\n", `institution.yaml:4:20: unknown identifier "pat"; want `},
		{"a system without a table", "format: 1\nid: a\nname: x\nsystems: {LIS: lab}\n", `institution.yaml:4:16: there is no code table "lab"; want codes/lab.csv or a built-in one`},
		{"a source without a format", "format: 1\nid: a\nname: x\nsources: {his: {base: true}}\n", `institution.yaml:4:11: source "his" has no format; want hl7v2, csv, excel, json or xml`},
		{"tables of messages", "format: 1\nid: a\nname: x\nsources: {his: {format: hl7v2, tables: {A: a}}}\n", "institution.yaml:4:32: tables is for format: csv or excel only"},
		{"a delimiter of two", "format: 1\nid: a\nname: x\nsources: {his: {format: csv, delimiter: '||'}}\n", `institution.yaml:4:41: delimiter "||"; want one character such as "," or "\t"`},
		{"an element of no Organization", "format: 1\nid: a\nname: x\norganization: {level: 5}\n", `institution.yaml:4:16: Organization has no element "level"`},
		{"a list where one stands", "format: 1\nid: a\nname: x\norganization: {name: [x]}\n", "institution.yaml:4:22: Organization.name may stand only once; want one value, not a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{"institution.yaml": {Data: []byte(tt.text)}}
			_, err := mapping.Load(fsys, mapping.Options{})
			got := strings.Join(loadErrors(t, err), "\n")
			if strings.HasSuffix(tt.want, "want ") && strings.HasPrefix(got, tt.want) {
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuiltInMapsAreCompiledWhenTheyAreNeeded(t *testing.T) {
	good := "format: 1\nmap: good\nreads: {format: hl7v2, messages: [ADT^A01]}" + rule("PID-3")
	bad := "format: 1\nmap: bad\nreads: {format: hl7v2, messages: [ADT^A02]}" + rule("PID-99")
	base := fstest.MapFS{"good.yaml": &fstest.MapFile{Data: []byte(good)}, "bad.yaml": &fstest.MapFile{Data: []byte(bad)}}
	files := folder(map[string]string{"institution.yaml": institution + "sources: {hl7: {format: hl7v2, base: true}}\n"})
	if _, err := mapping.Load(files, mapping.Options{Base: base}); err == nil {
		t.Error("a mistake in a built-in map is told")
	}
	inst, err := mapping.Load(files, mapping.Options{Base: base, Lazy: true})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	for range 8 {
		go func() {
			res, err := inst.Map(er7(t, "PID|1||A"), mapping.RunOptions{Salt: salt})
			if err != nil {
				t.Error(err)
			}
			done <- len(res.Resources)
		}()
	}
	for range 8 {
		if n := <-done; n != 1 {
			t.Errorf("%d resources, want 1", n)
		}
	}
	res := run(t, inst, er7(t, "MSH|^~\\&|HIS|H|||20240501083000||ADT^A02|1|P|2.4|||||CHN|UNICODE UTF-8", "PID|1||A"))
	if !res.Rejected() || res.Issues[0].ID != "map-broken" {
		t.Errorf("a broken map rejects: %v", res.Issues)
	}
}

func TestVersionFollowsTheMeaningOfAMap(t *testing.T) {
	version := func(inst, m, table string) string {
		files := folder(map[string]string{"institution.yaml": inst, "maps/m.yaml": m, "codes/lab-item.csv": table})
		i, err := mapping.Load(files, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return i.Maps()[0].Version()
	}
	m := hl7Head + "resources:\n  p: {type: Patient, write: merge, key: [PID-3], set: {active: =true}}\n"
	first := version(institution, m, tables["lab-item"])
	if again := version(institution, "# a comment\n"+m, tables["lab-item"]); again != first || len(first) != 16 {
		t.Errorf("a comment makes another version: %s, %s", first, again)
	}
	for name, other := range map[string]string{
		"the map":         version(institution, strings.Replace(m, "=true", "=false", 1), tables["lab-item"]),
		"the institution": version(institution+"timezone: '+09:00'\n", m, tables["lab-item"]),
		"a table":         version(institution, m, tables["lab-item"]+"1002,x,2345-7,,http://loinc.org\n"),
	} {
		if other == first {
			t.Errorf("%s changes and the version does not", name)
		}
	}
}
