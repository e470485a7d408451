package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/internal/testenv"
)

// hold keeps one transaction of a gateway open, all of whose writes are done.
type hold struct {
	armed   atomic.Bool
	held    chan struct{} // closed when a transaction is held
	release chan struct{} // closed to let it commit
}

// fault holds the transaction that comes to its commit next, once it is armed.
func (h *hold) fault(point string) {
	if (point == postgres.BeforeCommit || point == sqlite.BeforeCommit) && h.armed.CompareAndSwap(true, false) {
		close(h.held)
		<-h.release
	}
}

// poller reads a history again and again, each time from the newest time that it saw.
type poller struct {
	c       *caller
	address string // of the history
	since   string
	seen    map[string]bool // type/id/version
}

// poll reads what is new, all pages of it.
func (p *poller) poll() error {
	query := "?_count=7" // so that there are pages
	if p.since != "" {
		query += "&_since=" + strings.ReplaceAll(p.since, "+", "%2B")
	}
	address, newest := p.address+query, p.since
	for address != "" {
		got, err := p.c.send("GET", address, "")
		if err != nil || got.status != http.StatusOK {
			return fmt.Errorf("GET %s: %d %s, %w", address, got.status, got.body, err)
		}
		var page bundle
		if err := json.Unmarshal(got.body, &page); err != nil {
			return err
		}
		for _, e := range page.Entry {
			at := e.Response.LastModified
			if e.Request.Method != "DELETE" {
				var m member
				if err := json.Unmarshal(e.Resource, &m); err != nil {
					return err
				}
				at = m.Meta.LastUpdated
				p.seen[m.ResourceType+"/"+m.ID+"/"+m.Meta.VersionID] = true
			} else {
				p.seen[e.Request.URL+"/"+strings.Trim(e.Response.ETag, `W/"`)] = true
			}
			newest = max(newest, at)
		}
		address = ""
		for _, l := range page.Link {
			if l.Relation == "next" {
				_, address, _ = strings.Cut(l.URL, "/fhir/")
			}
		}
	}
	p.since = newest
	return nil
}

// written is what a write was told to have made.
func written(t *testing.T, typ string, got reply, err error) string {
	t.Helper()
	if err != nil || got.status >= 300 {
		t.Fatalf("a write: %d %s, %v", got.status, got.body, err)
	}
	return fmt.Sprintf("%s/%s/%d", typ, got.id, got.version)
}

func TestAPollerMissesNothingWhileATransactionIsHeldOpen(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts servers")
	}
	for _, tt := range []struct {
		name    string
		flags   func(t *testing.T) map[string]string
		overlap bool // others commit while a transaction is open
	}{
		{"SQLite", func(*testing.T) map[string]string { return nil }, false},
		{"PostgreSQL", func(t *testing.T) map[string]string {
			return map[string]string{"store.url": testenv.Postgres(t)}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hold{held: make(chan struct{}), release: make(chan struct{})}
			g := startFault(t, false, tt.flags(t), h.fault)
			c := newCaller(t, func() string { return "http://" + g.address + "/fhir" })
			release := sync.OnceFunc(func() { close(h.release) })
			t.Cleanup(release)
			want := map[string]bool{}
			note := func(typ string) {
				got, err := c.send("POST", typ, content(typ, "", "", fmt.Sprintf("w%d", len(want))))
				want[written(t, typ, got, err)] = true
			}
			pollers := []*poller{}
			for _, address := range []string{"Basic/_history", "_history"} {
				pollers = append(pollers, &poller{c: c, address: address, seen: map[string]bool{}})
			}
			poll := func() {
				t.Helper()
				for _, p := range pollers {
					if err := p.poll(); err != nil {
						t.Fatal(err)
					}
				}
			}
			note("Basic")
			poll()

			h.armed.Store(true)
			type told struct {
				got reply
				err error
			}
			late := make(chan told, 1)
			go func() {
				got, err := c.send("POST", "Basic", content("Basic", "", "", "w.held"))
				late <- told{got, err}
			}()
			<-h.held
			others := make(chan string, 40)
			go func() { // more writes, which commit at once where the store lets them
				defer close(others)
				for n := range 20 {
					typ := []string{"Basic", "Patient"}[n%2]
					got, err := c.send("POST", typ, content(typ, "", "", fmt.Sprintf("w.other.%d", n)))
					if err != nil || got.status != http.StatusCreated {
						t.Errorf("a write beside: %d %s, %v", got.status, got.body, err)
						return
					}
					others <- fmt.Sprintf("%s/%s/%d", typ, got.id, got.version)
				}
			}()
			if tt.overlap {
				for n := range 20 { // all of them, before the held one commits
					key, ok := <-others
					if !ok {
						t.Fatalf("%d writes were done beside an open transaction, want 20", n)
					}
					want[key] = true
					poll()
				}
			} else {
				for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
					poll()
				}
			}
			release()
			for key := range others {
				want[key] = true
				poll()
			}
			last := <-late
			held := written(t, "Basic", last.got, last.err)
			want[held] = true
			note("Patient")
			note("Basic")

			for _, p := range pollers {
				mine := maps.Clone(want)
				if p.address != "_history" {
					maps.DeleteFunc(mine, func(key string, _ bool) bool { return !strings.HasPrefix(key, "Basic/") })
				}
				missing := func() (list []string) {
					for key := range mine {
						if !p.seen[key] {
							list = append(list, key)
						}
					}
					return list
				}
				for deadline := time.Now().Add(10 * time.Second); len(missing()) > 0 && time.Now().Before(deadline); {
					if err := p.poll(); err != nil {
						t.Fatal(err)
					}
				}
				if list := missing(); len(list) > 0 {
					t.Errorf("%s: %d of %d versions were never told of; the held one among them: %v", p.address, len(list), len(mine), slices.Contains(list, held))
				}
			}
		})
	}
}
