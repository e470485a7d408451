package patch

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// Limits bound what a patch may do. A zero field means its default.
type Limits struct {
	Operations int // in one patch; default DefaultMaxOperations
	Depth      int // of the result; default fhir.DefaultMaxDepth
	Nodes      int // values of the result; default DefaultMaxNodes
	Bytes      int // of the result as JSON, estimated; default fhir.DefaultMaxBytes
	Work       int // nodes looked at to find what the operations name; default DefaultMaxWork
}

// Defaults of Limits.
const (
	DefaultMaxOperations = 1000
	DefaultMaxNodes      = 1_000_000
	DefaultMaxWork       = 12_000_000
)

func (l Limits) withDefaults() Limits {
	if l.Operations == 0 {
		l.Operations = DefaultMaxOperations
	}
	if l.Depth == 0 {
		l.Depth = fhir.DefaultMaxDepth
	}
	if l.Nodes == 0 {
		l.Nodes = DefaultMaxNodes
	}
	if l.Bytes == 0 {
		l.Bytes = fhir.DefaultMaxBytes
	}
	if l.Work == 0 {
		l.Work = DefaultMaxWork
	}
	return l
}

// budget is what is left of the limits while a patch is applied.
type budget struct {
	lim   Limits
	work  int
	total size // of the result so far
}

// spend takes note of nodes that were looked at.
func (b *budget) spend(nodes int) error {
	if b.work += nodes; b.work > b.lim.Work {
		return failLimit(msgWork, b.lim.Work)
	}
	return nil
}

// hold checks what the result has become.
func (b *budget) hold(total size) error {
	switch {
	case total.depth > b.lim.Depth:
		return failLimit(msgDepth, b.lim.Depth)
	case total.nodes > b.lim.Nodes:
		return failLimit(msgNodes, b.lim.Nodes)
	case total.bytes > b.lim.Bytes:
		return failLimit(msgBytes, b.lim.Bytes)
	}
	return nil
}

func failLimit(m fhir.Message, limit int) *Error {
	e := fail(m, limit)
	e.Limit = true
	return e
}

// size is how large a tree is.
type size struct {
	nodes, bytes int
	depth        int // levels of arrays and objects
}

func measure(n *fhir.Node) size {
	s := size{nodes: 1, bytes: len(n.Name()) + len(n.Text()) + 4}
	if k := n.Kind(); k == fhir.Array || k == fhir.Object {
		for _, child := range n.All() {
			c := measure(child)
			s.nodes += c.nodes
			s.bytes += c.bytes
			s.depth = max(s.depth, c.depth)
		}
		s.depth++
	}
	return s
}
