package bench_test

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/testenv"
)

// bundles returns the Synthea transactions of the corpus, or some of both sets, in three parts, each to be whole before the
// next begins: what others refer to by condition, who does, and what stands alone but has some of the same identifiers.
func bundles(t testing.TB, few int) (parts [3][][]byte, resources int) {
	t.Helper()
	root := testenv.Corpus(t, "synthea")
	paths, err := filepath.Glob(filepath.Join(root, "*", "*.json.*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transactions in the corpus: %v", err)
	}
	slices.Sort(paths)
	every := 1
	if few > 0 {
		every = max(1, len(paths)/few)
	}
	for i, path := range paths {
		if i%every != 0 && !strings.HasPrefix(filepath.Base(path), "0-") {
			continue
		}
		packed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = bzip2.NewReader(bytes.NewReader(packed))
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(bytes.NewReader(packed)); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		resources += bytes.Count(text, []byte(`"fullUrl"`))
		part := 2
		switch folder := filepath.Base(filepath.Dir(path)); {
		case strings.HasPrefix(filepath.Base(path), "0-"):
			part = 0
		case strings.HasPrefix(folder, "blaze"):
			part = 1
		}
		parts[part] = append(parts[part], text)
	}
	return parts, resources
}
