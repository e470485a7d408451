package rest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

// A request that is wrong, too large or too costly is told so, and where: with an
// OperationOutcome in the form and the language that the client wants.
func TestWhatIsTooMuchIsRefused(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	const form = "Content-Type: application/x-www-form-urlencoded"
	deep := func(n int) string { return strings.Repeat(`{"extension":[`, n) + "{}" + strings.Repeat("]}", n) }
	many := func(n int) string {
		entry := `{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}`
		return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(entry+",", n-1) + entry + `]}`
	}
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, text               string
	}{
		{"a chain over the limit", "GET", "/fhir/Observation?patient.organization.partof.partof.name=x", "", nil, 422, "too-costly", "patient.organization.partof.partof.name"},
		{"a reverse chain over the limit", "GET", "/fhir/Patient?_has:Observation:patient:_has:Provenance:target:_has:Provenance:target:_has:Provenance:target:_id=x", "", nil, 422, "too-costly", "_has"},
		{"too many parameters", "GET", "/fhir/Patient?" + strings.Repeat("gender=male&", 60), "", nil, 422, "too-costly", "60 parameters"},
		{"too many values", "GET", "/fhir/Patient?_id=" + strings.Repeat("a,", 1500), "", nil, 422, "too-costly", "_id"},
		{"a value over the limit", "GET", "/fhir/Patient?name=" + strings.Repeat("a", 20<<10), "", nil, 400, "too-long", "name"},
		{"too many sort keys", "GET", "/fhir/Patient?_sort=name,gender,birthdate,_id,_lastUpdated", "", nil, 422, "too-costly", "_sort"},
		{"too many includes", "GET", "/fhir/Patient?" + strings.Repeat("_include=*&", 25), "", nil, 422, "too-costly", "_include"},
		{"too costly and wrong", "GET", "/fhir/Patient?_sort=name,gender,birthdate,_id,_lastUpdated&colour=red", "", nil, 400, "", "colour"},
		{"a _filter over the limit", "GET", "/fhir/Patient?_filter=" + strings.Repeat("(", 200) + "gender%20eq%20male" + strings.Repeat(")", 200), "", nil, 422, "too-costly", "_filter"},
		{"a malformed escape", "GET", "/fhir/Patient?name=%zz", "", nil, 400, "invalid", "escape"},
		{"a malformed escape of a form", "POST", "/fhir/Patient/_search", "name=%zz", []string{form}, 400, "invalid", "escape"},
		{"a value that is no UTF-8", "GET", "/fhir/Patient?name=%ff", "", nil, 400, "invalid", "UTF-8"},
		{"a page size that is none", "GET", "/fhir/Patient?_count=many", "", nil, 400, "value", "_count"},
		{"a page size below none", "GET", "/fhir/Patient?_count=-1", "", nil, 400, "value", "_count"},
		{"an unknown modifier", "GET", "/fhir/Patient?name:loudly=x", "", nil, 400, "", "loudly"},
		{"a modifier of another type", "GET", "/fhir/Patient?birthdate:exact=1990", "", nil, 400, "", "birthdate:exact"},
		{"an unknown parameter of several types", "GET", "/fhir?colour=red", "", nil, 400, "not-supported", "colour"},
		{"a resource that nests too deep", "POST", "/fhir/Patient", `{"resourceType":"Patient","extension":[` + deep(20) + `]}`, nil, 400, "structure", "nested deeper than 30"},
		{"a Bundle that is no Bundle", "POST", "/fhir", `[]`, nil, 400, "", "Bundle"},
		{"a Bundle over the limit of entries", "POST", "/fhir", many(10_001), nil, 413, "too-long", "10000"},
		{"nothing", "POST", "/fhir/Patient", "", nil, 400, "structure", "1:1"},
		{"an array", "POST", "/fhir/Patient", "[]", nil, 400, "", "Patient"},
		{"a type that is none", "POST", "/fhir/Patient", `{"resourceType":7}`, nil, 400, "", "Patient"},
		{"malformed UTF-8", "POST", "/fhir/Patient", "{\"resourceType\":\"Patient\",\n\"language\":\"\xff\"}", nil, 400, "structure", "2:"},
		{"a lone surrogate", "POST", "/fhir/Patient", `{"resourceType":"Patient","language":"\ud800"}`, nil, 400, "structure", "1:"},
		{"text behind the resource", "POST", "/fhir/Patient", patient + "{}", nil, 400, "structure", "1:"},
		{"a method on the endpoint", "PUT", "/fhir", patient, nil, 405, "not-supported", ""},
		{"a method on a search", "PUT", "/fhir/Patient/_search", patient, nil, 405, "not-supported", ""},
		{"an operation that is none", "POST", "/fhir/Patient/" + id + "/$guess", "", nil, 404, "not-found", ""},
		{"a method on an operation", "DELETE", "/fhir/Patient/" + id + "/$everything", "", nil, 405, "not-supported", ""},
		{"another format", "GET", "/fhir/Patient/" + id + "?_format=text/csv", "", nil, 406, "not-supported", "application/fhir+json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			for _, accept := range []string{"application/fhir+json", "application/fhir+xml"} {
				got := c.do(tt.method, tt.path, tt.body, append(tt.headers[:len(tt.headers):len(tt.headers)], "Accept: "+accept)...)
				switch {
				case got.tree.ResourceType() != "OperationOutcome" || !strings.HasPrefix(got.Header().Get("Content-Type"), accept) && got.Code != http.StatusNotAcceptable:
					t.Fatalf("%d %s: %.400s", got.Code, got.Header().Get("Content-Type"), got.Body)
				case got.Code != tt.status:
					t.Fatalf("status %d, want %d: %.400s", got.Code, tt.status, got.Body)
				}
				if code := got.tree.Get("issue").At(0).Get("code").Text(); tt.code != "" && code != tt.code {
					t.Errorf("code %s, want %s", code, tt.code)
				}
				if !strings.Contains(got.Body.String(), tt.text) {
					t.Errorf("%q is not in %.600s", tt.text, got.Body)
				}
				if wrong := thorough().Resource(got.tree); fhir.HasErrors(wrong) {
					t.Errorf("the outcome is not valid: %v", wrong)
				}
			}
		})
	}
}

