package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

const linkColumns = `person, patient, institution, rule, reason, since, until`

func linkOf(row row) store.Link {
	return store.Link{Person: row.text(0), Patient: row.text(1), Institution: row.text(2), Rule: row.text(3),
		Reason: row.text(4), Since: row.time(5), Until: row.time(6)}
}

func (v view) links(ctx context.Context, where string, args ...any) (list []store.Link, err error) {
	err = v.c.query(ctx, "SELECT "+linkColumns+" FROM link WHERE "+where, args, func(row row) error {
		list = append(list, linkOf(row))
		return ctx.Err()
	})
	return list, err
}

func (v view) livingLink(patient string) (l store.Link, ok bool, err error) {
	ok, err = v.c.one("SELECT "+linkColumns+" FROM link WHERE patient = ? AND until = 0", []any{patient},
		func(row row) { l = linkOf(row) })
	return l, ok, err
}

const linksOfPerson = "person = ? AND until = 0 ORDER BY institution, patient"

// Features returns what is known of Patients that share a strong identifier with
// one of ids, or are one of patients.
func (t *tx) Features(ctx context.Context, ids []store.Identifier, patients []string) ([]store.Features, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	t.searched = true
	seen := map[string]bool{}
	var order []string
	note := func(patient string) {
		if !seen[patient] {
			seen[patient] = true
			order = append(order, patient)
		}
	}
	for _, p := range patients {
		note(p)
	}
	for _, id := range ids {
		err := t.c.query(context.Background(), "SELECT patient FROM feature_strong WHERE system = ? AND value = ? ORDER BY patient",
			[]any{id.System, id.Value}, func(row row) error {
				note(row.text(0))
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	var list []store.Features
	for _, patient := range order {
		var body []byte
		ok, err := t.c.one("SELECT body FROM feature WHERE patient = ?", []any{patient}, func(row row) { body = row.bytes(0) })
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		var f store.Features
		if err := json.Unmarshal(body, &f); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

func (t *tx) SetFeatures(ctx context.Context, f store.Features) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if f.Patient == "" {
		return fault.New(fault.Invalid, "features need a Patient")
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := t.forgetStrong(f.Patient); err != nil {
		return t.breaks(err)
	}
	if _, err := t.c.exec("INSERT OR REPLACE INTO feature (patient, body) VALUES (?, ?)", f.Patient, body); err != nil {
		return t.breaks(err)
	}
	for _, id := range f.Strong {
		if _, err := t.c.exec("INSERT OR IGNORE INTO feature_strong (system, value, patient) VALUES (?, ?, ?)",
			id.System, id.Value, f.Patient); err != nil {
			return t.breaks(err)
		}
	}
	return nil
}

// forgetStrong removes what leads to the features of a Patient. The features say what
// that is, so no index has to.
func (t *tx) forgetStrong(patient string) error {
	var old store.Features
	var failed error
	if _, err := t.c.one("SELECT body FROM feature WHERE patient = ?", []any{patient}, func(row row) {
		failed = json.Unmarshal(row.bytes(0), &old)
	}); err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	for _, id := range old.Strong {
		if _, err := t.c.exec("DELETE FROM feature_strong WHERE system = ? AND value = ? AND patient = ?", id.System, id.Value, patient); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) LinkOf(ctx context.Context, patient string) (store.Link, bool, error) {
	if err := t.ready(ctx); err != nil {
		return store.Link{}, false, err
	}
	return t.view().livingLink(patient)
}

func (t *tx) LinksOf(ctx context.Context, person string) ([]store.Link, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	return t.view().links(context.Background(), linksOfPerson, person)
}

func (t *tx) NewPerson(ctx context.Context, p store.Person) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if p.ID == "" {
		return fault.New(fault.Invalid, "a person needs an id")
	}
	n, err := t.c.exec(`INSERT OR IGNORE INTO person (id, "into", since, merged) VALUES (?, ?, ?, ?)`,
		p.ID, p.Into, micros(p.Since), micros(p.MergedAt))
	if err != nil {
		return t.breaks(err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "person %s is there already", p.ID)
	}
	return nil
}

// living reports whether a person is there and not merged.
func (t *tx) living(person string) error {
	p, err := t.view().person(person)
	if err != nil {
		return err
	}
	if p.Into != "" {
		return fault.Newf(fault.Conflict, "person %s was merged", person)
	}
	return nil
}

func (t *tx) SetLink(ctx context.Context, l store.Link) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if l.Patient == "" {
		return fault.New(fault.Invalid, "a link needs a Patient")
	}
	if err := t.living(l.Person); err != nil {
		return err
	}
	if _, err := t.c.exec("UPDATE link SET until = ? WHERE patient = ? AND until = 0", t.moment(l.Since), l.Patient); err != nil {
		return t.breaks(err)
	}
	return t.link(l)
}

func (t *tx) link(l store.Link) error {
	_, err := t.c.exec("INSERT INTO link ("+linkColumns+") VALUES (?, ?, ?, ?, ?, ?, 0)",
		l.Person, l.Patient, l.Institution, l.Rule, l.Reason, t.moment(l.Since))
	return t.breaks(err)
}

// moment is a time that is never the zero one, which means "holds" in a link.
func (t *tx) moment(at time.Time) int64 {
	if at.IsZero() {
		at = t.s.opt.Now()
	}
	return at.UnixMicro()
}

func (t *tx) MergePerson(ctx context.Context, from, into, rule, reason string, at time.Time) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if from == into {
		return fault.New(fault.Invalid, "a person is not merged into itself")
	}
	for _, id := range []string{from, into} {
		if err := t.living(id); err != nil {
			return err
		}
	}
	links, err := t.view().links(context.Background(), linksOfPerson, from)
	if err != nil {
		return err
	}
	when := t.moment(at)
	if _, err := t.c.exec("UPDATE link SET until = ? WHERE person = ? AND until = 0", when, from); err != nil {
		return t.breaks(err)
	}
	for _, l := range links {
		l.Person, l.Rule, l.Reason, l.Since = into, rule, reason, microTime(when)
		if err := t.link(l); err != nil {
			return err
		}
	}
	_, err = t.c.exec(`UPDATE person SET "into" = ?, merged = ? WHERE id = ?`, into, when, from)
	return t.breaks(err)
}

func (t *tx) AddReview(ctx context.Context, r store.Review) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	a, b := r.PatientA, r.PatientB
	if a > b {
		a, b = b, a
	}
	if a == "" || a == b {
		return fault.New(fault.Invalid, "a review needs two Patients")
	}
	_, err := t.c.exec(`INSERT OR IGNORE INTO review (patient_a, patient_b, rule, reason, since, resolution)
VALUES (?, ?, ?, ?, ?, ?)`, a, b, r.Rule, r.Reason, t.moment(r.Since), r.Resolution)
	return t.breaks(err)
}

func (v view) person(id string) (p store.Person, err error) {
	ok, err := v.c.one(`SELECT id, "into", since, merged FROM person WHERE id = ?`, []any{id}, func(row row) { p = personOf(row) })
	if err == nil && !ok {
		err = fault.Newf(fault.NotFound, "person %s is not known", id)
	}
	return p, err
}

func personOf(row row) store.Person {
	return store.Person{ID: row.text(0), Into: row.text(1), Since: row.time(2), MergedAt: row.time(3)}
}

// Person returns a person; one that was merged says so in Into.
func (s *Store) Person(ctx context.Context, id string) (p store.Person, err error) {
	err = s.reading(ctx, func(v view) error {
		p, err = v.person(id)
		return err
	})
	return p, err
}

// LinkOf returns the living link of a Patient.
func (s *Store) LinkOf(ctx context.Context, patient string) (l store.Link, ok bool, err error) {
	err = s.reading(ctx, func(v view) error {
		l, ok, err = v.livingLink(patient)
		return err
	})
	return l, ok, err
}

// LinksOf returns the living links of a person.
func (s *Store) LinksOf(ctx context.Context, person string) (list []store.Link, err error) {
	err = s.reading(ctx, func(v view) error {
		list, err = v.links(ctx, linksOfPerson, person)
		return err
	})
	return list, err
}

// LinkHistory returns all links that a Patient ever had, oldest first.
func (s *Store) LinkHistory(ctx context.Context, patient string) (list []store.Link, err error) {
	err = s.reading(ctx, func(v view) error {
		list, err = v.links(ctx, "patient = ? ORDER BY id", patient)
		return err
	})
	return list, err
}

// Persons returns living persons by id.
func (s *Store) Persons(ctx context.Context, afterID string, limit int) (list []store.Person, err error) {
	err = s.reading(ctx, func(v view) error {
		return v.c.query(ctx, `SELECT id, "into", since, merged FROM person WHERE id > ? AND "into" = '' ORDER BY id`+limited(rows(limit)),
			[]any{afterID}, func(row row) error {
				list = append(list, personOf(row))
				return ctx.Err()
			})
	})
	return list, err
}

// Reviews returns the pairs that wait for a human, oldest first.
func (s *Store) Reviews(ctx context.Context, limit int) (list []store.Review, err error) {
	err = s.reading(ctx, func(v view) error {
		return v.c.query(ctx, `SELECT id, patient_a, patient_b, rule, reason, since, resolution FROM review
WHERE resolution = '' ORDER BY id`+limited(rows(limit)), nil, func(row row) error {
			list = append(list, store.Review{ID: row.int(0), PatientA: row.text(1), PatientB: row.text(2), Rule: row.text(3),
				Reason: row.text(4), Since: row.time(5), Resolution: row.text(6)})
			return ctx.Err()
		})
	})
	return list, err
}
