package datetime_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/mapping/datetime"
)

func TestParseToDateTime(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		// HL7 v2
		{"HL7 year", "2024", "2024"},
		{"HL7 month", "202405", "2024-05"},
		{"HL7 day", "20240501", "2024-05-01"},
		{"HL7 hour", "2024050108", "2024-05-01T08:00:00+08:00"},
		{"HL7 minute", "202405010830", "2024-05-01T08:30:00+08:00"},
		{"HL7 second", "20240501083015", "2024-05-01T08:30:15+08:00"},
		{"HL7 tenth", "20240501083015.5", "2024-05-01T08:30:15.5+08:00"},
		{"HL7 four digits of a second", "20240501083015.1230", "2024-05-01T08:30:15.1230+08:00"},
		{"HL7 offset", "20240501083015-0500", "2024-05-01T08:30:15-05:00"},
		{"HL7 offset after a fraction", "20240501083015.25+0545", "2024-05-01T08:30:15.25+05:45"},
		{"HL7 offset after minutes", "202405010830+0000", "2024-05-01T08:30:00+00:00"},
		{"HL7 offset after a day", "20240501+0800", "2024-05-01"},
		{"HL7 offset after a month", "202405+0800", "2024-05"},
		{"HL7 offset after a year", "2024+0800", "2024"},
		{"digits with milliseconds", "20240501083015123", "2024-05-01T08:30:15.123+08:00"},
		// SQL and ISO
		{"ISO day", "2024-05-01", "2024-05-01"},
		{"ISO month", "2024-05", "2024-05"},
		{"SQL", "2024-05-01 08:30:15", "2024-05-01T08:30:15+08:00"},
		{"SQL with milliseconds", "2024-05-01 08:30:15.120", "2024-05-01T08:30:15.120+08:00"},
		{"SQL with 100 ns", "2024-05-01 08:30:15.1234567", "2024-05-01T08:30:15.1234567+08:00"},
		{"SQL Server style 109", "2024-05-01 08:30:15:123", "2024-05-01T08:30:15.123+08:00"},
		{"SQL minutes", "2024-05-01 08:30", "2024-05-01T08:30:00+08:00"},
		{"DB2", "2024-05-01-08.30.15.000001", "2024-05-01T08:30:15.000001+08:00"},
		{"ISO with T", "2024-05-01T08:30:15", "2024-05-01T08:30:15+08:00"},
		{"ISO with Z", "2025-06-22T09:06:26Z", "2025-06-22T09:06:26Z"},
		{"ISO with offset", "2024-05-01T08:30:15+08:00", "2024-05-01T08:30:15+08:00"},
		{"ISO with short offset", "2024-05-01T08:30:15-03", "2024-05-01T08:30:15-03:00"},
		{"ISO with a comma", "2024-05-01T08:30:15,5Z", "2024-05-01T08:30:15.5Z"},
		{"ISO basic", "20240501T083015Z", "2024-05-01T08:30:15Z"},
		{"basic date, extended time", "20240501 08:30:15", "2024-05-01T08:30:15+08:00"},
		{"space before the offset", "2024-05-01 08:30:15 +0800", "2024-05-01T08:30:15+08:00"},
		{"Java zone", "2024-05-01T08:30:15+08:00[Asia/Shanghai]", "2024-05-01T08:30:15+08:00"},
		{"leap second", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"},
		{"leap day", "2024-02-29", "2024-02-29"},
		{"end of the day", "2024-02-29 24:00:00", "2024-03-01T00:00:00+08:00"},
		{"end of the year", "20231231240000", "2024-01-01T00:00:00+08:00"},
		// slashes, dots, Chinese
		{"slashes without zeros", "2024/5/1 8:05", "2024-05-01T08:05:00+08:00"},
		{"dots", "2024.05.01", "2024-05-01"},
		{"dots and a time", "2024.5.1 8:05:09", "2024-05-01T08:05:09+08:00"},
		{"Chinese", "2024年5月1日", "2024-05-01"},
		{"Chinese with 号", "2024年5月1号", "2024-05-01"},
		{"Chinese month", "2024年5月", "2024-05"},
		{"Chinese year", "2024年", "2024"},
		{"Chinese time", "2024年5月1日 8时5分9秒", "2024-05-01T08:05:09+08:00"},
		{"Chinese time without a space", "2024年05月01日08时05分", "2024-05-01T08:05:00+08:00"},
		{"Chinese date, colons", "2024年5月1日 08:05", "2024-05-01T08:05:00+08:00"},
		{"Chinese o'clock", "2024年5月1日8点", "2024-05-01T08:00:00+08:00"},
		{"Chinese half past", "2024年5月1日8点半", "2024-05-01T08:30:00+08:00"},
		{"spaces inside", "2024 年 5 月 1 日", "2024-05-01"},
		{"weekday", "2024-05-01 星期三 08:30", "2024-05-01T08:30:00+08:00"},
		{"weekday in brackets", "2024年5月1日（周三）", "2024-05-01"},
		{"full width", "２０２４－０５－０１　０８：３０：１５", "2024-05-01T08:30:15+08:00"},
		{"spaces around", "\t2024-05-01 \u3000", "2024-05-01"},
		// twelve hours
		{"morning", "2024-05-01 上午 8:30", "2024-05-01T08:30:00+08:00"},
		{"just after midnight", "2024-05-01 上午12:05", "2024-05-01T00:05:00+08:00"},
		{"small hours", "2024-05-01 凌晨2:30", "2024-05-01T02:30:00+08:00"},
		{"noon", "2024-05-01 中午12:05", "2024-05-01T12:05:00+08:00"},
		{"after noon", "2024-05-01 中午1:05", "2024-05-01T13:05:00+08:00"},
		{"afternoon", "2024/5/1 下午 3:05:09", "2024-05-01T15:05:09+08:00"},
		{"afternoon from twelve", "2024/5/1 下午12:05", "2024-05-01T12:05:00+08:00"},
		{"afternoon in 24 hours", "2024/5/1 下午15:05", "2024-05-01T15:05:00+08:00"},
		{"evening", "2024年5月1日晚上8点30分", "2024-05-01T20:30:00+08:00"},
		{"AM after", "2024/5/1 12:05:00 AM", "2024-05-01T00:05:00+08:00"},
		{"PM after", "2024/5/1 8:30 pm", "2024-05-01T20:30:00+08:00"},
		{"only the hour", "2024/5/1 8PM", "2024-05-01T20:00:00+08:00"},
		// named months
		{"SQL Server style 100", "May  1 2024 12:00AM", "2024-05-01T00:00:00+08:00"},
		{"US long", "September 1, 2024", "2024-09-01"},
		{"Oracle", "01-MAY-2024", "2024-05-01"},
		{"Oracle with time", "01-MAY-2024 08:30:15", "2024-05-01T08:30:15+08:00"},
		{"Oracle in Chinese", "01-5月 -2024", "2024-05-01"},
		{"day, month, year in words", "1 Sept. 2024", "2024-09-01"},
		// known in part
		{"MySQL month", "2024-05-00", "2024-05"},
		{"MySQL year", "2024-00-00", "2024"},
		{"digits with unknown day", "20240500", "2024-05"},
		// summer time of 1986 to 1991
		{"summer time", "19880701120000", "1988-07-01T12:00:00+09:00"},
		{"winter of the same year", "19881201120000", "1988-12-01T12:00:00+08:00"},
		{"local mean time", "18800101120000", "1880-01-01T12:00:00+08:05"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := datetime.Parse(c.in, datetime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := v.DateTime(); !ok || got != c.want {
				t.Errorf("DateTime(%q) = %q, %v, want %q", c.in, got, ok, c.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, in string
		kind     datetime.Kind
	}{
		{"29 February of a common year", "2023-02-29", datetime.Impossible},
		{"29 February 1900", "19000229", datetime.Impossible},
		{"30 February", "2024-02-30", datetime.Impossible},
		{"31 April in digits", "20240431", datetime.Impossible},
		{"month 13", "20241301", datetime.Impossible},
		{"month 13 in Chinese", "2024年13月1日", datetime.Impossible},
		{"hour 25", "20240501250000", datetime.Impossible},
		{"just past 24:00", "2024-05-01 24:00:01", datetime.Impossible},
		{"minute 60", "2024-05-01 08:60", datetime.Impossible},
		{"second 61", "2024-05-01 08:30:61", datetime.Impossible},
		{"morning at 15", "2024-05-01 上午15:00", datetime.Impossible},
		{"noon at 8", "2024-05-01 中午8:00", datetime.Impossible},
		{"day without month", "2024-00-05", datetime.Impossible},
		{"time on an unknown day", "20240500083000", datetime.Impossible},
		{"year before the calendar", "1582-01-01", datetime.Impossible},
		{"year of three digits", "0198-01-01", datetime.Impossible},
		{"year after 2199", "22000101", datetime.Impossible},
		{"midnight at night", "2024-05-01 晚上12:00", datetime.Ambiguous},
		{"day and month first", "01/05/2024", datetime.Ambiguous},
		{"dots, day first", "1.5.2024", datetime.Ambiguous},
		{"two-digit year first", "24-05-01", datetime.Ambiguous},
		{"six digits with a short year", "990501", datetime.Ambiguous},
		{"six digits with a short year of this century", "120501", datetime.Ambiguous},
		{"Oracle's short year", "01-MAY-24", datetime.Ambiguous},
		{"Oracle's short year in Chinese", "01-5月 -24", datetime.Ambiguous},
		{"text", "昨天", datetime.Format},
		{"age", "3月12天", datetime.Format},
		{"number", "45413", datetime.Format},
		{"one digit", "7", datetime.Format},
		{"seven digits", "2024050", datetime.Format},
		{"nine digits", "202405010", datetime.Format},
		{"resident number", "990101194912310029", datetime.Format},
		{"unfinished", "2024-05-", datetime.Format},
		{"unfinished time", "2024-05-01 08:", datetime.Format},
		{"tail", "2024-05-01 08:30:00 abc", datetime.Format},
		{"two separators", "2024-05/01", datetime.Format},
		{"no separator before the offset", "2024-0501", datetime.Format},
		{"offset too large", "20240501083000+1500", datetime.Format},
		{"offset minutes", "20240501083000+0860", datetime.Format},
		{"zoned day with a tail", "2024-05-01Zx", datetime.Format},
		{"ten digits of a second", "20240501083015.1234567890", datetime.Format},
		{"bare hour", "2024-05-01 8", datetime.Format},
		{"too long", "2024-05-01" + strings.Repeat(" ", 60) + "x", datetime.Format},
		{"NUL", "2024-05-01\x00", datetime.Format},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := datetime.Parse(c.in, datetime.Options{})
			var e *datetime.Error
			if !errors.As(err, &e) || e.Kind != c.kind || v.Given() {
				t.Fatalf("Parse = %v, %v, want kind %v", v, err, c.kind)
			}
			if err.Error() != (&datetime.Error{Kind: c.kind}).Error() {
				t.Error("the error shows the value")
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	for _, s := range []string{"0000-00-00", "0000-00-00 00:00:00", "00000000", "00000000000000", "1900-01-01", "19000101",
		"1900/1/1 0:00:00", "0001-01-01", "0001-01-01T00:00:00", "1899-12-30", "1899-12-30 00:00:00", "1753-01-01",
		"9999-12-31", "99991231235959", "-", "--", "——", "/", "无", "不详", "NULL", "N/A", `\N`, "年 月 日", "０"} {
		t.Run(s, func(t *testing.T) {
			v, err := datetime.Parse(s, datetime.Options{None: []string{"年 月 日", "0"}})
			if err != nil || v.Given() || !v.Placeholder {
				t.Errorf("Parse = %+v, %v, want a placeholder", v, err)
			}
		})
	}
	for _, s := range []string{"", "  ", "\u3000"} {
		if v, err := datetime.Parse(s, datetime.Options{}); err != nil || v.Given() || v.Placeholder {
			t.Errorf("Parse of spaces = %+v, %v, want nothing", v, err)
		}
	}
}

func TestOptions(t *testing.T) {
	tokyo := time.FixedZone("", 9*3600)
	for _, c := range []struct {
		name, in string
		o        datetime.Options
		want     string
	}{
		{"zone of the institution", "20240501083000", datetime.Options{Zone: tokyo}, "2024-05-01T08:30:00+09:00"},
		{"a stated offset wins over the zone", "20240501083000+0100", datetime.Options{Zone: tokyo}, "2024-05-01T08:30:00+01:00"},
		{"Z is local", "2024-05-01T08:30:00Z", datetime.Options{ZuluIsLocal: true}, "2024-05-01T08:30:00+08:00"},
		{"Z is local leaves offsets alone", "2024-05-01T08:30:00+00:00", datetime.Options{ZuluIsLocal: true}, "2024-05-01T08:30:00+00:00"},
		{"1900 kept", "1900-01-01", datetime.Options{Keep1900: true}, "1900-01-01"},
		{"midnight is a date", "2024-05-01 00:00:00.000", datetime.Options{MidnightIs: datetime.MidnightIsDate}, "2024-05-01"},
		{"another time stays", "2024-05-01 00:00:01", datetime.Options{MidnightIs: datetime.MidnightIsDate}, "2024-05-01T00:00:01+08:00"},
		{"midnight with offset stays", "2024-05-01T00:00:00Z", datetime.Options{MidnightIs: datetime.MidnightIsDate}, "2024-05-01T00:00:00Z"},
		{"Excel day", "45413", datetime.Options{Numbers: datetime.ExcelSerial}, "2024-05-01"},
		{"Excel time", "45413.354166666664", datetime.Options{Numbers: datetime.ExcelSerial}, "2024-05-01T08:30:00+08:00"},
		{"Excel before its imagined leap day", "59", datetime.Options{Numbers: datetime.ExcelSerial}, "1900-02-28"},
		{"Excel after it", "61", datetime.Options{Numbers: datetime.ExcelSerial}, "1900-03-01"},
		{"Excel 1904", "43951", datetime.Options{Numbers: datetime.Excel1904Serial}, "2024-05-01"},
		{"digits beside serials", "20240501", datetime.Options{Numbers: datetime.ExcelSerial}, "2024-05-01"},
		{"text beside serials", "2024/5/1", datetime.Options{Numbers: datetime.ExcelSerial}, "2024-05-01"},
		{"Unix seconds", "1714523400", datetime.Options{Numbers: datetime.UnixSeconds}, "2024-05-01T00:30:00Z"},
		{"Unix milliseconds", "1714523400123", datetime.Options{Numbers: datetime.UnixMillis}, "2024-05-01T00:30:00.123Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := datetime.Parse(c.in, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := v.DateTime(); got != c.want {
				t.Errorf("DateTime = %q, want %q", got, c.want)
			}
		})
	}
	if _, err := datetime.Parse("60", datetime.Options{Numbers: datetime.ExcelSerial}); err == nil {
		t.Error("Excel's 29 February 1900 was taken")
	}
}

func TestDate(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a date", "19900101", "1990-01-01"},
		{"a year", "1990", "1990"},
		{"midnight", "1990-01-01 00:00:00", "1990-01-01"},
		{"Z goes into the zone", "1989-12-31T16:00:00.000Z", "1990-01-01"},
		{"an offset shows the local day", "19900101000000-0500", "1990-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := datetime.Parse(c.in, datetime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := v.Date(); !ok || got != c.want {
				t.Errorf("Date = %q, want %q", got, c.want)
			}
		})
	}
}

func TestInstantNeedsATime(t *testing.T) {
	day, _ := datetime.Parse("20240501", datetime.Options{})
	if got, ok := day.Instant(); ok {
		t.Errorf("a day became the instant %q", got)
	}
	minute, _ := datetime.Parse("202405010830", datetime.Options{})
	if got, ok := minute.Instant(); !ok || got != "2024-05-01T08:30:00+08:00" {
		t.Errorf("Instant = %q, %v", got, ok)
	}
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"HL7 hour", "08", "08:00:00"},
		{"HL7 minute", "0830", "08:30:00"},
		{"HL7 second", "083015.25", "08:30:15.25"},
		{"midnight", "0000", "00:00:00"},
		{"midnight with colons", "00:00:00", "00:00:00"},
		{"ISO", "08:30:15", "08:30:15"},
		{"short", "8:30", "08:30:00"},
		{"Chinese", "8时30分", "08:30:00"},
		{"afternoon", "下午3:05", "15:05:00"},
		{"with offset", "083015+0800", "08:30:15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := datetime.ParseTime(c.in, datetime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := v.TimeOfDay(); !ok || got != c.want {
				t.Errorf("TimeOfDay = %q, want %q", got, c.want)
			}
			if _, ok := v.DateTime(); ok {
				t.Error("a time of day became a dateTime")
			}
		})
	}
	for _, s := range []string{"24:00", "25", "8", "2024-05-01", "08:30 x"} {
		if v, err := datetime.ParseTime(s, datetime.Options{}); err == nil {
			t.Errorf("%q was taken as %v", s, v)
		}
	}
}

