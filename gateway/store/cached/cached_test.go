package cached_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/cached"
	"github.com/yilian/yilian/gateway/store/memory"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/testenv"
)

func embedded(t testing.TB) cached.Backing {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func keysOf(t testing.TB, s store.Secrets) *cached.Keys {
	t.Helper()
	keys, err := cached.NewKeys(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// node is a process: a Store, and how often it found a version in its cache.
type node struct {
	*cached.Store
	found atomic.Int64
}

func newNode(t testing.TB, behind cached.Backing, shared shared, alone bool) *node {
	t.Helper()
	n := &node{}
	n.Store = cached.New(behind, keysOf(t, behind), cached.Options{Cache: shared, Bell: shared, Alone: alone, Seen: func(found bool) {
		if found {
			n.found.Add(1)
		}
	}})
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func put(key store.Key, expect int64, body string) *store.Put {
	return &store.Put{Key: key, Owner: "h1", Patient: "p1", Source: "s", Expect: expect, Stamp: store.Stamp{Time: 7, Sequence: 8},
		Render: func(int64, time.Time) []byte { return []byte(body) }}
}

func write(t testing.TB, s store.Writer, p *store.Put) (v store.Version) {
	t.Helper()
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		v, err = tx.Put(ctx, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func expunge(s store.Writer, k store.Key) error {
	return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, k) })
}

var theKey = store.Key{Type: "Observation", ID: "o1"}

// warm reads version 1 until it comes from the cache.
func warm(t testing.TB, n *node) {
	t.Helper()
	before := n.found.Load()
	eventually(t, "the version never came from the cache", func() bool {
		if _, err := n.ReadVersion(t.Context(), theKey, 1); err != nil {
			t.Fatal(err)
		}
		return n.found.Load() > before
	})
}

func TestAVersionFromTheCacheIsWhatWasStored(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			shared, _ := kind.open(t)
			n := newNode(t, embedded(t), shared, true)
			p := put(theKey, 0, `{"a":"名"}`)
			err := n.Update(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
				digest, err := tx.Archive(ctx, []byte("attached"))
				if err == nil {
					p.Blob = store.Blob{Digest: digest, Offset: 2, Length: 3}
					_, err = tx.Put(ctx, p)
				}
				if err == nil {
					_, err = tx.Put(ctx, &store.Put{Key: theKey, Owner: "h1", Expect: 1, Deleted: true})
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for number := int64(1); number <= 2; number++ {
				want, err := n.Backing.ReadVersion(t.Context(), theKey, number)
				if err != nil {
					t.Fatal(err)
				}
				before := n.found.Load()
				var got store.Version
				eventually(t, "the version never came from the cache", func() bool {
					if got, err = n.ReadVersion(t.Context(), theKey, number); err != nil {
						t.Fatal(err)
					}
					return n.found.Load() > before
				})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("version %d: %s", number, diff)
				}
			}
			if _, err := n.ReadVersion(t.Context(), theKey, 3); !fault.Is(err, fault.NotFound) {
				t.Errorf("a version that is not: %v", err)
			}
		})
	}
}

// corrupt answers with what somebody made of the values.
type corrupt struct {
	shared
	change func(name string, value []byte) []byte
}

func (c corrupt) Get(ctx context.Context, name string) ([]byte, bool) {
	value, ok := c.shared.Get(ctx, name)
	if ok {
		value = c.change(name, append([]byte(nil), value...))
	}
	return value, ok
}

func TestWhatSomebodyPutIntoTheCacheIsNotAnswered(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(other []byte) func(name string, value []byte) []byte
	}{
		{"nothing", func([]byte) func(string, []byte) []byte { return func(string, []byte) []byte { return nil } }},
		{"cut", func([]byte) func(string, []byte) []byte {
			return func(_ string, v []byte) []byte { return v[:len(v)-1] }
		}},
		{"changed", func([]byte) func(string, []byte) []byte {
			return func(_ string, v []byte) []byte { v[len(v)-20] ^= 1; return v }
		}},
		{"another format", func([]byte) func(string, []byte) []byte {
			return func(_ string, v []byte) []byte { v[0]++; return v }
		}},
		{"the value of another name", func(other []byte) func(string, []byte) []byte {
			return func(string, []byte) []byte { return other }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := memory.New(memory.Options{})
			n := newNode(t, embedded(t), m, true)
			write(t, n, put(theKey, 0, "right"))
			warm(t, n)
			other := keysOf(t, n).Seal("version:x", []byte("wrong"))
			bad := newNode(t, n.Backing, corrupt{m, tt.change(other)}, true)
			for range 100 {
				v, err := bad.ReadVersion(t.Context(), theKey, 1)
				if err != nil || string(v.Body) != "right" {
					t.Fatalf("%q %v", v.Body, err)
				}
				time.Sleep(time.Millisecond)
			}
			if n := bad.found.Load(); n != 0 {
				t.Errorf("%d were taken from the cache", n)
			}
		})
	}
}

