package mapping

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// ownInstitution is the name by which references point at the institution's own Organization.
const ownInstitution = "institution"

// refMaker compiles ref:, a Reference to what a rule made, to a resource by its key, by an identifier, or to an institution.
func (c *compiler) refMaker(n *syntax.Node, t *target, s *scope) *maker {
	c.only(n, "ref", "each", "from", "when", "with")
	ref := n.Get("ref")
	if t.typ != "Reference" {
		if t.open != nil {
			c.errorf(n.Key("ref").Position, "%s has one of several types; want %sReference", t.path, stem(t.open.Name))
		} else {
			c.wrongType(n.Key("ref").Position, t.path, t.typ, "only a Reference can refer")
		}
		return nil
	}
	from := c.scopeOf(n, s)
	var m *maker
	c.at(n.Get("from"), s, func() { m = c.refTarget(ref, t, s) })
	if m == nil || from == nil {
		return m
	}
	inner := m.emit
	m.emit = func(r *run, at *record.Node, out []product) ([]product, outcome) {
		v := from.scope(r, at)
		if !v.present() || v.node == nil {
			return out, outcome{state: r.said(v.state)}
		}
		return inner(r, v.node, out)
	}
	return m
}

func (c *compiler) refTarget(ref *syntax.Node, t *target, s *scope) *maker {
	if ref.Scalar() {
		name := c.text(ref, "the name of a rule")
		if name == "" {
			return nil
		}
		return c.refRule(ref, name, false, nil, t)
	}
	if !c.keys(ref, "ref") {
		return nil
	}
	return c.refMapping(ref, t, s)
}

// scopeOf compiles a from: that only sets the scope.
func (c *compiler) scopeOf(n *syntax.Node, s *scope) *operand {
	f := n.Get("from")
	if f == nil {
		return nil
	}
	var o *operand
	c.reading("scope", func() { o = c.operand(f, s) })
	if o != nil && o.constant() {
		c.errorf(f.Position, "a literal is no scope; want a path")
		return nil
	}
	return o
}

func (c *compiler) refMapping(ref *syntax.Node, t *target, s *scope) *maker {
	var display *operand
	if d := ref.Get("display"); d != nil {
		c.reading("display", func() { display = c.operand(d, s) })
	}
	around := c.use
	c.use = "reference"
	defer func() { c.use = around }()
	if name := ref.Get("rule"); name != nil {
		for _, k := range []string{"type", "key", "identifier", "institution"} {
			if key := ref.Key(k); key != nil {
				c.errorf(key.Position, "%s has no meaning beside rule", k)
			}
		}
		text := c.text(name, "the name of a rule")
		if text == "" {
			return nil
		}
		all := c.boolean(ref.Get("all"))
		if all && !t.repeats() {
			c.errorf(ref.Key("all").Position, "%s may stand only once; all: true would make several", t.path)
			return nil
		}
		return c.refRule(name, text, all, display, t)
	}
	if a := ref.Key("all"); a != nil {
		c.errorf(a.Position, "all goes with rule")
	}
	if inst := ref.Get("institution"); inst != nil {
		return c.refInstitution(ref, inst, display, t, s)
	}
	typ := ref.Get("type")
	if typ == nil {
		c.errorf(ref.Position, "want rule, or type with key or identifier, or institution")
		return nil
	}
	name := c.text(typ, "a resource type")
	if name == "" {
		return nil
	}
	if !c.defs.IsResource(name) {
		c.errorf(typ.Position, "%q is not a FHIR R4 resource type; %s", name, oneOfTypes(name, c.defs.ResourceTypes()))
		return nil
	}
	c.allowed(typ, name, t)
	c.says(func(f *Field) { f.Refers = name })
	switch key, id := ref.Get("key"), ref.Get("identifier"); {
	case key != nil && id != nil:
		c.errorf(ref.Key("identifier").Position, "both key and identifier; want one of them")
	case key != nil:
		return c.refKey(name, key, display, s)
	case id != nil:
		return c.refIdentifier(name, id, display, t, s)
	default:
		c.errorf(ref.Position, "want key or identifier, to say which %s", name)
	}
	return nil
}

// allowed reports a type that the element may not refer to.
func (c *compiler) allowed(at *syntax.Node, typ string, t *target) {
	if ref := t.prop.Ref(); ref != nil && !ref.AllowsTarget(typ) {
		c.errorf(at.Position, "%s cannot refer to %s; want %s", t.path, article(typ), list(ref.Targets))
	}
}

func list(words []string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out += " or "
		default:
			out += ", "
		}
		out += w
	}
	return out
}

