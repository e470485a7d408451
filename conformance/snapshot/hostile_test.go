package snapshot_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
)

// chain is profiles each of which derives from the one before, the first from Patient.
func chain(t testing.TB, n int) []*fhir.Node {
	var out []*fhir.Node
	base := "Patient"
	for i := range n {
		url := fmt.Sprintf("urn:p%d", i)
		out = append(out, constraint(t, url, "Patient", base, `{"path": "Patient.active", "mustSupport": true}`))
		base = url
	}
	return out
}

// doubling is extensions each of which unfolds the one before twice.
func doubling(t testing.TB, n int) []*fhir.Node {
	out := []*fhir.Node{constraint(t, "urn:e0", "Extension", "Extension", `{"path": "Extension.url", "fixedUri": "urn:e0"}`)}
	for i := range n {
		var elements []string
		for _, slice := range []string{"a", "b"} {
			elements = append(elements, fmt.Sprintf(`{"path": "Extension.extension", "sliceName": %q, "type": [{"code": "Extension", "profile": ["urn:e%d"]}]},
				{"path": "Extension.extension.url", "min": 1}`, slice, i))
		}
		out = append(out, constraint(t, fmt.Sprintf("urn:e%d", i+1), "Extension", "Extension", strings.Join(elements, ",")))
	}
	return out
}

// mutual is extensions that all refer to all others.
func mutual(t testing.TB, n int) []*fhir.Node {
	var out []*fhir.Node
	for i := range n {
		var elements []string
		for j := range n {
			elements = append(elements, fmt.Sprintf(`{"path": "Extension.extension", "sliceName": "s%d", "type": [{"code": "Extension", "profile": ["urn:m%d"]}]},
				{"path": "Extension.extension.url", "min": 1}`, j, j))
		}
		out = append(out, constraint(t, fmt.Sprintf("urn:m%d", i), "Extension", "Extension", strings.Join(elements, ",")))
	}
	return out
}

func many(n int, element func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(element(i))
	}
	return b.String()
}

// worked is the processor time that the tests have taken: how long something takes when the machine does nothing else.
func worked(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestHostileDefinitionsEndInAnIssueAtOnce(t *testing.T) {
	deep := "Patient" + strings.Repeat(".extension", 60)
	for _, tt := range []struct {
		name string
		all  []*fhir.Node // the last is generated
		want string       // id of an issue; "" if none is wanted
	}{
		{"a chain that is not too long", chain(t, 30), ""},
		{"a chain that is too long", chain(t, 40), "base-missing"},
		{"a chain of a thousand", chain(t, 1000), "base-missing"},
		{"a profile on itself", []*fhir.Node{constraint(t, "urn:a", "Patient", "urn:a", "")}, "cycle"},
		{"two profiles on each other", []*fhir.Node{constraint(t, "urn:a", "Patient", "urn:b", ""), constraint(t, "urn:b", "Patient", "urn:a", "")}, "base-missing"},
		{"extensions that double at each step", doubling(t, 24), "dependency-flawed"},
		{"extensions that double at each step, beyond what is derived", doubling(t, 60), "too-many-steps"},
		{"extensions that all refer to all others", mutual(t, 24), "too-many-steps"},
		{"too many changes", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", many(6000, func(int) string { return `{"path": "Patient.active"}` }))}, "too-many-changes"},
		{"thousands of slices", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", identifierSlicing+","+many(4900, func(i int) string {
			return fmt.Sprintf(`{"path": "Patient.identifier", "sliceName": "s%d"}`, i)
		}))}, ""},
		{"thousands of unfolded slices", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", identifierSlicing+","+many(2400, func(i int) string {
			return fmt.Sprintf(`{"path": "Patient.identifier", "sliceName": "s%d"}, {"path": "Patient.identifier.assigner.identifier.value", "min": 1}`, i)
		}))}, "too-many-elements"},
		{"slices with large names", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", identifierSlicing+fmt.Sprintf(`,{"path": "Patient.identifier", "sliceName": %q}`, strings.Repeat("x", 300)))}, "too-long"},
		{"a path of a megabyte", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", fmt.Sprintf(`{"path": "Patient.%s"}`, strings.Repeat("x", 1<<20)))}, "too-long"},
		{"a path of 10,000 parts", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", fmt.Sprintf(`{"path": "Patient%s"}`, strings.Repeat(".x", 1000)))}, "too-deep"},
		{"sixty extensions below each other", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", fmt.Sprintf(`{"path": %q, "min": 1}`, deep))}, ""},
		{"a property of many values", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", `{"path": "Patient.active", "mapping": [`+many(2000, func(i int) string {
			return fmt.Sprintf(`{"map": "%d"}`, i)
		})+`]}`)}, "too-many-items"},
		{"large values in every slice", []*fhir.Node{constraint(t, "urn:a", "Patient", "Patient", identifierSlicing+","+many(1000, func(i int) string {
			return fmt.Sprintf(`{"path": "Patient.identifier", "sliceName": "s%d", "alias": [%s]}`, i, many(900, func(j int) string { return fmt.Sprintf(`"%d"`, j) }))
		}))}, "too-large"},
		{"a snapshot that is no tree", []*fhir.Node{
			parse(t, `{"resourceType": "StructureDefinition", "url": "urn:b", "type": "Patient", "derivation": "constraint", "snapshot": {"element": [
				{"path": "Patient"}, {"path": "Patient.a.b"}]}}`),
			constraint(t, "urn:a", "Patient", "urn:b", ""),
		}, "base-missing"},
		{"what is no definition", []*fhir.Node{parse(t, `{"resourceType": "Patient"}`)}, "no-definition"},
		{"a definition without a type", []*fhir.Node{parse(t, `{"resourceType": "StructureDefinition"}`)}, "type-missing"},
		{"a constraint without a base", []*fhir.Node{parse(t, `{"resourceType": "StructureDefinition", "type": "Patient", "derivation": "constraint"}`)}, "base-missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := snapshot.New(over(tt.all...), snapshot.Options{})
			packages.R4().Resolve("StructureDefinition", "http://hl7.org/fhir/StructureDefinition/Patient")
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begun := worked(t)
			out, issues := g.Generate(tt.all[len(tt.all)-1])
			took := worked(t) - begun
			runtime.ReadMemStats(&after)
			if took > time.Second {
				t.Errorf("took %v", took)
			}
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 100<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
			var ids []string
			for _, i := range issues {
				ids = append(ids, i.ID)
			}
			if tt.want == "" && (out == nil || len(ids) > 0) || tt.want != "" && !strings.Contains(strings.Join(ids, " "), tt.want) {
				t.Errorf("issues are %.600v, want %q", issues, tt.want)
			}
		})
	}
}

