package interaction

import (
	"context"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Create stores a new resource of the viewer's institution under an id of the
// server's choice; an id in resource is ignored.
//
// Faults: Invalid for content of another type, *Refused with issues (422) for
// content that is not valid FHIR, Forbidden for a viewer that writes for nobody.
func (e *Engine) Create(ctx context.Context, v Viewer, typ string, resource *fhir.Node) (Written, error) {
	return e.create(ctx, v, typ, resource, nil)
}

// CreateIf is Create unless a resource fits the criteria: then nothing is written,
// and the answer is that resource, Unchanged. The criteria must not be empty.
//
// Faults besides those of Create: Precondition when more than one fits, *Refused for
// criteria that cannot be searched for.
func (e *Engine) CreateIf(ctx context.Context, v Viewer, typ string, resource *fhir.Node, criteria []search.Pair) (Written, error) {
	return e.create(ctx, v, typ, resource, given(criteria))
}

// given makes criteria that are not there criteria that are empty, which are an
// error: an action without any would be another one.
func given(criteria []search.Pair) []search.Pair {
	if criteria == nil {
		return []search.Pair{}
	}
	return criteria
}

func (e *Engine) create(ctx context.Context, v Viewer, typ string, resource *fhir.Node, pairs []search.Pair) (Written, error) {
	a, err := creation(typ, resource)
	if err != nil {
		return Written{}, err
	}
	a.pairs = pairs
	return e.one(ctx, v, a)
}

func creation(typ string, resource *fhir.Node) (*action, error) {
	if err := writable(typ, resource); err != nil {
		return nil, err
	}
	tree, data, err := split(typ, resource)
	return &action{verb: creates, key: store.Key{Type: typ}, tree: tree, data: data}, err
}

func (p *planning) draftCreate(ctx context.Context, i int, k store.Key, tree *fhir.Node, known map[store.Pending]string) error {
	d := &draft{key: k, owner: p.viewer.Institution, stamp: p.clientStamp(), content: p.actions[i].data}
	if err := p.prepare(ctx, d, tree, known); err != nil {
		return err
	}
	p.add(i, d, Created)
	return nil
}
