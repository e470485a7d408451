package search

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// condition reads a parameter that filters: plain, a chain or _has. It is not ok
// after an issue.
func (p *parser) condition(t *typeParameters, full, value string, depth int) (Clause, bool) {
	if rest, ok := strings.CutPrefix(full, "_has:"); ok {
		return p.has(t, rest, value, depth)
	}
	switch full {
	case "_list":
		return p.list(value, depth)
	case paramFilter:
		return p.filter(t, value, depth)
	}
	head, chain, chained := strings.Cut(full, ".")
	code, modifier, _ := strings.Cut(head, ":")
	param := t.byCode[code]
	switch {
	case param == nil:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "{1} has no search parameter {2}", p.shown(t), name(code))
		return Clause{}, false
	case !param.usable():
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "{1} cannot be searched: {2}", name(code), param.refused)
		return Clause{}, false
	case code == paramFilter:
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} takes no modifier", paramFilter)
		return Clause{}, false
	case chained:
		return p.chain(param, modifier, chain, value, depth)
	}
	return p.plain(t, param, modifier, value)
}

func (p *parser) shown(t *typeParameters) string {
	if t.name == "Resource" {
		return "a search over several types"
	}
	return t.name
}

func (p *parser) deeper(depth int) bool {
	if depth < p.limits.Chain {
		return true
	}
	p.fail(p.current, fhir.TypeTooCostly, "search-chain-deep", "it follows more than {1} references", p.limits.Chain)
	return false
}

// chain reads what must hold for the resource referred to.
func (p *parser) chain(param *parameter, modifier, rest, value string, depth int) (Clause, bool) {
	targets, ok := p.chained(param, modifier, depth)
	if !ok {
		return Clause{}, false
	}
	head, _, _ := strings.Cut(rest, ".")
	code, _, _ := strings.Cut(head, ":")
	var types []*typeParameters
	for _, target := range targets {
		t := p.engine.parametersOf(target)
		if t == nil {
			continue
		}
		if next := t.byCode[code]; code == "_has" || code == "_list" || next != nil && (next.usable() || modifier != "") {
			types = append(types, t)
		}
	}
	switch {
	case len(types) == 0:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "nothing that {1} refers to has a search parameter {2}", name(param.code), name(code))
		return Clause{}, false
	case len(types) > maxChainTypes:
		p.invalid("{1} may refer to several types: name one, such as {2}:{3}", name(param.code), param.code, types[0].name)
		return Clause{}, false
	}
	out := Clause{Param: param.code, Kind: KindReference}
	for _, t := range types {
		clause, ok := p.condition(t, rest, value, depth+1)
		if !ok {
			return Clause{}, false
		}
		out.Any = append(out.Any, ChainMatch{Type: t.name, Where: appendFlat(nil, clause)})
	}
	return out, true
}

// maxChainTypes bounds the types that a chain without a type is followed to.
const maxChainTypes = 4

// chained returns the types that a chain through a reference leads to.
func (p *parser) chained(param *parameter, modifier string, depth int) (targets []string, ok bool) {
	if param.kind != KindReference || param.urls {
		p.invalid("{1} is not a reference, so nothing can be chained to it", name(param.code))
		return nil, false
	}
	if !p.deeper(depth) {
		return nil, false
	}
	if modifier == "" {
		return param.targets, true
	}
	return []string{modifier}, p.target(param, modifier)
}

// target checks a type given as modifier of a reference.
func (p *parser) target(param *parameter, typ string) bool {
	switch {
	case !p.engine.defs.IsResource(typ):
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} is neither a modifier of a reference nor a resource type", name(typ))
	case !refersTo(param, typ):
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} does not refer to {2}", name(param.code), typ)
	default:
		return true
	}
	return false
}

func refersTo(param *parameter, typ string) bool {
	return slices.Contains(param.targets, typ) || slices.Contains(param.targets, "Resource") || len(param.targets) == 0
}

// has reads a reverse chain: Type:parameter:condition.
func (p *parser) has(t *typeParameters, rest, value string, depth int) (Clause, bool) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) < 3 || parts[2] == "" {
		p.fail(p.current, fhir.TypeInvalid, "search-has-incomplete", "expected _has:Type:reference:parameter")
		return Clause{}, false
	}
	source, param, ok := p.reverse(t, parts[0], parts[1], depth)
	if !ok {
		return Clause{}, false
	}
	clause, ok := p.condition(source, parts[2], value, depth+1)
	if !ok {
		return Clause{}, false
	}
	match := HasMatch{Type: parts[0], Param: param.code, Where: appendFlat(nil, clause)}
	return Clause{Param: "_has", Kind: KindReference, Any: []Operand{match}}, true
}

// reverse checks what a reverse chain names.
func (p *parser) reverse(t *typeParameters, typ, code string, depth int) (source *typeParameters, param *parameter, ok bool) {
	if t.name == "Resource" {
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "it is for a search on one type")
		return nil, nil, false
	}
	source = p.engine.parametersOf(typ)
	if source == nil || typ == "Resource" {
		p.invalid("{1} is not a resource type", name(typ))
		return nil, nil, false
	}
	if !p.deeper(depth) {
		return nil, nil, false
	}
	param = source.byCode[code]
	switch {
	case param == nil:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "{1} has no search parameter {2}", typ, name(code))
		return nil, nil, false
	case param.kind != 0 && !param.usable():
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "{1} cannot be searched: {2}", name(code), param.refused)
		return nil, nil, false
	case param.kind != KindReference || param.urls:
		p.invalid("{1} of {2} is not a reference", name(code), typ)
		return nil, nil, false
	case !refersTo(param, t.name):
		p.invalid("{1} of {2} does not refer to {3}", name(code), typ, t.name)
		return nil, nil, false
	}
	return source, param, true
}

