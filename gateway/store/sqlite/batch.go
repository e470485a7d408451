package sqlite

import (
	"cmp"
	"slices"
	"strings"
)

// batch collects the index rows of a group commit. They go in together, in the
// order of their keys and outside of the members' savepoints, when the group
// commits or one of its members searches.
//
// What stands before the marks is in the tables. A member that is rolled back takes
// its own rows out of the batch and sets the marks back, because what was written
// since it began is undone with it, also rows of members before it.
type batch struct {
	rows  []indexRow
	grams []gramRow
	at    mark
	order []int32 // scratch
	args  []any
}

// mark is how far a batch has got: its length, and how much of it is written.
type mark struct{ rows, grams int }

// gramRow is a change of index_gram.
type gramRow struct {
	remove bool
	rid    int64
	terms  string
}

// maxBatch is how many rows are kept before they are written.
const maxBatch = 20_000

func (b *batch) len() mark { return mark{len(b.rows), len(b.grams)} }

func (b *batch) clear() {
	clear(b.rows)
	clear(b.grams)
	b.rows, b.grams, b.at = b.rows[:0], b.grams[:0], mark{}
}

// back forgets what came after length, and that anything was written after at.
func (b *batch) back(length, at mark) {
	clear(b.rows[length.rows:])
	clear(b.grams[length.grams:])
	b.rows, b.grams, b.at = b.rows[:length.rows], b.grams[:length.grams], at
}

// change turns the rows of a resource into others.
func (b *batch) change(rows, before []indexRow) {
	for len(rows) > 0 || len(before) > 0 {
		c := 0
		switch {
		case len(rows) == 0:
			c = 1
		case len(before) == 0:
			c = -1
		default:
			c = compareRows(&rows[0], &before[0])
		}
		if c <= 0 {
			if c < 0 {
				b.rows = append(b.rows, rows[0])
			}
			rows = rows[1:]
		}
		if c >= 0 {
			if c > 0 {
				row := before[0]
				row.remove = true
				b.rows = append(b.rows, row)
			}
			before = before[1:]
		}
	}
}

// rowTable is how rows of a table are written.
type rowTable struct {
	inserts []string // by power of two of rows
	remove  string
	args    func(args []any, r *indexRow) []any
}

// insertSteps: rows go in by 32, 16, 8, 4, 2, 1, which saves most of the price of a
// statement per row and keeps the number of statements small.
const insertSteps = 6

func newRowTable(name, columns string, args func([]any, *indexRow) []any) rowTable {
	t := rowTable{args: args}
	one := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
	for step := range insertSteps {
		t.inserts = append(t.inserts, "INSERT OR IGNORE INTO "+name+" ("+columns+") VALUES "+one+strings.Repeat(", "+one, 1<<step-1))
	}
	t.remove = "DELETE FROM " + name + " WHERE " + strings.ReplaceAll(columns, ", ", " = ? AND ") + " = ?"
	return t
}

var rowTables = [tables]rowTable{
	keys:    newRowTable("index_key", "key, at, rid", func(a []any, r *indexRow) []any { return append(a, r.a, r.low, r.rid) }),
	strs:    newRowTable("index_string", "pid, text, rid", func(a []any, r *indexRow) []any { return append(a, r.a, r.text, r.rid) }),
	dates:   newRowTable("index_date", "pid, class, low, rid", func(a []any, r *indexRow) []any { return append(a, r.a, r.b, r.low, r.rid) }),
	numbers: newRowTable("index_number", "pid, value, rid", func(a []any, r *indexRow) []any { return append(a, r.a, r.value, r.rid) }),
}

// flush writes what is not written yet.
func (b *batch) flush(c *conn) error {
	if b.at == b.len() {
		return nil
	}
	if err := b.flushRows(c, b.rows[b.at.rows:]); err != nil {
		return err
	}
	for i := range b.grams[b.at.grams:] {
		if err := b.grams[b.at.grams+i].write(c); err != nil {
			return err
		}
	}
	b.at = b.len()
	return nil
}

func (b *batch) flushRows(c *conn, rows []indexRow) error {
	order := b.order[:0]
	for i := range rows {
		order = append(order, int32(i))
	}
	b.order = order
	slices.SortFunc(order, func(x, y int32) int { return cmp.Or(compareRows(&rows[x], &rows[y]), cmp.Compare(x, y)) })
	kept := order[:0]
	for i, at := range order { // of several changes of a row the last counts
		row := &rows[at]
		if i+1 < len(order) && compareRows(row, &rows[order[i+1]]) == 0 {
			continue
		}
		if !row.remove {
			kept = append(kept, at)
			continue
		}
		t := &rowTables[row.table]
		if _, err := c.exec(t.remove, t.args(b.args[:0], row)...); err != nil {
			return err
		}
	}
	for len(kept) > 0 {
		table := rows[kept[0]].table
		t := &rowTables[table]
		run := 1
		for run < len(kept) && rows[kept[run]].table == table {
			run++
		}
		for step := insertSteps - 1; run > 0; {
			n := 1 << step
			if n > run {
				step--
				continue
			}
			b.args = b.args[:0]
			for _, at := range kept[:n] {
				b.args = t.args(b.args, &rows[at])
			}
			if _, err := c.exec(t.inserts[step], b.args...); err != nil {
				return err
			}
			kept, run = kept[n:], run-n
		}
	}
	clear(b.args)
	return nil
}

func (g *gramRow) write(c *conn) error {
	if g.remove {
		_, err := c.exec("DELETE FROM index_gram WHERE rowid = ?", g.rid)
		return err
	}
	_, err := c.exec("INSERT INTO index_gram (rowid, grams) VALUES (?, ?)", g.rid, g.terms)
	return err
}

// writeIndex replaces the index values of a resource.
func (t *tx) writeIndex(rid int64, fresh *values, before held) error {
	if string(fresh.held) == string(before) {
		return nil
	}
	digest, grams, pids := fresh.held.texts()
	oldDigest, oldGrams, oldPIDs := before.texts()
	if digest != oldDigest {
		if oldDigest != "" {
			if _, err := t.c.exec("DELETE FROM index_text WHERE rid = ?", rid); err != nil {
				return err
			}
		}
		for _, w := range fresh.words {
			if _, err := t.c.exec("INSERT OR REPLACE INTO index_text (rid, pid, terms) VALUES (?, ?, ?)", rid, w.pid, w.terms); err != nil {
				return err
			}
		}
	}
	b := &t.w.batch
	b.change(t.s.rowsOf(fresh.held, fresh.part, rid), t.s.rowsOf(before, fresh.part, rid))
	if !slices.Equal(grams, oldGrams) || !slices.Equal(pids, oldPIDs) {
		if len(oldGrams) > 0 {
			b.grams = append(b.grams, gramRow{remove: true, rid: rid})
		}
		if len(grams) > 0 {
			b.grams = append(b.grams, gramRow{rid: rid, terms: gramsOf(grams, pids)})
		}
	}
	if n := b.len(); n.rows-b.at.rows >= maxBatch || n.grams-b.at.grams >= maxBatch {
		return b.flush(t.c)
	}
	return nil
}
