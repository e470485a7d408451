package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Defaults of Limits.
const (
	DefaultMaxRowBytes   = 1 << 20
	DefaultMaxColumns    = 2_000
	DefaultMaxJoined     = 10_000
	DefaultMaxJoinedRows = 5_000_000
	DefaultMaxUnzipped   = 96 << 20
	DefaultMaxRatio      = 100
	DefaultMaxParts      = 10_000
	DefaultMaxSheets     = 256
	DefaultMaxCells      = 2_000_000
	DefaultMaxMerged     = 100_000
)

// Limits bound what is read at once. A zero field means its default.
type Limits struct {
	MaxRowBytes   int // of one row, line breaks in its cells included
	MaxColumns    int
	MaxJoined     int // rows that one join adds to one record
	MaxJoinedRows int // rows of one joined table; each costs 24 bytes

	MaxUnzipped int // bytes of all that is read of a workbook, unzipped, of a page of HTML as it stands
	MaxRatio    int // how many times its size a workbook of more than 16 MB unzipped may have
	MaxParts    int // files in a workbook's file
	MaxSheets   int
	MaxCells    int // of one workbook, those counted that merged ones cover; each costs 16 bytes and its text
	MaxMerged   int // ranges of merged cells in one sheet
}

func (l Limits) orDefault() Limits {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&l.MaxRowBytes, DefaultMaxRowBytes)
	or(&l.MaxColumns, DefaultMaxColumns)
	or(&l.MaxJoined, DefaultMaxJoined)
	or(&l.MaxJoinedRows, DefaultMaxJoinedRows)
	or(&l.MaxUnzipped, DefaultMaxUnzipped)
	l.MaxUnzipped = min(l.MaxUnzipped, 1<<31-1) // texts are told apart by 32 bits
	or(&l.MaxRatio, DefaultMaxRatio)
	or(&l.MaxParts, DefaultMaxParts)
	or(&l.MaxSheets, DefaultMaxSheets)
	or(&l.MaxCells, DefaultMaxCells)
	or(&l.MaxMerged, DefaultMaxMerged)
	return l
}

// Options say how to read a file.
type Options struct {
	Charset   string // the institution's setting; "" to find out
	Delimiter rune   // ',', ';', '\t', '|' or any other ASCII character; 0 to find out
	NoQuotes  bool   // a quote is a character like any other
	Limits    Limits
}

// sampleBytes of a file decide its character set.
const sampleBytes = 1 << 20

// File is one delimited text file with a heading, or one sheet of a workbook. Its methods may be used by any
// number of goroutines when its reader may.
type File struct {
	name    string
	r       io.ReaderAt
	size    int64
	o       Options
	lim     Limits
	delim   byte
	text    charset.Decision
	heading []string
	columns record.Columns
	start   int64       // of the first row
	line    int         // line ends before it
	sheet   *sheetTable // nil for delimited text
}

