package alliancegen_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
)

func TestBulkCountsWhatItWrites(t *testing.T) {
	for _, format := range []alliancegen.Format{alliancegen.ER7, alliancegen.CSV, alliancegen.JSON} {
		t.Run(string(format), func(t *testing.T) {
			var b, again bytes.Buffer
			c, err := alliancegen.Bulk(5, 101, format, &b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := alliancegen.Bulk(5, 101, format, &again); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), again.Bytes()) {
				t.Error("the same seed gives two streams")
			}
			if c.Bytes != int64(b.Len()) {
				t.Errorf("counted %d bytes of %d", c.Bytes, b.Len())
			}
			patients := map[string]bool{}
			records, visits, reports, results := 0, 0, 0, 0
			switch format {
			case alliancegen.ER7:
				for _, m := range messages(b.Bytes()) {
					records++
					text := decode(t, m)
					if strings.Contains(text, "ADT^A04") {
						visits++
					} else {
						reports++
					}
					results += strings.Count(text, "\rOBX|")
					_, id, _ := strings.Cut(text, "\rPID|1||")
					id, _, _ = strings.Cut(id, "^")
					patients[id] = true
				}
			case alliancegen.CSV:
				rows, err := csv.NewReader(strings.NewReader(decode(t, b.Bytes()))).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows[1:] {
					records++
					patients[row[0]] = true
				}
			case alliancegen.JSON:
				for line := range strings.Lines(b.String()) {
					var doc struct {
						Patient struct{ SubjectNo string }
						Items   []json.RawMessage
					}
					if err := json.Unmarshal([]byte(line), &doc); err != nil {
						t.Fatal(err)
					}
					records++
					reports++
					results += len(doc.Items)
					patients[doc.Patient.SubjectNo] = true
				}
			}
			got := alliancegen.BulkCounts{Records: records, Patients: len(patients), Visits: visits, Reports: reports, Results: results, Bytes: c.Bytes}
			if got != c {
				t.Errorf("the stream has %+v, counted %+v", got, c)
			}
			if records != 101 {
				t.Errorf("%d records, want 101", records)
			}
		})
	}
}

func TestBulkPeopleAreDistinctAndValid(t *testing.T) {
	var b bytes.Buffer
	if _, err := alliancegen.Bulk(9, 20_000, alliancegen.CSV, &b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(decode(t, b.Bytes()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		id := row[5]
		if seen[id] || !validResident(id) || !strings.HasPrefix(id, "99") {
			t.Fatalf("row %s: number twice is %v, valid is %v", row[0], seen[id], validResident(id))
		}
		seen[id] = true
	}
}

func TestBulkMemoryDoesNotGrowWithTheStream(t *testing.T) {
	live := func(n int) uint64 {
		if _, err := alliancegen.Bulk(5, n, alliancegen.ER7, io.Discard); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	small := live(200)
	if large := live(4000); large > small+1<<20 {
		t.Errorf("%d bytes alive after 4000 records, %d after 200", large, small)
	}
}

func TestBulkReportsItsWriter(t *testing.T) {
	if _, err := alliancegen.Bulk(1, 10_000, alliancegen.CSV, broken{}); err == nil {
		t.Error("a failing writer goes unnoticed")
	}
	if _, err := alliancegen.Bulk(1, 1, "xml", io.Discard); err == nil {
		t.Error("an unknown format is accepted")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkBulk(b *testing.B) {
	for _, format := range []alliancegen.Format{alliancegen.ER7, alliancegen.CSV, alliancegen.JSON} {
		b.Run(string(format), func(b *testing.B) {
			if _, err := alliancegen.Bulk(1, b.N, format, io.Discard); err != nil {
				b.Fatal(err)
			}
		})
	}
}
