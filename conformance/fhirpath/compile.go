package fhirpath

import (
	"slices"
	"strings"
)

// compiler turns syntax into code and follows the static types on the way.
type compiler struct {
	model   *Model
	text    string
	opts    Options
	root    static   // %context
	base    static   // $this
	defined []string // by defineVariable
}

func (c *compiler) fail(offset int, phrase string, details ...any) error {
	return errorAt(c.text, offset, phrase, details...)
}

// expr compiles an expression that starts from the base.
func (c *compiler) expr(e *expr) (code, static, error) {
	switch e.kind {
	case exprLiteral:
		v := e.value
		return func(m *machine, _ []Value) error {
			m.push(v)
			return nil
		}, kindStatic(v.kind), nil
	case exprEmpty:
		return func(*machine, []Value) error { return nil }, static{absent: true}, nil
	case exprMember:
		return c.head(e)
	case exprCall:
		return c.call(e, c.base)
	case exprVariable:
		return c.variable(e)
	case exprConstant:
		return c.constant(e)
	case exprDot:
		return c.path(e)
	case exprIndex:
		return c.index(e)
	case exprSign:
		return c.sign(e)
	case exprType:
		return c.typed(e)
	}
	return c.binary(e)
}

// path compiles parts that are joined by dots.
func (c *compiler) path(e *expr) (code, static, error) {
	var behind []*expr // the last first
	for ; e.kind == exprDot; e = e.args[0] {
		behind = append(behind, e.args[1])
	}
	run, out, err := c.start(e)
	if err != nil {
		return nil, static{}, err
	}
	var parts []code
	if run != nil {
		parts = append(parts, run)
	}
	for _, next := range slices.Backward(behind) {
		if run, out, err = c.invocation(next, out); err != nil {
			return nil, static{}, err
		}
		parts = append(parts, run)
	}
	return chain(parts...), out, nil
}

// start compiles the left side of a path. Without code it is the focus itself.
func (c *compiler) start(e *expr) (code, static, error) {
	run, out, err := c.expr(e)
	if err == nil && e.kind == exprMember && len(out.classes) > 0 && c.namesFocus(e.name) {
		return nil, out, nil
	}
	return run, out, err
}

// namesFocus reports whether a name is the type of whatever the focus can be.
func (c *compiler) namesFocus(name string) bool {
	if c.base.open || len(c.base.classes) == 0 || c.base.kinds != 0 || name[0] < 'A' || name[0] > 'Z' || c.model.typeClass(name) == nil {
		return false
	}
	for _, b := range c.base.classes {
		if !b.is(name) {
			return false
		}
	}
	return true
}

// maxBelow is how many values of earlier parts of a path may lie below those of
// later ones. Fewer cost less than taking them away each time.
const maxBelow = 64

// chain feeds the result of each part to the next.
func chain(parts ...code) code {
	if len(parts) == 1 {
		return parts[0]
	}
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		from := mark
		for _, part := range parts {
			if from-mark > maxBelow {
				m.keep(mark, from)
				focus = m.stack[mark:len(m.stack):len(m.stack)]
			}
			next := len(m.stack)
			if err := part(m, focus); err != nil {
				return err
			}
			focus, from = m.stack[next:len(m.stack):len(m.stack)], next
		}
		m.keep(mark, from)
		return nil
	}
}

// invocation compiles what stands behind a dot.
func (c *compiler) invocation(e *expr, in static) (code, static, error) {
	switch e.kind {
	case exprMember:
		return c.member(e, in)
	case exprCall:
		return c.call(e, in)
	}
	return nil, static{}, c.fail(e.offset, "{1} cannot follow a path", e.name)
}