func TestLimitsHold(t *testing.T) {
	list := chain(t, 3)
	last := list[len(list)-1]
	wide := constraint(t, "urn:wide", "Patient", "Patient", `{"path": "Patient.active", "alias": ["a", "b", "c"]}, {"path": "Patient.none"}, {"path": "Patient.nothing"}`)
	for _, tt := range []struct {
		name   string
		sd     *fhir.Node
		limits snapshot.Limits
		want   string
	}{
		{"elements", last, snapshot.Limits{Elements: 30}, "base-missing"}, // the base has more already
		{"bytes", last, snapshot.Limits{Bytes: 1000}, "base-missing"},
		{"changes", wide, snapshot.Limits{Changes: 2}, "too-many-changes"},
		{"items", wide, snapshot.Limits{Items: 2}, "base-missing"},
		{"derivations", last, snapshot.Limits{Derivations: 2}, "base-missing"},
		{"steps", last, snapshot.Limits{Steps: 10}, "too-many-steps"},
		{"issues", wide, snapshot.Limits{Issues: 1}, "path-unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, issues := snapshot.New(over(list...), snapshot.Options{Limits: tt.limits}).Generate(tt.sd)
			if len(issues) == 0 || issues[0].ID != tt.want || tt.limits.Issues == 1 && len(issues) != 1 {
				t.Errorf("issues are %v, want %s", issues, tt.want)
			}
		})
	}
}

func FuzzGenerate(f *testing.F) {
	f.Add(`{"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},{"path":"Patient.identifier","sliceName":"a","min":1}`)
	f.Add(`{"path":"Patient.deceasedBoolean","fixedBoolean":true},{"path":"Patient.contact.name.given","max":"0"}`)
	f.Add(`{"path":"Patient.extension","sliceName":"x","type":[{"code":"Extension","profile":["http://hl7.org/fhir/StructureDefinition/patient-nationality"]}]},{"path":"Patient.extension.extension","sliceName":"code","min":1}`)
	f.Add(`{"path":"Patient.multipleBirth[x]","slicing":{},"type":[{"code":"integer"}]},{"path":"Patient.multipleBirth[x]","sliceName":"multipleBirthInteger"}`)
	f.Add(`{"path":"Patient.link.other.identifier.assigner.identifier","sliceName":"a/b","constraint":[{}],"binding":{}}`)
	f.Add(`{"path":"Patient.extension","sliceName":"."}`)
	f.Fuzz(func(t *testing.T, elements string) {
		sd, err := fhir.Parse([]byte(`{"resourceType":"StructureDefinition","url":"urn:new","type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
			"derivation":"constraint","differential":{"element":[`+elements+`]}}`), fhir.Limits{})
		if err != nil {
			return
		}
		g := snapshot.New(packages.R4(), snapshot.Options{})
		out, issues := g.Generate(sd)
		if out == nil {
			if !fhir.HasErrors(issues) {
				t.Fatal("there is nothing, and no reason")
			}
			return
		}
		again, _ := g.Generate(sd)
		if !fhir.Equal(out, again) {
			t.Fatal("two runs differ")
		}
		ids := map[string]bool{}
		for _, e := range out.Path("snapshot", "element").Items() {
			id := e.Get("id").Text()
			parent, _, _ := cutLast(id)
			if ids[id] {
				t.Fatalf("%q is there twice", id)
			}
			if parent != "" && !ids[parent] {
				t.Fatalf("%q stands without %q", id, parent)
			}
			ids[id] = true
		}
		// What was made can be built upon.
		if _, issues := snapshot.New(over(out), snapshot.Options{}).Generate(constraint(t, "urn:next", "Patient", "urn:new", "")); fhir.HasErrors(issues) {
			t.Fatalf("a profile on the result: %v", issues)
		}
	})
}

func cutLast(id string) (before, after string, ok bool) {
	i := strings.LastIndexByte(id, '.')
	if i < 0 {
		return "", id, false
	}
	return id[:i], id[i+1:], true
}
