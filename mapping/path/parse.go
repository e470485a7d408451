package path

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is read.
const (
	MaxLength = 400 // bytes of a path
	MaxNumber = 9999
)

// Start says where a path begins.
type Start uint8

// The starts.
const (
	Scope    Start = iota // a name or ., the scope
	Root                  // /, the record
	Below                 // //, any depth below the scope
	Variable              // $, a named value
)

// Path is a parsed path. It is immutable.
type Path struct {
	text    string
	start   Start
	up      int        // how many groups around the scope it begins
	name    string     // of the variable, or the first name
	index   int        // of the first name, 0 for none
	choices []Selector // among the repetitions of the first name
	steps   []step
	outward bool
	field   bool // an HL7 v2 field follows the first name
	selects bool // it has a selector somewhere
}

// Selector chooses among repetitions those in which a path has a text.
type Selector struct {
	Path    *Path // from the repetition; it has no selector itself
	Value   string
	Segment string // whose repetitions these are, or those of its field: the first name; "" further inside
	Field   int    // 0 for the segment itself
}

type stepKind uint8

const (
	position stepKind = iota // field or component
	index                    // repetition
	child                    // name
	choice                   // repetitions with a value
)

type step struct {
	kind     stepKind
	n        int
	name     string
	selector *Selector
}

// Options say how paths of a format are read.
type Options struct {
	Outward bool // names are looked for in the groups around the scope: HL7 v2 and tables
}

// Error is a mistake in a path.
type Error struct {
	Offset int // of the character, from 0
	Text   string
}

func (e *Error) Error() string { return e.Text }

// String returns the path as written.
func (p *Path) String() string { return p.text }

// Start returns where the path begins.
func (p *Path) Start() Start { return p.start }

// Name returns the variable of a Variable path, else the first name; "" for one that begins with the scope.
func (p *Path) Name() string { return p.name }

// Plain reports whether nothing follows the start: a bare name, variable or ".".
func (p *Path) Plain() bool { return len(p.steps) == 0 && p.index == 0 && !p.selects }

// Selective reports whether the path has a selector: [.5='MR'].
func (p *Path) Selective() bool { return p.selects }

// Selectors are the selectors of the path, those of the first name first.
func (p *Path) Selectors() []Selector {
	out := append([]Selector(nil), p.choices...)
	for _, s := range p.steps {
		if s.kind == choice {
			out = append(out, *s.selector)
		}
	}
	return out
}

// Segment returns the segment and field of a path like PID-3.1; ok is false for any other.
func (p *Path) Segment() (segment string, field int, ok bool) {
	if !p.field {
		return "", 0, false
	}
	return p.name, p.steps[0].n, true
}

// Components are the numbers behind the field of a path like PID-3[2].4.2, or of one like .4.2.
func (p *Path) Components() []int {
	var out []int
	for i, s := range p.steps {
		if s.kind == position && (i > 0 || !p.field) {
			out = append(out, s.n)
		}
	}
	return out
}

// Names are the names on the way: the first, unless it is a variable, and those behind it.
func (p *Path) Names() []string {
	var out []string
	if p.start != Variable && p.name != "" {
		out = append(out, p.name)
	}
	for _, s := range p.steps {
		if s.kind == child {
			out = append(out, s.name)
		}
	}
	return out
}

// Field names what the path leads to from a scope that is called base, as the place of a value is written without the numbers
// of repetitions: PID-3.1 from anywhere, .1 from PID-3, code from results. In HL7 v2 a segment's name begins anew. Names at
// any depth keep the // before them, but for segments.
func (p *Path) Field(base string, hl7 bool) string {
	at := base
	for range p.up {
		at = at[:max(strings.LastIndexByte(at, '.'), 0)]
	}
	if p.start == Root || p.start == Below {
		at = ""
	}
	if p.start != Variable && p.name != "" {
		at = fieldName(at, p.name, hl7)
		if p.start == Below && !(hl7 && isSegment(p.name)) {
			at = "//" + at
		}
	}
	for _, s := range p.steps {
		switch s.kind {
		case child:
			at = fieldName(at, s.name, hl7)
		case position:
			sign := "."
			if hl7 && isSegment(at) {
				sign = "-"
			}
			at += sign + strconv.Itoa(s.n)
		case index, choice:
		}
	}
	return at
}

