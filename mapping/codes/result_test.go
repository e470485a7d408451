package codes_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/codes"
)

// short writes a result in one line: kind, number or text, unit, ordinal, flag, reason.
func short(r codes.Result) string {
	parts := []string{r.Kind.String()}
	switch r.Kind {
	case codes.ResultNumber:
		parts = append(parts, r.Comparator+r.Value)
	case codes.ResultRange:
		parts = append(parts, r.Low+".."+r.High)
	case codes.ResultRatio:
		parts = append(parts, r.Comparator+r.Numerator+":"+r.Denominator)
	}
	for _, p := range []struct{ name, value string }{
		{"unit", r.Unit}, {"ordinal", r.Ordinal.Code}, {"flag", r.Flag.Code}, {"absent", r.Absent},
	} {
		if p.value != "" {
			parts = append(parts, p.name+"="+p.value)
		}
	}
	return strings.Join(parts, " ")
}

func TestParseResult(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		// numbers keep their digits
		{"5.6", "number 5.6"}, {"5.60", "number 5.60"}, {"0", "number 0"}, {"0.00", "number 0.00"}, {"-3.2", "number -3.2"},
		{"−3.2", "number -3.2"}, {"+3.2", "number 3.2"}, {".5", "number 0.5"}, {"5.", "number 5"}, {"007.10", "number 7.10"},
		{"５．６", "number 5.6"}, {" 5.6 ", "number 5.6"}, {"1,234", "number 1234"}, {"1,234,567.80", "number 1234567.80"},
		{"12345678901234567", "number 12345678901234567"},
		{"1.2E3", "number 1.2E3"}, {"1.20e+03", "number 1.20E3"}, {"1.2E-05", "number 1.2E-5"}, {"1.2×10^3", "number 1.2E3"}, {"1.2*10^-3", "number 1.2E-3"},
		{"1.20E+00", "number 1.20"},
		// comparators
		{"<0.01", "number <0.01"}, {"＜0.01", "number <0.01"}, {"&lt;0.01", "number <0.01"}, {"< 0.01", "number <0.01"}, {">1000", "number >1000"},
		{"＞1000", "number >1000"}, {"≥5", "number >=5"}, {">=5", "number >=5"}, {"≤5", "number <=5"}, {"=<5", "number <=5"}, {"&le;5", "number <=5"},
		{"小于0.5", "number <0.5"}, {"大于等于 5", "number >=5"}, {"<1,000", "number <1000"}, {"<1.0E+02", "number <1.0E2"}, {"=5", "number 5"},
		// units, arrows and letters behind the value
		{"5.6mmol/L", "number 5.6 unit=mmol/L"}, {"5.6 mmol/L", "number 5.6 unit=mmol/L"}, {"98%", "number 98 unit=%"}, {"72次/分", "number 72 unit=次/分"},
		{"<5 IU/mL", "number <5 unit=IU/mL"}, {"1.2×10^9/L", "number 1.2 unit=×10^9/L"}, {"36.5℃", "number 36.5 unit=℃"},
		{"5.6↑", "number 5.6 flag=H"}, {"5.6 ↓", "number 5.6 flag=L"}, {"↑5.6", "number 5.6 flag=H"}, {"5.6↑↑", "number 5.6 flag=HH"}, {"5.6 H", "number 5.6 flag=H"},
		{"5.6H", "number 5.6 flag=H"}, {"5.6(L)", "number 5.6 flag=L"}, {"5.6 偏高", "number 5.6 flag=H"}, {"5.6*", "number 5.6 flag=A"}, {"5.6mmol/L↑", "number 5.6 unit=mmol/L flag=H"},
		{"5.6 mmol/L (H)", "number 5.6 unit=mmol/L flag=H"}, {"5.6↑ mmol/L", "number 5.6 unit=mmol/L flag=H"}, {"<0.01↓", "number <0.01 flag=L"}, {"3.5L", "number 3.5 unit=L"},
		// ordinals
		{"阴性", "ordinal ordinal=negative flag=NEG"}, {"阴性(-)", "ordinal ordinal=negative flag=NEG"}, {"阴性（－）", "ordinal ordinal=negative flag=NEG"}, {"(-)", "ordinal ordinal=negative flag=NEG"},
		{"-阴性", "ordinal ordinal=negative flag=NEG"}, {"NEG", "ordinal ordinal=negative flag=NEG"}, {"Negative", "ordinal ordinal=negative flag=NEG"}, {"阴", "ordinal ordinal=negative flag=NEG"},
		{"弱阳性(±)", "ordinal ordinal=weak-positive flag=POS"}, {"±", "ordinal ordinal=weak-positive flag=POS"}, {"+-", "ordinal ordinal=weak-positive flag=POS"}, {"+/-", "ordinal ordinal=weak-positive flag=POS"},
		{"弱阳性", "ordinal ordinal=weak-positive flag=POS"}, {"trace", "ordinal ordinal=weak-positive flag=POS"},
		{"阳性(+)", "ordinal ordinal=positive flag=POS"}, {"阳性", "ordinal ordinal=positive flag=POS"}, {"阳性（+）", "ordinal ordinal=positive flag=POS"}, {"POS", "ordinal ordinal=positive flag=POS"},
		{"+", "ordinal ordinal=1+ flag=POS"}, {"++", "ordinal ordinal=2+ flag=POS"}, {"+++", "ordinal ordinal=3+ flag=POS"}, {"3+", "ordinal ordinal=3+ flag=POS"}, {"+2", "ordinal ordinal=2+ flag=POS"},
		{"(++)", "ordinal ordinal=2+ flag=POS"}, {"阳性(++)", "ordinal ordinal=2+ flag=POS"}, {"阳性3+", "ordinal ordinal=3+ flag=POS"}, {"++++", "ordinal ordinal=4+ flag=POS"}, {"＋＋", "ordinal ordinal=2+ flag=POS"},
		{"强阳性(+++)", "ordinal ordinal=3+ flag=POS"}, {"强阳性", "ordinal ordinal=strong-positive flag=POS"}, {"可疑", "ordinal ordinal=indeterminate flag=IND"},
		{"无反应性", "ordinal ordinal=non-reactive flag=NR"}, {"Reactive", "ordinal ordinal=reactive flag=RR"}, {"未检出", "ordinal ordinal=not-detected flag=ND"}, {"检出", "ordinal ordinal=detected flag=DET"},
		// ordinals with a number
		{"阳性(+) 12.5", "number 12.5 ordinal=positive flag=POS"}, {"阳性(12.5)", "number 12.5 ordinal=positive flag=POS"}, {"阴性 <0.05", "number <0.05 ordinal=negative flag=NEG"},
		{"阴性(-)0.12 S/CO", "number 0.12 unit=S/CO ordinal=negative flag=NEG"}, {"12.5(阳性)", "number 12.5 ordinal=positive flag=POS"}, {"0.05 阴性(-)", "number 0.05 ordinal=negative flag=NEG"},
		{"弱阳性(±) 1.2", "number 1.2 ordinal=weak-positive flag=POS"}, {"阳性:12.5", "number 12.5 ordinal=positive flag=POS"}, {"0.32 (-)", "number 0.32 ordinal=negative flag=NEG"},
		{"阳性(1:80)", "ratio 1:80 ordinal=positive flag=POS"}, {"阳性 1:160", "ratio 1:160 ordinal=positive flag=POS"}, {"1:80 阳性", "ratio 1:80 ordinal=positive flag=POS"}, {"阴性(<1:20)", "ratio <1:20 ordinal=negative flag=NEG"},
		// titres and ranges
		{"1:80", "ratio 1:80"}, {"1：80", "ratio 1:80"}, {"1∶80", "ratio 1:80"}, {"<1:20", "ratio <1:20"}, {"≥1:320", "ratio >=1:320"}, {"1:1,280", "ratio 1:1280"},
		{"0-1", "range 0..1"}, {"3~5", "range 3..5"}, {"3～5", "range 3..5"}, {"0--1", "range 0..1"}, {"0-1/HP", "range 0..1 unit=/HP"}, {"3-5个/HP", "range 3..5 unit=个/HP"}, {"2 - 4", "range 2..4"}, {"-1-1", "range -1..1"},
		// missing
		{"", "missing absent=unknown"}, {"-", "missing absent=unknown"}, {"—", "missing absent=unknown"}, {"--", "missing absent=unknown"}, {"未做", "missing absent=not-performed"}, {"标本不足", "missing absent=not-performed"},
		{"溶血", "missing absent=error"}, {"待查", "missing absent=temp-unknown"}, {"患者拒绝", "missing absent=asked-declined"}, {"N/A", "missing absent=not-applicable"}, {"****", "missing absent=error"}, {"NULL", "missing absent=unknown"},
		// text
		{"见报告", "text"}, {"黄色", "text"}, {"O型", "text"}, {"阴性(+)", "text"}, {"120/80", "text"}, {"10-5", "text"}, {"2024-05-01", "text"}, {"08:30:00", "text"}, {"5.6.7", "text"}, {"1,23", "text"}, {"2型", "text"}, {"5.6 abc", "text"},
		{"未见异常", "text flag=N"}, {"高危", "text"}, {"未检出(<100)", "number <100 ordinal=not-detected flag=ND"}, {"正常", "text flag=N"}, {"1.2E400", "text"}, {"1234567890123456789", "text"}, {"<", "text"}, {"1:0", "text"}, {"约5", "text"}, {"阳性 阴性", "text"}, {"G/L", "text"},
	} {
		t.Run(c.in, func(t *testing.T) {
			got := codes.ParseResult(c.in, codes.ResultOptions{})
			if s := short(got); s != c.want {
				t.Errorf("ParseResult(%q) = %s, want %s", c.in, s, c.want)
			}
			if got.Text != strings.TrimSpace(c.in) {
				t.Errorf("text %q", got.Text)
			}
		})
	}
}

