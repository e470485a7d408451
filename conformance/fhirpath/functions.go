package fhirpath

import "fmt"

// function is a named function: how many arguments it takes and how a call of
// it is compiled. in is the static type of its input.
type function struct {
	min, max int
	compile  func(c *compiler, e *expr, in static) (code, static, error)
}

// functions lists what the specification names, by its sections.
func functions() map[string]function {
	all := map[string]function{}
	for _, section := range []map[string]function{
		existence(), filtering(), subsetting(), combining(), conversion(), text(), mathematics(), navigation(), dates(), fhirFunctions(),
	} {
		for name, f := range section {
			all[name] = f
		}
	}
	return all
}

func (c *compiler) call(e *expr, in static) (code, static, error) {
	f, ok := c.model.functions[e.name]
	if !ok {
		return nil, static{}, c.fail(e.offset, "unknown function '{1}'", e.name)
	}
	if len(e.args) < f.min || len(e.args) > f.max {
		want := fmt.Sprint(f.min)
		if f.max != f.min {
			want = fmt.Sprintf("%d–%d", f.min, f.max) // in any language
		}
		return nil, static{}, c.fail(e.offset, "'{1}' takes {2} arguments, got {3}", e.name, want, len(e.args))
	}
	run, out, err := f.compile(c, e, in)
	if err != nil {
		return nil, static{}, err
	}
	offset := e.offset
	return func(m *machine, focus []Value) error {
		if err := m.spend(1); err != nil {
			return at(offset, err)
		}
		return at(offset, run(m, focus))
	}, out, nil
}

// lambda compiles an argument that is evaluated for each item of the input.
func (c *compiler) lambda(e *expr, in static) (code, static, error) {
	base, defined := c.base, len(c.defined)
	c.base = in.item()
	run, out, err := c.expr(e)
	c.base, c.defined = base, c.defined[:defined]
	return run, out, err
}

// argument compiles the i-th argument, nil if there is none.
func (c *compiler) argument(e *expr, i int) (code, static, error) {
	if i >= len(e.args) {
		return nil, static{}, nil
	}
	return c.expr(e.args[i])
}

// plain is a function without arguments.
func plain(out static, run func(m *machine, focus []Value) error) function {
	return function{0, 0, func(*compiler, *expr, static) (code, static, error) { return run, out, nil }}
}

// collection is a function of its input and one other collection.
func collection(out func(in, other static) static, run func(m *machine, focus, other []Value) error) function {
	return function{1, 1, func(c *compiler, e *expr, in static) (code, static, error) {
		arg, other, err := c.argument(e, 0)
		if err != nil {
			return nil, static{}, err
		}
		return func(m *machine, focus []Value) error {
			mark := len(m.stack)
			if err := arg(m, m.base); err != nil {
				return err
			}
			from := len(m.stack)
			if err := m.spend(len(focus) + from - mark); err != nil {
				return err
			}
			if err := run(m, focus, m.stack[mark:from:from]); err != nil {
				return err
			}
			m.keep(mark, from)
			return nil
		}, out(in, other), nil
	}}
}

// scalar is a function of one System value and single arguments. Without a value
// or any given argument there is no result.
func scalar(min, max int, out static, run func(m *machine, v Value, args []Value) (Value, bool, error)) function {
	return function{min, max, func(c *compiler, e *expr, in static) (code, static, error) {
		codes := make([]code, len(e.args))
		for i := range e.args {
			var err error
			if codes[i], _, err = c.argument(e, i); err != nil {
				return nil, static{}, err
			}
		}
		return func(m *machine, focus []Value) error {
			v, ok, err := single(focus)
			if err != nil {
				return err
			}
			var held [3]Value
			args := held[:0]
			for _, arg := range codes {
				a, given, err := m.one(arg)
				if err != nil {
					return err
				}
				s, valued := a.system()
				ok = ok && given && valued
				args = append(args, s)
			}
			if !ok {
				return nil
			}
			s, valued := v.system()
			if !valued {
				if v.hasSystem() {
					return nil
				}
				return failure("expected a simple value")
			}
			result, ok, err := run(m, s, args)
			if err != nil || !ok {
				return err
			}
			m.push(result)
			return nil
		}, out, nil
	}}
}

// single returns the only value of a collection, not ok for none.
func single(values []Value) (Value, bool, error) {
	switch len(values) {
	case 0:
		return Value{}, false, nil
	case 1:
		return values[0], true, nil
	}
	return Value{}, false, failure("expected one value, got several")
}

// textArg returns a String argument.
func textArg(v Value) (string, error) {
	if v.kind != String {
		return "", failure("expected a String argument, got {1}", v.kind.String())
	}
	return v.text, nil
}

// intArg returns an Integer argument.
func intArg(v Value) (int64, error) {
	if v.kind != Integer {
		return 0, failure("expected an Integer argument, got {1}", v.kind.String())
	}
	return v.num, nil
}

// count evaluates an Integer argument; ok is false if it is empty.
func (m *machine) count(c code) (n int64, ok bool, err error) {
	v, ok, err := m.one(c)
	if err != nil || !ok {
		return 0, false, err
	}
	if v, ok = v.system(); !ok {
		return 0, false, nil
	}
	n, err = intArg(v)
	return n, err == nil, err
}
