package table

import (
	"fmt"
	"io"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// Message ids of the issues about single cells.
const (
	CellError    = "cell-error"           // #N/A, #REF!: its value is not taken in
	CellFormula  = "formula-not-computed" // it has no value, as nobody has computed it
	codeLost     = "digits-lost"
	reasonLost   = "the number has more digits than a spreadsheet keeps; make the column text before it is filled, and export it again"
	reasonNoName = "a cell stands in column %s, which has no name"
)

// rowReader reads the rows of a table one by one.
type rowReader interface {
	// next returns the next row. A *record.SyntaxError is about this row alone, whose
	// place the row still has; any other error ends the table.
	next() (*Row, error)
	// seek makes the next row the one of an entry.
	seek(at int64, line int)
}

// reader reads the table's rows from the first on.
func (f *File) reader() rowReader {
	if f.sheet != nil {
		return &sheetScanner{f: f, row: f.sheet.first}
	}
	return f.scan(f.start, f.line)
}

// sheetScanner reads the rows of a sheet.
type sheetScanner struct {
	f     *File
	row   int // in the grid
	cells []cell
}

func (s *sheetScanner) seek(at int64, _ int) { s.row = int(at) }

func (s *sheetScanner) next() (*Row, error) {
	t := s.f.sheet
	if s.row >= len(t.grid.rows) {
		return nil, io.EOF
	}
	number := int(t.grid.rows[s.row].number)
	row := &Row{file: s.f, start: int64(s.row), line: number}
	cells, text := s.cells[:0], 0
	own := t.grid.row(s.row)
	s.row++
	for _, column := range t.columns {
		for len(own) > 0 && own[0].column < column {
			if err := s.unnamed(own[0], number); err != nil {
				return row, err
			}
			own = own[1:]
		}
		c := cell{line: number, column: int(column) + 1}
		if len(own) > 0 && own[0].column == column {
			c.flaw = own[0].flaw &^ shared
			if c.flaw == sound || c.flaw == lostDigits {
				c.text = t.grid.textOf(own[0])
			}
			own = own[1:]
		}
		text += len(c.text)
		cells = append(cells, c)
	}
	for _, c := range own {
		if err := s.unnamed(c, number); err != nil {
			return row, err
		}
	}
	s.cells = cells
	if text > s.f.lim.MaxRowBytes {
		return row, s.f.fail(number, 1, 0, "too-large", fmt.Sprintf("the row has more than %d bytes", s.f.lim.MaxRowBytes))
	}
	row.cells = cells
	return row, row.lost()
}

// unnamed says that a cell stands where the heading has no name, unless the name of
// its neighbour holds for it.
func (s *sheetScanner) unnamed(c gridCell, row int) error {
	if c.from > 0 { // a range that begins in a named column
		t := s.f.sheet
		for _, m := range t.columns {
			if int(m) == t.grid.ranges[c.from-1].left {
				return nil
			}
		}
	}
	return s.f.fail(row, int(c.column)+1, 0, "columns", fmt.Sprintf(reasonNoName, columnName(int(c.column))))
}

// lost says in which cell digits were lost that nobody can bring back.
func (r *Row) lost() error {
	for i := range r.cells {
		c := &r.cells[i]
		if c.flaw != lostDigits && (r.file.sheet != nil || !cutDigits(c.text)) {
			continue
		}
		err := r.file.fail(c.line, c.column, r.offset(), codeLost, reasonLost)
		err.Path = r.file.heading[i]
		return err
	}
	return nil
}

// place is where in a workbook the row stands, "" elsewhere.
func (r *Row) place() string {
	if r.file.sheet == nil {
		return ""
	}
	return r.file.sheet.name + "!" + strconv.Itoa(r.line)
}

// offset is where in its file the row begins, 0 in a workbook.
func (r *Row) offset() int64 {
	if r.file.sheet != nil {
		return 0
	}
	return r.start
}

// issues are the findings about single cells, below the group called prefix.
func (r *Row) issues(prefix string) []fhir.Issue {
	var out []fhir.Issue
	for i := range r.cells {
		c := &r.cells[i]
		issue := fhir.Issue{Severity: fhir.Warning, Code: fhir.TypeValue, Origin: prefix + r.file.heading[i], Line: c.line, Column: c.column}
		switch c.flaw {
		case errorCell:
			issue.ID, issue.Text = CellError, "the cell says only that its formula failed; it is read as if the column were not there"
		case notComputed:
			issue.ID, issue.Text = CellFormula, "the cell has a formula without a value; it is read as empty"
		default:
			continue
		}
		out = append(out, issue)
	}
	return out
}
