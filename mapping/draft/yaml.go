package draft

import (
	"fmt"
	"regexp"
	"strings"
)

// plainScalar is what needs no quotes anywhere in YAML: not a number, a word of YAML's own, nor with signs that mean something.
var plainScalar = regexp.MustCompile(`^[\p{L}_/=$.][\p{L}\p{N}_./()=（）%-]*$`)

var yamlWords = words("y n yes no true false on off null ~ nan inf")

// scalar writes a text as one YAML value.
func scalar(s string) string {
	word := strings.ToLower(strings.TrimLeft(s, "."))
	if plainScalar.MatchString(s) && !yamlWords[word] && s != "." && s != "=" && !strings.HasPrefix(s, "..") {
		return s
	}
	if strings.ContainsAny(s, "\n\r\t\\") || !printable(s) {
		return fmt.Sprintf("%q", s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == '\uFEFF' || r >= 0x80 && r < 0xA0 || r == 0xFFFD || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}

// list writes a flow sequence.
func list(items ...string) string {
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = scalar(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// literal writes a text as a literal of the grammar.
func literal(s string) string { return scalar("=" + s) }

// quoted writes a text for an expression.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// oneLine makes a text safe for a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == 0x2028 || r == 0x2029 || r == 0x85 || r == '\uFEFF' {
			return ' '
		}
		return r
	}, s)
}
