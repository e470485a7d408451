package terminology

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folded returns s as text search compares it: without case, accents and width. Chinese stays as it is.
func folded(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < 0x20 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	s = norm.NFC.String(s)
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		size := utf8.RuneLen(r)
		if d := norm.NFKD.PropertiesString(s[i:]).Decomposition(); size > 0 && len(d) > 0 && len(d) <= maxGrowth*size {
			for _, r := range string(d) {
				fold(&b, r)
			}
			continue
		}
		fold(&b, r)
	}
	return cases.Fold().String(b.String())
}

// maxGrowth bounds how much longer a character gets. Some ligatures stand for whole sentences, and a text of them must
// not take many times its memory; they are looked for as they are.
const maxGrowth = 4

func fold(b *strings.Builder, r rune) {
	switch {
	case unicode.Is(unicode.Mn, r):
	case unicode.IsControl(r):
		b.WriteByte(' ')
	default:
		b.WriteRune(r)
	}
}

// words are the parts of a text filter, longest first; all of them must be found.
func words(text string) ([]string, error) {
	if len(text) > MaxWordBytes {
		return nil, refuse(msgParameter, "filter", "it is too long")
	}
	out := strings.Fields(folded(text))
	if len(out) > MaxWords {
		return nil, refuse(msgParameter, "filter", "it has too many words")
	}
	for i := range out {
		if len(out[i]) > len(out[0]) {
			out[0], out[i] = out[i], out[0]
		}
	}
	return out, nil
}

// hasWords reports whether a folded text has all words.
func hasWords(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// sameDisplay compares displays: case and white space do not matter.
func sameDisplay(a, b string) bool {
	return a == b || strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
