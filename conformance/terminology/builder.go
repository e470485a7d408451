package terminology

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Builder makes a code system in memory, concept by concept. It is for one goroutine, and for one code system.
type Builder struct {
	m      *Memory
	limits Limits
	text   strings.Builder
	notes  strings.Builder
	full   *Refusal

	keys   map[detailKey]uint32
	values map[string]detail // values that stand in notes, to store those that many concepts have once
	edges  []edge
	named  []namedEdge
	twice  int
}

// edge is a link from a child to its parent.
type edge struct{ child, parent uint32 }

// namedEdge is an edge one end of which is a code that may come later.
type namedEdge struct {
	concept uint32
	child   bool // the code is that of a child
	code    string
}

// Bounds of the values that a Builder remembers to store them once.
const (
	maxShared      = 1 << 16
	maxSharedBytes = 64
)

// NewBuilder returns a Builder of the code system described.
func NewBuilder(about Description, limits Limits) *Builder {
	if about.Content == "" {
		about.Content = Complete
	}
	return &Builder{m: &Memory{about: about, seed: maphash.MakeSeed(), index: make([]uint32, 16)}, limits: limits.withDefaults(),
		keys: map[detailKey]uint32{}, values: map[string]detail{}}
}

// Add adds a concept. A code that is there already is not added again: the parents are more of the first, the rest is
// lost. Parents and children may come later.
func (b *Builder) Add(d Details) error {
	i, fresh, err := b.concept(d.Concept)
	if err != nil {
		return err
	}
	if d.Parent != "" && len(d.Parents) == 0 {
		b.name(i, false, d.Parent)
	}
	for _, p := range d.Parents {
		b.name(i, false, p)
	}
	for _, c := range d.Children {
		b.name(i, true, c)
	}
	if !fresh {
		return nil
	}
	b.definition(d.Definition)
	for _, x := range d.Designations {
		b.designation(x)
	}
	for _, p := range d.Properties {
		b.property(p)
	}
	if b.full != nil {
		return b.full
	}
	return nil
}

// expect makes room for concepts at once, within the limits.
func (b *Builder) expect(concepts, text, details, notes int) {
	m := b.m
	if concepts > b.limits.Concepts || text+notes > b.limits.Text {
		return // it will be refused
	}
	size := len(m.index)
	for 3*(concepts+1) >= 2*size {
		size *= 2
	}
	m.index = make([]uint32, size)
	m.ends, m.flags, m.detailEnds = make([]uint32, 0, 2*concepts), make([]uint8, 0, concepts), make([]uint32, 0, concepts)
	m.details = make([]detail, 0, details)
	b.text.Grow(text)
	b.notes.Grow(notes)
}

// compact returns what was built, without much room that is not used.
func compact(b *strings.Builder) string {
	if b.Cap()-b.Len() > b.Len()/8 {
		return strings.Clone(b.String())
	}
	return b.String()
}

// concept adds a concept without its details, which must follow at once; fresh is false if the code was there.
func (b *Builder) concept(c Concept) (ordinal int, fresh bool, err error) {
	m := b.m
	if b.full != nil {
		return 0, false, b.full
	}
	b.makeRoom()
	slot, known := m.slot(c.Code)
	if known {
		b.twice++
		return int(m.index[slot]) - 1, false, nil
	}
	switch {
	case m.len() >= b.limits.Concepts:
		b.full = refuse(msgSystemLarge, m.about.URL, b.limits.Concepts, "concepts")
	case b.text.Len()+b.notes.Len()+len(c.Code)+len(c.Display) > b.limits.Text:
		b.full = refuse(msgSystemLarge, m.about.URL, b.limits.Text, "bytes")
	}
	if b.full != nil {
		return 0, false, b.full
	}
	b.text.WriteString(c.Code)
	m.ends = append(m.ends, uint32(b.text.Len()))
	b.text.WriteString(c.Display)
	m.ends = append(m.ends, uint32(b.text.Len()))
	m.text = b.text.String()
	var flags uint8
	if c.Abstract {
		flags |= flagAbstract
	}
	if c.Inactive {
		flags |= flagInactive
	}
	m.flags = append(m.flags, flags)
	m.detailEnds = append(m.detailEnds, uint32(len(m.details)))
	m.index[slot] = uint32(m.len())
	return m.len() - 1, true, nil
}

// makeRoom keeps a third of the index free.
func (b *Builder) makeRoom() {
	m := b.m
	if 3*(m.len()+1) < 2*len(m.index) {
		return
	}
	m.index = make([]uint32, 2*len(m.index))
	for i := range m.len() {
		slot, _ := m.slot(m.code(i))
		m.index[slot] = uint32(i + 1)
	}
}

func (b *Builder) definition(text string) {
	if text != "" {
		b.detail(detailKey{kind: detailDefinition}, text)
	}
}

func (b *Builder) designation(d Designation) {
	if d.Value != "" {
		b.detail(detailKey{kind: detailDesignation, code: d.Language, use: d.Use}, d.Value)
	}
}

func (b *Builder) property(p Property) {
	value := p.Value
	if p.Type == "Coding" {
		value = strings.Join([]string{p.Coding.System, p.Coding.Version, p.Coding.Code, p.Coding.Display}, codingSeparator)
	}
	b.detail(detailKey{kind: detailProperty, code: p.Code, typ: p.Type}, value)
}

