package patch

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// selector is the part of XPath that names a node: steps down from the document.
//
//	selector  = ["/"] step { "/" step }
//	step      = ( name | "*" | "." | "text()" | "comment()" | "processing-instruction()" | "@" name ) { "[" test { "and" test } "]" }
//	test      = number | "position()=" number | "last()" | path [ "=" literal ]
//	path      = step { "/" step }
type selector []step

type step struct {
	kind   stepKind
	any    bool // whatever the name is
	name   xmltext.Name
	filter [][]test // of each pair of brackets, all tests must hold
}

type stepKind uint8

const (
	childStep stepKind = iota
	attributeStep
	textStep
	commentStep
	instructionStep
	selfStep
)

type test struct {
	position int // from 1; -1 for the last; 0 for none
	path     selector
	compare  bool
	literal  string
}

// Bounds of a selector beside MaxPath.
const (
	maxSteps   = 64 // nested predicates count as steps
	maxFilters = 16 // of one step
)

// parseSelector reads a selector. Prefixes are those of the patch; f and h stand for
// FHIR and XHTML where it does not say otherwise, and a name without a prefix is in
// the patch's default namespace.
func parseSelector(text string, spaces []xmltext.Binding) (selector, error) {
	if len(text) > MaxPath {
		return nil, failLimit(msgPath, MaxPath)
	}
	p := &selectorParser{text: text, spaces: spaces}
	p.blank()
	p.take("/")
	s, err := p.path()
	if err == nil && p.pos < len(p.text) {
		err = p.fail()
	}
	return s, err
}

type selectorParser struct {
	text   string
	pos    int
	steps  int
	spaces []xmltext.Binding
}

func (p *selectorParser) fail() error {
	return fail(msgPathSyntax, texts.Say("column {1}", p.pos+1))
}

func (p *selectorParser) blank() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *selectorParser) take(token string) bool {
	if !strings.HasPrefix(p.text[p.pos:], token) {
		return false
	}
	p.pos += len(token)
	p.blank()
	return true
}

func (p *selectorParser) path() (selector, error) {
	var s selector
	for {
		if p.steps++; p.steps > maxSteps {
			return nil, fail(msgPathSyntax, texts.Say("more than {1} steps", maxSteps))
		}
		one, err := p.step()
		if err != nil {
			return nil, err
		}
		s = append(s, one)
		if !p.take("/") {
			return s, nil
		}
	}
}

func (p *selectorParser) step() (step, error) {
	var s step
	switch {
	case p.take("text()"):
		s.kind = textStep
	case p.take("comment()"):
		s.kind = commentStep
	case p.take("processing-instruction()"):
		s.kind = instructionStep
	case strings.HasPrefix(p.text[p.pos:], ".."):
		return s, p.fail()
	case p.take("."):
		s.kind = selfStep
	default:
		if p.take("@") {
			s.kind = attributeStep
		}
		if p.take("*") {
			s.any = true
			break
		}
		var err error
		if s.name, err = p.qName(s.kind == attributeStep); err != nil {
			return s, err
		}
	}
	for p.take("[") {
		if len(s.filter) == maxFilters {
			return s, p.fail()
		}
		tests, err := p.tests()
		if err != nil {
			return s, err
		}
		s.filter = append(s.filter, tests)
	}
	return s, nil
}

func (p *selectorParser) tests() (tests []test, err error) {
	for {
		t, err := p.test()
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
		switch {
		case p.take("]"):
			return tests, nil
		case len(tests) == maxFilters || !p.take("and "):
			return nil, p.fail()
		}
	}
}

func (p *selectorParser) test() (t test, err error) {
	switch {
	case p.take("last()"):
		t.position = -1
		return t, nil
	case p.take("position()"):
		if !p.take("=") {
			return t, p.fail()
		}
		t.position, err = p.number()
		return t, err
	case p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9':
		t.position, err = p.number()
		return t, err
	}
	if t.path, err = p.path(); err != nil {
		return t, err
	}
	if t.compare = p.take("="); t.compare {
		t.literal, err = p.quoted()
	}
	return t, err
}

func (p *selectorParser) number() (int, error) {
	from := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	n, err := strconv.ParseInt(p.text[from:p.pos], 10, 32)
	if err != nil || n < 1 {
		p.pos = from
		return 0, p.fail()
	}
	p.blank()
	return int(n), nil
}

func (p *selectorParser) quoted() (string, error) {
	if p.pos < len(p.text) && (p.text[p.pos] == '"' || p.text[p.pos] == '\'') {
		if n := strings.IndexByte(p.text[p.pos+1:], p.text[p.pos]); n >= 0 {
			literal := p.text[p.pos+1 : p.pos+1+n]
			p.pos += n + 2
			p.blank()
			return literal, nil
		}
	}
	return "", p.fail()
}

// nameEnds are the characters that end a name in a selector.
const nameEnds = " \t\r\n/[]=@'\"()*<>!|+,$&;#:"

