package sqlite

import (
	"context"

	"github.com/yilian/yilian/gateway/fault"
)

// pool holds the reading connections, opened when first needed. A token in slots
// is the right to use one; nil in it means "not open yet".
type pool struct {
	dsn   string
	check func(*conn) error
	slots chan *conn
	done  chan struct{}
	size  int
}

func newPool(size int, dsn string, check func(*conn) error) *pool {
	p := &pool{dsn: dsn, check: check, slots: make(chan *conn, size), done: make(chan struct{}), size: size}
	for range size {
		p.slots <- nil
	}
	return p
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	select {
	case <-p.done:
		return nil, errClosed
	default:
	}
	var c *conn
	select {
	case c = <-p.slots:
	default:
		select {
		case c = <-p.slots:
		case <-p.done:
			return nil, errClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c != nil {
		return c, nil
	}
	c, err := connect(context.WithoutCancel(ctx), p.dsn)
	if err == nil {
		if err = p.check(c); err == nil {
			return c, nil
		}
		_ = c.close()
	}
	p.slots <- nil
	return nil, err
}

// put gives a connection back; one that was interrupted is replaced by a new one,
// because the interruption may still be on its way.
func (p *pool) put(c *conn) {
	if c.stale || c.lost != nil {
		_ = c.close()
		c = nil
	}
	p.slots <- c
}

// close waits for every connection to come back.
func (p *pool) close() error {
	close(p.done)
	var err error
	for range p.size {
		if c := <-p.slots; c != nil {
			if e := c.close(); err == nil {
				err = e
			}
		}
	}
	return err
}

var errClosed = fault.New(fault.Unavailable, "the store is closed")
