package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// spent is the processor time of this process and of those that it started, which are
// the database.
func spent() (own, database time.Duration) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), descendants(os.Getpid())
}

func descendants(pid int) (sum time.Duration) {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		for _, child := range bytes.Fields(list) {
			n, _ := strconv.Atoi(string(child))
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", n))
			if err == nil {
				ns, _ := strconv.ParseInt(string(bytes.Fields(text)[0]), 10, 64)
				sum += time.Duration(ns)
			}
			sum += descendants(n)
		}
	}
	return sum
}

// BenchmarkWriteCost tells what processor time a patient with a result costs, several
// of them to a transaction.
func BenchmarkWriteCost(b *testing.B) {
	for _, pairs := range []int{1, 16, 100} {
		b.Run(fmt.Sprint("pairs=", pairs), func(b *testing.B) {
			s := open(b, postgres.Options{Writers: 16, AnalyzeFrom: 1e9})
			var next atomic.Int64
			write := func(callers, until int) {
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for n := int(next.Add(int64(pairs))); n <= until; n = int(next.Add(int64(pairs))) {
							err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
								for i := n - pairs; i < n; i++ {
									if _, err := tx.Put(ctx, talkative(patient(i), i)); err != nil {
										return err
									}
									if _, err := tx.Put(ctx, talkative(storetest.Observation(i*10), i)); err != nil {
										return err
									}
								}
								return nil
							})
							if err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			}
			write(4, 1600) // names, statements, dictionaries
			next.Store(2000)
			own, database := spent()
			b.ResetTimer()
			write(4, 2000+b.N)
			b.StopTimer()
			ownAfter, databaseAfter := spent()
			b.ReportMetric(float64((ownAfter-own).Microseconds())/float64(b.N), "own-µs/pair")
			b.ReportMetric(float64((databaseAfter-database).Microseconds())/float64(b.N), "pg-µs/pair")
			size, err := s.Number(b.Context(), `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(size)/float64(2*(b.N+1600)), "B/version")
		})
	}
}

// talkative adds what a resource of a hospital says besides: words, displays and more amounts.
func talkative(p *store.Put, n int) *store.Put {
	terms := make([]string, 50)
	for i := range terms {
		k := uint64(n+1) * uint64(i+3) * 0x9e3779b97f4a7c15 >> 40
		if i < 40 {
			k %= 400
		}
		terms[i] = fmt.Sprint("w", k)
	}
	p.Values.Texts = append(p.Values.Texts, search.Text{Param: "_content", Terms: terms})
	if p.Type == "Observation" {
		for _, param := range []string{"code", "combo-code", "category", "status", "code-value"} {
			p.Values.Tokens = append(p.Values.Tokens, search.Token{Param: param, System: "http://loinc.org", Code: fmt.Sprint("x", n%200),
				Text: fmt.Sprint("analyte in serum ", n%200)})
		}
		q := p.Values.Quantities[0]
		q.Param = "combo-value-quantity"
		p.Values.Quantities = append(p.Values.Quantities, q)
		q.Param, q.CanonicalCode = "component-value", "g.m-3"
		p.Values.Quantities = append(p.Values.Quantities, q)
	}
	return p
}
