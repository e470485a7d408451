package testenv

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const noPostgres = "needs PostgreSQL, which is not installed: run make services"

// Where Debian keeps the programs of each version; a variable only so that a test can hide them.
var debianBin = "/usr/lib/postgresql/*/bin"

var postgres shared

// Postgres returns the URL of a new, empty database on a PostgreSQL that the test binary's tests share.
func Postgres(t testing.TB) string {
	t.Helper()
	url, err := createDatabase(t, "")
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// PostgresCopy returns the URL of a new database that is a copy of what prepare makes of an empty one, once for each name
// and test binary. A schema is copied in a quarter of the time that it takes to make it. What prepare returns is closed.
func PostgresCopy(t testing.TB, name string, prepare func(url string) (io.Closer, error)) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	from, ok := templates.url[name]
	if !ok {
		var err error
		if from, err = createDatabase(t, ""); err != nil {
			t.Fatal(err)
		}
		c, err := prepare(from)
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		templates.url[name] = from
	}
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	made, err := createDatabase(t, strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// templates are the databases that are copied, by name.
var templates = struct {
	sync.Mutex
	url map[string]string
}{url: map[string]string{}}

// createDatabase makes a database, as a copy of another unless that is "".
func createDatabase(t testing.TB, from string) (string, error) {
	t.Helper()
	bin := postgresBin(t)
	s, n, err := postgres.get(func() (*Server, error) { return startPostgres(bin) })
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("test%d", n)
	args := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "yilian", "-w"}
	if from != "" {
		args = append(args, "-T", from)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "createdb"), append(args, name)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("creating a database: %w\n%s", err, out)
	}
	u, err := url.Parse(s.url)
	if err != nil {
		return "", err
	}
	u.Path = name
	return u.String(), nil
}

// StartPostgres returns a PostgreSQL of the test's own, which it may stop, kill and start again.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	s, err := startPostgres(postgresBin(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func startPostgres(bin string) (*Server, error) {
	a, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := newDir("postgres", a)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// Only the new files are not synced; the running server syncs as always.
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "yilian", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync")
	initdb.Dir = dir
	a.apply(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s := &Server{dir: dir, account: a, end: syscall.SIGINT}
	s.argv = func(s *Server) []string {
		s.url = "postgres://yilian@" + s.Addr() + "/postgres?sslmode=disable"
		return []string{filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", strconv.Itoa(s.port),
			"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	}
	// Asked through its socket, so that it cannot be somebody else's server on the same port.
	s.answers = func(ctx context.Context, s *Server) error {
		return exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "-q", "-h", dir, "-p",
			strconv.Itoa(s.port), "-d", "postgres", "-U", "yilian").Run()
	}
	if err := launch(s); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// postgresBin finds the folder with PostgreSQL's programs: beside the initdb in PATH, or where Debian keeps each version,
// the newest first.
func postgresBin(t testing.TB) string {
	t.Helper()
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	debian, _ := filepath.Glob(debianBin)
	slices.SortFunc(debian, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	for _, dir := range append(dirs, debian...) {
		if complete(dir) {
			return dir
		}
	}
	missing(t, noPostgres)
	return ""
}

func complete(dir string) bool {
	for _, program := range []string{"initdb", "postgres", "createdb", "pg_isready"} {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err != nil {
			return false
		}
	}
	return true
}

func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}
