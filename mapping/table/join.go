package table

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

// Join says which rows of another table belong to a row.
type Join struct {
	Name  string            // of the group in the record
	Table string            // the other table
	On    map[string]string // column of the row → column of the other table, all equal
	Many  bool              // all such rows; otherwise the first
	Joins []Join            // what belongs to the joined rows
}

// Message ids of the issues and codes of the errors about joins.
const (
	JoinSeveral = "join-several" // several rows where one was expected; the first was taken
	Orphan      = "orphan"       // a row that belongs to no row of the main table
)

// maxOrphans bounds how many rows without a main row are named one by one.
const maxOrphans = 100

// Set is a delivery: the files of one or more tables that belong together.
type Set struct {
	tables map[string][]*File
}

// Add puts a file into a table; a table may come in several files.
func (s *Set) Add(table string, f *File) {
	if s.tables == nil {
		s.tables = map[string][]*File{}
	}
	s.tables[table] = append(s.tables[table], f)
}

// Files returns the files of a table.
func (s *Set) Files(table string) []*File { return s.tables[table] }

// Matches reports whether a file's name fits a pattern such as LIS_BG_*.csv; the
// case of letters does not count, nor the folder.
func Matches(pattern, name string) bool {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}

// Records yields a record for each row of the main table, in the order of its
// files, with the rows that joins add: a group by the name of the join for each,
// numbered when there may be many.
//
// A *record.SyntaxError is about one row; the record beside it has only Parts, the
// bytes in question, and the next record follows. Rows of a joined table that say
// nothing readable, and those of a join with Many that no row wanted, are such
// errors too ("columns", "quote", "charset", "orphan", …). Any other error, such as
// a join on a column that does not exist, ends the sequence. The tree of a record
// holds no memory of the next.
func (s *Set) Records(main string, joins []Join, lim Limits) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		lim = lim.orDefault()
		r := reader{set: s, main: main, lim: lim, seed: maphash.MakeSeed(), indexes: map[string]*index{}, yield: yield}
		if len(s.tables[main]) == 0 {
			yield(nil, fmt.Errorf("there is no file of table %s", main))
			return
		}
		plan, err := r.plan(main, joins)
		if err != nil {
			yield(nil, err)
			return
		}
		if r.stopped {
			return
		}
		for _, f := range s.tables[main] {
			if !r.rows(f, plan) {
				return
			}
		}
		r.orphans(plan)
	}
}

// plan is a table's joins with their indexes.
type plan struct {
	joins []joinPlan
	names map[*File]record.Columns // what a group of that file may hold
}

type joinPlan struct {
	Join
	own   []string // columns of the row, sorted
	index *index
	inner *plan
}

// index finds the rows of a table by the values of some columns.
type index struct {
	table   string
	parent  string // the table whose rows it joins
	columns []string
	files   []*File
	entries []entry
	used    []uint64 // one bit for each entry
	many    bool
	readers []rowReader
}

type entry struct {
	hash uint64
	at   int64
	line uint32
	file uint32
}

type reader struct {
	set     *Set
	main    string
	lim     Limits
	seed    maphash.Seed
	indexes map[string]*index
	yield   func(*record.Record, error) bool
	stopped bool
	b       *record.Builder
	rec     *record.Record
}

func (r *reader) plan(table string, joins []Join) (*plan, error) {
	p := &plan{names: map[*File]record.Columns{}}
	for _, j := range joins {
		if len(j.On) == 0 {
			return nil, fmt.Errorf("join %s: it has no columns", j.Name)
		}
		own := slices.Sorted(maps.Keys(j.On))
		other := make([]string, len(own))
		for i, c := range own {
			other[i] = j.On[c]
		}
		for _, f := range r.set.tables[table] {
			for _, c := range own {
				if _, ok := f.columns[c]; !ok {
					return nil, fmt.Errorf("join %s: %s has no column %s", j.Name, f.name, c)
				}
			}
		}
		ix, err := r.index(table, j, other)
		if err != nil || r.stopped {
			return nil, err
		}
		inner, err := r.plan(j.Table, j.Joins)
		if err != nil || r.stopped {
			return nil, err
		}
		p.joins = append(p.joins, joinPlan{Join: j, own: own, index: ix, inner: inner})
	}
	for _, f := range r.set.tables[table] {
		names := f.columns
		if len(joins) > 0 {
			names = maps.Clone(f.columns)
			for _, j := range joins {
				if _, ok := names[j.Name]; ok {
					return nil, fmt.Errorf("join %s: %s has a column of that name", j.Name, f.name)
				}
				names[j.Name] = len(f.heading) // past the cells: looked for by name
			}
		}
		p.names[f] = names
	}
	return p, nil
}

