package record

// Builder makes the nodes of one record; it allocates them in chunks. The zero
// Builder is ready. Readers use it, nobody else.
type Builder struct {
	slab  []Node
	kids  []*Node
	Count int // nodes made so far, for a reader's limit
}

// slabNodes is how many nodes are allocated at once: what stays below the size
// that the runtime allocates one by one.
const slabNodes = 256

// Grow makes room for about n nodes to come, so that a record is built in few
// allocations.
func (b *Builder) Grow(n int) {
	if n > len(b.slab) {
		b.slab = make([]Node, min(n, slabNodes))
	}
	if n > len(b.kids) {
		b.kids = make([]*Node, min(n, 8*slabNodes))
	}
}

// Reserve makes room for n children of node, which must have none yet.
func (b *Builder) Reserve(node *Node, n int) {
	if n > len(b.kids) {
		b.kids = make([]*Node, max(n, min(max(b.Count, 32), 2048)))
	}
	node.kids = b.kids[:0:n]
	b.kids = b.kids[n:]
}

func (b *Builder) node(kind Kind, name string) *Node {
	if len(b.slab) == 0 {
		b.slab = make([]Node, min(max(b.Count, 32), slabNodes))
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	b.Count++
	n.kind, n.name, n.state = kind, name, Present
	return n
}

// Leaf makes a leaf in the given state.
func (b *Builder) Leaf(name, text string, s State) *Node {
	n := b.node(Leaf, name)
	n.text, n.state = text, s
	return n
}

// Group makes an empty group; names may be nil.
func (b *Builder) Group(name string, names Names) *Node {
	n := b.node(Group, name)
	n.names = names
	return n
}

// Sequence makes an empty sequence; a named one is a segment.
func (b *Builder) Sequence(name string) *Node { return b.node(Sequence, name) }

// List makes an empty list of repetitions.
func (b *Builder) List(name string) *Node { return b.node(List, name) }

// Add puts children under n, in order.
func (n *Node) Add(kids ...*Node) {
	if len(kids) == 1 { // the usual case
		kids[0].parent = n
		n.kids = append(n.kids, kids[0])
		return
	}
	for _, k := range kids {
		k.parent = n
	}
	n.kids = append(n.kids, kids...)
}

// Mark records where n starts in the decoded text.
func (n *Node) Mark(line, column int) { n.line, n.column = uint32(line), uint32(column) }

// Number says which of its name n is among the record's segments or rows.
func (n *Node) Number(ordinal int) { n.ordinal = uint32(ordinal) }

// SetText gives a leaf, or a group that is an XML element, its text while it is still being built.
func (n *Node) SetText(text string, s State) { n.text, n.state = text, s }
