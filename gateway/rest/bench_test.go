package rest_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
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

// BenchmarkTransaction is what a transaction of a Patient and an Observation costs
// behind the network.
func BenchmarkTransaction(b *testing.B) {
	c := newClient(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[
{"fullUrl":"urn:uuid:6a1f9f0e-0000-4000-8000-%012d","request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patient",
"identifier":[{"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:example:mrn","value":"B%d"}],
"name":[{"use":"official","text":"王测试","family":"王","given":["测试"]}],"gender":"female","birthDate":"1980-01-01","telecom":[{"system":"phone","value":"12000000001"}],
"address":[{"use":"home","text":"示范省衡远市示范区一号路1号","city":"衡远市","district":"示范区","state":"示范省"}]}},
{"fullUrl":"urn:uuid:6a1f9f0e-0000-4000-9000-%012d","request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation","status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin"}],"text":"血红蛋白"},
"subject":{"reference":"urn:uuid:6a1f9f0e-0000-4000-8000-%012d"},"effectiveDateTime":"2025-06-01T08:00:00+08:00",
"valueQuantity":{"value":130,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"referenceRange":[{"low":{"value":115},"high":{"value":150}}]}}]}`, i, i, i, i)
		r := httptest.NewRequest("POST", "http://test/fhir", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/fhir+json")
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}
