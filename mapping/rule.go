package mapping

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/mapping/internal/syntax"
)

// rule makes the resources of one name.
type rule struct {
	name   string
	typ    string
	index  int
	each   *operand // nil: once, for the record itself
	when   condition
	withs  []assign
	key    []operand
	write  Write
	needed bool // a record for which it makes nothing is refused
	object *object
	kind   *resourceKind
	node   *syntax.Node
	field  int // of the map's Fields

	makeable []string // properties that the elements can make, and the other names of their choices
}

// resourceKind is what laying one resource over another must know of its type.
type resourceKind struct {
	order  map[string]int    // of properties, as FHIR lists them
	choice map[string]string // property → its choice element, for choices
}

func newResourceKind(t *definitions.Type) *resourceKind {
	k := &resourceKind{order: map[string]int{"resourceType": -2, "id": -1}, choice: map[string]string{}}
	for i, p := range t.Properties() {
		k.order[p.Name] = 2 * i
		k.order["_"+p.Name] = 2*i + 1
		if p.Element.Choice() {
			k.choice[p.Name] = p.Element.Name
		}
	}
	return k
}

// choiceOf returns the choice element that a property is a type of, "" for none.
func (k *resourceKind) choiceOf(name string) string {
	if k == nil {
		return ""
	}
	return k.choice[name]
}

// before reports whether a property stands before another in FHIR's order. Without a type, all do.
func (k *resourceKind) before(name, other string) bool {
	if k == nil {
		return true
	}
	at, known := k.order[name]
	return known && at < k.order[other]
}

func (c *compiler) resources() {
	if len(c.layers.rules) == 0 {
		c.errorf(syntax.Position{File: c.m.file, Line: 1, Column: 1}, "no resources; want at least one rule")
		return
	}
	if len(c.layers.rules) > c.lim.MaxRules {
		c.errorf(c.layers.rules[c.lim.MaxRules].Key.Position, "more than %d rules", c.lim.MaxRules)
		return
	}
	// The names and types first: a rule may refer to one that follows.
	for _, p := range c.layers.rules {
		if r := c.declareRule(p); r != nil {
			c.rules[r.name] = r
			r.index = len(c.m.rules)
			c.m.rules = append(c.m.rules, r)
		}
	}
	for _, r := range c.m.rules {
		c.rule(r)
	}
}

func (c *compiler) declareRule(p syntax.Pair) *rule {
	n := p.Value
	if !c.keys(n, "resource") {
		return nil
	}
	r := &rule{name: p.Key.Text, node: n}
	if r.name == ownInstitution {
		c.errorf(p.Key.Position, "a rule cannot be called %s: that name is the institution's own Organization", ownInstitution)
		return nil
	}
	t := n.Get("type")
	if t == nil {
		c.errorf(p.Key.Position, "rule %q has no type; want type: and a FHIR resource type", r.name)
		return nil
	}
	if r.typ = c.text(t, "a FHIR resource type"); r.typ == "" {
		return nil
	}
	if !c.defs.IsResource(r.typ) {
		c.errorf(t.Position, "%q is not a FHIR R4 resource type; %s", r.typ, oneOfTypes(r.typ, c.defs.ResourceTypes()))
		return nil
	}
	r.needed = c.boolean(n.Get("required"))
	switch w := n.Get("write"); {
	case w == nil:
		c.errorf(p.Key.Position, "rule %q has no write; want replace, update, merge or reference", r.name)
	default:
		switch c.choice(w, "way of writing", "replace", "update", "merge", "reference") {
		case "update":
			r.write = Update
		case "merge":
			r.write = Merge
		case "reference":
			r.write = Reference
		}
	}
	return r
}

func oneOfTypes(word string, types []string) string {
	if near := nearest(word, types); near != "" {
		return "did you mean " + near + "?"
	}
	return "want one such as Patient, Encounter or Observation"
}

func (c *compiler) rule(r *rule) {
	n := r.node
	index, around := c.enter(Field{Rule: r.name, Resource: r.typ, Element: r.typ, Container: true, Mandatory: r.needed, Write: r.write}, n.Position)
	r.field = index
	c.at(n.Get("each"), c.names, func() { c.ruleAt(r, n, around.base) })
	c.leave(around)
}

// ruleAt compiles a rule whose scope is what its each: leads to; around is the scope around that.
func (c *compiler) ruleAt(r *rule, n *syntax.Node, around string) {
	typ := c.defs.Type(r.typ)
	r.kind = newResourceKind(typ)
	if e := n.Get("each"); e != nil {
		inside := c.base
		c.base = around
		c.reading("each", func() { r.each = c.operand(e, c.names) })
		c.base = inside
		c.says(func(f *Field) { f.Each = strings.Join(texts(e), ", ") })
		c.checkEach(e, r.each)
		if r.each != nil && r.each.constant() {
			c.errorf(e.Position, "a literal has no repetitions; want a path")
		}
	}
	s, withs := c.withs(n.Get("with"), c.names)
	r.withs = withs
	r.when = c.condition(n.Get("when"), s)
	if k := n.Get("key"); k != nil {
		for _, item := range k.List() {
			c.reading("key", func() {
				if o := c.operand(item, s); o != nil {
					r.key = append(r.key, *o)
				}
			})
			c.says(func(f *Field) { f.Key = append(f.Key, strings.Join(texts(item), ", ")) })
		}
		if len(r.key) == 0 || !slices.ContainsFunc(r.key, func(o operand) bool { return !o.constant() }) {
			c.errorf(k.Position, "a key of literals alone is the same for every record; want a path")
		}
	} else if r.write != Reference {
		c.errorf(n.Position, "rule %q has no key; want the paths that identify the %s within the institution", r.name, r.typ)
	}
	set := n.Get("set")
	if set == nil {
		c.errorf(n.Position, "rule %q has no set; want the elements of the %s", r.name, r.typ)
		return
	}
	if r.write == Reference && n.Get("key") == nil && set.Get("identifier") == nil {
		c.errorf(n.Position, "rule %q has neither key nor identifier; a reference needs one of them", r.name)
	}
	r.object = c.object(set, typ.Root(), r.typ, s, true)
	if r.object != nil && r.write != Reference {
		c.mandatory(r)
		r.makeable = r.object.makeable()
	}
}

// mandatory reports elements that FHIR requires and no rule can make.
func (c *compiler) mandatory(r *rule) {
	for _, q := range r.object.required {
		if !q.made {
			c.errorf(r.node.Position, "%s must have %s, but rule %q does not make it", r.typ, q.name, r.name)
		}
	}
}

// makeable are the properties that the elements can make, with what their functions make beside them and the other names
// of their choices, sorted.
func (o *object) makeable() []string {
	var out []string
	for _, e := range o.elements {
		out = append(out, e.names...)
		out = append(out, e.besides...)
		out = append(out, e.others...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
