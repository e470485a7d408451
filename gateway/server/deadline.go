package server

import (
	"context"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/console"
)

// limitTime bounds the work on one FHIR request; uploads and pushes bound their own.
func (p *process) limitTime() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Path() == "/ingest/:institution" || c.Path() == console.PushRoute {
				return next(c)
			}
			r := c.Request()
			ctx := newDeadline(r.Context(), p.config.Limits.Time)
			defer ctx.end()
			c.SetRequest(r.WithContext(ctx))
			return next(c)
		}
	}
}

// deadline is a context that ends with its parent, at a time, or when it is told to.
// Only who waits for that has a timer made: most requests are answered by asking,
// at most, whether it is over.
type deadline struct {
	context.Context // the parent
	at              time.Time

	mu     sync.Mutex
	over   error           // why it ended before anybody waited
	armed  context.Context // with a timer, once somebody waits
	cancel context.CancelFunc
}

func newDeadline(parent context.Context, after time.Duration) *deadline {
	d := &deadline{Context: parent, at: time.Now().Add(after)}
	if earlier, ok := parent.Deadline(); ok && earlier.Before(d.at) {
		d.at = earlier
	}
	return d
}

func (d *deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, true
}

// extend gives the work more time, as long as nobody waits for its end.
func (d *deadline) extend(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed == nil {
		d.at = d.at.Add(by)
	}
}

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed == nil {
		if d.over != nil {
			return closed
		}
		d.armed, d.cancel = context.WithDeadline(d.Context, d.at)
	}
	return d.armed.Done()
}

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.armed != nil:
		return d.armed.Err()
	case d.over != nil:
	case d.Context.Err() != nil:
		d.over = d.Context.Err()
	case !time.Now().Before(d.at):
		d.over = context.DeadlineExceeded
	}
	return d.over
}

// closed is what waits for a context that has ended.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Value lets contexts that are made of this one find the one with the timer, so that
// they end with it without a goroutine each.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	armed := d.armed
	d.mu.Unlock()
	if armed != nil {
		return armed.Value(key)
	}
	return d.Context.Value(key)
}

// end ends the context and gives back what it holds.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.armed != nil:
		d.cancel()
	case d.over == nil:
		d.over = context.Canceled
	}
}
