package search

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
)

// Parse turns the parameters of a query into a Request. The resource type is
// empty for a search over several types. Without errors among the issues the
// Request is complete; it is nil otherwise. Each issue names its parameter and
// never quotes a value.
func (e *Engine) Parse(resource string, pairs []Pair, opts ParseOptions) (*Request, []fhir.Issue) {
	base := resource
	if base == "" {
		base = "Resource"
	}
	p := parser{engine: e, params: e.parametersOf(base), opts: opts, limits: e.opts.Limits}
	p.request = &Request{Query: &Query{Type: resource, Count: e.opts.Limits.Count}}
	if p.params == nil {
		p.fail("", fhir.TypeNotSupported, "search-type-unknown", "{1} is not a resource type", name(resource))
		return nil, p.issues
	}
	if len(pairs) > p.limits.Parameters {
		p.fail("", fhir.TypeTooCostly, "search-parameters-many", "{1} parameters, expected at most {2}", len(pairs), p.limits.Parameters)
		return nil, p.issues
	}
	if resource == "" {
		p.nameTypes(pairs)
	}
	for _, pair := range pairs {
		p.pair(pair)
	}
	if fhir.HasErrors(p.issues) {
		return nil, p.issues
	}
	p.finish()
	return p.request, p.issues
}

// parser holds the state of one Parse.
type parser struct {
	engine     *Engine
	params     *typeParameters
	named      []*typeParameters // of the types that _type names
	opts       ParseOptions
	limits     Limits
	request    *Request
	issues     []fhir.Issue
	conditions []Pair
	current    string // full name of the parameter being read, for issues
	values     int
	includes   int
	tests      int // conditions of _filter and _text
	steps      int // of reading them
	seen       []string
}

// name shows a name from the query in a message.
func name(s string) string { return "'" + printable(s) + "'" }

// printable is a text from elsewhere: cut, and without what is not printable.
func printable(s string) string {
	const longest = 64
	s = strings.ToValidUTF8(s, "�")
	s = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
	if len(s) > longest {
		s = cut(s, longest) + "…"
	}
	return s
}

func (p *parser) report(severity fhir.Severity, code fhir.IssueType, id string, said fhir.Text) {
	p.issues = append(p.issues, issue(severity, code, id, said))
}

// fail reports an error about a parameter, or about none in particular.
func (p *parser) fail(parameter string, code fhir.IssueType, id, text string, details ...any) {
	said := phrases.Say(text, details...)
	if parameter != "" {
		said = phrases.Say("parameter {1}: {2}", name(parameter), said)
	}
	p.report(fhir.Error, code, id, said)
}

// refuse reports what is not known or not supported: an error, or when lenient a
// warning and the parameter does not count.
func (p *parser) refuse(code fhir.IssueType, id, text string, details ...any) {
	severity, whole := fhir.Error, "parameter {1}: {2}"
	if p.opts.Lenient {
		severity, whole = fhir.Warning, "parameter {1}: {2}; it was ignored"
	}
	p.report(severity, code, id, phrases.Say(whole, name(p.current), phrases.Say(text, details...)))
}

func (p *parser) invalid(text string, details ...any) {
	p.fail(p.current, fhir.TypeValue, "search-value-invalid", text, details...)
}

