package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/path"
	"github.com/yilian/yilian/mapping/record"
)

// compiler turns the layers of one map into programs.
type compiler struct {
	*loader
	inst   *Institution
	m      *Map
	layers *layers
	names  *scope           // of let:, the root of all
	rules  map[string]*rule // by name
	shapes map[string]*syntax.Node
	within []string // shapes being compiled, innermost last
	noting
}

// scope holds the names that an expression or $path may use.
type scope struct {
	parent *scope
	names  map[string]binding
	order  []string
}

// binding is where a name's value is kept while a record is mapped.
type binding struct {
	slot     int
	kind     valueKind
	computed bool // there is no node behind it
	reads    []Read
}

func (s *scope) lookup(name string) (binding, bool) {
	for ; s != nil; s = s.parent {
		if b, ok := s.names[name]; ok {
			return b, true
		}
	}
	return binding{}, false
}

// visible are all names that may be used, sorted.
func (s *scope) visible() []string {
	var out []string
	for ; s != nil; s = s.parent {
		for n := range s.names {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out
}

// declare gives a name a slot of its own.
func (c *compiler) declare(s *scope, name string, b binding) int {
	b.slot = c.m.slots
	c.m.slots++
	if s.names == nil {
		s.names = map[string]binding{}
	}
	s.names[name] = b
	s.order = append(s.order, name)
	return b.slot
}

// outward reports whether names are looked for around the scope in this map's format.
func (c *compiler) outward() bool { return c.m.format == record.HL7v2 || record.Tabular(c.m.format) }

// path parses and checks one path; nil after a finding.
func (c *compiler) path(n *syntax.Node, s *scope) *operand {
	text := c.text(n, "a path")
	if text == "" {
		return nil
	}
	if n.Kind == syntax.Bool || n.Kind == syntax.Number && !strings.HasPrefix(text, ".") {
		c.errorf(n.Position, "%q is not a path; for a literal write =%s or value: %s", text, text, text)
		return nil
	}
	p, err := path.Parse(text, path.Options{Outward: c.outward()})
	if err != nil {
		offset := 0
		var pe *path.Error
		if errors.As(err, &pe) {
			offset = pe.Offset
		}
		c.errorf(n.At(offset), "path %q: %s", text, err)
		return nil
	}
	o := &operand{path: p, slot: -1}
	if p.Start() == path.Variable {
		b, ok := s.lookup(p.Name())
		if !ok {
			c.errorf(n.Position, "unknown name $%s; %s", p.Name(), oneOf(p.Name(), s.visible()))
			return nil
		}
		if b.computed && !p.Plain() {
			c.errorf(n.Position, "$%s is computed, there is nothing inside it to read", p.Name())
			return nil
		}
		o.slot = b.slot
		c.noteName(b, text, p)
		return o
	}
	c.checkPath(n, p)
	c.noteRead(p)
	return o
}

// operand parses a path, a literal, or a list of them of which the first with a value counts.
func (c *compiler) operand(n *syntax.Node, s *scope) *operand {
	if n.Kind == syntax.List {
		if len(n.Items) == 0 {
			c.errorf(n.Position, "an empty list; want one or more paths")
			return nil
		}
		o := &operand{}
		for _, item := range n.Items {
			if one := c.pathOrLiteral(item, s); one != nil {
				o.first = append(o.first, *one)
			}
		}
		if o.first == nil {
			return nil
		}
		return o
	}
	return c.pathOrLiteral(n, s)
}

func (c *compiler) pathOrLiteral(n *syntax.Node, s *scope) *operand {
	if text, ok := literalText(n); ok {
		if text == "" {
			c.errorf(n.Position, "an empty literal; want text after =")
			return nil
		}
		return &operand{literal: text, slot: -1}
	}
	return c.path(n, s)
}

// literalText returns the text of the short form =text.
func literalText(n *syntax.Node) (string, bool) {
	if n.Kind == syntax.String && strings.HasPrefix(n.Text, "=") {
		return n.Text[1:], true
	}
	return "", false
}

// withs declares and compiles a with: section; the names are visible in the returned scope.
func (c *compiler) withs(n *syntax.Node, s *scope) (*scope, []assign) {
	if n == nil || !c.mapping(n) {
		return s, nil
	}
	inner := &scope{parent: s}
	var out []assign
	for _, p := range n.Pairs {
		if !expressionName(p.Key.Text) {
			c.errorf(p.Key.Position, "name %q; want letters, digits and _, a letter first", p.Key.Text)
			continue
		}
		var read func(r *run, at *record.Node) value
		var b binding
		reads := c.named(func() { read, b = c.valueRule(p.Value, inner) }) // what stands above may be used
		b.reads = reads
		slot := c.declare(inner, p.Key.Text, b)
		if read != nil {
			out = append(out, assign{slot: slot, read: read})
		}
	}
	return inner, out
}

func expressionName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || c == '_')) {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// assign puts a value under a name when the rule that declares it is entered.
type assign struct {
	slot int
	read func(r *run, at *record.Node) value
}

// child is the property of that name below a type, with choices concretised; it reports what is wrong.
func (c *compiler) child(in *definitions.Element, path string, key *syntax.Node) (p *definitions.Property, open *definitions.Element) {
	name := key.Text
	if p = in.Child(name); p != nil {
		return p, nil
	}
	if stem, ok := strings.CutSuffix(name, "[x]"); ok {
		if e := in.Element(name); e != nil && e.Choice() {
			return nil, e
		}
		c.errorf(key.Position, "%s has no choice element %s", path, stem+"[x]")
		return nil, nil
	}
	if e := in.Element(name); e != nil && e.Choice() {
		c.errorf(key.Position, "%s.%s has one of several types; want %s or %s", path, name, choices(e), e.Name)
		return nil, nil
	}
	var names []string
	for _, q := range in.Properties() {
		names = append(names, q.Name)
	}
	if near := nearest(name, names); near != "" {
		c.errorf(key.Position, "%s has no element %q; did you mean %s?", path, name, near)
	} else {
		c.errorf(key.Position, "%s has no element %q", path, name)
	}
	return nil, nil
}

func choices(e *definitions.Element) string {
	var out []string
	for _, t := range e.Types {
		out = append(out, strings.TrimSuffix(e.Name, "[x]")+definitions.Capital(t.Code))
	}
	if len(out) > 6 {
		out = append(out[:6], "…")
	}
	return strings.Join(out, ", ")
}

func (c *compiler) wrongType(at syntax.Position, path, typ, format string, args ...any) {
	c.errorf(at, "%s is %s; %s", path, article(typ), fmt.Sprintf(format, args...))
}

func article(typ string) string {
	if typ != "" && strings.ContainsRune("aeiouAEIO", rune(typ[0])) {
		return "an " + typ
	}
	return "a " + typ
}
