package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/internal/testenv"
)

// says sends a request in a language and returns the status and the resource answered.
func (g *gateway) says(method, path, body, language string) (int, *fhir.Node) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), method, "http://"+g.address+"/fhir"+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", language)
	r.Header.Set("Content-Type", "application/fhir+json")
	if strings.HasSuffix(path, "/_search") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	tree, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		g.t.Fatalf("%s %s: %d %.300s", method, path, answer.StatusCode, text)
	}
	return answer.StatusCode, tree
}

// holds stores resources under ids of their own.
func (g *gateway) holds(resources ...string) {
	g.t.Helper()
	for _, r := range resources {
		tree, err := fhir.Parse([]byte(r), fhir.Limits{})
		if err != nil {
			g.t.Fatal(err)
		}
		if code, got := g.says("PUT", "/"+tree.ResourceType()+"/"+tree.ID(), r, "en"); code != http.StatusCreated {
			g.t.Fatal(code, string(got.AppendJSON(nil)))
		}
	}
}

// wards are three organizations, each part of the one before.
var wards = []string{
	`{"resourceType":"Organization","id":"a","name":"甲"}`,
	`{"resourceType":"Organization","id":"b","name":"乙","partOf":{"reference":"Organization/a"}}`,
	`{"resourceType":"Organization","id":"c","name":"丙","partOf":{"reference":"Organization/b"}}`,
}

