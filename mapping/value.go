package mapping

import (
	"strings"

	"github.com/yilian/yilian/mapping/path"
	"github.com/yilian/yilian/mapping/record"
)

// value is what a rule works on: text with the state the record gives it, and the node it stands in.
type value struct {
	node  *record.Node // nil for literals and computed values
	text  string
	state record.State
	kind  valueKind
}

// herePath is the path ".".
var herePath = func() *path.Path { p, _ := path.Parse(".", path.Options{}); return p }()

type valueKind uint8

const (
	textValue valueKind = iota
	boolValue
	numberValue
)

func (v value) present() bool { return v.state == record.Present }

func literal(text string) value { return value{text: text, state: record.Present} }

func of(n *record.Node) value {
	v := value{node: n, state: n.State()}
	if v.state == record.Present {
		v.text = strings.TrimSpace(n.Text())
		if v.text == "" && n.Kind() == record.Leaf {
			v.state = record.Empty
		}
	}
	return v
}

// rank orders what several sources of one element say: a value is more than a deletion, that more than emptiness.
func rank(a, b record.State) record.State {
	order := [...]uint8{record.Absent: 0, record.Empty: 1, record.Delete: 2, record.Present: 3}
	if order[b] > order[a] {
		return b
	}
	return a
}

// operand is something that gives a value: a path, a literal, or the first of several that does.
type operand struct {
	path    *path.Path
	slot    int // of a Variable path, else -1
	literal string
	first   []operand
	expr    *expression
	record  bool // the record itself, as bytes
}

// read returns the operand's value as seen from scope: of several, the first present one.
func (o *operand) read(r *run, scope *record.Node) value { return r.take(o.scope(r, scope)) }

// scope is read for what only steps into a value: it counts as read when something in it is.
func (o *operand) scope(r *run, scope *record.Node) value {
	switch {
	case o.first != nil:
		var best value
		for i := range o.first {
			v := o.first[i].scope(r, scope)
			if v.present() {
				return v
			}
			if s := rank(best.state, v.state); s != best.state {
				best = v
			}
		}
		return best
	case o.expr != nil:
		return o.expr.value(r, scope)
	case o.record:
		if len(r.rec.Raw) == 0 {
			return value{}
		}
		return value{state: record.Present}
	case o.path == nil:
		return literal(o.literal)
	case o.slot >= 0:
		v := r.cells[o.slot]
		if o.path.Plain() {
			return v
		}
		r.compared(o.path, v.node)
		return of(o.path.First(v.node))
	default:
		r.compared(o.path, scope)
		return of(o.path.First(scope))
	}
}

// compared notes what the selectors of a path look at as read.
func (r *run) compared(p *path.Path, scope *record.Node) {
	if r.covered != nil && p.Selective() {
		p.Compared(scope, func(n *record.Node) { r.covered.read[n] = true })
	}
}

// nothing reports that the operand is a field of the segment at, and that the field has no value: most have none.
func (o *operand) nothing(at *record.Node) (record.State, bool) {
	if o.path == nil || o.slot >= 0 || o.path.Start() != path.Scope || at.Kind() != record.Sequence {
		return record.Absent, false
	}
	segment, field, ok := o.path.Segment()
	if !ok || segment != at.Name() {
		return record.Absent, false
	}
	state := at.At(field).State()
	return state, state != record.Present
}

// each yields every value of the operand, repetitions one by one, as scope does. It reports whether yield always did.
func (o *operand) each(r *run, scope *record.Node, yield func(value) bool) bool {
	if v, ok := o.computed(r, scope); ok {
		return yield(v)
	}
	list := r.borrow()
	defer r.giveBack(list)
	list = o.nodes(r, scope, list)
	for _, n := range list {
		if !yield(of(n)) {
			return false
		}
	}
	return true
}

// computed returns the value of an operand that has no nodes.
func (o *operand) computed(r *run, scope *record.Node) (value, bool) {
	switch {
	case o.expr != nil:
		return o.expr.value(r, scope), true
	case o.record:
		return o.scope(r, scope), true
	case o.first == nil && o.path == nil:
		return literal(o.literal), true
	case o.first == nil && o.slot >= 0 && r.cells[o.slot].node == nil:
		return r.cells[o.slot], true
	}
	return value{}, false
}

// nodes appends the nodes of the operand's values, repetitions one by one; of several paths those of the first with a value.
func (o *operand) nodes(r *run, scope *record.Node, dst []*record.Node) []*record.Node {
	switch {
	case o.first != nil:
		start := len(dst)
		for i := range o.first {
			dst = o.first[i].nodes(r, scope, dst)
			for _, n := range dst[start:] {
				if of(n).present() {
					return dst
				}
			}
		}
		return dst
	case o.path == nil:
		return dst
	case o.slot >= 0:
		if scope = r.cells[o.slot].node; scope == nil {
			return dst
		}
	}
	r.compared(o.path, scope)
	return o.path.Append(dst, scope)
}

// borrow returns an empty list of nodes for a while; giveBack ends it. They nest.
func (r *run) borrow() []*record.Node {
	if n := len(r.lists); n > 0 {
		l := r.lists[n-1]
		r.lists = r.lists[:n-1]
		return l[:0]
	}
	return make([]*record.Node, 0, 16)
}

func (r *run) giveBack(l []*record.Node) { r.lists = append(r.lists, l) }

// constant reports whether the operand is a literal.
func (o *operand) constant() bool {
	return o.path == nil && o.first == nil && o.expr == nil && !o.record
}