func TestResultOptions(t *testing.T) {
	for _, s := range []string{"-", "－", "—"} {
		if got := codes.ParseResult(s, codes.ResultOptions{DashIsNegative: true}); got.Ordinal.Code != "negative" || got.Text != s {
			t.Errorf("%q = %s", s, short(got))
		}
	}
	if got := codes.ParseResult("", codes.ResultOptions{DashIsNegative: true}); got.Kind != codes.ResultMissing {
		t.Errorf("nothing = %s", short(got))
	}
	long := strings.Repeat("双肺纹理增多。", 40)
	if got := codes.ParseResult(long, codes.ResultOptions{}); got.Kind != codes.ResultText || got.Text != long {
		t.Errorf("prose = %s", short(got))
	}
}

func TestParseSN(t *testing.T) {
	for _, c := range []struct {
		name string
		in   [4]string
		want string
	}{
		{"comparator", [4]string{"<", "0.5"}, "number <0.5"},
		{"greater or equal", [4]string{">=", "5"}, "number >=5"},
		{"equal", [4]string{"=", "5"}, "number 5"},
		{"number alone", [4]string{"", "5.60"}, "number 5.60"},
		{"titre", [4]string{"", "1", ":", "80"}, "ratio 1:80"},
		{"titre with a comparator", [4]string{"<", "1", ":", "20"}, "ratio <1:20"},
		{"slash", [4]string{"", "1", "/", "80"}, "ratio 1:80"},
		{"range", [4]string{"", "0", "-", "1"}, "range 0..1"},
		{"open above", [4]string{"", "5", "-", ""}, "range 5.."},
		{"open below", [4]string{"", "", "-", "5"}, "range ..5"},
		{"ordinal", [4]string{"", "2", "+"}, "ordinal ordinal=2+ flag=POS"},
		{"and more", [4]string{"", "70", "+"}, "number >=70"},
		{"nothing", [4]string{}, "missing absent=unknown"},
		{"not equal", [4]string{"<>", "5"}, "text"},
		{"words", [4]string{"", "many"}, "text"},
		{"reversed range", [4]string{"", "5", "-", "1"}, "text"},
		{"unknown separator", [4]string{"", "5", "x", "1"}, "text"},
		{"second number without a separator", [4]string{"", "5", "", "1"}, "text"},
		{"nothing over zero", [4]string{"", "1", ":", "0"}, "text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := short(codes.ParseSN(c.in[0], c.in[1], c.in[2], c.in[3], codes.ResultOptions{})); got != c.want {
				t.Errorf("ParseSN = %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseNM(t *testing.T) {
	for in, want := range map[string]string{"5.60": "number 5.60", "-1": "number -1", "+1": "number 1", "<5": "number <5",
		"阴性": "ordinal ordinal=negative flag=NEG", "": "missing absent=unknown", "1,234": "number 1234"} {
		if got := short(codes.ParseNM(in, codes.ResultOptions{})); got != want {
			t.Errorf("ParseNM(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestFlag(t *testing.T) {
	for in, want := range map[string]string{
		"↑": "H", "↓": "L", "↑↑": "HH", "↓↓": "LL", "H": "H", "L": "L", "HH": "HH", "LL": "LL", "N": "N", "A": "A", "h": "H", "Ｈ": "H", " H ": "H",
		"偏高": "H", "偏低": "L", "正常": "N", "异常": "A", "危急": "AA", "危急值": "AA", "*": "A", "H↑": "H", "↓L": "L", "AA": "AA", "POS": "POS", "NEG": "NEG",
		"阳性": "POS", "阴性": "NEG", "敏感": "S", "中介": "I", "耐药": "R", "S": "S", "I": "I", "R": "R", "IND": "IND", "<": "<", ">": ">",
		"": "", "P": "", "1": "", "2": "", "Q": "", "见报告": "", "VS": "", "M": "", strings.Repeat("高", 40): "",
	} {
		got, ok := codes.Flag(in, codes.FlagOptions{})
		if got.Code != want || ok != (want != "") || ok && got.System != codes.Interpretation {
			t.Errorf("Flag(%q) = %v, %v, want %q", in, got, ok, want)
		}
	}
	own := codes.FlagOptions{Own: map[string]string{"P": "N", "1": "A", "2": "N", "3": "IND", "H": "", "X": "no such code"}}
	for in, want := range map[string]string{"P": "N", "p": "N", "１": "A", "2": "N", "3": "IND", "H": "", "L": "L", "X": ""} {
		if got, ok := codes.Flag(in, own); got.Code != want || ok != (want != "") {
			t.Errorf("Flag(%q) of an institution = %v, want %q", in, got, want)
		}
	}
}

func TestOrdinalCodeSystem(t *testing.T) {
	data, err := codes.OrdinalCodeSystem()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"negative", "weak-positive", "positive", "1+", "4+", "not-detected"} {
		if !strings.Contains(string(data), `"code":"`+code+`"`) {
			t.Errorf("no code %s", code)
		}
	}
}

func TestOrdinaryResultIsCheap(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { codes.ParseResult("5.6", codes.ResultOptions{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var fhirDecimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func FuzzParseResult(f *testing.F) {
	for _, s := range []string{"5.6mmol/L↑", "<1:20", "阳性(+) 12.5", "0--1/HP", "1,234.5", "1.2×10^-3", "+-", "-", "\xff", "1:", "阴性(", "&lt;", "↑↑", "..5"} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, dash bool) {
		o := codes.ResultOptions{DashIsNegative: dash}
		all := []codes.Result{codes.ParseResult(s, o), codes.ParseNM(s, o)}
		if p := strings.SplitN(s, "^", 4); len(p) == 4 {
			all = append(all, codes.ParseSN(p[0], p[1], p[2], p[3], o))
		}
		for _, r := range all {
			for _, d := range []string{r.Value, r.Low, r.High, r.Numerator, r.Denominator} {
				if d != "" && !fhirDecimal.MatchString(d) {
					t.Errorf("%q is not a FHIR decimal", d)
				}
			}
			complete := map[codes.ResultKind]bool{
				codes.ResultMissing: r.Absent != "", codes.ResultNumber: r.Value != "", codes.ResultRange: r.Low+r.High != "",
				codes.ResultRatio: r.Numerator != "" && r.Denominator != "", codes.ResultOrdinal: r.Ordinal.Code != "", codes.ResultText: r.Text != "",
			}
			if !complete[r.Kind] {
				t.Errorf("kind %v without its content", r.Kind)
			}
			if r.Absent != "" && r.Kind != codes.ResultMissing {
				t.Errorf("kind %v with a reason to be absent", r.Kind)
			}
		}
	})
}

func BenchmarkParseResult(b *testing.B) {
	for _, s := range []string{"5.6", "<0.01", "阴性(-)", "阳性(+) 12.5", "见报告"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				codes.ParseResult(s, codes.ResultOptions{})
			}
		})
	}
}
