package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// bodyBytes is the size of a laboratory result as feeds send it.
const bodyBytes = 1500

var benchBody = []byte(`{"resourceType":"Observation","text":"` + strings.Repeat("x", bodyBytes-40) + `"}`)

// observation is the n-th result of a synthetic feed: 12 index rows, ten results per patient.
func observation(n int) *store.Put {
	patient := fmt.Sprintf("p%015d", uint64(n/10)*0x9e3779b97f4a7c15%1e15)
	at := int64(1.7e15) + int64(n)*60e6
	return &store.Put{
		Key:   store.Key{Type: "Observation", ID: fmt.Sprintf("%016x", uint64(n+1)*0x9e3779b97f4a7c15)},
		Owner: fmt.Sprint("h", n%3), Patient: patient, Source: fmt.Sprintf("https://yilian.dev/institution/h%d/record/%012d", n%3, n),
		Stamp:  store.Stamp{Time: at},
		Render: func(int64, time.Time) []byte { return benchBody },
		Values: search.Values{
			Tokens: []search.Token{
				{Param: "identifier", System: "urn:oid:2.16.156.10011.1.33", Code: fmt.Sprint("N", n)},
				{Param: "code", System: "http://loinc.org", Code: fmt.Sprint(n % 200)},
				{Param: "code", System: "urn:local", Code: fmt.Sprint("L", n%200)},
				{Param: "category", System: "http://terminology.hl7.org/CodeSystem/observation-category", Code: "laboratory"},
				{Param: "status", System: "http://hl7.org/fhir/observation-status", Code: "final"},
				{Param: "_tag", System: "https://yilian.dev/fhir/institution", Code: fmt.Sprint("h", n%3)},
			},
			Dates: []search.Date{{Param: "date", Low: at, High: at + 1e6}},
			References: []search.Reference{{Param: "subject", Type: "Patient", ID: patient}, {Param: "patient", Type: "Patient", ID: patient},
				{Param: "based-on", Type: "ServiceRequest", ID: fmt.Sprint("s", n/5)}, {Param: "encounter", Type: "Encounter", ID: fmt.Sprint("e", n/10)}},
			Quantities: []search.Quantity{{Param: "value-quantity", Low: float64(n % 100), High: float64(n%100) + 1, System: "http://unitsofmeasure.org", Code: "g/L", Unit: "g/L"}},
		},
	}
}

func fill(b testing.TB, s *sqlite.Store, from, to int) {
	b.Helper()
	for from < to {
		next := min(from+500, to)
		err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			for n := from; n < next; n++ {
				if _, err := tx.Put(ctx, observation(n)); err != nil {
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
						p := observation(n)
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
					if _, err := tx.Put(ctx, observation(i)); err != nil {
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
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	digests := bytes.Repeat([]byte{1}, 56)
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
			p := observation(i)
			rid := i + 1
			exec("INSERT INTO resource VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rid, 1, 1, p.ID, 1, rid, rid, 0, 2, p.Patient, p.Source, 1, 0, digests)
			exec("INSERT INTO version VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rid, rid, 1, 1, rid, 0, 2, p.Patient, p.Source, 1, 0, benchBody)
			for j, t := range p.Values.Tokens {
				exec("INSERT INTO index_token VALUES (?,?,?,?,?,0)", 10+j, t.Code, rid, 20+j, 0)
			}
			for j, r := range p.Values.References {
				exec("INSERT INTO index_reference VALUES (?,?,?,?)", 30+j, r.ID, rid, 3)
			}
			exec("INSERT INTO index_date VALUES (?,?,?,?,?)", 40, 0, p.Values.Dates[0].Low, rid, p.Values.Dates[0].High)
			q := p.Values.Quantities[0]
			exec("INSERT INTO index_quantity VALUES (?,?,?,?,?,?,?,?)", 41, q.Low+.5, rid, q.Low, q.High, 42, 43, 43)
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
		keys[n] = observation(n).Key
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
				{Param: "patient", Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: "Patient", ID: observation(n % size).Patient}}},
				{Param: "code", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: fmt.Sprint(n % 200)}}}}}
		},
		"patient,newest": func(n int) *search.Query {
			return &search.Query{Sort: []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}, Where: []search.Clause{
				{Param: "patient", Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: "Patient", ID: observation(n % size).Patient}}}}}
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
