package fhirpath

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// TestConditionsSayWhatValuesSay evaluates every invariant of R4, and conditions of every
// form, over right and wrong elements: as the truth of its values, and without making them.
func TestConditionsSayWhatValuesSay(t *testing.T) {
	m := NewModel(definitions.R4())
	shapes := []string{`null`, `true`, `false`, `1.5`, `"x"`, `"document"`, `[]`, `[null]`, `["x"]`, `["x","document"]`, `{}`, `[{}]`, `[{"a":1},{}]`,
		`{"value":1,"code":"g","system":"http://unitsofmeasure.org"}`, `[{"request":{"url":"x"}},{"response":{}}]`}
	own := []string{
		"a.exists()", "a.empty().not()", "a = 'x'", "b = 'document' implies a.exists()", "a.exists() = b.exists()", "(a = 'x') = (b = 'x')",
		"a.not()", "a.not().not()", "a.all(b.exists())", "a.all(a.exists() or b = 'x')", "%resource.a = 'x' and %resource.b.exists()",
		"a.exists() xor b.empty()", "a and b", "a or b.exists()", "a implies b", "a.b.exists()", "a.exists(b = 'x')", "a.all($this is string)",
		"status = 'document' or status.empty()", "value.exists() and value.empty().not()", "identifier.exists() = name.exists()", "type = 'document'",
	}
	names := strings.Fields("a b type status value valueQuantity valueString identifier name entry total search fullUrl resource request response code system low high text telecom address organization component dataAbsentReason start end contained")
	var elements []*fhir.Node
	for _, name := range append(names, "_status", "_value") {
		for i, shape := range shapes {
			for _, more := range []string{"", `,"type":"document","b":"x"`, `,"system":"s","high":{"value":2}`} {
				if (i+len(more))%2 == 0 && more != "" && strings.Contains(more, `"`+name+`"`) {
					continue
				}
				n, err := fhir.Parse([]byte(`{"`+name+`":`+shape+more+`}`), fhir.Limits{})
				if err == nil {
					elements = append(elements, n)
				}
			}
		}
	}
	compared := 0
	compare := func(x *Expression, focus Value) {
		t.Helper()
		j := m.Judge(&Env{Resource: focus.node})
		holds, defined, err := j.Holds(x, focus)
		j.Close()
		v := machines.Get().(*machine)
		v.reset(&Env{Resource: focus.node}, m, focus)
		want, wrong := v.truth(x.run)
		v.release()
		compared++
		if (err != nil) != (wrong != nil) || err == nil && (holds != (want == yes) || defined != (want != unknown)) {
			t.Errorf("%s over %s %s: %v %v %v, want %v %v", x, focus.class.name, focus.node.AppendJSON(nil), holds, defined, err, want, wrong)
		}
	}
	compile := func(text string) *Expression {
		t.Helper()
		x, err := m.Compile(text, Options{Lenient: true})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return x
	}
	for _, text := range own {
		x := compile(text)
		for _, n := range elements {
			for _, typ := range []string{"Bundle", "Observation", "Patient"} {
				compare(x, Value{node: n, class: m.typeClass(typ)})
			}
			compare(x, Value{node: n, class: m.any})
		}
	}
	for _, typ := range []string{"Bundle", "Observation", "Patient", "Range", "Quantity", "ContactPoint", "Period", "Attachment", "Reference", "Composition", "ValueSet"} {
		elementsOf := append([]*definitions.Element{definitions.R4().Type(typ).Root()}, definitions.R4().Type(typ).Elements()...)
		for _, e := range elementsOf {
			p, err := definitions.R4().Resolve(e.Path)
			if err != nil || strings.HasSuffix(e.Path, "[x]") {
				continue
			}
			for _, c := range e.Constraints {
				if c.Expression == "" || c.Key == "ele-1" || c.Key == "ext-1" {
					continue
				}
				x := compile(c.Expression)
				for _, n := range elements {
					focus := Value{node: n, class: m.typeClass(typ)}
					if strings.Contains(e.Path, ".") {
						focus.class = m.classOf(p)
					}
					compare(x, focus)
				}
			}
		}
	}
	if compared < 50_000 {
		t.Errorf("%d comparisons", compared)
	}
}
