package ig_test

import (
	"context"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/terminology"
)

// The rules of the profile and the concept map tell the same of which status goes with which state.
func TestStatesOfReferralsGoWithTheSameStatusEverywhere(t *testing.T) {
	const (
		states   = ig.Base + "/CodeSystem/referral-state"
		statuses = "http://hl7.org/fhir/task-status"
		profile  = ig.Base + "/StructureDefinition/referral-task"
	)
	c, v := catalog(), thorough(ig.Guide())
	m, err := c.ConceptMap(ig.Base + "/ConceptMap/referral-state-task")
	if err != nil {
		t.Fatal(err)
	}
	system, _ := ig.Guide().Resolve("CodeSystem", states)
	allowed := 0
	for _, concept := range system.Get("concept").Items() {
		state := concept.Get("code").Text()
		found, err := c.Translate(context.Background(), terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{{System: states, Code: state}}})
		if err != nil {
			t.Fatal(err)
		}
		goes := map[string]bool{}
		for _, match := range found.Matches {
			goes[match.Coding.Code] = true
		}
		for _, status := range definitions.R4().CodeSystem(statuses).Concepts() {
			task, err := fhir.Parse([]byte(`{"resourceType": "Task", "status": "`+status.Code+`", "intent": "order",
				"businessStatus": {"coding": [{"system": "`+states+`", "code": "`+state+`"}]}}`), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			refused := false
			for _, i := range v.Conforms(task, profile) {
				refused = refused || i.ID == "invariant-failed" && strings.Contains(i.Text, "referral-state-")
			}
			if refused == goes[status.Code] {
				t.Errorf("%s with Task.status %s: the profile refuses it: %v; the concept map has it: %v", state, status.Code, refused, goes[status.Code])
			}
			if !refused {
				allowed++
			}
		}
	}
	if allowed == 0 {
		t.Error("no status goes with any state")
	}
}
