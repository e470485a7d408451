package testscript_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/reference"
	"github.com/yilian/yilian/conformance/validate"
)

const (
	patientFixture = `{"resourceType":"Patient","id":"f1","identifier":[{"system":"urn:s","value":"${run}"}],"gender":"female"}`
	createPatient  = `{"operation":{"type":{"code":"create"},"resource":"Patient","encodeRequestUrl":true,"sourceId":"p","responseId":"created"}}`
	readPatient    = `{"operation":{"type":{"code":"read"},"encodeRequestUrl":true,"targetId":"p"}}`
	readMissing    = `{"operation":{"type":{"code":"read"},"resource":"Patient","encodeRequestUrl":true,"params":"/none"}}`
	isOK           = `{"assert":{"response":"okay","warningOnly":false}}`
)

// script makes a script of JSON parts: what stands before the tests, and the actions of its tests.
func script(head string, tests ...string) string {
	if head != "" {
		head += ","
	}
	var parts []string
	for i, actions := range tests {
		parts = append(parts, fmt.Sprintf(`{"name":"t%d","action":[%s]}`, i+1, actions))
	}
	return `{"resourceType":"TestScript","id":"s","url":"https://yilian.dev/fhir/TestScript/s","name":"s","status":"active",` +
		`"fixture":[{"id":"p","autocreate":false,"autodelete":false,"resource":{"reference":"patient.json"}}],` +
		head + `"test":[` + strings.Join(parts, ",") + `]}`
}

func load(t testing.TB, text string) *testscript.Suite {
	t.Helper()
	suite, err := testscript.Load(fstest.MapFS{
		"s/script.json":  {Data: []byte(text)},
		"s/patient.json": {Data: []byte(patientFixture)},
		"s/notes.txt":    {Data: []byte("not a script")},
	}, "s")
	if err != nil {
		t.Fatal(err)
	}
	return suite
}

func serve(t testing.TB, h http.Handler) testscript.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return testscript.Server{Base: srv.URL + reference.Prefix}
}

