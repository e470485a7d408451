package draft_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/draft"
)

func BenchmarkFrom(b *testing.B) {
	files := samples(b, deliveries+"*-county-hospital-*/*.csv")
	for b.Loop() {
		from(b, files, draft.Options{})
	}
}
