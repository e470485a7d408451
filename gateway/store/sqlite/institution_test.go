package sqlite_test

import (
	"context"
	"errors"
	"testing"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

func TestVersionsOfAFolderOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"one", "two"} {
		if _, err := s.PushFolder(t.Context(), store.Folder{Institution: "city"}, []byte(content), store.AnyFolder); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ActivateFolder(t.Context(), store.Activation{Institution: "city", Number: 1}, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, sqlite.Options{})
	active, err := s.ActiveFolders(t.Context())
	if err != nil || len(active) != 1 || active[0].Number != 1 || active[0].Change != 3 {
		t.Errorf("%+v, %v", active, err)
	}
	content, err := s.FolderContent(t.Context(), "city", 2)
	if err != nil || string(content) != "two" {
		t.Errorf("%q, %v", content, err)
	}
}

// A commit that fails takes the version, its bytes and its activation with it, and
// its number is the next one's.
func TestAPushWhoseCommitFailsLeavesNothing(t *testing.T) {
	broken := errors.New("no power")
	fail := false
	s := open(t, t.TempDir(), sqlite.Options{Fault: func(at string) error {
		if fail && at == sqlite.BeforeCommit {
			return broken
		}
		return nil
	}})
	fail = true
	if _, err := s.PushFolder(context.Background(), store.Folder{Institution: "city"}, []byte("one"), 0); !errors.Is(err, broken) {
		t.Fatalf("%v", err)
	}
	fail = false
	if change, err := s.FolderChange(t.Context()); change != 0 || err != nil {
		t.Errorf("change %d, %v", change, err)
	}
	f, err := s.PushFolder(t.Context(), store.Folder{Institution: "city"}, []byte("two"), 0)
	if err != nil || f.Number != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}
