package sqlite

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

var _ store.Concepts = (*Store)(nil)

// States of an import. They only grow.
const (
	importing = iota
	imported
	removing
)

// conceptBatch is how many concepts one transaction imports, and how many it removes.
const conceptBatch = 1000

// systemShift is where the number of a code system stands in the id of a concept.
const systemShift = 32

var (
	errImportTaken = fault.New(fault.Conflict, "the same version of the code system is being imported by somebody else")
	errConceptKey  = fault.New(fault.Invalid, "a code comes twice")
	errConceptSize = fault.Newf(fault.TooCostly, "a concept has at most %d bytes", store.MaxConcept)
	errConcepts    = fault.Newf(fault.TooCostly, "a code system has at most %d concepts", store.MaxConcepts)
	errSystemURL   = fault.New(fault.Invalid, "a code system needs a URL")
)

// ImportConcepts keeps a version of a code system, see store.ConceptImporter.
func (s *Store) ImportConcepts(ctx context.Context, about store.CodeSystem, concepts iter.Seq2[store.Concept, error]) (store.CodeSystem, error) {
	if about.URL == "" {
		return store.CodeSystem{}, errSystemURL
	}
	if about.About == nil {
		about.About = []byte{}
	}
	if err := s.sweepConcepts(ctx, about); err != nil {
		return store.CodeSystem{}, err
	}
	err := s.update(ctx, func(ctx context.Context, t *tx) (err error) {
		if _, err = t.c.exec("INSERT INTO code_system (url, version, state, concepts, imported, about) VALUES (?, ?, ?, 0, 0, ?)",
			about.URL, about.Version, importing, about.About); err == nil {
			about.ID, err = t.c.integer("SELECT last_insert_rowid()")
		}
		return t.breaks(err)
	})
	if err != nil {
		return store.CodeSystem{}, err
	}
	about.Concepts = 0
	batch, size := make([]store.Concept, 0, conceptBatch), 0
	flush := func() error {
		err := s.update(ctx, func(ctx context.Context, t *tx) error { return t.breaks(t.addConcepts(ctx, about, batch)) })
		about.Concepts += int64(len(batch))
		batch, size = batch[:0], 0
		return err
	}
	err = func() error {
		for c, err := range concepts {
			switch {
			case err != nil:
				return err
			case c.Size() > store.MaxConcept:
				return errConceptSize
			case about.Concepts+int64(len(batch)) >= store.MaxConcepts:
				return errConcepts
			}
			batch, size = append(batch, c), size+c.Size()
			if len(batch) < conceptBatch && size < store.MaxConcept {
				continue
			}
			if err := flush(); err != nil {
				return err
			}
		}
		if err := flush(); err != nil {
			return err
		}
		return s.update(ctx, func(ctx context.Context, t *tx) error {
			about.Imported = microTime(micros(s.opt.Now()))
			if _, err := t.c.exec("UPDATE code_system SET state = ? WHERE url = ? AND version = ? AND state = ?", removing, about.URL, about.Version, imported); err != nil {
				return t.breaks(err)
			}
			n, err := t.c.exec("UPDATE code_system SET state = ?, imported = ? WHERE id = ? AND state = ?", imported, micros(about.Imported), about.ID, importing)
			if err == nil && n == 0 {
				err = errImportTaken
			}
			return t.breaks(err)
		})
	}()
	if err != nil {
		// What stays when this fails is swept by the next import.
		_ = s.removeConcepts(context.WithoutCancel(ctx), about.ID)
		return store.CodeSystem{}, err
	}
	return about, s.sweepConcepts(ctx, about)
}

