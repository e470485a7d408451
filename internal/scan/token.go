package scan

import (
	"fmt"
	"slices"
	"strings"
)

// Token is a code with its system, and what people read of it.
type Token struct {
	System, Code string
	Texts        []string
	Types        []string // system|code of an identifier's types
}

// Tokens reads the codes of an element: a primitive, Coding, CodeableConcept, Identifier or ContactPoint. system is that of a plain code.
func Tokens(v any, system string) (out []Token) {
	m, object := v.(map[string]any)
	_, concept := m["coding"]
	switch {
	case !object:
		return []Token{{System: system, Code: text(v)}}
	case m["value"] != nil:
		t := Token{System: text(m, "system"), Code: text(m, "value"), Texts: []string{text(m, "type", "text")}}
		for _, c := range at(m, "type.coding") {
			t.Types = append(t.Types, text(c, "system")+"|"+text(c, "code"))
			if t.Texts[0] == "" {
				t.Texts = append(t.Texts, text(c, "display"))
			}
		}
		return []Token{t}
	case concept || m["code"] == nil && m["system"] == nil:
		for _, c := range at(m, "coding") {
			out = append(out, Tokens(c, "")...)
		}
		return append(out, Token{Texts: []string{text(m, "text")}})
	}
	return []Token{{System: text(m, "system"), Code: text(m, "code"), Texts: []string{text(m, "display")}}}
}

func tokenTest(plain, modifier, value string) (func(any) bool, error) {
	parts := split(value, '|')
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	var fits func(Token) bool
	switch {
	case modifier == "text":
		begin := fold(unescape(value))
		fits = func(t Token) bool {
			return slices.ContainsFunc(t.Texts, func(s string) bool { return s != "" && strings.HasPrefix(fold(s), begin) })
		}
	case modifier == "of-type" && len(parts) == 3:
		fits = func(t Token) bool { return t.Code == parts[2] && slices.Contains(t.Types, parts[0]+"|"+parts[1]) }
	case modifier != "" && modifier != "not":
		return nil, fmt.Errorf("no modifier %s of a token", modifier)
	case len(parts) == 1:
		fits = func(t Token) bool { return t.Code == parts[0] }
	case len(parts) == 2 && parts[0] == "" && plain != "": // elements of type code have no system of their own
		fits = func(t Token) bool { return t.Code == parts[1] }
	case len(parts) == 2 && parts[1] == "":
		fits = func(t Token) bool { return t.System == parts[0] }
	case len(parts) == 2:
		fits = func(t Token) bool { return t.System == parts[0] && t.Code == parts[1] }
	default:
		return nil, fmt.Errorf("no token")
	}
	return func(v any) bool { return slices.ContainsFunc(Tokens(v, plain), fits) }, nil
}
