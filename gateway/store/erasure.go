package store

import "context"

// Erasures tells those who keep copies of versions when to let go of them.
type Erasures interface {
	// Erasures returns how many transactions expunged something so far.
	Erasures(ctx context.Context) (int64, error)
}
