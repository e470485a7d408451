package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
)

// Terminology returns the folder's code tables as FHIR resources, a ConceptMap and a CodeSystem for each, in the order of
// their names. Their ids begin with the institution's.
func (inst *Institution) Terminology() ([]*fhir.Node, error) {
	var out []*fhir.Node
	for _, name := range slices.Sorted(maps.Keys(inst.tables)) {
		t := inst.tables[name]
		id := inst.id + "." + name
		if len(id) > 64 {
			id = id[:64]
		}
		for _, show := range []struct {
			kind string
			make func(codes.Identity) ([]byte, error)
		}{{"ConceptMap", t.ConceptMap}, {"CodeSystem", t.CodeSystem}} {
			if show.kind == "CodeSystem" && !strings.HasPrefix(t.Source(), inst.alliance+"/") {
				continue // another's code system: its codes here are not all it has
			}
			url := inst.alliance + "/fhir/institution/" + inst.id + "/" + show.kind + "/" + name
			data, err := show.make(codes.Identity{ID: id, URL: url, Publisher: inst.name})
			if err != nil {
				return nil, fmt.Errorf("show code table %s: %w", name, err)
			}
			node, err := fhir.Parse(data, fhir.Limits{})
			if err != nil {
				return nil, fmt.Errorf("show code table %s: %w", name, err)
			}
			out = append(out, node)
		}
	}
	return out, nil
}

// Tables returns the folder's code tables in the order of their names.
func (inst *Institution) Tables() []*codes.Table {
	var out []*codes.Table
	for _, name := range slices.Sorted(maps.Keys(inst.tables)) {
		out = append(out, inst.tables[name])
	}
	return out
}

// Table returns a code table by its name, one of the folder or a built-in one.
func (inst *Institution) Table(name string) (*codes.Table, bool) {
	if t := inst.tables[name]; t != nil {
		return t, true
	}
	return codes.Builtin(name)
}
