package testscript

import (
	"fmt"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// maxMinimumSteps bounds the comparison of two resources.
const maxMinimumSteps = 2_000_000

// minimum looks for everything one tree has in another.
type minimum struct {
	steps int
	path  string // of the first thing that is missing
}

// contains returns the place of the first thing of want that got does not have, "" if it has all. The items of want's
// arrays may stand anywhere in got's, each for itself. What a server gives itself – a resource's id, version and time –
// is not compared.
func containsAll(got, want *fhir.Node) (missing string, err error) {
	if got == nil {
		return want.ResourceType(), nil
	}
	m := &minimum{}
	if got.ResourceType() != want.ResourceType() {
		return "resourceType", nil
	}
	ok := true
	for _, w := range want.All() {
		switch w.Name() {
		case "id", "_id":
			continue
		case "meta":
			w = w.Clone()
			w.Remove("versionId")
			w.Remove("lastUpdated")
			if !m.within(got.Get("meta"), w, want.ResourceType()+".meta") && w.Len() > 0 {
				ok = false
			}
			continue
		}
		if !m.within(got.Get(w.Name()), w, want.ResourceType()+"."+w.Name()) {
			ok = false
			break
		}
	}
	if m.steps > maxMinimumSteps {
		return "", fmt.Errorf("the comparison takes more than %d steps", maxMinimumSteps)
	}
	if !ok && m.path == "" {
		m.path = want.ResourceType()
	}
	if ok {
		return "", nil
	}
	return m.path, nil
}

func (m *minimum) miss(path string) bool {
	if m.path == "" {
		m.path = path
	}
	return false
}

func (m *minimum) within(got, want *fhir.Node, path string) bool {
	if m.steps++; m.steps > maxMinimumSteps {
		return false
	}
	switch want.Kind() {
	case fhir.Object:
		if got.Kind() != fhir.Object {
			return m.miss(path)
		}
		for _, w := range want.All() {
			if !m.within(got.Get(w.Name()), w, path+"."+w.Name()) {
				return false
			}
		}
		return true
	case fhir.Array:
		return m.items(got, want, path)
	case fhir.Null:
		return true
	}
	if got.Kind() != want.Kind() || got.Text() != want.Text() {
		return m.miss(path)
	}
	return true
}

// items finds for each item of want an item of got of its own: a matching, made by giving way along chains.
func (m *minimum) items(got, want *fhir.Node, path string) bool {
	if got.Kind() != fhir.Array {
		return m.miss(path)
	}
	before := m.path
	fits := make([][]bool, want.Len())
	for i := range fits {
		fits[i] = make([]bool, got.Len())
		for j := range fits[i] {
			m.path = before
			fits[i][j] = m.within(got.At(j), want.At(i), path)
			if m.steps > maxMinimumSteps {
				return false
			}
		}
	}
	m.path = before
	owner := make([]int, got.Len())
	for j := range owner {
		owner[j] = -1
	}
	for i := range fits {
		if !m.place(i, fits, owner, make([]bool, got.Len())) {
			return m.miss(path + "[" + strconv.Itoa(i) + "]")
		}
	}
	return true
}

func (m *minimum) place(i int, fits [][]bool, owner []int, tried []bool) bool {
	for j, ok := range fits[i] {
		if m.steps++; m.steps > maxMinimumSteps {
			return false
		}
		if !ok || tried[j] {
			continue
		}
		tried[j] = true
		if owner[j] < 0 || m.place(owner[j], fits, owner, tried) {
			owner[j] = i
			return true
		}
	}
	return false
}
