package codes_test

import (
	"testing"
	"unicode/utf8"

	second "github.com/iimos/ucum"

	"github.com/yilian/yilian/conformance/terminology/ucum"
	"github.com/yilian/yilian/mapping/codes"
)

func TestParseUnit(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"10^9/L", "10*9/L"}, {"×10⁹/L", "10*9/L"}, {"*10^9/L", "10*9/L"}, {"10E9/L", "10*9/L"}, {"10~9/L", "10*9/L"},
		{"10*9/L", "10*9/L"}, {"10**9/L", "10*9/L"}, {"X10^9/L", "10*9/L"}, {"x10e9/l", "10*9/L"}, {"10＾9／L", "10*9/L"},
		{"10^9个/L", "10*9/L"}, {"10的9次方/L", "10*9/L"}, {"× 10 ^ 9 / L", "10*9/L"}, {"10^09/L", "10*9/L"}, {"109/L", "10*9/L"},
		{"10^12/L", "10*12/L"}, {"×10¹²/L", "10*12/L"}, {"10∧12/L", "10*12/L"}, {"10^3/μL", "10*3/uL"}, {"10^6/mL", "10*6/mL"},
		{"10^5/mL", "10*5/mL"}, {"K/uL", "10*3/uL"},
		{"μmol/L", "umol/L"}, {"\u00b5mol/L", "umol/L"}, {"umol/l", "umol/L"}, {"UMOL/L", "umol/L"}, {"ｍｍｏｌ／Ｌ", "mmol/L"},
		{"mmol/L", "mmol/L"}, {"Mmol/L", "mmol/L"}, {"毫摩尔/升", "mmol/L"}, {"g/l", "g/L"}, {"克/升", "g/L"}, {"U/L", "U/L"},
		{"u/l", "U/L"}, {"单位/升", "U/L"}, {"fL", "fL"}, {"fl", "fL"}, {"pg", "pg"}, {"PG", "pg"}, {"pg/ml", "pg/mL"},
		{"%", "%"}, {"％", "%"}, {"‰", "[ppth]"},
		{"IU/mL", "[IU]/mL"}, {"mIU/L", "m[IU]/L"}, {"uIU/mL", "u[IU]/mL"}, {"μIU/mL", "u[IU]/mL"}, {"MIU/ML", "m[IU]/mL"},
		{"mmHg", "mm[Hg]"}, {"毫米汞柱", "mm[Hg]"}, {"℃", "Cel"}, {"°C", "Cel"}, {"次/分", "/min"}, {"次/分钟", "/min"}, {"bpm", "/min"},
		{"秒", "s"}, {"S", "s"}, {"sec", "s"}, {"个/μL", "/uL"}, {"/HP", "/[HPF]"}, {"个/HP", "/[HPF]"}, {"个/高倍视野", "/[HPF]"},
		{"/LP", "/[LPF]"}, {"S/CO", "{S/CO}"}, {"COI", "{COI}"}, {"滴度", "{titer}"}, {"mm/h", "mm/h"}, {"mm/1h", "mm/h"}, {"mm/小时", "mm/h"},
		{"mL/min/1.73m²", "mL/min/{1.73_m2}"}, {"ml/min/1.73㎡", "mL/min/{1.73_m2}"}, {"mL/(min·1.73m²)", "mL/min/{1.73_m2}"},
		{"mg/24h", "mg/(24.h)"}, {"mg/L FEU", "mg/L{FEU}"}, {"kg/m²", "kg/m2"}, {"mEq/L", "meq/L"}, {"mOsm/kg", "mosm/kg"},
		{"copies/mL", "{copies}/mL"}, {"CFU/mL", "[CFU]/mL"}, {"AU/mL", "[arb'U]/mL"}, {"RU/ml", "{RU}/mL"}, {"(mmol/L)", "mmol/L"},
		{"岁", "a"}, {"天", "d"}, {"kPa", "kPa"}, {"μg/dL", "ug/dL"}, {"㎎/dl", "mg/dL"}, {" mmol/L ", "mmol/L"},
		// not in the table, but valid UCUM
		{"mmol/kg", "mmol/kg"}, {"ng/h", "ng/h"}, {"mol/m3", "mol/m3"}, {"{Ratio}", "{Ratio}"}, {"mg/{total}", "mg/{total}"}, {"copies/μL", "{copies}/uL"},
		{"dB", "dB"}, {"[pH]", "[pH]"}, {"log", ""}, {"[IU", ""}, {"mmol/", ""}, {"m/s/", ""}, {"kmmol/L", ""},
		// not certain, or no unit
		{"G/L", ""}, {"T/L", ""}, {"见报告", ""}, {"", ""}, {"-", ""}, {"无", ""}, {"abc/def", ""},
		{"10^/L", ""}, {"{", ""}, {"{阴}", ""}, {"/80", ""}, {"10^123/L", ""},
	} {
		t.Run(c.in, func(t *testing.T) {
			got := codes.ParseUnit(c.in, codes.UnitOptions{})
			if got.Code != c.want || got.Known != (c.want != "") {
				t.Errorf("ParseUnit = %+v, want %q", got, c.want)
			}
		})
	}
}

func TestCellCounts(t *testing.T) {
	for in, want := range map[string]string{"G/L": "10*9/L", "T/L": "10*12/L", "g/L": "g/L"} {
		if got := codes.ParseUnit(in, codes.UnitOptions{CellCount: true}); got.Code != want || got.Text != in {
			t.Errorf("%s becomes %+v, want %q", in, got, want)
		}
	}
}

// TestUnitsAreUCUM holds every code that the table can give to a second opinion.
func TestUnitsAreUCUM(t *testing.T) {
	for _, code := range codes.UnitCodes() {
		if _, err := second.Parse([]byte(code)); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if !ucum.Valid(code) {
			t.Errorf("%s is not UCUM to the validator", code)
		}
		if got := codes.ParseUnit(code, codes.UnitOptions{}); got.Code != code {
			t.Errorf("%s is read as %s", code, got.Code)
		}
	}
}

func TestCommonUnitCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { codes.ParseUnit("mmol/L", codes.UnitOptions{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseUnit(f *testing.F) {
	for _, s := range []string{"×10⁹/L", "μmol/L", "((((", "10*", "{", "[IU", "毫升", "\xff", "10^12345678901234567890", "m.m.m/m/m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u := codes.ParseUnit(s, codes.UnitOptions{CellCount: true})
		if u.Known != (u.Code != "") {
			t.Errorf("known %v with code %q", u.Known, u.Code)
		}
		if u.Known {
			if !ucum.Valid(u.Code) || !utf8.ValidString(u.Code) {
				t.Errorf("%q is not UCUM", u.Code)
			}
		}
	})
}

func BenchmarkParseUnit(b *testing.B) {
	for _, s := range []string{"mmol/L", "×10⁹/L", "见报告"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				codes.ParseUnit(s, codes.UnitOptions{})
			}
		})
	}
}
