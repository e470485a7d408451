package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// trips is a slow answerer of lookups: it doubles numbers, and keeps what went together.
type trips struct {
	l      lookups[int, int]
	wait   sync.WaitGroup
	mu     sync.Mutex
	groups [][]int
	under  int
	most   int // that were under way at a time
	fail   func(questions []int) error
}

const tripTime = 10 * time.Millisecond

func newTrips(perTrip, atATime int) *trips {
	t := &trips{}
	t.l = lookups[int, int]{most: perTrip, trips: atATime, spawn: t.wait.Go, ask: t.ask}
	return t
}

func (t *trips) ask(questions []int) ([]int, error) {
	t.mu.Lock()
	t.groups = append(t.groups, slices.Clone(questions))
	t.under++
	t.most = max(t.most, t.under)
	t.mu.Unlock()
	time.Sleep(tripTime)
	t.mu.Lock()
	t.under--
	t.mu.Unlock()
	if t.fail != nil {
		if err := t.fail(questions); err != nil {
			return nil, err
		}
	}
	var out []int
	for _, n := range questions {
		out = append(out, 2*n)
	}
	return out, nil
}

func TestLookupsThatComeDuringATripGoTogetherWithTheNext(t *testing.T) {
	for name, row := range map[string]struct {
		perTrip, atATime, callers int
		sizes                     []int // of trips, in order
		took                      time.Duration
	}{
		"a lone one waits for nobody":       {64, 1, 1, []int{1}, tripTime},
		"others go with the second trip":    {64, 1, 20, []int{1, 19}, 2 * tripTime},
		"a trip has room for so many":       {8, 1, 20, []int{1, 8, 8, 3}, 4 * tripTime},
		"two trips at a time":               {64, 2, 20, []int{1, 1, 18}, 2 * tripTime},
		"places are given as they get free": {1, 4, 8, []int{1, 1, 1, 1, 1, 1, 1, 1}, 2 * tripTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTrips(row.perTrip, row.atATime)
				began := time.Now()
				var wg sync.WaitGroup
				for n := range row.callers {
					wg.Go(func() {
						if got, err := s.l.look(t.Context(), n); got != 2*n || err != nil {
							t.Errorf("%d: %d, %v", n, got, err)
						}
					})
					synctest.Wait() // each is on its way, or waits, before the next
				}
				wg.Wait()
				if took := time.Since(began); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				s.wait.Wait()
				var sizes []int
				for _, g := range s.groups {
					sizes = append(sizes, len(g))
				}
				if !slices.Equal(sizes, row.sizes) || s.most > row.atATime {
					t.Errorf("trips of %v, %d at a time; want %v", sizes, s.most, row.sizes)
				}
			})
		})
	}
}

func TestTheEndOfACallersContextEndsOnlyItsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTrips(64, 1)
		var wg sync.WaitGroup
		ask := func(n int, patience time.Duration, want error) {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if got, err := s.l.look(ctx, n); !errors.Is(err, want) || err == nil && got != 2*n {
					t.Errorf("%d: %d, %v; want %v", n, got, err, want)
				}
			})
			synctest.Wait()
		}
		ask(1, tripTime/2, context.DeadlineExceeded)          // during its trip, which goes on
		ask(2, tripTime/2, context.DeadlineExceeded)          // before its trip, which is without it
		ask(3, time.Second, nil)                              //
		ask(4, tripTime+tripTime/2, context.DeadlineExceeded) // during the second trip
		wg.Wait()
		s.wait.Wait()
		if len(s.groups) != 2 || !slices.Equal(s.groups[1], []int{3, 4}) {
			t.Errorf("trips of %v", s.groups)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.l.look(ended, 5); !errors.Is(err, context.Canceled) || len(s.groups) != 2 {
			t.Errorf("asked although nobody waits: %v, %v", err, s.groups)
		}
	})
}

func TestAFailedTripFailsAllOfItAndNoOther(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func([]int) error{
		"an error": func(q []int) error {
			if len(q) > 1 {
				return broken
			}
			return nil
		},
		"a panic": func(q []int) error {
			if len(q) > 1 {
				panic(broken)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTrips(2, 1)
				s.fail = fail
				failed := make([]error, 4)
				var wg sync.WaitGroup
				for n := range failed {
					wg.Go(func() {
						defer func() {
							if p := recover(); p != nil {
								failed[n] = p.(error)
							}
						}()
						_, failed[n] = s.l.look(t.Context(), n)
					})
					synctest.Wait()
				}
				wg.Wait()
				if !slices.Equal(failed, []error{nil, broken, broken, nil}) {
					t.Errorf("%v", failed)
				}
				s.wait.Wait()
				if _, err := s.l.look(t.Context(), 9); err != nil {
					t.Errorf("after it: %v", err)
				}
				s.wait.Wait()
			})
		})
	}
}
