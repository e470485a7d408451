package interaction_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

func TestConditionalUpdate(t *testing.T) {
	const fits = "identifier=urn:x|7"
	changed := `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"7"}],"gender":"male"}`
	for _, tt := range []struct {
		name    string
		there   int
		id      string // in the body; "own" for that of what is there
		creates bool
		body    string
		match   int64
		effect  interaction.Effect
		kind    fault.Kind
	}{
		{"creates when nothing fits", 0, "", false, changed, 0, interaction.Created, 0},
		{"does not create under an id of the client's choice", 0, "mine", false, changed, 0, 0, fault.Unsupported},
		{"creates under it where that is allowed", 0, "mine", true, changed, 0, interaction.Created, 0},
		{"updates the one that fits", 1, "", false, changed, 0, interaction.Changed, 0},
		{"updates the one that fits by its id", 1, "own", false, changed, 0, interaction.Changed, 0},
		{"writes nothing when it says the same", 1, "", false, identified, 0, interaction.Unchanged, 0},
		{"is refused by another id in the body", 1, "other", true, changed, 0, 0, fault.Invalid},
		{"is refused when several fit", 2, "", false, changed, 0, 0, fault.Precondition},
		{"is refused for another version", 1, "", false, changed, 4, 0, fault.Precondition},
		{"takes the version that is there", 1, "", false, changed, 1, interaction.Changed, 0},
		{"creates nothing for who knows a version", 0, "", false, changed, 1, 0, fault.Precondition},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.UpdateCreates = tt.creates
			var first interaction.Written
			for range tt.there {
				first = f.create(identified)
			}
			body := tree(t, tt.body)
			switch tt.id {
			case "":
			case "own":
				body.SetString("id", first.ID)
			default:
				body.SetString("id", tt.id)
			}
			w, err := f.UpdateIf(f.ctx(), everybody, "Patient", body, pairs(t, fits), tt.match)
			if tt.kind != 0 {
				if !fault.Is(err, tt.kind) {
					t.Fatalf("got %v, want %v", err, tt.kind)
				}
				return
			}
			if err != nil || w.Effect != tt.effect {
				t.Fatalf("got %v, %v", w.Effect, err)
			}
			if tt.there == 1 && w.ID != first.ID || tt.id == "mine" && w.ID != "mine" {
				t.Errorf("wrote %s", w.Key)
			}
		})
	}
}