func run(t testing.TB, r testscript.Runner, text string, servers ...testscript.Server) testscript.Report {
	t.Helper()
	report, err := r.Run(context.Background(), load(t, text), servers)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// outcome is the results of all actions: setup | tests | teardown.
func outcome(s testscript.ScriptReport) string {
	list := func(actions []testscript.ActionReport) string {
		var out []string
		for _, a := range actions {
			out = append(out, string(a.Result))
		}
		return strings.Join(out, " ")
	}
	var tests []string
	for _, test := range s.Tests {
		tests = append(tests, list(test.Actions))
	}
	return string(s.Result) + ": " + list(s.Setup) + " | " + strings.Join(tests, ", ") + " | " + list(s.Teardown)
}

func TestScriptsThatAreWrongAreReported(t *testing.T) {
	setup := func(actions string) string { return `"setup":{"action":[` + actions + `]}` }
	variable := func(v string) string { return `"variable":[` + v + `]` }
	assert := func(a string) string { return `{"assert":{` + a + `,"warningOnly":false}}` }
	operation := func(o string) string { return `{"operation":{` + o + `,"encodeRequestUrl":true}}` }
	for _, tt := range []struct {
		name, script, want, message string
	}{
		{"a status that did not come", script("", readMissing+","+isOK+","+isOK), "fail:  | pass fail skip | ", "the status is 404, wanted 200"},
		{"a warning only", script("", readMissing+`,{"assert":{"response":"okay","warningOnly":true}}`), "warning:  | pass warning | ", "the status is 404"},
		{"a test that fails does not stop the next", script("", readMissing+","+isOK, readMissing), "fail:  | pass fail, pass | ", ""},
		{"a setup that fails skips the tests, not the teardown",
			script(setup(readMissing+","+isOK)+`,"teardown":{"action":[`+readMissing+`]}`, createPatient, readPatient),
			"fail: pass fail | skip, skip | pass", "wanted 200"},
		{"a variable nobody declared", script("", operation(`"type":{"code":"read"},"resource":"Patient","params":"/${x}"`)), "error:  | error | ", "no variable x"},
		{"a variable without a value", script(variable(`{"name":"x","hint":"[x]"}`), operation(`"type":{"code":"read"},"resource":"Patient","params":"/${x}"`)), "error:  | error | ", "one must be given"},
		{"a variable with several values", script(variable(`{"name":"x","path":"//@value","sourceId":"p"}`), operation(`"type":{"code":"read"},"url":"Patient/${x}"`)), "error:  | error | ", "4 values, one is wanted"},
		{"a variable of an answer that did not come", script(variable(`{"name":"x","path":"//id","sourceId":"c"}`), operation(`"type":{"code":"read"},"url":"Patient/${x}"`)), "error:  | error | ", "no fixture, request or response c"},
		{"a variable of an expression that finds nothing", script(variable(`{"name":"x","expression":"Patient.name.family","sourceId":"p"}`), operation(`"type":{"code":"read"},"url":"Patient/${x}"`)), "error:  | error | ", "finds nothing"},
		{"a variable that is no primitive", script(variable(`{"name":"x","expression":"Patient.identifier","sourceId":"p"}`), operation(`"type":{"code":"read"},"url":"Patient/${x}"`)), "error:  | error | ", "with children"},
		{"a fixture that is not there", script("", operation(`"type":{"code":"create"},"resource":"Patient","sourceId":"q"`)), "error:  | error | ", "no fixture, request or response q"},
		{"an assertion of nothing", script("", readMissing+","+assert(`"label":"x"`)), "error:  | pass error | ", "asserts nothing"},
		{"an assertion of two things", script("", readMissing+","+assert(`"response":"notFound","contentType":"json"`)), "error:  | pass error | ", "tst-5"},
		{"an operator of its own", script("", readMissing+","+assert(`"response":"notFound","operator":"like"`)), "error:  | pass error | ", "operator"},
		{"a direction of its own", script("", readMissing+","+assert(`"response":"notFound","direction":"sideways"`)), "error:  | pass error | ", "direction"},
		{"a response code of its own", script("", readMissing+","+assert(`"response":"fine"`)), "error:  | pass error | ", "no code of TestScript"},
		{"an assertion before any response", script("", isOK), "error:  | error | ", "no response yet"},
		{"FHIRPath that is none", script("", readMissing+","+assert(`"expression":"Patient.("`)), "error:  | pass error | ", "cannot be compiled"},
		{"an expression that is false", script("", readMissing+","+assert(`"expression":"issue.empty()"`)), "fail:  | pass fail | ", "is not true"},
		{"an expression that gives nothing", script("", readMissing+","+assert(`"expression":"name"`)), "fail:  | pass fail | ", "is not true"},
		{"XPath that is none", script("", readMissing+","+assert(`"path":"a[","value":"x"`)), "error:  | pass error | ", "ends too early"},
		{"a path that finds another value", script("", readMissing+","+assert(`"path":"OperationOutcome/issue/code/@value","value":"x"`)), "fail:  | pass fail | ", "wanted x"},
		{"a comparison with nothing, by expression", script("", createPatient+","+assert(`"compareToSourceId":"p","compareToSourceExpression":"Patient.nmae","expression":"Patient.nmae"`)), "error:  | pass error | ", "finds nothing in source p"},
		{"a comparison with nothing, by path", script("", createPatient+","+assert(`"compareToSourceId":"p","compareToSourcePath":"Patient/nmae","path":"Patient/nmae"`)), "error:  | pass error | ", "finds nothing in source p"},
		{"a comparison with nothing, by header", script("", createPatient+","+assert(`"compareToSourceId":"p","headerField":"X-None"`)), "error:  | pass error | ", "source p has no header"},
		{"a comparison that does not hold", script("", createPatient+","+assert(`"compareToSourceId":"p","compareToSourceExpression":"Patient.id","operator":"equals"`)), "fail:  | pass fail | ", "gives 1 values"},
		{"another value than one side has", script("", createPatient+","+assert(`"compareToSourceId":"p","compareToSourceExpression":"Patient.id","expression":"Patient.name","operator":"equals"`)), "fail:  | pass fail | ", "gives 0 values"},
		{"a path that differs from the source's", script("", createPatient+","+assert(`"compareToSourceId":"p","compareToSourcePath":"$.id","path":"$.id"`)), "fail:  | pass fail | ", "source p"},
		{"a method that was not used", script("", readMissing+","+assert(`"requestMethod":"delete"`)), "fail:  | pass fail | ", "the method is GET, wanted DELETE"},
		{"a URL that was not asked", script("", readMissing+","+assert(`"requestURL":"/Group/none"`)), "fail:  | pass fail | ", "URL of the request"},
		{"a minimum that is not met", script("", readMissing+","+assert(`"minimumId":"p"`)), "fail:  | pass fail | ", "at resourceType"},
		{"links of what is no Bundle", script("", readMissing+","+assert(`"navigationLinks":true`)), "fail:  | pass fail | ", "no Bundle"},
		{"a header that is absent", script("", readMissing+","+assert(`"headerField":"X-None"`)), "fail:  | pass fail | ", "X-None is absent"},
		{"another content type", script("", readMissing+","+assert(`"contentType":"xml"`)), "fail:  | pass fail | ", `wanted application/fhir+xml`},
		{"a profile nobody named", script("", readMissing+","+assert(`"validateProfileId":"x"`)), "error:  | pass error | ", "no profile x"},
		{"a profile nobody knows", script(`"profile":[{"id":"x","reference":"http://example.org/x"}]`, readMissing+","+assert(`"validateProfileId":"x"`)), "error:  | pass error | ", "is not known"},
		{"a profile of another type", script(`"profile":[{"id":"x","reference":"http://hl7.org/fhir/StructureDefinition/Patient"}]`, readMissing+","+assert(`"validateProfileId":"x"`)), "fail:  | pass fail | ", "the profile is for Patient"},
		{"a method of its own", script("", operation(`"method":"brew","url":"Patient"`)), "error:  | error | ", "method"},
		{"an operation without type and method", script("", operation(`"url":"Patient"`)), "error:  | error | ", "neither a type nor a method"},
		{"a read of nothing", script("", operation(`"type":{"code":"read"},"resource":"Patient"`)), "error:  | error | ", "which resource"},
		{"a URL elsewhere", script("", operation(`"type":{"code":"read"},"url":"http://192.0.2.1/fhir/Patient/1"`)), "error:  | error | ", "not below the base"},
		{"a URL above the base", script("", operation(`"type":{"code":"read"},"url":"../secret"`)), "error:  | error | ", "not below the base"},
		{"a URL above the base, in percents", script("", operation(`"type":{"code":"read"},"url":"%2e%2e/secret"`)), "error:  | error | ", "not below the base"},
		{"a user in a URL", script("", operation(`"type":{"code":"read"},"url":"http://a:b@localhost/fhir/x"`)), "error:  | error | ", "not below the base"},
		{"a header that is not the script's to set", script("", operation(`"type":{"code":"read"},"url":"Patient/1","requestHeader":[{"field":"host","value":"x"}]`)), "error:  | error | ", "cannot be set"},
		{"a line break in a header", script("", operation(`"type":{"code":"read"},"url":"Patient/1","requestHeader":[{"field":"X-A","value":"a\r\nB: c"}]`)), "error:  | error | ", "could not be asked"},
		{"a blank in a URL that must not be encoded", script("", `{"operation":{"type":{"code":"read"},"url":"Patient/a b","encodeRequestUrl":false}}`), "error:  | error | ", "unencoded"},
		{"a destination too many", script("", operation(`"type":{"code":"read"},"url":"Patient/1","destination":2`)), "error:  | error | ", "destination 2 has no server"},
		{"a destination the script does not have", script(`"destination":[{"index":1,"profile":{"code":"FHIR-Server"}}]`, operation(`"type":{"code":"read"},"url":"Patient/1","destination":3`)), "error:  | error | ", "no destination"},
		{"an assertion in the teardown", script(`"teardown":{"action":[`+isOK+`]}`, readMissing), "error:  |  | ", "teardown"},
		{"an action that is nothing", script("", `{}`), "error:  |  | ", "either an operation or an assertion"},
		{"an action that is both", script("", `{"operation":{},"assert":{}}`), "error:  |  | ", "either an operation or an assertion"},
		{"a test without actions", script("", ``), "error:  | error | ", "no actions"},
		{"no tests", `{"resourceType":"TestScript","status":"active"}`, "error:  |  | ", "nothing to run"},
		{"text that is no JSON", `{"resourceType":"TestScript",`, "error:  |  | ", "script.json"},
		{"two variables of one name", script(variable(`{"name":"x","defaultValue":"1"},{"name":"x","defaultValue":"2"}`), readMissing), "error:  |  | ", "twice"},
		{"a variable from two places", script(variable(`{"name":"x","path":"a","expression":"b"}`), readMissing), "error:  |  | ", "more than one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := run(t, testscript.Runner{Variables: map[string]string{"run": "r1"}}, tt.script, serve(t, reference.New()))
			s := report.Scripts[0]
			if got := outcome(s); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if all := s.Message + problems(s); !strings.Contains(all, tt.message) {
				t.Errorf("%q is not said, but %q", tt.message, all)
			}
			if report.OK() != (s.Result == testscript.Warning) {
				t.Errorf("the report says %t", report.OK())
			}
		})
	}
}

