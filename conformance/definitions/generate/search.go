package main

import (
	"slices"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

type searchParameter struct {
	URL, ID, Code, Type, Expression, Description string
	Base, Target, Comparator, Modifier, Chain    []string
	MultipleOr, MultipleAnd                      *bool
	Component                                    []struct{ Definition, Expression string }
}

// examples are search parameters that only show what one looks like; two of
// them would take the place of a real one.
var examples = []string{"example", "example-extension", "example-reference"}

// usable reports whether the parameter says on what and how to search.
func (p *searchParameter) usable() bool {
	return len(p.Base) > 0 && p.Code != "" && !slices.Contains(examples, p.ID)
}

// record writes what definitions.decodeSearchParameter reads. Several values
// are allowed unless the definition says no.
func (p *searchParameter) record() []byte {
	var w pack.Writer
	w.String(p.ID)
	w.String(p.Type)
	w.Strings(p.Base)
	w.String(p.Expression)
	w.String(p.Description)
	w.Strings(p.Target)
	w.Strings(p.Comparator)
	w.Strings(p.Modifier)
	w.Strings(p.Chain)
	w.Bool(p.MultipleOr == nil || *p.MultipleOr)
	w.Bool(p.MultipleAnd == nil || *p.MultipleAnd)
	w.Uint(len(p.Component))
	for _, c := range p.Component {
		w.String(c.Definition)
		w.String(c.Expression)
	}
	return w.Bytes()
}

type compartmentDefinition struct {
	ID, URL, Code string
	Resource      []struct {
		Code  string
		Param []string
	}
}

// record writes what definitions.decodeCompartment reads.
func (c *compartmentDefinition) record() []byte {
	var w pack.Writer
	w.Uint(len(c.Resource))
	for _, r := range c.Resource {
		w.String(r.Code)
		w.Strings(r.Param)
	}
	return w.Bytes()
}