// Two stores that were given one Redis, and the same ids.
func TestAnotherStoreFindsNothing(t *testing.T) {
	m := memory.New(memory.Options{})
	a, b := newNode(t, embedded(t), m, true), newNode(t, embedded(t), m, true)
	write(t, a, put(theKey, 0, "of a"))
	write(t, b, put(theKey, 0, "of b"))
	for range 2 {
		warm(t, a)
		warm(t, b)
	}
	for _, tt := range []struct {
		n    *node
		want string
	}{{a, "of a"}, {b, "of b"}} {
		if v, err := tt.n.ReadVersion(t.Context(), theKey, 1); err != nil || string(v.Body) != tt.want {
			t.Errorf("%q %v, want %q", v.Body, err, tt.want)
		}
	}
	if pa, pb := keysOf(t, a).Prefix(), keysOf(t, b).Prefix(); pa == pb {
		t.Errorf("both have the prefix %s", pa)
	}
}

func TestNamesTellApartAndTellNothing(t *testing.T) {
	k := keysOf(t, embedded(t))
	seen := map[string]bool{}
	for _, parts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"a", "b", "c"}, {"", "abc"}, {"abc", ""}, {}} {
		seen[k.Name("space", parts...)] = true
		seen[k.Name("spac", parts...)] = true
	}
	if len(seen) != 14 {
		t.Errorf("%d names, want 14", len(seen))
	}
	if a, b := k.Name("space", "x"), k.Name("space", "x"); a != b {
		t.Errorf("one thing has two names, %s and %s", a, b)
	}
	for _, id := range []string{"990101199001011234", "12012345678"} {
		if name := k.Name("version", "Patient", id); len(name) != len("version:")+24 {
			t.Errorf("the length of %s tells something", name)
		}
	}
}

func TestAnswers(t *testing.T) {
	m := memory.New(memory.Options{})
	keys := keysOf(t, embedded(t))
	a := cached.Answers{Keys: keys, Cache: m, Space: "terminology"}
	a.Keep([]byte("true"), "7", "member", "http://x|1")
	if got, ok := a.Get(t.Context(), "7", "member", "http://x|1"); !ok || string(got) != "true" {
		t.Errorf("%q %t", got, ok)
	}
	if got, ok := a.Get(t.Context(), "8", "member", "http://x|1"); ok {
		t.Errorf("the answer to an older state: %q", got)
	}
	if got, ok := (cached.Answers{Keys: keys, Cache: m, Space: "other"}).Get(t.Context(), "7", "member", "http://x|1"); ok {
		t.Errorf("the answer of another space: %q", got)
	}
}

func TestRate(t *testing.T) {
	m := memory.New(memory.Options{})
	r := cached.Rate{Keys: keysOf(t, embedded(t)), Counter: m}
	for i, tt := range []struct {
		kind, who string
		window    time.Duration
		want      int64
	}{{"token", "a", time.Hour, 1}, {"token", "a", time.Hour, 2}, {"token", "b", time.Hour, 1}, {"search", "a", time.Hour, 1}, {"token", "a", 24 * time.Hour, 1}} {
		if got := r.Count(t.Context(), tt.kind, tt.who, 1, tt.window); got != tt.want {
			t.Errorf("%d: %d, want %d", i, got, tt.want)
		}
	}
}

func TestWhatWasExpungedIsNotAnsweredNorMistakenForItsSuccessor(t *testing.T) {
	n := newNode(t, embedded(t), memory.New(memory.Options{}), true)
	write(t, n, put(theKey, 0, "old"))
	warm(t, n)
	if err := expunge(n, theKey); err != nil {
		t.Fatal(err)
	}
	if v, err := n.ReadVersion(t.Context(), theKey, 1); !fault.Is(err, fault.NotFound) {
		t.Fatalf("%q %v", v.Body, err)
	}
	write(t, n, put(theKey, 0, "new"))
	warm(t, n)
	if v, err := n.ReadVersion(t.Context(), theKey, 1); err != nil || string(v.Body) != "new" {
		t.Errorf("%q %v", v.Body, err)
	}
}

