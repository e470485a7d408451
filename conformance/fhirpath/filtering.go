package fhirpath

import (
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
)

// filtering are the functions of
// https://hl7.org/fhirpath/N1/#filtering-and-projection, of types, and aggregate.
func filtering() map[string]function {
	typeFunction := func(name string) function {
		return function{1, 1, func(c *compiler, e *expr, in static) (code, static, error) {
			parts := e.args[0].dotted()
			if parts == nil {
				return nil, static{}, c.fail(e.offset, "'{1}' expects the name of a type", name)
			}
			test, err := c.typeTest(parts, e.args[0].offset)
			if err != nil {
				return nil, static{}, err
			}
			return c.typeOperation(e, name, test, in)
		}}
	}
	return map[string]function{
		"where":     {1, 1, where},
		"select":    {1, 1, selecting},
		"repeat":    {1, 1, repeat},
		"repeatAll": {1, 1, repeatAll},
		"ofType":    typeFunction("ofType"),
		"is":        typeFunction("is"),
		"as":        typeFunction("as"),
		"aggregate": {1, 2, aggregate},
		"iif":       {2, 3, iif},
		"sort":      {0, 16, sorting},
	}
}

func where(c *compiler, e *expr, in static) (code, static, error) {
	criteria, _, err := c.lambda(e.args[0], in)
	return func(m *machine, focus []Value) error {
		return m.each(focus, func(i int) error {
			t, err := m.truth(criteria)
			if t == yes && err == nil {
				m.push(focus[i])
			}
			return err
		})
	}, in, err
}

func selecting(c *compiler, e *expr, in static) (code, static, error) {
	projection, out, err := c.lambda(e.args[0], in)
	out.many = out.many || in.many
	out.unordered = out.unordered || in.unordered
	return func(m *machine, focus []Value) error {
		return m.each(focus, func(int) error { return projection(m, m.base) })
	}, out, err
}

// repeat projects what it found until nothing new appears.
func repeat(c *compiler, e *expr, in static) (code, static, error) {
	projection, _, err := c.lambda(e.args[0], anything)
	if err == nil && c.opts.Strict {
		_, _, err = c.lambda(e.args[0], in)
	}
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		seen := map[*fhir.Node]bool{}
		kept := set{machine: m}
		round := slices.Clone(focus)
		for len(round) > 0 {
			fresh := len(kept.values)
			for i := range round {
				if err := m.each(round[i:i+1], func(int) error { return projection(m, m.base) }); err != nil {
					return err
				}
				// Elements are told apart by their place in the tree first, which
				// is what makes them new; equal ones count once.
				for j := mark; j < len(m.stack); j++ {
					v := m.stack[j]
					if v.node != nil && seen[v.node] {
						continue
					}
					if kept.add(&v) && v.node != nil {
						seen[v.node] = true
					}
				}
				found := len(m.stack) - mark
				m.stack = m.stack[:mark]
				if err := m.spend(found); err != nil {
					return err
				}
				if len(kept.values) > m.limits.Values {
					return overLimit("more than the allowed number of values")
				}
			}
			round = kept.values[fresh:]
		}
		m.stack = append(m.stack, kept.values...)
		return m.carry(kept.values)
	}, anything, err
}

// repeatAll is repeat without looking whether an item is new.
func repeatAll(c *compiler, e *expr, _ static) (code, static, error) {
	projection, _, err := c.lambda(e.args[0], anything)
	return func(m *machine, focus []Value) error {
		round := slices.Clone(focus)
		for len(round) > 0 {
			start := len(m.stack)
			if err := m.each(round, func(int) error { return projection(m, m.base) }); err != nil {
				return err
			}
			round = slices.Clone(m.stack[start:])
			if err := m.carry(round); err != nil {
				return err
			}
		}
		return nil
	}, anything, err
}

func aggregate(c *compiler, e *expr, in static) (code, static, error) {
	initial, _, err := c.argument(e, 1)
	if err != nil {
		return nil, static{}, err
	}
	aggregator, _, err := c.lambda(e.args[0], in)
	return func(m *machine, focus []Value) error {
		outer := m.total
		m.total = nil
		if initial != nil {
			mark := len(m.stack)
			values, err := m.eval(initial)
			if err != nil {
				return err
			}
			m.total = slices.Clone(values)
			m.stack = m.stack[:mark]
		}
		err := m.each(focus, func(int) error {
			mark := len(m.stack)
			values, err := m.eval(aggregator)
			if err != nil {
				return err
			}
			m.total = slices.Clone(values)
			m.stack = m.stack[:mark]
			return m.carry(values)
		})
		m.stack = append(m.stack, m.total...)
		m.total = outer
		return err
	}, anything, err
}

