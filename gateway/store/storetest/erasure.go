package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

func discard(t testing.TB, s Store, digest string) (gone bool) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		gone, err = tx.Discard(ctx, digest)
		return err
	})
	return gone
}

func archived(t testing.TB, s Store, content string) (digest string) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		digest, err = tx.Archive(ctx, []byte(content))
		return err
	})
	return digest
}

var erasureTests = []test{
	{"bytes that nothing names are removed, once", func(t *testing.T, s Store) {
		digest, other := archived(t, s, "abc"), archived(t, s, "other")
		if !discard(t, s, digest) || discard(t, s, digest) {
			t.Error("not removed, or twice")
		}
		_, err := s.Content(t.Context(), digest, 0, 0)
		wantFault(t, err, fault.NotFound)
		if b, err := s.Content(t.Context(), other, 0, 0); string(b) != "other" {
			t.Errorf("%q %v", b, err)
		}
		if archived(t, s, "abc") != digest {
			t.Error("another digest")
		}
		if b, err := s.Content(t.Context(), digest, 0, 0); string(b) != "abc" {
			t.Errorf("archived again: %q %v", b, err)
		}
	}},
	{"long content goes whole, its neighbours stay", func(t *testing.T, s Store) {
		long := make([]byte, 1<<20)
		before, digest, after := archived(t, s, "before"), archived(t, s, string(long)), archived(t, s, "after")
		if !discard(t, s, digest) {
			t.Error("not removed")
		}
		for _, d := range []string{before, after} {
			if _, err := s.Content(t.Context(), d, 0, 0); err != nil {
				t.Error(err)
			}
		}
		archived(t, s, string(long))
		if b, err := s.Content(t.Context(), digest, 0, 0); len(b) != len(long) || err != nil {
			t.Error(len(b), err)
		}
	}},
	{"bytes that a version names stay, also of an older one", func(t *testing.T, s Store) {
		digest := archived(t, s, "abc")
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			p := item{key: "Binary/a"}.put()
			p.Blob = store.Blob{Digest: digest, Length: 3}
			_, err := tx.Put(ctx, p)
			return err
		})
		write(t, s, item{key: "Binary/a", expect: 1})
		if discard(t, s, digest) {
			t.Error("removed what a version names")
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, key("Binary/a")) })
		if !discard(t, s, digest) {
			t.Error("nothing names it any more")
		}
	}},
	{"bytes of a record stay", func(t *testing.T, s Store) {
		got, err := s.Accept(t.Context(), []store.Entry{{Record: store.Record{Institution: "h1", Source: "s", Format: "json", State: store.Received}, Bytes: []byte("rec")}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Record(t.Context(), got[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if discard(t, s, r.Digest) {
			t.Error("removed")
		}
	}},
	{"bytes of a pushed folder stay", func(t *testing.T, s Store) {
		f, err := s.PushFolder(t.Context(), store.Folder{Institution: "h1", Version: "1"}, []byte("folder"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if discard(t, s, f.Digest) {
			t.Error("removed")
		}
	}},
	{"bytes that somebody names meanwhile stay", func(t *testing.T, s Store) {
		var digest string
		for round := range 20 {
			digest = archived(t, s, "raced")
			id := fmt.Sprintf("Binary/r%d", round)
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					d, err := tx.Archive(ctx, []byte("raced"))
					if err != nil {
						return err
					}
					p := item{key: id}.put()
					p.Blob = store.Blob{Digest: d, Length: 5}
					_, err = tx.Put(ctx, p)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Discard(ctx, digest)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			if b, err := s.Content(t.Context(), digest, 0, 0); string(b) != "raced" {
				t.Fatalf("round %d: %q %v", round, b, err)
			}
			update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, key(id)) })
		}
	}},
	{"a digest that is none is refused", func(t *testing.T, s Store) {
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Discard(ctx, "x")
			return err
		})
		wantFault(t, err, fault.Invalid)
	}},
	{"of a forgotten Patient nothing is known, of the others all", func(t *testing.T, s Store) {
		number := store.Identifier{System: "s", Value: "1"}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			var err error
			for _, p := range []string{"one", "two"} {
				err = errors.Join(err, tx.NewPerson(ctx, store.Person{ID: p, Since: time.Unix(1, 0)}))
			}
			for patient, person := range map[string]string{"a": "one", "b": "one", "c": "two"} {
				err = errors.Join(err, tx.SetFeatures(ctx, store.Features{Patient: patient, Strong: []store.Identifier{number}}),
					tx.SetLink(ctx, store.Link{Person: person, Patient: patient, Institution: "h1", Rule: "new", Since: time.Unix(1, 0)}))
			}
			return errors.Join(err, tx.AddReview(ctx, store.Review{PatientA: "a", PatientB: "c", Rule: "r"}), tx.AddReview(ctx, store.Review{PatientA: "a", PatientB: "b", Rule: "r"}))
		})
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return errors.Join(tx.ForgetPatient(ctx, "c"), tx.ForgetPatient(ctx, "nobody"))
		})
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			known, err := tx.Features(ctx, []store.Identifier{number}, []string{"c"})
			if err == nil && len(known) != 2 {
				t.Errorf("features: %+v", known)
			}
			return err
		})
		if _, ok, err := s.LinkOf(t.Context(), "c"); ok || err != nil {
			t.Error("linked", err)
		}
		if list, err := s.LinkHistory(t.Context(), "c"); len(list) != 0 || err != nil {
			t.Error(list, err)
		}
		if _, err := s.Person(t.Context(), "two"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if list, err := s.LinksOf(t.Context(), "one"); len(list) != 2 || err != nil {
			t.Error(list, err)
		}
		if list, err := s.Reviews(t.Context(), 10); len(list) != 1 || err != nil {
			t.Error(list, err)
		}
	}},
}