func TestJoin(t *testing.T) {
	day, _ := datetime.Parse("2024-05-01", datetime.Options{})
	clock, _ := datetime.ParseTime("8:30", datetime.Options{})
	if got := day.Join(clock).String(); got != "2024-05-01T08:30:00+08:00" {
		t.Errorf("Join = %q", got)
	}
	if got := day.Join(datetime.Value{}).String(); got != "2024-05-01" {
		t.Errorf("Join with nothing = %q", got)
	}
	full, _ := datetime.Parse("2024-05-01 09:00:00", datetime.Options{})
	if got := full.Join(clock); got != full {
		t.Errorf("Join replaced a time: %v", got)
	}
}

func TestHL7(t *testing.T) {
	for in, want := range map[string]string{
		"2024": "2024", "202405": "202405", "2024-05-01": "20240501", "2024050108": "2024050108+0800",
		"202405010830": "202405010830+0800", "2024-05-01T08:30:15Z": "20240501083015+0000",
		"20240501083015.123456": "20240501083015.1234+0800", "2024-05-01 08:30:15-03:00": "20240501083015-0300",
	} {
		v, err := datetime.Parse(in, datetime.Options{})
		if err != nil || v.HL7() != want {
			t.Errorf("HL7(%q) = %q, %v, want %q", in, v.HL7(), err, want)
		}
	}
	if got := (datetime.Value{}).HL7(); got != "" {
		t.Errorf("HL7 of nothing = %q", got)
	}
}

