package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

func put(id string, expect int64, body string) *store.Put {
	return &store.Put{Key: store.Key{Type: "Patient", ID: id}, Owner: "h1", Patient: id, Expect: expect,
		Render: func(int64, time.Time) []byte { return []byte(body) },
		Values: search.Values{Tokens: []search.Token{{Param: "identifier", System: "system-" + id, Code: id}}}}
}

func write(s *sqlite.Store, p *store.Put) error {
	return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Put(ctx, p)
		return err
	})
}

func TestSettingsReadBack(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{BusyTimeout: 3 * time.Second})
	for _, tt := range []struct {
		name   string
		writer bool
		want   string
	}{
		{"journal_mode", true, "wal"}, {"synchronous", true, "2"}, {"busy_timeout", true, "3000"}, {"foreign_keys", true, "0"},
		{"wal_autocheckpoint", true, "0"}, {"trusted_schema", true, "0"},
		{"journal_mode", false, "wal"}, {"query_only", false, "1"}, {"busy_timeout", false, "3000"},
	} {
		got, err := s.Pragma(t.Context(), tt.name, tt.writer)
		if err != nil || got != tt.want {
			t.Errorf("%s (writer %v): got %q, %v, want %q", tt.name, tt.writer, got, err, tt.want)
		}
	}
	if err := s.Exec(t.Context(), "DELETE FROM resource", false); err == nil {
		t.Error("a reading connection wrote")
	}
}

func TestOneProcessHoldsTheFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	_, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if !fault.Is(err, fault.Busy) || !strings.Contains(fault.AnswerTo(err).Message, fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("a second holder got %v", err)
	}
	if err := write(s, put("a", 0, "{}")); err != nil {
		t.Errorf("the first holder after that: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, sqlite.Options{})
	if _, err := again.Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); err != nil {
		t.Errorf("after reopening: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), file, sqlite.Options{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a file instead of a folder: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "yilian.db"), []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{}); err == nil {
		t.Error("something else than a database was opened")
	}
	if err := os.Remove(filepath.Join(dir, "yilian.db")); err != nil {
		t.Fatal(err)
	}
	open(t, dir, sqlite.Options{}) // a failed Open gives the folder back
}

func TestCloseWaitsForWhatIsQueuedAndMayBeRepeated(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	inside, leave := make(chan struct{}), make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			close(inside)
			<-leave
			_, err := tx.Put(ctx, put("a", 0, "{}"))
			return err
		})
	}()
	<-inside
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- s.Close() }()
	}
	select {
	case <-closed:
		t.Fatal("closed during a transaction")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := <-result; err != nil {
		t.Errorf("the transaction: %v", err)
	}
	for range 2 {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	if err := write(s, put("b", 0, "{}")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write after Close: %v", err)
	}
	if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a read after Close: %v", err)
	}
	again := open(t, dir, sqlite.Options{})
	if _, err := again.Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); err != nil {
		t.Error(err)
	}
}

func TestReopeningGoesOnCounting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	if err := write(s, put("a", 0, "{}")); err != nil {
		t.Fatal(err)
	}
	entry := store.Entry{Record: store.Record{Institution: "h1", Format: "x", Control: "1", Lanes: []string{"p"}}, Bytes: []byte("1")}
	first, err := s.Accept(t.Context(), []store.Entry{entry})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		return tx.Finish(ctx, first[0].ID, store.Outcome{State: store.Quarantined})
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Replay(t.Context(), []string{first[0].ID}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	before, _ := s.Read(t.Context(), store.Key{Type: "Patient", ID: "a"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A clock that was set back must not make time of changes run back.
	s = open(t, dir, sqlite.Options{Now: func() time.Time { return time.Unix(1_000_000, 0) }})
	if err := write(s, put("a", 1, "{}")); err != nil {
		t.Fatal(err)
	}
	after, err := s.Read(t.Context(), before.Key)
	if err != nil || after.Change != before.Change+1 || after.Updated.Before(before.Updated) {
		t.Errorf("change %d at %s after change %d at %s, %v", after.Change, after.Updated, before.Change, before.Updated, err)
	}
	entry.Control = "2"
	if second, err := s.Accept(t.Context(), []store.Entry{entry}); err != nil || second[0].Sequence <= first[0].Sequence {
		t.Errorf("%+v, %v", second, err)
	}
	list, err := s.Claim(t.Context(), "w", time.Minute, 10)
	if err != nil || len(list) != 1 || list[0].Control != "1" {
		t.Errorf("the replayed record comes first: %v, %v", list, err)
	}
}

// parallel writes n resources at once and returns the error of each.
func parallel(s *sqlite.Store, n int, body func(i int) string) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = write(s, put(fmt.Sprint("p", i), 0, body(i))) })
	}
	wg.Wait()
	return errs
}

