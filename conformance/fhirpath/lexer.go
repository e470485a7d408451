package fhirpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
)

// SyntaxError says where a text stops being an expression, or what in it cannot
// be meant.
type SyntaxError struct {
	Line, Column int // from 1; columns count characters
	Reason       string
	Chinese      string // Reason in Chinese
}

func (e *SyntaxError) Error() string { return placed(e.Line, e.Column, e.Reason) }

// Texts are the reason in both languages.
func (e *SyntaxError) Texts() fhir.Text { return fhir.Text{English: e.Reason, Chinese: e.Chinese} }

func placed(line, column int, reason string) string {
	return fmt.Sprintf("%d:%d: %s", line, column, reason)
}

// errorAt makes a SyntaxError for an offset of the text, of a phrase of messages.txt
// and its details.
func errorAt(text string, offset int, phrase string, details ...any) *SyntaxError {
	line, column := position(text, offset)
	said := texts.Say(phrase, details...)
	return &SyntaxError{Line: line, Column: column, Reason: said.English, Chinese: said.Chinese}
}

// position is the line and column of an offset.
func position(text string, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	line = 1 + strings.Count(before, "\n")
	before = before[strings.LastIndexByte(before, '\n')+1:]
	return line, utf8.RuneCountInString(before) + 1
}

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokIdent
	tokDelimited // `identifier`
	tokString
	tokNumber
	tokDate
	tokDateTime
	tokTime
	tokVariable // $this, $index, $total
	tokPercent  // %
	tokSymbol
)

// token is one lexical unit. text is the identifier, the decoded string, the
// literal of a number or date without @, or the symbol.
type token struct {
	kind   tokenKind
	offset int
	text   string
}

func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokString:
		return "a string"
	default:
		return "'" + t.text + "'"
	}
}

type lexer struct {
	src string
	pos int
}

func (l *lexer) fail(at int, phrase string, details ...any) (token, error) {
	return token{}, errorAt(l.src, at, phrase, details...)
}

// space skips white space and comments.
func (l *lexer) space() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r':
			l.pos++
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				l.pos += i + 1
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				return errorAt(l.src, l.pos, "comment is not closed")
			}
			l.pos += i + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) next() (token, error) {
	if err := l.space(); err != nil {
		return token{}, err
	}
	at := l.pos
	if at >= len(l.src) {
		return token{kind: tokEnd, offset: at}, nil
	}
	c := l.src[at]
	switch {
	case letter(c):
		for l.pos < len(l.src) && (letter(l.src[l.pos]) || digit(l.src[l.pos])) {
			l.pos++
		}
		return token{tokIdent, at, l.src[at:l.pos]}, nil
	case digit(c):
		l.digits()
		if l.pos+1 < len(l.src) && l.src[l.pos] == '.' && digit(l.src[l.pos+1]) {
			l.pos++
			l.digits()
		}
		return token{tokNumber, at, l.src[at:l.pos]}, nil
	case c == '\'' || c == '"' || c == '`':
		return l.quoted(c)
	case c == '@':
		return l.date()
	case c == '$':
		l.pos++
		for l.pos < len(l.src) && letter(l.src[l.pos]) {
			l.pos++
		}
		switch word := l.src[at:l.pos]; word {
		case "$this", "$index", "$total":
			return token{tokVariable, at, word}, nil
		}
		return l.fail(at, "unknown variable, expected $this, $index or $total")
	case c == '%':
		l.pos++
		return token{tokPercent, at, "%"}, nil
	}
	for _, s := range [...]string{"<=", ">=", "!=", "!~"} {
		if strings.HasPrefix(l.src[at:], s) {
			l.pos += 2
			return token{tokSymbol, at, s}, nil
		}
	}
	if strings.IndexByte(".[](){},+-*/&|<>=~", c) >= 0 {
		l.pos++
		return token{tokSymbol, at, l.src[at : at+1]}, nil
	}
	r, _ := utf8.DecodeRuneInString(l.src[at:])
	return l.fail(at, "unexpected character {1}", strconv.QuoteRune(r))
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) digits() int {
	from := l.pos
	for l.pos < len(l.src) && digit(l.src[l.pos]) {
		l.pos++
	}
	return l.pos - from
}

