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

// bundles returns the Synthea transactions of the corpus, or some of both sets. Those of first come before all others, since
// others refer to what they hold.
func bundles(t testing.TB, few int) (first, rest [][]byte, resources int) {
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
		if strings.HasPrefix(filepath.Base(path), "0-") {
			first = append(first, text)
		} else {
			rest = append(rest, text)
		}
	}
	return first, rest, resources
}
