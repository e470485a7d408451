package search

import (
	"math"
	"strings"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// operands reads one value of a parameter, its escapes still in it. Most stand for
// one operand.
func (p *parser) operands(t *typeParameters, param *parameter, modifier, value string) ([]Operand, bool) {
	switch {
	case param.kind == KindComposite:
		return p.compositeValue(t, param, value)
	case param.kind == KindText:
		c, ok := p.words(param.code, unescape(value))
		if c.Not {
			return []Operand{AllMatch{Where: []Clause{c}}}, ok
		}
		return c.Any, ok
	case param.kind == KindToken && (modifier == "in" || modifier == "not-in"):
		return p.members(param, unescape(value))
	case param.kind == KindToken && (modifier == "above" || modifier == "below"):
		return p.related(param, value, modifier == "below")
	case param.kind == KindReference && (modifier == "above" || modifier == "below"):
		return p.hierarchy(param, unescape(value), modifier == "below")
	}
	o, ok := p.operand(param, modifier, value)
	return []Operand{o}, ok
}

// operand reads a value that stands for one operand.
func (p *parser) operand(param *parameter, modifier, value string) (Operand, bool) {
	switch param.kind {
	case KindToken:
		return p.token(param, modifier, value)
	case KindString:
		return p.text(param, modifier, value)
	case KindDate:
		return p.date(value)
	case KindReference:
		return p.reference(param, modifier, value)
	case KindNumber:
		n, ok := p.number(value)
		return n, ok
	case KindQuantity:
		return p.quantity(value)
	case KindURI:
		return URIMatch{Value: unescape(value), Below: modifier == "below", Above: modifier == "above"}, true
	case KindSpecial:
		return p.near(value)
	}
	return nil, false
}

func (p *parser) token(param *parameter, modifier, value string) (Operand, bool) {
	if modifier == "text" {
		text := Fold(unescape(value))
		if text == "" {
			p.invalid("expected text")
			return nil, false
		}
		return TokenMatch{Text: text}, true
	}
	parts := splitUnescaped(value, '|')
	if modifier == "of-type" {
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			p.invalid("modifier of-type expects system|code|value")
			return nil, false
		}
		return TokenMatch{Type: unescape(parts[0]) + "|" + unescape(parts[1]), Code: unescape(parts[2])}, true
	}
	switch len(parts) {
	case 1:
		return TokenMatch{Code: p.code(param, unescape(parts[0]))}, true
	case 2:
		m := TokenMatch{Code: p.code(param, unescape(parts[1]))}
		system := p.engine.System(unescape(parts[0]))
		switch {
		case system == "" && m.Code == "":
			p.invalid("expected a code, a system, or both around '|'")
			return nil, false
		case system == "" && param.plain:
			// Elements of type code have no system of their own: any value matches.
		default:
			m.System = &system
		}
		return m, true
	}
	p.invalid("expected code, system|code, |code or system|")
	return nil, false
}

// code takes what a token is searched by as it is; logical ids may come with
// their type.
func (p *parser) code(param *parameter, code string) string {
	if param.code == "_id" {
		return strings.TrimPrefix(code, p.params.name+"/")
	}
	return code
}

// modes are how a modifier, or an operator of _filter, compares text.
var modes = map[string]StringMode{
	"": Prefix, "exact": Exact, "contains": Contains, "eq": Equal, "sw": Prefix, "ew": Suffix, "co": Contains,
}

func (p *parser) text(param *parameter, modifier, value string) (Operand, bool) {
	m := StringMatch{Mode: modes[modifier], Text: unescape(value)}
	switch {
	case param.form == asPinyin:
		m.Text = letters(m.Text)
	case param.form == asSound:
		m.Text = Sound(m.Text)
	case m.Mode != Exact:
		m.Text = Fold(m.Text)
	}
	if m.Text == "" {
		p.invalid("expected text")
		return nil, false
	}
	return m, true
}

var prefixes = map[string]Compare{
	"eq": EQ, "ne": NE, "gt": GT, "lt": LT, "ge": GE, "le": LE, "sa": SA, "eb": EB, "ap": AP,
}

