package search

import (
	"context"
	"errors"

	"github.com/yilian/yilian/conformance/terminology"
)

// Code is a code of a code system.
type Code struct{ System, Code string }

// Terminology answers what codes mean, for the modifiers in, not-in, above and
// below. It is called from many goroutines. At most limit codes are wanted:
// ErrManyCodes if there are more. Any other error refuses the query; its text may
// be shown to the client.
type Terminology interface {
	// Members lists the codes of a value set.
	Members(ctx context.Context, valueSet string, limit int) ([]Code, error)
	// Below lists a code and all codes that it subsumes, Above a code and all that
	// subsume it.
	Below(ctx context.Context, system, code string, limit int) ([]Code, error)
	Above(ctx context.Context, system, code string, limit int) ([]Code, error)
}

// ErrManyCodes says that more codes are meant than a search may ask for.
var ErrManyCodes = errors.New("too many codes")

// SetTerminology replaces what answers about codes from now on; nil for nothing.
func (e *Engine) SetTerminology(t Terminology) {
	if t == nil {
		e.terminology.Store(nil)
		return
	}
	e.terminology.Store(&t)
}

// Catalog makes a Terminology of a catalogue.
func Catalog(c *terminology.Catalog) Terminology { return catalog{c} }

type catalog struct{ c *terminology.Catalog }

func (c catalog) Members(ctx context.Context, valueSet string, limit int) ([]Code, error) {
	set, err := c.c.ValueSet(valueSet)
	if err != nil {
		return nil, err
	}
	expansion, err := c.c.Expand(ctx, set, terminology.ExpandRequest{
		Page: &terminology.Page{Count: limit + 1}, ExcludeNested: true,
	})
	if err != nil {
		return nil, err
	}
	if len(expansion.Contains) > limit || expansion.Total > limit {
		return nil, ErrManyCodes
	}
	out := make([]Code, 0, len(expansion.Contains))
	for _, m := range expansion.Contains {
		out = append(out, Code{m.System, m.Code})
	}
	return out, nil
}

func (c catalog) Below(ctx context.Context, system, code string, limit int) ([]Code, error) {
	return c.related(ctx, terminology.OpIsA, system, code, limit)
}

func (c catalog) Above(ctx context.Context, system, code string, limit int) ([]Code, error) {
	return c.related(ctx, terminology.OpGeneralizes, system, code, limit)
}

func (c catalog) related(ctx context.Context, op terminology.Op, system, code string, limit int) ([]Code, error) {
	s, err := c.c.CodeSystem(system)
	if err != nil {
		return nil, err
	}
	if _, known, err := s.Lookup(ctx, code); err != nil || !known {
		if err == nil {
			err = errors.New("the code system has no such code")
		}
		return nil, err
	}
	found, err := s.Select(ctx, terminology.Query{Filters: []terminology.Filter{{Property: "concept", Op: op, Value: code}}})
	if err != nil {
		return nil, err
	}
	if n := found.Count(); n > limit || n == terminology.Infinite {
		return nil, ErrManyCodes
	}
	out := []Code{{system, code}}
	for concept, err := range found.From(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if concept.Code != code {
			out = append(out, Code{system, concept.Code})
		}
	}
	return out, nil
}
