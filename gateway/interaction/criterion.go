package interaction

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	request, issues := e.Index.Parse(typ, pairs, search.ParseOptions{})
	if fhir.HasErrors(issues) {
		return nil, &Refused{Fault: fault.New(fault.Invalid, "the criterion cannot be searched for"), Issues: issues}
	}
	q := request.Query
	if len(request.Include)+len(request.RevInclude)+len(q.Sort)+len(request.Elements) > 0 ||
		request.Counted || request.Summary != search.SummaryFalse || q.Total != search.TotalNone {
		return nil, invalid("criterion-result", "", "a criterion says which resource is meant; it cannot say how a result is shown")
	}
	if len(q.Where) == 0 {
		return nil, invalid("criterion-empty", "", "a criterion needs at least one search parameter that filters")
	}
	c := &criterion{typ: typ, text: canonical(typ, pairs), query: q}
	c.locks = e.criterionLocks(c)
	q.Allowed, q.Count = v.allowed(), 2
	return c, e.expandPersons(ctx, q.Where, typ == "Patient")
}

// canonical writes a criterion so that neither the order of its parameters and
// alternatives nor their encoding counts.
func canonical(typ string, pairs []search.Pair) string {
	parts := make([]string, 0, len(pairs))
	for _, p := range pairs {
		values := strings.Split(p.Value, ",")
		slices.Sort(values)
		parts = append(parts, p.Name+"="+strings.Join(values, ","))
	}
	slices.Sort(parts)
	return typ + "?" + strings.Join(slices.Compact(parts), "&")
}

// criterionLocks names what the transaction that looks for c locks.
func (e *Engine) criterionLocks(c *criterion) []string {
	var names []string
	for _, clause := range c.query.Where {
		if ids, ok := identified(clause); ok {
			for _, t := range ids {
				names = append(names, identifierLock(c.typ, t.Code))
			}
			return names
		}
	}
	return []string{"criterion\x00" + c.text}
}

// identified returns the identifiers that a clause asks for, if it asks for nothing
// else.
func identified(c search.Clause) (ids []search.TokenMatch, ok bool) {
	if c.Param != "identifier" || c.Not || c.Missing != nil || len(c.Any) == 0 {
		return nil, false
	}
	for _, operand := range c.Any {
		t, is := operand.(search.TokenMatch)
		if !is || t.Code == "" || t.Text != "" || t.Type != "" {
			return nil, false
		}
		ids = append(ids, t)
	}
	return ids, true
}

// identifierLock names the lock of everything of a type with an identifier of this
// value: in a criterion the system may be missing, or be another name of the same.
func identifierLock(typ, value string) string { return "identifier\x00" + typ + "\x00" + value }

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
