package rest_test

import (
	"net/http/httptest"
	"testing"
)

// BenchmarkRead is what a read costs behind the network.
func BenchmarkRead(b *testing.B) {
	c := newClient(b)
	id := c.create("Patient", patient)
	for _, accept := range []string{"application/fhir+json", "application/fhir+xml", "text/html, application/xml;q=0.9, */*;q=0.8"} {
		b.Run(accept, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", "http://test/fhir/Patient/"+id, nil)
				r.Header.Set("Accept", accept)
				w := httptest.NewRecorder()
				c.server.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkPage is what a page of 50 resources costs, as it is and compressed.
func BenchmarkPage(b *testing.B) {
	c := newClient(b)
	for range 50 {
		c.create("Patient", patient)
	}
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", "http://test/fhir/Patient?gender=female", nil)
				r.Header.Set("Accept-Encoding", encoding)
				w := httptest.NewRecorder()
				c.server.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
				b.ReportMetric(float64(w.Body.Len()), "bytes")
			}
		})
	}
}
