package interaction

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// The kinds of elements that link.
const (
	referenceKind = "Reference"
	linkKind      = "uri"
	narrativeKind = "xhtml"
)

// linkWalk finds the elements of a resource that link, contained resources among it. It
// looks at texts first, and asks the definitions only about those that matter: most
// resources have few.
type linkWalk struct {
	definitions *definitions.Definitions
	// may tells whether a text could matter where it stands under a name.
	may func(name, text string) bool
	// replace is called for what does; what it returns takes its place, if it is not nil.
	replace func(n *fhir.Node, kind string) (*fhir.Node, error)

	path []linkPlace // the objects around, the resource first
}

type linkPlace struct {
	node *fhir.Node
	name string
}

// resource returns the resource with the replacements, which shares with n all that stays
// as it is. n is not changed.
func (w *linkWalk) resource(n *fhir.Node) (*fhir.Node, error) {
	w.path = append(w.path[:0], linkPlace{n, ""})
	return w.children(n)
}

func (w *linkWalk) children(n *fhir.Node) (*fhir.Node, error) {
	out := n
	for i := range n.Len() {
		k := n.At(i)
		var to *fhir.Node
		var err error
		if k.Kind() == fhir.Array {
			to, err = w.items(k)
		} else {
			to, err = w.value(k, k.Name())
		}
		if err != nil {
			return nil, err
		}
		if to != k {
			if out == n {
				out = n.Shallow()
			}
			out.SetAt(i, to)
		}
	}
	return out, nil
}

func (w *linkWalk) items(list *fhir.Node) (*fhir.Node, error) {
	out := list
	for i := range list.Len() {
		k := list.At(i)
		to, err := w.value(k, list.Name())
		if err != nil {
			return nil, err
		}
		if to != k {
			if out == list {
				out = list.Shallow()
			}
			out.SetAt(i, to)
		}
	}
	return out, nil
}

func (w *linkWalk) value(n *fhir.Node, name string) (*fhir.Node, error) {
	switch n.Kind() {
	case fhir.Object:
		w.path = append(w.path, linkPlace{n, name})
		out, err := w.children(n)
		w.path = w.path[:len(w.path)-1]
		return out, err
	case fhir.String:
		if !w.may(name, n.Text()) {
			return n, nil
		}
		kind := w.kind(name)
		if kind == "" {
			return n, nil
		}
		to, err := w.replace(n, kind)
		if to == nil {
			to = n
		}
		return to, err
	}
	return n, nil
}

// kind is how a text of that name links where the walk is, "" if it does not.
func (w *linkWalk) kind(name string) string {
	whole := w.definitions.Type(w.path[0].node.ResourceType())
	var part *definitions.Property
	child := func(name string) *definitions.Property {
		switch {
		case whole != nil:
			return whole.Child(name)
		case part != nil:
			return part.Child(name)
		}
		return nil
	}
	parent := ""
	for _, at := range w.path[1:] {
		p := child(strings.TrimPrefix(at.name, "_"))
		switch {
		case p == nil:
			return ""
		case strings.HasPrefix(at.name, "_"):
			whole, part, parent = w.definitions.Type("Element"), nil, "Element"
		case at.name == "contained" || p.Type == "Resource":
			whole, part, parent = w.definitions.Type(at.node.ResourceType()), nil, ""
			if whole == nil {
				return ""
			}
		default:
			whole, part, parent = nil, p, p.Type
		}
	}
	p := child(name)
	switch {
	case p == nil:
	case p.Type == "uri" || p.Type == "url" || p.Type == "oid" || p.Type == "uuid":
		return linkKind
	case p.Type == "xhtml":
		return narrativeKind
	case parent == "Reference" && name == "reference":
		return referenceKind
	}
	return ""
}
