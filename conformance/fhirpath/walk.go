package fhirpath

import "slices"

// walk is an expression of the shape of nearly all search parameters: branches of
// a union, each a path of names from the focus and then what is done with what is
// there. Nothing comes out of a branch whose path leads to nothing.
type walk struct {
	branches []branch
	union    bool // equal items count once
}

type branch struct {
	path []*expr // names
	rest []code
}

// walkOf finds the shape of an expression that compiles; ok is false if it has
// another one.
func (c *compiler) walkOf(e *expr) (w walk, ok bool) {
	if e.kind == exprBinary && e.name == "|" {
		left, okLeft := c.walkOf(e.args[0])
		right, okRight := c.walkOf(e.args[1])
		return walk{branches: append(left.branches, right.branches...), union: true}, okLeft && okRight
	}
	b, _, absent, ok := c.branchOf(e)
	if absent || !ok {
		return walk{}, ok
	}
	return walk{branches: []branch{b}}, true
}

// branchOf reads a path; absent says that its type is another than the focus has.
func (c *compiler) branchOf(e *expr) (b branch, out static, absent, ok bool) {
	switch e.kind {
	case exprMember:
		run, out, err := c.start(e)
		switch {
		case err != nil:
			return b, out, false, false
		case run == nil: // the focus
			return b, out, false, true
		case out.absent:
			return b, out, true, true
		case e.name[0] >= 'A' && e.name[0] <= 'Z':
			return b, out, false, false // decided by each item's type
		}
		b.path = []*expr{e}
		return b, out, false, true
	case exprDot:
		var behind []*expr
		for ; e.kind == exprDot; e = e.args[0] {
			behind = append(behind, e.args[1])
		}
		b, out, absent, ok = c.branchOf(e)
		for _, next := range slices.Backward(behind) {
			if !ok || next.kind == exprCall && !emptyOfEmpty(next) {
				return b, out, absent, false
			}
			run, after, err := c.invocation(next, out)
			if err != nil {
				return b, out, absent, false
			}
			out = after
			if next.kind == exprMember && len(b.rest) == 0 {
				b.path = append(b.path, next)
			} else {
				b.rest = append(b.rest, run)
			}
		}
		return b, out, absent, ok
	case exprType:
		b, out, absent, ok = c.branchOf(e.args[0])
		if !ok || e.name != "as" {
			return b, out, absent, false
		}
		test, err := c.typeTest(e.typ, e.offset)
		if err != nil {
			return b, out, absent, false
		}
		run, out, err := c.typeOperation(e, e.name, test, out)
		b.rest = append(b.rest, run)
		return b, out, absent, err == nil
	}
	return b, out, false, false
}

// emptyOfEmpty reports whether a function makes nothing of nothing, without
// looking at its arguments.
func emptyOfEmpty(e *expr) bool {
	switch e.name {
	case "where", "ofType", "as", "resolve", "first", "last", "tail":
		return true
	case "extension":
		return len(e.args) == 1 && e.args[0].kind == exprLiteral
	}
	return false
}

// Plan evaluates a list of expressions over resources of one type: what their
// paths share is walked once. It is for any number of goroutines.
type Plan struct {
	model *Model
	class *class
	nodes []planNode // a parent before its children; the first is the focus
	exprs []planned
}

// planNode is a place that paths lead to.
type planNode struct {
	parent int32
	step   *step
}

type planned struct {
	expr     *Expression
	whole    bool // not of the shape of a walk
	union    bool
	branches []planBranch
}

type planBranch struct {
	node int32
	rest []code
}

// Plan makes a plan for a resource type of expressions that were compiled with it
// as their context.
func (m *Model) Plan(resource string, exprs []*Expression) *Plan {
	p := &Plan{model: m, class: m.resourceClass(resource), nodes: make([]planNode, 1)}
	for _, x := range exprs {
		e := planned{expr: x, whole: !x.walks, union: x.walk.union}
		for _, b := range x.walk.branches {
			at := int32(0)
			for _, name := range b.path {
				at = p.child(at, name)
			}
			e.branches = append(e.branches, planBranch{at, b.rest})
		}
		p.exprs = append(p.exprs, e)
	}
	return p
}