// sources are the packages whose texts reach clients.
var sources = []string{".", "../interaction"}

// stores are the packages whose faults reach clients where these are not to blame: what
// stores say of a wrong question is for who writes them.
var stores = []string{"../store/sqlite", "../store/postgres", "../store/cached"}

// elsewhere are the files of stores that no FHIR request comes to: opening, backups,
// records and folders.
var elsewhere = []string{"backup.go", "migrate.go", "store.go", "folder.go", "institution.go", "inbox.go", "concept.go"}

// blameless are the kinds of faults that clients are told of whatever they asked.
var blameless = []string{"fault.Busy", "fault.Unavailable", "fault.TooCostly"}

// texts are those of faults and findings in sources, numbers in them as {1}.
func texts(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	add := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(l.Value); err == nil {
				out[strings.Replace(text, "%d", "{1}", 1)] = true
			}
		}
	}
	places := map[string]int{"fault.New": 1, "fault.Newf": 1, "fault.Wrap": 2, "invalid": 2, "refuse": 0}
	for _, dir := range slices.Concat(sources, stores) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			ofStore := slices.Contains(stores, dir)
			if strings.HasSuffix(file, "_test.go") || ofStore && slices.Contains(elsewhere, filepath.Base(file)) {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := types.ExprString(call.Fun)
				place, ok := places[name]
				if ofStore && (!strings.HasPrefix(name, "fault.") || len(call.Args) == 0 || !slices.Contains(blameless, types.ExprString(call.Args[0]))) {
					return true
				}
				if ok && place < len(call.Args) && types.ExprString(call.Args[0]) != "fault.Internal" {
					add(call.Args[place])
				}
				return true
			})
		}
	}
	return out
}

