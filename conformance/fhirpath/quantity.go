package fhirpath

import (
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// canonical converts a quantity to base units. Calendar years and months have
// no fixed length and no canonical form; shorter ones are UCUM units by another
// name.
func (q *quantity) canonical() (value *big.Rat, unit string, ok bool) {
	u, ok := q.ucum()
	if !ok {
		return nil, "", false
	}
	r, ok := ratOf(q.number)
	if !ok {
		return nil, "", false
	}
	return u.Rat(r), u.Canonical(), true
}

func (q *quantity) ucum() (*ucum.Unit, bool) {
	unit := q.unit
	if q.calendar {
		if unit = calendarCodes[unit]; unit == "" {
			return nil, false
		}
	}
	return ucum.Parse(unit)
}

// calendarCodes are the UCUM codes of calendar units of fixed length.
var calendarCodes = map[string]string{
	"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}

func ratOf(d *apd.Decimal) (*big.Rat, bool) {
	r, ok := new(big.Rat).SetString(d.Text('e'))
	return r, ok
}

// decimalOf writes a fraction with the digits arithmetic has.
func decimalOf(r *big.Rat) (*apd.Decimal, bool) {
	num, _, err := apd.NewFromString(r.Num().String())
	if err != nil {
		return nil, false
	}
	den, _, err := apd.NewFromString(r.Denom().String())
	if err != nil {
		return nil, false
	}
	return divide(num, den)
}

// sameUnit reports whether two quantities have the same unit as written.
func sameUnit(a, b *quantity) bool { return a.unit == b.unit && a.calendar == b.calendar }

// chargeUnits pays for comparing two quantities.
func (m *machine) chargeUnits(a, b *quantity) {
	if !sameUnit(a, b) {
		m.charge(costOfUnits)
	}
}

func compareQuantities(a, b *quantity) (order int, known bool) {
	if sameUnit(a, b) {
		return a.number.Cmp(b.number), true
	}
	x, unitX, okX := a.canonical()
	y, unitY, okY := b.canonical()
	if !okX || !okY || unitX != unitY {
		return 0, false
	}
	return x.Cmp(y), true
}

// equalQuantities is not known where the units cannot be compared.
func equalQuantities(a, b *quantity) tri {
	order, known := compareQuantities(a, b)
	if !known {
		return unknown
	}
	return triOf(order == 0)
}

// equivalentQuantities compares at the precision of the less precise. A
// calendar year is equivalent to a UCUM one.
func equivalentQuantities(a, b *quantity) bool {
	if sameUnit(a, b) || definite(a) == definite(b) && definite(a) != "" {
		return equivalentDecimals(a.number, b.number)
	}
	x, unitX, okX := a.canonical()
	y, unitY, okY := b.canonical()
	if !okX || !okY || unitX != unitY {
		return false
	}
	// Express b in the unit of a, then compare as numbers.
	ua, _ := a.ucum()
	one := ua.Rat(big.NewRat(1, 1))
	if !ua.Linear() || one.Sign() == 0 {
		return x.Cmp(y) == 0
	}
	d, ok := decimalOf(y.Quo(y, one))
	return ok && equivalentDecimals(a.number, d)
}

// definite gives years and months of the calendar and of UCUM one name.
func definite(q *quantity) string {
	switch {
	case q.calendar && (q.unit == "year" || q.unit == "month"):
		return q.unit
	case !q.calendar && q.unit == "a":
		return "year"
	case !q.calendar && q.unit == "mo":
		return "month"
	}
	return ""
}

func calculateQuantities(op string, a, b *quantity) (Value, bool) {
	switch op {
	case "+", "-":
		return addQuantities(op, a, b)
	case "*":
		switch {
		case b.unit == "1":
			d, ok := calculate(arithmetic.Mul, a.number, b.number)
			return quantityValue(d, a.unit, a.calendar), ok
		case a.unit == "1":
			d, ok := calculate(arithmetic.Mul, a.number, b.number)
			return quantityValue(d, b.unit, b.calendar), ok
		}
	case "/":
		if b.number.IsZero() {
			return Value{}, false
		}
		if b.unit == "1" {
			d, ok := divide(a.number, b.number)
			return quantityValue(d, a.unit, a.calendar), ok
		}
		if sameUnit(a, b) {
			d, ok := divide(a.number, b.number)
			return quantityValue(d, "1", false), ok
		}
	}
	ua, okA := a.ucum()
	ub, okB := b.ucum()
	if !okA || !okB || !ua.Linear() || !ub.Linear() {
		return Value{}, false
	}
	x, unitX, okX := a.canonical()
	y, unitY, okY := b.canonical()
	if !okX || !okY {
		return Value{}, false
	}
	var unit string
	var ok bool
	if op == "*" {
		x.Mul(x, y)
		unit, ok = ucum.Multiply(unitX, unitY)
	} else {
		x.Quo(x, y)
		unit, ok = ucum.Divide(unitX, unitY)
	}
	if !ok {
		return Value{}, false
	}
	d, ok := decimalOf(x)
	return quantityValue(d, unit, false), ok
}

// addQuantities keeps the unit of the left operand.
func addQuantities(op string, a, b *quantity) (Value, bool) {
	number := b.number
	if !sameUnit(a, b) {
		ua, okA := a.ucum()
		y, unitY, okB := b.canonical()
		if !okA || !okB || ua.Canonical() != unitY || !ua.Linear() {
			return Value{}, false
		}
		d, ok := decimalOf(y.Quo(y, ua.Rat(big.NewRat(1, 1))))
		if !ok {
			return Value{}, false
		}
		number = d
	}
	f := arithmetic.Add
	if op == "-" {
		f = arithmetic.Sub
	}
	d, ok := calculate(f, a.number, number)
	return quantityValue(d, a.unit, a.calendar), ok
}
