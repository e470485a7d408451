package patch

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// ApplyJSON applies a JSON Patch: an array of operations. It works on any tree, with
// or without a resource in it. The error is an *Error.
func ApplyJSON(resource, operations *fhir.Node, lim Limits) (*fhir.Node, error) {
	lim = lim.withDefaults()
	if resource == nil {
		return nil, fail(msgResource, "there")
	}
	if operations.Kind() != fhir.Array {
		line, column := operations.Position()
		return nil, at(fail(msgMalformed, "a JSON array of operations"), -1, "", line, column)
	}
	if operations.Len() > lim.Operations {
		return nil, failLimit(msgOperations, lim.Operations)
	}
	p := &jsonPatch{budget: budget{lim: lim}, root: resource.Clone()}
	p.total = measure(p.root)
	p.total.depth = 0 // what is given may be as deep as it is
	for i, o := range operations.All() {
		err := p.operation(o)
		if err == nil {
			err = p.hold(p.total)
		}
		if err != nil {
			line, column := o.Position()
			return nil, at(err, i, "", line, column)
		}
	}
	return p.root, nil
}

// jsonPatch is a JSON Patch being applied to root, which is ours.
type jsonPatch struct {
	budget
	root *fhir.Node
}

func (p *jsonPatch) operation(o *fhir.Node) error {
	if o.Kind() != fhir.Object {
		return fail(msgMalformed, "a list of JSON objects")
	}
	op := o.Get("op")
	if op.Kind() != fhir.String {
		return fail(msgMissing, "op")
	}
	path, err := pointerOf(o, "path")
	if err != nil {
		return err
	}
	var from []string
	var value *fhir.Node
	switch op.Text() {
	case "add", "replace", "test":
		if value = o.Get("value"); value == nil {
			return fail(msgMissing, "value")
		}
	case "move", "copy":
		if from, err = pointerOf(o, "from"); err != nil {
			return err
		}
	case "remove":
	default:
		return fail(msgUnknown, "add, remove, replace, move, copy and test")
	}
	switch op.Text() {
	case "add":
		return p.add(path, value)
	case "replace":
		return p.replace(path, value)
	case "test":
		return p.test(path, value)
	case "remove":
		_, err = p.remove(path)
		return err
	case "move":
		return p.move(from, path)
	}
	source, err := p.find(from)
	if err != nil {
		return err
	}
	return p.add(path, source)
}

