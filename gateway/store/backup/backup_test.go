package backup_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/backup"
)

var theManifest = backup.Manifest{
	Store: backup.Sqlite, Schema: 6, Made: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Program: "1",
	Tables: []backup.Table{{Name: "a", Columns: []string{"b", "c"}}},
}

type section struct{ Name, Content string }

func written(t testing.TB, sections ...section) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.backup")
	w, err := backup.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Manifest(theManifest); err != nil {
		t.Fatal(err)
	}
	for _, s := range sections {
		err := w.Section(s.Name, func(out io.Writer) error {
			for rest := []byte(s.Content); len(rest) > 0; { // in writes of odd lengths
				n := min(len(rest), 70_001)
				if _, err := out.Write(rest[:n]); err != nil {
					return err
				}
				rest = rest[n:]
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	size, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v, want %d bytes for the owner only", info, err, size)
	}
	return path
}

func read(t testing.TB, path string) (list []section, err error) {
	t.Helper()
	r, err := backup.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if diff := cmp.Diff(theManifest, r.Manifest()); diff != "" {
		t.Errorf("manifest: %s", diff)
	}
	for {
		name, content, err := r.Next()
		if err != nil || name == "" {
			return list, err
		}
		text, err := io.ReadAll(content)
		if err != nil {
			return list, err
		}
		list = append(list, section{name, string(text)})
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	long := make([]byte, 3<<20)
	for i := range long {
		long[i] = byte(i * i >> 7)
	}
	want := []section{{"empty", ""}, {"short", "x\x00\n"}, {"long", string(long)}, {"piece", string(long[:256<<10])}, {"last", "y"}}
	got, err := read(t, written(t, want...))
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(want, got) {
		t.Error("something else is read")
	}
	if got, err := read(t, written(t)); err != nil || len(got) != 0 {
		t.Errorf("without sections: %v %v", got, err)
	}
}

func TestASectionMayBeLeftUnread(t *testing.T) {
	r, err := backup.Open(written(t, section{"a", "aaaa"}, section{"b", "b"}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, want := range []string{"a", "b", ""} {
		if name, _, err := r.Next(); name != want || err != nil {
			t.Errorf("%q %v, want %q", name, err, want)
		}
	}
}

func TestAFileThatWasCutOrChangedIsRefused(t *testing.T) {
	text, err := os.ReadFile(written(t, section{"a", "some content"}))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bad.backup")
	refused := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(t, path); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range text {
		refused(fmt.Sprintf("cut to %d bytes", i), text[:i])
		bad := bytes.Clone(text)
		bad[i] ^= 0x10
		refused(fmt.Sprintf("byte %d changed", i), bad)
	}
	refused("longer", append(bytes.Clone(text), 0))
	newer := bytes.Clone(text[:len(text)-32])
	newer[len("yilian backup\n")]++
	sum := sha256.Sum256(newer)
	refused("a newer format", append(newer, sum[:]...))
	// With a right sum, as a forger would have it.
	for i := len("yilian backup\n") + 1; i < len(text)-32; i++ {
		bad := bytes.Clone(text[:len(text)-32])
		bad[i] ^= 0x10
		sum := sha256.Sum256(bad)
		if err := os.WriteFile(path, append(bad, sum[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := backup.Open(path); err == nil { // must end, whatever it says
			for name, content := "x", io.Reader(nil); name != "" && err == nil; {
				if name, content, err = r.Next(); err == nil && name != "" {
					_, err = io.Copy(io.Discard, content)
				}
			}
			r.Close()
		}
	}
}

func TestAFileIsNeverReplaced(t *testing.T) {
	path := written(t, section{"a", "x"})
	if _, err := backup.Create(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	if _, err := read(t, path); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhatFailsLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.backup")
	w, err := backup.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	if err := w.Section("a", func(io.Writer) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if _, err := w.Finish(); !errors.Is(err, failed) {
		t.Errorf("it can be finished: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the file is left")
	}
}
