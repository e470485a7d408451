package fhir

import "unicode/utf8"

// AppendJSON appends the compact JSON of n to dst: properties in their order,
// numbers with their literal text.
func (n *Node) AppendJSON(dst []byte) []byte {
	switch n.Kind() {
	case Null:
		return append(dst, "null"...)
	case Bool, Number:
		return append(dst, n.text...)
	case String:
		return appendString(dst, n.text)
	case Array:
		dst = append(dst, '[')
		for i, k := range n.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = k.AppendJSON(dst)
		}
		return append(dst, ']')
	default:
		dst = append(dst, '{')
		for i, k := range n.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = k.AppendJSON(AppendName(dst, k.name))
		}
		return append(dst, '}')
	}
}

// AppendName appends the name of a property to dst, with its colon.
func AppendName(dst []byte, name string) []byte { return append(appendString(dst, name), ':') }

// MarshalJSON lets a tree be part of what encoding/json writes.
func (n *Node) MarshalJSON() ([]byte, error) { return n.AppendJSON(nil), nil }

// AppendIndent appends the JSON of n over several lines, two spaces a level.
func (n *Node) AppendIndent(dst []byte) []byte { return n.appendIndent(dst, 0) }

func (n *Node) appendIndent(dst []byte, level int) []byte {
	if k := n.Kind(); (k != Array && k != Object) || len(n.kids) == 0 {
		return n.AppendJSON(dst)
	}
	first, last := byte('['), byte(']')
	if n.kind == Object {
		first, last = '{', '}'
	}
	dst = append(dst, first)
	for i, k := range n.kids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendBreak(dst, level+1)
		if n.kind == Object {
			dst = appendString(dst, k.name)
			dst = append(dst, ':', ' ')
		}
		dst = k.appendIndent(dst, level+1)
	}
	return append(appendBreak(dst, level), last)
}

func appendBreak(dst []byte, level int) []byte {
	dst = append(dst, '\n')
	for range level {
		dst = append(dst, ' ', ' ')
	}
	return dst
}

// AppendString appends a string as JSON to dst.
func AppendString(dst []byte, s string) []byte { return appendString(dst, s) }

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	if asIs(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 { // built from a broken string: never write broken JSON
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// asIs reports whether a string stands in JSON as it is, which most do.
func asIs(s string) bool {
	const high = 0x8080808080808080
	var wide uint64
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := word(s[i : i+8])
		if firstSpecial(w) < 8 {
			return false
		}
		wide |= w & high
	}
	for ; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		wide |= uint64(c & utf8.RuneSelf)
	}
	return wide == 0 || utf8.ValidString(s)
}