func TestAssertionsThatHold(t *testing.T) {
	for _, a := range []string{
		`"response":"created"`, `"responseCode":"200","operator":"greaterThan"`, `"responseCode":"200,201","operator":"in"`,
		`"responseCode":"404","operator":"notEquals"`, `"contentType":"application/fhir+json"`, `"contentType":"xml","operator":"notEquals"`,
		`"headerField":"location","operator":"notEmpty"`, `"headerField":"X-None","operator":"empty"`, `"headerField":"ETag","value":"W/\"1\""`,
		`"direction":"request","headerField":"Content-Type","operator":"contains","value":"json"`,
		`"direction":"request","resource":"Patient"`, `"requestMethod":"post"`, `"requestURL":"/Patient"`, `"requestURL":"Patient","operator":"contains"`,
		`"resource":"Patient"`, `"resource":"Group","operator":"notEquals"`,
		`"expression":"Patient.gender = 'female'"`, `"expression":"gender","operator":"in","value":"male,female"`,
		`"expression":"gender = 'female'","operator":"eval"`, `"expression":"name","operator":"empty"`,
		`"expression":"identifier.value","value":"${run}"`, `"expression":"identifier.count()","operator":"lessThan","value":"2"`,
		`"path":"$.gender","value":"female"`, `"path":"Patient/gender","operator":"notContains","value":"mali"`,
		`"compareToSourceId":"p","compareToSourceExpression":"Patient.gender","operator":"equals"`,
		`"compareToSourceId":"p","compareToSourceExpression":"Patient.id","expression":"Patient.id","operator":"notEquals"`,
		`"compareToSourceId":"p","compareToSourcePath":"Patient/gender","path":"Patient/gender"`,
		`"compareToSourceId":"created","headerField":"ETag"`,
		`"minimumId":"sent"`, `"navigationLinks":false`, `"validateProfileId":"base"`, `"sourceId":"created","response":"created"`,
		`"sourceId":"p","expression":"id","value":"f1"`,
	} {
		t.Run(a, func(t *testing.T) {
			head := `"profile":[{"id":"base","reference":"http://hl7.org/fhir/StructureDefinition/DomainResource"}],"variable":[{"name":"run","defaultValue":"r1"}]`
			create := strings.Replace(createPatient, `"responseId"`, `"requestId":"sent","responseId"`, 1)
			report := run(t, testscript.Runner{}, script(head, create+`,{"assert":{`+a+`,"warningOnly":false}}`), serve(t, reference.New()))
			if got := outcome(report.Scripts[0]); got != "pass:  | pass pass | " {
				t.Errorf("%s%s", got, problems(report.Scripts[0]))
			}
		})
	}
}

// hostile is a server that does what servers should not.
func hostile(kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch kind {
		case "endless":
			w.Header().Set("Content-Type", "application/fhir+json")
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("["), 1<<16)); err != nil {
					return
				}
			}
		case "silent":
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		case "deep":
			_, _ = w.Write(bytes.Repeat([]byte(`{"a":`), 100_000))
		case "deep-xml":
			w.Header().Set("Content-Type", "application/fhir+xml")
			_, _ = w.Write(append([]byte(`<Patient xmlns="http://hl7.org/fhir">`), bytes.Repeat([]byte(`<contact>`), 100_000)...))
		case "redirect":
			http.Redirect(w, r, "http://192.0.2.1/elsewhere", http.StatusFound)
		case "cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		case "binary":
			_, _ = w.Write([]byte{0, 1, 2, 0xff, '<', '/', 's', 'c', 'r', 'i', 'p', 't', '>'})
		}
	})
}

func TestHostileServersEndInAResult(t *testing.T) {
	limits := testscript.Limits{Script: 10 * time.Second, Teardown: time.Second, Request: 1500 * time.Millisecond, BodyBytes: 1 << 20}
	for _, tt := range []struct{ kind, want, message string }{
		{"endless", "error:  | error skip | ", "over 1048576 bytes"},
		{"silent", "error:  | error skip | ", "did not answer in time"},
		{"deep", "fail:  | pass fail | ", "no resource"},
		{"deep-xml", "fail:  | pass fail | ", "no resource"},
		{"redirect", "fail:  | pass fail | ", "no resource"},
		{"cut", "error:  | error skip | ", "could not be asked"},
		{"binary", "fail:  | pass fail | ", "no resource"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			start := time.Now()
			text := script("", readMissing+`,{"assert":{"resource":"Patient","warningOnly":false}}`)
			report := run(t, testscript.Runner{Limits: limits}, text, serve(t, hostile(tt.kind)))
			s := report.Scripts[0]
			if got := outcome(s); got != tt.want || !strings.Contains(problems(s), tt.message) {
				t.Errorf("%s%s", got, problems(s))
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			var page bytes.Buffer
			if err := report.WriteHTML(&page, "en"); err != nil {
				t.Error(err)
			}
			if strings.Contains(page.String(), "</script>") {
				t.Error("the server's text is not escaped")
			}
		})
	}
}

func TestLimitsEndAScript(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(readMissing+",", 20), ",")
	kept := strings.ReplaceAll(readMissing, `"params"`, `"responseId":"x$","params"`)
	var keep []string
	for i := range 5 {
		keep = append(keep, strings.ReplaceAll(kept, "x$", fmt.Sprint("x", i)))
	}
	for _, tt := range []struct {
		name, script, message string
		limits                testscript.Limits
		server                http.Handler
	}{
		{"requests", script("", many), "more than 5 requests", testscript.Limits{Operations: 5}, reference.New()},
		{"actions", script("", many), "more than 5 actions", testscript.Limits{Actions: 5}, reference.New()},
		{"what is kept", script("", strings.Join(keep, ",")), "keeps more than 500 bytes", testscript.Limits{KeptBytes: 500}, reference.New()},
		{"time", script("", many), "longer than 100ms", testscript.Limits{Script: 100 * time.Millisecond}, hostile("silent")},
		{"an expression", script("", readMissing+`,{"assert":{"expression":"repeat($this.children() | $this).select((1|2|3|4|5|6|7|8)).where(1=1)","warningOnly":false}}`+","+isOK), "", testscript.Limits{}, reference.New()},
		{"a body", script(`"variable":[{"name":"x","defaultValue":"`+strings.Repeat("y", 60_000)+`"}],"contained":[{"resourceType":"Patient","id":"c","name":[{"given":["`+
			strings.Repeat(`${x}","`, 200)+`"]}]}]`, `{"operation":{"type":{"code":"create"},"encodeRequestUrl":true,"sourceId":"q"}}`), "over 8388608 bytes", testscript.Limits{}, reference.New()},
		{"a text", script(`"variable":[{"name":"x","defaultValue":"`+strings.Repeat("y", 40_000)+`"}]`, `{"operation":{"type":{"code":"read"},"url":"${x}${x}","encodeRequestUrl":true}}`), "over 65536 bytes", testscript.Limits{}, reference.New()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(tt.script, `"fixture":[`, `"fixture":[{"id":"q","autocreate":false,"autodelete":false,"resource":{"reference":"#c"}},`, 1)
			s := run(t, testscript.Runner{Limits: tt.limits}, text, serve(t, tt.server)).Scripts[0]
			if s.Result.OK() || !strings.Contains(s.Message+problems(s), tt.message) {
				t.Errorf("%s %s%s", s.Result, s.Message, problems(s))
			}
		})
	}
}

