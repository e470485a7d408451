package fhirpath

import (
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// conversion are the functions of https://hl7.org/fhirpath/N1/#conversion: for
// each type toX, which gives nothing where convertsToX is false.
func conversion() map[string]function {
	all := map[string]function{}
	for _, c := range []struct {
		kind    Kind
		convert func(v Value) (Value, bool)
	}{
		{Boolean, toBoolean}, {Integer, toInteger}, {Decimal, toDecimal}, {String, toText},
		{Date, toDate}, {DateTime, toDateTime}, {Time, toTime},
	} {
		all["to"+c.kind.String()] = convertible(nothing, 0, kindStatic(c.kind), func(_ *machine, v Value, _ []Value) (Value, bool, error) {
			out, ok := c.convert(v)
			return out, ok, nil
		})
		all["convertsTo"+c.kind.String()] = convertible(falsehood, 0, kindStatic(Boolean), func(_ *machine, v Value, _ []Value) (Value, bool, error) {
			_, ok := c.convert(v)
			return boolValue(ok), true, nil
		})
	}
	all["toQuantity"] = convertible(nothing, 1, kindStatic(Quantity), func(_ *machine, v Value, args []Value) (Value, bool, error) {
		q, ok, err := quantityIn(v, args)
		if err != nil || !ok {
			return Value{}, false, err
		}
		return Value{kind: Quantity, ref: q}, true, nil
	})
	all["convertsToQuantity"] = convertible(falsehood, 1, kindStatic(Boolean), func(_ *machine, v Value, args []Value) (Value, bool, error) {
		_, ok, err := quantityIn(v, args)
		return boolValue(ok), err == nil, err
	})
	return all
}

func nothing(*machine)     {}
func falsehood(m *machine) { m.push(boolValue(false)) }

// convertible is a scalar function that answers for an element that no System
// type stands for, too: it converts to nothing.
func convertible(complex func(*machine), max int, out static, run func(m *machine, v Value, args []Value) (Value, bool, error)) function {
	f := scalar(0, max, out, run)
	simple := f.compile
	f.compile = func(c *compiler, e *expr, in static) (code, static, error) {
		run, out, err := simple(c, e, in)
		return func(m *machine, focus []Value) error {
			if len(focus) == 1 && !focus[0].hasSystem() {
				complex(m)
				return nil
			}
			return run(m, focus)
		}, out, err
	}
	return f
}

func toBoolean(v Value) (Value, bool) {
	switch v.kind {
	case Boolean:
		return v, true
	case Integer:
		return boolValue(v.num == 1), v.num == 0 || v.num == 1
	case Decimal:
		d := v.ref.(*apd.Decimal)
		one := d.Cmp(apd.New(1, 0)) == 0
		return boolValue(one), one || d.IsZero()
	case String:
		switch strings.ToLower(v.text) {
		case "true", "t", "yes", "y", "1", "1.0":
			return boolValue(true), true
		case "false", "f", "no", "n", "0", "0.0":
			return boolValue(false), true
		}
	}
	return Value{}, false
}

func toInteger(v Value) (Value, bool) {
	switch v.kind {
	case Boolean:
		return intValue(v.num), true
	case Integer:
		return v, v.num >= math.MinInt32 && v.num <= math.MaxInt32
	case String:
		if plainNumber(v.text, false) {
			return parseNumber(v.text)
		}
	}
	return Value{}, false
}

// plainNumber reports whether text is an optional sign and digits, with an
// optional fraction if that is allowed.
func plainNumber(text string, fraction bool) bool {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "+"), "-")
	whole, part, point := strings.Cut(text, ".")
	if point && (!fraction || part == "") {
		return false
	}
	for _, c := range []byte(whole + part) {
		if !digit(c) {
			return false
		}
	}
	return whole != ""
}

func toDecimal(v Value) (Value, bool) {
	switch v.kind {
	case Boolean, Integer:
		return decimalValue(apd.New(v.num, 0)), true
	case Decimal:
		return v, true
	case String:
		if plainNumber(v.text, true) {
			d, ok := parseDecimal(v.text)
			return decimalValue(d), ok
		}
	}
	return Value{}, false
}

func toText(v Value) (Value, bool) { return stringValue(v.String()), v.kind != TypeInfo }

func toDate(v Value) (Value, bool) {
	switch v.kind {
	case Date:
		return v, true
	case DateTime:
		t := *v.temporal()
		t.kind, t.precision, t.zoned, t.offset, t.digits = Date, min(t.precision, dayField), false, 0, 0
		return temporalValue(&t), true
	case String:
		if out, ok := parseTemporal(Date, v.text); ok {
			return out, true
		}
		if out, ok := parseTemporal(DateTime, v.text); ok {
			return toDate(out)
		}
	}
	return Value{}, false
}

func toDateTime(v Value) (Value, bool) {
	switch v.kind {
	case DateTime:
		return v, true
	case Date:
		t := *v.temporal()
		t.kind = DateTime
		return temporalValue(&t), true
	case String:
		return parseTemporal(DateTime, v.text)
	}
	return Value{}, false
}

func toTime(v Value) (Value, bool) {
	switch v.kind {
	case Time:
		return v, true
	case String:
		return parseTemporal(Time, strings.TrimPrefix(v.text, "T"))
	}
	return Value{}, false
}

// quantityIn converts to a quantity, in the unit of the argument if given.
func quantityIn(v Value, args []Value) (*quantity, bool, error) {
	q, ok := anyQuantity(v)
	if !ok || len(args) == 0 {
		return q, ok, nil
	}
	unit, err := textArg(args[0])
	if err != nil {
		return nil, false, err
	}
	wanted := &quantity{number: apd.New(1, 0), unit: unit, calendar: calendarUnit(unit) != ""}
	if sameUnit(q, wanted) {
		return q, true, nil
	}
	value, base, ok := q.canonical()
	one, wantedBase, okWanted := wanted.canonical()
	if !ok || !okWanted || base != wantedBase || one.Sign() == 0 {
		return nil, false, nil
	}
	if u, _ := wanted.ucum(); !u.Linear() {
		return nil, false, nil
	}
	d, ok := decimalOf(value.Quo(value, one))
	return &quantity{number: d, unit: unit, calendar: wanted.calendar}, ok, nil
}

func anyQuantity(v Value) (*quantity, bool) {
	switch v.kind {
	case Boolean:
		return &quantity{number: apd.New(v.num, 0), unit: "1"}, true
	case Integer, Decimal, Quantity:
		return toQuantity(v)
	case String:
		return parseQuantity(v.text)
	}
	return nil, false
}

// parseQuantity reads a number, then nothing, a quoted UCUM unit or the name of
// a calendar unit.
func parseQuantity(text string) (*quantity, bool) {
	number, unit, _ := strings.Cut(text, " ")
	unit = strings.TrimSpace(unit)
	if before, rest, quoted := strings.Cut(number, "'"); quoted {
		number, unit = before, "'"+rest
	}
	if !plainNumber(number, true) {
		return nil, false
	}
	d, ok := parseDecimal(number)
	if !ok {
		return nil, false
	}
	switch {
	case unit == "":
		return &quantity{number: d, unit: "1"}, true
	case len(unit) > 2 && unit[0] == '\'' && unit[len(unit)-1] == '\'':
		return &quantity{number: d, unit: unit[1 : len(unit)-1]}, true
	case calendarUnit(unit) != "":
		return &quantity{number: d, unit: calendarUnit(unit), calendar: true}, true
	}
	return nil, false
}
