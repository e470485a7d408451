package mapping

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// expression is a compiled expression. The names it uses are known; strings and booleans go in, a string, a boolean or a
// number comes out.
type expression struct {
	program *vm.Program
	uses    []use
	kind    valueKind
	text    string
}

type use struct {
	name string
	slot int
	kind valueKind
}

// machines are the virtual machines that run expressions; one serves one run at a time.
var machines = sync.Pool{New: func() any { return &vm.VM{} }}

// expression compiles expr:, nil after a finding.
func (c *compiler) expression(n *syntax.Node, s *scope) *expression {
	return c.compileExpression(n, s, false)
}

func (c *compiler) boolExpression(n *syntax.Node, s *scope) condition {
	e := c.compileExpression(n, s, true)
	if e == nil {
		return nil
	}
	return func(r *run, at *record.Node) bool { return e.value(r, at).text == "true" }
}

func (c *compiler) compileExpression(n *syntax.Node, s *scope, boolean bool) *expression {
	text := c.text(n, "an expression")
	if text == "" {
		return nil
	}
	// Only the names that the text mentions: then the same expression, in a shape used many times, is compiled once.
	env := map[string]any{}
	signature := text
	if boolean {
		signature += "\x00bool"
	}
	for _, name := range words(text) {
		b, ok := s.lookup(name)
		switch {
		case !ok:
		case b.kind == boolValue:
			env[name] = false
			signature += "\x00" + name + " bool"
		default:
			env[name] = ""
			signature += "\x00" + name
		}
	}
	p := c.programs[signature]
	if p == nil {
		p = c.newProgram(text, env, boolean)
		if c.programs == nil {
			c.programs = map[string]*program{}
		}
		c.programs[signature] = p
	}
	if p.problem != "" {
		message := p.problem
		if name, ok := strings.CutPrefix(message, "unknown name "); ok {
			message += "; " + oneOf(name, append(s.visible(), functionNames()...))
		}
		c.errorf(n.At(p.at), "expression: %s", message)
		return nil
	}
	e := &expression{text: text, kind: p.kind, program: p.program}
	for _, name := range p.names {
		if b, ok := s.lookup(name); ok {
			e.uses = append(e.uses, use{name: name, slot: b.slot, kind: b.kind})
			c.noteName(b, "$"+name, nil)
		}
	}
	return e
}

// program is an expression without its place: what several places may share.
type program struct {
	program *vm.Program
	kind    valueKind
	names   []string
	problem string // what is wrong with it, and at which character
	at      int
}

func (l *loader) newProgram(text string, env map[string]any, boolean bool) *program {
	guard := &guard{used: map[string]bool{}}
	options := append([]expr.Option{expr.Env(env), expr.MaxNodes(uint(l.lim.MaxExpression)), expr.DisableAllBuiltins(), expr.Patch(guard)}, expressionFunctions...)
	if boolean {
		options = append(options, expr.AsBool())
	}
	compiled, err := expr.Compile(text, options...)
	if guard.text != "" {
		return &program{problem: guard.text, at: guard.at}
	}
	if err != nil {
		at, message := 0, err.Error()
		var fe *file.Error
		if errors.As(err, &fe) {
			at, message = fe.From, fe.Message
		}
		message, _, _ = strings.Cut(message, "\n")
		message, _, _ = strings.Cut(message, " (1:")
		if strings.HasPrefix(message, "expected bool") {
			at, message = 0, "a condition must be true or false"
		}
		return &program{problem: message, at: at}
	}
	p := &program{program: compiled, names: slices.Sorted(maps.Keys(guard.used))}
	switch kind := compiled.Node().Type(); {
	case kind == nil:
	case kind.Kind() == reflect.Bool:
		p.kind = boolValue
	case kind.Kind() == reflect.Int || kind.Kind() == reflect.Float64:
		p.kind = numberValue
	case kind.Kind() == reflect.String, kind.Kind() == reflect.Interface:
	default:
		return &program{problem: "gives " + kind.String() + "; want text, a number, true or false"}
	}
	return p
}

