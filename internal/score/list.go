package score

import (
	"os"
	"strings"
	"testing"
)

// Exceptions reads the cases of a suite that are not held to pass: a file with a name, two spaces and the reason a line.
// Empty lines and those that begin with # say nothing. A name without a reason fails the test.
func Exceptions(t testing.TB, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, "  ")
		if !ok {
			t.Fatalf("%s: no reason for %s", path, name)
		}
		out[name] = strings.TrimSpace(reason)
	}
	return out
}
