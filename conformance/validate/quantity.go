package validate

import (
	"math/big"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// compareQuantities orders quantities, of different units by UCUM.
func compareQuantities(a, b *fhir.Node) (order int, known bool) {
	unitA, unitB := unitOf(a), unitOf(b)
	x, y := a.Get("value").Text(), b.Get("value").Text()
	if unitA == unitB {
		return compareNumbers(x, y)
	}
	if a.Get("system").Text() != terminology.UCUM || b.Get("system").Text() != terminology.UCUM {
		return 0, false
	}
	u, okA := ucum.Parse(unitA)
	w, okB := ucum.Parse(unitB)
	if !okA || !okB || u.Canonical() != w.Canonical() || !u.Linear() || !w.Linear() || len(x) > maxNumber || len(y) > maxNumber {
		return 0, false
	}
	p, okA := rational(x)
	q, okB := rational(y)
	if !okA || !okB {
		return 0, false
	}
	return u.Rat(p).Cmp(w.Rat(q)), true
}

// maxExponent bounds the exponents of numbers that become rationals, which hold
// every digit.
const maxExponent = 64

func rational(s string) (*big.Rat, bool) {
	if _, exponent, has := cutAny(s, "eE"); has {
		if n, ok := new(big.Int).SetString(exponent, 10); !ok || n.CmpAbs(big.NewInt(maxExponent)) > 0 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func unitOf(n *fhir.Node) string {
	if code := n.Get("code").Text(); code != "" {
		return code
	}
	return n.Get("unit").Text()
}
