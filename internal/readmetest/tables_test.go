package readmetest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/config"
)

const root = "../.."

// A row of the table of settings begins with the key and the default.
var settingRow = regexp.MustCompile("(?m)^\\| `([a-z.-]+)` \\| (?:`([^`]*)`|–) \\|")

func TestREADMEListsEverySettingWithItsDefault(t *testing.T) {
	c, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	var want [][2]string
	for _, s := range c.Settings() {
		want = append(want, [2]string{s.Key, s.Value})
	}
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		var got [][2]string
		for _, row := range settingRow.FindAllStringSubmatch(read(t, name), -1) {
			got = append(got, [2]string{row[1], row[2]})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-settings +table):\n%s", name, diff)
		}
	}
}

var (
	// requirement is a direct module of go.mod.
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	// moduleRow is what it is for, and why the standard library is not enough.
	moduleRow = regexp.MustCompile("(?m)^\\| `([a-z]+\\.[^`]+/[^`]+)` \\| [^|]+ \\| [^|]+ \\|$")
)

func TestARCHITECTUREListsEveryDirectModule(t *testing.T) {
	want, got := modules(t, "go.mod", requirement), modules(t, "ARCHITECTURE.md", moduleRow)
	if len(want) < 5 {
		t.Fatalf("go.mod has %d direct modules only", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-go.mod +ARCHITECTURE.md):\n%s", diff)
	}
}

func modules(t *testing.T, name string, line *regexp.Regexp) []string {
	var list []string
	for _, found := range line.FindAllStringSubmatch(read(t, name), -1) {
		list = append(list, found[1])
	}
	slices.Sort(list)
	return list
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
