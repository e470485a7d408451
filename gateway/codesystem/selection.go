package codesystem

import (
	"context"
	"iter"
	"slices"

	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/store"
)

// pageSize is how many concepts are had from the store at once; the first page is small,
// because most who ask want few.
const (
	firstPage = 50
	pageSize  = 1000
)

// Select finds the concepts that fulfil a query.
func (x *System) Select(ctx context.Context, q terminology.Query) (terminology.Selection, error) {
	var found bitset
	narrow := func(b bitset) {
		if found == nil {
			found = b
			return
		}
		found.and(b)
	}
	for _, f := range q.Filters {
		b, err := x.filter(ctx, f)
		if err != nil {
			return nil, err
		}
		narrow(b)
	}
	if q.Text != "" {
		words, err := terminology.SearchWords(q.Text)
		if err != nil {
			return nil, err
		}
		if len(words) > 0 {
			b := newBitset(x.about.Count)
			if err := x.store.ConceptsWith(ctx, x.id, words, b.set); err != nil {
				return nil, err
			}
			narrow(b)
		}
	}
	if found == nil {
		return &selection{x: x, count: x.about.Count}, nil
	}
	return &selection{x: x, some: found, count: found.count()}, nil
}

// selection is all concepts, or some.
type selection struct {
	x     *System
	some  bitset
	count int
}

func (s *selection) Count() int { return s.count }

func (s *selection) Has(ctx context.Context, code string) (bool, error) {
	c, ok, err := s.x.find(ctx, code)
	return ok && (s.some == nil || s.some.has(c.Position)), err
}

func (s *selection) From(ctx context.Context, position int) iter.Seq2[terminology.Concept, error] {
	return func(yield func(terminology.Concept, error) bool) {
		at := int64(max(position, 0))
		if s.some != nil {
			at = s.some.skip(int(at))
		}
		for size := firstPage; ; size = pageSize {
			page, next, err := s.page(ctx, at, size)
			if err != nil {
				yield(terminology.Concept{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for i := range page {
				if !yield(concept(&page[i]), nil) {
					return
				}
			}
			at = next
		}
	}
}

func (s *selection) page(ctx context.Context, from int64, size int) (page []store.Concept, next int64, err error) {
	if s.some == nil {
		page, err = s.x.store.ConceptPage(ctx, s.x.id, from, size)
		return page, from + int64(len(page)), err
	}
	list, next := s.some.after(from, size)
	if len(list) == 0 {
		return nil, next, nil
	}
	page, err = s.x.store.ConceptsAt(ctx, s.x.id, list)
	return page, next, err
}

// filter returns the concepts that one filter selects.
func (x *System) filter(ctx context.Context, f terminology.Filter) (bitset, error) {
	switch f.Op {
	case terminology.OpIsA, terminology.OpDescendentOf, terminology.OpIsNotA, terminology.OpGeneralizes:
		return x.filterHierarchy(ctx, f)
	}
	values := x.values(f.Property)
	if values == nil {
		return nil, terminology.UnsupportedFilter(x.about.URL, f)
	}
	t, err := terminology.NewFilterTest(x.about.URL, f)
	if err != nil {
		return nil, err
	}
	found := newBitset(x.about.Count)
	for at := int64(0); ; {
		page, err := x.store.ConceptPage(ctx, x.id, at, pageSize)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			list, err := values(&page[i])
			if err != nil {
				return nil, err
			}
			for _, v := range list {
				if found.has(v.of) {
					continue
				}
				holds, err := t.Holds(v.text)
				if err != nil {
					return nil, err
				}
				if holds {
					found.set(v.of)
				}
			}
		}
		at += int64(len(page))
	}
	if f.Op == terminology.OpNotIn || f.Op == terminology.OpExists && f.Value == "false" {
		found.invert(x.about.Count)
	}
	return found, nil
}

// filterHierarchy answers the operators that are about a concept and those above or below it.
func (x *System) filterHierarchy(ctx context.Context, f terminology.Filter) (bitset, error) {
	if f.Property != "concept" && f.Property != "code" {
		return nil, terminology.UnsupportedFilter(x.about.URL, f)
	}
	c, ok, err := x.find(ctx, f.Value)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, terminology.UnknownFilterCode(x.about.URL, f)
	}
	reach, found := x.store.ConceptsBelow, newBitset(x.about.Count)
	if f.Op == terminology.OpGeneralizes {
		reach = x.store.ConceptsAbove
	}
	if err := reach(ctx, x.id, c.Position, found.set); err != nil {
		return nil, err
	}
	switch f.Op {
	case terminology.OpDescendentOf:
		found.clear(c.Position)
	case terminology.OpIsNotA:
		found.invert(x.about.Count)
	}
	return found, nil
}

// value is one that a concept has of a property.
type value struct {
	of   int64 // position of the concept
	text string
}

// values returns what tells which values a concept shows: its own, or as a child those of its parents. It is nil if the
// code system has no such property.
func (x *System) values(property string) func(c *store.Concept) ([]value, error) {
	var list []value // of one concept at a time
	one := func(text func(c *store.Concept) string) func(*store.Concept) ([]value, error) {
		return func(c *store.Concept) ([]value, error) { return append(list[:0], value{c.Position, text(c)}), nil }
	}
	detailed := func(each func(c *store.Concept, r *record)) func(*store.Concept) ([]value, error) {
		return func(c *store.Concept) ([]value, error) {
			r, err := read(c)
			list = list[:0]
			each(c, &r)
			return list, err
		}
	}
	flag := func(flag uint8) func(*store.Concept) ([]value, error) {
		return one(func(c *store.Concept) string { return fmtBool(c.Flags&flag != 0) })
	}
	switch property {
	case "concept", "code":
		return one(func(c *store.Concept) string { return c.Code })
	case "display":
		return func(c *store.Concept) ([]value, error) {
			if c.Display == "" {
				return nil, nil
			}
			return append(list[:0], value{c.Position, c.Display}), nil
		}
	case "parent", "subsumedBy":
		return detailed(func(c *store.Concept, r *record) {
			for _, p := range r.Parents {
				list = append(list, value{c.Position, p.Code})
			}
		})
	case "child":
		return detailed(func(c *store.Concept, r *record) {
			for _, p := range r.Parents {
				list = append(list, value{p.Position, c.Code})
			}
		})
	case "inactive":
		return flag(flagInactive)
	case "notSelectable", "abstract":
		return flag(flagAbstract)
	}
	defined := property == "definition" && x.about.Defined
	declared := slices.ContainsFunc(x.about.Properties, func(p terminology.PropertyDefinition) bool { return p.Code == property })
	if !defined && !declared && !x.kinds[property] {
		return nil
	}
	return detailed(func(c *store.Concept, r *record) {
		if defined && r.Definition != "" {
			list = append(list, value{c.Position, r.Definition})
		}
		for i := range r.Properties {
			if p := r.Properties[i].value(); p.Code == property {
				list = append(list, value{c.Position, p.Text()})
			}
		}
	})
}

func fmtBool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
