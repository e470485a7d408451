package suites_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/patch"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/reference"
)

// examples are the guide's, which are a good feed.
func examples(t *testing.T) []*fhir.Node {
	t.Helper()
	list := ig.Guide().Examples()
	for i, n := range list {
		list[i] = n.Clone()
	}
	return list
}

func serve(list []*fhir.Node, faults ...reference.Fault) *reference.Server {
	s := reference.New(faults...)
	for _, n := range list {
		s.Put(n)
	}
	return s
}

func TestFeedOfExamplesIsGood(t *testing.T) {
	report := runSuite(t, load(t, "feed"), serve(examples(t)))
	if ids, why := bad(report); ids != nil {
		t.Error(why)
	}
}

// TestFeedNamesWhatIsWrong spoils one resource of a good feed at a time. The scripts that must fail are named, and each of
// them must name the resource.
func TestFeedNamesWhatIsWrong(t *testing.T) {
	suite := load(t, "feed")
	failing := map[string]bool{}
	for _, tt := range []struct {
		name, at, patch, want string
	}{
		{"a patient without a number", "Patient/patient-wang", `[{"op":"remove","path":"/identifier"}]`, "patients"},
		{"a resident number with a wrong check digit", "Patient/patient-wang", `RESIDENT`, "patients"},
		{"a number of a system that is a word", "Patient/patient-wang", `[{"op":"replace","path":"/identifier/0/system","value":"MRN"}]`, "patients"},
		{"an encounter of nobody", "Encounter/encounter-outpatient", `[{"op":"remove","path":"/subject"}]`, "encounters"},
		{"an encounter of a class that FHIR does not have", "Encounter/encounter-outpatient", `[{"op":"replace","path":"/class","value":{"system":"urn:local","code":"1"}}]`, "encounters"},
		{"an order without a date", "ServiceRequest/order-hba1c", `[{"op":"remove","path":"/authoredOn"}]`, "orders"},
		{"an order without a number", "ServiceRequest/order-hba1c", `[{"op":"remove","path":"/identifier"}]`, "orders"},
		{"a referral that does not say why", "ServiceRequest/referral-up", `[{"op":"remove","path":"/reasonCode"}]`, "referrals"},
		{"a state that is not the alliance's", "Task/referral-task", `[{"op":"replace","path":"/businessStatus","value":{"text":"done"}}]`, "referral-tasks"},
		{"a laboratory report without a date", "DiagnosticReport/laboratory-report", `[{"op":"remove","path":"/issued"}]`, "laboratory-reports"},
		{"an order of a report that nobody can follow", "DiagnosticReport/laboratory-report", `[{"op":"replace","path":"/basedOn","value":[{"display":"an order"}]}]`, "orders-and-results"},
		{"an imaging report without a conclusion", "DiagnosticReport/imaging-report", `CONCLUSION`, "imaging-reports"},
		{"an ECG report without performer", "DiagnosticReport/ecg-report", `[{"op":"remove","path":"/performer"}]`, "ecg-reports"},
		{"a number as a text", "Observation/laboratory-result-hba1c", `[{"op":"remove","path":"/valueQuantity"},{"op":"add","path":"/valueString","value":"<9.8"}]`, "laboratory-results"},
		{"a unit that is none of UCUM", "Observation/laboratory-result-hba1c", `[{"op":"replace","path":"/valueQuantity","value":{"value":9.8,"unit":"百分"}}]`, "laboratory-results"},
		{"a quantity without a value", "Observation/laboratory-result-hba1c", `[{"op":"remove","path":"/valueQuantity/value"}]`, "laboratory-results"},
		{"no value and no reason", "Observation/laboratory-result-hba1c", `[{"op":"remove","path":"/valueQuantity"}]`, "laboratory-results"},
		{"a result that is only a text", "Observation/laboratory-result-hba1c", `[{"op":"remove","path":"/code/coding"}]`, "laboratory-results"},
		{"a result of somebody who is not there", "Observation/laboratory-result-hba1c", `[{"op":"replace","path":"/subject/reference","value":"Patient/nobody"}]`, "references"},
		{"a report that names a result that is not there", "DiagnosticReport/laboratory-report", `[{"op":"add","path":"/result/-","value":{"reference":"Observation/nothing"}}]`, "references"},
		{"an imaging study without UID", "ImagingStudy/imaging-study", `[{"op":"remove","path":"/identifier"}]`, "imaging-studies"},
		{"a prescription without a number", "MedicationRequest/prescription", `[{"op":"remove","path":"/identifier"}]`, "prescriptions"},
		{"an institution without its national number", "Organization/organization-county-hospital", `[{"op":"remove","path":"/identifier"}]`, "organizations"},
		{"a doctor without a name", "Practitioner/practitioner-li", `[{"op":"remove","path":"/name"}]`, "practitioners"},
		{"a document without a type", "DocumentReference/record-document", `[{"op":"remove","path":"/type"}]`, "documents"},
		{"a diagnosis in words", "Condition/spoilt", `{"resourceType":"Condition","id":"spoilt","code":{"text":"感冒"},"subject":{"reference":"Patient/patient-wang"}}`, "diagnoses"},
	} {
		for _, id := range strings.Fields(tt.want) {
			failing["feed-"+id] = true
		}
		t.Run(tt.name, func(t *testing.T) {
			report := runSuite(t, suite, serve(spoil(t, examples(t), tt.at, tt.patch)))
			got, why := bad(report)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], "feed-")
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%v, want %s%s", got, tt.want, why)
			}
			_, id, _ := strings.Cut(tt.at, "/")
			for i := range report.Scripts {
				if s := &report.Scripts[i]; !s.Result.OK() && !names(s, id) {
					t.Errorf("%s does not name %s%s", s.ID, id, why)
				}
			}
		})
	}
	got, why := bad(runSuite(t, suite, serve(examples(t), reference.CapabilitiesInteraction)))
	if !slices.Equal(got, []string{"feed-capabilities"}) {
		t.Errorf("a server that does not promise update: %v%s", got, why)
	}
	failing["feed-capabilities"] = true
	for _, s := range suite.Scripts {
		if !failing[s.ID] {
			t.Errorf("nothing makes %s fail, so it may be one that cannot", s.ID)
		}
	}
}

