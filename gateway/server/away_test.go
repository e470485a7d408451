package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/internal/testenv"
)

// passage leads to another address until it is silenced: then nothing comes through, and
// nobody is told.
type passage struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	conns    []net.Conn
	silenced chan struct{}
}

func newPassage(t *testing.T, to string) *passage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &passage{listener: l, to: to, silenced: make(chan struct{})}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, c, out)
			p.mu.Unlock()
			work.Go(func() { p.copy(out, c) })
			work.Go(func() { p.copy(c, out) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		work.Wait()
	})
	return p
}

func (p *passage) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil && n == 0 {
			return
		}
		select {
		case <-p.silenced:
			continue // what comes is swallowed
		default:
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func TestTheServerEndsInOrderWhilePostgreSQLIsAway(t *testing.T) {
	for _, row := range []struct {
		name string
		away func(t *testing.T, database *testenv.Server, p *passage)
	}{
		{"killed", func(t *testing.T, database *testenv.Server, _ *passage) { database.Kill(t) }},
		{"silent", func(_ *testing.T, _ *testenv.Server, p *passage) { close(p.silenced) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel() // both wait for most of their time
			database := testenv.StartPostgres(t)
			address, err := url.Parse(database.URL())
			if err != nil {
				t.Fatal(err)
			}
			p := newPassage(t, address.Host)
			address.Host = p.listener.Addr().String()
			g := start(t, false, map[string]string{"store.url": address.String()}) // which fails the test if it does not end in order
			row.away(t, database, p)
			var asking sync.WaitGroup
			t.Cleanup(asking.Wait)
			for range 4 {
				asking.Go(func() {
					if got, err := http.Get("http://" + g.address + "/fhir/Patient"); err == nil {
						got.Body.Close()
					}
				})
				asking.Go(func() {
					body := strings.NewReader(`{"resourceType":"Patient"}`)
					if got, err := http.Post("http://"+g.address+"/fhir/Patient", "application/fhir+json", body); err == nil {
						got.Body.Close()
					}
				})
			}
			time.Sleep(200 * time.Millisecond) // so that some are being answered when it is told to end
		})
	}
}

func TestTheServerEndsInOrderWhileItWaitsForPostgreSQL(t *testing.T) {
	address, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	p := newPassage(t, address.Host)
	close(p.silenced)
	address.Host = p.listener.Addr().String()
	c, err := config.Load(config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "data": t.TempDir(), "store.url": address.String()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	if err := server.Run(ctx, server.Options{Config: c, Log: slog.New(slog.DiscardHandler), Version: "test"}); err != nil {
		t.Error(err)
	}
}
