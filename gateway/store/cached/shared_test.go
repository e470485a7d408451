package cached_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/store/cached"
	"github.com/yilian/yilian/gateway/store/memory"
	"github.com/yilian/yilian/gateway/store/redis"
	"github.com/yilian/yilian/internal/testenv"
)

// shared is what two processes share.
type shared interface {
	cached.Cache
	cached.Counter
	cached.Bell
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func openRedis(t testing.TB, url, prefix string) *redis.Redis {
	t.Helper()
	r, err := redis.Open(url, redis.Options{Prefix: prefix, Log: quiet, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// kinds are the implementations; each gives what two processes see of one thing shared.
var kinds = []struct {
	name string
	open func(t *testing.T) (a, b shared)
}{
	{"memory", func(*testing.T) (a, b shared) {
		m := memory.New(memory.Options{})
		return m, m
	}},
	{"redis", func(t *testing.T) (a, b shared) {
		url := testenv.Redis(t)
		return openRedis(t, url, "x:"), openRedis(t, url, "x:")
	}},
}

// eventually waits for what happens a little later.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestEveryKind(t *testing.T) {
	tests := []struct {
		name string
		run  func(t *testing.T, a, b shared)
	}{
		{"finds what another process set, and nothing else", func(t *testing.T, a, b shared) {
			a.Set("k", []byte("v\x00\xff"))
			eventually(t, "the value never came", func() bool {
				v, ok := b.Get(t.Context(), "k")
				return ok && string(v) == "v\x00\xff"
			})
			if v, ok := b.Get(t.Context(), "l"); ok {
				t.Errorf("found %q", v)
			}
		}},
		{"keeps the last value", func(t *testing.T, a, b shared) {
			a.Set("k", []byte("1"))
			a.Set("k", []byte("2"))
			eventually(t, "the last value never came", func() bool {
				v, _ := b.Get(t.Context(), "k")
				return string(v) == "2"
			})
		}},
		{"counts over all processes", func(t *testing.T, a, b shared) {
			for i, tt := range []struct {
				who  shared
				key  string
				n    int64
				want int64
			}{{a, "k", 1, 1}, {b, "k", 1, 2}, {a, "k", 5, 7}, {a, "l", 1, 1}, {b, "k", 0, 7}} {
				if got := tt.who.Count(t.Context(), tt.key, tt.n, time.Hour); got != tt.want {
					t.Errorf("%d: %d, want %d", i, got, tt.want)
				}
			}
		}},
		{"counts anew in the next window", func(t *testing.T, a, _ shared) {
			a.Count(t.Context(), "k", 10, 100*time.Millisecond)
			eventually(t, "the window never ended", func() bool { return a.Count(t.Context(), "k", 1, 100*time.Millisecond) < 10 })
		}},
		{"wakes another process", func(t *testing.T, a, b shared) {
			heard := make(chan string, 100)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				b.Listen(ctx, func(topic string) { heard <- topic })
			}()
			eventually(t, "nothing was heard", func() bool {
				a.Ring("x")
				select {
				case topic := <-heard:
					return topic == "x"
				case <-time.After(20 * time.Millisecond):
					return false
				}
			})
			stop()
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("it still listens")
			}
		}},
		{"rings once for what happens at once", func(t *testing.T, a, b shared) {
			var heard []string
			next := make(chan string)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go b.Listen(ctx, func(topic string) {
				select {
				case next <- topic:
				case <-ctx.Done():
				}
			})
			eventually(t, "nothing was heard", func() bool {
				a.Ring("ready")
				select {
				case <-next:
					return true
				case <-time.After(20 * time.Millisecond):
					return false
				}
			})
			for range 1000 {
				a.Ring("x")
			}
			for quiet := false; !quiet; {
				select {
				case topic := <-next:
					heard = append(heard, topic)
				case <-time.After(200 * time.Millisecond):
					quiet = true
				}
			}
			if n := strings.Count(strings.Join(heard, ""), "x"); n == 0 || n > 100 {
				t.Errorf("1000 rings were heard %d times", n)
			}
		}},
	}
	for _, kind := range kinds {
		for _, tt := range tests {
			t.Run(kind.name+" "+tt.name, func(t *testing.T) {
				a, b := kind.open(t)
				tt.run(t, a, b)
			})
		}
	}
}

func TestStoresThatShareARedisDoNotMeet(t *testing.T) {
	url := testenv.Redis(t)
	a, b := openRedis(t, url, "a:"), openRedis(t, url, "b:")
	a.Set("k", []byte("1"))
	eventually(t, "the value never came", func() bool { _, ok := a.Get(t.Context(), "k"); return ok })
	if v, ok := b.Get(t.Context(), "k"); ok {
		t.Errorf("found %q of another store", v)
	}
	a.Count(t.Context(), "k", 5, time.Hour)
	if n := b.Count(t.Context(), "k", 1, time.Hour); n != 1 {
		t.Errorf("counted %d", n)
	}
	heard := make(chan string, 10)
	for _, one := range []shared{b, openRedis(t, url, "a:")} {
		go one.Listen(t.Context(), func(topic string) { heard <- topic })
	}
	eventually(t, "nothing was heard", func() bool {
		a.Ring("x")
		time.Sleep(20 * time.Millisecond)
		return len(heard) > 0
	})
}
