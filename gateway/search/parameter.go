package search

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// parameter is a search parameter of one resource type.
type parameter struct {
	def     *definitions.SearchParameter
	code    string
	kind    Kind                 // 0 if it cannot be searched
	expr    *fhirpath.Expression // nil if the store answers it from its own columns
	refused fhir.Text            // why it cannot be searched
	// sets are the value sets that give elements of type code their systems.
	sets []*definitions.ValueSet
	// plain says that all values are codes without a system of their own.
	plain bool
	// targets are the types that a reference of this resource type may point to;
	// none means any.
	targets []string
	// urls says that a reference is a canonical or uri, never a Reference.
	urls bool
	form form
	// composite is set for composite parameters.
	composite *composite
	// custom says that the parameter was given at run time; waits, that resources
	// may not be indexed by it yet, so that it is refused.
	custom, waits bool
}

// usable reports whether a query may name the parameter; refused says why not.
func (p *parameter) usable() bool { return p.kind != 0 && !p.waits }

// typeParameters are the parameters of a resource type.
type typeParameters struct {
	name    string
	list    []*parameter // by code
	byCode  map[string]*parameter
	indexed []*parameter
	plan    *fhirpath.Plan // of indexed, then of composites
	// composites are those with index values of their own.
	composites []*parameter
	// narrative and content tell whether _text and _content are indexed.
	narrative, content bool
	typical            [7]atomic.Int32 // most values of each kind that a resource had
}

var kinds = map[string]Kind{
	"token": KindToken, "string": KindString, "date": KindDate, "reference": KindReference,
	"number": KindNumber, "quantity": KindQuantity, "uri": KindURI,
}

// columns are the parameters that a store answers without index values, because
// it decides them itself.
var columns = []string{"_id", "_lastUpdated", "_source"}

// parametersOf returns the parameters of a type, nil if it is no resource type.
func (e *Engine) parametersOf(resource string) *typeParameters {
	set := e.set.Load()
	set.mu.RLock()
	t := set.types[resource]
	set.mu.RUnlock()
	if t != nil {
		return t
	}
	if !e.defs.IsResource(resource) && resource != "Resource" {
		return nil
	}
	t = e.compile(set, resource)
	set.mu.Lock()
	defer set.mu.Unlock()
	if old := set.types[resource]; old != nil {
		return old
	}
	set.types[resource] = t
	return t
}

func (e *Engine) compile(set *parameterSet, resource string) *typeParameters {
	t := &typeParameters{name: resource, byCode: map[string]*parameter{}}
	add := func(def *definitions.SearchParameter) *parameter {
		p := &parameter{def: def, code: def.Code}
		t.byCode[p.code] = p
		t.list = append(t.list, p)
		return p
	}
	for _, def := range e.defs.SearchParameters(resource) {
		if expression := expressions[def.URL]; expression != "" && def.Expression == "" {
			full := *def
			full.Expression = expression
			def = &full
		}
		e.prepare(t, add(def))
	}
	if slices.Contains(namePinyin.Base, resource) {
		e.prepare(t, add(&namePinyin))
	}
	for _, c := range set.of(resource) {
		if t.byCode[c.def.Code] != nil {
			continue
		}
		p := add(c.def)
		p.custom, p.waits = true, !c.ready
		e.prepare(t, p)
		if p.kind != 0 && p.waits {
			p.refused = phrases.Say("resources are still being indexed by it")
		}
	}
	slices.SortStableFunc(t.list, func(a, b *parameter) int { return strings.Compare(a.code, b.code) })
	e.compileComposites(t, func(url string) *definitions.SearchParameter { return e.definition(set, url) })
	for _, p := range t.list {
		if p.composite != nil && p.waits {
			p.refused = phrases.Say("resources are still being indexed by it")
		}
		if p.expr != nil {
			t.indexed = append(t.indexed, p)
		}
	}
	t.plan = e.planOf(t)
	return t
}

// planOf is the plan of all expressions that are evaluated over a resource: those of
// the parameters, then those of the composites.
func (e *Engine) planOf(t *typeParameters) *fhirpath.Plan {
	var exprs []*fhirpath.Expression
	for _, p := range t.indexed {
		exprs = append(exprs, p.expr)
	}
	for _, p := range t.composites {
		for _, f := range p.composite.focuses {
			if f.param == p.code {
				f.planned = len(exprs)
				exprs = append(exprs, f.expr)
			}
		}
	}
	return e.model.Plan(t.name, exprs)
}

// expressions are those that R4 gives as XPath only.
var expressions = map[string]string{
	"http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-birthOrderBoolean": "Patient.multipleBirth.ofType(boolean)",
}

// prepare decides what one parameter is, but for composites.
func (e *Engine) prepare(t *typeParameters, p *parameter) {
	switch kind := kinds[p.def.Type]; {
	case p.def.Type == "composite":
		return // compileComposites
	case p.code == paramText:
		p.kind, t.narrative = KindText, true
	case p.code == paramContent && e.opts.NoContent:
		p.refused = phrases.Say("this server does not index all texts")
	case p.code == paramContent:
		p.kind, t.content = KindText, true
	case p.code == paramFilter:
		p.kind = KindSpecial
	case p.def.Type == "special" && p.code == "near":
		p.kind = KindSpecial
		p.compile(e, t.name)
	case kind == 0:
		p.refused = phrases.Say("{1} parameters are not supported", p.def.Type)
	case p.def.Expression == "":
		p.refused = phrases.Say("its definition does not say how")
	case slices.Contains(columns, p.code):
		p.kind = kind
	default:
		switch p.def.Code {
		case "phonetic":
			p.form = asSound
		case namePinyin.Code:
			if p.def == &namePinyin {
				p.form = asPinyin
			}
		}
		p.kind = kind
		p.compile(e, t.name)
	}
	if p.kind == KindReference {
		p.targets = e.targets(p.def, t.name)
	}
}

