package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

const linkColumns = `person, patient, institution, rule, reason, since, until`

func (v view) links(ctx context.Context, where string, args ...any) (list []store.Link, err error) {
	err = v.q.query(ctx, ask(fragment{"SELECT " + linkColumns + " FROM link WHERE " + where, args}, func(rows pgx.Rows) error {
		var texts [5][]byte
		var since, until int64
		err := rows.Scan(&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &since, &until)
		list = append(list, store.Link{Person: string(texts[0]), Patient: string(texts[1]), Institution: string(texts[2]), Rule: string(texts[3]),
			Reason: string(texts[4]), Since: microTime(since), Until: microTime(until)})
		return err
	}))
	return list, err
}

func (v view) livingLink(ctx context.Context, patient string) (store.Link, bool, error) {
	list, err := v.links(ctx, "patient = ? AND until = 0", []byte(patient))
	if err != nil || len(list) == 0 {
		return store.Link{}, false, err
	}
	return list[0], true, nil
}

const linksOfPerson = "person = ? AND until = 0 ORDER BY institution, patient"

// strongOf is what a strong identifier is found by.
func strongOf(id store.Identifier) []byte { return digestOf(id.System, id.Value) }

// Features returns what is known of Patients that share a strong identifier with
// one of ids, or are one of patients.
func (t *tx) Features(ctx context.Context, ids []store.Identifier, patients []string) ([]store.Features, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	t.searched = true
	if list, ok := t.answers.features(ids, patients, t.said); ok {
		return list, nil
	}
	strong := make([][]byte, len(ids))
	for i, id := range ids {
		strong[i] = strongOf(id)
	}
	named := make([][]byte, len(patients))
	for i, p := range patients {
		named[i] = []byte(p)
	}
	// Those that were named come first, then those of each identifier.
	var list []store.Features
	err := t.query(ctx, ask(fragment{`SELECT f.body FROM (SELECT x.patient, min(x.place) AS place FROM (
	SELECT p AS patient, n AS place FROM unnest(?::bytea[]) WITH ORDINALITY u(p, n)
	UNION ALL SELECT s.patient, 1000000 + u.n FROM unnest(?::bytea[]) WITH ORDINALITY u(s, n) JOIN feature_strong s ON s.strong = u.s) x
	GROUP BY x.patient) y JOIN feature f ON f.patient = y.patient ORDER BY y.place, y.patient`, []any{named, strong}}, func(rows pgx.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		list = append(list, store.Features{})
		return json.Unmarshal(body, &list[len(list)-1])
	}))
	return list, err
}

func (t *tx) SetFeatures(ctx context.Context, f store.Features) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if f.Patient == "" || len(f.Patient) > maxID {
		return fault.Newf(fault.Invalid, "features need a Patient, whose id has at most %d bytes", maxID)
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	t.said[f.Patient] = f
	strong := make([][]byte, len(f.Strong))
	for i, id := range f.Strong {
		strong[i] = strongOf(id)
	}
	t.w.features = append(t.w.features, featureWrite{patient: f.Patient, body: body, strong: strong,
		fresh: t.isFresh(store.Key{Type: "Patient", ID: f.Patient}) && t.w.flushed == 0})
	return nil
}

func (t *tx) LinkOf(ctx context.Context, patient string) (store.Link, bool, error) {
	if err := t.ready(ctx); err != nil {
		return store.Link{}, false, err
	}
	if t.isFresh(store.Key{Type: "Patient", ID: patient}) && !t.linked[patient] {
		return store.Link{}, false, nil // the transaction made the Patient, and did not link it
	}
	if l, linked, ok := t.answers.linkOf(patient); ok && !t.relinked && !t.linked[patient] {
		return l, linked, nil
	}
	return t.view().livingLink(ctx, patient)
}

func (t *tx) LinksOf(ctx context.Context, person string) ([]store.Link, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	if list, ok := t.answers.linksOf(person); ok && !t.relinked {
		return list, nil
	}
	return t.view().links(ctx, linksOfPerson, []byte(person))
}

func (t *tx) NewPerson(ctx context.Context, p store.Person) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	if p.ID == "" || len(p.ID) > maxID {
		return fault.Newf(fault.Invalid, "a person needs an id of at most %d bytes", maxID)
	}
	t.w.persons = append(t.w.persons, p)
	if p.Into == "" {
		t.born[p.ID] = true
	}
	return nil
}

// living reports whether a person is there and not merged.
func (t *tx) living(ctx context.Context, person string) error {
	if t.born[person] {
		return nil
	}
	p, err := t.view().person(ctx, person)
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
	if l.Patient == "" || len(l.Patient) > maxID {
		return fault.Newf(fault.Invalid, "a link needs a Patient, whose id has at most %d bytes", maxID)
	}
	if err := t.living(ctx, l.Person); err != nil {
		return err
	}
	t.link(l, t.isFresh(store.Key{Type: "Patient", ID: l.Patient}) && !t.linked[l.Patient])
	return nil
}

