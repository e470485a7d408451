package hl7v2

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// maxBlanks bounds the lines or blanks that one formatting command makes.
const maxBlanks = 100

// unescapeInto sets the text of a leaf, which is in its place already, and warns
// about the escapes that are not understood.
func (p *parser) unescapeInto(n *record.Node, text string) {
	out, unknown, undecoded := Unescape(text, p.d, p.charset)
	if strings.TrimSpace(out) == "" && !strings.ContainsAny(out, "\n") {
		n.SetText("", record.Empty)
	} else {
		n.SetText(out, record.Present)
	}
	if unknown {
		p.warn(fhir.Warning, fhir.TypeValue, EscapeUnknown, n, "an escape sequence that is not known is kept as it stands; backslashes in text should be escaped")
	}
	if undecoded {
		p.warn(fhir.Warning, fhir.TypeValue, EscapeCharset, n, "the bytes of a hexadecimal escape are not text and are kept as they stand")
	}
}

// Unescape replaces the escape sequences of a value that is not split further.
// Hexadecimal bytes are text in the message's character set. Formatting commands
// become line breaks and blanks, highlighting goes, sequences of the sender's own
// (\Z..\) stay. unknown and undecoded report that something else was left as it
// stood.
func Unescape(text string, d Delimiters, set string) (out string, unknown, undecoded bool) {
	if d.Escape == 0 || strings.IndexByte(text, d.Escape) < 0 {
		return text, false, false
	}
	var b strings.Builder
	b.Grow(len(text))
	var pending []byte // of adjacent hexadecimal sequences: one may end within a character
	var raw string
	flush := func() {
		if len(pending) == 0 {
			return
		}
		t, err := charset.Decode(pending, charset.Options{Declared: []string{set}})
		if err != nil {
			b.WriteString(raw)
			undecoded = true
		} else {
			b.WriteString(t.Text)
		}
		pending, raw = nil, ""
	}
	for {
		i := strings.IndexByte(text, d.Escape)
		if i < 0 {
			flush()
			b.WriteString(text)
			return b.String(), unknown, undecoded
		}
		if i > 0 {
			flush()
			b.WriteString(text[:i])
		}
		rest := text[i+1:]
		j := strings.IndexByte(rest, d.Escape)
		if j < 0 {
			flush()
			b.WriteString(text[i:])
			return b.String(), true, undecoded
		}
		sequence := rest[:j]
		if bytes, ok := hexadecimal(sequence); ok {
			pending, raw = append(pending, bytes...), raw+text[i:i+j+2]
			text = rest[j+1:]
			continue
		}
		flush()
		if !d.replace(&b, sequence) {
			// Not a sequence: keep the escape character; what follows may still hold one.
			unknown = true
			b.WriteByte(d.Escape)
			text = rest
			continue
		}
		text = rest[j+1:]
	}
}

func hexadecimal(sequence string) ([]byte, bool) {
	if len(sequence) < 3 || sequence[0] != 'X' && sequence[0] != 'x' {
		return nil, false
	}
	out, err := hex.DecodeString(strings.ReplaceAll(sequence[1:], " ", ""))
	return out, err == nil
}

// replace writes what the sequence between two escape characters stands for.
func (d Delimiters) replace(b *strings.Builder, sequence string) bool {
	if sequence == "" {
		return false
	}
	if len(sequence) == 1 {
		var c byte
		switch sequence[0] {
		case 'F':
			c = d.Field
		case 'S':
			c = d.Component
		case 'T':
			c = d.Subcomponent
		case 'R':
			c = d.Repetition
		case 'E':
			c = d.Escape
		case 'P':
			c = d.Truncation
			if c == 0 {
				c = '#'
			}
		case 'H', 'N':
			return true
		default:
			return false
		}
		if c == 0 {
			return false
		}
		b.WriteByte(c)
		return true
	}
	switch sequence[0] {
	case '.':
		return format(b, sequence[1:])
	case 'Z':
		b.WriteByte(d.Escape)
		b.WriteString(sequence)
		b.WriteByte(d.Escape)
		return len(sequence) <= 64
	default:
		return false
	}
}

// format writes what a formatting command of type FT stands for in plain text.
func format(b *strings.Builder, command string) bool {
	if len(command) < 2 {
		return false
	}
	name, number := command[:2], strings.TrimSpace(command[2:])
	n := 1
	if number != "" {
		v, err := strconv.Atoi(strings.TrimPrefix(number, "+"))
		if err != nil {
			return false
		}
		n = v
	}
	switch name {
	case "br":
		b.WriteByte('\n')
	case "sp":
		b.WriteString(strings.Repeat("\n", min(max(n, 1), maxBlanks)))
	case "ce":
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
	case "sk":
		b.WriteString(strings.Repeat(" ", min(max(n, 1), maxBlanks)))
	case "in", "ti":
		if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") && !strings.HasSuffix(s, " ") {
			b.WriteByte(' ')
		}
	case "fi", "nf":
	default:
		return false
	}
	return true
}

// Escape writes text as a value of a message, so that reading it gives the same
// text: delimiters and line ends are escaped.
func Escape(text string, d Delimiters) string {
	special := func(r rune) bool {
		if r < ' ' {
			return r != '\t'
		}
		if r >= utf8.RuneSelf {
			return false
		}
		switch byte(r) {
		case d.Field, d.Component, d.Repetition, d.Escape, d.Subcomponent, d.Truncation:
			return true
		}
		return false
	}
	i := strings.IndexFunc(text, special)
	if i < 0 || d.Escape == 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	for _, r := range text {
		if !special(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteByte(d.Escape)
		switch {
		case r == '\n':
			b.WriteString(".br")
		case r < ' ':
			b.WriteString("X" + strings.ToUpper(hex.EncodeToString([]byte{byte(r)})))
		case byte(r) == d.Field:
			b.WriteByte('F')
		case byte(r) == d.Component:
			b.WriteByte('S')
		case byte(r) == d.Subcomponent:
			b.WriteByte('T')
		case byte(r) == d.Repetition:
			b.WriteByte('R')
		case byte(r) == d.Escape:
			b.WriteByte('E')
		default:
			b.WriteByte('P')
		}
		b.WriteByte(d.Escape)
	}
	return b.String()
}
