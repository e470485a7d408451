package mapping

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

// File is one file of a delivery.
type File struct {
	Name  string
	Bytes []byte
}

// Cut is one record found in a delivery, or a run of bytes that is none.
type Cut struct {
	Record *record.Record
	Err    *record.SyntaxError // why the bytes are no record; nil for a record
	Format string
	File   int   // which of the delivery's files it stands in, the main row of a joined one
	Start  int64 // and where: message, document, main row
	End    int64
	Line   int    // on which it begins, from 1; 0 when not known
	Place  string // of a workbook's row, whose bytes nobody could read alone: "sheet!row"; Start and End are the file's
	Key    string // of a table's record that an unchanged row is skipped by; "" for none
	Hash   string // of what such a record says, joined rows included, in hex
	Lanes  []string
}

// IntakeLimits bound what is taken in. A zero field means the reader's default.
type IntakeLimits struct {
	Record int // bytes of one message, document or row
	Values int // of one message or document
	Depth  int // of objects and arrays in a document
	Book   int // bytes of one workbook, unzipped
}

// Intake reads the records of one delivery. Reading it again gives the same.
type Intake struct {
	inst   *Institution
	files  []File
	source Source
	lim    IntakeLimits

	mu     sync.Mutex
	opened map[int][]found // tables of the files that have been looked at
}

// Open prepares the files of one delivery, which belong together, for reading by a source of the institution. "" or an
// unknown name means that each file's first bytes and name decide.
func (inst *Institution) Open(source string, files []File, lim IntakeLimits) *Intake {
	x := &Intake{inst: inst, files: files, lim: lim}
	x.source, _ = inst.Source(source)
	return x
}

// FormatOf tells what a file is: by its first bytes for HL7 v2 and workbooks, then by its name, then by its first bytes for
// JSON and XML; else it is a table. A page of HTML is a workbook: what a program saved as .xls without being one.
func FormatOf(f File) string {
	head := bytes.TrimLeft(bytes.TrimPrefix(f.Bytes[:min(len(f.Bytes), 512)], []byte("\xEF\xBB\xBF")), "\x0b \t\r\n")
	for _, id := range []string{"MSH", "FHS", "BHS"} {
		if len(head) > 3 && bytes.HasPrefix(head, []byte(id)) && !isWord(head[3]) {
			return record.HL7v2
		}
	}
	if table.IsBook(f.Bytes[:min(len(f.Bytes), 4096)]) {
		return record.Excel
	}
	switch strings.ToLower(path.Ext(f.Name)) {
	case ".xlsx", ".xls", ".xlsm":
		return record.Excel
	case ".xml":
		return record.XML
	case ".csv", ".txt", ".tsv":
		return record.Table
	case ".hl7", ".er7":
		return record.HL7v2
	case ".json", ".ndjson":
		return record.JSON
	}
	if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return record.JSON
	}
	if len(head) > 1 && (head[0] == '<' || bytes.HasPrefix(head, []byte("\xFF\xFE<")) || bytes.HasPrefix(head, []byte("\xFE\xFF\x00<"))) {
		return record.XML // the last two are UTF-16
	}
	return record.Table
}

