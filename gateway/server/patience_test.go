package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dial connects to the server, with little room for what was not read.
func (g *gateway) dial() *net.TCPConn {
	g.t.Helper()
	c, err := net.Dial("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	line := c.(*net.TCPConn)
	if err := line.SetReadBuffer(4 << 10); err != nil {
		g.t.Fatal(err)
	}
	if err := line.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		g.t.Fatal(err)
	}
	return line
}

func TestAClientThatKeepsItsBodyWaitingIsSentAway(t *testing.T) {
	g := start(t, false, map[string]string{"limits.stall": "300ms"})
	for _, tt := range []struct{ name, path, header, first, drop string }{
		{"nothing comes", "/fhir/Patient", "Content-Length: 900", "{", ""},
		{"it dribbles", "/fhir/Patient", "Content-Length: 900", "{", " "},
		{"it dribbles chunks", "/fhir/Patient", "Transfer-Encoding: chunked", "1\r\n{\r\n", "1\r\n \r\n"},
		{"no more comes of what is compressed", "/fhir/Patient", "Content-Encoding: gzip\r\nContent-Length: 900", "\x1f\x8b\x08", ""},
		{"it dribbles a search", "/fhir/Patient/_search", "Content-Length: 900", "n", "n"},
		{"it dribbles a Binary", "/fhir/Binary", "Content-Length: 900", "x", "x"},
		{"it dribbles a Bundle", "/fhir", "Content-Length: 900", "{", " "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.t = t
			line := g.dial()
			typ := "application/fhir+json"
			if strings.HasSuffix(tt.path, "_search") {
				typ = "application/x-www-form-urlencoded"
			}
			fmt.Fprintf(line, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n%s\r\n\r\n%s", tt.path, g.address, typ, tt.header, tt.first)
			ended := make(chan struct{})
			defer close(ended)
			go func() {
				for {
					select {
					case <-ended:
						return
					case <-time.After(20 * time.Millisecond):
						_, _ = io.WriteString(line, tt.drop)
					}
				}
			}()
			got, err := http.ReadResponse(bufio.NewReader(line), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(text), `"timeout"`) {
				t.Errorf("%d %s: %v", got.StatusCode, text, err)
			}
		})
	}
}

// A body that comes slowly, but comes, is taken, however long that is beside the time
// that may be spent on a request.
func TestASlowLineIsNoReasonToRefuse(t *testing.T) {
	g := start(t, false, map[string]string{"limits.stall": "300ms", "limits.time": "500ms"})
	line := g.dial()
	body := `{"resourceType":"Patient","active":true}` + strings.Repeat(" ", 10<<10)
	fmt.Fprintf(line, "POST /fhir/Patient HTTP/1.1\r\nHost: %s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n", g.address, len(body))
	for len(body) > 0 {
		n := min(len(body), 1<<10)
		if _, err := io.WriteString(line, body[:n]); err != nil {
			t.Fatal(err)
		}
		body = body[n:]
		time.Sleep(100 * time.Millisecond)
	}
	got, err := http.ReadResponse(bufio.NewReader(line), nil)
	if err != nil || got.StatusCode != http.StatusCreated {
		t.Fatal(got, err)
	}
}

func TestAClientThatDoesNotTakeItsAnswerIsCutOff(t *testing.T) {
	g := start(t, false, map[string]string{"limits.stall": "300ms"})
	line := g.dial()
	const asks, each = 40, 600 << 10 // more than what waits on a line
	for range asks {
		fmt.Fprintf(line, "GET /fhir/metadata HTTP/1.1\r\nHost: %s\r\n\r\n", g.address)
	}
	time.Sleep(2 * time.Second)
	n, err := io.Copy(io.Discard, line)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() || n >= asks*each {
		t.Errorf("%d bytes came, then %v", n, err)
	}
}

func TestAClientThatTakesItsAnswerSlowlyGetsIt(t *testing.T) {
	g := start(t, false, map[string]string{"limits.stall": "500ms"})
	line := g.dial()
	if err := line.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(line, "GET /fhir/metadata HTTP/1.1\r\nHost: %s\r\n\r\n", g.address)
	got, err := http.ReadResponse(bufio.NewReader(line), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for err == nil {
		time.Sleep(10 * time.Millisecond)
		var m int64
		m, err = io.CopyN(io.Discard, got.Body, 16<<10)
		n += m
	}
	if n != got.ContentLength || !errors.Is(err, io.EOF) {
		t.Errorf("%d of %d bytes: %v", n, got.ContentLength, err)
	}
}

// What a connection was given for one answer does not count for the next.
func TestAConnectionMayRestBetweenRequests(t *testing.T) {
	g := start(t, false, map[string]string{"limits.stall": "100ms"})
	line := g.dial()
	answers := bufio.NewReader(line)
	for _, tt := range []struct {
		method, path, headers, body string
		status                      int
	}{
		{"GET", "/fhir/Patient/nobody", "", "", 404},
		{"DELETE", "/fhir/Patient/nobody", "", "", 204},
		{"POST", "/fhir/Patient", "Prefer: return=minimal\r\nContent-Type: application/fhir+json\r\n", `{"resourceType":"Patient"}`, 201},
		{"POST", "/fhir/Patient", "Expect: 100-continue\r\nContent-Type: application/fhir+json\r\n", `{"resourceType":"Patient"}`, 100},
		{"", "", "", "", 201},
		{"OPTIONS", "/fhir/Patient/a", "", "", 204},
		{"GET", "/healthz", "", "", 200},
	} {
		if tt.method != "" {
			time.Sleep(200 * time.Millisecond)
			fmt.Fprintf(line, "%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %s\r\n\r\n%s", tt.method, tt.path, g.address, tt.headers, strconv.Itoa(len(tt.body)), tt.body)
		}
		got, err := http.ReadResponse(answers, nil)
		if err != nil || got.StatusCode != tt.status {
			t.Fatalf("%s %s: %v %v", tt.method, tt.path, got, err)
		}
		if _, err := io.Copy(io.Discard, got.Body); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAClientThatAsksTooOftenIsToldWhenToComeAgain(t *testing.T) {
	const limit = 5
	g := start(t, false, map[string]string{"limits.rate": strconv.Itoa(limit)})
	refused := 0
	for range 2*limit + 1 { // one of at most two minutes has more than the limit
		got, err := http.Get("http://" + g.address + "/fhir/Patient/nobody")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		got.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got.StatusCode == http.StatusNotFound {
			continue
		}
		refused++
		after, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if err != nil || after < 1 || after > 60 || got.StatusCode != http.StatusTooManyRequests || !strings.Contains(string(text), `"throttled"`) {
			t.Errorf("%d, Retry-After %q: %s", got.StatusCode, got.Header.Get("Retry-After"), text)
		}
	}
	if refused == 0 || refused > 2*limit {
		t.Errorf("%d of %d were refused", refused, 2*limit+1)
	}
	if got, err := http.Get("http://" + g.address + "/healthz"); err != nil || got.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v %v", got, err)
	}
}