// Open reads the heading of a file. name is for places and issues. Errors are
// *record.SyntaxError, with the codes "heading", "charset", "nul", "too-large" and
// "empty", or those of r.
func Open(name string, r io.ReaderAt, size int64, o Options) (*File, error) {
	f := &File{name: name, r: r, size: size, o: o, lim: o.Limits.orDefault()}
	if o.Delimiter < 0 || o.Delimiter >= 0x80 || o.Delimiter == '"' || o.Delimiter == '\n' || o.Delimiter == '\r' {
		return nil, fmt.Errorf("open table %s: the delimiter must be an ASCII character, neither quote nor line end", name)
	}
	f.delim = byte(o.Delimiter)
	sample := make([]byte, min(size, sampleBytes))
	n, err := r.ReadAt(sample, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sample = sample[:n]
	if int64(n) < size { // end between characters
		if i := bytes.LastIndexAny(sample, "\r\n"); i > 0 {
			sample = sample[:i+1]
		}
	}
	if f.text, err = charset.Decide(sample, charset.Options{Setting: o.Charset}); err != nil {
		return nil, err
	}
	return f, f.readHeading()
}

// Name returns the file's name.
func (f *File) Name() string { return f.name }

// Sheet returns the name of the sheet that the file's table is, "" for delimited text.
func (f *File) Sheet() string {
	if f.sheet == nil {
		return ""
	}
	return f.sheet.name
}

// Format returns record.Table, or record.Excel for a sheet.
func (f *File) Format() string {
	if f.sheet != nil {
		return record.Excel
	}
	return record.Table
}

// Heading returns the columns in the order of the file.
func (f *File) Heading() []string { return f.heading }

// Charset returns what the file is read as, "" for a workbook, which says it itself.
func (f *File) Charset() string { return f.text.Charset }

// Delimiter returns what separates its cells, 0 for a sheet.
func (f *File) Delimiter() rune { return rune(f.delim) }

// Issues returns findings about the file as a whole.
func (f *File) Issues() []fhir.Issue { return f.text.Issues }

func (f *File) readHeading() error {
	s := f.scan(int64(f.text.Mark), 0)
	for {
		raw, err := s.nextLine()
		if errors.Is(err, io.EOF) {
			return f.fail(1, 1, 0, "empty", "the file has no heading")
		}
		if err != nil {
			return err
		}
		text, err := f.decode(raw)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if sep, ok := strings.CutPrefix(strings.TrimSpace(text), "sep="); ok && len(sep) == 1 && raw.line == 1 { // what Excel writes for itself
			f.delim = sep[0]
			continue
		}
		if f.delim == 0 {
			f.delim = sniff(text, f.o.NoQuotes)
		}
		row, err := s.row(raw, text)
		if err != nil {
			return err
		}
		if err := f.setHeading(row); err != nil {
			return err
		}
		f.start, f.line = s.offset, s.line
		return nil
	}
}

// sniff returns the candidate that separates most cells of the heading.
func sniff(heading string, noQuotes bool) byte {
	best, most := byte(','), 0
	for _, c := range []byte{',', '\t', ';', '|'} {
		n, quoted := 0, false
		for i := range len(heading) {
			switch {
			case heading[i] == '"' && !noQuotes:
				quoted = !quoted
			case heading[i] == c && !quoted:
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

func (f *File) setHeading(row *Row) error {
	if len(row.cells) > f.lim.MaxColumns {
		return f.fail(row.line, 1, row.start, "too-large", fmt.Sprintf("the heading has more than %d columns", f.lim.MaxColumns))
	}
	f.columns = make(record.Columns, len(row.cells))
	for i, c := range row.cells {
		name := strings.TrimFunc(c.text, func(r rune) bool {
			return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B'
		})
		if name == "" {
			return f.fail(c.line, c.column, row.start, "heading", fmt.Sprintf("column %d has no name", i+1))
		}
		if j, ok := f.columns[name]; ok {
			return f.fail(c.line, c.column, row.start, "heading", fmt.Sprintf("columns %d and %d have the same name", j+1, i+1))
		}
		f.columns[name] = i
		f.heading = append(f.heading, name)
	}
	return nil
}

func (f *File) fail(line, column int, offset int64, code, reason string) *record.SyntaxError {
	return &record.SyntaxError{File: f.name, Line: line, Column: column, Offset: offset, Code: code, Reason: reason}
}

// decode decodes one line. While all has been ASCII and nothing is set, the first
// line with other bytes decides for itself.
func (f *File) decode(l line) (string, error) {
	d := f.text
	if !d.Sure {
		var err error
		if d, err = charset.Decide(l.bytes, charset.Options{Setting: f.o.Charset}); err != nil {
			return "", err
		}
	}
	text, err := d.Decode(l.bytes)
	var at *record.SyntaxError
	if errors.As(err, &at) {
		column := int(at.Offset) + 1
		return "", f.fail(l.line, column, l.start+at.Offset, at.Code, fmt.Sprintf("byte %d: not %s text", l.start+at.Offset, d.Charset))
	}
	return text, err
}
