package table

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// numberFormat is what a cell's number format makes of its number.
type numberFormat struct {
	date     bool
	hours    bool // a date that shows its time of day
	elapsed  bool // [h]: hours go on behind 24
	sections []section
}

// section is the format of positive, negative or no numbers: what stands around and
// between its digits.
type section struct {
	before   string
	whole    []piece // before the point
	fraction []piece
	percent  int
	grouped  bool
}

// piece is a place for a digit, or text between places.
type piece struct {
	place byte // '0', '#' or '?'; 0 for text
	text  string
}

// builtinFormat returns the format of a number below 164, which workbooks do not
// spell out; "" for General.
func builtinFormat(id int) string {
	switch {
	case id == 1:
		return "0"
	case id == 2:
		return "0.00"
	case id == 3, id == 5, id == 6, id == 37, id == 38, id == 41, id == 42:
		return "#,##0"
	case id == 4, id == 7, id == 8, id == 39, id == 40, id == 43, id == 44:
		return "#,##0.00"
	case id == 9:
		return "0%"
	case id == 10:
		return "0.00%"
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return "yyyy-mm-dd"
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47, id == 55, id == 56:
		return "hh:mm:ss"
	case id == 22:
		return "yyyy-mm-dd hh:mm:ss"
	case id == 46:
		return "[h]:mm:ss"
	default:
		return ""
	}
}

// maxFormat bounds a format's text; spreadsheets allow 255 characters.
const maxFormat = 4096

// parseFormat reads a format as spreadsheets write it. What is no plain row of digits
// – powers of ten, fractions, conditions, thousands cut off – shows the number itself.
func parseFormat(text string) *numberFormat {
	f := &numberFormat{}
	if len(text) > maxFormat || strings.HasPrefix(strings.ToLower(text), "general") || strings.HasPrefix(text, "G/") {
		return f
	}
	var s section
	ok, point := true, false
	literal := func(t string) {
		switch {
		case point:
			s.fraction = append(s.fraction, piece{text: t})
		case len(s.whole) > 0:
			s.whole = append(s.whole, piece{text: t})
		default:
			s.before += t
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return f
			}
			literal(text[i+1 : i+1+end])
			i += end + 1
		case '\\', '_', '*':
			size := runeSize(text[min(i+1, len(text)):])
			if c == '\\' {
				literal(text[i+1 : i+1+size])
			}
			i += size
		case '[':
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return f
			}
			inner := strings.ToLower(text[i+1 : i+end])
			switch {
			case strings.HasPrefix(inner, "$"):
				currency, _, _ := strings.Cut(text[i+2:i+end], "-")
				literal(currency)
			case inner != "" && strings.Trim(inner, "hms") == "":
				f.date, f.hours, f.elapsed = true, true, f.elapsed || inner[0] == 'h'
			case inner != "" && strings.ContainsAny(inner[:1], "<>="):
				ok = false
			}
			i += end
		case ';':
			f.sections = append(f.sections, s)
			s, point = section{}, false
		case 'y', 'Y', 'd', 'D':
			f.date = true
		case 'm', 'M':
			f.date = true
		case 'h', 'H', 's', 'S':
			f.date, f.hours = true, true
		case 'E', 'e':
			if i+1 < len(text) && (text[i+1] == '+' || text[i+1] == '-') {
				ok = false
			} else {
				f.date = true // the year of an era
			}
		case '0', '#', '?':
			if point {
				s.fraction = append(s.fraction, piece{place: c})
			} else {
				s.whole = append(s.whole, piece{place: c})
			}
		case '.':
			if point {
				ok = false
			}
			point = true
		case ',':
			switch {
			case point || i+1 >= len(text) || !strings.ContainsRune("0#?", rune(text[i+1])):
				ok = ok && len(s.whole) == 0 && !point // behind the digits it divides by thousand
			case len(s.whole) > 0:
				s.grouped = true
			}
		case '%':
			s.percent++
			literal("%")
		case '/':
			if len(s.whole) > 0 {
				ok = false // unless it is a date
			}
			literal("/")
		case '@':
			ok = false
		default:
			literal(text[i : i+runeSize(text[i:])])
			i += runeSize(text[i:]) - 1
		}
	}
	f.sections = append(f.sections, s)
	if f.date || !ok {
		f.sections = nil
	}
	return f
}

