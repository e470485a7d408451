package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/testenv"
)

// manyCodes is how many codes the code systems of these tests have: an import of them
// takes many transactions.
const manyCodes = 12_000

const manySystem = "urn:many"

// tabled writes rows of the table of an edition of the code system.
func tabled(w io.Writer, edition string, from, to int) error {
	var b bytes.Buffer
	if from == 0 {
		b.WriteString("code,display\n")
	}
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "c%06d,%s %d\n", i, edition, i)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// packagedCodes writes a package with an edition of the code system.
func packagedCodes(t *testing.T, file, edition, content string, codes int) {
	t.Helper()
	var concepts []string
	for i := range codes {
		concepts = append(concepts, fmt.Sprintf(`{"code":"c%06d","display":"%s %d"}`, i, edition, i))
	}
	writePackage(t, file, map[string]string{
		"package.json":    `{"name":"test.codes","version":"1.0.0","fhirVersions":["4.0.1"]}`,
		"CodeSystem.json": `{"resourceType":"CodeSystem","url":"` + manySystem + `","version":"1","status":"active","content":"` + content + `","concept":[` + strings.Join(concepts, ",") + `]}`,
	})
}

// kept is the edition that a store has, of which every code must be there and of which
// all must be; "" for none.
func kept(t *testing.T, open func(context.Context) (store.Concepts, error)) string {
	t.Helper()
	s, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}()
	list, err := s.CodeSystems(t.Context())
	if err != nil || len(list) > 1 {
		t.Fatalf("%+v %v", list, err)
	}
	if len(list) == 0 {
		return ""
	}
	edition, next := "", 0
	for {
		page, err := s.ConceptPage(t.Context(), list[0].ID, int64(next), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			of, n, _ := strings.Cut(c.Display, " ")
			if next == 0 {
				edition = of
			}
			if of != edition || n != fmt.Sprint(next) || c.Code != fmt.Sprintf("c%06d", next) {
				t.Fatalf("at %d of edition %s there is %+v", next, edition, c)
			}
			next++
		}
	}
	if int64(next) != list[0].Concepts || next != manyCodes {
		t.Fatalf("of edition %s there are %d codes, of %d said to be there", edition, next, list[0].Concepts)
	}
	return edition
}

// importing starts the import of a file as a process of its own.
func importing(t *testing.T, data, file string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "terminology", "import", "--data", data, "--system", manySystem, "--version", "1", file)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// killed ends a process that must not have ended by itself.
func killed(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the import had ended: %v", cmd.ProcessState)
	}
}

// onEachConcepts runs a test over each store, with the data folder of the command.
func onEachConcepts(t *testing.T, run func(t *testing.T, data string, open func(context.Context) (store.Concepts, error))) {
	t.Run("sqlite", func(t *testing.T) {
		data := t.TempDir()
		run(t, data, func(ctx context.Context) (store.Concepts, error) { return sqlite.Open(ctx, data, sqlite.Options{}) })
	})
	t.Run("postgres", func(t *testing.T) {
		url := testenv.Postgres(t)
		t.Setenv("YILIAN_STORE_URL", url)
		run(t, t.TempDir(), func(ctx context.Context) (store.Concepts, error) {
			return postgres.Open(ctx, url, postgres.Options{})
		})
	})
}