func TestTeardownRunsWhenTheRunIsEnded(t *testing.T) {
	server := reference.New()
	ctx, cancel := context.WithCancel(context.Background())
	runner := testscript.Runner{Variables: map[string]string{"run": "r"}, Progress: func(e testscript.Event) {
		if e.Phase == "setup" {
			cancel()
		}
	}}
	text := script(`"setup":{"action":[`+createPatient+`]},"teardown":{"action":[{"operation":{"type":{"code":"delete"},"encodeRequestUrl":true,"targetId":"p"}}]}`, readPatient)
	report, err := runner.Run(ctx, load(t, text), []testscript.Server{serve(t, server)})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(report.Scripts[0]); got != "error: pass | error | pass" {
		t.Error(got)
	}
}

func TestSeveralServers(t *testing.T) {
	one, two := reference.New(), reference.New()
	var header []string
	spy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = append(header, r.Header.Get("Authorization"))
		two.ServeHTTP(w, r)
	})
	second := serve(t, spy)
	second.Header = http.Header{"Authorization": {"Bearer of-two"}}
	at := func(action string, destination int) string {
		return strings.Replace(action, `"encodeRequestUrl"`, fmt.Sprintf(`"destination":%d,"encodeRequestUrl"`, destination), 1)
	}
	head := `"destination":[{"index":1,"profile":{"code":"FHIR-Server"}},{"index":2,"profile":{"code":"FHIR-Server"}}]`
	text := script(head,
		at(createPatient, 2)+","+at(readPatient, 2)+","+isOK,
		at(readPatient, 1)+`,{"assert":{"response":"notFound","warningOnly":false}}`)
	report := run(t, testscript.Runner{Variables: map[string]string{"run": "r"}}, text, serve(t, one), second)
	if got := outcome(report.Scripts[0]); got != "pass:  | pass pass pass, pass pass | " {
		t.Errorf("%s%s", got, problems(report.Scripts[0]))
	}
	if diff := cmp.Diff([]string{"Bearer of-two", "Bearer of-two"}, header); diff != "" {
		t.Errorf("headers of the second server (-want +got)\n%s", diff)
	}
	var page bytes.Buffer
	if err := report.WriteHTML(&page, "en"); err != nil || strings.Contains(page.String(), "of-two") {
		t.Errorf("the page shows what is secret, or: %v", err)
	}
}

func TestFixturesAreCreatedAndDeletedOnEveryServerUnderTest(t *testing.T) {
	one, two := reference.New(), reference.New()
	text := strings.Replace(script(`"destination":[{"index":1,"profile":{"code":"FHIR-Server"}},{"index":2,"profile":{"code":"FHIR-Server"}}]`, readPatient+","+isOK),
		`"autocreate":false,"autodelete":false`, `"autocreate":true,"autodelete":true`, 1)
	a, b := serve(t, one), serve(t, two)
	report := run(t, testscript.Runner{Variables: map[string]string{"run": "r"}}, text, a, b)
	want := []string{"created Patient/ref-1 from fixture p", "created Patient/ref-1 from fixture p", "deleted Patient/ref-1", "deleted Patient/ref-1"}
	if diff := cmp.Diff(want, report.Scripts[0].Notes); diff != "" || !report.OK() {
		t.Errorf("(-want +got)\n%s%s", diff, problems(report.Scripts[0]))
	}
	for _, s := range []testscript.Server{a, b} {
		resp, err := http.Get(s.Base + "/Patient/ref-1")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusGone {
			t.Errorf("the fixture is still there: %d", resp.StatusCode)
		}
	}
}

// verdicts is a validator that knows one profile.
type verdicts struct{}

func (verdicts) Resource(*fhir.Node) []fhir.Issue { return nil }

func (verdicts) Conforms(n *fhir.Node, profile string) []fhir.Issue {
	switch {
	case profile != "http://example.org/female":
		return []fhir.Issue{{Severity: fhir.Error, ID: "profile-unknown", Text: "not known"}}
	case n.Get("gender").Text() != "female":
		return []fhir.Issue{{Severity: fhir.Error, ID: "x", Text: "the gender is another", Expression: "Patient.gender"}}
	}
	return []fhir.Issue{{Severity: fhir.Warning, ID: "y", Text: "no name"}}
}

func TestProfilesAreJudgedByTheValidatorHandedIn(t *testing.T) {
	for _, tt := range []struct{ profile, gender, want, message string }{
		{"http://example.org/female", "female", "pass:  | pass pass | ", ""},
		{"http://example.org/female", "male", "fail:  | pass fail | ", "1 errors against http://example.org/female"},
		{"http://example.org/other", "female", "error:  | pass error | ", "is not known"},
	} {
		text := script(`"profile":[{"id":"x","reference":"`+tt.profile+`"}],"contained":[{"resourceType":"Patient","id":"c","gender":"`+tt.gender+`"}]`,
			strings.Replace(createPatient, `"sourceId":"p"`, `"sourceId":"c"`, 1)+`,{"assert":{"validateProfileId":"x","warningOnly":false}}`)
		text = strings.Replace(text, `"fixture":[`, `"fixture":[{"id":"c","autocreate":false,"autodelete":false,"resource":{"reference":"#c"}},`, 1)
		s := run(t, testscript.Runner{Validator: verdicts{}}, text, serve(t, reference.New())).Scripts[0]
		if got := outcome(s); got != tt.want || !strings.Contains(problems(s), tt.message) {
			t.Errorf("%s as %s: %s%s", tt.gender, tt.profile, got, problems(s))
		}
	}
}

func TestTLSIsUsedAsConfigured(t *testing.T) {
	srv := httptest.NewTLSServer(reference.New())
	defer srv.Close()
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	text := script("", readMissing+`,{"assert":{"response":"notFound","warningOnly":false}}`)
	trusted := testscript.Server{Base: srv.URL + reference.Prefix, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	if s := run(t, testscript.Runner{}, text, trusted).Scripts[0]; s.Result != testscript.Pass {
		t.Errorf("%s%s", s.Result, problems(s))
	}
	unknown := testscript.Server{Base: srv.URL + reference.Prefix}
	if s := run(t, testscript.Runner{}, text, unknown).Scripts[0]; s.Result != testscript.Error {
		t.Errorf("a certificate nobody knows is accepted: %s", s.Result)
	}
}

func TestTeardownHasATimeOfItsOwn(t *testing.T) {
	start := time.Now()
	limits := testscript.Limits{Script: 50 * time.Millisecond, Teardown: 200 * time.Millisecond, Request: time.Minute}
	text := script(`"teardown":{"action":[`+readMissing+`,`+readMissing+`]}`, readMissing)
	s := run(t, testscript.Runner{Limits: limits}, text, serve(t, hostile("silent"))).Scripts[0]
	if got := outcome(s); got != "error:  | error | error error" || time.Since(start) > 5*time.Second {
		t.Errorf("%s after %v", got, time.Since(start))
	}
}

func TestShownBodiesAreCut(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("医"), testscript.MaxShownBody))
	})
	s := run(t, testscript.Runner{}, script("", readMissing), serve(t, long)).Scripts[0]
	shown := s.Tests[0].Actions[0].Exchange.ResponseBody
	if len(shown) > testscript.MaxShownBody+100 || !strings.HasSuffix(shown, "bytes more") {
		t.Errorf("%d bytes are shown", len(shown))
	}
}

