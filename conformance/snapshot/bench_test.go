package snapshot_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/snapshot"
)

// large is a profile on ExplanationOfBenefit whose result has 342 elements.
const large = identifierOfBenefit + `,
	{"path": "ExplanationOfBenefit.identifier", "sliceName": "a", "min": 1},
	{"path": "ExplanationOfBenefit.identifier.type.coding.code", "min": 1},
	{"path": "ExplanationOfBenefit.patient.identifier.assigner.identifier.value", "min": 1},
	{"path": "ExplanationOfBenefit.item.adjudication", "slicing": {"discriminator": [{"type": "value", "path": "category"}], "rules": "open"}},
	{"path": "ExplanationOfBenefit.item.adjudication", "sliceName": "x", "min": 1},
	{"path": "ExplanationOfBenefit.item.adjudication.amount.value", "min": 1},
	{"path": "ExplanationOfBenefit.item.detail.adjudication.amount.value", "min": 1},
	{"path": "ExplanationOfBenefit.item.detail.subDetail.adjudication.amount.value", "min": 1},
	{"path": "ExplanationOfBenefit.total.amount.value", "min": 1}`

const identifierOfBenefit = `{"path": "ExplanationOfBenefit.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}}`

// BenchmarkGenerate makes the snapshot of a large profile: cold with nothing read before but the index of the
// definitions, warm with the snapshots it needs in memory.
func BenchmarkGenerate(b *testing.B) {
	sd := constraint(b, "urn:new", "ExplanationOfBenefit", "ExplanationOfBenefit", large)
	defs := definitions.R4()
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, issues := snapshot.New(packages.NewCore(defs, 0), snapshot.Options{}).Generate(sd); len(issues) > 0 {
				b.Fatal(issues)
			}
		}
	})
	b.Run("warm", func(b *testing.B) {
		g := snapshot.New(packages.NewCore(defs, 0), snapshot.Options{})
		out, _ := g.Generate(sd)
		b.ReportAllocs()
		for b.Loop() {
			g.Generate(sd)
		}
		b.ReportMetric(float64(out.Path("snapshot", "element").Len()), "elements")
	})
}
