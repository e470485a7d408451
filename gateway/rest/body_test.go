package rest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Large bodies take turns; others do not wait for them.
func TestLargeBodiesTakeTurns(t *testing.T) {
	c := newClient(t)
	text := patient + strings.Repeat(" ", 900<<10) // two are more than the limit of 1 MiB
	post := func(ctx context.Context, body io.Reader, length int64, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "http://test"+path, body).WithContext(ctx)
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/fhir+json")
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, r)
		return w
	}
	for name, length := range map[string]int64{"of a known length": int64(len(text)), "of an unknown length": -1} {
		t.Run(name, func(t *testing.T) {
			from, to := io.Pipe()
			first := make(chan int, 1)
			go func() { first <- post(t.Context(), from, length, "/fhir/Patient").Code }()
			if _, err := io.WriteString(to, text[:600<<10]); err != nil { // its turn has come
				t.Fatal(err)
			}
			brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			late := post(brief, strings.NewReader(text), int64(len(text)), "/fhir/Patient")
			if late.Code != http.StatusServiceUnavailable || late.Header().Get("Retry-After") == "" {
				t.Errorf("one that waited too long: %d %s", late.Code, late.Body)
			}
			if got := post(t.Context(), strings.NewReader(patient), int64(len(patient)), "/fhir/Patient"); got.Code != http.StatusCreated {
				t.Errorf("a small one: %d %s", got.Code, got.Body)
			}
			second := make(chan int, 1)
			go func() {
				batch := bundleOf("batch", entry("POST", "Patient", patient), entry("POST", "Binary", `{"resourceType":"Binary","contentType":"text/plain","data":"`+strings.Repeat("YWFh", 100<<10)+`"}`))
				second <- post(t.Context(), strings.NewReader(batch+strings.Repeat(" ", 400<<10)), -1, "/fhir").Code
			}()
			if _, err := io.WriteString(to, text[600<<10:]); err != nil {
				t.Fatal(err)
			}
			to.Close()
			if got := <-first; got != http.StatusCreated {
				t.Errorf("the first: %d", got)
			}
			if got := <-second; got != http.StatusOK {
				t.Errorf("the second, a batch with a large entry: %d", got)
			}
		})
	}
}