func (l *lexer) quoted(quote byte) (token, error) {
	at := l.pos
	kind := tokString
	if quote == '`' {
		kind = tokDelimited
	}
	l.pos++
	from := l.pos
	for l.pos < len(l.src) && l.src[l.pos] != quote && l.src[l.pos] != '\\' {
		l.pos++
	}
	if l.pos < len(l.src) && l.src[l.pos] == quote {
		l.pos++
		return token{kind, at, l.src[from : l.pos-1]}, nil
	}
	var b strings.Builder
	b.WriteString(l.src[from:l.pos])
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch c {
		case quote:
			l.pos++
			return token{kind, at, b.String()}, nil
		case '\\':
			if err := l.escape(&b); err != nil {
				return token{}, err
			}
		default:
			b.WriteByte(c)
			l.pos++
		}
	}
	return l.fail(at, "text is not closed, expected {1}", string(rune(quote)))
}

// escape reads one escape sequence, surrogate pairs as one character.
func (l *lexer) escape(b *strings.Builder) error {
	at := l.pos
	l.pos++
	if l.pos >= len(l.src) {
		return errorAt(l.src, at, "escape sequence is not complete")
	}
	c := l.src[l.pos]
	l.pos++
	switch c {
	case '\'', '"', '`', '\\', '/':
		b.WriteByte(c)
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		r, ok := l.hex4()
		if !ok {
			return errorAt(l.src, at, "expected four hexadecimal digits after \\u")
		}
		if utf16.IsSurrogate(r) && strings.HasPrefix(l.src[l.pos:], `\u`) {
			l.pos += 2
			low, ok := l.hex4()
			if !ok {
				return errorAt(l.src, at, "expected four hexadecimal digits after \\u")
			}
			r = utf16.DecodeRune(r, low)
		}
		b.WriteRune(r)
	default:
		return errorAt(l.src, at, "unknown escape sequence")
	}
	return nil
}

func (l *lexer) hex4() (rune, bool) {
	if l.pos+4 > len(l.src) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(l.src[l.pos : l.pos+4]) {
		r <<= 4
		switch {
		case digit(c):
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	l.pos += 4
	return r, true
}

// date reads a literal after @: a date, a date with T, or T and a time. What
// the digits mean is checked by the parser.
func (l *lexer) date() (token, error) {
	at := l.pos
	l.pos++
	kind := tokDate
	from := l.pos
	if l.pos < len(l.src) && l.src[l.pos] == 'T' {
		kind = tokTime
		l.pos++
		from = l.pos
		l.clock()
		return token{kind, at, l.src[from:l.pos]}, nil
	}
	if l.digits() != 4 {
		return l.fail(at, "expected a year of four digits or T after @")
	}
	for range 2 {
		if !l.part('-') {
			break
		}
	}
	if l.pos < len(l.src) && l.src[l.pos] == 'T' {
		kind = tokDateTime
		l.pos++
		if l.clock() && l.pos < len(l.src) {
			switch c := l.src[l.pos]; {
			case c == 'Z':
				l.pos++
			case c == '+' || c == '-':
				if save := l.pos; !l.part(c) || !l.part(':') {
					l.pos = save
				}
			}
		}
	}
	return token{kind, at, l.src[from:l.pos]}, nil
}

// part reads a separator and two digits, or nothing.
func (l *lexer) part(separator byte) bool {
	if l.pos+3 > len(l.src) || l.src[l.pos] != separator || !digit(l.src[l.pos+1]) || !digit(l.src[l.pos+2]) {
		return false
	}
	l.pos += 3
	return true
}

// clock reads hh(:mm(:ss(.f+)?)?)? and reports whether there was an hour.
func (l *lexer) clock() bool {
	if l.pos+2 > len(l.src) || !digit(l.src[l.pos]) || !digit(l.src[l.pos+1]) {
		return false
	}
	l.pos += 2
	for range 2 {
		if !l.part(':') {
			return true
		}
	}
	if l.pos+1 < len(l.src) && l.src[l.pos] == '.' && digit(l.src[l.pos+1]) {
		l.pos++
		l.digits()
	}
	return true
}
