package ucum_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

func TestValid(t *testing.T) {
	for code, want := range map[string]bool{
		"mmol/L": true, "10*9/L": true, "{score}": true, "Cel": true, "mCel": true, "[pH]": true, "dB": true, "B[SPL]": true,
		"dB{A}": true, "[hp_X]": true, "%[slope]": true,
		"": false, "mmHg": false, "m[pH]": false, "次/分": false, "{次}/min": false, "m {x}": false, "MMOL/L": false, "dB{": false, "d": true,
		strings.Repeat("m.", 64) + "m": false,
	} {
		if got := ucum.Valid(code); got != want {
			t.Errorf("%q: valid is %v, want %v", code, got, want)
		}
	}
}