// imports runs the command to its end.
func imports(t *testing.T, data string, args ...string) (code int, told string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	all := append([]string{"terminology", "import", "--data", data, "--system", manySystem}, args...)
	code = run(t.Context(), all, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func TestTerminologyIsImportedFromAPackage(t *testing.T) {
	onEachConcepts(t, func(t *testing.T, data string, open func(context.Context) (store.Concepts, error)) {
		dir := t.TempDir()
		for _, edition := range []string{"first", "second"} { // which takes its place
			file := filepath.Join(dir, edition+".tgz")
			packagedCodes(t, file, edition, "complete", manyCodes)
			if code, told := imports(t, data, "--version", "1", file); code != exitDone || told != fmt.Sprintf("%s|1: %d codes\n", manySystem, manyCodes) {
				t.Fatalf("%d %s", code, told)
			}
			if got := kept(t, open); got != edition {
				t.Errorf("there is edition %q, want %q", got, edition)
			}
		}
		part, broken := filepath.Join(dir, "part.tgz"), filepath.Join(dir, "broken.tgz")
		packagedCodes(t, part, "part", "fragment", 10)
		whole, err := os.ReadFile(filepath.Join(dir, "first.tgz"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(broken, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			args []string
			want string
		}{
			{"that has not all codes", []string{part}, "has not all codes"},
			{"with another version", []string{"--version", "2", part}, "there is no CodeSystem"},
			{"that ends in the middle", []string{broken}, "EOF"},
			{"that is not there", []string{filepath.Join(dir, "none.tgz")}, "no such file"},
		} {
			if code, told := imports(t, data, tt.args...); code != exitFindings || !strings.Contains(told, tt.want) {
				t.Errorf("a package %s: %d %s, want %q", tt.name, code, told, tt.want)
			}
			if got := kept(t, open); got != "second" {
				t.Errorf("after a package %s there is edition %q", tt.name, got)
			}
		}
	})
}

// A table comes through pipes here, so that the process ends where the test says.
func TestAnImportThatIsKilledLeavesWhatWas(t *testing.T) {
	onEachConcepts(t, func(t *testing.T, data string, open func(context.Context) (store.Concepts, error)) {
		dir := t.TempDir()
		edition := func(name string) string {
			file := filepath.Join(dir, name+".csv")
			var b bytes.Buffer
			if err := tabled(&b, name, 0, manyCodes); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}
		for round, was := range []string{"", "first"} {
			pipe, next := filepath.Join(dir, fmt.Sprint("pipe", round)), filepath.Join(dir, fmt.Sprint("next", round))
			for _, p := range []string{pipe, next} {
				if err := syscall.Mkfifo(p, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := importing(t, data, pipe)
			outline, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			// The second time it opens the path it gets the other pipe.
			if err := os.Rename(next, pipe); err != nil {
				t.Fatal(err)
			}
			if err := tabled(outline, "killed", 0, manyCodes); err != nil {
				t.Fatal(err)
			}
			if err := outline.Close(); err != nil {
				t.Fatal(err)
			}
			codes, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			// All but the last code: what a pipe holds is far less than what went through.
			if err := tabled(codes, "killed", 0, manyCodes-1); err != nil {
				t.Fatal(err)
			}
			killed(t, cmd)
			_ = codes.Close()
			if got := kept(t, open); got != was {
				t.Errorf("there is edition %q, want %q", got, was)
			}
			if code, told := imports(t, data, "--version", "1", edition("first")); code != exitDone {
				t.Fatalf("the import after: %d %s", code, told)
			}
			if got := kept(t, open); got != "first" {
				t.Errorf("after another import there is edition %q", got)
			}
		}
	})
}

// A package is read before anything is written: it ends anywhere, later each time.
func TestAnImportOfAPackageThatIsKilledLeavesOneOfBoth(t *testing.T) {
	onEachConcepts(t, func(t *testing.T, data string, open func(context.Context) (store.Concepts, error)) {
		dir := t.TempDir()
		files := map[string]string{}
		for _, edition := range []string{"first", "second"} {
			files[edition] = filepath.Join(dir, edition+".tgz")
			packagedCodes(t, files[edition], edition, "complete", manyCodes)
		}
		begun := time.Now()
		cmd := importing(t, data, files["first"])
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		whole := time.Since(begun)
		const rounds = 6
		was, ended := "first", 0
		for round := range rounds {
			other := map[string]string{"first": "second", "second": "first"}[was]
			cmd := importing(t, data, files[other])
			time.Sleep(whole * time.Duration(round+1) / rounds)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			got := kept(t, open)
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				ended++
			} else if got != other {
				t.Fatalf("it ended by itself (%v), and there is edition %q, want %q", cmd.ProcessState, got, other)
			}
			if got != was && got != other {
				t.Fatalf("there is edition %q, want %q or %q", got, was, other)
			}
			was = got
		}
		if ended == 0 {
			t.Error("no import was killed")
		}
		if code, told := imports(t, data, "--version", "1", files["second"]); code != exitDone {
			t.Fatalf("the import after: %d %s", code, told)
		}
		if got := kept(t, open); got != "second" {
			t.Errorf("after another import there is edition %q", got)
		}
	})
}
