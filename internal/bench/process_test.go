package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a child: a server that is measured, or an echo.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errors  bytes.Buffer
	address string
}

func start(t testing.TB, role, data, storeURL string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), childRole+"="+role, childData+"="+data, childStore+"="+storeURL)
	p.cmd.Stderr = &p.errors
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	line, err := p.out.ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		t.Fatalf("%s did not start: %v\n%s", role, err, p.errors.String())
	}
	p.address = strings.TrimSpace(line)
	return p
}

// stop ends the child in order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if p.in == nil {
		return
	}
	_ = p.in.Close()
	p.in = nil
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the end of a child: %v\n%s", err, p.errors.String())
	}
}

// ready waits until the server says that it is.
func (p *process) ready(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got, err := http.Get("http://" + p.address + "/readyz")
		if err != nil {
			continue
		}
		_ = got.Body.Close()
		if got.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatal("not ready after a minute")
}

// profile writes a profile of what the server does until the returned function is called.
func (p *process) profile(t testing.TB, name string) (end func()) {
	t.Helper()
	if *profiles == "" {
		return func() {}
	}
	say := func(line string) {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := filepath.Abs(*profiles)
	if err != nil {
		t.Fatal(err)
	}
	say(filepath.Join(dir, name+".pprof"))
	return func() { say("") }
}

// resident returns the memory of a process, in bytes; "VmHWM" is the most it ever was.
func residentOf(t testing.TB, pid int, what string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, what+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no %s of a process", what)
	return 0
}

// tick is the unit of processor times in /proc.
const tick = 10 * time.Millisecond

// processorTime is what a process and its children, those that ended included, have used. Of a process that is gone it is 0.
func processorTime(pid int) time.Duration {
	f := statOf(pid)
	if f == nil {
		return 0
	}
	sum := f.self + f.ended
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, c := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(c); err == nil {
			sum += processorTime(n)
		}
	}
	return sum
}

type stat struct{ self, ended time.Duration }

func statOf(pid int) *stat {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name, in parentheses, may hold anything; fields count from behind it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return nil
	}
	var n [4]int64
	for i := range n {
		n[i], _ = strconv.ParseInt(fields[11+i], 10, 64)
	}
	return &stat{time.Duration(n[0]+n[1]) * tick, time.Duration(n[2]+n[3]) * tick}
}

// ownTime is the processor time of the client.
func ownTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// folderSize returns the bytes of all files below a folder.
func folderSize(t testing.TB, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
