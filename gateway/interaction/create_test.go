package interaction_test

import (
	"errors"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// refusal returns the *Refused of an error, nil if it is none.
func refusal(err error) *interaction.Refused {
	var refused *interaction.Refused
	errors.As(err, &refused)
	return refused
}

// create stores a resource and returns it.
func (f *fixture) create(text string) interaction.Written {
	f.t.Helper()
	body := tree(f.t, text)
	w, err := f.Create(f.ctx(), everybody, body.ResourceType(), body)
	if err != nil {
		f.t.Fatal(err)
	}
	return w
}

func TestConditionalCreate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		there    int
		criteria string
		effect   interaction.Effect
		kind     fault.Kind
	}{
		{"creates when nothing fits", 0, "identifier=urn:x|7", interaction.Created, 0},
		{"creates when something else is there", 1, "identifier=urn:x|8", interaction.Created, 0},
		{"answers what is there when one fits", 1, "identifier=urn:x|7", interaction.Unchanged, 0},
		{"is refused when several fit", 2, "identifier=urn:x|7", 0, fault.Precondition},
		{"is refused without criteria", 0, "", 0, fault.Invalid},
		{"is refused by criteria that are unknown", 0, "colour=red", 0, fault.Invalid},
		{"is refused by criteria that are no filter", 0, "identifier=7&_count=1", 0, fault.Invalid},
		{"is refused by nothing but a form", 0, "_summary=true", 0, fault.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			var first interaction.Written
			for range tt.there {
				first = f.create(identified)
			}
			w, err := f.CreateIf(f.ctx(), everybody, "Patient", tree(t, identified), pairs(t, tt.criteria))
			if tt.kind != 0 {
				if !fault.Is(err, tt.kind) {
					t.Fatalf("got %v, want %v", err, tt.kind)
				}
				return
			}
			if err != nil || w.Effect != tt.effect {
				t.Fatalf("got %v, %v", w.Effect, err)
			}
			if w.Effect == interaction.Unchanged && (w.ID != first.ID || w.Number != 1) {
				t.Errorf("answered %s", w.Key)
			}
		})
	}
}

func TestADeletedResourceFitsNoCriterion(t *testing.T) {
	f := newFixture(t)
	first := f.create(identified)
	if _, err := f.Delete(f.ctx(), everybody, first.Key, 0); err != nil {
		t.Fatal(err)
	}
	if w, err := f.CreateIf(f.ctx(), everybody, "Patient", tree(t, identified), pairs(t, "identifier=7")); err != nil || w.Effect != interaction.Created {
		t.Errorf("%v, %v", w.Effect, err)
	}
}
