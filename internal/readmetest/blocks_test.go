package readmetest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/internal/readmetest"
)

func TestBlocks(t *testing.T) {
	got, err := readmetest.Blocks("# a\n\n```sh\necho a\necho b\n```\n\nand then\n\n```text\na\nb\n```\n\n```yaml\nx: y\n```\n```sh\ntrue\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []readmetest.Block{{Line: 3, Code: "echo a\necho b\n", Shown: "a\nb\n"}, {Line: 18, Code: "true\n"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBlocksRefusesWhatItCannotPair(t *testing.T) {
	for name, text := range map[string]string{
		"shown text first":         "```text\na\n```\n",
		"shown text twice":         "```sh\necho a\n```\n```text\na\n```\n```text\na\n```\n",
		"fence that never ends":    "```sh\necho a\n",
		"fence that opens another": "```sh\necho a\n```text\na\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := readmetest.Blocks(text); err == nil {
				t.Errorf("want an error, got %v", got)
			}
		})
	}
}

func TestSameFindsTranslationsThatDiffer(t *testing.T) {
	one := []readmetest.Block{{Line: 1, Code: "echo a\n", Shown: "a\n"}}
	if err := readmetest.Same(one, one); err != nil {
		t.Error(err)
	}
	for name, other := range map[string][]readmetest.Block{
		"command": {{Line: 1, Code: "echo b\n", Shown: "a\n"}},
		"output":  {{Line: 1, Code: "echo a\n", Shown: "b\n"}},
		"missing": {},
		"more":    append(one[:1:1], one...),
	} {
		t.Run(name, func(t *testing.T) {
			if readmetest.Same(one, other) == nil {
				t.Error("taken as the same")
			}
		})
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name, shown, came string
		same              bool
	}{
		{"equal", "a\nb\n", "a\nb\n", true},
		{"final line break", "a\n", "a", true},
		{"nothing", "", "", true},
		{"elided text", "id …, state ok\n", "id 17, state ok\n", true},
		{"elided lines", "a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"no lines where some are elided", "a\n  …\nd\n", "a\nd\n", true},
		{"other value", "value 9.8\n", "value 9.9\n", false},
		{"signs of a pattern are text", "a.c\n", "abc\n", false},
		{"missing line", "a\nb\n", "a\n", false},
		{"line too much", "a\n", "a\nb\n", false},
		{"output where none is shown", "", "a\n", false},
		{"none where some is shown", "a\n", "", false},
		{"elided text ends with its line", "a …\nc\n", "a b\nb\nc\n", false},
		{"other end after elided lines", "a\n…\nd\n", "a\nb\ne\n", false},
		{"other case", "Ready\n", "ready\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := readmetest.Compare(test.shown, test.came)
			if (err == nil) != test.same {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "came:\n"+test.came) {
				t.Errorf("the error does not tell what came: %v", err)
			}
		})
	}
}
