package fhirpath

import (
	"errors"

	"github.com/yilian/yilian/conformance/fhir"
)

// Options say how an expression is compiled.
type Options struct {
	// Context is the type or element path of the focus ("Patient",
	// "Patient.contact"), "" if it is not known.
	Context string
	// Strict refuses names that no element of the context's type has.
	Strict bool
	// Ordered refuses functions that need an order behind ones that give none.
	Ordered bool
	// Lenient lets "as" filter several items, and "is Boolean" hold for a FHIR
	// boolean, as R4's own search parameters and invariants expect it.
	Lenient bool
	// Variables are the names that Env.Variables will give.
	Variables []string
}

// Expression is a compiled expression.
type Expression struct {
	text  string
	model *Model
	run   code
	holds condition
	types []string
	walk  walk // if walks
	walks bool
}

// Compile compiles an expression. The error is a *SyntaxError.
func (m *Model) Compile(text string, opts Options) (*Expression, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &compiler{model: m, text: text, opts: opts}
	if c.base, err = c.contextOf(opts.Context); err != nil {
		return nil, err
	}
	c.root = c.base
	run, out, err := c.expr(tree)
	if err != nil {
		return nil, err
	}
	x := &Expression{text: text, model: m, run: run, types: out.names()}
	c = &compiler{model: m, text: text, opts: opts, root: c.root, base: c.root}
	x.walk, x.walks = c.walkOf(tree)
	c = &compiler{model: m, text: text, opts: opts, root: c.root, base: c.root}
	x.holds, err = c.condition(tree)
	return x, err
}

// String returns the text of the expression.
func (x *Expression) String() string { return x.text }

// Types returns the names of the FHIR and System types the result can have, nil
// if that is open.
func (x *Expression) Types() []string { return x.types }

// Evaluate evaluates over a resource. A nil env is an empty one. The error is a
// *EvaluationError.
func (x *Expression) Evaluate(env *Env, resource *fhir.Node) ([]Value, error) {
	return x.Append(nil, env, x.model.Resource(resource))
}

// Append evaluates over any focus and appends the result to dst.
func (x *Expression) Append(dst []Value, env *Env, focus Value) ([]Value, error) {
	m := machines.Get().(*machine)
	m.reset(env, x.model, focus)
	defer m.release()
	if err := x.runOn(m); err != nil {
		return dst, x.positioned(err)
	}
	return append(dst, m.stack...), nil
}

func (x *Expression) runOn(m *machine) error {
	if err := x.run(m, m.base); err != nil {
		return err
	}
	return m.spend(0)
}

// Holds evaluates as a boolean, as invariants are: one value that is not a
// boolean counts as true, nothing is not defined.
func (x *Expression) Holds(env *Env, focus Value) (holds, defined bool, err error) {
	m := machines.Get().(*machine)
	m.reset(env, x.model, focus)
	defer m.release()
	return x.holdsOn(m)
}

func (x *Expression) holdsOn(m *machine) (holds, defined bool, err error) {
	t, err := x.holds(m)
	if err == nil {
		err = m.spend(0)
	}
	if err != nil {
		return false, false, x.positioned(err)
	}
	return t == yes, t != unknown, nil
}

// Judge evaluates many expressions as booleans in one environment, with the memory of
// one. It is for one goroutine, and for trees that do not change meanwhile. Close it.
type Judge struct {
	env     *Env
	machine *machine
	busy    bool
}

// Judge begins to judge. A nil env is an empty one.
func (m *Model) Judge(env *Env) Judge { return Judge{env: env} }

// Holds is Expression.Holds. What an evaluation asks for may call it again.
func (j *Judge) Holds(x *Expression, focus Value) (holds, defined bool, err error) {
	if j.busy {
		return x.Holds(j.env, focus)
	}
	if j.machine == nil {
		j.machine = machines.Get().(*machine)
	}
	j.busy = true
	j.machine.reset(j.env, x.model, focus)
	holds, defined, err = x.holdsOn(j.machine)
	j.busy = false
	return holds, defined, err
}

// Close gives back what the judge holds.
func (j *Judge) Close() {
	if j.machine != nil {
		j.machine.release()
		j.machine = nil
	}
}

// positionError carries the offset of the innermost operation that failed.
type positionError struct {
	offset int
	err    error
}

func (e *positionError) Error() string { return e.err.Error() }
func (e *positionError) Unwrap() error { return e.err }

func (x *Expression) positioned(err error) error {
	offset := 0
	var p *positionError
	if errors.As(err, &p) {
		offset = p.offset
	}
	line, column := position(x.text, offset)
	said := fhir.Text{English: err.Error(), Chinese: err.Error()}
	var speaker fhir.Speaker
	if errors.As(err, &speaker) {
		said = speaker.Texts()
	}
	var f *fault
	return &EvaluationError{Line: line, Column: column, Reason: said.English, Chinese: said.Chinese, Limit: errors.As(err, &f) && f.limit}
}

// at adds the offset to errors of an operation that have none.
func at(offset int, err error) error {
	if err == nil {
		return nil
	}
	return place(offset, err)
}

func place(offset int, err error) error {
	var known *positionError
	if errors.As(err, &known) {
		return err
	}
	return &positionError{offset: offset, err: err}
}
