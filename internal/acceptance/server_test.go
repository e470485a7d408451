package acceptance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/internal/scan"
	"github.com/yilian/yilian/internal/testenv"
)

// onEachStore runs a test with an empty server on each store.
func onEachStore(t *testing.T, settings map[string]string, test func(*testing.T, *client)) {
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			all := maps.Clone(settings)
			if all == nil {
				all = map[string]string{}
			}
			if store == "postgres" {
				all["store.url"] = testenv.Postgres(t)
			}
			test(t, start(t, all))
		})
	}
}

// start runs a server on a free port until the test ends, and returns a client of it.
func start(t *testing.T, settings map[string]string) *client {
	t.Helper()
	all := map[string]string{"listen": free(t), "data": t.TempDir()}
	maps.Copy(all, settings)
	c, err := config.Load(config.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Config: c, Log: slog.New(slog.DiscardHandler), Version: "test", Started: func(a string) { address <- a }})
	}()
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	out := &client{http: &http.Client{Transport: transport, Timeout: 2 * time.Minute}}
	select {
	case a := <-address:
		out.host = a
		out.base = "http://" + a + "/fhir/"
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if got, err := out.http.Get("http://" + out.host + "/readyz"); err == nil {
			_ = got.Body.Close()
			if got.StatusCode == http.StatusOK {
				return out
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("not ready after a minute")
		}
	}
}

// free returns an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// client is used by many goroutines.
type client struct {
	host, base string // base ends with "/"
	http       *http.Client
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// patience is how long a client goes on where the server asks it to come again.
const patience = 5 * time.Minute

// ask sends a request, and sends it again where the answer says that this may help: too many requests, a conflict with
// another writer, not available now.
func (c *client) ask(t testing.TB, method, address, contentType string, body []byte, header ...string) reply {
	t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = c.base + address
	}
	for deadline := time.Now().Add(patience); ; {
		r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(address, "/"), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		got, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		switch got.StatusCode {
		case http.StatusTooManyRequests, http.StatusConflict, http.StatusServiceUnavailable:
			if time.Now().Before(deadline) {
				wait, _ := strconv.Atoi(got.Header.Get("Retry-After"))
				time.Sleep(max(20*time.Millisecond, time.Duration(wait)*time.Second))
				continue
			}
		}
		return reply{got.StatusCode, got.Header, text}
	}
}

// bundle is what these tests read of a Bundle.
type bundle struct {
	ResourceType string
	Total        *int
	Link         []struct{ Relation, URL string }
	Entry        []entry
}

type entry struct {
	FullURL  string
	Resource json.RawMessage
	Search   struct{ Mode string }
	Response struct{ Status, Location, ETag, LastModified string }
}

// pages reads an answer of entries page by page, and hands each entry that is a match or included to seen; nil: to nobody.
func (c *client) pages(t testing.TB, address string, seen func(json.RawMessage)) (out []scan.Page, wrong string) {
	t.Helper()
	return c.pagesAfter(t, c.ask(t, "GET", address, "", nil), seen)
}

// pagesAfter reads on from a first page.
func (c *client) pagesAfter(t testing.TB, got reply, seen func(json.RawMessage)) (out []scan.Page, wrong string) {
	t.Helper()
	for address := ""; ; got = c.ask(t, "GET", address, "", nil) {
		var b bundle
		if err := json.Unmarshal(got.body, &b); err != nil || got.status != http.StatusOK || b.ResourceType != "Bundle" {
			return out, strconv.Itoa(got.status) + " " + string(got.body[:min(len(got.body), 600)])
		}
		page := scan.Page{Total: -1}
		if b.Total != nil {
			page.Total = *b.Total
		}
		for _, e := range b.Entry {
			var r struct {
				ResourceType, ID string
				Issue            []struct{ Severity, Code string }
			}
			if err := json.Unmarshal(e.Resource, &r); err != nil {
				return out, err.Error()
			}
			if e.Search.Mode == "outcome" && len(r.Issue) == 1 && r.Issue[0].Severity == "warning" && r.Issue[0].Code == "too-costly" {
				page.Cut = true
				continue
			}
			key := r.ResourceType + "/" + r.ID
			if e.FullURL != c.base+key {
				return out, "fullUrl " + e.FullURL + " of " + key
			}
			switch e.Search.Mode {
			case "match":
				page.Matches = append(page.Matches, key)
			case "include":
				page.Included = append(page.Included, key)
			default:
				return out, "an entry that is neither match nor include: " + string(e.Resource[:min(len(e.Resource), 600)])
			}
			if seen != nil {
				seen(e.Resource)
			}
		}
		out = append(out, page)
		address = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				address = l.URL
			}
		}
		if address == "" {
			return out, ""
		}
	}
}
