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
	switch {
	case p.choices != nil:
		var room [8]*record.Node
		list := p.head(room[:0], scope, nil)
		if len(list) == 0 {
			return nil
		}
		n = list[0]
	case p.start == Root:
		n = root(scope)
		if p.name != "" {
			n = p.find(n)
		}
	case p.start == Below:
		n = below(scope, p.name, true, nil)
	case p.start == Scope && p.name != "":
		n = p.find(scope)
	}
	if p.choices == nil && (p.index > 1 || p.index == 1 && n.Kind() == record.List) {
		if p.start == Variable {
			n = n.Repetition(p.index)
		} else {
			n = nth(n, p.index)
		}
	}
	for i := 0; i < len(p.steps); i++ {
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
			parent := n
			n = n.Get(s.name)
			if i+1 < len(p.steps) && p.steps[i+1].kind == index && n.Kind() != record.List {
				i++ // XML elements and segment groups of one name stand side by side
				n = nth(n, p.steps[i].n)
			} else if i+1 < len(p.steps) && p.steps[i+1].kind == choice {
				var room [8]*record.Node
				list, used := pick(named(room[:0], parent, s.name), 0, p.steps[i+1:], nil)
				if i, n = i+used, nil; len(list) > 0 {
					n = list[0]
				}
			}
		case choice: // behind a position
			var room [8]*record.Node
			list, used := pick(repetitions(room[:0], n), 0, p.steps[i:], nil)
			if i, n = i+used-1, nil; len(list) > 0 {
				n = list[0]
			}
		}
	}
	return n
}

// Append appends to dst every node the path leads to from scope, repetitions one by one, in the order of the record. Nodes
// without a value are among them.
func (p *Path) Append(dst []*record.Node, scope *record.Node) []*record.Node {
	return p.append(dst, scope, nil)
}

// Compared calls seen with every value that the path's selectors look at on the way from scope.
func (p *Path) Compared(scope *record.Node, seen func(*record.Node)) {
	if p.selects {
		p.append(nil, scope, seen)
	}
}

func (p *Path) append(dst []*record.Node, scope *record.Node, seen func(*record.Node)) []*record.Node {
	start := len(dst)
	dst = p.head(dst, outer(scope, p.up), seen)
	if len(p.steps) == 0 {
		return dst
	}
	return onwardEach(dst, start, p.steps, seen)
}

// head appends the nodes that the start of the path and its first name lead to.
func (p *Path) head(dst []*record.Node, scope *record.Node, seen func(*record.Node)) []*record.Node {
	start := len(dst)
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
	for i := range p.choices {
		dst = p.choices[i].keep(dst, start, seen)
	}
	if p.index > 0 {
		dst = number(dst, start, p.index)
	}
	return dst
}

// number keeps of the nodes from start on the n-th, from 1.
func number(dst []*record.Node, start, n int) []*record.Node {
	if len(dst) < start+n {
		return dst[:start]
	}
	dst[start] = dst[start+n-1]
	return dst[:start+1]
}

// onwardEach replaces each of the nodes from start on by what the steps lead to from it.
func onwardEach(dst []*record.Node, start int, steps []step, seen func(*record.Node)) []*record.Node {
	first := len(dst)
	for k := start; k < first; k++ {
		dst = follow(dst, dst[k], steps, seen)
	}
	n := copy(dst[start:], dst[first:])
	return dst[:start+n]
}

// pick keeps of the nodes from start on those that the selectors at the front of the steps choose, of them the one that a
// number behind them says. It returns how many steps that were.
func pick(dst []*record.Node, start int, steps []step, seen func(*record.Node)) (_ []*record.Node, used int) {
	for ; used < len(steps) && steps[used].kind == choice; used++ {
		dst = steps[used].selector.keep(dst, start, seen)
	}
	if used < len(steps) && steps[used].kind == index {
		dst = number(dst, start, steps[used].n)
		used++
	}
	return dst, used
}

