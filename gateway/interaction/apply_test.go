package interaction_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

const (
	fullPatient   = `{"resourceType":"Patient","id":"p1","identifier":[{"system":"https://yilian.dev/fhir/institution/city/patient","value":"1"}],"name":[{"text":"甲"}],"gender":"female","telecom":[{"system":"phone","value":"12000000001"}]}`
	sparsePatient = `{"resourceType":"Patient","id":"p1","identifier":[{"system":"https://yilian.dev/fhir/institution/city/patient","value":"1"},{"system":"urn:oid:2.16.156.10011.1.19","value":"K1"}],"name":[{"text":"甲某"}],"birthDate":"1990-01-01"}`
)

func TestWhatWritesDoToAStoredResource(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes func(f *fixture)
		want   string
	}{
		{
			"replace takes over what it has and keeps what it does not mention",
			func(f *fixture) {
				f.apply("city", 1, f.replace(fullPatient))
				f.apply("city", 2, f.replace(`{"resourceType":"Patient","id":"p1","name":[{"text":"乙"}]}`))
			},
			`{"resourceType":"Patient","id":"p1","identifier":[{"system":"https://yilian.dev/fhir/institution/city/patient","value":"1"}],"name":[{"text":"乙"}],"gender":"female","telecom":[{"system":"phone","value":"12000000001"}]}`,
		},
		{
			"replace removes what it clears",
			func(f *fixture) {
				f.apply("city", 1, f.replace(fullPatient))
				f.apply("city", 2, f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`, "telecom", "name", "identifier"))
			},
			`{"resourceType":"Patient","id":"p1","gender":"male"}`,
		},
		{
			"merge fills gaps and adds identifiers of new systems",
			func(f *fixture) {
				f.apply("city", 1, f.replace(fullPatient))
				f.apply("city", 2, f.merge(sparsePatient))
			},
			`{"resourceType":"Patient","id":"p1","identifier":[{"system":"https://yilian.dev/fhir/institution/city/patient","value":"1"},{"system":"urn:oid:2.16.156.10011.1.19","value":"K1"}],"name":[{"text":"甲"}],"gender":"female","telecom":[{"system":"phone","value":"12000000001"}],"birthDate":"1990-01-01"}`,
		},
		{
			"an older record does not overwrite a newer one",
			func(f *fixture) {
				f.apply("city", 5, f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`))
				if got := f.apply("city", 4, f.replace(`{"resourceType":"Patient","id":"p1","gender":"female"}`)); got.State != store.Superseded {
					f.t.Errorf("state %s, want superseded", got.State)
				}
			},
			`{"resourceType":"Patient","id":"p1","gender":"male"}`,
		},
		{
			"a sparse record that came first does not outrank an older full one",
			func(f *fixture) {
				f.apply("city", 5, f.merge(`{"resourceType":"Patient","id":"p1","name":[{"text":"甲某"}]}`))
				f.apply("city", 4, f.replace(`{"resourceType":"Patient","id":"p1","name":[{"text":"甲"}]}`))
			},
			`{"resourceType":"Patient","id":"p1","name":[{"text":"甲"}]}`,
		},
		{
			"a record that says the same makes what it says as new as itself",
			func(f *fixture) {
				f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`))
				if got := f.apply("city", 9, f.replace(`{"resourceType":"Patient","id":"p1","gender":"male"}`)); got.State != store.Unchanged {
					f.t.Errorf("state %s, want unchanged", got.State)
				}
				f.apply("city", 5, f.replace(`{"resourceType":"Patient","id":"p1","gender":"female"}`))
			},
			`{"resourceType":"Patient","id":"p1","gender":"male"}`,
		},
		{
			"another type of a choice is not added beside the stored one",
			func(f *fixture) {
				f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"p1","deceasedBoolean":true}`))
				f.apply("city", 2, f.merge(`{"resourceType":"Patient","id":"p1","deceasedDateTime":"2024-01-01"}`))
			},
			`{"resourceType":"Patient","id":"p1","deceasedBoolean":true}`,
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
