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
	Ended chan struct{} // closed when it has ended, by itself or stopped

	cmd *exec.Cmd
	out bytes.Buffer
	err error
}

// Start starts a server. The caller stops it.
func Start(ctx context.Context, dir string, env []string, command string) (*Server, error) {
	s := &Server{Ended: make(chan struct{}), cmd: exec.CommandContext(ctx, "sh", "-euc", command)}
	s.cmd.Dir, s.cmd.Env = dir, env
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	inGroup(s.cmd, syscall.SIGKILL)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.Ended)
	}()
	return s, nil
}

// Stop interrupts the server and what it started, as Ctrl-C does, waits for them, and returns what they printed. How an
// interrupted command exits tells nothing: go run exits with 1 whatever its program does.
func (s *Server) Stop() (string, error) {
	select {
	case <-s.Ended:
	default:
		if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return "", err
		}
		<-s.Ended
	}
	var exit *exec.ExitError
	if s.err != nil && !errors.As(s.err, &exit) {
		return s.out.String(), s.err
	}
	return s.out.String(), nil
}

// inGroup gives a command and its children a process group of their own, to be signalled together.
func inGroup(cmd *exec.Cmd, last syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, last) }
	cmd.WaitDelay = 10 * time.Second
}
