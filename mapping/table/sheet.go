package table

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// load reads the sheet, once.
func (s *Sheet) load() (*grid, error) {
	if s.grid != nil || s.err != nil {
		return s.grid, s.err
	}
	r := sheetReader{book: s.book, out: gridBuilder{lim: s.book.lim, cells: &s.book.cells}}
	r.out.shared = s.book.strings
	err := s.book.parts.read(s.part, r.read)
	if err == nil {
		s.grid, err = r.out.finish()
	}
	if err != nil {
		s.err = s.book.fail(err)
	}
	return s.grid, s.err
}

// sheetReader reads the part that a sheet is.
type sheetReader struct {
	book   *Book
	out    gridBuilder
	row    int // the last one, from 1
	column int // behind the last cell, from 0
	value  []byte
}

func (r *sheetReader) read(x *elements) error {
	for {
		kind, err := x.next()
		if err != nil {
			return err
		}
		if kind != startTag {
			continue
		}
		switch string(x.local()) {
		case "worksheet", "sheetData", "mergeCells": // to go into
		case "row":
			if r.row, err = x.number("r", r.row+1); err != nil {
				return err
			}
			if r.row < 1 {
				return broken("a row has no number")
			}
			r.column = 0
			err = r.out.beginRow(r.row)
		case "c":
			err = r.cell(x)
		case "mergeCell":
			err = r.merge(x)
		default:
			err = x.skip()
		}
		if err != nil {
			return err
		}
	}
}

// parseCell reads a cell's name, such as AB12.
func parseCell(name []byte) (column, row int, ok bool) {
	i := 0
	for ; i < len(name) && i < 4; i++ {
		c := name[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	row, ok = wholeNumber(name[i:])
	return column - 1, row, ok && i > 0 && column <= maxColumn && row >= 1 && row <= maxRow
}

func (r *sheetReader) merge(x *elements) error {
	ref, _ := x.attr("ref")
	first, last, ok := bytes.Cut(ref, []byte(":"))
	if !ok {
		last = first
	}
	left, top, ok1 := parseCell(first)
	right, bottom, ok2 := parseCell(last)
	if !ok1 || !ok2 {
		return broken("a range of merged cells is not one")
	}
	return r.out.merge(merged{top: top, bottom: bottom, left: left, right: right})
}

// cell reads one cell and adds it when it says anything.
func (r *sheetReader) cell(x *elements) error {
	if len(r.out.rows) == 0 {
		return broken("a cell stands in no row")
	}
	column := r.column
	if name, ok := x.attr("r"); ok {
		var row int
		if column, row, ok = parseCell(name); !ok || row != r.row {
			return broken("a cell is not where it says")
		}
	}
	if column >= maxColumn {
		return broken("a cell stands behind the last column")
	}
	r.column = column + 1
	attr, _ := x.attr("t")
	kind := cellType(attr)
	style, err := x.number("s", 0)
	if err != nil {
		return err
	}
	formula, valued := false, false
	r.value = r.value[:0]
	depth, inValue := x.depth(), false
	for x.depth() >= depth {
		piece, err := x.next()
		if err != nil {
			return err
		}
		switch {
		case piece == endTag:
			inValue = false
		case piece == charData && inValue:
			if r.value, err = appendText(r.value, x.data, x.cdata); err != nil {
				return err
			}
		case piece == startTag:
			switch string(x.local()) {
			case "v":
				inValue, valued = true, true
			case "f":
				formula = true
			case "is":
				valued = true
				if r.value, err = appendRuns(r.value, x); err != nil {
					return err
				}
			}
		}
	}
	c := gridCell{column: uint16(column)}
	if formula && !valued {
		c.flaw = notComputed
		return r.out.add(c)
	}
	if len(r.value) == 0 {
		return nil
	}
	return r.add(c, kind, style)
}

// cellType returns the name of a cell's type, without making a string of it each time.
func cellType(attr []byte) string {
	for _, t := range [...]string{"", "s", "n", "str", "inlineStr", "b", "e", "d"} {
		if string(attr) == t {
			return t
		}
	}
	return "?"
}

func (r *sheetReader) add(c gridCell, kind string, style int) error {
	b := &r.out.b
	c.at = uint32(b.Len())
	switch kind {
	case "s":
		n, ok := wholeNumber(r.value)
		if !ok || n >= len(r.book.strings.ends) {
			return broken("a cell has a text that is not there")
		}
		text := r.book.strings.at(uint32(n))
		if strings.TrimSpace(text) == "" {
			return nil
		}
		c.at, c.flaw = uint32(n), shared
		if cutDigits(text) {
			c.flaw |= lostDigits
		}
		return r.out.add(c)
	case "str", "inlineStr":
		if kind == "str" {
			r.value = unescape(r.value, 0)
		}
		return r.addText(c)
	case "b":
		c.kind = boolCell
		r.value = append(r.value[:0], map[bool]string{true: "TRUE", false: "FALSE"}[string(r.value) == "1"]...)
	case "e":
		c.flaw = errorCell
	case "d":
		c.kind = dateCell
		if len(r.value) > 10 && r.value[10] == 'T' {
			r.value[10] = ' '
		}
	case "", "n":
		if err := r.number(&c, style); err != nil {
			return err
		}
	default:
		return broken("a cell is of a kind that there is not")
	}
	b.Write(r.value)
	c.size = uint32(b.Len()) - c.at
	return r.out.add(c)
}

// addText adds a text that stands in its cell.
func (r *sheetReader) addText(c gridCell) error { return r.out.addText(c, r.value) }

func (b *gridBuilder) addText(c gridCell, text []byte) error {
	s := string(text)
	if strings.TrimSpace(s) == "" {
		return nil
	}
	if cutDigits(s) {
		c.flaw = lostDigits
	}
	c.at = uint32(b.b.Len())
	b.b.WriteString(s)
	c.size = uint32(len(s))
	return b.add(c)
}

// number writes a number as its format shows it in place of its value.
func (r *sheetReader) number(c *gridCell, style int) error {
	c.kind = numberCell
	var f *numberFormat
	if style < len(r.book.formats) {
		f = r.book.formats[style]
	}
	if (f == nil || !f.date && len(f.sections) == 0) && isInteger(r.value) {
		return nil // as it stands
	}
	v, err := strconv.ParseFloat(string(trimBlanks(r.value)), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return broken("a cell is no number")
	}
	if math.Abs(v) >= maxExact {
		c.flaw = lostDigits
		r.value = append(r.value[:0], '#')
		return nil
	}
	if f != nil && f.date {
		date, ok := f.appendDate(r.value[:0], v, r.book.from1904)
		if r.value = date; ok {
			c.kind = dateCell
			return nil
		}
	}
	r.value = f.appendNumber(r.value[:0], v)
	return nil
}

// isInteger reports whether a text is a whole number that is shown as it stands.
func isInteger(b []byte) bool {
	if len(b) == 0 || len(b) > 15 || b[0] == '0' && len(b) > 1 {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
