package mapping

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// function is what as: names: it makes FHIR values of what a path gives.
type function struct {
	name    string
	makes   []string // FHIR types; "[x]" when it chooses among those of an open choice
	inputs  []string // names it knows under with:
	keys    []string // of table, text, system
	many    bool     // may make several
	besides []string // elements it may make beside its own
	absent  bool     // is asked about missing values too
	compile func(c *compiler, f *call) applier
}

// applier makes products of one present value. none reports that the value stands for "nothing".
type applier func(r *run, at *record.Node, v value, out []product) (_ []product, none bool)

// call is one use of a function in a map.
type call struct {
	node   *syntax.Node
	from   *operand
	target *target
	table  *codes.Table
	text   *operand
	system *syntax.Node
	inputs map[string]*operand
	scope  *scope
}

// input reads a named input; a value that is absent when the map does not give it.
func (f *call) input(r *run, at *record.Node, name string) value {
	if o := f.inputs[name]; o != nil {
		return o.read(r, at)
	}
	return value{}
}

// functions are all functions by name.
var functions = func() map[string]*function {
	m := map[string]*function{}
	for _, list := range [][]*function{primitiveFunctions, codeFunctions, identifierFunctions, textFunctions, attachmentFunctions, resultFunctions, personFunctions} {
		for _, f := range list {
			m[f.name] = f
		}
	}
	return m
}()

// byType is the function that makes a type when the map names none.
var byType = map[string]string{
	"date": "date", "dateTime": "dateTime", "instant": "instant", "time": "time", "string": "string", "markdown": "string", "code": "code",
	"id": "code", "uri": "uri", "url": "uri", "canonical": "uri", "oid": "uri", "uuid": "uri", "boolean": "boolean", "integer": "integer",
	"positiveInt": "integer", "unsignedInt": "integer", "decimal": "decimal", "base64Binary": "base64", "Identifier": "identifier",
	"HumanName": "name", "ContactPoint": "phone", "Address": "address", "Quantity": "quantity", "Age": "quantity", "Duration": "quantity",
	"CodeableConcept": "codeable", "Coding": "coding", "Annotation": "annotation", "Attachment": "attachment", "Narrative": "narrative",
}

// functionMaker compiles from: or expr: with a function, the one named in as: or that of the target's type.
func (c *compiler) functionMaker(n, opts *syntax.Node, from *operand, t *target, e *element, s *scope) *maker {
	name := ""
	if as := opts.Get("as"); as != nil {
		if name = c.text(as, "the name of a function"); name == "" {
			return nil
		}
		if functions[name] == nil {
			var names []string
			for k := range functions {
				names = append(names, k)
			}
			slices.Sort(names)
			c.errorf(as.Position, "unknown function %q; %s", name, oneOf(name, names))
			return nil
		}
	} else if t.open != nil {
		c.errorf(n.Position, "%s has one of several types; want as: result, or a name such as %s", t.path, choices(t.open))
		return nil
	} else if name = byType[t.typ]; name == "" {
		if t.typ == "Reference" {
			c.errorf(n.Position, "%s is a Reference; want ref", t.path)
		} else {
			c.wrongType(n.Position, t.path, t.typ, "want set with its elements")
		}
		return nil
	}
	f := functions[name]
	c.says(func(f *Field) { f.Function = name })
	at := n.Position
	if as := opts.Get("as"); as != nil {
		at = as.Position
	}
	open := slices.Contains(f.makes, "[x]")
	switch {
	case t.open != nil && !open:
		inner := c.chosen(t, f)
		if inner == nil {
			c.errorf(at, "%s makes %s, but %s is one of %s", name, list(f.makes), t.path, choices(t.open))
			return nil
		}
		m := c.functionMaker(n, opts, from, inner, e, s)
		if m == nil {
			return nil
		}
		emit := m.emit
		m.emit = func(r *run, at *record.Node, out []product) ([]product, outcome) {
			before := len(out)
			out, o := emit(r, at, out)
			for i := before; i < len(out); i++ {
				out[i].name = inner.prop.Name
			}
			return out, o
		}
		return m
	case t.open == nil && !slices.Contains(f.makes, t.typ):
		c.wrongType(at, t.path, t.typ, "%s makes %s", name, list(f.makes))
		return nil
	case f.many && !t.repeats():
		c.errorf(at, "%s may stand only once, but %s may make several", t.path, name)
		return nil
	}
	u := &call{node: opts, from: from, target: t, inputs: map[string]*operand{}, scope: s}
	if !c.options(u, f) {
		return nil
	}
	apply := f.compile(c, u)
	if apply == nil {
		return nil
	}
	if len(f.besides) > 0 {
		for _, b := range f.besides {
			if t.owner.Child(b) != nil {
				e.besides = append(e.besides, b)
			}
		}
	}
	by := name
	if u.table != nil {
		by += " table " + u.table.Name()
	}
	m := &maker{literal: from.constant()}
	m.emit = func(r *run, at *record.Node, out []product) ([]product, outcome) {
		v := from.read(r, at)
		if !v.present() {
			if f.absent {
				out, _ = apply(r, at, v, out)
			}
			return out, outcome{state: r.said(v.state), literal: true}
		}
		before := len(out)
		out, none := apply(r, at, v, out)
		switch {
		case len(out) > before:
			r.count(2 * (len(out) - before))
			r.trace(t.path, by)
			return out, outcome{state: record.Present, literal: from.constant()}
		case none:
			return out, outcome{state: r.said(record.Empty)}
		}
		return out, outcome{state: record.Present}
	}
	return m
}

