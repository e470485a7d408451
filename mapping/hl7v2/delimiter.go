package hl7v2

import "strings"

// Delimiters are the characters that separate the parts of a message: MSH-1 and
// MSH-2. A zero byte means that the message has no such delimiter.
type Delimiters struct {
	Field        byte
	Component    byte
	Repetition   byte
	Escape       byte
	Subcomponent byte
	Truncation   byte // of version 2.7; a value that ends with it was shortened by the sender

	class *[256]uint8
}

// Standard are the delimiters that HL7 recommends.
var Standard = Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&'}

// What scan finds in a text.
const (
	hasRepetition uint8 = 1 << iota
	hasComponent
	hasSubcomponent
	hasEscape
	hasText
	hasWide   // a character beyond ASCII
	onlyEmpty // nothing but blanks and delimiters
)

// readDelimiters reads MSH-1 and MSH-2 from the start of a header segment; reason
// says what is wrong with them.
func readDelimiters(msh string) (d Delimiters, reason string) {
	if len(msh) < 4 || !plain(msh[3]) {
		return d, "the fourth character must be the field separator"
	}
	d.Field = msh[3]
	encoding, _, _ := strings.Cut(msh[4:], string(d.Field))
	if i := strings.IndexAny(encoding, "\r\n"); i >= 0 {
		encoding = encoding[:i]
	}
	if len(encoding) < 1 || len(encoding) > 5 {
		return d, "the encoding characters must be one to five"
	}
	to := []*byte{&d.Component, &d.Repetition, &d.Escape, &d.Subcomponent, &d.Truncation}
	for i := range len(encoding) {
		c := encoding[i]
		if !plain(c) || c == d.Field || strings.IndexByte(encoding, c) != i {
			return d, "the encoding characters must be different and neither letters, digits, blanks nor quotes"
		}
		*to[i] = c
	}
	d.class = d.classes()
	return d, ""
}

// plain reports whether c can be a delimiter.
func plain(c byte) bool {
	switch {
	case c <= ' ' || c >= 0x7F || c == '"':
		return false
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return false
	default:
		return true
	}
}

func (d Delimiters) classes() *[256]uint8 {
	var t [256]uint8
	for i := range t {
		t[i] = hasText
		if i >= 0x80 {
			t[i] |= hasWide
		}
	}
	t[' '], t['\t'] = 0, 0
	set := func(c byte, class uint8) {
		if c != 0 {
			t[c] = class
		}
	}
	set(d.Repetition, hasRepetition)
	set(d.Component, hasComponent)
	set(d.Subcomponent, hasSubcomponent)
	set(d.Escape, hasEscape|hasText)
	return &t
}

// scan says what a text holds.
func (d Delimiters) scan(text string) uint8 {
	var found uint8
	for i := range len(text) {
		found |= d.class[text[i]]
	}
	if found&hasText == 0 {
		found |= onlyEmpty
	}
	return found
}

// MSH2 returns the encoding characters as MSH-2 has them.
func (d Delimiters) MSH2() string {
	var b strings.Builder
	for _, c := range []byte{d.Component, d.Repetition, d.Escape, d.Subcomponent, d.Truncation} {
		if c == 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}
