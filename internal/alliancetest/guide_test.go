package alliancetest_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/alliancegen"
)

// What the members' maps make is what the alliance's implementation guide asks for.
func TestResourcesConformToTheGuide(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: ig.Guide(), NoBestPractice: true})
	checked := map[string]int{}
	check := func(institution string, n *fhir.Node) {
		profile := ig.Profile(n)
		if profile == "" {
			return
		}
		checked[profile]++
		for _, i := range v.Conforms(n, profile) {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				t.Errorf("%s: %s by %s: %s", institution, n.ResourceType(), profile, i)
			}
		}
	}
	for _, seed := range seeds {
		w := newWorld(t)
		w.deliver(t, alliancegen.Generate(seed, alliancegen.Options{}).Deliveries())
		for _, key := range w.order {
			check(w.stored[key].institution, w.stored[key].tree)
		}
		for id, inst := range w.members {
			check(id, inst.Organization())
		}
	}
	for _, id := range []string{"patient", "encounter", "order", "referral", "referral-task", "laboratory-report", "laboratory-result", "imaging-report",
		"imaging-study", "ecg-report", "ecg-measurement", "prescription", "organization", "practitioner", "practitioner-role", "record-document"} {
		if url := ig.Base + "/StructureDefinition/" + id; checked[url] == 0 {
			t.Errorf("no resource is held to %s", url)
		}
	}
}
