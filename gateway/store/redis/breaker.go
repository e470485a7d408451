package redis

import (
	"sync"
	"time"
)

// breaker keeps calls from waiting for a Redis that is away.
type breaker struct {
	failures int           // in a row, after which it opens
	pause    time.Duration // until the next call is let through
	turned   func(open bool)

	mu     sync.Mutex
	failed int       // in a row
	until  time.Time // open until; zero: closed
}

// allow reports whether a call may be made. Who is let through says what came of it.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return true
	}
	now := time.Now()
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(b.pause) // one call; the others wait for what comes of it
	return true
}

func (b *breaker) worked() {
	b.mu.Lock()
	was := !b.until.IsZero()
	b.failed, b.until = 0, time.Time{}
	b.mu.Unlock()
	if was {
		b.turned(false)
	}
}

func (b *breaker) failure() {
	b.mu.Lock()
	was := !b.until.IsZero()
	b.failed++
	opens := b.failed >= b.failures
	if opens {
		b.until = time.Now().Add(b.pause)
	}
	b.mu.Unlock()
	if opens && !was {
		b.turned(true)
	}
}