func isWord(c byte) bool {
	return c == '_' || c == ',' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

// Records yields the records of the delivery one by one: messages and documents in the order of the files, then the rows
// of tables in the order of the maps that read them. What is wrong with one record is in its Cut and the next follows; an
// error ends the sequence and is about the delivery as a whole, such as a join on a column that is not there.
func (x *Intake) Records() iter.Seq2[Cut, error] {
	return func(yield func(Cut, error) bool) {
		var tables []int
		for i, f := range x.files {
			format := x.source.Format
			if format == "" {
				format = FormatOf(f)
			}
			next := true
			switch format {
			case record.HL7v2:
				next = x.messages(i, yield)
			case record.JSON:
				next = x.documents(i, yield)
			case record.XML:
				next = x.document(i, yield)
			default:
				tables = append(tables, i)
			}
			if !next {
				return
			}
		}
		if tables != nil {
			x.rows(tables, yield)
		}
	}
}

func (x *Intake) charset() string {
	if x.source.Charset != "" {
		return x.source.Charset
	}
	return x.inst.charset
}

// give completes a cut and passes it on with its error: as a part of it when it is about the record alone. It reports
// whether to go on.
func (x *Intake) give(c Cut, err error, yield func(Cut, error) bool) bool {
	if err == nil {
		if c.Err = refuseFormula(c.Record); c.Err != nil {
			err = c.Err
		}
	}
	if err != nil {
		c.Record = nil
		if !errors.As(err, &c.Err) {
			yield(Cut{}, fmt.Errorf("read a delivery: %w", err))
			return false
		}
		return yield(c, nil)
	}
	if x.inst.maps != nil {
		c.Lanes = x.inst.Lanes(c.Record)
		if c.Key = x.inst.RowKey(c.Record); c.Key != "" {
			sum := table.Digest(c.Record)
			c.Hash = hex.EncodeToString(sum[:])
		}
	}
	return yield(c, nil)
}

func (x *Intake) messages(i int, yield func(Cut, error) bool) bool {
	f := x.files[i]
	o := hl7v2.Options{Charset: x.charset(), File: f.Name, Limits: hl7v2.Limits{MaxBytes: x.lim.Record, MaxNodes: x.lim.Values}}
	for frame, err := range hl7v2.Split(bytes.NewReader(f.Bytes), o) {
		c := Cut{Format: record.HL7v2, File: i, Start: frame.Start, End: frame.End, Line: frame.Line}
		if err == nil {
			o.Line = frame.Line
			c.Record, err = hl7v2.Parse(frame.Bytes, o)
		}
		if !x.give(c, err, yield) {
			return false
		}
	}
	return true
}

// rows yields the joined rows of every map that reads tables of this delivery. A file or sheet that no source and no map
// knows is a cut of its own, so that nothing is lost without a word.
func (x *Intake) rows(files []int, yield func(Cut, error) bool) {
	set := &table.Set{}
	at := map[string]int{} // file name → its place
	var found []found
	for _, i := range files {
		at[x.files[i].Name] = i
		for _, t := range x.tables(i) {
			if t.err != nil {
				if !x.give(t.whole, t.err, yield) {
					return
				}
				continue
			}
			set.Add(t.name, t.file)
			found = append(found, t)
		}
	}
	var used []string
	for _, m := range x.inst.maps {
		if !record.Tabular(m.format) || len(set.Files(m.route.table)) == 0 {
			continue
		}
		used = append(append(used, m.route.table), joined(m.join)...)
		for rec, err := range set.Records(m.route.table, tableJoins(m.join), table.Limits{MaxRowBytes: x.lim.Record}) {
			c := Cut{Record: rec, Format: record.Table}
			if rec != nil && len(rec.Parts) > 0 {
				p := rec.Parts[0]
				c.Format, c.File, c.Start, c.End, c.Line, c.Place = rec.Format, at[p.File], p.Start, p.End, p.Line, p.Place
			}
			if !x.give(c, err, yield) {
				return
			}
		}
	}
	for _, t := range found {
		if !slices.Contains(used, t.name) {
			c := t.whole
			c.Err = &record.SyntaxError{File: t.file.Name(), Path: t.file.Sheet(), Code: "no-map", Reason: "no map reads table " + t.name}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// found is a table of a delivery, or why a file or sheet is none.
type found struct {
	name  string
	file  *table.File
	err   error
	whole Cut // all of it, for what is said about it as a whole
}

// tables opens the tables of a file once: what a workbook says is kept for the next reading.
func (x *Intake) tables(i int) []found {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t, ok := x.opened[i]; ok {
		return t
	}
	if x.opened == nil {
		x.opened = map[int][]found{}
	}
	f := x.files[i]
	if head := f.Bytes[:min(len(f.Bytes), 4096)]; table.IsBook(head) {
		x.opened[i] = x.sheets(i)
		return x.opened[i]
	}
	t := found{whole: Cut{Format: record.Table, File: i, End: int64(len(f.Bytes)), Line: 1}}
	var of Table
	var src Source
	if of, src = x.tableOf(f.Name, "", true); of.Name == "" {
		t.err = &record.SyntaxError{File: f.Name, Code: "table", Reason: "the file's name fits no table of a source"}
	} else {
		t.name = of.Name
		o := x.tableOptions()
		o.Delimiter = src.Delimiter
		t.file, t.err = table.Open(f.Name, bytes.NewReader(f.Bytes), int64(len(f.Bytes)), o)
	}
	x.opened[i] = []found{t}
	return x.opened[i]
}

func (x *Intake) tableOptions() table.Options {
	return table.Options{Charset: x.charset(), Limits: table.Limits{MaxRowBytes: x.lim.Record, MaxUnzipped: x.lim.Book}}
}

// sheets opens the tables of a workbook. Sheets in which nothing stands say nothing, and hidden ones that fit no table
// hold the lists that others choose from.
func (x *Intake) sheets(i int) []found {
	f := x.files[i]
	whole := Cut{Format: record.Excel, File: i, End: int64(len(f.Bytes)), Line: 1}
	book, err := table.OpenBook(f.Name, f.Bytes, x.tableOptions())
	if err != nil {
		return []found{{err: err, whole: whole}}
	}
	var out []found
	for n, sheet := range book.Sheets() {
		t := found{whole: whole}
		t.whole.Place = sheet.Name + "!1"
		of, _ := x.tableOf(f.Name, sheet.Name, n == 0)
		if of.Name == "" && sheet.Hidden {
			continue
		}
		empty, err := sheet.Empty()
		switch {
		case err != nil:
			t.err = err
		case empty:
			continue
		case of.Name == "":
			t.err = &record.SyntaxError{File: f.Name, Path: sheet.Name, Code: "table", Reason: "the sheet's name fits no table of a source"}
		default:
			t.name = of.Name
			t.file, t.err = sheet.Open(of.Heading)
		}
		out = append(out, t)
	}
	return out
}

// tableOf returns the table that a file, or a sheet of a workbook, belongs to by its name, and the source that says so:
// the longest patterns win. Where no source declares tables, the sheet's name or that of the file without its ending is
// the table.
func (x *Intake) tableOf(file, sheet string, first bool) (Table, Source) {
	sources := x.inst.sources
	if x.source.Name != "" {
		sources = []Source{x.source}
	}
	best, length, declared := Table{}, -1, false
	var from Source
	for _, s := range sources {
		if !record.Tabular(s.Format) {
			continue
		}
		declared = declared || len(s.Tables) > 0
		for _, t := range s.Tables {
			fits := table.Matches(t.Pattern, file)
			switch {
			case t.Sheet == "":
				fits = fits && first
			case sheet != "":
				fits = fits && table.Matches(t.Sheet, sheet)
			}
			if n := len(t.Pattern) + len(t.Sheet); fits && n > length {
				best, length, from = t, n, s
			}
		}
	}
	if !declared {
		if sheet == "" {
			base := file[strings.LastIndexAny(file, `/\`)+1:]
			sheet = strings.TrimSuffix(base, path.Ext(base))
		}
		return Table{Name: sheet}, x.source
	}
	return best, from
}

func tableJoins(joins []Join) []table.Join {
	out := make([]table.Join, len(joins))
	for i, j := range joins {
		out[i] = table.Join{Name: j.Name, Table: j.Table, Many: j.Many, On: map[string]string{}, Joins: tableJoins(j.Joins)}
		for _, on := range j.On {
			out[i].On[on.Column] = on.Other
		}
	}
	return out
}

func joined(joins []Join) []string {
	var out []string
	for _, j := range joins {
		out = append(append(out, j.Table), joined(j.Joins)...)
	}
	return out
}

// documents yields the JSON documents of one file.
func (x *Intake) documents(i int, yield func(Cut, error) bool) bool {
	f := x.files[i]
	o := markup.Options{Charset: x.charset(), File: f.Name, Limits: markup.Limits{MaxBytes: x.lim.Record, MaxDepth: x.lim.Depth, MaxNodes: x.lim.Values}}
	for doc, err := range markup.SplitJSON(bytes.NewReader(f.Bytes), o) {
		c := Cut{Format: record.JSON, File: i, Start: doc.Start, End: doc.End, Line: doc.Line}
		if err == nil {
			one := o
			one.Line, one.Column = doc.Line, doc.Column
			if doc.Charset != "" {
				one.Charset = doc.Charset
			}
			c.Record, err = markup.ParseJSON(doc.Bytes, one)
		}
		if !x.give(c, err, yield) {
			return false
		}
	}
	return true
}

// document yields the XML document that one file is.
func (x *Intake) document(i int, yield func(Cut, error) bool) bool {
	f := x.files[i]
	c := Cut{Format: record.XML, File: i, End: int64(len(f.Bytes)), Line: 1}
	var err error
	c.Record, err = markup.ParseXML(f.Bytes, markup.Options{Charset: x.charset(), File: f.Name,
		Limits: markup.Limits{MaxBytes: x.lim.Record, MaxDepth: x.lim.Depth, MaxNodes: x.lim.Values}})
	return x.give(c, err, yield)
}
