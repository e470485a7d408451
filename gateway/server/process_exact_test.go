package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
)

// exactFolder makes this test binary a gateway that may be killed at any time.
const (
	exactFolder = "YILIAN_TEST_EXACT_FOLDER"
	exactStore  = "YILIAN_TEST_EXACT_STORE"
	exactRedis  = "YILIAN_TEST_EXACT_REDIS"
)

// serveExact serves what the environment says until standard input ends.
func serveExact() error {
	c, err := config.Load(config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "data": os.Getenv(exactFolder)},
		Env: func(name string) string {
			return map[string]string{
				"YILIAN_AUTH": "none", "YILIAN_STORE_URL": os.Getenv(exactStore), "YILIAN_REDIS_URL": os.Getenv(exactRedis),
			}[name]
		}})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	return server.Run(ctx, server.Options{
		Config: c, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Started: func(address string) { fmt.Println(address) },
	})
}

// child is a gateway in a process of its own, which serves the same data each time it
// is started.
type child struct {
	env     []string
	address atomic.Value // string; of the last start
	cmd     *exec.Cmd
	leash   io.Closer // the process ends when it is closed
}

// newChild starts a gateway over a data folder, and over servers where they are named.
func newChild(t testing.TB, store, redis string) *child {
	t.Helper()
	c := &child{env: append(os.Environ(), exactFolder+"="+t.TempDir(), exactStore+"="+store, exactRedis+"="+redis)}
	c.start(t)
	t.Cleanup(func() {
		if err := c.leash.Close(); err != nil {
			t.Error(err)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Errorf("the end of a gateway: %v", err)
		}
	})
	return c
}

// maxStart is how long a gateway may take until it is ready.
const maxStart = time.Minute

func (c *child) start(t testing.TB) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd = exec.Command(self)
	c.cmd.Env, c.cmd.Stderr = c.env, os.Stderr
	if c.leash, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(maxStart, func() { _ = c.cmd.Process.Kill() })
	defer guard.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("a gateway did not start: %v", err)
	}
	address := strings.TrimSpace(line)
	for began := time.Now(); !ready(address); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > maxStart {
			t.Fatal("a gateway did not become ready")
		}
	}
	c.address.Store(address)
}

// kill ends the process as kill -9 does.
func (c *child) kill(t testing.TB) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err == nil {
		t.Error("a gateway that was killed ended in order")
	}
	_ = c.leash.Close() // nobody holds the other end
}

func (c *child) base() string { return "http://" + c.address.Load().(string) + "/fhir" }
