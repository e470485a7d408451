package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Local is a gateway without a network: it answers requests, as a running one
// would, out of a data folder that no server holds. It works on records while it
// is open.
type Local struct {
	process *process
	handler http.Handler
	stop    context.CancelFunc
	worked  chan error

	once   sync.Once
	closed error
}

// OpenLocal opens the data folder. The fault is Busy when a server holds it.
func OpenLocal(ctx context.Context, o Options) (*Local, error) {
	p, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Local{process: p, handler: p.router(), stop: stop, worked: make(chan error, 1)}
	p.ready.Store(true)
	go func() { l.worked <- p.ingest.Run(work) }()
	return l, nil
}

// RoundTrip implements http.RoundTripper.
func (l *Local) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	l.handler.ServeHTTP(w, r)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
	}, nil
}

// Close ends the work in order and gives the folder back.
func (l *Local) Close() error {
	l.once.Do(func() {
		l.stop()
		l.closed = errors.Join(<-l.worked, l.process.store.Close())
	})
	return l.closed
}

// answer collects what a handler writes.
type answer struct {
	header  http.Header
	status  int
	written bool
	body    bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.written {
		a.status, a.written = status, true
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.written = true
	return a.body.Write(p)
}
