package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

var errGivenUp = errors.New("given up")

var transactionTests = []test{
	{"sees its own writes, others see them after the commit", func(t *testing.T, s Store) {
		code := search.Values{Tokens: []search.Token{{Param: "code", Code: "c"}}}
		c := clause("code", search.KindToken, search.TokenMatch{Code: "c"})
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Put(ctx, item{key: "Observation/a", values: code}.put()); err != nil {
				return err
			}
			v, err := tx.Read(ctx, key("Observation/a"))
			if err != nil || v.Number != 1 {
				t.Errorf("reading an own write: %v, %v", v, err)
			}
			p, err := tx.Search(ctx, &search.Query{Type: "Observation", Where: []search.Clause{c}, Allowed: everybody, Count: 10})
			if err != nil || len(p.Rows) != 1 {
				t.Errorf("searching an own write: %d rows, %v", len(p.Rows), err)
			}
			_, err = s.Read(ctx, key("Observation/a"))
			wantFault(t, err, fault.NotFound)
			same(t, "a reader during the transaction", find(t, s, "Observation", c), ids(""))
			return nil
		})
		same(t, "a reader after the commit", find(t, s, "Observation", c), ids("a"))
	}},
	{"rolls back when fn fails and returns its error as it is", func(t *testing.T, s Store) {
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return errors.Join(writeAll(ctx, tx, "x"), errGivenUp)
		})
		if !errors.Is(err, errGivenUp) {
			t.Errorf("got %v", err)
		}
		wantNothing(t, s)
		update(t, s, func(ctx context.Context, tx store.Tx) error { return writeAll(ctx, tx, "x") })
	}},
	{"rolls back when fn panics, and goes on", func(t *testing.T, s Store) {
		for _, p := range []any{"words", errGivenUp} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_ = writeAll(ctx, tx, "x")
				panic(p)
			})
			if !fault.Is(err, fault.Internal) {
				t.Errorf("got %v", err)
			}
			wantNothing(t, s)
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error { return writeAll(ctx, tx, "x") })
	}},
	{"rolls back when the goroutine of fn ends, and goes on", func(t *testing.T, s Store) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Update(context.WithoutCancel(t.Context()), func(ctx context.Context, tx store.Tx) error {
				_ = writeAll(ctx, tx, "x")
				runtime.Goexit()
				return nil
			})
		}()
		<-ended
		wantNothing(t, s)
		update(t, s, func(ctx context.Context, tx store.Tx) error { return writeAll(ctx, tx, "x") })
	}},
	{"one that fails takes nothing from those beside it", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if _, err := tx.Put(ctx, item{key: fmt.Sprint("Patient/", i)}.put()); err != nil {
						return err
					}
					switch i % 3 {
					case 1:
						return errGivenUp
					case 2:
						panic("words")
					}
					return nil
				})
				if (i%3 == 0) != (err == nil) {
					t.Errorf("transaction %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if got := len(find(t, s, "Patient")); got != 20 {
			t.Errorf("%d resources, want 20", got)
		}
	}},
	{"what only a failed one brought up is new to those beside it", func(t *testing.T, s Store) {
		const kinds = 40
		var wg sync.WaitGroup
		for i := range 4 * kinds {
			wg.Go(func() {
				n := i / 4
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Put(ctx, item{key: fmt.Sprintf("Type%d/%d", n, i), owner: fmt.Sprint("owner", n), values: search.Values{
						Tokens: []search.Token{{Param: fmt.Sprint("param", n), System: fmt.Sprint("system", n), Code: "c"}}}}.put())
					if err == nil && i%4 != 3 {
						err = errGivenUp
					}
					return err
				})
				if (i%4 == 3) != (err == nil) {
					t.Errorf("transaction %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for n := range kinds {
			same(t, fmt.Sprint("type ", n), find(t, s, fmt.Sprint("Type", n), clause(fmt.Sprint("param", n), search.KindToken,
				search.TokenMatch{System: ptr(fmt.Sprint("system", n)), Code: "c"})), ids(fmt.Sprint(n*4+3)))
		}
		list, err := s.Changes(t.Context(), 0, 10*kinds)
		if err != nil || len(list) != kinds {
			t.Fatalf("%d changes, %v", len(list), err)
		}
		for _, c := range list {
			var id int
			if _, err := fmt.Sscan(c.ID, &id); err != nil || c.Type != fmt.Sprint("Type", id/4) || c.Owner != fmt.Sprint("owner", id/4) {
				t.Errorf("%s of %s", c.Key, c.Owner)
			}
		}
	}},
	{"does not start for a context that ended", func(t *testing.T, s Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Update(ctx, func(ctx context.Context, tx store.Tx) error { return writeAll(ctx, tx, "x") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantNothing(t, s)
	}},
	{"a context that ends inside makes the next call fail and nothing half", func(t *testing.T, s Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Put(ctx, item{key: "Patient/first"}.put()); err != nil {
				return err
			}
			cancel()
			_, err := tx.Put(ctx, item{key: "Patient/second"}.put())
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		same(t, "stored", find(t, s, "Patient"), ids(""))
	}},
	{"a client that leaves while waiting leaves all or nothing", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		var committed sync.Map
		for i := range 200 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%20)*time.Millisecond/4)
				defer cancel()
				err := s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
					for _, part := range []string{"a", "b", "c"} {
						if _, err := tx.Put(context.WithoutCancel(ctx), item{key: fmt.Sprintf("Patient/%d-%s", i, part)}.put()); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil {
					committed.Store(i, true)
				}
			})
		}
		wg.Wait()
		update(t, s, func(ctx context.Context, tx store.Tx) error { return nil }) // behind all that still runs
		stored := find(t, s, "Patient")
		for i := range 200 {
			n := 0
			for _, part := range []string{"a", "b", "c"} {
				if _, ok := slices.BinarySearch(stored, fmt.Sprintf("%d-%s", i, part)); ok {
					n++
				}
			}
			_, ok := committed.Load(i)
			if n != 0 && n != 3 || ok && n != 3 {
				t.Errorf("transaction %d: %d of 3 parts stored, acknowledged %v", i, n, ok)
			}
		}
	}},
	{"64 parallel updates of one resource all count, without a gap", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Lock(ctx, "a"); err != nil {
						return err
					}
					v, err := tx.Read(ctx, key("Patient/a"))
					if err != nil {
						return err
					}
					_, err = tx.Put(ctx, item{key: "Patient/a", expect: v.Number}.put())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := s.History(t.Context(), key("Patient/a"), 0, 100)
		if err != nil || len(list) != 65 {
			t.Fatalf("%d versions, %v", len(list), err)
		}
		for i, v := range list {
			if v.Number != int64(65-i) {
				t.Errorf("version %d at place %d", v.Number, i)
			}
		}
	}},
	{"of parallel creates of one resource one wins", func(t *testing.T, s Store) {
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Put(ctx, item{key: "Patient/a"}.put())
					return err
				})
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.Conflict):
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d won", won.Load())
		}
	}},
	{"names locked before a search make search and write one step", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		var made atomic.Int32
		for i := range 40 {
			wg.Go(func() {
				code := fmt.Sprint("c", i%4)
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Lock(ctx, "identifier|"+code); err != nil {
						return err
					}
					p, err := tx.Search(ctx, &search.Query{Type: "Patient", Allowed: everybody, Count: 1,
						Where: []search.Clause{clause("identifier", search.KindToken, search.TokenMatch{Code: code})}})
					if err != nil || len(p.Rows) > 0 {
						return err
					}
					_, err = tx.Put(ctx, item{key: fmt.Sprint("Patient/", i), values: search.Values{
						Tokens: []search.Token{{Param: "identifier", Code: code}}}}.put())
					if err == nil {
						made.Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := len(find(t, s, "Patient")); got != 4 {
			t.Errorf("%d resources for 4 identifiers", got)
		}
	}},
	{"refuses a second lock, and one after a search", func(t *testing.T, s Store) {
		look := func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Search(ctx, &search.Query{Type: "Patient", Allowed: everybody, Count: 1})
			return err
		}
		features := func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Features(ctx, []store.Identifier{{System: "s", Value: "v"}}, nil)
			return err
		}
		lock := func(ctx context.Context, tx store.Tx) error { return tx.Lock(ctx, "x", "y") }
		for _, first := range []func(context.Context, store.Tx) error{look, features, lock} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				if err := first(ctx, tx); err != nil {
					t.Fatal(err)
				}
				_ = tx.Lock(ctx, "z") // an ignored refusal must not commit either
				return nil
			})
			if err == nil {
				t.Error("a late lock committed")
			}
		}
	}},
	{"refuses an Update inside an Update, and a transaction that is over", func(t *testing.T, s Store) {
		var kept store.Tx
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			kept = tx
			if err := s.Update(ctx, func(context.Context, store.Tx) error { return nil }); err == nil {
				t.Error("a nested Update was let through")
			}
			return nil
		})
		if _, err := kept.Put(t.Context(), item{key: "Patient/a"}.put()); err == nil {
			t.Error("a transaction that was over took a write")
		}
	}},
	{"a poller of changes misses nothing and sees all in order", func(t *testing.T, s Store) {
		const writers, each = 16, 40
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						_, err := tx.Put(ctx, item{key: fmt.Sprintf("Patient/%d", w), expect: int64(i), owner: fmt.Sprint("h", w),
							deleted: i%10 == 9}.put())
						if err == nil && i%7 == 0 {
							_, err = tx.Put(ctx, item{key: fmt.Sprintf("Observation/%d-%d", w, i)}.put())
						}
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
		go func() { wg.Wait(); close(done) }()
		var seen []store.Change
		var last int64
		for finished := false; ; {
			select {
			case <-done:
				finished = true // one more round, for what came since the last
			default:
			}
			list, err := s.Changes(t.Context(), last, 25)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				if c.Change <= last {
					t.Fatalf("change %d came after %d", c.Change, last)
				}
				last = c.Change
				seen = append(seen, c)
			}
			if finished && len(list) == 0 {
				break
			}
		}
		numbers := map[store.Key]int64{}
		for _, c := range seen {
			numbers[c.Key]++
			if c.Number != numbers[c.Key] {
				t.Errorf("%s: number %d was seen as the %d.", c.Key, c.Number, numbers[c.Key])
			}
			if c.Type == "Patient" && (c.Owner != "h"+c.ID || c.Deleted != (c.Number%10 == 0)) {
				t.Errorf("%s: %+v", c.Key, c)
			}
			if v, err := s.ReadVersion(t.Context(), c.Key, c.Number); err != nil || v.Change != c.Change || !v.Updated.Equal(c.Updated) {
				t.Errorf("%s/%d: change %d at %s, version %d at %s, %v", c.Key, c.Number, c.Change, c.Updated, v.Change, v.Updated, err)
			}
		}
		if want := writers * (each + (each+6)/7); len(seen) != want {
			t.Errorf("saw %d changes, want %d", len(seen), want)
		}
	}},
}

