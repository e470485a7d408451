package main

import (
	"maps"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/mapping"
)

// dryRun holds resources as a store would that was empty before.
type dryRun struct {
	validator *validate.Validator
	order     []string // references, as they were first met
	held      map[string]heldResource
}

type heldResource struct {
	tree  *fhir.Node
	stamp mapping.Stamp
}

func newDryRun() *dryRun {
	return &dryRun{validator: validate.New(definitions.R4(), validate.Options{}), held: map[string]heldResource{}}
}

// apply lays what a record became over what is held. It returns what is not valid then; an error among it leaves all as
// it was.
func (d *dryRun) apply(got *mapping.Result) []fhir.Issue {
	var issues []fhir.Issue
	var order []string
	changed := map[string]heldResource{}
	for i := range got.Resources {
		res := &got.Resources[i]
		ref := res.Reference()
		before, ok := changed[ref]
		if !ok {
			before = d.held[ref]
		}
		if res.Write == mapping.Reference || before.tree != nil && older(got.Stamp, before.stamp) {
			continue
		}
		now := heldResource{tree: res.Over(before.tree), stamp: got.Stamp}
		for _, found := range d.validator.Resource(now.tree) {
			found.Origin, found.Line, found.Column = res.Origin.Path, res.Origin.Line, res.Origin.Column
			issues = append(issues, found)
		}
		if before.tree == nil {
			order = append(order, ref)
		}
		changed[ref] = now
	}
	if !fhir.HasErrors(issues) {
		maps.Copy(d.held, changed)
		d.order = append(d.order, order...)
	}
	return issues
}

func older(a, b mapping.Stamp) bool {
	return a.Time < b.Time || a.Time == b.Time && a.Sequence < b.Sequence
}

// bundle is what is held, in the order in which it was first met.
func (d *dryRun) bundle() *fhir.Node {
	n := fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", "collection")
	if len(d.order) == 0 { // an empty array is not FHIR
		return n
	}
	entries := fhir.NewArray()
	for _, ref := range d.order {
		entries.Append(fhir.NewObject().
			SetString("fullUrl", mapping.DefaultAlliance+"/fhir/"+ref).
			Set("resource", d.held[ref].tree))
	}
	return n.Set("entry", entries)
}
