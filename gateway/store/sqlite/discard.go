package sqlite

import "context"

// ForgetPatient removes what identity knows of a Patient.
func (t *tx) ForgetPatient(ctx context.Context, patient string) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	var persons []string
	err := t.c.query(context.Background(), "SELECT DISTINCT person FROM link WHERE patient = ?", []any{patient}, func(row row) error {
		persons = append(persons, row.text(0))
		return nil
	})
	if err != nil {
		return t.breaks(err)
	}
	if err := t.forgetStrong(patient); err != nil {
		return t.breaks(err)
	}
	for _, sql := range []string{
		"DELETE FROM feature WHERE patient = ?", "DELETE FROM link WHERE patient = ?",
		"DELETE FROM review WHERE patient_a = ?1 OR patient_b = ?1",
	} {
		if _, err := t.c.exec(sql, patient); err != nil {
			return t.breaks(err)
		}
	}
	for _, person := range persons {
		if _, err := t.c.exec(`DELETE FROM person WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM link WHERE person = ?1)
AND NOT EXISTS (SELECT 1 FROM person WHERE "into" = ?1)`, person); err != nil {
			return t.breaks(err)
		}
	}
	return nil
}

// Discard removes archived bytes that nothing names.
func (t *tx) Discard(ctx context.Context, digest string) (bool, error) {
	sum, err := decodeDigest(digest)
	if err != nil {
		return false, err
	}
	if err := t.ready(ctx); err != nil {
		return false, err
	}
	return t.discard(sum)
}

func (t *tx) discard(sum []byte) (bool, error) {
	named, err := t.c.integer(`SELECT EXISTS (SELECT 1 FROM version WHERE substr(blob, 1, 32) = ?1 AND blob IS NOT NULL)
OR EXISTS (SELECT 1 FROM record WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1) OR EXISTS (SELECT 1 FROM folder WHERE digest = ?1)`, sum)
	if err != nil || named != 0 {
		return false, t.breaks(err)
	}
	id := int64(0)
	there, err := t.c.one("SELECT id FROM archive WHERE digest = ?", []any{sum}, func(row row) { id = row.int(0) })
	if err != nil || !there {
		return false, t.breaks(err)
	}
	if err := t.remove(id); err != nil {
		return false, err
	}
	t.w.scrub = true
	return true, nil
}

// remove takes bytes out of the archive.
func (t *tx) remove(id int64) error {
	if _, err := t.c.exec("DELETE FROM archive_part WHERE id BETWEEN ? AND ?", id<<partBits, id<<partBits+1<<partBits-1); err != nil {
		return t.breaks(err)
	}
	_, err := t.c.exec("DELETE FROM archive WHERE id = ?", id)
	return t.breaks(err)
}
