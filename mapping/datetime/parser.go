package datetime

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// parser walks over one folded text. Its methods consume what they recognise.
type parser struct {
	s string
	i int
	v Value
}

func (p *parser) done() bool { return p.i >= len(p.s) }

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *parser) skip(prefix string) bool {
	if strings.HasPrefix(p.s[p.i:], prefix) {
		p.i += len(prefix)
		return true
	}
	return false
}

func (p *parser) any(prefixes ...string) bool {
	for _, s := range prefixes {
		if p.skip(s) {
			return true
		}
	}
	return false
}

func (p *parser) spaces() bool {
	from := p.i
	for p.peek() == ' ' || p.peek() == '\t' {
		p.i++
	}
	return p.i > from
}

// run returns the length of the run of digits ahead.
func (p *parser) run() int {
	n := 0
	for p.i+n < len(p.s) && isDigit(p.s[p.i+n]) {
		n++
	}
	return n
}

// take consumes n digits, at most nine.
func (p *parser) take(n int) int {
	x := 0
	for _, c := range []byte(p.s[p.i : p.i+n]) {
		x = x*10 + int(c-'0')
	}
	p.i += n
	return x
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// dateTime reads a date and what follows it.
func (p *parser) dateTime() error {
	switch n := p.run(); {
	case n == 4 && len(p.s) > 4 && p.s[4] != '+':
		if err := p.separated(); err != nil {
			return err
		}
	case n >= 4:
		if err := p.compact(n); err != nil {
			return err
		}
	case n > 0:
		return p.dayFirst(n)
	default:
		return p.monthFirst()
	}
	return p.rest()
}

// separated reads 2024-5-1, 2024/05/01, 2024.5.1, 2024年5月1日 and their beginnings.
func (p *parser) separated() error {
	year := p.take(4)
	p.spaces()
	sep := byte(0)
	switch {
	case p.skip("年"):
	case !p.done() && strings.IndexByte("-/.", p.peek()) >= 0:
		sep = p.peek()
		p.i++
	default:
		return errFormat
	}
	p.spaces()
	month, day, precision := 0, 0, Year
	if n := p.run(); n == 1 || n == 2 {
		month, precision = p.take(n), Month
		p.spaces()
		switch {
		case sep != 0 && p.peek() == sep:
			p.i++
			if n = p.run(); n != 1 && n != 2 {
				return errFormat
			}
			day, precision = p.take(n), Day
		case sep == 0 && p.any("月份", "月"):
			p.spaces()
			if n = p.run(); n == 1 || n == 2 {
				day, precision = p.take(n), Day
				p.spaces()
				if !p.any("日", "号") {
					return errFormat
				}
			}
		case sep == 0 || !p.done():
			return errFormat
		}
	} else if sep != 0 || n != 0 {
		return errFormat
	}
	return p.date(year, month, day, precision)
}

// compact reads the digits of HL7 and of the common yyyyMMddHHmmssSSS. A run of 6 is a year and a month, as HL7 has it.
func (p *parser) compact(n int) error {
	switch n {
	case 4, 6, 8, 10, 12, 14, 17:
	default:
		return errFormat
	}
	year, month, day, precision := p.take(4), 0, 0, Year
	if n >= 6 {
		month, precision = p.take(2), Month
		if n == 6 && (year < 1850 || year > maxYear) && year != 0 {
			return errAmbiguous // 240501, 120501: the year has two digits
		}
	}
	if n >= 8 {
		day, precision = p.take(2), Day
	}
	if n > 8 && (month == 0 || day == 0) && year != 0 {
		return errImpossible
	}
	if err := p.date(year, month, day, precision); err != nil {
		return err
	}
	return p.compactTime(n - 8)
}

// compactTime reads HH[MM[SS[fff]]] of n digits.
func (p *parser) compactTime(n int) error {
	if n < 2 {
		return nil
	}
	hour, minute, second, precision := p.take(2), 0, 0, Hour
	if n >= 4 {
		minute, precision = p.take(2), Minute
	}
	if n >= 6 {
		second, precision = p.take(2), Second
	}
	if err := p.time(hour, minute, second, precision); err != nil {
		return err
	}
	if n == 9 {
		return p.fraction(3)
	}
	return p.dotFraction()
}

// dotFraction reads .123 after the seconds.
func (p *parser) dotFraction() error {
	if p.v.Precision != Second || p.done() || strings.IndexByte(".,:", p.peek()) < 0 {
		return nil
	}
	p.i++
	return p.fraction(p.run())
}

func (p *parser) fraction(n int) error {
	if n < 1 || n > 9 {
		return errFormat
	}
	p.v.digits, p.v.nano = uint8(n), int32(p.take(n))
	for range 9 - n {
		p.v.nano *= 10
	}
	p.v.Precision = Fraction
	return nil
}

// rest reads the time, the weekday and the offset that may follow a date.
func (p *parser) rest() error {
	if p.v.Precision == Day && !p.done() && !p.zoneAhead() {
		p.spaces()
		p.weekday()
		p.spaces()
		switch {
		case p.peek() == 'T' || p.peek() == 't':
			p.i++
		case p.peek() == '-' && p.run2(1): // DB2: 2024-05-01-08.30.00
			p.i++
		}
		if !p.done() {
			if err := p.clock(); err != nil {
				return err
			}
		}
	}
	p.spaces()
	if !p.done() && !p.zone() || !p.done() {
		return errFormat
	}
	if p.v.Precision <= Day {
		p.v.zoned, p.v.zulu, p.v.offset = false, false, 0 // an offset says nothing without a time
	}
	p.endOfDay()
	return nil
}

func (p *parser) run2(at int) bool {
	q := parser{s: p.s, i: p.i + at}
	return q.run() == 2
}

func (p *parser) zoneAhead() bool {
	q := *p
	return q.zone() && q.done()
}

// endOfDay turns 24:00 into the midnight that it is, since FHIR has no 24:00.
func (p *parser) endOfDay() {
	if p.v.hour != 24 {
		return
	}
	t := time.Date(int(p.v.year), time.Month(p.v.month), int(p.v.day)+1, 0, 0, 0, 0, time.UTC)
	p.v.year, p.v.month, p.v.day, p.v.hour = int16(t.Year()), int8(t.Month()), int8(t.Day()), 0
}

func (p *parser) weekday() {
	if p.done() {
		return
	}
	q := *p
	open := q.skip("(")
	if !q.any("星期", "周", "礼拜") || !q.any("一", "二", "三", "四", "五", "六", "日", "天") || open && !q.skip(")") {
		return
	}
	*p = q
}

// clock reads a time of day with an optional half of the day before or after it, and an optional offset.
func (p *parser) clock() error {
	half := p.half()
	p.spaces()
	n := p.run()
	switch {
	case n == 4 || n == 6 || n == 9:
		if err := p.compactTime(n); err != nil {
			return err
		}
	case n == 2 && half == noHalf && p.i+2 == len(p.s) && p.v.TimeOnly: // HL7 TM: HH
		if err := p.compactTime(n); err != nil {
			return err
		}
	case n == 1 || n == 2:
		if err := p.separatedTime(n); err != nil {
			return err
		}
	default:
		return errFormat
	}
	p.spaces()
	if half == noHalf {
		half = p.half()
		p.spaces()
	}
	if err := p.apply(half); err != nil {
		return err
	}
	if !p.done() && !p.zone() {
		return errFormat
	}
	return nil
}

// separatedTime reads 8:30, 08:30:00.123, 08.30.00, 8时30分15秒, 8点 and 8点半. n is the length of the hour.
func (p *parser) separatedTime(n int) error {
	hour, minute, second, precision := p.take(n), 0, 0, Hour
	p.spaces()
	switch {
	case p.any("时", "点钟", "点"):
		p.spaces()
		if p.skip("半") {
			minute, precision = 30, Minute
			break
		}
		if p.skip("整") {
			precision = Minute
			break
		}
		if n = p.run(); n == 1 || n == 2 {
			minute, precision = p.take(n), Minute
			closed := p.skip("分")
			p.spaces()
			if n = p.run(); closed && (n == 1 || n == 2) {
				second, precision = p.take(n), Second
				if !p.skip("秒") {
					return errFormat
				}
			}
		}
	case p.peek() == ':' || p.peek() == '.':
		sep := p.peek()
		p.i++
		if p.run() != 2 {
			return errFormat
		}
		minute, precision = p.take(2), Minute
		if p.peek() == sep {
			p.i++
			if p.run() != 2 {
				return errFormat
			}
			second, precision = p.take(2), Second
		}
	default:
		// 8AM is a time, a bare 8 is not.
		q := *p
		if q.half() == noHalf {
			return errFormat
		}
	}
	if err := p.time(hour, minute, second, precision); err != nil {
		return err
	}
	return p.dotFraction()
}

// half of the day, as people name it.
type half uint8

const (
	noHalf half = iota
	morning
	noon
	afternoon
	evening
)

func (p *parser) half() half {
	if p.done() {
		return noHalf
	}
	if p.peek() < utf8.RuneSelf {
		tail := p.s[p.i:]
		if len(tail) < 2 || tail[1]|0x20 != 'm' || len(tail) > 2 && tail[2] != ' ' && !isDigit(tail[2]) {
			return noHalf
		}
		switch tail[0] | 0x20 {
		case 'a':
			p.i += 2
			return morning
		case 'p':
			p.i += 2
			return afternoon
		}
		return noHalf
	}
	switch {
	case p.any("上午", "早上", "早晨", "清晨", "凌晨", "午前"):
		return morning
	case p.any("中午"):
		return noon
	case p.any("下午", "午后", "傍晚"):
		return afternoon
	case p.any("晚上", "晚间", "夜间"):
		return evening
	}
	return noHalf
}

// apply turns an hour of a half of the day into one of 24. 上午12:05 is just after midnight, as AM is.
func (p *parser) apply(h half) error {
	hour := p.v.hour
	switch h {
	case morning:
		if hour > 12 {
			return errImpossible
		}
		p.v.hour = hour % 12
	case noon:
		switch {
		case hour >= 1 && hour <= 2:
			p.v.hour = hour + 12
		case hour < 11 || hour > 14:
			return errImpossible
		}
	case afternoon:
		if hour < 12 {
			p.v.hour = hour + 12
		}
		if hour == 0 {
			return errImpossible
		}
	case evening:
		if hour == 12 || hour == 0 {
			return errAmbiguous // the midnight before or the one after
		}
		if hour < 5 {
			return errImpossible
		}
		if hour < 12 {
			p.v.hour = hour + 12
		}
	}
	return nil
}

// zone reads Z, UTC, +08:00, +0800, +08, and the [Asia/Shanghai] that Java appends.
func (p *parser) zone() bool {
	switch {
	case p.any("Z", "z", "UTC", "GMT"):
		p.v.zoned, p.v.zulu, p.v.offset = true, true, 0
		return true
	case p.peek() != '+' && p.peek() != '-':
		return false
	}
	negative := p.peek() == '-'
	p.i++
	hours, minutes := 0, 0
	switch p.run() {
	case 4:
		hours, minutes = p.take(2), p.take(2)
	case 2:
		hours = p.take(2)
		if p.skip(":") {
			if p.run() != 2 {
				return false
			}
			minutes = p.take(2)
		}
	default:
		return false
	}
	if minutes > 59 {
		return false
	}
	if minutes += hours * 60; minutes > 14*60 { // the largest offset that FHIR and the world know
		return false
	}
	if negative {
		minutes = -minutes
	}
	p.v.zoned, p.v.zulu, p.v.offset = true, false, int16(minutes)
	if p.peek() == '[' && p.s[len(p.s)-1] == ']' {
		p.i = len(p.s)
	}
	return true
}

// date checks and sets the date. Zero months and days are how MySQL stores a date that is known in part.
func (p *parser) date(year, month, day int, precision Precision) error {
	if month == 0 && precision > Year || day == 0 && precision > Month {
		if month == 0 && day != 0 {
			return errImpossible
		}
		precision = Year
		if month != 0 {
			precision = Month
		}
	}
	if precision >= Month && month > 12 || precision >= Day && day > days(year, month) {
		return errImpossible
	}
	p.v.Precision, p.v.year, p.v.month, p.v.day = precision, int16(year), int8(month), int8(day)
	return nil
}

// time checks and sets the time of day. 24:00 passes here; 60 seconds are a leap second.
func (p *parser) time(hour, minute, second int, precision Precision) error {
	if hour > 24 || minute > 59 || second > 60 || second == 60 && minute != 59 || hour == 24 && minute+second > 0 {
		return errImpossible
	}
	p.v.Precision, p.v.hour, p.v.minute, p.v.second = precision, int8(hour), int8(minute), int8(second)
	return nil
}

func days(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// months are the English names that SQL Server and Oracle print.
var months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// month reads a month's name, short or long, or Oracle's Chinese 5月.
func (p *parser) month() int {
	if n := p.run(); n == 1 || n == 2 {
		m := p.take(n)
		if !p.skip("月") {
			return 0
		}
		return m
	}
	from := p.i
	for c := p.peek() | 0x20; c >= 'a' && c <= 'z'; c = p.peek() | 0x20 {
		p.i++
	}
	if p.i-from < 3 {
		return 0
	}
	word := strings.ToLower(p.s[from:p.i])
	for i, m := range months {
		if strings.HasPrefix(word, m) && strings.HasPrefix(time.Month(i+1).String(), strings.ToUpper(m[:1])+word[1:]) {
			p.skip(".")
			return i + 1
		}
	}
	return 0
}

// dayFirst reads 01-MAY-2024 and 1 May 2024. Days before months in digits are refused.
func (p *parser) dayFirst(n int) error {
	if n > 2 {
		return errFormat
	}
	day := p.take(n)
	if strings.IndexByte("-/. ", p.peek()) < 0 {
		return errFormat
	}
	sep := p.peek()
	p.i++
	p.spaces()
	month := p.month()
	if month == 0 {
		// Two short numbers and a third: the order of day, month and year is anybody's guess.
		q := parser{s: p.s, i: n + 1}
		if k := q.run(); k == 1 || k == 2 {
			q.i += k
			if q.peek() == sep {
				return errAmbiguous
			}
		}
		return errFormat
	}
	return p.namedYear(month, day)
}

// monthFirst reads May 1, 2024 and SQL Server's "May  1 2024 12:00AM".
func (p *parser) monthFirst() error {
	month := p.month()
	if month == 0 || !p.spaces() {
		return errFormat
	}
	n := p.run()
	if n != 1 && n != 2 {
		return errFormat
	}
	day := p.take(n)
	p.skip(",")
	return p.namedYear(month, day)
}

func (p *parser) namedYear(month, day int) error {
	p.spaces()
	if strings.IndexByte("-/", p.peek()) >= 0 && !p.done() {
		p.i++
	}
	switch p.run() {
	case 2:
		return errAmbiguous
	case 4:
	default:
		return errFormat
	}
	if day == 0 || month == 0 {
		return errImpossible
	}
	if err := p.date(p.take(4), month, day, Day); err != nil {
		return err
	}
	return p.rest()
}

// number reads s as the number that the options say it is. It reports false when s is no such number.
func (p *parser) number(kind Numbers, err *error) bool {
	whole := p.run()
	switch kind {
	case UnixSeconds:
		if whole < 9 || whole > 10 {
			return false
		}
	case UnixMillis:
		if whole < 11 || whole > 13 {
			return false
		}
	default:
		if whole < 1 || whole > 5 {
			return false
		}
	}
	fraction := 0.0
	if tail := p.s[whole:]; tail != "" {
		q := parser{s: tail, i: 1}
		if tail[0] != '.' || q.run() == 0 || q.run() != len(tail)-1 || q.run() > 17 {
			return false
		}
		unit := 0.1
		for _, c := range []byte(tail[1:]) {
			fraction += float64(c-'0') * unit
			unit /= 10
		}
	}
	n := int64(0)
	for _, c := range []byte(p.s[:whole]) {
		n = n*10 + int64(c-'0')
	}
	*err = nil
	switch kind {
	case ExcelSerial, Excel1904Serial:
		p.serial(n, fraction, kind == Excel1904Serial, err)
	case UnixSeconds:
		p.unix(time.Unix(n, 0).UTC(), 0)
	case UnixMillis:
		p.unix(time.UnixMilli(n).UTC(), 3)
	}
	return true
}

func (p *parser) serial(n int64, fraction float64, from1904 bool, err *error) {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if from1904 {
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if n < 61 { // Excel believes in 1900-02-29: serials up to it are off by one
		if n == 60 || n == 0 {
			*err = errImpossible
			return
		}
		n++
	}
	t := epoch.AddDate(0, 0, int(n)).Add(time.Duration(math.Round(fraction*86400)) * time.Second)
	p.v.Precision = Day
	p.v.year, p.v.month, p.v.day = int16(min(t.Year(), maxYear+1)), int8(t.Month()), int8(t.Day())
	if fraction > 0 {
		p.v.Precision = Second
		p.v.hour, p.v.minute, p.v.second = int8(t.Hour()), int8(t.Minute()), int8(t.Second())
	}
}

// unix sets a moment counted from 1970 in UTC.
func (p *parser) unix(t time.Time, digits uint8) {
	p.v.year, p.v.month, p.v.day = int16(min(t.Year(), maxYear+1)), int8(t.Month()), int8(t.Day())
	p.v.hour, p.v.minute, p.v.second = int8(t.Hour()), int8(t.Minute()), int8(t.Second())
	p.v.nano, p.v.digits = int32(t.Nanosecond()), digits
	p.v.Precision = Second
	if digits > 0 {
		p.v.Precision = Fraction
	}
	p.v.zoned, p.v.zulu = true, true
}
