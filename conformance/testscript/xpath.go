package testscript

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// xvalue is a value of XPath: nodes, or one string, number or truth.
type xvalue struct {
	kind  xkind
	nodes []*xnode
	text  string
	num   float64
	truth bool
}

type xkind uint8

const (
	xNodes xkind = iota
	xString
	xNumber
	xBool
)

func (v xvalue) string() string {
	switch v.kind {
	case xNodes:
		if len(v.nodes) == 0 {
			return ""
		}
		return v.nodes[0].string()
	case xNumber:
		if v.num == math.Trunc(v.num) && math.Abs(v.num) < 1e15 {
			return strconv.FormatInt(int64(v.num), 10)
		}
		return strconv.FormatFloat(v.num, 'g', -1, 64)
	case xBool:
		return strconv.FormatBool(v.truth)
	}
	return v.text
}

func (v xvalue) bool() bool {
	switch v.kind {
	case xNodes:
		return len(v.nodes) > 0
	case xNumber:
		return v.num != 0 && !math.IsNaN(v.num)
	case xBool:
		return v.truth
	}
	return v.text != ""
}

func (v xvalue) number() float64 {
	switch v.kind {
	case xNumber:
		return v.num
	case xBool:
		if v.truth {
			return 1
		}
		return 0
	}
	return xnumber(v.string())
}

