package codes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/codes"
)

// shortRange writes a range in one line.
func shortRange(r codes.ReferenceRange) string {
	var b strings.Builder
	if r.Sex != "" {
		b.WriteString(r.Sex + " ")
	}
	if r.AgeUnit != "" {
		b.WriteString("age " + r.AgeLow + ".." + r.AgeHigh + r.AgeUnit + " ")
	}
	if r.AppliesTo != "" {
		b.WriteString("for " + r.AppliesTo + " ")
	}
	if r.Ordinal.Code != "" {
		b.WriteString(r.Ordinal.Code + " ")
	}
	if r.Low+r.High != "" {
		open := map[bool]string{true: "!"}
		b.WriteString(r.Low + open[r.LowOpen] + ".." + r.High + open[r.HighOpen])
	}
	if r.Unit != "" {
		b.WriteString(" " + r.Unit)
	}
	if !r.Parsed() {
		b.WriteString("text")
	}
	return strings.TrimSpace(b.String())
}

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		// separators
		{"3.5-5.5", []string{"3.5..5.5"}}, {"3.5~5.5", []string{"3.5..5.5"}}, {"3.5--5.5", []string{"3.5..5.5"}}, {"3.5—5.5", []string{"3.5..5.5"}}, {"3.5——5.5", []string{"3.5..5.5"}},
		{"3.5－5.5", []string{"3.5..5.5"}}, {"3.5～5.5", []string{"3.5..5.5"}}, {"3.5–5.5", []string{"3.5..5.5"}}, {"3.5至5.5", []string{"3.5..5.5"}}, {"3.5 - 5.5", []string{"3.5..5.5"}},
		{"3.50-5.50", []string{"3.50..5.50"}}, {"0-40", []string{"0..40"}}, {"-3-3", []string{"-3..3"}}, {"-3--1", []string{"-3..-1"}}, {"-3.0~+3.0", []string{"-3.0..3.0"}}, {"1,000-2,000", []string{"1000..2000"}},
		{"(3.5-5.5)", []string{"3.5..5.5"}}, {"[3.5-5.5]", []string{"3.5..5.5"}}, {"（3.5-5.5）", []string{"3.5..5.5"}}, {"【3.5-5.5】", []string{"3.5..5.5"}}, {"参考值：3.5-5.5", []string{"3.5..5.5"}},
		// units behind
		{"3.5-5.5 mmol/L", []string{"3.5..5.5 mmol/L"}}, {"3.5-5.5mmol/L", []string{"3.5..5.5 mmol/L"}}, {"<0.5 ng/mL", []string{"..0.5! ng/mL"}}, {"0-5/HP", []string{"0..5 /HP"}},
		// one side
		{"<0.1", []string{"..0.1!"}}, {"＜0.1", []string{"..0.1!"}}, {"≤40", []string{"..40"}}, {"<=40", []string{"..40"}}, {"&lt;40", []string{"..40!"}}, {">90", []string{"90!.."}}, {"≥90", []string{"90.."}},
		{"小于40", []string{"..40!"}}, {"90以上", []string{"90.."}}, {"40以下", []string{"..40"}}, {"3.5-", []string{"3.5.."}}, {">3.5-<5.5", []string{"3.5!..5.5!"}},
		// ordinals
		{"阴性", []string{"negative"}}, {"阴性(-)", []string{"negative"}}, {"(-)", []string{"negative"}}, {"阴性(<1.0)", []string{"negative ..1.0!"}}, {"阴性 <1.0", []string{"negative ..1.0!"}}, {"Negative", []string{"negative"}},
		// people
		{"男:3.5-5.5;女:3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}}, {"男：3.5-5.5\n女：3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}}, {"男3.5-5.5 女3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}},
		{"男:3.5-5.5,女:3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}}, {"男 (3.5-5.5) 女 (3.0-5.0)", []string{"male 3.5..5.5", "female 3.0..5.0"}}, {"3.5-5.5(男)；3.0-5.0(女)", []string{"male 3.5..5.5", "female 3.0..5.0"}},
		{"男性：120~160g/L\r\n女性：110~150g/L", []string{"male 120..160 g/L", "female 110..150 g/L"}}, {"M: 3.5-5.5 | F: 3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}}, {"Male 3.5-5.5; Female 3.0-5.0", []string{"male 3.5..5.5", "female 3.0..5.0"}},
		{"成年男性:130-175;成年女性:115-150;新生儿:180-190", []string{"male for 成年 130..175", "female for 成年 115..150", "for 新生儿 180..190"}}, {"成人3.5-5.5 儿童3.0-5.0", []string{"for 成人 3.5..5.5", "for 儿童 3.0..5.0"}},
		{"18-60岁:3.5-5.5", []string{"age 18..60a 3.5..5.5"}}, {">60岁:3.5-5.5", []string{"age 60..a 3.5..5.5"}}, {"60岁以上 3.5-5.5", []string{"age 60..a 3.5..5.5"}}, {"0~28天:5-21", []string{"age 0..28d 5..21"}}, {"男(18-60岁):3.5-5.5", []string{"male age 18..60a 3.5..5.5"}},
		{"1月-12月: 3-7\n1-5岁: 4-8", []string{"age 1..12mo 3..7", "age 1..5a 4..8"}}, {"卵泡期:1.2-3.4;黄体期:2.3-4.5", []string{"female for 卵泡期 1.2..3.4", "female for 黄体期 2.3..4.5"}}, {"空腹:3.9-6.1", []string{"for 空腹 3.9..6.1"}},
		// what is not understood stays text
		{"见报告", []string{"text"}}, {"<1:80", []string{"text"}}, {"5.0±0.5", []string{"text"}}, {"5.5", []string{"text"}}, {"5.5-3.5", []string{"text"}}, {"阴性或弱阳性", []string{"text"}}, {"3.5-5.5 abc", []string{"text"}}, {"淡黄色", []string{"text"}},
		{"", nil}, {"-", nil}, {"—", nil}, {"无", nil}, {"/", nil}, {strings.Repeat("3-5;", 300), nil},
	} {
		t.Run(c.in[:min(len(c.in), 40)], func(t *testing.T) {
			got := codes.ParseRange(c.in)
			if got.Text != strings.TrimSpace(c.in) {
				t.Errorf("text %q", got.Text)
			}
			var short []string
			for _, r := range got.Ranges {
				short = append(short, shortRange(r))
			}
			if d := cmp.Diff(c.want, short); d != "" {
				t.Error(d)
			}
		})
	}
	if got := codes.ParseRange(strings.Repeat("3-5;", 200)); len(got.Ranges) != 32 {
		t.Errorf("%d ranges", len(got.Ranges))
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"男:3.5-5.5;女:3.0-5.0", "18-60岁:3-5", "阴性(<1.0)", "(-)", "3.5--", "<", "【3】", "M:", "\xff女", "(男)", "1月-12月"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := codes.ParseRange(s)
		if got.Text != strings.TrimSpace(s) {
			t.Error("the text was not kept")
		}
		for _, r := range got.Ranges {
			for _, d := range []string{r.Low, r.High, r.AgeLow, r.AgeHigh} {
				if d != "" && !fhirDecimal.MatchString(d) {
					t.Errorf("%q is not a FHIR decimal", d)
				}
			}
			if r.LowOpen && r.Low == "" || r.HighOpen && r.High == "" {
				t.Error("an open end without a number")
			}
		}
	})
}

func BenchmarkParseRange(b *testing.B) {
	for _, s := range []string{"3.5-5.5", "阴性", "男:3.5-5.5;女:3.0-5.0"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				codes.ParseRange(s)
			}
		})
	}
}
