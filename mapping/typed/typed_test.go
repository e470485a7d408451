package typed_test

import (
	"strings"
	"testing"

	models "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/typed"
)

func parse(t *testing.T, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestViewReadsWhatTheTreeSays(t *testing.T) {
	o, err := typed.Observation(parse(t, `{"resourceType":"Observation","id":"x","status":"corrected","code":{"text":"葡萄糖"},"valueQuantity":{"value":5.60,"unit":"mmol/L"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if o.Status != models.ObservationStatusCorrected || *o.Code.Text != "葡萄糖" || o.ValueQuantity.Value.String() != "5.60" {
		t.Errorf("%+v", o)
	}
	p, err := typed.Patient(parse(t, `{"resourceType":"Patient","gender":"female","birthDate":"1990-03"}`))
	if err != nil || *p.BirthDate != "1990-03" || *p.Gender != models.AdministrativeGenderFemale {
		t.Errorf("%+v %v", p, err)
	}
}

func TestWhatDoesNotFitIsRefusedWithoutItsData(t *testing.T) {
	for text, want := range map[string]string{
		`{"resourceType":"Patient","gender":"geheim"}`: "typed view: a Patient does not fit fhir.Patient",
		`{"resourceType":"Encounter"}`:                 `typed view: a "Encounter" is no Patient`,
	} {
		_, err := typed.Patient(parse(t, text))
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := typed.As[models.Patient](nil); err == nil {
		t.Error("nothing fits")
	}
}
