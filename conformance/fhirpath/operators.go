package fhirpath

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
		return comparison(left, right, offset, func(m *machine, a, b []Value) (tri, error) {
			return negate(m.equalCollections(a, b), e.name == "!="), nil
		}), boolean, nil
	case "~", "!~":
		return comparison(left, right, offset, func(m *machine, a, b []Value) (tri, error) {
			return negate(triOf(m.equivalentCollections(a, b)), e.name == "!~"), nil
		}), boolean, nil
	case "<", "<=", ">", ">=":
		if c.opts.Strict && !haveOrder(inLeft, inRight) {
			return nil, static{}, c.fail(offset, "{1} cannot be compared with {2}", inLeft.describe(), inRight.describe())
		}
		return comparison(left, right, offset, func(m *machine, a, b []Value) (tri, error) {
			return m.ordered(e.name, a, b)
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
		return nil, static{}, c.fail(offset, "'{1}' is not defined for {2} and {3}", e.name, inLeft.describe(), inRight.describe())
	}
	return run, out, nil
}

func union(a, b static) static {
	out := a.or(b)
	out.many = out.many || !a.impossible() && !b.impossible()
	out.unordered = true
	return out
}