func (t *tx) addConcepts(ctx context.Context, about store.CodeSystem, batch []store.Concept) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	n, err := t.c.exec("UPDATE code_system SET concepts = concepts + ? WHERE id = ? AND state = ?", len(batch), about.ID, importing)
	if err != nil {
		return err
	}
	if n == 0 {
		return errImportTaken
	}
	for i := range batch {
		c := &batch[i]
		id := about.ID<<systemShift | (about.Concepts + int64(i))
		added, err := t.c.exec("INSERT OR IGNORE INTO concept (id, key, code, display, parent, flags, text, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			id, blob(c.Key), blob(c.Code), blob(c.Display), blob(c.Parent), int64(c.Flags), blob(c.Text), blob(string(c.Details)))
		if err != nil {
			return err
		}
		if added == 0 {
			return errConceptKey
		}
		for _, parent := range c.Above {
			if _, err := t.c.exec("INSERT OR IGNORE INTO concept_link (parent, child) VALUES (?, ?)", about.ID<<systemShift|parent, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func blob(s string) []byte { return append([]byte{}, s...) }

// sweepConcepts removes what earlier imports of a version left, and all that another
// took the place of.
func (s *Store) sweepConcepts(ctx context.Context, about store.CodeSystem) error {
	var ids []int64
	err := s.reading(ctx, func(v view) error {
		return v.c.query(ctx, "SELECT id FROM code_system WHERE state = ? OR state = ? AND url = ? AND version = ?",
			[]any{removing, importing, about.URL, about.Version}, func(row row) error {
				ids = append(ids, row.int(0))
				return nil
			})
	})
	for _, id := range ids {
		if err == nil {
			err = s.removeConcepts(ctx, id)
		}
	}
	return err
}

// removeConcepts removes an import that is not whole, in many transactions.
func (s *Store) removeConcepts(ctx context.Context, id int64) error {
	err := s.update(ctx, func(_ context.Context, t *tx) error {
		_, err := t.c.exec("UPDATE code_system SET state = ? WHERE id = ? AND state <> ?", removing, id, imported)
		return t.breaks(err)
	})
	from, to := id<<systemShift, (id+1)<<systemShift
	for _, sql := range []string{
		"DELETE FROM concept_link WHERE parent >= ? AND parent < ? AND (parent, child) IN (SELECT parent, child FROM concept_link WHERE parent >= ? AND parent < ?" + limited(conceptBatch) + ")",
		"DELETE FROM concept WHERE id >= ? AND id < ? AND id IN (SELECT id FROM concept WHERE id >= ? AND id < ?" + limited(conceptBatch) + ")",
	} {
		for n := int64(1); n > 0 && err == nil; {
			err = s.update(ctx, func(_ context.Context, t *tx) (err error) {
				n, err = t.c.exec(sql, from, to, from, to)
				return t.breaks(err)
			})
		}
	}
	if err != nil {
		return err
	}
	return s.update(ctx, func(_ context.Context, t *tx) error {
		_, err := t.c.exec("DELETE FROM code_system WHERE id = ? AND state = ?", id, removing)
		return t.breaks(err)
	})
}

// CodeSystems returns what is imported.
func (s *Store) CodeSystems(ctx context.Context) (list []store.CodeSystem, err error) {
	err = s.reading(ctx, func(v view) error {
		return v.c.query(ctx, "SELECT id, url, version, concepts, imported, about FROM code_system WHERE state = 1 ORDER BY url, version", nil, func(row row) error {
			list = append(list, store.CodeSystem{ID: row.int(0), URL: row.text(1), Version: row.text(2), Concepts: row.int(3),
				Imported: row.time(4), About: append([]byte{}, row.bytes(5)...)})
			return nil
		})
	})
	return list, err
}

// whole runs a query on an import, and checks after it that the import was whole: it
// was then, because it never becomes whole again.
func (s *Store) whole(ctx context.Context, system int64, sql string, args []any, each func(row row)) error {
	return s.reading(ctx, func(v view) error {
		err := v.c.query(ctx, sql, args, func(row row) error {
			each(row)
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		n, err := v.c.integer("SELECT count(*) FROM code_system WHERE id = ? AND state = ?", system, imported)
		if err == nil && n == 0 {
			err = store.ErrCodeSystem
		}
		return err
	})
}

func (s *Store) concepts(ctx context.Context, system int64, where string, args ...any) (list []store.Concept, err error) {
	err = s.whole(ctx, system, "SELECT id, key, code, display, parent, flags, details FROM concept WHERE "+where, args, func(row row) {
		list = append(list, store.Concept{Position: row.int(0) & (1<<systemShift - 1), Key: string(row.bytes(1)), Code: string(row.bytes(2)),
			Display: string(row.bytes(3)), Parent: string(row.bytes(4)), Flags: uint8(row.int(5)), Details: append([]byte{}, row.bytes(6)...)})
	})
	return list, err
}

// Concepts returns those of the keys that are there.
func (s *Store) Concepts(ctx context.Context, system int64, keys ...string) (list []store.Concept, err error) {
	if len(keys) == 1 {
		return s.concepts(ctx, system, "id >> 32 = ? AND key = ?", system, blob(keys[0]))
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	return s.concepts(ctx, system, "id >> 32 = ? AND key IN (SELECT CAST(value AS BLOB) FROM json_each(?)) ORDER BY id", system, string(text))
}

// ConceptsAt returns the concepts at positions.
func (s *Store) ConceptsAt(ctx context.Context, system int64, positions []int64) ([]store.Concept, error) {
	text, err := json.Marshal(positions)
	if err != nil {
		return nil, err
	}
	return s.concepts(ctx, system, "id IN (SELECT ? << 32 | value FROM json_each(?)) ORDER BY id", system, string(text))
}

// ConceptPage returns concepts by position.
func (s *Store) ConceptPage(ctx context.Context, system, from int64, limit int) ([]store.Concept, error) {
	return s.concepts(ctx, system, "id >= ? AND id < ? ORDER BY id"+limited(min(limit, conceptBatch)), system<<systemShift|max(from, 0), (system+1)<<systemShift)
}

func (s *Store) positions(ctx context.Context, system int64, sql string, args []any, found func(int64)) error {
	return s.whole(ctx, system, sql, args, func(row row) { found(row.int(0) & (1<<systemShift - 1)) })
}

// ConceptsWith finds words.
func (s *Store) ConceptsWith(ctx context.Context, system int64, words []string, found func(int64)) error {
	sql, args := "SELECT id FROM concept WHERE id >= ? AND id < ?", []any{system << systemShift, (system + 1) << systemShift}
	for _, w := range words {
		sql, args = sql+" AND instr(text, ?) > 0", append(args, blob(w))
	}
	return s.positions(ctx, system, sql, args, found)
}

// ConceptsBelow finds what lies below a concept.
func (s *Store) ConceptsBelow(ctx context.Context, system, position int64, found func(int64)) error {
	return s.positions(ctx, system, `WITH RECURSIVE reached (id) AS (SELECT id FROM concept WHERE id = ? UNION
SELECT l.child FROM reached r CROSS JOIN concept_link l ON l.parent = r.id) SELECT id FROM reached`, []any{system<<systemShift | position}, found)
}

// ConceptsAbove finds what a concept lies below.
func (s *Store) ConceptsAbove(ctx context.Context, system, position int64, found func(int64)) error {
	return s.positions(ctx, system, `WITH RECURSIVE reached (id) AS (SELECT id FROM concept WHERE id = ? UNION
SELECT l.parent FROM reached r CROSS JOIN concept_link l ON l.child = r.id) SELECT id FROM reached`, []any{system<<systemShift | position}, found)
}

// ConceptChildren returns the codes just below a concept.
func (s *Store) ConceptChildren(ctx context.Context, system, position int64) (codes []string, err error) {
	err = s.whole(ctx, system, "SELECT c.code FROM concept_link l CROSS JOIN concept c ON c.id = l.child WHERE l.parent = ? ORDER BY l.child",
		[]any{system<<systemShift | position}, func(row row) { codes = append(codes, string(row.bytes(0))) })
	return codes, err
}
