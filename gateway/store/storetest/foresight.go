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

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// begun makes each transaction begin with what f foresees.
type begun struct {
	Store
	f store.Foresight
}

func (b begun) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	return b.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := tx.Begin(ctx, b.f); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// foresightTests are those of transactions that lock nothing, begun with nothing that is
// foreseen, and those of what is.
func foresightTests() (list []test) {
	for _, tt := range transactionTests {
		switch tt.name {
		case "64 parallel updates of one resource all count, without a gap", "names locked before a search make search and write one step",
			"refuses a second lock, and one after a search":
			continue
		}
		list = append(list, test{"brief: " + tt.name, func(t *testing.T, s Store) { tt.run(t, begun{s, store.Foresight{Brief: true}}) }})
	}
	return append(list, foreseenTests...)
}

var foreseenTests = []test{
	{"refuses to begin late, or twice, and to lock again", func(t *testing.T, s Store) {
		begin := func(ctx context.Context, tx store.Tx) error {
			return tx.Begin(ctx, store.Foresight{Names: []string{"x"}, Brief: true})
		}
		look := func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Search(ctx, &search.Query{Type: "Patient", Allowed: everybody, Count: 1})
			return err
		}
		lock := func(ctx context.Context, tx store.Tx) error { return tx.Lock(ctx, "y") }
		put := func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Put(ctx, item{key: "Patient/a"}.put())
			return err
		}
		for i, steps := range [][2]func(context.Context, store.Tx) error{{begin, begin}, {begin, lock}, {look, begin}, {lock, begin}, {put, begin}} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				if err := steps[0](ctx, tx); err != nil {
					t.Fatal(err)
				}
				_ = steps[1](ctx, tx) // an ignored refusal must not commit either
				return nil
			})
			if err == nil {
				t.Errorf("case %d committed", i)
			}
		}
	}},
	{"answers what is foreseen as what is asked, also after own writes", func(t *testing.T, s Store) {
		shared, own, alone := store.Identifier{System: "s", Value: "shared"}, store.Identifier{System: "s", Value: "own"}, store.Identifier{System: "s", Value: "alone"}
		at := time.UnixMicro(1_600_000_000_000_000).UTC()
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			var errs []error
			for i, id := range []string{"a", "b", "c", "d"} {
				person := "p" + id
				if id == "c" {
					person = "pb"
				}
				_, err := tx.Put(ctx, item{key: "Patient/" + id}.put())
				f := store.Features{Patient: id, Institution: "h", Name: id}
				if i < 2 {
					f.Strong = []store.Identifier{shared}
				}
				if id == "a" {
					f.Strong = append(f.Strong, own)
				}
				errs = append(errs, err, tx.SetFeatures(ctx, f))
				if id == "c" {
					errs = append(errs, tx.SetLink(ctx, store.Link{Person: person, Patient: id, Institution: "g", Rule: "r", Since: at}))
					continue
				}
				if id != "d" {
					errs = append(errs, tx.NewPerson(ctx, store.Person{ID: person, Since: at}),
						tx.SetLink(ctx, store.Link{Person: person, Patient: id, Institution: "h", Rule: "r", Reason: "why", Since: at}))
				}
			}
			for _, id := range []string{"w1", "w2"} {
				errs = append(errs, tx.SetPending(ctx, key("Observation/"+id), []store.Pending{
					{Type: "Patient", Identifier: own, From: key("Observation/" + id)}, {Type: "Device", Identifier: own, From: key("Observation/" + id)}}))
			}
			return errors.Join(errs...)
		})
		foresight := store.Foresight{
			Names: []string{"a", "b"}, Creates: []store.Key{key("Patient/new")}, Replaces: []store.Key{key("Patient/a"), key("Patient/none")},
			Arrives: map[string][]store.Identifier{"Patient": {own, alone}}, Strong: []store.Identifier{shared, own, alone}, Patients: []string{"a", "d", "none"}, Brief: true,
		}
		type seen struct {
			Waiting, WaitingElse    []store.Pending
			First, Second           [][]store.Features
			Links                   map[string]store.Link
			Persons, PersonsAfter   map[string][]store.Link
			LinksAfter              map[string]store.Link
			Number                  int64
			Missing, Again, Created error
		}
		look := func(f *store.Foresight) (out seen) {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				out = seen{}
				if f != nil {
					if err := tx.Begin(ctx, *f); err != nil {
						return err
					}
				}
				var errs []error
				features := func() (all [][]store.Features) {
					for _, q := range []struct {
						ids   []store.Identifier
						named []string
					}{{[]store.Identifier{shared, own}, nil}, {[]store.Identifier{own, shared}, []string{"d"}}, {nil, []string{"d", "a"}},
						{[]store.Identifier{alone}, []string{"none"}}, {nil, []string{"b", "c"}}, {nil, nil}} {
						list, err := tx.Features(ctx, q.ids, q.named)
						errs, all = append(errs, err), append(all, slices.Clip(list))
					}
					return all
				}
				links := func() (of map[string]store.Link, persons map[string][]store.Link) {
					of, persons = map[string]store.Link{}, map[string][]store.Link{}
					for _, id := range []string{"a", "b", "c", "d", "none", "new"} {
						l, ok, err := tx.LinkOf(ctx, id)
						if errs = append(errs, err); ok {
							of[id] = l
						}
					}
					for _, id := range []string{"pa", "pb", "pnew"} {
						list, err := tx.LinksOf(ctx, id)
						errs, persons[id] = append(errs, err), list
					}
					return of, persons
				}
				var err error
				out.Waiting, err = tx.Waiting(ctx, "Patient", []store.Identifier{alone, own, own})
				errs = append(errs, err)
				out.WaitingElse, err = tx.Waiting(ctx, "Device", []store.Identifier{own})
				errs = append(errs, err)
				out.First = features()
				out.Links, out.Persons = links()
				v, err := tx.Put(ctx, item{key: "Patient/a", expect: 1}.put())
				out.Number, errs = v.Number, append(errs, err)
				_, out.Created = tx.Put(ctx, item{key: "Patient/new"}.put())
				errs = append(errs, tx.SetFeatures(ctx, store.Features{Patient: "new", Name: "new", Strong: []store.Identifier{alone}}),
					tx.SetFeatures(ctx, store.Features{Patient: "a", Name: "other", Strong: []store.Identifier{shared}}),
					tx.NewPerson(ctx, store.Person{ID: "pnew", Since: at}),
					tx.SetLink(ctx, store.Link{Person: "pnew", Patient: "new", Institution: "h", Since: at}))
				out.Second = features()
				errs = append(errs, tx.MergePerson(ctx, "pa", "pb", "rule", "reason", at))
				out.LinksAfter, out.PersonsAfter = links()
				return errors.Join(append(errs, errGivenUp)...)
			})
			if !errors.Is(err, errGivenUp) || err.Error() != errGivenUp.Error() {
				t.Fatal(err)
			}
			return out
		}
		want, got := look(nil), look(&foresight)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked (-) and foreseen (+):\n%s", diff)
		}
		if len(want.Waiting) != 2 || len(want.First[0]) != 2 || len(want.Persons["pb"]) != 2 || want.Number != 2 || len(want.PersonsAfter["pb"]) != 3 {
			t.Errorf("the questions found %+v", want)
		}
		slow := foresight
		slow.Brief = false
		if diff := cmp.Diff(want, look(&slow)); diff != "" {
			t.Errorf("asked (-) and foreseen, not brief (+):\n%s", diff)
		}
	}},
	{"a foreseen version that is another by now is a conflict", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		write(t, s, item{key: "Patient/a", expect: 1})
		for _, expect := range []int64{0, 1, 3} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				f := store.Foresight{Replaces: []store.Key{key("Patient/a")}, Brief: true}
				if expect == 0 {
					f = store.Foresight{Creates: f.Replaces, Brief: true}
				}
				if err := tx.Begin(ctx, f); err != nil {
					return err
				}
				_, err := tx.Put(ctx, item{key: "Patient/a", expect: expect}.put())
				return err
			})
			wantFault(t, err, fault.Conflict)
		}
	}},
	{"a foreseen state is held", func(t *testing.T, s Store) {
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.SetState(ctx, "x", 0, []byte("1")) })
		for number, want := range []error{store.ErrState, nil, store.ErrState} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				if err := tx.Begin(ctx, store.Foresight{States: []store.State{{Name: "x", Number: int64(number)}}, Brief: true}); err != nil {
					return err
				}
				if err := tx.HoldState(ctx, "x", int64(number)); err != nil {
					return err
				}
				_, err := tx.Put(ctx, item{key: fmt.Sprint("Patient/", number)}.put())
				return err
			})
			if !errors.Is(err, want) {
				t.Errorf("number %d: got %v, want %v", number, err, want)
			}
		}
		same(t, "stored", find(t, s, "Patient"), ids("1"))
	}},
	{"64 brief updates of one resource all count, without a gap", func(t *testing.T, s Store) {
		write(t, s, item{key: "Patient/a"})
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for {
					now, err := s.Read(t.Context(), key("Patient/a"))
					if err != nil {
						t.Error(err)
						return
					}
					err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						if err := tx.Begin(ctx, store.Foresight{Names: []string{"a"}, Replaces: []store.Key{key("Patient/a")}, Brief: true}); err != nil {
							return err
						}
						_, err := tx.Put(ctx, item{key: "Patient/a", expect: now.Number}.put())
						return err
					})
					if !fault.Is(err, fault.Conflict) {
						if err != nil {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Wait()
		list, err := s.History(t.Context(), key("Patient/a"), 0, 100)
		if err != nil || len(list) != 65 || list[0].Number != 65 {
			t.Fatalf("%d versions, %v", len(list), err)
		}
	}},
	{"brief transactions that share a name see each other's writes", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		var made atomic.Int32
		for i := range 60 {
			wg.Go(func() {
				id := store.Identifier{System: "s", Value: fmt.Sprint(i % 5)}
				patient := fmt.Sprint("p", i)
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Begin(ctx, store.Foresight{Names: []string{"n" + id.Value, fmt.Sprint("own", i)}, Creates: []store.Key{key("Patient/" + patient)},
						Strong: []store.Identifier{id}, Brief: true}); err != nil {
						return err
					}
					known, err := tx.Features(ctx, []store.Identifier{id}, nil)
					if err != nil || len(known) > 0 {
						return errors.Join(err, errGivenUp)
					}
					_, err = tx.Put(ctx, item{key: "Patient/" + patient}.put())
					return errors.Join(err, tx.SetFeatures(ctx, store.Features{Patient: patient, Strong: []store.Identifier{id}}))
				})
				switch {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, errGivenUp):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := len(find(t, s, "Patient")); got != 5 || made.Load() != 5 {
			t.Errorf("%d resources for 5 identifiers, %d acknowledged", got, made.Load())
		}
	}},
	{"of brief transactions those that fail, panic or end their goroutine take nothing from others", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		for i := range 80 {
			wg.Go(func() {
				ended := false
				defer func() {
					if i%4 == 3 && !ended {
						return // by Goexit, as it should
					}
					if i%4 == 3 {
						t.Error("the goroutine went on")
					}
				}()
				err := s.Update(context.WithoutCancel(t.Context()), func(ctx context.Context, tx store.Tx) error {
					k := key(fmt.Sprint("Patient/", i))
					if err := tx.Begin(ctx, store.Foresight{Names: []string{k.ID}, Creates: []store.Key{k}, Brief: true}); err != nil {
						return err
					}
					if err := writeAll(ctx, tx, k.ID); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return errGivenUp
					case 2:
						panic("words")
					case 3:
						runtime.Goexit()
					}
					return nil
				})
				ended = true
				if (i%4 == 0) != (err == nil) {
					t.Errorf("transaction %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if got := len(find(t, s, "Patient")); got != 20 {
			t.Errorf("%d resources, want 20", got)
		}
		list, err := s.Reviews(t.Context(), 100)
		if err != nil || len(list) != 20 {
			t.Errorf("%d reviews, %v", len(list), err)
		}
	}},
	{"a poller of changes misses nothing of brief transactions", func(t *testing.T, s Store) {
		const writers, each = 16, 30
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						k := key(fmt.Sprintf("Patient/%d", w))
						f := store.Foresight{Names: []string{k.ID}, Creates: []store.Key{key(fmt.Sprintf("Observation/%d-%d", w, i))}, Replaces: []store.Key{k}, Brief: true}
						if i == 0 {
							f.Creates, f.Replaces = append(f.Creates, k), nil
						}
						if err := tx.Begin(ctx, f); err != nil {
							return err
						}
						_, err := tx.Put(ctx, item{key: k.String(), expect: int64(i)}.put())
						if err == nil && i%3 == 0 {
							_, err = tx.Put(ctx, item{key: f.Creates[0].String()}.put())
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
		numbers := map[store.Key]int64{}
		var last int64
		seen := 0
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
				if numbers[c.Key]++; c.Change <= last || c.Number != numbers[c.Key] {
					t.Fatalf("change %d of %s, number %d, came after %d", c.Change, c.Key, c.Number, last)
				}
				last = c.Change
				seen++
			}
			if finished && len(list) == 0 {
				break
			}
		}
		if want := writers * (each + (each+2)/3); seen != want {
			t.Errorf("saw %d changes, want %d", seen, want)
		}
	}},
}