// check fails unless what was acknowledged is there once, and nothing else is.
func check(t *testing.T, s *sqlite.Store, errs []error) (stored int) {
	t.Helper()
	for i, err := range errs {
		v, readErr := s.Read(t.Context(), store.Key{Type: "Patient", ID: fmt.Sprint("p", i)})
		if (err == nil) != (readErr == nil) || err == nil && v.Number != 1 {
			t.Errorf("resource %d: written with %v, read with %v", i, err, readErr)
		}
		if err == nil {
			stored++
		}
	}
	q := &search.Query{Type: "Patient", Allowed: search.Allowed{All: true}, Total: search.TotalAccurate}
	p, err := s.Search(t.Context(), q)
	if err != nil || p.Total != stored {
		t.Errorf("%d found, %d acknowledged, %v", p.Total, stored, err)
	}
	list, err := s.Changes(t.Context(), 0, 10_000)
	if err != nil || len(list) != stored || stored > 0 && list[stored-1].Change != int64(stored) {
		t.Errorf("%d changes for %d writes, %v", len(list), stored, err)
	}
	return stored
}

func TestAFailedCommitRunsItsMembersOneByOne(t *testing.T) {
	var fails atomic.Int32
	var commits, failing atomic.Int32
	s := open(t, t.TempDir(), sqlite.Options{GroupTime: time.Minute, Fault: func(point string) error {
		if point == sqlite.BeforeCommit {
			if commits.Add(1) == failing.Load() || fails.Add(-1) >= 0 {
				return errors.New("the disk went away")
			}
		}
		return nil
	}})
	inside := make(chan struct{})
	leave := make(chan struct{})
	blocked := make(chan error, 1)
	go func() { // holds the writer until the others queue, so that they are one group
		first := true
		blocked <- s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			if first {
				first = false
				close(inside)
				<-leave
			}
			return nil
		})
	}()
	<-inside
	commits.Store(0)
	failing.Store(2)
	done := make(chan []error)
	go func() { done <- parallel(s, 20, func(int) string { return "{}" }) }()
	time.Sleep(50 * time.Millisecond)
	close(leave)
	errs := <-done
	if err := <-blocked; err != nil {
		t.Error(err)
	}
	if got := check(t, s, errs); got != 20 {
		t.Errorf("%d of 20 stored", got)
	}
	if got := commits.Load(); got < 22 {
		t.Errorf("%d commits: the members did not run one by one", got)
	}
	fails.Store(2)
	if err := write(s, put("x", 0, "{}")); err == nil {
		t.Error("a write was acknowledged though its commit failed twice")
	}
	fails.Store(1)
	if err := write(s, put("y", 0, "{}")); err != nil {
		t.Errorf("a write whose second commit succeeded: %v", err)
	}
	if err := write(s, put("z", 0, "{}")); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestAFullStoreTakesWhatFitsAndGoesOn(t *testing.T) {
	const max = 4 << 20
	s := open(t, t.TempDir(), sqlite.Options{MaxBytes: max})
	noise := make([]byte, 1<<20) // nothing that compression makes small
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	large := string(noise)
	body := func(i int) string {
		if i%4 == 3 {
			return large
		}
		return "{}"
	}
	errs := parallel(s, 40, body)
	full := 0
	for i, err := range errs {
		if err == nil {
			continue
		}
		full++
		if !fault.Is(err, fault.Unavailable) || fault.AnswerTo(err).Code != "no-store" {
			t.Errorf("resource %d: %v", i, err)
		}
		if i%4 != 3 {
			t.Errorf("small resource %d was refused with the large ones: %v", i, err)
		}
	}
	if full == 0 || full == 10 {
		t.Errorf("%d of 10 large resources were refused", full)
	}
	check(t, s, errs)
	if err := write(s, put("after", 0, "{}")); err != nil {
		t.Errorf("a small write afterwards: %v", err)
	}
}

