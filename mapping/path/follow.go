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
	scope = outer(scope, p.up)
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

// Append appends to dst every node the path leads to from scope, repetitions one by one, in the order of the record. Nodes
// without a value are among them.
func (p *Path) Append(dst []*record.Node, scope *record.Node) []*record.Node {
	start := len(dst)
	scope = outer(scope, p.up)
	switch {
	case p.start == Below:
		dst = all(dst, scope, p.name)
	case p.start == Variable, p.name == "":
		n := scope
		if p.start == Root {
			n = root(scope)
		}
		dst = repetitions(dst, n)
	case p.start == Root:
		dst = p.appendNamed(dst, root(scope))
	default:
		dst = p.appendNamed(dst, scope)
	}
	if p.index > 0 {
		if len(dst) < start+p.index {
			return dst[:start]
		}
		dst[start] = dst[start+p.index-1]
		dst = dst[:start+1]
	}
	if len(p.steps) == 0 {
		return dst
	}
	// Each of the first nodes gives way to what the steps lead to from it.
	first := len(dst)
	for k := start; k < first; k++ {
		dst = follow(dst, dst[k], p.steps)
	}
	n := copy(dst[start:], dst[first:])
	return dst[:start+n]
}

// follow walks the rest of the steps from one node, all repetitions on the way.
func follow(dst []*record.Node, n *record.Node, steps []step) []*record.Node {
	if len(steps) == 0 {
		return append(dst, n)
	}
	switch s := &steps[0]; s.kind {
	case position:
		if k := n.At(s.n); k != nil {
			return onward(dst, k, steps)
		}
	case index:
		if k := n.Repetition(s.n); k != nil {
			return follow(dst, k, steps[1:])
		}
	case child:
		if n.Kind() != record.Group {
			return dst
		}
		count := 0
		for _, k := range n.Kids() {
			if k.Name() != s.name {
				continue
			}
			if len(steps) > 1 && steps[1].kind == index && k.Kind() != record.List {
				if count++; count == steps[1].n {
					dst = follow(dst, k, steps[2:])
				}
				continue
			}
			dst = onward(dst, k, steps)
		}
	}
	return dst
}

// onward goes on from a node that steps[0] led to: from the repetition that steps[1] names, or from all.
func onward(dst []*record.Node, k *record.Node, steps []step) []*record.Node {
	if len(steps) > 1 && steps[1].kind == index {
		if k = k.Repetition(steps[1].n); k == nil {
			return dst
		}
		return follow(dst, k, steps[2:])
	}
	if k.Kind() != record.List {
		return follow(dst, k, steps[1:])
	}
	for _, r := range k.Kids() {
		dst = follow(dst, r, steps[1:])
	}
	return dst
}

func repetitions(dst []*record.Node, n *record.Node) []*record.Node {
	switch {
	case n == nil:
		return dst
	case n.Kind() != record.List:
		return append(dst, n)
	}
	return append(dst, n.Kids()...)
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

func (p *Path) appendNamed(dst []*record.Node, scope *record.Node) []*record.Node {
	if g, self := holder(scope, p.name, p.outward); self {
		return append(dst, g)
	} else if g != nil {
		return named(dst, g, p.name)
	}
	if !p.outward {
		return dst
	}
	before := len(dst)
	if dst = all(dst, group(scope), p.name); len(dst) > before || scope == nil {
		return dst
	}
	if n := p.find(scope); n != nil {
		return named(dst, n.Parent(), p.name)
	}
	return dst
}

// named appends the children of that name, repetitions one by one.
func named(dst []*record.Node, g *record.Node, name string) []*record.Node {
	for _, k := range g.Kids() {
		if k.Name() == name {
			dst = repetitions(dst, k)
		}
	}
	return dst
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

// all appends every node of that name below g at any depth, not looking into those it appends.
func all(dst []*record.Node, g *record.Node, name string) []*record.Node {
	for _, k := range g.Kids() {
		switch {
		case k.Name() == name:
			dst = repetitions(dst, k)
		case k.Kind() == record.Group || k.Kind() == record.List:
			dst = all(dst, k, name)
		}
	}
	return dst
}

// outer returns the group that is up groups around n, nil when there are not so many.
func outer(n *record.Node, up int) *record.Node {
	for ; up > 0 && n != nil; up-- {
		for n = n.Parent(); n != nil && n.Kind() != record.Group; {
			n = n.Parent()
		}
	}
	return n
}
