package phone_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/phone"
)

// No number below is in use: mobile numbers of zeros, landlines of zeros behind the area code.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string // kind text
	}{
		{"13800000001", []string{"mobile 13800000001"}}, {"１３８００００００01", []string{"mobile 13800000001"}}, {"138 0000 0001", []string{"mobile 13800000001"}}, {"138-0000-0001", []string{"mobile 13800000001"}},
		{"+8613800000001", []string{"mobile 13800000001"}}, {"+86 138 0000 0001", []string{"mobile 13800000001"}}, {"86-13800000001", []string{"mobile 13800000001"}}, {"008613800000001", []string{"mobile 13800000001"}}, {"(+86)13800000001", []string{"mobile 13800000001"}},
		{"013800000001", []string{"mobile 13800000001"}},
		{"010-00000001", []string{"landline 010-00000001"}}, {"(010)00000001", []string{"landline 010-00000001"}}, {"01000000001", []string{"landline 010-00000001"}}, {"0571 00000001", []string{"landline 0571-00000001"}}, {"0991-0000001", []string{"landline 0991-0000001"}}, {"+86-10-20000001", []string{"landline 010-20000001"}},
		{"20000001", []string{"landline 20000001"}}, {"2000001", []string{"landline 2000001"}},
		{"010-00000001转8001", []string{"landline 010-00000001 ext 8001"}}, {"010-00000001 转 8001", []string{"landline 010-00000001 ext 8001"}}, {"010-00000001-8001", []string{"landline 010-00000001 ext 8001"}}, {"010-00000001 ext. 8001", []string{"landline 010-00000001 ext 8001"}}, {"010-00000001#8001", []string{"landline 010-00000001 ext 8001"}}, {"20000001分机12", []string{"landline 20000001 ext 12"}},
		{"13800000001/010-00000001 转 8001", []string{"mobile 13800000001", "landline 010-00000001 ext 8001"}}, {"13800000001，13800000002", []string{"mobile 13800000001", "mobile 13800000002"}}, {"13800000001 13800000002", []string{"mobile 13800000001", "mobile 13800000002"}}, {"13800000001、13800000002；20000001", []string{"mobile 13800000001", "mobile 13800000002", "landline 20000001"}},
		{"13800000001或13800000001", []string{"mobile 13800000001"}}, {"13800000001(女儿)", []string{"mobile 13800000001"}}, {"女儿13800000001儿子13800000002", []string{"mobile 13800000001", "mobile 13800000002"}}, {"手机：13800000001 家：010-00000001", []string{"mobile 13800000001", "landline 010-00000001"}},
		{"400-000-0001", []string{"service 400-000-0001"}}, {"120", []string{"service 120"}}, {"+852 2000 0001", []string{"foreign +85220000001"}}, {"0085220000001", []string{"foreign +85220000001"}},
		{"1234567890", []string{"unknown 1234567890"}},
		{"", nil}, {"无", nil}, {"-", nil}, {"00000000000", nil}, {"11111111111", nil}, {"99999999", nil}, {"0", nil}, {"1", nil}, {"12", nil}, {"1234", nil}, {"123456", nil}, {strings.Repeat("9", 30), nil}, {strings.Repeat("13800000001/", 60), nil}, {"不详", nil},
	} {
		t.Run(c.in[:min(len(c.in), 30)], func(t *testing.T) {
			var got []string
			for _, n := range phone.Parse(c.in) {
				got = append(got, n.Kind.String()+" "+n.Text)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHints(t *testing.T) {
	n := phone.Parse("13800000001/0571-00000001")
	if len(n) != 2 || n[0].Use() != "mobile" || n[1].Use() != "" || n[0].System() != "phone" || n[1].Area != "0571" || n[1].Digits != "057100000001" {
		t.Errorf("numbers: %+v", n)
	}
}

func TestManyNumbers(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		b.WriteString("138000000" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "/")
	}
	if n := phone.Parse(b.String()); len(n) != 8 {
		t.Errorf("%d numbers", len(n))
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"13800000001/010-00000001 转 8001", "+86 10 20000001", "(010)", "转", "0-0-0", "\xff1", "86", "+", "00", "女儿1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range phone.Parse(s) {
			if n.Digits == "" || n.Text == "" || strings.Trim(n.Digits, "+0123456789") != "" {
				t.Errorf("digits %q", n.Digits)
			}
			if n.Kind == phone.Mobile && len(n.Digits) != 11 {
				t.Errorf("a mobile number of %d digits", len(n.Digits))
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		phone.Parse("13800000001")
	}
}
