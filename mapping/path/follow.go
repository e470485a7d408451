package path

import (
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// finder is what the structure of an HL7 v2 group adds to record.Names: the groups below it that lead to a name without
// repeating.
type finder interface {
	Find(name string) (through []string, ok bool)
}

// First returns the node the path leads to from scope: of repetitions, here and on the way, the first. It returns nil
// when there is none. For a Variable path scope is the variable's node.
func (p *Path) First(scope *record.Node) *record.Node {
	n := scope
	switch p.start {
	case Root:
		n = root(scope)
		if p.name != "" {
			n = p.find(n)
		}
	case Below:
		n = below(scope, p.name, true, nil)
	case Scope:
		if p.name != "" {
			n = p.find(scope)
		}
	case Variable:
	}
	if p.index > 1 || p.index == 1 && n.Kind() == record.List {
		n = nth(n, p.index)
	}
	for i := range p.steps {
		if n == nil {
			return nil
		}
		switch s := &p.steps[i]; s.kind {
		case position:
			n = n.At(s.n)
		case index:
			n = n.Repetition(s.n)
		case child:
			if n.Kind() == record.List {
				n = n.Repetition(1)
			}
			n = n.Get(s.name)
		}
	}
	return n
}

// Each yields every node the path leads to from scope, repetitions one by one, in the order of the record. Nodes
// without a value are among them.
func (p *Path) Each(scope *record.Node, yield func(*record.Node) bool) {
	walk := func(n *record.Node) bool { return follow(n, p.steps, yield) }
	if p.index > 0 {
		i, inner := 0, walk
		walk = func(n *record.Node) bool {
			if i++; i == p.index {
				return inner(n)
			}
			return i < p.index
		}
	}
	switch {
	case p.start == Below:
		all(scope, p.name, walk)
	case p.start == Variable, p.name == "":
		n := scope
		if p.start == Root {
			n = root(scope)
		}
		repetitions(n, walk)
	case p.start == Root:
		p.eachNamed(root(scope), walk)
	default:
		p.eachNamed(scope, walk)
	}
}

// follow walks the rest of the steps from one node, all repetitions on the way.
func follow(n *record.Node, steps []step, yield func(*record.Node) bool) bool {
	if len(steps) == 0 {
		return yield(n)
	}
	next := func(k *record.Node) bool {
		if len(steps) > 1 && steps[1].kind == index {
			if k = k.Repetition(steps[1].n); k == nil {
				return true
			}
			return follow(k, steps[2:], yield)
		}
		return repetitions(k, func(r *record.Node) bool { return follow(r, steps[1:], yield) })
	}
	switch s := &steps[0]; s.kind {
	case position:
		if k := n.At(s.n); k != nil {
			return next(k)
		}
	case index:
		if k := n.Repetition(s.n); k != nil {
			return follow(k, steps[1:], yield)
		}
	case child:
		count := 0
		for _, k := range n.Kids() {
			if k.Name() != s.name || n.Kind() != record.Group {
				continue
			}
			if len(steps) > 1 && steps[1].kind == index && k.Kind() != record.List {
				if count++; count != steps[1].n {
					continue
				}
				if !follow(k, steps[2:], yield) {
					return false
				}
				continue
			}
			if !next(k) {
				return false
			}
		}
	}
	return true
}

func repetitions(n *record.Node, yield func(*record.Node) bool) bool {
	if n.Kind() != record.List {
		return n == nil || yield(n)
	}
	for _, r := range n.Kids() {
		if !yield(r) {
			return false
		}
	}
	return true
}

// find returns the first node of the path's name as seen from scope. With an index it returns the first of several; nth
// goes on from there.
func (p *Path) find(scope *record.Node) *record.Node {
	if g, self := holder(scope, p.name, p.outward); self {
		return g
	} else if g != nil {
		return g.Get(p.name)
	}
	if !p.outward {
		return nil
	}
	var from *record.Node
	for s := group(scope); s != nil; from, s = s, group(s.Parent()) {
		if f, ok := s.Names().(finder); ok && !strings.HasPrefix(p.name, "Z") {
			through, ok := f.Find(p.name)
			if !ok {
				continue
			}
			n := s
			for _, name := range through {
				n = n.Get(name)
			}
			return n.Get(p.name) // its place, taken or not
		}
		if n := below(s, p.name, false, from); n != nil {
			return n
		}
	}
	if s := group(scope); s != nil && s.Parent() == nil {
		return below(s, p.name, true, nil)
	}
	return nil
}

func (p *Path) eachNamed(scope *record.Node, yield func(*record.Node) bool) {
	if g, self := holder(scope, p.name, p.outward); self {
		yield(g)
		return
	} else if g != nil {
		for k := range g.Each(p.name) {
			if !yield(k) {
				return
			}
		}
		return
	}
	if !p.outward {
		return
	}
	found := false
	all(group(scope), p.name, func(n *record.Node) bool {
		found = true
		return yield(n)
	})
	if found || scope == nil {
		return
	}
	if n := p.find(scope); n != nil {
		for k := range n.Parent().Each(p.name) {
			if !yield(k) {
				return
			}
		}
	}
}

// holder returns the group that holds name as seen from scope, or the scope's own segment when that has the name.
func holder(scope *record.Node, name string, outward bool) (g *record.Node, self bool) {
	for s := scope; s != nil; s = s.Parent() {
		switch s.Kind() {
		case record.Group:
			if s.Declares(name) {
				return s, false
			}
			if !outward {
				return nil, false
			}
		case record.Sequence:
			if s.Name() == name && outward && s.Parent().Kind() == record.Group {
				return s, true
			}
		}
	}
	return nil, false
}

// nth returns the i-th of n's name, n being the first.
func nth(n *record.Node, i int) *record.Node {
	if n.Kind() == record.List {
		return n.Repetition(i)
	}
	if n == nil || i == 1 {
		return n
	}
	count := 0
	for k := range n.Parent().Each(n.Name()) {
		if count++; count == i {
			return k
		}
	}
	return nil
}

// group returns n when it is a group, else the group around it.
func group(n *record.Node) *record.Node {
	for n != nil && n.Kind() != record.Group {
		n = n.Parent()
	}
	return n
}

func root(n *record.Node) *record.Node {
	for n.Parent() != nil {
		n = n.Parent()
	}
	return n
}

// below returns the first node of that name below the group g in the order of the record, not looking into the group
// skip, which was searched before, nor its other repetitions, nor, unless deep, into groups that repeat.
func below(g *record.Node, name string, deep bool, skip *record.Node) *record.Node {
	kids := g.Kids()
	for _, k := range kids {
		if k.Name() == name {
			return k
		}
		if k.Kind() != record.Group || skip != nil && k.Name() == skip.Name() {
			continue
		}
		if !deep && repeats(k, kids) {
			continue
		}
		if n := below(k, name, deep, nil); n != nil {
			return n
		}
	}
	return nil
}

func repeats(k *record.Node, kids []*record.Node) bool {
	count := 0
	for _, o := range kids {
		if o.Name() == k.Name() {
			count++
		}
	}
	return count > 1
}

// all yields every node of that name below g at any depth, not looking into those it yields.
func all(g *record.Node, name string, yield func(*record.Node) bool) bool {
	for _, k := range g.Kids() {
		if k.Name() == name {
			if !repetitions(k, yield) {
				return false
			}
			continue
		}
		if kind := k.Kind(); kind != record.Leaf && kind != record.Sequence && !all(k, name, yield) { // fields have no names
			return false
		}
	}
	return true
}
