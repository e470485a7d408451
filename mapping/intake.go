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
}

// Intake reads the records of one delivery. Reading it again gives the same.
type Intake struct {
	inst   *Institution
	files  []File
	source Source
	lim    IntakeLimits
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
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")) || isPage(head) {
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

// isPage reports whether a file begins like a page of HTML.
func isPage(head []byte) bool {
	head = bytes.ToLower(head)
	for _, tag := range []string{"<html", "<!doctype html", "<table", "<meta", "<head"} {
		if bytes.HasPrefix(head, []byte(tag)) {
			return true
		}
	}
	return false
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

// rows yields the joined rows of every map that reads tables of this delivery. A file that no source and no map knows is
// a cut of its own, so that nothing is lost without a word.
func (x *Intake) rows(files []int, yield func(Cut, error) bool) {
	set := &table.Set{}
	tables := map[int]string{}
	at := map[string]int{} // file name → its place
	for _, i := range files {
		f := x.files[i]
		at[f.Name] = i
		whole := Cut{Format: record.Table, File: i, End: int64(len(f.Bytes)), Line: 1}
		name, src := x.tableOf(f.Name)
		if name == "" {
			whole.Err = &record.SyntaxError{File: f.Name, Code: "table", Reason: "the file's name fits no table of a source"}
			if !yield(whole, nil) {
				return
			}
			continue
		}
		opened, err := table.Open(f.Name, bytes.NewReader(f.Bytes), int64(len(f.Bytes)), table.Options{
			Charset: x.charset(), Delimiter: src.Delimiter, Limits: table.Limits{MaxRowBytes: x.lim.Record}})
		if err != nil {
			if !x.give(whole, err, yield) {
				return
			}
			continue
		}
		set.Add(name, opened)
		tables[i] = name
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
				c.File, c.Start, c.End, c.Line = at[p.File], p.Start, p.End, p.Line
			}
			if !x.give(c, err, yield) {
				return
			}
		}
	}
	for _, i := range files {
		if name := tables[i]; name != "" && !slices.Contains(used, name) {
			c := Cut{Format: record.Table, File: i, End: int64(len(x.files[i].Bytes)), Line: 1,
				Err: &record.SyntaxError{File: x.files[i].Name, Code: "no-map", Reason: "no map reads table " + name}}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// tableOf returns the table that a file belongs to by its name, and the source that says so: the longest pattern wins.
// Where no source declares tables, the name without its ending is the table.
func (x *Intake) tableOf(file string) (string, Source) {
	sources := x.inst.sources
	if x.source.Name != "" {
		sources = []Source{x.source}
	}
	name, length, declared := "", -1, false
	var from Source
	for _, s := range sources {
		if !record.Tabular(s.Format) {
			continue
		}
		declared = declared || len(s.Tables) > 0
		for _, t := range s.Tables {
			if len(t.Pattern) > length && table.Matches(t.Pattern, file) {
				name, length, from = t.Name, len(t.Pattern), s
			}
		}
	}
	if !declared {
		base := file[strings.LastIndexAny(file, `/\`)+1:]
		return strings.TrimSuffix(base, path.Ext(base)), x.source
	}
	return name, from
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
