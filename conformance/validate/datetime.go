package validate

// The scanners here take what is left to read and say what is left after.

func validDate(s string) bool {
	rest, _, ok := scanDate(s)
	return ok && rest == ""
}

func validDateTime(s string) bool {
	rest, days, ok := scanDate(s)
	if !ok || rest == "" {
		return ok
	}
	return days && rest[0] == 'T' && validClock(rest[1:], true)
}

func validInstant(s string) bool {
	rest, days, ok := scanDate(s)
	return ok && days && rest != "" && rest[0] == 'T' && validClock(rest[1:], true)
}

func validTime(s string) bool { return validClock(s, false) }

// scanDate reads YYYY, YYYY-MM or YYYY-MM-DD and reports whether the days were
// there and whether the date exists.
func scanDate(s string) (rest string, days, ok bool) {
	year, s, ok := scanNumber(s, 4, 1, 9999)
	if !ok || s == "" || s[0] != '-' {
		return s, false, ok
	}
	month, s, ok := scanNumber(s[1:], 2, 1, 12)
	if !ok || s == "" || s[0] != '-' {
		return s, false, ok
	}
	_, s, ok = scanNumber(s[1:], 2, 1, daysIn(year, month))
	return s, true, ok
}

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

// validClock takes hh:mm:ss with an optional fraction and, if wanted, a time
// zone, which then must be there. A leap second is allowed.
func validClock(s string, zone bool) bool {
	_, s, ok := scanNumber(s, 2, 0, 23)
	if !ok || s == "" || s[0] != ':' {
		return false
	}
	_, s, ok = scanNumber(s[1:], 2, 0, 59)
	if !ok || s == "" || s[0] != ':' {
		return false
	}
	_, s, ok = scanNumber(s[1:], 2, 0, 60)
	if !ok {
		return false
	}
	if s != "" && s[0] == '.' {
		n := 1
		for n < len(s) && digit(s[n]) {
			n++
		}
		if n == 1 {
			return false
		}
		s = s[n:]
	}
	if !zone {
		return s == ""
	}
	if s == "Z" {
		return true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return false
	}
	hour, _, ok := scanNumber(s[1:3], 2, 0, 14)
	if !ok {
		return false
	}
	minute, _, ok := scanNumber(s[4:], 2, 0, 59)
	return ok && (hour < 14 || minute == 0)
}

// scanNumber reads a number of exactly so many digits within bounds.
func scanNumber(s string, width, least, most int) (n int, rest string, ok bool) {
	if len(s) < width {
		return 0, s, false
	}
	for i := range width {
		if !digit(s[i]) {
			return 0, s, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s[width:], n >= least && n <= most
}
