package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Row is one row of a file.
type Row struct {
	file       *File
	cells      []cell
	start, end int64 // bytes; of a sheet, start is which of the rows that say anything
	line       int
}

type cell struct {
	text         string
	quoted       bool
	flaw         uint8 // of a sheet's cell
	line, column int
}

// line is one line of the file, without its end.
type line struct {
	bytes []byte // valid until the next line is read
	start int64
	line  int
}

const scanBuffer = 32 << 10

// scanner reads a file line by line. Line ends are never part of a character in
// the encodings of files, so lines can be told before they are decoded.
type scanner struct {
	f       *File
	offset  int64 // of the next line
	line    int   // line ends before it
	buf     []byte
	at      int64 // of buf[0] in the file
	oneLine bool  // a quote was left open: no cell goes over a line end any more
	cells   []cell
}

func (f *File) scan(offset int64, line int) *scanner {
	return &scanner{f: f, offset: offset, line: line}
}

// nextLine returns the next line, or io.EOF.
func (s *scanner) nextLine() (line, error) {
	if s.offset >= s.f.size {
		return line{}, io.EOF
	}
	from := 0 // what has been searched
	for {
		window := s.window()
		n, size := s.lineEnd(window, from)
		if n < 0 {
			if s.at+int64(len(s.buf)) >= s.f.size {
				n, size = len(window), 0
			} else {
				if len(window) > s.f.lim.MaxRowBytes {
					return s.skipLong()
				}
				from = max(len(window)-2, 0)
				if err := s.fill(len(window) + scanBuffer); err != nil {
					return line{}, err
				}
				continue
			}
		}
		l := line{bytes: window[:n:n], start: s.offset, line: s.line + 1}
		s.offset += int64(n + size)
		s.line++
		if n > s.f.lim.MaxRowBytes {
			return l, s.tooLarge(l)
		}
		return l, nil
	}
}

func (s *scanner) tooLarge(l line) error {
	return s.f.fail(l.line, 1, l.start, "too-large", fmt.Sprintf("the row has more than %d bytes", s.f.lim.MaxRowBytes))
}

// skipLong passes over a line that is too long to be held.
func (s *scanner) skipLong() (line, error) {
	l := line{start: s.offset, line: s.line + 1}
	for s.offset < s.f.size {
		window := s.window()
		if n, size := s.lineEnd(window, 0); n >= 0 {
			s.offset += int64(n + size)
			break
		}
		keep := 0
		if len(window) > 2 && s.at+int64(len(s.buf)) < s.f.size {
			keep = 2 // a line end may be cut
		}
		s.offset += int64(len(window) - keep)
		if err := s.fill(scanBuffer); err != nil {
			return l, err
		}
	}
	s.line++
	return l, s.tooLarge(l)
}

// window returns what is buffered from the next line on.
func (s *scanner) window() []byte {
	if s.offset < s.at || s.offset > s.at+int64(len(s.buf)) {
		s.at, s.buf = s.offset, s.buf[:0]
	}
	return s.buf[s.offset-s.at:]
}

