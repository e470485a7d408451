package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// CursorParam is the parameter of a next link that says where the page begins.
const CursorParam = "_cursor"

// Found is one page of a search.
type Found struct {
	Matches  []store.Version
	Included []store.Version
	Total    int           // -1: not counted
	Self     []search.Pair // the query as it was understood
	Next     string        // cursor of the next page, "" on the last
	Issues   []fhir.Issue  // warnings: what was ignored or cut
}

// Search answers a search on one resource type. A person's id in a patient
// parameter, chain or _id stands for all its Patients; persons themselves are
// found only by id or by the tag of the alliance.
//
// Faults: Invalid as a *Refused for parameters that are unknown or malformed,
// TooCostly for what would run too long.
func (e *Engine) Search(ctx context.Context, v Viewer, typ string, pairs []search.Pair, lenient bool) (*Found, error) {
	request, issues := e.Index.Parse(typ, pairs, search.ParseOptions{Lenient: lenient, Other: []string{CursorParam}})
	if fhir.HasErrors(issues) {
		return nil, &Refused{Fault: fault.New(fault.Invalid, "the search cannot be carried out"), Issues: issues}
	}
	from, err := e.cursorOf(v, pairs, request.Hash)
	if err != nil {
		return nil, err
	}
	q := request.Query
	q.Allowed = v.allowed()
	q.After, q.AsOf = from.position(), from.AsOf
	if from.continues() {
		q.Total = search.TotalNone
	}
	if err := e.expandPersons(ctx, q.Where, false); err != nil {
		return nil, err
	}
	found := &Found{Total: -1, Self: request.Self, Issues: issues}
	if err := e.page(ctx, v, q, request, from, found); err != nil {
		return nil, err
	}
	if err := e.include(ctx, v, request, found); err != nil {
		return nil, err
	}
	if err := e.subset(request, found); err != nil || !wantsData(request) {
		return found, err
	}
	return found, e.attach(ctx, found.Matches, found.Included)
}

// page fills found with the matches of one page.
func (e *Engine) page(ctx context.Context, v Viewer, q *search.Query, request *search.Request, from cursor, found *Found) error {
	if q.Type == "Patient" {
		if rest, ok := withoutAllianceTag(q.Where, e.InstitutionSystem()); ok {
			q.Where = rest
			return e.personsPage(ctx, v, q, request, found)
		}
		if !from.continues() {
			persons, err := e.personsByID(ctx, v, q)
			if err != nil {
				return err
			}
			found.Matches = persons
		}
	}
	persons := len(found.Matches)
	page, err := e.Store.Search(ctx, q)
	if err != nil {
		return err
	}
	found.Matches = append(found.Matches, page.Rows...)
	found.Total = from.total()
	if q.Total != search.TotalNone {
		found.Total = page.Total + persons
	}
	found.Next = e.cursorFor(v, request.Hash, page, found.Total)
	return nil
}

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
			if t, is := c.Any[0].(search.TokenMatch); is && t.Code == Alliance && t.System != nil && *t.System == system {
				ok = true
				continue
			}
		}
		rest = append(rest, c)
	}
	return rest, ok
}

// personsPage finds persons by what their Patients say: each is shown where the
// first of its Patients that match stands, so that paging meets it once.
func (e *Engine) personsPage(ctx context.Context, v Viewer, q *search.Query, request *search.Request, found *Found) error {
	if q.Total != search.TotalNone {
		return invalid("person-count", "", "persons are not counted: search them page by page")
	}
	page, err := e.Store.Search(ctx, q)
	if err != nil {
		return err
	}
	for _, row := range page.Rows {
		link, ok, err := e.Store.LinkOf(ctx, row.ID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		first, err := e.firstOf(ctx, q, link.Person, page.AsOf)
		if err != nil {
			return err
		}
		if first != row.ID {
			continue
		}
		person, err := e.person(ctx, v, link.Person)
		if err != nil {
			return err
		}
		found.Matches = append(found.Matches, person)
	}
	found.Next = e.cursorFor(v, request.Hash, page, -1)
	return nil
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
