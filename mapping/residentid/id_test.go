package residentid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/residentid"
)

func TestParse(t *testing.T) {
	good := residentid.ID{Number: "99010119491231002X", Kind: residentid.Resident, Valid: true, Birth: "1949-12-31",
		Sex: residentid.Female}
	// The division codes 9901xx to 9999xx are not assigned, so no number below belongs to anybody.
	good.Number = withCheck("99010119491231002")
	for _, c := range []struct {
		name, in string
		want     residentid.ID
	}{
		{"18 digits", good.Number, good},
		{"full width", wide(good.Number), good},
		{"spaces and hyphens", " " + good.Number[:6] + " " + good.Number[6:14] + "-" + good.Number[14:] + "\t", good},
		{"15 digits", "990101491231002", upgraded(good)},
		{"15 digits of a centenarian", "990101991231997", residentid.ID{Number: withCheck("99010118991231997"),
			Kind: residentid.Resident, Valid: true, Upgraded: true, Birth: "1899-12-31", Sex: residentid.Male}},
		{"odd is male", withCheck("99010120000229001"), residentid.ID{Number: withCheck("99010120000229001"),
			Kind: residentid.Resident, Valid: true, Birth: "2000-02-29", Sex: residentid.Male}},
		{"the sample of the standard", "11010519491231002X", residentid.ID{Number: "11010519491231002X",
			Kind: residentid.Resident, Valid: true, Assigned: true, Birth: "1949-12-31", Sex: residentid.Female}},
		{"a small x", "11010519491231002x", residentid.ID{Number: "11010519491231002X",
			Kind: residentid.Resident, Valid: true, Assigned: true, Birth: "1949-12-31", Sex: residentid.Female}},
		{"the second sample", "440524188001010014", residentid.ID{Number: "440524188001010014",
			Kind: residentid.Resident, Valid: true, Assigned: true, Birth: "1880-01-01", Sex: residentid.Male}},
		{"Hong Kong permit", withCheck("81000019900101001"), permit("81000019900101001", residentid.HongKongPermit)},
		{"Macao permit", withCheck("82000019900101001"), permit("82000019900101001", residentid.MacaoPermit)},
		{"Taiwan permit", withCheck("83000019900101001"), permit("83000019900101001", residentid.TaiwanPermit)},
		{"foreigner's card", withCheck("91184019900101001"), permit("91184019900101001", residentid.Foreigner)},
		{"foreigner's card of before", "abc110080010101", residentid.ID{Number: "ABC110080010101",
			Kind: residentid.ForeignerLegacy, Reason: residentid.Uncheckable}},
		{"wrong check digit", "110105194912310021", bad("110105194912310021", residentid.WrongCheck)},
		{"17 characters", "3112219680806371X", bad("3112219680806371X", residentid.Length)},
		{"19 characters", "9901011949123100200", bad("9901011949123100200", residentid.Length)},
		{"29 February of a common year", withCheck("99010119010229001"), bad(withCheck("99010119010229001"), residentid.BirthDate)},
		{"month 13", withCheck("99010119901301001"), bad(withCheck("99010119901301001"), residentid.BirthDate)},
		{"year 1700", withCheck("99010117000101001"), bad(withCheck("99010117000101001"), residentid.BirthDate)},
		{"no such day in 15 digits", "990101490230002", bad("990101490230002", residentid.BirthDate)},
		{"letters", "99010119491231A021", bad("99010119491231A021", residentid.Characters)},
		{"letters in 15", "9901014912310X2", bad("9901014912310X2", residentid.Characters)},
		{"Chinese of 18 bytes", "身份证号码错", bad("身份证号码错", residentid.Characters)},
		{"masked with stars", "990101********002X", bad("990101********002X", residentid.Masked)},
		{"masked with X", "990101XXXXXXXX002X", bad("990101XXXXXXXX002X", residentid.Masked)},
		{"nothing", "", bad("", residentid.Empty)},
		{"spaces", " \u3000 - ", bad("", residentid.Empty)},
		{"very long", strings.Repeat("1", 200), bad(strings.Repeat("1", 200), residentid.Length)},
		{"bytes that are not UTF-8", "\xff\xfe", bad("\ufffd\ufffd", residentid.Length)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, residentid.Parse(c.in)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	for _, s := range []string{"111111111111111111", "000000000000000000", "999999999999999999", "111111111111111", "0", "1",
		"123456789012345678", "123456789123456789", "123456789012345", "无", "不详", "暂无", "NULL", "n/a", "未带证件", "拒绝提供",
		"XXXXXXXXXXXXXXXXXX", "**", "２２２２２２２２２２２２２２２２２２", withCheck("99010119000101001"), "990101000101001"} {
		id := residentid.Parse(s)
		if id.Valid || id.Reason != residentid.Placeholder || !id.Reason.Missing() {
			t.Errorf("%s: reason %q, want a placeholder", s, id.Reason)
		}
	}
}

// TestOneTypingErrorIsFound shows what the check digit is for: any wrong digit and any two neighbours swapped.
func TestOneTypingErrorIsFound(t *testing.T) {
	good := withCheck("99010219870305123")
	for i := range 18 {
		for d := byte('0'); d <= '9'; d++ {
			if wrong := good[:i] + string(d) + good[i+1:]; wrong != good && residentid.Parse(wrong).Valid {
				t.Errorf("digit %d as %c passes", i+1, d)
			}
		}
		if i < 17 && good[i] != good[i+1] {
			if wrong := good[:i] + good[i+1:i+2] + good[i:i+1] + good[i+2:]; residentid.Parse(wrong).Valid {
				t.Errorf("digits %d and %d swapped pass", i+1, i+2)
			}
		}
	}
}

func TestPlausibleAt(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]bool{
		"99010120250101001": true, "99010119000102001": true, "99010120270101001": false, "99010118800101001": false,
	} {
		if got := residentid.Parse(withCheck(in)).PlausibleAt(at); got != want {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
	if residentid.Parse("无").PlausibleAt(at) {
		t.Error("no number is plausible")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"11010519491231002X", "990101491231002", "abc110080010101", "１１", "\xff", "无", "", "990101XXXXXXXX002X"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id := residentid.Parse(s)
		if id.Valid != (id.Reason == residentid.OK) {
			t.Fatalf("valid %v with reason %q", id.Valid, id.Reason)
		}
		if id.Valid {
			if again := residentid.Parse(id.Number); !again.Valid || again.Number != id.Number || again.Birth != id.Birth {
				t.Error("the number read again differs")
			}
			if _, err := time.Parse(time.DateOnly, id.Birth); err != nil || id.Sex == "" {
				t.Errorf("birth %q, sex %q", id.Birth, id.Sex)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		residentid.Parse("11010519491231002X")
	}
}

func withCheck(first17 string) string { return first17 + string(residentid.CheckDigit(first17)) }

func wide(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}

func upgraded(id residentid.ID) residentid.ID { id.Upgraded = true; return id }

func permit(first17 string, k residentid.Kind) residentid.ID {
	return residentid.ID{Number: withCheck(first17), Kind: k, Valid: true, Assigned: true, Birth: "1990-01-01", Sex: residentid.Male}
}

func bad(number string, r residentid.Reason) residentid.ID {
	return residentid.ID{Number: number, Reason: r}
}
