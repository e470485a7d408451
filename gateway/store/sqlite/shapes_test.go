package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// patient is whose results storetest.Observation(10n) to storetest.Observation(10n+9) are.
func patient(n int) *store.Put {
	id := storetest.Observation(n * 10).Patient
	name := string([]rune{surnames[n%len(surnames)], given[n/7%len(given)], given[n/100%len(given)]})
	birth := int64(n%30000) * 86400e6
	return &store.Put{
		Key: store.Key{Type: "Patient", ID: id}, Owner: fmt.Sprint("h", n%3), Patient: id,
		Source: fmt.Sprintf("https://yilian.dev/institution/h%d/record/%012d", n%3, n),
		Stamp:  store.Stamp{Time: int64(n)},
		Render: func(number int64, updated time.Time) []byte { return storetest.ObservationBody(n, id, number, updated) },
		Values: search.Values{
			Tokens: []search.Token{
				{Param: "identifier", System: "urn:oid:2.16.156.1", Code: fmt.Sprint("99", n), Type: "http://terminology.hl7.org/CodeSystem/v2-0203|MR"},
				{Param: "identifier", System: "urn:oid:2.16.156.2", Code: fmt.Sprint("H", n)},
				{Param: "gender", System: "http://hl7.org/fhir/administrative-gender", Code: []string{"male", "female"}[n%2]},
				{Param: "phone", System: "phone", Code: fmt.Sprint("120", n)},
			},
			Strings: []search.String{
				{Param: "name", Folded: name, Exact: name}, {Param: "family", Folded: name[:3], Exact: name[:3]}, {Param: "given", Folded: name[3:], Exact: name[3:]},
				{Param: "address", Folded: fmt.Sprintf("海东路%d号", n%900), Exact: fmt.Sprintf("海东路%d号", n%900)},
			},
			Dates: []search.Date{{Param: "birthdate", Low: birth, High: birth + 86400e6}},
		},
	}
}

var (
	surnames = []rune("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗")
	given    = []rune("伟芳娜敏静强磊洋艳勇军杰娟涛明超秀霞平刚桂英华玉红建国文波辉")
)

// regional is the n-th resource of a region: one in eleven is a Patient, its results follow.
func regional(n int) *store.Put {
	if n%11 == 0 {
		return patient(n / 11)
	}
	return storetest.Observation(n/11*10 + n%11 - 1)
}

func benchSize(b *testing.B) int {
	size := 100_000
	if text := os.Getenv("YILIAN_TEST_SIZE"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	return size
}

// BenchmarkRegion fills a store and asks it what clients ask, 15 shapes. YILIAN_TEST_SIZE sets how many resources; one
// round is enough (-benchtime 1x).
func BenchmarkRegion(b *testing.B) {
	size := benchSize(b)
	dir := b.TempDir()
	s := open(b, dir, sqlite.Options{})
	write := func(from, to, step, workers int) (rate, cpu float64) {
		var next atomic.Int64
		next.Store(int64(from))
		began, used := time.Now(), processorTime()
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					at := int(next.Add(int64(step))) - step
					if at >= to {
						return
					}
					err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
						for n := at; n < min(at+step, to); n++ {
							if _, err := tx.Put(ctx, regional(n)); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		count := float64(to - from)
		return count / time.Since(began).Seconds(), float64((processorTime() - used).Microseconds()) / count
	}
	rate, cpu := write(0, size/2, 200, 2)
	b.ReportMetric(rate, "bulk-resources/s")
	b.ReportMetric(cpu, "bulk-cpu-µs/resource")
	rate, cpu = write(size/2, size, 2, 32)
	b.ReportMetric(rate/2, "pair-tx/s")
	b.ReportMetric(cpu*2, "pair-cpu-µs/tx")
	if err := s.Optimize(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.Exec(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)", true); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "yilian.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(size), "B/resource")
	b.ReportMetric(0, "ns/op")
	for _, shape := range shapes(size) {
		// The median of single runs stands a shared machine best.
		rounds := 200
		times := make([]time.Duration, 0, rounds)
		found := 0
		ask := func(n int) {
			q := shape.query(n * 7919)
			q.Allowed = search.Allowed{Owners: []string{"h0", "h1", "h2"}}
			if q.Count == 0 {
				q.Count = 20
			}
			began := time.Now()
			p, err := s.Search(b.Context(), q)
			if err != nil {
				b.Fatalf("%s: %v", shape.name, err)
			}
			times = append(times, time.Since(began))
			found += len(p.Rows)
		}
		ask(0)
		times = times[:0]
		for start := time.Now(); len(times) < rounds && (len(times) < 5 || time.Since(start) < 5*time.Second); {
			ask(len(times) + 1)
		}
		slices.Sort(times)
		if found == 0 {
			b.Errorf("%s finds nothing", shape.name)
		}
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), shape.name+"-µs")
	}
	began, used := time.Now(), processorTime()
	for n := range 5000 {
		if _, err := s.Read(b.Context(), regional(n*7919%size).Key); err != nil {
			b.Fatal(err)
		}
	}
	_ = began
	b.ReportMetric(float64((processorTime()-used).Microseconds())/5000, "read-cpu-µs")
}

