package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func TestNothingOfWhatIsErasedIsLeftInAnyFile(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{CheckpointPages: 1}) // so that it stands in the database, too
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	inDatabase := false
	look := func() (places []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 2 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte(storetest.Planted)) {
				places = append(places, filepath.Base(name))
				inDatabase = inDatabase || filepath.Ext(name) == ".db"
			}
		}
		return places
	}
	storetest.RunPlanted(t, s, func() []string {
		places := look()
		for deadline := time.Now().Add(10 * time.Second); len(places) > 0 && !inDatabase && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			places = look() // the log is moved to the database in the background
		}
		return places
	})
	if !inDatabase {
		t.Error("it never stood in the database")
	}
}
