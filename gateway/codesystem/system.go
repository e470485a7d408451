package codesystem

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/store"
)

// Store is what code systems are read from.
type Store interface {
	store.ConceptReader
	store.ConceptFinder
}

// System is one import. It is safe for concurrent use, and fails with
// store.ErrCodeSystem from when another took its place.
type System struct {
	store Store
	id    int64
	about description
	kinds map[string]bool
}

var _ terminology.CodeSystem = (*System)(nil)

// New returns the code system of an import, as store.CodeSystems tells of it.
func New(s Store, of store.CodeSystem) (*System, error) {
	x := &System{store: s, id: of.ID, kinds: map[string]bool{}}
	if err := json.Unmarshal(of.About, &x.about); err != nil {
		return nil, fmt.Errorf("read the description of an imported code system: %w", err)
	}
	x.about.URL, x.about.Version, x.about.Count = of.URL, of.Version, int(of.Concepts)
	for _, k := range x.about.Kinds {
		x.kinds[k] = true
	}
	return x, nil
}

// Describe tells what the code system is.
func (x *System) Describe() *terminology.Description { return &x.about.Description }

func (x *System) find(ctx context.Context, code string) (c store.Concept, ok bool, err error) {
	list, err := x.store.Concepts(ctx, x.id, key(code, x.about.CaseSensitive))
	if err != nil || len(list) == 0 {
		return c, false, err
	}
	return list[0], true, nil
}

// Lookup finds a code.
func (x *System) Lookup(ctx context.Context, code string) (terminology.Concept, bool, error) {
	c, ok, err := x.find(ctx, code)
	if !ok {
		return terminology.Concept{}, false, err
	}
	return concept(&c), true, nil
}

// Details are all that is known of a code.
func (x *System) Details(ctx context.Context, code string) (d terminology.Details, ok bool, err error) {
	c, ok, err := x.find(ctx, code)
	if !ok {
		return d, false, err
	}
	r, err := read(&c)
	if err != nil {
		return d, false, err
	}
	d = terminology.Details{Concept: concept(&c), Definition: r.Definition, Designations: r.Designations}
	for i := range r.Properties {
		d.Properties = append(d.Properties, r.Properties[i].value())
	}
	for _, p := range r.Parents {
		d.Parents = append(d.Parents, p.Code)
	}
	if d.Children, err = x.store.ConceptChildren(ctx, x.id, c.Position); err != nil {
		return terminology.Details{}, false, err
	}
	return d, true, nil
}

// Subsumes reports whether code is ancestor or lies below it.
func (x *System) Subsumes(ctx context.Context, ancestor, code string) (below bool, err error) {
	a, known, err := x.find(ctx, ancestor)
	if err != nil {
		return false, err
	}
	c, ok, err := x.find(ctx, code)
	if err != nil {
		return false, err
	}
	if !known || !ok {
		return false, terminology.UnknownCode(x.about.URL)
	}
	err = x.store.ConceptsAbove(ctx, x.id, c.Position, func(p int64) { below = below || p == a.Position })
	return below, err
}
