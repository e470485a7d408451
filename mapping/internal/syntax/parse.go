package syntax

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits bound what is read.
type Limits struct {
	Bytes, Depth, Values int
}

// Error is a mistake in the YAML itself.
type Error struct {
	Position
	Text string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Parse reads one YAML document. An empty file gives a Null node.
func Parse(file string, data []byte, lim Limits) (root *Node, err error) {
	start := Position{File: file, Line: 1, Column: 1}
	fail := func(at Position, format string, args ...any) (*Node, error) {
		return nil, &Error{Position: at, Text: fmt.Sprintf(format, args...)}
	}
	if len(data) > lim.Bytes {
		return fail(start, "the file has more than %d bytes", lim.Bytes)
	}
	data = []byte(strings.TrimPrefix(string(data), "\uFEFF"))
	if at, ok := badUTF8(data); !ok {
		at.File = file
		return fail(at, "not UTF-8: save the file as UTF-8")
	}
	if at, deep := nesting(data, lim.Depth); deep {
		at.File = file
		return fail(at, "nested deeper than %d", lim.Depth)
	}
	// The parser is someone else's: whatever it trips over is a mistake in the file, not the end of the process.
	defer func() {
		if r := recover(); r != nil {
			root, err = fail(start, "not YAML")
		}
	}()
	f, perr := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if perr != nil {
		var ye yaml.Error
		if errors.As(perr, &ye) {
			at := start
			if t := ye.GetToken(); t != nil && t.Position != nil {
				at.Line, at.Column = t.Position.Line, t.Position.Column
			}
			return fail(at, "not YAML: %s", strings.TrimSpace(ye.GetMessage()))
		}
		return fail(start, "not YAML")
	}
	var body ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			b := builder{file: file}
			return fail(b.start(d.Body), "a second document: want one per file")
		}
		body = d.Body
	}
	if body == nil {
		return &Node{Position: start}, nil
	}
	b := builder{file: file, lim: lim}
	n := b.node(body, 0)
	if b.err != nil {
		return nil, b.err
	}
	return n, nil
}

type builder struct {
	file  string
	lim   Limits
	count int
	err   error
}

func (b *builder) at(t *token.Token) Position {
	p := Position{File: b.file, Line: 1, Column: 1}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// start is where n begins; the parser's own token of a block mapping is a colon.
func (b *builder) start(n ast.Node) Position {
	switch m := n.(type) {
	case *ast.MappingValueNode:
		return b.at(m.Key.GetToken())
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			return b.at(m.Values[0].Key.GetToken())
		}
	}
	return b.at(n.GetToken())
}

func (b *builder) fail(at Position, format string, args ...any) *Node {
	if b.err == nil {
		b.err = &Error{Position: at, Text: fmt.Sprintf(format, args...)}
	}
	return &Node{Position: at}
}

func (b *builder) node(n ast.Node, depth int) *Node {
	at := b.start(n)
	if b.err != nil {
		return &Node{Position: at}
	}
	if depth > b.lim.Depth {
		return b.fail(at, "nested deeper than %d", b.lim.Depth)
	}
	if b.count++; b.count > b.lim.Values {
		return b.fail(at, "more than %d values", b.lim.Values)
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return &Node{Position: at}
	case *ast.BoolNode:
		return b.scalar(n.Token, Bool)
	case *ast.IntegerNode:
		return b.scalar(n.Token, Number)
	case *ast.FloatNode:
		return b.scalar(n.Token, Number)
	case *ast.InfinityNode:
		return b.scalar(n.Token, String)
	case *ast.NanNode:
		return b.scalar(n.Token, String)
	case *ast.StringNode:
		s := b.scalar(n.Token, String)
		s.Text = n.Value
		s.Quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return s
	case *ast.LiteralNode:
		s := b.scalar(n.Start, String)
		s.Text, s.Quoted = n.Value.Value, true
		return s
	case *ast.MappingNode:
		m := &Node{Position: at, Kind: Map}
		for _, v := range n.Values {
			b.pair(m, v, depth)
		}
		return m
	case *ast.MappingValueNode:
		m := &Node{Position: at, Kind: Map}
		b.pair(m, n, depth)
		return m
	case *ast.SequenceNode:
		l := &Node{Position: at, Kind: List}
		for _, v := range n.Values {
			l.Items = append(l.Items, b.node(v, depth+1))
		}
		return l
	case *ast.AnchorNode, *ast.AliasNode:
		return b.fail(at, "anchors and aliases are not part of the grammar: use shapes, include or extends")
	case *ast.TagNode:
		return b.fail(at, "tags are not part of the grammar")
	default:
		return b.fail(at, "unexpected %s", strings.ToLower(n.Type().String()))
	}
}

func (b *builder) scalar(t *token.Token, k Kind) *Node {
	return &Node{Position: b.at(t), Kind: k, Text: t.Value}
}

func (b *builder) pair(m *Node, v *ast.MappingValueNode, depth int) {
	if b.err != nil {
		return
	}
	if _, merge := v.Key.(*ast.MergeKeyNode); merge {
		b.fail(b.at(v.Key.GetToken()), "merge keys are not part of the grammar: use shapes, include or extends")
		return
	}
	key := b.node(v.Key, depth+1)
	if b.err != nil {
		return
	}
	if !key.Scalar() || key.Kind == Null && key.Text == "" && v.Key.GetToken().Value == "" {
		b.fail(key.Position, "want text as a key")
		return
	}
	if key.Kind == Null {
		key.Text = v.Key.GetToken().Value
	}
	key.Kind = String
	for i := range m.Pairs {
		if m.Pairs[i].Key.Text == key.Text {
			b.fail(key.Position, "key %q stands twice, first in line %d", key.Text, m.Pairs[i].Key.Line)
			return
		}
	}
	value := b.node(v.Value, depth+1)
	if value.Kind == Null && value.Line < key.Line {
		value.Position = key.Position
	}
	m.Pairs = append(m.Pairs, Pair{Key: key, Value: value})
}

func badUTF8(data []byte) (Position, bool) {
	if utf8.Valid(data) {
		return Position{}, true
	}
	p := Position{Line: 1, Column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return p, false
		}
		if data = data[size:]; r == '\n' {
			p.Line, p.Column = p.Line+1, 1
		} else {
			p.Column++
		}
	}
	return p, true
}

// nesting looks for brackets nested deeper than allowed before the parser, which
// recurses, sees them. Brackets in quotes or comments count too: no map has that
// many.
func nesting(data []byte, depth int) (Position, bool) {
	p, open := Position{Line: 1, Column: 1}, 0
	dashes := 0 // of "- - - -", which nest as well
	for _, c := range data {
		switch c {
		case '\n':
			p.Line, p.Column, dashes = p.Line+1, 0, 0
			if open < 0 {
				open = 0
			}
		case '[', '{':
			open++
		case ']', '}':
			open--
		case '-', '?':
			dashes++
		case ' ':
		default:
			dashes = 0
		}
		if open > depth || dashes > 200 {
			return p, true
		}
		if c&0xC0 != 0x80 {
			p.Column++
		}
	}
	return Position{}, false
}
