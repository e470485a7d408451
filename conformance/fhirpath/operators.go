package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// binary compiles the operators with two operands.
func (c *compiler) binary(e *expr) (code, static, error) {
	left, inLeft, err := c.expr(e.args[0])
	if err != nil {
		return nil, static{}, err
	}
	right, inRight, err := c.expr(e.args[1])
	if err != nil {
		return nil, static{}, err
	}
	offset := e.offset
	boolean := kindStatic(Boolean)
	switch e.name {
	case "and", "or", "xor", "implies":
		return logic(e.name, left, right, offset), boolean, nil
	case "=", "!=":
		if run := equalsText(e, left); run != nil {
			return run, boolean, nil
		}
		return comparison(left, right, offset, func(_ *machine, a, b []Value) (tri, error) {
			return negate(equalCollections(a, b), e.name == "!="), nil
		}), boolean, nil
	case "~", "!~":
		return comparison(left, right, offset, func(_ *machine, a, b []Value) (tri, error) {
			return negate(triOf(equivalentCollections(a, b)), e.name == "!~"), nil
		}), boolean, nil
	case "<", "<=", ">", ">=":
		if c.opts.Strict && !comparable2(inLeft, inRight) {
			return nil, static{}, c.fail(offset, "%s cannot be compared with %s", inLeft.describe(), inRight.describe())
		}
		return comparison(left, right, offset, func(_ *machine, a, b []Value) (tri, error) {
			return ordered(e.name, a, b)
		}), boolean, nil
	case "in", "contains":
		return comparison(left, right, offset, func(m *machine, a, b []Value) (tri, error) {
			if e.name == "contains" {
				a, b = b, a
			}
			return m.member(a, b)
		}), boolean, nil
	case "|":
		// Parameters that several types share are unions of which one type needs
		// one branch.
		if inLeft.absent || inRight.absent {
			only, out := left, inLeft
			if inLeft.absent {
				only, out = right, inRight
			}
			if !out.many {
				return only, out, nil
			}
			return func(m *machine, focus []Value) error {
				mark := len(m.stack)
				if err := only(m, focus); err != nil {
					return err
				}
				return at(offset, m.distinct(mark))
			}, out, nil
		}
		return func(m *machine, focus []Value) error {
			mark := len(m.stack)
			if err := left(m, focus); err != nil {
				return err
			}
			if err := right(m, focus); err != nil {
				return err
			}
			return at(offset, m.distinct(mark))
		}, union(inLeft, inRight), nil
	}
	run, out := arithmeticOf(e.name, left, right, offset, inLeft, inRight)
	if c.opts.Strict && out.impossible() && !inLeft.impossible() && !inRight.impossible() {
		return nil, static{}, c.fail(offset, "'%s' is not defined for %s and %s", e.name, inLeft.describe(), inRight.describe())
	}
	return run, out, nil
}

func union(a, b static) static {
	out := a.or(b)
	out.many = out.many || !a.impossible() && !b.impossible()
	out.unordered = true
	return out
}

func negate(t tri, not bool) tri {
	if !not || t == unknown {
		return t
	}
	return triOf(t == no)
}

// comparison evaluates both operands and pushes what compare says of them.
func comparison(left, right code, offset int, compare func(m *machine, a, b []Value) (tri, error)) code {
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		if err := left(m, focus); err != nil {
			return err
		}
		mid := len(m.stack)
		if err := right(m, focus); err != nil {
			return err
		}
		if err := m.spend(len(m.stack) - mark); err != nil {
			return at(offset, err)
		}
		t, err := compare(m, m.stack[mark:mid], m.stack[mid:])
		if err != nil {
			return at(offset, err)
		}
		m.stack = m.stack[:mark]
		m.pushTri(t)
		return nil
	}
}

// equalsText is the short way for "path = 'text'", which most criteria are.
func equalsText(e *expr, left code) code {
	r := e.args[1]
	if e.name != "=" || r.kind != exprLiteral || r.value.kind != String {
		return nil
	}
	text := r.value.text
	literal := []Value{r.value}
	offset := e.offset
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		if err := left(m, focus); err != nil {
			return err
		}
		values := m.stack[mark:]
		var t tri
		switch {
		case len(values) == 1 && values[0].kind == Element && values[0].class.system == String && values[0].hasValue():
			t = triOf(values[0].node.Text() == text)
		default:
			t = equalCollections(values, literal)
		}
		m.stack = m.stack[:mark]
		m.pushTri(t)
		return at(offset, m.spend(1))
	}
}

