package cached

import (
	"context"
	"time"

	"github.com/yilian/yilian/gateway/store"
)

// watched notes what a transaction does that others must know.
type watched struct {
	store.Tx
	expunges   *bool
	parameters *bool
}

func (w watched) Expunge(ctx context.Context, k store.Key) error {
	*w.expunges = true
	return w.Tx.Expunge(ctx, k)
}

func (w watched) ExpungeVersions(ctx context.Context, k store.Key, numbers []int64) (int, error) {
	*w.expunges = true
	return w.Tx.ExpungeVersions(ctx, k, numbers)
}

func (w watched) Put(ctx context.Context, p *store.Put) (store.Version, error) {
	if p.Type == "SearchParameter" {
		*w.parameters = true
	}
	return w.Tx.Put(ctx, p)
}

// Update runs a transaction of the store behind. After one that expunged something it
// returns only when no process can answer that from a cache any more.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	var expunges, parameters bool
	err := s.Backing.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		expunges, parameters = false, false // an earlier run was abandoned
		return fn(ctx, watched{tx, &expunges, &parameters})
	})
	if parameters {
		s.opt.Bell.Ring(Parameters)
	}
	if !expunges {
		return err
	}
	s.trust.revoke() // also after an error: the commit may have happened
	if err == nil && !s.opt.Alone {
		time.Sleep(Trust)
	}
	return err
}
