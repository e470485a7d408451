package fhir

import "iter"

// Element is one FHIR element as JSON spreads it: the value, and for a primitive
// the object beside it ("_birthDate") with its id and extensions. Either may be
// nil, not both.
type Element struct {
	Value *Node
	Extra *Node
}

// Elements yields every repetition of the named element of an object, pairing
// primitives with their extensions; nulls that only keep places are not values.
func (n *Node) Elements(name string) iter.Seq2[int, Element] {
	return func(yield func(int, Element) bool) {
		value, extra := n.Get(name), n.extra(name)
		if value.Kind() != Array && extra.Kind() != Array {
			if value != nil || extra != nil {
				yield(0, Element{Value: value, Extra: extra})
			}
			return
		}
		for i := range max(value.Len(), extra.Len()) {
			e := Element{Value: solid(value.At(i)), Extra: solid(extra.At(i))}
			if (e.Value != nil || e.Extra != nil) && !yield(i, e) {
				return
			}
		}
	}
}

func (n *Node) extra(name string) *Node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if len(k.name) == len(name)+1 && k.name[0] == '_' && k.name[1:] == name {
			return k
		}
	}
	return nil
}

func solid(n *Node) *Node {
	if n.Kind() == Null {
		return nil
	}
	return n
}
