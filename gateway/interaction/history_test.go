package interaction_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// story is what histories are asked about: two resources with some versions each.
type story struct {
	*fixture
	a, b, o store.Key
	at      []time.Time // when each version came
}

// newStory writes a1 b1 a2 o1, deletes b, writes a3.
func newStory(t *testing.T) *story {
	f := newFixture(t)
	s := &story{fixture: f}
	note := func(w interaction.Written, err error) interaction.Written {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s.at = append(s.at, w.Updated)
		time.Sleep(2 * time.Millisecond)
		return w
	}
	patch := func(k store.Key, gender string) (interaction.Written, error) {
		return f.Patch(f.ctx(), everybody, k, interaction.Patch{JSON: tree(t, `[{"op":"add","path":"/gender","value":"`+gender+`"}]`)}, 0)
	}
	s.a = note(f.create(`{"resourceType":"Patient"}`), nil).Key
	s.b = note(f.create(`{"resourceType":"Patient"}`), nil).Key
	note(patch(s.a, "female"))
	s.o = note(f.create(`{"resourceType":"Observation","status":"final","code":{"text":"x"}}`), nil).Key
	note(f.Delete(f.ctx(), everybody, s.b, 0))
	note(patch(s.a, "male"))
	return s
}

// told pages through a history and writes its versions as a1 b1 …
func (s *story) told(k store.Key, query string) (out []string) {
	s.t.Helper()
	names := map[store.Key]string{s.a: "a", s.b: "b", s.o: "o"}
	params := pairs(s.t, query)
	for cursor := ""; ; {
		page := params
		if cursor != "" {
			page = append(slices.Clone(params), search.Pair{Name: interaction.CursorParam, Value: cursor})
		}
		past, err := s.History(s.ctx(), everybody, k, page)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, v := range past.Versions {
			out = append(out, fmt.Sprintf("%s%d", names[v.Key], v.Number))
		}
		if cursor = past.Next; cursor == "" {
			return out
		}
		if len(out) > 20 {
			s.t.Fatal("paging does not end")
		}
	}
}

func TestHistory(t *testing.T) {
	s := newStory(t)
	patients := store.Key{Type: "Patient"}
	instant := func(i int) string { return s.at[i].Format(interaction.Instant) }
	between := func(i int) string { return s.at[i].Add(time.Millisecond).Format(interaction.Instant) }
	for _, tt := range []struct {
		name  string
		key   store.Key
		query string
		want  []string
	}{
		{"of a resource", s.a, "", []string{"a3", "a2", "a1"}},
		{"of a resource that was deleted", s.b, "", []string{"b2", "b1"}},
		{"of a type", patients, "", []string{"a3", "b2", "a2", "b1", "a1"}},
		{"of the system", store.Key{}, "", []string{"a3", "b2", "o1", "a2", "b1", "a1"}},
		{"sorted as it is anyway", patients, "_sort=-_lastUpdated", []string{"a3", "b2", "a2", "b1", "a1"}},
		{"of a resource since a version, that included", s.a, "_since=" + instant(2), []string{"a3", "a2"}},
		{"of a resource since after it", s.a, "_since=" + between(2), []string{"a3"}},
		{"of a type since a version", patients, "_since=" + instant(2), []string{"a3", "b2", "a2"}},
		{"of the system since after the last", store.Key{}, "_since=" + between(5), nil},
		{"of the system since long ago", store.Key{}, "_since=2000", []string{"a3", "b2", "o1", "a2", "b1", "a1"}},
		{"of a resource at a time", s.a, "_at=" + between(3), []string{"a2"}},
		{"of a resource before it was", s.o, "_at=" + between(2), nil},
		{"of a resource at the time of a version", s.a, "_at=" + instant(2), []string{"a2"}},
		{"of a type at a time", patients, "_at=" + between(3), []string{"a2", "b1"}},
		{"of a type after a deletion", patients, "_at=" + between(4), []string{"a2"}},
		{"of a type at the time of a deletion", patients, "_at=" + instant(4), []string{"b2", "a2"}},
		{"of the system in a year that holds all", store.Key{}, "_at=" + s.at[0].Format("2006"), []string{"a3", "b2", "o1", "a2", "b1", "a1"}},
		{"of the system in a year before", store.Key{}, "_at=1999", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			for _, count := range []string{"", "&_count=1", "&_count=2"} {
				if got := s.told(tt.key, tt.query+count); !slices.Equal(got, tt.want) {
					t.Errorf("%q: %v, want %v", count, got, tt.want)
				}
			}
		})
	}
}

func TestHistoriesThatAreRefused(t *testing.T) {
	s := newStory(t)
	first, err := s.History(s.ctx(), everybody, store.Key{Type: "Patient"}, pairs(t, "_count=1"))
	if err != nil || first.Next == "" {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, query string
		key         store.Key
		viewer      interaction.Viewer
		kind        fault.Kind
	}{
		{"a time that is none", "_since=soon", store.Key{}, everybody, fault.Invalid},
		{"a time with a prefix", "_at=ge2000", store.Key{}, everybody, fault.Invalid},
		{"a count that is none", "_count=0", store.Key{}, everybody, fault.Invalid},
		{"a parameter twice", "_count=1&_count=2", store.Key{}, everybody, fault.Invalid},
		{"another order", "_sort=_lastUpdated", store.Key{}, everybody, fault.Invalid},
		{"a search parameter", "gender=male", store.Key{}, everybody, fault.Invalid},
		{"the page of another type", "_cursor=" + first.Next, store.Key{Type: "Observation"}, everybody, fault.Invalid},
		{"the page of another client", "_cursor=" + first.Next, store.Key{Type: "Patient"}, interaction.Viewer{Client: "x", Everything: true}, fault.Invalid},
		{"what is not there", "", store.Key{Type: "Patient", ID: "nobody"}, everybody, fault.NotFound},
		{"what the viewer may not see", "", s.a, interaction.Viewer{Client: "county", Institution: "county"}, fault.NotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.History(s.ctx(), tt.viewer, tt.key, pairs(t, tt.query)); !fault.Is(err, tt.kind) {
				t.Errorf("got %v, want %v", err, tt.kind)
			}
		})
	}
	past, err := s.History(s.ctx(), interaction.Viewer{Client: "county", Institution: "county"}, store.Key{}, nil)
	if err != nil || len(past.Versions) != 0 {
		t.Errorf("somebody else sees %d versions, %v", len(past.Versions), err)
	}
}
