package fhirpath

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Bounds on numbers: arithmetic on exponents without bound costs memory
// without bound.
const (
	maxDigits   = 100
	maxExponent = 300
)

// arithmetic rounds to more digits than the 28 the specification asks for.
var arithmetic = apd.Context{
	Precision: 34, MaxExponent: maxExponent, MinExponent: -maxExponent, Rounding: apd.RoundHalfUp,
	Traps: apd.InvalidOperation | apd.DivisionByZero | apd.DivisionUndefined | apd.Overflow | apd.DivisionImpossible,
}

// parseNumber reads an Integer, or a Decimal if there is a point or exponent.
func parseNumber(text string) (Value, bool) {
	if strings.ContainsAny(text, ".eE") {
		d, ok := parseDecimal(text)
		return decimalValue(d), ok
	}
	i, err := strconv.ParseInt(text, 10, 32)
	return intValue(i), err == nil
}

func parseDecimal(text string) (*apd.Decimal, bool) {
	if len(text) == 0 || len(text) > maxDigits {
		return nil, false
	}
	for i := range len(text) {
		if c := text[i]; !digit(c) && c != '.' && c != '-' && c != '+' && c|0x20 != 'e' {
			return nil, false
		}
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite || d.Exponent > maxExponent || d.Exponent < -maxExponent {
		return nil, false
	}
	return d, true
}

func formatDecimal(d *apd.Decimal) string { return d.Text('f') }

// calculate runs an operation of the context; a result out of range is none.
func calculate(op func(d, x, y *apd.Decimal) (apd.Condition, error), x, y *apd.Decimal) (*apd.Decimal, bool) {
	d := new(apd.Decimal)
	_, err := op(d, x, y)
	return d, err == nil && d.Form == apd.Finite
}

// divide drops the zeros that division makes behind the point.
func divide(x, y *apd.Decimal) (*apd.Decimal, bool) {
	d, ok := calculate(arithmetic.Quo, x, y)
	if !ok {
		return nil, false
	}
	return trim(d), true
}

func trim(d *apd.Decimal) *apd.Decimal {
	d.Reduce(d)
	if d.Exponent > 0 {
		if whole, ok := quantize(d, 0, roundDown); ok {
			return whole
		}
	}
	return d
}

// integerOf returns d as an Integer if it is whole and fits.
func integerOf(d *apd.Decimal) (Value, bool) {
	i, err := d.Int64()
	if err != nil || i > math.MaxInt32 || i < math.MinInt32 {
		return Value{}, false
	}
	return intValue(i), true
}

// rounding says how digits are dropped.
type rounding uint8

const (
	roundHalfUp rounding = iota // away from zero in the middle
	roundFloor
	roundCeiling
	roundDown // towards zero
)

// quantize rounds to a number of digits behind the point. (apd's own loses the
// direction where all digits are dropped.)
func quantize(d *apd.Decimal, digits int32, mode rounding) (*apd.Decimal, bool) {
	drop := -digits - d.Exponent
	if drop > maxExponent+maxDigits || drop < -maxExponent-maxDigits {
		return nil, false
	}
	coefficient := new(big.Int).Set(d.Coeff.MathBigInt())
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(drop, -drop))), nil)
	if drop <= 0 {
		coefficient.Mul(coefficient, power)
	} else {
		rest := new(big.Int)
		coefficient.QuoRem(coefficient, power, rest)
		var up bool
		switch mode {
		case roundHalfUp:
			up = rest.Lsh(rest, 1).Cmp(power) >= 0
		case roundFloor:
			up = d.Negative && rest.Sign() != 0
		case roundCeiling:
			up = !d.Negative && rest.Sign() != 0
		}
		if up {
			coefficient.Add(coefficient, big.NewInt(1))
		}
	}
	out := apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(coefficient), -digits)
	out.Negative = d.Negative
	return out, true
}

// scale is the number of digits behind the point.
func scale(d *apd.Decimal) int32 { return max(-d.Exponent, 0) }
