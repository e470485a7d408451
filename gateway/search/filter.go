package search

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

const paramFilter = "_filter"

// filterSteps is how often each condition of a filter may be read, on average, to
// find out to which types its chains lead.
const filterSteps = 20

// maxFilterDepth bounds how deep the parentheses of _filter and _text nest.
const maxFilterDepth = 20

// filter reads _filter, https://hl7.org/fhir/R4/search_filter.html. Conditions are
// joined from left to right, "and" binds no closer than "or". Codes are compared
// as their systems write them, text without regard to case.
func (p *parser) filter(t *typeParameters, value string, depth int) (Clause, bool) {
	f := &filterReader{p: p, text: value}
	c, ok := f.expression(t, depth, 0)
	if ok && f.skip() < len(f.text) {
		return f.fail(f.at, "expected 'and', 'or' or the end")
	}
	return c, ok
}

// filterReader reads one _filter. It goes over a part again for each type that a
// chain may lead to.
type filterReader struct {
	p    *parser
	text string
	at   int
}

// fail reports an error at an offset, which it shows in characters counted from 1.
func (f *filterReader) fail(at int, text string, details ...any) (Clause, bool) {
	character := utf8.RuneCountInString(f.text[:at]) + 1
	f.p.fail(f.p.current, fhir.TypeValue, "search-filter-invalid", "{1} at character {2}", phrases.Say(text, details...), character)
	return Clause{}, false
}

func (f *filterReader) skip() int {
	for f.at < len(f.text) {
		r, size := utf8.DecodeRuneInString(f.text[f.at:])
		if !unicode.IsSpace(r) {
			break
		}
		f.at += size
	}
	return f.at
}

// symbol takes a character if it is next.
func (f *filterReader) symbol(c byte) bool {
	if f.skip() < len(f.text) && f.text[f.at] == c {
		f.at++
		return true
	}
	return false
}

// word returns letters that come next, without taking them.
func (f *filterReader) word() string {
	f.skip()
	end := f.at
	for end < len(f.text) && f.text[end]|0x20 >= 'a' && f.text[end]|0x20 <= 'z' {
		end++
	}
	return f.text[f.at:end]
}

func (f *filterReader) expression(t *typeParameters, depth, nested int) (Clause, bool) {
	if nested > maxFilterDepth {
		f.p.fail(f.p.current, fhir.TypeTooCostly, "search-filter-long", "it nests deeper than {1}", maxFilterDepth)
		return Clause{}, false
	}
	left, ok := f.term(t, depth, nested)
	for ok {
		joint := f.word()
		if joint != "and" && joint != "or" {
			break
		}
		f.at += len(joint)
		var right Clause
		if right, ok = f.term(t, depth, nested); !ok {
			break
		}
		if joint == "and" {
			left = allOf(appendFlat(appendFlat(nil, left), right)...)
			continue
		}
		left = Clause{Kind: KindSpecial, Any: append(alternatives(left), alternatives(right)...)}
	}
	return left, ok
}

// alternatives are operands one of which must hold where the clause holds.
func alternatives(c Clause) []Operand {
	if c.Kind == KindSpecial && c.Param == "" && !c.Not && c.Missing == nil {
		return c.Any
	}
	return []Operand{AllMatch{Where: []Clause{c}}}
}

func (f *filterReader) term(t *typeParameters, depth, nested int) (Clause, bool) {
	f.p.tests++
	if f.p.steps++; f.p.tests > f.p.limits.Filter || f.p.steps > filterSteps*f.p.limits.Filter {
		f.p.fail(f.p.current, fhir.TypeTooCostly, "search-filter-long", "more than {1} conditions", f.p.limits.Filter)
		return Clause{}, false
	}
	not := false
	if f.word() == "not" {
		start := f.at
		f.at += len("not")
		if not = f.skip() < len(f.text) && f.text[f.at] == '('; !not {
			f.at = start // a parameter may have that name
		}
	}
	if !f.symbol('(') {
		return f.test(t, depth, nested)
	}
	open := f.at - 1
	c, ok := f.expression(t, depth, nested+1)
	if !ok {
		return c, false
	}
	if !f.symbol(')') {
		return f.fail(open, "a parenthesis is not closed, opened")
	}
	if not {
		return Clause{Kind: KindSpecial, Not: true, Any: []Operand{AllMatch{Where: appendFlat(nil, c)}}}, true
	}
	return c, true
}

