package readmetest

import (
	"fmt"
	"regexp"
	"strings"
)

// elision stands for what varies or would be too long.
const elision = "…"

// Compare tells whether what came is what is shown. A final line break does not matter.
func Compare(shown, came string) error {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.Lines(ended(shown)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimSpace(line) == elision {
			pattern.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), elision, `[^\n]*`) + `\n`)
	}
	pattern.WriteString(`\z`)
	wanted, err := regexp.Compile(pattern.String())
	if err != nil {
		return fmt.Errorf("the shown text cannot be compared: %w", err)
	}
	if !wanted.MatchString(ended(came)) {
		return fmt.Errorf("shown:\n%s\ncame:\n%s", shown, came)
	}
	return nil
}

// ended is text with a line break at its end, or no text.
func ended(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
