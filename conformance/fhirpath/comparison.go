package fhirpath

import (
	"strings"
)

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
			t = m.equalCollections(values, literal)
		}
		m.stack = m.stack[:mark]
		m.pushTri(t)
		return at(offset, m.spend(1))
	}
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
		if m.equal(&a[0], &b[i]) == yes {
			return yes, nil
		}
	}
	return no, nil
}

// haveOrder reports whether two static types have an order between them.
func haveOrder(a, b static) bool {
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
func (m *machine) ordered(op string, a, b []Value) (tri, error) {
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
	order, known, err := m.compare(x, y)
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
func (m *machine) compare(a, b Value) (order int, known bool, err error) {
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
		m.chargeUnits(qa, qb)
		order, known = compareQuantities(qa, qb)
		return order, known, nil
	}
	return 0, false, failure("{1} and {2} have no order", a.kind.String(), b.kind.String())
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
