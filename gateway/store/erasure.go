package store

import "context"

// Erasures tells those who keep copies of versions when to let go of them.
type Erasures interface {
	// Erasures returns how many transactions expunged something so far.
	Erasures(ctx context.Context) (int64, error)
}

// ErasureTx takes away what hangs on an expunged resource.
type ErasureTx interface {
	// ForgetPatient removes what identity knows of a Patient: its features, its links,
	// ended ones too, and the reviews that name it; and persons that no link names then.
	ForgetPatient(ctx context.Context, patient string) error
	// Discard removes archived bytes that no version, record or folder names any more,
	// and reports whether they were removed. That they were not there is no fault.
	Discard(ctx context.Context, digest string) (bool, error)
}
