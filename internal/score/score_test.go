package score_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/internal/score"
)

var marks = []score.Score{{Suite: "examples", Passed: 700, Total: 720}, {Suite: "messages", Passed: 50, Total: 57}}

func TestCompare(t *testing.T) {
	tests := []struct {
		name string
		got  score.Score
		want string
	}{
		{"the same is fine", score.Score{Suite: "examples", Passed: 700, Total: 720}, ""},
		{"a rise is fine", score.Score{Suite: "examples", Passed: 720, Total: 720}, ""},
		{"a larger suite is fine", score.Score{Suite: "examples", Passed: 700, Total: 800}, ""},
		{"one fewer fails", score.Score{Suite: "examples", Passed: 699, Total: 720}, "examples 699/720 fell: 700 passed before"},
		{"a skipped case that left the total fails", score.Score{Suite: "examples", Passed: 719, Total: 719},
			"examples 719/719 fell: the suite had 720 cases; skipped ones stay in the total"},
		{"a suite without a mark fails", score.Score{Suite: "patch", Passed: 1, Total: 1},
			"patch 1/1 has no mark yet: make scores UPDATE=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := score.Compare(marks, tt.got); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// recorder stands in for the test that reports.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Log(args ...any)   { r.said = append(r.said, "log "+fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any) { r.said = append(r.said, "error "+fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) {
	r.said = append(r.said, "fatal "+fmt.Sprint(args...))
	panic(r)
}

func report(t *testing.T, suite string, passed, total int) (said []string) {
	r := &recorder{TB: t}
	defer func() {
		if p := recover(); p != nil && p != any(r) {
			panic(p)
		}
		said = r.said
	}()
	score.Report(r, suite, passed, total)
	return r.said
}

func TestReport(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "internal", "score")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := score.Write(filepath.Join(folder, "scores.txt"), nil, marks); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	collected := filepath.Join(root, "collected")
	t.Setenv(score.CollectEnv, collected)
	t.Setenv(score.UpdateEnv, "")

	for _, tt := range []struct {
		name          string
		suite         string
		passed, total int
		update        string
		want          []string
	}{
		{"logs the line", "examples", 701, 720, "", []string{"log examples 701/720"}},
		{"fails on a fall", "messages", 49, 57, "",
			[]string{"log messages 49/57", "error messages 49/57 fell: 50 passed before"}},
		{"allows a fall that is written down", "new", 1, 2, "1", []string{"log new 1/2"}},
		{"refuses more passes than cases", "x", 3, 2, "", []string{
			`fatal "x 3/2" is no score: a suite is one word, and of its cases, at least one, some pass`}},
		{"refuses an empty suite", "x", 0, 0, "1", []string{
			`fatal "x 0/0" is no score: a suite is one word, and of its cases, at least one, some pass`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(score.UpdateEnv, tt.update)
			if diff := cmp.Diff(tt.want, report(t, tt.suite, tt.passed, tt.total)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	text, err := os.ReadFile(collected)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("examples 701/720\nmessages 49/57\nnew 1/2\n", string(text)); diff != "" {
		t.Errorf("collected (-want +got)\n%s", diff)
	}
}

func TestLinesAndMissing(t *testing.T) {
	got := []score.Score{{Suite: "patch", Passed: 1, Total: 2}, {Suite: "examples", Passed: 720, Total: 720}}
	want := []string{"examples 720/720", "messages not run", "patch 1/2"}
	if diff := cmp.Diff(want, score.Lines(marks, got)); diff != "" {
		t.Errorf("lines (-want +got)\n%s", diff)
	}
	if err := score.Missing(marks, got); err == nil || err.Error() != "no score was reported for messages" {
		t.Errorf("missing: %v", err)
	}
	if err := score.Missing(marks, marks); err != nil {
		t.Errorf("nothing is missing, yet: %v", err)
	}
}

func TestWriteKeepsTheMarkOfASuiteThatDidNotRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scores.txt")
	got := []score.Score{{Suite: "patch", Passed: 1, Total: 2}, {Suite: "examples", Passed: 720, Total: 720}}
	if err := score.Write(path, marks, got); err != nil {
		t.Fatal(err)
	}
	read, err := score.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []score.Score{{Suite: "examples", Passed: 720, Total: 720}, {Suite: "messages", Passed: 50, Total: 57},
		{Suite: "patch", Passed: 1, Total: 2}}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadRefusesWhatIsNoScore(t *testing.T) {
	for name, text := range map[string]string{
		"no numbers":        "examples\n",
		"one number":        "examples 1\n",
		"more than a score": "examples 1/2 3\n",
		"text after it":     "examples 1/2x\n",
		"too many passed":   "examples 3/2\n",
		"negative":          "examples -1/2\n",
		"the same twice":    "# comment\n\nexamples 1/2\nexamples 1/2\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "scores.txt")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := score.Read(path)
			if err == nil || !strings.Contains(err.Error(), "line ") {
				t.Errorf("was read: %v", err)
			}
		})
	}
}

func TestCommittedFileCanBeRead(t *testing.T) {
	path, err := score.File()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := score.Read(path); err != nil {
		t.Error(err)
	}
}
