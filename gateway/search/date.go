package search

import (
	"time"
)

// interval reads a date, dateTime or instant of any precision and returns the
// microseconds it covers: [low, high). A time without a zone is in the given one.
func interval(s string, zone *time.Location) (low, high int64, ok bool) {
	year, s, ok := digits(s, 4)
	if !ok || year == 0 {
		return 0, 0, false
	}
	if s == "" {
		return span(date(year, 1, 1, zone), date(year+1, 1, 1, zone))
	}
	month, s, ok := after(s, '-')
	if !ok || month < 1 || month > 12 {
		return 0, 0, false
	}
	if s == "" {
		return span(date(year, month, 1, zone), date(year, month+1, 1, zone))
	}
	day, s, ok := after(s, '-')
	if !ok || day < 1 || day > daysIn(year, month) {
		return 0, 0, false
	}
	if s == "" {
		return span(date(year, month, day, zone), date(year, month, day+1, zone))
	}
	if s[0] != 'T' {
		return 0, 0, false
	}
	return timed(s[1:], year, month, day, zone)
}

// timed reads hh:mm[:ss[.f]][zone].
func timed(s string, year, month, day int, zone *time.Location) (low, high int64, ok bool) {
	hour, s, ok := digits(s, 2)
	if !ok || hour > 23 {
		return 0, 0, false
	}
	minute, s, ok := after(s, ':')
	if !ok || minute > 59 {
		return 0, 0, false
	}
	second, micros, width := 0, int64(0), int64(60e6)
	if s != "" && s[0] == ':' {
		if second, s, ok = after(s, ':'); !ok || second > 60 {
			return 0, 0, false
		}
		width = 1e6
		if s != "" && s[0] == '.' {
			s = s[1:]
			n := 0
			for ; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
				if width > 1 {
					width /= 10
					micros += int64(s[n]-'0') * width
				}
			}
			if n == 0 {
				return 0, 0, false
			}
			s = s[n:]
		}
	}
	if s != "" {
		if zone, ok = offset(s); !ok {
			return 0, 0, false
		}
	}
	low = time.Date(year, time.Month(month), day, hour, minute, second, 0, zone).UnixMicro() + micros
	return low, low + width, true
}

// offset reads Z or ±hh:mm. A space stands for the plus that a query string
// without escaping loses.
func offset(s string) (*time.Location, bool) {
	if s == "Z" {
		return time.UTC, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' && s[0] != ' ' {
		return nil, false
	}
	hours, rest, ok := digits(s[1:], 2)
	if !ok || hours > 14 {
		return nil, false
	}
	minutes, _, ok := after(rest, ':')
	if !ok || minutes > 59 {
		return nil, false
	}
	seconds := hours*3600 + minutes*60
	switch {
	case s[0] == '-':
		seconds = -seconds
	case seconds == 8*3600:
		return east8, true
	}
	return time.FixedZone("", seconds), true
}

var east8 = time.FixedZone("+08:00", 8*3600)

func digits(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, s, false
		}
		value = value*10 + int(s[i]-'0')
	}
	return value, s[n:], true
}

// after reads a separator and two digits.
func after(s string, separator byte) (value int, rest string, ok bool) {
	if s == "" || s[0] != separator {
		return 0, s, false
	}
	return digits(s[1:], 2)
}

func date(year, month, day int, zone *time.Location) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, zone).UnixMicro()
}

func span(low, high int64) (int64, int64, bool) { return low, high, true }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
