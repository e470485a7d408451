package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/testenv"
)

// The load is measured in a process of its own, so that its memory is that of
// ingest alone. Its input lies in files, three a stream, and goes in delivery by
// delivery.
const (
	loadFolder  = "YILIAN_TEST_LOAD_FOLDER"
	loadMarks   = "YILIAN_TEST_LOAD_MARKS"   // after how many records memory is read, ascending
	loadProfile = "YILIAN_TEST_LOAD_PROFILE" // file for a CPU profile
)

// perDelivery is how many records one delivery of a load holds.
const perDelivery = 200

// loadFiles are the streams of a load: file, institution, format.
var loadFiles = []struct {
	name, institution string
	format            alliancegen.Format
}{
	{"stream.hl7", alliancegen.City, alliancegen.ER7},
	{"HIS_HZXX.csv", alliancegen.County, alliancegen.CSV},
	{"stream.ndjson", alliancegen.Lab, alliancegen.JSON},
}

// writeLoad writes n records in all and returns what must become of them.
func writeLoad(t testing.TB, dir string, n int) alliancegen.BulkCounts {
	t.Helper()
	var sum alliancegen.BulkCounts
	for i, f := range loadFiles {
		out, err := os.Create(filepath.Join(dir, f.name))
		if err != nil {
			t.Fatal(err)
		}
		share := n / len(loadFiles)
		if i == 0 {
			share = n - share*(len(loadFiles)-1)
		}
		c, err := alliancegen.Bulk(7, share, f.format, out)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		sum.Records += c.Records
		sum.Patients += c.Patients
		sum.Visits += c.Visits
		sum.Reports += c.Reports
		sum.Results += c.Results
		sum.Bytes += c.Bytes
	}
	return sum
}

// cutStream reads deliveries of up to perDelivery records from a stream.
type cutStream struct {
	institution, name string
	format            alliancegen.Format
	r                 *bufio.Reader
	head              []byte // heading of a table, or the line that begins the next message
	n                 int
}

func openStream(dir string, i int) (*cutStream, error) {
	f, err := os.Open(filepath.Join(dir, loadFiles[i].name))
	if err != nil {
		return nil, err
	}
	s := &cutStream{institution: loadFiles[i].institution, name: loadFiles[i].name, format: loadFiles[i].format, r: bufio.NewReaderSize(f, 1<<16)}
	if s.format != alliancegen.JSON {
		s.head, err = s.line()
	}
	return s, err
}

// line reads up to and with the next line end, which is a lone CR in a message.
func (s *cutStream) line() ([]byte, error) {
	if s.format == alliancegen.ER7 {
		return s.r.ReadBytes('\r')
	}
	return s.r.ReadBytes('\n')
}

// next returns the next delivery and how many records it holds, 0 at the end.
func (s *cutStream) next() (ingest.Delivery, int) {
	var b bytes.Buffer
	b.Write(s.head)
	records := 0
	if s.format == alliancegen.ER7 && len(s.head) > 0 {
		records = 1
		s.head = nil
	}
	for {
		line, err := s.line()
		if len(line) == 0 {
			break
		}
		begins := s.format != alliancegen.ER7 || bytes.HasPrefix(bytes.TrimLeft(line, "\n"), []byte("MSH"))
		if begins && s.format == alliancegen.ER7 && records == perDelivery {
			s.head = line
			break
		}
		b.Write(line)
		if begins {
			records++
		}
		if err != nil || records == perDelivery && s.format != alliancegen.ER7 {
			break
		}
	}
	s.n++
	return ingest.Delivery{
		Institution: s.institution, Control: fmt.Sprint(s.name, s.n),
		Files: []ingest.File{{Name: s.name, Bytes: b.Bytes()}},
	}, records
}

