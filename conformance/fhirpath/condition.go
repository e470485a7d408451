package fhirpath

import "github.com/yilian/yilian/conformance/fhir"

// condition evaluates a part of an expression that is asked for its truth, over the
// base: what code does with values on the stack, where most of an invariant needs none.
type condition func(m *machine) (tri, error)

// condition compiles the truth of an expression that compiles.
func (c *compiler) condition(e *expr) (condition, error) {
	switch form := formOf(e); form {
	case formLogic:
		return c.logical(e)
	case formEquality:
		return c.equality(e)
	case formText:
		return c.textEquality(e)
	case formPresence:
		return c.presence(e.args[0], e.args[1])
	case formAll:
		return c.universal(e.args[0], e.args[1])
	case formNot:
		inner, err := c.condition(e.args[0])
		offset := e.args[1].offset
		return func(m *machine) (tri, error) {
			t, err := inner(m)
			return negate(t, true), at(offset, err)
		}, err
	}
	whole, _, err := c.expr(e)
	return func(m *machine) (tri, error) { return m.truth(whole) }, err
}

// form is a way to write a condition. All but formOther give a System.Boolean or
// nothing, never another value.
type form uint8

const (
	formOther    form = iota
	formLogic         // a and b
	formEquality      // between two that have a form
	formText          // name = 'text'
	formPresence      // path.exists(), path.empty()
	formAll           // path.all(criteria)
	formNot           // a.not()
)

func formOf(e *expr) form {
	switch {
	case e.kind == exprBinary && (e.name == "and" || e.name == "or" || e.name == "xor" || e.name == "implies"):
		return formLogic
	case e.kind == exprBinary && e.name == "=":
		left, right := e.args[0], e.args[1]
		switch {
		case right.kind == exprLiteral && right.value.kind == String && left.kind == exprMember && isChild(left):
			return formText
		case right.kind != exprLiteral && formOf(right) != formOther && formOf(left) != formOther:
			return formEquality
		}
	case e.kind == exprDot && e.args[1].kind == exprCall:
		switch call := e.args[1]; {
		case len(call.args) == 1 && call.name == "all":
			return formAll
		case len(call.args) > 0:
		case call.name == "exists" || call.name == "empty":
			return formPresence
		case call.name == "not":
			return formNot
		}
	}
	return formOther
}

// isChild reports whether a name at the start of a path is that of a child, and not of
// a type.
func isChild(e *expr) bool { return e.name[0] < 'A' || e.name[0] > 'Z' }

// logical compiles an operator of boolean logic.
func (c *compiler) logical(e *expr) (condition, error) {
	left, err := c.condition(e.args[0])
	if err != nil {
		return nil, err
	}
	right, err := c.condition(e.args[1])
	if err != nil {
		return nil, err
	}
	// What the left side has to be for the right one not to matter.
	settles, result := unknown, yes
	switch e.name {
	case "and":
		settles, result = no, no
	case "or":
		settles = yes
	case "implies":
		settles = no
	}
	op, offset := e.name, e.offset
	return func(m *machine) (tri, error) {
		a, err := left(m)
		if err != nil {
			return unknown, at(offset, err)
		}
		if a == settles && a != unknown {
			return result, nil
		}
		b, err := right(m)
		if err != nil {
			return unknown, at(offset, err)
		}
		return combine(op, a, b), nil
	}, nil
}

// equality compiles "=" between two conditions.
func (c *compiler) equality(e *expr) (condition, error) {
	left, err := c.condition(e.args[0])
	if err != nil {
		return nil, err
	}
	right, err := c.condition(e.args[1])
	if err != nil {
		return nil, err
	}
	offset := e.offset
	return func(m *machine) (tri, error) {
		a, err := left(m)
		if err != nil {
			return unknown, err
		}
		b, err := right(m)
		if err != nil {
			return unknown, err
		}
		if err := m.spend(2); err != nil || a == unknown || b == unknown {
			return unknown, at(offset, err)
		}
		return triOf(a == b), nil
	}, nil
}

// textEquality compiles "name = 'text'".
func (c *compiler) textEquality(e *expr) (condition, error) {
	run, _, err := c.binary(e)
	if err != nil {
		return nil, err
	}
	s, offset, text := &step{name: e.args[0].name, offset: e.args[0].offset}, e.offset, e.args[1].value.text
	return func(m *machine) (tri, error) {
		if n, c := s.only(m.base); c != nil && c.system == String && n.Kind() == fhir.String {
			return triOf(n.Text() == text), at(offset, m.spend(2))
		}
		return m.truth(run)
	}, nil
}

// presence compiles whether a path leads to something.
func (c *compiler) presence(e, call *expr) (condition, error) {
	path, _, err := c.expr(e)
	if err != nil {
		return nil, err
	}
	there := triOf(call.name == "exists")
	offset := call.offset
	general := func(m *machine) (tri, error) {
		mark := len(m.stack)
		if err := path(m, m.base); err != nil {
			return unknown, err
		}
		found := len(m.stack) > mark
		m.stack = m.stack[:mark]
		return negate(there, !found), at(offset, m.spend(1))
	}
	if e.kind != exprMember || !isChild(e) {
		return general, nil
	}
	s := &step{name: e.name, offset: e.offset}
	return func(m *machine) (tri, error) {
		if n, c := s.only(m.base); c != nil {
			switch {
			case n == nil && c.kind != classPrimitive:
				return negate(there, true), at(offset, m.spend(2))
			case n != nil && n.Kind() != fhir.Array && n.Kind() != fhir.Null:
				return there, at(offset, m.spend(2))
			}
		}
		return general(m)
	}, nil
}

// universal compiles all(): the criteria are asked of each item that a path leads to.
func (c *compiler) universal(e, call *expr) (condition, error) {
	path, in, err := c.expr(e)
	if err != nil {
		return nil, err
	}
	base, defined := c.base, len(c.defined)
	c.base = in.item()
	criteria, err := c.condition(call.args[0])
	c.base, c.defined = base, c.defined[:defined]
	if err != nil {
		return nil, err
	}
	offset := call.offset
	return func(m *machine) (tri, error) {
		mark := len(m.stack)
		if err := path(m, m.base); err != nil {
			return unknown, err
		}
		if err := m.spend(1); err != nil {
			return unknown, at(offset, err)
		}
		result := yes
		err := m.each(m.stack[mark:len(m.stack):len(m.stack)], func(int) error {
			if result == no {
				return nil
			}
			t, err := criteria(m)
			result = triOf(t == yes)
			return err
		})
		m.stack = m.stack[:mark]
		return result, at(offset, err)
	}, nil
}

// only returns the property that a step by name leads to from a focus that is one
// element, and its class: nil where more than that has to be looked at.
func (s *step) only(focus []Value) (*fhir.Node, *class) {
	if len(focus) != 1 {
		return nil, nil
	}
	v := &focus[0]
	if v.kind != Element || v.class == nil || v.class.kind == classAny {
		return nil, nil
	}
	p := s.prop(v.class)
	if p == nil || p.choice {
		return nil, nil
	}
	holder := v.holder()
	if holder.Kind() != fhir.Object {
		return nil, nil
	}
	a := p.alts[0]
	return holder.Get(a.name), a.class()
}
