package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func fill(b testing.TB, s *sqlite.Store, from, to int) {
	b.Helper()
	for from < to {
		next := min(from+500, to)
		err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			for n := from; n < next; n++ {
				if _, err := tx.Put(ctx, storetest.Observation(n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		from = next
	}
}

// BenchmarkWrite prints resources per second through Update beside the rate at
// which the same rows go into the same tables raw, one transaction per 200, in the
// same sync mode.
func BenchmarkWrite(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, b.TempDir(), sqlite.Options{})
			var wg sync.WaitGroup
			work := make(chan int, b.N)
			for n := range b.N {
				work <- n
			}
			close(work)
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for n := range work {
						p := storetest.Observation(n)
						if err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
							_, err := tx.Put(ctx, p)
							return err
						}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
		})
	}
	b.Run("one-transaction-of-200", func(b *testing.B) {
		s := open(b, b.TempDir(), sqlite.Options{})
		b.ResetTimer()
		for n := 0; n < b.N; n += 200 {
			if err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
				for i := n; i < min(n+200, b.N); i++ {
					if _, err := tx.Put(ctx, storetest.Observation(i)); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
	})
	b.Run("raw", func(b *testing.B) { benchRaw(b) })
}

func benchRaw(b *testing.B) {
	dir := b.TempDir()
	s, err := sqlite.Open(b.Context(), dir, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "yilian.db")+
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(8000)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	held, body := bytes.Repeat([]byte{1}, 250), storetest.ObservationBody(1, "p", 1, time.Now())[:700] // as they are when packed
	seed := maphash.MakeSeed()
	b.ResetTimer()
	for n := 0; n < b.N; n += 200 {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		stmts := map[string]*sql.Stmt{}
		exec := func(sql string, args ...any) {
			st := stmts[sql]
			if st == nil {
				if st, err = tx.Prepare(sql); err != nil {
					b.Fatal(err)
				}
				stmts[sql] = st
			}
			if _, err := st.Exec(args...); err != nil {
				b.Fatal(err)
			}
		}
		for i := n; i < min(n+200, b.N); i++ {
			p := storetest.Observation(i)
			rid := i + 1
			exec("INSERT INTO resource VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rid, 1, 1, p.ID, 1, rid, rid, 0, 2, p.Patient, p.Source, 1, 0, held)
			exec("INSERT INTO version VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", rid, rid, 1, 1, rid, 0, 2, p.Patient, p.Source, 1, 0, nil, body)
			at := p.Values.Dates[0].Low
			for j, t := range p.Values.Tokens {
				exec("INSERT OR IGNORE INTO index_key VALUES (?,?,?)", int64(maphash.String(seed, fmt.Sprint(j, t.Code))), at, rid)
			}
			for _, r := range p.Values.References { // one key, however often it is mentioned
				exec("INSERT OR IGNORE INTO index_key VALUES (?,?,?)", int64(maphash.String(seed, r.ID)), at, rid)
			}
			exec("INSERT INTO index_date VALUES (?,?,?,?)", 40, 0, p.Values.Dates[0].Low, rid)
			exec("INSERT INTO index_number VALUES (?,?,?)", 41, p.Values.Quantities[0].Low+.5, rid)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

func BenchmarkRead(b *testing.B) {
	s := open(b, b.TempDir(), sqlite.Options{})
	const size = 20_000
	fill(b, s, 0, size)
	keys := make([]store.Key, size)
	for n := range keys {
		keys[n] = storetest.Observation(n).Key
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for n := range b.N {
			if _, err := s.Read(context.Background(), keys[n*7919%size]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read-parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for n := 0; pb.Next(); n++ {
				if _, err := s.Read(context.Background(), keys[n*7919%size]); err != nil {
					b.Error(err)
				}
			}
		})
	})
	questions := map[string]func(n int) *search.Query{
		"identifier": func(n int) *search.Query {
			system := "urn:oid:2.16.156.10011.1.33"
			return &search.Query{Where: []search.Clause{{Param: "identifier", Kind: search.KindToken, Any: []search.Operand{
				search.TokenMatch{System: &system, Code: fmt.Sprint("N", n%size)}}}}}
		},
		"patient+code": func(n int) *search.Query {
			return &search.Query{Where: []search.Clause{
				{Param: "patient", Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: "Patient", ID: storetest.Observation(n % size).Patient}}},
				{Param: "code", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: fmt.Sprint(n % 200)}}}}}
		},
		"patient,newest": func(n int) *search.Query {
			return &search.Query{Sort: []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}, Where: []search.Clause{
				{Param: "patient", Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: "Patient", ID: storetest.Observation(n % size).Patient}}}}}
		},
		"code,page": func(n int) *search.Query {
			return &search.Query{Where: []search.Clause{{Param: "code", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: fmt.Sprint(n % 200)}}}}}
		},
		"status,page": func(n int) *search.Query {
			return &search.Query{Where: []search.Clause{{Param: "status", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: "final"}}}}}
		},
	}
	for name, question := range questions {
		b.Run("search/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for n := range b.N {
				q := question(n)
				q.Type, q.Count, q.Allowed = "Observation", 20, search.Allowed{Owners: []string{"h0", "h1", "h2"}}
				if _, err := s.Search(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