func fieldName(at, name string, hl7 bool) string {
	if at == "" || hl7 && isSegment(name) {
		return name
	}
	return at + "." + name
}

func isSegment(name string) bool {
	return len(name) == 3 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// Parse reads a path; the error is an *Error.
func Parse(text string, o Options) (*Path, error) {
	if len(text) > MaxLength {
		return nil, &Error{Text: fmt.Sprintf("a path of more than %d bytes", MaxLength)}
	}
	s := scanner{in: text}
	p, err := s.path()
	if err != nil {
		return nil, err
	}
	p.text, p.outward = text, o.Outward
	return p, nil
}

type scanner struct {
	in    string
	at    int
	inner bool // inside a selector
}

func (s *scanner) fail(format string, args ...any) error {
	return &Error{Offset: utf8.RuneCountInString(s.in[:s.at]), Text: fmt.Sprintf(format, args...)}
}

func (s *scanner) done() bool { return s.at >= len(s.in) }

func (s *scanner) eat(prefix string) bool {
	if strings.HasPrefix(s.in[s.at:], prefix) {
		s.at += len(prefix)
		return true
	}
	return false
}

func (s *scanner) path() (*Path, error) {
	p := &Path{}
	var err error
	switch {
	case s.in == "":
		return nil, s.fail("an empty path, want one such as PID-5.1, XMJG or results.value")
	case s.eat("^"):
		for p.up = 1; s.eat(".^"); p.up++ {
		}
		if s.done() {
			return p, nil
		}
		if !s.eat(".") {
			return nil, s.fail("want a point and a name after ^")
		}
	case s.eat("$"):
		p.start = Variable
	case s.eat("//"):
		p.start = Below
	case s.eat("/"):
		p.start = Root
		if s.done() {
			return p, nil
		}
	case s.eat("."):
		if s.done() || s.inner && (s.in[s.at] == '=' || s.in[s.at] == ']') {
			return p, nil
		}
		if c := s.in[s.at]; c < '0' || c > '9' {
			return nil, s.fail("want a number after the point, such as .1, or only the point")
		}
		s.at--
		return p, s.rest(p)
	}
	if p.name, err = s.identifier(); err != nil {
		return nil, err
	}
	for s.eat("[") {
		if !s.selector() {
			if p.index, err = s.repetition(); err != nil {
				return nil, err
			}
			break
		}
		c, err := s.choice()
		if err != nil {
			return nil, err
		}
		c.Segment = p.name
		p.choices, p.selects = append(p.choices, *c), true
	}
	if s.eat("-") {
		n, err := s.number("a field number", 1)
		if err != nil {
			return nil, err
		}
		p.field = p.start != Variable
		p.steps = append(p.steps, step{kind: position, n: n})
		if err := s.which(p); err != nil {
			return nil, err
		}
	}
	return p, s.rest(p)
}

func (s *scanner) rest(p *Path) error {
	for !s.done() {
		if s.inner && (s.in[s.at] == '=' || s.in[s.at] == ']') {
			return nil
		}
		if !s.eat(".") {
			r, _ := utf8.DecodeRuneInString(s.in[s.at:])
			return s.fail("unexpected %q; names with signs in them stand in double quotes", r)
		}
		if !s.done() && s.in[s.at] >= '0' && s.in[s.at] <= '9' {
			n, err := s.number("a component number", 1)
			if err != nil {
				return err
			}
			p.steps = append(p.steps, step{kind: position, n: n})
		} else {
			name, err := s.identifier()
			if err != nil {
				return err
			}
			p.steps = append(p.steps, step{kind: child, name: name})
			if s.eat("-") {
				n, err := s.number("a field number", 1)
				if err != nil {
					return err
				}
				p.steps = append(p.steps, step{kind: position, n: n})
			}
		}
		if err := s.which(p); err != nil {
			return err
		}
	}
	return nil
}

// which reads the selectors behind a step, and the number of a repetition behind them.
func (s *scanner) which(p *Path) error {
	for s.eat("[") {
		if !s.selector() {
			n, err := s.repetition()
			if err == nil {
				p.steps = append(p.steps, step{kind: index, n: n})
			}
			return err
		}
		c, err := s.choice()
		if err != nil {
			return err
		}
		if p.field && !slices.ContainsFunc(p.steps[1:], func(s step) bool { return s.kind != choice }) {
			c.Segment, c.Field = p.name, p.steps[0].n
		}
		p.steps, p.selects = append(p.steps, step{kind: choice, selector: c}), true
	}
	return nil
}

// selector reports whether what follows a bracket is a path and not a number.
func (s *scanner) selector() bool {
	return !s.inner && !s.done() && s.in[s.at] != ']' && s.in[s.at] != '-' && (s.in[s.at] < '0' || s.in[s.at] > '9')
}

// choice reads a selector behind its bracket: a path, an equals sign and a text in single quotes.
func (s *scanner) choice() (*Selector, error) {
	start := s.at
	if c := s.in[s.at]; strings.IndexByte("/^$", c) >= 0 {
		return nil, s.fail("want a path inside the repetition, such as @root or .5")
	}
	in := scanner{in: s.in, at: s.at, inner: true}
	p, err := in.path()
	s.at = in.at
	switch {
	case err != nil:
		return nil, err
	case !s.eat("="):
		return nil, s.fail("want = and a text in single quotes")
	}
	p.text = s.in[start : s.at-1]
	if !s.eat("'") {
		return nil, s.fail("want a text in single quotes after =")
	}
	end := strings.IndexByte(s.in[s.at:], '\'')
	if end <= 0 {
		return nil, s.fail("want a text and a closing single quote")
	}
	value := s.in[s.at : s.at+end]
	s.at += end + 1
	if !s.eat("]") {
		return nil, s.fail("want ] after the text of a selector")
	}
	return &Selector{Path: p, Value: value}, nil
}

func (s *scanner) repetition() (int, error) {
	n, err := s.number("the number of a repetition", 1)
	if err == nil && !s.eat("]") {
		err = s.fail("want ] after the number of a repetition")
	}
	return n, err
}

func (s *scanner) number(what string, least int) (int, error) {
	start := s.at
	for !s.done() && s.in[s.at] >= '0' && s.in[s.at] <= '9' {
		s.at++
	}
	n, err := strconv.Atoi(s.in[start:s.at])
	if err != nil || n < least || n > MaxNumber {
		s.at = start
		return 0, s.fail("want %s from %d to %d", what, least, MaxNumber)
	}
	return n, nil
}

// identifier reads a name: in double quotes anything, else letters, digits, _ and signs that mean nothing in a path.
func (s *scanner) identifier() (string, error) {
	start := s.at
	if s.eat(`"`) {
		end := strings.IndexByte(s.in[s.at:], '"')
		if end <= 0 {
			s.at = start
			return "", s.fail("want a name and a closing quote")
		}
		name := s.in[s.at : s.at+end]
		s.at += end + 1
		return name, nil
	}
	for i, r := range s.in[s.at:] {
		if i == 0 && r >= '0' && r <= '9' || strings.ContainsRune(`.-[]/$"'=`, r) || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError {
			s.at += i
			break
		}
		if i+utf8.RuneLen(r) == len(s.in)-s.at {
			s.at = len(s.in)
			break
		}
	}
	if s.at == start {
		if s.done() {
			return "", s.fail("want a name at the end")
		}
		r, _ := utf8.DecodeRuneInString(s.in[s.at:])
		return "", s.fail("want a name, found %q; names with signs in them stand in double quotes", r)
	}
	return s.in[start:s.at], nil
}
