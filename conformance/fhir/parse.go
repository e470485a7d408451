package fhir

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Limits bound what Parse takes in. A zero field means its default.
type Limits struct {
	Bytes int // size of the text; default DefaultMaxBytes
	Depth int // nesting of arrays and objects; default DefaultMaxDepth
	Nodes int // values in the tree; default DefaultMaxNodes
}

// Defaults of Limits. A node costs about 80 bytes of memory.
const (
	DefaultMaxBytes = 16 << 20
	DefaultMaxDepth = 128
	DefaultMaxNodes = 2_000_000
)

// SyntaxError says where a text stops being the JSON of a resource. Reason never
// quotes the text.
type SyntaxError struct {
	Line, Column int // from 1; columns count bytes
	Offset       int
	Reason       string
	Chinese      string // Reason in Chinese
	Limit        bool   // the text is over a limit, not malformed
}

// Texts are the reason in both languages.
func (e *SyntaxError) Texts() Text { return Text{e.Reason, e.Chinese} }

// Issue is the error as a finding.
func (e *SyntaxError) Issue(id string) Issue {
	code := TypeStructure
	if e.Limit {
		code = TypeTooCostly
	}
	return Issue{Severity: Error, Code: code, ID: id, Line: e.Line, Column: e.Column, Text: e.Reason, Chinese: e.Chinese}
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Reason)
}

// Parse reads one JSON value that fills the whole of src. It refuses malformed
// UTF-8, unpaired surrogates, duplicate property names, numbers outside the JSON
// grammar and anything over the limits with a *SyntaxError. The tree's texts are
// parts of src, which therefore belongs to it: src must not be changed any more.
func Parse(src []byte, lim Limits) (*Node, error) {
	lim = lim.withDefaults()
	if len(src) > lim.Bytes {
		said := messages.Say("text of {1} bytes, expected at most {2}", len(src), lim.Bytes)
		return nil, &SyntaxError{Line: 1, Column: 1, Limit: true, Reason: said.English, Chinese: said.Chinese}
	}
	p := parser{src: unsafe.String(unsafe.SliceData(src), len(src)), lim: lim, line: 1}
	p.slab = make([]Node, min(len(src)/bytesPerNode+2, maxChunk))
	p.refs = make([]*Node, 0, len(p.slab))
	p.stack = make([]*Node, 0, 64)
	p.src = strings.TrimPrefix(p.src, "\uFEFF")
	if !utf8.ValidString(p.src) {
		return nil, p.invalidUTF8()
	}
	n, err := p.document()
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = DefaultMaxBytes
	}
	if l.Depth == 0 {
		l.Depth = DefaultMaxDepth
	}
	if l.Nodes == 0 {
		l.Nodes = DefaultMaxNodes
	}
	return l
}

// maxChunk bounds how many nodes are allocated at once.
const maxChunk = 4096

// bytesPerNode is what a value takes up in the JSON of resources, roughly.
const bytesPerNode = 21

// maxLine is the last line that a node remembers; what stands behind it is said to
// be there.
const maxLine = 1<<24 - 1

// parser walks src once. Nodes and child lists come out of slabs, so that a
// resource costs a handful of allocations.
type parser struct {
	src       string
	pos       int
	line      int // current line, from 1
	lineStart int // offset of its first byte
	depth     int
	count     int
	lim       Limits
	slab      []Node
	refs      []*Node // finished child lists are cut from here
	stack     []*Node // children of the values being read
	wide      []wideSet
	failure   *SyntaxError
}

// wideSet holds the property names of one open object with many properties.
type wideSet struct {
	base  int
	names map[string]struct{}
}

func (p *parser) document() (*Node, error) {
	p.space()
	n := p.value()
	if n == nil {
		return nil, p.failure
	}
	p.space()
	if p.pos < len(p.src) {
		p.fail(p.pos, "bytes after the end of the value")
		return nil, p.failure
	}
	return n, nil
}

