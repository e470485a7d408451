package fieldtable

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/record"
)

// Paper is what an institution's maps do.
type Paper struct {
	ID, Name, Version string
	Sections          []Section
	Fields            []Use // every local field that is read, in alphabetical order
	Tables            []*codes.Table
	words             *words
}

// Section is one map.
type Section struct {
	Map, Title string
	Version    string
	Reads      string // which records it is for
	Resources  []Resource
}

// Resource is one kind of resource that a map makes.
type Resource struct {
	Rule, Type string
	How        string // key, way of writing, repetition and condition
	Rows       []Row
}

// Row is one element of a resource.
type Row struct {
	Field     string // local fields, "" for a constant
	Element   string // FHIR path
	Type      string // FHIR type
	How       string // what happens to the value
	Table     string // code table
	Condition string // under which the row holds, "" for always
	Mandatory bool
}

// Use is what becomes of one local field.
type Use struct {
	Map, Field string
	Elements   []string
}

// Languages are those that a paper can be written in.
var Languages = []string{"zh", "en"}

// New reads the paper out of an institution's maps, in one of Languages; any other is English. Built-in maps are part of it
// only where the institution's own extend them, or when it has no others.
func New(inst *mapping.Institution, language string) *Paper {
	p := &Paper{ID: inst.ID(), Name: inst.Name(), Version: inst.Version(), words: wordsOf(language)}
	maps := slices.Clone(inst.Maps())
	if own := slices.DeleteFunc(slices.Clone(maps), (*mapping.Map).Builtin); len(own) > 0 {
		maps = own
	}
	used := map[string]bool{}
	for _, m := range maps {
		p.add(m, used)
	}
	slices.SortStableFunc(p.Fields, func(a, b Use) int { return strings.Compare(a.Map+"\x00"+a.Field, b.Map+"\x00"+b.Field) })
	for _, t := range inst.Tables() {
		if used[t.Name()] {
			p.Tables = append(p.Tables, t)
			delete(used, t.Name())
		}
	}
	var builtin []string
	for name := range used {
		builtin = append(builtin, name)
	}
	slices.Sort(builtin)
	for _, name := range builtin {
		if t, ok := codes.Builtin(name); ok {
			p.Tables = append(p.Tables, t)
		}
	}
	return p
}

// add reads one map.
func (p *Paper) add(m *mapping.Map, used map[string]bool) {
	s := Section{Map: m.Name(), Title: m.Title(), Version: m.Version(), Reads: p.reads(m)}
	fields := m.Fields()
	uses := map[string]int{}
	for i := range fields {
		f := &fields[i]
		if f.Table != "" {
			used[f.Table] = true
		}
		if f.Parent < 0 {
			s.Resources = append(s.Resources, Resource{Rule: f.Rule, Type: f.Resource, How: p.resource(f)})
			continue
		}
		for _, r := range f.Reads {
			if strings.HasPrefix(r.Path, "=") || r.Field == "" {
				continue
			}
			k, known := uses[r.Field]
			if !known {
				k = len(p.Fields)
				uses[r.Field] = k
				p.Fields = append(p.Fields, Use{Map: m.Name(), Field: r.Field})
			}
			if u := &p.Fields[k]; !slices.Contains(u.Elements, f.Element) {
				u.Elements = append(u.Elements, f.Element)
			}
		}
		if f.Container && f.Function == "" && f.Table == "" && f.Expression == "" && f.Literal == "" && f.Refers == "" {
			continue // its elements follow
		}
		last := &s.Resources[len(s.Resources)-1]
		last.Rows = append(last.Rows, p.row(f, conditions(fields, i)))
	}
	s.Resources = slices.DeleteFunc(s.Resources, func(r Resource) bool { return len(r.Rows) == 0 })
	p.Sections = append(p.Sections, s)
}

// conditions are those of an element and of what it stands in, without the resource's.
func conditions(fields []mapping.Field, i int) string {
	var all []string
	for ; i >= 0 && fields[i].Parent >= 0; i = fields[i].Parent {
		if c := fields[i].Condition; c != "" {
			all = append(all, c)
		}
	}
	slices.Reverse(all)
	return strings.Join(all, "; ")
}

