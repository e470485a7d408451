package testenv_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/testenv"
)

// recorder stands in for a test: it keeps how the test would have ended.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper() {}

func (r *recorder) Skip(args ...any)  { r.end("skip: " + fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.end("fatal: " + fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.end("fatal: " + fmt.Sprintf(format, args...))
}

func (r *recorder) end(text string) {
	r.ended = text
	panic(r)
}

// ending runs f as a test and returns how it ended.
func ending(t *testing.T, f func(testing.TB)) string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		f(r)
	}()
	return r.ended
}

func TestWhatIsMissingSkipsAndFailsInCI(t *testing.T) {
	nothing := t.TempDir()
	tests := []struct {
		name string
		call func(testing.TB)
		want string
	}{
		{"corpus", func(t testing.TB) { testenv.Corpus(t) }, "needs the corpus: set YILIAN_CORPUS to its folder"},
		{"Redis", func(t testing.TB) { testenv.Redis(t) }, "needs Redis, which is not installed: run make services"},
		{"own Redis", func(t testing.TB) { testenv.StartRedis(t) }, "needs Redis, which is not installed: run make services"},
		{"PostgreSQL", func(t testing.TB) { testenv.Postgres(t) },
			"needs PostgreSQL, which is not installed: run make services"},
		{"own PostgreSQL", func(t testing.TB) { testenv.StartPostgres(t) },
			"needs PostgreSQL, which is not installed: run make services"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testenv.HideDebian(t)
			t.Setenv("PATH", nothing)
			t.Setenv("YILIAN_CORPUS", "")
			t.Setenv("CI", "")
			if got := ending(t, tt.call); got != "skip: "+tt.want {
				t.Errorf("ended with %q, want skip", got)
			}
			t.Setenv("CI", "true")
			if got := ending(t, tt.call); got != "fatal: "+tt.want {
				t.Errorf("in CI ended with %q, want fatal", got)
			}
		})
	}
}

func TestCorpus(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "hl7v2", "ms"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("YILIAN_CORPUS", root)
	if got, want := testenv.Corpus(t, "hl7v2", "ms"), filepath.Join(root, "hl7v2", "ms"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	t.Setenv("CI", "")
	got := ending(t, func(t testing.TB) { testenv.Corpus(t, "absent") })
	if !strings.HasPrefix(got, "fatal: YILIAN_CORPUS is set, but: ") {
		t.Errorf("a folder that is not in the corpus ended with %q, want fatal", got)
	}
}

func TestSoak(t *testing.T) {
	t.Setenv("CI", "true")
	soak := func(t testing.TB) { testenv.Soak(t) }
	t.Setenv("YILIAN_SOAK", "")
	if got := ending(t, soak); got != "skip: soak test: run make soak" {
		t.Errorf("ended with %q, want skip", got)
	}
	t.Setenv("YILIAN_SOAK", "long")
	if got := ending(t, soak); got != "fatal: YILIAN_SOAK=long is no duration such as 5m" {
		t.Errorf("ended with %q, want fatal", got)
	}
	t.Setenv("YILIAN_SOAK", "90s")
	if got := testenv.Soak(t); got != 90*time.Second {
		t.Errorf("got %s, want 1m30s", got)
	}
}

// A killed test binary runs no cleanup. Its servers must be gone all the same, and their folders too.
func TestServersEndWithAKilledTestBinary(t *testing.T) {
	if os.Getenv("TESTENV_VICTIM") != "" {
		fmt.Println(testenv.StartPostgres(t).Addr(), testenv.StartRedis(t).Addr())
		select {}
	}
	testenv.Postgres(t) // skips where there is none
	testenv.Redis(t)

	tmp := t.TempDir()
	for dir := tmp; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil { // the servers' account must get in
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(exe, "-test.run=^TestServersEndWithAKilledTestBinary$", "-test.timeout=60s")
	victim.Env = append(os.Environ(), "TESTENV_VICTIM=1", "TMPDIR="+tmp)
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	servers := strings.Fields(line)
	if len(servers) != 2 {
		t.Fatalf("the victim said %q: %v", line, err)
	}
	pattern := filepath.Join(tmp, "yilian-*")
	if dirs := glob(t, pattern); len(dirs) != 2 {
		t.Fatalf("the victim's folders: %v, want two", dirs)
	}
	if n := listening(servers); n != 2 {
		t.Fatalf("%d of the victim's servers listen, want 2", n)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	for deadline := time.Now().Add(10 * time.Second); len(glob(t, pattern)) > 0 || listening(servers) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: folders %v, %d servers", glob(t, pattern), listening(servers))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// listening counts the addresses where a server takes connections.
func listening(addrs []string) int {
	n := 0
	for _, addr := range addrs {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			n++
		}
	}
	return n
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
