package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// mathematics are the functions of https://hl7.org/fhirpath/N1/#math.
func mathematics() map[string]function {
	number := kindStatic(Integer, Decimal)
	whole := func(mode rounding) function {
		return onNumber(0, 100, kindStatic(Integer), func(d *apd.Decimal, _ []Value) (Value, bool, error) {
			out, ok := quantize(d, 0, mode)
			if !ok {
				return Value{}, false, nil
			}
			v, ok := integerOf(out)
			return v, ok, nil
		})
	}
	unary := func(op func(d, x *apd.Decimal) (apd.Condition, error), allowed func(d *apd.Decimal) bool) function {
		return onNumber(0, costOfSeries, kindStatic(Decimal), func(d *apd.Decimal, _ []Value) (Value, bool, error) {
			if !allowed(d) {
				return Value{}, false, nil
			}
			out := new(apd.Decimal)
			_, err := op(out, d)
			return decimalValue(trim(out)), err == nil && out.Form == apd.Finite, nil
		})
	}
	positive := func(d *apd.Decimal) bool { return d.Sign() > 0 }
	return map[string]function{
		"abs": scalar(0, 0, kindStatic(Integer, Decimal, Quantity), func(_ *machine, v Value, _ []Value) (Value, bool, error) {
			negative := v.kind == Integer && v.num < 0
			switch v.kind {
			case Integer:
			case Decimal:
				negative = v.ref.(*apd.Decimal).Negative
			case Quantity:
				negative = v.quantity().number.Negative
			default:
				return Value{}, false, failure("expected a number, got {1}", v.kind.String())
			}
			if negative {
				v, _ = minus(v)
			}
			return v, true, nil
		}),
		"ceiling":  whole(roundCeiling),
		"floor":    whole(roundFloor),
		"truncate": whole(roundDown),
		"sqrt":     unary(arithmetic.Sqrt, func(d *apd.Decimal) bool { return d.Sign() >= 0 }),
		"ln":       unary(arithmetic.Ln, positive),
		// A larger exponent overflows, and takes long to find out.
		"exp": unary(arithmetic.Exp, func(d *apd.Decimal) bool {
			return d.Cmp(apd.New(600, 0)) < 0 && d.Cmp(apd.New(-600, 0)) > 0
		}),
		"log": onNumber(1, 2*costOfSeries, kindStatic(Decimal), func(d *apd.Decimal, args []Value) (Value, bool, error) {
			base, ok := args[0].decimal()
			if !ok {
				return Value{}, false, failure("expected a number as base")
			}
			if d.Sign() <= 0 || base.Sign() <= 0 || base.Cmp(apd.New(1, 0)) == 0 {
				return Value{}, false, nil
			}
			var x, y apd.Decimal
			if _, err := arithmetic.Ln(&x, d); err != nil {
				return Value{}, false, nil
			}
			if _, err := arithmetic.Ln(&y, base); err != nil {
				return Value{}, false, nil
			}
			out, ok := divide(&x, &y)
			if !ok {
				return Value{}, false, nil
			}
			// The quotient of two rounded logarithms is exact to fewer digits.
			rounded, ok := quantize(out, 28, roundHalfUp)
			return decimalValue(trim(rounded)), ok, nil
		}),
		"power": scalar(1, 1, number, power),
		"round": scalar(0, 1, kindStatic(Decimal), func(_ *machine, v Value, args []Value) (Value, bool, error) {
			d, ok := v.decimal()
			if !ok {
				return Value{}, false, failure("expected a number, got {1}", v.kind.String())
			}
			digits := int64(0)
			if len(args) == 1 {
				var err error
				if digits, err = intArg(args[0]); err != nil {
					return Value{}, false, err
				}
			}
			if digits < 0 || digits > 31 {
				return Value{}, false, failure("expected a precision from 0 to 31")
			}
			out, ok := quantize(d, int32(digits), roundHalfUp)
			return decimalValue(out), ok, nil
		}),
	}
}

// onNumber is a function of an Integer or Decimal.
func onNumber(args, cost int, out static, run func(d *apd.Decimal, args []Value) (Value, bool, error)) function {
	return scalar(args, args, out, func(m *machine, v Value, args []Value) (Value, bool, error) {
		d, ok := v.decimal()
		if !ok {
			return Value{}, false, failure("expected a number, got {1}", v.kind.String())
		}
		if err := m.spend(cost); err != nil {
			return Value{}, false, err
		}
		return run(d, args)
	})
}

func power(m *machine, v Value, args []Value) (Value, bool, error) {
	x, okX := v.decimal()
	y, okY := args[0].decimal()
	if !okX || !okY {
		return Value{}, false, failure("expected numbers")
	}
	if err := m.spend(costOfSeries); err != nil {
		return Value{}, false, err
	}
	if limit := apd.New(10_000, 0); y.Cmp(limit) > 0 || y.Cmp(new(apd.Decimal).Neg(limit)) < 0 {
		return Value{}, false, nil
	}
	d, ok := calculate(arithmetic.Pow, x, y)
	if !ok {
		return Value{}, false, nil
	}
	if v.kind == Integer && args[0].kind == Integer && args[0].num >= 0 {
		out, ok := integerOf(d)
		return out, ok, nil
	}
	return decimalValue(trim(d)), true, nil
}