func (p *parser) pair(pair Pair) {
	p.current = pair.Name
	if slices.Contains(p.opts.Other, pair.Name) {
		return
	}
	switch {
	case pair.Name == "":
		p.fail("", fhir.TypeInvalid, "search-name-empty", "a parameter has no name")
		return
	case !utf8.ValidString(pair.Name) || !utf8.ValidString(pair.Value):
		p.fail(pair.Name, fhir.TypeInvalid, "search-encoding", "malformed UTF-8")
		return
	case len(pair.Name)+len(pair.Value) > p.limits.ValueLength:
		p.fail(pair.Name, fhir.TypeTooLong, "search-value-long", "{1} bytes, expected at most {2}", len(pair.Name)+len(pair.Value), p.limits.ValueLength)
		return
	case pair.Value == "":
		p.refuse(fhir.TypeInvalid, "search-value-empty", "it has no value")
		return
	}
	if p.result(pair) {
		return
	}
	on := []*typeParameters{p.params}
	if p.ofTypes(pair.Name) {
		on = p.named
	}
	before := len(p.issues)
	var clauses []Clause
	for _, t := range on {
		clause, ok := p.condition(t, pair.Name, pair.Value, 0)
		if !ok || len(p.issues) > before {
			return // also for the types that know the parameter: it must be common to all
		}
		clauses = append(clauses, clause)
	}
	for i, t := range on {
		if t == p.params {
			p.request.Query.Where = appendFlat(p.request.Query.Where, clauses[i])
		} else {
			p.request.WhereOf[t.name] = appendFlat(p.request.WhereOf[t.name], clauses[i])
		}
	}
	p.accept(pair)
	p.conditions = append(p.conditions, pair)
}

// nameTypes notes the types that a search over several types names, whose common
// parameters it may use.
func (p *parser) nameTypes(pairs []Pair) {
	p.request.WhereOf = map[string][]Clause{}
	for _, pair := range pairs {
		if pair.Name != "_type" {
			continue
		}
		for typ := range strings.SplitSeq(pair.Value, ",") {
			t := p.engine.parametersOf(typ)
			if t == nil || slices.Contains(p.named, t) {
				continue
			}
			p.named = append(p.named, t)
		}
	}
}

// ofTypes reports whether a parameter is read for each of the named types.
func (p *parser) ofTypes(full string) bool {
	code, _, _ := strings.Cut(full, ".")
	code, _, _ = strings.Cut(code, ":")
	return len(p.named) > 0 && (p.params.byCode[code] == nil && code != "_list" || code == paramFilter)
}

func (p *parser) accept(pair Pair) { p.request.Self = append(p.request.Self, pair) }

// finish applies what depends on all parameters.
func (p *parser) finish() {
	q := p.request.Query
	if p.request.Summary == SummaryCount {
		q.Count, q.Total = 0, TotalAccurate
	}
	if q.Count == 0 {
		q.Total = TotalAccurate
	}
	p.request.Hash = p.request.hash(p.conditions)
}

// once reports a result parameter that may not be repeated.
func (p *parser) once(parameter string) bool {
	if slices.Contains(p.seen, parameter) {
		p.fail(parameter, fhir.TypeInvalid, "search-parameter-repeated", "it may be given once")
		return false
	}
	p.seen = append(p.seen, parameter)
	return true
}

// result reads the parameters that say how the result is wanted; it is false for
// others.
func (p *parser) result(pair Pair) bool {
	r := p.request
	head, modifier, _ := strings.Cut(pair.Name, ":")
	switch head {
	case "_include", "_revinclude":
		p.include(head, modifier, pair)
		return true
	case "_sort", "_count", "_total", "_summary", "_elements", "_format", "_pretty", "_type", "_contained", "_containedType":
	case "_query", "_score", "_maxresults", "_graph":
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "it is not supported")
		return true
	default:
		return false
	}
	if modifier != "" {
		p.fail(pair.Name, fhir.TypeInvalid, "search-modifier-unknown", "{1} takes no modifier", head)
		return true
	}
	if !p.once(pair.Name) {
		return true
	}
	before := len(p.issues)
	switch head {
	case "_sort":
		p.sort(pair)
	case "_count":
		n, err := strconv.Atoi(pair.Value)
		if err != nil || n < 0 {
			p.invalid("expected a number of resources, 0 or more")
			return true
		}
		n = min(n, p.limits.MaxCount)
		r.Query.Count, r.Counted = n, true
		p.accept(Pair{head, strconv.Itoa(n)})
		return true
	case "_total":
		switch pair.Value {
		case "none":
		case "estimate":
			r.Query.Total = TotalEstimate
		case "accurate":
			r.Query.Total = TotalAccurate
		default:
			p.invalid("expected none, estimate or accurate")
		}
	case "_summary":
		switch s := Summary(pair.Value); s {
		case SummaryTrue, SummaryText, SummaryData, SummaryCount:
			r.Summary = s
		case "false":
		default:
			p.invalid("expected true, text, data, count or false")
		}
	case "_elements":
		p.elements(pair.Value)
	case "_format":
		r.Format = pair.Value
	case "_pretty":
		pretty := pair.Value == "true"
		if !pretty && pair.Value != "false" {
			p.invalid("expected true or false")
		}
		r.Pretty = &pretty
	case "_type":
		p.types(pair)
	case "_contained", "_containedType":
		if head != "_contained" || pair.Value != "false" {
			p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "contained resources are not searched")
		}
	}
	if len(p.issues) == before {
		p.accept(pair)
	}
	return true
}

