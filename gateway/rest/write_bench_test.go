package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/rest"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// forgetful is a store that takes every write and keeps nothing, so that what is
// measured over it is the gateway's own share.
type forgetful struct{ interaction.Store }

func (forgetful) Update(ctx context.Context, fn func(context.Context, store.Tx) error) error {
	return fn(ctx, forgetfulTx{})
}

type forgetfulTx struct{ store.Tx }

func (forgetfulTx) Begin(context.Context, store.Foresight) error { return nil }

func (forgetfulTx) Put(_ context.Context, p *store.Put) (store.Version, error) {
	now := time.Date(2025, 6, 1, 8, 0, 0, 0, time.UTC)
	return store.Version{Key: p.Key, Number: 1, Updated: now, Owner: p.Owner, Body: p.Render(1, now)}, nil
}

func (forgetfulTx) HoldState(context.Context, string, int64) error { return nil }

func (forgetfulTx) Waiting(context.Context, string, []store.Identifier) ([]store.Pending, error) {
	return nil, nil
}

func (forgetfulTx) Features(context.Context, []store.Identifier, []string) ([]store.Features, error) {
	return nil, nil
}

func (forgetfulTx) SetFeatures(context.Context, store.Features) error { return nil }

func (forgetfulTx) LinkOf(context.Context, string) (store.Link, bool, error) {
	return store.Link{}, false, nil
}

func (forgetfulTx) NewPerson(context.Context, store.Person) error { return nil }

func (forgetfulTx) SetLink(context.Context, store.Link) error { return nil }

// fullPatient and fullObservation are as a hospital sends them; n tells them apart.
func fullPatient(n int) string {
	return fmt.Sprintf(`{"resourceType":"Patient",
"extension":[{"url":"https://yilian.dev/fhir/StructureDefinition/ethnicity","valueCoding":{"system":"urn:oid:2.16.156.10011.2.3.3.3","code":"01","display":"汉族"}}],
"identifier":[
 {"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/city/patient","value":"P%08d"},
 {"use":"official","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NI"}]},"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],
"active":true,"name":[{"use":"official","text":"欧阳文博","family":"欧阳","given":["文博"]}],
"telecom":[{"system":"phone","value":"12%09d","use":"mobile","rank":1}],"gender":"female","birthDate":"1990-01-01","deceasedBoolean":false,
"address":[{"use":"home","type":"both","text":"示范省衡远市示范区一号路%d号","line":["一号路%d号"],"city":"衡远市","district":"示范区","state":"示范省","postalCode":"999000","country":"CHN"}],
"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}],"text":"已婚"},
"contact":[{"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N"}]}],"name":{"text":"测试家属"},"telecom":[{"system":"phone","value":"12000000002"}]}]}`,
		n, n, n%900, n%900)
}

func fullObservation(n int, patient string) string {
	return fmt.Sprintf(`{"resourceType":"Observation",
"identifier":[{"use":"official","system":"https://yilian.dev/fhir/institution/city/result","value":"O%010d"}],
"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}],"text":"检验"}],
"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin [Mass/volume] in Blood"},{"system":"https://yilian.dev/fhir/institution/city/item","code":"HGB","display":"血红蛋白"}],"text":"血红蛋白"},
"subject":{"reference":"%s"},"effectiveDateTime":"2025-06-01T08:00:00+08:00","issued":"2025-06-01T10:00:00+08:00",
"performer":[{"identifier":{"system":"urn:oid:2.16.156.10011.1.26","value":"99000000"},"display":"示范市人民医院检验科"}],
"valueQuantity":{"value":130.5,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},
"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}],"text":"正常"}],
"referenceRange":[{"low":{"value":115,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"high":{"value":150,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"text":"115-150"}]}`, n, patient)
}

// fullPair is a transaction of both.
func fullPair(n int) string {
	who := fmt.Sprintf("urn:uuid:6a1f9f0e-0000-4000-8000-%012d", n)
	return fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"%s","resource":%s,"request":{"method":"POST","url":"Patient"}},`+
		`{"fullUrl":"urn:uuid:6a1f9f0e-0000-4000-9000-%012d","resource":%s,"request":{"method":"POST","url":"Observation"}}]}`, who, fullPatient(n), n, fullObservation(n, who))
}

// BenchmarkWrite is the gateway's share of writes: all but the network and the store.
func BenchmarkWrite(b *testing.B) {
	defs := definitions.R4()
	engine := interaction.New(interaction.Config{
		Store: forgetful{}, Definitions: defs, Validator: validate.New(defs, validate.Options{Thorough: true, NoBestPractice: true}),
		Index:    search.New(defs, search.Options{Bases: []string{"http://test/fhir"}}),
		Identity: identity.New(identity.DefaultSystems("https://yilian.dev")),
		Base:     "https://yilian.dev", FHIRBase: "http://test/fhir",
	})
	h := rest.New(rest.Config{Engine: engine, Auth: header{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Path: "/fhir"})
	server := echo.New()
	h.Register(server)
	for _, bb := range []struct {
		name, path string
		body       func(n int) string
		status     int
	}{
		{"pair", "", fullPair, http.StatusOK},
		{"Patient", "/Patient", fullPatient, http.StatusCreated},
		{"Observation", "/Observation", func(n int) string { return fullObservation(n, "Patient/p") }, http.StatusCreated},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bodies := make([][]byte, 64)
			for n := range bodies {
				bodies[n] = []byte(bb.body(n))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequest("POST", "http://test/fhir"+bb.path, bytes.NewReader(bodies[i%len(bodies)]))
				r.Header.Set("Content-Type", "application/fhir+json")
				w := httptest.NewRecorder()
				server.ServeHTTP(w, r)
				if w.Code != bb.status {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
