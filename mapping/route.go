package mapping

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// route says which records a map is for.
type route struct {
	messages []string // "ADT^A01", "ADT^*", "*"
	table    string
	root     string // of an XML document, "" for any
	// namespace of that root, "" for any
	namespace string
	where     condition
	tests     int // conditions in where: the more, the more specific
	slots     int // of the map when that had been compiled, which may be before the rest
}

func (c *compiler) reads(n *syntax.Node) {
	if !c.keys(n, "reads") {
		return
	}
	f := n.Get("format")
	if f == nil {
		c.errorf(n.Position, "no format in reads; want hl7v2, csv, excel, json or xml")
		return
	}
	c.m.format = c.choice(f, "format", record.HL7v2, record.Table, record.Excel, record.JSON, record.XML)
	for key, formats := range map[string][]string{"messages": {record.HL7v2}, "table": {record.Table, record.Excel}, "join": {record.Table, record.Excel},
		"root": {record.XML}, "namespace": {record.XML}, "where": {record.JSON, record.XML, record.HL7v2}} {
		if k := n.Key(key); k != nil && c.m.format != "" && !slices.Contains(formats, c.m.format) {
			c.errorf(k.Position, "%s is not for format: %s", key, c.m.format)
		}
	}
	switch c.m.format {
	case record.HL7v2:
		list := n.Get("messages")
		if list == nil {
			c.errorf(n.Position, "no messages; want a list such as [ORU^R01, \"ADT^*\"]")
		}
		for _, m := range list.List() {
			if t := c.text(m, "a message type such as ORU^R01"); t != "" {
				if !messagePattern(t) {
					c.errorf(m.Position, "message type %q; want one such as ORU^R01, ADT^* or *", t)
				}
				c.m.route.messages = append(c.m.route.messages, t)
			}
		}
	case record.Table, record.Excel:
		if t := n.Get("table"); t == nil {
			c.errorf(n.Position, "no table; want the main table's name")
		} else {
			c.m.route.table = c.text(t, "a table's name")
			c.declaredTable(t)
		}
		c.m.join = c.joins(n.Get("join"), 0)
	}
	if root := n.Get("root"); root != nil {
		c.m.route.root = c.text(root, "the name of the root element")
	}
	if ns := n.Get("namespace"); ns != nil {
		c.m.route.namespace = c.text(ns, "the namespace of the root element")
	}
	if w := n.Get("where"); w != nil {
		c.m.route.where = c.condition(w, c.names)
		c.m.route.tests = max(len(w.Pairs), 1)
	}
}

// declaredTable reports a table that no source has, when sources say which they have.
func (c *compiler) declaredTable(n *syntax.Node) {
	var names []string
	for _, s := range c.inst.sources {
		for _, t := range s.Tables {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 && !slices.Contains(names, n.Text) {
		c.errorf(n.Position, "no source has a table %q; %s", n.Text, oneOf(n.Text, names))
	}
}

func (c *compiler) joins(n *syntax.Node, depth int) []Join {
	if n == nil || !c.mapping(n) {
		return nil
	}
	if depth > maxJoins {
		c.errorf(n.Position, "joins nested deeper than %d", maxJoins)
		return nil
	}
	var out []Join
	for _, p := range n.Pairs {
		if c.name(p.Key) == "" || !c.keys(p.Value, "join") {
			continue
		}
		v := p.Value
		j := Join{Name: p.Key.Text, Many: c.boolean(v.Get("many"))}
		if t := v.Get("table"); t == nil {
			c.errorf(p.Key.Position, "join %q has no table", j.Name)
		} else {
			j.Table = c.text(t, "a table's name")
			c.declaredTable(t)
		}
		on := v.Get("on")
		if on == nil {
			c.errorf(p.Key.Position, "join %q has no on; want on: {COLUMN: COLUMN of %s}", j.Name, j.Table)
		} else if c.mapping(on) {
			for _, o := range on.Pairs {
				j.On = append(j.On, On{Column: o.Key.Text, Other: c.text(o.Value, "a column of "+j.Table)})
			}
			if len(j.On) == 0 {
				c.errorf(on.Position, "an empty on; want COLUMN: COLUMN of %s", j.Table)
			}
		}
		j.Joins = c.joins(v.Get("join"), depth+1)
		out = append(out, j)
	}
	return out
}

// maxJoins bounds how deep joins may be nested.
const maxJoins = 4

func messagePattern(s string) bool {
	if s == "*" {
		return true
	}
	code, event, ok := strings.Cut(s, "^")
	return ok && len(code) == 3 && (event == "*" || len(event) == 3) && !strings.ContainsAny(code+event, "^ ") && code == strings.ToUpper(code) && event == strings.ToUpper(event)
}

// specificity says how closely the map describes the record, 0 for not at all.
func (m *Map) specificity(rec *record.Record) int {
	if m.format != rec.Format && !(record.Tabular(m.format) && record.Tabular(rec.Format)) {
		return 0
	}
	best := 0
	switch m.format {
	case record.HL7v2:
		for _, p := range m.route.messages {
			switch code, _, _ := strings.Cut(rec.Type, "^"); {
			case p == messageType(rec.Type):
				best = max(best, 300)
			case p == code+"^*":
				best = max(best, 200)
			case p == "*":
				best = max(best, 100)
			}
		}
	case record.Table, record.Excel:
		if m.route.table == rec.Type {
			best = 300
		}
	case record.XML:
		if m.route.root != "" && m.route.root != rec.Type || m.route.namespace != "" && m.route.namespace != rec.Version {
			return 0
		}
		best = 100
		if m.route.root != "" {
			best = 200
		}
		if m.route.namespace != "" {
			best += 100
		}
	default:
		best = 100
	}
	return best
}

// messageType is the code and event of a type that may also name the structure.
func messageType(t string) string {
	if i := strings.IndexByte(t, '^'); i >= 0 {
		if j := strings.IndexByte(t[i+1:], '^'); j >= 0 {
			return t[:i+1+j]
		}
	}
	return t
}

// Route returns the map that is for a record: an own map before a built-in one, a message type before a pattern, more
// conditions before fewer, then the order of names.
func (inst *Institution) Route(rec *record.Record) (*Map, bool) {
	var found *Map
	best := 0
	for _, m := range inst.maps {
		s := m.specificity(rec)
		if s == 0 {
			continue
		}
		if m.route.where != nil {
			s += min(m.route.tests, 90)
		}
		if !m.builtin {
			s += 1000
		}
		if s <= best {
			continue
		}
		if m.route.where != nil {
			r := &run{inst: inst, m: m, rec: rec, cells: make([]value, m.route.slots), res: &Result{}}
			if !m.route.where(r, rec.Root) {
				continue
			}
		}
		found, best = m, s
	}
	return found, found != nil
}

// ambiguous reports maps of the folder that are for the same records.
func (l *loader) ambiguous(inst *Institution) {
	for i, m := range inst.maps {
		for _, o := range inst.maps[:i] {
			if m.builtin || o.builtin || m.format != o.format || m.route.where != nil || o.route.where != nil {
				continue
			}
			for _, p := range m.route.messages {
				if slices.Contains(o.route.messages, p) {
					l.errorf(syntax.Position{File: m.file, Line: 1, Column: 1}, "maps %s and %s both read %s; want one of them", o.name, m.name, p)
				}
			}
			if m.route.table != "" && m.route.table == o.route.table {
				l.errorf(syntax.Position{File: m.file, Line: 1, Column: 1}, "maps %s and %s both read table %s; want one of them", o.name, m.name, m.route.table)
			}
		}
	}
}