// writeAll leaves one row in everything that a transaction can write.
func writeAll(ctx context.Context, tx store.Tx, id string) error {
	_, err := tx.Put(ctx, item{key: "Patient/" + id, values: search.Values{
		Tokens: []search.Token{{Param: "identifier", System: "system-" + id, Code: id}}}}.put())
	return errors.Join(err,
		tx.NewPerson(ctx, store.Person{ID: "person-" + id, Since: time.Now()}),
		tx.SetLink(ctx, store.Link{Person: "person-" + id, Patient: id, Institution: "h1", Since: time.Now()}),
		tx.SetFeatures(ctx, store.Features{Patient: id, Strong: []store.Identifier{{System: "s", Value: id}}}),
		tx.AddReview(ctx, store.Review{PatientA: id, PatientB: "other", Rule: "r", Since: time.Now()}),
		tx.SetApplied(ctx, "h1", "key", id),
		tx.SetPending(ctx, key("Patient/"+id), []store.Pending{{Type: "Organization", Identifier: store.Identifier{System: "s", Value: id}, From: key("Patient/" + id)}}))
}

// wantNothing fails unless no trace of writeAll is there.
func wantNothing(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	_, err := s.Read(ctx, key("Patient/x"))
	wantFault(t, err, fault.NotFound)
	_, err = s.Person(ctx, "person-x")
	wantFault(t, err, fault.NotFound)
	if _, ok, err := s.LinkOf(ctx, "x"); ok || err != nil {
		t.Errorf("a link: %v, %v", ok, err)
	}
	if list, err := s.Reviews(ctx, 10); len(list) != 0 || err != nil {
		t.Errorf("reviews: %v, %v", list, err)
	}
	if list, err := s.Changes(ctx, 0, 10); len(list) != 0 || err != nil {
		t.Errorf("changes: %v, %v", list, err)
	}
	same(t, "index rows", find(t, s, "Patient", clause("identifier", search.KindToken, search.TokenMatch{Code: "x"})), ids(""))
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		hash, err := tx.Applied(ctx, "h1", "key")
		if hash != "" || err != nil {
			t.Errorf("applied: %q, %v", hash, err)
		}
		f, err := tx.Features(ctx, []store.Identifier{{System: "s", Value: "x"}}, []string{"x"})
		if len(f) != 0 || err != nil {
			t.Errorf("features: %v, %v", f, err)
		}
		w, err := tx.Waiting(ctx, "Organization", []store.Identifier{{System: "s", Value: "x"}})
		if len(w) != 0 || err != nil {
			t.Errorf("pending: %v, %v", w, err)
		}
		return nil
	})
}
