package scan

import (
	"fmt"
	"slices"
	"strings"
)

// letters without their accents, as far as the imports have any.
var letters = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ü", "u", "ñ", "n", "ç", "c",
	"\u0301", "", "\u0303", "", "\u0308", "")

// fold is text without case, accents and more than one space.
func fold(s string) string {
	return letters.Replace(strings.ToLower(strings.Join(strings.Fields(s), " ")))
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
	}
	return nil, fmt.Errorf("no modifier %s of a uri", modifier)
}
