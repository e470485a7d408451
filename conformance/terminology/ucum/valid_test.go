package ucum_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

func TestValid(t *testing.T) {
	for code, want := range map[string]bool{
		"mmol/L": true, "10*9/L": true, "{score}": true, "Cel": true, "mCel": true, "[pH]": true, "dB": true, "B[SPL]": true,
		"dB{A}": true, "[hp_X]": true, "%[slope]": true,
		"": false, "mmHg": false, "m[pH]": false, "次/分": false, "{次}/min": false, "m {x}": false, "{clock time}": true, "U/(10.g){feces}": true, "kBy": true, "[ly]": true, "keV": true, "MMOL/L": false, "dB{": false, "d": true,
		strings.Repeat("m.", 64) + "m": false,
	} {
		if got := ucum.Valid(code); got != want {
			t.Errorf("%q: valid is %v, want %v", code, got, want)
		}
	}
}

// The units that FHIR lists are valid.
func TestValidCommon(t *testing.T) {
	listed := definitions.R4().ValueSet("http://hl7.org/fhir/ValueSet/ucum-common").Concepts()
	if len(listed) < 1000 {
		t.Fatalf("%d units", len(listed))
	}
	for _, c := range listed {
		if !ucum.Valid(c.Code) {
			t.Errorf("%s is not valid", c.Code)
		}
	}
}
