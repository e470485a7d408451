package postgres_test

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
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/internal/testenv"
)

// gate holds the first commit of a store until it is opened, so that what comes meanwhile
// waits for the group behind it. Later commits are counted, and end as fails says.
type gate struct {
	reached, open chan struct{}
	commits       atomic.Int32
	fails         func(commit int32) error
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) fault(point string) error {
	if point != postgres.BeforeCommit {
		return nil
	}
	n := g.commits.Add(1)
	if n == 1 {
		close(g.reached)
		<-g.open
		return nil
	}
	if g.fails != nil {
		return g.fails(n)
	}
	return nil
}

// behind opens a store with one group at a time, whose first transaction is held, starts
// all of others, and lets go when they wait. It returns their errors.
func behind(t *testing.T, opt postgres.Options, g *gate, others ...func(s *postgres.Store) error) (*postgres.Store, []error) {
	t.Helper()
	opt.Groups, opt.GroupTime, opt.Fault = 1, time.Hour, g.fault
	s := open(t, opt)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := brief(s, "first"); err != nil {
			t.Error(err)
		}
	})
	<-g.reached
	errs := make([]error, len(others))
	for i, other := range others {
		wg.Go(func() { errs[i] = other(s) })
		for deadline := time.Now().Add(10 * time.Second); s.Waiting() <= int64(i) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	close(g.open)
	wg.Wait()
	return s, errs
}

// brief makes a Patient in a brief transaction that locks its id and names; then may be
// nil.
func brief(s *postgres.Store, id string, names ...string) error { return briefly(s, id, names, nil) }

func briefly(s *postgres.Store, id string, names []string, then func(ctx context.Context, tx store.Tx) error) error {
	return brieflyWithin(context.Background(), s, id, names, then)
}

func brieflyWithin(ctx context.Context, s *postgres.Store, id string, names []string, then func(ctx context.Context, tx store.Tx) error) error {
	return s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		p := put(id, 0)
		if err := tx.Begin(ctx, store.Foresight{Names: append([]string{"own " + id}, names...), Creates: []store.Key{p.Key}, Brief: true}); err != nil {
			return err
		}
		if _, err := tx.Put(ctx, p); err != nil || then == nil {
			return err
		}
		return then(ctx, tx)
	})
}

// times returns when the Patients were written; those of a group have one time.
func times(t *testing.T, s *postgres.Store, ids ...string) (list []time.Time) {
	t.Helper()
	for _, id := range ids {
		v, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: id})
		if err != nil || v.Number != 1 {
			t.Fatalf("%s: version %d, %v", id, v.Number, err)
		}
		list = append(list, v.Updated)
	}
	return list
}

func wantAbsent(t *testing.T, s *postgres.Store, id string) {
	t.Helper()
	if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: id}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%s: %v", id, err)
	}
}

func wantNone(t *testing.T, errs []error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

var errGivenUp = errors.New("given up")

func makes(id string, names ...string) func(*postgres.Store) error {
	return func(s *postgres.Store) error { return brief(s, id, names...) }
}

func TestTransactionsThatWaitShareACommit(t *testing.T) {
	g := newGate()
	s, errs := behind(t, postgres.Options{}, g, makes("a"), makes("b"), makes("c"))
	wantNone(t, errs)
	if at := times(t, s, "a", "b", "c"); at[0] != at[1] || at[1] != at[2] || g.commits.Load() != 2 {
		t.Errorf("%d commits, at %v", g.commits.Load(), at)
	}
	list, err := s.Changes(t.Context(), 0, 10)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d changes, %v", len(list), err)
	}
	for i, c := range list[1:] {
		if c.Change <= list[i].Change {
			t.Errorf("change %d after %d", c.Change, list[i].Change)
		}
	}
}

func TestAGroupHasAtMostSoManyMembers(t *testing.T) {
	for what, opt := range map[string]postgres.Options{"count": {GroupCount: 2}, "names": {GroupNames: 3}, "bytes": {GroupBytes: 1}} {
		t.Run(what, func(t *testing.T) {
			g := newGate()
			s, errs := behind(t, opt, g, makes("a"), makes("b"), makes("c"), makes("d"))
			wantNone(t, errs)
			want := int32(3)
			if what != "count" {
				want = 5
			}
			if times(t, s, "a", "b", "c", "d"); g.commits.Load() != want {
				t.Errorf("%d commits, want %d", g.commits.Load(), want)
			}
		})
	}
}

