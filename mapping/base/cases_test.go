package base_test

import (
	"os"
	"testing"

	"github.com/yilian/yilian/mapping/maptest"
)

// sender is the institution of the cases: the built-in maps, and names for its authorities.
const sender = `format: 1
id: example
name: 示范医院
authorities: {HOSP: institution, HIS: order, LIS: report}
sources: {hl7: {format: hl7v2, base: true}, cda: {format: xml, base: true}}
`

func TestCases(t *testing.T) {
	inst := load(t, sender)
	cases, err := maptest.Cases(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if rep := maptest.Run(inst, c); !rep.Passed() {
				t.Error(rep)
			}
		})
	}
}
