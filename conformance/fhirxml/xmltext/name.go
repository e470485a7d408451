package xmltext

import (
	"strings"
	"unicode/utf8"
)

// nameBytes marks the ASCII characters of names: 1 anywhere, 2 not at the start.
var nameBytes = func() (t [128]byte) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = 1, 1
	}
	t['_'] = 1
	for c := '0'; c <= '9'; c++ {
		t[c] = 2
	}
	t['-'], t['.'] = 2, 2
	return t
}()

// ncName returns where the name without a colon at i ends, i if there is none.
func (s *Scanner) ncName(i int) int {
	start := i
	for i < len(s.src) {
		c := s.src[i]
		if c < utf8.RuneSelf {
			if k := nameBytes[c]; k == 0 || k == 2 && i == start {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s.src[i:])
		if !nameStart(r) && (i == start || !nameFollow(r)) {
			return i
		}
		i += size
	}
	return i
}

// qName reads a name with or without a prefix and returns where it ends, -1 if
// there is none.
func (s *Scanner) qName(i int) (Name, int) {
	end := s.ncName(i)
	if end == i {
		return Name{}, -1
	}
	if !strings.HasPrefix(s.src[end:], ":") {
		return Name{Local: s.src[i:end]}, end
	}
	local := end + 1
	last := s.ncName(local)
	if last == local || strings.HasPrefix(s.src[last:], ":") {
		return Name{}, -1
	}
	return Name{Prefix: s.src[i:end], Local: s.src[local:last]}, last
}

func nameStart(r rune) bool {
	return r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7 || r >= 0x370 && r <= 0x1FFF && r != 0x37E ||
		r >= 0x200C && r <= 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF ||
		r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

func nameFollow(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r >= 0x203F && r <= 0x2040
}
