package codes

import (
	"strings"
)

// maxDigits bounds the digits of a number; FHIR asks for 18 to be kept, laboratories print fewer.
const maxDigits = 18

// number reads a decimal number at the beginning of s and returns it as a FHIR decimal with every digit that was written,
// and what follows. Thousands separators go, a missing zero before the point comes, 1.2×10^3 becomes 1.2E3.
func number(s string) (literal, rest string, ok bool) {
	sign := ""
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		if s[i] == '-' {
			sign = "-"
		}
		i++
	} else if strings.HasPrefix(s, "−") {
		sign, i = "-", len("−")
	}
	from := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	whole := s[from:i]
	if n := len(whole); n >= 1 && n <= 3 && i < len(s) && s[i] == ',' {
		whole, i = thousands(s, whole, i)
	}
	fraction := ""
	if i+1 < len(s) && s[i] == '.' && s[i+1] >= '0' && s[i+1] <= '9' {
		from = i + 1
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		}
		fraction = s[from:i]
	} else if i < len(s) && s[i] == '.' && whole != "" && i+1 == len(s) {
		i++ // 5. is five
	}
	if whole == "" && fraction == "" || len(whole)+len(fraction) > maxDigits {
		return "", s, false
	}
	end := i
	exponent, i := exponent(s, i)
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	length := len(sign) + len(whole)
	if fraction != "" {
		length += 1 + len(fraction)
	}
	if verbatim := s[0] == '-' && s[1] != '.' || s[0] >= '0' && s[0] <= '9'; verbatim && exponent == "" && length == end {
		return s[:end], s[i:], true // as FHIR writes it
	}
	literal = sign + whole
	if fraction != "" {
		literal += "." + fraction
	}
	return literal + exponent, s[i:], true
}

// thousands joins groups of three after the first comma: 1,234,567.
func thousands(s, whole string, i int) (string, int) {
	joined, end := whole, i
	for end+3 < len(s) && s[end] == ',' && digits(s[end+1:end+4]) && (end+4 == len(s) || s[end+4] < '0' || s[end+4] > '9') {
		joined += s[end+1 : end+4]
		end += 4
	}
	return joined, end
}

// exponent reads E3, e-05, ×10^3 and *10^-3. Exponents of more than two digits are not results.
func exponent(s string, i int) (string, int) {
	j := i
	switch {
	case j < len(s) && (s[j] == 'e' || s[j] == 'E'):
		j++
	default:
		found := false
		for _, p := range [...]string{"×10^", "x10^", "X10^", "*10^", "×10E", "x10E", "*10E", "×10*", "x10*", " ×10^", " x10^", " × 10^", " x 10^"} {
			if strings.HasPrefix(s[j:], p) {
				j, found = j+len(p), true
				break
			}
		}
		if !found {
			return "", i
		}
	}
	sign := ""
	if j < len(s) && (s[j] == '-' || s[j] == '+') {
		if s[j] == '-' {
			sign = "-"
		}
		j++
	}
	from := j
	for j < len(s) && s[j] >= '0' && s[j] <= '9' {
		j++
	}
	if j == from || j-from > 2 || j < len(s) && s[j] == '/' { // 1.2×10^9/L: the power belongs to the unit
		return "", i
	}
	power := strings.TrimLeft(s[from:j], "0")
	if power == "" {
		return "", j
	}
	return "E" + sign + power, j
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// comparators are what stands before a number, longer ones first. Each has the code of
// http://hl7.org/fhir/quantity-comparator.
var comparators = []struct{ text, code string }{
	{"&lt;=", "<="}, {"&gt;=", ">="}, {"&lt;", "<"}, {"&gt;", ">"}, {"&le;", "<="}, {"&ge;", ">="},
	{"<=", "<="}, {">=", ">="}, {"=<", "<="}, {"=>", ">="}, {"<", "<"}, {">", ">"},
	{"≤", "<="}, {"≥", ">="}, {"≦", "<="}, {"≧", ">="}, {"⩽", "<="}, {"⩾", ">="}, {"﹤", "<"}, {"﹥", ">"}, {"〈", "<"}, {"〉", ">"},
	{"小于等于", "<="}, {"大于等于", ">="}, {"小于或等于", "<="}, {"大于或等于", ">="}, {"不大于", "<="}, {"不小于", ">="}, {"不超过", "<="}, {"不低于", ">="},
	{"不高于", "<="}, {"至少", ">="}, {"至多", "<="}, {"小于", "<"}, {"大于", ">"}, {"低于", "<"}, {"高于", ">"}, {"超过", ">"}, {"少于", "<"}, {"多于", ">"},
}

func comparator(s string) (code, rest string) {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return "", s
	}
	for _, c := range comparators {
		if after, ok := strings.CutPrefix(s, c.text); ok {
			return c.code, strings.TrimLeft(after, " ")
		}
	}
	return "", s
}

// lessEqual compares two literals of number that have no exponent; it reports true when it cannot tell.
func lessEqual(a, b string) bool {
	if strings.Contains(a, "E") || strings.Contains(b, "E") {
		return true
	}
	an, bn := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	if an != bn {
		return an
	}
	if an {
		a, b = b[1:], a[1:]
	}
	aw, af, _ := strings.Cut(a, ".")
	bw, bf, _ := strings.Cut(b, ".")
	if len(aw) != len(bw) {
		return len(aw) < len(bw)
	}
	if aw != bw {
		return aw < bw
	}
	return strings.TrimRight(af, "0") <= strings.TrimRight(bf, "0")
}
