package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// crashFolder, when set, makes this test binary the process that is killed: it
// writes into the folder and prints what was acknowledged.
const (
	crashFolder = "YILIAN_TEST_CRASH_FOLDER"
	crashPoint  = "YILIAN_TEST_CRASH_POINT"
	crashRound  = "YILIAN_TEST_CRASH_ROUND"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashFolder); dir != "" {
		writeUntilKilled(dir, os.Getenv(crashPoint), os.Getenv(crashRound))
	}
	os.Exit(m.Run())
}

// writeUntilKilled lets several clients write transactions of one record and three
// resources each, one of which is the counter that all share.
func writeUntilKilled(dir, point, round string) {
	commits := 0
	s, err := sqlite.Open(context.Background(), dir, sqlite.Options{CheckpointPages: 50, Fault: func(at string) error {
		if at == point {
			if commits++; commits == 20 {
				die()
			}
		}
		return nil
	}})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(3)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%s-%d-%d", round, client, n)
				if err := writeTriple(s, name); err != nil {
					fmt.Println("failed", err)
					os.Exit(3)
				}
				mu.Lock()
				fmt.Println("done", name)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// die ends this process as a power cut would, as far as a process can.
func die() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = p.Kill()
	}
	select {}
}

func writeTriple(s *sqlite.Store, name string) error {
	body := strings.Repeat(name, 50)
	r, err := s.Accept(context.Background(), []store.Entry{{Record: store.Record{Institution: "h1", Format: "x", Control: name}, Bytes: []byte(body)}})
	if err != nil {
		return err
	}
	return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		counter, err := tx.Read(ctx, store.Key{Type: "Patient", ID: "counter"})
		if err != nil && counter.Number != 0 {
			return err
		}
		digest, err := tx.Archive(ctx, contentOf(name))
		if err != nil {
			return err
		}
		b := put(name+"-b", 0, body)
		b.Blob = store.Blob{Digest: digest, Length: int64(len(contentOf(name)))}
		for _, p := range []*store.Put{put(name+"-a", 0, body), b, put("counter", counter.Number, body)} {
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return tx.Finish(ctx, r[0].ID, store.Outcome{State: store.Committed})
	})
}

// contentOf is the content of a triple's second resource; some is long enough to
// stand in several parts of the archive.
func contentOf(name string) []byte {
	size := 1000
	if strings.HasSuffix(name, "7") {
		size = 300_000
	}
	return []byte(strings.Repeat(name+"\n", size/len(name)))
}

// A process dies again and again, at a named point of a commit or anywhere. What
// it acknowledged must be there once, and of no transaction a half.
func TestKilledWhileWriting(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round, point := range []string{sqlite.BeforeCommit, sqlite.AfterCommit, "", "", sqlite.BeforeCommit, sqlite.AfterCommit, "", ""} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), crashFolder+"="+dir, crashPoint+"="+point, crashRound+"="+fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		guard := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		stop := 1 << 30
		if point == "" {
			stop = 20 + random.IntN(200)
		}
		seen := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			word, name, _ := strings.Cut(lines.Text(), " ")
			if word != "done" {
				t.Fatalf("round %d: %s", round, lines.Text())
			}
			acknowledged[name] = true
			if seen++; seen == stop {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		guard.Stop()
		if seen == 0 {
			t.Fatalf("round %d (%q): nothing was written before the end", round, point)
		}
		verifyAfterCrash(t, dir, acknowledged)
	}
	t.Logf("%d transactions acknowledged", len(acknowledged))
}

func verifyAfterCrash(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got, err := s.Pragma(t.Context(), "integrity_check", true); got != "ok" || err != nil {
		t.Fatalf("integrity: %s, %v", got, err)
	}
	stored := map[string]int{}
	next := map[store.Key]int64{}
	for after := int64(0); ; {
		list, err := s.Changes(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			if c.Change != after+1 {
				t.Fatalf("change %d after %d", c.Change, after)
			}
			after = c.Change
			if next[c.Key]++; c.Number != next[c.Key] {
				t.Fatalf("%s: version %d at place %d", c.Key, c.Number, next[c.Key])
			}
			if name, ok := strings.CutSuffix(c.ID, "-a"); ok {
				stored[name] |= 1
			} else if name, ok := strings.CutSuffix(c.ID, "-b"); ok {
				stored[name] |= 2
				v, err := s.Read(t.Context(), c.Key)
				if err != nil {
					t.Fatal(err)
				}
				content, err := s.Content(t.Context(), v.Blob.Digest, v.Blob.Offset, v.Blob.Length)
				if err != nil || !bytes.Equal(content, contentOf(name)) {
					t.Errorf("the content of %s: %d bytes, %v", name, len(content), err)
				}
			}
		}
	}
	for name := range acknowledged {
		if stored[name] == 0 {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	for name, parts := range stored {
		if parts != 3 {
			t.Errorf("half of %s is there", name)
		}
	}
	if got := next[store.Key{Type: "Patient", ID: "counter"}]; got != int64(len(stored)) {
		t.Errorf("the counter is at %d after %d transactions", got, len(stored))
	}
	p, err := s.Search(t.Context(), &search.Query{Type: "Patient", Allowed: search.Allowed{All: true}, Total: search.TotalAccurate})
	if err != nil || p.Total != len(next) {
		t.Errorf("%d found of %d, %v", p.Total, len(next), err)
	}
	counts, err := s.CountRecords(t.Context(), "h1")
	if err != nil || counts[store.Committed] != len(stored) {
		t.Errorf("%d records committed for %d transactions, %v", counts[store.Committed], len(stored), err)
	}
	waiting, err := s.Claim(t.Context(), "verifier", time.Millisecond, 1000)
	if err != nil || len(waiting) != counts[store.Received] {
		t.Errorf("%d of %d waiting records can be claimed, %v", len(waiting), counts[store.Received], err)
	}
	for _, r := range waiting {
		if stored[r.Control] != 0 {
			t.Errorf("record %s waits though its resources are there", r.Control)
		}
		if body, err := s.Content(t.Context(), r.Digest, 0, 0); err != nil || string(body) != strings.Repeat(r.Control, 50) {
			t.Errorf("the bytes of record %s: %d, %v", r.Control, len(body), err)
		}
	}
}
