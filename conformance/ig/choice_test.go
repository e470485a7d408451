package ig_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
)

func TestProfileFollowsTypeAndCategory(t *testing.T) {
	category := func(typ, system, code string) string {
		return `{"resourceType":"` + typ + `","category":[{"text":"first"},{"coding":[{"code":"x"},{"system":"` + system + `","code":"` + code + `"}]}]`
	}
	const (
		reports      = "http://terminology.hl7.org/CodeSystem/v2-0074"
		observations = "http://terminology.hl7.org/CodeSystem/observation-category"
	)
	for _, tt := range []struct{ name, resource, want string }{
		{"patient", `{"resourceType":"Patient"}`, "patient"},
		{"document", `{"resourceType":"DocumentReference","type":{"coding":[{"system":"urn:oid:2.16.156.10011.2.4","code":"C0007"}]}}`, "record-document"},
		{"document of another kind", `{"resourceType":"DocumentReference","type":{"coding":[{"system":"http://loinc.org","code":"18842-5"}]}}`, ""},
		{"referral", category("ServiceRequest", ig.Base+"/CodeSystem/referral-direction", "up") + "}", "referral"},
		{"order", category("ServiceRequest", reports, "LAB") + "}", "order"},
		{"order without a category", `{"resourceType":"ServiceRequest"}`, "order"},
		{"task of a referral", `{"resourceType":"Task","focus":{"reference":"ServiceRequest/1"}}`, "referral-task"},
		{"task of a referral that is known by its number", `{"resourceType":"Task","focus":{"type":"ServiceRequest","identifier":{"value":"1"}}}`, "referral-task"},
		{"task of something else", `{"resourceType":"Task","focus":{"reference":"ServiceRequester/1"}}`, ""},
		{"laboratory report", category("DiagnosticReport", reports, "LAB") + "}", "laboratory-report"},
		{"imaging report", category("DiagnosticReport", reports, "RAD") + "}", "imaging-report"},
		{"electrocardiogram", category("DiagnosticReport", reports, "EC") + "}", "ecg-report"},
		{"pathology report", category("DiagnosticReport", reports, "PAT") + "}", ""},
		{"code of another system", category("DiagnosticReport", "urn:other", "LAB") + "}", ""},
		{"laboratory result", category("Observation", observations, "laboratory") + "}", "laboratory-result"},
		{"measurement", category("Observation", observations, "procedure") + `,"code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]}}`, "ecg-measurement"},
		{"findings in words", category("Observation", observations, "procedure") + `,"code":{"coding":[{"system":"http://loinc.org","code":"59776-5"}]}}`, ""},
		{"vital sign", category("Observation", observations, "vital-signs") + "}", ""},
		{"member", `{"resourceType":"Organization","type":[{"coding":[{"system":"` + ig.Base + `/CodeSystem/institution-level","code":"5"}]}]}`, "organization"},
		{"department", `{"resourceType":"Organization","type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/organization-type","code":"dept"}]}]}`, ""},
		{"type without a profile", `{"resourceType":"Appointment"}`, ""},
		{"nothing", `{}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := fhir.Parse([]byte(tt.resource), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want != "" {
				want = ig.Base + "/StructureDefinition/" + want
			}
			if got := ig.Profile(n); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