// iif evaluates only the branch it takes. Its input, if it is called on one,
// becomes $this.
func iif(c *compiler, e *expr, in static) (code, static, error) {
	criterion, kind, err := c.lambda(e.args[0], in)
	if err != nil {
		return nil, static{}, err
	}
	if c.opts.Strict && !kind.mayBe(Boolean) && !kind.impossible() {
		return nil, static{}, c.fail(e.args[0].offset, "'iif' expects a boolean, got {1}", kind.describe())
	}
	then, out, err := c.lambda(e.args[1], in)
	if err != nil {
		return nil, static{}, err
	}
	var otherwise code
	if len(e.args) == 3 {
		var other static
		if otherwise, other, err = c.lambda(e.args[2], in); err != nil {
			return nil, static{}, err
		}
		out = out.or(other)
	}
	return func(m *machine, focus []Value) error {
		if len(focus) > 1 {
			return failure("'iif' expects at most one value to work on, got several")
		}
		base, index := m.base, m.index
		defer func() { m.base, m.index = base, index }()
		if len(focus) > 0 && len(base) > 0 && &focus[0] != &base[0] {
			m.base, m.index = focus, 0
		}
		mark := len(m.stack)
		values, err := m.eval(criterion)
		if err != nil {
			return err
		}
		t, err := truth(values)
		if err != nil {
			return err
		}
		if len(values) == 1 && t != unknown {
			if s, ok := values[0].system(); !ok || s.kind != Boolean {
				return failure("'iif' expects a boolean")
			}
		}
		m.stack = m.stack[:mark]
		switch {
		case t == yes:
			return then(m, m.base)
		case otherwise != nil:
			return otherwise(m, m.base)
		}
		return nil
	}, out, nil
}

// sorting orders by keys; a key with a minus sign before it sorts downwards.
func sorting(c *compiler, e *expr, in static) (code, static, error) {
	in.unordered = false
	keys := make([]code, max(len(e.args), 1))
	down := make([]bool, len(keys))
	if len(e.args) == 0 {
		keys[0] = func(m *machine, _ []Value) error {
			m.stack = append(m.stack, m.base...)
			return nil
		}
	}
	for i, arg := range e.args {
		if arg.kind == exprSign && arg.name == "-" {
			arg, down[i] = arg.args[0], true
		}
		var err error
		if keys[i], _, err = c.lambda(arg, in); err != nil {
			return nil, static{}, err
		}
	}
	return func(m *machine, focus []Value) error {
		type row struct {
			item Value
			keys []Value // kind TypeInfo for none
		}
		rows := make([]row, 0, len(focus))
		err := m.each(focus, func(i int) error {
			r := row{item: focus[i], keys: make([]Value, len(keys))}
			for k := range keys {
				v, _, err := m.one(keys[k])
				if err != nil {
					return err
				}
				v, ok := v.system()
				if !ok || v.kind == Element {
					v = Value{kind: TypeInfo}
				}
				r.keys[k] = v
			}
			rows = append(rows, r)
			return nil
		})
		if err != nil {
			return err
		}
		var failed error
		slices.SortStableFunc(rows, func(a, b row) int {
			m.charge(len(keys) * costOfConversion)
			for k := range keys {
				order := 0
				switch x, y := a.keys[k], b.keys[k]; {
				case x.kind == TypeInfo || y.kind == TypeInfo:
					// What has no key comes last, and first downwards.
					order = boolOrder(x.kind == TypeInfo, y.kind == TypeInfo)
				default:
					var err error
					if order, _, err = m.compare(x, y); err != nil {
						failed = err
					}
				}
				if order != 0 {
					if down[k] {
						return -order
					}
					return order
				}
			}
			return 0
		})
		for _, r := range rows {
			m.push(r.item)
		}
		if err := m.spend(len(rows)); err != nil {
			return err
		}
		return failed
	}, in, nil
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
