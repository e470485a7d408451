package testenv

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	noRedis        = "needs Redis, which is not installed: run make services"
	redisDatabases = 1024
)

var redis shared

// Redis returns the URL of an empty database on a Redis that the test binary's tests share.
func Redis(t testing.TB) string {
	t.Helper()
	bin := redisBin(t)
	s, n, err := redis.get(func() (*Server, error) { return startRedis(bin) })
	if err != nil {
		t.Fatal(err)
	}
	if n >= redisDatabases {
		t.Fatalf("more than %d tests use one Redis", redisDatabases-1)
	}
	return s.url + "/" + strconv.Itoa(n)
}

// StartRedis returns a Redis of the test's own, which it may stop, kill and start again. It keeps nothing on disk: started
// again it is empty, as a lost cache is.
func StartRedis(t testing.TB) *Server {
	t.Helper()
	s, err := startRedis(redisBin(t))
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

func startRedis(bin string) (*Server, error) {
	a, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := newDir("redis", a)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, account: a, end: syscall.SIGTERM, answers: redisAnswers}
	s.argv = func(s *Server) []string {
		s.url = "redis://" + s.Addr()
		return []string{bin, "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--unixsocket",
			filepath.Join(dir, "socket"), "--dir", dir, "--save", "", "--appendonly", "no", "--databases", strconv.Itoa(redisDatabases)}
	}
	if err := launch(s); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// redisAnswers asks through the socket, so that it cannot be somebody else's server on the same port.
func redisAnswers(ctx context.Context, s *Server) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "socket"))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && answer != "+PONG\r\n" {
		err = fmt.Errorf("PING was answered with %q", answer)
	}
	return err
}

func redisBin(t testing.TB) string {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, noRedis)
	}
	return bin
}
