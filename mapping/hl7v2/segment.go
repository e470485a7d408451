package hl7v2

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/record"
)

// segment builds one segment from its line and adds it to p.segments.
func (p *parser) segment(line string, at int) error {
	if len(p.segments) >= p.lim.MaxSegments {
		return p.over(at, 1, "too-many-segments", line[:3], p.lim.MaxSegments, "segments")
	}
	id := line[:3]
	p.counts[id]++
	s := p.b.Sequence(id)
	s.Number(p.counts[id])
	s.Mark(at+p.first, 1)
	p.segments = append(p.segments, s)
	if len(line) == 3 {
		return nil
	}
	rest, column := line[4:], 5
	fields := pieces(rest, p.d.Field)
	number := 1
	if id == "MSH" { // the separator itself is MSH-1
		fields++
		number = 2
	}
	if p.b.Count+fields > p.lim.MaxNodes {
		return p.over(at, 1, "too-many-values", id, p.lim.MaxNodes, "values")
	}
	p.b.Reserve(s, fields)
	if number == 2 {
		sep := p.b.Leaf("", line[3:4], record.Present)
		sep.Mark(at+p.first, 4)
		s.Add(sep)
	}
	for {
		field, tail, more := cut(rest, p.d.Field)
		var n *record.Node
		var kinds uint8
		if id == "MSH" && number == 2 {
			n = p.b.Leaf("", field, record.Present)
			s.Add(n)
		} else {
			p.number = number
			var err error
			kinds = p.d.scan(field)
			if n, err = p.field(s, field, kinds, at, column); err != nil {
				return err
			}
		}
		n.Mark(at+p.first, column)
		if kinds&hasWide == 0 {
			column += len(field) + 1
		} else {
			column += utf8.RuneCountInString(field) + 1
		}
		if !more {
			return nil
		}
		rest = tail
		number++
	}
}

func (p *parser) over(line, column int, code, path string, limit int, of string) error {
	return &record.SyntaxError{Line: line, Column: column, Code: code, Path: path, Reason: fmt.Sprintf("more than %d %s", limit, of)}
}

// path names the field being read.
func (p *parser) path() string {
	s := p.segments[len(p.segments)-1]
	return fmt.Sprintf("%s[%d]-%d", s.Name(), s.Ordinal(), p.number)
}

// field adds one field to its segment: a leaf, a sequence of components, or a
// list of repetitions.
func (p *parser) field(s *record.Node, text string, kinds uint8, line, column int) (*record.Node, error) {
	switch {
	case kinds&onlyEmpty != 0:
		n := p.b.Leaf("", "", record.Empty)
		s.Add(n)
		return n, nil
	case kinds&(hasRepetition|hasComponent|hasSubcomponent) == 0:
		return p.leaf(s, text, kinds), nil
	case kinds&hasRepetition == 0:
		return p.repetition(s, text, kinds, line, column)
	}
	count := pieces(text, p.d.Repetition)
	if count > p.lim.MaxRepetitions {
		return nil, p.over(line, column, "too-many-repetitions", p.path(), p.lim.MaxRepetitions, "repetitions")
	}
	if p.b.Count+count > p.lim.MaxNodes {
		return nil, p.over(line, column, "too-many-values", p.path(), p.lim.MaxNodes, "values")
	}
	list := p.b.List("")
	s.Add(list)
	p.b.Reserve(list, count)
	for rest, more := text, true; more; {
		var one string
		one, rest, more = cut(rest, p.d.Repetition)
		if _, err := p.repetition(list, one, p.d.scan(one), line, column); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// repetition adds one repetition of a field.
func (p *parser) repetition(parent *record.Node, text string, kinds uint8, line, column int) (*record.Node, error) {
	return p.split(parent, text, kinds, line, column, p.d.Component)
}

// split adds text as a sequence of what sep separates, or as a leaf.
func (p *parser) split(parent *record.Node, text string, kinds uint8, line, column int, sep byte) (*record.Node, error) {
	if kinds&onlyEmpty != 0 {
		n := p.b.Leaf("", "", record.Empty)
		parent.Add(n)
		return n, nil
	}
	inner := kinds & hasSubcomponent
	if sep == p.d.Component {
		inner = kinds & (hasComponent | hasSubcomponent)
	}
	if inner == 0 {
		return p.leaf(parent, text, kinds), nil
	}
	count := pieces(text, sep)
	if p.b.Count+count > p.lim.MaxNodes {
		return nil, p.over(line, column, "too-many-values", p.path(), p.lim.MaxNodes, "values")
	}
	seq := p.b.Sequence("")
	parent.Add(seq)
	p.b.Reserve(seq, count)
	for rest, more := text, true; more; {
		var one string
		one, rest, more = cut(rest, sep)
		if sep == p.d.Component && kinds&hasSubcomponent != 0 {
			if _, err := p.split(seq, one, p.d.scan(one), line, column, p.d.Subcomponent); err != nil {
				return nil, err
			}
			continue
		}
		p.leaf(seq, one, p.d.scan(one))
	}
	return seq, nil
}

// leaf adds text that is not split further.
func (p *parser) leaf(parent *record.Node, text string, kinds uint8) *record.Node {
	state := record.Present
	switch {
	case kinds&onlyEmpty != 0:
		text, state = "", record.Empty
	case text == `""`:
		text, state = "", record.Delete
	}
	n := p.b.Leaf("", text, state)
	parent.Add(n)
	if kinds&hasEscape != 0 && state == record.Present {
		p.unescapeInto(n, text)
	}
	return n
}

// cut is strings.Cut for one byte.
func cut(s string, sep byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// pieces returns how many values the byte separates.
func pieces(s string, sep byte) int {
	n := 1
	for i := range len(s) {
		if s[i] == sep {
			n++
		}
	}
	return n
}