// fill makes the window at least n bytes, or all that is left.
func (s *scanner) fill(n int) error {
	left := s.f.size - s.offset
	n = int(min(int64(n), left))
	window := s.window()
	if cap(s.buf) < n {
		s.buf = append(make([]byte, 0, n), window...)
	} else {
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], window)]
	}
	s.at = s.offset
	have := len(s.buf)
	s.buf = s.buf[:n]
	got, err := s.f.r.ReadAt(s.buf[have:], s.at+int64(have))
	s.buf = s.buf[:have+got]
	if err == io.EOF && have+got == n {
		err = nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// lineEnd returns where the first line in b ends and the length of its end; -1
// when that is not known.
func (s *scanner) lineEnd(b []byte, from int) (n, size int) {
	last := s.at+int64(len(s.buf)) >= s.f.size
	if set := s.f.text.Charset; set == charset.UTF16LE || set == charset.UTF16BE {
		high := 1
		if set == charset.UTF16BE {
			high = 0
		}
		for i := from &^ 1; i+1 < len(b); i += 2 {
			switch c := b[i+1-high]; {
			case b[i+high] != 0 || c != '\n' && c != '\r':
			case c == '\r' && i+3 < len(b) && b[i+2+high] == 0 && b[i+3-high] == '\n':
				return i, 4
			case c == '\r' && i+3 >= len(b) && !last:
				return -1, 0
			default:
				return i, 2
			}
		}
		return -1, 0
	}
	i := bytes.IndexByte(b[from:], '\n')
	if r := bytes.IndexByte(b[from:][:max(i, 0)], '\r'); i >= 0 && r >= 0 {
		i = r
	} else if i < 0 {
		i = bytes.IndexByte(b[from:], '\r')
	}
	if i < 0 {
		return -1, 0
	}
	i += from
	if b[i] == '\r' {
		if i+1 == len(b) && !last {
			return -1, 0
		}
		if i+1 < len(b) && b[i+1] == '\n' {
			return i, 2
		}
	}
	return i, 1
}

func (s *scanner) seek(at int64, line int) { s.offset, s.line = at, line-1 }

func (s *scanner) next() (*Row, error) {
	for {
		raw, err := s.nextLine()
		if err != nil {
			var at *record.SyntaxError
			if errors.As(err, &at) {
				return &Row{file: s.f, start: raw.start, end: s.offset, line: raw.line}, err
			}
			return nil, err
		}
		if len(raw.bytes) == 0 || s.offset >= s.f.size && string(raw.bytes) == "\x1a" {
			continue
		}
		text, err := s.f.decode(raw)
		if err != nil {
			return &Row{file: s.f, start: raw.start, end: s.offset, line: raw.line}, err
		}
		if strings.TrimSpace(text) == "" && s.f.delim != '\t' && s.f.delim != ' ' {
			continue
		}
		return s.row(raw, text)
	}
}

// row splits the row that begins with a line; a quoted cell may take in the lines
// that follow.
func (s *scanner) row(first line, text string) (*Row, error) {
	row := &Row{file: s.f, start: first.start, line: first.line}
	resume, resumeLine := s.offset, s.line
	cells := s.cells[:0]
	at, column := first.line, 1
	delim := s.f.delim
	fail := func(code, reason string, line, column int) (*Row, error) {
		s.offset, s.line = resume, resumeLine
		row.end = resume
		return row, s.f.fail(line, column, first.start, code, reason)
	}
	for {
		if s.f.o.NoQuotes || text == "" || text[0] != '"' {
			i := strings.IndexByte(text, delim)
			value := text
			if i >= 0 {
				value = text[:i]
			}
			cells = append(cells, cell{text: value, line: at, column: column})
			if i < 0 {
				break
			}
			column += utf8.RuneCountInString(value) + 1
			text = text[i+1:]
			continue
		}
		c := cell{quoted: true, line: at, column: column}
		text, column = text[1:], column+1
		var long strings.Builder // what the cell is made of, when it is not one piece
		for {
			i := strings.IndexByte(text, '"')
			if i < 0 { // the cell goes on in the next line
				if s.oneLine {
					return fail("quote", "a quoted cell is not closed", c.line, c.column)
				}
				long.WriteString(text)
				long.WriteByte('\n')
				if long.Len() > s.f.lim.MaxRowBytes {
					s.oneLine = true
					return fail("too-large", fmt.Sprintf("the row has more than %d bytes; a quote may be left open", s.f.lim.MaxRowBytes), c.line, c.column)
				}
				raw, err := s.nextLine()
				if errors.Is(err, io.EOF) {
					s.oneLine = true
					return fail("quote", "a quoted cell is not closed", c.line, c.column)
				}
				if err == nil {
					text, err = s.f.decode(raw)
				}
				if err != nil {
					s.oneLine = true
					var e *record.SyntaxError
					if errors.As(err, &e) {
						return fail(e.Code, e.Reason, e.Line, e.Column)
					}
					return nil, err
				}
				at, column = raw.line, 1
				continue
			}
			column += utf8.RuneCountInString(text[:i]) + 1
			if i+1 < len(text) && text[i+1] == '"' {
				long.WriteString(text[:i+1])
				text, column = text[i+2:], column+1
				continue
			}
			if long.Len() == 0 {
				c.text = text[:i]
			} else {
				long.WriteString(text[:i])
				c.text = long.String()
			}
			text = text[i+1:]
			break
		}
		cells = append(cells, c)
		if blank := len(text) - len(strings.TrimLeft(text, " ")); blank > 0 && delim != ' ' {
			text, column = text[blank:], column+blank
		}
		if text == "" {
			break
		}
		if text[0] != delim && at != c.line {
			return fail("quote", "text after the end of a quoted cell that goes over lines; a quote may be left open", c.line, c.column)
		}
		if text[0] != delim {
			return fail("quote", "text after the end of a quoted cell", at, column)
		}
		text, column = text[1:], column+1
	}
	if len(cells) > s.f.lim.MaxColumns+1 {
		return fail("columns", fmt.Sprintf("the row has more than %d cells", s.f.lim.MaxColumns), first.line, 1)
	}
	s.cells = cells
	row.cells, row.end = cells, s.offset
	if n := len(s.f.heading); n > 0 {
		if len(cells) == n+1 && !cells[n].quoted && strings.TrimSpace(cells[n].text) == "" {
			row.cells = cells[:n] // each line ends with a delimiter
		} else if len(cells) != n {
			return row, s.f.fail(first.line, 1, first.start, "columns", fmt.Sprintf("the row has %d cells, the heading %d", len(cells), n))
		}
		if err := row.lost(); err != nil {
			return row, err
		}
	}
	return row, nil
}

// value returns what a cell says. A cell of blanks says nothing, and so does what
// databases export for their null.
func (c *cell) value() (string, record.State) {
	switch {
	case c.text == "":
		return "", record.Empty
	case !c.quoted && (c.text == "NULL" || c.text == `\N`):
		return "", record.Empty
	case c.text[0] <= ' ' || c.text[0] >= utf8.RuneSelf:
		if strings.TrimSpace(c.text) == "" {
			return "", record.Empty
		}
	}
	return c.text, record.Present
}

// key returns the value of a column for joining: without the blanks that fixed
// widths leave around it.
func (r *Row) key(column int) string {
	if column >= len(r.cells) {
		return ""
	}
	text, _ := r.cells[column].value()
	return strings.TrimSpace(text)
}

// fill adds the row's cells to a group.
func (r *Row) fill(b *record.Builder, group *record.Node, room int) {
	b.Reserve(group, len(r.cells)+room)
	for i := range r.cells {
		c := &r.cells[i]
		if c.flaw == errorCell {
			continue // not known: what is stored stays
		}
		text, state := c.value()
		leaf := b.Leaf(r.file.heading[i], text, state)
		leaf.Mark(c.line, c.column)
		group.Add(leaf)
	}
	group.Mark(r.line, 1)
}

// part says which bytes the row is.
func (r *Row) part(path string) record.Part {
	if t := r.file.sheet; t != nil {
		return record.Part{File: r.file.name, End: t.size, Line: r.line, Place: r.place(), Path: path}
	}
	return record.Part{File: r.file.name, Start: r.start, End: r.end, Line: r.line, Path: path}
}
