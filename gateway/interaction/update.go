package interaction

import (
	"context"
	"fmt"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// ErrNotCreated is the error for an update of what is not there – or not the
// viewer's to see – where clients may not choose ids.
var ErrNotCreated error = fault.New(fault.Unsupported, "there is no such resource, and update does not create one")

// Update replaces a resource. match, unless it is none or 0, are the versions the client
// knows, one of which it must be to be replaced, AnyVersion or NoVersion. Content equal to
// what is stored makes no new version.
//
// Where Config.UpdateCreates is set, what is not there is created.
//
// Faults: ErrNotCreated, Forbidden for a resource of another institution,
// Precondition when match does not have the current version, Conflict for an id that
// somebody else has, *Refused for content.
func (e *Engine) Update(ctx context.Context, v Viewer, k store.Key, resource *fhir.Node, match ...int64) (Written, error) {
	a, err := replacement(k, resource)
	if err != nil {
		return Written{}, err
	}
	a.match = match
	return e.one(ctx, v, a)
}

// UpdateIf replaces the resource that fits the criteria, or creates it when none
// does: under the id of the body, if it has one and Config.UpdateCreates is set.
//
// Faults besides those of Update: Precondition when more than one fits.
func (e *Engine) UpdateIf(ctx context.Context, v Viewer, typ string, resource *fhir.Node, criteria []search.Pair, match ...int64) (Written, error) {
	if err := writable(typ, resource); err != nil {
		return Written{}, err
	}
	tree, data, err := split(typ, resource)
	if err != nil {
		return Written{}, err
	}
	return e.one(ctx, v, &action{
		verb: replaces, key: store.Key{Type: typ}, tree: tree, data: data, match: match, pairs: given(criteria),
	})
}

func replacement(k store.Key, resource *fhir.Node) (*action, error) {
	if err := writable(k.Type, resource); err != nil {
		return nil, err
	}
	switch id := resource.ID(); {
	case id == "":
		return nil, invalid("id-missing", k.Type+".id", "the body has no id")
	case id != k.ID:
		return nil, invalid("id-other", k.Type+".id", "the id of the body is not that of the address")
	}
	tree, data, err := split(k.Type, resource)
	return &action{verb: replaces, key: k, tree: tree, data: data}, err
}

func (p *planning) draftReplace(ctx context.Context, i int, k store.Key, tree *fhir.Node, known map[store.Pending]string) error {
	a := p.actions[i]
	current, err := p.replaceable(ctx, k, a.match)
	if fault.Is(err, fault.NotFound) {
		return p.draftNew(ctx, i, k, tree, known)
	}
	if err != nil {
		return err
	}
	if p.targets[i].creates && !current.Deleted {
		return taken() // nothing fits the criterion, and the id is that of something else
	}
	return p.draftOver(ctx, i, current, tree, a.data, known)
}

// draftNew drafts what an update finds nothing to replace for.
func (p *planning) draftNew(ctx context.Context, i int, k store.Key, tree *fhir.Node, known map[store.Pending]string) error {
	a := p.actions[i]
	switch {
	case a.match.something():
		return otherVersion()
	case k.ID == a.fresh:
	case !p.UpdateCreates:
		return ErrNotCreated
	default:
		if err := p.free(ctx, k); err != nil {
			return err
		}
	}
	return p.draftCreate(ctx, i, k, tree, known)
}

// free refuses ids that something has which the viewer may not see.
func (p *planning) free(ctx context.Context, k store.Key) error {
	if _, err := p.Store.Read(ctx, k); !fault.Is(err, fault.NotFound) {
		if err != nil {
			return fmt.Errorf("look whether an id is free: %w", err)
		}
		return taken()
	}
	if k.Type != "Patient" {
		return nil
	}
	if _, err := p.Store.Person(ctx, k.ID); !fault.Is(err, fault.NotFound) {
		if err != nil {
			return fmt.Errorf("look whether an id is free: %w", err)
		}
		return taken()
	}
	return nil
}

func taken() error { return fault.New(fault.Conflict, "the id is taken") }

// draftOver drafts what replaces a version, unless it says the same.
func (p *planning) draftOver(ctx context.Context, i int, current store.Version, tree *fhir.Node, data *content, known map[store.Pending]string) error {
	d := &draft{
		key: current.Key, expect: current.Number, owner: current.Owner, source: current.Source, stamp: p.clientStamp(), waits: true,
		content: data,
	}
	if err := p.prepare(ctx, d, tree, known); err != nil {
		return err
	}
	if current.Deleted {
		p.add(i, d, Created)
		return nil
	}
	stored, err := parseStored(current.Body)
	if err != nil {
		return fmt.Errorf("read stored %s: %w", current.Type, err)
	}
	if fhir.EqualContent(stored, d.stamped) {
		same, err := p.sameContent(ctx, current.Blob, data)
		if err != nil {
			return err
		}
		if same {
			p.keep(i, current)
			p.results[i].Issues = d.issues
			return nil
		}
	}
	d.lost = p.Index.IdentifierLocks(stored)
	p.add(i, d, Changed)
	return nil
}