func (c *compiler) refRule(n *syntax.Node, name string, all bool, display *operand, t *target) *maker {
	if name == ownInstitution {
		c.allowed(n, "Organization", t)
		c.says(func(f *Field) { f.Refers = ownInstitution })
		id, text := c.inst.id, c.inst.name
		return &maker{emit: func(r *run, _ *record.Node, out []product) ([]product, outcome) {
			r.trace(t.path, "ref institution")
			ref := fhir.NewObject().SetString("reference", "Organization/"+id).SetString("display", text)
			return append(out, product{node: ref}), outcome{state: record.Present, literal: true}
		}, literal: true}
	}
	to := c.rules[name]
	if to == nil {
		var names []string
		for _, r := range c.m.rules {
			names = append(names, r.name)
		}
		c.errorf(n.Position, "there is no rule %q; %s", name, oneOf(name, names))
		return nil
	}
	c.allowed(n, to.typ, t)
	c.says(func(f *Field) { f.Refers = "rule " + name })
	return &maker{emit: func(r *run, at *record.Node, out []product) ([]product, outcome) {
		found := false
		r.targets(to, at, all, func(i *instance) bool {
			if p, ok := r.reference(i, display, at); ok {
				r.trace(t.path, "ref "+name)
				out, found = append(out, p), true
			}
			return all
		})
		if !found {
			return out, outcome{}
		}
		return out, outcome{state: record.Present}
	}}
}

// targets yields what the rule made: everything inside the scope; or else the one of this scope, or the only one inside it, or
// that of the nearest scope around it, unless it belongs to another repetition of the group that this scope stands in. Where
// there are several nobody can tell which is meant.
func (r *run) targets(to *rule, at *record.Node, all bool, yield func(*instance) bool) {
	if all {
		for _, i := range r.instances[to.index] {
			if !r.step() || inside(i.scope, at) && !yield(i) {
				return
			}
		}
		return
	}
	if to.each == nil {
		if list := r.instances[to.index]; len(list) > 0 {
			yield(list[0])
		}
		return
	}
	near := r.near(to)
	var from *record.Node // through which the way led outward
	for s := at; s != nil; from, s = s, s.Parent() {
		n := near[s]
		switch {
		case n.at != nil:
			yield(n.at)
			return
		case n.inside > 1, n.inside == 1 && from != nil && n.through.Name() == from.Name():
			return // several, or that of another repetition: a neighbour's specimen is not ours
		case n.inside == 1:
			yield(n.first)
			return
		}
	}
}

// near is what a rule made as seen from one node.
type near struct {
	at      *instance // for the node itself
	inside  int       // for it and what stands in it
	first   *instance
	through *record.Node // the child in which first stands
}

// near indexes what a rule made by every node it stands in.
func (r *run) near(to *rule) map[*record.Node]near {
	if r.nearby == nil {
		r.nearby = make([]map[*record.Node]near, len(r.m.rules))
	}
	if m := r.nearby[to.index]; m != nil {
		return m
	}
	m := map[*record.Node]near{}
	for _, i := range r.instances[to.index] {
		var through *record.Node
		for s := i.scope; s != nil; through, s = s, s.Parent() {
			n := m[s]
			if s == i.scope && n.at == nil {
				n.at = i
			}
			if n.inside++; n.first == nil {
				n.first, n.through = i, through
			}
			m[s] = n
		}
	}
	r.nearby[to.index] = m
	return m
}

func inside(n, scope *record.Node) bool {
	for ; n != nil; n = n.Parent() {
		if n == scope {
			return true
		}
	}
	return false
}

// reference makes a Reference to an instance; it reports false when there is nothing to say.
func (r *run) reference(i *instance, display *operand, at *record.Node) (product, bool) {
	ref := fhir.NewObject()
	if i.id != "" {
		ref.SetString("reference", i.rule.typ+"/"+i.id)
	}
	if i.rule.write == Reference {
		if id := r.identifierOf(i); id != nil {
			if i.id == "" {
				ref.SetString("type", i.rule.typ)
			}
			ref.Set("identifier", r.fresh(id))
		}
	}
	if ref.Len() == 0 {
		return product{}, false
	}
	r.display(ref, display, at)
	r.count(2)
	return product{node: ref}, true
}

func (r *run) display(ref *fhir.Node, display *operand, at *record.Node) {
	if display == nil {
		return
	}
	if v := display.read(r, at); v.present() {
		ref.SetString("display", clean(v.text))
	}
}

