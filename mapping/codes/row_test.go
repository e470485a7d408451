package codes_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/personname"
	"github.com/yilian/yilian/mapping/phone"
	"github.com/yilian/yilian/mapping/residentid"
)

// BenchmarkRow reads the values of one patient's row, as a map of a CSV extract does: an identity number, a name, a phone, four
// dates and codes of eight tables. The budget of a row with everything around it is 20 µs.
func BenchmarkRow(b *testing.B) {
	tables := map[string]*codes.Table{}
	for _, name := range []string{"gb-sex", "gb-marital", "gb-ethnicity", "cv-idtype", "cv-visit", "cv-payment", "gb-relationship", "v2-0399"} {
		tables[name], _ = codes.Builtin(name)
	}
	b.ReportAllocs()
	for b.Loop() {
		residentid.Parse("99010119491231002X")
		personname.Parse("诸葛孔明")
		phone.Parse("13800000001")
		for _, s := range []string{"1949-12-31", "20240501083000", "2024-05-01 08:30:00", "2024/5/1"} {
			v, _ := datetime.Parse(s, datetime.Options{})
			v.DateTime()
		}
		for name, code := range map[string]string{"gb-sex": "男", "gb-marital": "20", "gb-ethnicity": "汉族", "cv-idtype": "01", "cv-visit": "1",
			"cv-payment": "01", "gb-relationship": "1", "v2-0399": "CHN"} {
			tables[name].Translate(code)
		}
	}
}

// BenchmarkObservation reads the values of one laboratory item.
func BenchmarkObservation(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		codes.ParseResult("5.60", codes.ResultOptions{})
		codes.ParseUnit("mmol/L", codes.UnitOptions{})
		codes.ParseRange("3.5-5.5")
		codes.Flag("↑", codes.FlagOptions{})
		v, _ := datetime.Parse("20240501083000", datetime.Options{})
		v.DateTime()
	}
}