// chosen is the target with the type of an open choice that a function makes; nil when it makes none.
func (c *compiler) chosen(t *target, f *function) *target {
	for _, typ := range f.makes {
		if t.open.Type(typ) != nil {
			if p := t.owner.Child(stem(t.open.Name) + definitions.Capital(typ)); p != nil {
				inner := *t
				inner.open, inner.prop, inner.typ, inner.path = nil, p, typ, strings.TrimSuffix(t.path, "[x]")+definitions.Capital(typ)
				return &inner
			}
		}
	}
	return nil
}

// options compiles table, text, system and the inputs of a function; it reports false after a finding.
func (c *compiler) options(u *call, f *function) bool {
	ok := true
	for _, k := range []string{"table", "text", "system"} {
		if key := u.node.Key(k); key != nil && !slices.Contains(f.keys, k) {
			c.errorf(key.Position, "%s has no meaning for %s", k, f.name)
			ok = false
		}
	}
	if u.node.Get("table") == nil {
		if key := u.node.Key("unmapped"); key != nil {
			c.errorf(key.Position, "unmapped goes with table")
			ok = false
		}
	}
	if !ok {
		return false
	}
	if t := u.node.Get("table"); t != nil {
		table := c.table(c.inst, t)
		if table == nil {
			return false
		}
		u.table = c.policy(u.node, table)
		c.says(func(f *Field) { f.Table = table.Name() })
		c.checkTable(t, u.target, u.table)
	}
	if t := u.node.Get("text"); t != nil {
		c.reading("text", func() { u.text = c.operand(t, u.scope) })
		if u.text == nil {
			return false
		}
	}
	if u.system = u.node.Get("system"); u.system != nil {
		c.says(func(f *Field) { f.System = u.system.Text })
	}
	with := u.node.Get("with")
	if with == nil || with.Kind != syntax.Map {
		return true
	}
	for _, p := range with.Pairs {
		if slices.Contains(f.inputs, p.Key.Text) {
			c.reading(p.Key.Text, func() {
				u.inputs[p.Key.Text] = c.operand(&syntax.Node{Position: p.Value.Position, Kind: syntax.String, Text: "$" + p.Key.Text}, u.scope)
			})
			continue
		}
		if when := u.node.Get("when"); when.Scalar() && strings.Contains(when.Text, p.Key.Text) {
			continue
		}
		if u.node.Get("expr") == nil && !mentions(u.node, "$"+p.Key.Text) {
			want := "it has none"
			if len(f.inputs) > 0 {
				want = oneOf(p.Key.Text, f.inputs)
			}
			c.errorf(p.Key.Position, "%q is not an input of %s; %s", p.Key.Text, f.name, want)
		}
	}
	return true
}

// mentions reports whether a scalar of the tree begins with text.
func mentions(n *syntax.Node, text string) bool {
	if n.Scalar() {
		return strings.HasPrefix(n.Text, text)
	}
	for _, p := range n.Pairs {
		if mentions(p.Key, text) || mentions(p.Value, text) {
			return true
		}
	}
	return slices.ContainsFunc(n.Items, func(i *syntax.Node) bool { return mentions(i, text) })
}

