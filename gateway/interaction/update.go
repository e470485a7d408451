package interaction

import (
	"context"
	"errors"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Update replaces a resource. match, when not 0, is the version the client knows
// and the only one it may replace. Content equal to what is stored makes no new
// version; changed tells which it was.
//
// Faults: NotFound for an id that is absent or not the viewer's to see (ids are
// the server's to give), Forbidden for one that is another institution's,
// Precondition when match is not the current version, *Refused for content.
func (e *Engine) Update(ctx context.Context, v Viewer, k store.Key, resource *fhir.Node, match int64) (_ store.Version, changed bool, err error) {
	tree, data, err := split(k.Type, resource)
	if err != nil {
		return store.Version{}, false, err
	}
	return e.update(ctx, v, k, tree, data, match)
}

// update replaces a resource; data is the content of a Binary.
func (e *Engine) update(ctx context.Context, v Viewer, k store.Key, tree *fhir.Node, data *content, match int64) (_ store.Version, changed bool, err error) {
	if err := e.writable(v, k.Type, tree); err != nil {
		return store.Version{}, false, err
	}
	switch id := tree.ID(); {
	case id == "":
		return store.Version{}, false, invalid("id-missing", k.Type+".id", "the body has no id")
	case id != k.ID:
		return store.Version{}, false, invalid("id-other", k.Type+".id", "the id of the body is not that of the address")
	}
	var same store.Version
	written, err := e.writeOne(ctx, func() (*draft, error) {
		current, err := e.replaceable(ctx, v, k, match)
		if err != nil {
			return nil, err
		}
		d := &draft{
			key: k, expect: current.Number, owner: current.Owner, source: current.Source, stamp: e.clientStamp(), waits: true,
			content: data,
		}
		if err := e.prepare(ctx, d, tree.Clone(), nil); err != nil {
			return nil, err
		}
		if !current.Deleted {
			stored, err := parseStored(current.Body)
			if err != nil {
				return nil, err
			}
			if fhir.EqualContent(stored, d.stamped) {
				unchanged, err := e.sameContent(ctx, current.Blob, data)
				if err != nil {
					return nil, err
				}
				if unchanged {
					same = current
					return nil, errSame
				}
			}
		}
		return d, nil
	})
	if errors.Is(err, errSame) {
		return same, false, nil
	}
	return written, true, err
}

// errSame ends the planning of a write that would change nothing.
var errSame = fault.New(fault.Internal, "nothing to write")

// replaceable reads what a client wants to replace or delete.
func (e *Engine) replaceable(ctx context.Context, v Viewer, k store.Key, match int64) (store.Version, error) {
	current, err := e.current(ctx, v, k)
	if err != nil {
		return store.Version{}, err
	}
	if !v.mayWrite(current.Owner) {
		return store.Version{}, fault.New(fault.Forbidden, "the resource belongs to another institution")
	}
	if match != 0 && match != current.Number {
		return store.Version{}, fault.New(fault.Precondition, "the resource has another version by now")
	}
	return current, nil
}
