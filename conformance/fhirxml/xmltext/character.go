package xmltext

import (
	"strings"
	"unicode/utf8"
)

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (s *Scanner) space() {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
}

// What a byte of text means to the reader.
const (
	plain    = iota
	halting  // ends the run of plain bytes: < & ]
	rewriter // changes in normal form: line ends, and in attributes other white space
	control  // no character of XML
	leading  // may begin U+FFFE or U+FFFF, which are no characters
)

var classes = func() (t [256]byte) {
	for c := range ' ' {
		t[c] = control
	}
	t['\t'], t['\n'] = plain, plain
	t['\r'] = rewriter
	t['<'], t['&'], t[']'] = halting, halting, halting
	t[0xEF] = leading
	return t
}()

// Legal reports whether a text consists of characters that XML has.
func Legal(text string) bool {
	var all byte
	for i := range len(text) {
		c := text[i]
		all |= c
		if k := classes[c]; k == control || k == leading && nonCharacter(text[i:]) {
			return false
		}
	}
	return all < utf8.RuneSelf || utf8.ValidString(text)
}

func nonCharacter(s string) bool {
	return strings.HasPrefix(s, "\uFFFE") || strings.HasPrefix(s, "\uFFFF")
}

func (s *Scanner) illegal(at int) bool { return s.fail(at, "a character that XML does not have") }

// legal checks the characters of a comment, an instruction or CDATA.
func (s *Scanner) legal(from, to int) bool {
	for i := from; i < to; i++ {
		if c := classes[s.src[i]]; c == control || c == leading && nonCharacter(s.src[i:]) {
			return s.illegal(i)
		}
	}
	return true
}

// characters reads text up to the next tag.
func (s *Scanner) characters() bool {
	begin, i := s.pos, s.pos
	var out []byte // what is decoded; nil while the text is as it stands
	from := begin  // what is not copied yet
	for ; i < len(s.src); i++ {
		switch classes[s.src[i]] {
		case plain:
			continue
		case control:
			return s.illegal(i)
		case leading:
			if nonCharacter(s.src[i:]) {
				return s.illegal(i)
			}
		case rewriter:
			out = append(append(out, s.src[from:i]...), '\n')
			if strings.HasPrefix(s.src[i+1:], "\n") {
				i++
			}
			from = i + 1
		case halting:
			switch s.src[i] {
			case ']':
				if strings.HasPrefix(s.src[i:], "]]>") {
					return s.fail(i, "a ]]> outside CDATA")
				}
				continue
			case '&':
				r, end := s.reference(i)
				if end < 0 {
					return false
				}
				out = utf8.AppendRune(append(out, s.src[from:i]...), r)
				from, i = end, end-1
				continue
			}
			s.token(Text, begin, i)
			s.Text = joined(out, s.src[from:i])
			return true
		}
	}
	return s.fail(i, "the document does not end")
}

func joined(out []byte, rest string) string {
	if out == nil {
		return rest
	}
	return string(append(out, rest...))
}

// inValue marks the bytes at which reading an attribute's value cannot just go on.
var inValue = func() (t [256]bool) {
	for c := range ' ' {
		t[c] = true
	}
	t['"'], t['\''], t['<'], t['&'], t[0xEF] = true, true, true, true, true
	return t
}()

// attributeValue reads a quoted value and brings it in normal form: white space
// that is written as such becomes spaces.
func (s *Scanner) attributeValue() (string, bool) {
	if s.pos == len(s.src) || s.src[s.pos] != '"' && s.src[s.pos] != '\'' {
		return "", s.fail(min(s.pos, len(s.src)), "an attribute's value without quotes")
	}
	quote := s.src[s.pos]
	from := s.pos + 1
	var out []byte
	for i := from; i < len(s.src); i++ {
		c := s.src[i]
		if !inValue[c] {
			continue
		}
		switch {
		case c == quote:
			s.pos = i + 1
			return joined(out, s.src[from:i]), true
		case c == '<':
			return "", s.fail(i, "a < in an attribute's value")
		case c == '&':
			r, end := s.reference(i)
			if end < 0 {
				return "", false
			}
			out = utf8.AppendRune(append(out, s.src[from:i]...), r)
			from, i = end, end-1
		case c == '\n' || c == '\t' || c == '\r':
			out = append(append(out, s.src[from:i]...), ' ')
			if c == '\r' && strings.HasPrefix(s.src[i+1:], "\n") {
				i++
			}
			from = i + 1
		case classes[c] == control || classes[c] == leading && nonCharacter(s.src[i:]):
			return "", s.illegal(i)
		}
	}
	return "", s.fail(s.pos, "an attribute's value without an end")
}

// maxReference is the length of the longest reference that is read: "&#x10FFFF;"
// with some zeros before it.
const maxReference = 32

// reference reads the reference at i and returns where it ends, -1 for a mistake.
func (s *Scanner) reference(i int) (rune, int) {
	window := s.src[i+1 : min(len(s.src), i+maxReference)]
	length := strings.IndexByte(window, ';')
	if length < 0 {
		s.fail(i, "a & that begins no reference")
		return 0, -1
	}
	name, end := window[:length], i+1+length+1
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		if r := characterNumber(digits); r >= 0 {
			return r, end
		}
		s.fail(i, "a reference to a number that is no character")
		return 0, -1
	}
	switch name {
	case "lt":
		return '<', end
	case "gt":
		return '>', end
	case "amp":
		return '&', end
	case "quot":
		return '"', end
	case "apos":
		return '\'', end
	}
	s.fail(i, "a reference to an entity that is not one of XML's five")
	return 0, -1
}

func characterNumber(digits string) rune {
	base := rune(10)
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		base, digits = 16, hex
	}
	if digits == "" {
		return -1
	}
	var r rune
	for _, c := range []byte(digits) {
		d := rune(-1)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			d = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			d = rune(c-'A') + 10
		}
		if d < 0 {
			return -1
		}
		if r = r*base + d; r > utf8.MaxRune {
			return -1
		}
	}
	if !utf8.ValidRune(r) || r < ' ' && !isSpace(byte(r)) || r == '\uFFFE' || r == '\uFFFF' {
		return -1
	}
	return r
}

// lineEnds brings line ends in normal form.
func lineEnds(text string) string {
	if strings.IndexByte(text, '\r') < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// escapes are what stands for the characters that cannot stand for themselves, the
// first three in an attribute's value only.
var escapes = [...]string{'"': "&quot;", '\n': "&#10;", '\t': "&#9;", '&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#13;"}

// Escape appends a text so that it can stand between tags or in an attribute's
// value with double quotes, and is read as it was: white space that an attribute
// would lose becomes a reference there. The text must be Legal.
func Escape(dst []byte, text string, attribute bool) []byte {
	from := 0
	for i := range len(text) {
		c := text[i]
		if int(c) >= len(escapes) || escapes[c] == "" || !attribute && (c == '"' || c == '\n' || c == '\t') {
			continue
		}
		dst = append(append(dst, text[from:i]...), escapes[c]...)
		from = i + 1
	}
	return append(dst, text[from:]...)
}
