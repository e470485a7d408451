package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/source/upload"
	"github.com/yilian/yilian/gateway/store"
)

// inbox notes what is handed in, and answers as it is told.
type inbox struct {
	got    []ingest.Delivery
	accept ingest.Acceptance
	wait   func(ctx context.Context) ([]store.Record, error)
}

func (i *inbox) Accept(_ context.Context, d ingest.Delivery) (ingest.Acceptance, error) {
	i.got = append(i.got, d)
	return i.accept, nil
}

func (i *inbox) Wait(ctx context.Context, id string) ([]store.Record, error) {
	if id != i.accept.Receipt.ID {
		return nil, errors.New("waits for something else")
	}
	return i.wait(ctx)
}

// city sends for the city hospital alone.
type city struct{}

func (city) Viewer(r *http.Request) (interaction.Viewer, error) {
	if r.Header.Get("X-Test-Nobody") != "" {
		return interaction.Viewer{}, fault.New(fault.Unauthenticated, "nobody is known")
	}
	return interaction.Viewer{Client: "city", Institution: "city"}, nil
}

const limit = 1000

func serve(i *inbox) http.Handler {
	e := echo.New()
	upload.New(upload.Config{Inbox: i, Auth: city{}, Delivery: limit, Wait: 10 * time.Millisecond, Fail: func(c echo.Context, err error) error {
		a := fault.AnswerTo(err)
		return c.String(a.Status, a.Message)
	}}).Register(e)
	return e
}

// form writes files as a browser or curl does.
func form(t *testing.T, files ...string) (media string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range files {
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write([]byte("<" + name + ">"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

func TestWhatIsHandedInIsADelivery(t *testing.T) {
	media, files := form(t, "a.csv", "b.csv")
	tests := []struct {
		name, query, media, control string
		body                        []byte
		want                        ingest.Delivery
	}{
		{"a body is a file", "", "application/json", "", []byte(`{}`),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Bytes: []byte(`{}`)}}}},
		{"with a name and a source", "?name=x.json&source=lis", "application/json", "", []byte(`{}`),
			ingest.Delivery{Institution: "city", Source: "lis", Files: []ingest.File{{Name: "x.json", Bytes: []byte(`{}`)}}}},
		{"with the sender's own id", "", "", "D-7", []byte(`MSH|`),
			ingest.Delivery{Institution: "city", Control: "D-7", Files: []ingest.File{{Bytes: []byte(`MSH|`)}}}},
		{"what its sender calls a message is one", "", "application/hl7-v2; charset=GB18030", "", []byte(`hello`),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "message.hl7", Bytes: []byte(`hello`)}}}},
		{"what its sender calls XML is a document", "", "text/xml; charset=utf-16", "", []byte("\xFF\xFE<\x00"),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "document.xml", Bytes: []byte("\xFF\xFE<\x00")}}}},
		{"as is what it calls SOAP", "", "application/soap+xml", "", []byte(`<e/>`),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "document.xml", Bytes: []byte(`<e/>`)}}}},
		{"what its sender calls a workbook is one", "", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "", []byte(`PK`),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "workbook.xlsx", Bytes: []byte(`PK`)}}}},
		{"a name says more than a type", "?name=x.csv", "text/xml", "", []byte(`a`),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "x.csv", Bytes: []byte(`a`)}}}},
		{"a form is files in their order", "", media, "", files,
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Name: "a.csv", Bytes: []byte("<a.csv>")}, {Name: "b.csv", Bytes: []byte("<b.csv>")}}}},
		{"a body of exactly the limit", "", "", "", bytes.Repeat([]byte("x"), limit),
			ingest.Delivery{Institution: "city", Files: []ingest.File{{Bytes: bytes.Repeat([]byte("x"), limit)}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := &inbox{accept: ingest.Acceptance{Receipt: store.Receipt{Record: store.Record{ID: "r1"}, ControlUsed: true}}}
			r := httptest.NewRequest("POST", "/ingest/city"+test.query, bytes.NewReader(test.body))
			r.Header.Set("Content-Type", test.media)
			r.Header.Set("X-Delivery-Id", test.control)
			w := httptest.NewRecorder()
			serve(in).ServeHTTP(w, r)
			if diff := cmp.Diff([]ingest.Delivery{test.want}, in.got); diff != "" {
				t.Error(diff)
			}
			var answer upload.Answer
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusAccepted || answer.ID != "r1" || answer.Warning == "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestWhatCannotBeHandedInIsRefused(t *testing.T) {
	media, whole := form(t, "a.csv")
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	manyMedia, manyFiles := form(t, many...)
	tests := []struct {
		name, path, media string
		nobody            bool
		body              []byte
		limit             int64
		status            int
		text              string
	}{
		{"nobody", "/ingest/city", "", true, []byte("x"), limit, 401, "nobody is known"},
		{"another institution", "/ingest/county", "", false, []byte("x"), limit, 403, "another institution"},
		{"a body over the limit", "/ingest/city", "", false, bytes.Repeat([]byte("x"), limit+1), limit, 413, "over 1000 bytes"},
		{"a form over the limit", "/ingest/city", manyMedia, false, manyFiles, limit, 413, "over 1000 bytes"},
		{"a form of too many files", "/ingest/city", manyMedia, false, manyFiles, 1 << 20, 413, "more than 1000 files"},
		{"a form that ends early", "/ingest/city", media, false, whole[:len(whole)-10], limit, 400, "could not be read"},
		{"a form without a boundary", "/ingest/city", "multipart/form-data", false, whole, limit, 400, "the form cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := &inbox{}
			e := echo.New()
			upload.New(upload.Config{Inbox: in, Auth: city{}, Delivery: test.limit, Fail: func(c echo.Context, err error) error {
				a := fault.AnswerTo(err)
				return c.String(a.Status, a.Message)
			}}).Register(e)
			r := httptest.NewRequest("POST", test.path, bytes.NewReader(test.body))
			r.Header.Set("Content-Type", test.media)
			if test.nobody {
				r.Header.Set("X-Test-Nobody", "1")
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.text) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, test.status, test.text)
			}
			if len(in.got) > 0 {
				t.Errorf("%d deliveries came through", len(in.got))
			}
		})
	}
}

