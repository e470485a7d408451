package definitions_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
)

const (
	fhirSet   = "http://hl7.org/fhir/ValueSet/"
	tableOf   = "http://terminology.hl7.org/CodeSystem/v2-"
	v3Systems = "http://terminology.hl7.org/CodeSystem/v3-"
)

func codes(v *definitions.ValueSet) string {
	var out []string
	for _, c := range v.Concepts() {
		out = append(out, c.Code)
	}
	return strings.Join(out, " ")
}

func TestValueSets(t *testing.T) {
	for url, want := range map[string]string{
		fhirSet + "administrative-gender": "male female other unknown",
		fhirSet + "observation-status":    "registered preliminary final amended corrected cancelled entered-in-error unknown",
		fhirSet + "name-use":              "usual official temp nickname anonymous old maiden",
		fhirSet + "encounter-status":      "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
		fhirSet + "request-intent":        "proposal plan directive order original-order reflex-order filler-order instance-order option",
		fhirSet + "diagnostic-report-status": "registered partial preliminary final amended corrected appended cancelled " +
			"entered-in-error unknown",
		fhirSet + "quantity-comparator": "< <= >= >",
	} {
		v := r4.ValueSet(url)
		if v == nil {
			t.Errorf("%s is unknown", url)
			continue
		}
		if got := codes(v); !sameWords(got, want) {
			t.Errorf("%s has %s", url, got)
		}
		if !v.Complete || len(v.Open) > 0 || v.URL != url || v.Name == "" {
			t.Errorf("%s: complete %v, open %v, name %q", v.URL, v.Complete, v.Open, v.Name)
		}
		if r4.ValueSet(url+"|4.0.1") != v {
			t.Errorf("%s is not found with its version", url)
		}
	}
	if r4.ValueSet(fhirSet+"nothing") != nil {
		t.Error("an unknown value set is found")
	}
}

// sameWords compares without order where nested codes come in another one.
func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestValueSetMembership(t *testing.T) {
	const (
		yes     = definitions.Member
		no      = definitions.NotMember
		unknown = definitions.Unknown
	)
	for _, tt := range []struct {
		set, system, code string
		want              definitions.Membership
	}{
		{fhirSet + "administrative-gender", "http://hl7.org/fhir/administrative-gender", "male", yes},
		{fhirSet + "administrative-gender", "http://hl7.org/fhir/administrative-gender", "Male", no},
		{fhirSet + "administrative-gender", tableOf + "0001", "M", no},
		{fhirSet + "administrative-gender", "", "male", no},
		// Concepts below the excluded top, in two levels.
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", v3Systems + "ActCode", "AMB", yes},
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", v3Systems + "ActCode", "ACUTE", yes},
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", v3Systems + "ActCode", "_ActEncounterCode", no},
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", v3Systems + "ActCode", "AUTO", no},
		// Systems the specification does not enumerate.
		{fhirSet + "observation-codes", "http://loinc.org", "14749-6", unknown},
		{fhirSet + "observation-codes", "http://snomed.info/sct", "1", no},
		{fhirSet + "mimetypes", "urn:ietf:bcp:13", "application/pdf", unknown},
		{fhirSet + "condition-code", "http://snomed.info/sct", "1", unknown},
		// Some members listed by the set itself, with systems known nowhere.
		{fhirSet + "observation-vitalsignresult", "http://loinc.org", "8867-4", yes},
		{fhirSet + "observation-vitalsignresult", "http://loinc.org", "14749-6", no},
		{fhirSet + "languages", "urn:ietf:bcp:47", "zh-CN", yes},
		// One set made of several.
		{fhirSet + "all-types", "http://hl7.org/fhir/resource-types", "Patient", yes},
		{fhirSet + "all-types", "http://hl7.org/fhir/data-types", "HumanName", yes},
		{fhirSet + "defined-types", "http://hl7.org/fhir/data-types", "HumanName", yes},
		// A set of everything outside a branch.
		{fhirSet + "patient-contactrelationship", tableOf + "0131", "N", yes},
		{fhirSet + "patient-contactrelationship", tableOf + "0131", "O", no},
	} {
		v := r4.ValueSet(tt.set)
		if v == nil {
			t.Errorf("%s is unknown", tt.set)
			continue
		}
		if got := v.Has(tt.system, tt.code); got != tt.want {
			t.Errorf("%s has %s|%s: %v, want %v", tt.set, tt.system, tt.code, got, tt.want)
		}
	}
	mimes := r4.ValueSet(fhirSet + "mimetypes")
	if mimes.Complete || mimes.HasCode("application/pdf") != unknown {
		t.Error("mime types are enumerable")
	}
	genders := r4.ValueSet(fhirSet + "administrative-gender")
	if genders.HasCode("female") != yes || genders.HasCode("F") != no {
		t.Error("genders without system are judged wrongly")
	}
	if c, ok := genders.LookupCode("female"); !ok || c.Display != "Female" || c.System != "http://hl7.org/fhir/administrative-gender" {
		t.Errorf("female is %+v", c)
	}
	if c, ok := genders.Lookup("http://hl7.org/fhir/administrative-gender", "other"); !ok || c.Display != "Other" {
		t.Errorf("other is %+v", c)
	}
}

