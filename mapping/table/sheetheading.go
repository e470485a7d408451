package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/yilian/yilian/mapping/record"
)

// maxHeading is how many rows a heading may have.
const maxHeading = 4

// sampleRows at the beginning of a sheet decide where its heading is.
const sampleRows = 200

// sheetTable is a sheet read as a table.
type sheetTable struct {
	name    string
	size    int64 // of the workbook's file
	grid    *grid
	columns []uint16 // of the sheet, for each name of the heading
	first   int      // row of data, in the grid
}

// Empty reports whether nothing stands in the sheet.
func (s *Sheet) Empty() (bool, error) {
	g, err := s.load()
	return err == nil && len(g.rows) == 0, err
}

// Open reads the sheet as a table whose heading stands in the given rows, from 1, or
// where that is zero in those above the first row of data. What stands above the
// heading is left out. Errors are those of OpenBook and "heading".
func (s *Sheet) Open(heading [2]int) (*File, error) {
	g, err := s.load()
	if err != nil {
		return nil, err
	}
	f := &File{name: s.book.name, lim: s.book.lim, columns: record.Columns{}, sheet: &sheetTable{name: s.Name, size: int64(len(s.book.data)), grid: g}}
	from, to := 0, 0
	if heading[0] > 0 {
		for to = 0; to < len(g.rows) && int(g.rows[to].number) <= heading[1]; to++ {
			if int(g.rows[to].number) < heading[0] {
				from = to + 1
			}
		}
		if from == to {
			return nil, f.headingError(heading[0], 0, "nothing stands where the heading should be")
		}
	} else {
		from, to = g.heading()
		if from == to {
			return nil, f.headingError(1, 0, "it is not to be told where the heading is; say heading: and its rows with the table of the source")
		}
		for _, r := range g.rows[from:to] {
			for _, c := range g.cells[r.start : r.start+r.size] {
				if c.kind != textCell {
					return nil, f.headingError(int(r.number), int(c.column), "a number or date stands where the heading should be; say heading: and its rows with the table of the source")
				}
			}
		}
	}
	f.text = s.book.text
	f.sheet.first = to
	f.line = int(g.rows[to-1].number)
	return f, f.nameColumns(from, to)
}

func (f *File) headingError(row, column int, reason string) error {
	return &record.SyntaxError{File: f.name, Line: row, Column: column + 1, Path: f.sheet.name, Code: "heading", Reason: reason}
}

// nameColumns joins the names that stand above each other in the rows of the heading.
// A range of merged cells that covers several columns names the first of them, unless
// a further row tells them apart.
func (f *File) nameColumns(from, to int) error {
	g := f.sheet.grid
	names := make([][]string, g.columns)
	ranges := make([][]uint32, g.columns)
	for i := from; i < to; i++ {
		for _, c := range g.row(i) {
			if c.from > 0 && slices.Contains(ranges[c.column], c.from) {
				continue // the same cell, further down
			}
			names[c.column] = append(names[c.column], columnText(g.textOf(c)))
			ranges[c.column] = append(ranges[c.column], c.from)
		}
	}
	row := int(g.rows[to-1].number)
	for c, parts := range names {
		if len(parts) == 0 {
			continue
		}
		name := strings.Join(parts, "_")
		if j, ok := f.columns[name]; ok {
			before := f.sheet.columns[j]
			if ranges[c][0] > 0 && slices.Equal(ranges[c], ranges[before]) {
				continue // one name over two columns
			}
			return f.headingError(row, c, fmt.Sprintf("columns %s and %s have the same name", columnName(int(before)), columnName(c)))
		}
		f.columns[name] = len(f.heading)
		f.heading = append(f.heading, name)
		f.sheet.columns = append(f.sheet.columns, uint16(c))
	}
	if len(f.heading) > f.lim.MaxColumns {
		return f.fail(row, 1, 0, "too-large", fmt.Sprintf("the heading has more than %d columns", f.lim.MaxColumns))
	}
	if len(f.heading) == 0 {
		return f.headingError(row, 0, "no column has a name")
	}
	return nil
}

// columnText is a name without the blanks around it and the line breaks in it.
func columnText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\uFEFF' || r == '\u200B' {
			return -1
		}
		return r
	}, s)
	return strings.TrimFunc(s, unicode.IsSpace)
}

// heading finds the rows of the heading: the first row that is no title, and those
// that its merged cells lead to. from == to when there is none.
func (g *grid) heading() (from, to int) {
	width := 0
	for i := range min(len(g.rows), sampleRows) {
		width = max(width, int(g.rows[i].size))
	}
	for from < len(g.rows) && g.isTitle(from, width) {
		from++
	}
	if from == len(g.rows) {
		return 0, 0
	}
	to = from + 1
	for to < len(g.rows) && to-from < maxHeading && g.leadsOn(from, to) {
		to++
	}
	return from, to
}

// isTitle reports whether a row stands above a table without naming its columns: it is
// one cell, reaches over no more than half of the table, or says something about it –
// who made it: …, a date.
func (g *grid) isTitle(row, width int) bool {
	cells := g.row(row)
	distinct, says := 0, false
	for i, c := range cells {
		if i > 0 && c.from > 0 && c.from == cells[i-1].from {
			continue
		}
		distinct++
		says = says || c.kind != textCell || strings.ContainsAny(g.textOf(c), "：:")
	}
	if width == 1 { // a title over columns in which nothing stands is one too
		from := cells[0].from
		return from > 0 && g.ranges[from-1].right > g.ranges[from-1].left
	}
	return distinct == 1 || 2*len(cells) <= width || says && distinct < width
}

// leadsOn reports whether a row of the heading needs the one below it: a cell is merged
// into that, or one is merged over columns which that tells apart.
func (g *grid) leadsOn(from, below int) bool {
	lower := g.row(below)
	upper := g.row(below - 1)
	at := map[uint16]gridCell{}
	for _, c := range lower {
		at[c.column] = c
	}
	for i, c := range upper {
		if c.from == 0 {
			continue
		}
		if at[c.column].from == c.from {
			return true
		}
		if i+1 < len(upper) && upper[i+1].from == c.from {
			a, okA := at[c.column]
			b, okB := at[upper[i+1].column]
			if okA && okB && a.kind == textCell && b.kind == textCell && (a.from == 0 || a.from != b.from) {
				return true
			}
		}
	}
	return false
}
