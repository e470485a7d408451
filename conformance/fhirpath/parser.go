package fhirpath

import (
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Bounds on the text of an expression.
const (
	MaxExpressionBytes = 64 << 10
	MaxExpressionDepth = 200
	MaxExpressionNodes = 10_000
)

type exprKind uint8

const (
	exprLiteral  exprKind = iota
	exprEmpty             // {}
	exprMember            // name
	exprCall              // name(args)
	exprVariable          // $this, $index, $total
	exprConstant          // %name
	exprDot               // args[0].args[1]
	exprIndex             // args[0][args[1]]
	exprSign              // name: + or -
	exprBinary            // name: the operator
	exprType              // args[0] is/as typeName
)

// expr is a node of the syntax tree.
type expr struct {
	kind   exprKind
	offset int
	name   string
	args   []*expr
	value  Value    // of a literal
	typ    []string // of is and as: the parts of the type's name
}

// parser is recursive descent with precedence climbing over one token of
// lookahead.
type parser struct {
	lexer
	tok   token
	depth int
	nodes int
}

// parse reads a whole expression.
func parse(text string) (*expr, error) {
	if len(text) > MaxExpressionBytes {
		return nil, errorAt(text, 0, "expression of {1} bytes, expected at most {2}", len(text), MaxExpressionBytes)
	}
	p := &parser{lexer: lexer{src: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEnd {
		return nil, p.unexpected("an operator or the end")
	}
	return e, nil
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) unexpected(wanted string) error {
	return errorAt(p.src, p.tok.offset, "unexpected {1}, expected {2}", p.tok.String(), wanted)
}

func (p *parser) node(kind exprKind, offset int, name string, args ...*expr) (*expr, error) {
	p.nodes++
	if p.nodes > MaxExpressionNodes {
		return nil, errorAt(p.src, offset, "more than {1} terms", MaxExpressionNodes)
	}
	return &expr{kind: kind, offset: offset, name: name, args: args}, nil
}

func (p *parser) symbol(s string) bool { return p.tok.kind == tokSymbol && p.tok.text == s }

func (p *parser) expect(s string) error {
	if !p.symbol(s) {
		return p.unexpected("'" + s + "'")
	}
	return p.advance()
}

// Precedences, from the grammar: higher binds tighter.
const (
	precImplies = iota + 1
	precOr
	precAnd
	precMembership
	precEquality
	precInequality
	precUnion
	precType
	precAdditive
	precMultiplicative
)

var precedences = map[string]int{
	"implies": precImplies,
	"or":      precOr, "xor": precOr,
	"and": precAnd,
	"in":  precMembership, "contains": precMembership,
	"=": precEquality, "~": precEquality, "!=": precEquality, "!~": precEquality,
	"<": precInequality, "<=": precInequality, ">": precInequality, ">=": precInequality,
	"|":  precUnion,
	"is": precType, "as": precType,
	"+": precAdditive, "-": precAdditive, "&": precAdditive,
	"*": precMultiplicative, "/": precMultiplicative, "div": precMultiplicative, "mod": precMultiplicative,
}

func (p *parser) operator() (string, int) {
	if p.tok.kind != tokSymbol && p.tok.kind != tokIdent {
		return "", 0
	}
	return p.tok.text, precedences[p.tok.text]
}

// expression reads operators that bind tighter than the given precedence.
func (p *parser) expression(above int) (*expr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxExpressionDepth {
		return nil, errorAt(p.src, p.tok.offset, "nested deeper than {1}", MaxExpressionDepth)
	}
	left, err := p.signed()
	if err != nil {
		return nil, err
	}
	for {
		op, prec := p.operator()
		if prec == 0 || prec <= above {
			return left, nil
		}
		at := p.tok.offset
		if err := p.advance(); err != nil {
			return nil, err
		}
		if prec == precType {
			left, err = p.typed(left, op, at)
		} else {
			var right *expr
			if right, err = p.expression(prec); err == nil {
				left, err = p.node(exprBinary, at, op, left, right)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) typed(left *expr, op string, at int) (*expr, error) {
	name, err := p.typeName()
	if err != nil {
		return nil, err
	}
	e, err := p.node(exprType, at, op, left)
	if err != nil {
		return nil, err
	}
	e.typ = name
	return e, nil
}

func (p *parser) typeName() ([]string, error) {
	var name []string
	for {
		if p.tok.kind != tokIdent && p.tok.kind != tokDelimited {
			return nil, p.unexpected("the name of a type")
		}
		name = append(name, p.tok.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.symbol(".") || len(name) == 2 {
			return name, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) signed() (*expr, error) {
	if !p.symbol("+") && !p.symbol("-") {
		return p.postfix()
	}
	sign := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxExpressionDepth {
		return nil, errorAt(p.src, sign.offset, "nested deeper than {1}", MaxExpressionDepth)
	}
	operand, err := p.signed()
	if err != nil {
		return nil, err
	}
	return p.node(exprSign, sign.offset, sign.text, operand)
}

func (p *parser) postfix() (*expr, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	for {
		at := p.tok.offset
		switch {
		case p.symbol("."):
			if err := p.advance(); err != nil {
				return nil, err
			}
			right, err := p.invocation()
			if err != nil {
				return nil, err
			}
			if left, err = p.node(exprDot, at, ".", left, right); err != nil {
				return nil, err
			}
		case p.symbol("["):
			if err := p.advance(); err != nil {
				return nil, err
			}
			index, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			if left, err = p.node(exprIndex, at, "[]", left, index); err != nil {
				return nil, err
			}
		default:
			return left, nil
		}
	}
}

// reserved words are operators and cannot name an element without delimiters.
var reserved = []string{"and", "or", "xor", "implies", "div", "mod", "true", "false"}

func (p *parser) invocation() (*expr, error) {
	t := p.tok
	switch t.kind {
	case tokVariable:
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.node(exprVariable, t.offset, t.text)
	case tokIdent, tokDelimited:
		if t.kind == tokIdent && slices.Contains(reserved, t.text) {
			return nil, p.unexpected("a name")
		}
		if t.text == "" {
			return nil, errorAt(p.src, t.offset, "a name is empty")
		}
	default:
		return nil, p.unexpected("a name")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.symbol("(") {
		return p.node(exprMember, t.offset, t.text)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	call, err := p.node(exprCall, t.offset, t.text)
	if err != nil {
		return nil, err
	}
	if p.symbol(")") {
		return call, p.advance()
	}
	for {
		arg, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if p.tok.kind == tokIdent && (p.tok.text == "asc" || p.tok.text == "desc") && t.text == "sort" {
			if p.tok.text == "desc" {
				if arg, err = p.node(exprSign, p.tok.offset, "-", arg); err != nil {
					return nil, err
				}
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		call.args = append(call.args, arg)
		if p.symbol(")") {
			return call, p.advance()
		}
		if !p.symbol(",") {
			return nil, p.unexpected("',' or ')'")
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) term() (*expr, error) {
	t := p.tok
	switch {
	case p.symbol("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		// Parentheses end a path: a name behind them is no head any more.
		return e, p.expect(")")
	case p.symbol("{"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		if err := p.expect("}"); err != nil {
			return nil, err
		}
		return p.node(exprEmpty, t.offset, "{}")
	case t.kind == tokPercent:
		return p.constant()
	case t.kind == tokString:
		return p.literal(stringValue(t.text))
	case t.kind == tokIdent && (t.text == "true" || t.text == "false"):
		return p.literal(boolValue(t.text == "true"))
	case t.kind == tokNumber:
		return p.number()
	case t.kind == tokDate || t.kind == tokDateTime || t.kind == tokTime:
		kind := map[tokenKind]Kind{tokDate: Date, tokDateTime: DateTime, tokTime: Time}[t.kind]
		v, ok := parseTemporal(kind, strings.TrimSuffix(t.text, "T"))
		if !ok {
			return nil, errorAt(p.src, t.offset, "no such {1}", kind.String())
		}
		return p.literal(v)
	}
	if t.kind == tokEnd || t.kind == tokSymbol {
		return nil, p.unexpected("a term")
	}
	return p.invocation()
}

func (p *parser) literal(v Value) (*expr, error) {
	e, err := p.node(exprLiteral, p.tok.offset, "")
	if err != nil {
		return nil, err
	}
	e.value = v
	return e, p.advance()
}

func (p *parser) constant() (*expr, error) {
	at := p.tok.offset
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch p.tok.kind {
	case tokIdent, tokDelimited, tokString:
		e, err := p.node(exprConstant, at, p.tok.text)
		if err != nil {
			return nil, err
		}
		return e, p.advance()
	}
	return nil, p.unexpected("the name of a constant")
}

// number reads a number, or a quantity if a unit follows.
func (p *parser) number() (*expr, error) {
	t := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	v, ok := parseNumber(t.text)
	unit, calendar := "", false
	switch {
	case p.tok.kind == tokString:
		unit = p.tok.text
	case p.tok.kind == tokIdent && calendarUnit(p.tok.text) != "":
		unit, calendar = calendarUnit(p.tok.text), true
	}
	if unit != "" {
		var d *apd.Decimal
		if d, ok = parseDecimal(t.text); ok {
			v = quantityValue(d, unit, calendar)
		}
	}
	if !ok {
		return nil, errorAt(p.src, t.offset, "number out of range")
	}
	e, err := p.node(exprLiteral, t.offset, "")
	if err != nil {
		return nil, err
	}
	e.value = v
	if unit != "" {
		return e, p.advance()
	}
	return e, nil
}