func (p *parameter) compile(e *Engine, resource string) {
	x, err := e.model.Compile(p.def.Expression, fhirpath.Options{Context: resource, Lenient: true})
	if err != nil {
		p.kind, p.refused = 0, phrases.Say("its definition cannot be evaluated")
		return
	}
	p.expr = x
	types := x.Types()
	if len(types) == 0 && types != nil {
		p.kind, p.expr, p.refused = 0, nil, phrases.Say("its definition selects nothing of {1}", resource)
		return
	}
	p.describe(e, resource)
}

// describe finds out what the values of a compiled parameter can be.
func (p *parameter) describe(e *Engine, resource string) {
	types := p.expr.Types()
	if types == nil {
		return
	}
	p.plain = p.kind == KindToken && all(types, "code", "boolean", "Boolean", "string", "id", "uri", "ContactPoint")
	p.urls = p.kind == KindReference && all(types, urlTypes...)
	if p.kind == KindToken && slices.Contains(types, "code") {
		p.sets = e.bound(p.def.Expression, resource)
	}
	if p.kind == KindReference && p.targets == nil {
		p.targets = e.targets(p.def, resource)
	}
}

func all(types []string, allowed ...string) bool {
	for _, t := range types {
		if !slices.Contains(allowed, t) {
			return false
		}
	}
	return true
}

// branches are the paths of a parameter's expression that start at a resource type.
func branches(expression, resource string) []string {
	var out []string
	for path := range strings.SplitSeq(expression, "|") {
		path = strings.Trim(path, " ()")
		if head, _, _ := strings.Cut(path, "."); head == resource {
			out = append(out, path)
		}
	}
	return out
}

// bound finds the value sets of the codes that the paths of an expression lead to.
func (e *Engine) bound(expression, resource string) []*definitions.ValueSet {
	var sets []*definitions.ValueSet
	for _, path := range branches(expression, resource) {
		p, err := e.defs.Resolve(path)
		if err != nil || p.Type != "code" || p.Element.Binding == nil {
			continue
		}
		if vs := e.defs.ValueSet(p.Element.Binding.ValueSet); vs != nil {
			sets = append(sets, vs)
		}
	}
	return sets
}

// targets narrows the targets of a reference parameter, which are those of all
// its bases, to what its paths from one resource type can lead to.
func (e *Engine) targets(def *definitions.SearchParameter, resource string) []string {
	allowed := map[string]bool{}
	for _, path := range branches(def.Expression, resource) {
		if _, typ, ok := strings.Cut(path, "resolve() is "); ok {
			allowed[strings.Trim(typ, " )")] = true
			continue
		}
		p, err := e.defs.Resolve(path)
		if err != nil || len(p.Targets()) == 0 {
			return def.Targets
		}
		for _, t := range p.Targets() {
			if !e.defs.IsResource(t) {
				return def.Targets
			}
			allowed[t] = true
		}
	}
	var out []string
	for _, t := range def.Targets {
		if allowed[t] {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return def.Targets
	}
	return out
}

// systemOf returns the system that the binding of a code element implies.
func (p *parameter) systemOf(code string) string {
	for _, vs := range p.sets {
		if c, ok := vs.LookupCode(code); ok {
			return c.System
		}
	}
	return ""
}

// onlyURLs reports whether a reference parameter holds no References.
func (e *Engine) onlyURLs(def *definitions.SearchParameter, resource string) bool {
	x, err := e.model.Compile(def.Expression, fhirpath.Options{Context: resource, Lenient: true})
	return err != nil || x.Types() != nil && all(x.Types(), urlTypes...)
}

var urlTypes = []string{"canonical", "uri", "url", "oid", "uuid"}

// Parameter is what can be said of a search parameter in a CapabilityStatement.
type Parameter struct {
	Name       string
	Type       string // token, string …
	Definition string // canonical URL
	Doc        string
	Targets    []string // of a reference
}

// Capability is what can be searched on a resource type.
type Capability struct {
	Parameters []Parameter
	Include    []string // values that _include takes
	RevInclude []string // values that _revinclude takes
}

// Capability returns what is really supported for a resource type: parameters
// that Parse refuses are not in it.
func (e *Engine) Capability(resource string) Capability {
	var out Capability
	if !e.defs.IsResource(resource) {
		return out
	}
	// A type that is only listed need not stay compiled.
	set := e.set.Load()
	set.mu.RLock()
	t := set.types[resource]
	set.mu.RUnlock()
	if t == nil {
		t = e.compile(set, resource)
	}
	for _, p := range t.list {
		if !p.usable() {
			continue
		}
		out.Parameters = append(out.Parameters, Parameter{
			Name: p.code, Type: p.def.Type, Definition: p.def.URL, Doc: p.def.Description, Targets: p.targets,
		})
		if p.kind == KindReference && !p.urls {
			out.Include = append(out.Include, resource+":"+p.code)
		}
	}
	out.RevInclude = slices.Concat(e.referrers()[resource], set.referrers(e, resource))
	return out
}

// findReferrers lists, for every type, the parameters of other types that refer
// to it, as "Type:parameter".
func (e *Engine) findReferrers() map[string][]string {
	out := map[string][]string{}
	for _, source := range e.defs.ResourceTypes() {
		for _, def := range e.defs.SearchParameters(source) {
			if def.Type != "reference" || def.Expression == "" || e.onlyURLs(def, source) {
				continue
			}
			for _, target := range e.targets(def, source) {
				out[target] = append(out[target], source+":"+def.Code)
			}
		}
	}
	return out
}
