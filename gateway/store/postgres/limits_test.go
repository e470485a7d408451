package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

func TestASearchThatWorksTooLongEnds(t *testing.T) {
	s := open(t, postgres.Options{SearchTime: 60 * time.Millisecond})
	load(t, s, 0, 4000, 200, 2)
	costly := &search.Query{Type: "Observation", Count: 1, Allowed: search.Allowed{All: true}, Total: search.TotalAccurate,
		Sort: []search.Sort{{Param: "date", Kind: search.KindDate}, {Param: "code", Kind: search.KindToken}, {Param: "status", Kind: search.KindToken}}}
	for n := range 60 {
		costly.Where = append(costly.Where, search.Clause{Param: "code", Kind: search.KindToken, Not: true,
			Any: []search.Operand{search.TokenMatch{System: &[]string{"http://loinc.org"}[0], Code: fmt.Sprint("none", n)},
				search.AllMatch{Where: []search.Clause{dated("date", search.GE, n), dated("date", search.LE, n-1)}}}})
	}
	start := time.Now()
	if _, err := s.Search(t.Context(), costly); !fault.Is(err, fault.TooCostly) {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it ended after %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := s.Search(ctx, costly); !errors.Is(err, context.DeadlineExceeded) || fault.Is(err, fault.TooCostly) {
		t.Errorf("a client that left got %v", err)
	}
	cheap := &search.Query{Type: "Observation", Count: 1, Allowed: search.Allowed{All: true}, Where: []search.Clause{token("identifier", "N7")}}
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Put(ctx, put("kept", 0)); err != nil {
			return err
		}
		if _, err := tx.Search(ctx, costly); !fault.Is(err, fault.TooCostly) {
			t.Errorf("inside a transaction: %v", err)
		}
		if p, err := tx.Search(ctx, cheap); err != nil || len(p.Rows) != 1 {
			t.Errorf("the next search inside: %d rows, %v", len(p.Rows), err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("the transaction around it: %v", err)
	}
	if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "kept"}); err != nil {
		t.Error(err)
	}
}

func TestWritesAreRefusedWhenTooManyWait(t *testing.T) {
	s := open(t, postgres.Options{Writers: 1, Queue: 2})
	inside, leave := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			err := tx.Lock(ctx, "a") // with a connection
			close(inside)
			<-leave
			return err
		})
	}()
	<-inside
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if err := write(s, put(fmt.Sprint(i), 0)); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	if err := write(s, put("x", 0)); !fault.Is(err, fault.Busy) {
		t.Errorf("got %v", err)
	}
	close(leave)
	wg.Wait()
}

func TestATransactionThatWaitsTooLongForALockIsRefused(t *testing.T) {
	s := open(t, postgres.Options{LockTime: 100 * time.Millisecond})
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if err := tx.Lock(ctx, "a", "b"); err != nil {
			return err
		}
		waits := make(chan error)
		go func() { // as another client does
			waits <- s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error { return tx.Lock(ctx, "c", "b") })
		}()
		if err := <-waits; !fault.Is(err, fault.Busy) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// 64 clients of two processes create what none of them finds.
func TestProcessesMakeOneResourceOfOneIdentifier(t *testing.T) {
	url := testenv.Postgres(t)
	nodes := []*postgres.Store{openURL(t, url, postgres.Options{}), openURL(t, url, postgres.Options{})}
	for round := range 3 {
		code := fmt.Sprint("code", round)
		var made atomic.Int32
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				err := nodes[i%2].Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Lock(ctx, "Patient|identifier|"+code); err != nil {
						return err
					}
					p, err := tx.Search(ctx, &search.Query{Type: "Patient", Allowed: search.Allowed{All: true}, Count: 1, Where: []search.Clause{token("identifier", code)}})
					if err != nil || len(p.Rows) > 0 {
						return err
					}
					fresh := put(fmt.Sprint(round, "-", i), 0)
					fresh.Values.Tokens[0].Code = code
					_, err = tx.Put(ctx, fresh)
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
		p, err := nodes[0].Search(t.Context(), &search.Query{Type: "Patient", Allowed: search.Allowed{All: true}, Count: 10, Where: []search.Clause{token("identifier", code)}})
		if err != nil || len(p.Rows) != 1 {
			t.Errorf("%d resources of one identifier (%d made), %v", len(p.Rows), made.Load(), err)
		}
	}
}

