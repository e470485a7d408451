package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

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

// importLock serialises the moments in which imports become whole.
const importLock = 6870641029387642161

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
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		_, err := one(ctx, t, fragment{"INSERT INTO code_system (url, version, state, concepts, imported, about) VALUES (?, ?, ?, 0, 0, ?) RETURNING id",
			[]any{[]byte(about.URL), []byte(about.Version), importing, about.About}}, &about.ID)
		return err
	})
	if err != nil {
		return store.CodeSystem{}, err
	}
	about.Concepts = 0
	batch, size := make([]store.Concept, 0, conceptBatch), 0
	flush := func() error {
		err := s.update(ctx, func(ctx context.Context, t *tx) error { return t.addConcepts(ctx, about, batch) })
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
			if err := t.ready(ctx); err != nil {
				return err
			}
			about.Imported = microTime(s.opt.Now().UnixMicro())
			t.queue("SELECT pg_advisory_xact_lock(?)", int64(importLock))
			if err := t.trip(ctx); err != nil {
				return err
			}
			t.queue("UPDATE code_system SET state = ? WHERE url = ? AND version = ? AND state = 1", removing, []byte(about.URL), []byte(about.Version))
			ours, err := one(ctx, t, fragment{"UPDATE code_system SET state = ?, imported = ? WHERE id = ? AND state = ? RETURNING id",
				[]any{imported, micros(about.Imported), about.ID, importing}}, &about.ID)
			if err == nil && !ours {
				err = errImportTaken
			}
			return err
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
	var now int64
	ours, err := one(ctx, t, fragment{"UPDATE code_system SET concepts = concepts + ? WHERE id = ? AND state = ? RETURNING concepts",
		[]any{int64(len(batch)), about.ID, importing}}, &now)
	switch {
	case err != nil:
		return err
	case !ours:
		return errImportTaken
	}
	n := len(batch)
	ids, flags := make([]int64, n), make([]int16, n)
	var texts [6][][]byte
	for i := range texts {
		texts[i] = make([][]byte, n)
	}
	var parents, children []int64
	for i := range batch {
		c := &batch[i]
		ids[i], flags[i] = about.ID<<systemShift|(about.Concepts+int64(i)), int16(c.Flags)
		for j, text := range []string{c.Key, c.Code, c.Display, c.Parent, c.Text, string(c.Details)} {
			texts[j][i] = []byte(text)
		}
		for _, p := range c.Above {
			parents, children = append(parents, about.ID<<systemShift|p), append(children, ids[i])
		}
	}
	var added int
	_, err = one(ctx, t, fragment{`WITH added AS (INSERT INTO concept (id, system, flags, key, code, display, parent, text, details)
SELECT x.id, ?, x.flags, x.key, x.code, x.display, x.parent, x.text, x.details
FROM unnest(?::int8[], ?::int2[], ?::bytea[], ?::bytea[], ?::bytea[], ?::bytea[], ?::bytea[], ?::bytea[])
x(id, flags, key, code, display, parent, text, details) ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM added`,
		[]any{about.ID, ids, flags, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5]}}, &added)
	switch {
	case err != nil:
		return err
	case added != n:
		return errConceptKey
	}
	t.queue("INSERT INTO concept_link (parent, child) SELECT * FROM unnest(?::int8[], ?::int8[]) ON CONFLICT DO NOTHING", parents, children)
	return nil
}

// sweepConcepts removes what earlier imports of a version left, and all that another
// took the place of.
func (s *Store) sweepConcepts(ctx context.Context, about store.CodeSystem) error {
	var ids []int64
	err := s.reading(ctx, func(v view) error {
		ids = nil
		return v.q.query(ctx, ask(fragment{"SELECT id FROM code_system WHERE state = ? OR state = ? AND url = ? AND version = ?",
			[]any{removing, importing, []byte(about.URL), []byte(about.Version)}}, func(rows pgx.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}))
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
		t.queue("UPDATE code_system SET state = ? WHERE id = ? AND state <> ?", removing, id, imported)
		return nil
	})
	from, to := id<<systemShift, (id+1)<<systemShift
	for _, sql := range []string{
		"DELETE FROM concept_link WHERE (parent, child) IN (SELECT parent, child FROM concept_link WHERE parent >= ? AND parent < ? ORDER BY parent, child" + limited(conceptBatch) + ")",
		"DELETE FROM concept WHERE id IN (SELECT id FROM concept WHERE id >= ? AND id < ? ORDER BY id" + limited(conceptBatch) + ")",
	} {
		for n := 1; n > 0 && err == nil; {
			err = s.update(ctx, func(ctx context.Context, t *tx) error {
				_, err := one(ctx, t, fragment{"WITH gone AS (" + sql + " RETURNING 1) SELECT count(*) FROM gone", []any{from, to}}, &n)
				return err
			})
		}
	}
	if err != nil {
		return err
	}
	return s.update(ctx, func(_ context.Context, t *tx) error {
		t.queue("DELETE FROM code_system WHERE id = ? AND state = ?", id, removing)
		return nil
	})
}

