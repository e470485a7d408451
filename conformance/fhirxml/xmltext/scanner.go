package xmltext

import (
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
)

// Limits of every document, beside those of size and depth that New is given.
const (
	MaxAttributes = 64  // of one element, namespace declarations among them
	MaxNamespaces = 128 // declarations in force at one place
)

// Kind says what a token is.
type Kind uint8

// The kinds of token. An empty-element tag is a Start and an End.
const (
	Start Kind = iota + 1
	End
	Text // of an element, white space too; a section of CDATA is a token of its own
	Comment
	Instruction
)

// Name is the name of an element or attribute. An attribute without a prefix is in
// no namespace.
type Name struct{ Prefix, Local, Space string }

// Attr is an attribute, its value in normal form.
type Attr struct {
	Name
	Value  string
	Offset int // of its name
}

// Binding is the declaration of a namespace; the empty prefix is the default one.
type Binding struct{ Prefix, Space string }

// Token is what Next has read. Begin and End are offsets into Source.
type Token struct {
	Kind       Kind
	Name       Name // of Start and End; Local is the target of an Instruction
	Text       string
	Begin, End int

	// Of Start, both valid until Next is called.
	Attrs    []Attr
	Declares []Binding
}

// Scanner reads one document from the first token to the last.
type Scanner struct {
	Token

	src      string
	pos      int
	maxDepth int
	open     []element
	bindings []Binding
	attrs    []Attr
	rooted   bool // the root has begun
	closing  bool // the end of an empty-element tag is to be given
	failure  *fhir.SyntaxError

	line, lineStart, counted int // how far lines are counted
}

type element struct {
	name     Name
	bindings int // in force outside it
}

// New reads the beginning of a document. Limits' Bytes and Depth apply. The tokens'
// texts are parts of src, which must not be changed any more.
func New(src []byte, lim fhir.Limits) (*Scanner, error) {
	if lim.Bytes == 0 {
		lim.Bytes = fhir.DefaultMaxBytes
	}
	if lim.Depth == 0 {
		lim.Depth = fhir.DefaultMaxDepth
	}
	if len(src) > lim.Bytes {
		e := failure(1, 1, 0, "text of {1} bytes, expected at most {2}", len(src), lim.Bytes)
		e.Limit = true
		return nil, e
	}
	text, wide, fault := decode(src)
	if fault != "" {
		return nil, failure(1, 1, 0, fault)
	}
	s := newScanner(text, lim.Depth)
	if at := invalidUTF8(text); at >= 0 {
		s.fail(at, "malformed UTF-8")
		return nil, s.failure
	}
	if !s.declaration(wide) {
		return nil, s.failure
	}
	return s, nil
}

// NewFragment reads a text that is one element and has neither prolog nor
// encoding: part of a document that is read already, with the namespaces that are
// in force around it.
func NewFragment(text string, maxDepth int, around ...Binding) *Scanner {
	s := newScanner(text, maxDepth)
	s.bindings = append(s.bindings, around...)
	if at := invalidUTF8(text); at >= 0 {
		s.fail(at, "malformed UTF-8")
	}
	return s
}

func newScanner(text string, maxDepth int) *Scanner {
	return &Scanner{src: text, maxDepth: maxDepth, line: 1, open: make([]element, 0, 16), attrs: make([]Attr, 0, 8), bindings: make([]Binding, 0, 4)}
}