func (p *parser) sort(pair Pair) {
	keys := strings.Split(pair.Value, ",")
	if len(keys) > p.limits.Sort {
		p.fail(p.current, fhir.TypeTooCostly, "search-sort-many", "{1} sort keys, expected at most {2}", len(keys), p.limits.Sort)
		return
	}
	params := p.params
	if len(p.named) == 1 {
		params = p.named[0]
	}
	for _, key := range keys {
		code, down := strings.CutPrefix(key, "-")
		param := params.byCode[code]
		switch {
		case code == "_score":
			p.refuse(fhir.TypeNotSupported, "search-sort-unsupported", "matches have no score")
		case param == nil:
			p.refuse(fhir.TypeNotSupported, "search-sort-unknown", "{1} is not a search parameter of {2}", name(code), params.name)
		case !param.usable():
			p.refuse(fhir.TypeNotSupported, "search-sort-unsupported", "cannot sort by {1}: {2}", name(code), param.refused)
		case param.kind > KindURI:
			p.refuse(fhir.TypeNotSupported, "search-sort-unsupported", "cannot sort by {1}: it has no order", name(code))
		case slices.ContainsFunc(p.request.Query.Sort, func(s Sort) bool { return s.Param == code }):
			p.fail(p.current, fhir.TypeInvalid, "search-sort-repeated", "{1} is named twice", name(code))
		default:
			p.request.Query.Sort = append(p.request.Query.Sort, Sort{Param: code, Kind: param.kind, Down: down})
			continue
		}
		return
	}
	p.conditions = append(p.conditions, pair)
}

// elements checks the names against the type; id, meta and what is mandatory is
// the caller's to keep.
func (p *parser) elements(value string) {
	t := p.engine.defs.Type(p.params.name)
	for element := range strings.SplitSeq(value, ",") {
		bare := strings.TrimPrefix(element, p.params.name+".")
		if t == nil || bare != "resourceType" && t.Element(bare) == nil && t.Child(bare) == nil {
			p.invalid("{1} has no element {2}", p.params.name, name(element))
			return
		}
		p.request.Elements = append(p.request.Elements, bare)
	}
}

func (p *parser) types(pair Pair) {
	if p.request.Query.Type != "" {
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "it is for a search over several types")
		return
	}
	for t := range strings.SplitSeq(pair.Value, ",") {
		if !p.engine.defs.IsResource(t) {
			p.invalid("{1} is not a resource type", name(t))
			return
		}
		p.request.Types = append(p.request.Types, t)
	}
}