// loadChild takes the streams of a folder in and prints at each mark how it went.
func loadChild(dir string) {
	ctx := context.Background()
	var count counting
	g, err := openGateway(ctx, filepath.Join(dir, "data"), setup{engine: func(a ingest.Applier) ingest.Applier {
		count.Applier = a
		return &count
	}})
	if err != nil {
		fail(err)
	}
	if name := os.Getenv(loadProfile); name != "" {
		f, err := os.Create(name)
		if err != nil {
			fail(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			fail(err)
		}
		defer pprof.StopCPUProfile()
	}
	g.start()
	var streams []*cutStream
	for i := range loadFiles {
		s, err := openStream(dir, i)
		if err != nil {
			fail(err)
		}
		streams = append(streams, s)
	}
	began, records := time.Now(), 0
	var underway []string
	for mark := range strings.SplitSeq(os.Getenv(loadMarks), ",") {
		want, err := strconv.Atoi(mark)
		if err != nil {
			fail(err)
		}
		for records < want {
			sent := 0
			for _, s := range streams {
				if records+sent >= want {
					break
				}
				d, n := s.next()
				if n == 0 {
					continue
				}
				a, err := g.Accept(ctx, d)
				if err != nil {
					fail(err)
				}
				underway = append(underway, a.Receipt.ID)
				sent += n
			}
			if sent == 0 {
				break
			}
			records += sent
			underway = g.waitFor(ctx, underway, 2*len(streams))
		}
		underway = g.waitFor(ctx, underway, 0)
		counts, err := g.store.CountRecords(ctx, "")
		if err != nil {
			fail(err)
		}
		fmt.Println("mark", records, time.Since(began).Milliseconds(), cpu().Milliseconds(), statusKB("VmHWM"), statusKB("VmRSS"), counts[store.Committed], counts[store.Split],
			counts[store.Quarantined], counts[store.Unchanged], counts[store.Superseded], count.versions.Load())
	}
	if err := g.close(); err != nil {
		fail(err)
	}
}

// waitFor waits until no more than left deliveries are unfinished.
func (g *gateway) waitFor(ctx context.Context, underway []string, left int) []string {
	for ; len(underway) > left; underway = underway[1:] {
		if _, err := g.Wait(ctx, underway[0]); err != nil {
			fail(err)
		}
	}
	return underway
}

// counting counts the versions that an engine writes.
type counting struct {
	ingest.Applier
	versions atomic.Int64
}

func (c *counting) Apply(ctx context.Context, b interaction.Batch) (interaction.Applied, error) {
	applied, err := c.Applier.Apply(ctx, b)
	c.versions.Add(int64(len(applied.Versions)))
	return applied, err
}

// cpu is the processor time that this process used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// statusKB reads a line of this process's status.
func statusKB(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n
		}
	}
	return 0
}

// mark is how a load stood after some records.
type mark struct {
	records, ms, cpuMS, peakKB, rssKB                    int
	committed, split, quarantined, unchanged, superseded int
	versions                                             int
}

func (m mark) String() string {
	s := float64(m.ms) / 1000
	return fmt.Sprintf("%d records in %.1f s: %.0f records/s, %.0f versions/s, %.2f ms CPU a record, peak %d MB, %d committed, %d quarantined",
		m.records, s, float64(m.records)/s, float64(m.versions)/s, float64(m.cpuMS)/float64(m.records), m.peakKB>>10, m.committed, m.quarantined)
}

func load(t testing.TB, marks ...int) (alliancegen.BulkCounts, []mark) {
	t.Helper()
	dir := t.TempDir()
	want := writeLoad(t, dir, marks[len(marks)-1])
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "GOGC=", loadFolder+"="+dir, loadMarks+"="+strings.Trim(strings.Join(strings.Fields(fmt.Sprint(marks)), ","), "[]")) // memory is collected as everywhere, whatever tests run with
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var list []mark
	for line := range strings.Lines(string(out)) {
		var m mark
		if _, err := fmt.Sscan(strings.TrimPrefix(line, "mark "), &m.records, &m.ms, &m.cpuMS, &m.peakKB, &m.rssKB, &m.committed, &m.split,
			&m.quarantined, &m.unchanged, &m.superseded, &m.versions); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, m)
		t.Log(m)
	}
	return want, list
}

// maxPeak bounds the memory of a small load; what grows with the number of records
// is for the soak test.
const maxPeak = 300 << 10

func TestLoadOfGeneratedRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("takes in records for seconds")
	}
	want, marks := load(t, 1200)
	judgeLoad(t, want, marks)
	if peak := marks[0].peakKB; peak > maxPeak {
		t.Errorf("peak memory is %d MB, want at most %d", peak>>10, maxPeak>>10)
	}
}

func judgeLoad(t *testing.T, want alliancegen.BulkCounts, marks []mark) {
	t.Helper()
	last := marks[len(marks)-1]
	if last.records != want.Records || last.committed+last.unchanged+last.superseded != want.Records {
		t.Errorf("%d records, %d committed, %d quarantined of %d", last.records, last.committed, last.quarantined, want.Records)
	}
}

func TestSoakPeakMemoryDoesNotGrowWithRecords(t *testing.T) {
	testenv.Soak(t)
	want, marks := load(t, 10_000, 100_000)
	judgeLoad(t, want, marks)
	if ratio := float64(marks[1].peakKB) / float64(marks[0].peakKB); ratio > 1.1 {
		t.Errorf("peak memory grew to %.2f times between %d and %d records, want at most 1.1", ratio, marks[0].records, marks[1].records)
	}
}
