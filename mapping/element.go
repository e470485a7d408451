package mapping

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// product is one FHIR value that a rule made. Name is set only where the rule decides it: value[x], dataAbsentReason.
type product struct {
	name string
	node *fhir.Node
}

// outcome says where what a rule made, or did not make, comes from.
type outcome struct {
	state   record.State // the most that its sources say
	literal bool         // all of it is literals; they alone do not make an element beside paths without a value
	off     bool         // a condition kept it from being made
	silent  []string     // slots about which the record says nothing
}

// emitter appends what a rule makes of the scope to out.
type emitter func(r *run, at *record.Node, out []product) ([]product, outcome)

// object makes a resource or a complex element from its set:.
type object struct {
	path     string
	elements []*element
	required []requirement
	sourced  bool // some element reads the record
	resource bool
	literals bool     // all elements are literals
	withs    []assign // of a shape
}

type requirement struct {
	name  string   // "status", "medication[x]"
	names []string // properties that fulfil it
	made  bool     // some rule can
}

// element makes one element of an object.
type element struct {
	name    string   // as in the map
	names   []string // properties it can be: one, or those of value[x]
	besides []string // what else its functions can make beside it: dataAbsentReason
	others  []string // other names of the same choice
	path    string
	repeats bool
	order   int
	makers  []*maker

	withChange []string // values that are written only with another change
}

// maker is one rule under set:.
type maker struct {
	withs   []assign
	when    condition
	each    *operand
	emit    emitter
	literal bool   // makes a literal, whatever the record says
	field   int    // of the map's Fields
	slot    string // of a list whose items have one each: the system of its identifier, the url of its extension
	def     *fhir.Node
}

// target is what a rule must make.
type target struct {
	prop  *definitions.Property // nil for an open choice
	open  *definitions.Element  // value[x]
	typ   string                // "" for an open choice
	path  string
	elem  *definitions.Element
	owner *definitions.Element // whose child it is
}

func (t *target) repeats() bool { return t.elem.Repeats() }

// object compiles the set: of a type or backbone element.
func (c *compiler) object(n *syntax.Node, in *definitions.Element, path string, s *scope, resource bool) *object {
	if n == nil || !c.mapping(n) {
		return nil
	}
	o := &object{path: path, resource: resource}
	if len(n.Pairs) == 0 {
		c.errorf(n.Position, "an empty set; want the elements of %s", path)
	}
	for _, e := range in.Properties() {
		if e.Element.Required() && !slices.ContainsFunc(o.required, func(q requirement) bool { return q.name == e.Element.Name }) {
			o.required = append(o.required, requirement{name: e.Element.Name})
		}
	}
	for i := range o.required {
		q := &o.required[i]
		for _, p := range in.Properties() {
			if p.Element.Name == q.name {
				q.names = append(q.names, p.Name)
			}
		}
	}
	taken := map[string]*element{}
	for _, p := range n.Pairs {
		if p.Value.Kind == syntax.Null {
			c.errorf(p.Value.Position, "null removes an element of what is extended or included; there is none here")
			continue
		}
		e := c.element(p, in, path, s, resource)
		if e == nil {
			continue
		}
		group := e.name
		if t := in.Child(e.name); t != nil && t.Element.Choice() {
			group = t.Element.Name
		}
		if prior := taken[group]; prior != nil && !(prior.conditional() && e.conditional()) {
			c.errorf(p.Key.Position, "%s and %s are the same choice element %s; want one of them, or a when: in each", prior.name, e.name, group)
			continue
		}
		taken[group] = e
		for i := range o.required {
			if slices.ContainsFunc(o.required[i].names, func(n string) bool { return slices.Contains(e.names, n) }) {
				o.required[i].made = true
			}
		}
		o.elements = append(o.elements, e)
		if slices.ContainsFunc(e.makers, func(m *maker) bool { return !m.literal }) {
			o.sourced = true
		}
	}
	o.literals = !o.sourced
	slices.SortStableFunc(o.elements, func(a, b *element) int { return cmp.Compare(a.order, b.order) })
	return o
}

// conditional reports whether every rule of the element has a condition.
func (e *element) conditional() bool {
	return !slices.ContainsFunc(e.makers, func(m *maker) bool { return m.when == nil })
}