// head compiles a name that starts a path: the type of the focus, or a child.
func (c *compiler) head(e *expr) (code, static, error) {
	first := e.name[0]
	if first < 'A' || first > 'Z' {
		return c.member(e, c.base)
	}
	named := c.model.typeClass(e.name)
	if named == nil {
		return c.member(e, c.base)
	}
	out := static{many: c.base.many}
	never := !c.base.open
	for _, b := range c.base.classes {
		switch {
		case b.is(named.name):
			out.classes = append(out.classes, b)
			never = false
		case b.kind == classAny || b.kind == classAbstract || named.is(b.name):
			out.classes = append(out.classes, named)
			never = false
		}
	}
	if c.base.open {
		out = classStatic(named)
	}
	if never {
		if c.opts.Strict {
			return nil, static{}, c.fail(e.offset, "the focus is a {1}, never a {2}", c.base.describe(), e.name)
		}
		return func(*machine, []Value) error { return nil }, static{absent: true}, nil
	}
	if c.namesFocus(e.name) {
		return func(m *machine, focus []Value) error {
			m.stack = append(m.stack, focus...)
			return nil
		}, out, nil
	}
	name := named.name
	return func(m *machine, focus []Value) error {
		for i := range focus {
			if focus[i].kind == Element && focus[i].class.is(name) {
				m.push(focus[i])
			}
		}
		return nil
	}, out, nil
}

func (c *compiler) member(e *expr, in static) (code, static, error) {
	out, known := in.member(e.name)
	if !known && c.opts.Strict && !in.impossible() {
		return nil, static{}, c.fail(e.offset, "{1} has no element '{2}'", in.describe(), e.name)
	}
	s := &step{name: e.name, offset: e.offset}
	if len(in.classes) == 1 {
		if p := in.classes[0].prop(e.name); p != nil {
			s.cache.Store(&stepCache{in.classes[0], p})
		}
	}
	return s.run, out, nil
}

func (c *compiler) variable(e *expr) (code, static, error) {
	switch e.name {
	case "$this":
		return func(m *machine, _ []Value) error {
			m.stack = append(m.stack, m.base...)
			return m.carry(m.base)
		}, c.base, nil
	case "$index":
		return func(m *machine, _ []Value) error {
			m.push(intValue(int64(m.index)))
			return nil
		}, kindStatic(Integer), nil
	}
	return func(m *machine, _ []Value) error {
		m.stack = append(m.stack, m.total...)
		return m.carry(m.total)
	}, anything, nil
}

// constants are the %names that every evaluation has. %vs-x and %ext-x stand
// for the URLs of FHIR's own value sets and extensions.
var constants = map[string]string{
	"sct":   "http://snomed.info/sct",
	"loinc": "http://loinc.org",
	"ucum":  ucumSystem,
}

func (c *compiler) constant(e *expr) (code, static, error) {
	url, ok := constants[e.name]
	if name, is := strings.CutPrefix(e.name, "vs-"); is {
		url, ok = "http://hl7.org/fhir/ValueSet/"+name, true
	} else if name, is := strings.CutPrefix(e.name, "ext-"); is {
		url, ok = "http://hl7.org/fhir/StructureDefinition/"+name, true
	}
	if ok {
		v := stringValue(url)
		return func(m *machine, _ []Value) error {
			m.push(v)
			return nil
		}, kindStatic(String), nil
	}
	switch e.name {
	case "context":
		return func(m *machine, _ []Value) error {
			m.stack = append(m.stack, m.context...)
			return nil
		}, c.root, nil
	case "resource", "rootResource":
		isRoot := e.name == "rootResource"
		return func(m *machine, _ []Value) error {
			n := m.resource
			if isRoot && m.env.RootResource != nil {
				n = m.env.RootResource
			}
			if n != nil {
				if m.whole.node != n {
					m.whole = m.model.Resource(n)
				}
				m.push(m.whole)
			}
			return nil
		}, anything.item(), nil
	}
	name := e.name
	if slices.Contains(c.defined, name) {
		return func(m *machine, _ []Value) error {
			for i := len(m.defined) - 1; i >= 0; i-- {
				if m.defined[i].name == name {
					m.stack = append(m.stack, m.defined[i].values...)
					return m.carry(m.defined[i].values)
				}
			}
			return at(e.offset, failure("variable used outside of where it is defined"))
		}, anything, nil
	}
	if !slices.Contains(c.opts.Variables, name) {
		return nil, static{}, c.fail(e.offset, "unknown constant %{1}", name)
	}
	return func(m *machine, _ []Value) error {
		m.stack = append(m.stack, m.env.Variables[name]...)
		return m.carry(m.env.Variables[name])
	}, anything, nil
}