func (p *parser) include(head, modifier string, pair Pair) {
	r := p.request
	var inc Include
	switch modifier {
	case "":
	case "iterate", "recurse":
		inc.Iterate = true
	default:
		p.fail(pair.Name, fhir.TypeInvalid, "search-modifier-unknown", "expected no modifier or iterate")
		return
	}
	if p.includes++; p.includes > p.limits.Includes {
		p.fail(pair.Name, fhir.TypeTooCostly, "search-includes-many", "more than {1} includes", p.limits.Includes)
		return
	}
	if pair.Value == "*" && head == "_revinclude" {
		p.everyReferrer(inc, pair)
		return
	}
	if pair.Value != "*" {
		parts := strings.Split(pair.Value, ":")
		if len(parts) < 2 || len(parts) > 3 {
			p.invalid("expected Type:parameter, Type:parameter:Target or *")
			return
		}
		inc.Source, inc.Param = parts[0], parts[1]
		if len(parts) == 3 {
			inc.Target = parts[2]
		}
		if !p.included(head, &inc) {
			return
		}
	}
	switch {
	case head == "_include":
		r.Include = append(r.Include, inc)
	case inc.Param == "":
		r.RevInclude = append(r.RevInclude, p.everyReference(inc)...)
	default:
		r.RevInclude = append(r.RevInclude, inc)
	}
	p.accept(pair)
}

// everyReferrer spells * out for _revinclude: all that can refer to the type that is
// searched.
func (p *parser) everyReferrer(inc Include, pair Pair) {
	r := p.request
	if inc.Iterate || r.Query.Type == "" {
		p.refuse(fhir.TypeTooCostly, "search-include-unsupported", "name what refers: Type:parameter or Type:*")
		return
	}
	for _, s := range slices.Concat(p.engine.referrers()[r.Query.Type], p.engine.set.Load().referrers(p.engine, r.Query.Type)) {
		inc.Source, inc.Param, _ = strings.Cut(s, ":")
		r.RevInclude = append(r.RevInclude, inc)
	}
	p.accept(pair)
}

// everyReference spells Type:* out for _revinclude, which asks the store for one
// parameter at a time.
func (p *parser) everyReference(inc Include) []Include {
	var out []Include
	for _, param := range p.engine.parametersOf(inc.Source).list {
		own := p.request.Query.Type
		if param.kind != KindReference || !param.usable() || param.urls || !inc.Iterate && own != "" && !refersTo(param, own) {
			continue
		}
		i := inc
		i.Param = param.code
		out = append(out, i)
	}
	return out
}

// included checks an include against the definitions.
func (p *parser) included(head string, inc *Include) bool {
	source := p.engine.parametersOf(inc.Source)
	if source == nil || inc.Source == "Resource" {
		p.invalid("{1} is not a resource type", name(inc.Source))
		return false
	}
	if inc.Target != "" && !p.engine.defs.IsResource(inc.Target) {
		p.invalid("{1} is not a resource type", name(inc.Target))
		return false
	}
	own := p.request.Query.Type
	if head == "_include" && !inc.Iterate && own != "" && inc.Source != own {
		p.invalid("{1} is searched, so its references can be included, not those of {2}", own, inc.Source)
		return false
	}
	if inc.Param == "*" {
		inc.Param = ""
		return true
	}
	param := source.byCode[inc.Param]
	switch {
	case param == nil:
		p.refuse(fhir.TypeNotSupported, "search-include-unknown", "{1} is not a search parameter of {2}", name(inc.Param), inc.Source)
		return false
	case param.def.Type != "reference":
		p.invalid("{1} of {2} is not a reference", name(inc.Param), inc.Source)
		return false
	case !param.usable():
		p.refuse(fhir.TypeNotSupported, "search-include-unsupported", "{1}: {2}", name(inc.Param), param.refused)
		return false
	case param.urls:
		p.refuse(fhir.TypeNotSupported, "search-include-unsupported", "{1} holds canonical URLs, which are not followed", name(inc.Param))
		return false
	case inc.Target != "" && !refersTo(param, inc.Target):
		p.invalid("{1} of {2} does not refer to {3}", name(inc.Param), inc.Source, inc.Target)
		return false
	case head == "_revinclude" && !inc.Iterate && own != "" && !refersTo(param, own):
		p.invalid("{1} of {2} does not refer to {3}", name(inc.Param), inc.Source, own)
		return false
	}
	return true
}
