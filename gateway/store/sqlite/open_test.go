package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

func TestCloseLeavesNoGoroutine(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	for range 5 {
		if _, err := s.Search(t.Context(), &search.Query{Type: "Patient", Count: 1, Allowed: search.Allowed{All: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var stacks string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "sqlite.(*writer)") && !strings.Contains(stacks, "interruptOnDone") && !strings.Contains(stacks, "database/sql") {
			return
		}
	}
	t.Errorf("goroutines are left:\n%s", stacks)
}

func TestOpenTellsTheSchemaAndRefusesANewerOne(t *testing.T) {
	dir := t.TempDir()
	reopen := func() (sqlite.Schema, error) {
		s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		if err != nil {
			return sqlite.Schema{}, err
		}
		return s.Schema(), s.Close()
	}
	made, err := reopen()
	if err != nil || made.Before != 0 || made.Now < 1 {
		t.Fatalf("a new store: %+v, %v", made, err)
	}
	if again, err := reopen(); err != nil || again.Before != made.Now || again.Now != made.Now {
		t.Errorf("the same store again: %+v, %v", again, err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "yilian.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)", made.Now+1)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "a newer one wrote it") {
		t.Errorf("a store that a newer program wrote: %v", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := sqlite.Open(b.Context(), dir, sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(s.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever a client makes of a position, it gets a page or a fault of its own doing.
func FuzzPosition(f *testing.F) {
	s := open(f, f.TempDir(), sqlite.Options{})
	fill(f, s, 0, 50)
	for _, seed := range []string{"i5|i6", "n|i1", "sabc|i2", "f7ff0000000000000|i3", "i99999999999999999999|i1", "", "|", "x|i1", "i1|n", "fzz|i1"} {
		f.Add(seed)
	}
	sorts := [][]search.Sort{nil, {{Param: "date", Kind: search.KindDate, Down: true}}, {{Param: "_lastUpdated", Kind: search.KindDate}},
		{{Param: "code", Kind: search.KindToken}, {Param: "_id", Kind: search.KindToken}}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, by := range sorts {
			q := &search.Query{Type: "Observation", Count: 10, Allowed: search.Allowed{All: true}, Sort: by,
				After: &search.Position{Keys: strings.Split(text, "|"), ID: text}}
			p, err := s.Search(t.Context(), q)
			if err != nil && !fault.Is(err, fault.Invalid) || len(p.Rows) > 10 {
				t.Fatalf("%d rows, %v", len(p.Rows), err)
			}
		}
		p, err := s.Compartment(t.Context(), store.CompartmentQuery{Patients: []string{"p"}, Count: 1, Allowed: search.Allowed{All: true},
			After: &search.Position{ID: text}})
		if err != nil && !fault.Is(err, fault.Invalid) || len(p.Rows) > 0 {
			t.Fatalf("compartment: %d rows, %v", len(p.Rows), err)
		}
	})
}
