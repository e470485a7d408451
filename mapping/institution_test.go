package mapping_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
)

func TestAnAuthorityThatIsTheInstitutionItself(t *testing.T) {
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试医院\nauthorities: {OWN: institution, GA: resident-id}\n",
		"maps/m.yaml": hl7Head + `
resources:
  p:
    type: Patient
    key: [PID-3.1]
    write: update
    set:
      identifier:
        - {each: PID-3, from: .1, as: identifier, system: patient, with: {authority: .4, type: .5}}
        - {each: PID-2, from: .1, as: identifier, system: visit, with: {authority: .4, type: .5}}
`}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res := run(t, inst, er7(t, "PID|1|V1^^^OWN^VN|A1^^^OWN^MR~A2^^^OWN~X3^^^ELSE^MR"))
	var got []string
	for _, id := range res.Resources[0].Tree.Get("identifier").Items() {
		got = append(got, id.Get("system").Text()+"|"+id.Get("value").Text())
	}
	const own = "https://yilian.dev/fhir/institution/test/"
	want := []string{own + "patient|A1", own + "patient|A2", own + "authority/else|X3", own + "visit|V1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestElementsInsideADatatype(t *testing.T) {
	inst := load(t, hl7Head, `
m:
  type: MedicationRequest
  key: [RXE-2.1]
  write: replace
  set:
    status: =active
    intent: =order
    medicationCodeableConcept: {set: {text: RXE-2.2}}
    subject: {set: {display: RXE-2.2}}
    dosageInstruction:
      set:
        timing: {set: {repeat: {set: {boundsDuration: {from: RXE-3, as: quantity, with: {unit: =d}}}}}}
        doseAndRate: {set: {doseQuantity: {from: RXE-3, as: quantity}}}
`)
	res := run(t, inst, er7(t, "RXE||D1^丸|7"))
	const want = `[{"timing":{"repeat":{"boundsDuration":{"value":7,"unit":"d","system":"http://unitsofmeasure.org","code":"d"}}},"doseAndRate":[{"doseQuantity":{"value":7}}]}]`
	if got := string(res.Resources[0].Tree.Get("dosageInstruction").AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnitsOfTheInstitution(t *testing.T) {
	const rules = hl7Head + `
resources:
  o:
    type: Observation
    key: [OBX-3]
    write: replace
    set:
      status: =final
      code: {set: {text: OBX-3}}
      value[x]: {from: OBX-5, as: result, with: {unit: OBX-6}}
      interpretation: {from: OBX-8, as: flag}
      referenceRange: {from: OBX-7, as: range, with: {unit: OBX-6}}
`
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试医院\nsettings: {units: {G/L: \"10*9/L\"}}\n", "maps/m.yaml": rules}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res := run(t, inst, er7(t, "OBX|1||WBC||5.1|G/L|3.5－9.5|N"))
	tree := res.Resources[0].Tree
	for _, path := range [][]string{{"valueQuantity", "code"}, {"referenceRange", "low", "code"}} {
		if got := tree.Path(path...).Text(); got != "10*9/L" {
			t.Errorf("%v: %q", path, got)
		}
	}
	if got := tree.Path("valueQuantity", "unit").Text(); got != "G/L" {
		t.Errorf("unit as written: %q", got)
	}
	if got := tree.Path("referenceRange", "text").Text(); got != "3.5－9.5" {
		t.Errorf("range as written: %q", got)
	}

	_, err = mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试医院\nsettings: {units: {G/L: 十亿}}\n", "maps/m.yaml": rules}), mapping.Options{})
	const want = `institution.yaml:4:25: unit "G/L" means "十亿", which is no UCUM code; want one such as 10*9/L`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAValueSaysItsInterpretationBesideTheFlag(t *testing.T) {
	inst := load(t, hl7Head, `
o:
  type: Observation
  key: [OBX-3]
  write: replace
  set:
    status: =final
    code: {set: {text: OBX-3}}
    value[x]: {from: OBX-5, as: result}
    interpretation: {from: OBX-8, as: flag}
`)
	for _, tt := range []struct{ value, flag, want string }{
		{"阳性(+) 12.5", "A", "A POS"},
		{"阳性(+) 12.5", "", "POS"},
		{"12.5 ↑", "H", "H"},
		{"12.5", "N", "N"},
	} {
		res := run(t, inst, er7(t, "OBX|1||HBsAg||"+tt.value+"|||"+tt.flag))
		var got []string
		for _, c := range res.Resources[0].Tree.Get("interpretation").Items() {
			got = append(got, c.Path("coding", "code").Text())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s, %s: got %v, want %s", tt.value, tt.flag, got, tt.want)
		}
	}
}

func TestAnUpdateKeepsWhatItIsSilentAbout(t *testing.T) {
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试医院\n",
		"maps/m.yaml": `
format: 1
map: m
reads: {format: csv, table: HZXX}
resources:
  p:
    type: Patient
    key: [HZID]
    write: update
    with: {document: ZJLX}
    set:
      extension:
        - set: {url: =http://x/sex, valueCode: XB}
        - set: {url: =http://x/nation, valueCode: MZ}
      identifier:
        - {from: HZID, as: identifier, system: patient}
        - {when: "document == '01'", from: SFZH, as: identifier, system: resident-id}
        - {when: "document == '03'", from: SFZH, as: identifier, system: passport}
        - {from: JKKH, as: identifier, system: health-card}
`}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	row := func(csv string) *mapping.Resource {
		t.Helper()
		for c, err := range inst.Open("", []mapping.File{{Name: "HZXX.csv", Bytes: []byte(csv)}}, mapping.IntakeLimits{}).Records() {
			if err != nil || c.Err != nil {
				t.Fatal(err, c.Err)
			}
			return &run(t, inst, c.Record).Resources[0]
		}
		t.Fatal("no record")
		return nil
	}
	stored := row("HZID,ZJLX,SFZH,JKKH,XB,MZ\n1,01,990121196506073324,JK1,1,01\n").Tree
	for _, tt := range []struct{ name, csv, want string }{
		{"a column that is not there", "HZID,ZJLX,SFZH,XB\n1,01,990121196506073324,2\n", "sex=2 nation=01 patient=1 resident=990121196506073324 card=JK1"},
		{"an empty cell", "HZID,ZJLX,SFZH,JKKH,XB,MZ\n1,01,990121196506073324,,2,\n", "sex=2 patient=1 resident=990121196506073324"},
		{"a condition that no longer holds", "HZID,ZJLX,SFZH\n1,03,E1\n", "sex=1 nation=01 patient=1 passport=E1 card=JK1"},
	} {
		out := row(tt.csv).Over(stored)
		var got []string
		for _, e := range out.Get("extension").Items() {
			got = append(got, strings.TrimPrefix(e.Get("url").Text(), "http://x/")+"="+e.Get("valueCode").Text())
		}
		names := map[string]string{"urn:oid:2.16.156.10011.1.3": "resident", "urn:oid:2.16.156.10011.1.19": "card",
			"http://hl7.org/fhir/sid/passport-CHN": "passport", "https://yilian.dev/fhir/institution/test/patient": "patient"}
		for _, id := range out.Get("identifier").Items() {
			got = append(got, names[id.Get("system").Text()]+"="+id.Get("value").Text())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, s, tt.want)
		}
	}
}

func TestANumberOfNobodyKnowsWhoIsNotLookedFor(t *testing.T) {
	inst := load(t, hl7Head, `
r:
  type: DiagnosticReport
  key: [OBR-3.1]
  write: replace
  set:
    status: =final
    code: {set: {text: OBR-4.1}}
    basedOn: {ref: {type: ServiceRequest, identifier: {system: order, of: MSH-4, from: OBR-2.1}}}
`)
	for facility, want := range map[string]string{"city-hospital": "https://yilian.dev/fhir/institution/city-hospital/order|O1", "": "|", "市一院": "|"} {
		rec := er7(t, "MSH|^~\\&|LIS|"+facility+"|||2025||ORU^R01|1|P|2.4||||||UNICODE UTF-8", "OBR||O1|R1|C1")
		id := run(t, inst, rec).Resources[0].Tree.Path("basedOn", "identifier")
		if got := id.Get("system").Text() + "|" + id.Get("value").Text(); got != want {
			t.Errorf("%q: got %s, want %s", facility, got, want)
		}
	}
}

func TestAnInstitutionThatNamesNoZoneIsInTheGatewaysOwn(t *testing.T) {
	zone := time.FixedZone("+06:00", 6*3600)
	for text, want := range map[string]string{"": "+06:00", "timezone: \"+08:00\"\n": "+08:00"} {
		inst, err := mapping.Load(fstest.MapFS{
			"institution.yaml": {Data: []byte("format: 1\nid: x\nname: x\n" + text)},
		}, mapping.Options{Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Date(2025, 1, 1, 0, 0, 0, 0, inst.Zone()).Format("-07:00"); got != want {
			t.Errorf("%q: zone %s, want %s", text, got, want)
		}
	}
}

func TestDocumentsNestedDeeperThanAllowedAreCutsWithAnError(t *testing.T) {
	inst, err := mapping.Load(fstest.MapFS{"institution.yaml": {Data: []byte("format: 1\nid: x\nname: x\n")}}, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20))
	for depth, wrong := range map[int]bool{19: true, 20: false} {
		for cut, err := range inst.Open("", []mapping.File{{Name: "a.json", Bytes: text}}, mapping.IntakeLimits{Depth: depth}).Records() {
			if err != nil || (cut.Err != nil) != wrong {
				t.Errorf("depth %d: %v, %v", depth, cut.Err, err)
			}
		}
	}
}
