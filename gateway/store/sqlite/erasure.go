package sqlite

import (
	"context"

	"github.com/yilian/yilian/gateway/store"
)

var _ store.Erasures = (*Store)(nil)

// eraseSQL counts an erasure, in the transaction that expunges.
const eraseSQL = "INSERT INTO erasure (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = erasure.number + 1"

// Erasures returns how often something was expunged.
func (s *Store) Erasures(ctx context.Context) (number int64, err error) {
	err = s.reading(ctx, func(v view) error {
		number, err = v.c.integer("SELECT number FROM erasure")
		return err
	})
	return number, err
}
