package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
)

// idleFolder makes this test binary a server over an empty store, as it is measured.
const idleFolder = "YILIAN_TEST_IDLE_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(idleFolder); dir != "" {
		serveAlone(dir, nil)
		return
	}
	if dir := os.Getenv(killedFolder); dir != "" {
		serveAlone(dir, killAfterPush)
		return
	}
	if os.Getenv(exactFolder) != "" {
		if err := serveExact(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveAlone serves until standard input ends.
func serveAlone(dir string, fault func(point string)) {
	c, err := config.Load(config.Sources{
		Flags: map[string]string{"listen": "127.0.0.1:0", "data": dir},
		Env:   func(name string) string { return map[string]string{"YILIAN_AUTH": "none"}[name] },
	})
	if err == nil {
		ctx, stop := context.WithCancel(context.Background())
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
		err = server.Run(ctx, server.Options{
			Config: c, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Started: func(address string) { fmt.Println(address) }, Fault: fault,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Bounds of a server over an empty store.
const (
	maxReady    = 300 * time.Millisecond
	maxResident = 80 << 10 // KB
	maxRounds   = 10
)

func TestAServerOverAnEmptyStoreIsSmallAndSoonReady(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("memory is read from /proc")
	}
	settle := 10 * time.Second
	if testing.Short() {
		settle = time.Second
	}
	best := time.Duration(1<<63 - 1) // a test does not have the machine to itself
	for round := 0; round < maxRounds && (round == 0 || best > maxReady); round++ {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "GOGC=", idleFolder+"="+t.TempDir()) // memory is collected as everywhere, whatever tests run with
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		address, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		for !ready(strings.TrimSpace(address)) {
			if time.Since(began) > 30*time.Second {
				t.Fatal("not ready after 30 s")
			}
			time.Sleep(time.Millisecond)
		}
		took := time.Since(began)
		best = min(best, took)
		if round == 0 {
			time.Sleep(settle)
			resident := statusOf(t, cmd.Process.Pid, "VmRSS")
			t.Logf("%d MB resident %v after ready", resident>>10, settle)
			if resident > maxResident {
				t.Errorf("%d MB resident, want at most %d", resident>>10, maxResident>>10)
			}
		}
		t.Logf("ready after %v", took)
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the end: %v", err)
		}
	}
	if best > maxReady {
		t.Errorf("ready after %v at best, want at most %v", best, maxReady)
	}
}

func ready(address string) bool {
	got, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	_ = got.Body.Close()
	return got.StatusCode == http.StatusOK
}

// statusOf reads a line of a process's status, in KB.
func statusOf(t *testing.T, pid int, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s", name)
	return 0
}
