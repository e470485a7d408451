package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestEveryCommandHelpsAndSaysWhatJSONPrints(t *testing.T) {
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(true)
	if len(leaves) < 8 {
		t.Fatalf("%d commands", len(leaves))
	}
	for _, leaf := range leaves {
		t.Run(leaf.Path(), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append(strings.Fields(commandPath(leaf)), "--help")
			if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
				t.Fatalf("%q ends with %d: %s", args, code, &stderr)
			}
			for _, want := range []string{"Usage: yilian " + commandPath(leaf), "With --json", "--help"} {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("the help does not say %q:\n%s", want, &stdout)
				}
			}
		})
	}
}

// commandPath is "map lint", without the arguments.
func commandPath(n *kong.Node) string {
	if n.Parent == nil || n.Parent.Type == kong.ApplicationNode {
		return n.Name
	}
	return commandPath(n.Parent) + " " + n.Name
}

func TestTranscriptsAreHeldToWhatIsPrinted(t *testing.T) {
	tests := []struct {
		name      string
		want, got string
		matches   bool
	}{
		{"equal", "a|b|[0]", "a|b|[0]", true},
		{"another line", "a|b|[0]", "a|c|[0]", false},
		{"another exit code", "a|[0]", "a|[1]", false},
		{"a line too many", "a|[0]", "a|b|[0]", false},
		{"a line too few", "a|b|[0]", "a|[0]", false},
		{"any lines", "a|…|[0]", "a|b|c|[0]", true},
		{"no lines where any may be", "a|…|[0]", "a|[0]", true},
		{"any lines, but another end", "a|…|d|[0]", "a|b|c|[0]", false},
		{"any text", "a…c|[0]", "abbc|[0]", true},
		{"any text, but another end", "a…c|[0]", "abbd|[0]", false},
		{"any text, but parts in another order", "a…b…c…d|[0]", "a c b d|[0]", false},
		{"any text, but no room for both ends", "ab…bc|[0]", "abc|[0]", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := matches(strings.Split(test.want, "|"), strings.Split(test.got, "|")); got != test.matches {
				t.Errorf("%q against %q: %t", test.want, test.got, got)
			}
		})
	}
}
