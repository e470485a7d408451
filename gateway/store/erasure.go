package store

import "context"

// Erasures tells those who keep copies of versions when to let go of them.
type Erasures interface {
	// Erasures returns how many transactions expunged something so far.
	Erasures(ctx context.Context) (int64, error)
}

// Leftovers finds records that left nothing behind but themselves.
type Leftovers interface {
	// Ineffective returns the ids of records of an institution that ended without changing
	// anything (Unchanged, Superseded) and share a lane with lanes, by their order of
	// entry, with ids of at most limit. It looks at all that ended so.
	Ineffective(ctx context.Context, institution string, lanes []string, limit int) ([]string, error)
}

// ErasureTx takes away what is to be forgotten for good.
type ErasureTx interface {
	// ExpungeVersions removes versions of a resource, and returns how many were there.
	// The current one stays: to name it is fault.Conflict. Archived bytes stay.
	ExpungeVersions(ctx context.Context, k Key, numbers []int64) (int, error)
	// EraseRecord ends a record as Erased: without its bytes, lanes, key, hash, file name
	// and findings, and its key's last applied state is forgotten. What is left says that
	// there was one, and recognises it when it is sent again. Bytes that belong to others
	// too – records that are not Erased, versions, folders – stay, and it reports false;
	// those of a delivery that holds other records are overwritten within it. One that is
	// Erased already is no fault; fault.Conflict for one that waits or is Quarantined,
	// and for a delivery: that goes with the last of its records.
	EraseRecord(ctx context.Context, id string) (bool, error)
	// ForgetPatient removes what identity knows of a Patient: its features, its links,
	// ended ones too, and the reviews that name it; and persons that no link names then.
	ForgetPatient(ctx context.Context, patient string) error
	// Discard removes archived bytes that no version, record or folder names any more,
	// and reports whether they were removed. That they were not there is no fault.
	Discard(ctx context.Context, digest string) (bool, error)
}