func TestUpdateOfWhatIsNotThere(t *testing.T) {
	key := store.Key{Type: "Patient", ID: "mine"}
	const body = `{"resourceType":"Patient","id":"mine","gender":"female"}`
	county := interaction.Viewer{Client: "county", Institution: "county"}
	t.Run("is refused", func(t *testing.T) {
		f := newFixture(t)
		if _, err := f.Update(f.ctx(), everybody, key, tree(t, body), 0); !errors.Is(err, interaction.ErrNotCreated) {
			t.Error(err)
		}
	})
	t.Run("creates where that is allowed, and again after a deletion", func(t *testing.T) {
		f := newFixture(t)
		f.UpdateCreates = true
		w, err := f.Update(f.ctx(), everybody, key, tree(t, body), 0)
		if err != nil || w.Effect != interaction.Created || w.Number != 1 {
			t.Fatal(w, err)
		}
		if _, err := f.Delete(f.ctx(), everybody, key, 0); err != nil {
			t.Fatal(err)
		}
		if w, err = f.Update(f.ctx(), everybody, key, tree(t, body), 0); err != nil || w.Effect != interaction.Created || w.Number != 3 {
			t.Error(w.Effect, w.Number, err)
		}
	})
	t.Run("creates nothing for who knows a version", func(t *testing.T) {
		f := newFixture(t)
		f.UpdateCreates = true
		for _, match := range []int64{1, interaction.AnyVersion} {
			if _, err := f.Update(f.ctx(), everybody, key, tree(t, body), match); !fault.Is(err, fault.Precondition) {
				t.Error(match, err)
			}
		}
	})
	t.Run("creates for who knows that there is none", func(t *testing.T) {
		f := newFixture(t)
		f.UpdateCreates = true
		for _, number := range []int64{1, 3} {
			w, err := f.Update(f.ctx(), everybody, key, tree(t, body), interaction.NoVersion)
			if err != nil || w.Effect != interaction.Created || w.Number != number {
				t.Fatal(w.Effect, w.Number, err)
			}
			if _, err := f.Update(f.ctx(), everybody, key, tree(t, body), interaction.NoVersion); !fault.Is(err, fault.Precondition) {
				t.Error(err)
			}
			if _, err := f.Delete(f.ctx(), everybody, key, 0); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("does not take the id of what the viewer may not see", func(t *testing.T) {
		f := newFixture(t)
		f.UpdateCreates = true
		if _, err := f.Update(f.ctx(), everybody, key, tree(t, body), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Update(f.ctx(), county, key, tree(t, body), 0); !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
		link, _, err := f.store.LinkOf(f.ctx(), "mine")
		if err != nil {
			t.Fatal(err)
		}
		person := tree(t, body).SetString("id", link.Person)
		if _, err := f.Update(f.ctx(), everybody, store.Key{Type: "Patient", ID: link.Person}, person, 0); !fault.Is(err, fault.Conflict) {
			t.Errorf("the id of a person was taken: %v", err)
		}
	})
}

func TestMatch(t *testing.T) {
	const other = interaction.OtherVersion
	for _, tt := range []struct {
		tags string
		want []int64
	}{
		{"", nil},
		{" * ", []int64{interaction.AnyVersion}},
		{`W/"3"`, []int64{3}},
		{`"3"`, []int64{3}},
		{` W/"3" , "12",W/"1"`, []int64{3, 12, 1}},
		{`W/"3",,`, []int64{3}},
		{`W/"a,b", W/"2"`, []int64{other, 2}},
		{`"", "0", "-1", "99999999999999999999"`, []int64{other, other, other, other}},
	} {
		if got, err := interaction.Match(tt.tags); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.tags, got, err, tt.want)
		}
	}
	for _, tags := range []string{"3", `W/3`, `"3`, `W/"`, `"3" "4"`, `*, "3"`, `"3", *`, `w/"3"`, `"3"x`} {
		if got, err := interaction.Match(tags); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", tags, got, err)
		}
	}
}

func TestIfMatchHoldsForEveryWrite(t *testing.T) {
	f := newFixture(t)
	first := f.create(identified)
	body := tree(t, identified).SetString("id", first.ID).SetString("birthDate", "1990-01-01")
	patch := interaction.Patch{JSON: tree(t, `[{"op":"replace","path":"/gender","value":"male"}]`)}
	for _, match := range []int64{2, 7} {
		if _, err := f.Update(f.ctx(), everybody, first.Key, body, match); !fault.Is(err, fault.Precondition) {
			t.Errorf("update of version %d: %v", match, err)
		}
		if _, err := f.Patch(f.ctx(), everybody, first.Key, patch, match); !fault.Is(err, fault.Precondition) {
			t.Errorf("patch of version %d: %v", match, err)
		}
		if _, err := f.Delete(f.ctx(), everybody, first.Key, match); !fault.Is(err, fault.Precondition) {
			t.Errorf("delete of version %d: %v", match, err)
		}
	}
	if w, err := f.Patch(f.ctx(), everybody, first.Key, patch, 1); err != nil || w.Number != 2 {
		t.Error(w.Number, err)
	}
	if w, err := f.Update(f.ctx(), everybody, first.Key, body, interaction.AnyVersion); err != nil || w.Number != 3 {
		t.Error(w.Number, err)
	}
	for _, match := range [][]int64{{1, 2}, {interaction.OtherVersion}, {interaction.NoVersion}, {3, interaction.NoVersion}} {
		if _, err := f.Delete(f.ctx(), everybody, first.Key, match...); !fault.Is(err, fault.Precondition) {
			t.Errorf("delete of versions %d: %v", match, err)
		}
	}
	if w, err := f.Delete(f.ctx(), everybody, first.Key, 7, 3); err != nil || w.Effect != interaction.Removed || w.Number != 4 {
		t.Error(w.Effect, w.Number, err)
	}
	if _, err := f.Delete(f.ctx(), everybody, first.Key, interaction.AnyVersion); !fault.Is(err, fault.Precondition) {
		t.Error(err)
	}
	if w, err := f.Delete(f.ctx(), everybody, first.Key, 0); err != nil || w.Effect != interaction.Unchanged {
		t.Error(w.Effect, err)
	}
}
