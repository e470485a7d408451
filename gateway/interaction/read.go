package interaction

import (
	"context"
	"math"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Read returns the current version of a resource, or the projection of a person
// whose id is asked for as a Patient's. A Binary comes without its content, see
// Content.
//
// Faults: NotFound for what is absent or not the viewer's to see, Gone for what
// was deleted.
func (e *Engine) Read(ctx context.Context, v Viewer, k store.Key) (store.Version, error) {
	got, err := e.current(ctx, v, k)
	if fault.Is(err, fault.NotFound) && k.Type == "Patient" {
		return e.person(ctx, v, k.ID)
	}
	if err != nil {
		return store.Version{}, err
	}
	if got.Deleted {
		return store.Version{}, gone()
	}
	return got, nil
}

// ReadVersion returns one version of a resource.
//
// Faults: NotFound for what never was or is not the viewer's to see, Gone for the
// version that is a deletion.
func (e *Engine) ReadVersion(ctx context.Context, v Viewer, k store.Key, number int64) (store.Version, error) {
	if _, err := e.current(ctx, v, k); err != nil {
		return store.Version{}, err
	}
	got, err := e.Store.ReadVersion(ctx, k, number)
	if fault.Is(err, fault.NotFound) {
		return store.Version{}, notFound()
	}
	if err != nil {
		return store.Version{}, err
	}
	if !permits(v.allowed(), got) {
		return store.Version{}, notFound()
	}
	if got.Deleted {
		return store.Version{}, gone()
	}
	return got, nil
}

// parseStored reads a body that is stored. Its size was bounded when it came, by
// whoever took it in.
func parseStored(body []byte) (*fhir.Node, error) {
	return fhir.Parse(body, fhir.Limits{Bytes: math.MaxInt32, Nodes: math.MaxInt32})
}
