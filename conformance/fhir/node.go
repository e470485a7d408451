package fhir

import "iter"

// Kind says what a Node is.
type Kind uint8

// The kinds of JSON value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// Node is one value of a resource tree. All readers accept a nil Node, which
// stands for an absent value: paths may be walked without checks.
type Node struct {
	// 64 bytes on 64-bit machines: the line's 24 bits fill the gap behind kind.
	kind     Kind
	lineHigh uint8
	lineLow  uint16
	col      uint32

	name string
	text string
	kids []*Node
}

// Objects and arrays that are built come with room for their first children: most
// have few, and one allocation is cheaper than two.
type (
	roomyObject struct {
		Node
		room [4]*Node
	}
	roomyArray struct {
		Node
		room [2]*Node
	}
)

// NewObject returns an empty object.
func NewObject() *Node {
	n := &roomyObject{Node: Node{kind: Object}}
	n.kids = n.room[:0]
	return &n.Node
}

// NewObjectOf returns an empty object with room for some properties.
func NewObjectOf(room int) *Node { return &Node{kind: Object, kids: make([]*Node, 0, room)} }

// NewArray returns an array of the given items.
func NewArray(items ...*Node) *Node {
	n := &roomyArray{Node: Node{kind: Array}}
	n.kids = n.room[:0]
	return n.Append(items...)
}

// NewString returns a string value.
func NewString(s string) *Node { return &Node{kind: String, text: s} }

// NewNumber returns a number with the given literal, which must be valid JSON.
func NewNumber(literal string) *Node { return &Node{kind: Number, text: literal} }

// NewBool returns a boolean value.
func NewBool(b bool) *Node {
	if b {
		return &Node{kind: Bool, text: "true"}
	}
	return &Node{kind: Bool, text: "false"}
}

// NewNull returns a JSON null, as arrays of primitives with extensions need it.
func NewNull() *Node { return &Node{kind: Null, text: "null"} }

// Kind returns what n is; Null for a nil Node.
func (n *Node) Kind() Kind {
	if n == nil {
		return Null
	}
	return n.kind
}

// Name returns the property name of n in its object, "" elsewhere.
func (n *Node) Name() string {
	if n == nil {
		return ""
	}
	return n.name
}

// Text returns the decoded string, the literal of a number, "true", "false" or
// "null"; "" for arrays, objects and a nil Node.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	return n.text
}

// Position returns the line and column where n starts in the parsed text,
// counted from 1, columns in bytes; zeros for a node that was built.
func (n *Node) Position() (line, column int) {
	if n == nil {
		return 0, 0
	}
	return int(n.lineHigh)<<16 | int(n.lineLow), int(n.col)
}

// SetPosition says where n starts in the text it was made from, for readers of
// other formats than JSON. Lines behind the last that a node remembers are said to
// be that one.
func (n *Node) SetPosition(line, column int) *Node {
	line = min(line, maxLine)
	n.lineHigh, n.lineLow, n.col = uint8(line>>16), uint16(line), uint32(column)
	return n
}

// Len returns the number of items or properties.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return len(n.kids)
}

// At returns the i-th item or property, nil when there is none.
func (n *Node) At(i int) *Node {
	if n == nil || i < 0 || i >= len(n.kids) {
		return nil
	}
	return n.kids[i]
}

// All yields items or properties in order.
func (n *Node) All() iter.Seq2[int, *Node] {
	return func(yield func(int, *Node) bool) {
		if n == nil {
			return
		}
		for i, k := range n.kids {
			if !yield(i, k) {
				return
			}
		}
	}
}

