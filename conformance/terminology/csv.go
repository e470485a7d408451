package terminology

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
)

// Table says how a CSV table holds a code system: which column is what, by the names in its first row.
type Table struct {
	Description         // URL must be given
	Comma       rune    // ',' if zero
	Columns     Columns // Code must be given
	// Inactive are the values of the column Status that mean that a code is not active any more.
	Inactive []string
	// Prefixes tells that a code lies below the longest other code that it begins with: J18.901 below J18.9 below J18,
	// as in classifications of diseases.
	Prefixes bool
}

// Columns name the columns of a table. Empty names are columns that are not there.
type Columns struct {
	Code, Display, Definition string
	// Parent holds codes of parents, with a | between several.
	Parent string
	Status string
	// Abstract is "true", "1" or "Y" for codes that group others.
	Abstract string
	// Designations are columns of other names, by their language tag.
	Designations map[string]string
	// Properties are columns of properties, by the code of the property.
	Properties map[string]string
}

// LOINC is the table Loinc.csv that comes with a release of LOINC.
func LOINC(version string) Table {
	t := Table{Description: Description{URL: "http://loinc.org", Version: version, Name: "LOINC", Title: "Logical Observation Identifiers, Names and Codes",
		Language: "en", ValueSet: "http://loinc.org/vs"},
		Columns:  Columns{Code: "LOINC_NUM", Display: "LONG_COMMON_NAME", Status: "STATUS", Properties: map[string]string{}},
		Inactive: []string{"DEPRECATED"}}
	for _, p := range []string{"COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "CLASSTYPE", "STATUS", "ORDER_OBS"} {
		t.Columns.Properties[p] = p
	}
	return t
}

// TableError says where a table cannot be read. It never quotes the table.
type TableError struct {
	Line   int
	Reason string
}

func (e *TableError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// ReadCSV makes a code system of a table in UTF-8. The issues say what was left out; an error is a *TableError, a
// *Refusal for a table over the limits, or what the reader says.
func ReadCSV(r io.Reader, t Table, limits Limits) (*Memory, []fhir.Issue, error) {
	limits = limits.withDefaults()
	counted := &io.LimitedReader{R: r, N: int64(limits.Text) + 1}
	rows := csv.NewReader(counted)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	if t.Comma != 0 {
		rows.Comma = t.Comma
	}
	read := func() ([]string, error) {
		row, err := rows.Read()
		var syntax *csv.ParseError
		switch {
		case counted.N <= 0:
			return nil, refuse(msgSystemLarge, t.URL, limits.Text, "bytes")
		case errors.As(err, &syntax):
			return nil, &TableError{syntax.Line, syntax.Err.Error()}
		}
		return row, err
	}
	header, err := read()
	if errors.Is(err, io.EOF) {
		return nil, nil, &TableError{1, "the table has no header"}
	}
	if err != nil {
		return nil, nil, err
	}
	p, err := t.placed(header)
	if err != nil {
		return nil, nil, err
	}
	about := t.Description
	about.Properties = append(slices.Clip(about.Properties), p.declared(about.Properties)...)
	b := NewBuilder(about, limits)
	for {
		row, err := read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := rows.FieldPos(0)
		if !slices.ContainsFunc(row, func(s string) bool { return s != "" }) {
			continue
		}
		d, reason := p.details(row)
		if reason != "" {
			return nil, nil, &TableError{line, reason}
		}
		if err := b.Add(d); err != nil {
			return nil, nil, err
		}
	}
	if t.Prefixes {
		b.linkPrefixes()
	}
	m, issues := b.Done()
	return m, issues, nil
}

// placed is a table whose columns were found.
type placed struct {
	t                                                   Table
	code, display, definition, parent, status, abstract int // -1 if there is none
	designations, properties                            []column
}

type column struct {
	name string // language or property
	at   int
}

func (t Table) placed(header []string) (*placed, error) {
	if len(header) > 0 {
		header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	}
	p := &placed{t: t}
	missing := ""
	find := func(name string) int {
		if name == "" {
			return -1
		}
		at := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == name })
		if at < 0 && missing == "" {
			missing = name
		}
		return at
	}
	p.code, p.display, p.definition = find(t.Columns.Code), find(t.Columns.Display), find(t.Columns.Definition)
	p.parent, p.status, p.abstract = find(t.Columns.Parent), find(t.Columns.Status), find(t.Columns.Abstract)
	for _, k := range []struct {
		names map[string]string
		to    *[]column
	}{{t.Columns.Designations, &p.designations}, {t.Columns.Properties, &p.properties}} {
		for name, header := range k.names {
			*k.to = append(*k.to, column{name, find(header)})
		}
		slices.SortFunc(*k.to, func(a, b column) int { return strings.Compare(a.name, b.name) })
	}
	switch {
	case t.Columns.Code == "":
		return nil, &TableError{1, "no column is named for codes"}
	case t.URL == "":
		return nil, &TableError{1, "the code system has no URL"}
	case missing != "":
		return nil, &TableError{1, "the header has no column " + missing}
	}
	return p, nil
}

// declared are the properties of columns that the description does not declare.
func (p *placed) declared(known []PropertyDefinition) []PropertyDefinition {
	var out []PropertyDefinition
	for _, c := range p.properties {
		if !slices.ContainsFunc(known, func(k PropertyDefinition) bool { return k.Code == c.name }) {
			out = append(out, PropertyDefinition{Code: c.name, Type: "string"})
		}
	}
	return out
}

// details reads a row; reason says why it cannot be read.
func (p *placed) details(row []string) (d Details, reason string) {
	at := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	for _, field := range row {
		if !utf8.ValidString(field) {
			return d, "it is not UTF-8"
		}
	}
	d.Code, d.Display, d.Definition = at(p.code), at(p.display), at(p.definition)
	if d.Code == "" {
		return d, "it has no code"
	}
	for parent := range strings.SplitSeq(at(p.parent), "|") {
		if parent = strings.TrimSpace(parent); parent != "" {
			d.Parents = append(d.Parents, parent)
		}
	}
	if status := at(p.status); status != "" {
		d.Inactive = slices.Contains(p.t.Inactive, status)
	}
	switch at(p.abstract) {
	case "true", "1", "Y", "y":
		d.Abstract = true
	}
	for _, c := range p.designations {
		if v := at(c.at); v != "" {
			d.Designations = append(d.Designations, Designation{Language: c.name, Value: v})
		}
	}
	for _, c := range p.properties {
		if v := at(c.at); v != "" {
			d.Properties = append(d.Properties, Property{Code: c.name, Type: "string", Value: v})
		}
	}
	return d, ""
}

// maxPrefix bounds how long codes are that may be below others by their beginning.
const maxPrefix = 64

// linkPrefixes puts every concept that has no parent yet below the longest code that it begins with.
func (b *Builder) linkPrefixes() {
	m := b.m
	placed := newBitset(max(m.len(), 1))
	for _, e := range b.edges {
		placed.set(int(e.child))
	}
	for _, e := range b.named {
		if !e.child {
			placed.set(int(e.concept))
		}
	}
	for i := range m.len() {
		code := m.code(i)
		if placed.has(i) || len(code) > maxPrefix {
			continue
		}
		for end := len(code) - 1; end > 0; end-- {
			if parent := m.find(code[:end]); parent >= 0 {
				b.link(i, parent)
				break
			}
		}
	}
}
