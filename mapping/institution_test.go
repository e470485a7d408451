package mapping_test

import (
	"strings"
	"testing"

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
