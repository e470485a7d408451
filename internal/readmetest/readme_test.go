//go:build unix

package readmetest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/readmetest"
)

// guides are executed after the README, against the same server.
var guides = []string{"docs/pulling-data.md", "docs/connect-a-hospital.md", "docs/implementation-guide.md"}

// onData are the commands that work on the data folder, which is another one here.
var onData = regexp.MustCompile(`yilian (?:ingest|inbox [a-z]+|institution [a-z]+)\b`)

// ready bounds the wait for the server, which may have to be built first.
const ready = 3 * time.Minute

func TestREADMEDoesWhatItSays(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the server; run without -short")
	}
	for _, tool := range []string{"curl", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			need(t, tool)
		}
	}
	blocks := blocksOf(t, "README.md")
	first := blocks[0]
	if first.Code != "make run\n" {
		t.Fatalf("line %d: want the first command to be make run", first.Line)
	}
	recipe := recipeOf(t, "run")
	address, dir, env := freeAddress(t), t.TempDir(), environment(t)

	server, err := readmetest.Start(t.Context(), root, env, fmt.Sprintf("exec %s --listen %s --data %s", recipe, address, dir))
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() string {
		stopped = true
		out, err := server.Stop()
		if err != nil {
			t.Errorf("stop the server: %v", err)
		}
		return out
	}
	defer func() {
		if !stopped {
			t.Logf("the server printed:\n%s", stop())
		}
	}()
	if err := await(t.Context(), server, "http://"+address+"/readyz"); err != nil {
		t.Fatal(err)
	}

	const written = "127.0.0.1:8080"
	run := func(name string, blocks []readmetest.Block) {
		for i := range blocks {
			blocks[i].Code = onData.ReplaceAllString(blocks[i].Code, "$0 --data "+dir)
			blocks[i].Code = strings.ReplaceAll(blocks[i].Code, written, address)
			blocks[i].Shown = strings.ReplaceAll(blocks[i].Shown, written, address)
		}
		if err := readmetest.Run(t.Context(), root, env, blocks); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	run("README.md", slices.Clone(blocks[1:]))
	for _, guide := range guides {
		run(guide, blocksOf(t, guide))
	}
	first.Shown = strings.ReplaceAll(first.Shown, written, address)
	first.Shown += "…\n" // what the guides had it do is logged behind
	if err := readmetest.Compare(first.Shown, recipe+"\n"+stop()); err != nil {
		t.Errorf("README.md: line %d: %v", first.Line, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "address")); !os.IsNotExist(err) {
		t.Error("the server did not end in order: its address is still in the data folder")
	}
}

func TestTranslationHasTheSameCommands(t *testing.T) {
	for _, page := range []string{"README", "docs/connect-a-hospital"} {
		if err := readmetest.Same(blocksOf(t, page+".md"), blocksOf(t, page+".zh-CN.md")); err != nil {
			t.Errorf("%s.md and %s.zh-CN.md: %v", page, page, err)
		}
	}
}

func TestRunFindsPlantedFaults(t *testing.T) {
	tests := []struct{ name, readme, want string }{
		{"no fault", "```sh\nx=1\n```\n```sh\necho $x\ncat <<'E'\na\nE\n```\n```text\n1\na\n```\n", ""},
		{"failing command", "```sh\necho a\n```\n```text\na\n```\n```sh\nfalse\n```\n", "line 7: a command failed: exit status 1"},
		{"failing command before others", "```sh\nfalse\necho a\n```\n```text\na\n```\n", "line 1: a command failed"},
		{"unset variable", "```sh\necho $nothing_is_set\n```\n", "line 1: a command failed"},
		{"other output", "```sh\necho a\n```\n```text\nb\n```\n", "line 1: shown:\nb\n"},
		{"output on standard error", "```sh\necho a >&2\n```\n", "line 1: shown:\n"},
		{"shell that ends early", "```sh\nexit 0\n```\n```sh\necho a\n```\n", "line 1: a command failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			blocks, err := readmetest.Blocks(test.readme)
			if err != nil {
				t.Fatal(err)
			}
			err = readmetest.Run(t.Context(), t.TempDir(), os.Environ(), blocks)
			if got := fmt.Sprint(err); (err == nil) != (test.want == "") || !strings.HasPrefix(got, test.want) && test.want != "" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStopEndsTheServersChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	server, err := readmetest.Start(t.Context(), t.TempDir(), os.Environ(),
		fmt.Sprintf("echo started; sh -c 'trap \"echo ended > %s; exit 0\" INT; while :; do sleep 0.05; done'", file))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // for the trap to be set
	out, err := server.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if out != "started\n" {
		t.Errorf("printed %q", out)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the child was not told: %v", err)
	}
}

func blocksOf(t *testing.T, name string) []readmetest.Block {
	t.Helper()
	blocks, err := readmetest.Blocks(read(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(blocks) < 2 {
		t.Fatalf("%s: %d blocks of commands", name, len(blocks))
	}
	return blocks
}

// recipeOf returns the command of a make target.
func recipeOf(t *testing.T, target string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + target + `:.*\n\t(.+)\n`).FindStringSubmatch(read(t, "Makefile"))
	if found == nil {
		t.Fatalf("Makefile has no target %s", target)
	}
	return found[1]
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// environment is a reader's: without settings of the gateway, and with temporary files that go away.
func environment(t *testing.T) []string {
	env := []string{"TMPDIR=" + t.TempDir(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "YILIAN_") && name != "TMPDIR" && strings.ToLower(name) != "no_proxy" {
			env = append(env, v)
		}
	}
	return env
}

// await polls until the server is ready.
func await(ctx context.Context, server *readmetest.Server, address string) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-server.Ended:
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// need skips the test for want of a tool, and fails it where everything must be there.
func need(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("needs %s", tool)
	}
	t.Skipf("needs %s", tool)
}
