package interaction_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

func TestConditionalDelete(t *testing.T) {
	for _, tt := range []struct {
		name  string
		there int
		many  bool
		limit int
		left  int
		kind  fault.Kind
	}{
		{"of nothing is done", 0, false, 0, 0, 0},
		{"of one", 1, false, 0, 0, 0},
		{"of several is refused", 3, false, 0, 3, fault.Precondition},
		{"of several where that is allowed", 3, true, 0, 0, 0},
		{"of as many as may be", 3, true, 3, 0, 0},
		{"of more than may be", 4, true, 3, 4, fault.TooCostly},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.DeletesMany = tt.many
			if tt.limit > 0 {
				f.Limit.Deletes = tt.limit
			}
			other := f.create(`{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"8"}]}`)
			for range tt.there {
				f.create(identified)
			}
			w, err := f.DeleteIf(f.ctx(), everybody, "Patient", pairs(t, "identifier=urn:x|7"), 0)
			if tt.kind != 0 && !fault.Is(err, tt.kind) || tt.kind == 0 && err != nil {
				t.Fatalf("got %v", err)
			}
			if removed := tt.there > 0 && err == nil; removed != (w.Effect == interaction.Removed) {
				t.Errorf("effect %v", w.Effect)
			}
			if got := f.found("Patient", "identifier=urn:x|7"); got != tt.left {
				t.Errorf("%d are left, want %d", got, tt.left)
			}
			if _, err := f.Read(f.ctx(), everybody, other.Key); err != nil {
				t.Errorf("another one: %v", err)
			}
		})
	}
}

func TestADeletedResourceIsGoneAndItsHistoryStays(t *testing.T) {
	f := newFixture(t)
	first := f.create(identified)
	if _, err := f.Delete(f.ctx(), everybody, first.Key, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(f.ctx(), everybody, first.Key); !fault.Is(err, fault.Gone) {
		t.Error(err)
	}
	if v, err := f.ReadVersion(f.ctx(), everybody, first.Key, 1); err != nil || v.Body == nil {
		t.Error(err)
	}
	past, err := f.History(f.ctx(), everybody, first.Key, nil)
	if err != nil || len(past.Versions) != 2 || !past.Versions[0].Deleted || past.Versions[0].Body != nil {
		t.Error(past, err)
	}
}

func TestAConditionalDeleteOfAnotherInstitutionsIsForbidden(t *testing.T) {
	f := newFixture(t)
	f.create(identified)
	reader := interaction.Viewer{Client: "county", Institution: "county", Sees: []string{"city"}}
	if _, err := f.DeleteIf(f.ctx(), reader, "Patient", pairs(t, "identifier=7"), 0); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}
