package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"sync"

	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// engine is part of every map's version: it changes when the same map may make something else of the same record.
const engine = "mapping 1"

// Map is one compiled map. It is immutable.
type Map struct {
	name    string
	title   string
	file    string
	builtin bool
	format  string
	version string
	route   route
	join    []Join
	lets    []let
	lane    []operand
	time    *operand
	seq     *operand
	row     []operand
	rules   []*rule
	slots   int
	fields  []Field

	once   sync.Once
	later  func() // compiles the rest; nil when that is done
	broken bool   // that failed
}

// ready compiles what Lazy put off; it reports false when the map cannot be used.
func (m *Map) ready() bool {
	if m.later != nil {
		m.once.Do(m.later)
	}
	return !m.broken
}

// Join says which rows of another table belong to a row.
type Join struct {
	Name  string // under which the map knows the rows
	Table string
	On    []On
	Many  bool
	Joins []Join // what belongs to the joined rows
}

// On is one equality of a Join.
type On struct {
	Column string // of the main table
	Other  string // of the joined table
}

// Name returns the map's name, unique in the folder; built-in ones begin with "base/".
func (m *Map) Name() string { return m.name }

// Title returns the printed title, "" when the map has none.
func (m *Map) Title() string { return m.title }

// Version is a hash of everything the map's meaning depends on: its files, tables and the institution, 16 hex digits.
func (m *Map) Version() string { return m.version }

// Builtin reports whether the map came with Options.Base.
func (m *Map) Builtin() bool { return m.builtin }

// Format returns the format of the records it reads.
func (m *Map) Format() string { return m.format }

// Table returns the main table of a map that reads tables, "" of others.
func (m *Map) Table() string { return m.route.table }

// Messages returns the HL7 v2 message types the map reads, such as "ADT^A01" and "ADT^*".
func (m *Map) Messages() []string { return slices.Clone(m.route.messages) }

// Joins returns the joins of a map that reads tables. The caller must not change them.
func (m *Map) Joins() []Join { return m.join }

// Types returns the resource types the map can write, sorted.
func (m *Map) Types() []string {
	m.ready()
	var out []string
	for _, r := range m.rules {
		if r.write != Reference && !slices.Contains(out, r.typ) {
			out = append(out, r.typ)
		}
	}
	slices.Sort(out)
	return out
}

// maps compiles the folder's maps, and the built-in ones when a source asks for them.
func (l *loader) maps(inst *Institution) {
	slices.Sort(l.own)
	slices.Sort(l.builtin)
	for _, name := range l.own {
		if s := l.files[name]; s.library {
			l.flatten(s, nil) // for its findings
		} else {
			l.compile(inst, s)
		}
	}
	if slices.ContainsFunc(inst.sources, func(s Source) bool { return s.Base }) {
		for _, name := range l.builtin {
			if s := l.files[name]; !s.library {
				l.compile(inst, s)
			}
		}
	}
	l.ambiguous(inst)
	sum := sha256.New()
	sum.Write([]byte(inst.hash))
	for _, m := range inst.maps {
		sum.Write([]byte(m.version))
	}
	inst.hash = hex.EncodeToString(sum.Sum(nil))[:16]
}

// takes reports whether a source asks for the built-in maps of the format that one reads.
func (inst *Institution) takes(m *layers) bool {
	format := m.reads.Get("format")
	return slices.ContainsFunc(inst.sources, func(s Source) bool { return s.Base && (format == nil || s.Format == format.Text) })
}

func (l *loader) compile(inst *Institution, s *source) {
	layers := l.flatten(s, nil)
	m := &Map{name: s.name, title: layers.title, file: s.file, builtin: s.builtin}
	c := &compiler{loader: l, inst: inst, m: m, layers: layers, names: &scope{}, rules: map[string]*rule{}, shapes: map[string]*syntax.Node{}, noting: noting{field: -1}}
	if layers.reads == nil {
		if s.root.Get("extends") == nil {
			l.errorf(s.root.Position, "no reads; want reads: {format: …} and what the map is for")
		} else {
			l.errorf(s.root.Position, "no reads, neither here nor in what is extended")
		}
		return
	}
	if s.builtin && !inst.takes(layers) {
		return
	}
	c.reads(layers.reads)
	if m.format == "" {
		return
	}
	m.version = c.version()
	inst.maps = append(inst.maps, m)
	m.route.slots = m.slots
	if s.builtin && l.o.Lazy {
		m.later = func() {
			l.lazy.Lock()
			defer l.lazy.Unlock()
			known := len(l.findings)
			c.body()
			_, m.broken = lastError(l.findings[known:])
		}
		return
	}
	c.body()
}

// body compiles everything but reads.
func (c *compiler) body() {
	for _, p := range c.layers.shapes {
		if p.Value.Kind != syntax.Map {
			c.errorf(p.Value.Position, "%s where a shape was expected", p.Value.Kind)
			continue
		}
		c.shapes[p.Key.Text] = p.Value
	}
	for _, p := range c.layers.let {
		c.let(p)
	}
	c.head()
	c.resources()
}

// lastError returns the last finding that is no warning.
func lastError(fs []Finding) (Finding, bool) {
	for _, f := range slices.Backward(fs) {
		if !f.Warning {
			return f, true
		}
	}
	return Finding{}, false
}

// head compiles lane, version and row.
func (c *compiler) head() {
	if n := c.layers.lane; n != nil {
		for _, item := range n.List() {
			if o := c.operand(item, c.names); o != nil {
				c.m.lane = append(c.m.lane, *o)
			}
		}
	}
	if n := c.layers.version; n != nil && c.keys(n, "version") {
		if t := n.Get("time"); t != nil {
			c.m.time = c.operand(t, c.names)
		}
		if s := n.Get("sequence"); s != nil {
			c.m.seq = c.operand(s, c.names)
		}
	}
	if n := c.layers.row; n != nil {
		if !record.Tabular(c.m.format) {
			c.errorf(n.Position, "row is for format: csv or excel only")
		}
		for _, item := range n.List() {
			if o := c.operand(item, c.names); o != nil {
				c.m.row = append(c.m.row, *o)
			}
		}
	}
}

// version hashes what the map's meaning depends on.
func (c *compiler) version() string {
	sum := sha256.New()
	sum.Write([]byte(engine))
	for _, h := range c.layers.hashes {
		sum.Write([]byte(h))
	}
	sum.Write([]byte(c.inst.hash))
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// hashNode adds a tree to a hash, without positions: moving a line does not make another map.
func hashNode(h hash.Hash, n *syntax.Node) {
	h.Write([]byte(strconv.Itoa(int(n.Kind)) + " " + strconv.Itoa(len(n.Text)) + " " + strconv.Itoa(len(n.Pairs)+len(n.Items)) + " "))
	h.Write([]byte(n.Text))
	for _, p := range n.Pairs {
		hashNode(h, p.Key)
		hashNode(h, p.Value)
	}
	for _, i := range n.Items {
		hashNode(h, i)
	}
}