type shape struct {
	name  string
	query func(n int) *search.Query
}

// shapes are what clients ask of a region of size resources.
func shapes(size int) []shape {
	patients := size / 11
	results := patients * 10
	of := func(typ string, where ...search.Clause) *search.Query { return &search.Query{Type: typ, Where: where} }
	newest := []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}
	who := func(n int) string { return storetest.Observation(n % patients * 10).Patient }
	text := func(param string, mode search.StringMode, text string) search.Clause {
		return search.Clause{Param: param, Kind: search.KindString, Any: []search.Operand{search.StringMatch{Mode: mode, Text: text}}}
	}
	return []shape{
		{"identifier", func(n int) *search.Query { return of("Observation", token("identifier", fmt.Sprint("N", n%results))) }},
		{"name", func(n int) *search.Query {
			return of("Patient", text("name", search.Prefix, patientName(n % patients)[:6]))
		}},
		{"name:contains", func(n int) *search.Query {
			return of("Patient", text("name", search.Contains, patientName(n % patients)[3:]))
		}},
		{"birthdate", func(n int) *search.Query {
			low := int64(n%patients) * 86400e6
			return of("Patient", search.Clause{Param: "birthdate", Kind: search.KindDate, Any: []search.Operand{search.DateMatch{Compare: search.GE, Low: low, High: low + 86400e6}}},
				search.Clause{Param: "birthdate", Kind: search.KindDate, Any: []search.Operand{search.DateMatch{Compare: search.LT, Low: low + 30*86400e6, High: low + 31*86400e6}}})
		}},
		{"gender", func(int) *search.Query { return of("Patient", token("gender", "female")) }},
		{"patient+code", func(n int) *search.Query {
			return of("Observation", reference("patient", "Patient", who(n)), token("code", fmt.Sprint(n%patients*10%200)))
		}},
		{"code+date", func(n int) *search.Query {
			return of("Observation", token("code", fmt.Sprint(n%200)), date("date", search.GE, int64(results/2)), date("date", search.LT, int64(results/2+results/20)))
		}},
		{"patient,newest", func(n int) *search.Query {
			q := of("Observation", reference("patient", "Patient", who(n)))
			q.Sort = newest
			return q
		}},
		{"code,newest", func(n int) *search.Query {
			q := of("Observation", token("code", fmt.Sprint(n%200)))
			q.Sort = newest
			return q
		}},
		{"status", func(int) *search.Query { return of("Observation", token("status", "final")) }},
		{"code,total", func(n int) *search.Query {
			q := of("Observation", token("code", fmt.Sprint(n%200)))
			q.Total = search.TotalAccurate
			return q
		}},
		{"chain", func(n int) *search.Query {
			return of("Observation", search.Clause{Param: "patient", Kind: search.KindReference, Any: []search.Operand{
				search.ChainMatch{Type: "Patient", Where: []search.Clause{token("identifier", fmt.Sprint("H", n%patients))}}}})
		}},
		{"has", func(n int) *search.Query {
			return of("Patient", search.Clause{Kind: search.KindReference, Any: []search.Operand{
				search.HasMatch{Type: "Observation", Param: "patient", Where: []search.Clause{token("identifier", fmt.Sprint("N", n%results))}}}})
		}},
		{"include", func(n int) *search.Query { // what a page refers to
			var ids []search.Operand
			for i := range 20 {
				ids = append(ids, search.TokenMatch{Code: who(n + i*31)})
			}
			return of("Patient", search.Clause{Param: "_id", Kind: search.KindToken, Any: ids})
		}},
		{"revinclude", func(n int) *search.Query { // what refers to a page
			var refs []search.Operand
			for i := range 20 {
				refs = append(refs, search.ReferenceMatch{Type: "Patient", ID: who(n + i*31)})
			}
			q := of("Observation", search.Clause{Param: "patient", Kind: search.KindReference, Any: refs})
			q.Count = 200
			return q
		}},
		{"value", func(n int) *search.Query {
			return of("Observation", search.Clause{Param: "value-quantity", Kind: search.KindQuantity, Any: []search.Operand{search.QuantityMatch{
				NumberMatch: search.NumberMatch{Compare: search.GT, Low: 97, Value: 97, High: 97}, System: "http://unitsofmeasure.org", Code: "g/L"}}},
				reference("patient", "Patient", who(n/10*10+9)))
		}},
	}
}

func patientName(n int) string { return patient(n).Values.Strings[0].Folded }
