package xmltext

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

const byteOrderMark = "\uFEFF"

// decode returns the document as UTF-8 without its byte order mark, and whether it
// came as UTF-16. UTF-8 is not copied.
func decode(src []byte) (text string, wide bool, fault string) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(src, []byte{0xFE, 0xFF}), bytes.HasPrefix(src, []byte{0, '<'}):
		order = binary.BigEndian
	case bytes.HasPrefix(src, []byte{0xFF, 0xFE}), bytes.HasPrefix(src, []byte{'<', 0}):
		order = binary.LittleEndian
	default:
		return strings.TrimPrefix(unsafe.String(unsafe.SliceData(src), len(src)), byteOrderMark), false, ""
	}
	if len(src)%2 != 0 {
		return "", true, "UTF-16 with an odd number of bytes"
	}
	out := make([]byte, 0, len(src)/2+len(src)/8)
	for i := 0; i < len(src); i += 2 {
		r := rune(order.Uint16(src[i:]))
		if utf16.IsSurrogate(r) {
			if i+3 >= len(src) {
				return "", true, "UTF-16 with half a surrogate pair"
			}
			i += 2
			if r = utf16.DecodeRune(r, rune(order.Uint16(src[i:]))); r == utf8.RuneError {
				return "", true, "UTF-16 with half a surrogate pair"
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return strings.TrimPrefix(unsafe.String(unsafe.SliceData(out), len(out)), byteOrderMark), true, ""
}

// declaration reads the XML declaration, if there is one.
func (s *Scanner) declaration(wide bool) bool {
	const mark = "<?xml"
	if !strings.HasPrefix(s.src, mark) || len(s.src) == len(mark) || !isSpace(s.src[len(mark)]) {
		return true // none, or an instruction whose name only begins so
	}
	end := strings.Index(s.src, "?>")
	if end < 0 {
		return s.fail(0, "an XML declaration without an end")
	}
	s.pos = len(mark)
	for _, part := range [...]string{"version", "encoding", "standalone"} {
		at := s.pos
		s.space()
		if !strings.HasPrefix(s.src[s.pos:end], part) {
			s.pos = at
			if part == "version" {
				return s.fail(at, "an XML declaration without a version")
			}
			continue
		}
		if s.pos == at {
			return s.fail(at, "no space between the parts of the XML declaration")
		}
		s.pos += len(part)
		value, ok := s.pseudo(end)
		if !ok {
			return false
		}
		switch {
		case part == "version" && value != "1.0":
			return s.fail(at, "a version of XML that is not 1.0")
		case part == "encoding" && !encodingFits(value, wide):
			return s.fail(at, "an encoding that is not read, or not the one the document is in: expected UTF-8 or UTF-16")
		case part == "standalone" && value != "yes" && value != "no":
			return s.fail(at, "standalone is neither yes nor no")
		}
	}
	s.space()
	if s.pos != end {
		return s.fail(s.pos, "an XML declaration with a part that is not known")
	}
	s.pos = end + len("?>")
	return true
}

func (s *Scanner) pseudo(end int) (string, bool) {
	s.space()
	if s.src[s.pos] != '=' {
		return "", s.fail(s.pos, "expected '=' in the XML declaration")
	}
	s.pos++
	s.space()
	quote := s.src[s.pos]
	if quote != '"' && quote != '\'' {
		return "", s.fail(s.pos, "expected a quoted value in the XML declaration")
	}
	s.pos++
	length := strings.IndexByte(s.src[s.pos:end], quote)
	if length < 0 {
		return "", s.fail(s.pos, "a value without an end in the XML declaration")
	}
	value := s.src[s.pos : s.pos+length]
	s.pos += length + 1
	return value, true
}

func encodingFits(name string, wide bool) bool {
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8":
		return !wide
	case "UTF-16", "UTF-16LE", "UTF-16BE":
		return wide
	}
	return false
}
