package mapping

import (
	"strings"

	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// let is a value that is read once per record and known by a name.
type let struct {
	slot int
	eval func(r *run, at *record.Node) value
}

func (c *compiler) let(p syntax.Pair) {
	name, n := p.Key.Text, p.Value
	if !expressionName(name) {
		c.errorf(p.Key.Position, "name %q; want letters, digits and _, a letter first", name)
		return
	}
	var eval func(r *run, at *record.Node) value
	var b binding
	reads := c.named(func() { eval, b = c.valueRule(n, c.names) })
	b.reads = reads
	slot := c.declare(c.names, name, b)
	if eval != nil {
		c.m.lets = append(c.m.lets, let{slot: slot, eval: eval})
	}
}

// valueRule compiles a named value: a path, a list of paths, a literal, or a rule that makes one value.
func (c *compiler) valueRule(n *syntax.Node, s *scope) (eval func(r *run, at *record.Node) value, b binding) {
	around := c.base
	c.at(n.Get("each"), s, func() { eval, b = c.valueRuleAt(n, s, around) })
	return eval, b
}

// valueRuleAt compiles a named value whose scope is what its each: leads to; around is the scope around that.
func (c *compiler) valueRuleAt(n *syntax.Node, s *scope, around string) (func(r *run, at *record.Node) value, binding) {
	b := binding{}
	if n.Kind != syntax.Map {
		o := c.operand(n, s)
		if o == nil {
			return nil, b
		}
		b.computed = o.constant()
		return o.read, b
	}
	if !c.keys(n, "let") {
		return nil, b
	}
	s, withs := c.withs(n.Get("with"), s)
	when := c.condition(n.Get("when"), s)
	var each *operand
	if e := n.Get("each"); e != nil {
		inside := c.base
		c.base = around
		c.reading("each", func() { each = c.operand(e, s) })
		if c.base = inside; each == nil {
			return nil, b
		}
		if each.constant() {
			c.errorf(e.Position, "a literal has no repetitions; want a path")
			return nil, b
		}
		if n.Get("from") == nil && n.Get("expr") == nil && n.Get("value") == nil {
			n = n.With(n.Key("each"), n.Get("each")).With(&syntax.Node{Position: e.Position, Kind: syntax.String, Text: "from"},
				&syntax.Node{Position: e.Position, Kind: syntax.String, Text: "."})
		}
	}
	var eval func(r *run, at *record.Node) value
	switch {
	case !c.exactlyOne(n, "from", "value", "expr"):
		return nil, b
	case n.Get("from") != nil:
		o := c.operand(n.Get("from"), s)
		if o == nil {
			return nil, b
		}
		eval = o.read
		b.computed = o.constant()
	case n.Get("value") != nil:
		v := literal(c.text(n.Get("value"), "a literal"))
		eval = func(*run, *record.Node) value { return v }
		b.computed = true
	default:
		e := c.expression(n.Get("expr"), s)
		if e == nil {
			return nil, b
		}
		eval, b.kind, b.computed = e.value, e.kind, true
	}
	if t := n.Get("table"); t != nil {
		table := c.table(c.inst, t)
		if table == nil {
			return nil, b
		}
		inner := eval
		eval = func(r *run, at *record.Node) value {
			v := inner(r, at)
			if v.present() {
				if tr := table.Translate(v.text); tr.Mapped() {
					v.text = tr.Target.Code
				} else {
					r.noteUnmapped(table.Name(), tr, "", v.node)
					v.state = record.Absent
				}
			}
			return v
		}
		b.computed = true
	} else if u := n.Key("unmapped"); u != nil {
		c.errorf(u.Position, "unmapped goes with table")
	}
	if as := n.Get("as"); as != nil {
		inner := eval
		f := c.normaliser(as)
		if f == nil {
			return nil, b
		}
		eval = func(r *run, at *record.Node) value {
			v := inner(r, at)
			if v.present() {
				v = f(r, v)
			}
			return v
		}
		b.computed = true
	}
	if is := n.Get("is"); is != nil {
		words := c.words(is)
		inner := eval
		eval = func(r *run, at *record.Node) value {
			v := inner(r, at)
			text := "false"
			if v.present() && words[v.text] {
				text = "true"
			}
			return value{text: text, state: record.Present, kind: boolValue, node: v.node}
		}
		b.kind, b.computed = boolValue, true
	}
	if d := n.Get("default"); d != nil {
		inner, text := eval, c.text(d, "a literal")
		eval = func(r *run, at *record.Node) value {
			if v := inner(r, at); v.present() {
				return v
			}
			return literal(text)
		}
	}
	body := eval
	once := func(r *run, at *record.Node) value {
		r.assign(withs, at)
		if when != nil && !when(r, at) {
			return value{kind: b.kind}
		}
		return body(r, at)
	}
	if each == nil {
		return once, b
	}
	// The first repetition that gives a value.
	return func(r *run, at *record.Node) value {
		var found value
		each.each(r, at, func(v value) bool {
			if v.node == nil || !v.present() {
				found.state = rank(found.state, v.state)
				return true
			}
			if one := once(r, v.node); one.present() {
				found = one
				return false
			}
			return r.step()
		})
		return found
	}, b
}

// exactlyOne reports a rule that has none or several of the keys.
func (c *compiler) exactlyOne(n *syntax.Node, keys ...string) bool {
	var have []string
	for _, k := range keys {
		if n.Get(k) != nil {
			have = append(have, k)
		}
	}
	switch len(have) {
	case 0:
		c.errorf(n.Position, "nothing to make a value of; want %s or %s", strings.Join(keys[:len(keys)-1], ", "), keys[len(keys)-1])
	case 1:
		return true
	default:
		c.errorf(n.Key(have[1]).Position, "both %s and %s; want one of them", have[0], have[1])
	}
	return false
}