// detail adds a detail to the last concept.
func (b *Builder) detail(key detailKey, value string) {
	m := b.m
	k, ok := b.keys[key]
	if !ok && len(m.keys) >= MaxKinds {
		b.full = refuse(msgSystemLarge, m.about.URL, MaxKinds, "kinds of properties and designations")
		return
	}
	if !ok {
		key.code, key.typ = strings.Clone(key.code), strings.Clone(key.typ)
		key.use = Coding{strings.Clone(key.use.System), strings.Clone(key.use.Version), strings.Clone(key.use.Code), strings.Clone(key.use.Display)}
		k = uint32(len(m.keys))
		m.keys = append(m.keys, key)
		b.keys[key] = k
	}
	d, shared := b.values[value]
	if !shared {
		if b.text.Len()+b.notes.Len()+len(value) > b.limits.Text {
			b.full = refuse(msgSystemLarge, m.about.URL, b.limits.Text, "bytes")
			return
		}
		d.start = uint32(b.notes.Len())
		b.notes.WriteString(value)
		d.end = uint32(b.notes.Len())
		if len(value) <= maxSharedBytes && len(b.values) < maxShared {
			b.values[strings.Clone(value)] = d
		}
	}
	d.key = k
	m.details = append(m.details, d)
	m.detailEnds[m.len()-1] = uint32(len(m.details))
}

// link makes a concept the child of another.
func (b *Builder) link(child, parent int) {
	if child != parent {
		b.edges = append(b.edges, edge{uint32(child), uint32(parent)})
	}
}

// name links a concept to one that is named by its code.
func (b *Builder) name(concept int, child bool, code string) {
	b.named = append(b.named, namedEdge{uint32(concept), child, code})
}

// Done returns the code system, and what is wrong in it. The Builder is of no use after that.
func (b *Builder) Done() (*Memory, []fhir.Issue) {
	m := b.m
	var issues []fhir.Issue
	missing := 0
	for _, e := range b.named {
		other := m.find(e.code)
		switch {
		case other < 0:
			missing++
		case e.child:
			b.link(other, int(e.concept))
		default:
			b.link(int(e.concept), other)
		}
	}
	cut := b.connect()
	m.text, m.notes = compact(&b.text), compact(&b.notes)
	m.ends, m.flags, m.details = slices.Clip(m.ends), slices.Clip(m.flags), slices.Clip(m.details)
	if len(m.details) == 0 {
		m.detailEnds = nil
	}
	m.about.Count = m.len()
	m.about.Hierarchy = len(m.parents.to) > 0
	m.search = m.searchable()
	if b.twice > 0 {
		issues = append(issues, msgSystemDuplicate.Issue(fhir.Warning, m.about.URL, b.twice))
	}
	if cut > 0 {
		issues = append(issues, msgSystemCycle.Issue(fhir.Warning, m.about.URL, cut))
	}
	if missing > 0 && m.about.Content == Complete {
		issues = append(issues, msgSystemParent.Issue(fhir.Warning, m.about.URL, missing))
	}
	return m, issues
}

// connect turns the edges into links, without repetitions and without those that close a cycle, which it counts.
func (b *Builder) connect() (cut int) {
	if len(b.edges) == 0 {
		return 0
	}
	n := b.m.len()
	up := gather(n, b.edges, func(e edge) (from, to uint32) { return e.child, e.parent })
	seen := make([]uint32, n) // the last child, counted from 1, that a concept was a parent of
	kept := b.edges[:0]
	for i := range n {
		for _, p := range up.of(i) {
			if seen[p] != uint32(i+1) {
				seen[p] = uint32(i + 1)
				kept = append(kept, edge{uint32(i), p})
			}
		}
	}
	up = gather(n, kept, func(e edge) (from, to uint32) { return e.child, e.parent })
	kept = kept[:0]
	state := make([]uint8, n) // 1 while the way up from a concept is being walked, 2 after
	next := make([]uint32, n) // how many parents were looked at
	var stack []uint32
	for i := range n {
		if state[i] != 0 {
			continue
		}
		state[i] = 1
		stack = append(stack, uint32(i))
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			parents := up.of(int(at))
			if int(next[at]) == len(parents) {
				state[at] = 2
				stack = stack[:len(stack)-1]
				continue
			}
			p := parents[next[at]]
			next[at]++
			if state[p] == 1 {
				cut++
				continue
			}
			kept = append(kept, edge{at, p})
			if state[p] == 0 {
				state[p] = 1
				stack = append(stack, p)
			}
		}
	}
	b.m.parents = gather(n, kept, func(e edge) (from, to uint32) { return e.child, e.parent })
	slices.SortFunc(kept, func(a, b edge) int { return int(a.child) - int(b.child) })
	b.m.children = gather(n, kept, func(e edge) (from, to uint32) { return e.parent, e.child })
	return cut
}

// gather sorts edges by where they start, and else keeps their order.
func gather(n int, edges []edge, ends func(edge) (from, to uint32)) links {
	l := links{starts: make([]uint32, n+1), to: make([]uint32, len(edges))}
	for _, e := range edges {
		from, _ := ends(e)
		l.starts[from+1]++
	}
	for i := range n {
		l.starts[i+1] += l.starts[i]
	}
	at := slices.Clone(l.starts[:n])
	for _, e := range edges {
		from, to := ends(e)
		l.to[at[from]] = to
		at[from]++
	}
	return l
}
