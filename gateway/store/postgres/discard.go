package postgres

import "context"

// ForgetPatient removes what identity knows of a Patient.
func (t *tx) ForgetPatient(ctx context.Context, patient string) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	id := []byte(patient)
	t.flush()
	t.queue("DELETE FROM feature WHERE patient = ?", id)
	t.queue("DELETE FROM feature_strong WHERE patient = ?", id)
	t.queue("DELETE FROM review WHERE patient_a = ? OR patient_b = ?", id, id)
	t.queue(`WITH gone AS (DELETE FROM link WHERE patient = $1 RETURNING person)
DELETE FROM person p WHERE p.id IN (SELECT person FROM gone) AND NOT EXISTS (SELECT 1 FROM link l WHERE l.person = p.id AND l.patient <> $1)
AND NOT EXISTS (SELECT 1 FROM person m WHERE m."into" = p.id)`, id)
	return nil
}

// discardLock is shared by all transactions that name archived bytes, and held alone by
// one that removes some.
const discardLock = "discard\xff"

// keeping makes sure that no bytes which the transaction finds archived are removed
// before it ends.
func (t *tx) keeping() {
	if !t.keeps {
		t.keeps = true
		t.queue("SELECT pg_advisory_xact_lock_shared(?)", t.s.hash.text(discardLock))
	}
}

// Discard removes archived bytes that nothing names.
func (t *tx) Discard(ctx context.Context, digest string) (gone bool, err error) {
	sum, err := decodeDigest(digest)
	if err != nil {
		return false, err
	}
	if err := t.ready(ctx); err != nil {
		return false, err
	}
	return t.discard(ctx, sum)
}

func (t *tx) discard(ctx context.Context, sum []byte) (gone bool, err error) {
	t.queue("SELECT pg_advisory_xact_lock(?)", t.s.hash.text(discardLock))
	_, err = one(context.WithoutCancel(ctx), t, fragment{`WITH gone AS (DELETE FROM archive WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM version WHERE substr(blob, 1, 32) = ? AND blob IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM record WHERE digest = ?) AND NOT EXISTS (SELECT 1 FROM folder WHERE digest = ?) RETURNING digest),
parts AS (DELETE FROM archive_part p USING gone WHERE p.digest = gone.digest) SELECT EXISTS (SELECT 1 FROM gone)`, []any{sum, sum, sum, sum}}, &gone)
	if gone {
		delete(t.sizes, string(sum))
	}
	return gone, t.breaks(err)
}