func TestABulkLoadIsAnalysed(t *testing.T) {
	s := open(t, postgres.Options{AnalyzeFrom: 1000})
	load(t, s, 0, 3000, 100, 2)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		n, err := s.Number(t.Context(), "SELECT count(*) FROM pg_stats WHERE tablename = 'resource'")
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the planner knows nothing of 3,300 resources")
		}
	}
}

func TestBodiesComeBackFromDictionaries(t *testing.T) {
	url := testenv.Postgres(t)
	s := openURL(t, url, postgres.Options{})
	load(t, s, 0, 3000, 50, 2)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if n, err := s.Number(t.Context(), "SELECT count(*) FROM dictionary"); err != nil || n >= 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no dictionary was made")
		}
	}
	load(t, s, 3000, 3200, 10, 2)
	n, err := s.Number(t.Context(), "SELECT count(*) FROM version WHERE get_byte(body, 0) = 2")
	if err != nil || n < 100 {
		t.Errorf("%d bodies use a dictionary, %v", n, err)
	}
	other := openURL(t, url, postgres.Options{}) // knows none yet
	for _, at := range []int{0, 2500, 3050, 3199} {
		for _, s := range []*postgres.Store{s, other} {
			p := storetest.Observation(at)
			v, err := s.Read(t.Context(), p.Key)
			if err != nil || string(v.Body) != string(p.Render(1, v.Updated)) {
				t.Errorf("result %d: %d bytes, %v", at, len(v.Body), err)
			}
		}
	}
	// What one patient alone has must not be kept apart from the resources.
	if n, err := s.Number(t.Context(), "SELECT count(*) FROM dictionary WHERE position('Patient/p'::bytea IN bytes) > 0"); n != 0 || err != nil {
		t.Errorf("%d dictionaries name patients, %v", n, err)
	}
}

// Whatever a client makes of a position, it gets a page or a fault of its own doing.
func FuzzPosition(f *testing.F) {
	s := open(f, postgres.Options{})
	load(f, s, 0, 50, 50, 1)
	for _, seed := range []string{"i5|i6|hzzzzzzzzzz", "n|i1|h1.1", "sabc|i2|h", "f7ff0000000000000|i3|hz", "i99999999999999999999|i1|h0", "", "|", "x|i1|h1", "i1|n|h1",
		"xzz|i1|h1", "x00|i1|h5.1.1", "i1|i1|h-1", "i1|i1|hzzzzzzzzzzzzzz"} {
		f.Add(seed)
	}
	sorts := [][]search.Sort{nil, {{Param: "date", Kind: search.KindDate, Down: true}}, {{Param: "_lastUpdated", Kind: search.KindDate}},
		{{Param: "code", Kind: search.KindToken}, {Param: "_id", Kind: search.KindToken}}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, by := range sorts {
			q := &search.Query{Type: "Observation", Count: 10, Allowed: search.Allowed{All: true}, Sort: by,
				After: &search.Position{Keys: strings.Split(text, "|"), ID: text}}
			p, err := s.Search(t.Context(), q)
			if err != nil && !fault.Is(err, fault.Invalid) || len(p.Rows) > 10 {
				t.Fatalf("%d rows, %v", len(p.Rows), err)
			}
		}
		p, err := s.Compartment(t.Context(), store.CompartmentQuery{Patients: []string{"p"}, Count: 1, Allowed: search.Allowed{All: true},
			After: &search.Position{ID: text, Keys: []string{text}}})
		if err != nil && !fault.Is(err, fault.Invalid) || len(p.Rows) > 0 {
			t.Fatalf("compartment: %d rows, %v", len(p.Rows), err)
		}
	})
}
