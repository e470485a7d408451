//go:build unix

package readmetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// end stands between the outputs of two blocks. No command prints it.
const end = "\x1e"

// Run executes blocks in one shell that ends at the first failing command, and compares what each prints.
func Run(ctx context.Context, dir string, env []string, blocks []Block) error {
	var script strings.Builder
	for _, b := range blocks {
		script.WriteString(b.Code + "printf '\\036'\n")
	}
	cmd := exec.CommandContext(ctx, "sh", "-euc", script.String())
	cmd.Dir, cmd.Env = dir, env
	inGroup(cmd, syscall.SIGKILL)
	came, failure := cmd.CombinedOutput()
	outputs := strings.Split(string(came), end)
	for i, b := range blocks {
		if i >= len(outputs)-1 {
			return fmt.Errorf("line %d: a command failed: %w\n%s", b.Line, failure, outputs[i])
		}
		if err := Compare(b.Shown, outputs[i]); err != nil {
			return fmt.Errorf("line %d: %w", b.Line, err)
		}
	}
	return failure
}

// Server is a command that runs until it is stopped.
type Server struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// Start starts a server.
func Start(ctx context.Context, dir string, env []string, command string) (*Server, error) {
	s := &Server{cmd: exec.CommandContext(ctx, "sh", "-euc", command)}
	s.cmd.Dir, s.cmd.Env = dir, env
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	inGroup(s.cmd, syscall.SIGKILL)
	return s, s.cmd.Start()
}

// Stop interrupts the server and what it started, as Ctrl-C does, waits for them, and returns what they printed. How an
// interrupted command exits tells nothing: go run exits with 1 whatever its program does.
func (s *Server) Stop() (string, error) {
	if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT); err != nil {
		return "", err
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return s.out.String(), err
	}
	return s.out.String(), nil
}

// inGroup gives a command and its children a process group of their own, to be signalled together.
func inGroup(cmd *exec.Cmd, last syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, last) }
	cmd.WaitDelay = 10 * time.Second
}
