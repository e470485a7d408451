package patch

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// wideObject is the number of properties from which they are looked up in a map.
const wideObject = 16

// equal compares as JSON Patch does: properties in any order, numbers by value.
func (p *jsonPatch) equal(a, b *fhir.Node) (bool, error) {
	if err := p.spend(1); err != nil {
		return false, err
	}
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false, nil
	}
	switch a.Kind() {
	case fhir.Number:
		return sameNumber(a.Text(), b.Text()), nil
	case fhir.Array:
		for i, k := range a.All() {
			if same, err := p.equal(k, b.At(i)); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case fhir.Object:
		find := b.Get
		if b.Len() > wideObject {
			byName := make(map[string]*fhir.Node, b.Len())
			for _, k := range b.All() {
				byName[k.Name()] = k
			}
			find = func(name string) *fhir.Node { return byName[name] }
		}
		for _, k := range a.All() {
			other := find(k.Name())
			if other == nil {
				return false, nil
			}
			if same, err := p.equal(k, other); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	return a.Text() == b.Text(), nil
}

// sameNumber compares two literals of JSON by value: 1, 1.0 and 10e-1 are the same.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := decimalOf(a)
	y, okY := decimalOf(b)
	return okX && okY && x == y
}

// decimalNumber is sign, digits without zeros at either end, and the power of ten
// of the last digit.
type decimalNumber struct {
	negative bool
	digits   string
	exponent int
}

// decimalOf is not ok for an exponent that no number has which means something.
func decimalOf(literal string) (d decimalNumber, ok bool) {
	rest, negative := strings.CutPrefix(literal, "-")
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		e, err := strconv.ParseInt(strings.TrimPrefix(rest[i+1:], "+"), 10, 32)
		if err != nil {
			return d, false
		}
		d.exponent, rest = int(e), rest[:i]
	}
	whole, fraction, _ := strings.Cut(rest, ".")
	d.exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	d.exponent += len(digits) - len(d.digits)
	if d.digits == "" {
		return decimalNumber{}, true
	}
	d.negative = negative
	return d, true
}
