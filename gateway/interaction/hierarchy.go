package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// resolved puts the resources of hierarchies, as the viewer sees them, in the place of
// :above and :below. The clauses are copied.
func (e *Engine) resolved(ctx context.Context, v Viewer, where []search.Clause) ([]search.Clause, error) {
	return search.Hierarchies(where, func(m search.ReferenceMatch) ([]string, error) {
		ids := []string{m.ID}
		add := func(id string) error {
			if slices.Contains(ids, id) {
				return nil
			}
			if ids = append(ids, id); len(ids) > e.Limit.Hierarchy {
				return fault.Newf(fault.TooCostly, "a hierarchy has more than %d resources", e.Limit.Hierarchy)
			}
			return nil
		}
		for i := 0; i < len(ids); i++ {
			step := e.below
			if m.Tree == search.TreeAbove {
				step = e.above
			}
			if err := step(ctx, v, m, ids[i], add); err != nil {
				return nil, err
			}
		}
		return ids, nil
	})
}

// below adds what refers to a resource by the reference that makes the hierarchy.
func (e *Engine) below(ctx context.Context, v Viewer, m search.ReferenceMatch, id string, add func(string) error) error {
	q := &search.Query{Type: m.Type, Allowed: v.allowed(), Count: min(e.Limit.MaxPage, e.Limit.Hierarchy), Where: []search.Clause{{
		Param: m.Via, Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: m.Type, ID: id}},
	}}}
	for {
		page, err := e.Store.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			if err := add(row.ID); err != nil {
				return err
			}
		}
		if page.Next == nil {
			return nil
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
}

// above adds what a resource refers to by the reference that makes the hierarchy.
func (e *Engine) above(ctx context.Context, v Viewer, m search.ReferenceMatch, id string, add func(string) error) error {
	got, err := e.current(ctx, v, store.Key{Type: m.Type, ID: id})
	if fault.Is(err, fault.NotFound) || err == nil && got.Deleted {
		return nil
	}
	if err != nil {
		return err
	}
	tree, err := parseStored(got.Body)
	if err != nil {
		return err
	}
	values, _ := e.Index.Values(tree)
	for _, r := range values.References {
		if r.Param == m.Via && r.Type == m.Type && r.ID != "" {
			if err := add(r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