// reads says which records a map is for.
func (p *Paper) reads(m *mapping.Map) string {
	switch {
	case m.Format() == record.HL7v2:
		return "HL7 v2 " + strings.Join(m.Messages(), ", ")
	case record.Tabular(m.Format()):
		return m.Format() + " " + m.Table() + p.joins(m.Table(), m.Joins())
	}
	return strings.ToUpper(m.Format())
}

func (p *Paper) joins(table string, joins []mapping.Join) string {
	var b strings.Builder
	for _, j := range joins {
		var on []string
		for _, o := range j.On {
			on = append(on, table+"."+o.Column+" = "+j.Table+"."+o.Other)
		}
		b.WriteString("; " + j.Name + ": " + j.Table + " (" + strings.Join(on, ", ") + ")" + p.joins(j.Table, j.Joins))
	}
	return b.String()
}

// resource tells how a resource is told from others, and written.
func (p *Paper) resource(f *mapping.Field) string {
	w := p.words
	parts := []string{w.writes[f.Write]}
	if len(f.Key) > 0 {
		parts = append(parts, w.key+" "+strings.Join(f.Key, " + "))
	}
	if f.Each != "" {
		parts = append(parts, w.each+" "+f.Each)
	}
	if f.Condition != "" {
		parts = append(parts, w.when+" "+f.Condition)
	}
	return strings.Join(parts, w.comma)
}

// row tells what becomes of which field.
func (p *Paper) row(f *mapping.Field, condition string) Row {
	r := Row{Element: f.Element, Type: f.Type, Table: f.Table, Condition: condition, Mandatory: f.Mandatory}
	var values, others []string
	for _, read := range f.Reads {
		name := read.Field
		if name == "" {
			continue
		}
		switch read.For {
		case "value", "each":
			if !slices.Contains(values, name) {
				values = append(values, name)
			}
		case "condition":
		default:
			others = append(others, p.words.use(read.For)+" "+name)
		}
	}
	r.Field = strings.Join(values, ", ")
	r.How = strings.Join(slices.Compact(slices.DeleteFunc(append(p.how(f), others...), func(s string) bool { return s == "" })), p.words.comma)
	return r
}

// how tells what is done to the value, in the order in which it is done.
func (p *Paper) how(f *mapping.Field) []string {
	w := p.words
	var out []string
	if f.Expression != "" {
		out = append(out, w.computed+" "+oneLine(f.Expression))
	}
	switch {
	case f.Function != "":
		out = append(out, w.function(f.Function))
	case f.Refers != "":
		out = append(out, w.refers+" "+strings.TrimPrefix(f.Refers, "rule "))
	case f.Literal != "" && f.Expression == "" && f.Table == "":
		out = append(out, w.always+" "+literal(f.Literal))
	}
	if f.System != "" {
		out = append(out, w.system+" "+f.System)
	}
	if f.Default != "" {
		out = append(out, w.otherwise+" "+literal(f.Default))
	}
	if f.WithChange != "" {
		out = append(out, w.withChange+" "+f.WithChange)
	}
	return out
}

// literal shows a constant; a concept by its codes.
func literal(s string) string {
	n, err := fhir.Parse([]byte(s), fhir.Limits{})
	if err != nil || n.Kind() != fhir.Object {
		return oneLine(s)
	}
	codings := n.Get("coding").Items()
	if n.Get("code") != nil && n.Get("system") != nil {
		codings = []*fhir.Node{n}
	}
	var shown []string
	for _, c := range codings {
		shown = append(shown, c.Get("code").Text()+" ("+c.Get("system").Text()+")")
	}
	if len(shown) == 0 || n.Get("extension") != nil {
		return oneLine(s)
	}
	return strings.Join(shown, " ")
}

// maxText bounds the characters of a literal or an expression on the paper.
const maxText = 200

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}
