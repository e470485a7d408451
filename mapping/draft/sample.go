package draft

import (
	"bytes"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

// samples are what was read.
type samples struct {
	lim      Limits
	left     budget
	tables   []*tableSample
	messages []*messageSample
	docs     []*documentSample
	refused  []refusal // what could not be read
	charsets map[string]int
	skipped  int // records beyond the limit
}

// budget counts down what may still be kept.
type budget struct{ columns, cells, tables, records int }

func (b *budget) column() bool { return take(&b.columns) }
func (b *budget) table() bool  { return take(&b.tables) }
func (b *budget) record() bool { return take(&b.records) }

func take(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// refusal is a sample, or a part of one, that could not be read.
type refusal struct {
	file, place, code string
	times             int
}

// tableSample is a kind of table, from one file or several of the same heading.
type tableSample struct {
	*scope
	format  string
	files   []string // names
	sheet   string
	delim   rune
	charset string
	raw     *table.File
}

// messageSample is one message.
type messageSample struct {
	rec   *record.Record
	frame []byte
	file  string
}

// documentSample is one JSON or XML document.
type documentSample struct {
	rec  *record.Record
	text []byte
	file string
}

func read(files []mapping.File, lim Limits) *samples {
	s := &samples{lim: lim, charsets: map[string]int{}, left: budget{columns: lim.MaxColumns, cells: lim.MaxCells, tables: lim.MaxTables, records: lim.MaxRecords}}
	room := lim.MaxBytes
	for i, f := range files {
		if i >= lim.MaxFiles || len(f.Bytes) > room {
			s.refuse(f.Name, "", "too-large")
			continue
		}
		room -= len(f.Bytes)
		switch mapping.FormatOf(f) {
		case record.HL7v2:
			s.readMessages(f)
		case record.JSON:
			s.readJSON(f)
		case record.XML:
			s.readXML(f)
		case record.Excel:
			s.readWorkbook(f)
		default:
			s.readTable(f)
		}
	}
	return s
}

func (s *samples) refuse(file, place, code string) {
	for i := range s.refused {
		if r := &s.refused[i]; r.file == file && r.code == code {
			r.times++
			return
		}
	}
	s.refused = append(s.refused, refusal{file, place, code, 1})
}

func (s *samples) refuseError(file string, err error) {
	var at *record.SyntaxError
	if errors.As(err, &at) {
		s.refuse(file, at.Path, at.Code)
		return
	}
	s.refuse(file, "", "unreadable")
}

func (s *samples) readMessages(f mapping.File) {
	o := hl7v2.Options{File: f.Name}
	for frame, err := range hl7v2.Split(bytes.NewReader(f.Bytes), o) {
		var rec *record.Record
		if err == nil {
			o.Line = frame.Line
			rec, err = hl7v2.Parse(frame.Bytes, o)
		}
		switch {
		case err != nil:
			s.refuseError(f.Name, err)
		case !s.left.record():
			s.skipped++
		default:
			s.charsets[rec.Charset]++
			s.messages = append(s.messages, &messageSample{rec, frame.Bytes, f.Name})
		}
	}
}

func (s *samples) readJSON(f mapping.File) {
	o := markup.Options{File: f.Name}
	for doc, err := range markup.SplitJSON(bytes.NewReader(f.Bytes), o) {
		var rec *record.Record
		if err == nil {
			one := o
			one.Line, one.Column, one.Charset = doc.Line, doc.Column, doc.Charset
			rec, err = markup.ParseJSON(doc.Bytes, one)
		}
		s.document(f.Name, rec, doc.Bytes, err)
	}
}

func (s *samples) readXML(f mapping.File) {
	rec, err := markup.ParseXML(f.Bytes, markup.Options{File: f.Name})
	s.document(f.Name, rec, f.Bytes, err)
}

func (s *samples) document(file string, rec *record.Record, text []byte, err error) {
	switch {
	case err != nil:
		s.refuseError(file, err)
	case !s.left.record():
		s.skipped++
	default:
		s.charsets[rec.Charset]++
		s.docs = append(s.docs, &documentSample{rec, text, file})
	}
}

func (s *samples) readTable(f mapping.File) {
	opened, err := table.Open(f.Name, bytes.NewReader(f.Bytes), int64(len(f.Bytes)), table.Options{})
	if err != nil {
		s.refuseError(f.Name, err)
		return
	}
	s.addTable(f.Name, fileStem(f.Name), "", record.Table, opened)
}

// addTable profiles the rows of a table. One whose name differs from a known one only in a number or a date is the same kind.
func (s *samples) addTable(file, whole, sheet, format string, opened *table.File) {
	name := stem(whole)
	t := s.tableOf(name, whole, sheet, format, opened)
	if t == nil {
		s.refuse(file, "", "too-many-tables")
		return
	}
	if !slices.Contains(t.files, file) {
		t.files = append(t.files, file)
	}
	set := &table.Set{}
	set.Add(name, opened)
	columns := make([]*column, len(opened.Heading()))
	for i, h := range opened.Heading() {
		columns[i] = t.column([]string{h}, &s.left)
	}
	s.charsets[opened.Charset()]++
	for rec, err := range set.Records(name, nil, table.Limits{}) {
		if err != nil {
			s.refuseError(file, err)
			if rec == nil {
				return
			}
			continue
		}
		if !s.left.record() {
			s.skipped++
			continue
		}
		t.rows++
		row := s.row(t.scope)
		for i, cell := range rec.Root.Kids() {
			if i < len(columns) && columns[i] != nil {
				s.count(columns[i], cell, row)
			}
		}
	}
}

func (s *samples) tableOf(name, whole, sheet, format string, opened *table.File) *tableSample {
	for _, full := range []string{name, whole} {
		name = full
		other := false
		for _, t := range s.tables {
			if t.format != format || t.name != name {
				continue
			}
			if sameHeading(t.heading, opened.Heading()) {
				return t
			}
			other = true
		}
		if !other {
			break
		}
	}
	if !s.left.table() {
		return nil
	}
	t := &tableSample{scope: &scope{name: name, heading: opened.Heading(), order: len(s.tables)}, format: format, sheet: sheet, delim: opened.Delimiter(),
		charset: opened.Charset(), raw: opened}
	s.tables = append(s.tables, t)
	return t
}

// row makes room for the values of a row that are compared with each other; nil when there is none left.
func (s *samples) row(at *scope) []string {
	n := max(len(at.columns), 1)
	if s.left.cells < n {
		return nil
	}
	s.left.cells -= n
	row := make([]string, n, n+4)
	at.cells = append(at.cells, row)
	return row
}

// count takes a value into the profile of its column.
func (s *samples) count(c *column, n *record.Node, row []string) {
	switch n.State() {
	case record.Present:
	case record.Empty:
		c.empty++
		return
	default:
		return
	}
	text := strings.TrimSpace(n.Text())
	if text == "" {
		c.empty++
		return
	}
	if len(text) > s.lim.MaxValue {
		text = strings.ToValidUTF8(text[:s.lim.MaxValue], "")
	}
	c.present++
	if row != nil && c.at < len(row) {
		row[c.at] = text
	}
	if _, known := c.values[text]; !known {
		if c.distinct >= s.lim.MaxDistinct {
			c.more = true
			return
		}
		c.distinct++
		c.order = append(c.order, text)
	}
	c.values[text]++
}

// sameHeading reports whether most names of the shorter heading stand in the other.
func sameHeading(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	both := 0
	for _, h := range a {
		if slices.Contains(b, h) {
			both++
		}
	}
	return both*2 >= len(a)
}

// fileStem is the name of a file without folder and ending.
func fileStem(file string) string {
	base := baseName(file)
	return strings.TrimSuffix(base, path.Ext(base))
}

// delivered is what names end with that is another in each delivery: a date, a month, a running number.
var delivered = regexp.MustCompile(`[-_ .]*(?:\d{2,}|\d+[年月日])[-_.\d年月日]*$`)

func stem(name string) string {
	if short := delivered.ReplaceAllString(name, ""); short != "" {
		return short
	}
	return name
}
