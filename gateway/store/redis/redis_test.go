package redis_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/redis"
	"github.com/yilian/yilian/internal/testenv"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func open(t *testing.T, url string, o redis.Options) (*redis.Redis, *lines) {
	t.Helper()
	log := &lines{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	r, err := redis.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, log
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestARedisThatIsKilledCostsItsValuesAndLittleTime(t *testing.T) {
	s := testenv.StartRedis(t)
	r, log := open(t, s.URL(), redis.Options{Pause: 100 * time.Millisecond})
	other, _ := open(t, s.URL(), redis.Options{Pause: 100 * time.Millisecond})
	set := func() bool {
		r.Set("k", []byte("v"))
		v, ok := r.Get(t.Context(), "k")
		return ok && string(v) == "v"
	}
	eventually(t, "the value never came", set)
	heard := make(chan string, 1000)
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { other.Listen(ctx, func(topic string) { heard <- topic }) })
	defer listening.Wait()
	defer stop()
	wakes := func() bool {
		for len(heard) > 0 {
			<-heard
		}
		r.Ring("x")
		time.Sleep(20 * time.Millisecond)
		return len(heard) > 0
	}
	eventually(t, "nothing was heard", wakes)

	for round := range 2 {
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
					from := time.Now()
					if v, ok := r.Get(t.Context(), "k"); ok && string(v) != "v" {
						t.Errorf("found %q", v)
					}
					if d := time.Since(from); d > time.Second {
						t.Errorf("an answer took %v", d)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		s.Kill(t)
		eventually(t, "it was not noticed", func() bool { return log.count("redis is away") == round+1 })
		before := r.Count(t.Context(), "c", 1, time.Hour)
		if after := r.Count(t.Context(), "c", 2, time.Hour); after != before+2 {
			t.Errorf("while Redis is away %d is counted after %d", after, before)
		}
		from := time.Now()
		for range 1000 {
			r.Get(t.Context(), "k")
		}
		if d := time.Since(from); d > 2*time.Second {
			t.Errorf("1000 questions while Redis is away took %v", d)
		}
		s.Start(t)
		eventually(t, "it did not come back", func() bool { return log.count("redis is back") == round+1 })
		close(done)
		asking.Wait()
		eventually(t, "the value never came again", set)
		eventually(t, "nothing was heard again", wakes)
		if n := r.Count(t.Context(), "c", 0, time.Hour); n < before+2 {
			t.Errorf("a new Redis makes it forget what was counted: %d, want %d", n, before+2)
		}
	}
}

// A Redis that accepts and never answers, as a network that swallows packets looks.
func TestARedisThatNeverAnswersIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var swallowing sync.WaitGroup
	defer swallowing.Wait()
	defer l.Close()
	swallowing.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			swallowing.Go(func() {
				defer c.Close()
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	const timeout = 40 * time.Millisecond
	r, log := open(t, "redis://"+l.Addr().String(), redis.Options{Timeout: timeout, Failures: 3, Pause: time.Hour})
	for i := range 100 {
		from := time.Now()
		if _, ok := r.Get(t.Context(), "k"); ok {
			t.Fatal("found something")
		}
		d := time.Since(from)
		if i < 3 && d > 10*timeout {
			t.Errorf("question %d took %v", i, d)
		}
		if i >= 3 && d > timeout/2 {
			t.Errorf("question %d waited %v for a Redis that was given up", i, d)
		}
	}
	if log.count("redis is away") != 1 {
		t.Error("it was not told once")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhoLeavesSaysNothingOfRedis(t *testing.T) {
	r, log := open(t, testenv.Redis(t), redis.Options{Failures: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		r.Get(ctx, "k")
	}
	if log.count("away") != 0 {
		t.Error("clients that left opened the breaker")
	}
}

func TestALongValueIsNotKept(t *testing.T) {
	r, _ := open(t, testenv.Redis(t), redis.Options{Value: 100})
	r.Set("long", make([]byte, 101))
	r.Set("short", make([]byte, 100))
	eventually(t, "the short value never came", func() bool { _, ok := r.Get(t.Context(), "short"); return ok })
	if _, ok := r.Get(t.Context(), "long"); ok {
		t.Error("the long value is kept")
	}
}

func TestAValueExpires(t *testing.T) {
	r, _ := open(t, testenv.Redis(t), redis.Options{Expire: 300 * time.Millisecond})
	r.Set("k", []byte("v"))
	eventually(t, "the value never came", func() bool { _, ok := r.Get(t.Context(), "k"); return ok })
	eventually(t, "the value never went", func() bool { _, ok := r.Get(t.Context(), "k"); return !ok })
}

func TestAURLThatCannotBeReadIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"redis://:hush@127.0.0.1:x/0", "redis://:hush@127.0.0.1/zero", "http://:hush@127.0.0.1", "redis://:hush@127.0.0.1/0?dial_timeout=x", ""} {
		_, err := redis.Open(url, redis.Options{})
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v", err)
		}
	}
}
