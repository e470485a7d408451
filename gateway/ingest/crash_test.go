package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/testenv"
)

// crashFolder makes this test binary the process that is killed: it hands in what
// the sender has no answer for and prints each answer.
const (
	crashFolder = "YILIAN_TEST_CRASH_FOLDER"
	crashPoint  = "YILIAN_TEST_CRASH_POINT"
	crashHit    = "YILIAN_TEST_CRASH_HIT"      // at which hit of the point it dies
	crashFrom   = "YILIAN_TEST_CRASH_ANSWERED" // how many deliveries were answered before
)

// crashSet is what three institutions send about the same people: single messages,
// a batch, an extract, documents.
func crashSet() []ingest.Delivery {
	bulk := func(n int, f alliancegen.Format) []byte {
		var b bytes.Buffer
		if _, err := alliancegen.Bulk(3, n, f, &b); err != nil {
			fail(err)
		}
		return b.Bytes()
	}
	var messages [][]byte
	for m := range bytes.SplitSeq(bulk(40, alliancegen.ER7), []byte("MSH|")) {
		if len(m) > 0 {
			messages = append(messages, append([]byte("MSH|"), m...))
		}
	}
	var list []ingest.Delivery
	add := func(institution, control, name string, text []byte) {
		list = append(list, ingest.Delivery{Institution: institution, Control: control, Files: []ingest.File{{Name: name, Bytes: text}}})
	}
	for _, m := range messages[:10] {
		add(alliancegen.City, "", "", m)
	}
	add(alliancegen.County, "night", "HIS_HZXX.csv", bulk(20, alliancegen.CSV))
	add(alliancegen.City, "batch", "batch.hl7", bytes.Join(messages[10:], nil))
	documents := bytes.SplitAfter(bulk(20, alliancegen.JSON), []byte("\n"))
	add(alliancegen.Lab, "day", "day.ndjson", bytes.Join(documents[:15], nil))
	for _, m := range messages[:3] { // the sender lost our answers
		add(alliancegen.City, "", "", m)
	}
	for n, form := range []int{2, 300_000, 2} { // results with a form, the last of them corrected
		add(alliancegen.City, "", "", formMessage(n/2, n, form))
	}
	add(alliancegen.Lab, "evening", "evening.ndjson", bytes.Join(documents[15:], nil))
	return list
}

// formMessage is a result with a form of so many bytes, as HL7 v2 carries it: in
// base64. n tells messages apart, report the reports that they are about.
func formMessage(report, n, size int) []byte {
	form := base64.StdEncoding.EncodeToString(append(fmt.Appendf(nil, "%%PDF-1.4\n%d\n", n), bytes.Repeat([]byte{0xA5, byte(n)}, 2000+size/2)...))
	return fmt.Appendf(nil, "MSH|^~\\&|LIS|CITY|Y|Y|2025070108%02d00||ORU^R01|FORM%d|P|2.4||||||UNICODE UTF-8\r"+
		"PID|1||990001^^^^MR||甲\rOBR|1||FORM-R%d|CT^CT|||20250701080000||||||||||||||||||F\r"+
		"OBX|1|ED|PDF^报告||^application^pdf^Base64^%s||||||F\r", n, n, report, form)
}

// crashChild hands in the set from the first unanswered delivery on and ends when
// all of it is worked on.
func crashChild(dir string) {
	point := os.Getenv(crashPoint)
	var hits atomic.Int64
	fatal, _ := strconv.ParseInt(os.Getenv(crashHit), 10, 64)
	at := func(p string) {
		if p == point && hits.Add(1) == fatal {
			die()
		}
	}
	g, err := openGateway(context.Background(), dir, setup{
		ingest: ingest.Config{Fault: at, Workers: 8},
		store:  sqlite.Options{CheckpointPages: 100, Fault: func(p string) error { at(p); return nil }},
	})
	if err != nil {
		fail(err)
	}
	g.start()
	fmt.Println("started")
	from, _ := strconv.Atoi(os.Getenv(crashFrom))
	if err := g.handIn(crashSet()[from:], func() { fmt.Println("answered") }); err != nil {
		fail(err)
	}
	if err := g.settle(); err != nil {
		fail(err)
	}
	if err := g.close(); err != nil {
		fail(err)
	}
	fmt.Println("finished")
}

