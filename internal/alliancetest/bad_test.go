package alliancetest

import (
	"fmt"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
)

func TestBadRecordsAreRefusedAndTheRestGoesOn(t *testing.T) {
	for _, seed := range seeds {
		a := alliancegen.Generate(seed, alliancegen.Options{})
		w := newWorld(t)
		w.deliver(t, a.Bad())
		for _, r := range a.Ledger.Bad.Records {
			f, ok := w.fates[fmt.Sprintf("%s#%d", r.File, r.Position)]
			t.Log(seed, r.File, r.Position, r.Reason, ok, f.refused, f.written, f.issues)
		}
	}
}