func (p *selectorParser) ncName() (string, error) {
	from := p.pos
	for p.pos < len(p.text) && strings.IndexByte(nameEnds, p.text[p.pos]) < 0 {
		p.pos++
	}
	if p.pos == from || strings.IndexByte("-.0123456789", p.text[from]) >= 0 {
		p.pos = from
		return "", p.fail()
	}
	return p.text[from:p.pos], nil
}

func (p *selectorParser) qName(attribute bool) (xmltext.Name, error) {
	var n xmltext.Name
	var err error
	if n.Local, err = p.ncName(); err != nil {
		return n, err
	}
	if strings.HasPrefix(p.text[p.pos:], ":") {
		p.pos++
		n.Prefix = n.Local
		if n.Local, err = p.ncName(); err != nil {
			return n, err
		}
	}
	known := true
	if n.Prefix != "" || !attribute {
		n.Space, known = spaceOf(p.spaces, n.Prefix)
	}
	p.blank()
	if !known {
		return n, fail(msgPathSyntax, "a prefix that nothing declares")
	}
	return n, nil
}

// spaceOf finds the namespace of a prefix that a patch uses.
func spaceOf(spaces []xmltext.Binding, prefix string) (string, bool) {
	for i := len(spaces) - 1; i >= 0; i-- {
		if spaces[i].Prefix == prefix {
			return spaces[i].Space, true
		}
	}
	switch prefix {
	case "":
		return "", true
	case "f":
		return fhirxml.Namespace, true
	case "h":
		return fhirxml.XHTML, true
	case "xml":
		return "http://www.w3.org/XML/1998/namespace", true
	}
	return "", false
}

// target is a node of a document, or an attribute of it.
type target struct {
	node      *xmlNode
	attribute int // -1 for the node itself
}

// choose evaluates a selector from a node.
func (b *budget) choose(s selector, from *xmlNode) ([]target, error) {
	set := []target{{from, -1}}
	for _, st := range s {
		var next []target
		for _, t := range set {
			if t.attribute >= 0 {
				if st.kind == selfStep {
					next = append(next, t)
				}
				continue
			}
			found, err := b.step(st, t.node)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		set = next
	}
	return set, nil
}

func (b *budget) step(s step, n *xmlNode) ([]target, error) {
	if err := b.spend(1 + len(n.kids) + len(n.attrs)); err != nil {
		return nil, err
	}
	var found []target
	switch s.kind {
	case selfStep:
		found = []target{{n, -1}}
	case attributeStep:
		for i, a := range n.attrs {
			if a.Space != declares && (s.any || a.Local == s.name.Local && a.Space == s.name.Space) {
				found = append(found, target{n, i})
			}
		}
	default:
		want := [...]xmltext.Kind{childStep: xmltext.Start, textStep: xmltext.Text, commentStep: xmltext.Comment, instructionStep: xmltext.Instruction}[s.kind]
		for _, k := range n.kids {
			if k.kind == want && (s.any || s.kind != childStep || k.name.Local == s.name.Local && k.name.Space == s.name.Space) {
				found = append(found, target{k, -1})
			}
		}
	}
	for _, tests := range s.filter {
		var kept []target
		for i, t := range found {
			holds := true
			for _, test := range tests {
				var err error
				if holds, err = b.holds(test, t, i+1, len(found)); err != nil {
					return nil, err
				}
				if !holds {
					break
				}
			}
			if holds {
				kept = append(kept, t)
			}
		}
		found = kept
	}
	return found, nil
}

func (b *budget) holds(t test, at target, position, last int) (bool, error) {
	if err := b.spend(1); err != nil {
		return false, err
	}
	switch {
	case t.position > 0:
		return t.position == position, nil
	case t.position < 0:
		return position == last, nil
	}
	if at.attribute >= 0 {
		return len(t.path) == 1 && t.path[0].kind == selfStep && (!t.compare || at.value() == t.literal), nil
	}
	found, err := b.choose(t.path, at.node)
	if err != nil || !t.compare {
		return len(found) > 0, err
	}
	for _, f := range found {
		n := 0
		if f.attribute < 0 {
			n = f.node.count()
		}
		if err := b.spend(n); err != nil {
			return false, err
		}
	}
	return slices.ContainsFunc(found, func(f target) bool { return f.value() == t.literal }), nil
}

// count is what it costs to look at the text of a node.
func (n *xmlNode) count() int {
	total := 1 + len(n.text)/64
	for _, k := range n.kids {
		total += k.count()
	}
	return total
}

// value is the text of a target, as XPath has it.
func (t target) value() string {
	if t.attribute >= 0 {
		return t.node.attrs[t.attribute].Value
	}
	if t.node.kind != xmltext.Start {
		return t.node.text
	}
	var b strings.Builder
	t.node.write(&b)
	return b.String()
}

func (n *xmlNode) write(b *strings.Builder) {
	for _, k := range n.kids {
		switch k.kind {
		case xmltext.Text:
			b.WriteString(k.text)
		case xmltext.Start:
			k.write(b)
		}
	}
}
