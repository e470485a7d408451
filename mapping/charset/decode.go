package charset

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

// Options say what is known about the bytes before they are looked at.
type Options struct {
	Declared []string // what the record says about itself, e.g. the repetitions of MSH-18
	Setting  string   // what the institution's configuration says; "" when it says nothing
}

// Text is decoded text.
type Text struct {
	Text    string
	Charset string       // what the bytes were read as: ASCII, UTF8, GB18030, …
	Issues  []fhir.Issue // a declaration that is not true, or not known
}

// The message ids of the issues.
const (
	DeclaredOtherwise = "charset-declared-otherwise"
	SetOtherwise      = "charset-set-otherwise"
	Unknown           = "charset-unknown"
)

// Decode decides what b is and decodes all of it. A byte order mark is taken off.
// Bytes that are not text are a *record.SyntaxError with code "charset", "nul" or,
// when the last character is cut, "truncated".
func Decode(b []byte, o Options) (Text, error) {
	if t, ok := plainGB(b, o); ok {
		return t, nil
	}
	d, err := Decide(b, o)
	if err != nil {
		return Text{}, err
	}
	text, err := d.Decode(b)
	if err != nil {
		return Text{}, err
	}
	return Text{Text: text, Charset: d.Charset, Issues: d.Issues}, nil
}

// plainGB is the short way for what most senders here send: bytes that are not
// UTF-8, where GB18030 is all that is declared and set, if anything is. The
// decision could not be another one.
func plainGB(b []byte, o Options) (Text, bool) {
	gb := func(name string) bool {
		c, ok := Canonical(name)
		return ok && c == GB18030
	}
	for _, name := range o.Declared {
		if !gb(name) {
			return Text{}, false
		}
	}
	if o.Setting != "" && !gb(o.Setting) || utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return Text{}, false
	}
	for i := len(b) - 1; i >= 0 && i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) && utf8.Valid(b[:i]) {
				return Text{}, false // perhaps UTF-8 without its end
			}
			break
		}
	}
	if _, n := mark(b); n > 0 {
		return Text{}, false
	}
	text, n := decodeGB(b)
	return Text{Text: text, Charset: GB18030}, n == len(b)
}

// Decision is what Decide found out.
type Decision struct {
	Charset string
	Mark    int // length of the byte order mark
	Issues  []fhir.Issue
	Sure    bool // false when all was ASCII and nothing was declared: more bytes may tell more
}

// Decide says what b is, without decoding it. When no candidate can hold all of b
// the likeliest is named, and Decode says where it breaks.
func Decide(b []byte, o Options) (Decision, error) {
	declared, d := known(o)
	if c, n := mark(b); n > 0 {
		d.Charset, d.Mark, d.Sure = c, n, true
		return d.told(declared, o), nil
	}
	if c, ok := wide(b); ok {
		d.Charset, d.Sure = c, true
		return d.told(declared, o), nil
	}
	if ascii(b) {
		d.Charset, d.Sure = ASCII, false
		for _, c := range declared {
			if c != UTF16LE && c != UTF16BE {
				d.Charset, d.Sure = c, true
				return d, nil
			}
		}
		if c, ok := Canonical(o.Setting); ok && c != UTF16LE && c != UTF16BE {
			d.Charset = c
		}
		return d, nil
	}
	d.Charset, d.Sure = likeliest(b, declared, o.Setting), true
	return d.told(declared, o), nil
}

// known returns the declared encodings we know, and an issue for the others.
func known(o Options) (declared []string, d Decision) {
	for _, name := range o.Declared {
		if strings.TrimSpace(name) == "" {
			continue
		}
		if c, ok := Canonical(name); ok {
			declared = append(declared, c)
		} else {
			d.Issues = append(d.Issues, fhir.Issue{
				Severity: fhir.Warning, Code: fhir.TypeNotSupported, ID: Unknown,
				Text: "the record declares a character set that is not known; its bytes decide",
			})
		}
	}
	return declared, d
}

// told adds the issue that what was declared, or else set, is not what the bytes are.
func (d Decision) told(declared []string, o Options) Decision {
	if len(declared) > 0 {
		for _, c := range declared {
			if same(c, d.Charset) {
				return d
			}
		}
		d.Issues = append(d.Issues, fhir.Issue{
			Severity: fhir.Warning, Code: fhir.TypeInvalid, ID: DeclaredOtherwise,
			Text: fmt.Sprintf("the record declares %s, but its bytes are %s", strings.Join(declared, ", "), d.Charset),
		})
		return d
	}
	if c, ok := Canonical(o.Setting); ok && !same(c, d.Charset) {
		d.Issues = append(d.Issues, fhir.Issue{
			Severity: fhir.Information, Code: fhir.TypeInvalid, ID: SetOtherwise,
			Text: fmt.Sprintf("the institution is set to %s, but these bytes are %s", c, d.Charset),
		})
	}
	return d
}

func same(declared, found string) bool {
	return declared == found || declared == UTF16LE && found == UTF16BE || declared == UTF8 && found == UTF16LE
}