// pointerOf reads a JSON Pointer.
func pointerOf(o *fhir.Node, member string) ([]string, error) {
	n := o.Get(member)
	if n.Kind() != fhir.String {
		return nil, fail(msgMissing, member)
	}
	text := n.Text()
	if len(text) > MaxPath {
		return nil, failLimit(msgPath, MaxPath)
	}
	if text == "" {
		return nil, nil
	}
	if text[0] != '/' {
		return nil, fail(msgPathSyntax, "a pointer begins with a slash")
	}
	parts := strings.Split(text[1:], "/")
	for i, part := range parts {
		for rest := part; ; {
			_, after, found := strings.Cut(rest, "~")
			if !found {
				break
			}
			if after == "" || after[0] != '0' && after[0] != '1' {
				return nil, fail(msgPathSyntax, "a ~ of a pointer that is neither ~0 nor ~1")
			}
			rest = after
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

// index reads a part of a pointer as a place in an array of that length.
func index(part string, length int) (int, error) {
	if part == "" || len(part) > 9 || part[0] == '0' && part != "0" {
		return 0, fail(msgIndex)
	}
	for _, c := range []byte(part) {
		if c < '0' || c > '9' {
			return 0, fail(msgIndex)
		}
	}
	i, err := strconv.Atoi(part)
	if err != nil || i >= length {
		return 0, fail(msgIndex)
	}
	return i, nil
}

// child returns the value that a part of a pointer names, and its place in n.
func (p *jsonPatch) child(n *fhir.Node, part string) (*fhir.Node, int, error) {
	switch n.Kind() {
	case fhir.Array:
		i, err := index(part, n.Len())
		if err != nil {
			return nil, 0, err
		}
		return n.At(i), i, nil
	case fhir.Object:
		for i, k := range n.All() {
			if k.Name() == part {
				return k, i, p.spend(i + 1)
			}
		}
		if err := p.spend(n.Len() + 1); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, fail(msgNone)
}

func (p *jsonPatch) find(path []string) (n *fhir.Node, err error) {
	n = p.root
	for _, part := range path {
		if n, _, err = p.child(n, part); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// last splits a pointer into the value that holds its end, and the end.
func (p *jsonPatch) last(path []string) (parent *fhir.Node, part string, err error) {
	parent, err = p.find(path[:len(path)-1])
	return parent, path[len(path)-1], err
}

// weigh measures a value that is to come or go.
func (p *jsonPatch) weigh(n *fhir.Node) (size, error) {
	s := measure(n)
	return s, p.spend(s.nodes)
}

// grow counts a value that comes to stand at a depth. Whether the result is too
// large is asked when the operation has ended, because another value may go.
func (p *jsonPatch) grow(value *fhir.Node, depth int) error {
	s, err := p.weigh(value)
	if err != nil {
		return err
	}
	p.total.nodes += s.nodes
	p.total.bytes += s.bytes
	return p.hold(size{depth: depth + s.depth})
}

func (p *jsonPatch) shrink(value *fhir.Node) error {
	s, err := p.weigh(value)
	p.total.nodes -= s.nodes
	p.total.bytes -= s.bytes
	return err
}

// add puts a copy of value where path says.
func (p *jsonPatch) add(path []string, value *fhir.Node) error {
	if len(path) == 0 {
		return p.replace(path, value)
	}
	if err := p.grow(value, len(path)); err != nil {
		return err
	}
	return p.put(path, value.Clone())
}

// put puts a value that is ours where path says.
func (p *jsonPatch) put(path []string, value *fhir.Node) error {
	parent, part, err := p.last(path)
	if err != nil {
		return err
	}
	switch parent.Kind() {
	case fhir.Array:
		i := parent.Len()
		if part != "-" {
			if i, err = index(part, parent.Len()+1); err != nil {
				return err
			}
		}
		if err := p.spend(parent.Len() - i + 1); err != nil {
			return err
		}
		parent.InsertAt(i, value)
	case fhir.Object:
		if err := p.spend(parent.Len() + 1); err != nil {
			return err
		}
		if old := parent.Get(part); old != nil {
			if err := p.shrink(old); err != nil {
				return err
			}
		}
		parent.Set(part, value)
	default:
		return fail(msgTarget, "an object or array, or something in one")
	}
	return nil
}

func (p *jsonPatch) replace(path []string, value *fhir.Node) error {
	old := p.root
	var parent *fhir.Node
	var i int
	if len(path) > 0 {
		var part string
		var err error
		if parent, part, err = p.last(path); err != nil {
			return err
		}
		if old, i, err = p.child(parent, part); err != nil {
			return err
		}
	}
	// The old value may be where the new one is copied from.
	if err := p.grow(value, len(path)); err != nil {
		return err
	}
	value = value.Clone()
	if err := p.shrink(old); err != nil {
		return err
	}
	if parent == nil {
		p.root = fhir.NewArray(value).At(0) // without the name it had in the patch
		return nil
	}
	parent.SetAt(i, value)
	return nil
}

func (p *jsonPatch) remove(path []string) (*fhir.Node, error) {
	if len(path) == 0 {
		return nil, fail(msgTarget, "something in the resource: it cannot be removed itself")
	}
	parent, part, err := p.last(path)
	if err != nil {
		return nil, err
	}
	n, i, err := p.child(parent, part)
	if err != nil {
		return nil, err
	}
	if err := p.spend(parent.Len()); err != nil { // what stands behind it moves
		return nil, err
	}
	parent.RemoveAt(i)
	return n, p.shrink(n)
}

func (p *jsonPatch) move(from, path []string) error {
	inside := len(from) <= len(path)
	for i := 0; inside && i < len(from); i++ {
		inside = from[i] == path[i]
	}
	if inside {
		if len(from) < len(path) {
			return fail(msgInto)
		}
		_, err := p.find(from)
		return err
	}
	n, err := p.remove(from)
	if err != nil {
		return err
	}
	if len(path) == 0 {
		return p.replace(path, n)
	}
	if err := p.grow(n, len(path)); err != nil {
		return err
	}
	return p.put(path, n)
}

func (p *jsonPatch) test(path []string, want *fhir.Node) error {
	got, err := p.find(path)
	if err != nil {
		return err
	}
	same, err := p.equal(got, want)
	if err == nil && !same {
		err = fail(msgTest)
	}
	return err
}