// element compiles one key of a set:.
func (c *compiler) element(p syntax.Pair, in *definitions.Element, path string, s *scope, resource bool) *element {
	name := p.Key.Text
	if resource {
		switch name {
		case "id":
			c.errorf(p.Key.Position, "%s.id is made from key: and cannot be set", path)
			return nil
		case "contained":
			c.errorf(p.Key.Position, "contained resources are not made; want a rule of their own and a ref")
			return nil
		case "resourceType":
			c.errorf(p.Key.Position, "the type stands in type:, not under set:")
			return nil
		}
	}
	if bare, ok := strings.CutPrefix(name, "_"); ok {
		return c.extra(p, bare, in, path, s)
	}
	prop, open := c.child(in, path, p.Key)
	if prop == nil && open == nil {
		return nil
	}
	e := &element{name: name, path: path + "." + name}
	t := &target{path: e.path, owner: in}
	if prop != nil {
		t.prop, t.typ, t.elem = prop, prop.Type, prop.Element
		e.names = []string{prop.Name}
		e.order = propertyOrder(in, prop.Name)
		if prop.Element.Choice() {
			for _, q := range in.Properties() {
				if q.Element == prop.Element && q.Name != prop.Name {
					e.others = append(e.others, q.Name)
				}
			}
		}
	} else {
		t.open, t.elem = open, open
		for _, q := range in.Properties() {
			if q.Element == open {
				e.names = append(e.names, q.Name)
				e.others = append(e.others, q.Name)
			}
		}
		e.order = propertyOrder(in, e.names[0])
	}
	e.repeats = t.repeats()
	items := p.Value.List()
	if p.Value.Kind == syntax.List && len(items) == 0 {
		c.errorf(p.Value.Position, "an empty list; want one or more rules")
	}
	for _, item := range items {
		if m := c.maker(item, t, e, s); m != nil {
			e.makers = append(e.makers, m)
		}
	}
	if len(e.makers) == 0 {
		return nil
	}
	return e
}

// extra compiles _name, the id and extensions of a primitive element.
func (c *compiler) extra(p syntax.Pair, bare string, in *definitions.Element, path string, s *scope) *element {
	prop := in.Child(bare)
	if prop == nil || c.defs.KindOf(prop.Type) != definitions.Primitive {
		c.errorf(p.Key.Position, "%s has no primitive element %q; _name holds the extensions of one", path, bare)
		return nil
	}
	if prop.Repeats() {
		c.errorf(p.Key.Position, "%s.%s repeats; extensions of repeating primitives are not made", path, bare)
		return nil
	}
	e := &element{name: p.Key.Text, names: []string{p.Key.Text}, path: path + "." + bare, order: propertyOrder(in, bare) + 1}
	t := &target{path: e.path, owner: in, typ: "Element", elem: prop.Element}
	m := c.maker(p.Value, t, e, s)
	if m == nil {
		return nil
	}
	e.makers = []*maker{m}
	return e
}

func propertyOrder(in *definitions.Element, name string) int {
	for i, p := range in.Properties() {
		if p.Name == name {
			return 2 * i
		}
	}
	return 0
}

// container is the element whose children an object of the target has; nil for a primitive.
func (c *compiler) container(t *target) *definitions.Element {
	if t.prop == nil && t.typ == "Element" { // the id and extensions of a primitive
		return c.defs.Type("Element").Root()
	}
	if t.prop == nil || c.defs.KindOf(t.typ) == definitions.Primitive {
		return nil
	}
	return t.prop.Container()
}

// maker compiles one rule under set:, nil after a finding.
func (c *compiler) maker(n *syntax.Node, t *target, e *element, s *scope) *maker {
	f := Field{Element: t.path, Type: t.typ, Mandatory: t.elem.Required()}
	if c.field >= 0 {
		f.Rule, f.Resource = c.m.fields[c.field].Rule, c.m.fields[c.field].Resource
	}
	if n.Get("with-change") != nil {
		f.WithChange = strings.Join(texts(n.Get("with-change")), ", ")
		n = c.withChange(n, t, e)
	}
	index, around := c.enter(f, n.Position)
	var m *maker
	c.at(n.Get("each"), s, func() { m = c.makerAt(n, t, e, s, around.base) })
	c.leave(around)
	if m != nil {
		m.field = index
	}
	return m
}