func TestWhatIsSaidIsSaidInChineseToo(t *testing.T) {
	file, err := os.ReadFile("messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	phrases := fhir.ReadMessages(string(file)).All()
	all := texts(t)
	if len(all) < 60 {
		t.Fatalf("%d texts", len(all))
	}
	for text := range all {
		if phrase := regexp.MustCompile("[0-9]+").ReplaceAllString(text, "{1}"); phrases[text].Chinese == "" && phrases[phrase].Chinese == "" {
			t.Errorf("%q has no Chinese", text)
		}
	}
}

// endless is a body that has no end; it counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func TestABodyOverTheLimitIsNotReadToItsEnd(t *testing.T) {
	c := newClient(t)
	for _, length := range []int64{50 << 20, -1} {
		for _, path := range []string{"/fhir/Patient", "/fhir", "/fhir/Binary", "/fhir/Patient/_search", "/fhir/Patient/$validate"} {
			body := &endless{}
			r := httptest.NewRequest("POST", "http://test"+path, body)
			r.ContentLength = length
			r.Header.Set("Content-Type", "application/fhir+json")
			if strings.HasSuffix(path, "_search") {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			w := httptest.NewRecorder()
			c.server.ServeHTTP(w, r)
			if w.Code != http.StatusRequestEntityTooLarge || body.read > 4<<20 {
				t.Errorf("%s of %d bytes: %d after %d bytes", path, length, w.Code, body.read)
			}
		}
	}
}

func TestRefusalsSpeakTheLanguageOfTheClient(t *testing.T) {
	c := newClient(t)
	for _, tt := range []struct{ method, path, body, english, chinese string }{
		{"GET", "/fhir/Patient/nobody", "", "no such resource", "没有该资源"},
		{"GET", "/fhir/Patent", "", "not a resource type of FHIR R4", "不是 FHIR R4 的资源类型"},
		{"GET", "/fhir/Patient?_cursor=x", "", "the page link belongs to another search", "翻页链接"},
		{"POST", "/fhir/Patient/$validate?mode=some", patient, "mode is create", "mode"},
		{"GET", "/fhir/Observation/$lastn?category=x", "", "needs patient or subject", "需要"},
		{"GET", "/fhir?_sort=_id", "", "can be sorted together", "一起排序"},
		{"POST", "/fhir/Patient", "{", "expected a property name", "此处应有属性名"},
		{"POST", "/fhir/Patient", strings.Repeat(" ", 1<<20+1), "the body is over 1048576 bytes", "正文超过 1048576 字节"},
		{"GET", "/fhir/ValueSet/$expand?url=http://test/none", "", "value set", "值集"},
	} {
		for language, want := range map[string]string{"": tt.english, "en": tt.english, "zh-CN": tt.chinese, "de, zh;q=0.5, en;q=0.1": tt.chinese} {
			got := c.do(tt.method, tt.path, tt.body, "Accept-Language: "+language)
			if !strings.Contains(got.tree.Get("issue").At(0).Path("details", "text").Text(), want) {
				t.Errorf("%s in %q: %s", tt.path, language, got.Body)
			}
		}
	}
}

// FuzzSearch asks for anything: the answer is a Bundle or says what is wrong.
func FuzzSearch(f *testing.F) {
	c := newClient(f)
	c.create("Patient", patient)
	for _, query := range []string{"name=x", "_filter=name eq x", "_has:Observation:patient:code=a|b", "birthdate=ge1990&_sort=-birthdate,_id", "_include=*&_revinclude=*", "_summary=text&_elements=name",
		"_type=Patient,Group&_sort=_id", "near=1|2|3|km", "name:exact=\\,\\|", "_count=0&_total=estimate", "_cursor=AA", "identifier=urn:oid:1.2.3|", "_list=$x", "_id:not=a,b", "_lastUpdated=ap2020"} {
		f.Add("Patient", query)
		f.Add("", query)
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest("GET", "http://test/fhir", nil)
		r.URL.Path, r.URL.RawQuery = "/fhir", query
		if path != "" {
			r.URL.Path += "/" + path
		}
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if strings.Contains(w.Header().Get("Content-Type"), "json") && w.Body.Len() > 0 {
			if _, err := fhir.Parse(w.Body.Bytes(), fhir.Limits{}); err != nil {
				t.Fatal(fmt.Errorf("%w: %.200s", err, w.Body))
			}
		}
	})
}