func TestProgressTellsEveryAction(t *testing.T) {
	var got []string
	runner := testscript.Runner{Variables: map[string]string{"run": "r"}, Progress: func(e testscript.Event) {
		got = append(got, fmt.Sprintf("%d/%d %s %s %s %s", e.Number, e.Scripts, e.Phase, e.Test, e.Action, e.Result))
	}}
	run(t, runner, script(`"setup":{"action":[`+createPatient+`]}`, readMissing+","+isOK), serve(t, reference.New()))
	want := []string{"1/1 setup  create pass", "1/1 test t1 read pass", "1/1 test t1 assertion fail", "1/1    fail"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestXMLScript(t *testing.T) {
	n, err := fhir.Parse([]byte(script(`"variable":[{"name":"run","defaultValue":"r"}]`, createPatient+","+readPatient+","+isOK)), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	text, issues := fhirxml.Append(nil, n)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	patient := `<Patient xmlns="http://hl7.org/fhir"><id value="f1"/><gender value="female"/></Patient>`
	suite, err := testscript.Load(fstest.MapFS{"a.xml": {Data: bytes.ReplaceAll(text, []byte("patient.json"), []byte("patient.xml"))},
		"patient.xml": {Data: []byte(patient)}}, "a.xml")
	if err != nil {
		t.Fatal(err)
	}
	runner := testscript.Runner{}
	report, err := runner.Run(context.Background(), suite, []testscript.Server{serve(t, reference.New())})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(report.Scripts[0]); got != "pass:  | pass pass pass | " || suite.Name != "a" {
		t.Errorf("%s %s%s", suite.Name, got, problems(report.Scripts[0]))
	}
}

// mixed is a report with every result in it.
func mixed(t *testing.T) testscript.Report {
	clock := time.Date(2024, 5, 6, 7, 8, 9, 0, time.FixedZone("", 8*3600))
	r := testscript.Runner{Variables: map[string]string{"run": "<b>&"}, Now: func() time.Time { return clock }}
	text := script(`"title":"A <title> & more","variable":[{"name":"run"}],"setup":{"action":[`+createPatient+`]},"teardown":{"action":[`+readMissing+`]}`,
		readPatient+","+isOK, readMissing+","+isOK+","+isOK, isOK+`,{"assert":{"warningOnly":false}}`,
		readMissing+`,{"assert":{"label":"soft","response":"okay","warningOnly":true}}`)
	return run(t, r, text, serve(t, reference.New()))
}

func TestTestReportIsValid(t *testing.T) {
	report := mixed(t)
	b := report.Bundle()
	for _, i := range validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true}).Resource(b) {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			t.Error(i)
		}
	}
	r := b.Path("entry").At(0).Get("resource")
	for name, want := range map[string]string{"resourceType": "TestReport", "status": "completed", "result": "fail", "score": "50.0",
		"issued": "2024-05-06T07:08:09+08:00", "name": "s"} {
		if got := r.Get(name).Text(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if n := r.Get("test").Len(); n != 4 {
		t.Errorf("%d tests", n)
	}
	action := r.Get("test").At(1).Get("action").At(1).Get("assert")
	if action.Get("result").Text() != "fail" || action.Get("message").Text() != "the status is 404, wanted 200" {
		t.Errorf("%s", action.AppendJSON(nil))
	}
	broken := run(t, testscript.Runner{}, `{"resourceType":"TestScript","status":"active"}`, serve(t, reference.New()))
	for _, i := range validate.New(definitions.R4(), validate.Options{}).Resource(broken.Scripts[0].Resource(broken.Servers)) {
		if i.Severity == fhir.Error {
			t.Error(i)
		}
	}
}

func TestJUnit(t *testing.T) {
	report := mixed(t)
	var out bytes.Buffer
	if err := report.WriteJUnit(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string `xml:"name,attr"`
				Class   string `xml:"classname,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
				Error *struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
				Output string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 4 || got.Failures != 2 || got.Errors != 0 {
		t.Errorf("%d tests, %d failures, %d errors", got.Tests, got.Failures, got.Errors)
	}
	cases := got.Suites[0].Cases
	if cases[1].Failure == nil || cases[1].Failure.Message != "assertion: the status is 404, wanted 200" || cases[1].Class != "s/script" {
		t.Errorf("%+v", cases[1])
	}
	if !strings.Contains(cases[3].Output, "warning: soft") {
		t.Errorf("%+v", cases[3])
	}
	if strings.Contains(out.String(), "female") {
		t.Error("it holds what the server answered")
	}
}

func TestHTMLIsOnePageAndEscaped(t *testing.T) {
	report := mixed(t)
	var out bytes.Buffer
	if err := report.WriteHTML(&out, "en"); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{"A &lt;title&gt; &amp; more", "<details>", "&lt;b&gt;&amp;", "wanted 200", "2024-05-06 07:08:09", "GET http://127.0.0.1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<b>", "<script", "<title> &", "src=", "@import", "url("} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	files := fstest.MapFS{"empty/a.txt": {}, "p.json": {Data: []byte(patientFixture)}, "bad.json": {Data: []byte(`{"resourceType":"TestScript"`)}}
	for name, want := range map[string]string{"none": "load suite", "empty": "no TestScript", "p.json": "no TestScript", "bad.json": "bad.json:"} {
		if _, err := testscript.Load(files, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadIsBounded(t *testing.T) {
	big := fstest.MapFS{"big.json": {Data: []byte(`{"resourceType":"TestScript","description":"` + strings.Repeat("x", testscript.MaxScriptBytes) + `"}`)}}
	if _, err := testscript.Load(big, "big.json"); err == nil || !strings.Contains(err.Error(), "over 4194304 bytes") {
		t.Errorf("a large script: %v", err)
	}
	many := fstest.MapFS{}
	for i := range testscript.MaxFiles + 1 {
		many[fmt.Sprintf("f%d.txt", i)] = &fstest.MapFile{}
	}
	if _, err := testscript.Load(many, "."); err == nil || !strings.Contains(err.Error(), "more than 20000 files") {
		t.Errorf("many files: %v", err)
	}
	scripts := fstest.MapFS{}
	for i := range testscript.MaxScripts + 1 {
		scripts[fmt.Sprintf("s%d.json", i)] = &fstest.MapFile{Data: []byte(`{"resourceType":"TestScript"}`)}
	}
	if _, err := testscript.Load(scripts, "."); err == nil || !strings.Contains(err.Error(), "more than 2000 scripts") {
		t.Errorf("many scripts: %v", err)
	}
}

func TestFixturesOutsideTheFolderAreNotRead(t *testing.T) {
	files := fstest.MapFS{"secret.json": {Data: []byte(patientFixture)},
		"s/a.json": {Data: []byte(strings.Replace(script("", createPatient), "patient.json", "../../secret.json", 1))}}
	suite, err := testscript.Load(files, "s")
	if err != nil {
		t.Fatal(err)
	}
	runner := testscript.Runner{}
	report, err := runner.Run(context.Background(), suite, []testscript.Server{serve(t, reference.New())})
	if err != nil || !strings.Contains(problems(report.Scripts[0]), "does not exist") {
		t.Errorf("%v%s", err, problems(report.Scripts[0]))
	}
}

func TestRunRefusesWhatIsNoServer(t *testing.T) {
	suite := load(t, script("", readMissing))
	for _, base := range []string{"", "fhir", "ftp://host/fhir", "http://a:b@host/", "http://host/?q", "http://%zz"} {
		runner := testscript.Runner{}
		if _, err := runner.Run(context.Background(), suite, []testscript.Server{{Base: base}}); err == nil {
			t.Errorf("%q is taken for a base", base)
		}
	}
	runner := testscript.Runner{}
	if _, err := runner.Run(context.Background(), suite, nil); err == nil {
		t.Error("a run without servers")
	}
}

func FuzzScript(f *testing.F) {
	f.Add(script("", readMissing+","+isOK))
	f.Add(script(`"variable":[{"name":"run","path":"Patient/gender","sourceId":"p"}]`, createPatient+`,{"assert":{"path":"$.a","value":"${run}"}}`))
	server := serve(f, reference.New())
	f.Fuzz(func(t *testing.T, text string) {
		suite, err := testscript.Load(fstest.MapFS{"a.json": {Data: []byte(text)}}, "a.json")
		if err != nil {
			return
		}
		runner := testscript.Runner{Limits: testscript.Limits{Script: time.Second, Operations: 5, Actions: 50}}
		report, err := runner.Run(context.Background(), suite, []testscript.Server{server})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.WriteHTML(io.Discard, "zh"); err != nil {
			t.Error(err)
		}
		if err := report.WriteJUnit(io.Discard); err != nil {
			t.Error(err)
		}
		_ = report.Bundle()
	})
}

func TestCapabilities(t *testing.T) {
	minimum := func(version string) string {
		return `{"resourceType":"CapabilityStatement","status":"active","date":"2024","kind":"requirements","fhirVersion":"4.0.1","format":["` + version +
			`"],"rest":[{"mode":"server","interaction":[{"code":"transaction"}],"resource":[{"type":"Patient","interaction":[{"code":"update"}],"searchParam":[{"name":"family"}],"operation":[{"name":"validate"}]}]}]}`
	}
	for _, tt := range []struct {
		name, capability, minimum, want, message string
		fault                                    reference.Fault
	}{
		{"what is there lets the script run", `"required":true,"validated":false`, minimum("json"), "pass:  | pass pass | ", "", ""},
		{"what is missing skips the script", `"required":true,"validated":false`, minimum("json"), "skip:  | skip skip | ", "lack Patient: interaction update", reference.CapabilitiesInteraction},
		{"what is missing fails it where it is validated", `"required":true,"validated":true`, minimum("json"), "fail:  | skip skip | ", "lack Patient: interaction update", reference.CapabilitiesInteraction},
		{"a format counts", `"required":true,"validated":false`, minimum("ttl"), "skip:  | skip skip | ", "lack format ttl", ""},
		{"nothing is asked where nothing is required", `"required":false,"validated":false`, minimum("ttl"), "pass:  | pass pass | ", "", ""},
		{"a statement that is not at hand is noted", `"required":true,"validated":false`, "", "pass:  | pass pass | ", "not at hand", ""},
		{"and an error where it must be validated", `"required":true,"validated":true`, "", "error:  | skip skip | ", "not at hand", ""},
		{"a server that does not say is an error", `"required":true,"validated":false`, minimum("json"), "error:  | skip skip | ", "the server answered 302", reference.RedirectsAway},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := script(`"metadata":{"link":[{"url":"x"}],"capability":[{`+tt.capability+`,"capabilities":"http://example.org/minimum|1"}]}`,
				readMissing+`,{"assert":{"response":"notFound","warningOnly":false}}`)
			loader := testscript.Loader{Resolve: func(string) ([]byte, error) {
				if tt.minimum == "" {
					return nil, fs.ErrNotExist
				}
				return []byte(tt.minimum), nil
			}}
			suite, err := loader.Load(fstest.MapFS{"a.json": {Data: []byte(text)}}, "a.json")
			if err != nil {
				t.Fatal(err)
			}
			runner := testscript.Runner{}
			report, err := runner.Run(context.Background(), suite, []testscript.Server{serve(t, reference.New(tt.fault))})
			if err != nil {
				t.Fatal(err)
			}
			s := report.Scripts[0]
			if got := outcome(s); got != tt.want || !strings.Contains(s.Message+strings.Join(s.Notes, " "), tt.message) {
				t.Errorf("%s %s %v%s", got, s.Message, s.Notes, problems(s))
			}
		})
	}
}

func TestTeardownLeavesAloneWhatAScriptThatIsSkippedDidNotMake(t *testing.T) {
	var asked []string
	server := reference.New()
	spy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method)
		server.ServeHTTP(w, r)
	})
	text := script(`"metadata":{"link":[{"url":"x"}],"capability":[{"required":true,"validated":false,"capabilities":"minimum.json"}]},`+
		`"teardown":{"action":[{"operation":{"type":{"code":"delete"},"encodeRequestUrl":true,"targetId":"p"}}]}`, readPatient)
	suite, err := testscript.Load(fstest.MapFS{"a.json": {Data: []byte(text)}, "patient.json": {Data: []byte(patientFixture)},
		"minimum.json": {Data: []byte(`{"resourceType":"CapabilityStatement","format":["ttl"]}`)}}, "a.json")
	if err != nil {
		t.Fatal(err)
	}
	runner := testscript.Runner{}
	report, err := runner.Run(context.Background(), suite, []testscript.Server{serve(t, spy)})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(report.Scripts[0]); got != "skip:  | skip | skip" || len(asked) != 1 {
		t.Errorf("%s, asked %v%s", got, asked, problems(report.Scripts[0]))
	}
}

