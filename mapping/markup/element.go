package markup

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// element is one that is open.
type element struct {
	name         xml.Name
	start        int // offset of its start tag
	line, column int
	attrs        []*record.Node
	null         bool // xsi:nil
	kids         []child
	runs         []run
}

// child is an element inside, or a run of mixed text.
type child struct {
	name string
	node *record.Node
}

// run is text between tags.
type run struct {
	text         []byte
	kids         int // how many child elements stand before it
	line, column int
	sections     int    // of CDATA in it, counted in the body of an envelope alone
	section      []byte // the last of them
	place        place  // and where it begins
}

// textRun is the name of a run of text between child elements.
const textRun = "#text"

// attributes reads those that are not declarations of namespaces.
func (p *xmlReader) attributes(e *element, attrs []xml.Attr, at int) error {
	seen := names{few: p.few[:0]}
	defer func() { p.few = seen.few }()
	if len(attrs) > 0 {
		e.attrs = append(make([]*record.Node, 0, len(attrs)+len(e.attrs)), e.attrs...)
	}
	for _, a := range attrs {
		if strings.Contains(a.Name.Local, ":") || a.Name.Local == "" {
			return p.fail(at, codeXML, "a name with a colon at its beginning or end")
		}
		name, known := xml.Name{Space: spaceXMLNS, Local: a.Name.Local}, true
		if a.Name.Space == "" && declaration(a.Name) {
			name.Local = ""
		}
		if !declaration(a.Name) {
			name, known = p.resolve(a.Name, false)
		}
		if !known {
			return p.fail(at, codeNamespace, "the prefix of an attribute is declared nowhere")
		}
		if seen.has(name, len(attrs)) {
			return p.fail(at, codeDuplicate, "an element with two attributes of one name")
		}
		shown := p.attribute(name.Local)
		switch {
		case name.Space == spaceXMLNS:
			continue
		case name.Space == spaceInstance && name.Local == "nil":
			v := strings.TrimSpace(a.Value)
			e.null = v == "true" || v == "1"
			continue
		case name.Space == spaceInstance:
			shown = "@xsi:" + name.Local
		case name.Space == spaceXML:
			shown = "@xml:" + name.Local
		}
		value, state := a.Value, stateOf(a.Value)
		switch {
		case state == record.Empty:
			value = ""
		case strings.ContainsAny(value, "\n\t\r"):
			value = normal.Replace(value)
		}
		e.attrs = append(e.attrs, p.b.Leaf(shown, value, state))
	}
	return nil
}

// attribute returns the name of an attribute's leaf: documents have few, often.
func (p *xmlReader) attribute(local string) string {
	shown, ok := p.shown[local]
	if !ok {
		shown = "@" + local
		if p.shown == nil {
			p.shown = map[string]string{}
		}
		p.shown[local] = shown
	}
	return shown
}

// names are those of an element's attributes so far.
type names struct {
	few  []xml.Name
	many map[xml.Name]bool
}

// fewNames is up to how many are compared one by one.
const fewNames = 8

// has reports whether a name is there already, and adds it; there will be total of them.
func (s *names) has(n xml.Name, total int) bool {
	if total <= fewNames {
		if slices.Contains(s.few, n) {
			return true
		}
		s.few = append(s.few, n)
		return false
	}
	if s.many == nil {
		s.many = make(map[xml.Name]bool, total)
	}
	if s.many[n] {
		return true
	}
	s.many[n] = true
	return false
}

// normal makes blanks of what white space stands in an attribute's value.
var normal = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ", "\r", " ")

func stateOf(text string) record.State {
	if strings.TrimSpace(text) == "" {
		return record.Empty
	}
	return record.Present
}

// finish makes the node of a closed element. Siblings of one name become a list where the first of them stood: runs of
// mixed text too, whose order among the others their places tell.
func (p *xmlReader) finish(e *element, name string, group bool) *record.Node {
	var own strings.Builder
	for _, r := range e.runs {
		if t := bytes.TrimSpace(r.text); len(t) > 0 {
			if own.Len() > 0 {
				own.WriteByte(' ')
			}
			own.Write(t)
		}
	}
	text := own.String()
	state := stateOf(text)
	if e.null && len(e.kids) == 0 {
		text, state = "", record.Empty
	}
	if len(e.attrs) == 0 && len(e.kids) == 0 && !group {
		n := p.b.Leaf(name, text, state)
		n.Mark(e.line, e.column)
		return n
	}
	if len(e.kids) > 0 && text != "" {
		e.kids = p.mixed(e)
	}
	n := p.b.Group(name, nil)
	n.Mark(e.line, e.column)
	if !e.null || len(e.kids) > 0 {
		state = record.Present
	}
	n.SetText(text, state)
	p.b.Reserve(n, len(e.attrs)+len(e.kids))
	p.addNamed(n, e.attrs)
	p.addChildren(n, e.kids)
	return n
}

// mixed puts the runs of text between the child elements.
func (p *xmlReader) mixed(e *element) []child {
	out := make([]child, 0, len(e.kids)+len(e.runs))
	done := 0
	for _, r := range e.runs {
		out = append(out, e.kids[done:r.kids]...)
		done = r.kids
		n := p.b.Leaf(textRun, string(r.text), stateOf(string(r.text)))
		n.Mark(r.line, r.column)
		out = append(out, child{name: textRun, node: n})
	}
	return append(out, e.kids[done:]...)
}

// addNamed adds attributes; those of one local name in two namespaces become a list.
func (p *xmlReader) addNamed(to *record.Node, attrs []*record.Node) {
	if len(attrs) < 2 {
		to.Add(attrs...)
		return
	}
	kids := make([]child, len(attrs))
	for i, a := range attrs {
		kids[i] = child{name: a.Name(), node: a}
	}
	p.addChildren(to, kids)
}

func (p *xmlReader) addChildren(to *record.Node, kids []child) {
	if len(kids) < 2 {
		for _, k := range kids {
			to.Add(k.node)
		}
		return
	}
	count := make(map[string]int, min(len(kids), 64))
	for _, k := range kids {
		count[k.name]++
	}
	var lists map[string]*record.Node
	for _, k := range kids {
		if count[k.name] == 1 {
			to.Add(k.node)
			continue
		}
		l := lists[k.name]
		if l == nil {
			if lists == nil {
				lists = map[string]*record.Node{}
			}
			l = p.b.List(k.name)
			p.b.Reserve(l, count[k.name])
			lists[k.name] = l
			to.Add(l)
		}
		l.Add(k.node)
	}
}
