package ucum

import "strings"

// Valid reports whether a code is UCUM, which is case sensitive. Parse takes fewer: logarithmic and homeopathic units
// are valid, but no factor converts them.
func Valid(code string) bool {
	if len(code) > MaxLength || !printable(code) {
		return false
	}
	if _, ok := Parse(code); ok {
		return true
	}
	if i := strings.IndexByte(code, '{'); i > 0 && strings.IndexByte(code, '}') == len(code)-1 {
		code = code[:i]
	}
	if _, ok := special[code]; ok {
		return true
	}
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(code, p); ok && special[rest] {
			return true
		}
	}
	return false
}

// special are the units on a scale of their own, which take no part in products; those that are metric take prefixes.
//
// From the table of units at https://ucum.org/ucum#section-Tables-of-Terminal-Symbols
var special = map[string]bool{
	"Cel": true, "[degF]": false, "[degRe]": false,
	"Np": true, "B": true, "B[SPL]": true, "B[V]": true, "B[mV]": true, "B[uV]": true, "B[10.nV]": true, "B[W]": true, "B[kW]": true,
	"bit_s": false, "[pH]": false, "[p'diop]": false, "%[slope]": false, "[m/s2/Hz^0.5]": false,
	"[hp_X]": false, "[hp_C]": false, "[hp_M]": false, "[hp_Q]": false,
}

// printable reports whether a code is of the characters that UCUM takes. Blanks it takes nowhere, but FHIR lists units
// with such in annotations.
func printable(code string) bool {
	annotation := false
	for i := range len(code) {
		switch c := code[i]; {
		case c == '{':
			annotation = true
		case c == '}':
			annotation = false
		case c == ' ' && annotation:
		case c <= ' ' || c > '~':
			return false
		}
	}
	return true
}
