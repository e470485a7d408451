package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// arithmeticOf compiles + - * / div mod &.
func arithmeticOf(op string, left, right code, offset int, a, b static) (code, static) {
	out := arithmeticStatic(op, a, b)
	return func(m *machine, _ []Value) error {
		x, okX, err := m.one(left)
		if err != nil {
			return at(offset, err)
		}
		y, okY, err := m.one(right)
		if err != nil {
			return at(offset, err)
		}
		if op == "&" {
			return at(offset, m.concatenate(x, y, okX, okY))
		}
		if !okX || !okY {
			return nil
		}
		xs, okX := x.system()
		ys, okY := y.system()
		if !okX || !okY {
			if x.hasSystem() && y.hasSystem() {
				return nil
			}
			return at(offset, failure("'{1}' is not defined for these values", op))
		}
		v, ok, err := m.calculate(op, xs, ys)
		if err != nil {
			return at(offset, err)
		}
		if ok {
			m.push(v)
		}
		return nil
	}, out
}

func arithmeticStatic(op string, a, b static) static {
	if op == "&" {
		return kindStatic(String)
	}
	var out static
	for x := Boolean; x <= Quantity; x++ {
		for y := Boolean; y <= Quantity; y++ {
			if a.mayBe(x) && b.mayBe(y) {
				if k, ok := arithmeticKind(op, x, y); ok {
					out.kinds |= 1 << k
				}
			}
		}
	}
	return out
}

// arithmeticKind is the type of the result, if there is one.
func arithmeticKind(op string, a, b Kind) (Kind, bool) {
	number := func(k Kind) bool { return k == Integer || k == Decimal }
	switch {
	case number(a) && number(b):
		switch {
		case op == "/":
			return Decimal, true
		case op == "div":
			return Integer, true
		case a == Integer && b == Integer:
			return Integer, true
		}
		return Decimal, true
	case a == String && b == String:
		return String, op == "+"
	case (a == Date || a == DateTime || a == Time) && b == Quantity:
		return a, op == "+" || op == "-"
	case a == Quantity && b == Quantity, number(a) && b == Quantity, a == Quantity && number(b):
		return Quantity, op != "div" && op != "mod"
	}
	return 0, false
}

func (m *machine) concatenate(a, b Value, okA, okB bool) error {
	var text [2]string
	for i, v := range [...]Value{a, b} {
		if [...]bool{okA, okB}[i] {
			s, ok := v.system()
			if !ok && v.hasSystem() {
				continue
			}
			if !ok || s.kind != String {
				return failure("'&' expects strings")
			}
			text[i] = s.text
		}
	}
	if err := m.write(len(text[0]) + len(text[1])); err != nil {
		return err
	}
	m.push(stringValue(text[0] + text[1]))
	return nil
}

// calculate applies an operator to two System values. A result that does not
// exist, such as a division by zero, is not ok.
func (m *machine) calculate(op string, a, b Value) (Value, bool, error) {
	if _, ok := arithmeticKind(op, a.kind, b.kind); !ok {
		return Value{}, false, failure("'{1}' is not defined for {2} and {3}", op, a.kind.String(), b.kind.String())
	}
	switch {
	case a.kind == String:
		if err := m.write(len(a.text) + len(b.text)); err != nil {
			return Value{}, false, err
		}
		return stringValue(a.text + b.text), true, nil
	case a.isTemporal():
		return shift(op, a.temporal(), b.quantity())
	case a.kind == Quantity || b.kind == Quantity:
		x, y, _ := quantities(a, b)
		if err := m.spend(costOfUnits); err != nil {
			return Value{}, false, err
		}
		v, ok := calculateQuantities(op, x, y)
		return v, ok, nil
	case a.kind == Integer && b.kind == Integer && op != "/":
		v, ok := calculateIntegers(op, a.num, b.num)
		return v, ok, nil
	}
	x, _ := a.decimal()
	y, _ := b.decimal()
	v, ok := calculateDecimals(op, x, y)
	return v, ok, nil
}

