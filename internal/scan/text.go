package scan

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold is text without case, accents, widths and more than one space.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
	s = strings.ReplaceAll(strings.ToLower(s), "ß", "ss")
	return strings.Join(strings.Fields(s), " ")
}

// Strings are the parts of an element that a string parameter looks at.
func Strings(v any) (out []string) {
	if _, object := v.(map[string]any); !object {
		return []string{text(v)}
	}
	// A HumanName has some of these, an Address the others.
	for _, part := range []string{"text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"} {
		for _, s := range at(v, part) {
			out = append(out, text(s))
		}
	}
	return out
}

func stringTest(modifier, value string) (func(any) bool, error) {
	compare := map[string]func(s string) bool{
		"":         func(s string) bool { return strings.HasPrefix(fold(s), fold(value)) },
		"contains": func(s string) bool { return strings.Contains(fold(s), fold(value)) },
		"exact":    func(s string) bool { return s == value },
	}[modifier]
	if compare == nil {
		return nil, fmt.Errorf("no modifier %s of a string", modifier)
	}
	return func(v any) bool { return slices.ContainsFunc(Strings(v), compare) }, nil
}

func uriTest(modifier, value string) (func(any) bool, error) {
	switch modifier {
	case "":
		return func(v any) bool { return text(v) == value }, nil
	case "below":
		return func(v any) bool {
			return text(v) == value || strings.HasPrefix(text(v), strings.TrimSuffix(value, "/")+"/")
		}, nil
	case "above":
		return func(v any) bool {
			return text(v) == value || text(v) != "" && strings.HasPrefix(value, strings.TrimSuffix(text(v), "/")+"/")
		}, nil
	}
	return nil, fmt.Errorf("no modifier %s of a uri", modifier)
}

// canonicalTest asks for a canonical of any version, or of one.
func canonicalTest(value string) func(any) bool {
	return func(v any) bool {
		url, _, _ := strings.Cut(text(v), "|")
		return text(v) == value || url == value
	}
}