// prefix cuts a comparison from an ordered value.
func prefix(value string) (Compare, string) {
	if len(value) > 2 {
		if c, ok := prefixes[value[:2]]; ok {
			return c, value[2:]
		}
	}
	return EQ, value
}

func (p *parser) date(value string) (Operand, bool) {
	compare, text := prefix(value)
	low, high, ok := interval(unescape(text), p.engine.opts.Zone)
	if !ok {
		p.invalid("expected a date such as 2024, 2024-02, 2024-02-29 or 2024-02-29T10:00:00+08:00, with or without one of the prefixes eq ne gt lt ge le sa eb ap")
		return nil, false
	}
	if compare == AP {
		// A tenth of the distance between now and the date, as the specification
		// recommends.
		now := p.engine.opts.Now().UnixMicro()
		distance := max(low-now, now-high, 0) / 10
		low, high = low-distance, high+distance
	}
	return DateMatch{Compare: compare, Low: low, High: high}, true
}

func (p *parser) number(value string) (NumberMatch, bool) {
	compare, text := prefix(value)
	d, ok := readDecimal(text)
	if !ok {
		p.invalid("expected a number, with or without one of the prefixes eq ne gt lt ge le sa eb ap")
		return NumberMatch{}, false
	}
	m := NumberMatch{Compare: compare, Low: d.low, Value: d.value, High: d.high}
	if compare == AP {
		tenth := math.Abs(d.value) / 10
		m.Low, m.High = min(d.low, d.value-tenth), max(d.high, d.value+tenth)
	}
	return m, true
}

func (p *parser) quantity(value string) (Operand, bool) {
	parts := splitUnescaped(value, '|')
	if len(parts) != 1 && len(parts) != 3 {
		p.invalid("expected number or number|system|code")
		return nil, false
	}
	number, ok := p.number(parts[0])
	if !ok {
		return nil, false
	}
	m := QuantityMatch{NumberMatch: number}
	if len(parts) == 1 {
		return m, true
	}
	m.System, m.Code = unescape(parts[1]), unescape(parts[2])
	if m.System != "" && m.Code == "" {
		p.invalid("expected a code behind the system of the unit")
		return nil, false
	}
	if m.System == ucumSystem {
		if u, ok := ucum.Parse(m.Code); ok {
			m.Canonical, m.System, m.Code = true, "", u.Canonical()
			m.Low, m.Value, m.High = u.Float(m.Low), u.Float(m.Value), u.Float(m.High)
		}
	}
	return m, true
}

func (p *parser) reference(param *parameter, modifier, value string) (Operand, bool) {
	if modifier == "identifier" {
		o, ok := p.token(&parameter{kind: KindToken}, "", value)
		if !ok {
			return nil, false
		}
		m := o.(TokenMatch)
		if m.Code == "" {
			p.invalid("modifier identifier expects value or system|value")
			return nil, false
		}
		return ReferenceMatch{Identifier: &m}, true
	}
	value = unescape(value)
	if param.urls {
		return ReferenceMatch{URL: value}, true
	}
	if isID(value) {
		m := ReferenceMatch{Type: modifier, ID: value}
		if m.Type == "" && len(param.targets) == 1 && param.targets[0] != "Resource" {
			m.Type = param.targets[0]
		}
		return m, true
	}
	r := p.engine.reference(value)
	switch {
	case r.ID != "" && modifier != "" && r.Type != modifier:
		p.invalid("the modifier says {1}, the value {2}", modifier, r.Type)
	case r.ID != "" && !refersTo(param, r.Type):
		p.invalid("{1} does not refer to {2}", name(param.code), r.Type)
	case r.ID != "":
		return ReferenceMatch{Type: r.Type, ID: r.ID}, true
	case strings.Contains(value, "://") || strings.HasPrefix(value, "urn:"):
		return ReferenceMatch{URL: value}, true
	default:
		p.invalid("expected an id, Type/id or a URL")
	}
	return nil, false
}
