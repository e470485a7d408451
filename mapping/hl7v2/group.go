package hl7v2

import "github.com/yilian/yilian/mapping/record"

// A matcher puts the segments of a message into the groups of its structure. It
// never refuses or loses a segment: real feeds leave required segments out,
// repeat what stands once, and put things in the wrong order.
type matcher struct {
	b        *record.Builder
	segments []*record.Node
	stack    []place // open groups, the message first
	counts   map[countKey]int
}

// place is an open group: item is where its last segment stood, used whether
// something stands there already.
type place struct {
	group *Group
	node  *record.Node
	item  int
	used  bool
}

type countKey struct {
	parent *record.Node
	name   string
}

// group arranges segments as s has it and returns the message.
func group(b *record.Builder, s *Structure, segments []*record.Node) *record.Node {
	root := b.Group(s.Name, s.Root)
	m := matcher{b: b, segments: segments, stack: make([]place, 1, 8), counts: map[countKey]int{}}
	m.stack[0] = place{group: s.Root, node: root}
	for i := range segments {
		m.add(i)
	}
	return root
}

// add puts segment i where it fits, from the innermost open group outwards, in
// rounds: at or after the place reached, where a required segment is still wanted,
// or as the beginning of a further repetition, nothing required passed over; then
// before the place reached; then with required segments passed over; then a second
// time where one should stand. What fits nowhere (Z segments) stays in the
// innermost group.
func (m *matcher) add(i int) {
	name := m.segments[i].Name()
	inner := len(m.stack) - 1
	for level := inner; level >= 0; level-- {
		if item, ok := m.forward(level, i, name, skipped); ok {
			m.put(level, item, i, true)
			return
		}
		if m.wanted(level, name) {
			m.stack[level].node.Add(m.segments[i])
			return
		}
		if level > 0 && m.again(level, name) {
			m.put(level-1, m.stack[level-1].item, i, true)
			return
		}
	}
	for level := inner; level >= 0; level-- {
		if item, ok := m.backward(level, name, false); ok {
			m.put(level, item, i, false)
			return
		}
	}
	for level := inner; level >= 0; level-- {
		if item, ok := m.forward(level, i, name, 1<<20); ok {
			m.put(level, item, i, true)
			return
		}
	}
	for level := inner; level >= 0; level-- {
		if item, ok := m.backward(level, name, true); ok {
			m.put(level, item, i, false)
			return
		}
	}
	m.stack[inner].node.Add(m.segments[i])
}

// forward returns the cheapest item from the place reached on that takes the
// segment at a cost below limit.
func (m *matcher) forward(level, i int, name string, limit int) (int, bool) {
	p := &m.stack[level]
	best, found, before := limit, -1, 0
	for at := p.item; at < len(p.group.Items); at++ {
		it := &p.group.Items[at]
		here := at == p.item && p.used
		if !here || it.Repeats {
			if cost, ok := m.cost(it, i, name); ok && before+cost < best {
				best, found = before+cost, at
			}
		}
		if it.Required && !it.omitted && !here && !(it.Group != nil && it.Group.optional()) {
			if before += skipped; before >= best {
				break
			}
		}
	}
	return found, found >= 0
}

// cost returns what beginning the item with the segment costs.
func (m *matcher) cost(it *Item, i int, name string) (int, bool) {
	for _, s := range it.Segments {
		if s == name {
			return 0, true
		}
	}
	if it.Group == nil {
		return 0, false
	}
	cost, ok := it.Group.entry[name]
	if ok && it.Group.ahead != "" && !m.follows(it.Group, i, name) {
		return 0, false
	}
	return cost + 1, ok
}

// follows reports whether the segment that g is meant for comes after segment i,
// with only what belongs to g between.
func (m *matcher) follows(g *Group, i int, begin string) bool {
	for _, n := range m.segments[i+1:] {
		if n.Name() == g.ahead {
			return true
		}
		if n.Name() == begin || !g.direct[n.Name()] {
			return false
		}
	}
	return false
}

// wanted reports whether the group lacks a required segment of that name which it
// was begun without.
func (m *matcher) wanted(level int, name string) bool {
	p := &m.stack[level]
	for at := range min(p.item, len(p.group.Items)) {
		it := &p.group.Items[at]
		if !it.Required || it.omitted || it.Repeats {
			continue
		}
		for _, s := range it.Segments {
			if s == name {
				for _, alternative := range it.Segments {
					if p.node.Get(alternative) != nil {
						return false
					}
				}
				return true
			}
		}
	}
	return false
}

// again reports whether the segment begins a further repetition of the group.
func (m *matcher) again(level int, name string) bool {
	parent := &m.stack[level-1]
	it := &parent.group.Items[parent.item]
	cost, ok := m.stack[level].group.entry[name]
	return it.Group == m.stack[level].group && it.Repeats && ok && cost < skipped
}

// backward returns the last item up to the place reached that takes the segment;
// twice allows what stands once a second time.
func (m *matcher) backward(level int, name string, twice bool) (int, bool) {
	p := &m.stack[level]
	for at := min(p.item, len(p.group.Items)-1); at >= 0; at-- {
		it := &p.group.Items[at]
		for _, s := range it.Segments {
			if s == name && (twice || it.Repeats || p.node.Get(name) == nil) {
				return at, true
			}
		}
		if it.Group != nil && it.Repeats && !it.ordered && it.Group.ahead == "" {
			if cost, ok := it.Group.entry[name]; ok && cost < skipped {
				return at, true
			}
		}
	}
	return 0, false
}

// put adds the segment to the item of an open group and opens the groups on the
// way to it. advance moves the place reached; it stays for what came too late.
func (m *matcher) put(level, item, i int, advance bool) {
	name := m.segments[i].Name()
	p := &m.stack[level]
	it := &p.group.Items[item]
	if it.Group == nil {
		if advance {
			p.item, p.used = item, true
			m.stack = m.stack[:level+1]
		}
		p.node.Add(m.segments[i])
		return
	}
	if advance {
		p.item, p.used = item, true
	}
	m.stack = m.stack[:level+1]
	for it.Group != nil {
		g := it.Group
		node := m.b.Group(g.Name, g)
		parent := m.stack[len(m.stack)-1].node
		if it.Repeats {
			k := countKey{parent, g.Name}
			m.counts[k]++
			node.Number(m.counts[k])
		}
		parent.Add(node)
		at := g.cheapest(name)
		m.stack = append(m.stack, place{group: g, node: node, item: at, used: true})
		it = &g.Items[at]
	}
	m.stack[len(m.stack)-1].node.Add(m.segments[i])
}

// cheapest returns the item through which the segment begins g.
func (g *Group) cheapest(name string) int {
	best, found, before := 1<<20, 0, 0
	for at := range g.Items {
		it := &g.Items[at]
		cost, ok := 0, false
		for _, s := range it.Segments {
			ok = ok || s == name
		}
		if it.Group != nil && it.Group.ahead == "" {
			if cost, ok = it.Group.entry[name]; ok {
				cost++
			}
		}
		if ok && before+cost < best {
			best, found = before+cost, at
		}
		if it.Required && !it.omitted && !(it.Group != nil && it.Group.optional()) {
			before += skipped
		}
	}
	return found
}
