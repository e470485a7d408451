package maptest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// element is one line of want.txt: what stands at a place, or that nothing does.
//
//	Observation/observation-2.valueQuantity.value = 5.60
//	Patient/patient.identifier[1].value = 990121196506073324
//	DiagnosticReport/report.conclusion = "心影不大\n双肺纹理清晰"
//	Patient/patient.telecom absent
type element struct {
	text     string
	resource string // "Observation/observation-2"
	steps    []string
	value    string
	absent   bool
}

// elements reads want.txt. Blank lines and those that begin with # are for people.
func elements(data []byte) ([]element, error) {
	out := []element{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		e := element{text: line}
		place, value, ok := strings.Cut(line, " = ")
		switch {
		case ok && strings.HasPrefix(value, `"`):
			text, err := strconv.Unquote(value)
			if err != nil {
				return nil, fmt.Errorf("line %d: %s: want text, or text in double quotes with \\n for line breaks", n, value)
			}
			e.value = text
		case ok:
			e.value = value
		default:
			if place, e.absent = strings.CutSuffix(line, " absent"); !e.absent {
				return nil, fmt.Errorf("line %d: want PLACE = VALUE or PLACE absent, such as Patient/patient.birthDate = 1990-01-02", n)
			}
		}
		e.resource, place, _ = strings.Cut(place, ".")
		if typ, id, ok := strings.Cut(e.resource, "/"); !ok || typ == "" || id == "" {
			return nil, fmt.Errorf("line %d: %q; want a resource such as Patient/patient in front", n, e.resource)
		}
		for _, step := range strings.FieldsFunc(place, func(r rune) bool { return r == '.' || r == '[' }) {
			e.steps = append(e.steps, strings.TrimSuffix(step, "]"))
		}
		if len(e.steps) == 0 && !e.absent {
			return nil, fmt.Errorf("line %d: want an element behind %s", n, e.resource)
		}
		out = append(out, e)
	}
	return out, nil
}

// compareElements looks at every wanted place.
func compareElements(want []element, got []*fhir.Node) []string {
	var diff []string
	for _, e := range want {
		n := e.find(got)
		switch {
		case e.absent && n != nil:
			diff = append(diff, e.text+": got "+short(n))
		case e.absent:
		case n == nil:
			diff = append(diff, e.text+": got nothing")
		case n.Text() != e.value || n.Kind() == fhir.Object || n.Kind() == fhir.Array:
			diff = append(diff, e.text+": got "+short(n))
		}
	}
	return diff
}

// find returns what stands at the place: of a list without a number its first item.
func (e *element) find(got []*fhir.Node) *fhir.Node {
	for _, n := range got {
		if n.ResourceType()+"/"+n.ID() != e.resource {
			continue
		}
		for _, step := range e.steps {
			if i, err := strconv.Atoi(step); err == nil {
				n = n.At(i)
				continue
			}
			if n.Kind() == fhir.Array {
				n = n.At(0)
			}
			n = n.Get(step)
		}
		if n.Kind() == fhir.Array && !e.absent && n.Len() == 1 {
			n = n.At(0)
		}
		return n
	}
	return nil
}
