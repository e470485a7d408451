package datetime

import (
	"strings"
	"time"

	"github.com/yilian/yilian/mapping/fold"
)

const (
	minYear, maxYear = 1583, 2199 // the Gregorian calendar began in 1582
	maxLength        = 64         // no form is longer; more is refused unread
)

// Options are what an institution knows about its dates. The zero Options are right for most.
type Options struct {
	Zone        *time.Location // where a time without an offset was written; nil is China
	ZuluIsLocal bool           // a trailing Z is local time mislabelled
	Keep1900    bool           // 1900-01-01 is a date, not a placeholder
	MidnightIs  Midnight       // what 00:00:00 after a date means
	Numbers     Numbers        // what a bare number means
	None        []string       // further texts that stand for "no date", as this institution writes them
}

// Midnight says what a time of exactly 00:00:00 without an offset means.
type Midnight uint8

// A column of the SQL type date is often exported with a midnight that nobody wrote.
const (
	MidnightIsTime Midnight = iota
	MidnightIsDate
)

// Numbers says what a bare number means that is not a date in digits.
type Numbers uint8

// The readings of a number.
const (
	NumbersAreDigits Numbers = iota // 20240501, 202405, 2024: nothing else
	ExcelSerial                     // days since 1899-12-30: numbers of up to five digits
	Excel1904Serial                 // days since 1904-01-01, as old Macintosh workbooks count
	UnixSeconds                     // since 1970 in UTC: numbers of nine or ten digits
	UnixMillis                      // since 1970 in UTC: numbers of eleven to thirteen digits
)

// Parse reads one date or date-time. Empty texts and placeholders give a Value that is not Given and no error.
// The error is always an *Error.
func Parse(text string, o Options) (Value, error) {
	s := fold.Text(text)
	if len(s) > maxLength {
		return Value{}, errFormat
	}
	if s == "" || placeholder(s, o.None) || zeros(s) {
		return Value{Placeholder: s != ""}, nil
	}
	p := parser{s: s}
	p.v.zone = o.Zone
	err := errFormat
	if o.Numbers == NumbersAreDigits || !p.number(o.Numbers, &err) {
		err = p.dateTime()
	}
	if err != nil {
		return Value{}, err
	}
	return settle(p.v, o)
}

// ParseTime reads one time of day: 08:30, 0830, 083000.5, 下午3时05分. The error is always an *Error.
func ParseTime(text string, o Options) (Value, error) {
	s := fold.Text(text)
	if len(s) > maxLength {
		return Value{}, errFormat
	}
	if s == "" || placeholder(s, o.None) {
		return Value{Placeholder: s != ""}, nil
	}
	p := parser{s: s}
	p.v.zone, p.v.TimeOnly = o.Zone, true
	if err := p.clock(); err != nil {
		return Value{}, err
	}
	if !p.done() {
		return Value{}, errFormat
	}
	if p.v.hour == 24 {
		return Value{}, errImpossible
	}
	return settle(p.v, o)
}

// settle applies the options that concern the moment as a whole.
func settle(v Value, o Options) (Value, error) {
	if o.ZuluIsLocal && v.zulu {
		v.zoned, v.zulu, v.offset = false, false, 0
	}
	if v.TimeOnly {
		return v, nil
	}
	if y := v.year; v.Precision >= Day && v.month == 1 && v.day == 1 && (y == 1 || y == 1753 || y == 1900 && !o.Keep1900) ||
		y == 9999 || y == 1899 && v.month == 12 && v.day >= 30 {
		return Value{Placeholder: true}, nil
	}
	if v.year < minYear || v.year > maxYear {
		return Value{}, errImpossible
	}
	if o.MidnightIs == MidnightIsDate && v.Precision > Day && !v.zoned && v.hour|v.minute|v.second == 0 && v.nano == 0 {
		v.Precision, v.digits = Day, 0
	}
	return v, nil
}

// placeholder reports whether s is a word or a sign that stands for "none".
func placeholder(s string, more []string) bool {
	for _, m := range more {
		if fold.Key(m) == fold.Key(s) {
			return true
		}
	}
	if strings.Trim(s, "-/.:*—_") == "" {
		return true
	}
	if isDigit(s[0]) {
		return false
	}
	switch fold.Key(s) {
	case "无", "不详", "未知", "未填", "未记录", "空", "null", "nil", "none", "n/a", "na", "nan", "nat", "unknown", "\\n",
		"(null)", "<null>":
		return true
	}
	return false
}

// zeros reports whether every digit of s is zero, in any punctuation: 00000000, 0000-00-00 00:00:00.
func zeros(s string) bool {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '0':
			n++
		case strings.IndexByte("-/.: TZ+", c) < 0:
			return false
		}
	}
	return n >= 4
}
