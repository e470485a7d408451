package fhirpath

import (
	"fmt"
	"strings"
	"time"
)

// The fields of a temporal, and its precisions.
const (
	yearField = iota
	monthField
	dayField
	hourField
	minuteField
	secondField
	fractionField // nanoseconds
	fieldCount
)

// temporal is a Date, DateTime or Time with the precision it was written in.
type temporal struct {
	kind      Kind
	fields    [fieldCount]int
	precision int // the last field that is given
	digits    int // of the fraction, as written
	zoned     bool
	offset    int // minutes east of UTC
}

func temporalValue(t *temporal) Value { return Value{kind: t.kind, ref: t} }

// parseTemporal reads a date, date and time, or time of any precision.
func parseTemporal(kind Kind, text string) (Value, bool) {
	t := &temporal{kind: kind, fields: [fieldCount]int{1: 1, 2: 1}}
	s := scanner{text: text}
	t.precision = hourField
	if kind != Time {
		if !s.number(&t.fields[yearField], 4) {
			return Value{}, false
		}
		t.precision = yearField
		for f := monthField; f <= dayField && s.take('-'); f++ {
			if !s.number(&t.fields[f], 2) {
				return Value{}, false
			}
			t.precision = f
		}
		if kind == DateTime && t.precision == dayField && s.take('T') {
			t.precision = hourField
		}
	}
	if t.precision == hourField && !s.clock(t) {
		return Value{}, false
	}
	return temporalValue(t), s.text == "" && t.valid()
}

type scanner struct{ text string }

