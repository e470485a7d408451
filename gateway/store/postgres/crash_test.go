package postgres_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/internal/testenv"
)

// crashURL, when set, makes this test binary the process that is killed: it writes into
// the database and prints what was acknowledged.
const (
	crashURL   = "YILIAN_TEST_CRASH_URL"
	crashPoint = "YILIAN_TEST_CRASH_POINT"
	crashRound = "YILIAN_TEST_CRASH_ROUND"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		writeUntilKilled(url, os.Getenv(crashPoint), os.Getenv(crashRound))
	}
	os.Exit(m.Run())
}

func writeUntilKilled(url, point, round string) {
	var mu sync.Mutex
	commits := 0
	s, err := postgres.Open(context.Background(), url, postgres.Options{Fault: func(at string) error {
		mu.Lock()
		defer mu.Unlock()
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
	var out sync.Mutex
	var wg sync.WaitGroup
	for client := range 6 {
		wg.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%s-%d-%d", round, client, n)
				if err := writeTriple(s, name); err != nil {
					fmt.Println("failed", err)
					os.Exit(3)
				}
				out.Lock()
				fmt.Println("done", name)
				out.Unlock()
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

var counter = store.Key{Type: "Patient", ID: "counter"}

// writeTriple takes a record in and makes three resources of it, one of which is the
// counter that all share.
func writeTriple(s *postgres.Store, name string) error {
	r, err := s.Accept(context.Background(), []store.Entry{{Record: store.Record{Institution: "h1", Format: "x", Control: name, Lanes: []string{"l" + name[len(name)-1:]}},
		Bytes: contentOf(name)}})
	if err != nil {
		return err
	}
	return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		if err := tx.Lock(ctx, "counter"); err != nil {
			return err
		}
		now, err := tx.Read(ctx, counter)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		b := put(name+"-b", 0)
		b.Blob = store.Blob{Digest: r[0].Digest, Length: r[0].Length}
		for _, p := range []*store.Put{put(name+"-a", 0), b, put(counter.ID, now.Number)} {
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return tx.Finish(ctx, r[0].ID, store.Outcome{State: store.Committed})
	})
}

// contentOf is the content of a triple; some is long enough to stand in several parts
// of the archive.
func contentOf(name string) []byte {
	size := 1000
	if strings.HasSuffix(name, "7") {
		size = 300_000
	}
	return []byte(strings.Repeat(name+"\n", size/len(name)))
}

// A process dies again and again, at a named point of a commit or anywhere, while
// another one goes on. What it acknowledged must be there once, and of no transaction a
// half.
func TestKilledWhileWriting(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	url := testenv.Postgres(t)
	acknowledged := map[string]bool{}
	for round, point := range []string{postgres.BeforeCommit, postgres.AfterCommit, "", postgres.BeforeCommit, postgres.AfterCommit, ""} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), crashURL+"="+url, crashPoint+"="+point, crashRound+"="+fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		guard := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		stop := 1 << 30
		if point == "" {
			stop = 10 + random.IntN(50)
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
		verify(t, url, acknowledged)
	}
	t.Logf("%d transactions acknowledged", len(acknowledged))
}

// PostgreSQL dies while clients write, and comes back. Their transactions end well, or
// with a fault that says that the store is away.
func TestPostgreSQLKilledWhileWriting(t *testing.T) {
	server := testenv.StartPostgres(t)
	s := openURL(t, server.URL(), postgres.Options{AwayTime: 20 * time.Second})
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	unknown := 0
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for client := range 6 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("0-%d-%d", client, n)
				err := writeTriple(s, name)
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[name] = true
				case fault.Is(err, fault.Unavailable):
					unknown++
				default:
					t.Errorf("%s: %v", name, err)
				}
				mu.Unlock()
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond)
		server.Kill(t)
		server.Start(t)
	}
	time.Sleep(700 * time.Millisecond)
	close(stop)
	wg.Wait()
	if len(acknowledged) < 20 {
		t.Fatalf("only %d transactions were acknowledged", len(acknowledged))
	}
	t.Logf("%d acknowledged, %d unknown or refused", len(acknowledged), unknown)
	if _, err := s.Read(t.Context(), counter); err != nil {
		t.Errorf("a reader afterwards: %v", err)
	}
	verify(t, server.URL(), acknowledged)
	server.Stop(t)
	quick := postgres.Options{AwayTime: 200 * time.Millisecond}
	if away, err := postgres.Open(t.Context(), server.URL(), quick); !fault.Is(err, fault.Unavailable) {
		t.Errorf("opening a store that is away: %v", errors.Join(err, away.Close()))
	}
	if _, err := s.Read(t.Context(), counter); !fault.Is(err, fault.Unavailable) {
		t.Errorf("reading of a store that is away: %v", err)
	}
	server.Start(t)
}

func verify(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
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
			if c.Change <= after {
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
	if got := next[counter]; got != int64(len(stored)) {
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
}
