package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata/script from what the commands print")

// TestScripts runs the transcripts in testdata/script. Each begins with a transcript and goes on with the files it needs,
// as txtar; the institutions in testdata/folders are there too. In the transcript stands
//
//	# a remark
//	$ NAME=value yilian command line < stdin
//	what it prints on standard output
//	! what it prints on standard error
//	[exit code]
//
// where "…" as an output line stands for any number of lines, and inside one for any text. A command line that ends with &
// goes on in the background after its first line, as [running], until "$ stop". "$ cp FROM TO" copies a file, "$ keep NAME N"
// makes {NAME} stand for word N of the first line that was printed last, from then on.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	folders, err := filepath.Abs("testdata/folders")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(script)
			if err != nil {
				t.Fatal(err)
			}
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			t.Setenv("COLUMNS", "100")
			if err := os.CopyFS(".", os.DirFS(folders)); err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var r runner
			got := r.replay(t, string(archive.Comment))
			if r.stop != nil {
				t.Error("a command is still running at the end; want $ stop")
				r.end()
			}
			if *update && got != string(archive.Comment) {
				archive.Comment = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

var exitLine = regexp.MustCompile(`^\[(\d+|running)\]$`)

// runner performs the commands of one transcript.
type runner struct {
	stop           context.CancelFunc // of the command in the background
	ended          chan int           // its exit code
	stdout, stderr *lockedBuffer

	last []string          // what was printed last
	kept map[string]string // by {NAME}
}

// lockedBuffer is what a command in the background prints to.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs a command in the background, and returns when it has printed a line or ended.
func (r *runner) start(t *testing.T, args []string) []string {
	ctx, cancel := context.WithCancel(t.Context())
	r.stop, r.ended, r.stdout, r.stderr = cancel, make(chan int, 1), &lockedBuffer{}, &lockedBuffer{}
	go func() { r.ended <- run(ctx, args, strings.NewReader(""), r.stdout, r.stderr) }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		switch {
		case strings.Contains(r.stdout.String(), "\n"):
			return append(printed(r.stdout.String(), ""), "[running]")
		case len(r.ended) > 0:
			return r.end()
		case time.Now().After(deadline):
			t.Fatalf("%q printed nothing in 30 s; on standard error:\n%s", args, r.stderr.String())
		}
	}
}

// end stops what runs in the background, and returns what it printed since its first line.
func (r *runner) end() []string {
	r.stop()
	code := <-r.ended
	_, rest, _ := strings.Cut(r.stdout.String(), "\n")
	r.stop = nil
	return append(printed(rest, r.stderr.String()), fmt.Sprintf("[%d]", code))
}

// printed is what was printed, as a transcript has it.
func printed(stdout, stderr string) []string {
	var out []string
	for line := range strings.Lines(stdout) {
		out = append(out, strings.TrimSuffix(line, "\n"))
	}
	for line := range strings.Lines(stderr) {
		out = append(out, "! "+strings.TrimSuffix(line, "\n"))
	}
	return out
}

// replay runs the commands of a transcript and returns it with what they print now. Output that is as wanted is returned as it
// is wanted, so that "…" stays.
func (r *runner) replay(t *testing.T, transcript string) string {
	var b strings.Builder
	lines := strings.Split(strings.TrimSuffix(transcript, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		fmt.Fprintln(&b, lines[i])
		command, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			continue
		}
		for name, value := range r.kept {
			command = strings.ReplaceAll(command, name, value)
		}
		from := i + 1
		for i+1 < len(lines) && !exitLine.MatchString(lines[i]) && !strings.HasPrefix(lines[i+1], "$ ") {
			i++
		}
		want, got := lines[from:i+1], r.perform(t, command)
		r.last = got
		if matches(want, got) {
			got = want
		} else if !*update {
			t.Errorf("$ %s\nprinted:\n%s\nwant:\n%s", command, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, line := range got {
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

// perform runs one command line and returns what it printed.
func (r *runner) perform(t *testing.T, command string) []string {
	switch words := strings.Fields(command); words[0] {
	case "stop":
		return r.end()
	case "cp":
		text, err := os.ReadFile(words[1])
		if err == nil {
			err = os.WriteFile(words[2], text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return []string{"[0]"}
	case "keep":
		n, err := strconv.Atoi(words[2])
		printed := strings.Fields(r.last[0])
		if err != nil || n < 1 || n > len(printed) {
			t.Fatalf("%q has no word %s", r.last[0], words[2])
		}
		if r.kept == nil {
			r.kept = map[string]string{}
		}
		r.kept["{"+words[1]+"}"] = printed[n-1]
		return []string{"[0]"}
	}
	command, background := strings.CutSuffix(command, " &")
	command, from, _ := strings.Cut(command, " < ")
	var stdin []byte
	if from != "" {
		var err error
		if stdin, err = os.ReadFile(from); err != nil {
			t.Fatal(err)
		}
	}
	words := strings.Fields(command)
	for len(words) > 0 && words[0] != "yilian" {
		name, value, ok := strings.Cut(words[0], "=")
		if !ok {
			t.Fatalf("%q is not a command", command)
		}
		old, was := os.LookupEnv(name)
		t.Setenv(name, value)
		defer func() {
			if was {
				os.Setenv(name, old)
			} else {
				os.Unsetenv(name)
			}
		}()
		words = words[1:]
	}
	if background {
		return r.start(t, words[1:])
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), words[1:], bytes.NewReader(stdin), &stdout, &stderr)
	return append(printed(stdout.String(), stderr.String()), fmt.Sprintf("[%d]", code))
}

// matches tells whether got is want, where "…" in want stands for any lines or text.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] != "…" {
		return len(got) > 0 && matchesLine(want[0], got[0]) && matches(want[1:], got[1:])
	}
	for skipped := range len(got) + 1 {
		if matches(want[1:], got[skipped:]) {
			return true
		}
	}
	return false
}

func matchesLine(want, got string) bool {
	parts := strings.Split(want, "…")
	for i, part := range parts {
		switch {
		case i == 0:
			if !strings.HasPrefix(got, part) {
				return false
			}
			got = got[len(part):]
		case i == len(parts)-1:
			return strings.HasSuffix(got, part)
		default:
			at := strings.Index(got, part)
			if at < 0 {
				return false
			}
			got = got[at+len(part):]
		}
	}
	return got == ""
}
