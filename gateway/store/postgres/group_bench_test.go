package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// processor returns the processor time that this process and the database took so far.
func processor(b *testing.B, s *postgres.Store) (own, database time.Duration) {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	backend, err := s.Number(b.Context(), "SELECT pg_backend_pid()")
	if err != nil {
		b.Fatal(err)
	}
	const tick = 10 * time.Millisecond
	fields := func(path string) []string { // behind the name of the program
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	}
	parent := fields(fmt.Sprintf("/proc/%d/stat", backend))
	if parent == nil {
		b.Skip("the database is on another machine")
	}
	list, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range list {
		if f := fields(path); len(f) > 12 && f[1] == parent[1] {
			for _, t := range f[11:13] {
				n, _ := strconv.Atoi(t)
				database += time.Duration(n) * tick
			}
		}
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), database
}

// Transactions of a Patient and a result, from several clients, by themselves and in
// groups.
func BenchmarkGroups(b *testing.B) {
	for _, clients := range []int{1, 16} {
		for _, groups := range []int{0, 1, 2, 4} {
			b.Run(fmt.Sprintf("clients=%d/groups=%d", clients, groups), func(b *testing.B) {
				var commits, next atomic.Int64
				s := open(b, postgres.Options{Groups: max(1, groups), Fault: func(at string) error {
					if at == postgres.BeforeCommit {
						commits.Add(1)
					}
					return nil
				}})
				write := func(n int) error {
					return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
						p, o := patient(n), storetest.Observation(n)
						f := store.Foresight{Names: []string{p.Key.String()}, Creates: []store.Key{p.Key, o.Key}, Brief: groups > 0}
						if err := tx.Begin(ctx, f); err != nil {
							return err
						}
						if _, err := tx.Put(ctx, p); err != nil {
							return err
						}
						_, err := tx.Put(ctx, o)
						return err
					})
				}
				for n := range 50 { // names, plans, connections
					if err := write(1_000_000 + n); err != nil {
						b.Fatal(err)
					}
				}
				commits.Store(0)
				own, database := processor(b, s)
				took := make([]time.Duration, b.N)
				b.ResetTimer()
				var wg sync.WaitGroup
				for range clients {
					wg.Go(func() {
						for {
							n := int(next.Add(1)) - 1
							if n >= b.N {
								return
							}
							start := time.Now()
							if err := write(n); err != nil {
								b.Error(err)
								return
							}
							took[n] = time.Since(start)
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				own2, database2 := processor(b, s)
				slices.Sort(took)
				b.ReportMetric(float64(b.N)/float64(commits.Load()), "tx/commit")
				b.ReportMetric(float64((own2-own).Microseconds())/float64(b.N), "own-µs/tx")
				b.ReportMetric(float64((database2-database).Microseconds())/float64(b.N), "db-µs/tx")
				b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
			})
		}
	}
}
