package alliancetest_test

import (
	"fmt"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
)

// seeds are the committed data set and others: other names, numbers, codes in use, column orders and spellings.
var seeds = []uint64{1, 2, 20, 97}

func TestEveryFactIsStated(t *testing.T) {
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			a := alliancegen.Generate(seed, alliancegen.Options{})
			w := newWorld(t)
			w.deliver(t, a.Deliveries())
			c := alliancetest.Check(w.holdings(), a.Ledger)
			for _, m := range c.Missing {
				t.Error(m)
			}
			t.Logf("%d facts, %d missing", c.Checked, len(c.Missing))
			w.validate(t)
			w.compareFates(t, a.Ledger.Records)
		})
	}
}

// validate holds every resource to base R4, its invariants and the profiles that it requires.
func (w *world) validate(t *testing.T) {
	t.Helper()
	v := validate.New(definitions.R4(), validate.Options{Thorough: true})
	for _, key := range w.order {
		for _, i := range v.Resource(w.stored[key].tree) {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				t.Errorf("%s: %s", w.stored[key].tree.ResourceType(), i)
			}
		}
	}
}

// compareFates compares what became of each record with what the ledger says. A table row that is only joined to others is
// no record of its own here.
func (w *world) compareFates(t *testing.T, records []alliancegen.Record) {
	t.Helper()
	for _, r := range records {
		at := fmt.Sprintf("%s#%d", r.File, r.Position)
		f, ok := w.fates[at+" "+r.Kind]
		if !ok && r.Kind != "检验结果" {
			f, ok = w.fates[at]
		}
		if !ok {
			if r.Kind != "HIS_ZD" && r.Kind != "LIS_BGXM" && r.Kind != "检验结果" {
				t.Errorf("%s: nothing became of it", at)
			}
			continue
		}
		switch {
		case f.refused != "":
			t.Errorf("%s: refused: %s", at, f.refused)
		case r.Fate == alliancegen.Superseded && f.changed > 0:
			t.Errorf("%s: an older record changed %d resources", at, f.changed)
		case r.Fate == alliancegen.Duplicate && f.changed > 0:
			t.Errorf("%s: a record that came again changed %d resources", at, f.changed)
		case f.written == 0:
			t.Errorf("%s: made nothing", at)
		}
	}
}