func runeSize(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// maxExact is the first number of which a double does not keep every digit that a
// spreadsheet shows.
const maxExact = 1e15

// appendNumber appends a number as its format shows it.
func (f *numberFormat) appendNumber(b []byte, v float64) []byte {
	if f == nil || len(f.sections) == 0 {
		return appendGeneral(b, v)
	}
	s, minus := f.sections[0], v < 0
	switch {
	case v < 0 && len(f.sections) > 1:
		s, minus = f.sections[1], false
	case v == 0 && len(f.sections) > 2:
		s = f.sections[2]
	}
	if !s.digits() {
		return appendGeneral(b, v) // words instead of the number, or nothing
	}
	return s.append(b, math.Abs(v), minus)
}

func (s *section) digits() bool {
	for _, p := range s.whole {
		if p.place != 0 {
			return true
		}
	}
	for _, p := range s.fraction {
		if p.place != 0 {
			return true
		}
	}
	return false
}

// digits15 writes the digits of a number as spreadsheets know them, at most 15, into
// room for them, and returns the power of ten of the first one.
func digits15(room *[32]byte, v float64) (digits []byte, exponent int) {
	b := strconv.AppendFloat(room[:0], v, 'e', 14, 64) // d.dddddddddddddde±dd
	e := 16
	for _, c := range b[e+2:] {
		exponent = exponent*10 + int(c-'0')
	}
	if b[e+1] == '-' {
		exponent = -exponent
	}
	b[1] = b[0]
	b = b[1:e]
	for len(b) > 1 && b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b, exponent
}

// appendGeneral appends a number with the digits it has.
func appendGeneral(b []byte, v float64) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	var room [32]byte
	digits, exponent := digits15(&room, v)
	switch n := len(digits); {
	case exponent < -9:
		b = append(b, digits[0])
		if n > 1 {
			b = append(append(b, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(b, 'E'), int64(exponent), 10)
	case exponent < 0:
		b = append(append(b, "0."...), strings.Repeat("0", -exponent-1)...)
		return append(b, digits...)
	case n <= exponent+1:
		return append(append(b, digits...), strings.Repeat("0", exponent+1-n)...)
	default:
		b = append(append(b, digits[:exponent+1]...), '.')
		return append(b, digits[exponent+1:]...)
	}
}

func (s *section) append(b []byte, v float64, minus bool) []byte {
	var room [32]byte
	digits, exponent := digits15(&room, v)
	exponent += 2 * s.percent
	places := 0
	for _, p := range s.fraction {
		if p.place != 0 {
			places++
		}
	}
	whole, fraction := fixed(digits, exponent, places)
	from := len(b)
	if minus && strings.Trim(whole+fraction, "0") != "" {
		b = append(b, '-')
	}
	b = append(b, s.before...)
	b = s.appendWhole(b, whole)
	shown := places // places without an optional zero at the end
	for i := len(s.fraction) - 1; i >= 0; i-- {
		if p := s.fraction[i].place; p == 0 {
			continue
		} else if p == '0' || fraction[shown-1] != '0' {
			break
		}
		shown--
	}
	if shown > 0 {
		b = append(b, '.')
	}
	n := 0
	for _, p := range s.fraction {
		if p.place == 0 {
			b = append(b, p.text...)
		} else if n < shown {
			b = append(b, fraction[n])
			n++
		}
	}
	return append(b[:from], bytes.TrimSpace(b[from:])...)
}

// fixed writes a number with so many places behind the point, rounded as people do.
func fixed(digits []byte, exponent, places int) (whole, fraction string) {
	d := append(make([]byte, 0, 32), digits...)
	if exponent < 0 {
		d = append([]byte(strings.Repeat("0", min(-exponent, 400))), d...)
		exponent = 0
	}
	for len(d) < exponent+1+places+1 {
		d = append(d, '0')
	}
	end := exponent + 1 + places
	up := d[end] >= '5'
	d = d[:end]
	for i := end - 1; up && i >= 0; i-- {
		if d[i] == '9' {
			d[i] = '0'
			continue
		}
		d[i]++
		up = false
	}
	if up {
		d = append([]byte{'1'}, d...)
		exponent++
	}
	all := string(d)
	return strings.TrimLeft(all[:exponent+1], "0"), all[exponent+1:]
}

// appendWhole puts digits into the places before the point, the last digit into the
// last place.
func (s *section) appendWhole(b []byte, digits string) []byte {
	first := -1
	for i, p := range s.whole {
		if p.place != 0 {
			first = i
			break
		}
	}
	from := len(b) // what follows is written from the right
	put, n := 0, len(digits)
	digit := func(c byte) {
		if s.grouped && put > 0 && put%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, c)
		put++
	}
	for i := len(s.whole) - 1; i >= 0; i-- {
		p := s.whole[i]
		switch {
		case p.place == 0:
			for k := len(p.text) - 1; k >= 0; k-- {
				b = append(b, p.text[k])
			}
			continue
		case n > 0:
			n--
			digit(digits[n])
		case p.place == '0':
			digit('0')
		}
		for i == first && n > 0 {
			n--
			digit(digits[n])
		}
	}
	if first < 0 {
		return append(b, digits...)
	}
	slices.Reverse(b[from:])
	return b
}

// days1904 is the serial number, counted from 1900, of the day that others count from.
const days1904 = 1462

// appendDate appends the date and time that a serial number stands for; false when it
// is none.
func (f *numberFormat) appendDate(b []byte, v float64, from1904 bool) ([]byte, bool) {
	const lastDay = 2958465 // 9999-12-31
	if v < 0 || v >= lastDay+1 {
		return b, false
	}
	days := int(v)
	seconds := int(math.Round((v - float64(days)) * 86400))
	if seconds == 86400 {
		days, seconds = days+1, 0
	}
	clock := func(hours int) {
		for i, n := range [...]int{hours, seconds / 60 % 60, seconds % 60} {
			if i > 0 {
				b = append(b, ':')
			}
			if n < 10 {
				b = append(b, '0')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	if f.elapsed {
		clock(days*24 + seconds/3600)
		return b, true
	}
	if days == 0 && (seconds > 0 || f.hours) {
		clock(seconds / 3600)
		return b, true
	}
	switch {
	case from1904:
		days += days1904
	case days == 0 || days == 60: // no day, and a 29th of February 1900 that never was
		return b, false
	case days < 60:
		days++
	}
	if days > lastDay {
		return b, false
	}
	b = time.Date(1899, 12, 30+days, 0, 0, 0, 0, time.UTC).AppendFormat(b, time.DateOnly)
	if seconds > 0 || f.hours {
		b = append(b, ' ')
		clock(seconds / 3600)
	}
	return b, true
}

// cutDigits reports whether a text is what a spreadsheet shows of a number too long
// for it, and saves as text or CSV: 1.10105E+17. Its digits are gone.
func cutDigits(text string) bool {
	const longest = 64 // blanks included; texts that many cells share are looked at for each
	if len(text) < 5 || len(text) > longest || text[0] > '9' {
		return false
	}
	i := strings.LastIndex(text, "E+")
	if i < 1 {
		return false
	}
	text = strings.TrimSpace(text)
	i = strings.LastIndex(text, "E+")
	if i < 1 {
		return false
	}
	mantissa := strings.TrimPrefix(text[:i], "-")
	whole, fraction, point := strings.Cut(mantissa, ".")
	if len(whole) != 1 || whole == "0" || point && fraction == "" || !allDigits(whole+fraction) {
		return false
	}
	exponent := text[i+2:]
	n, err := strconv.Atoi(exponent)
	return err == nil && allDigits(exponent) && len(exponent) >= 2 && len(exponent) <= 3 && n >= 11
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
