package search

import (
	"math"
	"strconv"
	"strings"
)

// maxNumber bounds the text of a number; longer ones have no use in a search.
const maxNumber = 64

// decimal is a number with the interval that its digits imply: 100 stands for
// [99.5, 100.5), 1e2 for [50, 150).
type decimal struct{ low, value, high float64 }

func readDecimal(s string) (decimal, bool) {
	if len(s) == 0 || len(s) > maxNumber || !numeric(s) {
		return decimal{}, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) {
		return decimal{}, false
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		if exponent, err = strconv.Atoi(s[i+1:]); err != nil {
			return decimal{}, false
		}
	}
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		exponent -= len(mantissa) - i - 1
	}
	// The bounds are read as text, so that 0.05 is not what 0.1-0.05 gives.
	half := 5 * math.Pow10(exponent-1)
	if exponent <= 0 && exponent > -16 {
		scale := math.Pow10(1 - exponent)
		n := math.Round(v * scale)
		if math.Abs(n) < 1<<53 {
			return decimal{low: (n - 5) / scale, value: v, high: (n + 5) / scale}, true
		}
	}
	return decimal{low: v - half, value: v, high: v + half}, true
}

// numeric reports whether s is a decimal as FHIR writes it: sign, digits,
// fraction, exponent.
func numeric(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	digit := func() bool {
		n := len(s)
		s = strings.TrimLeft(s, "0123456789")
		return len(s) < n
	}
	if !digit() {
		return false
	}
	if s != "" && s[0] == '.' {
		if s = s[1:]; !digit() {
			return false
		}
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '-' || s[0] == '+') {
			s = s[1:]
		}
		if !digit() {
			return false
		}
	}
	return s == ""
}