// readers ask one process for a version while another one expunges it, and tell
// whether it was answered after the other said that it is gone.
func readers(t *testing.T, reading, expunging *node) (answeredAfter bool) {
	t.Helper()
	write(t, expunging, put(theKey, 0, "x"))
	warm(t, reading)
	var gone, after atomic.Bool
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				was := gone.Load()
				_, err := reading.ReadVersion(context.Background(), theKey, 1)
				if err == nil && was {
					after.Store(true)
				}
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Errorf("reading: %v", err)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	if err := expunge(expunging, theKey); err != nil {
		t.Error(err)
	}
	gone.Store(true)
	time.Sleep(200 * time.Millisecond)
	close(done)
	asking.Wait()
	return after.Load()
}

func TestNoProcessAnswersWhatAnotherOneExpunged(t *testing.T) {
	url := testenv.Postgres(t)
	process := func(t *testing.T, shared shared, alone bool) *node {
		s, err := postgres.Open(t.Context(), url, postgres.Options{Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		return newNode(t, s, shared, alone)
	}
	t.Run("with one cache for both", func(t *testing.T) {
		a, b := kinds[1].open(t)
		if readers(t, process(t, a, false), process(t, b, false)) {
			t.Error("it was answered")
		}
	})
	t.Run("with a cache for each", func(t *testing.T) {
		if readers(t, process(t, memory.New(memory.Options{}), false), process(t, memory.New(memory.Options{}), false)) {
			t.Error("it was answered")
		}
	})
	// The test must be able to fail: a process that wrongly takes itself for the only one is found out.
	t.Run("unless they take themselves for the only one", func(t *testing.T) {
		if !readers(t, process(t, memory.New(memory.Options{}), true), process(t, memory.New(memory.Options{}), true)) {
			t.Error("a stale answer was not noticed")
		}
	})
}

// unasked is a store whose count of erasures cannot be had.
type unasked struct{ cached.Backing }

func (unasked) Erasures(context.Context) (int64, error) { return 0, errors.New("away") }

func TestWithoutKnowingOfErasuresTheCacheIsNotUsed(t *testing.T) {
	m := memory.New(memory.Options{})
	n := newNode(t, embedded(t), m, false)
	write(t, n, put(theKey, 0, "x"))
	warm(t, n)
	blind := newNode(t, unasked{n.Backing}, m, false)
	for range 50 {
		if _, err := blind.ReadVersion(t.Context(), theKey, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if blind.found.Load() != 0 {
		t.Error("it was")
	}
}

func TestTheBellRingsForWhatOthersWaitFor(t *testing.T) {
	m := memory.New(memory.Options{})
	n := newNode(t, embedded(t), m, true)
	heard := make(chan string, 10)
	go m.Listen(t.Context(), func(topic string) { heard <- topic })
	time.Sleep(10 * time.Millisecond)
	for i, tt := range []struct {
		topic string
		do    func() error
	}{
		{cached.Records, func() error {
			_, err := n.Accept(t.Context(), []store.Entry{{Record: store.Record{Institution: "h1", Source: "s", Format: "x", State: store.Received}, Bytes: []byte("x")}})
			return err
		}},
		{cached.Folders, func() error {
			_, err := n.PushFolder(t.Context(), store.Folder{Institution: "h1", Version: "1"}, []byte("x"), store.AnyFolder)
			return err
		}},
		{cached.Folders, func() error {
			_, err := n.ActivateFolder(t.Context(), store.Activation{Institution: "h1"}, store.AnyFolder)
			return err
		}},
		{cached.Parameters, func() error {
			return n.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Put(ctx, put(store.Key{Type: "SearchParameter", ID: strconv.Itoa(len(heard))}, 0, "x"))
				return err
			})
		}},
	} {
		if err := tt.do(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		select {
		case topic := <-heard:
			if topic != tt.topic {
				t.Errorf("%d: heard %s, want %s", i, topic, tt.topic)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%d: heard nothing, want %s", i, tt.topic)
		}
	}
}

func BenchmarkReadVersion(b *testing.B) {
	url := testenv.Postgres(b)
	direct, err := postgres.Open(b.Context(), url, postgres.Options{Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	own, redis := newNode(b, direct, memory.New(memory.Options{}), false), newNode(b, direct, openRedis(b, testenv.Redis(b), "x:"), false)
	body := make([]byte, 2000)
	for i := range body {
		body[i] = byte('a' + i*i%23)
	}
	write(b, direct, put(theKey, 0, string(body)))
	for _, tt := range []struct {
		name string
		s    interface {
			ReadVersion(ctx context.Context, k store.Key, number int64) (store.Version, error)
		}
	}{{"postgres", direct}, {"redis", redis}, {"memory", own}} {
		b.Run(tt.name, func(b *testing.B) {
			if n, ok := tt.s.(*node); ok {
				warm(b, n)
			}
			for b.Loop() {
				if _, err := tt.s.ReadVersion(b.Context(), theKey, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