func observation(id string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"` + id + `"},"subject":{"reference":"Patient/p"}}`
}

func TestSettingsBoundSearches(t *testing.T) {
	g := start(t, false, map[string]string{
		"fhir.update-as-create": "on", "search.conditions": "3", "search.values": "100", "search.value": "512B", "search.chain": "1", "search.sort": "1",
		"search.includes": "1", "search.filter": "1", "search.codes": "3", "search.hierarchy": "2", "search.operands": "100", "search.lastn": "1",
	})
	g.holds(append(slices.Clone(wards), `{"resourceType":"Patient","id":"p"}`, observation("x"), observation("y"))...)
	for _, tt := range []struct {
		setting, path    string
		status           int
		english, chinese string
	}{
		{"search.conditions", "/Patient?_id=a&_id=b&_id=c&_id=d", 422, "4 parameters, expected at most 3", "有 4 个参数，最多可有 3 个"},
		{"search.values", "/Patient?_id=" + strings.Repeat("a,", 100) + "a", 422, "parameter '_id': more than 100 values", "参数 '_id'：值超过 100 个"},
		{"search.value", "/Patient?name=" + strings.Repeat("a", 600), 400, "parameter 'name': 604 bytes, expected at most 512", "参数 'name'：有 604 字节，最多可有 512 字节"},
		{"search.chain", "/Observation?patient.organization.name=x", 422, "it follows more than 1 references", "引用链超过 1 级"},
		{"search.sort", "/Patient?_sort=name,_id", 422, "2 sort keys, expected at most 1", "有 2 个排序键，最多可有 1 个"},
		{"search.includes", "/Patient?_include=*&_revinclude=Observation:patient", 422, "more than 1 includes", "_include 和 _revinclude 超过 1 个"},
		{"search.filter", "/Patient?_filter=gender%20eq%20male%20or%20gender%20eq%20female", 422, "more than 1 conditions", "条件超过 1 个"},
		{"search.codes", "/Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", 422, "the value set has more than 3 codes", "该值集的代码超过 3 个"},
		{"search.hierarchy", "/Organization?partof:below=Organization/a", 422, "a hierarchy has more than 2 resources", "层级中的资源超过 2 个"},
		{"search.operands", "/Patient?_id=" + strings.Repeat("a,", 99) + "a", 422, "the search has too many conditions", "检索的条件过多"},
		{"search.lastn", "/Observation/$lastn?patient=p&code:not=none", 422, "more than 1 Observations fit", "符合条件的 Observation 超过 1 个"},
		{"what is not there", "/Patient?colour=red", 400, "parameter 'colour': Patient has no search parameter 'colour'", "参数 'colour'：Patient 没有检索参数 'colour'"},
		{"a modifier", "/Patient?name:loudly=x", 400, "'loudly' is not a modifier of a string parameter", "'loudly' 不是 string 类型参数的修饰符"},
		{"a value", "/Patient?birthdate=soon", 400, "expected a date such as", "值应为日期，如"},
	} {
		for language, want := range map[string]string{"en": tt.english, "zh-CN": tt.chinese} {
			code, got := g.says("GET", tt.path, "", language)
			text := got.Get("issue").At(0).Path("details", "text").Text()
			if code != tt.status || !strings.Contains(text, want) {
				t.Errorf("%s in %s: %d %q, want %d %q", tt.setting, language, code, text, tt.status, want)
			}
		}
	}
	for _, path := range []string{"/Patient?_id=p&_sort=_id&_include=*", "/Organization?partof:below=Organization/b", "/Organization?partof.name=x"} {
		if code, got := g.says("GET", path, "", "en"); code != http.StatusOK {
			t.Errorf("%s within the settings: %d %s", path, code, got.AppendJSON(nil))
		}
	}
}

func TestSettingsBoundPages(t *testing.T) {
	ids := func(bundle *fhir.Node) (list []string) {
		for _, e := range bundle.Get("entry").Items() {
			list = append(list, e.Get("resource").ID())
		}
		return list
	}
	const nested = "/Organization?_id=c&_include:iterate=Organization:partof"
	for _, tt := range []struct {
		name     string
		settings map[string]string
		path     string
		want     int
		warned   bool
	}{
		{"included, not bound", nil, nested, 3, false},
		{"iterations", map[string]string{"search.iterations": "1"}, nested, 2, false},
		{"included", map[string]string{"search.included": "1"}, nested, 2, true},
		{"count of a search", map[string]string{"limits.count": "2"}, "/Organization", 2, false},
		{"count of a history", map[string]string{"limits.count": "2"}, "/Organization/_history", 2, false},
		{"count of everything", map[string]string{"limits.count": "1"}, "/Patient/p/$everything", 1, false},
		{"count is no more than a page", map[string]string{"limits.page": "1"}, "/Organization", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := map[string]string{"fhir.update-as-create": "on"}
			for k, v := range tt.settings {
				settings[k] = v
			}
			g := start(t, false, settings)
			g.holds(append(slices.Clone(wards), `{"resourceType":"Patient","id":"p"}`, observation("x"))...)
			code, got := g.says("GET", tt.path, "", "en")
			found := slices.DeleteFunc(ids(got), func(id string) bool { return id == "" })
			if code != http.StatusOK || len(found) != tt.want {
				t.Errorf("%d %q, want %d", code, found, tt.want)
			}
			if warned := strings.Contains(string(got.AppendJSON(nil)), "more resources are included than a page may hold"); warned != tt.warned {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}

// Stores must bear what the settings allow at most.
func TestTheLargestSearchesAreAnswered(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, settings := range map[string]map[string]string{"sqlite": {}, "postgres": {"store.url": testenv.Postgres(t)}} {
		t.Run(name, func(t *testing.T) {
			settings["search.operands"], settings["search.values"], settings["search.value"] = "2000", "1900", "512KiB"
			g := start(t, false, settings)
			if code, got := g.says("POST", "/Patient", `{"resourceType":"Patient","identifier":[{"system":"http://test/s","value":"v1899"}],"name":[{"text":"n1899"}],"birthDate":"2024-01-01"}`, "en"); code != http.StatusCreated {
				t.Fatal(code, string(got.AppendJSON(nil)))
			}
			for param, one := range map[string]string{"_id": "v%d", "identifier": "http://test/s|v%d", "name": "n%d", "birthdate": "le2024-01-01T00:00:00.%04d%%2B08:00", "organization": "Organization/o%d", "_has:Observation:patient:code": "http://test/s|v%d"} {
				var values []string
				for i := range 1900 {
					values = append(values, fmt.Sprintf(one, i))
				}
				code, got := g.says("POST", "/Patient/_search", param+"="+strings.Join(values, ","), "en")
				found := len(got.Get("entry").Items()) == 1
				if want := slices.Contains([]string{"identifier", "name", "birthdate"}, param); code != http.StatusOK || found != want {
					t.Errorf("%s: %d, found %v: %.300s", param, code, found, got.AppendJSON(nil))
				}
			}
		})
	}
}

func TestRequestsAreCutOffAfterTheDrain(t *testing.T) {
	c, err := config.Load(config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "data": t.TempDir(), "limits.drain": "300ms"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Config: c, Log: slog.New(slog.DiscardHandler), Version: "test", Started: func(a string) { address <- a }})
	}()
	conn, err := net.Dial("tcp", <-address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // so that it is being read
	stop()
	begun := time.Now()
	select {
	case err := <-ended:
		if waited := time.Since(begun); err != nil || waited < 250*time.Millisecond {
			t.Errorf("it ended after %s with %v", waited, err)
		}
	case <-time.After(8 * time.Second): // the default is 10 s
		t.Error("it did not end")
		conn.Close()
		<-ended
	}
}

func TestTheServerLeavesTheHeadroomOfTheSettings(t *testing.T) {
	t.Setenv("GOGC", "") // whatever tests run with
	start(t, false, map[string]string{"limits.headroom": "4GiB"})
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/heap/live:bytes"}}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		metrics.Read(percent)
		want := (4 << 30) * 100 / max(percent[1].Value.Uint64(), 4<<20)
		if got := percent[0].Value.Uint64(); got > want/2 && got < want*2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("GOGC is %d with %d bytes kept", percent[0].Value.Uint64(), percent[1].Value.Uint64())
		}
	}
}
