package bench_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// kept is an answer that the echo gives again.
type kept struct{ ETag, ContentType, Body string }

// sample is how many of the resources the echo knows; it is asked for no others.
const sample = 2000

// echoAnswers serves the answers of a file from memory: what a server over the same router costs that does nothing else.
func echoAnswers(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	answers := map[string]kept{}
	if err := errors.Join(gob.NewDecoder(f).Decode(&answers), f.Close()); err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/fhir/:type/:id", func(c echo.Context) error {
		a, ok := answers[c.Param("type")+"/"+c.Param("id")]
		if !ok {
			return echo.ErrNotFound
		}
		c.Response().Header().Set("ETag", a.ETag)
		return c.Blob(http.StatusOK, a.ContentType, []byte(a.Body))
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	go func() { untilInputEnds(); _ = s.Shutdown(context.Background()) }()
	fmt.Println(l.Addr())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startEcho takes answers of reads from the server and starts an echo of them.
func startEcho(t testing.TB, g target, s *stored) (*process, []string) {
	t.Helper()
	answers := map[string]kept{}
	var refs []string
	g.run(time.Minute, 1, 2, func(w *worker) bool {
		types := [...]string{"Patient", "Encounter", "ServiceRequest", "Observation"}
		_, ref := s.pick(w, types[len(refs)%len(types)])
		a, ok := w.ask("read", "GET", "/fhir/"+ref, "", nil, 200)
		if !ok {
			t.Errorf("reading for the echo: %s", w.first)
			return false
		}
		answers[ref] = kept{a.etag, a.contentType, string(a.body)}
		refs = append(refs, ref)
		return len(refs) < sample
	})
	file := filepath.Join(t.TempDir(), "answers")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(answers), f.Close()); err != nil {
		t.Fatal(err)
	}
	return start(t, "echo", file, ""), refs
}
