package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Width returns s with full-width ASCII forms narrowed, every kind of space turned into U+0020 and invisible characters
// (zero-width spaces and joiners, the byte order mark) removed. A text that needs none of it is returned as it is,
// without an allocation. Tabs and line breaks stay.
func Width(s string) string {
	i := firstFolded(s)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for _, r := range s[i:] {
		if f, keep := narrow(r); keep {
			b.WriteRune(f)
		}
	}
	return b.String()
}

// Text is Width with the spaces at both ends removed.
func Text(s string) string {
	return strings.TrimSpace(Width(s))
}

// Key is the form under which two spellings of one code are equal: Text, in lower case, runs of space as one.
func Key(s string) string {
	s = Text(s)
	if !needsKey(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func needsKey(s string) bool {
	space := false
	for _, r := range s {
		if r != ' ' && unicode.IsSpace(r) || r == ' ' && space || unicode.IsUpper(r) || unicode.IsTitle(r) {
			return true
		}
		space = r == ' '
	}
	return false
}

// firstFolded returns the index of the first rune that Width changes, or -1.
func firstFolded(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return firstFoldedRune(s, i)
		}
	}
	return -1
}

func firstFoldedRune(s string, from int) int {
	for i, r := range s[from:] {
		if f, keep := narrow(r); !keep || f != r || r == utf8.RuneError {
			// Bytes that are not UTF-8 become U+FFFD once and for all, so that every later step sees text.
			if _, size := utf8.DecodeRuneInString(s[from+i:]); r == utf8.RuneError && size > 1 {
				continue
			}
			return from + i
		}
	}
	return -1
}

// narrow returns the narrow form of r, and false when r is invisible.
func narrow(r rune) (rune, bool) {
	switch {
	case r < 0xA0:
		return r, true
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0, true
	case r == 0x3000, r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F:
		return ' ', true
	case r >= 0x200B && r <= 0x200F, r == 0x2060, r == 0xFEFF, r >= 0x202A && r <= 0x202E:
		return 0, false
	case r == 0xFFE5:
		return 0xA5, true
	}
	return r, true
}
