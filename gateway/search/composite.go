package search

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// composite is what a composite parameter looks at.
type composite struct {
	focuses []*focus
	parts   []*parameter // what the values of a query are read by
}

// focus is one kind of element that a composite parameter looks at.
type focus struct {
	// plain are the parameters that say the same where the element is the whole
	// resource, so that nothing needs to be indexed.
	plain []*parameter
	param string // under whose components it is indexed
	expr  *fhirpath.Expression
	// planned is the expression's place in the plan of the type.
	planned int
	parts   []*parameter
}

// compileComposites does what needs the other parameters of the type. A composite
// of the whole resource is a conjunction of plain parameters, and one over several
// kinds of elements shares the index values of those over one of them.
func (e *Engine) compileComposites(t *typeParameters, byURL func(string) *definitions.SearchParameter) {
	for _, p := range t.list {
		if p.def.Type != "composite" {
			continue
		}
		p.composite, p.refused = e.compileComposite(t, p, byURL)
		if p.composite == nil {
			p.kind = 0
			continue
		}
		p.kind = KindComposite
		for _, f := range p.composite.focuses {
			if f.param == p.code {
				t.composites = append(t.composites, p)
				break
			}
		}
	}
}

func (e *Engine) compileComposite(t *typeParameters, p *parameter, byURL func(string) *definitions.SearchParameter) (c *composite, refused fhir.Text) {
	if len(p.def.Components) < 2 {
		return nil, phrases.Say("its definition has too few components")
	}
	defs := definitionsOf(p.def, byURL)
	if slices.ContainsFunc(defs, func(d *definitions.SearchParameter) bool { return d == nil || kinds[d.Type] == 0 }) {
		return nil, phrases.Say("the definition of one of its components is not known")
	}
	c = &composite{}
	for _, branch := range branches(p.def.Expression, t.name) {
		f := &focus{param: p.code}
		c.focuses = append(c.focuses, f)
		owner := sharedBy(t, p, branch)
		if branch == t.name {
			f.plain = plainParts(t, p.def.Components, defs)
			if f.plain == nil && owner != nil {
				f.plain = plainParts(t, owner.def.Components, definitionsOf(owner.def, byURL))
			}
			if f.plain != nil {
				f.param = ""
				continue
			}
		}
		if owner != nil {
			f.param = owner.code
		}
		var err error
		if f.expr, err = e.model.Compile(branch, fhirpath.Options{Context: t.name, Lenient: true}); err != nil {
			return nil, phrases.Say("its definition cannot be evaluated")
		}
		for i, component := range p.def.Components {
			part := &parameter{def: defs[i], code: Component(f.param, i), kind: kinds[defs[i].Type]}
			part.expr, err = e.model.Compile(component.Expression, fhirpath.Options{Context: branch, Lenient: true})
			if err != nil {
				part.expr, err = e.model.Compile(component.Expression, fhirpath.Options{Lenient: true})
			}
			if err != nil {
				return nil, phrases.Say("the definition of one of its components cannot be evaluated")
			}
			part.fit(defs)
			part.describe(e, t.name)
			f.parts = append(f.parts, part)
		}
	}
	if len(c.focuses) == 0 {
		return nil, phrases.Say("its definition selects nothing of {1}", t.name)
	}
	c.parts = c.focuses[0].parts
	if c.parts == nil {
		c.parts = c.focuses[0].plain
	}
	return c, fhir.Text{}
}

// fit corrects what R4 has the wrong way round in places: a component whose
// expression leads to what another one's definition is about.
func (p *parameter) fit(defs []*definitions.SearchParameter) {
	types := p.expr.Types()
	if types == nil || fits(p.def.Type, types) {
		return
	}
	for _, other := range defs {
		if fits(other.Type, types) {
			p.def, p.kind = other, kinds[other.Type]
			return
		}
	}
}

// fits reports whether a kind of parameter has index values of one of some types.
func fits(kind string, types []string) bool {
	allowed := indexable[kind]
	return slices.ContainsFunc(types, func(t string) bool {
		if allowed == nil {
			return !slices.Contains([]string{"Reference", "Quantity", "Range", "Period", "Timing", "Money"}, t)
		}
		return slices.Contains(allowed, t)
	})
}

// definitionsOf are the parameters that the components of a composite are like.
func definitionsOf(def *definitions.SearchParameter, byURL func(string) *definitions.SearchParameter) []*definitions.SearchParameter {
	out := make([]*definitions.SearchParameter, len(def.Components))
	for i, component := range def.Components {
		out[i] = byURL(component.Definition)
	}
	return out
}

// plainParts returns the parameters that components of a whole resource are, nil
// if one of them is something else.
func plainParts(t *typeParameters, components []definitions.Component, defs []*definitions.SearchParameter) []*parameter {
	var out []*parameter
	for i, component := range components {
		if defs[i] == nil {
			return nil
		}
		param := t.byCode[defs[i].Code]
		if param == nil || param.def.URL != defs[i].URL || param.kind == 0 {
			return nil
		}
		want := normalBranches(component.Expression, "")
		for _, have := range normalBranches(param.def.Expression, t.name) {
			if at := slices.Index(want, have); at >= 0 {
				want = slices.Delete(want, at, at+1)
			} else if !strings.HasSuffix(have, ".as(sampleddata)") { // which has no index values
				return nil
			}
		}
		if len(want) > 0 {
			return nil
		}
		out = append(out, param)
	}
	return out
}

// normalBranches are the branches of an expression without the resource type they
// begin with, in one spelling.
func normalBranches(expression, resource string) []string {
	var out []string
	for path := range strings.SplitSeq(expression, "|") {
		path = strings.TrimSpace(path)
		if strings.HasPrefix(path, "(") && strings.HasSuffix(path, ")") {
			path = strings.TrimSpace(path[1 : len(path)-1])
		}
		if resource != "" {
			if head, _, _ := strings.Cut(strings.TrimLeft(path, "("), "."); head != resource {
				continue
			}
			path = strings.TrimPrefix(path, resource+".")
		}
		if base, typ, ok := strings.Cut(path, " as "); ok {
			path = base + ".as(" + strings.TrimSpace(typ) + ")"
		}
		out = append(out, strings.ToLower(path))
	}
	return out
}

// sharedBy returns the composite parameter that looks at one branch of another and
// at nothing else, for the same components.
func sharedBy(t *typeParameters, p *parameter, branch string) *parameter {
	for _, other := range t.list {
		if other == p || other.def.Type != "composite" || other.custom != p.custom {
			continue
		}
		b := branches(other.def.Expression, t.name)
		if len(b) == 1 && b[0] == branch && len(branches(p.def.Expression, t.name)) > 1 &&
			slices.EqualFunc(other.def.Components, p.def.Components, func(x, y definitions.Component) bool { return x.Expression == y.Expression }) {
			return other
		}
	}
	return nil
}
