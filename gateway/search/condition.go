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
	head, chain, chained := strings.Cut(full, ".")
	code, modifier, _ := strings.Cut(head, ":")
	param := t.byCode[code]
	switch {
	case param == nil:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "%s has no search parameter %s", p.shown(t), name(code))
		return Clause{}, false
	case param.kind == 0:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "%s cannot be searched: %s", name(code), param.refused)
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
	p.fail(p.current, fhir.TypeTooCostly, "search-chain-deep", "it follows more than %d references", p.limits.Chain)
	return false
}

// chain reads what must hold for the resource referred to.
func (p *parser) chain(param *parameter, modifier, rest, value string, depth int) (Clause, bool) {
	if param.kind != KindReference || param.urls {
		p.invalid("%s is not a reference, so nothing can be chained to it", name(param.code))
		return Clause{}, false
	}
	if !p.deeper(depth) {
		return Clause{}, false
	}
	targets := param.targets
	if modifier != "" {
		if !p.target(param, modifier) {
			return Clause{}, false
		}
		targets = []string{modifier}
	}
	head, _, _ := strings.Cut(rest, ".")
	code, _, _ := strings.Cut(head, ":")
	var types []*typeParameters
	for _, target := range targets {
		t := p.engine.parametersOf(target)
		if t == nil {
			continue
		}
		if next := t.byCode[code]; code == "_has" || next != nil && (next.kind != 0 || modifier != "") {
			types = append(types, t)
		}
	}
	const most = 4
	switch {
	case len(types) == 0:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "nothing that %s refers to has a search parameter %s", name(param.code), name(code))
		return Clause{}, false
	case len(types) > most:
		p.invalid("%s may refer to several types: name one, such as %s:%s", name(param.code), param.code, types[0].name)
		return Clause{}, false
	}
	out := Clause{Param: param.code, Kind: KindReference}
	for _, t := range types {
		clause, ok := p.condition(t, rest, value, depth+1)
		if !ok {
			return Clause{}, false
		}
		out.Any = append(out.Any, ChainMatch{Type: t.name, Where: []Clause{clause}})
	}
	return out, true
}

// target checks a type given as modifier of a reference.
func (p *parser) target(param *parameter, typ string) bool {
	switch {
	case !p.engine.defs.IsResource(typ):
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "%s is neither a modifier of a reference nor a resource type", name(typ))
	case !refersTo(param, typ):
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "%s does not refer to %s", name(param.code), typ)
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
	if t.name == "Resource" {
		p.refuse(fhir.TypeNotSupported, "search-parameter-unsupported", "it is for a search on one type")
		return Clause{}, false
	}
	source := p.engine.parametersOf(parts[0])
	if source == nil || parts[0] == "Resource" {
		p.invalid("%s is not a resource type", name(parts[0]))
		return Clause{}, false
	}
	if !p.deeper(depth) {
		return Clause{}, false
	}
	param := source.byCode[parts[1]]
	switch {
	case param == nil:
		p.refuse(fhir.TypeNotSupported, "search-parameter-unknown", "%s has no search parameter %s", parts[0], name(parts[1]))
		return Clause{}, false
	case param.kind != KindReference || param.urls:
		p.invalid("%s of %s is not a reference", name(parts[1]), parts[0])
		return Clause{}, false
	case !refersTo(param, t.name):
		p.invalid("%s of %s does not refer to %s", name(parts[1]), parts[0], t.name)
		return Clause{}, false
	}
	clause, ok := p.condition(source, parts[2], value, depth+1)
	if !ok {
		return Clause{}, false
	}
	match := HasMatch{Type: parts[0], Param: param.code, Where: []Clause{clause}}
	return Clause{Param: "_has", Kind: KindReference, Any: []Operand{match}}, true
}

// modifiers are what the kinds of parameters take, apart from missing, which all
// take, and a type, which references take.
var modifiers = map[Kind][]string{
	KindToken:     {"not", "text", "of-type"},
	KindString:    {"exact", "contains"},
	KindReference: {"identifier"},
	KindURI:       {"below", "above"},
}

// terminologyModifiers need what a code means.
var terminologyModifiers = []string{"in", "not-in", "below", "above"}

// plain reads a parameter without a chain.
func (p *parser) plain(_ *typeParameters, param *parameter, modifier, value string) (Clause, bool) {
	out := Clause{Param: param.code, Kind: param.kind}
	switch {
	case modifier == "missing":
		return p.missing(out, value)
	case modifier == "" || slices.Contains(modifiers[param.kind], modifier):
	case param.kind == KindToken && slices.Contains(terminologyModifiers, modifier):
		p.refuse(fhir.TypeNotSupported, "search-modifier-unsupported", "modifier %s needs terminology, which is not there", modifier)
		return Clause{}, false
	case param.kind == KindReference && (modifier == "above" || modifier == "below"):
		p.refuse(fhir.TypeNotSupported, "search-modifier-unsupported", "modifier %s of references is not supported", modifier)
		return Clause{}, false
	case param.kind == KindReference && !param.urls:
		if !p.target(param, modifier) {
			return Clause{}, false
		}
	default:
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "%s is not a modifier of a %s parameter", name(modifier), param.def.Type)
		return Clause{}, false
	}
	out.Not = modifier == "not"
	if slices.Contains(columns, param.code) && modifier != "" && param.kind != KindURI && modifier != "not" {
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "%s takes no modifier %s", param.code, name(modifier))
		return Clause{}, false
	}
	values := splitUnescaped(value, ',')
	if p.values += len(values); p.values > p.limits.Values {
		p.fail(p.current, fhir.TypeTooCostly, "search-values-many", "more than %d values", p.limits.Values)
		return Clause{}, false
	}
	for _, v := range values {
		if v == "" {
			p.invalid("one of its values is empty")
			return Clause{}, false
		}
		operand, ok := p.operand(param, modifier, v)
		if !ok {
			return Clause{}, false
		}
		out.Any = append(out.Any, operand)
	}
	return out, true
}

func (p *parser) missing(out Clause, value string) (Clause, bool) {
	missing := value == "true"
	if !missing && value != "false" {
		p.invalid("modifier missing expects true or false")
		return Clause{}, false
	}
	if slices.Contains(columns, out.Param) && out.Param != "_source" {
		p.fail(p.current, fhir.TypeInvalid, "search-modifier-unknown", "%s is never missing", out.Param)
		return Clause{}, false
	}
	out.Missing = &missing
	return out, true
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
