package validate_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// Bounds for what is meant to do harm: processor time, which does not depend on
// what else the machine does, and memory.
const (
	hostileTime   = time.Second
	hostileMemory = 100 << 20
)

// worked is the processor time that the process has taken.
func worked(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestHostileInputEnds feeds what is deep, long, cyclic or doubling. Each must
// end in findings within a second and 100 MB.
func TestHostileInputEnds(t *testing.T) {
	const root = "https://a.example/p0"
	deep := func() *fhir.Node {
		extension := &fhir.Node{}
		for i := range 10_000 {
			n := fhir.NewObject().SetString("url", "http://a.b")
			if i > 0 {
				n.Set("extension", fhir.NewArray(extension))
			}
			extension = n
		}
		return fhir.NewObject().SetString("resourceType", "Patient").Set("extension", fhir.NewArray(extension))
	}
	// chain are profiles of which each wants one of two others, of the same element.
	chain := func(links int) library {
		l := library{}
		for i := range links {
			for _, side := range []string{"", "b"} {
				url := fmt.Sprintf("https://a.example/p%d%s", i, side)
				want := ""
				if i+1 < links {
					want = fmt.Sprintf(`,{"id":"Patient.link.other","path":"Patient.link.other","type":[{"code":"Reference","targetProfile":["https://a.example/p%d","https://a.example/p%db"]}]}`, i+1, i+1)
				}
				n := parse(t, constraint(url, "Patient", `{"id":"Patient.photo","path":"Patient.photo","min":1}`+want))
				l["StructureDefinition "+url] = n
			}
		}
		return l
	}
	ring := patient(`,"contained":[{"resourceType":"Patient","id":"a","link":[{"type":"seealso","other":{"reference":"#b"}}]},{"resourceType":"Patient","id":"b","link":[{"type":"seealso","other":{"reference":"#a"}}]}],"link":[{"type":"seealso","other":{"reference":"#a"}}]`)
	element := func(i int) string {
		return fmt.Sprintf(`{"id":"Patient.identifier:s%d","path":"Patient.identifier","sliceName":"s%d"},{"id":"Patient.identifier:s%d.system","path":"Patient.identifier.system","fixedUri":"https://s%d"}`, i, i, i, i)
	}
	var slices, ids []string
	for i := range 500 {
		slices = append(slices, element(i))
		ids = append(ids, fmt.Sprintf(`{"system":"https://none%d","value":"1"}`, i))
	}
	tests := []struct {
		name   string
		source library
		tree   func() *fhir.Node
		want   string // id of a finding
	}{
		{"nesting of 10,000", nil, deep, "too-deep"},
		{"a string of 50 MB", nil, func() *fhir.Node {
			return fhir.NewObject().SetString("resourceType", "Patient").Set("name", fhir.NewArray(fhir.NewObject().SetString("text", strings.Repeat("<", 50<<20))))
		}, "format-string"},
		{"a narrative of 50 MB", nil, func() *fhir.Node {
			return fhir.NewObject().SetString("resourceType", "Patient").Set("text", fhir.NewObject().SetString("status", "generated").
				SetString("div", `<div xmlns="http://www.w3.org/1999/xhtml">`+strings.Repeat("<p>a</p>", 6<<20)))
		}, "too-long"},
		{"profiles that name each other", shelve(t,
			constraint(root, "Patient", `{"id":"Patient","path":"Patient","type":[{"code":"Patient","profile":["https://a.example/p1"]}]},{"id":"Patient.photo","path":"Patient.photo","min":1}`),
			constraint("https://a.example/p1", "Patient", `{"id":"Patient","path":"Patient","type":[{"code":"Patient","profile":["`+root+`"]}]}`),
		), func() *fhir.Node { return parse(t, patient("")) }, "profile-missing"},
		{"a profile derived from itself", shelve(t, strings.Replace(constraint(root, "Patient", `{"id":"Patient","path":"Patient"}`), "http://hl7.org/fhir/StructureDefinition/Patient", root, 1)),
			func() *fhir.Node { return parse(t, patient("")) }, "profile-unusable"},
		{"profiles that double at each link", chain(40), func() *fhir.Node { return parse(t, ring) }, "reference-profile"},
		{"slices times repetitions", shelve(t, constraint(root, "Patient", `{"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}},`+strings.Join(slices, ","))),
			func() *fhir.Node { return parse(t, patient(`,"identifier":[`+strings.Join(ids, ",")+`]`)) }, "slice-unknown"},
		{"a rule that tries every way", shelve(t, constraint(root, "Patient", `{"id":"Patient","path":"Patient","constraint":[{"key":"x-1","severity":"error","human":"x","expression":"name.text.matches('^(a+)+$')"}]}`)),
			func() *fhir.Node { return parse(t, patient(`,"name":[{"text":"`+strings.Repeat("a", 1<<19)+`!"}]`)) }, "invariant-failed"},
		{"a rule that never ends", shelve(t, constraint(root, "Patient", `{"id":"Patient","path":"Patient","constraint":[{"key":"x-1","severity":"error","human":"x","expression":"identifier.select(%resource.identifier.select(%resource.identifier.select(%resource.identifier.value))).count() > 0"}]}`)),
			func() *fhir.Node { return parse(t, patient(`,"identifier":[`+strings.Join(ids, ",")+`]`)) }, "invariant-unusable"},
		{"value sets that include each other", shelve(t,
			constraint(root, "Patient", `{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"https://a.example/v"}},{"id":"Patient.photo","path":"Patient.photo","min":1}`),
			`{"resourceType":"ValueSet","url":"https://a.example/v","compose":{"include":[{"valueSet":["https://a.example/w"]},{"valueSet":["https://a.example/w"]}]}}`,
			`{"resourceType":"ValueSet","url":"https://a.example/w","compose":{"include":[{"valueSet":["https://a.example/v"]},{"valueSet":["https://a.example/v"]}]}}`,
		), func() *fhir.Node {
			return parse(t, patient(`,"maritalStatus":{"coding":[{"system":"https://a","code":"b"}]}`))
		}, "profile-missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := validate.Options{Thorough: true, NoBestPractice: true}
			if tt.source != nil {
				options.Source, options.Profiles = tt.source, []string{root}
			}
			n := tt.tree()
			v := validate.New(definitions.R4(), options)
			v.Resource(parse(t, patient(""))) // what compiles once is not what is measured
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := worked(t)
			issues := v.Resource(n)
			took := worked(t) - start
			for try := 0; try < 2 && took > hostileTime; try++ { // a busy machine slows the processor down too
				start = worked(t)
				v.Resource(n)
				took = min(took, worked(t)-start)
			}
			runtime.ReadMemStats(&after)
			ids := map[string]bool{}
			for _, i := range issues {
				ids[i.ID] = true
			}
			t.Logf("%v, %d MB allocated, %d findings", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, len(issues))
			if !ids[tt.want] {
				t.Errorf("%s is not among %v", tt.want, ids)
			}
			if took > hostileTime {
				t.Errorf("took %v", took)
			}
			// The heap grows by no more than what is reachable and what was not collected yet.
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > hostileMemory {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
		})
	}
}

// TestNamesInResourcesAreNotKept names ever other versions, systems and
// profiles: what is kept must not grow with them.
func TestNamesInResourcesAreNotKept(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true})
	judge := func(i int) {
		v.Resource(parse(t, fmt.Sprintf(`{"resourceType":"Observation","status":"final","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/bp|%[1]d","https://a.example/%[1]d"],
			"tag":[{"system":"https://a.example/%[1]d","code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/v2-0203|%[1]d","code":"MR"},{"system":"http://hl7.org/fhir/ValueSet/administrative-gender|%[1]d","code":"x"}]},
			"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/bodySite|%[1]d","valueReference":{"display":"x"}}],"code":{"text":"x"}}`, i)))
	}
	for i := range 10 {
		judge(i)
	}
	profiles, terms := v.Kept()
	for i := range 200 {
		judge(10 + i)
	}
	if p, b := v.Kept(); p > profiles || b > terms {
		t.Errorf("%d profiles and %d bytes of terms are kept after %d and %d", p, b, profiles, terms)
	}
}
