package sqlite

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/gateway/fault"
)

// pool holds the reading connections, opened when first needed. The one that was used
// last is used next, because its pages are at hand.
//
// A connection that is used again while nothing was committed keeps its reading
// transaction open from then on, so that a read costs no locks: state numbers commits,
// and a transaction that began at an earlier one is ended before the next use. An open
// one keeps the log from starting anew; hold ends those and lets none begin.
type pool struct {
	open func() (*conn, error)
	// unmapped tells that connections which map the database are not to be used any more.
	unmapped func() bool
	slots    chan struct{} // the right to use one
	done     chan struct{}
	state    atomic.Int64 // how often something was committed
	from     atomic.Int64 // unix nanoseconds before which no transaction is kept

	mu   sync.Mutex
	idle []*conn
}

func newPool(size int, open func() (*conn, error), unmapped func() bool) *pool {
	p := &pool{open: open, unmapped: unmapped, slots: make(chan struct{}, size), done: make(chan struct{})}
	for range size {
		p.slots <- struct{}{}
	}
	return p
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	select {
	case <-p.done:
		return nil, errClosed
	default:
	}
	select {
	case <-p.slots:
	default:
		select {
		case <-p.slots:
		case <-p.done:
			return nil, errClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c, err := p.last()
	if err == nil {
		if err = p.current(c); err == nil {
			return c, nil
		}
		_ = c.close()
	}
	p.slots <- struct{}{}
	return nil, err
}

// last returns the connection that was used last, or a new one.
func (p *pool) last() (*conn, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	c, err := p.open()
	if err != nil {
		return nil, err
	}
	c.state = -1
	return c, nil
}

// current makes the next statement of a connection see everything that was committed
// before.
func (p *pool) current(c *conn) error {
	state := p.state.Load()
	switch {
	case c.kept && c.state == state:
		return nil
	case c.kept:
		if err := c.leave(); err != nil {
			return err
		}
	case c.state == state && !p.holding():
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		c.kept = true
	}
	c.state = state
	return nil
}

// put gives a connection back; one that was interrupted is replaced by a new one,
// because the interruption may still be on its way. One that is broken is left as it is:
// to close it would be to go on with it.
func (p *pool) put(c *conn) {
	if c.broken {
		p.slots <- struct{}{}
		return
	}
	if c.kept && p.holding() && !c.stale && c.lost == nil {
		_ = c.leave()
	}
	if c.stale || c.lost != nil || c.mapped && p.unmapped() {
		_ = c.close()
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	p.slots <- struct{}{}
}

func (p *pool) holding() bool {
	from := p.from.Load()
	return from > 0 && time.Now().UnixNano() < from
}

// drop closes the connections that nobody uses.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		_ = c.close()
	}
	p.idle = nil
}

// forever is a time to hold that does not end.
const forever = time.Duration(math.MaxInt64)

// hold ends the transactions that are kept, those in use when they are given back, and
// lets none be kept for a time; 0 lets them again.
func (p *pool) hold(d time.Duration) {
	switch d {
	case 0:
		p.from.Store(0)
		return
	case forever:
		p.from.Store(math.MaxInt64)
	default:
		p.from.Store(time.Now().Add(d).UnixNano())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		if !c.kept || c.leave() == nil {
			return false
		}
		_ = c.close()
		return true
	})
}

// close waits for every connection to come back.
func (p *pool) close() error {
	close(p.done)
	for range cap(p.slots) {
		<-p.slots
	}
	var err error
	for _, c := range p.idle {
		if e := c.close(); err == nil {
			err = e
		}
	}
	p.idle = nil
	return err
}

var errClosed = fault.New(fault.Unavailable, "the store is closed")
