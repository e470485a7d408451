package alliancetest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
)

// kinds are the reasons the ledger gives, by the codes with which readers and maps refuse a record. An institution that is no
// member has neither.
var kinds = map[string][]string{
	alliancegen.Truncated:   {"truncated", "message-type"},
	alliancegen.Charset:     {"charset"},
	alliancegen.Syntax:      {"truncated", "json"},
	alliancegen.Columns:     {"columns"},
	alliancegen.Formula:     {"formula"},
	alliancegen.ControlChar: {"nul"},
	alliancegen.Limit:       {"too-many-repetitions", "too-large"},
	alliancegen.Version:     {"version"},
	alliancegen.Identity:    {"rule-required"},
	alliancegen.Entities:    {"dtd", "entity"},
	alliancegen.Template:    {"no-map"},
	alliancegen.Digits:      {"digits-lost"},
	alliancegen.ErrorValue:  {"rule-required"},
	alliancegen.OldFormat:   {"old-workbook"},
}

func TestBadRecordsAreRefusedAndTheRestGoesOn(t *testing.T) {
	for _, seed := range seeds {
		a := alliancegen.Generate(seed, alliancegen.Options{})
		w := newWorld(t)
		w.deliver(t, a.Bad())
		for _, r := range a.Ledger.Bad.Records {
			at := fmt.Sprintf("seed %d: %s#%d", seed, r.File, r.Position)
			f, ok := w.fates[fmt.Sprintf("%s#%d", r.File, r.Position)]
			switch {
			case r.Reason == alliancegen.Unknown:
				if ok {
					t.Errorf("%s: taken from an institution that is no member", at)
				}
			case !ok:
				t.Errorf("%s: nothing became of it", at)
			case r.Fate == alliancegen.Committed:
				if f.refused != "" || f.written == 0 {
					t.Errorf("%s: refused: %s", at, f.refused)
				}
			case kinds[r.Reason] == nil:
				t.Errorf("%s: the ledger has a reason %q that nothing here knows", at, r.Reason)
			case !slices.Contains(kinds[r.Reason], f.refused):
				t.Errorf("%s: got %q, want %v for %q", at, f.refused, kinds[r.Reason], r.Reason)
			}
		}
		for _, m := range alliancetest.CheckPatients(w.holdings(), a.Ledger.Bad.Patients).Missing {
			t.Error(m)
		}
	}
}