// link collects a link. fresh: the Patient has none.
func (t *tx) link(l store.Link, fresh bool) {
	t.relinked = t.relinked || !fresh || !t.born[l.Person]
	t.linked[l.Patient] = true
	t.w.links = append(t.w.links, linkWrite{Link: l, since: t.moment(l.Since), fresh: fresh})
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
		if err := t.living(ctx, id); err != nil {
			return err
		}
	}
	links, err := t.view().links(ctx, linksOfPerson, []byte(from))
	if err != nil {
		return err
	}
	when := t.moment(at)
	t.flush()
	t.queue("UPDATE link SET until = ? WHERE person = ? AND until = 0", when, []byte(from))
	for _, l := range links {
		l.Person, l.Rule, l.Reason, l.Since = into, rule, reason, microTime(when)
		t.link(l, true)
	}
	t.flush()
	t.queue(`UPDATE person SET "into" = ?, merged = ? WHERE id = ?`, []byte(into), when, []byte(from))
	delete(t.born, from)
	return nil
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
	r.PatientA, r.PatientB, r.Since = a, b, microTime(t.moment(r.Since))
	t.w.reviews = append(t.w.reviews, r)
	return nil
}

func (v view) persons(ctx context.Context, where string, args ...any) (list []store.Person, err error) {
	err = v.q.query(ctx, ask(fragment{`SELECT id, "into", since, merged FROM person WHERE ` + where, args}, func(rows pgx.Rows) error {
		var id, into []byte
		var since, merged int64
		err := rows.Scan(&id, &into, &since, &merged)
		list = append(list, store.Person{ID: string(id), Into: string(into), Since: microTime(since), MergedAt: microTime(merged)})
		return err
	}))
	return list, err
}

// person returns a person; inside a transaction nobody merges it meanwhile.
func (v view) person(ctx context.Context, id string) (store.Person, error) {
	where := "id = ?"
	if _, inside := v.q.(*tx); inside {
		where += " FOR NO KEY UPDATE"
	}
	list, err := v.persons(ctx, where, []byte(id))
	if err == nil && len(list) == 0 {
		err = fault.Newf(fault.NotFound, "person %s is not known", id)
	}
	if err != nil {
		return store.Person{}, err
	}
	return list[0], nil
}

// Person returns a person; one that was merged says so in Into.
func (s *Store) Person(ctx context.Context, id string) (p store.Person, err error) {
	err = s.reading(ctx, func(v view) error {
		p, err = v.person(ctx, id)
		return err
	})
	return p, err
}

// LinkOf returns the living link of a Patient.
func (s *Store) LinkOf(ctx context.Context, patient string) (l store.Link, ok bool, err error) {
	err = s.reading(ctx, func(v view) error {
		l, ok, err = v.livingLink(ctx, patient)
		return err
	})
	return l, ok, err
}

func (s *Store) links(ctx context.Context, where string, arg string) (list []store.Link, err error) {
	err = s.reading(ctx, func(v view) error {
		list, err = v.links(ctx, where, []byte(arg))
		return err
	})
	return list, err
}

// LinksOf returns the living links of a person.
func (s *Store) LinksOf(ctx context.Context, person string) ([]store.Link, error) {
	return s.links(ctx, linksOfPerson, person)
}

// LinkHistory returns all links that a Patient ever had, oldest first.
func (s *Store) LinkHistory(ctx context.Context, patient string) ([]store.Link, error) {
	return s.links(ctx, "patient = ? ORDER BY id", patient)
}

// Persons returns living persons by id.
func (s *Store) Persons(ctx context.Context, afterID string, limit int) (list []store.Person, err error) {
	err = s.reading(ctx, func(v view) error {
		list, err = v.persons(ctx, `id > ? AND "into" = '' ORDER BY id`+limited(rows(limit)), []byte(afterID))
		return err
	})
	return list, err
}

// Reviews returns the pairs that wait for a human, oldest first.
func (s *Store) Reviews(ctx context.Context, limit int) (list []store.Review, err error) {
	err = s.reading(ctx, func(v view) error {
		list = nil
		return v.q.query(ctx, ask(fragment{sql: "SELECT id, patient_a, patient_b, rule, reason, since, resolution FROM review WHERE resolution = '' ORDER BY id" +
			limited(rows(limit))}, func(rows pgx.Rows) error {
			var r store.Review
			var texts [5][]byte
			var since int64
			err := rows.Scan(&r.ID, &texts[0], &texts[1], &texts[2], &texts[3], &since, &texts[4])
			r.PatientA, r.PatientB, r.Rule, r.Reason, r.Resolution = string(texts[0]), string(texts[1]), string(texts[2]), string(texts[3]), string(texts[4])
			r.Since = microTime(since)
			list = append(list, r)
			return err
		}))
	})
	return list, err
}
