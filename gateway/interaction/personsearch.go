package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// expandPersons puts a person's Patients beside its id wherever a clause means a
// Patient. inPatient says that the clauses are about a Patient.
func (e *Engine) expandPersons(ctx context.Context, clauses []search.Clause, inPatient bool) error {
	for i := range clauses {
		c := &clauses[i]
		for _, operand := range slices.Clone(c.Any) {
			switch o := operand.(type) {
			case search.ReferenceMatch:
				if o.ID == "" || o.Type != "" && o.Type != "Patient" {
					continue
				}
				ids, err := e.linked(ctx, o.ID)
				if err != nil {
					return err
				}
				for _, id := range ids {
					c.Any = append(c.Any, search.ReferenceMatch{Type: "Patient", ID: id})
				}
			case search.TokenMatch:
				if !inPatient || c.Param != "_id" {
					continue
				}
				ids, err := e.linked(ctx, o.Code)
				if err != nil {
					return err
				}
				for _, id := range ids {
					c.Any = append(c.Any, search.TokenMatch{Code: id})
				}
			case search.AllMatch:
				if err := e.expandPersons(ctx, o.Where, inPatient); err != nil {
					return err
				}
			case search.ChainMatch:
				if err := e.expandPersons(ctx, o.Where, o.Type == "Patient"); err != nil {
					return err
				}
			case search.HasMatch:
				if err := e.expandPersons(ctx, o.Where, o.Type == "Patient"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// withoutAllianceTag takes the clause that asks for persons out of a Patient
// search; ok tells whether there was one.
func withoutAllianceTag(where []search.Clause, system string) (rest []search.Clause, ok bool) {
	for _, c := range where {
		if c.Param == "_tag" && !c.Not && len(c.Any) == 1 {
			if t, is := c.Any[0].(search.TokenMatch); is && !t.Other && t.Code == Alliance && t.System != nil && *t.System == system {
				ok = true
				continue
			}
		}
		rest = append(rest, c)
	}
	return rest, ok
}

// personsPage finds persons by what their Patients say: each is shown where the
// first of its Patients that match stands, so that paging meets it once. Patients that
// belong to no institution carry the tag that is asked for, too; each comes before its
// person, and a page is shorter rather than part the two.
func (e *Engine) personsPage(ctx context.Context, v Viewer, q *search.Query) (store.Page, error) {
	if q.Total != search.TotalNone {
		return store.Page{}, invalid("person-count", "", "persons are not counted: search them page by page")
	}
	page, err := e.Store.Search(ctx, q)
	if err != nil {
		return page, err
	}
	for {
		persons, fit, err := e.persons(ctx, v, q, page)
		if err != nil {
			return page, err
		}
		if fit == len(page.Rows) {
			page.Rows = persons
			return page, nil
		}
		fewer := *q
		fewer.Count, fewer.AsOf = max(fit, 1), page.AsOf
		if page, err = e.Store.Search(ctx, &fewer); err != nil {
			return page, err
		}
	}
}

// persons are what is shown for the rows of a page, and for how many of them there is
// room; for the first, there always is.
func (e *Engine) persons(ctx context.Context, v Viewer, q *search.Query, page store.Page) (persons []store.Version, fit int, err error) {
	for i, row := range page.Rows {
		before := len(persons)
		if row.Owner == Alliance {
			persons = append(persons, row)
		}
		link, ok, err := e.Store.LinkOf(ctx, row.ID)
		if err != nil {
			return nil, 0, err
		}
		first := ""
		if ok {
			if first, err = e.firstOf(ctx, q, link.Person, page.AsOf); err != nil {
				return nil, 0, err
			}
		}
		if first == row.ID {
			person, err := e.person(ctx, v, link.Person)
			if err != nil {
				return nil, 0, err
			}
			persons = append(persons, person)
		}
		if len(persons) > q.Count && i > 0 {
			return persons[:before], i, nil
		}
	}
	return persons, len(page.Rows), nil
}

// firstOf returns the Patient of a person that comes first in the answer to q.
func (e *Engine) firstOf(ctx context.Context, q *search.Query, person string, asOf int64) (string, error) {
	ids, err := e.linked(ctx, person)
	if err != nil {
		return "", err
	}
	if len(ids) == 1 {
		return ids[0], nil
	}
	one := *q
	one.Where = append(slices.Clone(q.Where), idClause(ids))
	one.After, one.AsOf, one.Count = nil, asOf, 1
	page, err := e.Store.Search(ctx, &one)
	if err != nil || len(page.Rows) == 0 {
		return "", err
	}
	return page.Rows[0].ID, nil
}

func idClause(ids []string) search.Clause {
	c := search.Clause{Param: "_id", Kind: search.KindToken}
	for _, id := range ids {
		c.Any = append(c.Any, search.TokenMatch{Code: id})
	}
	return c
}

// personsByID projects the persons that a Patient search names by _id and one of
// whose Patients fits the rest of it.
func (e *Engine) personsByID(ctx context.Context, v Viewer, q *search.Query) ([]store.Version, error) {
	var persons []store.Version
	for i, c := range q.Where {
		if c.Param != "_id" || c.Not || c.Missing != nil {
			continue
		}
		for _, operand := range c.Any {
			t, ok := operand.(search.TokenMatch)
			if !ok {
				continue
			}
			ids, err := e.linked(ctx, t.Code)
			if err != nil {
				return nil, err
			}
			if ids == nil {
				continue
			}
			fits := *q
			fits.Where = append(slices.Delete(slices.Clone(q.Where), i, i+1), idClause(ids))
			fits.Count, fits.Total = 1, search.TotalNone
			page, err := e.Store.Search(ctx, &fits)
			if err != nil {
				return nil, err
			}
			if len(page.Rows) == 0 {
				continue
			}
			person, err := e.person(ctx, v, t.Code)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			persons = append(persons, person)
		}
	}
	return persons, nil
}
