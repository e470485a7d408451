package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	startTries   = 3 // another process may take the free port first, or what a killed server left hold its data
	restartPause = 200 * time.Millisecond
)

// Server is a private server. Its methods are for one goroutine, the test's.
type Server struct {
	dir     string
	port    int
	url     string
	account *account
	argv    func(*Server) []string
	answers func(context.Context, *Server) error // whether the server takes work yet
	end     os.Signal                            // asks the server to end in order

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
	leash  *os.File      // the watchdog's pipe
}

// URL returns where the server listens; it stays the same when the server is stopped and started again.
func (s *Server) URL() string { return s.url }

// Addr returns the host and port the server listens on.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Stop ends the server in order and keeps its data.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.signal(s.end); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server the way a power cut would, as far as one process can, and keeps its data.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// Start starts a stopped server again, on its old port and data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	err := s.start()
	for try := 1; err != nil && try < startTries; try++ {
		time.Sleep(restartPause)
		err = s.start()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// launch brings a new server up, on another port if the first was taken meanwhile.
func launch(s *Server) error {
	var err error
	for range startTries {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) start() error {
	if s.cmd != nil {
		return errors.New("the server runs already")
	}
	logPath := filepath.Join(s.dir, "log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	argv := s.argv(s)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, logFile, logFile
	s.account.apply(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", argv[0], err)
	}
	s.cmd, s.exited = cmd, make(chan struct{})
	go func(exited chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(exited)
	}(s.exited)
	if s.leash, err = watch(cmd.Process.Pid, s.dir); err != nil {
		return errors.Join(err, s.signal(syscall.SIGKILL))
	}
	if err := s.wait(); err != nil {
		text, _ := os.ReadFile(logPath)
		return errors.Join(fmt.Errorf("%s did not start: %w\n%s", filepath.Base(argv[0]), err, tail(text, 2000)),
			s.signal(syscall.SIGKILL))
	}
	return nil
}

func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.answers(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("it ended")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// signal ends the process and waits until it is gone; a server that is down already stays down.
func (s *Server) signal(sig os.Signal) error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	s.cmd = nil
	if s.leash == nil {
		return nil
	}
	// The word releases the watchdog: the process id may belong to somebody else from now on.
	_, err := s.leash.WriteString("keep\n")
	err = errors.Join(err, s.leash.Close())
	s.leash = nil
	return err
}

// remove ends the server and forgets its data.
func (s *Server) remove() error {
	return errors.Join(s.signal(s.end), os.RemoveAll(s.dir))
}

// The watchdog reads one line. A word means that the server was ended properly; the end of the pipe, that the test binary
// is gone.
const watchdog = `
read -r word && exit 0
kill -INT "$1" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	kill -0 "$1" 2>/dev/null || break
	sleep 0.1
done
kill -KILL "$1" 2>/dev/null
rm -rf "$2"
`

// watch starts a watchdog and returns the end of its pipe that must stay open.
func watch(pid int, dir string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdog, "watchdog", strconv.Itoa(pid), dir)
	cmd.Stdin = r
	ownGroup(cmd) // an interrupt from the keyboard must not end the watchdog before its work
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the watchdog: %w", err), w.Close())
	}
	go func() { _ = cmd.Wait() }()
	return w, nil
}

// shared starts one server per test binary, when the first test asks.
type shared struct {
	once   sync.Once
	server *Server
	err    error
	mu     sync.Mutex
	used   int
}

func (s *shared) get(start func() (*Server, error)) (*Server, int, error) {
	s.once.Do(func() { s.server, s.err = start() })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used++
	return s.server, s.used, s.err
}

func newDir(kind string, a *account) (string, error) {
	dir, err := os.MkdirTemp("", "yilian-"+kind+"-")
	if err != nil {
		return "", err
	}
	if err := a.own(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return b
}
