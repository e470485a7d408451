package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// What the system cannot read ends a question, not the process, and once it can be read again it is answered.
func TestAPageThatCannotBeReadIsAnError(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  sqlite.Options
		want string
	}{
		{"mapped", sqlite.Options{}, "1073741824"},
		{"read", sqlite.Options{MapBytes: -1, CacheBytes: 1 << 16}, "0"},
		{"more than SQLite maps", sqlite.Options{MapBytes: 1 << 40}, "2147418112"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, tt.opt)
			const size = 600
			fill(t, s, 0, size)
			if err := s.Exec(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)", true); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Pragma(t.Context(), "mmap_size", false); err != nil || got != tt.want {
				t.Errorf("%q is mapped, want %s; %v", got, tt.want, err)
			}
			path := filepath.Join(dir, "yilian.db")
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			read := func() (failed int) {
				for n := range size {
					_, err := s.Read(t.Context(), storetest.Observation(n).Key)
					if fault.Is(err, fault.NotFound) {
						t.Fatalf("%d is said not to be there", n)
					}
					if err != nil {
						if failed++; failed == 10 {
							break
						}
					}
				}
				return failed
			}
			if n := read(); n > 0 {
				t.Fatalf("%d cannot be read before anything happened", n)
			}
			if err := os.Truncate(path, int64(len(whole)/2)>>12<<12); err != nil {
				t.Fatal(err)
			}
			if n := read(); n == 0 {
				t.Error("what is not there any more is read")
			}
			if got, err := s.Pragma(t.Context(), "mmap_size", false); err != nil || got != "0" {
				t.Errorf("%q is mapped still; %v", got, err)
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if n := read(); n > 0 {
				t.Errorf("%d cannot be read again", n)
			}
		})
	}
}
