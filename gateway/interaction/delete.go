package interaction

import (
	"context"
	"fmt"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Delete ends a resource; its history stays. Deleting what is absent or deleted
// already is done without a trace, as the specification has it, unless match says
// that there is a version.
//
// Faults: Forbidden for another institution's, Precondition as in Update.
func (e *Engine) Delete(ctx context.Context, v Viewer, k store.Key, match ...int64) (Written, error) {
	return e.one(ctx, v, &action{verb: deletes, key: k, match: match})
}

// DeleteIf ends the resource that fits the criteria, or all that do where
// Config.DeletesMany is set. That none does is no error.
//
// Faults besides those of Delete: Precondition when more than one fits and may not,
// TooCostly for more than Limits.Deletes.
func (e *Engine) DeleteIf(ctx context.Context, v Viewer, typ string, criteria []search.Pair, match ...int64) (Written, error) {
	return e.one(ctx, v, &action{
		verb: deletes, key: store.Key{Type: typ}, pairs: given(criteria), many: e.DeletesMany, match: match,
	})
}

func (p *planning) draftDelete(ctx context.Context, i int, k store.Key) error {
	a := p.actions[i]
	current, err := p.replaceable(ctx, k, a.match)
	absent := fault.Is(err, fault.NotFound)
	if err != nil && !absent {
		return err
	}
	if absent || current.Deleted {
		if a.match.said() {
			return otherVersion()
		}
		if !absent {
			p.keep(i, current)
		}
		return nil
	}
	d := &draft{
		key: k, expect: current.Number, owner: current.Owner, source: current.Source, stamp: p.clientStamp(),
		deleted: true, waits: true,
	}
	stored, err := parseStored(current.Body)
	if err != nil {
		return fmt.Errorf("read stored %s: %w", k.Type, err)
	}
	d.lost = p.Index.IdentifierLocks(stored)
	p.add(i, d, Removed)
	return nil
}