// identifierOf makes the first identifier of a Reference rule's resource, once.
func (r *run) identifierOf(i *instance) *fhir.Node {
	if i.identified {
		return i.identifier
	}
	i.identified = true // before it is made: an assigner may refer back
	if e := i.rule.object.identifierElement(); e != nil {
		mark := len(r.steps)
		r.assign(i.rule.withs, i.scope)
		if products, _ := e.make(r, i.scope); len(products) > 0 {
			i.identifier = products[0].node
		}
		r.steps = r.steps[:mark]
	}
	return i.identifier
}

func (o *object) identifierElement() *element {
	if o == nil {
		return nil
	}
	for _, e := range o.elements {
		if e.name == "identifier" {
			return e
		}
	}
	return nil
}

// refKey compiles a reference to a resource of the same institution by its key.
func (c *compiler) refKey(typ string, n *syntax.Node, display *operand, s *scope) *maker {
	var key []operand
	for _, item := range n.List() {
		if o := c.operand(item, s); o != nil {
			key = append(key, *o)
		}
	}
	if len(key) == 0 {
		return nil
	}
	return &maker{emit: func(r *run, at *record.Node, out []product) ([]product, outcome) {
		ref := fhir.NewObject()
		if k, ok := r.keyOf(typ, key, at); ok {
			ref.SetString("reference", typ+"/"+r.id(k, 0))
		}
		r.display(ref, display, at)
		if ref.Len() == 0 {
			return out, outcome{state: r.said(key[0].read(r, at).state)}
		}
		r.count(2)
		r.trace("Reference", "ref "+typ)
		return append(out, product{node: ref}), outcome{state: record.Present}
	}}
}

// refIdentifier compiles a logical reference.
func (c *compiler) refIdentifier(typ string, n *syntax.Node, display *operand, t *target, s *scope) *maker {
	if !c.keys(n, "ref-identifier") {
		return nil
	}
	f := n.Get("from")
	if f == nil {
		c.errorf(n.Position, "no from; want the path of the identifier's value")
		return nil
	}
	from := c.operand(f, s)
	id := c.identifierRule(n, s)
	if from == nil || id == nil {
		return nil
	}
	return &maker{emit: func(r *run, at *record.Node, out []product) ([]product, outcome) {
		v := from.read(r, at)
		ref := fhir.NewObject()
		if v.present() {
			if node := id(r, at, v, t.path+".identifier"); node != nil {
				ref.SetString("type", typ).Set("identifier", node)
			}
		}
		r.display(ref, display, at)
		if ref.Len() == 0 {
			return out, outcome{state: r.said(v.state)}
		}
		r.count(4)
		r.trace(t.path, "ref "+typ)
		return append(out, product{node: ref}), outcome{state: record.Present}
	}}
}

// refInstitution compiles a reference to the Organization of a member by its id.
func (c *compiler) refInstitution(ref, n *syntax.Node, display *operand, t *target, s *scope) *maker {
	for _, k := range []string{"type", "key", "identifier"} {
		if key := ref.Key(k); key != nil {
			c.errorf(key.Position, "%s has no meaning beside institution", k)
		}
	}
	c.allowed(n, "Organization", t)
	c.says(func(f *Field) { f.Refers = ownInstitution })
	var from *operand
	translate := func(_ *run, v value) string { return v.text }
	if n.Kind == syntax.Map {
		f, tab := n.Get("from"), n.Get("table")
		if f == nil || len(n.Pairs) > 2 || len(n.Pairs) == 2 && tab == nil {
			c.errorf(n.Position, "want a path, =id, or {from: PATH, table: NAME}")
			return nil
		}
		from = c.operand(f, s)
		if tab != nil {
			table := c.table(c.inst, tab)
			if table == nil {
				return nil
			}
			c.says(func(f *Field) { f.Table = table.Name() })
			translate = func(r *run, v value) string {
				tr := table.Translate(v.text)
				if !tr.Mapped() {
					r.unmapped(table.Name(), tr, "", t.path, v.node)
				}
				return tr.Target.Code
			}
		}
	} else {
		from = c.operand(n, s)
	}
	if from == nil {
		return nil
	}
	return &maker{emit: func(r *run, at *record.Node, out []product) ([]product, outcome) {
		v := from.read(r, at)
		node := fhir.NewObject()
		if v.present() {
			if id := translate(r, v); institutionID(id) {
				node.SetString("reference", "Organization/"+id)
			}
		}
		r.display(node, display, at)
		if node.Len() == 0 {
			return out, outcome{state: r.said(v.state)}
		}
		r.count(2)
		r.trace(t.path, "ref institution")
		return append(out, product{node: node}), outcome{state: record.Present, literal: from.constant()}
	}}
}

func stem(choice string) string {
	if n := len(choice) - len("[x]"); n > 0 && choice[n:] == "[x]" {
		return choice[:n]
	}
	return choice
}