// follow walks the rest of the steps from one node, all repetitions on the way.
func follow(dst []*record.Node, n *record.Node, steps []step, seen func(*record.Node)) []*record.Node {
	if len(steps) == 0 {
		return append(dst, n)
	}
	switch s := &steps[0]; s.kind {
	case position:
		if k := n.At(s.n); k != nil {
			return onward(dst, k, steps, seen)
		}
	case index:
		if k := n.Repetition(s.n); k != nil {
			return follow(dst, k, steps[1:], seen)
		}
	case child:
		if n.Kind() != record.Group {
			return dst
		}
		if len(steps) > 1 && steps[1].kind == choice {
			start := len(dst)
			dst, used := pick(named(dst, n, s.name), start, steps[1:], seen)
			return onwardEach(dst, start, steps[1+used:], seen)
		}
		count := 0
		for _, k := range n.Kids() {
			if k.Name() != s.name {
				continue
			}
			if len(steps) > 1 && steps[1].kind == index && k.Kind() != record.List {
				if count++; count == steps[1].n {
					dst = follow(dst, k, steps[2:], seen)
				}
				continue
			}
			dst = onward(dst, k, steps, seen)
		}
	case choice: // the others stand behind a name or a position, which deal with them
	}
	return dst
}

// onward goes on from a node that steps[0] led to: from the repetition that steps[1] names, from those it chooses, or from
// all.
func onward(dst []*record.Node, k *record.Node, steps []step, seen func(*record.Node)) []*record.Node {
	if len(steps) > 1 && steps[1].kind == index {
		if k = k.Repetition(steps[1].n); k == nil {
			return dst
		}
		return follow(dst, k, steps[2:], seen)
	}
	if len(steps) > 1 && steps[1].kind == choice {
		start := len(dst)
		dst, used := pick(repetitions(dst, k), start, steps[1:], seen)
		return onwardEach(dst, start, steps[1+used:], seen)
	}
	if k.Kind() != record.List {
		return follow(dst, k, steps[1:], seen)
	}
	for _, r := range k.Kids() {
		dst = follow(dst, r, steps[1:], seen)
	}
	return dst
}

// keep leaves of the nodes from start on those in which the selector's path has its text.
func (s *Selector) keep(dst []*record.Node, start int, seen func(*record.Node)) []*record.Node {
	out := dst[:start]
	for _, n := range dst[start:] {
		if s.matches(n, seen) {
			out = append(out, n)
		}
	}
	return out
}

// matches reports whether one of the values that the selector's path leads to from n has its text. Names are looked for in n
// alone; a segment goes by its own name too.
func (s *Selector) matches(n *record.Node, seen func(*record.Node)) bool {
	if s.Path.name == "" || n.Kind() == record.Sequence && n.Name() == s.Path.name {
		return s.has(n, s.Path.steps, seen)
	}
	return s.inNamed(n, s.Path.name, s.Path.index, s.Path.steps, seen)
}

func (s *Selector) has(n *record.Node, steps []step, seen func(*record.Node)) bool {
	if len(steps) == 0 {
		if seen != nil && n != nil {
			seen(n)
		}
		return n.State() == record.Present && strings.TrimSpace(n.Text()) == s.Value
	}
	switch st := &steps[0]; st.kind {
	case position:
		return s.inRepetitions(n.At(st.n), steps[1:], seen)
	case index:
		k := n.Repetition(st.n)
		return k != nil && s.has(k, steps[1:], seen)
	case child:
		if len(steps) > 1 && steps[1].kind == index {
			return s.inNamed(n, st.name, steps[1].n, steps[2:], seen)
		}
		return s.inNamed(n, st.name, 0, steps[1:], seen)
	case choice: // a selector has none inside
	}
	return false
}

// inNamed looks into the children of a name, or into the one whose number is given.
func (s *Selector) inNamed(n *record.Node, name string, number int, steps []step, seen func(*record.Node)) bool {
	if n.Kind() != record.Group {
		return false
	}
	count, found := 0, false
	for _, k := range n.Kids() {
		if k.Name() != name {
			continue
		}
		if k.Kind() != record.List {
			if count++; number == 0 || count == number {
				found = s.has(k, steps, seen) || found
			}
			continue
		}
		for _, r := range k.Kids() {
			if count++; number == 0 || count == number {
				found = s.has(r, steps, seen) || found
			}
		}
	}
	return found
}

func (s *Selector) inRepetitions(n *record.Node, steps []step, seen func(*record.Node)) bool {
	switch {
	case n == nil:
		return false
	case n.Kind() != record.List || len(steps) > 0 && steps[0].kind == index:
		return s.has(n, steps, seen)
	}
	found := false
	for _, r := range n.Kids() {
		found = s.has(r, steps, seen) || found
	}
	return found
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
