package fhirpath

// existence are the functions of https://hl7.org/fhirpath/N1/#existence and of
// boolean logic.
func existence() map[string]function {
	boolean := kindStatic(Boolean)
	return map[string]function{
		"empty": plain(boolean, func(m *machine, focus []Value) error {
			m.push(boolValue(len(focus) == 0))
			return nil
		}),
		"exists": {0, 1, func(c *compiler, e *expr, in static) (code, static, error) {
			if len(e.args) == 0 {
				return func(m *machine, focus []Value) error {
					m.push(boolValue(len(focus) > 0))
					return nil
				}, boolean, nil
			}
			criteria, _, err := c.lambda(e.args[0], in)
			return quantifier(criteria, yes, true), boolean, err
		}},
		"all": {1, 1, func(c *compiler, e *expr, in static) (code, static, error) {
			criteria, _, err := c.lambda(e.args[0], in)
			return func(m *machine, focus []Value) error {
				result := true
				err := m.each(focus, func(int) error {
					if !result {
						return nil
					}
					t, err := m.truth(criteria)
					result = t == yes
					return err
				})
				m.push(boolValue(result))
				return err
			}, boolean, err
		}},
		"allTrue":  truths(boolean, func(t bool) bool { return !t }, false),
		"anyTrue":  truths(boolean, func(t bool) bool { return t }, true),
		"allFalse": truths(boolean, func(t bool) bool { return t }, false),
		"anyFalse": truths(boolean, func(t bool) bool { return !t }, true),
		"not": plain(boolean, func(m *machine, focus []Value) error {
			t, err := truth(focus)
			m.pushTri(negate(t, true))
			return err
		}),
		"count": plain(kindStatic(Integer), func(m *machine, focus []Value) error {
			m.push(intValue(int64(len(focus))))
			return nil
		}),
		"distinct": {0, 0, func(_ *compiler, _ *expr, in static) (code, static, error) {
			in.unordered = true
			return func(m *machine, focus []Value) error {
				mark := len(m.stack)
				m.stack = append(m.stack, focus...)
				return m.distinct(mark)
			}, in, nil
		}},
		"isDistinct": plain(boolean, func(m *machine, focus []Value) error {
			mark := len(m.stack)
			m.stack = append(m.stack, focus...)
			if err := m.distinct(mark); err != nil {
				return err
			}
			n := len(m.stack) - mark
			m.stack = m.stack[:mark]
			m.push(boolValue(n == len(focus)))
			return nil
		}),
		"subsetOf":   collection(always(boolean), func(m *machine, focus, other []Value) error { return m.subset(focus, other) }),
		"supersetOf": collection(always(boolean), func(m *machine, focus, other []Value) error { return m.subset(other, focus) }),
	}
}

func always(s static) func(in, other static) static {
	return func(_, _ static) static { return s }
}

// quantifier looks for an item for which criteria is found.
func quantifier(criteria code, found tri, result bool) code {
	return func(m *machine, focus []Value) error {
		seen := false
		err := m.each(focus, func(int) error {
			if seen {
				return nil
			}
			t, err := m.truth(criteria)
			seen = t == found
			return err
		})
		m.push(boolValue(seen == result))
		return err
	}
}

// truths looks for one boolean among the items; the result is when it is found.
func truths(out static, wanted func(bool) bool, result bool) function {
	return plain(out, func(m *machine, focus []Value) error {
		found := false
		for i := range focus {
			s, ok := focus[i].system()
			if !ok || s.kind != Boolean {
				return failure("expected booleans")
			}
			found = found || wanted(s.num != 0)
		}
		m.push(boolValue(found == result))
		return nil
	})
}

func (m *machine) subset(part, whole []Value) error {
	for i := range part {
		if err := m.spend(len(whole)); err != nil {
			return err
		}
		if !m.contains(whole, &part[i]) {
			m.push(boolValue(false))
			return nil
		}
	}
	m.push(boolValue(true))
	return nil
}

func (m *machine) contains(values []Value, v *Value) bool {
	if !m.charge(len(values)) {
		return true // past the limit nothing counts any more
	}
	for i := range values {
		if m.equal(&values[i], v) == yes {
			return true
		}
	}
	return false
}
