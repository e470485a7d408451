package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Viewer is who asks. The zero Viewer may see and write nothing.
type Viewer struct {
	Client      string // who is authenticated, for cursors and audit
	Institution string // owner of what it writes
	Everything  bool   // sees all institutions
	Sees        []string
}

// allowed is the predicate that goes into every question to the store.
func (v Viewer) allowed() search.Allowed {
	if v.Everything {
		return search.Allowed{All: true}
	}
	owners := slices.Clone(v.Sees)
	if v.Institution != "" && !slices.Contains(owners, v.Institution) {
		owners = append(owners, v.Institution)
	}
	return search.Allowed{Owners: owners, Shared: len(owners) > 0}
}

// permits reports whether a may see a stored version. It decides for reads what
// a store decides for searches.
func permits(a search.Allowed, v store.Version) bool {
	if a.Patients != nil && !slices.Contains(a.Patients, v.Patient) {
		return false
	}
	return a.All || slices.Contains(a.Owners, v.Owner) || a.Shared && v.Owner == store.Alliance && v.Patient == ""
}

// mayWrite tells whether the viewer may write what owner has.
func (v Viewer) mayWrite(owner string) bool {
	return v.Institution != "" && (v.Institution == owner || v.Everything)
}

// notFound is the one answer to ids that are absent and ids that are not the
// viewer's to see: nothing tells them apart.
func notFound() error {
	return fault.New(fault.NotFound, "no such resource")
}

// current reads what k is now, as the viewer may see it.
func (e *Engine) current(ctx context.Context, v Viewer, k store.Key) (store.Version, error) {
	got, err := e.Store.Read(ctx, k)
	if fault.Is(err, fault.NotFound) {
		return store.Version{}, notFound()
	}
	if err != nil {
		return store.Version{}, err
	}
	if !permits(v.allowed(), got) {
		return store.Version{}, notFound()
	}
	return got, nil
}

func gone() error { return fault.New(fault.Gone, "the resource was deleted") }