func TestMembersWithSomethingInCommonNeverShareAGroup(t *testing.T) {
	g := newGate()
	replace := func(s *postgres.Store) error {
		return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			p := put("a", 1)
			if err := tx.Begin(ctx, store.Foresight{Replaces: []store.Key{p.Key}, Brief: true}); err != nil {
				return err
			}
			_, err := tx.Put(ctx, p)
			return err
		})
	}
	s, errs := behind(t, postgres.Options{}, g, makes("a", "x"), makes("b", "x"), makes("c", "x", "y"), replace, makes("d", "y"), makes("e"))
	wantNone(t, errs)
	at := times(t, s, "b", "c", "d", "e")
	v, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "a"})
	if err != nil || v.Number != 2 {
		t.Fatalf("version %d, %v", v.Number, err)
	}
	first, err := s.ReadVersion(t.Context(), v.Key, 1)
	if err != nil {
		t.Fatal(err)
	}
	order := []time.Time{first.Updated, at[0], at[1], at[2]}
	if !slices.IsSortedFunc(order, time.Time.Compare) || len(slices.Compact(order)) != 4 {
		t.Errorf("those that share a name were written at %v", order)
	}
	if at[3] != first.Updated || v.Updated != at[0] {
		t.Errorf("what has nothing in common waited: %v, %v, %v, %v", first.Updated, at[3], v.Updated, at[0])
	}
}

func TestAMemberThatFailsLeavesNoTrace(t *testing.T) {
	g := newGate()
	fails := func(id string, how func()) func(*postgres.Store) error {
		return func(s *postgres.Store) error {
			ended := make(chan error, 1)
			go func() {
				err := errors.New("the goroutine ended")
				defer func() { ended <- err }()
				err = briefly(s, id, nil, func(ctx context.Context, tx store.Tx) error {
					if err := tx.SetFeatures(ctx, store.Features{Patient: id}); err != nil {
						return err
					}
					if err := tx.SetApplied(ctx, "h1", id, "hash"); err != nil {
						return err
					}
					how()
					return errGivenUp
				})
			}()
			return <-ended
		}
	}
	s, errs := behind(t, postgres.Options{}, g, makes("a"), fails("x", func() {}), fails("y", func() { panic("words") }), fails("z", runtime.Goexit), makes("b"))
	if errs[0] != nil || !errors.Is(errs[1], errGivenUp) || errs[2] == nil || errs[3] == nil || errs[4] != nil {
		t.Fatalf("got %v", errs)
	}
	if at := times(t, s, "a", "b"); at[0] != at[1] || g.commits.Load() != 2 {
		t.Errorf("%d commits, at %v", g.commits.Load(), at)
	}
	for _, id := range []string{"x", "y", "z"} {
		wantAbsent(t, s, id)
		if hash, err := s.Applied(t.Context(), "h1", id); hash != "" || err != nil {
			t.Errorf("%s: %q, %v", id, hash, err)
		}
	}
	if n, err := s.Number(t.Context(), "SELECT count(*) FROM feature"); n != 0 || err != nil {
		t.Errorf("%d features, %v", n, err)
	}
}

func TestABrokenGroupRunsItsMembersAgainByThemselves(t *testing.T) {
	var runs [4]atomic.Int32
	counted := func(n int, id string) func(*postgres.Store) error {
		return func(s *postgres.Store) error {
			return briefly(s, id, nil, func(context.Context, store.Tx) error { runs[n].Add(1); return nil })
		}
	}
	t.Run("by a fault before its commit", func(t *testing.T) {
		clear(runs[:])
		g := newGate()
		g.fails = func(commit int32) error {
			if commit == 2 {
				return errGivenUp
			}
			return nil
		}
		s, errs := behind(t, postgres.Options{}, g, counted(0, "a"), counted(1, "b"), counted(2, "c"))
		wantNone(t, errs)
		if at := times(t, s, "a", "b", "c"); at[0] == at[1] || at[1] == at[2] || g.commits.Load() != 5 {
			t.Errorf("%d commits, at %v", g.commits.Load(), at)
		}
		for i := range 3 {
			if n := runs[i].Load(); n != 2 {
				t.Errorf("member %d ran %d times", i, n)
			}
		}
	})
	t.Run("by a resource that is there already", func(t *testing.T) {
		g := newGate()
		s, errs := behind(t, postgres.Options{}, g, makes("a"), makes("first"), makes("b"))
		if errs[0] != nil || !fault.Is(errs[1], fault.Conflict) || errs[2] != nil {
			t.Fatalf("got %v", errs)
		}
		times(t, s, "a", "b", "first")
	})
}

