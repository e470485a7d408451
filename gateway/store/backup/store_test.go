package backup_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/backup"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/testenv"
)

type keeper interface {
	store.Reader
	store.Writer
	store.IdentityReader
	store.Inbox
	store.Secrets
	store.Folders
	Close() error
}

// kind is one of the stores: where a new one is, how it is opened, written and restored.
type kind struct {
	name    string
	place   func(t *testing.T) string
	open    func(ctx context.Context, place string) (keeper, error)
	backup  func(ctx context.Context, place string, w *backup.Writer, m backup.Manifest) (backup.Manifest, error)
	restore func(ctx context.Context, place string, r *backup.Reader) error
}

var kinds = []kind{
	{backup.Sqlite, func(t *testing.T) string { return t.TempDir() },
		func(ctx context.Context, place string) (keeper, error) {
			return sqlite.Open(ctx, place, sqlite.Options{})
		},
		sqlite.Backup, sqlite.Restore},
	{backup.Postgres, func(t *testing.T) string { return testenv.Postgres(t) },
		func(ctx context.Context, place string) (keeper, error) {
			return postgres.Open(ctx, place, postgres.Options{Log: slog.New(slog.DiscardHandler)})
		},
		postgres.Backup, postgres.Restore},
}

func open(t *testing.T, k kind, place string) keeper {
	t.Helper()
	s, err := k.open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func backUp(t *testing.T, k kind, place string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "b.backup")
	w, err := backup.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.backup(t.Context(), place, w, backup.Manifest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v is left beside the file %v", left, err)
	}
	return path
}

func restore(t *testing.T, k kind, place, path string) error {
	t.Helper()
	r, err := backup.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return k.restore(t.Context(), place, r)
}