func TestTime(t *testing.T) {
	v, _ := datetime.Parse("2024-05-01 08:30:00", datetime.Options{})
	if got, ok := v.Time(); !ok || !got.Equal(time.Date(2024, 5, 1, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("Time = %v, %v", got, ok)
	}
	if _, ok := (datetime.Value{}).Time(); ok {
		t.Error("nothing has a time")
	}
}

func TestZone(t *testing.T) {
	for _, name := range []string{"", "Asia/Shanghai", "Asia/Urumqi", "UTC", "+08:00", "-0330"} {
		if _, err := datetime.Zone(name); err != nil {
			t.Errorf("Zone(%q): %v", name, err)
		}
	}
	for _, name := range []string{"Local", "Mars", "+8", "+25:00", "../etc/passwd"} {
		if _, err := datetime.Zone(name); err == nil {
			t.Errorf("Zone(%q) was taken", name)
		}
	}
}

// The regular expressions of the specification, https://hl7.org/fhir/R4/datatypes.html#primitive.
var (
	fhirDate     = regexp.MustCompile(`^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?$`)
	fhirDateTime = regexp.MustCompile(`^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?$`)
	fhirTime     = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?$`)
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{"20240501083015.123+0800", "2024年5月1日 下午8时30分", "May  1 2024 12:00AM", "01-5月 -2024",
		"2024-05-01-08.30.00", "2016-12-31T23:59:60Z", "0000-00-00", "45413.5", "2024-02-30", "２０２４", "1\x00", "-", "2199-12-31 24:00"} {
		f.Add(s, uint8(0), false)
	}
	f.Fuzz(func(t *testing.T, s string, numbers uint8, flag bool) {
		o := datetime.Options{Numbers: datetime.Numbers(numbers % 5), ZuluIsLocal: flag}
		v, err := datetime.Parse(s, o)
		if err != nil && v.Given() {
			t.Fatal("an error and a value")
		}
		if d, ok := v.Date(); ok && !fhirDate.MatchString(d) {
			t.Errorf("%q is not a FHIR date", d)
		}
		d, ok := v.DateTime()
		if ok != v.Given() {
			t.Errorf("DateTime of a value that is given: %v", ok)
		}
		if ok {
			if !fhirDateTime.MatchString(d) {
				t.Fatalf("%q is not a FHIR dateTime", d)
			}
			again, err := datetime.Parse(d, datetime.Options{Keep1900: true})
			if err != nil || again.String() != d {
				t.Errorf("%q read again is %q, %v", d, again, err)
			}
		}
		if h := v.HL7(); h != "" {
			if again, err := datetime.Parse(h, datetime.Options{Keep1900: true}); err != nil || again.Precision != v.Precision {
				t.Errorf("%q read again has precision %v, %v", h, again.Precision, err)
			}
		}
		if c, err := datetime.ParseTime(s, o); err == nil && c.Given() && !fhirTime.MatchString(c.String()) {
			t.Errorf("%q is not a FHIR time", c)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"20240501083015", "2024-05-01 08:30:15", "2024年5月1日 8时30分"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, _ := datetime.Parse(s, datetime.Options{})
				v.DateTime()
			}
		})
	}
}
