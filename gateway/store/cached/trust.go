package cached

import (
	"context"
	"sync"
	"time"
)

// trust is what a process knows of how often something was expunged. It asks when
// somebody wants to know and its knowledge is getting old, and nobody waits for the
// answer.
type trust struct {
	ask   func(ctx context.Context) (int64, error)
	alone bool

	mu     sync.Mutex
	number int64
	until  time.Time // number may be taken for true until then; zero: not at all
	asking bool
	asked  int // times of revoke; an answer to a question from before one does not count
	closed bool
	work   sync.WaitGroup
}

// askTime bounds one question.
const askTime = 5 * time.Second

// erasures returns the number if it can be trusted now.
func (t *trust) erasures() (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	known := !t.until.IsZero() && (t.alone || now.Before(t.until))
	if stale := !known || !t.alone && t.until.Sub(now) < Trust/2; stale && !t.asking && !t.closed {
		t.asking = true
		t.work.Go(t.refresh)
	}
	return t.number, known
}

func (t *trust) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	t.mu.Lock()
	before := t.asked
	t.mu.Unlock()
	from := time.Now() // before the store looked
	number, err := t.ask(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking = false
	if err == nil && before == t.asked {
		t.number, t.until = number, from.Add(Trust)
	}
}

// revoke forgets the number.
func (t *trust) revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	t.until = time.Time{}
}

func (t *trust) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.work.Wait()
}
