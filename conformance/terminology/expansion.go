package terminology

import (
	"strconv"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Expansion is the codes of a value set, or a page of them. It belongs to who asked for it.
type Expansion struct {
	Time       time.Time
	Total      int // codes of the whole expansion, nested ones too; -1 if counting them would be too costly
	Offset     int
	Paged      bool
	Parameters []ExpansionParameter
	Contains   []Contained
	Issues     []fhir.Issue // what a reader should know, such as that only some codes of a system are here

	set *Set
}

// ExpansionParameter is what an expansion depends on. Type is that of the value[x], such as Uri or Boolean.
type ExpansionParameter struct{ Name, Type, Value string }

// Contained is a code in an expansion.
type Contained struct {
	System, Code, Display string
	Abstract, Inactive    bool
	Designations          []Designation
	Contains              []Contained

	parent string
}

// echo repeats the parameters that were asked for, as the specification wants.
func (e *Expansion) echo(q ExpandRequest, wanted languages) {
	add := func(name, typ, value string) {
		e.Parameters = append(e.Parameters, ExpansionParameter{name, typ, value})
	}
	if q.Filter != "" {
		add("filter", "String", q.Filter)
	}
	if q.Page != nil {
		add("offset", "Integer", strconv.Itoa(q.Page.Offset))
		add("count", "Integer", strconv.Itoa(q.Page.Count))
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"activeOnly", q.ActiveOnly}, {"excludeNested", q.ExcludeNested}, {"excludeNotForUI", q.ExcludeNotForUI},
		{"includeDesignations", q.IncludeDesignations}, {"includeDefinition", q.IncludeDefinition},
	} {
		if flag.set {
			add(flag.name, "Boolean", "true")
		}
	}
	if len(wanted) > 0 {
		add("displayLanguage", "Code", wanted.String())
	}
	for _, d := range q.Designations {
		add("designation", "String", d)
	}
	for _, l := range []struct {
		name string
		list []string
	}{
		{"exclude-system", q.ExcludeSystem}, {"system-version", q.SystemVersion},
		{"check-system-version", q.CheckSystemVersion}, {"force-system-version", q.ForceSystemVersion},
	} {
		for _, v := range l.list {
			add(l.name, "Uri", v)
		}
	}
}

// maxNesting bounds how deep codes nest in an expansion; deeper hierarchies are listed flat.
const maxNesting = 32

// nest puts codes below the first of their parents that is there too.
func nest(flat []Contained) []Contained {
	type key struct{ system, code string }
	at := make(map[key]int, len(flat))
	for i, m := range flat {
		at[key{m.System, m.Code}] = i
	}
	below := make([][]int, len(flat))
	var top []int
	for i, m := range flat {
		p, ok := at[key{m.System, m.parent}]
		if m.parent == "" || !ok || p == i {
			top = append(top, i)
		} else {
			below[p] = append(below[p], i)
		}
	}
	if len(top) == len(flat) {
		return flat
	}
	placed := 0
	var build func(list []int, depth int) ([]Contained, bool)
	build = func(list []int, depth int) ([]Contained, bool) {
		if len(list) == 0 {
			return nil, true
		}
		if depth > maxNesting {
			return nil, false
		}
		out := make([]Contained, len(list))
		for k, i := range list {
			placed++
			out[k] = flat[i]
			var ok bool
			if out[k].Contains, ok = build(below[i], depth+1); !ok {
				return nil, false
			}
		}
		return out, true
	}
	nested, ok := build(top, 1)
	if !ok || placed != len(flat) {
		return flat
	}
	return nested
}

// Resource writes the expansion as a ValueSet. definition is the resource that was expanded if its definition shall be
// in it, else nil.
func (e *Expansion) Resource(definition *fhir.Node) *fhir.Node {
	out := e.set.header.Clone()
	if out.Get("status") == nil {
		out.SetString("status", "active")
	}
	if compose := definition.Get("compose"); compose != nil {
		out.Set("compose", compose.Clone())
	}
	x := fhir.NewObject().SetString("timestamp", e.Time.Format("2006-01-02T15:04:05Z07:00"))
	if e.Total >= 0 {
		x.Set("total", fhir.NewNumber(strconv.Itoa(e.Total)))
	}
	if e.Paged {
		x.Set("offset", fhir.NewNumber(strconv.Itoa(e.Offset)))
	}
	if len(e.Parameters)+len(e.Issues) > 0 {
		list := fhir.NewArray()
		for _, p := range e.Parameters {
			list.Append(fhir.NewObject().SetString("name", p.Name).Set("value"+p.Type, value(p.Type, p.Value)))
		}
		for _, i := range e.Issues {
			list.Append(fhir.NewObject().SetString("name", "warning").SetString("valueString", i.Text))
		}
		x.Set("parameter", list)
	}
	if len(e.Contains) > 0 {
		x.Set("contains", containedNodes(e.Contains))
	}
	return out.Set("expansion", x)
}

func containedNodes(list []Contained) *fhir.Node {
	out := fhir.NewArray()
	for _, m := range list {
		n := fhir.NewObject()
		if m.System != "" {
			n.SetString("system", m.System)
		}
		if m.Abstract {
			n.Set("abstract", fhir.NewBool(true))
		}
		if m.Inactive {
			n.Set("inactive", fhir.NewBool(true))
		}
		if m.Code != "" {
			n.SetString("code", m.Code)
		}
		if m.Display != "" {
			n.SetString("display", m.Display)
		}
		if len(m.Designations) > 0 {
			l := fhir.NewArray()
			for _, d := range m.Designations {
				l.Append(d.node())
			}
			n.Set("designation", l)
		}
		if len(m.Contains) > 0 {
			n.Set("contains", containedNodes(m.Contains))
		}
		out.Append(n)
	}
	return out
}

func (d Designation) node() *fhir.Node {
	n := fhir.NewObject()
	if d.Language != "" {
		n.SetString("language", d.Language)
	}
	if d.Use != (Coding{}) {
		n.Set("use", d.Use.node())
	}
	return n.SetString("value", d.Value)
}

func (c Coding) node() *fhir.Node {
	n := fhir.NewObject()
	for _, f := range []struct{ name, value string }{{"system", c.System}, {"version", c.Version}, {"code", c.Code}, {"display", c.Display}} {
		if f.value != "" {
			n.SetString(f.name, f.value)
		}
	}
	return n
}

// value is a primitive of a type, named as in value[x].
func value(typ, text string) *fhir.Node {
	switch typ {
	case "Boolean":
		return fhir.NewBool(text == "true")
	case "Integer", "Decimal":
		return fhir.NewNumber(text)
	}
	return fhir.NewString(text)
}