// words are the identifiers that a text may mention, each once, in order.
func words(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	}) {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// guard refuses what has no place in a map's expression: loops, ranges, and what cuts strings by bytes.
type guard struct {
	used map[string]bool
	at   int
	text string
}

// Visit implements ast.Visitor.
func (g *guard) Visit(node *ast.Node) {
	refuse := func(format string, args ...any) {
		if g.text == "" {
			g.at, g.text = (*node).Location().From, fmt.Sprintf(format, args...)
		}
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		g.used[n.Value] = true
	case *ast.SliceNode:
		refuse("a slice cuts by bytes; want left, right or mid")
	case *ast.MemberNode:
		refuse("nothing has members here; names are text, true or false")
	case *ast.PredicateNode, *ast.PointerNode, *ast.VariableDeclaratorNode, *ast.SequenceNode, *ast.MapNode, *ast.BuiltinNode:
		refuse("loops, variables and mappings are not part of the grammar")
	case *ast.BinaryNode:
		switch n.Operator {
		case "..":
			refuse("ranges are not part of the grammar")
		case "matches":
			if _, ok := n.Right.(*ast.StringNode); !ok {
				refuse("matches wants a pattern in quotes")
			}
		}
	}
}

// value runs the expression. One that fails gives no value and says so, except for want of a number.
func (e *expression) value(r *run, at *record.Node) value {
	if r.env == nil {
		r.env = map[string]any{}
	}
	env := r.env
	clear(env)
	for _, u := range e.uses {
		v := r.cells[u.slot]
		if len(v.text) > r.inst.lim.MaxText {
			return e.fail(r, at)
		}
		if u.kind == boolValue {
			env[u.name] = v.text == "true"
		} else if v.present() {
			env[u.name] = v.text
		} else {
			env[u.name] = ""
		}
	}
	machine := machines.Get().(*vm.VM)
	out, err := machine.Run(e.program, env)
	machines.Put(machine)
	if errors.Is(err, errNoNumber) {
		return value{}
	}
	if err != nil {
		return e.fail(r, at)
	}
	switch out := out.(type) {
	case string:
		if out == "" {
			return value{}
		}
		if len(out) > r.inst.lim.MaxText {
			return e.fail(r, at)
		}
		return literal(out)
	case bool:
		return value{text: strconv.FormatBool(out), state: record.Present, kind: boolValue}
	case int:
		return value{text: strconv.Itoa(out), state: record.Present, kind: numberValue}
	case float64:
		text := strconv.FormatFloat(out, 'f', -1, 64)
		if strings.ContainsAny(text, "NI") { // NaN, Inf
			return e.fail(r, at)
		}
		return value{text: text, state: record.Present, kind: numberValue}
	}
	return e.fail(r, at)
}

func (e *expression) fail(r *run, at *record.Node) value {
	r.issue(fhir.Warning, fhir.TypeProcessing, "expression-failed", "", at, "the expression has no value: "+e.text)
	return value{}
}

// errNoNumber ends an expression that would compute with a number that is not there.
var errNoNumber = errors.New("no number")

var errTooLong = errors.New("text too long")

// expressionFunctions count and cut by characters.
var expressionFunctions = []expr.Option{
	expr.Function("chars", func(p ...any) (any, error) { return utf8.RuneCountInString(p[0].(string)), nil }, new(func(string) int)),
	expr.Function("left", func(p ...any) (any, error) { return mid(p[0].(string), 1, p[1].(int)), nil }, new(func(string, int) string)),
	expr.Function("right", func(p ...any) (any, error) {
		s, n := p[0].(string), max(p[1].(int), 0)
		return mid(s, utf8.RuneCountInString(s)-n+1, n), nil
	}, new(func(string, int) string)),
	expr.Function("mid", func(p ...any) (any, error) { return mid(p[0].(string), p[1].(int), p[2].(int)), nil }, new(func(string, int, int) string)),
	expr.Function("trim", func(p ...any) (any, error) { return strings.TrimFunc(p[0].(string), unicode.IsSpace), nil }, new(func(string) string)),
	expr.Function("upper", func(p ...any) (any, error) { return strings.ToUpper(p[0].(string)), nil }, new(func(string) string)),
	expr.Function("lower", func(p ...any) (any, error) { return strings.ToLower(p[0].(string)), nil }, new(func(string) string)),
	expr.Function("replace", func(p ...any) (any, error) {
		s, old, with := p[0].(string), p[1].(string), p[2].(string)
		if old == "" {
			return s, nil
		}
		if n := strings.Count(s, old); len(s)+n*(len(with)-len(old)) > 4*DefaultLimits.MaxText {
			return nil, errTooLong
		}
		return strings.ReplaceAll(s, old, with), nil
	}, new(func(string, string, string) string)),
	expr.Function("split", func(p ...any) (any, error) { return piece(p[0].(string), p[1].(string), p[2].(int)), nil }, new(func(string, string, int) string)),
	expr.Function("find", func(p ...any) (any, error) {
		s, sub := p[0].(string), p[1].(string)
		i := strings.Index(s, sub)
		if i < 0 {
			return 0, nil
		}
		return utf8.RuneCountInString(s[:i]) + 1, nil
	}, new(func(string, string) int)),
	expr.Function("first", func(p ...any) (any, error) {
		for _, s := range p {
			if s.(string) != "" {
				return s, nil
			}
		}
		return "", nil
	}, new(func(...string) string)),
	expr.Function("digits", func(p ...any) (any, error) {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, p[0].(string)), nil
	}, new(func(string) string)),
	expr.Function("number", func(p ...any) (any, error) {
		f, err := strconv.ParseFloat(strings.TrimSpace(p[0].(string)), 64)
		if err != nil {
			return nil, errNoNumber
		}
		return f, nil
	}, new(func(string) float64)),
	expr.Function("text", func(p ...any) (any, error) {
		switch v := p[0].(type) {
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		case int:
			return strconv.Itoa(v), nil
		case bool:
			return strconv.FormatBool(v), nil
		}
		return p[0], nil
	}, new(func(float64) string), new(func(int) string), new(func(bool) string), new(func(string) string)),
}

