package interaction_test

import (
	"compress/bzip2"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/internal/testenv"
)

// Bundles of synthetic patients are taken whole: all entries are created, and no
// reference within them is left as it was.
func TestBundlesOfSyntheticPatients(t *testing.T) {
	folder := filepath.Join(testenv.Corpus(t), "synthea", "blaze-2021")
	files, err := filepath.Glob(filepath.Join(folder, "*.json.bz2"))
	if err != nil || len(files) < 5 {
		t.Fatal(len(files), err)
	}
	slices.Sort(files) // hospitals and practitioners first: the others refer to them
	onEachStore(t, func(t *testing.T, f *fixture) { f.takes(t, files[:5]) })
}

// takes carries out transactions that only create.
func (f *fixture) takes(t *testing.T, files []string) {
	t.Helper()
	total := 0
	for _, file := range files {
		bundle := unpack(t, file)
		_, entries, err := f.Entries(bundle)
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		replies, err := f.Transaction(f.ctx(), everybody, entries, f.reading)
		if err != nil {
			if r := refusal(err); r != nil {
				t.Fatalf("%s: %v", filepath.Base(file), r.Issues[:min(3, len(r.Issues))])
			}
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		for i, r := range replies {
			if r.Type != entries[i].Resource.ResourceType() || r.Number != 1 {
				t.Fatalf("%s: %s became %s", entries[i].Place, entries[i].Resource.ResourceType(), r.Key)
			}
			if body := string(r.Body); strings.Contains(body, `"reference":"urn:uuid:`) || strings.Contains(body, "?identifier=") {
				t.Errorf("%s: a reference is left as it was", entries[i].Place)
			}
		}
		total += len(replies)
	}
	versions := 0
	for _, typ := range f.Definitions.ResourceTypes() {
		page, err := f.store.Search(f.ctx(), &search.Query{Type: typ, Allowed: search.Allowed{All: true}, Total: search.TotalAccurate})
		if err != nil {
			t.Fatal(err)
		}
		versions += page.Total
	}
	if versions != total {
		t.Errorf("%d resources of %d entries", versions, total)
	}
}

func unpack(t *testing.T, file string) *fhir.Node {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(bzip2.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	n, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
