package phone

import (
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// Kind is what sort of line a number is.
type Kind uint8

// The kinds.
const (
	Unknown  Kind = iota // digits that fit no plan, kept as they are
	Mobile               // eleven digits, from 13 to 19
	Landline             // with or without area code
	Service              // 400, 800 and the short numbers of services
	Foreign              // +852…: another country's
)

func (k Kind) String() string {
	return [...]string{"unknown", "mobile", "landline", "service", "foreign"}[k]
}

// Number is one telephone number.
type Number struct {
	Text      string // as to be shown: 010-00000000 转 8001 becomes 010-00000000 ext 8001
	Digits    string // digits only, with + and the country before a foreign one; for comparing
	Area      string // of a landline, with its leading 0
	Extension string
	Kind      Kind
}

// System returns the code of http://hl7.org/fhir/contact-point-system.
func (n Number) System() string { return "phone" }

// Use returns the code of http://hl7.org/fhir/contact-point-use that the number itself shows: mobile, or nothing. Whether a
// landline is at home or at work is for the field to say.
func (n Number) Use() string {
	if n.Kind == Mobile {
		return "mobile"
	}
	return ""
}

// Limits of one field. What is longer has no numbers, and of many the first are taken.
const (
	maxField   = 512
	maxNumbers = 8
)

// Parse reads the numbers of one field, in the order written. Placeholders (无, 00000000000) and words give
// nothing.
func Parse(text string) []Number {
	if len(text) > maxField {
		return nil
	}
	if len(text) == 11 && text[0] == '1' && text[1] >= '3' && strings.Trim(text, "0123456789") == "" { // the usual case
		return []Number{{Text: text, Digits: text, Kind: Mobile}}
	}
	s := extensions.Replace(fold.Text(text))
	var all []Number
	for _, part := range strings.FieldsFunc(s, func(r rune) bool {
		return strings.ContainsRune("/,;|、\\\n\r\t", r) || r == '或' || r == '和' || r == '及'
	}) {
		for _, n := range numbers(part) {
			if len(all) == maxNumbers {
				return all
			}
			if !contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

func contains(all []Number, n Number) bool {
	for _, other := range all {
		if other.Digits == n.Digits && other.Extension == n.Extension {
			return true
		}
	}
	return false
}

// extensions brings every word for "extension" to one sign.
var extensions = strings.NewReplacer("转分机", "#", "转内线", "#", "分机号", "#", "分机", "#", "内线", "#", "转", "#", "ext.", "#", "ext", "#", "EXT.", "#", "EXT", "#", "Ext.", "#", "Ext", "#", "＃", "#")

// numbers reads one part of a field: digits in groups, and the words around them. Numbers next to each other with a space
// between are told apart by their lengths.
func numbers(s string) []Number {
	var all []Number
	var digits strings.Builder
	extension, inExtension, plus := strings.Builder{}, false, false
	flush := func() {
		if n, ok := classify(digits.String(), extension.String(), plus); ok {
			all = append(all, n)
		}
		digits.Reset()
		extension.Reset()
		inExtension, plus = false, false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if inExtension {
				extension.WriteByte(c)
			} else {
				digits.WriteByte(c)
			}
		case c == '#':
			inExtension = digits.Len() > 0
		case c == '+' && digits.Len() == 0:
			plus = true
		case c == ' ':
			if inExtension && extension.Len() == 0 {
				continue
			}
			if strings.HasPrefix(strings.TrimLeft(s[i:], " "), "#") {
				continue
			}
			abroad := plus && !strings.HasPrefix(digits.String(), "86") // lengths say nothing about other countries
			if inExtension || !abroad && complete(digits.String()) {
				flush()
			}
		case strings.IndexByte("-()._:*", c) >= 0:
			// 010-00000000-8001: a third group is an extension.
			if c == '-' && !inExtension && digits.Len() > 9 && complete(digits.String()) && trailing(s[i+1:]) {
				inExtension = true
			}
		default: // words stand before or after a number, never in it
			if digits.Len() > 0 {
				flush()
			}
		}
	}
	flush()
	return all
}

// trailing reports whether s is an extension: two to six digits and nothing else before the next space.
func trailing(s string) bool {
	s, _, _ = strings.Cut(s, " ")
	return len(s) >= 2 && len(s) <= 6 && strings.Trim(s, "0123456789") == ""
}

// complete reports whether the digits are a whole number already, so that a space behind them ends it.
func complete(d string) bool {
	switch {
	case len(d) == 11 && d[0] == '1':
		return true
	case (len(d) == 13 || len(d) == 14) && strings.HasPrefix(d, "86"):
		return true
	case d != "" && d[0] == '0' && len(d) > 1 && d[1] != '0':
		area := areaLength(d)
		return len(d) == area+8 || len(d) == area+7 && area == 4
	case len(d) == 8 || len(d) == 7:
		return d[0] != '0' && d[0] != '1'
	case len(d) == 10:
		return strings.HasPrefix(d, "400") || strings.HasPrefix(d, "800")
	}
	return false
}

// areaLength returns the digits of the area code, its 0 included: three for the largest cities, else four.
func areaLength(d string) int {
	if len(d) > 1 && (d[1] == '1' || d[1] == '2') {
		return 3
	}
	return 4
}

// classify decides what the digits are. It reports false for none, and for placeholders.
func classify(d, extension string, plus bool) (Number, bool) {
	if strings.Trim(d, "0") == "" || len(d) > 1 && strings.Trim(d, d[:1]) == "" && len(d) > 4 {
		return Number{}, false
	}
	n := Number{Extension: extension}
	if d == "86" {
		return Number{}, false
	}
	if rest, ok := strings.CutPrefix(d, "00"); ok && len(rest) > 7 {
		d, plus = rest, true
	}
	if rest, ok := strings.CutPrefix(d, "86"); ok && (plus || len(d) == 13 && rest[0] == '1') {
		d, plus = rest, false
		if d[0] != '0' && d[0] != '1' && len(d) >= 9 && len(d) <= 11 {
			d = "0" + d // +86 10 …: the area code without its 0
		} else if len(d) >= 10 && len(d) <= 11 && strings.HasPrefix(d, "10") {
			d = "0" + d
		}
	}
	if len(d) == 12 && d[0] == '0' && d[1] == '1' && d[2] >= '3' {
		d = d[1:] // 0 before a mobile number, as once dialled from other cities
	}
	n.Digits, n.Text = d, d
	switch {
	case plus:
		if len(d) < 7 || len(d) > 15 {
			return Number{}, false
		}
		n.Kind, n.Digits, n.Text = Foreign, "+"+d, "+"+d
	case len(d) == 11 && d[0] == '1' && d[1] >= '3':
		n.Kind = Mobile
	case len(d) == 10 && (strings.HasPrefix(d, "400") || strings.HasPrefix(d, "800")):
		n.Kind, n.Text = Service, d[:3]+"-"+d[3:6]+"-"+d[6:]
	case d[0] == '0' && len(d) >= 10 && len(d) <= 12 && d[1] != '0':
		area := areaLength(d)
		if local := len(d) - area; local != 7 && local != 8 {
			return Number{}, false
		}
		n.Kind, n.Area, n.Text = Landline, d[:area], d[:area]+"-"+d[area:]
	case (len(d) == 7 || len(d) == 8) && d[0] >= '2':
		n.Kind = Landline
	case len(d) == 3 && d[0] == '1' || len(d) == 5 && (d[0] == '1' || d[0] == '9'):
		n.Kind = Service
	case len(d) < 7 || len(d) > 15:
		return Number{}, false
	}
	if extension != "" {
		n.Text += " ext " + extension
	}
	return n, true
}
