package record

import (
	"iter"
	"strconv"
	"strings"
)

// Kind says how the children of a node are addressed.
type Kind uint8

// The kinds of node.
const (
	Leaf Kind = iota
	Group
	Sequence
	List
)

// State tells what a record says about a value.
type State uint8

// The states. An absent value is a nil Node.
const (
	Absent State = iota // the record does not mention it: leave what is known
	Empty               // mentioned without a value: nothing is known
	Delete              // HL7 v2 "": the sender wants what is known removed
	Present
)

// Node is one value of a record. All readers accept nil, an absent value.
type Node struct {
	kind    Kind
	state   State
	line    uint32
	column  uint32
	ordinal uint32 // which of its name, from 1; 0 for the only one
	name    string
	text    string
	parent  *Node
	kids    []*Node
	names   Names
}

// Names tells which names a Group may hold, present or not; it decides where a
// path steps outward to the enclosing group.
type Names interface {
	Declares(name string) bool
}

// Columns are the names of a table's columns, shared by all its rows.
type Columns map[string]int

// Declares implements Names.
func (c Columns) Declares(name string) bool { _, ok := c[name]; return ok }

// Kind returns how children are addressed; Leaf for nil.
func (n *Node) Kind() Kind {
	if n == nil {
		return Leaf
	}
	return n.kind
}

// State returns what the record says about n: Absent for nil, Empty for a list
// without repetitions, Present for any node with children or text.
func (n *Node) State() State {
	switch {
	case n == nil:
		return Absent
	case n.kind == List && len(n.kids) == 0:
		return Empty
	default:
		return n.state
	}
}

// Name returns the name in the enclosing group: a segment id, a group name, a
// column, a property; "" for positions and repetitions.
func (n *Node) Name() string {
	if n == nil {
		return ""
	}
	return n.name
}

// Text returns the text of a leaf, and of an XML element its own character data;
// of any other node, that of its first repetition's first component.
func (n *Node) Text() string {
	for n != nil && n.kind != Leaf {
		if n.kind == Group {
			return n.text
		}
		if len(n.kids) == 0 {
			return ""
		}
		n = n.kids[0]
	}
	if n == nil {
		return ""
	}
	return n.text
}

// Parent returns the node n stands in, nil for the root.
func (n *Node) Parent() *Node {
	if n == nil {
		return nil
	}
	return n.parent
}

// Declares reports whether a child called name may stand in the group n: one
// that is there, or one its structure or its table's heading names.
func (n *Node) Declares(name string) bool {
	return n != nil && n.kind == Group && (n.names != nil && n.names.Declares(name) || n.Get(name) != nil)
}

// Names returns what the structure or heading of a group names, nil when that is not known.
func (n *Node) Names() Names {
	if n == nil {
		return nil
	}
	return n.names
}

// Get returns the first child of that name in a group, nil when there is none.
func (n *Node) Get(name string) *Node {
	if n == nil || n.kind != Group {
		return nil
	}
	if c, ok := n.names.(Columns); ok {
		if i, ok := c[name]; ok && i < len(n.kids) && n.kids[i].name == name {
			return n.kids[i]
		}
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// Find returns the first child of that name in a group, or of the groups inside
// it that stand there once (that have no ordinal): from a message's PATIENT_RESULT
// "PID" finds the one in PATIENT.
func (n *Node) Find(name string) *Node {
	if n == nil || n.kind != Group {
		return nil
	}
	if k := n.Get(name); k != nil {
		return k
	}
	for _, k := range n.kids {
		if k.kind == Group && k.ordinal == 0 {
			if found := k.Find(name); found != nil {
				return found
			}
		}
	}
	return nil
}

// Each yields all children of that name in a group, with the repetitions of a
// list one by one.
func (n *Node) Each(name string) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n == nil || n.kind != Group {
			return
		}
		for _, k := range n.kids {
			if k.name != name {
				continue
			}
			for _, r := range k.Repetitions() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Kids returns the children in the order of the record. The slice belongs to n.
func (n *Node) Kids() []*Node {
	if n == nil {
		return nil
	}
	return n.kids
}

// Repetitions returns the items of a list, or n alone, or nothing for nil.
func (n *Node) Repetitions() []*Node {
	switch {
	case n == nil:
		return nil
	case n.kind == List:
		return n.kids
	default:
		return []*Node{n}
	}
}

// Repetition returns the i-th repetition, from 1, or nil.
func (n *Node) Repetition(i int) *Node {
	switch {
	case n == nil || i < 1:
		return nil
	case n.kind != List:
		if i == 1 {
			return n
		}
		return nil
	case i > len(n.kids):
		return nil
	default:
		return n.kids[i-1]
	}
}

// At returns the child at position i of a sequence, from 1. Of a list it is that
// of the first repetition; a leaf is its own first component.
func (n *Node) At(i int) *Node {
	if n == nil || i < 1 {
		return nil
	}
	switch n.kind {
	case List:
		return n.Repetition(1).At(i)
	case Sequence:
		if i > len(n.kids) {
			return nil
		}
		return n.kids[i-1]
	case Leaf:
		if i == 1 {
			return n
		}
	}
	return nil
}

// Ordinal says which of its name n is among the record's segments, from 1.
func (n *Node) Ordinal() int {
	if n == nil {
		return 0
	}
	return int(n.ordinal)
}

// Origin is the place of a value in what the institution sent.
type Origin struct {
	Line   int    // line of the decoded text, from 1; 0 when not known
	Column int    // column in characters, from 1
	Path   string // "OBX[3]-5.1", "LIS_BGXM[2].XMJG", "results[2].value"
}

// Origin returns where n came from.
func (n *Node) Origin() Origin {
	if n == nil {
		return Origin{}
	}
	o := Origin{Path: n.path()}
	for at := n; at != nil; at = at.parent {
		if at.line > 0 {
			o.Line, o.Column = int(at.line), int(at.column)
			break
		}
	}
	return o
}

// path names n from the nearest segment or, for documents and rows, the root.
func (n *Node) path() string {
	var steps []string
	for at := n; at != nil; at = at.parent {
		switch {
		case at.parent == nil && at.kind == Sequence && at.ordinal > 0: // a segment not yet in its group
			steps = append(steps, at.name+"["+strconv.Itoa(int(at.ordinal))+"]")
		case at.parent == nil:
		case at.parent.kind == List:
			steps = append(steps, "["+strconv.Itoa(index(at.parent.kids, at)+1)+"]")
		case at.parent.kind == Sequence:
			i := strconv.Itoa(index(at.parent.kids, at) + 1)
			if segment := at.parent.name != "" && at.parent.kind == Sequence; segment {
				steps = append(steps, "-"+i)
			} else {
				steps = append(steps, "."+i)
			}
		case at.kind == Sequence && at.ordinal > 0: // a segment: groups around it add nothing
			steps = append(steps, at.name+"["+strconv.Itoa(int(at.ordinal))+"]")
			return join(steps)
		case at.ordinal > 0:
			steps = append(steps, "."+at.name+"["+strconv.Itoa(int(at.ordinal))+"]")
		default:
			steps = append(steps, "."+at.name)
		}
	}
	return strings.TrimPrefix(join(steps), ".")
}

func index(kids []*Node, n *Node) int {
	for i, k := range kids {
		if k == n {
			return i
		}
	}
	return -1
}

func join(reversed []string) string {
	var b strings.Builder
	for i := len(reversed) - 1; i >= 0; i-- {
		b.WriteString(reversed[i])
	}
	return b.String()
}