// Get returns the named property of an object, nil when absent.
func (n *Node) Get(name string) *Node {
	if n == nil || n.kind != Object {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// Pair returns the named property of an object and the one that JSON puts beside
// it for ids and extensions of primitives, whose name begins with "_".
func (n *Node) Pair(name string) (value, beside *Node) {
	if n == nil || n.kind != Object {
		return nil, nil
	}
	for _, k := range n.kids {
		switch own := k.name; {
		case len(own) == len(name):
			if own == name {
				value = k
			}
		case len(own) == len(name)+1 && own[0] == '_' && own[1:] == name:
			beside = k
		}
	}
	return value, beside
}

// Path walks properties by name; an array on the way stands for its first item.
func (n *Node) Path(names ...string) *Node {
	for _, name := range names {
		if n.Kind() == Array {
			n = n.At(0)
		}
		n = n.Get(name)
	}
	return n
}

// Items returns n's items if it is an array, n alone if it is any other value,
// and nothing for a nil Node: how FHIR elements of any cardinality are read.
// The result belongs to n and must not be changed.
func (n *Node) Items() []*Node {
	switch {
	case n == nil:
		return nil
	case n.kind == Array:
		return n.kids
	default:
		return []*Node{n}
	}
}

// Set puts v under name, in place of the property of that name or last. A nil
// v removes the property. v must not be part of another tree.
func (n *Node) Set(name string, v *Node) *Node {
	if v == nil {
		n.Remove(name)
		return n
	}
	v.rename(name)
	for i, k := range n.kids {
		if k.name == name {
			n.kids[i] = v
			return n
		}
	}
	n.kids = append(n.kids, v)
	return n
}

// Add puts v under name as the last property; the name must be absent.
func (n *Node) Add(name string, v *Node) *Node {
	v.rename(name)
	n.kids = append(n.kids, v)
	return n
}

// rename writes only what changes, so that trees may share what they do not change.
func (n *Node) rename(name string) {
	if n.name != name {
		n.name = name
	}
}

// SetString puts a string under name.
func (n *Node) SetString(name, s string) *Node { return n.Set(name, NewString(s)) }

// Prepend puts v under name as the first property; the name must be absent.
func (n *Node) Prepend(name string, v *Node) {
	v.name = name
	n.insert(0, v)
}

func (n *Node) insert(i int, v *Node) {
	n.kids = append(n.kids, nil)
	copy(n.kids[i+1:], n.kids[i:])
	n.kids[i] = v
}

// Remove takes the named property out of an object.
func (n *Node) Remove(name string) {
	for i, k := range n.kids {
		if k.name == name {
			n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
			return
		}
	}
}

// Append adds items to an array.
func (n *Node) Append(items ...*Node) *Node {
	for _, it := range items {
		it.rename("")
	}
	n.kids = append(n.kids, items...)
	return n
}

// SetAt replaces the i-th item or property, keeping its name.
func (n *Node) SetAt(i int, v *Node) {
	v.name = n.kids[i].name
	n.kids[i] = v
}

// InsertAt puts v before the i-th item of an array.
func (n *Node) InsertAt(i int, v *Node) {
	v.name = ""
	n.insert(i, v)
}

// RemoveAt takes out the i-th item or property.
func (n *Node) RemoveAt(i int) {
	n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
}

// Clone returns a deep copy, which may be changed freely.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := copier{nodes: make([]Node, n.size())}
	c.refs = make([]*Node, len(c.nodes)-1)
	return c.copy(n)
}

// Shallow returns a copy of n that shares its items or properties, so that one of them
// can be replaced in it with n left as it is.
func (n *Node) Shallow() *Node {
	out := *n
	out.kids = append(make([]*Node, 0, len(n.kids)+1), n.kids...)
	return &out
}

// size counts the nodes of a tree.
func (n *Node) size() int {
	total := 1
	for _, k := range n.kids {
		total += k.size()
	}
	return total
}

// copier makes the nodes of a copy out of one piece of memory.
type copier struct {
	nodes []Node
	refs  []*Node
}

func (c *copier) copy(n *Node) *Node {
	out := &c.nodes[0]
	c.nodes = c.nodes[1:]
	*out = *n
	if len(n.kids) == 0 {
		out.kids = nil
		return out
	}
	kids := c.refs[:len(n.kids):len(n.kids)]
	c.refs = c.refs[len(n.kids):]
	for i, k := range n.kids {
		kids[i] = c.copy(k)
	}
	out.kids = kids
	return out
}

// ResourceType returns the type a resource names itself, "" when it does not.
func (n *Node) ResourceType() string { return n.Get("resourceType").Text() }

// ID returns the logical id of a resource, "" when it has none.
func (n *Node) ID() string { return n.Get("id").Text() }