func TestFeedOfNothingFails(t *testing.T) {
	got, _ := bad(runSuite(t, load(t, "feed"), reference.New()))
	for _, id := range []string{"feed-patients", "feed-encounters", "feed-orders", "feed-laboratory-reports", "feed-laboratory-results"} {
		if !slices.Contains(got, id) {
			t.Errorf("%s passes where there is nothing", id)
		}
	}
}

func TestFeedLooksAtEveryPage(t *testing.T) {
	list := examples(t)
	for _, n := range examples(t) {
		if n.ResourceType() != "Patient" || n.ID() != "patient-wang" {
			continue
		}
		for i := range 220 { // on the third page
			c := n.Clone().SetString("id", "many-"+string(rune('a'+i/26))+string(rune('a'+i%26)))
			if i == 215 {
				c.SetString("id", "spoilt").Remove("name")
			}
			list = append(list, c)
		}
	}
	report := runSuite(t, load(t, "feed"), serve(list))
	for i := range report.Scripts {
		if s := &report.Scripts[i]; s.ID == "feed-patients" && (s.Result.OK() || !names(s, "Patient/spoilt")) {
			t.Errorf("%s: what is wrong on the third page is not found", s.Result)
		}
	}
}

// spoil patches one resource of a list, or adds one.
func spoil(t *testing.T, list []*fhir.Node, at, change string) []*fhir.Node {
	t.Helper()
	switch change {
	case "RESIDENT":
		change = `[{"op":"add","path":"/identifier/-","value":{"system":"urn:oid:2.16.156.10011.1.3","value":"990102196604050001"}}]`
	case "CONCLUSION":
		change = `[{"op":"remove","path":"/conclusion"}]`
	}
	n, err := fhir.Parse([]byte(change), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Kind() == fhir.Object {
		return append(list, n)
	}
	kind, id, _ := strings.Cut(at, "/")
	i := slices.IndexFunc(list, func(n *fhir.Node) bool { return n.ResourceType() == kind && n.ID() == id })
	if i < 0 {
		t.Fatalf("the guide has no example %s", at)
	}
	if list[i], err = patch.ApplyJSON(list[i], n, patch.Limits{}); err != nil {
		t.Fatal(err)
	}
	return list
}

// names reports whether anything that did not pass names a resource.
func names(s *testscript.ScriptReport, id string) bool {
	return slices.ContainsFunc(actions(s), func(a testscript.ActionReport) bool {
		return !a.Result.OK() && strings.Contains(a.Detail+a.Message, id)
	})
}