// index reads the table of a join once.
func (r *reader) index(parent string, j Join, columns []string) (*index, error) {
	name := j.Table + "\x00" + strings.Join(columns, "\x00")
	if ix, ok := r.indexes[name]; ok {
		ix.many = ix.many || j.Many
		return ix, nil
	}
	ix := &index{table: j.Table, parent: parent, columns: columns, files: r.set.tables[j.Table], many: j.Many}
	for n, f := range ix.files {
		at := make([]int, len(columns))
		for i, c := range columns {
			k, ok := f.columns[c]
			if !ok {
				return nil, fmt.Errorf("join %s: %s has no column %s", j.Name, f.name, c)
			}
			at[i] = k
		}
		sc := f.reader()
		for {
			row, err := sc.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if !r.report(row, j.Table, err) {
					return nil, nil
				}
				continue
			}
			hash, ok := r.hash(row, at)
			if !ok {
				hash = 0 // no key: nothing joins it
			}
			if len(ix.entries) >= r.lim.MaxJoinedRows {
				return nil, fmt.Errorf("join %s: table %s has more than %d rows", j.Name, j.Table, r.lim.MaxJoinedRows)
			}
			ix.entries = append(ix.entries, entry{hash: hash, at: row.start, line: uint32(row.line), file: uint32(n)})
		}
		ix.readers = append(ix.readers, f.reader())
	}
	sort.Slice(ix.entries, func(a, b int) bool {
		x, y := ix.entries[a], ix.entries[b]
		switch {
		case x.hash != y.hash:
			return x.hash < y.hash
		case x.file != y.file:
			return x.file < y.file
		default:
			return x.at < y.at
		}
	})
	ix.used = make([]uint64, len(ix.entries)/64+1)
	r.indexes[name] = ix
	return ix, nil
}

// hash returns the hash of a row's key, ok false when a part of it is empty.
func (r *reader) hash(row *Row, columns []int) (uint64, bool) {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, c := range columns {
		k := row.key(c)
		if k == "" {
			return 0, false
		}
		h.WriteString(k)
		h.WriteByte(0)
	}
	return h.Sum64() | 1, true
}

// report yields an error about one row; false ends the reading.
func (r *reader) report(row *Row, table string, err error) bool {
	var at *record.SyntaxError
	if row == nil || !errors.As(err, &at) {
		r.yield(nil, err)
		r.stopped = true
		return false
	}
	rec := &record.Record{Format: row.file.Format(), Type: table, Charset: row.file.Charset(), File: row.file.name, Parts: []record.Part{row.part("")}}
	r.stopped = !r.yield(rec, err)
	return !r.stopped
}

// rows yields the records of one file of the main table.
func (r *reader) rows(f *File, p *plan) bool {
	sc := f.reader()
	for {
		row, err := sc.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			if !r.report(row, r.main, err) {
				return false
			}
			continue
		}
		r.b = &record.Builder{}
		r.b.Grow(len(row.cells) + 1 + len(p.joins)*8)
		r.rec = &record.Record{
			Format: f.Format(), Type: r.main, Charset: f.Charset(), File: f.name,
			Root: r.b.Group(r.main, p.names[f]), Parts: []record.Part{row.part("")}, Issues: slices.Clip(f.text.Issues),
		}
		row.fill(r.b, r.rec.Root, len(p.joins))
		r.rec.Issues = append(r.rec.Issues, row.issues("")...)
		if err := r.join(row, r.rec.Root, "", p); err != nil {
			if !r.report(row, r.main, err) {
				return false
			}
			continue
		}
		if !r.yield(r.rec, nil) {
			r.stopped = true
			return false
		}
	}
}

