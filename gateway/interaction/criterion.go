package interaction

import (
	"context"
	"fmt"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Which resource a conditional interaction means is decided in the transaction
// that writes: under locks that every other write of such a resource takes too, by
// a search that sees all of them. What was found outside of it is only a plan.
//
// A criterion that names identifiers is locked by these, and every write takes the
// locks of the identifiers that its resource has or loses, so no create – plain or
// conditional – can slip between. Any other criterion is locked by what it says,
// which keeps equal conditional interactions apart.

// criterion is what a conditional interaction, or a conditional reference, asks of
// the resource that it means.
type criterion struct {
	typ   string
	text  string // the same for criteria that say the same
	query *search.Query
	locks []string
}

// criterion reads the parameters of a criterion, which can only filter.
//
// Faults: *Refused for parameters that are unknown, malformed or no filters.
func (e *Engine) criterion(ctx context.Context, v Viewer, typ string, pairs []search.Pair) (*criterion, error) {
	var names []string
	var q *search.Query
	var issues []fhir.Issue
	err := e.parsed(ctx, func() bool {
		names, q, issues = e.Index.Criterion(seenBy(ctx, v), typ, pairs)
		return q == nil || fhir.HasErrors(issues)
	})
	if err != nil {
		return nil, err
	}
	if q == nil || fhir.HasErrors(issues) {
		return nil, &Refused{Fault: fault.New(fault.Invalid, "the criterion cannot be searched for"), Issues: issues}
	}
	c := &criterion{typ: typ, text: search.Normal(q), query: q, locks: names}
	q.Allowed = v.allowed()
	if q.Where, err = e.resolved(ctx, v, q.Where); err != nil {
		return nil, err
	}
	return c, e.expandPersons(ctx, q.Where, typ == "Patient")
}

// identified returns the identifiers that a clause asks for, if it asks for nothing
// else.
func identified(c search.Clause) (ids []search.TokenMatch, ok bool) {
	if c.Param != "identifier" || c.Not || c.Missing != nil || len(c.Any) == 0 {
		return nil, false
	}
	for _, operand := range c.Any {
		t, is := operand.(search.TokenMatch)
		if !is || t.Code == "" || t.Text != "" || t.Type != "" || t.Other {
			return nil, false
		}
		ids = append(ids, t)
	}
	return ids, true
}

// searcher is a store, or a transaction, that is searched.
type searcher interface {
	Search(ctx context.Context, q *search.Query) (store.Page, error)
}

// find returns what a criterion finds, at most limit and by id.
func (c *criterion) find(ctx context.Context, in searcher, limit int) ([]string, error) {
	q := *c.query
	q.Count = limit
	page, err := in.Search(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("look for what the criterion means: %w", err)
	}
	ids := make([]string, len(page.Rows))
	for i, row := range page.Rows {
		ids[i] = row.ID
	}
	slices.Sort(ids)
	return ids, nil
}

// fits tells whether a resource that is not stored yet is what c asks for; known is
// false for criteria of which only the store can tell.
func (e *Engine) fits(c *criterion, resource *fhir.Node) (fits, known bool) {
	fits = true
	for _, clause := range c.query.Where {
		ids, ok := identified(clause)
		if !ok {
			return false, false
		}
		fits = fits && slices.ContainsFunc(ids, func(t search.TokenMatch) bool {
			return slices.ContainsFunc(resource.Get("identifier").Items(), func(n *fhir.Node) bool {
				own := e.identifier(n)
				return own.Value == t.Code && (t.System == nil || own.System == *t.System)
			})
		})
	}
	return fits, true
}

// condition is what a plan took for the answer to a criterion.
type condition struct {
	*criterion
	found []string
	limit int
	// holds, when not nil, judges what the criterion finds when everything is written.
	holds func(found []string) error
}

// stand checks inside the transaction that criteria find what the plan is made
// from.
func stand(ctx context.Context, tx store.Tx, conditions []condition) error {
	for _, c := range conditions {
		found, err := c.find(ctx, tx, c.limit)
		if err != nil {
			return err
		}
		if !slices.Equal(found, c.found) {
			return &stale{}
		}
	}
	return nil
}

// hold checks inside the transaction what criteria find after its writes.
func hold(ctx context.Context, tx store.Tx, conditions []condition) error {
	for _, c := range conditions {
		if c.holds == nil {
			continue
		}
		found, err := c.find(ctx, tx, c.limit)
		if err != nil {
			return err
		}
		if err := c.holds(found); err != nil {
			return err
		}
	}
	return nil
}

// several is the answer to a criterion that more than one resource fulfils.
func several() error {
	return fault.New(fault.Precondition, "more than one resource fits the criterion").WithCode("multiple-matches")
}
