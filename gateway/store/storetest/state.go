package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

func setState(t testing.TB, s Store, name string, number int64, content []byte) error {
	t.Helper()
	return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return tx.SetState(ctx, name, number, content) })
}

func wantState(t testing.TB, s Store, name string, number int64, content string) {
	t.Helper()
	got, err := s.State(t.Context(), name)
	if err != nil || got.Name != name || got.Number != number || string(got.Content) != content {
		t.Errorf("%+v %v, want number %d and %q", got, err, number, content)
	}
}

var stateTests = []test{
	{"is set, changed and unset by its number", func(t *testing.T, s Store) {
		wantState(t, s, "a", 0, "")
		for i, content := range []string{"x", "", "y\x00\xff"} {
			if err := setState(t, s, "a", int64(i), []byte(content)); err != nil {
				t.Fatal(err)
			}
			wantState(t, s, "a", int64(i+1), content)
		}
		if err := setState(t, s, "a", 3, nil); err != nil {
			t.Fatal(err)
		}
		wantState(t, s, "a", 0, "")
	}},
	{"with another number nothing of the transaction is written", func(t *testing.T, s Store) {
		if err := setState(t, s, "a", 0, []byte("x")); err != nil {
			t.Fatal(err)
		}
		for _, number := range []int64{0, 2} {
			for name, fn := range map[string]func(ctx context.Context, tx store.Tx) error{
				"set":   func(ctx context.Context, tx store.Tx) error { return tx.SetState(ctx, "a", number, []byte("y")) },
				"unset": func(ctx context.Context, tx store.Tx) error { return tx.SetState(ctx, "a", number, nil) },
				"hold":  func(ctx context.Context, tx store.Tx) error { return tx.HoldState(ctx, "a", number) },
			} {
				runs := 0
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					runs++
					if err := fn(ctx, tx); err != nil {
						return err
					}
					_, err := tx.Put(ctx, item{key: "Patient/a"}.put())
					return err
				})
				if !errors.Is(err, store.ErrState) || runs != 1 {
					t.Errorf("%s: %v after %d runs", name, err, runs)
				}
			}
		}
		wantState(t, s, "a", 1, "x")
		if _, err := s.Read(t.Context(), key("Patient/a")); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}},
	{"holding changes nothing", func(t *testing.T, s Store) {
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.HoldState(ctx, "a", 0) })
		if err := setState(t, s, "a", 0, []byte("x")); err != nil {
			t.Fatal(err)
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.HoldState(ctx, "a", 1) })
		wantState(t, s, "a", 1, "x")
	}},
	{"states are listed by the beginning of their names", func(t *testing.T, s Store) {
		for _, name := range []string{"b/2", "b/1", "b", "B/3", "c", "%/1"} {
			if err := setState(t, s, name, 0, []byte(name)); err != nil {
				t.Fatal(err)
			}
		}
		for prefix, want := range map[string][]string{"b/": {"b/1", "b/2"}, "%": {"%/1"}, "x": nil, "": {"%/1", "B/3", "b", "b/1", "b/2", "c"}} {
			list, err := s.States(t.Context(), prefix)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, st := range list {
				names = append(names, st.Name)
				if string(st.Content) != st.Name || st.Number != 1 {
					t.Errorf("%+v", st)
				}
			}
			if !slices.Equal(names, want) {
				t.Errorf("%q: %v, want %v", prefix, names, want)
			}
		}
	}},
	{"content over the limit is refused", func(t *testing.T, s Store) {
		wantFault(t, setState(t, s, "a", 0, make([]byte, store.MaxState+1)), fault.TooCostly)
		if err := setState(t, s, "a", 0, make([]byte, store.MaxState)); err != nil {
			t.Error(err)
		}
	}},
	{"of many that set it at once each counts once", func(t *testing.T, s Store) {
		const workers, each = 8, 5
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for done := 0; done < each; {
					now, err := s.State(t.Context(), "n")
					if err == nil {
						err = setState(t, s, "n", now.Number, fmt.Append(nil, now.Number+1))
					}
					switch {
					case err == nil:
						done++
					case !errors.Is(err, store.ErrState):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		wantState(t, s, "n", workers*each, fmt.Sprint(workers*each))
	}},
	{"what is written under a state is there when another one was set", func(t *testing.T, s Store) {
		// Writers hold the state that they know and say so in what they write. When it
		// was set, nothing that says the old number may turn up later.
		const rounds, writers = 5, 4
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for w := range writers {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					now, err := s.State(t.Context(), "n")
					if err == nil {
						err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
							if err := tx.HoldState(ctx, "n", now.Number); err != nil {
								return err
							}
							_, err := tx.Put(ctx, item{key: fmt.Sprintf("Basic/%d-%d", w, i), source: fmt.Sprint(now.Number)}.put())
							return err
						})
					}
					if err != nil && !errors.Is(err, store.ErrState) {
						t.Error(err)
						return
					}
				}
			})
		}
		count := func(source string) (n int) {
			for after := ""; ; {
				page, err := s.Scan(t.Context(), "Basic", after, 500)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					return n
				}
				for _, v := range page {
					if after = v.ID; v.Source == source {
						n++
					}
				}
			}
		}
		then := map[string]int{}
		for n := range int64(rounds) {
			for count(fmt.Sprint(n)) == 0 {
				continue
			}
			if err := setState(t, s, "n", n, []byte("x")); err != nil {
				t.Fatal(err)
			}
			then[fmt.Sprint(n)] = count(fmt.Sprint(n))
		}
		close(stop)
		wg.Wait()
		for source, n := range then {
			if now := count(source); now != n {
				t.Errorf("under %s: %d when it ended, %d later", source, n, now)
			}
		}
	}},
}