// join adds to a group the rows that belong to its row.
func (r *reader) join(row *Row, group *record.Node, where string, p *plan) error {
	for i := range p.joins {
		j := &p.joins[i]
		at := make([]int, len(j.own))
		for k, c := range j.own {
			at[k] = row.file.columns[c]
		}
		hash, ok := r.hash(row, at)
		if !ok {
			continue
		}
		ix := j.index
		n, _ := slices.BinarySearchFunc(ix.entries, hash, func(e entry, h uint64) int {
			switch {
			case e.hash < h:
				return -1
			case e.hash > h:
				return 1
			default:
				return 0
			}
		})
		found := 0
		for ; n < len(ix.entries) && ix.entries[n].hash == hash; n++ {
			other, err := ix.row(ix.entries[n])
			if err != nil {
				return err
			}
			if !equal(row, at, other, ix.columns) {
				continue
			}
			ix.used[n/64] |= 1 << (n % 64)
			if found++; found > 1 && !j.Many {
				if found == 2 {
					r.rec.Issues = append(r.rec.Issues, fhir.Issue{
						Severity: fhir.Warning, Code: fhir.TypeDuplicate, ID: JoinSeveral, Origin: where + j.Name, Line: row.line, Column: 1,
						Text: "several rows of table " + j.Table + " belong to this row, one was expected; the first was taken",
					})
				}
				continue
			}
			if found > r.lim.MaxJoined {
				for ; n < len(ix.entries) && ix.entries[n].hash == hash; n++ { // they are not orphans too
					ix.used[n/64] |= 1 << (n % 64)
				}
				return row.file.fail(row.line, 1, row.offset(), "too-many-values", fmt.Sprintf("more than %d rows of table %s belong to this row", r.lim.MaxJoined, j.Table))
			}
			node := r.b.Group(j.Name, j.inner.names[other.file])
			name := where + j.Name
			if j.Many {
				node.Number(found)
				name = fmt.Sprintf("%s[%d]", name, found)
			}
			other.fill(r.b, node, len(j.inner.joins))
			r.rec.Parts = append(r.rec.Parts, other.part(name))
			r.rec.Issues = append(r.rec.Issues, other.issues(name+".")...)
			group.Add(node)
			if len(j.inner.joins) > 0 {
				own := *other
				own.cells = slices.Clone(other.cells) // the reader of a table may be used again further in
				if err := r.join(&own, node, name+".", j.inner); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func equal(a *Row, at []int, b *Row, columns []string) bool {
	for i, c := range columns {
		if a.key(at[i]) != b.key(b.file.columns[c]) {
			return false
		}
	}
	return true
}

// row reads the row of an entry; it is valid until the next one is read.
func (ix *index) row(e entry) (*Row, error) {
	sc := ix.readers[e.file]
	sc.seek(e.at, int(e.line))
	row, err := sc.next()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the file changed while it is read
	}
	if err != nil {
		return nil, fmt.Errorf("read table %s again: %w", ix.table, err)
	}
	return row, nil
}

// orphans reports the rows of joins with Many that belong to no row.
func (r *reader) orphans(p *plan) {
	for _, name := range slices.Sorted(maps.Keys(r.indexes)) {
		ix := r.indexes[name]
		if !ix.many {
			continue
		}
		var left []entry
		for n, e := range ix.entries {
			if ix.used[n/64]&(1<<(n%64)) == 0 {
				left = append(left, e)
			}
		}
		sort.Slice(left, func(a, b int) bool {
			return left[a].file < left[b].file || left[a].file == left[b].file && left[a].at < left[b].at
		})
		for n, e := range left {
			row, err := ix.row(e)
			if err != nil {
				r.yield(nil, err)
				return
			}
			reason := "no row of " + ix.parent + " has its " + strings.Join(ix.columns, ", ")
			if n == maxOrphans-1 && len(left) > maxOrphans {
				reason = fmt.Sprintf("%s, and so have %d more rows", reason, len(left)-maxOrphans)
			}
			if !r.report(row, ix.table, row.file.fail(row.line, 1, row.offset(), Orphan, reason)) || n == maxOrphans-1 {
				break
			}
		}
		if r.stopped {
			return
		}
	}
}