func TestVariablesCannotHoldUpARun(t *testing.T) {
	big := `{"resourceType":"Bundle","type":"collection","entry":[` +
		strings.TrimSuffix(strings.Repeat(`{"resource":{"resourceType":"Patient","name":[{"family":"x"}]}},`, 20_000), ",") + `]}`
	server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, big)
	})
	get := strings.Replace(readMissing, `"params"`, `"responseId":"x","params"`, 1)
	var variables, uses []string
	for i := range 3000 {
		variables = append(variables, fmt.Sprintf(`{"name":"v%d","expression":"entry.resource.name.family.distinct()","sourceId":"x"}`, i))
		uses = append(uses, fmt.Sprintf("${v%d}", i))
	}
	for _, tt := range []struct{ name, url, want string }{
		{"the same very often", strings.Repeat("${v0}", 5000), "pass:  | pass pass | "},
		{"very many", strings.Join(uses, ""), "error:  | pass error | "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			text := script(`"variable":[`+strings.Join(variables, ",")+`]`, get+`,{"operation":{"type":{"code":"read"},"url":"Patient/`+tt.url+`","encodeRequestUrl":true}}`)
			s := run(t, testscript.Runner{Limits: testscript.Limits{Script: 2 * time.Second}}, text, serve(t, server)).Scripts[0]
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if got := outcome(s); got != tt.want {
				t.Errorf("%s%s", got, problems(s))
			}
		})
	}
}

