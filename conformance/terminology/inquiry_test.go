package terminology_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/terminology"
)

func TestInquiryEndsWithItsSteps(t *testing.T) {
	c := terminology.New(definitions.R4(), terminology.Options{})
	set, err := c.ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender")
	if err != nil {
		t.Fatal(err)
	}
	q := c.Inquire(t.Context(), 10)
	for range 10 {
		if got := q.HasCode(set, "male"); got != definitions.Member || q.Exhausted() {
			t.Fatalf("%v before the steps are used up", got)
		}
	}
	if got := q.Has(set, "http://hl7.org/fhir/administrative-gender", "male"); got != definitions.Unknown || !q.Exhausted() {
		t.Errorf("%v after the steps are used up", got)
	}
	if got := c.Inquire(t.Context(), 0).HasCode(set, "none"); got != definitions.NotMember {
		t.Errorf("%v in an inquiry of its own", got)
	}
}
