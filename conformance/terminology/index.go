package terminology

import (
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// What a code system needs that keeps its concepts elsewhere and answers as a Memory does.

// DefaultMaxRow is the default of how many bytes a row of a table may have that is read row by row.
const DefaultMaxRow = 1 << 20

// Rows yields the concepts of a table in UTF-8 one by one, with the parents that the table names. No row may have more than
// maxRow bytes; 0 means DefaultMaxRow. An error is a *TableError, a *Refusal for a row over the limit, or what the reader says,
// and ends it.
func (t Table) Rows(r io.Reader, maxRow int) iter.Seq2[Details, error] {
	if maxRow <= 0 {
		maxRow = DefaultMaxRow
	}
	return func(yield func(Details, error) bool) {
		window := &io.LimitedReader{R: r}
		rows := csv.NewReader(window)
		rows.ReuseRecord, rows.FieldsPerRecord = true, -1
		if t.Comma != 0 {
			rows.Comma = t.Comma
		}
		read := func() ([]string, error) {
			window.N = int64(maxRow) + readAhead
			row, err := rows.Read()
			var syntax *csv.ParseError
			switch {
			case window.N <= 0:
				return nil, refuse(msgSystemLarge, t.URL, maxRow, "bytes")
			case errors.As(err, &syntax):
				return nil, &TableError{syntax.Line, syntax.Err.Error()}
			}
			return row, err
		}
		header, err := read()
		if errors.Is(err, io.EOF) {
			err = &TableError{1, "the table has no header"}
		}
		var p *placed
		if err == nil {
			p, err = t.placed(header)
		}
		if err != nil {
			yield(Details{}, err)
			return
		}
		for {
			row, err := read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Details{}, err)
				return
			}
			if !slices.ContainsFunc(row, func(s string) bool { return s != "" }) {
				continue
			}
			line, _ := rows.FieldPos(0)
			d, reason := p.details(row)
			if reason != "" {
				yield(Details{}, &TableError{line, reason})
				return
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// readAhead is what a reader of tables takes before it looks at a row.
const readAhead = 4096

// Described is the description of the table's code system with the properties that its columns declare.
func (t Table) Described() Description {
	about := t.Description
	if about.Content == "" {
		about.Content = Complete
	}
	names := make([]string, 0, len(t.Columns.Properties))
	for name := range t.Columns.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	p := &placed{}
	for _, name := range names {
		p.properties = append(p.properties, column{name: name})
	}
	about.Properties = append(slices.Clip(about.Properties), p.declared(about.Properties)...)
	return about
}

// Outline are the codes of a code system and which lies below which, without anything else: so much of it can be held where the
// whole cannot. Positions count the codes as they came, each once.
type Outline struct{ m *Memory }

// Outline reads the outline of concepts of the table; about and the limits are as of ReadCSV. The issues say what is wrong.
func (t Table) Outline(concepts iter.Seq2[Details, error], limits Limits) (*Outline, []fhir.Issue, error) {
	b := NewBuilder(t.Described(), limits)
	for d, err := range concepts {
		if err != nil {
			return nil, nil, err
		}
		if err := b.Add(Details{Concept: Concept{Code: strings.Clone(d.Code), Parent: d.Parent}, Parents: d.Parents, Children: d.Children}); err != nil {
			return nil, nil, err
		}
	}
	if t.Prefixes {
		b.linkPrefixes()
	}
	m, issues := b.Done()
	return &Outline{m}, issues, nil
}

// Describe tells what the code system is.
func (o *Outline) Describe() Description { return o.m.about }

// Position is where a code stands.
func (o *Outline) Position(code string) (position int, ok bool) {
	position = o.m.find(code)
	return position, position >= 0
}

// Parents are the positions of those that the code at a position lies just below.
func (o *Outline) Parents(position int) (parents []int) {
	for _, p := range o.m.parents.of(position) {
		parents = append(parents, int(p))
	}
	return parents
}

// Code is the one at a position.
func (o *Outline) Code(position int) string { return o.m.code(position) }

// SearchText is where the words of Query.Text are looked for in a concept: each must be part of it.
func SearchText(d *Details) string {
	var b strings.Builder
	b.WriteString(folded(d.Code))
	b.WriteByte(1)
	b.WriteString(folded(d.Display))
	for _, x := range d.Designations {
		b.WriteByte(1)
		b.WriteString(folded(x.Value))
	}
	return b.String()
}

// SearchWords are the words of Query.Text, folded as SearchText is. An error is a *Refusal.
func SearchWords(text string) ([]string, error) { return words(text) }

// Text is the value as filters compare it.
func (p Property) Text() string { return p.text() }

// FilterTest is a filter on values, one of the operators =, in, not-in, regex and exists. It is for one goroutine.
type FilterTest struct {
	url string
	t   *test
}

// NewFilterTest compiles a filter of the code system with a URL. An error is a *Refusal.
func NewFilterTest(url string, f Filter) (*FilterTest, error) {
	t, err := newTest(f)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, UnsupportedFilter(url, f)
	}
	return &FilterTest{url, t}, nil
}

// Holds reports whether a value passes; that of not-in passes if it is in the list. An error is a *Refusal: the filter has cost
// too much.
func (f *FilterTest) Holds(value string) (bool, error) {
	holds := f.t.holds(value)
	if f.t.work > MaxPatternWork {
		return false, refuse(msgPatternCostly, f.url, MaxPatternWork)
	}
	return holds, nil
}

// UnsupportedFilter says that a code system does not know a filter's operator or property.
func UnsupportedFilter(url string, f Filter) *Refusal {
	return refuse(msgFilterOp, string(f.Op), f.Property, url)
}

// UnknownFilterCode says that the code that a filter is about does not exist.
func UnknownFilterCode(url string, f Filter) *Refusal {
	return refuse(msgFilterCode, string(f.Op), url)
}

// UnknownCode says that a code does not exist.
func UnknownCode(url string) *Refusal { return refuse(msgCodeUnknown, url) }

// TooManyKinds says that concepts have more kinds of properties than MaxKinds.
func TooManyKinds(url string) *Refusal {
	return refuse(msgSystemLarge, url, MaxKinds, "kinds of properties and designations")
}
