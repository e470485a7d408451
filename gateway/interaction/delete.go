package interaction

import (
	"context"
	"errors"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Delete ends a resource; its history stays. Deleting what is absent or deleted
// already is done without a trace, as the specification has it.
//
// Faults: Forbidden for another institution's, Precondition as in Update.
func (e *Engine) Delete(ctx context.Context, v Viewer, k store.Key, match int64) error {
	if v.Institution == "" {
		return fault.New(fault.Forbidden, "the client writes for no institution")
	}
	_, err := e.writeOne(ctx, func() (*draft, error) {
		current, err := e.replaceable(ctx, v, k, match)
		if fault.Is(err, fault.NotFound) {
			return nil, errSame
		}
		if err != nil {
			return nil, err
		}
		if current.Deleted {
			return nil, errSame
		}
		return &draft{
			key: k, expect: current.Number, owner: current.Owner, source: current.Source, stamp: e.clientStamp(),
			deleted: true, waits: true,
		}, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}
