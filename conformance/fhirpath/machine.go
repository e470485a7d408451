package fhirpath

import (
	"context"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Limits bound one evaluation. A zero field means its default.
type Limits struct {
	Steps  int // elementary operations; default DefaultMaxSteps
	Values int // values held at once; default DefaultMaxValues
	Text   int // bytes of text made; default DefaultMaxText
}

// Defaults of Limits.
const (
	DefaultMaxSteps  = 3_000_000
	DefaultMaxValues = 500_000
	DefaultMaxText   = 16 << 20
)

// Resolver finds what a reference points to, nil if it cannot be found. The
// node belongs to the resolver.
type Resolver interface {
	Resolve(ctx context.Context, reference string) *fhir.Node
}

// TypesOnly is the Resolver that knows of a target only the type that the
// reference itself names. It is what search parameters need, and costs nothing.
var TypesOnly Resolver = typesOnly{}

type typesOnly struct{}

func (typesOnly) Resolve(context.Context, string) *fhir.Node { return nil }

// Membership answers memberOf: whether a code, Coding or CodeableConcept is in a
// value set; known is false where that cannot be told.
type Membership interface {
	MemberOf(ctx context.Context, v Value, valueSet string) (member, known bool, err error)
}

// Conformance answers conformsTo: whether a resource or element conforms to a
// profile.
type Conformance interface {
	ConformsTo(ctx context.Context, v Value, profile string) (conforms bool, err error)
}

// Env is what an evaluation may see besides its focus. All of it may be absent.
// One Env may serve many evaluations at once.
type Env struct {
	Context      context.Context
	Resolver     Resolver
	Membership   Membership
	Conformance  Conformance
	Now          time.Time  // for now(), today(), timeOfDay(); the zero time means the clock
	Resource     *fhir.Node // %resource, if it is not the focus
	RootResource *fhir.Node // %rootResource, if it is not %resource
	Variables    map[string][]Value
	Trace        func(name string, values []Value)
	Limits       Limits
}

// EvaluationError says which part of an expression could not be evaluated, and
// why. Reason never quotes the data.
type EvaluationError struct {
	Line, Column int
	Reason       string
	Chinese      string // Reason in Chinese
	Limit        bool   // the evaluation went over a limit
}

func (e *EvaluationError) Error() string { return placed(e.Line, e.Column, e.Reason) }

// Texts are the reason in both languages.
func (e *EvaluationError) Texts() fhir.Text {
	return fhir.Text{English: e.Reason, Chinese: e.Chinese}
}

// code evaluates a part of an expression: it pushes its result on the stack and
// leaves what is below alone. focus is the input of a path step or function.
type code func(m *machine, focus []Value) error

// machine is the state of one evaluation. Results live on one stack, so that a
// path allocates nothing once the stack has grown.
type machine struct {
	env      *Env
	model    *Model
	stack    []Value
	base     []Value // $this, and what paths start from
	index    int
	total    []Value
	context  []Value
	steps    int
	text     int
	limits   Limits
	now      time.Time
	resource *fhir.Node
	whole    Value        // of the resource that %resource or %rootResource meant last
	defined  []definition // by defineVariable, innermost last
	first    [1]Value
	places   []reach // of a Run
}

type definition struct {
	name   string
	values []Value
}

var machines = sync.Pool{New: func() any { return &machine{stack: make([]Value, 0, 64)} }}

var noEnv Env

func (m *machine) reset(env *Env, model *Model, focus Value) {
	if env == nil {
		env = &noEnv
	}
	m.env, m.model = env, model
	m.index, m.total = 0, nil
	m.stack = m.stack[:0]
	m.steps, m.text, m.defined = 0, 0, nil
	m.first[0] = focus
	m.base = m.first[:]
	m.context = m.base
	m.limits = env.Limits
	if m.limits.Steps == 0 {
		m.limits.Steps = DefaultMaxSteps
	}
	if m.limits.Values == 0 {
		m.limits.Values = DefaultMaxValues
	}
	if m.limits.Text == 0 {
		m.limits.Text = DefaultMaxText
	}
	m.resource = env.Resource
	if m.resource == nil {
		m.resource = focus.node
	}
}

// maxKeptStack is how many values a stack that is kept may hold: all of it is
// cleared each time, and most evaluations need few.
const maxKeptStack = 256

// release forgets everything the evaluation saw and gives the machine back.
func (m *machine) release() {
	stack := m.stack[:cap(m.stack)]
	if len(stack) > maxKeptStack {
		stack = make([]Value, 64)
	}
	// What is above the stack's end may hold nodes of the last evaluation. It was
	// filled from below, so the first item that never held a value ends it.
	for i := range stack {
		if stack[i].blank() {
			break
		}
		stack[i] = Value{}
	}
	*m = machine{stack: stack[:0], places: m.places[:0]}
	machines.Put(m)
}

func (m *machine) push(v Value) { m.stack = append(m.stack, v) }

// keep moves what lies above from down to mark.
func (m *machine) keep(mark, from int) {
	if mark == from {
		return
	}
	n := copy(m.stack[mark:], m.stack[from:])
	m.stack = m.stack[:mark+n]
}

// spend counts work and checks what is held.
func (m *machine) spend(steps int) error {
	m.steps += steps
	if m.steps > m.limits.Steps {
		return overLimit("more than the allowed number of steps")
	}
	if len(m.stack) > m.limits.Values {
		return overLimit("more than the allowed number of values")
	}
	return nil
}

// charge counts work inside of an operation, and reports whether more may be
// done. What it finds is told by the next spend.
func (m *machine) charge(steps int) bool {
	m.steps += steps
	return m.steps <= m.limits.Steps
}

// What operations cost whose time does not show in values, in steps.
const (
	costOfUnits  = 1000 // arithmetic and comparison of different units
	costOfSeries = 4000 // exponentials, logarithms, roots
)

// carry pays for values that are copied as they are.
func (m *machine) carry(values []Value) error {
	return m.spend(1 + len(values))
}

// write counts text that an operation made.
func (m *machine) write(bytes int) error {
	m.text += bytes
	if m.text > m.limits.Text {
		return overLimit("more than the allowed amount of text")
	}
	return nil
}

// fault is why an operation failed. It becomes an EvaluationError where the position
// is known.
type fault struct {
	text  fhir.Text
	limit bool
}

func (f *fault) Error() string    { return f.text.English }
func (f *fault) Texts() fhir.Text { return f.text }

// failure makes a fault of a phrase of messages.txt and its details.
func failure(phrase string, details ...any) error {
	return &fault{text: texts.Say(phrase, details...)}
}

func overLimit(phrase string) error { return &fault{text: texts.Say(phrase), limit: true} }

// eval runs code on the base and returns what it pushed; the caller drops it.
func (m *machine) eval(c code) ([]Value, error) {
	mark := len(m.stack)
	if err := c(m, m.base); err != nil {
		return nil, err
	}
	return m.stack[mark:len(m.stack):len(m.stack)], nil
}

// one runs code and returns its only value; ok is false for none.
func (m *machine) one(c code) (v Value, ok bool, err error) {
	mark := len(m.stack)
	values, err := m.eval(c)
	if err != nil {
		return Value{}, false, err
	}
	m.stack = m.stack[:mark]
	switch len(values) {
	case 0:
		return Value{}, false, nil
	case 1:
		return values[0], true, nil
	}
	return Value{}, false, failure("expected one value, got several")
}

// tri is a truth value of three-valued logic.
type tri uint8

const (
	unknown tri = iota
	no
	yes
)

func triOf(b bool) tri {
	if b {
		return yes
	}
	return no
}

// truth is the singleton evaluation of a collection as a boolean.
func truth(values []Value) (tri, error) {
	switch len(values) {
	case 0:
		return unknown, nil
	case 1:
		if values[0].kind == Boolean {
			return triOf(values[0].num != 0), nil
		}
		if s, ok := values[0].system(); ok && s.kind == Boolean {
			return triOf(s.num != 0), nil
		}
		if values[0].kind == Element && values[0].class.system == Boolean {
			return unknown, nil // extensions without a value
		}
		return yes, nil
	}
	return unknown, failure("expected one boolean, got several values")
}

func (m *machine) truth(c code) (tri, error) {
	mark := len(m.stack)
	values, err := m.eval(c)
	if err != nil {
		return unknown, err
	}
	t, err := truth(values)
	m.stack = m.stack[:mark]
	return t, err
}

func (m *machine) pushTri(t tri) {
	if t != unknown {
		m.push(boolValue(t == yes))
	}
}

// each runs body with $this and $index set to one item of focus after another.
func (m *machine) each(focus []Value, body func(i int) error) error {
	base, index := m.base, m.index
	defined := len(m.defined)
	for i := range focus {
		m.base, m.index = focus[i:i+1:i+1], i
		m.defined = m.defined[:defined]
		if err := m.spend(1); err != nil {
			return err
		}
		if err := body(i); err != nil {
			return err
		}
	}
	m.base, m.index = base, index
	m.defined = m.defined[:defined]
	return nil
}