// What a member read from a group that never came to be must not decide its fate.
func TestAConflictWithAWriteThatFailedIsTriedAgain(t *testing.T) {
	var fail atomic.Bool
	s := open(t, t.TempDir(), sqlite.Options{GroupTime: time.Minute, Fault: func(point string) error {
		if point == sqlite.BeforeCommit && fail.Swap(false) {
			return errors.New("the disk went away")
		}
		return nil
	}})
	inside, leave := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	runs := 0
	go func() {
		first <- s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			if runs++; runs == 2 {
				return errors.New("the second time it does not")
			}
			close(inside)
			<-leave
			_, err := tx.Put(ctx, put("a", 0, "{}"))
			return err
		})
	}()
	<-inside
	fail.Store(true)
	second := make(chan error, 1)
	go func() { second <- write(s, put("a", 0, "{}")) }()
	time.Sleep(50 * time.Millisecond)
	close(leave)
	if err := <-first; err == nil {
		t.Error("the first was acknowledged")
	}
	if err := <-second; err != nil {
		t.Errorf("the second still fails: %v", err)
	}
}

func TestContentIsKeptOnceWhoeverBringsIt(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // four parts of the archive
	record := store.Entry{Record: store.Record{Institution: "h1", Format: "x"}, Bytes: content}
	if _, err := s.Accept(t.Context(), []store.Entry{record, record}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Archive(ctx, content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for table, want := range map[string]int64{"archive": 1, "archive_part": 4} {
		if n, err := s.Count(t.Context(), table); n != want || err != nil {
			t.Errorf("%d rows of %s, want %d: %v", n, table, want, err)
		}
	}
}

func TestWritesAreRefusedWhenTooManyWait(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{Queue: 2})
	inside, leave := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Update(context.Background(), func(context.Context, store.Tx) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if err := write(s, put(fmt.Sprint(i), 0, "{}")); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	if err := write(s, put("x", 0, "{}")); !fault.Is(err, fault.Busy) {
		t.Errorf("got %v", err)
	}
	close(leave)
	wg.Wait()
}

func TestTheLogStaysShort(t *testing.T) {
	dir := t.TempDir()
	const limit = 4 << 20
	s := open(t, dir, sqlite.Options{CheckpointPages: 100, CheckpointBytes: limit})
	body := strings.Repeat("x", 50_000)
	longest := int64(0)
	for i := range 600 {
		if err := write(s, put(fmt.Sprint("p", i), 0, body)); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, "yilian.db-wal")); err == nil {
			longest = max(longest, info.Size())
		}
	}
	if longest > limit+1<<20 {
		t.Errorf("the log grew to %d bytes while %d were written", longest, 600*len(body))
	}
}

func TestASearchThatWorksTooLongEnds(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{SearchTime: 30 * time.Millisecond})
	fill(t, s, 0, 6000)
	costly := search.Clause{Param: "subject", Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{ID: "nobody"}}, Not: true}
	for range 5 {
		costly = search.Clause{Kind: search.KindReference, Not: true, Any: []search.Operand{search.StringMatch{Mode: search.Contains, Text: "nothing"}}, Param: "code:text"}
	}
	q := &search.Query{Type: "Observation", Count: 1, Allowed: search.Allowed{All: true}, Total: search.TotalAccurate,
		Sort:  []search.Sort{{Param: "date", Kind: search.KindDate}, {Param: "code", Kind: search.KindToken}, {Param: "status", Kind: search.KindToken}},
		Where: []search.Clause{costly, {Param: "status", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: "final"}}}}}
	start := time.Now()
	_, err := s.Search(t.Context(), q)
	if !fault.Is(err, fault.TooCostly) {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it ended after %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := s.Search(ctx, q); !errors.Is(err, context.DeadlineExceeded) || fault.Is(err, fault.TooCostly) {
		t.Errorf("a client that left got %v", err)
	}
	for range 20 { // the connections that were interrupted are usable, or replaced
		q := &search.Query{Type: "Observation", Count: 1, Allowed: search.Allowed{All: true}}
		if _, err := s.Search(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Put(ctx, put("kept", 0, "{}")); err != nil {
			return err
		}
		if _, err := tx.Search(ctx, q); !fault.Is(err, fault.TooCostly) {
			t.Errorf("inside a transaction: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("the transaction around it: %v", err)
	}
	if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "kept"}); err != nil {
		t.Error(err)
	}
}
