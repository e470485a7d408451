package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// push keeps a version that must be taken.
func push(t testing.TB, s Store, institution, content string, expected int64) store.Folder {
	t.Helper()
	f, err := s.PushFolder(t.Context(), store.Folder{
		Institution: institution, Version: "v-" + content, Maps: []string{"adt@" + content}, By: "analyst", Note: "note " + content,
	}, []byte(content), expected)
	if err != nil {
		t.Fatalf("the push failed: %v", err)
	}
	return f
}

// numbers are those of an institution's versions, newest first.
func numbers(t testing.TB, s Store, institution string) (list []int64) {
	t.Helper()
	folders, err := s.ListFolders(t.Context(), institution, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		list = append(list, f.Number)
	}
	return list
}

// active is the number in effect of each institution.
func active(t testing.TB, s Store) map[string]int64 {
	t.Helper()
	list, err := s.ActiveFolders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(list, func(a, b store.Activation) int { return bytes.Compare([]byte(a.Institution), []byte(b.Institution)) }) {
		t.Errorf("not in the order of institutions: %v", list)
	}
	numbers := map[string]int64{}
	for _, a := range list {
		numbers[a.Institution] = a.Number
	}
	return numbers
}

func change(t testing.TB, s Store) int64 {
	t.Helper()
	n, err := s.FolderChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var folderTests = []test{
	{"an empty store has no versions", func(t *testing.T, s Store) {
		equal(t, "numbers", numbers(t, s, "city"), []int64(nil))
		equal(t, "active", active(t, s), map[string]int64{})
		equal(t, "change", change(t, s), int64(0))
		list, err := s.Activations(t.Context(), "city", 0, 10)
		if err != nil || len(list) != 0 {
			t.Errorf("%d activations, %v", len(list), err)
		}
		_, err = s.Folder(t.Context(), "city", 1)
		wantFault(t, err, fault.NotFound)
		_, err = s.FolderContent(t.Context(), "city", 1)
		wantFault(t, err, fault.NotFound)
	}},
	{"keeps what was pushed and puts it into effect", func(t *testing.T, s Store) {
		before := time.Now().Add(-time.Minute)
		got := push(t, s, "city", "one", 0)
		sum := sha256.Sum256([]byte("one"))
		equal(t, "version", got, store.Folder{
			Institution: "city", Number: 1, Version: "v-one", Digest: hex.EncodeToString(sum[:]), Size: 3, Maps: []string{"adt@one"},
			Pushed: got.Pushed, By: "analyst", Note: "note one",
		})
		if got.Pushed.Before(before) || got.Pushed.Location() != time.UTC {
			t.Errorf("pushed at %v", got.Pushed)
		}
		again, err := s.Folder(t.Context(), "city", 1)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "read again", again, got)
		content, err := s.FolderContent(t.Context(), "city", 1)
		if err != nil || string(content) != "one" {
			t.Errorf("content %q, %v", content, err)
		}
		equal(t, "active", active(t, s), map[string]int64{"city": 1})
		list, err := s.Activations(t.Context(), "city", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "activations", list, []store.Activation{
			{Change: 1, Institution: "city", Number: 1, Since: got.Pushed, By: "analyst", Why: "note one"},
		})
	}},
	{"numbers grow by one for each institution", func(t *testing.T, s Store) {
		push(t, s, "city", "a", 0)
		push(t, s, "county", "b", 0)
		push(t, s, "city", "c", 1)
		push(t, s, "city", "c", store.AnyFolder) // the same bytes are kept once and are a version nevertheless
		equal(t, "city", numbers(t, s, "city"), []int64{3, 2, 1})
		equal(t, "county", numbers(t, s, "county"), []int64{1})
		equal(t, "active", active(t, s), map[string]int64{"city": 3, "county": 1})
		equal(t, "change", change(t, s), int64(4))
	}},
	{"refuses a push when another version is in effect than expected", func(t *testing.T, s Store) {
		push(t, s, "city", "one", 0)
		for _, expected := range []int64{0, 2, -2} {
			_, err := s.PushFolder(t.Context(), store.Folder{Institution: "city"}, []byte("two"), expected)
			wantFault(t, err, fault.Conflict)
		}
		equal(t, "numbers", numbers(t, s, "city"), []int64{1})
		equal(t, "change", change(t, s), int64(1))
		sum := sha256.Sum256([]byte("two"))
		_, err := s.Content(t.Context(), hex.EncodeToString(sum[:]), 0, 0)
		wantFault(t, err, fault.NotFound)
	}},
	{"refuses a folder over the limit, and one of nobody", func(t *testing.T, s Store) {
		_, err := s.PushFolder(t.Context(), store.Folder{Institution: "city"}, make([]byte, store.MaxFolder+1), 0)
		wantFault(t, err, fault.TooCostly)
		_, err = s.PushFolder(t.Context(), store.Folder{}, []byte("x"), 0)
		wantFault(t, err, fault.Invalid)
		equal(t, "change", change(t, s), int64(0))
	}},
	{"puts an earlier version into effect, and none", func(t *testing.T, s Store) {
		push(t, s, "city", "one", 0)
		push(t, s, "city", "two", 1)
		got, err := s.ActivateFolder(t.Context(), store.Activation{Institution: "city", Number: 1, By: "head", Why: "two was wrong"}, 2)
		if err != nil || got.Change != 3 || got.Number != 1 || got.Since.IsZero() {
			t.Fatalf("%+v, %v", got, err)
		}
		equal(t, "active", active(t, s), map[string]int64{"city": 1})
		if _, err := s.ActivateFolder(t.Context(), store.Activation{Institution: "city", By: "head"}, store.AnyFolder); err != nil {
			t.Fatal(err)
		}
		equal(t, "active", active(t, s), map[string]int64{"city": 0})
		equal(t, "numbers", numbers(t, s, "city"), []int64{2, 1})
		push(t, s, "city", "three", 0)
		list, err := s.Activations(t.Context(), "city", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var history []string
		for _, a := range list {
			history = append(history, fmt.Sprintf("%d %s %d %s: %s", a.Change, a.Institution, a.Number, a.By, a.Why))
		}
		same(t, "history", history, []string{"5 city 3 analyst: note three", "4 city 0 head: ", "3 city 1 head: two was wrong",
			"2 city 2 analyst: note two", "1 city 1 analyst: note one"})
	}},
	{"refuses to put into effect what was never pushed, or against expectation", func(t *testing.T, s Store) {
		push(t, s, "city", "one", 0)
		push(t, s, "county", "two", 0)
		push(t, s, "county", "three", 1)
		for _, number := range []int64{2, -1} {
			_, err := s.ActivateFolder(t.Context(), store.Activation{Institution: "city", Number: number}, 1)
			wantFault(t, err, fault.NotFound)
		}
		_, err := s.ActivateFolder(t.Context(), store.Activation{Institution: "county", Number: 1}, 1)
		wantFault(t, err, fault.Conflict)
		equal(t, "active", active(t, s), map[string]int64{"city": 1, "county": 2})
		equal(t, "change", change(t, s), int64(3))
	}},
	{"lists versions and activations in pages", func(t *testing.T, s Store) {
		for n := range 5 {
			push(t, s, "city", fmt.Sprint(n), int64(n))
		}
		var seen []int64
		for before := int64(0); ; {
			page, err := s.ListFolders(t.Context(), "city", before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, f := range page {
				seen, before = append(seen, f.Number), f.Number
			}
		}
		equal(t, "numbers", seen, []int64{5, 4, 3, 2, 1})
		page, err := s.Activations(t.Context(), "city", 4, 2)
		if err != nil || len(page) != 2 || page[0].Change != 3 || page[1].Change != 2 {
			t.Errorf("%v, %v", page, err)
		}
	}},
	{"concurrent pushes get numbers of their own without a gap, and the last is in effect", func(t *testing.T, s Store) {
		const pushes = 24
		var mu sync.Mutex
		var wg sync.WaitGroup
		got := map[int64]string{}
		for n := range pushes {
			wg.Go(func() {
				content := fmt.Sprint("content ", n)
				f, err := s.PushFolder(t.Context(), store.Folder{Institution: "city", Note: content}, []byte(content), store.AnyFolder)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				got[f.Number] = content
			})
		}
		wg.Wait()
		list, err := s.ListFolders(t.Context(), "city", 0, 100)
		if err != nil || len(list) != pushes || len(got) != pushes {
			t.Fatalf("%d versions, %d answers, %v", len(list), len(got), err)
		}
		for i, f := range list {
			if f.Number != int64(pushes-i) || f.Note != got[f.Number] {
				t.Errorf("version %d at place %d: %q, answered %q", f.Number, i, f.Note, got[f.Number])
			}
		}
		equal(t, "active", active(t, s), map[string]int64{"city": pushes})
	}},
	{"of concurrent pushes that expect the same one is taken", func(t *testing.T, s Store) {
		push(t, s, "city", "first", 0)
		var mu sync.Mutex
		var wg sync.WaitGroup
		taken := 0
		for n := range 16 {
			wg.Go(func() {
				_, err := s.PushFolder(t.Context(), store.Folder{Institution: "city"}, fmt.Append(nil, n), 1)
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					taken++
				}
			})
		}
		wg.Wait()
		if taken != 1 {
			t.Errorf("%d were taken", taken)
		}
		equal(t, "numbers", numbers(t, s, "city"), []int64{2, 1})
	}},
	{"a push that was given up leaves nothing", func(t *testing.T, s Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.PushFolder(ctx, store.Folder{Institution: "city"}, []byte("x"), 0); err == nil {
			t.Error("a push of a context that ended was taken")
		}
		equal(t, "numbers", numbers(t, s, "city"), []int64(nil))
		equal(t, "change", change(t, s), int64(0))
	}},
	{"records of some institutions wait in line while others' are handed out", func(t *testing.T, s Store) {
		var ids []string
		for _, institution := range []string{"city", "county", "city"} {
			r, err := s.Accept(t.Context(), []store.Entry{{Record: store.Record{
				Institution: institution, Source: "upload", Format: "x", State: store.Received, Lanes: []string{"same"},
			}, Bytes: []byte(institution)}})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r[0].ID)
		}
		claimed, err := s.ClaimExcept(t.Context(), "h", time.Minute, 10, []string{"nobody", "city"})
		if err != nil || len(claimed) != 1 || claimed[0].ID != ids[1] {
			t.Fatalf("%d records, %v", len(claimed), err)
		}
		if claimed, err = s.ClaimExcept(t.Context(), "h", time.Minute, 10, []string{"city"}); err != nil || len(claimed) != 0 {
			t.Errorf("%d records, %v", len(claimed), err)
		}
		claimed, err = s.ClaimExcept(t.Context(), "h", time.Minute, 10, nil)
		if err != nil || len(claimed) != 1 || claimed[0].ID != ids[0] || claimed[0].Attempts != 1 {
			t.Errorf("%+v, %v", claimed, err)
		}
	}},
}
