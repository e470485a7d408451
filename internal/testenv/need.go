package testenv

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Corpus returns the folder of published test material, joined with elem. The environment names it: YILIAN_CORPUS.
func Corpus(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("YILIAN_CORPUS")
	if root == "" {
		missing(t, "needs the corpus: set YILIAN_CORPUS to its folder")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("YILIAN_CORPUS is set, but: %v", err)
	}
	return path
}

// Soak returns how long a soak test may run. YILIAN_SOAK holds the duration; without it soak tests are skipped,
// everywhere, because they take minutes.
func Soak(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("YILIAN_SOAK")
	if text == "" {
		t.Skip("soak test: run make soak")
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("YILIAN_SOAK=%s is no duration such as 5m", text)
	}
	return d
}

// missing ends the test: a failure where everything must be there, otherwise a skip.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
