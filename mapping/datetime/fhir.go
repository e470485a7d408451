package datetime

import "strings"

// Date renders v as a FHIR date: YYYY, YYYY-MM or YYYY-MM-DD. A time of day is left out. It reports false when there is
// no date.
//
// A moment stated with Z is first brought into the institution's zone: 1989-12-31T16:00:00Z is how a browser writes
// the first of January 1990 in China. A moment with a numeric offset already shows the local date and keeps it.
func (v Value) Date() (string, bool) {
	if !v.Given() || v.TimeOnly {
		return "", false
	}
	if v.zulu && v.Precision > Day {
		zone := v.zone
		if zone == nil {
			zone = China()
		}
		t, _ := v.Time()
		y, m, d := t.In(zone).Date()
		if y < minYear || y > maxYear {
			return "", false
		}
		v.year, v.month, v.day = int16(y), int8(m), int8(d)
	}
	var b [10]byte
	return string(v.appendDate(b[:0])), true
}

// DateTime renders v as a FHIR dateTime with the precision v has. FHIR knows no hour or minute precision: what is
// missing up to the second is zero-filled, as the specification advises. Once there is a time there is an offset; a date
// never has one. It reports false when there is no date.
func (v Value) DateTime() (string, bool) {
	if !v.Given() || v.TimeOnly {
		return "", false
	}
	var buf [40]byte
	b := v.appendDate(buf[:0])
	if v.Precision > Day {
		b = append(b, 'T')
		b = v.appendTime(b)
		b = v.appendOffset(b)
	}
	return string(b), true
}

// Instant renders v as a FHIR instant. It reports false when v has no time of day, because an instant cannot be less exact.
func (v Value) Instant() (string, bool) {
	if v.Precision < Hour || v.TimeOnly {
		return "", false
	}
	return v.DateTime()
}

// TimeOfDay renders the time of v as a FHIR time. It reports false when v has none.
func (v Value) TimeOfDay() (string, bool) {
	if v.Precision < Hour {
		return "", false
	}
	var b [18]byte
	return string(v.appendTime(b[:0])), true
}

// String renders v in the FHIR form it fits best, for tests and traces of synthetic data; it is empty for no value.
func (v Value) String() string {
	if v.TimeOnly {
		s, _ := v.TimeOfDay()
		return s
	}
	s, _ := v.DateTime()
	return s
}

func (v Value) appendDate(b []byte) []byte {
	b = append(two(b, int(v.year)/100), byte('0'+v.year/10%10), byte('0'+v.year%10))
	if v.Precision >= Month {
		b = two(append(b, '-'), int(v.month))
	}
	if v.Precision >= Day {
		b = two(append(b, '-'), int(v.day))
	}
	return b
}

func (v Value) appendTime(b []byte) []byte {
	b = two(b, int(v.hour))
	b = two(append(b, ':'), int(v.minute))
	b = two(append(b, ':'), int(v.second))
	if v.digits > 0 {
		b = append(b, '.')
		n, unit := v.nano, int32(1e8)
		for range v.digits {
			b = append(b, byte('0'+n/unit))
			n, unit = n%unit, unit/10
		}
	}
	return b
}

func (v Value) appendOffset(b []byte) []byte {
	if v.zulu {
		return append(b, 'Z')
	}
	m := v.minutesEast()
	sign := byte('+')
	if m < 0 {
		sign, m = '-', -m
	}
	b = two(append(b, sign), m/60)
	return two(append(b, ':'), m%60)
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10%10), byte('0'+n%10)) }

// HL7 renders v as an HL7 v2 DTM with the precision v has, and with the offset when the time has one. It is empty for no value.
func (v Value) HL7() string {
	if !v.Given() {
		return ""
	}
	s := v.String()
	var offset string
	if date, clock, timed := strings.Cut(s, "T"); timed {
		at := strings.LastIndexAny(clock, "+-Z")
		clock, offset = clock[:at], clock[at:]
		clock = strings.ReplaceAll(clock, ":", "")
		switch v.Precision {
		case Hour:
			clock = clock[:2]
		case Minute:
			clock = clock[:4]
		case Fraction:
			clock = clock[:min(len(clock), len("150405.0000"))]
		}
		if offset = strings.ReplaceAll(offset, ":", ""); offset == "Z" {
			offset = "+0000"
		}
		return strings.ReplaceAll(date, "-", "") + clock + offset
	}
	if v.TimeOnly {
		s = strings.ReplaceAll(s, ":", "")
		switch v.Precision {
		case Hour:
			return s[:2]
		case Minute:
			return s[:4]
		}
		return s[:min(len(s), len("150405.0000"))]
	}
	return strings.ReplaceAll(s, "-", "")
}
