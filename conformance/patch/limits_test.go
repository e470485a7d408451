//go:build unix

package patch_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
)

func TestLimits(t *testing.T) {
	const patient = `{"resourceType":"Patient"}`
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, tt := range []struct {
		name string
		kind string
		lim  patch.Limits
		over string // the patch that goes over; in is just within
		in   string
		id   string
	}{
		{"operations", "fhirpath", patch.Limits{Operations: 1}, operations(`type=delete|path=Patient.name`, `type=delete|path=Patient.name`), operations(`type=delete|path=Patient.name`), "patch-too-many-operations"},
		{"operations", "json", patch.Limits{Operations: 1}, `[{"op":"test","path":"","value":{"resourceType":"Patient"}},{"op":"remove","path":"/x"}]`, `[{"op":"test","path":"","value":{"resourceType":"Patient"}}]`, "patch-too-many-operations"},
		{"operations", "xml", patch.Limits{Operations: 1}, diff(`<add sel="f:Patient"><active value="true"/></add><remove sel="f:Patient/f:active"/>`), diff(`<add sel="f:Patient"><active value="true"/></add>`), "patch-too-many-operations"},
		{"depth", "fhirpath", patch.Limits{Depth: 5}, operations(`type=add|path=Patient|name=name|value="valueHumanName":{"extension":[{"extension":[{"url":"a"}]}]}`), operations(`type=add|path=Patient|name=name|value="valueHumanName":{"extension":[{"url":"a"}]}`), "patch-too-deep"},
		{"depth", "json", patch.Limits{Depth: 5}, `[{"op":"add","path":"/a","value":` + deep(5) + `}]`, `[{"op":"add","path":"/a","value":` + deep(4) + `}]`, "patch-too-deep"},
		{"depth of what moves", "json", patch.Limits{Depth: 5}, `[{"op":"add","path":"/a","value":` + deep(3) + `},{"op":"add","path":"/b","value":{"c":{}}},{"op":"move","from":"/a","path":"/b/c/d"}]`,
			`[{"op":"add","path":"/a","value":` + deep(3) + `},{"op":"add","path":"/b","value":{"c":{}}},{"op":"move","from":"/a","path":"/b/d"}]`, "patch-too-deep"},
		{"values", "fhirpath", patch.Limits{Nodes: 5}, operations(`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a","family":"b"}`), operations(`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a"}`), "patch-too-many-values"},
		{"values", "json", patch.Limits{Nodes: 5}, `[{"op":"add","path":"/a","value":[1,2,3]}]`, `[{"op":"add","path":"/a","value":[1,2,3,4,5,6]},{"op":"add","path":"/a","value":[1,2]}]`, ""},
		{"values", "json", patch.Limits{Nodes: 5}, `[{"op":"add","path":"/a","value":[1,2,3]}]`, `[{"op":"add","path":"/a","value":[1,2]},{"op":"replace","path":"/a","value":[3,4]},{"op":"add","path":"/a","value":[5,6]},{"op":"remove","path":"/a/0"},{"op":"copy","from":"/a/0","path":"/b"}]`, "patch-too-many-values"},
		{"values", "xml", patch.Limits{}, diff(`<add sel="f:Patient/f:active">` + strings.Repeat(`<a/>`, patch.MaxXMLNodes) + `</add>`), diff(`<add sel="f:Patient"><active value="true"/></add>`), "patch-too-many-values"},
		{"bytes", "fhirpath", patch.Limits{Bytes: 100}, operations(`type=add|path=Patient|name=gender|value="valueCode":"` + strings.Repeat("a", 80) + `"`), operations(`type=add|path=Patient|name=gender|value="valueCode":"` + strings.Repeat("a", 50) + `"`), "patch-too-large"},
		{"bytes", "json", patch.Limits{Bytes: 100}, `[{"op":"add","path":"/a","value":"` + strings.Repeat("a", 80) + `"}]`, `[{"op":"add","path":"/a","value":"` + strings.Repeat("a", 50) + `"}]`, "patch-too-large"},
		{"bytes", "xml", patch.Limits{Bytes: 200}, diff(`<replace sel="f:Patient"><Patient><language value="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"/></Patient></replace>`),
			diff(`<add sel="f:Patient"><active value="true"/></add>`), "patch-malformed"},
		{"work", "fhirpath", patch.Limits{Work: 30}, operations(`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a","given":["a","b","c","d","e","f"]}`, `type=delete|path=Patient.name.text`),
			operations(`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a"}`), "patch-too-costly"},
		{"work", "json", patch.Limits{Work: 10}, `[{"op":"add","path":"/a","value":[1,2,3,4]},{"op":"remove","path":"/a"}]`, `[{"op":"add","path":"/a","value":[1,2,3,4]}]`, "patch-too-costly"},
		{"work", "xml", patch.Limits{Work: 10}, diff(`<add sel="f:Patient"><name><text value="a"/></name></add><remove sel="f:Patient/*[1]/*[1]/@value"/>`), diff(`<add sel="f:Patient"><active value="true"/></add>`), "patch-too-costly"},
		{"path", "fhirpath", patch.Limits{}, operations(`type=delete|path=Patient` + strings.Repeat(" ", patch.MaxPath) + ".name"), operations(`type=delete|path=Patient` + strings.Repeat(" ", patch.MaxPath-len("Patient.name")) + ".name"), "patch-path-too-long"},
		{"path", "json", patch.Limits{}, `[{"op":"add","path":"/` + strings.Repeat("a", patch.MaxPath) + `","value":1}]`, `[{"op":"add","path":"/` + strings.Repeat("a", patch.MaxPath-1) + `","value":1}]`, "patch-path-too-long"},
		{"path", "xml", patch.Limits{}, diff(`<add sel="f:Patient` + strings.Repeat(" ", patch.MaxPath) + `"><active value="true"/></add>`), diff(`<add sel="f:Patient` + strings.Repeat(" ", patch.MaxPath-len("f:Patient")) + `"><active value="true"/></add>`), "patch-path-too-long"},
		{"steps", "xml", patch.Limits{}, diff(`<remove sel="` + strings.Repeat("a/", 64) + `a"/>`), diff(`<add sel="f:Patient` + strings.Repeat("/.", 63) + `"><active value="true"/></add>`), "patch-path-syntax"},
		{"predicates", "xml", patch.Limits{}, diff(`<remove sel="f:Patient` + strings.Repeat("[1]", 17) + `"/>`), diff(`<add sel="f:Patient` + strings.Repeat("[1]", 16) + `"><active value="true"/></add>`), "patch-path-syntax"},
		{"nested predicates", "xml", patch.Limits{}, diff(`<remove sel="f:Patient` + strings.Repeat("[a", 64) + strings.Repeat("]", 64) + `"/>`), diff(`<add sel="f:Patient` + strings.Repeat("[.", 63) + strings.Repeat("]", 63) + `"><active value="true"/></add>`), "patch-path-syntax"},
	} {
		t.Run(tt.name+" of "+tt.kind, func(t *testing.T) {
			if tt.id == "" {
				_, err := apply(t, tt.kind, tree(t, patient), tt.in, tt.lim)
				var e *patch.Error
				if !errors.As(err, &e) || e.Operation != 0 || !e.Limit {
					t.Errorf("got %v", err)
				}
				return
			}
			if _, err := apply(t, tt.kind, tree(t, patient), tt.in, tt.lim); err != nil {
				t.Errorf("within: %v", err)
			}
			_, err := apply(t, tt.kind, tree(t, patient), tt.over, tt.lim)
			var e *patch.Error
			if !errors.As(err, &e) || e.ID != tt.id || tt.id != "patch-path-syntax" && !e.Limit {
				t.Errorf("over: %v", err)
			}
		})
	}
}