func TestAMemberThatAsksWhatItDidNotForeseeRunsByItself(t *testing.T) {
	g := newGate()
	asks := func(s *postgres.Store) error {
		return briefly(s, "asks", nil, func(ctx context.Context, tx store.Tx) error {
			hash, err := tx.Applied(ctx, "h1", "key")
			if err == nil && hash != "" {
				err = errGivenUp
			}
			return err
		})
	}
	s, errs := behind(t, postgres.Options{}, g, makes("a"), asks, makes("b"))
	wantNone(t, errs)
	if at := times(t, s, "a", "b", "asks"); at[0] != at[1] || at[1] == at[2] || g.commits.Load() != 3 {
		t.Errorf("%d commits, at %v", g.commits.Load(), at)
	}
}

func TestAMemberWhoseContextEndsLeavesTheOthers(t *testing.T) {
	g := newGate()
	gone := make(chan struct{})
	late, stop := context.WithCancel(t.Context())
	g.fails = func(int32) error { stop(); return nil } // while the group commits
	s, errs := behind(t, postgres.Options{}, g, func(s *postgres.Store) error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := brieflyWithin(ctx, s, "waits", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(gone)
		return brief(s, "a")
	}, func(s *postgres.Store) error {
		<-gone
		return brief(s, "b")
	}, func(s *postgres.Store) error { return brieflyWithin(late, s, "late", nil, nil) })
	if errs[0] != nil || errs[1] != nil || errs[2] != nil && !errors.Is(errs[2], context.Canceled) {
		t.Fatalf("got %v", errs)
	}
	if at := times(t, s, "a", "b"); at[0] != at[1] {
		t.Errorf("at %v", at)
	}
	wantAbsent(t, s, "waits")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // it was in the group, which went on
		if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "late"}); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestAGroupWaitsForNoLock(t *testing.T) {
	s := open(t, postgres.Options{Groups: 1})
	if err := errors.Join(brief(s, "row"), brief(s, "other")); err != nil {
		t.Fatal(err)
	}
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			if err := tx.Lock(ctx, "x"); err != nil {
				return err
			}
			if _, err := tx.Put(ctx, put("row", 1)); err != nil {
				return err
			}
			_, err := tx.Applied(ctx, "h1", "key") // with it the row is written
			close(inside)
			<-leave
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	var waited atomic.Int32
	for i := range 20 { // more than there are connections
		wg.Go(func() {
			defer waited.Add(1)
			if err := brief(s, fmt.Sprint("x", i), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			defer waited.Add(1)
			p := put("row", 2)
			if err := tx.Begin(ctx, store.Foresight{Replaces: []store.Key{p.Key}, Brief: true}); err != nil {
				return err
			}
			_, err := tx.Put(ctx, p)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	for i := range 20 {
		if err := brief(s, fmt.Sprint("free", i)); err != nil {
			t.Error(err)
		}
	}
	if n := waited.Load(); n != 0 {
		t.Errorf("%d did not wait for the lock", n)
	}
	close(leave)
	wg.Wait()
	v, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "row"})
	if err != nil || v.Number != 3 {
		t.Errorf("version %d, %v", v.Number, err)
	}
}

// Two processes write the same few counters. What either acknowledged counts.
func TestTwoProcessesWithGroupsLoseNoWrite(t *testing.T) {
	url := testenv.Postgres(t)
	const counters, clients, each = 3, 16, 12
	stores := []*postgres.Store{openURL(t, url, postgres.Options{}), openURL(t, url, postgres.Options{})}
	for c := range counters {
		if err := brief(stores[0], fmt.Sprint("c", c)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for client := range clients {
		s := stores[client%2]
		wg.Go(func() {
			for n := 0; n < each; {
				k := store.Key{Type: "Patient", ID: fmt.Sprint("c", (client/2+n)%counters)}
				now, err := s.Read(context.Background(), k)
				if err != nil {
					t.Error(err)
					return
				}
				made := put(fmt.Sprintf("m%d-%d", client, n), 0)
				err = s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
					if err := tx.Begin(ctx, store.Foresight{Names: []string{k.ID}, Creates: []store.Key{made.Key}, Replaces: []store.Key{k}, Brief: true}); err != nil {
						return err
					}
					if _, err := tx.Put(ctx, put(k.ID, now.Number)); err != nil {
						return err
					}
					_, err := tx.Put(ctx, made)
					return err
				})
				switch {
				case err == nil:
					n++
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	total := int64(0)
	for c := range counters {
		v, err := stores[0].Read(t.Context(), store.Key{Type: "Patient", ID: fmt.Sprint("c", c)})
		if err != nil {
			t.Fatal(err)
		}
		total += v.Number - 1
	}
	if total != clients*each {
		t.Errorf("the counters were counted %d times by %d writes", total, clients*each)
	}
	list, err := stores[1].Changes(t.Context(), 0, 10_000)
	if err != nil || len(list) != 2*clients*each+counters {
		t.Errorf("%d changes of %d, %v", len(list), 2*clients*each+counters, err)
	}
}

// PostgreSQL dies again and again while groups commit. Of no transaction a half is there,
// and what was acknowledged is.
func TestPostgreSQLKilledWhileGroupsCommit(t *testing.T) {
	server := testenv.StartPostgres(t)
	s := openURL(t, server.URL(), postgres.Options{AwayTime: 20 * time.Second})
	var mu sync.Mutex
	acknowledged, refused := map[string]bool{}, 0
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for client := range 16 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("%d-%d", client, n)
				err := briefly(s, id, nil, func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Put(ctx, put(id+"-b", 0))
					return err
				})
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[id] = true
				case fault.Is(err, fault.Unavailable):
					refused++
				default:
					t.Errorf("%s: %v", id, err)
				}
				mu.Unlock()
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond)
		server.Kill(t)
		server.Start(t)
	}
	time.Sleep(700 * time.Millisecond)
	close(stop)
	wg.Wait()
	parts := map[string]int{}
	for after := int64(0); ; {
		list, err := s.Changes(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			if c.Change <= after || c.Number != 1 {
				t.Fatalf("change %d of %s, number %d, after %d", c.Change, c.Key, c.Number, after)
			}
			after = c.Change
			id := c.ID
			if len(id) > 2 && id[len(id)-2:] == "-b" {
				id = id[:len(id)-2]
			}
			parts[id]++
		}
	}
	for id, n := range parts {
		if n != 2 {
			t.Errorf("half of %s is there", id)
		}
	}
	for id := range acknowledged {
		if parts[id] == 0 {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d acknowledged, %d unknown or refused, %d there", len(acknowledged), refused, len(parts))
	if len(acknowledged) < 20 {
		t.Errorf("only %d transactions were acknowledged", len(acknowledged))
	}
}

func TestAGroupThatTakesLongHoldsNobodyUp(t *testing.T) {
	g := newGate()
	s := open(t, postgres.Options{Groups: 1, GroupTime: 20 * time.Millisecond, Fault: g.fault})
	first := make(chan error, 1)
	go func() { first <- brief(s, "first") }()
	<-g.reached
	for n := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := brieflyWithin(ctx, s, fmt.Sprintf("other-%d", n), nil, nil); err != nil {
			t.Errorf("transaction %d beside one that takes long: %v", n, err)
		}
		cancel()
	}
	close(g.open)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestAGroupBeginsBesideAnotherWhenEnoughWait(t *testing.T) {
	g := newGate()
	s := open(t, postgres.Options{Groups: 2, GroupTime: time.Hour, Fault: g.fault})
	first := make(chan error, 1)
	go func() { first <- brief(s, "first") }()
	<-g.reached
	ids := []string{"a", "b", "c", "d"} // one less would wait
	var wg sync.WaitGroup
	errs := make([]error, len(ids))
	for i, id := range ids {
		if n := g.commits.Load(); n != 1 {
			t.Errorf("%d commits while %d wait", n, i)
		}
		wg.Go(func() { errs[i] = brief(s, id) })
		for deadline := time.Now().Add(10 * time.Second); i < len(ids)-1 && s.Waiting() <= int64(i) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	wg.Wait()
	wantNone(t, errs)
	at := times(t, s, ids...)
	if at[0] != at[3] || g.commits.Load() != 2 {
		t.Errorf("%d commits, at %v", g.commits.Load(), at)
	}
	close(g.open)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