func xnumber(s string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// texts are the values an assertion compares.
func (v xvalue) texts() []string {
	if v.kind != xNodes {
		return []string{v.string()}
	}
	out := make([]string, 0, len(v.nodes))
	for _, n := range v.nodes {
		out = append(out, n.string())
	}
	return out
}

// xparser reads and evaluates at once: a path is short, and the evaluation of what stands behind a predicate happens as
// often as there are nodes.
type xparser struct {
	tokens []xtoken
	steps  int
}

func evaluateXPath(text string, n *fhir.Node) ([]string, error) {
	tokens, err := xlex(text)
	if err != nil {
		return nil, err
	}
	p := &xparser{tokens: tokens}
	e, at, err := p.expr(0, 0)
	if err != nil {
		return nil, err
	}
	if p.kind(at) != tokEnd {
		return nil, p.unexpected(at)
	}
	v, err := e(xcontext{node: document(n), position: 1, size: 1})
	if err != nil {
		return nil, err
	}
	return v.texts(), nil
}

type xcontext struct {
	node           *xnode
	position, size int
}

type xexpr func(xcontext) (xvalue, error)

func (p *xparser) cost(n int) error {
	if p.steps += n; p.steps > maxPathSteps {
		return errPathCost
	}
	return nil
}

func (p *xparser) kind(i int) xtokenKind { return p.tokens[i].kind }

func (p *xparser) is(i int, text string) bool {
	return p.tokens[i].kind == tokSymbol && p.tokens[i].text == text
}

func (p *xparser) word(i int, text string) bool {
	return p.tokens[i].kind == tokName && p.tokens[i].text == text
}

func (p *xparser) unexpected(i int) error {
	t := p.tokens[i]
	if t.kind == tokEnd {
		return fmt.Errorf("the path ends too early")
	}
	return fmt.Errorf("the path is not understood at character %d", t.at+1)
}

// expr is what "or" joins.
func (p *xparser) expr(at, depth int) (xexpr, int, error) {
	if depth > maxPathDepth {
		return nil, 0, fmt.Errorf("the path nests deeper than %d", maxPathDepth)
	}
	return p.joined(at, depth, "or", func(at, depth int) (xexpr, int, error) {
		return p.joined(at, depth, "and", p.comparison)
	})
}

func (p *xparser) joined(at, depth int, word string, part func(at, depth int) (xexpr, int, error)) (xexpr, int, error) {
	left, at, err := part(at, depth)
	for err == nil && p.word(at, word) {
		var right xexpr
		if right, at, err = part(at+1, depth); err != nil {
			break
		}
		before := left
		left = func(c xcontext) (xvalue, error) {
			l, err := before(c)
			if err != nil || l.bool() == (word == "or") {
				return xvalue{kind: xBool, truth: l.bool()}, err
			}
			r, err := right(c)
			return xvalue{kind: xBool, truth: r.bool()}, err
		}
	}
	return left, at, err
}

func (p *xparser) comparison(at, depth int) (xexpr, int, error) {
	left, at, err := p.primary(at, depth)
	if err != nil {
		return nil, 0, err
	}
	for _, op := range []string{"=", "!=", "<=", ">=", "<", ">"} {
		if !p.is(at, op) {
			continue
		}
		right, at, err := p.primary(at+1, depth)
		if err != nil {
			return nil, 0, err
		}
		return func(c xcontext) (xvalue, error) {
			l, err := left(c)
			if err != nil {
				return xvalue{}, err
			}
			r, err := right(c)
			if err != nil {
				return xvalue{}, err
			}
			if err := p.cost(max(1, len(l.nodes)) * max(1, len(r.nodes))); err != nil {
				return xvalue{}, err
			}
			return xvalue{kind: xBool, truth: xcompare(op, l, r)}, nil
		}, at, nil
	}
	return left, at, nil
}

// xcompare compares as XPath 1.0 does: true if it holds for any node.
func xcompare(op string, l, r xvalue) bool {
	if l.kind == xBool || r.kind == xBool {
		return xholds(op, xvalue{kind: xBool, truth: l.bool()}, xvalue{kind: xBool, truth: r.bool()})
	}
	for _, a := range l.spread() {
		for _, b := range r.spread() {
			if xholds(op, a, b) {
				return true
			}
		}
	}
	return false
}

func (v xvalue) spread() []xvalue {
	if v.kind != xNodes {
		return []xvalue{v}
	}
	out := make([]xvalue, 0, len(v.nodes))
	for _, n := range v.nodes {
		out = append(out, xvalue{kind: xString, text: n.string()})
	}
	return out
}

func xholds(op string, a, b xvalue) bool {
	if (op == "=" || op == "!=") && a.kind != xNumber && b.kind != xNumber {
		return (a.string() == b.string()) == (op == "=")
	}
	x, y := a.number(), b.number()
	switch op {
	case "=":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

func (p *xparser) primary(at, depth int) (xexpr, int, error) {
	t := p.tokens[at]
	switch {
	case t.kind == tokString:
		return constant(xvalue{kind: xString, text: t.text}), at + 1, nil
	case t.kind == tokNumber:
		return constant(xvalue{kind: xNumber, num: xnumber(t.text)}), at + 1, nil
	case p.is(at, "("):
		e, at, err := p.expr(at+1, depth+1)
		if err != nil {
			return nil, 0, err
		}
		if !p.is(at, ")") {
			return nil, 0, p.unexpected(at)
		}
		return p.filtered(e, at+1, depth)
	case t.kind == tokName && p.is(at+1, "(") && t.text != "text" && t.text != "node":
		return p.function(at, depth)
	}
	return p.location(at, depth)
}

// filtered reads what may stand behind brackets: predicates over all nodes, and more steps.
func (p *xparser) filtered(e xexpr, at, depth int) (xexpr, int, error) {
	for p.is(at, "[") {
		predicate, next, err := p.predicate(at, depth)
		if err != nil {
			return nil, 0, err
		}
		before := e
		e, at = func(c xcontext) (xvalue, error) {
			v, err := before(c)
			if err != nil {
				return xvalue{}, err
			}
			v.nodes, err = p.keep(v.nodes, predicate)
			return v, err
		}, next
	}
	if !p.is(at, "/") && !p.is(at, "//") {
		return e, at, nil
	}
	steps, at, err := p.slashes(at, depth)
	if err != nil {
		return nil, 0, err
	}
	return func(c xcontext) (xvalue, error) {
		v, err := e(c)
		if err != nil {
			return xvalue{}, err
		}
		return p.walk(v.nodes, steps)
	}, at, nil
}

func constant(v xvalue) xexpr { return func(xcontext) (xvalue, error) { return v, nil } }

// xstep is one step of a location path.
type xstep struct {
	deep       bool // behind "//"
	axis       xaxis
	name       string // "*" for any
	predicates []xexpr
}

type xaxis uint8

const (
	axisChild xaxis = iota
	axisAttribute
	axisSelf
	axisParent
	axisText // text(): the value of a primitive
)

func (p *xparser) location(at, depth int) (xexpr, int, error) {
	absolute := p.is(at, "/") || p.is(at, "//")
	var steps []xstep
	var err error
	if absolute {
		steps, at, err = p.slashes(at, depth)
	} else {
		var first xstep
		if first, at, err = p.step(at, depth); err == nil {
			var rest []xstep
			rest, at, err = p.slashes(at, depth)
			steps = append([]xstep{first}, rest...)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	return func(c xcontext) (xvalue, error) {
		from := c.node
		for absolute && from.parent != nil {
			from = from.parent
		}
		return p.walk([]*xnode{from}, steps)
	}, at, nil
}

// slashes reads steps that each begin with a slash.
func (p *xparser) slashes(at, depth int) ([]xstep, int, error) {
	var steps []xstep
	for p.is(at, "/") || p.is(at, "//") {
		s, next, err := p.step(at+1, depth)
		if err != nil {
			return nil, 0, err
		}
		s.deep = p.is(at, "//")
		steps, at = append(steps, s), next
	}
	return steps, at, nil
}

func (p *xparser) step(at, depth int) (xstep, int, error) {
	var s xstep
	switch {
	case p.is(at, "."):
		return xstep{axis: axisSelf, name: "*"}, at + 1, nil
	case p.is(at, ".."):
		return xstep{axis: axisParent, name: "*"}, at + 1, nil
	case p.is(at, "@"):
		s.axis = axisAttribute
		at++
	}
	switch {
	case p.is(at, "*"):
		s.name = "*"
	case p.kind(at) == tokName && p.is(at+1, "(") && p.is(at+2, ")") && s.axis == axisChild:
		switch p.tokens[at].text {
		case "text":
			s.axis, s.name = axisText, "*"
		case "node":
			s.name = "*"
		default:
			return s, 0, p.unexpected(at)
		}
		at += 2
	case p.kind(at) == tokName:
		s.name = p.tokens[at].text
		if i := strings.LastIndexByte(s.name, ':'); i >= 0 {
			if strings.HasSuffix(s.name[:i], ":") {
				return s, 0, fmt.Errorf("the path names an axis, which is not supported")
			}
			s.name = s.name[i+1:] // there is one namespace, whatever its prefix
		}
	default:
		return s, 0, p.unexpected(at)
	}
	at++
	for p.is(at, "[") {
		predicate, next, err := p.predicate(at, depth)
		if err != nil {
			return s, 0, err
		}
		s.predicates = append(s.predicates, predicate)
		at = next
	}
	return s, at, nil
}

func (p *xparser) predicate(at, depth int) (xexpr, int, error) {
	e, at, err := p.expr(at+1, depth+1)
	if err != nil {
		return nil, 0, err
	}
	if !p.is(at, "]") {
		return nil, 0, p.unexpected(at)
	}
	return e, at + 1, nil
}

func (p *xparser) walk(nodes []*xnode, steps []xstep) (xvalue, error) {
	for _, s := range steps {
		if s.deep {
			var all []*xnode
			seen := map[*xnode]bool{}
			for _, n := range nodes {
				if err := p.descend(n, seen, &all); err != nil {
					return xvalue{}, err
				}
			}
			nodes = all
		}
		var out []*xnode
		seen := map[*xnode]bool{}
		for _, n := range nodes {
			found, err := p.from(n, s)
			if err != nil {
				return xvalue{}, err
			}
			for _, f := range found {
				if !seen[f] {
					seen[f] = true
					out = append(out, f)
				}
			}
		}
		nodes = out
	}
	return xvalue{nodes: nodes}, nil
}

func (p *xparser) descend(n *xnode, seen map[*xnode]bool, out *[]*xnode) error {
	if seen[n] {
		return nil
	}
	seen[n] = true
	*out = append(*out, n)
	if err := p.cost(1); err != nil {
		return err
	}
	n.build()
	for _, c := range n.children {
		if err := p.descend(c, seen, out); err != nil {
			return err
		}
	}
	return nil
}

// from returns what one step finds from one node.
func (p *xparser) from(n *xnode, s xstep) ([]*xnode, error) {
	n.build()
	var candidates []*xnode
	switch s.axis {
	case axisChild:
		candidates = n.children
	case axisAttribute:
		candidates = n.attrs
	case axisSelf:
		candidates = []*xnode{n}
	case axisParent:
		if n.parent != nil {
			candidates = []*xnode{n.parent}
		}
	case axisText:
		if n.string() != "" {
			candidates = []*xnode{n}
		}
	}
	if err := p.cost(1 + len(candidates)); err != nil {
		return nil, err
	}
	var found []*xnode
	for _, c := range candidates {
		if s.name == "*" || c.name == s.name {
			found = append(found, c)
		}
	}
	for _, predicate := range s.predicates {
		var err error
		if found, err = p.keep(found, predicate); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// keep filters by a predicate: a number is a position, anything else a truth.
func (p *xparser) keep(nodes []*xnode, predicate xexpr) ([]*xnode, error) {
	var kept []*xnode
	for i, n := range nodes {
		if err := p.cost(1); err != nil {
			return nil, err
		}
		v, err := predicate(xcontext{node: n, position: i + 1, size: len(nodes)})
		if err != nil {
			return nil, err
		}
		if v.kind == xNumber && v.num == float64(i+1) || v.kind != xNumber && v.bool() {
			kept = append(kept, n)
		}
	}
	return kept, nil
}
