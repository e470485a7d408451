package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns text as it is compared: without case, accents and width, runs of
// space as one. Chinese characters stay what they are.
func Fold(s string) string {
	if plain(s) {
		return s
	}
	if ascii(s) {
		return foldASCII(s)
	}
	folded := cases.Fold().String(norm.NFKD.String(s))
	var b strings.Builder
	b.Grow(len(folded))
	space := true // drops space at the start
	for _, r := range folded {
		switch {
		case unicode.IsSpace(r):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case unicode.Is(unicode.Mn, r) && r != '\u3099' && r != '\u309A', unicode.Is(unicode.Cf, r):
			// The voice marks of kana tell letters apart and are no accents.
			continue
		}
		space = false
		b.WriteRune(r)
	}
	return norm.NFC.String(strings.TrimSuffix(b.String(), " "))
}

// plain reports whether folding would change nothing: lower ASCII and Chinese
// characters, single spaces inside.
func plain(s string) bool {
	space := true
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c > ' ' && c < utf8.RuneSelf:
			if c >= 'A' && c <= 'Z' || c == 0x7F {
				return false
			}
			space = false
			i++
		case c == ' ':
			if space {
				return false
			}
			space = true
			i++
		case c < ' ':
			return false
		case hanByte(s, i):
			space = false
			i += 3
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r < 0x20000 || r > 0x2EBE0 {
				return false
			}
			space = false
			i += size
		}
	}
	return !space || s == ""
}

// cut shortens text to at most n bytes at a character's border.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ascii reports whether s has only printable ASCII.
func ascii[text string | []byte](s text) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func foldASCII(s string) string { return string(appendFolded(make([]byte, 0, len(s)), s)) }

// appendFolded appends ASCII text as it is compared.
func appendFolded(out []byte, s string) []byte {
	from := len(out)
	for _, c := range []byte(s) {
		switch {
		case c == ' ':
			if len(out) == from || out[len(out)-1] == ' ' {
				continue
			}
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	if n := len(out); n > from && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return out
}