// makerAt compiles a rule whose scope is what its each: leads to; around is the scope around that.
func (c *compiler) makerAt(n *syntax.Node, t *target, e *element, s *scope, around string) *maker {
	if n.Kind == syntax.Null {
		c.errorf(n.Position, "nothing; want a path, =literal or a rule for %s", t.path)
		return nil
	}
	if n.Kind == syntax.List {
		c.errorf(n.Position, "a list in a list; want rules")
		return nil
	}
	if n.Scalar() {
		if text, ok := literalText(n); ok {
			return c.literalMaker(n, text, t, false)
		}
		o := c.path(n, s)
		if o == nil {
			return nil
		}
		return c.functionMaker(n, &syntax.Node{Position: n.Position, Kind: syntax.Map}, o, t, e, s)
	}
	if !c.keys(n, "element") {
		return nil
	}
	s, withs := c.withs(n.Get("with"), s)
	var m *maker
	each := c.each(n, t, s, around)
	switch {
	case n.Get("ref") != nil:
		m = c.refMaker(n, t, s)
	case n.Get("set") != nil, n.Get("shape") != nil:
		m = c.objectMaker(n, t, s)
	case n.Get("value") != nil:
		c.only(n, "value", "when", "each", "with")
		m = c.literalValue(n, t, s)
	case n.Get("expr") != nil:
		m = c.exprMaker(n, t, e, s)
	case n.Get("from") != nil || each != nil || n.Get("as") != nil:
		var o *operand
		if f := n.Get("from"); f != nil {
			if o = c.operand(f, s); o == nil {
				return nil
			}
		} else if each != nil {
			o = &operand{path: herePath, slot: -1}
			c.noteRead(herePath)
		} else if n.Get("as").Text == "document" {
			o = &operand{record: true, slot: -1}
		} else {
			c.errorf(n.Get("as").Position, "as without from; want the path it reads")
			return nil
		}
		m = c.functionMaker(n, n, o, t, e, s)
	default:
		c.errorf(n.Position, "nothing to make %s of; want from, value, set, shape, ref or expr", t.path)
	}
	if m == nil {
		return nil
	}
	m.withs, m.each, m.slot = withs, each, c.slot(n, e)
	if w := n.Get("when"); w != nil {
		m.when = c.condition(w, s)
		m.literal = false
	}
	if d := n.Get("default"); d != nil {
		c.defaultValue(m, d, t)
	}
	return m
}

// slot is the identifier system or extension url that a rule always makes, "" when it depends on the record.
func (c *compiler) slot(n *syntax.Node, e *element) string {
	switch e.name {
	case "identifier":
		if sys := n.Get("system"); sys != nil && n.Get("with").Get("authority") == nil {
			if s, ok := c.identifierSystem(sys); ok && s != nil {
				return c.inst.Canonical(s.system)
			}
		}
	case "extension":
		if url := n.Get("set").Get("url"); url != nil {
			text, _ := literalText(url)
			return text
		}
	}
	return ""
}

// each compiles the each: of an element rule.
func (c *compiler) each(n *syntax.Node, t *target, s *scope, around string) *operand {
	e := n.Get("each")
	if e == nil {
		return nil
	}
	inside := c.base
	c.base = around
	var o *operand
	c.reading("each", func() { o = c.operand(e, s) })
	c.base = inside
	c.says(func(f *Field) { f.Each = strings.Join(texts(e), ", ") })
	if o == nil {
		return nil
	}
	c.checkEach(e, o)
	if o.constant() {
		c.errorf(e.Position, "a literal has no repetitions; want a path")
		return nil
	}
	if !t.repeats() {
		c.errorf(e.Position, "%s may stand only once, each would make several; want from", t.path)
		return nil
	}
	return o
}

