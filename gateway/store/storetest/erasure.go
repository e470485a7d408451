package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
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

func acceptOne(t testing.TB, s Store, e store.Entry) store.Record {
	t.Helper()
	return accept(t, s, e)[0].Record
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
	{"replaced versions go, the current one stays", func(t *testing.T, s Store) {
		for n := range int64(4) {
			write(t, s, item{key: "Patient/a", expect: n})
		}
		write(t, s, item{key: "Patient/b"})
		before, err := s.Erasures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			if n, err := tx.ExpungeVersions(ctx, key("Patient/a"), []int64{1, 3, 9}); n != 2 || err != nil {
				t.Error(n, err)
			}
			return nil
		})
		for _, row := range []struct {
			key     string
			numbers []int64
			want    fault.Kind
		}{{"Patient/a", []int64{2, 4}, fault.Conflict}, {"Patient/c", []int64{1}, fault.NotFound}} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.ExpungeVersions(ctx, key(row.key), row.numbers)
				return err
			})
			wantFault(t, err, row.want)
		}
		list, err := s.History(t.Context(), key("Patient/a"), 0, 10)
		if len(list) != 2 || err != nil || list[0].Number != 4 || list[1].Number != 2 {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := s.ReadVersion(t.Context(), key("Patient/a"), 3); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		write(t, s, item{key: "Patient/a", expect: 4})
		if after, err := s.Erasures(t.Context()); after <= before || err != nil {
			t.Error(before, after, err)
		}
	}},
	{"what was replaced and what is removed are parts of a history", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		write(t, s, item{key: "Patient/a", expect: 1})
		write(t, s, item{key: "Patient/b"})
		write(t, s, item{key: "Patient/b", expect: 1, deleted: true})
		write(t, s, item{key: "Patient/b", expect: 2})
		write(t, s, item{key: "Group/c"})
		write(t, s, item{key: "Group/c", expect: 1, deleted: true})
		for _, row := range []struct {
			part store.Part
			typ  string
			want string
		}{
			{store.Replaced, "", "Group/c 1, Patient/b 2, Patient/b 1, Patient/a 1"},
			{store.Replaced, "Patient", "Patient/b 2, Patient/b 1, Patient/a 1"},
			{store.Removed, "", "Group/c 2"},
			{store.Removed, "Patient", ""},
		} {
			var got []string
			q := store.HistoryQuery{Type: row.typ, Part: row.part, Allowed: search.Allowed{All: true}, Limit: 3}
			for {
				page, err := s.Versions(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range page.Rows {
					got, q.Before = append(got, fmt.Sprint(v.Key, " ", v.Number)), v.Change
				}
				if !page.More {
					break
				}
			}
			if text := strings.Join(got, ", "); text != row.want {
				t.Errorf("%d of %q: %s, want %s", row.part, row.typ, text, row.want)
			}
		}
	}},
	{"of an erased record only remains that there was one", func(t *testing.T, s Store) {
		e := store.Entry{Record: store.Record{Institution: "h1", Source: "s", Format: "hl7v2", Name: "file", Control: "7", Key: "k", Hash: "h",
			Lanes: []string{"lane"}, Reason: "[]"}, Bytes: []byte("bytes")}
		r := acceptOne(t, s, e)
		erase := func(want bool) {
			t.Helper()
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				if whole, err := tx.EraseRecord(ctx, r.ID); whole != want || err != nil {
					t.Errorf("%v %v, want %v", whole, err, want)
				}
				return nil
			})
		}
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.EraseRecord(ctx, r.ID)
			return err
		})
		wantFault(t, err, fault.Conflict)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return errors.Join(tx.SetApplied(ctx, "h1", "k", "h"), tx.Finish(ctx, r.ID, store.Outcome{State: store.Committed}))
		})
		erase(true)
		erase(true)
		got := record(t, s, r.ID)
		if got.State != store.Erased || got.Digest != "" || got.Length != 0 || got.Name != "" || got.Key != "" || got.Hash != "" || got.Lanes != nil ||
			got.Reason != "" || got.Control != "7" {
			t.Errorf("%+v", got)
		}
		if hash, err := s.Applied(t.Context(), "h1", "k"); hash != "" || err != nil {
			t.Error(hash, err)
		}
		if _, err := s.Content(t.Context(), r.Digest, 0, 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("its bytes: %v", err)
		}
		receipts, err := s.Accept(t.Context(), []store.Entry{e})
		if err != nil || !receipts[0].Duplicate || receipts[0].ID != r.ID {
			t.Errorf("sent again: %+v %v", receipts, err)
		}
		if counts, err := s.CountRecords(t.Context(), "h1"); counts[store.Erased] != 1 || err != nil {
			t.Error(counts, err)
		}
		err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.EraseRecord(ctx, "nobody")
			return err
		})
		wantFault(t, err, fault.NotFound)
	}},
	{"a record is erased within its delivery, which goes with the last", func(t *testing.T, s Store) {
		const file = "head;one;two;three"
		delivery := acceptOne(t, s, store.Entry{Record: store.Record{Institution: "h1", Source: "s", Format: store.Delivery, Name: "file"}, Bytes: []byte(file)})
		part := func(text string) store.Entry {
			return store.Entry{Record: store.Record{Format: "json", Digest: delivery.Digest, Offset: int64(strings.Index(file, text)), Length: int64(len(text))}}
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return tx.Expand(ctx, delivery.ID, 0, []store.Entry{part("one"), part("two"), part("three")}, true)
		})
		list, err := s.Records(t.Context(), store.RecordFilter{Parent: delivery.ID})
		if len(list) != 3 || err != nil {
			t.Fatal(list, err)
		}
		for _, row := range []struct {
			record int
			want   string
		}{{1, "head;one;\x00\x00\x00;three"}, {2, "head;one;\x00\x00\x00;\x00\x00\x00\x00\x00"}} {
			finish(t, s, list[row.record].ID, store.Committed)
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				whole, err := tx.EraseRecord(ctx, list[row.record].ID)
				if !whole {
					t.Error("kept")
				}
				return err
			})
			if b, err := s.Content(t.Context(), delivery.Digest, 0, 0); string(b) != row.want || err != nil {
				t.Errorf("%q %v", b, err)
			}
		}
		// The same file again is whole again, also for who has it already.
		if archived(t, s, file) != delivery.Digest {
			t.Error("another digest")
		}
		if b, err := s.Content(t.Context(), delivery.Digest, 0, 0); string(b) != file || err != nil {
			t.Errorf("archived again: %q %v", b, err)
		}
		finish(t, s, list[0].ID, store.Unchanged)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.EraseRecord(ctx, list[0].ID)
			return err
		})
		if _, err := s.Content(t.Context(), delivery.Digest, 0, 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("the delivery's bytes: %v", err)
		}
		if got := record(t, s, delivery.ID); got.State != store.Erased || got.Name != "" {
			t.Errorf("%+v", got)
		}
	}},
	{"long bytes of a record are overwritten over all their parts", func(t *testing.T, s Store) {
		file := strings.Repeat("a", 300_000) + strings.Repeat("b", 600_000) + "c"
		delivery := acceptOne(t, s, store.Entry{Record: store.Record{Institution: "h1", Source: "s", Format: store.Delivery}, Bytes: []byte(file)})
		part := func(from, to int64) store.Entry {
			return store.Entry{Record: store.Record{Format: "json", Digest: delivery.Digest, Offset: from, Length: to - from}}
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return tx.Expand(ctx, delivery.ID, 0, []store.Entry{part(0, 300_000), part(300_000, 900_000), part(900_000, 900_001)}, true)
		})
		list, err := s.Records(t.Context(), store.RecordFilter{Parent: delivery.ID})
		if len(list) != 3 || err != nil {
			t.Fatal(list, err)
		}
		finish(t, s, list[1].ID, store.Committed)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.EraseRecord(ctx, list[1].ID)
			return err
		})
		b, err := s.Content(t.Context(), delivery.Digest, 0, 0)
		if want := strings.ReplaceAll(file, "b", "\x00"); string(b) != want || err != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if archived(t, s, file) != delivery.Digest {
			t.Error("another digest")
		}
		if b, err := s.Content(t.Context(), delivery.Digest, 0, 0); string(b) != file || err != nil {
			t.Errorf("archived again: %d bytes, %v", len(b), err)
		}
	}},
	{"bytes of a record that others need stay", func(t *testing.T, s Store) {
		both := func(content string) (first, second store.Record) {
			e := store.Entry{Record: store.Record{Institution: "h1", Source: "s", Format: "json"}, Bytes: []byte(content)}
			first, second = acceptOne(t, s, e), acceptOne(t, s, e)
			finish(t, s, first.ID, store.Committed)
			return first, second
		}
		again, waits := both("sent twice")
		named, other := both("named by a version")
		finish(t, s, other.ID, store.Unchanged)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			p := item{key: "Binary/a"}.put()
			p.Blob = store.Blob{Digest: named.Digest, Offset: 9, Length: 3}
			_, err := tx.Put(ctx, p)
			return err
		})
		for _, r := range []store.Record{again, named, other} {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				if whole, err := tx.EraseRecord(ctx, r.ID); whole || err != nil {
					t.Error(whole, err)
				}
				return nil
			})
			if _, err := s.Content(t.Context(), r.Digest, 0, 0); err != nil {
				t.Error(err)
			}
		}
		finish(t, s, waits.ID, store.Superseded)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			if whole, err := tx.EraseRecord(ctx, waits.ID); !whole || err != nil {
				t.Error("the last one:", whole, err)
			}
			return nil
		})
		if _, err := s.Content(t.Context(), again.Digest, 0, 0); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}},
	{"records without effect are found by their lanes", func(t *testing.T, s Store) {
		var want []string
		for i, row := range []struct {
			institution string
			lanes       []string
			state       store.RecordState
			found       bool
		}{
			{"h1", []string{"a"}, store.Unchanged, true},
			{"h1", []string{"b", "x"}, store.Superseded, true},
			{"h1", []string{"x"}, store.Unchanged, false},
			{"h2", []string{"a"}, store.Unchanged, false},
			{"h1", []string{"a"}, store.Committed, false},
			{"h1", []string{"a"}, store.Quarantined, false},
			{"h1", nil, store.Unchanged, false},
			{"h1", []string{"b"}, store.Unchanged, true},
		} {
			r := acceptOne(t, s, store.Entry{Record: store.Record{Institution: row.institution, Source: "s", Format: "json", Lanes: row.lanes}, Bytes: fmt.Append(nil, i)})
			finish(t, s, r.ID, row.state)
			if row.found {
				want = append(want, r.ID)
			}
		}
		for _, limit := range []int{10, 2} {
			got, err := s.Ineffective(t.Context(), "h1", []string{"a", "b"}, limit)
			if !slices.Equal(got, want[:min(limit, len(want))]) || err != nil {
				t.Errorf("%v %v, want %v", got, err, want)
			}
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
