package fhir

// Equal reports whether two trees hold the same values: property order is
// ignored, array order is not, numbers are compared by their literal text
// (1.0 and 1.00 say different precisions).
func Equal(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.kind != b.kind || a.text != b.text || len(a.kids) != len(b.kids) {
		return false
	}
	switch a.kind {
	case Array:
		for i := range a.kids {
			if !Equal(a.kids[i], b.kids[i]) {
				return false
			}
		}
	case Object:
		for i, k := range a.kids {
			other := b.kids[i]
			if other.name != k.name {
				other = b.Get(k.name)
			}
			if !Equal(k, other) {
				return false
			}
		}
	}
	return true
}

// EqualContent reports whether two resources say the same, so that writing one
// over the other would change nothing: as Equal, but meta.versionId,
// meta.lastUpdated and meta.source, which belong to the server, do not count.
func EqualContent(a, b *Node) bool {
	return Equal(content(a), content(b))
}

// content returns a shallow copy of a resource without what the server owns.
func content(n *Node) *Node {
	meta := n.Get("meta")
	if meta == nil {
		return n
	}
	rest := &Node{kind: Object, name: "meta"}
	for _, k := range meta.kids {
		switch k.name {
		case "versionId", "lastUpdated", "source":
		default:
			rest.kids = append(rest.kids, k)
		}
	}
	out := &Node{kind: Object}
	for _, k := range n.kids {
		if k != meta {
			out.kids = append(out.kids, k)
		} else if len(rest.kids) > 0 {
			out.kids = append(out.kids, rest)
		}
	}
	return out
}