func mark(b []byte) (string, int) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		return UTF8, 3
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		return UTF16LE, 2
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return UTF16BE, 2
	default:
		return "", 0
	}
}

// wide recognises UTF-16 without a mark by its first two characters, which in
// every format we read are ASCII.
func wide(b []byte) (string, bool) {
	if len(b) < 4 {
		return "", false
	}
	switch {
	case b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
		return UTF16LE, true
	case b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		return UTF16BE, true
	default:
		return "", false
	}
}

func ascii(b []byte) bool {
	for len(b) >= 8 {
		if (b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7])&0x80 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// Decode decodes b, which may be any part of what was decided about that begins
// and ends between characters.
func (d Decision) Decode(b []byte) (string, error) {
	at := 0
	if c, n := mark(b); n > 0 && c == d.Charset {
		at = n
	}
	if d.Charset == UTF16LE || d.Charset == UTF16BE {
		return decodeWide(b, at, d.Charset == UTF16BE)
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return "", fail(b, i, "nul", "a NUL byte is not text")
	}
	if d.Charset == ASCII || d.Charset == UTF8 {
		if utf8.Valid(b[at:]) && (d.Charset == UTF8 || ascii(b)) {
			return string(b[at:]), nil
		}
		return "", invalid(b, d.Charset)
	}
	if ascii(b) {
		return string(b), nil
	}
	if d.Charset == GB18030 {
		text, n := decodeGB(b)
		if n < len(b) {
			return "", invalid(b, d.Charset)
		}
		return text, nil
	}
	if i, _ := valid(b, d.Charset); i < len(b) {
		return "", invalid(b, d.Charset)
	}
	out, err := encodings[d.Charset].NewDecoder().Bytes(b)
	if err != nil || !utf8.Valid(out) {
		return "", fail(b, 0, "charset", "cannot be decoded as "+d.Charset)
	}
	return string(out), nil
}

func decodeWide(b []byte, at int, big bool) (string, error) {
	if (len(b)-at)%2 != 0 {
		return "", fail(nil, len(b)-1, "truncated", "the last character is cut")
	}
	var out strings.Builder
	out.Grow(len(b) / 2)
	unit := func(i int) rune {
		if big {
			return rune(b[i])<<8 | rune(b[i+1])
		}
		return rune(b[i+1])<<8 | rune(b[i])
	}
	for i := at; i < len(b); i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			if i+3 >= len(b) {
				return "", fail(nil, i, "truncated", "the last character is cut")
			}
			if r = utf16.DecodeRune(r, unit(i+2)); r == utf8.RuneError {
				return "", fail(nil, i, "charset", "not UTF-16 text")
			}
			i += 2
		}
		if r == 0 {
			return "", fail(nil, i, "nul", "a NUL character is not text")
		}
		out.WriteRune(r)
	}
	return out.String(), nil
}

// invalid makes the error about the first byte of b that is not text of charset.
func invalid(b []byte, charset string) error {
	i, cut := valid(b, charset)
	if cut {
		return fail(b, i, "truncated", "the last character is cut")
	}
	return fail(b, i, "charset", "not "+charset+" text")
}

func fail(b []byte, offset int, code, reason string) error {
	e := &record.SyntaxError{Offset: int64(offset), Code: code, Reason: fmt.Sprintf("byte %d: %s", offset, reason)}
	if b != nil {
		e.Line, e.Column = Place(b, offset)
	}
	return e
}

// Place returns the line and column, in bytes, of an offset; lines end with CR,
// LF or CR LF.
func Place(b []byte, offset int) (line, column int) {
	line, start := 1, 0
	for i := 0; i < offset && i < len(b); i++ {
		if b[i] == '\n' || b[i] == '\r' && !(i+1 < len(b) && b[i+1] == '\n') {
			line, start = line+1, i+1
		}
	}
	return line, offset - start + 1
}

// Encode writes text in a character set, for answers to a sender; characters that
// it lacks become "?".
func Encode(text, charset string) []byte {
	switch charset {
	case UTF16LE, UTF16BE:
		var out []byte
		for _, u := range utf16.Encode([]rune(text)) {
			if charset == UTF16BE {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return out
	case ASCII:
		return []byte(strings.Map(func(r rune) rune {
			if r >= utf8.RuneSelf {
				return '?'
			}
			return r
		}, text))
	}
	e, ok := encodings[charset]
	if !ok {
		return []byte(text)
	}
	text = strings.Map(func(r rune) rune {
		if r >= 0xE000 && r <= 0xF8FF { // each side has its own characters there
			return '?'
		}
		return r
	}, text)
	enc := e.NewEncoder()
	if out, err := enc.Bytes([]byte(text)); err == nil {
		return out
	}
	var out []byte
	for _, r := range text {
		if one, err := enc.Bytes([]byte(string(r))); err == nil {
			out = append(out, one...)
		} else {
			out = append(out, '?')
		}
		enc.Reset()
	}
	return out
}
