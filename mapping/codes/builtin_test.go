package codes_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/codes"
)

func TestBuiltinsParse(t *testing.T) {
	names := codes.BuiltinNames()
	if len(names) < 60 {
		t.Fatalf("only %d tables", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			table, ok := codes.Builtin(name)
			if !ok || table.Len() == 0 || table.Title() == name {
				t.Fatalf("table is missing, empty or without a title")
			}
			for _, e := range table.Entries() {
				if got := table.Translate(e.Code); got.Source.Code != e.Code || got.Match != codes.Exact {
					t.Errorf("%s is translated as %v", e.Code, got)
				}
				for _, a := range e.Aliases {
					if got := table.Translate(a); got.Source.Code != e.Code {
						t.Errorf("alias %s of %s is translated as %v", a, e.Code, got)
					}
				}
			}
		})
	}
}
