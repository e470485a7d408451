package table

import (
	"cmp"
	"slices"
	"strings"
)

// What a cell of a sheet is.
const (
	textCell = iota
	numberCell
	dateCell
	boolCell
)

// What is wrong with a cell.
const (
	sound = iota
	lostDigits
	errorCell
	notComputed
)

// gridCell is a cell that says something. Its text stands with others in one string.
type gridCell struct {
	at, size uint32 // in the grid's text, or for a shared string which one
	from     uint32 // the merged range it is covered by, from 1; 0 for none
	column   uint16 // from 0
	kind     uint8
	flaw     uint8 // and shared, as its highest bit
}

const shared = 0x80

type gridRow struct {
	number uint32 // from 1
	start  uint32 // of its cells
	size   uint32
}

// merged is a range of cells that show what the first of them says.
type merged struct {
	top, bottom int // rows, from 1
	left, right int // columns, from 0
}

// texts are many strings in one.
type texts struct {
	all  string
	ends []uint32
}

func (t *texts) at(i uint32) string {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.all[from:t.ends[i]]
}

// grid is a sheet: its rows that say anything, in their order.
type grid struct {
	rows    []gridRow
	cells   []gridCell
	text    string
	shared  *texts
	ranges  []merged
	columns int // one more than the last column that says anything
}

func (g *grid) row(i int) []gridCell {
	r := g.rows[i]
	return g.cells[r.start : r.start+r.size]
}

func (g *grid) textOf(c gridCell) string {
	if c.flaw&shared != 0 {
		return g.shared.at(c.at)
	}
	return g.text[c.at : c.at+c.size]
}

// gridBuilder takes in cells in the order of rows and columns.
type gridBuilder struct {
	grid
	b     strings.Builder
	lim   Limits
	cells *int // of the whole workbook, so far
}

func (b *gridBuilder) beginRow(number int) error {
	if n := len(b.rows); n > 0 && int(b.rows[n-1].number) >= number {
		return broken("its rows are not in order")
	}
	if number > maxRow {
		return broken("a row stands below the last")
	}
	b.endRow()
	b.rows = append(b.rows, gridRow{number: uint32(number), start: uint32(len(b.grid.cells))})
	return nil
}

// endRow forgets a row that says nothing.
func (b *gridBuilder) endRow() {
	n := len(b.rows) - 1
	if n < 0 {
		return
	}
	if b.rows[n].size = uint32(len(b.grid.cells)) - b.rows[n].start; b.rows[n].size == 0 {
		b.rows = b.rows[:n]
	}
}

// maxRow and maxColumn are the last that any workbook has, from 1.
const (
	maxRow    = 1 << 20
	maxColumn = 1 << 14
)

// add adds a cell; its text was written to b.b, unless it is shared.
func (b *gridBuilder) add(c gridCell) error {
	first := b.rows[len(b.rows)-1].start
	if n := len(b.grid.cells); n > int(first) && b.grid.cells[n-1].column >= c.column {
		return broken("the cells of a row are not in order")
	}
	if int(c.column) >= b.lim.MaxColumns {
		return tooLarge("a cell stands behind column %s, the last of %d that are read", columnName(b.lim.MaxColumns-1), b.lim.MaxColumns)
	}
	if *b.cells++; *b.cells > b.lim.MaxCells {
		return tooLarge("the workbook has more than %d cells", b.lim.MaxCells)
	}
	b.columns = max(b.columns, int(c.column)+1)
	b.grid.cells = append(b.grid.cells, c)
	return nil
}

func (b *gridBuilder) merge(m merged) error {
	if m.top > m.bottom || m.left > m.right || m.bottom > maxRow || m.right >= maxColumn {
		return broken("a range of merged cells is not one")
	}
	if m.top == m.bottom && m.left == m.right {
		return nil
	}
	if len(b.ranges) >= b.lim.MaxMerged {
		return tooLarge("a sheet has more than %d ranges of merged cells", b.lim.MaxMerged)
	}
	b.ranges = append(b.ranges, m)
	return nil
}

// finish gives every cell below a merged one what that one says, in the rows that
// say anything themselves: a range over the whole sheet makes no rows.
func (b *gridBuilder) finish() (*grid, error) {
	b.endRow()
	b.text = b.b.String()
	g := &b.grid
	if len(g.ranges) == 0 || len(g.rows) == 0 {
		return g, nil
	}
	slices.SortFunc(g.ranges, func(a, b merged) int {
		return cmp.Or(cmp.Compare(a.top, b.top), cmp.Compare(a.left, b.left))
	})
	type active struct {
		merged
		first gridCell
	}
	var now []active
	next := 0
	rows, cells := make([]gridRow, 0, len(g.rows)), make([]gridCell, 0, len(g.cells))
	var fill []gridCell // of one row
	for i, r := range g.rows {
		own := g.row(i)
		number := int(r.number)
		now = slices.DeleteFunc(now, func(a active) bool { return a.bottom < number })
		for ; next < len(g.ranges) && g.ranges[next].top <= number; next++ {
			m := g.ranges[next]
			k, ok := slices.BinarySearchFunc(own, m.left, func(c gridCell, left int) int { return cmp.Compare(int(c.column), left) })
			if m.top < number || !ok || m.left >= g.columns {
				continue // its first cell says nothing
			}
			first := own[k]
			first.from = uint32(next + 1)
			m.right = min(m.right, g.columns-1)
			now = append(now, active{m, first})
		}
		start := uint32(len(cells))
		if len(now) == 0 {
			cells = append(cells, own...)
		} else {
			fill = fill[:0]
			for _, a := range now {
				if *b.cells += a.right - a.left + 1; *b.cells > b.lim.MaxCells {
					return nil, tooLarge("the workbook has more than %d cells, merged ones counted", b.lim.MaxCells)
				}
				for c := a.left; c <= a.right; c++ {
					a.first.column = uint16(c)
					fill = append(fill, a.first)
				}
			}
			slices.SortStableFunc(fill, func(a, b gridCell) int { return cmp.Compare(a.column, b.column) })
			for _, f := range fill {
				for ; len(own) > 0 && own[0].column <= f.column; own = own[1:] {
					if own[0].column < f.column {
						cells = append(cells, own[0])
					}
				}
				if n := len(cells); n == int(start) || cells[n-1].column < f.column { // ranges do not overlap, in what programs write
					cells = append(cells, f)
				}
			}
			cells = append(cells, own...)
		}
		rows = append(rows, gridRow{number: r.number, start: start, size: uint32(len(cells)) - start})
	}
	g.rows, g.cells = rows, cells
	return g, nil
}

// columnName is a column's name on the screen: A, B, … Z, AA.
func columnName(column int) string {
	var b []byte
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		b = append(b, byte('A'+(n-1)%26))
	}
	slices.Reverse(b)
	return string(b)
}