func TestWaitingTellsWhatBecameOfTheRecords(t *testing.T) {
	warning := fhir.Issue{Severity: fhir.Warning, Code: fhir.TypeValue, ID: "date-format", Expression: "Patient.birthDate", Origin: "PID-7", Line: 3, Column: 20, Text: "not a date"}
	in := &inbox{accept: ingest.Acceptance{Receipt: store.Receipt{Record: store.Record{ID: "r1"}, Duplicate: true}}}
	post := func() (int, upload.Answer) {
		t.Helper()
		w := httptest.NewRecorder()
		serve(in).ServeHTTP(w, httptest.NewRequest("POST", "/ingest/city?wait=1", strings.NewReader("x")))
		var answer upload.Answer
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Code, answer
	}
	in.wait = func(context.Context) ([]store.Record, error) {
		return []store.Record{
			{ID: "r2", State: store.Committed, Type: "ADT^A08", Name: "a.hl7", Reason: interaction.Reason([]fhir.Issue{warning})},
			{ID: "r3", State: store.Unchanged},
		}, nil
	}
	status, answer := post()
	want := upload.Answer{ID: "r1", Duplicate: true, Records: []upload.Record{
		{ID: "r2", State: store.Committed, Type: "ADT^A08", File: "a.hl7", Issues: []fhir.Issue{warning}}, // a warning about a committed record is told
		{ID: "r3", State: store.Unchanged},
	}}
	if diff := cmp.Diff(want, answer); diff != "" || status != http.StatusOK {
		t.Errorf("%d %s", status, diff)
	}
	in.wait = func(ctx context.Context) ([]store.Record, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if status, answer := post(); status != http.StatusAccepted || answer.ID != "r1" || answer.Records != nil {
		t.Errorf("work that goes on: %d %+v", status, answer)
	}
}

func TestASenderOfHL7IsAnsweredWithAnAcknowledgement(t *testing.T) {
	in := &inbox{accept: ingest.Acceptance{Ack: []byte("MSH|\rMSA|AA|1\r")}}
	for accept, want := range map[string]string{
		"application/hl7-v2": "MSH|\rMSA|AA|1\r", "x-application/hl7-v2+er7": "MSH|\rMSA|AA|1\r", "application/json": "{\"id\":\"\"}\n", "": "{\"id\":\"\"}\n",
	} {
		r := httptest.NewRequest("POST", "/ingest/city", strings.NewReader("MSH|"))
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		if serve(in).ServeHTTP(w, r); w.Body.String() != want {
			t.Errorf("Accept %q: %d %q", accept, w.Code, w.Body)
		}
	}
}
