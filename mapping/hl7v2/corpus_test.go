package hl7v2_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping/hl7v2"
)

func messages(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".hl7") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every published message parses, keeps every segment, and has the structure its
// trigger names.
func TestPublishedMessagesParse(t *testing.T) {
	for _, set := range []struct {
		dir   string
		count int
	}{{"ms", 57}, {"cdc", 267}, {"chinese", 6}} {
		t.Run(set.dir, func(t *testing.T) {
			files := messages(t, testenv.Corpus(t, "hl7v2", set.dir))
			if len(files) != set.count {
				t.Errorf("%d messages, want %d", len(files), set.count)
			}
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				name := filepath.Base(file)
				rec, err := hl7v2.Parse(b, hl7v2.Options{File: name})
				if err != nil {
					t.Errorf("%v", err)
					continue
				}
				if rec.Root.Name() == "*" {
					t.Errorf("%s: no structure for %s", name, rec.Type)
				}
				for _, issue := range rec.Issues {
					t.Logf("%s: %s", name, issue)
				}
				want := 0
				for _, line := range strings.FieldsFunc(string(b), func(r rune) bool { return r == '\r' || r == '\n' }) {
					if len(line) > 3 {
						want++
					}
				}
				if got := len(segmentsOf(rec.Root)); got != want {
					t.Errorf("%s: %d segments, want %d", name, got, want)
				}
				if os.Getenv("SHAPES") != "" {
					t.Logf("%s %s: %s", name, rec.Charset, shape(rec.Root))
				}
			}
		})
	}
}
