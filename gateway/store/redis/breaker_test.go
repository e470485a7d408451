package redis

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns []bool
		b := &breaker{failures: 3, pause: time.Second, turned: func(open bool) { turns = append(turns, open) }}
		allow := func(want bool) {
			t.Helper()
			if got := b.allow(); got != want {
				t.Fatalf("let through: %t, want %t", got, want)
			}
		}
		for range 2 { // fewer than 3 in a row are nothing
			allow(true)
			b.failure()
			allow(true)
			b.failure()
			allow(true)
			b.worked()
		}
		for range 3 {
			allow(true)
			b.failure()
		}
		allow(false)
		time.Sleep(time.Second - 1)
		allow(false)
		time.Sleep(time.Nanosecond)
		allow(true) // one
		allow(false)
		b.failure()
		allow(false)
		time.Sleep(time.Second)
		allow(true)
		b.worked()
		allow(true)
		allow(true)
		if len(turns) != 2 || !turns[0] || turns[1] {
			t.Errorf("it was told of %v", turns)
		}
	})
}
