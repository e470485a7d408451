package mapping_test

import (
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
