package terminology

import (
	"strings"
	"unicode"

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
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return cases.Fold().String(b.String())
}

// words are the parts of a text filter, longest first; all of them must be found.
func words(text string) ([]string, error) {
	if len(text) > MaxWordBytes {
		return nil, msgParameter.refuse("filter", "it is too long")
	}
	out := strings.Fields(folded(text))
	if len(out) > MaxWords {
		return nil, msgParameter.refuse("filter", "it has too many words")
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
