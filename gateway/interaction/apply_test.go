package interaction_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

func TestWhatWritesDoToAStoredResource(t *testing.T) {
	const male, female = `{"resourceType":"Patient","id":"p1","gender":"male"}`, `{"resourceType":"Patient","id":"p1","gender":"female"}`
	for _, tt := range []struct {
		name   string
		writes func(f *fixture)
		want   string
	}{
		{
			"a newer record overwrites",
			func(f *fixture) {
				f.apply("city", 4, f.replace(male))
				f.apply("city", 5, f.replace(female))
			},
			female,
		},
		{
			"an older record does not overwrite a newer one",
			func(f *fixture) {
				f.apply("city", 5, f.replace(male))
				if got := f.apply("city", 4, f.replace(female)); got.State != store.Superseded {
					f.t.Errorf("state %s, want superseded", got.State)
				}
			},
			male,
		},
		{
			"filling gaps is never too old",
			func(f *fixture) {
				f.apply("city", 5, f.replace(male))
				f.apply("city", 4, f.fill(`{"resourceType":"Patient","id":"p1","gender":"female","birthDate":"1990-01-01"}`))
			},
			`{"resourceType":"Patient","id":"p1","gender":"male","birthDate":"1990-01-01"}`,
		},
		{
			"a sparse record that came first does not outrank an older full one",
			func(f *fixture) {
				f.apply("city", 5, f.fill(male))
				f.apply("city", 4, f.replace(female))
			},
			female,
		},
		{
			"filling gaps leaves the stamp of who stated the resource",
			func(f *fixture) {
				f.apply("city", 2, f.replace(male))
				f.apply("city", 9, f.fill(`{"resourceType":"Patient","id":"p1","birthDate":"1990-01-01"}`))
				f.apply("city", 5, f.replace(female))
			},
			female,
		},
		{
			"a record that says the same makes what it says as new as itself",
			func(f *fixture) {
				f.apply("city", 1, f.replace(male))
				if got := f.apply("city", 9, f.replace(male)); got.State != store.Unchanged {
					f.t.Errorf("state %s, want unchanged", got.State)
				}
				f.apply("city", 5, f.replace(female))
			},
			male,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.writes(f)
			if got := f.get("Patient", "p1"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestApplyWritesWholeOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	batch := f.batch("city", 1,
		f.replace(`{"resourceType":"Patient","id":"p1","gender":"female"}`),
		f.replace(`{"resourceType":"Observation","id":"o1","status":"no such status","code":{"text":"x"}}`))
	_, err := f.Apply(f.ctx(), batch)
	var refused *interaction.Refused
	if !errors.As(err, &refused) || !strings.HasPrefix(refused.Issues[0].Expression, "Observation.status") {
		t.Fatalf("got %v, want a refusal that names Observation.status", err)
	}
	if _, err := f.Read(f.ctx(), everybody, store.Key{Type: "Patient", ID: "p1"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("half of the record was written: %v", err)
	}
	if r, err := f.store.Record(f.ctx(), batch.Record); err != nil || r.State != store.Received {
		t.Errorf("the record ended as %s, %v", r.State, err)
	}
}

func TestApplyEndsARecordOnce(t *testing.T) {
	f := newFixture(t)
	batch := f.batch("city", 1, f.replace(`{"resourceType":"Patient","id":"p1","gender":"female"}`))
	if _, err := f.Apply(f.ctx(), batch); err != nil {
		t.Fatal(err)
	}
	batch.Writes = []interaction.Write{f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`)}
	if _, err := f.Apply(f.ctx(), batch); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if got := f.get("Patient", "p1"); !strings.Contains(got, "female") {
		t.Errorf("the record was applied twice: %s", got)
	}
}

func TestAnotherInstitutionsResourceIsNotOverwritten(t *testing.T) {
	f := newFixture(t)
	f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"p1","gender":"female"}`))
	_, err := f.Apply(f.ctx(), f.batch("county", 2, f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`)))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

const (
	order  = `{"resourceType":"ServiceRequest","id":"s1","identifier":[{"system":"https://yilian.dev/fhir/institution/city/order","value":"A7"}],"status":"active","intent":"order","subject":{"reference":"Patient/p1"}}`
	report = `{"resourceType":"DiagnosticReport","id":"r1","basedOn":[{"type":"ServiceRequest","identifier":{"system":"https://yilian.dev/fhir/institution/city/order","value":"A7"}}],"status":"final","code":{"text":"血糖"}}`
)

func TestReferencesResolveInBothOrdersOfArrival(t *testing.T) {
	want := `"basedOn":[{"reference":"ServiceRequest/s1","type":"ServiceRequest","identifier":{"system":"https://yilian.dev/fhir/institution/city/order","value":"A7"}}]`
	for _, tt := range []struct {
		name  string
		apply func(f *fixture)
	}{
		{"order first", func(f *fixture) {
			f.apply("city", 1, f.replace(order))
			f.apply("lab", 2, f.replace(report))
		}},
		{"result first", func(f *fixture) {
			f.apply("lab", 2, f.replace(report))
			if got := f.get("DiagnosticReport", "r1"); strings.Contains(got, "reference") {
				f.t.Errorf("a reference to nothing: %s", got)
			}
			f.apply("city", 1, f.replace(order))
		}},
		{"both in one record", func(f *fixture) { f.apply("city", 1, f.replace(report), f.replace(order)) }},
		{"order created by a client", func(f *fixture) {
			f.apply("lab", 2, f.replace(report))
			f.apply("city", 1, f.replace(order))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.apply(f)
			if got := f.get("DiagnosticReport", "r1"); !strings.Contains(got, want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestTheResolvedReferenceKeepsItsOwner(t *testing.T) {
	f := newFixture(t)
	f.apply("lab", 2, f.replace(report))
	f.apply("city", 1, f.replace(order))
	v, err := f.Read(f.ctx(), everybody, store.Key{Type: "DiagnosticReport", ID: "r1"})
	if err != nil || v.Owner != "lab" || v.Number != 2 {
		t.Errorf("owner %s, version %d, %v", v.Owner, v.Number, err)
	}
}