func logic(op string, left, right code, offset int) code {
	return func(m *machine, _ []Value) error {
		a, err := m.truth(left)
		if err != nil {
			return at(offset, err)
		}
		switch {
		case op == "and" && a == no, op == "or" && a == yes, op == "implies" && a == no:
			m.push(boolValue(op != "and"))
			return nil
		}
		b, err := m.truth(right)
		if err != nil {
			return at(offset, err)
		}
		m.pushTri(combine(op, a, b))
		return nil
	}
}

// combine is the truth table of three-valued logic.
func combine(op string, a, b tri) tri {
	switch op {
	case "and":
		switch {
		case a == no || b == no:
			return no
		case a == yes && b == yes:
			return yes
		}
	case "or":
		switch {
		case a == yes || b == yes:
			return yes
		case a == no && b == no:
			return no
		}
	case "xor":
		if a != unknown && b != unknown {
			return triOf(a != b)
		}
	case "implies":
		switch {
		case a == no || b == yes:
			return yes
		case a == yes && b == no:
			return no
		}
	}
	return unknown
}

// member answers "in": one value on the left, any number on the right.
func (m *machine) member(a, b []Value) (tri, error) {
	switch {
	case len(a) == 0:
		return unknown, nil
	case len(a) > 1:
		return unknown, failure("expected one value to look for, got several")
	}
	if err := m.spend(len(b)); err != nil {
		return unknown, err
	}
	for i := range b {
		if equal(&a[0], &b[i]) == yes {
			return yes, nil
		}
	}
	return no, nil
}

// comparable2 reports whether two static types have an order between them.
func comparable2(a, b static) bool {
	if a.impossible() || b.impossible() {
		return true
	}
	groups := [...][]Kind{{Integer, Decimal, Quantity}, {String}, {Date, DateTime}, {Time}}
	for _, g := range groups {
		var x, y bool
		for _, k := range g {
			x = x || a.mayBe(k)
			y = y || b.mayBe(k)
		}
		if x && y {
			return true
		}
	}
	return false
}

// ordered answers <, <=, > and >=.
func ordered(op string, a, b []Value) (tri, error) {
	if len(a) == 0 || len(b) == 0 {
		return unknown, nil
	}
	if len(a) > 1 || len(b) > 1 {
		return unknown, failure("expected one value on each side, got several")
	}
	x, okX := a[0].system()
	y, okY := b[0].system()
	if !okX || !okY {
		if a[0].hasSystem() && b[0].hasSystem() {
			return unknown, nil // no value, or a malformed one
		}
		return unknown, failure("these values have no order")
	}
	order, known, err := compare(x, y)
	if err != nil || !known {
		return unknown, err
	}
	switch op {
	case "<":
		return triOf(order < 0), nil
	case "<=":
		return triOf(order <= 0), nil
	case ">":
		return triOf(order > 0), nil
	}
	return triOf(order >= 0), nil
}

// hasSystem reports whether v's type stands for a System type at all.
func (v Value) hasSystem() bool {
	return v.kind != Element || v.class != nil && (v.class.system != Element || v.class.kind == classAny)
}

// compare orders two System values.
func compare(a, b Value) (order int, known bool, err error) {
	x, numberA := a.decimal()
	y, numberB := b.decimal()
	switch {
	case a.kind == Integer && b.kind == Integer:
		return int(a.num - b.num), true, nil
	case numberA && numberB:
		return x.Cmp(y), true, nil
	case a.kind == String && b.kind == String:
		return strings.Compare(a.text, b.text), true, nil
	case a.isTemporal() && b.isTemporal() && (a.kind == Time) == (b.kind == Time):
		order, known = compareTemporal(a.temporal(), b.temporal())
		return order, known, nil
	}
	if qa, qb, ok := quantities(a, b); ok {
		order, known = compareQuantities(qa, qb)
		return order, known, nil
	}
	return 0, false, failure(a.kind.String() + " and " + b.kind.String() + " have no order")
}

func (v Value) isTemporal() bool { return v.kind == Date || v.kind == DateTime || v.kind == Time }

// quantities converts a number beside a quantity to one without a unit.
func quantities(a, b Value) (x, y *quantity, ok bool) {
	if a.kind != Quantity && b.kind != Quantity {
		return nil, nil, false
	}
	x, okX := toQuantity(a)
	y, okY := toQuantity(b)
	return x, y, okX && okY
}

func toQuantity(v Value) (*quantity, bool) {
	if v.kind == Quantity {
		return v.quantity(), true
	}
	if d, ok := v.decimal(); ok {
		return &quantity{number: d, unit: "1"}, true
	}
	return nil, false
}

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
			return at(offset, failure("'"+op+"' is not defined for these values"))
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
		return Value{}, false, failure("'" + op + "' is not defined for " + a.kind.String() + " and " + b.kind.String())
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
		return nil, static{}, c.fail(e.offset, "a sign is not defined for %s", in.describe())
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