// die ends this process as a power cut would, as far as a process can.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// handIn accepts deliveries one by one and calls answered after each.
func (g *gateway) handIn(list []ingest.Delivery, answered func()) error {
	for _, d := range list {
		a, err := g.Accept(context.Background(), d)
		if err != nil {
			return err
		}
		if a.Receipt.Answer != "" && a.Receipt.Answer != "AA" {
			return errors.New("a good message was refused")
		}
		answered()
	}
	return nil
}

// settle waits until nothing is left to do. It is less patient than a lease, which
// must not hold up what a dead process left.
func (g *gateway) settle() error {
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		left, err := g.store.Records(context.Background(), store.RecordFilter{State: store.Received, Limit: 1})
		if err != nil || len(left) == 0 {
			return err
		}
	}
	return errors.New("records are left unfinished")
}

// state is what can be compared between two gateways that took in the same.
type state struct {
	Records   map[string]int // by institution, state and own bytes: how many
	Resources map[string]string
	Versions  map[string]int64
	Persons   []string // the Patients of each, sorted
}

// stateOf reads the state of a store and checks what must hold for any.
func stateOf(t testing.TB, g *gateway) state {
	t.Helper()
	ctx := t.Context()
	s := state{Records: map[string]int{}, Resources: map[string]string{}, Versions: map[string]int64{}}
	committed := map[string]bool{}
	for after := int64(0); ; {
		page, err := g.store.Records(ctx, store.RecordFilter{After: after, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			text, err := g.store.Content(ctx, r.Digest, r.Offset, r.Length)
			if err != nil {
				t.Fatal(err)
			}
			s.Records[fmt.Sprintf("%s %s %x", r.Institution, r.State, sha256.Sum256(text))[:60]]++
			if r.State == store.Committed {
				committed[r.ID] = true
			}
		}
		after = page[len(page)-1].Sequence
	}
	last := int64(0)
	for {
		list, err := g.store.Changes(ctx, last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			if c.Change != last+1 {
				t.Errorf("change %d after %d", c.Change, last)
			}
			last = c.Change
			k := c.Key.String()
			if c.Type == "Provenance" {
				if !committed[c.ID] || c.Number != 1 {
					t.Errorf("a Provenance in version %d of a record that is committed: %t", c.Number, committed[c.ID])
				}
				delete(committed, c.ID)
				continue
			}
			if c.Number != s.Versions[k]+1 {
				t.Errorf("%s: version %d after %d", k, c.Number, s.Versions[k])
			}
			s.Versions[k] = c.Number
		}
	}
	if len(committed) > 0 {
		t.Errorf("%d committed records have no Provenance", len(committed))
	}
	persons := map[string][]string{}
	for k := range s.Versions {
		typ, id, _ := strings.Cut(k, "/")
		v, err := g.store.Read(ctx, store.Key{Type: typ, ID: id})
		if err != nil {
			t.Fatal(err)
		}
		content, err := fhir.Parse(v.Body, fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		content.Remove("meta")
		if v.Blob.Digest != "" {
			bytes, err := g.store.Content(ctx, v.Blob.Digest, v.Blob.Offset, v.Blob.Length)
			if err != nil {
				t.Fatal(err)
			}
			content.SetString("data", fmt.Sprintf("%x", sha256.Sum256(bytes)))
		}
		s.Resources[k] = string(content.AppendJSON(nil))
		if typ == "Patient" {
			link, ok, err := g.store.LinkOf(ctx, id)
			if err != nil || !ok {
				t.Fatalf("a Patient without a person: %v", err)
			}
			persons[link.Person] = append(persons[link.Person], id)
		}
	}
	for _, p := range slices.Collect(maps.Values(persons)) {
		slices.Sort(p)
		s.Persons = append(s.Persons, strings.Join(p, " "))
	}
	slices.Sort(s.Persons)
	return s
}

// undisturbed is the state after the set went in without any trouble.
func undisturbed(t *testing.T) state {
	t.Helper()
	g := running(t, setup{})
	if err := errors.Join(g.handIn(crashSet(), func() {}), g.settle()); err != nil {
		t.Fatal(err)
	}
	s := stateOf(t, g)
	if forms := slices.DeleteFunc(slices.Collect(maps.Keys(s.Resources)), func(k string) bool { return !strings.HasPrefix(k, "Binary/") }); len(forms) != 3 {
		t.Fatalf("the set makes %d Binaries", len(forms))
	}
	if len(s.Persons) != 21 || len(s.Resources) < 200 {
		t.Fatalf("the set makes %d persons and %d resources", len(s.Persons), len(s.Resources))
	}
	return s
}

// crashed runs a child over a folder until it dies or is killed, some time after
// its start, and returns how many deliveries it answered and whether it reached the
// end.
func crashed(t *testing.T, dir, point string, hit, from int, after time.Duration) (answered int, finished bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), crashFolder+"="+dir, crashPoint+"="+point, crashHit+"="+strconv.Itoa(hit), crashFrom+"="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	guard := time.AfterFunc(time.Minute, kill)
	defer func() { guard.Stop() }()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch lines.Text() {
		case "started":
			guard.Reset(after)
		case "answered":
			answered++
		case "finished":
			finished = true
		default:
			t.Errorf("the process failed: %s", lines.Text())
		}
	}
	_ = cmd.Wait()
	return answered, finished
}

