package mapping

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/path"
	"github.com/yilian/yilian/mapping/record"
)

// Field is one rule of a map as a table of fields lists it: a resource rule, or a rule of one of its elements. An element
// with a list of rules has one Field for each.
type Field struct {
	Parent    int    // index in Map.Fields of the rule it stands in; -1 for a resource rule
	Rule      string // name of the resource rule
	Resource  string // type of the resource
	Element   string // FHIR path: "Observation.referenceRange.low"; of a resource rule the type alone
	Type      string // FHIR type of the element; "" for a choice whose value decides, and of a resource rule
	Container bool   // it makes elements of its own, which are Fields that follow
	Mandatory bool   // FHIR requires the element in what it stands in; of a resource rule: the record is nothing without it

	Reads      []Read // what it reads of the record, each once; what with: and let: read stands where their names are used
	Each       string // path of its repetitions, as written
	Condition  string // when:, as text; "" for always
	Function   string // that makes the value: "identifier", "codeable" …; "" for literals, references and objects
	Table      string // code table
	System     string // identifier name or coding system
	Expression string
	Literal    string // text, or FHIR JSON
	Default    string // likewise
	Refers     string // what a reference points at: "rule patient", "ServiceRequest", "institution"
	WithChange string // values that are written only with another change

	Write Write    // of a resource rule
	Key   []string // of a resource rule: its key's paths, as written

	File         string // where the rule stands
	Line, Column int
}

// Read is one reading of the record.
type Read struct {
	// Field is the local field, named as Coverage.Unread names fields: "PID-5.1", "item.XMJG", "results.value". A column
	// that a joined row does not have is looked for in the row around it; here it is named as the joined row's. In XML and
	// JSON a path that begins with // keeps these.
	Field string
	Path  string // as the map writes it, names of let: and with: included: "$voided"
	For   string // "value", "each", "condition", "key", "text", "display", "reference", or the name of an input: "unit"
}

// Fields lists the map's rules: each resource rule, then the rules of its elements in the order of the file, shapes written
// out. The caller must not change them.
func (m *Map) Fields() []Field {
	m.ready()
	return m.fields
}

// noting is what the compiler notes for Map.Fields while it compiles a rule.
type noting struct {
	field int    // the rule being compiled; -1 outside of one
	base  string // the local field that is the scope
	use   string // what is read now is for
	noted *[]Read
}

// enter begins a rule; what is compiled until leave belongs to it.
func (c *compiler) enter(f Field, at syntax.Position) (index int, around noting) {
	around, index = c.noting, len(c.m.fields)
	f.Parent, f.File, f.Line, f.Column = around.field, at.File, at.Line, at.Column
	c.m.fields = append(c.m.fields, f)
	c.field, c.use, c.noted = index, "value", &[]Read{}
	return index, around
}

func (c *compiler) leave(around noting) {
	f := &c.m.fields[c.field]
	for _, r := range *c.noted {
		if !slices.Contains(f.Reads, r) {
			f.Reads = append(f.Reads, r)
		}
	}
	c.noting = around
}

// says completes the Field of the rule that is being compiled.
func (c *compiler) says(set func(f *Field)) {
	if c.field >= 0 {
		set(&c.m.fields[c.field])
	}
}

// reading compiles something whose paths are read for a purpose.
func (c *compiler) reading(use string, compile func()) {
	around := c.use
	c.use = use
	compile()
	c.use = around
}

// at compiles something whose scope is what a path leads to; nil is the scope around.
func (c *compiler) at(n *syntax.Node, s *scope, compile func()) {
	around := c.base
	if n != nil {
		c.base = c.scopeName(n, s)
	}
	compile()
	c.base = around
}

// scopeName is the local field that a path, or the first of several, leads to.
func (c *compiler) scopeName(n *syntax.Node, s *scope) string {
	if n.Kind == syntax.List {
		if len(n.Items) == 0 {
			return c.base
		}
		n = n.Items[0]
	}
	p, err := path.Parse(n.Text, path.Options{Outward: c.outward()})
	if err != nil || !n.Scalar() {
		return c.base
	}
	if p.Start() != path.Variable {
		return p.Field(c.around(p), c.m.format == record.HL7v2)
	}
	if b, ok := s.lookup(p.Name()); ok {
		for _, r := range b.reads {
			if r.For == "value" {
				return p.Field(r.Field, c.m.format == record.HL7v2)
			}
		}
	}
	return c.base
}

// noteRead notes a path.
func (c *compiler) noteRead(p *path.Path) {
	if c.noted != nil {
		*c.noted = append(*c.noted, Read{Field: p.Field(c.around(p), c.m.format == record.HL7v2), Path: p.String(), For: c.use})
	}
}

// around is the scope in which the first name of a path is found: that of a row's join may be the main row.
func (c *compiler) around(p *path.Path) string {
	if p.Start() != path.Scope || p.Name() == "" || !record.Tabular(c.m.format) {
		return c.base
	}
	joins := c.m.join
	for name := range strings.SplitSeq(c.base, ".") {
		if i := slices.IndexFunc(joins, func(j Join) bool { return j.Name == name }); i >= 0 {
			joins = joins[i].Joins
		}
	}
	is := func(j Join) bool { return j.Name == p.Name() }
	if !slices.ContainsFunc(joins, is) && slices.ContainsFunc(c.m.join, is) {
		return ""
	}
	return c.base
}

// noteName notes a named value, by what it reads.
func (c *compiler) noteName(b binding, written string, p *path.Path) {
	if c.noted == nil {
		return
	}
	for _, r := range b.reads {
		if r.For == "each" {
			continue // what is read in the repetitions is noted
		}
		use := c.use
		if r.For == "condition" {
			use = r.For
		} else if p != nil {
			r.Field = p.Field(r.Field, c.m.format == record.HL7v2)
		}
		*c.noted = append(*c.noted, Read{Field: r.Field, Path: written, For: use})
	}
}

// named compiles a named value and returns what it reads.
func (c *compiler) named(compile func()) []Read {
	around := c.noting
	reads := []Read{}
	c.noted, c.use, c.field = &reads, "value", -1
	compile()
	c.noting = around
	return reads
}

// texts are a path or a list of them as written.
func texts(n *syntax.Node) []string {
	var out []string
	for _, i := range n.List() {
		out = append(out, i.Text)
	}
	return out
}

// wording writes a condition as text: "OBX-2 = NM or SN, OBX-5 present".
func wording(n *syntax.Node) string {
	if n == nil {
		return ""
	}
	if n.Scalar() {
		return n.Text
	}
	words := func(n *syntax.Node) string {
		var out []string
		for _, i := range n.List() {
			out = append(out, strings.TrimPrefix(i.Text, "="))
		}
		return strings.Join(out, " or ")
	}
	var out []string
	for _, p := range n.Pairs {
		v := p.Value
		switch {
		case v.Kind == syntax.String && !v.Quoted && (v.Text == "present" || v.Text == "absent"):
			out = append(out, p.Key.Text+" "+v.Text)
		case v.Kind == syntax.Map:
			out = append(out, p.Key.Text+" not "+words(v.Get("not")))
		default:
			out = append(out, p.Key.Text+" = "+words(v))
		}
	}
	return strings.Join(out, ", ")
}