func (p *Plan) child(parent int32, name *expr) int32 {
	for i := int(parent) + 1; i < len(p.nodes); i++ {
		if n := &p.nodes[i]; n.parent == parent && n.step.name == name.name {
			return int32(i)
		}
	}
	p.nodes = append(p.nodes, planNode{parent, &step{name: name.name, offset: name.offset}})
	return int32(len(p.nodes) - 1)
}

// Run is a plan over one resource. It is for one goroutine. Close it.
type Run struct {
	plan    *Plan
	machine *machine
	focus   Value
	env     *Env
	general bool // the resource is of another type than the plan
	held    int  // values of places on the machine's stack
}

// reach is where the values of a place lie on the stack.
type reach struct {
	from, to int32
	known    bool
}

// Run starts a plan over a resource. A nil env is an empty one.
func (p *Plan) Run(env *Env, focus Value) Run {
	m := machines.Get().(*machine)
	m.reset(env, p.model, focus)
	r := Run{plan: p, machine: m, focus: focus, env: env, general: focus.class != p.class}
	r.begin()
	return r
}

// begin lays the focus on the stack, with no other place known.
func (r *Run) begin() {
	m := r.machine
	m.places = append(m.places[:0], make([]reach, len(r.plan.nodes))...)
	m.push(r.focus)
	m.places[0] = reach{0, 1, true}
	r.held = 1
}

// Evaluate evaluates the i-th expression. The result is valid until the next call.
func (r *Run) Evaluate(i int) ([]Value, error) {
	m, x := r.machine, &r.plan.exprs[i]
	m.stack = m.stack[:r.held]
	m.steps, m.text, m.defined = 0, 0, nil
	values, err := r.evaluate(x)
	if err == nil {
		err = m.spend(0)
	}
	if err != nil {
		// What an operation left half done is not worth untangling.
		m.reset(r.env, m.model, r.focus)
		r.begin()
		return nil, x.expr.positioned(err)
	}
	return values, nil
}

func (r *Run) evaluate(x *planned) ([]Value, error) {
	m := r.machine
	if x.whole || r.general {
		err := x.expr.run(m, m.base)
		return m.stack[r.held:], err
	}
	some, last := 0, -1 // branches that lead to something
	for i := range x.branches {
		at, err := r.walk(x.branches[i].node)
		if err != nil {
			return nil, err
		}
		if at.to > at.from {
			some++
			last = i
		}
	}
	if some == 0 {
		return nil, nil
	}
	mark := r.held
	if some == 1 && len(x.branches[last].rest) == 0 {
		at := m.places[x.branches[last].node]
		if !x.union || at.to-at.from == 1 {
			return m.stack[at.from:at.to:at.to], nil
		}
	}
	for i := range x.branches {
		b := &x.branches[i]
		at := m.places[b.node]
		if at.to == at.from {
			continue
		}
		focus := m.stack[at.from:at.to:at.to]
		if len(b.rest) == 0 {
			m.stack = append(m.stack, focus...)
			continue
		}
		own := len(m.stack)
		for _, part := range b.rest {
			next := len(m.stack)
			if err := part(m, focus); err != nil {
				return nil, err
			}
			m.keep(own, next)
			focus = m.stack[own:len(m.stack):len(m.stack)]
		}
	}
	if x.union {
		if err := m.distinct(mark); err != nil {
			return nil, err
		}
	}
	return m.stack[mark:], nil
}

// walk finds the values of a place. Those of places stay at the bottom of the stack.
func (r *Run) walk(node int32) (reach, error) {
	m := r.machine
	if at := m.places[node]; at.known {
		return at, nil
	}
	n := &r.plan.nodes[node]
	above, err := r.walk(n.parent)
	if err != nil {
		return reach{}, err
	}
	from := len(m.stack)
	if above.to > above.from {
		if err := n.step.run(m, m.stack[above.from:above.to:above.to]); err != nil {
			return reach{}, err
		}
	}
	at := reach{int32(from), int32(len(m.stack)), true}
	m.places[node] = at
	r.held = len(m.stack)
	return at, nil
}

// Close gives back what the run holds.
func (r *Run) Close() { r.machine.release() }
