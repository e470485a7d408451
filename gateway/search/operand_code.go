package search

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// asked returns what answers about codes, after an issue nil.
func (p *parser) asked() (Terminology, context.Context) {
	ctx := p.opts.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if t := p.engine.terminology.Load(); t != nil {
		return *t, ctx
	}
	p.refuse(fhir.TypeNotSupported, "search-modifier-unsupported", "it needs terminology, which this server does not have")
	return nil, ctx
}

// members reads a value set.
func (p *parser) members(param *parameter, valueSet string) ([]Operand, bool) {
	t, ctx := p.asked()
	if t == nil {
		return nil, false
	}
	if !strings.Contains(valueSet, ":") {
		p.invalid("expected the canonical URL of a value set")
		return nil, false
	}
	codes, err := t.Members(ctx, valueSet, p.limits.Codes)
	return p.codes(param, codes, err, "the value set")
}

// related reads system|code, or a code whose system the parameter implies.
func (p *parser) related(param *parameter, value string, below bool) ([]Operand, bool) {
	t, ctx := p.asked()
	if t == nil {
		return nil, false
	}
	parts := splitUnescaped(value, '|')
	if len(parts) > 2 || parts[len(parts)-1] == "" {
		p.invalid("expected system|code")
		return nil, false
	}
	code := unescape(parts[len(parts)-1])
	system := param.systemOf(code)
	if len(parts) == 2 {
		system = unescape(parts[0])
	}
	if system == "" {
		p.invalid("expected system|code: what lies above or below a code depends on its system")
		return nil, false
	}
	ask := t.Above
	if below {
		ask = t.Below
	}
	codes, err := ask(ctx, system, code, p.limits.Codes)
	return p.codes(param, codes, err, "the hierarchy")
}

func (p *parser) codes(param *parameter, codes []Code, err error, what string) ([]Operand, bool) {
	switch {
	case errors.Is(err, ErrManyCodes) || err == nil && len(codes) > p.limits.Codes:
		p.fail(p.current, fhir.TypeTooCostly, "search-codes-many", "{1} has more than {2} codes", what, p.limits.Codes)
		return nil, false
	case err != nil:
		why := textOf(err)
		why = fhir.Text{English: printable(why.English), Chinese: printable(why.Chinese)}
		p.fail(p.current, fhir.TypeNotSupported, "search-codes-unknown", "{1} cannot be listed: {2}", what, why)
		return nil, false
	}
	out := make([]Operand, 0, len(codes))
	for _, c := range codes {
		m := TokenMatch{Code: c.Code}
		if system := p.engine.System(c.System); !param.plain || len(param.sets) > 0 {
			m.System = &system
		}
		out = append(out, m)
	}
	return out, true
}

// vias are the parameters that make a hierarchy of the resources of one type.
var vias = []string{"partof", "part-of"}

// hierarchy reads what references to the resources below or above one are found
// by, or canonicals by the beginning of their version.
func (p *parser) hierarchy(param *parameter, value string, below bool) ([]Operand, bool) {
	if param.urls {
		return p.versions(value, below)
	}
	o, ok := p.reference(param, "", value)
	if !ok {
		return nil, false
	}
	m := o.(ReferenceMatch)
	if m.ID == "" || m.Type == "" {
		p.invalid("expected Type/id of this server")
		return nil, false
	}
	t := p.engine.parametersOf(m.Type)
	i := slices.IndexFunc(vias, func(via string) bool {
		v := t.byCode[via]
		return v != nil && v.kind == KindReference && slices.Contains(v.targets, m.Type)
	})
	if i < 0 {
		p.refuse(fhir.TypeNotSupported, "search-modifier-unsupported", "resources of type {1} make no hierarchy", m.Type)
		return nil, false
	}
	m.Via, m.Tree = vias[i], TreeAbove
	if below {
		m.Tree = TreeBelow
	}
	return []Operand{m}, true
}

// versions reads url|version of a canonical, found with all versions that begin
// with it, or that it begins with.
func (p *parser) versions(value string, below bool) ([]Operand, bool) {
	url, version, versioned := strings.Cut(value, "|")
	if !versioned || version == "" {
		p.invalid("expected url|version")
		return nil, false
	}
	out := []Operand{ReferenceMatch{URL: value}}
	if below {
		return append(out, ReferenceMatch{URL: belowVersion(url, version)}), true
	}
	for i, c := range []byte(version) {
		if c == '.' && i > 0 {
			out = append(out, ReferenceMatch{URL: url + "|" + version[:i]})
		}
	}
	return out, true
}

// Hierarchies returns clauses without matches of a Tree: related lists the ids of
// the resources of m.Type that are below (m.Tree is TreeBelow) or above the one
// with m.ID by the references of parameter m.Via, at any depth, itself among them.
func Hierarchies(where []Clause, related func(m ReferenceMatch) ([]string, error)) ([]Clause, error) {
	return Rewrite("", where, func(_ string, c *Clause) error {
		var out []Operand
		for i, o := range c.Any {
			m, ok := o.(ReferenceMatch)
			if !ok || m.Tree == TreeNone {
				if out != nil {
					out = append(out, o)
				}
				continue
			}
			if out == nil {
				out = append(make([]Operand, 0, len(c.Any)+8), c.Any[:i]...)
			}
			ids, err := related(m)
			if err != nil {
				return err
			}
			for _, id := range ids {
				out = append(out, ReferenceMatch{Type: m.Type, ID: id})
			}
		}
		if out != nil {
			c.Any = out
		}
		return nil
	})
}

// Rewrite returns a copy of clauses on a type with every clause changed, those in
// chains, reverse chains and conjunctions first. The type a clause is about comes
// with it.
func Rewrite(typ string, where []Clause, change func(typ string, c *Clause) error) ([]Clause, error) {
	out := slices.Clone(where)
	for i := range out {
		c := &out[i]
		c.Any = slices.Clone(c.Any)
		for j, o := range c.Any {
			var err error
			switch m := o.(type) {
			case AllMatch:
				m.Where, err = Rewrite(typ, m.Where, change)
				c.Any[j] = m
			case ChainMatch:
				m.Where, err = Rewrite(m.Type, m.Where, change)
				c.Any[j] = m
			case HasMatch:
				m.Where, err = Rewrite(m.Type, m.Where, change)
				c.Any[j] = m
			}
			if err != nil {
				return nil, err
			}
		}
		if err := change(typ, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}
