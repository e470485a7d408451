package datetime_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/datetime"
)

func TestParseAge(t *testing.T) {
	for _, c := range []struct {
		in    string
		bare  bool
		value int
		unit  string
	}{
		{"45岁", false, 45, "a"}, {"45 岁", false, 45, "a"}, {"４５岁", false, 45, "a"}, {"45Y", false, 45, "a"}, {"45", true, 45, "a"}, {"0岁", false, 0, "a"},
		{"3月12天", false, 102, "d"}, {"3个月零12天", false, 102, "d"}, {"2岁6月", false, 30, "mo"}, {"2岁零6个月", false, 30, "mo"}, {"6个月", false, 6, "mo"},
		{"12天", false, 12, "d"}, {"5小时", false, 5, "h"}, {"1天5小时", false, 29, "h"}, {"3周", false, 3, "wk"}, {"18 months", false, 18, "mo"},
	} {
		a, err := datetime.ParseAge(c.in, c.bare)
		value, unit := a.Quantity()
		if err != nil || !a.Given() || value != c.value || unit != c.unit {
			t.Errorf("ParseAge(%q) = %d %s, %v, want %d %s", c.in, value, unit, err, c.value, c.unit)
		}
	}
	for _, s := range []string{"45", "岁", "成人", "45岁45岁", "6月2岁", "200岁", "12345天", "45岁x", "4.5岁", "99999岁"} {
		if a, err := datetime.ParseAge(s, false); err == nil || a.Given() {
			t.Errorf("%q was taken as %+v", s, a)
		}
	}
	for _, s := range []string{"", "不详", "-"} {
		if a, err := datetime.ParseAge(s, false); err != nil || a.Given() {
			t.Errorf("%q = %+v, %v, want nothing", s, a, err)
		}
	}
}

func FuzzParseAge(f *testing.F) {
	f.Add("3月12天", true)
	f.Add("2岁零6个月", false)
	f.Fuzz(func(t *testing.T, s string, bare bool) {
		a, err := datetime.ParseAge(s, bare)
		if err != nil && a.Given() {
			t.Error("an error and a value")
		}
		if value, unit := a.Quantity(); value < 0 || a.Given() != (unit != "") {
			t.Errorf("%d %s", value, unit)
		}
	})
}