// path reads the name of a parameter, with a type behind ':' as chains have it.
func (f *filterReader) path() (code, modifier string) {
	start := f.skip()
	for f.at < len(f.text) {
		c := f.text[f.at]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == ':') {
			break
		}
		f.at++
	}
	code, modifier, _ = strings.Cut(f.text[start:f.at], ":")
	return code, modifier
}

// test reads path, operation and value.
func (f *filterReader) test(t *typeParameters, depth, nested int) (Clause, bool) {
	start := f.skip()
	code, modifier := f.path()
	if code == "" {
		return f.fail(start, "expected a search parameter, 'not' or '('")
	}
	if code == "_has" {
		return f.has(t, modifier, start, depth, nested)
	}
	param := t.byCode[code]
	switch {
	case param == nil || code == paramFilter:
		return f.fail(start, "{1} has no search parameter {2}", f.p.shown(t), name(code))
	case !param.usable():
		return f.fail(start, "{1} cannot be searched: {2}", name(code), param.refused)
	}
	if f.at < len(f.text) && (f.text[f.at] == '.' || f.text[f.at] == '[') {
		return f.chain(param, modifier, start, depth, nested)
	}
	if modifier != "" {
		return f.fail(start, "modifiers are not part of a filter")
	}
	op := f.word()
	opened := f.at
	f.at += len(op)
	value, ok := f.value()
	if !ok {
		return Clause{}, false
	}
	c, known, ok := f.p.compare(t, param, op, value)
	if !known {
		return f.fail(opened, "{1} is not an operation on a {2} parameter", name(op), param.def.Type)
	}
	return c, ok
}

// value reads a JSON string, or anything up to white space, ')' and ']'.
func (f *filterReader) value() (string, bool) {
	start := f.at
	if f.skip() == start || f.at == len(f.text) {
		f.fail(start, "expected an operation, white space and a value")
		return "", false
	}
	start = f.at
	if f.text[f.at] == '"' {
		d := json.NewDecoder(strings.NewReader(f.text[f.at:]))
		var s string
		if err := d.Decode(&s); err != nil {
			f.fail(start, "a string is malformed, begun")
			return "", false
		}
		f.at += int(d.InputOffset())
		return s, true
	}
	for f.at < len(f.text) {
		r, size := utf8.DecodeRuneInString(f.text[f.at:])
		if r == ')' || r == ']' || unicode.IsSpace(r) {
			break
		}
		f.at += size
	}
	if f.at == start {
		f.fail(start, "expected a value")
		return "", false
	}
	return f.text[start:f.at], true
}

// chain reads what follows a reference: [filter].path or .path.
func (f *filterReader) chain(param *parameter, modifier string, start, depth, nested int) (Clause, bool) {
	targets, ok := f.p.chained(param, modifier, depth)
	if !ok {
		return Clause{}, false
	}
	next := ""
	if f.text[f.at] == '.' {
		from := f.at
		f.at++
		next, _ = f.path()
		f.at = from
	}
	from := f.at
	out := Clause{Param: param.code, Kind: KindReference}
	end, tried := -1, 0
	var refused []fhir.Issue
	for _, target := range targets {
		t := f.p.engine.parametersOf(target)
		if t == nil || next != "" && next != "_has" && (t.byCode[next] == nil || modifier == "" && !t.byCode[next].usable()) {
			continue
		}
		if tried++; next != "" && tried > maxChainTypes || len(out.Any) > maxChainTypes {
			return f.fail(start, "{1} may refer to several types: name one, such as {2}:{3},", name(param.code), param.code, target)
		}
		f.at = from
		before, tests := len(f.p.issues), f.p.tests
		where, ok := f.behind(t, depth, nested)
		if !ok || len(f.p.issues) > before {
			if refused == nil {
				refused = append(refused, f.p.issues[before:]...)
			}
			if f.p.steps > filterSteps*f.p.limits.Filter {
				return Clause{}, false
			}
			f.p.issues, f.p.tests = f.p.issues[:before], tests
			continue
		}
		end = f.at
		out.Any = append(out.Any, ChainMatch{Type: target, Where: where})
	}
	switch {
	case len(out.Any) == 0 && refused == nil:
		return f.fail(from+1, "nothing that {1} refers to has a search parameter {2}", name(param.code), name(next))
	case len(out.Any) == 0:
		f.p.issues = append(f.p.issues, refused...)
		return Clause{}, false
	}
	f.at = end
	return out, true
}

