package mapping

import (
	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// literalMaker compiles a literal in its short form, or the text of value: and default:.
func (c *compiler) literalMaker(n *syntax.Node, text string, t *target, quiet bool) *maker {
	node := c.literalNode(n, text, t)
	if node == nil {
		return nil
	}
	c.says(func(f *Field) { f.Literal = node.Text() })
	return &maker{literal: true, emit: func(r *run, _ *record.Node, out []product) ([]product, outcome) {
		r.trace(t.path, "literal")
		return append(out, product{node: r.fresh(node)}), outcome{state: record.Present, literal: true}
	}}
}

// literalValue compiles value:, a scalar for a primitive, or FHIR elements as FHIR writes them for the rest.
func (c *compiler) literalValue(n *syntax.Node, t *target, s *scope) *maker {
	v := n.Get("value")
	if v.Scalar() {
		return c.literalMaker(v, v.Text, t, false)
	}
	node := c.tree(v, t)
	if node == nil {
		return nil
	}
	c.says(func(f *Field) { f.Literal = string(node.AppendJSON(nil)) })
	return &maker{literal: true, emit: func(r *run, _ *record.Node, out []product) ([]product, outcome) {
		r.trace(t.path, "literal")
		return append(out, product{node: r.fresh(node)}), outcome{state: record.Present, literal: true}
	}}
}

func (c *compiler) defaultValue(m *maker, d *syntax.Node, t *target) {
	var node *fhir.Node
	if d.Scalar() && d.Kind != syntax.Null {
		text := d.Text
		if l, ok := literalText(d); ok {
			text = l
		}
		node = c.literalNode(d, text, t)
	} else {
		node = c.tree(d, t)
	}
	if node != nil {
		m.def = node
		c.says(func(f *Field) {
			if f.Default = node.Text(); f.Default == "" {
				f.Default = string(node.AppendJSON(nil))
			}
		})
	}
}

// literalNode makes the FHIR value of a literal text, nil after a finding.
func (c *compiler) literalNode(n *syntax.Node, text string, t *target) *fhir.Node {
	if n.Kind == syntax.Null || text == "" {
		c.errorf(n.Position, "an empty literal for %s", t.path)
		return nil
	}
	if t.open != nil {
		c.errorf(n.Position, "%s has one of several types; name it, as in %s", t.path, choices(t.open))
		return nil
	}
	if c.defs.KindOf(t.typ) != definitions.Primitive {
		c.wrongType(n.Position, t.path, t.typ, "a text cannot be one; want set with its elements")
		return nil
	}
	node, problem := primitive(t.typ, text, c.inst.dates)
	if problem != nil {
		c.errorf(n.Position, "%q for %s; %s", text, t.path, problem.want)
		return nil
	}
	if isIdentifierSystem(t) {
		node = fhir.NewString(c.inst.Canonical(node.Text()))
	}
	c.checkCode(n.Position, t, "", text)
	return node
}

// tree makes a FHIR value from elements written in the map, checked against the target's type.
func (c *compiler) tree(n *syntax.Node, t *target) *fhir.Node {
	if n.Scalar() {
		return c.literalNode(n, n.Text, t)
	}
	in := c.container(t)
	if in == nil || n.Kind != syntax.Map {
		c.wrongType(n.Position, t.path, typeName(t), "%s cannot be one", n.Kind)
		return nil
	}
	made := map[string]*fhir.Node{}
	for _, p := range n.Pairs {
		prop, open := c.child(in, t.path, p.Key)
		if prop == nil {
			if open != nil {
				c.errorf(p.Key.Position, "%s.%s: name one of %s", t.path, p.Key.Text, choices(open))
			}
			continue
		}
		ct := &target{prop: prop, typ: prop.Type, elem: prop.Element, path: t.path + "." + prop.Name, owner: in}
		if p.Value.Kind == syntax.List && !prop.Repeats() {
			c.errorf(p.Value.Position, "%s may stand only once; want one value, not a list", ct.path)
			continue
		}
		var kids []*fhir.Node
		for _, item := range p.Value.List() {
			if k := c.tree(item, ct); k != nil {
				kids = append(kids, k)
			}
		}
		if len(kids) == 0 {
			continue
		}
		if prop.Repeats() {
			made[prop.Name] = fhir.NewArray(kids...)
		} else {
			made[prop.Name] = kids[0]
		}
	}
	out := fhir.NewObject()
	for _, prop := range in.Properties() {
		if k := made[prop.Name]; k != nil {
			out.Set(prop.Name, k)
		}
	}
	if code := out.Get("code"); code != nil && t.typ == "Coding" {
		c.checkCode(n.Position, t, out.Get("system").Text(), code.Text())
	}
	return out
}

func typeName(t *target) string {
	if t.typ == "" {
		return "choice of types"
	}
	return t.typ
}

// isIdentifierSystem reports whether the target is Identifier.system, which is always written in its canonical form.
func isIdentifierSystem(t *target) bool {
	return t.elem != nil && t.elem.Path == "Identifier.system"
}
