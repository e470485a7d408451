package server

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// minFlow is how many bytes a slow client gives or takes in a second, on average, not to
// be taken for one that keeps us waiting.
const minFlow = 1 << 10

// flow is what may come or go while one waits for so long.
func flow(stall time.Duration) int { return int(max(1, stall.Milliseconds()*minFlow/1000)) }

// patience bounds how long clients may keep a request or its answer waiting: in each
// stretch of that time, 1 KiB for each second has to come or go. What the server itself
// takes counts for nothing, nor does the time in which a body comes count as work on it.
func (p *process) patience() echo.MiddlewareFunc {
	stall := p.config.Limits.Stall
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			line := http.NewResponseController(c.Response().Writer)
			answer := &slowAnswer{ResponseWriter: c.Response().Writer, line: line, stall: stall}
			c.Response().Writer = answer
			if r := c.Request(); r.Body != nil && r.Body != http.NoBody {
				// The connection may have the bound of an answer before, and is written to
				// when the client waits to be asked for its body.
				_ = line.SetWriteDeadline(time.Time{})
				work, _ := r.Context().(*deadline)
				r.Body = &slowBody{ReadCloser: r.Body, line: line, stall: stall, work: work}
			}
			err := next(c)
			if err == nil && !c.Response().Committed {
				answer.expect()
			}
			return err
		}
	}
}

// slowBody is the body of a request. Its reading ends with os.ErrDeadlineExceeded when
// the client keeps it waiting.
type slowBody struct {
	io.ReadCloser
	line  *http.ResponseController
	stall time.Duration
	work  *deadline     // of the request, nil where it bounds its own
	left  time.Duration // of the present stretch
	wants int           // bytes until the next
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.wants <= 0 {
		b.left, b.wants = b.stall, flow(b.stall)
	}
	began := time.Now()
	_ = b.line.SetReadDeadline(began.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	took := time.Since(began)
	b.left -= took
	b.wants -= n
	if b.work != nil {
		b.work.extend(took)
	}
	if errors.Is(err, io.EOF) {
		_ = b.line.SetReadDeadline(time.Time{}) // from here on a read only tells that the client left
	}
	return n, err
}

// slowAnswer is where an answer goes. Writing fails when the client does not take it.
type slowAnswer struct {
	http.ResponseWriter
	line  *http.ResponseController
	stall time.Duration
	piece int // what may be written after the bound was set
}

// Unwrap is for http.ResponseController.
func (a *slowAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Most and least that is written with one bound: a line takes some at once, and more are
// more calls.
const (
	mostWritten  = 64 << 10
	leastWritten = 4 << 10
)

// expect bounds how long the next piece may take.
func (a *slowAnswer) expect() {
	a.piece = min(max(flow(a.stall), leastWritten), mostWritten)
	_ = a.line.SetWriteDeadline(time.Now().Add(a.stall))
}

func (a *slowAnswer) WriteHeader(status int) {
	a.expect()
	a.ResponseWriter.WriteHeader(status)
}

func (a *slowAnswer) Write(p []byte) (n int, err error) {
	for {
		if a.piece == 0 {
			a.expect()
		}
		m, err := a.ResponseWriter.Write(p[:min(len(p), a.piece)])
		n += m
		a.piece -= m
		if p = p[m:]; err != nil || len(p) == 0 {
			return n, err
		}
	}
}
