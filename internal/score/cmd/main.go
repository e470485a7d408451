// Command cmd is "make scores": it runs the tests that report a score, prints one line per suite and fails when a score
// fell, a suite is gone or a suite reported nothing.
//
//	go run ./internal/score/cmd [-update]
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yilian/yilian/internal/score"
)

func main() {
	update := flag.Bool("update", false, "write the numbers into scores.txt")
	flag.Parse()
	if err := run(*update); err != nil {
		fmt.Fprintln(os.Stderr, "scores:", err)
		os.Exit(1)
	}
}

func run(update bool) error {
	file, err := score.File()
	if err != nil {
		return err
	}
	marks, err := score.Read(file)
	if err != nil {
		return err
	}
	packages, err := reporting()
	if err != nil {
		return err
	}
	got, output, failed := collect(packages, update)
	if got == nil && failed != nil {
		os.Stderr.Write(output)
		return failed
	}
	lines := score.Lines(marks, got)
	for _, line := range lines {
		fmt.Println(line)
	}
	if len(lines) == 0 {
		fmt.Println("no suite was run; most need YILIAN_CORPUS")
	}
	if failed != nil {
		os.Stderr.Write(output)
		return errors.New("a test that reports a score failed")
	}
	if update {
		return score.Write(file, marks, got)
	}
	if os.Getenv("YILIAN_CORPUS") == "" && os.Getenv("CI") != "true" {
		return nil // without the corpus most suites cannot run, and their lines say so
	}
	return score.Missing(marks, got)
}

// reporting lists the packages whose tests import this one.
func reporting() ([]string, error) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if slices.ContainsFunc(words[1:], func(w string) bool { return strings.HasSuffix(w, "/internal/score") }) &&
			!strings.HasSuffix(words[0], "/internal/score") {
			packages = append(packages, words[0])
		}
	}
	if len(packages) == 0 {
		return nil, errors.New("no test reports a score")
	}
	return packages, nil
}

// collect runs the tests and returns what they reported, their output, and the error they ended with.
func collect(packages []string, update bool) (got []score.Score, output []byte, err error) {
	dir, err := os.MkdirTemp("", "yilian-scores-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "scores")
	test := exec.Command("go", append([]string{"test", "-count=1", "-run", "^TestScore"}, packages...)...)
	test.Env = append(os.Environ(), score.CollectEnv+"="+file)
	if update {
		test.Env = append(test.Env, score.UpdateEnv+"=1")
	}
	var text bytes.Buffer
	test.Stdout, test.Stderr = &text, &text
	failed := test.Run()
	got, err = score.Read(file)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // no test got as far as its report
	}
	if err != nil {
		return nil, text.Bytes(), errors.Join(failed, err)
	}
	return got, text.Bytes(), failed
}
