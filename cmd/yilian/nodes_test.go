package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/internal/testenv"
)

// asCommand makes this test binary yilian.
const asCommand = "YILIAN_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// served is a process that serves.
type served struct {
	cmd     *exec.Cmd
	dir     string
	address string
	log     *lockedBuffer
}

// serve starts yilian serve as a process of its own.
func serve(t *testing.T, storeURL, redisURL, settings string) *served {
	t.Helper()
	s := &served{dir: t.TempDir(), log: &lockedBuffer{}}
	file := filepath.Join(s.dir, "yilian.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(self, "serve", "--config", file, "--data", filepath.Join(s.dir, "data"), "--listen", "127.0.0.1:0")
	s.cmd.Env = append(os.Environ(), asCommand+"=1", "YILIAN_AUTH=none", "YILIAN_STORE_URL="+storeURL, "YILIAN_REDIS_URL="+redisURL)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", s.address, s.log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("it does not serve: %v\n%s", err, s.log)
	}
	s.address = strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
	return s
}

func (s *served) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// ask makes a request and returns status and body; a status of 0 means that there was no answer.
func (s *served) ask(t *testing.T, method, path, contentType, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// yilian runs a command beside the servers, as an operator does.
func yilian(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append(args, "--data", t.TempDir()), strings.NewReader(""), &stdout, &stderr); code != exitDone {
		t.Fatalf("%q ends with %d: %s%s", args, code, &stdout, &stderr)
	}
	return stdout.String()
}

// folder is the number of the folder of the hospital that the node maps with, 0 for none.
func (s *served) folder(t *testing.T) int64 {
	t.Helper()
	status, text := s.ask(t, "GET", "/console/institutions", "", "")
	var members []console.Member
	if err := json.Unmarshal([]byte(text), &members); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	for _, m := range members {
		if m.ID == "demo-hospital" {
			return m.Number
		}
	}
	return 0
}

// number is a count that a search reports.
func (s *served) count(t *testing.T, search string) int {
	t.Helper()
	status, text := s.ask(t, "GET", "/fhir/"+search+"&_summary=count", "", "")
	var bundle struct{ Total int }
	if err := json.Unmarshal([]byte(text), &bundle); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s", search, status, text)
	}
	return bundle.Total
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func admission(n int) string {
	return fmt.Sprintf("MSH|^~\\&|HIS|H|||20240501083000||ADT^A08|%[1]d|P|2.4|||||CHN|UNICODE UTF-8\rEVN|A08|20240501083000\rPID|1||N%04[1]d^^^H^MR||张三^^||19800229|M\r", n)
}

func TestTwoNodesOnOneStoreAreOneServer(t *testing.T) {
	storeURL, redis := testenv.Postgres(t), testenv.StartRedis(t)
	const settings = "limits: {lease: 2s}\n"
	a, b := serve(t, storeURL, redis.URL(), settings), serve(t, storeURL, redis.URL(), settings)
	for _, s := range []*served{a, b} {
		eventually(t, 20*time.Second, "not ready", func() bool { status, _ := s.ask(t, "GET", "/readyz", "", ""); return status == http.StatusOK })
	}
	hospital, err := filepath.Abs("testdata/folders/hospital")
	if err != nil {
		t.Fatal(err)
	}

	// A folder that one process pushes is mapped with by all.
	t.Setenv("YILIAN_STORE_URL", storeURL)
	t.Setenv("YILIAN_REDIS_URL", redis.URL())
	yilian(t, "institution", "push", hospital)
	for _, s := range []*served{a, b} {
		eventually(t, 10*time.Second, "a node does not know the folder", func() bool { return s.folder(t) == 1 })
	}
	const hl7 = "x-application/hl7-v2+er7"
	if status, text := b.ask(t, "POST", "/ingest/demo-hospital?wait=1", hl7, admission(0)); status != http.StatusOK || !strings.Contains(text, "committed") {
		t.Fatalf("%d %s", status, text)
	}
	if n := a.count(t, "Patient?name=张三"); n != 1 {
		t.Fatalf("%d Patients at the other node, want 1", n)
	}

	// A version is what it is at both, with Redis, while it is away, and after it came back empty.
	_, text := a.ask(t, "GET", "/fhir/Patient?name=张三", "", "")
	var found struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil || len(found.Entry) != 1 {
		t.Fatal(text)
	}
	version := "/fhir/Patient/" + found.Entry[0].Resource.ID + "/_history/1"
	_, want := a.ask(t, "GET", version, "", "")
	same := func(when string) {
		t.Helper()
		for _, s := range []*served{a, b} {
			for range 20 {
				if status, got := s.ask(t, "GET", version, "", ""); status != http.StatusOK || got != want {
					t.Fatalf("%s: %d %s, want %s", when, status, got, want)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	same("with Redis")
	if _, metrics := b.ask(t, "GET", "/metrics", "", ""); !strings.Contains(metrics, `yilian_version_cache_total{result="found"}`) ||
		strings.Contains(metrics, `yilian_version_cache_total{result="found"} 0`) {
		t.Error("no version came from the cache")
	}

	// What a node accepted before it died is worked on by the other, once, with Redis dying in the middle too.
	accepted := map[string]bool{}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			status, _ := a.ask(t, "POST", "/ingest/demo-hospital", hl7, admission(n))
			if status == 0 {
				return // killed: whether it was taken is not known
			}
			if status == http.StatusOK || status == http.StatusAccepted {
				accepted[fmt.Sprintf("N%04d", n)] = true
			}
		}
	}()
	time.Sleep(300 * time.Millisecond)
	redis.Kill(t)
	same("without Redis")
	time.Sleep(300 * time.Millisecond)
	a.kill()
	close(stop)
	<-done
	redis.Start(t)
	if len(accepted) < 5 {
		t.Fatalf("%d records were accepted; that shows nothing", len(accepted))
	}
	eventually(t, 30*time.Second, "records of the dead node are left", func() bool {
		return !strings.Contains(yilian(t, "inbox", "list", "--state", "received", "--json"), `"id"`)
	})
	for id := range accepted {
		if n := b.count(t, "Patient?identifier="+id); n != 1 {
			t.Errorf("%d Patients for an accepted record, want 1", n)
		}
	}
	total := b.count(t, "Patient?name=张三")
	if total != len(accepted)+1 && total != len(accepted)+2 { // the last one was perhaps taken, and not answered
		t.Errorf("%d Patients of %d accepted records", total, len(accepted)+1)
	}
	a = b
	same("with a new Redis")

	// A node that joins finds all of it, and a folder that is rolled back is followed as well.
	c := serve(t, storeURL, redis.URL(), settings)
	eventually(t, 20*time.Second, "not ready", func() bool { status, _ := c.ask(t, "GET", "/readyz", "", ""); return status == http.StatusOK })
	if n := c.count(t, "Patient?name=张三"); n != total {
		t.Errorf("%d Patients at a node that joined, want %d", n, total)
	}
	changed := filepath.Join(t.TempDir(), "hospital")
	if err := os.CopyFS(changed, os.DirFS(hospital)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(changed, "README.md"), []byte("# changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	yilian(t, "institution", "push", changed)
	for _, s := range []*served{b, c} {
		eventually(t, 10*time.Second, "a node does not follow", func() bool { return s.folder(t) == 2 })
	}
	yilian(t, "institution", "rollback", "demo-hospital")
	for _, s := range []*served{b, c} {
		eventually(t, 10*time.Second, "a node does not follow back", func() bool { return s.folder(t) == 1 })
	}
}
