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
	b := binding{}
	var eval func(r *run, at *record.Node) value
	if n.Kind != syntax.Map {
		if o := c.operand(n, c.names); o != nil {
			b.computed = o.constant()
			eval = o.read
		}
	} else if c.keys(n, "let") {
		eval, b = c.letRule(n)
	}
	slot := c.declare(c.names, name, b)
	if eval != nil {
		c.m.lets = append(c.m.lets, let{slot: slot, eval: eval})
	}
}

func (c *compiler) letRule(n *syntax.Node) (func(r *run, at *record.Node) value, binding) {
	b := binding{}
	s, withs := c.withs(n.Get("with"), c.names)
	when := c.condition(n.Get("when"), s)
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
	return func(r *run, at *record.Node) value {
		r.assign(withs, at)
		if when != nil && !when(r, at) {
			return value{kind: b.kind}
		}
		return body(r, at)
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