var primitiveFunctions = []*function{
	primitiveFunction("date", "date", "dateTime"),
	primitiveFunction("dateTime", "dateTime"),
	primitiveFunction("instant", "instant"),
	primitiveFunction("time", "time"),
	primitiveFunction("string", "string", "markdown"),
	primitiveFunction("code", "code", "id"),
	primitiveFunction("uri", "uri", "url", "canonical", "oid", "uuid"),
	primitiveFunction("boolean", "boolean"),
	primitiveFunction("integer", "integer", "positiveInt", "unsignedInt"),
	primitiveFunction("decimal", "decimal"),
	primitiveFunction("base64", "base64Binary"),
}

func primitiveFunction(name string, makes ...string) *function {
	var inputs []string
	if name == "dateTime" || name == "instant" {
		inputs = []string{"minutes"}
	}
	return &function{name: name, makes: makes, inputs: inputs, keys: []string{"table"}, compile: func(c *compiler, f *call) applier {
		typ, path := f.target.typ, f.target.path
		if name == "date" {
			typ = "date"
		}
		var bound *definitions.ValueSet
		if typ == "code" && f.table == nil {
			if bound = c.required(f.target); bound != nil && !bound.Complete {
				bound = nil
			}
		}
		canonical := isIdentifierSystem(f.target)
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			text := v.text
			if f.table != nil {
				tr := f.table.Translate(text)
				if !tr.Mapped() {
					r.unmapped(f.table.Name(), tr, "", path, v.node)
					if typ == "code" || typ == "boolean" || tr.Policy == codes.Reject {
						return out, false
					}
				} else {
					text = tr.Target.Code
				}
			}
			if f.inputs["minutes"] != nil {
				later, ok := r.later(text, f.input(r, at, "minutes"), path)
				if !ok {
					return out, true
				}
				text = later
			}
			if bound != nil && bound.HasCode(text) == definitions.NotMember {
				r.issue(fhir.Warning, fhir.TypeCodeInvalid, "code-invalid", path, v.node, "not a code of "+bound.Name+": a table is missing")
				return out, false
			}
			node, p := primitive(typ, text, r.inst.dates)
			if p != nil {
				if !p.none {
					r.issue(fhir.Warning, fhir.TypeValue, p.id, path, v.node, p.want)
				}
				return out, p.none
			}
			if canonical {
				if c := r.inst.Canonical(node.Text()); c != node.Text() {
					node = fhir.NewString(c)
				}
			}
			return append(out, product{node: node}), false
		}
	}}
}

// later adds minutes to a time. It reports false when one of them is missing or is none: the end of an unknown duration is
// not known.
func (r *run) later(text string, minutes value, path string) (string, bool) {
	if !minutes.present() {
		return "", false
	}
	n, err := strconv.Atoi(fold.Text(minutes.text))
	if err != nil || n < 0 || n > maxMinutes {
		r.issue(fhir.Warning, fhir.TypeValue, "number-format", path, minutes.node, "want a number of minutes")
		return "", false
	}
	v, err := datetime.Parse(text, r.inst.dates)
	if err != nil {
		return text, true // its mistake is told by whoever reads it
	}
	if _, ok := v.Instant(); !ok {
		return "", false
	}
	t, ok := v.Time()
	return t.Add(time.Duration(n) * time.Minute).Format(time.RFC3339), ok
}

// maxMinutes bounds a duration: ten years.
const maxMinutes = 10 * 366 * 24 * 60

// normaliser compiles as: in let:, which makes text of text.
func (c *compiler) normaliser(n *syntax.Node) func(r *run, v value) value {
	name := c.text(n, "the name of a function")
	typ := map[string]string{"date": "date", "dateTime": "dateTime", "instant": "instant", "time": "time", "string": "string", "code": "code",
		"integer": "integer", "decimal": "decimal", "boolean": "boolean"}[name]
	switch {
	case name == "":
		return nil
	case name == "resident-id":
		return func(r *run, v value) value {
			text, ok := residentNumber(v.text)
			v.text = text
			if !ok {
				v.state = record.Absent
			}
			return v
		}
	case typ == "":
		c.errorf(n.Position, "unknown function %q for let; %s", name, oneOf(name, []string{"date", "dateTime", "instant", "time", "string",
			"code", "integer", "decimal", "boolean", "resident-id"}))
		return nil
	}
	return func(r *run, v value) value {
		node, p := primitive(typ, v.text, r.inst.dates)
		if p != nil {
			if !p.none {
				r.issue(fhir.Warning, fhir.TypeValue, p.id, "", v.node, p.want)
			}
			v.state, v.text = record.Absent, ""
			return v
		}
		v.text = node.Text()
		return v
	}
}
