package reference_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/testscript/reference"
	"github.com/yilian/yilian/conformance/validate"
)

// ask makes a request: "METHOD path", headers as "Name: value", then a body.
func ask(t testing.TB, h http.Handler, line, headers, body string) *httptest.ResponseRecorder {
	t.Helper()
	method, target, _ := strings.Cut(line, " ")
	req := httptest.NewRequest(method, "http://ref.test"+reference.Prefix+target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for h := range strings.SplitSeq(headers, "\n") {
		if name, value, ok := strings.Cut(h, ": "); ok {
			req.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

const patient = `{"resourceType":"Patient","id":"a","name":[{"family":"Suo"}],"birthDate":"1990-03-01"}`

func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		name, line, headers, body string
		want                      int
	}{
		{"reads", "GET /Patient/a", "", "", 200},
		{"knows its own version", "GET /Patient/a", `If-None-Match: W/"1"`, "", 304},
		{"has no such resource", "GET /Patient/b", "", "", 404},
		{"has no such type", "GET /Nonsense/b", "", "", 404},
		{"has no such version", "GET /Patient/a/_history/7", "", "", 404},
		{"has no such path", "GET /Patient/a/b/c/d", "", "", 404},
		{"has no such operation", "POST /Patient/$nothing", "", "{}", 404},
		{"refuses methods", "POST /Patient/a", "", patient, 405},
		{"refuses answers it cannot give", "GET /Patient/a", "Accept: text/html", "", 406},
		{"takes the format from the URL", "GET /Patient/a?_format=xml", "Accept: text/html", "", 200},
		{"refuses bodies it cannot read", "POST /Patient", "Content-Type: text/plain", "x", 415},
		{"refuses broken JSON", "POST /Patient", "", "{", 400},
		{"refuses broken XML", "POST /Patient", "Content-Type: application/fhir+xml", "<a", 400},
		{"refuses another type", "POST /Group", "", patient, 400},
		{"refuses ids that are none", "PUT /Patient/a_b", "", strings.Replace(patient, `"a"`, `"a_b"`, 1), 400},
		{"refuses what is invalid", "POST /Patient", "", `{"resourceType":"Patient","gender":"x"}`, 422},
		{"refuses large bodies", "POST /Patient", "", strings.Repeat(" ", reference.MaxBody+1), 413},
		{"refuses unknown parameters", "GET /Patient?nonsense=1", "", "", 400},
		{"leaves them out when asked to", "GET /Patient?nonsense=1", "Prefer: handling=lenient", "", 200},
		{"refuses unknown modifiers", "GET /Patient?family:nearly=x", "", "", 400},
		{"refuses unknown parameters in chains", "GET /Observation?subject:Patient.nonsense=1", "", "", 400},
		{"refuses endless chains", "GET /Patient?link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name=x", "", "", 400},
		{"refuses unknown orders", "GET /Patient?_sort=nonsense", "", "", 400},
		{"refuses unknown includes", "GET /Patient?_include=Patient:nonsense", "", "", 400},
		{"refuses unknown summaries", "GET /Patient?_summary=some", "", "", 400},
		{"gives all of a patient", "GET /Patient/a/$everything", "", "", 200},
		{"gives nothing of nobody", "GET /Patient/b/$everything", "", "", 404},
		{"refuses dates that are none", "GET /Patient?birthdate=soon", "", "", 400},
		{"refuses a delete of everything", "DELETE /Patient", "", "", 412},
		{"refuses a patch of nothing", "PATCH /Patient/b", "Content-Type: application/json-patch+json", "[]", 404},
		{"refuses a patch that does not fit", "PATCH /Patient/a", "Content-Type: application/json-patch+json", `[{"op":"test","path":"/gender","value":"x"}]`, 422},
		{"refuses a Bundle of no kind", "POST /", "", `{"resourceType":"Bundle","type":"collection"}`, 400},
		{"searches by POST", "POST /Patient/_search", "Content-Type: application/x-www-form-urlencoded", "family=suo", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := reference.New()
			n, err := fhir.Parse([]byte(patient), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			s.Put(n)
			w := ask(t, s, tt.line, tt.headers, tt.body)
			if w.Code != tt.want {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if w.Code >= 400 && !strings.Contains(w.Body.String(), "OperationOutcome") {
				t.Errorf("no OperationOutcome: %s", w.Body)
			}
		})
	}
}

func TestSearchSelects(t *testing.T) {
	s := reference.New()
	for _, text := range []string{
		`{"resourceType":"Observation","id":"a","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-05-06T10:00:00+08:00","valueQuantity":{"value":6.3,"unit":"mmol/L"}}`,
		`{"resourceType":"Observation","id":"b","status":"amended","code":{"coding":[{"system":"urn:other","code":"1"}]},"subject":{"reference":"Patient/q"},"effectivePeriod":{"start":"2024-06-01"},"valueQuantity":{"value":10}}`,
	} {
		n, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s.Put(n)
	}
	for _, text := range []string{
		`{"resourceType":"Patient","id":"p","name":[{"family":"Suo"}],"birthDate":"1990-01-02"}`,
		`{"resourceType":"Patient","id":"q","name":[{"family":"Li"}],"birthDate":"1991-01-02"}`,
	} {
		n, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s.Put(n)
	}
	for query, want := range map[string]string{
		"": "ab", "_id=a": "a", "_id=a,b": "ab", "status=final": "a", "status:not=final": "b", "code=1": "ab",
		"code=http://loinc.org|1": "a", "code=http://loinc.org|": "a", "code=http://loinc.org|2": "", "subject=Patient/p": "a",
		"subject=q": "b", "subject=http://ref.test/fhir/Patient/q": "b", "patient=p": "a", "date=2024-05-06": "a", "date=gt2024-05-07": "b",
		"date=lt2024-05-07": "a", "date=ge2024-05": "ab", "date=2023": "", "value-quantity=6.30": "a", "value-quantity=gt6.3": "b",
		"value-quantity=le10": "ab", "value-quantity=6.3||mmol/L": "a", "value-quantity=6.3||g": "", "status=final&code=2": "",
		"subject:missing=true": "", "subject:missing=false": "ab", "_sort=-_id": "ba", "_sort=date": "ab", "_sort=-date": "ba",
		"_sort=value-quantity,_id": "ab", "subject:Patient.family=suo": "a", "patient.family=li": "b", "subject.birthdate=ge1991": "b",
		"patient._has:Observation:patient:status=final": "a", "subject:Patient=q": "b",
	} {
		w := ask(t, s, "GET /Observation?"+query, "", "")
		n, err := fhir.Parse(w.Body.Bytes(), fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range n.Get("entry").Items() {
			got += e.Get("resource").ID()
		}
		if got != want || n.Get("total").Text() != fmt.Sprint(len(want)) {
			t.Errorf("%q finds %q of %s, want %q", query, got, n.Get("total").Text(), want)
		}
	}
}

func TestAnswersAreValid(t *testing.T) {
	s := reference.New()
	ask(t, s, "PUT /Patient/a", "", patient)
	ask(t, s, "DELETE /Patient/a", "", "")
	ask(t, s, "PUT /Patient/a", "", patient)
	transaction := `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/a"}},{"request":{"method":"DELETE","url":"Patient/b"}}]}`
	v := validate.New(definitions.R4(), validate.Options{})
	for _, q := range []struct{ line, body string }{{"GET /metadata", ""}, {"GET /Patient", ""}, {"GET /Patient/a/_history", ""}, {"GET /_history", ""},
		{"POST /", transaction}, {"GET /Nonsense", ""}} {
		w := ask(t, s, q.line, "", q.body)
		n, err := fhir.Parse(w.Body.Bytes(), fhir.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", q.line, err)
		}
		for _, i := range v.Resource(n) {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				t.Errorf("%s: %v", q.line, i)
			}
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	srv := httptest.NewServer(reference.New())
	defer srv.Close()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				resp, err := http.Post(srv.URL+reference.Prefix+"/Patient", "application/fhir+json", strings.NewReader(patient))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	wait.Wait()
	resp, err := http.Get(srv.URL + reference.Prefix + "/Patient?_summary=count")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(body), `"total":160`) {
		t.Errorf("%s", body)
	}
}

func FuzzServer(f *testing.F) {
	f.Add("POST /Patient", "application/fhir+json", patient)
	f.Add("GET /Patient?birthdate=gt1990&name:exact=x&_count=-1", "", "")
	f.Add("PATCH /Patient/a", "application/json-patch+json", `[{"op":"remove","path":"/name"}]`)
	f.Add("POST /", "application/fhir+json", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Patient"}}]}`)
	f.Fuzz(func(t *testing.T, line, content, body string) {
		method, target, _ := strings.Cut(line, " ")
		req, err := http.NewRequest(method, "http://ref.test"+reference.Prefix+target, strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", content)
		w := httptest.NewRecorder()
		s := reference.New()
		n, _ := fhir.Parse([]byte(patient), fhir.Limits{})
		s.Put(n)
		s.ServeHTTP(w, req)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("status %d", w.Code)
		}
	})
}