// only reports keys that mean nothing beside another.
func (c *compiler) only(n *syntax.Node, key string, allowed ...string) {
	for _, p := range n.Pairs {
		if p.Key.Text != key && !slices.Contains(allowed, p.Key.Text) && slices.Contains(grammar["element"], p.Key.Text) {
			c.errorf(p.Key.Position, "%s has no meaning beside %s", p.Key.Text, key)
		}
	}
}

// objectMaker compiles set: and shape:, whose scope is from:, each: or the one around.
func (c *compiler) objectMaker(n *syntax.Node, t *target, s *scope) *maker {
	in := c.container(t)
	if in == nil {
		at := n.Key("set")
		if at == nil {
			at = n.Key("shape")
		}
		if t.open != nil {
			c.errorf(at.Position, "%s has one of several types; for elements of its own name it, as in %s", t.path, choices(t.open))
		} else {
			c.wrongType(at.Position, t.path, t.typ, "want from, value or expr, not elements")
		}
		return nil
	}
	var from *operand
	if f := n.Get("from"); f != nil {
		c.reading("scope", func() { from = c.operand(f, s) })
		if from == nil {
			return nil
		}
		if from.constant() {
			c.errorf(f.Position, "a literal has no elements; want a path")
			return nil
		}
	}
	var o *object
	if n.Get("shape") != nil {
		c.only(n, "shape", "from", "each", "with", "when", "default", "set")
	} else {
		c.only(n, "set", "from", "each", "with", "when")
	}
	c.says(func(f *Field) { f.Container = true })
	c.at(n.Get("from"), s, func() {
		if sh := n.Get("shape"); sh != nil {
			o = c.shape(sh, n.Get("set"), t, in, s)
		} else {
			o = c.object(n.Get("set"), in, t.path, s, false)
		}
	})
	if o == nil {
		return nil
	}
	m := &maker{literal: o.literals && from == nil}
	if m.literal {
		m.emit = o.emit
		return m
	}
	m.emit = o.emit
	if from != nil {
		m.emit = func(r *run, at *record.Node, out []product) ([]product, outcome) {
			v := from.scope(r, at)
			if !v.present() || v.node == nil {
				return out, outcome{state: r.said(v.state)}
			}
			return o.emit(r, v.node, out)
		}
	}
	return m
}

// shape compiles a named set of elements for the target; set: beside it is laid over it.
func (c *compiler) shape(n, over *syntax.Node, t *target, in *definitions.Element, s *scope) *object {
	name := c.text(n, "the name of a shape")
	if name == "" {
		return nil
	}
	sh := c.shapes[name]
	if sh == nil {
		var names []string
		for k := range c.shapes {
			names = append(names, k)
		}
		slices.Sort(names)
		c.errorf(n.Position, "unknown shape %q; %s", name, oneOf(name, names))
		return nil
	}
	if slices.Contains(c.within, name) {
		c.errorf(n.Position, "a circle of shapes: %s", strings.Join(append(slices.Clone(c.within), name), " → "))
		return nil
	}
	if len(c.within) > c.lim.MaxDepth {
		c.errorf(n.Position, "shapes nested deeper than %d", c.lim.MaxDepth)
		return nil
	}
	if !c.keys(sh, "shape") {
		return nil
	}
	typ := sh.Get("type")
	if typ == nil {
		c.errorf(sh.Position, "shape %q has no type; want type: and a FHIR type", name)
		return nil
	}
	if kind := c.defs.KindOf(typ.Text); kind != definitions.Complex {
		c.errorf(typ.Position, "%q is not a complex FHIR type; want one such as HumanName or Identifier", typ.Text)
		return nil
	}
	if typ.Text != t.typ {
		c.wrongType(n.Position, t.path, t.typ, "shape %s makes %s", name, article(typ.Text))
		return nil
	}
	set := sh.Get("set")
	if set == nil {
		c.errorf(sh.Position, "shape %q has no set", name)
		return nil
	}
	if over != nil && over.Kind == syntax.Map {
		set = c.mergeByName(set, over)
	}
	c.within = append(c.within, name)
	defer func() { c.within = c.within[:len(c.within)-1] }()
	inner, withs := c.withs(sh.Get("with"), s)
	o := c.object(set, in, t.path, inner, false)
	if o != nil && len(withs) > 0 {
		o.withs = withs
	}
	return o
}
