package interaction

import (
	"context"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Create stores a new resource of the viewer's institution under an id of the
// server's choice; an id in resource is ignored.
//
// Faults: Invalid for content of another type, *Refused with issues (422) for
// content that is not valid FHIR, Forbidden for a viewer that writes for nobody.
func (e *Engine) Create(ctx context.Context, v Viewer, typ string, resource *fhir.Node) (store.Version, error) {
	tree, data, err := split(typ, resource)
	if err != nil {
		return store.Version{}, err
	}
	return e.create(ctx, v, typ, tree, data)
}

// create stores a new resource; data is the content of a Binary.
func (e *Engine) create(ctx context.Context, v Viewer, typ string, tree *fhir.Node, data *content) (store.Version, error) {
	if err := e.writable(v, typ, tree); err != nil {
		return store.Version{}, err
	}
	key := store.Key{Type: typ, ID: e.newID()}
	return e.writeOne(ctx, func() (*draft, error) {
		d := &draft{key: key, owner: v.Institution, stamp: e.clientStamp(), content: data}
		return d, e.prepare(ctx, d, tree.Clone(), nil)
	})
}

// writable checks what holds for every client's write.
func (e *Engine) writable(v Viewer, typ string, content *fhir.Node) error {
	if v.Institution == "" {
		return fault.New(fault.Forbidden, "the client writes for no institution")
	}
	if content.Kind() != fhir.Object || content.ResourceType() != typ {
		return invalid("resource-type-other", "", "the body is not a "+typ)
	}
	return nil
}

// clientStamp makes what a client writes as new as now, so that no record from
// before overwrites it.
func (e *Engine) clientStamp() store.Stamp { return store.Stamp{Time: e.now().UnixMicro()} }

// writeOne writes one draft, planned anew as often as needed, and whoever waits
// for it.
func (e *Engine) writeOne(ctx context.Context, plan func() (*draft, error)) (store.Version, error) {
	versions, err := e.write(ctx, func(wake []store.Key) (*transaction, error) {
		d, err := plan()
		if err != nil {
			return nil, err
		}
		drafts := []*draft{d}
		if !d.deleted {
			known := map[store.Pending]string{}
			e.brings(known, d.key, d.stamped)
			woken, err := e.woken(ctx, wake, known, drafts)
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, woken...)
		}
		return &transaction{drafts: drafts}, nil
	})
	if err != nil {
		return store.Version{}, err
	}
	return versions[0], nil
}
