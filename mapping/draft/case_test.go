package draft_test

import (
	"path"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
	"github.com/yilian/yilian/mapping/maptest"
)

// runCases runs the drafted cases; each must make something.
func runCases(t *testing.T, inst *mapping.Institution, d *draft.Draft, least int) {
	t.Helper()
	n := 0
	for _, f := range d.Files {
		if !strings.HasPrefix(f.Name, "cases/") {
			continue
		}
		n++
		c, err := maptest.Parse(path.Base(f.Name), f.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		rep := maptest.Run(inst, c)
		if !rep.Passed() {
			t.Errorf("%s: %v", f.Name, rep.Diff)
		}
		if len(rep.Got) == 0 {
			t.Errorf("%s: nothing comes out", f.Name)
		}
	}
	if n < least {
		t.Errorf("%d cases, want at least %d", n, least)
	}
}