func invalidUTF8(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// Source returns the document as it is read: UTF-8 without a byte order mark.
func (s *Scanner) Source() string { return s.src }

// Depth returns how many elements are open; the one a Start begins is, the one an
// End ends is not.
func (s *Scanner) Depth() int { return len(s.open) }

// Bindings returns the declarations in force, the innermost last. Behind an End they
// are those around its element.
func (s *Scanner) Bindings() []Binding { return s.bindings }

// Err returns why Next stopped, nil at the end of the document. It is a
// *fhir.SyntaxError.
func (s *Scanner) Err() error {
	if s.failure == nil {
		return nil
	}
	return s.failure
}

// Position returns line and column of an offset, from 1, columns in bytes.
func (s *Scanner) Position(offset int) (line, column int) {
	if offset < s.lineStart {
		s.line, s.lineStart, s.counted = 1, 0, 0
	}
	for s.counted < offset {
		i := strings.IndexByte(s.src[s.counted:offset], '\n')
		if i < 0 {
			s.counted = offset
			break
		}
		s.counted += i + 1
		s.line++
		s.lineStart = s.counted
	}
	return s.line, offset - s.lineStart + 1
}

func (s *Scanner) fail(at int, reason string, details ...any) bool {
	if s.failure == nil {
		line, column := s.Position(at)
		s.failure = failure(line, column, at, reason, details...)
	}
	return false
}

func (s *Scanner) failLimit(at int, reason string, limit int) bool {
	s.fail(at, reason, limit)
	s.failure.Limit = true
	return false
}

// Next reads the next token. It returns false at the end of the document and where
// the text is not XML.
func (s *Scanner) Next() bool {
	if s.failure != nil {
		return false
	}
	if s.closing {
		s.closing = false
		return s.close(s.End, s.End)
	}
	if len(s.open) == 0 {
		s.space()
		if s.pos == len(s.src) {
			if !s.rooted {
				return s.fail(s.pos, "there is no element")
			}
			return false
		}
		if s.src[s.pos] != '<' {
			return s.fail(s.pos, "text outside the root element")
		}
	}
	if s.pos == len(s.src) {
		return s.fail(s.pos, "the document does not end")
	}
	rest := s.src[s.pos:]
	switch {
	case rest[0] != '<':
		return s.characters()
	case strings.HasPrefix(rest, "</"):
		return s.endTag()
	case strings.HasPrefix(rest, "<!--"):
		return s.comment()
	case strings.HasPrefix(rest, "<?"):
		return s.instruction()
	case strings.HasPrefix(rest, "<![CDATA[") && len(s.open) > 0:
		return s.cdata()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return s.fail(s.pos, "a document type declaration; documents are read without one")
	case strings.HasPrefix(rest, "<!"):
		return s.fail(s.pos, "a declaration that may not stand here")
	}
	return s.startTag()
}

func (s *Scanner) comment() bool {
	begin := s.pos
	body := begin + len("<!--")
	length := strings.Index(s.src[body:], "--")
	if length < 0 {
		return s.fail(begin, "a comment without an end")
	}
	end := body + length
	if !strings.HasPrefix(s.src[end:], "-->") {
		return s.fail(end, "two hyphens in a comment")
	}
	if !s.legal(body, end) {
		return false
	}
	s.token(Comment, begin, end+len("-->"))
	s.Text = lineEnds(s.src[body:end])
	return true
}

func (s *Scanner) instruction() bool {
	begin := s.pos
	target := begin + len("<?")
	nameEnd := s.ncName(target)
	if nameEnd == target {
		return s.fail(begin, "a processing instruction without a name")
	}
	length := strings.Index(s.src[nameEnd:], "?>")
	if length < 0 {
		return s.fail(begin, "a processing instruction without an end")
	}
	end := nameEnd + length
	if end > nameEnd && !isSpace(s.src[nameEnd]) {
		return s.fail(nameEnd, "a processing instruction whose name is none")
	}
	if strings.EqualFold(s.src[target:nameEnd], "xml") {
		return s.fail(begin, "an XML declaration that is not at the beginning")
	}
	if !s.legal(nameEnd, end) {
		return false
	}
	s.token(Instruction, begin, end+len("?>"))
	s.Name.Local = s.src[target:nameEnd]
	s.Text = lineEnds(strings.TrimLeft(s.src[nameEnd:end], " \t\r\n"))
	return true
}

func (s *Scanner) cdata() bool {
	begin := s.pos
	body := begin + len("<![CDATA[")
	length := strings.Index(s.src[body:], "]]>")
	if length < 0 {
		return s.fail(begin, "a section of CDATA without an end")
	}
	end := body + length
	if !s.legal(body, end) {
		return false
	}
	s.token(Text, begin, end+len("]]>"))
	s.Text = lineEnds(s.src[body:end])
	return true
}

func (s *Scanner) token(kind Kind, begin, end int) {
	s.Kind, s.Name, s.Text, s.Begin, s.End = kind, Name{}, "", begin, end
	s.Attrs, s.Declares = nil, nil
	s.pos = end
}