// CodeSystems returns what is imported.
func (s *Store) CodeSystems(ctx context.Context) (list []store.CodeSystem, err error) {
	err = s.reading(ctx, func(v view) error {
		list = nil
		return v.q.query(ctx, ask(fragment{"SELECT id, url, version, concepts, imported, about FROM code_system WHERE state = 1 ORDER BY url, version", nil}, func(rows pgx.Rows) error {
			var c store.CodeSystem
			var url, version []byte
			var at int64
			err := rows.Scan(&c.ID, &url, &version, &c.Concepts, &at, &c.About)
			c.URL, c.Version, c.Imported = string(url), string(version), microTime(at)
			list = append(list, c)
			return err
		}))
	})
	return list, err
}

// whole runs a query on an import, and checks after it that the import was whole: it
// was then, because it never becomes whole again. begin is called before each try.
func (s *Store) whole(ctx context.Context, system int64, f fragment, begin func(), each func(rows pgx.Rows) error) error {
	return s.reading(ctx, func(v view) error {
		begin()
		there := false
		err := v.q.query(ctx, ask(f, each), ask(fragment{"SELECT 1 FROM code_system WHERE id = ? AND state = 1", []any{system}}, func(pgx.Rows) error {
			there = true
			return nil
		}))
		if err == nil && !there {
			err = store.ErrCodeSystem
		}
		return err
	})
}

func (s *Store) concepts(ctx context.Context, system int64, where string, args ...any) (list []store.Concept, err error) {
	f := fragment{"SELECT id, flags, key, code, display, parent, details FROM concept WHERE " + where, args}
	err = s.whole(ctx, system, f, func() { list = nil }, func(rows pgx.Rows) error {
		var c store.Concept
		var flags int16
		var key, code, display, parent []byte
		err := rows.Scan(&c.Position, &flags, &key, &code, &display, &parent, &c.Details)
		c.Position &= 1<<systemShift - 1
		c.Flags, c.Key, c.Code, c.Display, c.Parent = uint8(flags), string(key), string(code), string(display), string(parent)
		list = append(list, c)
		return err
	})
	return list, err
}

// Concepts returns those of the keys that are there.
func (s *Store) Concepts(ctx context.Context, system int64, keys ...string) ([]store.Concept, error) {
	list := make([][]byte, len(keys))
	for i, k := range keys {
		list[i] = []byte(k)
	}
	return s.concepts(ctx, system, "system = ? AND sha256(key) IN (SELECT sha256(k) FROM unnest(?::bytea[]) k) ORDER BY id", system, list)
}

// ConceptsAt returns the concepts at positions.
func (s *Store) ConceptsAt(ctx context.Context, system int64, positions []int64) ([]store.Concept, error) {
	ids := make([]int64, 0, len(positions))
	for _, p := range positions {
		if p >= 0 && p < 1<<systemShift {
			ids = append(ids, system<<systemShift|p)
		}
	}
	return s.concepts(ctx, system, "id = ANY(?) ORDER BY id", ids)
}

// ConceptPage returns concepts by position.
func (s *Store) ConceptPage(ctx context.Context, system, from int64, limit int) ([]store.Concept, error) {
	return s.concepts(ctx, system, "id >= ? AND id < ? ORDER BY id"+limited(min(limit, conceptBatch)), system<<systemShift|max(from, 0), (system+1)<<systemShift)
}

// positions finds positions. They are gathered first, because a try that fails is made
// again.
func (s *Store) positions(ctx context.Context, system int64, f fragment, found func(int64)) error {
	var list []int64
	err := s.whole(ctx, system, f, func() { list = list[:0] }, func(rows pgx.Rows) error {
		var id int64
		err := rows.Scan(&id)
		list = append(list, id&(1<<systemShift-1))
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range list {
		found(p)
	}
	return nil
}

// ConceptsWith finds words.
func (s *Store) ConceptsWith(ctx context.Context, system int64, words []string, found func(int64)) error {
	f := fragment{"SELECT id FROM concept WHERE id >= ? AND id < ?", []any{system << systemShift, (system + 1) << systemShift}}
	for _, w := range words {
		f.add(" AND position(?::bytea IN text) > 0", []byte(w))
	}
	return s.positions(ctx, system, f, found)
}

// ConceptsBelow finds what lies below a concept.
func (s *Store) ConceptsBelow(ctx context.Context, system, position int64, found func(int64)) error {
	return s.positions(ctx, system, fragment{`WITH RECURSIVE reached (id) AS (SELECT id FROM concept WHERE id = ? UNION
SELECT l.child FROM reached r JOIN concept_link l ON l.parent = r.id) SELECT id FROM reached`, []any{system<<systemShift | position}}, found)
}

// ConceptsAbove finds what a concept lies below.
func (s *Store) ConceptsAbove(ctx context.Context, system, position int64, found func(int64)) error {
	return s.positions(ctx, system, fragment{`WITH RECURSIVE reached (id) AS (SELECT id FROM concept WHERE id = ? UNION
SELECT l.parent FROM reached r JOIN concept_link l ON l.child = r.id) SELECT id FROM reached`, []any{system<<systemShift | position}}, found)
}

// ConceptChildren returns the codes just below a concept.
func (s *Store) ConceptChildren(ctx context.Context, system, position int64) (codes []string, err error) {
	f := fragment{"SELECT c.code FROM concept_link l JOIN concept c ON c.id = l.child WHERE l.parent = ? ORDER BY l.child", []any{system<<systemShift | position}}
	err = s.whole(ctx, system, f, func() { codes = nil }, func(rows pgx.Rows) error {
		var code []byte
		err := rows.Scan(&code)
		codes = append(codes, string(code))
		return err
	})
	return codes, err
}