// list reads _list: what the items of a List refer to.
func (p *parser) list(value string, depth int) (Clause, bool) {
	if !p.deeper(depth) {
		return Clause{}, false
	}
	ids := Clause{Param: "_id", Kind: KindToken}
	for _, v := range splitUnescaped(value, ',') {
		id := strings.TrimPrefix(v, "List/")
		switch {
		case strings.HasPrefix(id, "$"):
			p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "functional lists such as {1} are not supported, only the ids of Lists", name(id))
			return Clause{}, false
		case !isID(id):
			p.invalid("expected the id of a List")
			return Clause{}, false
		}
		ids.Any = append(ids.Any, TokenMatch{Code: id})
	}
	if !p.count(len(ids.Any)) {
		return Clause{}, false
	}
	match := HasMatch{Type: "List", Param: "item", Where: []Clause{ids}}
	return Clause{Param: "_has", Kind: KindReference, Any: []Operand{match}}, true
}

// count adds values to those of the query.
func (p *parser) count(n int) bool {
	if p.values += n; p.values > p.limits.Values {
		p.fail(p.current, fhir.TypeTooCostly, "search-values-many", "more than {1} values", p.limits.Values)
		return false
	}
	return true
}

// escape is the inverse of unescape.
func escape(s string) string { return escapes.Replace(s) }

var escapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)

// appendFlat appends a clause, or the clauses that it is the conjunction of.
func appendFlat(where []Clause, c Clause) []Clause {
	if !c.Not && c.Missing == nil && len(c.Any) == 1 {
		if all, ok := c.Any[0].(AllMatch); ok {
			for _, part := range all.Where {
				where = appendFlat(where, part)
			}
			return where
		}
	}
	return append(where, c)
}

// allOf is the conjunction of clauses as one.
func allOf(where ...Clause) Clause {
	return Clause{Kind: KindSpecial, Any: []Operand{AllMatch{Where: where}}}
}

// modifiers are what the kinds of parameters take, apart from missing, which all
// but texts take, and a type, which references take.
var modifiers = map[Kind][]string{
	KindToken:     {"not", "text", "of-type", "in", "not-in", "above", "below"},
	KindString:    {"exact", "contains"},
	KindReference: {"identifier", "above", "below"},
	KindURI:       {"below", "above"},
}

// plain reads a parameter without a chain.
func (p *parser) plain(t *typeParameters, param *parameter, modifier, value string) (Clause, bool) {
	out := Clause{Param: param.code, Kind: param.kind}
	if modifier == "ofType" { // as R4 writes it in places
		modifier = "of-type"
	}
	switch {
	case modifier == "missing":
		return p.missing(param, value)
	case modifier == "" || slices.Contains(modifiers[param.kind], modifier):
	case param.kind == KindReference && !param.urls:
		if !p.target(param, modifier) {
			return Clause{}, false
		}
	default:
		what := param.def.Type
		if param.kind == KindText {
			what = "text"
		}
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} is not a modifier of a {2} parameter", name(modifier), what)
		return Clause{}, false
	}
	out.Not = modifier == "not" || modifier == "not-in"
	if slices.Contains(columns, param.code) && modifier != "" && param.kind != KindURI && modifier != "not" {
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} takes no modifier {2}", param.code, name(modifier))
		return Clause{}, false
	}
	values := splitUnescaped(value, ',')
	if !p.count(len(values)) {
		return Clause{}, false
	}
	for _, v := range values {
		if v == "" {
			p.invalid("one of its values is empty")
			return Clause{}, false
		}
		operands, ok := p.operands(t, param, modifier, v)
		if !ok {
			return Clause{}, false
		}
		out.Any = append(out.Any, operands...)
	}
	return out, true
}

func (p *parser) missing(param *parameter, value string) (Clause, bool) {
	missing := value == "true"
	if !missing && value != "false" {
		p.invalid("modifier missing expects true or false")
		return Clause{}, false
	}
	switch {
	case slices.Contains(columns, param.code) && param.code != "_source":
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} is never missing", param.code)
		return Clause{}, false
	case param.kind == KindText:
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "{1} takes no modifier 'missing'", param.code)
		return Clause{}, false
	}
	return presence(param, missing), true
}

// presence asks whether a resource has a value of a parameter.
func presence(param *parameter, missing bool) Clause {
	switch param.kind {
	case KindSpecial:
		return Clause{Param: Component(param.code, 0), Kind: KindNumber, Missing: &missing}
	case KindComposite:
		out := Clause{Kind: KindSpecial, Not: missing}
		for _, f := range param.composite.focuses {
			var all []Clause
			if f.plain == nil {
				all = append(all, presence(&parameter{code: Component(f.param, 0), kind: f.parts[0].kind}, false))
			}
			for _, plain := range f.plain {
				all = append(all, presence(plain, false))
			}
			out.Any = append(out.Any, AllMatch{Where: all})
		}
		return out
	}
	return Clause{Param: param.code, Kind: param.kind, Missing: &missing}
}

// splitUnescaped cuts at a separator that no backslash precedes. Escapes stay in.
func splitUnescaped(s string, separator byte) []string {
	var out []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// unescape takes the backslashes away that FHIR puts before , | $ and \.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,|$\`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