func apply(t testing.TB, kind string, n *fhir.Node, text string, lim patch.Limits) (*fhir.Node, error) {
	switch kind {
	case "fhirpath":
		return patch.ApplyFHIRPath(n, tree(t, text), lim)
	case "json":
		return patch.ApplyJSON(n, tree(t, text), lim)
	}
	return patch.ApplyXML(n, []byte(text), lim)
}

// TestHostilePatchesEndSoon gives patches that try to take time or memory out of
// proportion to their size.
func TestHostilePatchesEndSoon(t *testing.T) {
	repeat := func(n int, unit string) string { return strings.Repeat(unit+",", n-1) + unit }
	many := func(n int, o string) string { return operations(strings.Split(repeat(n, o), ",")...) }
	names := `{"resourceType":"Patient","name":[` + repeat(100_000, `{"text":"a"}`) + `]}`
	var wide strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&wide, `,"a%d":{"b":1}`, i)
	}
	object := `{"resourceType":"Patient"` + wide.String() + `}`
	text := `{"resourceType":"Patient","gender":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, tt := range map[string]struct{ kind, resource, patch string }{
		"copies that double":                   {"json", text, `[` + repeat(1000, `{"op":"copy","from":"","path":"/a"}`) + `]`},
		"copies of a large text":               {"json", text, `[{"op":"add","path":"/l","value":[]},` + repeat(900, `{"op":"copy","from":"/gender","path":"/l/-"}`) + `]`},
		"copies that go deeper":                {"json", `{"a":{}}`, `[` + repeat(1000, `{"op":"copy","from":"/a","path":"/a/a"}`) + `]`},
		"insertions at the beginning":          {"json", names, `[` + repeat(1000, `{"op":"add","path":"/name/0","value":1}`) + `]`},
		"tests of everything":                  {"json", names, `[{"op":"copy","from":"/name","path":"/x"},` + repeat(900, `{"op":"test","path":"/name","value":[]}`) + `]`},
		"lookups in a wide object":             {"json", object, `[` + repeat(1000, `{"op":"replace","path":"/a199999/b","value":2}`) + `]`},
		"additions to a wide object":           {"json", object, `[` + repeat(1000, `{"op":"add","path":"/a199999","value":2}`) + `]`},
		"moves of everything":                  {"json", names, `[` + repeat(500, `{"op":"move","from":"/name","path":"/x"},{"op":"move","from":"/x","path":"/name"}`) + `]`},
		"too many operations":                  {"json", `{}`, `[` + repeat(100_000, `{}`) + `]`},
		"paths over everything":                {"fhirpath", names, many(1000, `type=delete|path=Patient.name.where(text='b')`)},
		"paths that repeat":                    {"fhirpath", names, many(10, `type=delete|path=Patient.repeat(descendants())`)},
		"paths that multiply":                  {"fhirpath", names, many(10, `type=delete|path=Patient.name.select(%resource.name.select(%resource.name))`)},
		"deletions of the last of many":        {"fhirpath", names, many(1000, `type=delete|path=Patient.name.last()`)},
		"moves among many":                     {"fhirpath", names, many(1000, `type=move|path=Patient.name|source=0|destination=99999`)},
		"elements beside many unknown":         {"fhirpath", `{"resourceType":"Patient"` + wide.String() + `,"active":true}`, many(1000, `type=delete|path=Patient.active`)},
		"selectors over everything":            {"xml", names, diff(strings.Repeat(`<remove sel="f:Patient/f:name/f:text[@value='b']"/>`, 1000))},
		"selectors in selectors":               {"xml", names, diff(`<remove sel="*[*[*[*[*]]]]/*[1][1][1][1][1][1][1][1][1][1]/*[.=''][.=''][.='a']"/>`)},
		"texts of everything":                  {"xml", text, diff(strings.Repeat(`<add sel="f:Patient[not]" pos="after"/>`, 1) + strings.Repeat(`<add sel="*[.='']"><!--a--></add>`, 900))},
		"additions of what is added":           {"xml", names, diff(strings.Repeat(`<add sel="f:Patient"><active value="true"/></add>`, 1000))},
		"a patch of small elements":            {"xml", `{"resourceType":"Patient"}`, diff(`<add sel="f:Patient">` + strings.Repeat(`<a/>`, 4<<20-100) + `</add>`)},
		"a patch of many operations":           {"xml", `{"resourceType":"Patient"}`, diff(strings.Repeat(`<remove sel="a"/>`, 100_000))},
		"a large selector":                     {"xml", `{"resourceType":"Patient"}`, diff(`<remove sel="` + strings.Repeat("a", 1<<20) + `"/>`)},
		"a selector of tests":                  {"xml", `{"resourceType":"Patient"}`, diff(`<remove sel="` + strings.Repeat("a[", 4000) + `"/>`)},
		"an expression of parentheses":         {"fhirpath", `{"resourceType":"Patient"}`, many(1000, `type=delete|path=`+strings.Repeat("(", 8000))},
		"a value that nests as deep as it may": {"fhirpath", `{"resourceType":"Patient"}`, operations(`type=add|path=Patient|name=contact|value=` + strings.Repeat(`"part":[{"name":"contact",`, 300) + `"x":1` + strings.Repeat(`}]`, 300))},
	} {
		t.Run(name, func(t *testing.T) {
			n := tree(t, tt.resource)
			var parsed *fhir.Node
			if tt.kind != "xml" {
				parsed = tree(t, tt.patch)
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := processorTime(t)
			var err error
			switch tt.kind {
			case "fhirpath":
				_, err = patch.ApplyFHIRPath(n, parsed, patch.Limits{})
			case "json":
				_, err = patch.ApplyJSON(n, parsed, patch.Limits{})
			default:
				_, err = patch.ApplyXML(n, []byte(tt.patch), patch.Limits{})
			}
			took := processorTime(t) - start
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MB allocated, %v", took, (after.TotalAlloc-before.TotalAlloc)>>20, err)
			if took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// processorTime is what this process has computed so far: what the clock says
// depends on what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
