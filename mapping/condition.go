package mapping

import (
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// condition decides whether a rule applies.
type condition func(r *run, at *record.Node) bool

// condition compiles when: and where:, nil after a finding or for none.
func (c *compiler) condition(n *syntax.Node, s *scope) condition {
	if n == nil {
		return nil
	}
	c.says(func(f *Field) { f.Condition = wording(n) })
	around := c.use
	c.use = "condition"
	defer func() { c.use = around }()
	if n.Scalar() {
		return c.boolExpression(n, s)
	}
	if !c.mapping(n) {
		return nil
	}
	if len(n.Pairs) == 0 {
		c.errorf(n.Position, "an empty condition; want paths and what they must be, or an expression")
		return nil
	}
	var all []condition
	for _, p := range n.Pairs {
		if one := c.test(p, s); one != nil {
			all = append(all, one)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func(r *run, at *record.Node) bool {
		for _, one := range all {
			if !one(r, at) {
				return false
			}
		}
		return true
	}
}

func (c *compiler) test(p syntax.Pair, s *scope) condition {
	o := c.path(p.Key, s)
	if o == nil {
		return nil
	}
	v := p.Value
	if v.Kind == syntax.String && !v.Quoted {
		switch v.Text {
		case "present":
			return func(r *run, at *record.Node) bool { return o.read(r, at).present() }
		case "absent":
			return func(r *run, at *record.Node) bool { return !o.read(r, at).present() }
		}
	}
	if v.Kind == syntax.Map {
		not := v.Get("not")
		if not == nil || len(v.Pairs) != 1 {
			c.errorf(v.Position, "want present, absent, a literal, a list of literals, or {not: […]}")
			return nil
		}
		words := c.words(not)
		if words == nil {
			return nil
		}
		return func(r *run, at *record.Node) bool { return !words[o.read(r, at).text] }
	}
	words := c.words(v)
	if words == nil {
		return nil
	}
	return func(r *run, at *record.Node) bool {
		v := o.read(r, at)
		return v.present() && words[v.text]
	}
}

// words are the literals of a condition or of is:.
func (c *compiler) words(n *syntax.Node) map[string]bool {
	out := map[string]bool{}
	for _, item := range n.List() {
		if !item.Scalar() || item.Kind == syntax.Null {
			c.errorf(item.Position, "%s where a literal was expected", item.Kind)
			return nil
		}
		text := item.Text
		if l, ok := literalText(item); ok {
			text = l
		}
		out[text] = true
	}
	if len(out) == 0 {
		c.errorf(n.Position, "an empty list; want one or more literals")
		return nil
	}
	return out
}