// TestOperationsAsk names what each kind of operation asks of the server.
func TestOperationsAsk(t *testing.T) {
	for _, tt := range []struct{ operation, want string }{
		{`"type":{"code":"read"},"targetId":"p"`, "GET /Patient/f1"},
		{`"type":{"code":"read"},"resource":"Patient","params":"/x?_summary=true"`, "GET /Patient/x?_summary=true"},
		{`"type":{"code":"read"},"url":"Patient/${v}"`, "GET /Patient/a%20b"},
		{`"type":{"code":"vread"},"targetId":"p","params":"/_history/3"`, "GET /Patient/f1/_history/3"},
		{`"type":{"code":"search"},"resource":"Patient","params":"family=a b|ü"`, "GET /Patient?family=a%20b%7C%C3%BC"},
		{`"type":{"code":"search"},"resource":"Patient","params":"?a=%20%"`, "GET /Patient?a=%20%25"},
		{`"type":{"code":"search"},"resource":"Patient","method":"post","params":"?a=b"`, "POST /Patient/_search a=b"},
		{`"type":{"code":"create"},"sourceId":"p"`, "POST /Patient {f1}"},
		{`"type":{"code":"update"},"sourceId":"p"`, "PUT /Patient/f1 {f1}"},
		{`"type":{"code":"update"},"resource":"Patient","sourceId":"p","params":"/z"`, "PUT /Patient/z {z}"},
		{`"type":{"code":"updateCreate"},"resource":"Patient","sourceId":"p","params":"/z"`, "PUT /Patient/z {z}"},
		{`"type":{"code":"update"},"sourceId":"p","url":"Patient/z"`, "PUT /Patient/z {f1}"},
		{`"type":{"code":"update"},"resource":"Patient","sourceId":"p","params":"?identifier=1"`, "PUT /Patient?identifier=1 {f1}"},
		{`"type":{"code":"patch"},"targetId":"p","sourceId":"p"`, "PATCH /Patient/f1 {f1}"},
		{`"type":{"code":"delete"},"targetId":"p"`, "DELETE /Patient/f1"},
		{`"type":{"code":"deleteCondMultiple"},"resource":"Patient","params":"?a=b"`, "DELETE /Patient?a=b"},
		{`"type":{"code":"history"},"targetId":"p"`, "GET /Patient/f1/_history"},
		{`"type":{"code":"history"},"resource":"Patient","params":"?_count=2"`, "GET /Patient/_history?_count=2"},
		{`"type":{"code":"history"},"resource":"Patient","params":"/x?_count=2"`, "GET /Patient/x/_history?_count=2"},
		{`"type":{"code":"history"}`, "GET /_history"},
		{`"type":{"code":"capabilities"}`, "GET /metadata"},
		{`"type":{"code":"capabilities"},"params":"?mode=full"`, "GET /metadata?mode=full"},
		{`"type":{"code":"transaction"},"resource":"Bundle","sourceId":"p"`, "POST / {f1}"},
		{`"type":{"code":"everything"},"targetId":"p"`, "GET /Patient/f1/$everything"},
		{`"type":{"code":"validate"},"resource":"Patient","sourceId":"p"`, "POST /Patient/$validate {f1}"},
		{`"type":{"code":"process-message"},"sourceId":"p"`, "POST /$process-message {f1}"},
		{`"type":{"code":"expand"},"resource":"ValueSet","params":"/$expand?url=x"`, "GET /ValueSet/$expand?url=x"},
		{`"method":"head","url":"Patient/1"`, "HEAD /Patient/1"},
		{`"method":"put","resource":"Patient","params":"/1","sourceId":"p"`, "PUT /Patient/1 {f1}"},
	} {
		t.Run(tt.operation, func(t *testing.T) {
			got := ""
			spy := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r.Method + " " + strings.TrimPrefix(r.RequestURI, reference.Prefix)
				if strings.HasSuffix(r.URL.Path, reference.Prefix) {
					got += "/"
				}
				body, _ := io.ReadAll(r.Body)
				if n, err := fhir.Parse(body, fhir.Limits{}); err == nil {
					body = []byte("{" + n.ID() + "}")
				}
				if len(body) > 0 {
					got += " " + string(body)
				}
			})
			text := script(`"variable":[{"name":"v","defaultValue":"a b"}]`, `{"operation":{`+tt.operation+`,"encodeRequestUrl":true}}`)
			s := run(t, testscript.Runner{}, text, serve(t, spy)).Scripts[0]
			if got != tt.want {
				t.Errorf("asked %q, want %q%s", got, tt.want, problems(s))
			}
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	for _, tt := range []struct{ operation, field, want string }{
		{``, "Accept", "application/fhir+json"},
		{`"accept":"xml",`, "Accept", "application/fhir+xml"},
		{`"accept":"text/turtle",`, "Accept", "text/turtle"},
		{`"accept":"none",`, "Accept", ""},
		{`"requestHeader":[{"field":"X-Run","value":"run ${v}"}],`, "X-Run", "run 7"},
		{`"requestHeader":[{"field":"accept","value":"a/b"}],`, "Accept", "a/b"},
		{`"sourceId":"p",`, "Content-Type", "application/fhir+json"},
		{`"sourceId":"p","contentType":"xml",`, "Content-Type", "application/fhir+xml"},
		{`"sourceId":"p","contentType":"application/json",`, "Content-Type", "application/json"},
	} {
		t.Run(tt.operation, func(t *testing.T) {
			got := "not asked"
			spy := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get(tt.field) })
			text := script(`"variable":[{"name":"v","defaultValue":"7"}]`, `{"operation":{"type":{"code":"create"},"resource":"Patient",`+tt.operation+`"encodeRequestUrl":true}}`)
			s := run(t, testscript.Runner{}, text, serve(t, spy)).Scripts[0]
			if got != tt.want {
				t.Errorf("%s is %q, want %q%s", tt.field, got, tt.want, problems(s))
			}
		})
	}
}