func (s *scanner) take(c byte) bool {
	if s.text == "" || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

func (s *scanner) number(into *int, digits int) bool {
	if len(s.text) < digits {
		return false
	}
	n := 0
	for _, c := range []byte(s.text[:digits]) {
		if !digit(c) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	*into, s.text = n, s.text[digits:]
	return true
}

func (s *scanner) clock(t *temporal) bool {
	if !s.number(&t.fields[hourField], 2) {
		return false
	}
	for f := minuteField; f <= secondField && s.take(':'); f++ {
		if !s.number(&t.fields[f], 2) {
			return false
		}
		t.precision = f
	}
	if t.precision == secondField && s.take('.') {
		unit := 100_000_000
		for ; s.text != "" && digit(s.text[0]); s.text = s.text[1:] {
			t.fields[fractionField] += int(s.text[0]-'0') * unit
			unit /= 10
			t.digits++
		}
		t.precision = fractionField
		if t.digits == 0 {
			return false
		}
	}
	if t.kind == Time {
		return true
	}
	if s.take('Z') {
		t.zoned = true
		return true
	}
	sign := 1
	if !s.take('+') {
		if !s.take('-') {
			return true
		}
		sign = -1
	}
	var hours, minutes int
	if !s.number(&hours, 2) || !s.take(':') || !s.number(&minutes, 2) || hours > 14 || minutes > 59 {
		return false
	}
	t.zoned, t.offset = true, sign*(hours*60+minutes)
	return true
}

func (t *temporal) valid() bool {
	f := &t.fields
	if f[hourField] > 23 || f[minuteField] > 59 || f[secondField] > 60 {
		return false
	}
	return t.kind == Time || f[yearField] > 0 && f[monthField] >= 1 && f[monthField] <= 12 &&
		f[dayField] >= 1 && f[dayField] <= daysIn(f[yearField], f[monthField])
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (t *temporal) String() string {
	var b strings.Builder
	f := &t.fields
	if t.kind != Time {
		fmt.Fprintf(&b, "%04d", f[yearField])
		for i := monthField; i <= min(t.precision, dayField); i++ {
			fmt.Fprintf(&b, "-%02d", f[i])
		}
		if t.precision < hourField {
			return b.String()
		}
		b.WriteByte('T')
	}
	fmt.Fprintf(&b, "%02d", f[hourField])
	for i := minuteField; i <= min(t.precision, secondField); i++ {
		fmt.Fprintf(&b, ":%02d", f[i])
	}
	if t.precision == fractionField {
		digits := fmt.Sprintf("%09d", f[fractionField])
		for len(digits) < t.digits {
			digits += "0"
		}
		b.WriteString("." + digits[:t.digits])
	}
	if t.zoned {
		if t.offset == 0 {
			b.WriteByte('Z')
		} else {
			sign, o := '+', t.offset
			if o < 0 {
				sign, o = '-', -o
			}
			fmt.Fprintf(&b, "%c%02d:%02d", sign, o/60, o%60)
		}
	}
	return b.String()
}

// instant is the start of what t covers, without regard to its zone.
func (t *temporal) instant() time.Time {
	f := &t.fields
	return time.Date(f[yearField], time.Month(f[monthField]), f[dayField], f[hourField], f[minuteField], f[secondField],
		f[fractionField], time.UTC)
}

// set takes the fields up to t's precision from an instant.
func (t *temporal) set(at time.Time) {
	f := [fieldCount]int{at.Year(), int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond()}
	for i := t.precision + 1; i < fieldCount; i++ {
		f[i] = 0
		if i <= dayField {
			f[i] = 1
		}
	}
	t.fields = f
}

// utc returns t shifted to UTC.
func (t *temporal) utc() *temporal {
	if !t.zoned || t.offset == 0 {
		return t
	}
	c := *t
	c.offset = 0
	if c.precision < minuteField {
		c.precision = minuteField
	}
	c.set(t.instant().Add(-time.Duration(t.offset) * time.Minute))
	c.precision = t.precision
	return &c
}

// compareTemporal orders two temporals; known is false where their precision or
// a missing zone leaves it open.
func compareTemporal(a, b *temporal) (order int, known bool) {
	if (a.kind == Time) != (b.kind == Time) {
		return 0, false
	}
	if a.kind != Time && a.precision >= hourField && b.precision >= hourField {
		if a.zoned != b.zoned {
			return 0, false
		}
		a, b = a.utc(), b.utc()
	}
	first := yearField
	if a.kind == Time {
		first = hourField
	}
	for i := first; i <= min(a.precision, b.precision); i++ {
		if d := a.fields[i] - b.fields[i]; d != 0 {
			return d, true
		}
	}
	// Seconds and their fraction are one precision.
	if a.precision >= secondField && b.precision >= secondField {
		return a.fields[fractionField] - b.fields[fractionField], true
	}
	return 0, a.precision == b.precision
}

// add moves t by a number of calendar units or definite durations.
func (t *temporal) add(n int64, nanos int, unit string) (*temporal, bool) {
	const bound = 400_000 * 24 * 3600
	c := *t
	if t.kind == Time {
		d, ok := durations[unit]
		if !ok || d >= 24*time.Hour || n > bound || n < -bound {
			return nil, false
		}
		day := 24 * time.Hour
		at := time.Date(1, 1, 2, t.fields[hourField], t.fields[minuteField], t.fields[secondField], t.fields[fractionField], time.UTC)
		at = at.Add(time.Duration(n) * d % day).Add(time.Duration(nanos))
		c.fields[hourField], c.fields[minuteField], c.fields[secondField], c.fields[fractionField] =
			at.Hour(), at.Minute(), at.Second(), at.Nanosecond()
		c.widen()
		return &c, true
	}
	switch unit {
	case "year", "month":
		if n > 12*10_000 || n < -12*10_000 {
			return nil, false
		}
		months := int(n)
		if unit == "year" {
			months *= 12
		}
		if t.precision == yearField {
			months -= months % 12
		}
		total := t.fields[yearField]*12 + t.fields[monthField] - 1 + months
		if total < 12 || total >= 10_000*12 {
			return nil, false
		}
		c.fields[yearField], c.fields[monthField] = total/12, total%12+1
		c.fields[dayField] = min(c.fields[dayField], daysIn(total/12, total%12+1))
		return &c, true
	}
	d, ok := durations[unit]
	if !ok || n > bound*1000 || n < -bound*1000 {
		return nil, false
	}
	// A part smaller than the precision is dropped after conversion to it.
	seconds := n
	switch {
	case d >= time.Second:
		if seconds > bound || seconds < -bound {
			return nil, false
		}
		seconds *= int64(d / time.Second)
	default:
		nanos += int(n%1000) * int(d)
		seconds = n / 1000
	}
	if t.precision <= monthField {
		days := seconds / (24 * 3600)
		if t.precision == yearField {
			return t.add(days/365, 0, "year")
		}
		return t.add(days/30, 0, "month")
	}
	step := int64(1)
	switch t.precision {
	case dayField:
		step = 24 * 3600
	case hourField:
		step = 3600
	case minuteField:
		step = 60
	}
	if step > 1 {
		nanos = 0
	}
	seconds -= seconds % step
	at := t.instant()
	at = at.AddDate(0, 0, int(seconds/(24*3600))).Add(time.Duration(seconds%(24*3600))*time.Second + time.Duration(nanos))
	if at.Year() < 1 || at.Year() > 9999 {
		return nil, false
	}
	if nanos != 0 && c.precision == secondField {
		c.precision = fractionField
	}
	c.set(at)
	c.widen()
	return &c, true
}

// widen shows a fraction that arithmetic made.
func (t *temporal) widen() {
	if t.fields[fractionField] != 0 && t.digits < 3 {
		t.precision, t.digits = fractionField, 3
	}
}

// durations are the units of a fixed length.
var durations = map[string]time.Duration{
	"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour,
	"minute": time.Minute, "second": time.Second, "millisecond": time.Millisecond,
}

// calendarUnit returns the singular of a calendar unit's name, "" for others.
func calendarUnit(name string) string {
	switch s := strings.TrimSuffix(name, "s"); s {
	case "year", "month", "week", "day", "hour", "minute", "second", "millisecond":
		return s
	}
	return ""
}

// definiteUnits are the UCUM units that name a calendar unit of fixed length.
var definiteUnits = map[string]string{
	"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond",
}
