package fhirpath

import "slices"

// navigation are the functions of https://hl7.org/fhirpath/N1/#tree-navigation,
// trace, type and defineVariable.
func navigation() map[string]function {
	unordered := static{open: true, many: true, unordered: true}
	return map[string]function{
		"children": plain(unordered, func(m *machine, focus []Value) error {
			for i := range focus {
				m.pushChildren(&focus[i])
			}
			return m.spend(len(focus))
		}),
		"descendants": plain(unordered, func(m *machine, focus []Value) error {
			mark := len(m.stack)
			for i := range focus {
				m.pushChildren(&focus[i])
			}
			for next := mark; next < len(m.stack); next++ {
				v := m.stack[next]
				m.pushChildren(&v)
				if err := m.spend(1); err != nil {
					return err
				}
			}
			return nil
		}),
		"trace": {1, 2, func(c *compiler, e *expr, in static) (code, static, error) {
			name, _, err := c.argument(e, 0)
			if err != nil {
				return nil, static{}, err
			}
			var projection code
			if len(e.args) == 2 {
				if projection, _, err = c.lambda(e.args[1], in); err != nil {
					return nil, static{}, err
				}
			}
			return func(m *machine, focus []Value) error {
				m.stack = append(m.stack, focus...)
				if m.env.Trace == nil {
					return m.carry(focus)
				}
				label, _, err := m.one(name)
				if err != nil {
					return err
				}
				mark := len(m.stack)
				shown := focus
				if projection != nil {
					if err := m.each(focus, func(int) error { return projection(m, m.base) }); err != nil {
						return err
					}
					shown = m.stack[mark:]
				}
				if err := m.carry(shown); err != nil {
					return err
				}
				m.env.Trace(label.String(), slices.Clone(shown))
				m.stack = m.stack[:mark]
				return nil
			}, in, nil
		}},
		"type": plain(kindStatic(TypeInfo).asMany(), func(m *machine, focus []Value) error {
			for i := range focus {
				m.push(Value{kind: TypeInfo, text: focus[i].Namespace(), ref: focus[i].Type()})
			}
			return nil
		}),
		"defineVariable": {1, 2, defineVariable},
	}
}

// defineVariable names a collection for what follows in the same path.
func defineVariable(c *compiler, e *expr, in static) (code, static, error) {
	if e.args[0].kind != exprLiteral || e.args[0].value.kind != String {
		return nil, static{}, c.fail(e.offset, "'defineVariable' expects its name as a string literal")
	}
	name := e.args[0].value.text
	if _, fixed := constants[name]; fixed || name == "context" || name == "resource" || name == "rootResource" || slices.Contains(c.defined, name) {
		return nil, static{}, c.fail(e.offset, "constant %{1} is defined already", name)
	}
	value := func(m *machine, focus []Value) error {
		m.stack = append(m.stack, focus...)
		return nil
	}
	if len(e.args) == 2 {
		run, _, err := c.lambda(e.args[1], in)
		if err != nil {
			return nil, static{}, err
		}
		value = func(m *machine, focus []Value) error {
			base := m.base
			m.base = focus
			err := run(m, focus)
			m.base = base
			return err
		}
	}
	c.defined = append(c.defined, name)
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		if err := value(m, focus); err != nil {
			return err
		}
		if err := m.carry(m.stack[mark:]); err != nil {
			return err
		}
		m.defined = append(m.defined, definition{name, slices.Clone(m.stack[mark:])})
		m.stack = append(m.stack[:mark], focus...)
		return nil
	}, in, nil
}
