package markup

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Defaults of Limits.
const (
	DefaultMaxBytes = fhir.DefaultMaxBytes
	DefaultMaxDepth = 64
	DefaultMaxNodes = 500_000
)

// Limits bound what a document may hold. A zero field means its default.
type Limits struct {
	MaxBytes int // of one document
	MaxDepth int // of objects and arrays in each other
	MaxNodes int // values; each costs about 200 bytes while it is read
}

func (l Limits) orDefault() Limits {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&l.MaxBytes, DefaultMaxBytes)
	or(&l.MaxDepth, DefaultMaxDepth)
	or(&l.MaxNodes, DefaultMaxNodes)
	return l
}

// Options say how to read a document.
type Options struct {
	Charset      string // the institution's setting, or what Split found; "" to find out
	File         string // name of the file it came in, for places
	Line, Column int    // where the document begins in its file, from 1; 0 as 1
	Limits       Limits
}

// ParseJSON reads one document, which must be an object. Errors are
// *record.SyntaxError with the codes "json", "too-large", "charset", "nul" and
// "truncated".
func ParseJSON(doc []byte, o Options) (*record.Record, error) {
	lim := o.Limits.orDefault()
	p := place{line: max(o.Line, 1), column: max(o.Column, 1)}
	if len(doc) > lim.MaxBytes {
		return nil, &record.SyntaxError{File: o.File, Line: p.line, Column: p.column, Code: "too-large", Reason: "the document is larger than its limit"}
	}
	text, err := charset.Decode(doc, charset.Options{Setting: o.Charset})
	if err != nil {
		var at *record.SyntaxError
		if errors.As(err, &at) {
			at.File = o.File
			at.Line, at.Column = p.shift(max(at.Line, 1), max(at.Column, 1))
		}
		return nil, err
	}
	tree, err := fhir.Parse([]byte(text.Text), fhir.Limits{Bytes: 2*lim.MaxBytes + 16, Depth: lim.MaxDepth, Nodes: lim.MaxNodes})
	if err != nil {
		return nil, syntax(err, text.Text, o, p)
	}
	if tree.Kind() != fhir.Object {
		return nil, &record.SyntaxError{File: o.File, Line: p.line, Column: p.column, Code: "json", Reason: "expected an object"}
	}
	b := builder{text: text.Text, place: p, lineAt: 1}
	return &record.Record{
		Format: record.JSON, Charset: text.Charset, File: o.File, Root: b.node("", tree), Raw: doc, Issues: text.Issues,
	}, nil
}

func syntax(err error, text string, o Options, p place) error {
	var at *fhir.SyntaxError
	if !errors.As(err, &at) {
		return err
	}
	code := "json"
	switch {
	case at.Limit:
		code = "too-large"
	case at.Offset >= len(strings.TrimRight(text, " \t\r\n")):
		code = "truncated"
	}
	e := &record.SyntaxError{File: o.File, Offset: int64(at.Offset), Code: code, Reason: at.Reason}
	column := at.Column
	if end := min(at.Offset, len(text)); end >= at.Column-1 && at.Column > 0 {
		column = utf8.RuneCountInString(text[end-(at.Column-1):end]) + 1
	}
	e.Line, e.Column = p.shift(at.Line, column)
	return e
}

// place is where a document begins in its file.
type place struct{ line, column int }

// shift turns a place in the document into one in the file.
func (p place) shift(line, column int) (int, int) {
	if line == 1 {
		column += p.column - 1
	}
	return line + p.line - 1, column
}

// builder turns a JSON tree into a record's. It visits the values in the order of
// the text, so that columns are counted in characters in one pass.
type builder struct {
	b     record.Builder
	text  string
	place place

	at     int // offset in text
	lineAt int // its line
	byteAt int // its column in bytes, from 0
	runeAt int // its column in characters, from 0
}

func (b *builder) node(name string, v *fhir.Node) *record.Node {
	line, column := b.position(v)
	var n *record.Node
	switch v.Kind() {
	case fhir.Object:
		n = b.b.Group(name, nil)
		b.b.Reserve(n, v.Len())
		for _, k := range v.All() {
			n.Add(b.node(k.Name(), k))
		}
	case fhir.Array:
		n = b.b.List(name)
		b.b.Reserve(n, v.Len())
		for _, k := range v.All() {
			n.Add(b.node("", k))
		}
	case fhir.Null:
		n = b.b.Leaf(name, "", record.Empty)
	default:
		text, state := v.Text(), record.Present
		if strings.TrimSpace(text) == "" {
			text, state = "", record.Empty
		}
		n = b.b.Leaf(name, text, state)
	}
	n.Mark(line, column)
	return n
}

// position returns where a value begins, in characters.
func (b *builder) position(v *fhir.Node) (line, column int) {
	line, bytes := v.Position()
	bytes--
	for b.lineAt < line && b.at < len(b.text) {
		i := strings.IndexByte(b.text[b.at:], '\n')
		if i < 0 {
			break
		}
		b.at, b.lineAt, b.byteAt, b.runeAt = b.at+i+1, b.lineAt+1, 0, 0
	}
	if b.lineAt == line && bytes > b.byteAt && b.at+bytes-b.byteAt <= len(b.text) {
		between := b.text[b.at : b.at+bytes-b.byteAt]
		b.runeAt += utf8.RuneCountInString(between)
		b.at, b.byteAt = b.at+len(between), bytes
	}
	if b.lineAt != line {
		return b.place.shift(line, bytes+1)
	}
	return b.place.shift(line, b.runeAt+1)
}
