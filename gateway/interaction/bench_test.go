package interaction_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// reportOf is a laboratory report of a patient with its results, as writes of a
// record; n tells records apart.
func reportOf(f *fixture, n int) []interaction.Write {
	id := strconv.Itoa(n)
	subject := `"subject":{"reference":"Patient/p` + id + `"}`
	writes := []interaction.Write{f.replace(`{"resourceType":"Patient","id":"p` + id + `","identifier":[{"system":"urn:x","value":"` + id + `"}],"name":[{"text":"王某","family":"王"}],"gender":"female","birthDate":"1980-01-01"}`)}
	var results []string
	for i := range 8 {
		o := fmt.Sprintf("o%s-%d", id, i)
		results = append(results, `{"reference":"Observation/`+o+`"}`)
		writes = append(writes, f.replace(`{"resourceType":"Observation","id":"`+o+`","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"718-7"}],"text":"血红蛋白"},`+
			subject+`,"effectiveDateTime":"2025-06-01T08:00:00+08:00","valueQuantity":{"value":`+strconv.Itoa(100+i)+`,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"referenceRange":[{"low":{"value":115},"high":{"value":150}}]}`))
	}
	return append(writes, f.replace(`{"resourceType":"DiagnosticReport","id":"r`+id+`","status":"final","code":{"text":"血常规"},`+subject+`,"issued":"2025-06-01T09:00:00+08:00","result":[`+strings.Join(results, ",")+`]}`))
}

// BenchmarkApply writes records of ten resources without anything attached, from
// several goroutines as ingest does.
func BenchmarkApply(b *testing.B) {
	f := newFixture(b)
	entries := make([]store.Entry, b.N)
	for i := range entries {
		entries[i] = store.Entry{Record: store.Record{Institution: "city", Source: "test", Format: "json", State: store.Received}, Bytes: []byte("{}")}
	}
	receipts, err := f.store.Accept(b.Context(), entries)
	if err != nil {
		b.Fatal(err)
	}
	batches := make([]interaction.Batch, b.N)
	for i := range batches {
		batches[i] = interaction.Batch{Institution: "city", Record: receipts[i].ID, Digest: strings.Repeat("0", 64), Map: "m@1", Stamp: store.Stamp{Time: int64(i + 1)}, Writes: reportOf(f, i)}
	}
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := f.Apply(b.Context(), batches[next.Add(1)-1]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