func (f *filterReader) behind(t *typeParameters, depth, nested int) ([]Clause, bool) {
	var where []Clause
	if f.symbol('[') {
		open := f.at - 1
		c, ok := f.expression(t, depth+1, nested+1)
		if !ok {
			return nil, false
		}
		if !f.symbol(']') {
			_, ok = f.fail(open, "a bracket is not closed, opened")
			return nil, ok
		}
		where = appendFlat(where, c)
	}
	if f.at >= len(f.text) || f.text[f.at] != '.' {
		_, ok := f.fail(f.at, "expected '.' and a search parameter")
		return nil, ok
	}
	f.at++
	c, ok := f.test(t, depth+1, nested+1)
	return appendFlat(where, c), ok
}

// has reads _has:Type:reference:parameter, which may go on as a chain.
func (f *filterReader) has(t *typeParameters, rest string, start, depth, nested int) (Clause, bool) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) < 3 {
		return f.fail(start, "expected _has:Type:reference:parameter")
	}
	source, param, ok := f.p.reverse(t, parts[0], parts[1], depth)
	if !ok {
		return Clause{}, false
	}
	// What comes behind is a path of its own.
	f.at -= len(parts[2])
	c, ok := f.test(source, depth+1, nested+1)
	if !ok {
		return Clause{}, false
	}
	match := HasMatch{Type: source.name, Param: param.code, Where: appendFlat(nil, c)}
	return Clause{Param: "_has", Kind: KindReference, Any: []Operand{match}}, true
}

// compare makes a clause of an operation; known is false if the kind of parameter
// does not have it.
func (p *parser) compare(t *typeParameters, param *parameter, op, value string) (c Clause, known, ok bool) {
	c = Clause{Param: param.code, Kind: param.kind}
	one := func(o Operand, ok bool) (Clause, bool, bool) {
		c.Any = []Operand{o}
		return c, true, ok
	}
	several := func(list []Operand, ok bool) (Clause, bool, bool) {
		c.Any = list
		return c, true, ok
	}
	if op == "pr" {
		return p.present(param, value)
	}
	if value == "" {
		p.invalid("one of its values is empty")
		return c, true, false
	}
	if op == "ne" && param.kind != KindDate && param.kind != KindNumber && param.kind != KindQuantity {
		eq, known, ok := p.compare(t, param, "eq", value)
		if !known || !ok || param.kind > KindURI {
			return eq, known && param.kind <= KindURI, ok
		}
		return p.unequal(t, param, eq)
	}
	switch param.kind {
	case KindString:
		if mode, ok := modes[op]; ok && op != "" && mode != Exact && len(op) == 2 {
			return one(p.text(param, op, escape(value)))
		}
	case KindDate:
		if op == "po" {
			low, high, ok := interval(value, p.engine.opts.Zone)
			if !ok {
				p.invalid("expected a date such as 2024, 2024-02, 2024-02-29 or 2024-02-29T10:00:00+08:00")
			}
			return one(DateMatch{Compare: AP, Low: low, High: high}, ok)
		}
		if _, ordered := prefixes[op]; ordered {
			return one(p.date(op + value))
		}
	case KindNumber:
		if _, ordered := prefixes[op]; ordered {
			n, ok := p.number(op + value)
			return one(n, ok)
		}
	case KindQuantity:
		if _, ordered := prefixes[op]; ordered {
			return one(p.quantity(op + value))
		}
	case KindToken:
		switch op {
		case "eq":
			return one(p.token(param, "", value))
		case "in", "ni":
			c.Not = op == "ni"
			return several(p.members(param, value))
		case "ss":
			return several(p.related(param, value, true))
		case "sb":
			return several(p.related(param, value, false))
		}
	case KindReference:
		if op == "eq" || op == "re" {
			return one(p.reference(param, "", value))
		}
	case KindURI:
		if op == "eq" {
			return one(URIMatch{Value: value}, true)
		}
	case KindComposite, KindSpecial:
		if op == "eq" {
			return several(p.operands(t, param, "", value))
		}
	case KindText:
		if op == "eq" || op == "co" {
			w, ok := p.words(param.code, value)
			return w, true, ok
		}
	}
	return c, false, false
}

