package definitions_test

import (
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
)

// Limits the embedded file is held to.
const (
	maxEmbedded = 4_000_000
	maxFirstUse = 20 * time.Millisecond
	longestTry  = 10 * time.Second
)

func TestFileIsSmall(t *testing.T) {
	if n := len(definitions.Embedded()); n > maxEmbedded {
		t.Errorf("the embedded file has %d bytes, more than %d", n, maxEmbedded)
	}
	if v := r4.Version(); v != "4.0.1" {
		t.Errorf("version %s", v)
	}
}

// On a busy machine most attempts are interrupted, so one that is fast says that it is.
func TestFirstUseIsFast(t *testing.T) {
	best := time.Hour
	for began := time.Now(); best > maxFirstUse && time.Since(began) < longestTry; {
		start := time.Now()
		d, err := definitions.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Resolve("Patient.contact.name.given"); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	if best > maxFirstUse {
		t.Errorf("first use takes %v at best, more than %v", best, maxFirstUse)
	}
}
