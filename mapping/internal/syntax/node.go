package syntax

// Kind says what a Node is.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Map
	List
)

func (k Kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a mapping", "a list"}[k]
}

// Position is a place in a file.
type Position struct {
	File   string
	Line   int // from 1
	Column int // from 1, in characters
}

// Node is one value. A tree is never changed after it was read; Overlay and the
// like make new ones that share nodes.
type Node struct {
	Position
	Kind   Kind
	Text   string // of a scalar, as written, without quotes
	Quoted bool   // a scalar in quotes or a block scalar
	Pairs  []Pair // of a Map, in the order of the file
	Items  []*Node
}

// Pair is one key of a Map with its value.
type Pair struct {
	Key   *Node // a String
	Value *Node
}

// Scalar reports whether n is a single value.
func (n *Node) Scalar() bool { return n != nil && n.Kind < Map }

// Get returns the value of a key, nil when the key is not there. An explicit
// null is a Node of kind Null.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Text == key {
			return n.Pairs[i].Value
		}
	}
	return nil
}

// Key returns the node of the key itself, for its position.
func (n *Node) Key(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Text == key {
			return n.Pairs[i].Key
		}
	}
	return nil
}

// List returns the items of a list, and anything else as the only item.
func (n *Node) List() []*Node {
	switch {
	case n == nil || n.Kind == Null:
		return nil
	case n.Kind == List:
		return n.Items
	default:
		return []*Node{n}
	}
}

// With returns a copy of the map n in which key has another value; a nil value
// removes the key.
func (n *Node) With(key, value *Node) *Node {
	c := *n
	c.Pairs = make([]Pair, 0, len(n.Pairs)+1)
	found := false
	for _, p := range n.Pairs {
		if p.Key.Text == key.Text {
			found = true
			if value == nil {
				continue
			}
			p = Pair{Key: key, Value: value}
		}
		c.Pairs = append(c.Pairs, p)
	}
	if !found && value != nil {
		c.Pairs = append(c.Pairs, Pair{Key: key, Value: value})
	}
	return &c
}

// At returns the position of a character within a plain scalar, counted from 0.
func (n *Node) At(offset int) Position {
	p := n.Position
	if n.Quoted {
		p.Column++
	}
	p.Column += offset
	return p
}