func calculateIntegers(op string, a, b int64) (Value, bool) {
	const low, high = -1 << 31, 1<<31 - 1
	var r int64
	switch op {
	case "+":
		r = a + b
	case "-":
		r = a - b
	case "*":
		// Integers of an instance may be wider than the type allows.
		if a > high || a < low || b > high || b < low {
			return Value{}, false
		}
		r = a * b
	case "div", "mod":
		if b == 0 {
			return Value{}, false
		}
		if r = a / b; op == "mod" {
			r = a % b
		}
	}
	return intValue(r), r >= low && r <= high
}

func calculateDecimals(op string, x, y *apd.Decimal) (Value, bool) {
	var d *apd.Decimal
	var ok bool
	switch op {
	case "+":
		d, ok = calculate(arithmetic.Add, x, y)
	case "-":
		d, ok = calculate(arithmetic.Sub, x, y)
	case "*":
		d, ok = calculate(arithmetic.Mul, x, y)
	case "/":
		if !y.IsZero() {
			d, ok = divide(x, y)
		}
	case "div":
		if y.IsZero() {
			return Value{}, false
		}
		if d, ok = calculate(arithmetic.QuoInteger, x, y); ok {
			return integerOf(d)
		}
	case "mod":
		if !y.IsZero() {
			d, ok = calculate(arithmetic.Rem, x, y)
		}
	}
	return decimalValue(d), ok
}

// shift moves a point in time by a quantity of time.
func shift(op string, t *temporal, q *quantity) (Value, bool, error) {
	unit := q.unit
	if !q.calendar {
		var ok bool
		if unit, ok = definiteUnits[q.unit]; !ok {
			unit = calendarUnit(q.unit)
		}
		if unit == "" {
			return Value{}, false, failure("expected a unit of time of a fixed length or a calendar unit")
		}
	}
	whole, fraction := new(apd.Decimal), new(apd.Decimal)
	number := new(apd.Decimal).Set(q.number)
	if op == "-" {
		number.Neg(number)
	}
	number.Modf(whole, fraction)
	n, err := whole.Int64()
	if err != nil {
		return Value{}, false, nil
	}
	var nanos int
	if unit == "second" || unit == "millisecond" {
		// Only seconds have parts; of other units the part is dropped.
		f, _ := fraction.Float64()
		nanos = int(f * float64(durations[unit]))
	}
	out, ok := t.add(n, nanos, unit)
	if !ok {
		return Value{}, false, nil
	}
	return temporalValue(out), true, nil
}

func (c *compiler) sign(e *expr) (code, static, error) {
	operand, in, err := c.expr(e.args[0])
	if err != nil {
		return nil, static{}, err
	}
	if c.opts.Strict && !in.mayBe(Integer) && !in.mayBe(Decimal) && !in.mayBe(Quantity) && !in.impossible() {
		return nil, static{}, c.fail(e.offset, "a sign is not defined for {1}", in.describe())
	}
	offset, negative := e.offset, e.name == "-"
	return func(m *machine, _ []Value) error {
		v, ok, err := m.one(operand)
		if err != nil || !ok {
			return at(offset, err)
		}
		s, ok := v.system()
		if !ok && v.hasSystem() {
			return nil
		}
		if negative && ok {
			s, ok = minus(s)
		}
		if !ok || s.kind != Integer && s.kind != Decimal && s.kind != Quantity {
			return at(offset, failure("a sign is defined for numbers only"))
		}
		m.push(s)
		return nil
	}, in.item(), nil
}

func minus(v Value) (Value, bool) {
	switch v.kind {
	case Integer:
		return intValue(-v.num), true
	case Decimal:
		return decimalValue(new(apd.Decimal).Neg(v.ref.(*apd.Decimal))), true
	case Quantity:
		q := v.quantity()
		return quantityValue(new(apd.Decimal).Neg(q.number), q.unit, q.calendar), true
	}
	return Value{}, false
}
