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
// would, out of a data folder that no server holds.
type Local struct {
	process *process
	handler http.Handler

	work   sync.Once
	stop   context.CancelFunc
	worked chan error // nil until Work

	once   sync.Once
	closed error
}

// OpenLocal opens the data folder. The fault is Busy when a server holds it.
func OpenLocal(ctx context.Context, o Options) (*Local, error) {
	p, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	p.ready.Store(true)
	return &Local{process: p, handler: p.router()}, nil
}

// Work carries records from the inbox to FHIR from now until Close. Who only looks
// leaves them as they are: with other institutions than the server's a record may
// have no member that it belongs to.
func (l *Local) Work() {
	l.work.Do(func() {
		ctx, stop := context.WithCancel(context.Background())
		l.stop, l.worked = stop, make(chan error, 1)
		go func() { l.worked <- l.process.ingest.Run(ctx) }()
	})
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

// Close ends the work in order and gives the folder back. It is called once no
// request runs.
func (l *Local) Close() error {
	l.once.Do(func() {
		var worked error
		l.work.Do(func() {}) // from here on there is none to begin
		if l.worked != nil {
			l.stop()
			worked = <-l.worked
		}
		l.closed = errors.Join(worked, l.process.store.Close())
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