// pair writes the nth version of two resources in one transaction.
func pair(ctx context.Context, s store.Writer, writer int, n int64) error {
	return s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, side := range []string{"a", "b"} {
			id := fmt.Sprintf("w%d-%d-%s", writer, n/5, side)
			_, err := tx.Put(ctx, &store.Put{
				Key: store.Key{Type: "Observation", ID: id}, Owner: "h1", Patient: fmt.Sprintf("p%d", writer), Expect: n % 5,
				Render: func(number int64, _ time.Time) []byte { return fmt.Appendf(nil, `{"id":%q,"number":%d}`, id, number) },
				Values: search.Values{Tokens: []search.Token{{Param: "code", System: "s", Code: fmt.Sprintf("v%d", n%5+1)}}},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func found(t *testing.T, s store.Reader, code string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	q := &search.Query{Type: "Observation", Allowed: search.Allowed{All: true}, Count: 500,
		Where: []search.Clause{{Param: "code", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: code}}}}}
	for {
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Rows {
			out[v.ID] = v.Number
		}
		if page.Next == nil {
			return out
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
}

func changes(t *testing.T, s store.Reader) (list []store.Change) {
	t.Helper()
	for after := int64(0); ; after = list[len(list)-1].Change {
		page, err := s.Changes(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return list
		}
		list = append(list, page...)
	}
}

func TestABackupUnderLoadHoldsAllThatWasAcknowledgedAndNoHalves(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			place := k.place(t)
			s := open(t, k, place)
			const writers = 4
			var done [writers]atomic.Int64 // transactions that were acknowledged
			ctx, stop := context.WithCancel(t.Context())
			var working sync.WaitGroup
			for i := range writers {
				working.Go(func() {
					for n := int64(0); ctx.Err() == nil; n++ {
						if err := pair(context.Background(), s, i, n); err != nil {
							t.Errorf("writer %d: %v", i, err)
							return
						}
						done[i].Add(1)
					}
				})
			}
			for done[0].Load() < 100 {
				time.Sleep(time.Millisecond)
				if t.Failed() {
					break
				}
			}
			var before [writers]int64
			for i := range before {
				before[i] = done[i].Load()
			}
			path := backUp(t, k, place)
			after := done[0].Load()
			time.Sleep(100 * time.Millisecond)
			stop()
			working.Wait()
			if done[0].Load() == after || t.Failed() {
				t.Fatal("the writers did not write on")
			}

			to := k.place(t)
			if err := restore(t, k, to, path); err != nil {
				t.Fatal(err)
			}
			r := open(t, k, to)
			current := map[string]int64{}
			for _, c := range changes(t, r) {
				if current[c.ID]+1 != c.Number {
					t.Errorf("version %d of %s follows %d", c.Number, c.ID, current[c.ID])
				}
				current[c.ID] = c.Number
			}
			for i, n := range before {
				for m := range n {
					id := fmt.Sprintf("w%d-%d-a", i, m/5)
					if current[id] < m%5+1 {
						t.Fatalf("%s has version %d, and %d was acknowledged before the backup began", id, current[id], m%5+1)
					}
				}
			}
			byValue := map[string]map[string]int64{}
			for id, number := range current {
				other := id[:len(id)-1] + string('a'+'b'-id[len(id)-1])
				if current[other] != number {
					t.Errorf("half a transaction: %s has version %d, %s %d", id, number, other, current[other])
				}
				v, err := r.Read(t.Context(), store.Key{Type: "Observation", ID: id})
				if want := fmt.Sprintf(`{"id":%q,"number":%d}`, id, number); err != nil || string(v.Body) != want {
					t.Errorf("%s %v, want %s", v.Body, err, want)
				}
				code := fmt.Sprintf("v%d", number)
				if byValue[code] == nil {
					byValue[code] = map[string]int64{}
				}
				byValue[code][id] = number
			}
			for code, want := range byValue {
				if diff := cmp.Diff(want, found(t, r, code)); diff != "" {
					t.Errorf("search of %s: %s", code, diff)
				}
			}
			if err := pair(t.Context(), r, 99, 0); err != nil {
				t.Errorf("the restored store cannot be written: %v", err)
			}
		})
	}
}

func TestARestoredStoreHoldsEverythingButItsLineage(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			place := k.place(t)
			s := open(t, k, place)
			for n := range int64(7) {
				if err := pair(t.Context(), s, 0, n); err != nil {
					t.Fatal(err)
				}
			}
			receipts, err := s.Accept(t.Context(), []store.Entry{
				{Record: store.Record{Institution: "h1", Source: "s", Format: "x", Control: "1", Lanes: []string{"l"}, State: store.Received}, Bytes: []byte("one")},
				{Record: store.Record{Institution: "h1", Source: "s", Format: "x", Control: "2", State: store.Received}, Bytes: make([]byte, 1<<20)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.PushFolder(t.Context(), store.Folder{Institution: "h1", Version: "1", Maps: []string{"m@1"}}, []byte("folder"), store.AnyFolder); err != nil {
				t.Fatal(err)
			}
			err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				if err := tx.NewPerson(ctx, store.Person{ID: "x", Since: time.UnixMicro(5).UTC()}); err != nil {
					return err
				}
				return tx.SetLink(ctx, store.Link{Person: "x", Patient: "p", Institution: "h1", Rule: "r", Since: time.UnixMicro(5).UTC()})
			})
			if err != nil {
				t.Fatal(err)
			}
			secrets := func(s keeper) (salt, lineage string) {
				a, err := s.Secret(t.Context(), "institution/h1")
				if err != nil {
					t.Fatal(err)
				}
				b, err := s.Secret(t.Context(), store.SecretLineage)
				if err != nil {
					t.Fatal(err)
				}
				return string(a), string(b)
			}
			salt, lineage := secrets(s)
			path := backUp(t, k, place)

			to := k.place(t)
			if err := restore(t, k, to, path); err != nil {
				t.Fatal(err)
			}
			r := open(t, k, to)
			all := func(s keeper) (out []any) {
				records, err := s.Records(t.Context(), store.RecordFilter{})
				out = append(out, records, err)
				for _, receipt := range receipts {
					content, err := s.Content(t.Context(), receipt.Digest, receipt.Offset, receipt.Length)
					out = append(out, content, err)
				}
				folders, err := s.ListFolders(t.Context(), "h1", 0, 10)
				out = append(out, folders, err)
				content, err := s.FolderContent(t.Context(), "h1", 1)
				out = append(out, content, err)
				active, err := s.ActiveFolders(t.Context())
				out = append(out, active, err)
				links, err := s.LinksOf(t.Context(), "x")
				out = append(out, links, err)
				for _, v := range []string{"v1", "v2", "v3", "v4", "v5"} {
					out = append(out, found(t, s, v))
				}
				history, err := s.History(t.Context(), store.Key{Type: "Observation", ID: "w0-0-a"}, 0, 100)
				return append(out, history, err, changes(t, s))
			}
			if diff := cmp.Diff(all(s), all(r)); diff != "" {
				t.Errorf("(-store +restored) %s", diff)
			}
			newSalt, newLineage := secrets(r)
			if newSalt != salt {
				t.Error("the salt is another, and with it all ids of resources")
			}
			if newLineage == lineage {
				t.Error("the restored store takes itself for the one that was backed up")
			}
			// What continues, continues behind what was there.
			again, err := r.Accept(t.Context(), []store.Entry{
				{Record: store.Record{Institution: "h1", Source: "s", Format: "x", Control: "1", Lanes: []string{"l"}, State: store.Received}, Bytes: []byte("one")},
				{Record: store.Record{Institution: "h1", Source: "s", Format: "x", Control: "3", State: store.Received}, Bytes: []byte("three")},
			})
			if err != nil || !again[0].Duplicate || again[0].ID != receipts[0].ID || again[1].Sequence <= receipts[1].Sequence {
				t.Errorf("%+v %v", again, err)
			}
			if err := restore(t, k, to, path); !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Busy) {
				t.Errorf("it is restored over a store: %v", err)
			}
			if diff := cmp.Diff(found(t, s, "v2"), found(t, r, "v2")); diff != "" {
				t.Errorf("what was refused changed the store: %s", diff)
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			place := k.place(t)
			s := open(t, k, place)
			if err := pair(t.Context(), s, 0, 0); err != nil {
				t.Fatal(err)
			}
			good := backUp(t, k, place)
			// with what a file says of itself, and holds, changed
			forge := func(change func(m *backup.Manifest) (keep bool)) string {
				r, err := backup.Open(good)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				path := filepath.Join(t.TempDir(), "forged.backup")
				w, err := backup.Create(path)
				if err != nil {
					t.Fatal(err)
				}
				m := r.Manifest()
				keep := change(&m)
				if err := w.Manifest(m); err != nil {
					t.Fatal(err)
				}
				for keep {
					name, content, err := r.Next()
					if err != nil {
						t.Fatal(err)
					}
					if name == "" {
						break
					}
					err = w.Section(name, func(out io.Writer) error { _, err := io.Copy(out, content); return err })
					if err != nil {
						t.Fatal(err)
					}
				}
				if _, err := w.Finish(); err != nil {
					t.Fatal(err)
				}
				return path
			}
			for _, tt := range []struct {
				name string
				path string
			}{
				{"a newer schema", forge(func(m *backup.Manifest) bool { m.Schema += 1000; return true })},
				{"a file without sections", forge(func(*backup.Manifest) bool { return false })},
			} {
				to := k.place(t)
				if err := restore(t, k, to, tt.path); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s: %v", tt.name, err)
				}
				if err := restore(t, k, to, good); err != nil { // what was refused is in nobody's way
					t.Errorf("after %s: %v", tt.name, err)
				}
			}
			if err := restore(t, k, place, good); !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Busy) {
				t.Errorf("into the store that runs: %v", err)
			}
			w, err := backup.Create(filepath.Join(t.TempDir(), "x.backup"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Abort() }()
			if _, err := k.backup(t.Context(), k.place(t), w, backup.Manifest{}); !fault.Is(err, fault.NotFound) {
				t.Errorf("a backup of nothing: %v", err)
			}
		})
	}
}
