package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// when is a time of the tests, n seconds after another.
func when(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC) }

func link(person, patient, institution string, at int) store.Link {
	return store.Link{Person: person, Patient: patient, Institution: institution, Rule: "resident-id", Reason: "same id", Since: when(at)}
}

func people(t testing.TB, s Store, persons []string, links ...store.Link) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, p := range persons {
			if err := tx.NewPerson(ctx, store.Person{ID: p, Since: when(0)}); err != nil {
				return err
			}
		}
		for _, l := range links {
			if err := tx.SetLink(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

func tries(s Store, t testing.TB, fn func(ctx context.Context, tx store.Tx) error) error {
	return s.Update(t.Context(), fn)
}

var personTests = []test{
	{"links Patients to persons, inside and outside of a transaction", func(t *testing.T, s Store) {
		people(t, s, []string{"A", "B"}, link("A", "p2", "h2", 1), link("A", "p1", "h1", 2), link("B", "p3", "h1", 3))
		wantA := []store.Link{link("A", "p1", "h1", 2), link("A", "p2", "h2", 1)}
		got, err := s.LinksOf(t.Context(), "A")
		if diff := cmp.Diff(wantA, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		l, ok, err := s.LinkOf(t.Context(), "p3")
		if diff := cmp.Diff(link("B", "p3", "h1", 3), l); diff != "" || !ok || err != nil {
			t.Errorf("%v %v (-want +got)\n%s", ok, err, diff)
		}
		if _, ok, err := s.LinkOf(t.Context(), "p9"); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			got, err := tx.LinksOf(ctx, "A")
			if diff := cmp.Diff(wantA, got); diff != "" || err != nil {
				t.Errorf("in the transaction: %v (-want +got)\n%s", err, diff)
			}
			l, ok, err := tx.LinkOf(ctx, "p3")
			if l.Person != "B" || !ok {
				t.Errorf("in the transaction: %v %v", l, ok)
			}
			return err
		})
		p, err := s.Person(t.Context(), "A")
		if diff := cmp.Diff(store.Person{ID: "A", Since: when(0)}, p); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		_, err = s.Person(t.Context(), "C")
		wantFault(t, err, fault.NotFound)
	}},
	{"a new link ends the one before and keeps it as history", func(t *testing.T, s Store) {
		people(t, s, []string{"A", "B"}, link("A", "p1", "h1", 1))
		people(t, s, nil, link("B", "p1", "h1", 5))
		first := link("A", "p1", "h1", 1)
		first.Until = when(5)
		got, err := s.LinkHistory(t.Context(), "p1")
		if diff := cmp.Diff([]store.Link{first, link("B", "p1", "h1", 5)}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		if l, _, _ := s.LinkOf(t.Context(), "p1"); l.Person != "B" {
			t.Errorf("linked to %s", l.Person)
		}
		if list, err := s.LinksOf(t.Context(), "A"); len(list) != 0 || err != nil {
			t.Errorf("%v, %v", list, err)
		}
	}},
	{"merges persons", func(t *testing.T, s Store) {
		people(t, s, []string{"A", "B", "C"}, link("A", "p1", "h1", 1), link("A", "p2", "h2", 1), link("B", "p3", "h1", 1))
		merge := func(from, into string) error {
			return tries(s, t, func(ctx context.Context, tx store.Tx) error {
				return tx.MergePerson(ctx, from, into, "manual", "seen", when(9))
			})
		}
		if err := merge("A", "B"); err != nil {
			t.Fatal(err)
		}
		list, err := s.LinksOf(t.Context(), "B")
		if err != nil || len(list) != 3 {
			t.Errorf("%v, %v", list, err)
		}
		want := store.Link{Person: "B", Patient: "p1", Institution: "h1", Rule: "manual", Reason: "seen", Since: when(9)}
		if l, _, err := s.LinkOf(t.Context(), "p1"); err != nil || l != want {
			t.Errorf("got %+v, %v", l, err)
		}
		p, err := s.Person(t.Context(), "A")
		if diff := cmp.Diff(store.Person{ID: "A", Into: "B", Since: when(0), MergedAt: when(9)}, p); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		wantFault(t, merge("A", "C"), fault.Conflict)
		wantFault(t, merge("C", "A"), fault.Conflict)
		wantFault(t, merge("C", "C"), fault.Invalid)
		wantFault(t, merge("C", "none"), fault.NotFound)
		err = tries(s, t, func(ctx context.Context, tx store.Tx) error { return tx.SetLink(ctx, link("A", "p9", "h1", 9)) })
		wantFault(t, err, fault.Conflict)
	}},
	{"refuses links to nobody and persons that are there", func(t *testing.T, s Store) {
		people(t, s, []string{"A"})
		wantFault(t, tries(s, t, func(ctx context.Context, tx store.Tx) error { return tx.SetLink(ctx, link("none", "p", "h", 1)) }), fault.NotFound)
		wantFault(t, tries(s, t, func(ctx context.Context, tx store.Tx) error { return tx.SetLink(ctx, link("A", "", "h", 1)) }), fault.Invalid)
		wantFault(t, tries(s, t, func(ctx context.Context, tx store.Tx) error { return tx.NewPerson(ctx, store.Person{ID: "A"}) }), fault.Conflict)
		wantFault(t, tries(s, t, func(ctx context.Context, tx store.Tx) error { return tx.NewPerson(ctx, store.Person{}) }), fault.Invalid)
	}},
	{"lists living persons by id", func(t *testing.T, s Store) {
		people(t, s, []string{"D", "B", "A", "C"})
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.MergePerson(ctx, "B", "A", "r", "", when(1)) })
		list := func(after string, limit int) (out []string) {
			got, err := s.Persons(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got {
				out = append(out, p.ID)
			}
			return out
		}
		same(t, "first", list("", 2), []string{"A", "C"})
		same(t, "rest", list("C", 0), []string{"D"})
	}},
	{"finds features by strong identifier or Patient", func(t *testing.T, s Store) {
		id := func(v string) store.Identifier { return store.Identifier{System: "urn:id", Value: v} }
		f := func(patient string, strong ...store.Identifier) store.Features {
			return store.Features{Patient: patient, Institution: "h1", Strong: strong,
				Name: "李" + patient, Gender: "male", Birth: "1990"}
		}
		set := func(list ...store.Features) {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				for _, x := range list {
					if err := tx.SetFeatures(ctx, x); err != nil {
						return err
					}
				}
				return nil
			})
		}
		get := func(ids []store.Identifier, patients ...string) (out []store.Features) {
			update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
				out, err = tx.Features(ctx, ids, patients)
				return err
			})
			return out
		}
		a, b, c := f("a", id("1"), id("2")), f("b", id("1")), f("c")
		set(a, b, c)
		for _, tt := range []struct {
			name string
			got  []store.Features
			want []store.Features
		}{
			{"shared", get([]store.Identifier{id("1")}), []store.Features{a, b}},
			{"one", get([]store.Identifier{id("2")}), []store.Features{a}},
			{"another system", get([]store.Identifier{{System: "urn:x", Value: "1"}}), nil},
			{"by Patient", get(nil, "c", "none"), []store.Features{c}},
			{"both ways once", get([]store.Identifier{id("1"), id("2")}, "b"), []store.Features{b, a}},
		} {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.name, diff)
			}
		}
		set(f("a", id("3")))
		if got := get([]store.Identifier{id("1"), id("2")}); len(got) != 1 || got[0].Patient != "b" {
			t.Errorf("after a changed: %v", got)
		}
	}},
	{"asks a human once per pair and rule", func(t *testing.T, s Store) {
		ask := func(a, b, rule string) {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return tx.AddReview(ctx, store.Review{PatientA: a, PatientB: b, Rule: rule, Reason: "name", Since: when(1)})
			})
		}
		ask("a", "b", "r")
		ask("b", "a", "r")
		ask("a", "b", "r2")
		got, err := s.Reviews(t.Context(), 10)
		if err != nil || len(got) != 2 {
			t.Fatalf("%v, %v", got, err)
		}
		want := store.Review{ID: got[0].ID, PatientA: "a", PatientB: "b", Rule: "r", Reason: "name", Since: when(1)}
		if diff := cmp.Diff(want, got[0]); diff != "" || got[0].ID == got[1].ID {
			t.Errorf("(-want +got)\n%s", diff)
		}
		wantFault(t, tries(s, t, func(ctx context.Context, tx store.Tx) error {
			return tx.AddReview(ctx, store.Review{PatientA: "a", PatientB: "a"})
		}), fault.Invalid)
	}},
	{"64 parallel looks for one identifier make one person", func(t *testing.T, s Store) {
		id := store.Identifier{System: "urn:id", Value: "1"}
		var wg sync.WaitGroup
		for n := range 64 {
			wg.Go(func() {
				patient := fmt.Sprint("p", n)
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Lock(ctx, id.System+"|"+id.Value); err != nil {
						return err
					}
					known, err := tx.Features(ctx, []store.Identifier{id}, nil)
					if err != nil {
						return err
					}
					person := "person-" + patient
					if len(known) > 0 {
						l, ok, err := tx.LinkOf(ctx, known[0].Patient)
						if err != nil || !ok {
							return fmt.Errorf("a known Patient without link: %w", err)
						}
						person = l.Person
					} else if err := tx.NewPerson(ctx, store.Person{ID: person, Since: when(0)}); err != nil {
						return err
					}
					if err := tx.SetFeatures(ctx, store.Features{Patient: patient, Strong: []store.Identifier{id}}); err != nil {
						return err
					}
					return tx.SetLink(ctx, link(person, patient, fmt.Sprint("h", n%3), 1))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		persons, err := s.Persons(t.Context(), "", 100)
		if err != nil || len(persons) != 1 {
			t.Fatalf("%d persons, %v", len(persons), err)
		}
		if list, err := s.LinksOf(t.Context(), persons[0].ID); len(list) != 64 || err != nil {
			t.Errorf("%d links, %v", len(list), err)
		}
	}},
	{"makes a secret once", func(t *testing.T, s Store) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		seen := map[string]int{}
		for range 16 {
			wg.Go(func() {
				got, err := s.Secret(t.Context(), "salt")
				if err != nil || len(got) != 32 {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[string(got)]++
			})
		}
		wg.Wait()
		other, err := s.Secret(t.Context(), "another")
		if err != nil || len(seen) != 1 || seen[string(other)] != 0 {
			t.Errorf("%d secrets of one name, %v", len(seen), err)
		}
	}},
}