func (p *parser) fail(at int, reason string, details ...any) *Node {
	if p.failure == nil {
		said := messages.Say(reason, details...)
		p.failure = &SyntaxError{Line: p.line, Column: at - p.lineStart + 1, Offset: at, Reason: said.English, Chinese: said.Chinese}
	}
	return nil
}

func (p *parser) failLimit(at int, reason string, details ...any) *Node {
	p.fail(at, reason, details...)
	p.failure.Limit = true
	return nil
}

func (p *parser) invalidUTF8() error {
	for p.pos < len(p.src) {
		r, size := utf8.DecodeRuneInString(p.src[p.pos:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		if r == '\n' {
			p.line++
			p.lineStart = p.pos + 1
		}
		p.pos += size
	}
	p.fail(p.pos, "malformed UTF-8")
	return p.failure
}

// space skips white space, of which there is mostly one blank or none.
func (p *parser) space() {
	if p.pos < len(p.src) && p.src[p.pos] <= ' ' {
		p.blanks()
	}
}

func (p *parser) blanks() {
	i := p.pos
	if i+1 < len(p.src) && p.src[i] == ' ' && p.src[i+1] > ' ' {
		p.pos++
		return
	}
	for ; i < len(p.src); i++ {
		c := p.src[i]
		if c == '\n' {
			p.line++
			p.lineStart = i + 1
		} else if c != ' ' && c != '\t' && c != '\r' {
			break
		}
	}
	p.pos = i
}

func (p *parser) node(kind Kind, at int) *Node {
	p.count++
	if p.count > p.lim.Nodes {
		return p.failLimit(at, "more than {1} values", p.lim.Nodes)
	}
	if len(p.slab) == 0 {
		p.slab = make([]Node, p.more())
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.kind = kind
	line := min(p.line, maxLine)
	n.lineHigh, n.lineLow = uint8(line>>16), uint16(line)
	n.col = uint32(at - p.lineStart + 1)
	return n
}

// more is how many nodes are still to come, if the rest of the text is like what has
// been read, and some.
func (p *parser) more() int {
	rest := float64(len(p.src)-p.pos) / float64(p.pos+1)
	return min(max(int(float64(p.count)*rest*1.1), 16), maxChunk)
}

func (p *parser) value() *Node {
	if p.pos >= len(p.src) {
		return p.fail(p.pos, "the text ends early, expected a value")
	}
	at := p.pos
	switch c := p.src[at]; {
	case c == '"':
		n := p.node(String, at)
		if n == nil {
			return nil
		}
		text, ok := p.str()
		if !ok {
			return nil
		}
		n.text = text
		return n
	case c == '{':
		return p.object(at)
	case c == '[':
		return p.array(at)
	case c == '-' || c >= '0' && c <= '9':
		return p.number(at)
	case c == 't':
		return p.literal(Bool, "true")
	case c == 'f':
		return p.literal(Bool, "false")
	case c == 'n':
		return p.literal(Null, "null")
	default:
		return p.fail(at, "unexpected character, expected a value")
	}
}

func (p *parser) literal(kind Kind, word string) *Node {
	at := p.pos
	if !strings.HasPrefix(p.src[at:], word) {
		return p.fail(at, "unexpected character, expected a value")
	}
	n := p.node(kind, at)
	if n != nil {
		n.text = word
		p.pos += len(word)
	}
	return n
}

func (p *parser) object(at int) *Node {
	n := p.open(Object, at)
	if n == nil {
		return nil
	}
	base := len(p.stack)
	p.space()
	if p.pos < len(p.src) && p.src[p.pos] == '}' {
		return p.close(n, base)
	}
	var seen uint64 // one bit for each name so far, by sketch
	for {
		if p.pos >= len(p.src) || p.src[p.pos] != '"' {
			return p.fail(p.pos, "expected a property name")
		}
		keyAt := p.pos
		name, ok := p.str()
		if !ok {
			return nil
		}
		bit := uint64(1) << sketch(name)
		if (seen&bit != 0 || len(p.stack)-base >= wideObject) && p.duplicate(base, name) {
			return p.fail(keyAt, "duplicate property name")
		}
		seen |= bit
		p.space()
		if p.pos >= len(p.src) || p.src[p.pos] != ':' {
			return p.fail(p.pos, "expected ':' after a property name")
		}
		p.pos++
		p.space()
		v := p.value()
		if v == nil {
			return nil
		}
		v.name = name
		p.stack = append(p.stack, v)
		p.space()
		if p.pos < len(p.src) {
			switch p.src[p.pos] {
			case ',':
				p.pos++
				p.space()
				continue
			case '}':
				return p.close(n, base)
			}
		}
		return p.fail(p.pos, "expected ',' or '}' after a property")
	}
}

func (p *parser) array(at int) *Node {
	n := p.open(Array, at)
	if n == nil {
		return nil
	}
	base := len(p.stack)
	p.space()
	if p.pos < len(p.src) && p.src[p.pos] == ']' {
		return p.close(n, base)
	}
	for {
		v := p.value()
		if v == nil {
			return nil
		}
		p.stack = append(p.stack, v)
		p.space()
		if p.pos < len(p.src) {
			switch p.src[p.pos] {
			case ',':
				p.pos++
				p.space()
				continue
			case ']':
				return p.close(n, base)
			}
		}
		return p.fail(p.pos, "expected ',' or ']' after an item")
	}
}

func (p *parser) open(kind Kind, at int) *Node {
	p.depth++
	if p.depth > p.lim.Depth {
		return p.failLimit(at, "nested deeper than {1}", p.lim.Depth)
	}
	n := p.node(kind, at)
	p.pos++
	return n
}

// close ends n: its children move from the stack into a list of exact size.
func (p *parser) close(n *Node, base int) *Node {
	p.pos++
	p.depth--
	kids := p.stack[base:]
	if len(kids) > 0 {
		if len(kids) > cap(p.refs)-len(p.refs) {
			p.refs = make([]*Node, 0, max(len(kids), p.more()))
		}
		start := len(p.refs)
		p.refs = append(p.refs, kids...)
		n.kids = p.refs[start:len(p.refs):len(p.refs)]
	}
	p.stack = p.stack[:base]
	return n
}

// wideObject is the property count from which duplicates are looked up through
// a map; below it comparing is faster.
const wideObject = 64

func (p *parser) duplicate(base int, name string) bool {
	siblings := p.stack[base:]
	if len(siblings) < wideObject {
		for _, s := range siblings {
			if s.name == name {
				return true
			}
		}
		return false
	}
	return p.duplicateWide(base, name)
}

// sketch is a number below 64 that names rarely share when they differ.
func sketch(name string) uint {
	if name == "" {
		return 0
	}
	return (uint(len(name)) + 7*uint(name[0]) + 3*uint(name[len(name)-1]) + 5*uint(name[len(name)/2])) % 64
}

// duplicateWide looks name up among many siblings through a set that is built
// when the object reaches wideObject properties. Sets of objects left since are
// dropped on the way.
func (p *parser) duplicateWide(base int, name string) bool {
	for len(p.wide) > 0 && p.wide[len(p.wide)-1].base > base {
		p.wide = p.wide[:len(p.wide)-1]
	}
	if siblings := p.stack[base:]; len(siblings) == wideObject {
		for len(p.wide) > 0 && p.wide[len(p.wide)-1].base == base {
			p.wide = p.wide[:len(p.wide)-1]
		}
		set := make(map[string]struct{}, 2*wideObject)
		for _, s := range siblings {
			set[s.name] = struct{}{}
		}
		p.wide = append(p.wide, wideSet{base: base, names: set})
	}
	set := p.wide[len(p.wide)-1].names
	if _, found := set[name]; found {
		return true
	}
	set[name] = struct{}{}
	return false
}

func (p *parser) number(at int) *Node {
	i := at
	if p.src[i] == '-' {
		i++
	}
	switch {
	case i < len(p.src) && p.src[i] == '0':
		i++
		if i < len(p.src) && isDigit(p.src[i]) {
			return p.fail(at, "a number with a leading zero")
		}
	case i < len(p.src) && isDigit(p.src[i]):
		i = p.digits(i)
	default:
		return p.fail(at, "a sign without digits")
	}
	if i < len(p.src) && p.src[i] == '.' {
		if j := p.digits(i + 1); j > i+1 {
			i = j
		} else {
			return p.fail(at, "a decimal point without digits after it")
		}
	}
	if i < len(p.src) && (p.src[i] == 'e' || p.src[i] == 'E') {
		j := i + 1
		if j < len(p.src) && (p.src[j] == '+' || p.src[j] == '-') {
			j++
		}
		k := p.digits(j)
		if k == j {
			return p.fail(at, "an exponent without digits")
		}
		i = k
	}
	n := p.node(Number, at)
	if n != nil {
		n.text = p.src[at:i]
		p.pos = i
	}
	return n
}

func (p *parser) digits(i int) int {
	for i < len(p.src) && isDigit(p.src[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// str reads the string at pos. Without escapes it is a slice of the source.
func (p *parser) str() (string, bool) {
	start := p.pos + 1
	src := p.src
	i := start
	for i+8 <= len(src) {
		if at := firstSpecial(word(src[i : i+8])); at < 8 {
			i += at
			if src[i] == '"' {
				p.pos = i + 1
				return src[start:i], true
			}
			return p.unplain(start, i)
		}
		i += 8
	}
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			p.pos = i + 1
			return src[start:i], true
		case c == '\\' || c < ' ':
			return p.unplain(start, i)
		}
	}
	p.fail(p.pos, "a string without an end")
	return "", false
}

// unplain goes on at the first byte of a string that is not just text.
func (p *parser) unplain(start, i int) (string, bool) {
	if p.src[i] == '\\' {
		return p.escaped(start, i)
	}
	p.fail(i, "a control character inside a string")
	return "", false
}

// word reads eight bytes as a number, the first lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// firstSpecial returns the index of the first of eight bytes at which reading a
// string cannot just go on – a quote, a backslash, a control character – and 8 if
// there is none. Taking 1 from a byte borrows into its highest bit if it was 0, and
// a borrow out of it can only mislead about bytes behind it.
func firstSpecial(w uint64) int {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	quote, backslash := w^ones*'"', w^ones*'\\'
	found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*' ')&^w) & high
	return bits.TrailingZeros64(found) / 8
}

func (p *parser) escaped(start, i int) (string, bool) {
	var b strings.Builder
	b.WriteString(p.src[start:i])
	for i < len(p.src) {
		c := p.src[i]
		switch {
		case c == '"':
			p.pos = i + 1
			return b.String(), true
		case c < ' ':
			p.fail(i, "a control character inside a string")
			return "", false
		case c != '\\':
			b.WriteByte(c)
			i++
		case i+1 >= len(p.src):
			p.fail(p.pos, "a string without an end")
			return "", false
		case p.src[i+1] == 'u':
			r, next := p.unicode(i)
			if next < 0 {
				p.fail(i, "a \\u escape that is not a character")
				return "", false
			}
			b.WriteRune(r)
			i = next
		default:
			d := unescape(p.src[i+1])
			if d == 0 {
				p.fail(i, "an unknown escape")
				return "", false
			}
			b.WriteByte(d)
			i += 2
		}
	}
	p.fail(p.pos, "a string without an end")
	return "", false
}

func unescape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unicode decodes the \uXXXX at i, with the second half of a surrogate pair.
func (p *parser) unicode(i int) (rune, int) {
	r := hex4(p.src, i+2)
	if r < 0 {
		return 0, -1
	}
	if !utf16.IsSurrogate(r) {
		return r, i + 6
	}
	if i+7 < len(p.src) && p.src[i+6] == '\\' && p.src[i+7] == 'u' {
		if full := utf16.DecodeRune(r, hex4(p.src, i+8)); full != utf8.RuneError {
			return full, i + 12
		}
	}
	return 0, -1
}

func hex4(s string, i int) rune {
	if i+4 > len(s) {
		return -1
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return -1
		}
	}
	return r
}
