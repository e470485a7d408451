package fhirpath

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// dates are the functions of https://hl7.org/fhirpath/N1/#current-date-and-time,
// boundaries and precision.
func dates() map[string]function {
	clock := func(kind Kind, precision int) function {
		return plain(kindStatic(kind), func(m *machine, _ []Value) error {
			t := &temporal{kind: kind, precision: precision}
			at := m.clock()
			t.set(at)
			if kind == Time {
				t.fields[yearField], t.fields[monthField], t.fields[dayField] = 0, 1, 1
			}
			if precision == fractionField {
				t.fields[fractionField] -= t.fields[fractionField] % int(time.Millisecond)
				t.digits = 3
			}
			if kind == DateTime {
				_, offset := at.Zone()
				t.zoned, t.offset = true, offset/60
			}
			m.push(temporalValue(t))
			return nil
		})
	}
	return map[string]function{
		"now":          clock(DateTime, fractionField),
		"today":        clock(Date, dayField),
		"timeOfDay":    clock(Time, fractionField),
		"lowBoundary":  boundary(false),
		"highBoundary": boundary(true),
		"precision": scalar(0, 0, kindStatic(Integer), func(_ *machine, v Value, _ []Value) (Value, bool, error) {
			switch v.kind {
			case Integer:
				return intValue(0), true, nil
			case Decimal:
				return intValue(int64(scale(v.ref.(*apd.Decimal)))), true, nil
			case Date, DateTime, Time:
				return intValue(int64(v.temporal().digitCount())), true, nil
			}
			return Value{}, false, failure("expected a number, date or time, got {1}", v.kind.String())
		}),
	}
}

func (m *machine) clock() time.Time {
	if m.now.IsZero() {
		if m.now = m.env.Now; m.now.IsZero() {
			m.now = time.Now()
		}
	}
	return m.now
}

// digitCounts is how many digits a temporal has up to each field.
var digitCounts = [fieldCount]int{4, 6, 8, 10, 12, 14, 17}

func (t *temporal) digitCount() int {
	n := digitCounts[t.precision]
	if t.kind == Time {
		n -= digitCounts[dayField]
	}
	return n
}

// boundary gives the least or greatest value that a value of its precision may
// stand for.
func boundary(high bool) function {
	return scalar(0, 1, kindStatic(Decimal, Date, DateTime, Time, Quantity), func(m *machine, v Value, args []Value) (Value, bool, error) {
		if err := m.spend(50); err != nil {
			return Value{}, false, err
		}
		digits := -1
		if len(args) == 1 {
			n, err := intArg(args[0])
			if err != nil || n < 0 || n > 31 {
				return Value{}, false, err
			}
			digits = int(n)
		}
		switch v.kind {
		case Integer, Decimal:
			d, _ := v.decimal()
			out, ok := decimalBoundary(d, digits, high)
			return decimalValue(out), ok, nil
		case Quantity:
			q := v.quantity()
			out, ok := decimalBoundary(q.number, digits, high)
			return quantityValue(out, q.unit, q.calendar), ok, nil
		case Date, DateTime, Time:
			out, ok := v.temporal().boundary(digits, high)
			return temporalValue(out), ok, nil
		}
		return Value{}, false, failure("expected a number, date or time, got {1}", v.kind.String())
	})
}

func decimalBoundary(d *apd.Decimal, digits int, high bool) (*apd.Decimal, bool) {
	if digits < 0 {
		digits = 8
	}
	half := apd.New(5, -scale(d)-1)
	op, mode := arithmetic.Sub, roundFloor
	if high {
		op, mode = arithmetic.Add, roundCeiling
	}
	edge, ok := calculate(op, d, half)
	if !ok {
		return nil, false
	}
	// A number all of whose digits lie behind the precision is zero there.
	if edge.NumDigits()+int64(edge.Exponent) <= int64(-digits) {
		mode = roundDown
	}
	return quantize(edge, int32(digits), mode)
}

// boundary fills t up to the precision with that many digits, or cuts it there.
// A missing zone may be any: the first is +14:00, the last -12:00.
func (t *temporal) boundary(digits int, high bool) (*temporal, bool) {
	c := *t
	last := fractionField
	if t.kind == Date {
		last = dayField
	}
	if digits >= 0 {
		last = -1
		for f := range fieldCount {
			n := digitCounts[f]
			if t.kind == Time {
				n -= digitCounts[dayField]
			}
			if n == digits {
				last = f
			}
		}
		if last < 0 || t.kind == Date && last > dayField || t.kind == Time && last < hourField {
			return nil, false
		}
	}
	if high {
		c.fields[monthField] = pick(t.precision >= monthField, t.fields[monthField], 12)
		if t.precision < dayField && t.kind != Time {
			c.fields[dayField] = daysIn(c.fields[yearField], c.fields[monthField])
		}
		for f, most := range map[int]int{hourField: 23, minuteField: 59, secondField: 59, fractionField: 999_000_000} {
			if f > t.precision {
				c.fields[f] = most
			}
		}
	}
	c.precision = last
	if last == fractionField {
		c.digits = max(3, t.digits)
	}
	if t.kind == DateTime && last >= hourField && !t.zoned {
		c.zoned, c.offset = true, pick(high, -12*60, 14*60)
	}
	if last < hourField {
		c.zoned, c.offset = false, 0
	}
	return &c, true
}

func pick(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}
