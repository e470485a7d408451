package interaction

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Mode says what a write does to a resource that exists already.
type Mode uint8

// The modes.
const (
	// Replace takes over what the write holds and removes what it lists as cleared;
	// other stored elements stay.
	Replace Mode = iota
	// Merge only fills gaps.
	Merge
)

// combine returns what a resource says after a write. stored may be nil. Neither
// tree is changed.
func (e *Engine) combine(stored, written *fhir.Node, mode Mode, cleared []string) *fhir.Node {
	if stored == nil {
		return written.Clone()
	}
	out := stored.Clone()
	if mode == Merge {
		typ := e.Definitions.Type(written.ResourceType())
		for _, k := range written.All() {
			switch have := out.Get(k.Name()); {
			case k.Name() == "identifier" && have.Kind() == fhir.Array:
				addIdentifiers(have, k)
			case have == nil && !otherChoice(typ, out, k.Name()):
				out.Set(k.Name(), k.Clone())
			}
		}
		return out
	}
	for _, name := range cleared {
		out.Remove(name)
		out.Remove("_" + name)
	}
	for _, k := range written.All() {
		out.Set(k.Name(), k.Clone())
	}
	return out
}

// addIdentifiers adds to have those of more whose system it does not hold.
func addIdentifiers(have, more *fhir.Node) {
	for _, id := range more.Items() {
		known := false
		for _, h := range have.Items() {
			if h.Get("system").Text() == id.Get("system").Text() {
				known = true
			}
		}
		if !known {
			have.Append(id.Clone())
		}
	}
}

// otherChoice reports whether n holds the choice element that name is of under
// another type's name.
func otherChoice(typ *definitions.Type, n *fhir.Node, name string) bool {
	property := typ.Child(strings.TrimPrefix(name, "_"))
	if property == nil || !property.Element.Choice() {
		return false
	}
	for _, k := range n.All() {
		other := typ.Child(strings.TrimPrefix(k.Name(), "_"))
		if other != nil && other.Element == property.Element && other != property {
			return true
		}
	}
	return false
}