// only knows one profile, which Patients with a name conform to.
type only struct{}

func (only) Resource(*fhir.Node) []fhir.Issue { return nil }

func (only) Conforms(n *fhir.Node, profile string) []fhir.Issue {
	switch {
	case profile != "urn:named":
		return []fhir.Issue{{Severity: fhir.Warning, ID: "profile-unknown"}}
	case n.Get("name") == nil:
		return []fhir.Issue{{Severity: fhir.Error, Text: "a name is required"}}
	}
	return nil
}

func TestExpressionsAskTheValidatorForProfiles(t *testing.T) {
	search := `{"operation":{"type":{"code":"search"},"resource":"Patient","encodeRequestUrl":true}}`
	assert := func(a string) string { return script("", search+`,{"assert":{`+a+`,"warningOnly":false}}`) }
	unnamed := `"expression":"entry.resource.where(conformsTo('urn:named').not()).id","operator":"empty"`
	for _, tt := range []struct {
		name      string
		validator testscript.Validator
		patients  int
		script    string
		result    testscript.Result
		detail    string
	}{
		{"all conform", only{}, 0, assert(unnamed), testscript.Pass, ""},
		{"what does not is named, with the reason", only{}, 1, assert(unnamed), testscript.Fail, "u0\nPatient/u0: error: a name is required"},
		{"reasons are bounded", only{}, 25, assert(unnamed), testscript.Fail, "… and 5 more"},
		{"an unknown profile is an error", only{}, 1, assert(`"expression":"entry.resource.all(conformsTo('urn:other'))"`), testscript.Error, ""},
		{"what is no resource cannot be asked", only{}, 1, assert(`"expression":"entry.resource.identifier.all(conformsTo('urn:named')) and entry.all(conformsTo('urn:named'))"`), testscript.Error, ""},
		{"base R4 knows no profiles", nil, 1, assert(unnamed), testscript.Error, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := reference.New()
			for i := range max(tt.patients, 1) {
				text := `{"resourceType":"Patient","id":"u` + strconv.Itoa(i) + `"}`
				if tt.patients == 0 {
					text = `{"resourceType":"Patient","id":"named","name":[{"text":"x"}]}`
				}
				n, err := fhir.Parse([]byte(text), fhir.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				server.Put(n)
			}
			search := strings.Replace(tt.script, `"resource":"Patient"`, `"resource":"Patient","params":"?_count=100"`, 1)
			s := run(t, testscript.Runner{Validator: tt.validator}, search, serve(t, server)).Scripts[0]
			a := s.Tests[0].Actions[1]
			if a.Result != tt.result || !strings.Contains(a.Detail, tt.detail) {
				t.Errorf("%s, want %s: %s %s", a.Result, tt.result, a.Message, a.Detail)
			}
		})
	}
}

func TestStatementsAreComparedInEveryPromise(t *testing.T) {
	for _, tt := range []struct{ name, want, missing string }{
		{"conditional create", `{"type":"Patient","conditionalCreate":true}`, ""},
		{"single is less than multiple", `{"type":"Patient","conditionalDelete":"single"}`, ""},
		{"multiple is more than single", `{"type":"Patient","conditionalDelete":"multiple"}`, "Patient: conditionalDelete multiple"},
		{"conditional read", `{"type":"Patient","conditionalRead":"not-match"}`, ""},
		{"another conditional read", `{"type":"Patient","conditionalRead":"full-support"}`, "Patient: conditionalRead full-support"},
		{"versioning", `{"type":"Patient","versioning":"versioned"}`, ""},
		{"includes", `{"type":"Observation","searchInclude":["Observation:patient"]}`, ""},
		{"includes that are none", `{"type":"Observation","searchInclude":["Observation:nothing"]}`, "Observation: searchInclude Observation:nothing"},
		{"reverse includes", `{"type":"Patient","searchRevInclude":["Observation:nothing"]}`, "Patient: searchRevInclude Observation:nothing"},
		{"what should be is not insisted on", `{"type":"Patient","operation":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation","valueCode":"SHOULD"}],"name":"nothing"}]}`, ""},
		{"what shall be is", `{"type":"Patient","operation":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation","valueCode":"SHALL"}],"name":"nothing"}]}`, "Patient: operation nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := fstest.MapFS{
				"a.json": {Data: []byte(script(`"metadata":{"link":[{"url":"x"}],"capability":[{"required":true,"validated":false,"capabilities":"http://example.org/CapabilityStatement/wish"}]}`, readMissing))},
				// found by the name that packages give it
				"CapabilityStatement-wish.json": {Data: []byte(`{"resourceType":"CapabilityStatement","url":"http://example.org/CapabilityStatement/wish","rest":[{"mode":"server","resource":[` + tt.want + `]}]}`)},
			}
			suite, err := testscript.Load(files, ".")
			if err != nil {
				t.Fatal(err)
			}
			runner := testscript.Runner{}
			report, err := runner.Run(context.Background(), suite, []testscript.Server{serve(t, reference.New())})
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if tt.missing != "" {
				want = "the server's capabilities lack " + tt.missing
			}
			if s := report.Scripts[0]; s.Message != want || len(s.Notes) > 0 {
				t.Errorf("%q, want %q %v", s.Message, want, s.Notes)
			}
		})
	}
}

func TestScriptsSayThingsInChineseToo(t *testing.T) {
	chinese := func(text string) string {
		return `{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation","extension":[{"url":"lang","valueCode":"fr"},{"url":"content","valueString":"non"}]},` +
			`{"url":"http://hl7.org/fhir/StructureDefinition/translation","extension":[{"url":"lang","valueCode":"zh-CN"},{"url":"content","valueString":"` + text + `"}]}]}`
	}
	text := script(`"_title":`+chinese("标题<i>")+`,"description":"about","_description":`+chinese("说明"), readMissing)
	report := run(t, testscript.Runner{}, text, serve(t, reference.New()))
	if s := report.Scripts[0]; s.Chinese.Title != "标题<i>" || s.Chinese.Description != "说明" {
		t.Errorf("%+v", s.Chinese)
	}
	for _, language := range []string{"en", "zh"} {
		var out bytes.Buffer
		if err := report.WriteHTML(&out, language); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"标题&lt;i&gt;", "说明", "符合性测试", `id="` + language + `" checked`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: the page lacks %q", language, want)
			}
		}
	}
}
