package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// orderTests are about what readers of changes and histories see while transactions
// are open, however they overlap.
var orderTests = []test{
	{"pollers miss nothing while writers hold transactions open", func(t *testing.T, s Store) {
		if missed := poll(t, s, s); len(missed) > 0 {
			t.Errorf("%d changes were never seen: %v", len(missed), missed[:min(len(missed), 5)])
		}
	}},
	{"times and changes grow with the versions of a resource", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"}, item{key: "Patient/b"})
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for range 10 {
					increment(t, s, w%2 == 0)
				}
			})
		}
		wg.Wait()
		for _, id := range []string{"a", "b"} {
			list, err := s.History(t.Context(), key("Patient/"+id), 0, 100)
			if err != nil || len(list) != 81 {
				t.Fatalf("%d versions, %v", len(list), err)
			}
			for i := range list[1:] {
				if list[i].Number != list[i+1].Number+1 || list[i].Change <= list[i+1].Change || list[i].Updated.Before(list[i+1].Updated) {
					t.Errorf("%+v after %+v", list[i], list[i+1])
				}
			}
		}
	}},
	{"a write is seen by whoever asks after it", func(t *testing.T, s Store) {
		for n := range 40 {
			v := write(t, s, item{key: fmt.Sprint("Patient/", n)})[0]
			list, err := s.Changes(t.Context(), v.Change-1, 10)
			if err != nil || len(list) != 1 || list[0].Change != v.Change {
				t.Fatalf("after write %d: %v, %v", n, list, err)
			}
			page, err := s.Versions(t.Context(), store.HistoryQuery{Since: v.Updated, Allowed: everybody})
			if err != nil || len(page.Rows) == 0 || page.Rows[0].Change != v.Change {
				t.Fatalf("after write %d: %d rows, %v", n, len(page.Rows), err)
			}
		}
	}},
	{"a version that came in between is a conflict, and takes nothing with it", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		const writers = 16
		var mu sync.Mutex
		won := []string{}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				id := fmt.Sprint(w)
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if _, err := tx.Put(ctx, item{key: "Observation/" + id}.put()); err != nil {
						return err
					}
					_, err := tx.Put(ctx, item{key: "Patient/a", expect: 1}.put())
					return err
				})
				switch {
				case err == nil:
					mu.Lock()
					won = append(won, id)
					mu.Unlock()
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%v won", won)
		}
		same(t, "what was written beside", find(t, s, "Observation"), won)
	}},
}

// increment writes two resources again, in one order or the other, as often as it takes.
func increment(t testing.TB, s Store, forth bool) {
	keys := []string{"Patient/a", "Patient/b"}
	if !forth {
		keys[0], keys[1] = keys[1], keys[0]
	}
	for {
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			for _, k := range keys {
				v, err := tx.Read(ctx, key(k))
				if err != nil {
					return err
				}
				if _, err := tx.Put(ctx, item{key: k, expect: v.Number}.put()); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case err == nil:
			return
		case !fault.Is(err, fault.Conflict):
			t.Error(err)
			return
		}
	}
}

// changeReader is what a poller asks.
type changeReader interface {
	Changes(ctx context.Context, after int64, limit int) ([]store.Change, error)
	Versions(ctx context.Context, q store.HistoryQuery) (store.HistoryPage, error)
}

// poll lets writers write transactions of different length while pollers go on behind
// the last that they saw, and returns what a poller missed.
func poll(t testing.TB, s Store, reader changeReader) (missed []string) {
	t.Helper()
	const writers, each = 6, 30
	var writing sync.WaitGroup
	for w := range writers {
		random := rand.New(rand.NewPCG(uint64(w), 17))
		writing.Go(func() {
			for n := range each {
				pause := time.Duration(random.IntN(4)) * time.Millisecond
				if w == 0 {
					pause *= 5 // the one that is open while all others come and go
				}
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if _, err := tx.Put(ctx, item{key: fmt.Sprintf("Patient/%d-%d", w, n)}.put()); err != nil {
						return err
					}
					time.Sleep(pause)
					_, err := tx.Put(ctx, item{key: fmt.Sprintf("Observation/%d-%d", w, n)}.put())
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	byChange, bySince, byType := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var polling sync.WaitGroup
	polling.Go(func() {
		after := int64(0)
		until(done, func() bool {
			list, err := reader.Changes(t.Context(), after, 7)
			for _, c := range list {
				if c.Change <= after {
					t.Errorf("change %d after %d", c.Change, after)
				}
				byChange[c.String()], after = true, c.Change
			}
			if err != nil {
				t.Error(err)
			}
			return len(list) > 0
		})
	})
	for typ, seen := range map[string]map[string]bool{"": bySince, "Observation": byType} {
		polling.Go(func() {
			var since time.Time
			until(done, func() bool {
				fresh := false
				newest := since
				for q := (store.HistoryQuery{Type: typ, Since: since, Allowed: search.Allowed{All: true}, Limit: 5}); ; {
					page, err := reader.Versions(t.Context(), q)
					if err != nil {
						t.Error(err)
						return false
					}
					for _, v := range page.Rows {
						fresh = fresh || !seen[v.String()]
						seen[v.String()], q.Before = true, v.Change
						if v.Updated.After(newest) {
							newest = v.Updated
						}
					}
					if !page.More {
						break
					}
				}
				since = newest
				return fresh
			})
		})
	}
	polling.Wait()
	for w := range writers {
		for n := range each {
			for _, k := range []string{fmt.Sprintf("Patient/%d-%d", w, n), fmt.Sprintf("Observation/%d-%d", w, n)} {
				if !byChange[k] {
					missed = append(missed, k+" by change")
				}
				if !bySince[k] {
					missed = append(missed, k+" by time")
				}
				if key(k).Type == "Observation" && !byType[k] {
					missed = append(missed, k+" by type and time")
				}
			}
		}
	}
	return missed
}

// until repeats a poll until writers are done and a last one finds nothing.
func until(done <-chan struct{}, poll func() (more bool)) {
	for finished := false; ; {
		select {
		case <-done:
			finished = true
		default:
		}
		if more := poll(); finished && !more {
			return
		}
	}
}

// MissesChanges reports whether pollers of a reader miss what its store writes. It is
// for tests that give it a reader which must.
func MissesChanges(t testing.TB, s Store, reader interface {
	Changes(ctx context.Context, after int64, limit int) ([]store.Change, error)
	Versions(ctx context.Context, q store.HistoryQuery) (store.HistoryPage, error)
}) bool {
	return len(poll(t, s, reader)) > 0
}