func (c *compiler) ordered(e *expr, in static) error {
	if c.opts.Ordered && in.unordered {
		return c.fail(e.offset, "{1} needs an order, but the order of its input means nothing", e.name)
	}
	return nil
}

func (c *compiler) index(e *expr) (code, static, error) {
	left, in, err := c.expr(e.args[0])
	if err != nil {
		return nil, static{}, err
	}
	if err := c.ordered(e, in); err != nil {
		return nil, static{}, err
	}
	at0, _, err := c.expr(e.args[1])
	if err != nil {
		return nil, static{}, err
	}
	offset := e.offset
	return func(m *machine, focus []Value) error {
		mark := len(m.stack)
		if err := left(m, focus); err != nil {
			return err
		}
		v, _, err := m.one(at0)
		if err != nil {
			return at(offset, err)
		}
		v, ok := v.system()
		if ok && v.kind != Integer {
			return at(offset, failure("an index must be an Integer"))
		}
		n := len(m.stack) - mark
		if !ok || v.num < 0 || v.num >= int64(n) {
			m.stack = m.stack[:mark]
			return nil
		}
		m.stack[mark] = m.stack[mark+int(v.num)]
		m.stack = m.stack[:mark+1]
		return nil
	}, in.item(), nil
}

// typed compiles "is" and "as" as operators.
func (c *compiler) typed(e *expr) (code, static, error) {
	left, in, err := c.expr(e.args[0])
	if err != nil {
		return nil, static{}, err
	}
	test, err := c.typeTest(e.typ, e.offset)
	if err != nil {
		return nil, static{}, err
	}
	op, out, err := c.typeOperation(e, e.name, test, in)
	if err != nil {
		return nil, static{}, err
	}
	return chain(left, op), out, nil
}

// typeOperation is the part that the operators is and as share with the
// functions is, as and ofType.
func (c *compiler) typeOperation(e *expr, name string, test typeTest, in static) (code, static, error) {
	offset, lenient := e.offset, c.opts.Lenient
	if name == "is" {
		return func(m *machine, focus []Value) error {
			switch len(focus) {
			case 0:
			case 1:
				m.push(boolValue(test.is(focus[0])))
			default:
				return at(offset, failure("'is' expects one value, got several"))
			}
			return nil
		}, kindStatic(Boolean), nil
	}
	out := test.narrow(in)
	if out.impossible() && c.opts.Strict && !in.impossible() {
		return nil, static{}, c.fail(offset, "{1} is never a {2}", in.describe(), e.typeText())
	}
	if name == "as" && !lenient {
		return func(m *machine, focus []Value) error {
			if len(focus) > 1 {
				return at(offset, failure("'as' expects one value, got several"))
			}
			if len(focus) == 1 && test.as(focus[0]) {
				m.push(focus[0])
			}
			return nil
		}, out, nil
	}
	return func(m *machine, focus []Value) error {
		for i := range focus {
			if test.as(focus[i]) {
				m.push(focus[i])
			}
		}
		return nil
	}, out, nil
}

func (e *expr) typeText() string {
	if len(e.typ) > 0 {
		return strings.Join(e.typ, ".")
	}
	if len(e.args) > 0 {
		return strings.Join(e.args[0].dotted(), ".")
	}
	return ""
}

// dotted reads names joined by dots, as types are written in arguments.
func (e *expr) dotted() []string {
	switch e.kind {
	case exprMember:
		return []string{e.name}
	case exprDot:
		if left, right := e.args[0].dotted(), e.args[1].dotted(); left != nil && len(right) == 1 {
			return append(left, right...)
		}
	}
	return nil
}
