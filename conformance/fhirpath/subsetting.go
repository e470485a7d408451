package fhirpath

// subsetting are the functions of https://hl7.org/fhirpath/N1/#subsetting.
func subsetting() map[string]function {
	pick := func(choose func(focus []Value) []Value) function {
		return function{0, 0, func(c *compiler, e *expr, in static) (code, static, error) {
			if err := c.ordered(e, in); err != nil {
				return nil, static{}, err
			}
			out := in
			if e.name != "tail" {
				out = in.item()
			}
			return func(m *machine, focus []Value) error {
				if len(focus) > 0 {
					m.stack = append(m.stack, choose(focus)...)
				}
				return nil
			}, out, nil
		}}
	}
	slice := func(choose func(focus []Value, n int) []Value) function {
		return function{1, 1, func(c *compiler, e *expr, in static) (code, static, error) {
			if err := c.ordered(e, in); err != nil {
				return nil, static{}, err
			}
			arg, _, err := c.argument(e, 0)
			return func(m *machine, focus []Value) error {
				n, ok, err := m.count(arg)
				if err != nil || !ok {
					return err
				}
				n = max(min(n, int64(len(focus))), 0)
				m.stack = append(m.stack, choose(focus, int(n))...)
				return nil
			}, in, err
		}}
	}
	return map[string]function{
		"first": pick(func(f []Value) []Value { return f[:1] }),
		"last":  pick(func(f []Value) []Value { return f[len(f)-1:] }),
		"tail":  pick(func(f []Value) []Value { return f[1:] }),
		"skip":  slice(func(f []Value, n int) []Value { return f[n:] }),
		"take":  slice(func(f []Value, n int) []Value { return f[:n] }),
		"single": {0, 0, func(_ *compiler, _ *expr, in static) (code, static, error) {
			return func(m *machine, focus []Value) error {
				v, ok, err := single(focus)
				if ok {
					m.push(v)
				}
				return err
			}, in.item(), nil
		}},
		"intersect": collection(func(in, _ static) static { return in }, func(m *machine, focus, other []Value) error {
			mark := len(m.stack)
			for i := range focus {
				if err := m.spend(len(other)); err != nil {
					return err
				}
				if m.contains(other, &focus[i]) {
					m.push(focus[i])
				}
			}
			return m.distinct(mark)
		}),
		"exclude": collection(func(in, _ static) static { return in }, func(m *machine, focus, other []Value) error {
			for i := range focus {
				if err := m.spend(len(other)); err != nil {
					return err
				}
				if !m.contains(other, &focus[i]) {
					m.push(focus[i])
				}
			}
			return nil
		}),
	}
}

// combining are the functions of https://hl7.org/fhirpath/N1/#combining.
func combining() map[string]function {
	return map[string]function{
		"union": collection(union, func(m *machine, focus, other []Value) error {
			mark := len(m.stack)
			m.stack = append(append(m.stack, focus...), other...)
			return m.distinct(mark)
		}),
		"combine": collection(union, func(m *machine, focus, other []Value) error {
			m.stack = append(append(m.stack, focus...), other...)
			return nil
		}),
	}
}
