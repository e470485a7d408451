package score

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Score is how much of a suite passes.
type Score struct {
	Suite  string // one word, such as "hl7v2-ms"
	Passed int
	Total  int // skipped cases included
}

// String is the score's line, in output and in the file.
func (s Score) String() string { return fmt.Sprintf("%s %d/%d", s.Suite, s.Passed, s.Total) }

// Variables by which the command of "make scores" speaks with the tests it runs.
const (
	CollectEnv = "YILIAN_SCORES"        // file to append the line to
	UpdateEnv  = "YILIAN_SCORES_UPDATE" // "1": a fall is not a failure, the file will be rewritten
)

// Report states how many cases of a suite passed, and fails the test when that is less than the committed file allows.
func Report(t testing.TB, suite string, passed, total int) {
	t.Helper()
	got := Score{Suite: suite, Passed: passed, Total: total}
	if err := got.valid(); err != nil {
		t.Fatal(err)
	}
	t.Log(got)
	if file := os.Getenv(CollectEnv); file != "" {
		if err := appendLine(file, got.String()); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv(UpdateEnv) == "1" {
		return
	}
	path, err := File()
	if err != nil {
		t.Fatal(err)
	}
	marks, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Compare(marks, got); err != nil {
		t.Error(err)
	}
}

// Compare returns what is wrong with the score in the light of the marks, or nil.
func Compare(marks []Score, got Score) error {
	i := find(marks, got.Suite)
	if i < 0 {
		return fmt.Errorf("%s has no mark yet: make scores UPDATE=1", got)
	}
	mark := marks[i]
	switch {
	case got.Total < mark.Total:
		return fmt.Errorf("%s fell: the suite had %d cases; skipped ones stay in the total", got, mark.Total)
	case got.Passed < mark.Passed:
		return fmt.Errorf("%s fell: %d passed before", got, mark.Passed)
	}
	return nil
}

// File returns the path of the committed file, found from a working folder anywhere in the module.
func File() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal", "score", "scores.txt"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working folder")
		}
		dir = parent
	}
}

// Read returns the scores in a file. Lines that begin with # are comments; a suite stands in the file once.
func Read(path string) ([]Score, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	scores, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return scores, nil
}

func parse(r io.Reader) ([]Score, error) {
	var scores []Score
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var s Score
		var rest string
		read, _ := fmt.Sscanf(line, "%s %d/%d%s", &s.Suite, &s.Passed, &s.Total, &rest)
		if read != 3 || s.valid() != nil {
			return nil, fmt.Errorf("line %d: %q is no score, expected: suite passed/total", n, line)
		}
		if find(scores, s.Suite) >= 0 {
			return nil, fmt.Errorf("line %d: %s has a score already", n, s.Suite)
		}
		scores = append(scores, s)
	}
	return scores, lines.Err()
}

func (s Score) valid() error {
	if s.Suite == "" || strings.ContainsAny(s.Suite, " \t\n#/") || s.Passed < 0 || s.Total < 1 || s.Passed > s.Total {
		return fmt.Errorf("%q is no score: a suite is one word, and of its cases, at least one, some pass", s.String())
	}
	return nil
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}