// unequal turns a clause that asks for a value into one that asks for an item with
// another: where a resource has one item at most, that is any that does not fulfil it;
// of more, some must have another value, so each must have one only. It is refused where
// an item may have several, because the index does not tell which stand together.
func (p *parser) unequal(t *typeParameters, param *parameter, eq Clause) (c Clause, known, ok bool) {
	if slices.Contains(columns, param.code) && param.code != "_source" {
		eq.Not = true
		return eq, true, true
	}
	if param.code == "_source" || p.engine.once(param.def, t.name) {
		eq.Not = true
		return allOf(presence(param, false), eq), true, true
	}
	if len(eq.Any) == 1 && param.expr != nil && param.form == asWritten && singles(param.expr.Types()) {
		switch m := eq.Any[0].(type) {
		case TokenMatch:
			m.Other = true
			eq.Any = []Operand{m}
			return eq, true, true
		case StringMatch:
			m.Mode = Other
			eq.Any = []Operand{m}
			return eq, true, true
		}
	}
	p.invalid("a resource may have several values of {1}, of which ne cannot tell what stands together; not ({1} eq …) finds where none is equal", param.code)
	return Clause{}, true, false
}

// singleTypes are those of elements that have one index value as a token or a string.
var singleTypes = []string{"boolean", "code", "Coding", "ContactPoint", "id", "Identifier", "integer", "positiveInt", "string", "unsignedInt", "uri"}

func singles(types []string) bool {
	return types != nil && !slices.ContainsFunc(types, func(t string) bool { return !slices.Contains(singleTypes, t) })
}

// once tells whether a resource has at most one element that the paths of a parameter
// lead to.
func (e *Engine) once(def *definitions.SearchParameter, resource string) bool {
	only := ""
	for path := range strings.SplitSeq(def.Expression, "|") {
		path = strings.Trim(path, " ()")
		head, _, _ := strings.Cut(path, ".")
		switch {
		case head == resource:
		case e.defs.IsResource(head):
			continue // of another resource
		default:
			return false
		}
		path, _, _ = strings.Cut(path, " as ")
		for _, cast := range []string{".as(", ".ofType(", ".where(resolve("} { // which lead to the element itself, or not
			path, _, _ = strings.Cut(path, cast)
		}
		if only != "" && only != path {
			return false
		}
		only = path
	}
	at := strings.IndexByte(only, '.') // the resource itself is one
	if at < 0 {
		return false
	}
	for at < len(only) {
		if next := strings.IndexByte(only[at+1:], '.'); next >= 0 {
			at += 1 + next
		} else {
			at = len(only)
		}
		if p, err := e.defs.Resolve(only[:at]); err != nil || p.Repeats() {
			return false
		}
	}
	return true
}

// present reads pr true and pr false.
func (p *parser) present(param *parameter, value string) (Clause, bool, bool) {
	if value != "true" && value != "false" {
		p.invalid("pr expects true or false")
		return Clause{}, true, false
	}
	switch {
	case param.kind == KindText:
		return Clause{}, false, false
	case slices.Contains(columns, param.code) && param.code != "_source":
		c := allOf()
		c.Not = value == "false"
		return c, true, true
	}
	return presence(param, value == "false"), true, true
}
