package ucum_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

func TestCanonical(t *testing.T) {
	for _, row := range []struct {
		unit, canonical string
		factor          float64
	}{
		{"g", "g", 1},
		{"mg", "g", 1e-3},
		{"kg", "g", 1e3},
		{"cm", "m", 0.01},
		{"mg/dL", "g.m-3", 10},
		{"g/L", "g.m-3", 1000},
		{"mmol/L", "m-3", 6.02214076e23},
		{"umol/L", "m-3", 6.02214076e20},
		{"10*9/L", "m-3", 1e12},
		{"10*3/uL", "m-3", 1e12},
		{"{cells}/uL", "m-3", 1e9},
		{"/min", "s-1", 1.0 / 60},
		{"{beats}/min", "s-1", 1.0 / 60},
		{"%", "1", 0.01},
		{"1", "1", 1},
		{"{score}", "1", 1},
		{"mm[Hg]", "g.m-1.s-2", 133322},
		{"kPa", "g.m-1.s-2", 1e6},
		{"m/m", "1", 1},
		{"g{wet}/g{dry}", "1", 1},
		{"kg/m2", "g.m-2", 1000},
		{"kg.m-2", "g.m-2", 1000},
		{"mL/min/{1.73_m2}", "m3.s-1", 1e-6 / 60},
		{"[lb_av]", "g", 453.59237},
		{"[in_i]", "m", 0.0254},
		{"[iU]/L", "m-3.[iU]", 1000},
		{"[IU]/L", "m-3.[iU]", 1000},
		{"k[IU]/L", "m-3.[iU]", 1e6},
		{"U/L", "m-3.s-1", 6.02214076e23 * 1e-6 / 60 * 1000},
		{"d", "s", 86400},
		{"wk", "s", 604800},
		{"a", "s", 31557600},
		{"Gy", "m2.s-2", 1},
		{"mSv", "m2.s-2", 0.001},
		{"(g/L)/(mol/L)", "g", 1 / 6.02214076e23},
		{"2.5.m", "m", 10},
		{"keV", "g.m2.s-2", 1.602176634e-13},
		{"kBy", "bit", 8000},
		{"[ly]", "m", 9460730472580800},
		{"[mu_0]", "g.m.C-2", 1.2566370614e-3},
		{"Gb", "s-1.C", 0.79577471546},
		{"g/(8.h){shift}", "g.s-1", 1.0 / 28800},
	} {
		t.Run(row.unit, func(t *testing.T) {
			u, ok := ucum.Parse(row.unit)
			if !ok {
				t.Fatal("not a unit")
			}
			if u.Canonical() != row.canonical {
				t.Errorf("canonical %s, want %s", u.Canonical(), row.canonical)
			}
			if f := u.Float(1); math.Abs(f/row.factor-1) > 1e-9 {
				t.Errorf("factor %g, want %g", f, row.factor)
			}
			exact, _ := u.Rat(big.NewRat(1, 1)).Float64()
			if math.Abs(exact/row.factor-1) > 1e-9 {
				t.Errorf("exact factor %g, want %g", exact, row.factor)
			}
		})
	}
}

func TestTemperatures(t *testing.T) {
	for unit, at := range map[string]float64{"Cel": 37, "[degF]": 98.6, "K": 310.15} {
		u, ok := ucum.Parse(unit)
		if !ok || u.Canonical() != "K" || math.Abs(u.Float(at)-310.15) > 1e-9 {
			t.Errorf("%g %s is %v K, want 310.15", at, unit, u.Float(at))
		}
	}
}

func TestNotUnits(t *testing.T) {
	for _, code := range []string{"", "wks", "mg/", "mg//dL", "(g", "g)", "{open", "[lb", "mg dL", "0", "m99", "毫克", "[pH]", "g..L", "[iU]x"} {
		if u, ok := ucum.Parse(code); ok {
			t.Errorf("%q is a unit: %s", code, u.Canonical())
		}
	}
}

func TestProducts(t *testing.T) {
	if got, _ := ucum.Multiply("m", "m"); got != "m2" {
		t.Errorf("m times m is %s", got)
	}
	if got, _ := ucum.Divide("g.m-3", "g.m-3"); got != "1" {
		t.Errorf("a quotient of equals is %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mg/dL", "10*3/uL", "((m))", "{a}{b}", "m-2.g3/s", "[in_i'Hg]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		if u, ok := ucum.Parse(code); ok {
			again, ok := ucum.Parse(u.Canonical())
			if !ok || again.Canonical() != u.Canonical() {
				t.Errorf("canonical form %q of %q is not stable", u.Canonical(), code)
			}
		}
	})
}