// TestRequiredBindingsAreThere: of the sets that codes must come from, only
// those that nobody could list are open.
func TestRequiredBindingsAreThere(t *testing.T) {
	open := map[string]bool{}
	for _, name := range r4.TypeNames() {
		for _, e := range r4.Type(name).Elements() {
			if e.Binding == nil || e.Binding.Strength != definitions.BindingRequired {
				continue
			}
			v := r4.ValueSet(e.Binding.ValueSet)
			switch {
			case v == nil && e.Binding.ValueSet == "http://loinc.org/vs/LL379-9":
				// An answer list of LOINC, not published with FHIR.
			case v == nil:
				t.Errorf("%s: value set %s is unknown", e.Path, e.Binding.ValueSet)
			case !v.Complete:
				open[v.URL] = true
			case len(v.Concepts()) == 0:
				t.Errorf("%s: value set %s is empty", e.Path, v.URL)
			}
		}
	}
	want := map[string]bool{fhirSet + "mimetypes": true, fhirSet + "currencies": true, fhirSet + "ucum-units": true}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("open required value sets (-want +got):\n%s", diff)
	}
}

func TestCodeSystems(t *testing.T) {
	for _, tt := range []struct{ system, code, display string }{
		{tableOf + "0001", "M", "Male"},
		{tableOf + "0203", "MR", "Medical record number"},
		{tableOf + "0085", "F", "Final results"},
		{tableOf + "0004", "I", "Inpatient"},
		{v3Systems + "ActCode", "IMP", "inpatient encounter"},
		{v3Systems + "ObservationInterpretation", "HH", "Critical high"},
		{v3Systems + "MaritalStatus", "M", "Married"},
		{"http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory"},
		{"http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"},
		{"http://hl7.org/fhir/administrative-gender", "unknown", "Unknown"},
		{"http://terminology.hl7.org/CodeSystem/v2-0006|2.4", "ABC", "Christian: American Baptist Church"},
		{tableOf + "0001", "X", ""},
		{"http://nowhere", "M", ""},
	} {
		if got := r4.Display(tt.system, tt.code); got != tt.display {
			t.Errorf("%s|%s is %q, want %q", tt.system, tt.code, got, tt.display)
		}
	}
	act := r4.CodeSystem(v3Systems + "ActCode")
	if !act.Complete || !act.Subsumes("_ActEncounterCode", "ACUTE") || !act.Subsumes("IMP", "IMP") || act.Subsumes("AMB", "ACUTE") || act.Subsumes("IMP", "nothing") {
		t.Error("the hierarchy of ActCode is wrong")
	}
	if c, ok := act.Lookup("_ActEncounterCode"); !ok || !c.Abstract {
		t.Errorf("_ActEncounterCode is %+v", c)
	}
	if c, ok := act.Lookup("AMB"); !ok || c.Abstract || c.Inactive {
		t.Errorf("AMB is %+v", c)
	}
	if sct := r4.CodeSystem("http://snomed.info/sct"); sct.Complete || len(sct.Concepts()) > 0 {
		t.Error("SNOMED CT is enumerated")
	}
	if r4.CodeSystem("http://loinc.org") != nil {
		t.Error("LOINC is among the definitions")
	}
}

func TestEveryValueSetAndCodeSystemDecodes(t *testing.T) {
	sets, systems := r4.URLs("ValueSet"), r4.URLs("CodeSystem")
	if len(sets) != 1316 || len(systems) != 1062 {
		t.Errorf("%d value sets, %d code systems", len(sets), len(systems))
	}
	for _, url := range systems {
		c := r4.CodeSystem(url)
		for _, k := range c.Concepts() {
			if got, ok := c.Lookup(k.Code); !ok || got != k {
				t.Errorf("%s: %s is not found", url, k.Code)
			}
		}
	}
	for _, url := range sets {
		v := r4.ValueSet(url)
		for _, k := range v.Concepts() {
			if v.Has(k.System, k.Code) != definitions.Member || v.HasCode(k.Code) != definitions.Member {
				t.Errorf("%s: %s|%s is no member", url, k.System, k.Code)
			}
		}
	}
}