// recovered opens the folder again, hands in what was never answered – and, as a
// careful sender would, the rest once more – and compares with want.
func recovered(t *testing.T, dir string, answered int, want state) {
	t.Helper()
	g, err := openGateway(t.Context(), dir, setup{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.close(); err != nil {
			t.Error(err)
		}
	}()
	g.start()
	set := crashSet()
	if err := errors.Join(g.handIn(set[answered:], func() {}), g.settle(), g.handIn(set[:answered], func() {}), g.settle()); err != nil {
		t.Fatal(err)
	}
	got := stateOf(t, g)
	if diff := cmp.Diff(want.Records, got.Records); diff != "" {
		t.Errorf("records: %s", diff)
	}
	if diff := cmp.Diff(want.Persons, got.Persons); diff != "" {
		t.Errorf("persons: %s", diff)
	}
	if diff := cmp.Diff(want.Resources, got.Resources); diff != "" {
		t.Errorf("resources: %s", diff)
	}
	for k, n := range got.Versions {
		if n != want.Versions[k] {
			t.Errorf("%s has %d versions, want %d", k, n, want.Versions[k])
		}
	}
}

func TestNothingIsLostOrDoubledAtACrashPoint(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts and kills processes")
	}
	want := undisturbed(t)
	for _, tt := range []struct {
		name, point string
		hit         int
	}{
		{"before the first record is durable", sqlite.BeforeCommit, 4},
		{"the first record is durable, its sender does not know", ingest.AfterAccept, 1},
		{"a delivery is durable, its sender does not know", ingest.AfterAccept, 11},
		{"a delivery is read and not yet split", ingest.BeforeExpand, 2},
		{"a record is mapped and not yet written", ingest.BeforeApply, 30},
		{"in the middle of work, before a commit", sqlite.BeforeCommit, 30},
		{"in the middle of work, after a commit", sqlite.AfterCommit, 30},
		{"a record is written, nobody was told", ingest.AfterApply, 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			answered, finished := crashed(t, dir, tt.point, tt.hit, 0, time.Minute)
			if finished {
				t.Fatal("the process never came to the point")
			}
			recovered(t, dir, answered, want)
		})
	}
}

func TestNothingIsLostOrDoubledWhenKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for seconds")
	}
	killAtRandom(t, undisturbed(t), 1)
}

func TestSoakNothingIsLostOrDoubledWhenKilled(t *testing.T) {
	limit := testenv.Soak(t)
	want := undisturbed(t)
	began := time.Now()
	for seed := uint64(2); time.Since(began) < limit && !t.Failed(); seed++ {
		killAtRandom(t, want, seed)
	}
}

// maxKills bounds how often the processes of one set are killed.
const maxKills = 12

// killAtRandom kills one process after another over the same folder until the set
// is in.
func killAtRandom(t *testing.T, want state, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, seed))
	dir, answered, kills := t.TempDir(), 0, 0
	for ; kills < maxKills; kills++ {
		n, finished := crashed(t, dir, "", 0, answered, time.Duration(random.IntN(50*(kills+1)))*time.Millisecond)
		if answered += n; finished {
			break
		}
	}
	t.Logf("seed %d: killed %d times, %d deliveries answered", seed, kills, answered)
	if kills == 0 {
		t.Error("the process was never killed")
	}
	recovered(t, dir, answered, want)
}
