package base_test

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

// minimal is the smallest institution that takes the built-in maps as they are.
const minimal = "format: 1\nid: example\nname: 示范医院\nsources: {hl7: {format: hl7v2, base: true}}\n"

func load(t testing.TB, institution string) *mapping.Institution {
	t.Helper()
	inst, err := mapping.Load(fstest.MapFS{"institution.yaml": {Data: []byte(institution)}}, mapping.Options{Base: base.FS})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

func TestMapsLoadWithoutDoubts(t *testing.T) {
	inst := load(t, minimal)
	for _, w := range inst.Warnings() {
		t.Errorf("%s", w)
	}
	if len(inst.Maps()) < 15 {
		t.Errorf("%d maps, want all of them", len(inst.Maps()))
	}
}

var declared = regexp.MustCompile(`(?m)^(map|library): (\S+)`)

func TestFilesAreCalledAsWhatTheyDeclare(t *testing.T) {
	files, err := fs.Glob(base.FS, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := fs.ReadFile(base.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		m := declared.FindSubmatch(data)
		if m == nil || string(m[2]) != strings.TrimSuffix(file, ".yaml") {
			t.Errorf("%s does not declare a map or library of its name", file)
			continue
		}
		if !slices.Contains(strings.Fields(strings.ReplaceAll(string(page), "|", " ")), "`"+string(m[2])+"`") {
			t.Errorf("README.md does not list %s", m[2])
		}
	}
}
