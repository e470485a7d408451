package testscript

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// xnode is a node of the XML form of a resource: the document, an element or an attribute.
type xnode struct {
	name      string
	attribute bool
	document  bool
	text      string // of an attribute
	element   fhir.Element
	parent    *xnode

	built    bool
	children []*xnode
	attrs    []*xnode
}

func document(n *fhir.Node) *xnode {
	d := &xnode{document: true, built: true}
	d.children = []*xnode{{name: n.ResourceType(), element: fhir.Element{Value: n}, parent: d}}
	return d
}

// build makes children and attributes when they are first asked for.
func (x *xnode) build() {
	if x.built {
		return
	}
	x.built = true
	value := x.element.Value
	resource := value.Kind() == fhir.Object && value.ResourceType() != ""
	switch {
	case resource && x.name != value.ResourceType():
		// entry.resource and contained hold an element of the resource's name
		x.children = []*xnode{{name: value.ResourceType(), element: fhir.Element{Value: value}, parent: x}}
	case value.Kind() == fhir.Object:
		x.properties(value, resource)
	case value != nil:
		x.attrs = append(x.attrs, &xnode{name: "value", attribute: true, text: value.Text(), parent: x})
	}
	if x.element.Extra.Kind() == fhir.Object {
		x.properties(x.element.Extra, false)
	}
}

func (x *xnode) properties(object *fhir.Node, resource bool) {
	for _, p := range object.All() {
		name := p.Name()
		switch {
		case name == "resourceType":
			continue
		case !resource && name == "id", (x.name == "extension" || x.name == "modifierExtension") && name == "url":
			x.attrs = append(x.attrs, &xnode{name: name, attribute: true, text: p.Text(), parent: x})
			continue
		case strings.HasPrefix(name, "_"):
			name = name[1:]
			if object.Get(name) != nil {
				continue // comes with its value
			}
		}
		for _, e := range object.Elements(name) {
			x.children = append(x.children, &xnode{name: name, element: e, parent: x})
		}
	}
}

// string is the node's text: an attribute's, or a primitive's value. XML would say that an element without text is empty;
// scripts write Patient/id and mean the value.
func (x *xnode) string() string {
	if x.attribute {
		return x.text
	}
	if v := x.element.Value; v != nil && v.Kind() != fhir.Object && v.Kind() != fhir.Array {
		return v.Text()
	}
	return ""
}

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

// functions are those that scripts use, with how many arguments they take.
var functions = map[string]struct {
	least, most int
	call        func(c xcontext, args []xvalue) xvalue
}{
	"count":      {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(len(a[0].nodes))} }},
	"not":        {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xBool, truth: !a[0].bool()} }},
	"boolean":    {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xBool, truth: a[0].bool()} }},
	"true":       {0, 0, func(xcontext, []xvalue) xvalue { return xvalue{kind: xBool, truth: true} }},
	"false":      {0, 0, func(xcontext, []xvalue) xvalue { return xvalue{kind: xBool} }},
	"position":   {0, 0, func(c xcontext, _ []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(c.position)} }},
	"last":       {0, 0, func(c xcontext, _ []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(c.size)} }},
	"string":     {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: own(c, a).string()} }},
	"number":     {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xNumber, num: own(c, a).number()} }},
	"name":       {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: nodeName(own(c, a))} }},
	"local-name": {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: nodeName(own(c, a))} }},
	"normalize-space": {0, 1, func(c xcontext, a []xvalue) xvalue {
		return xvalue{kind: xString, text: strings.Join(strings.Fields(own(c, a).string()), " ")}
	}},
	"string-length": {0, 1, func(c xcontext, a []xvalue) xvalue {
		return xvalue{kind: xNumber, num: float64(len([]rune(own(c, a).string())))}
	}},
	"contains": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		return xvalue{kind: xBool, truth: strings.Contains(a[0].string(), a[1].string())}
	}},
	"starts-with": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		return xvalue{kind: xBool, truth: strings.HasPrefix(a[0].string(), a[1].string())}
	}},
	"substring-before": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		before, _, found := strings.Cut(a[0].string(), a[1].string())
		if !found {
			before = ""
		}
		return xvalue{kind: xString, text: before}
	}},
	"substring-after": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		_, after, _ := strings.Cut(a[0].string(), a[1].string())
		return xvalue{kind: xString, text: after}
	}},
	"concat": {2, 16, func(_ xcontext, a []xvalue) xvalue {
		var b strings.Builder
		for _, v := range a {
			b.WriteString(v.string())
		}
		return xvalue{kind: xString, text: b.String()}
	}},
}

func own(c xcontext, args []xvalue) xvalue {
	if len(args) > 0 {
		return args[0]
	}
	return xvalue{nodes: []*xnode{c.node}}
}

func nodeName(v xvalue) string {
	if v.kind != xNodes || len(v.nodes) == 0 {
		return ""
	}
	return v.nodes[0].name
}

func (p *xparser) function(at, depth int) (xexpr, int, error) {
	name := p.tokens[at].text
	f, ok := functions[name]
	if !ok {
		return nil, 0, fmt.Errorf("the path uses the function %s(), which is not supported", name)
	}
	var args []xexpr
	for at += 2; !p.is(at, ")"); {
		arg, next, err := p.expr(at, depth+1)
		if err != nil {
			return nil, 0, err
		}
		args = append(args, arg)
		if at = next; p.is(at, ",") {
			at++
		} else if !p.is(at, ")") {
			return nil, 0, p.unexpected(at)
		}
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, 0, fmt.Errorf("the path gives %s() %d arguments", name, len(args))
	}
	return func(c xcontext) (xvalue, error) {
		if err := p.cost(1); err != nil {
			return xvalue{}, err
		}
		values := make([]xvalue, len(args))
		for i, a := range args {
			v, err := a(c)
			if err != nil {
				return xvalue{}, err
			}
			values[i] = v
		}
		out := f.call(c, values)
		return out, p.cost(len(out.text) / 64)
	}, at + 1, nil
}

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
