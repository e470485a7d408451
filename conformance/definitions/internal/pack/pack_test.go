package pack_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

func TestRecordReadsBackInOrder(t *testing.T) {
	var w pack.Writer
	w.Uint(0)
	w.Uint(300)
	w.Bool(true)
	w.String("")
	w.String("医联")
	w.Strings([]string{"a", "医联", "a"})
	w.Strings(nil)
	r := pack.NewReader(string(w.Bytes()))
	if r.Uint() != 0 || r.Uint() != 300 || !r.Bool() || r.String() != "" || r.String() != "医联" {
		t.Error("values differ")
	}
	if diff := cmp.Diff([]string{"a", "医联", "a"}, r.Strings()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if err := r.Err(); !errors.Is(err, pack.ErrCorrupt) {
		t.Errorf("what is left unread is not noticed: %v", err)
	}
	if r.Strings() != nil || r.Err() != nil {
		t.Errorf("the end is not reached: %v", r.Err())
	}
	if r.Uint() != 0 || r.String() != "" || !errors.Is(r.Err(), pack.ErrCorrupt) {
		t.Errorf("reading past the end is not noticed: %v", r.Err())
	}
}

// small is a file with two blobs.
func small(t testing.TB) (data []byte, sizes []int) {
	dicts := [][]byte{bytes.Repeat([]byte("definition "), 200)}
	blobs := []pack.Blob{{Data: []byte("definition one definition two")}, {}, {Data: bytes.Repeat([]byte("definition three "), 100)}}
	data, err := pack.Seal(dicts, blobs, func(s []int) []byte {
		sizes = s
		var w pack.Writer
		w.String("index")
		return w.Bytes()
	})
	if err != nil {
		t.Fatal(err)
	}
	return data, sizes
}

func TestFileReadsBack(t *testing.T) {
	data, sizes := small(t)
	f, err := pack.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := pack.NewReader(f.Index()).String(); got != "index" {
		t.Errorf("index is %q", got)
	}
	if sizes[1] != 0 || f.Size() != sizes[0]+sizes[2] {
		t.Errorf("sizes are %v of %d", sizes, f.Size())
	}
	if got, err := f.Blob(0, sizes[0]); err != nil || got != "definition one definition two" {
		t.Errorf("first blob is %q, %v", got, err)
	}
	if got, err := f.Blob(sizes[0], sizes[2]); err != nil || len(got) != 1700 {
		t.Errorf("second blob has %d bytes, %v", len(got), err)
	}
	for _, s := range [][2]int{{-1, 1}, {0, f.Size() + 1}, {f.Size(), 1}, {1, 5}} {
		if _, err := f.Blob(s[0], s[1]); err == nil {
			t.Errorf("blob %v is read", s)
		}
	}
}

func TestSealIsDeterministic(t *testing.T) {
	a, _ := small(t)
	b, _ := small(t)
	if !bytes.Equal(a, b) {
		t.Error("the same input gives other bytes")
	}
}

func TestBrokenFileIsRefused(t *testing.T) {
	data, _ := small(t)
	for name, broken := range map[string][]byte{
		"empty":     nil,
		"magic":     append([]byte("x"), data[1:]...),
		"truncated": data[:30],
		"lengths":   append(append([]byte(pack.Magic), 255, 255, 255, 255, 255, 255, 255, 255), data[16:]...),
	} {
		if _, err := pack.Open(broken); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func FuzzReader(f *testing.F) {
	var w pack.Writer
	w.String("a")
	w.Strings([]string{"b", "c"})
	f.Add(string(w.Bytes()))
	f.Add("\xff\xff\xff\xff\x0f")
	f.Fuzz(func(_ *testing.T, data string) {
		r := pack.NewReader(data)
		_ = r.String()
		_ = r.Strings()
		_ = r.Uint()
		_ = r.Err()
	})
}
