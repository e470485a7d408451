package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// Readers keep their transactions while nothing is committed; what was acknowledged is seen all the same.
func TestAReadSeesWhatWasAcknowledgedBefore(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{Readers: 2})
	key := store.Key{Type: "Patient", ID: "a"}
	for n := range int64(60) {
		if err := write(s, put("a", n, "{}")); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 1 + n%5 { // enough to keep a transaction, or not
					if v, err := s.Read(t.Context(), key); err != nil || v.Number != n+1 {
						t.Errorf("version %d after %d writes, %v", v.Number, n+1, err)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestReadersThatKeepTheirTransactionsLetTheLogBeginAnew(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{CheckpointPages: 100})
	if err := write(s, put("a", 0, "{}")); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 50_000)
	const writes = 400
	for i := range writes {
		if err := write(s, put(fmt.Sprint("p", i), 0, body)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	info, err := os.Stat(filepath.Join(dir, "yilian.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if wrote := int64(writes * len(body)); info.Size() > wrote/3 {
		t.Errorf("the log has %d bytes after %d were written", info.Size(), wrote)
	}
}
