package scan

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number is a decimal with half of what its last digit counts.
type number struct{ value, half *big.Rat }

func readNumber(s string) (number, error) {
	value, ok := new(big.Rat).SetString(s)
	if !ok || strings.Contains(s, "/") {
		return number{}, fmt.Errorf("%s is no number", s)
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	power, _ := strconv.Atoi(exponent)
	half, _ := new(big.Rat).SetString(fmt.Sprintf("5e%d", power-len(fraction)-1))
	return number{value, half}, nil
}

const ucum = "http://unitsofmeasure.org"

// units of the imports that stand for one another, with how much of the first one is in each.
var units = [][]struct{ code, factor string }{
	{{"g/L", "1"}, {"g/dL", "10"}, {"mg/dL", "0.01"}, {"mg/L", "0.001"}, {"ug/mL", "0.001"}, {"ug/L", "0.000001"}, {"ng/mL", "0.000001"}, {"pg/mL", "0.000000001"}},
	{{"m", "1"}, {"cm", "0.01"}, {"mm", "0.001"}},
	{{"g", "1"}, {"kg", "1000"}, {"pg", "0.000000000001"}},
	{{"U/L", "1"}, {"kU/L", "1000"}},
	{{"mL/min", "1"}, {"mL/min/{1.73_m2}", "1"}}, // what stands in braces counts for nothing
	{{"1", "1"}, {"%", "0.01"}, {"mg/g", "0.001"}, {"{score}", "1"}, {"{count}", "1"}, {"{INR}", "1"}, {"{T-score}", "1"}},
	{{"10*9/L", "1"}, {"10*3/uL", "1"}, {"10*6/uL", "1000"}, {"mmol/L", "602213670000"}}, // a mole is a number in UCUM
}

// unit returns what a code measures and in which size.
func unit(code string) (measures int, factor *big.Rat) {
	for i, list := range units {
		for _, u := range list {
			if u.code == code {
				factor, _ = new(big.Rat).SetString(u.factor)
				return i, factor
			}
		}
	}
	return -1, nil
}

// quantityTest reads number, or number|system|code, with a prefix. Of an equal number the digits written count, of a
// comparison they do not.
func quantityTest(value string) (func(any) bool, error) {
	parts := split(value, '|')
	compare, digits := prefix(parts[0])
	asked, err := readNumber(digits)
	if err != nil || len(parts) != 1 && len(parts) != 3 {
		return nil, fmt.Errorf("%s is no quantity", value)
	}
	return func(v any) bool {
		is, ok := new(big.Rat).SetString(text(v, "value"))
		if !ok {
			return false
		}
		want, half := asked.value, asked.half
		if len(parts) == 3 {
			system, code := unescape(parts[1]), unescape(parts[2])
			measures, size := unit(code)
			same, itsSize := unit(text(v, "code"))
			switch {
			case system == "":
				if text(v, "code") != code && text(v, "unit") != code {
					return false
				}
			case text(v, "system") != system:
				return false
			case system == ucum && measures >= 0 && measures == same:
				is = new(big.Rat).Mul(is, itsSize)
				want, half = new(big.Rat).Mul(want, size), new(big.Rat).Mul(half, size)
			case text(v, "code") != code:
				return false
			}
		}
		return holdsOf(compare, number{want, half}, is, text(v, "comparator"))
	}, nil
}

// numberTest reads a number with a prefix.
func numberTest(value string) (func(any) bool, error) {
	compare, digits := prefix(value)
	asked, err := readNumber(digits)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		is, ok := new(big.Rat).SetString(text(v))
		return ok && holdsOf(compare, asked, is, "")
	}, nil
}

// holdsOf compares what is with what is asked for. With a comparator ("<5") it is all that is said that it may be, and
// equal to nothing.
func holdsOf(compare string, asked number, is *big.Rat, comparator string) bool {
	low, high := new(big.Rat).Sub(asked.value, asked.half), new(big.Rat).Add(asked.value, asked.half)
	order, equal := is.Cmp(asked.value), is.Cmp(low) >= 0 && is.Cmp(high) < 0
	more, less, same := order > 0, order < 0, order == 0
	switch comparator {
	case "<":
		equal, less, same = false, true, more
	case "<=":
		equal, less, same = false, true, same || more
	case ">":
		equal, more, same = false, true, less
	case ">=":
		equal, more, same = false, true, same || less
	}
	return map[string]bool{"eq": equal, "ne": !equal, "gt": more, "lt": less, "ge": more || same, "le": less || same}[compare]
}

// nearTest reads latitude|longitude|distance|unit and measures along the sphere.
func nearTest(value string) (func(any) bool, error) {
	parts := strings.Split(value, "|")
	if len(parts) != 4 || parts[3] != "km" {
		return nil, fmt.Errorf("%s is no place with a distance in km", value)
	}
	var n [3]float64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseFloat(parts[i], 64); err != nil {
			return nil, err
		}
	}
	const rad, earth = math.Pi / 180, 6371.0
	return func(v any) bool {
		latitude, err1 := strconv.ParseFloat(text(v, "latitude"), 64)
		longitude, err2 := strconv.ParseFloat(text(v, "longitude"), 64)
		cosine := math.Sin(latitude*rad)*math.Sin(n[0]*rad) + math.Cos(latitude*rad)*math.Cos(n[0]*rad)*math.Cos((longitude-n[1])*rad)
		return err1 == nil && err2 == nil && math.Acos(min(1, cosine))*earth <= n[2]
	}, nil
}