func functionNames() []string {
	return []string{"chars", "left", "right", "mid", "trim", "upper", "lower", "replace", "split", "find", "first", "digits", "number", "text"}
}

// mid returns count characters from the start-th, counted from 1.
func mid(s string, start, count int) string {
	if start < 1 {
		count += start - 1
		start = 1
	}
	if count <= 0 {
		return ""
	}
	from, i := -1, 1
	for at := range s {
		if i == start {
			from = at
		}
		if from >= 0 && i-start == count {
			return s[from:at]
		}
		i++
	}
	if from < 0 {
		return ""
	}
	return s[from:]
}

// piece returns the n-th part of s between separators, counted from 1.
func piece(s, sep string, n int) string {
	if n < 1 {
		return ""
	}
	if sep == "" {
		return mid(s, n, 1)
	}
	for ; n > 1; n-- {
		_, rest, ok := strings.Cut(s, sep)
		if !ok {
			return ""
		}
		s = rest
	}
	s, _, _ = strings.Cut(s, sep)
	return s
}

// exprMaker compiles expr: as an element rule: its value goes through the target's function like one that was read.
func (c *compiler) exprMaker(n *syntax.Node, t *target, e *element, s *scope) *maker {
	if f := n.Key("from"); f != nil {
		c.errorf(f.Position, "both from and expr; declare the path under with")
		return nil
	}
	x := c.expression(n.Get("expr"), s)
	if x == nil {
		return nil
	}
	c.says(func(f *Field) { f.Expression = x.text })
	return c.functionMaker(n, n, &operand{expr: x, slot: -1}, t, e, s)
}
