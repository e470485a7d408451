package interaction_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// named wants every Patient that claims a profile to have a name, and finds besides
// what the base specification finds too.
type named struct{ base interaction.Validator }

func (n named) Resource(r *fhir.Node) []fhir.Issue {
	issues := n.base.Resource(r)
	if r.Get("name") == nil && r.Path("meta", "profile") != nil {
		issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.TypeRequired, ID: "name-missing", Expression: "Patient", Text: "no name"})
	}
	return issues
}

const claiming = `{"resourceType":"Patient","id":"p1","meta":{"profile":["urn:named"]},"gender":"female"}`

func TestProfilesHoldByTheOwnersPolicy(t *testing.T) {
	for _, tt := range []struct {
		policy  interaction.ProfilePolicy
		refused bool
		counted int
	}{
		{interaction.RefuseProfiles, true, 0},
		{interaction.RecordProfiles, false, 1},
		{interaction.IgnoreProfiles, false, 0},
		{"", false, 1},
	} {
		t.Run(string(tt.policy), func(t *testing.T) {
			f := newFixture(t)
			counted := 0
			f.Profiles = named{f.Validator}
			f.Stored = func(institution string, errors int) {
				if institution != "city" {
					t.Errorf("counted for %s", institution)
				}
				counted += errors
			}
			if tt.policy != "" {
				f.ProfilePolicy = func(institution string) interaction.ProfilePolicy {
					if institution == "city" {
						return tt.policy
					}
					return interaction.IgnoreProfiles
				}
			}
			w, err := f.Create(f.ctx(), everybody, "Patient", tree(t, claiming))
			if tt.refused {
				if !fault.Is(err, fault.Invalid) || issuesOf(t, err)[0].ID != "name-missing" {
					t.Errorf("got %v", err)
				}
			} else {
				told := strings.Contains(string(fhir.Outcome("", w.Issues).AppendJSON(nil)), "name-missing")
				if err != nil || told != (tt.counted > 0) || fhir.HasErrors(w.Issues) {
					t.Errorf("%v %v", err, w.Issues)
				}
			}
			if counted != tt.counted {
				t.Errorf("%d counted, want %d", counted, tt.counted)
			}
			if _, err := f.Create(f.ctx(), everybody, "Patient", tree(t, `{"resourceType":"Patient","meta":{"profile":["urn:named"]},"gender":"m"}`)); issuesOf(t, err)[0].Expression != "Patient.gender" {
				t.Errorf("an error by the base specification: %v", err)
			}
		})
	}
}

func TestErrorsByProfilesAreKeptWithTheRecord(t *testing.T) {
	f := newFixture(t)
	f.Profiles = named{f.Validator}
	b := f.batch("city", 1, f.replace(claiming))
	if _, err := f.Apply(f.ctx(), b); err != nil {
		t.Fatal(err)
	}
	r, err := f.store.Record(f.ctx(), b.Record)
	if err != nil || r.State != store.Committed {
		t.Fatal(r.State, err)
	}
	if kept := interaction.Issues(r.Reason); len(kept) != 1 || kept[0].ID != "name-missing" || kept[0].Severity != fhir.Warning {
		t.Errorf("kept %v", kept)
	}
	f.ProfilePolicy = func(string) interaction.ProfilePolicy { return interaction.RefuseProfiles }
	if _, err := f.Apply(f.ctx(), f.batch("city", 2, f.replace(strings.Replace(claiming, "female", "male", 1)))); refusal(err) == nil {
		t.Errorf("a record that does not conform: %v", err)
	}
}

func TestACodeBeyondThePublishedCopyOfItsSystemIsNoted(t *testing.T) {
	const result = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"category":[{"coding":[
		{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"of-later"}]}]}`
	f := newFixture(t)
	w, err := f.Create(f.ctx(), everybody, "Observation", tree(t, result))
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Issues) == 0 || w.Issues[0].ID != "code-not-in-system" || w.Issues[0].Severity != fhir.Warning {
		t.Errorf("noted %v", w.Issues)
	}
	_, err = f.Create(f.ctx(), everybody, "Observation", tree(t, strings.Replace(result, `"final"`, `"of-later"`, 1)))
	if issues := issuesOf(t, err); issues[0].Expression != "Observation.status" {
		t.Errorf("a code that a required binding does not have: %v", issues)
	}
}
