package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

// indexTable is one of the tables that hold index values. Column rid is filled by
// insertIndex, the others by indexRows, in this order.
type indexTable struct {
	name    string
	columns string
	count   int      // of columns with rid
	inserts []string // by power of two of rows
}

// The tables, by the order in which digests are kept.
const (
	tokens = iota
	strs
	dates
	numbers
	quantities
	references
	uris
	texts
	tables
)

var indexTables = [tables]indexTable{
	tokens:     newIndexTable("index_token", "rid, pid, code, system, form, grp"),
	strs:       newIndexTable("index_string", "rid, pid, text, grp"),
	dates:      newIndexTable("index_date", "rid, pid, class, low, high, grp"),
	numbers:    newIndexTable("index_number", "rid, pid, value, low, high, grp"),
	quantities: newIndexTable("index_quantity", "rid, pid, value, low, high, system, code, unit, grp"),
	references: newIndexTable("index_reference", "rid, pid, key, space, grp"),
	uris:       newIndexTable("index_uri", "rid, pid, value, grp"),
	texts:      newIndexTable("index_text", "rid, pid, terms"),
}

// insertSteps: rows go in by 16, 8, 4, 2, 1, which saves most of the price of a
// statement per row and keeps the number of statements small.
const insertSteps = 5

func newIndexTable(name, columns string) indexTable {
	t := indexTable{name: name, columns: columns, count: strings.Count(columns, ",") + 1}
	one := "(?" + strings.Repeat(", ?", t.count-1) + ")"
	for step := range insertSteps {
		t.inserts = append(t.inserts, "INSERT OR IGNORE INTO "+name+" ("+columns+") VALUES "+
			one+strings.Repeat(", "+one, 1<<step-1))
	}
	return t
}

// indexRows are the rows of one resource by table, flat: count-1 values per row.
type indexRows [tables][]any

// Suffixes of a parameter's name: the same values in another form.
const (
	asText       = ":text"       // display of a token, as a string
	asExact      = ":exact"      // string as written
	asCanonical  = ":canonical"  // quantity in base units
	asURL        = ":url"        // reference by url
	asIdentifier = ":identifier" // reference by business identifier
)

// shortDate is the longest interval of class 0: a day, with room for the zone.
const shortDate = 26 * 3600 * 1_000_000

// indexRows turns index values into rows, giving names their numbers.
func (t *tx) indexRows(typ string, v *search.Values) (*indexRows, error) {
	var rows indexRows
	var failed error
	name := func(text string) int64 {
		id, err := t.intern(text)
		if err != nil && failed == nil {
			failed = err
		}
		return id
	}
	prefix := typ + "."
	for i := range v.Tokens {
		k := &v.Tokens[i]
		pid := name(prefix + k.Param)
		rows[tokens] = append(rows[tokens], pid, k.Code, name(k.System), name(k.Type), int64(k.Group))
		if k.Text != "" {
			rows[strs] = append(rows[strs], name(prefix+k.Param+asText), k.Text, int64(k.Group))
		}
	}
	for i := range v.Strings {
		k := &v.Strings[i]
		rows[strs] = append(rows[strs], name(prefix+k.Param), k.Folded, int64(k.Group), name(prefix+k.Param+asExact), k.Exact, int64(k.Group))
	}
	for i := range v.Dates {
		k := &v.Dates[i]
		class := int64(0)
		if k.Low <= search.MinTime || k.High >= search.MaxTime || k.High-k.Low > shortDate {
			class = 1
		}
		for j := range v.Dates {
			if j != i && v.Dates[j].Param == k.Param {
				class = 1
				break
			}
		}
		rows[dates] = append(rows[dates], name(prefix+k.Param), class, k.Low, k.High, int64(k.Group))
	}
	for i := range v.Numbers {
		k := &v.Numbers[i]
		rows[numbers] = append(rows[numbers], name(prefix+k.Param), middle(k.Low, k.High), k.Low, k.High, int64(k.Group))
	}
	for i := range v.Quantities {
		k := &v.Quantities[i]
		rows[quantities] = append(rows[quantities], name(prefix+k.Param), middle(k.Low, k.High), k.Low, k.High,
			name(k.System), name(k.Code), name(k.Unit), int64(k.Group))
		if k.CanonicalCode != "" {
			rows[quantities] = append(rows[quantities], name(prefix+k.Param+asCanonical),
				middle(k.CanonicalLow, k.CanonicalHigh), k.CanonicalLow, k.CanonicalHigh, int64(0), name(k.CanonicalCode), int64(0), int64(k.Group))
		}
	}
	for i := range v.References {
		k := &v.References[i]
		if k.ID != "" {
			rows[references] = append(rows[references], name(prefix+k.Param), k.ID, name(k.Type), int64(k.Group))
		}
		if k.URL != "" {
			rows[references] = append(rows[references], name(prefix+k.Param+asURL), k.URL, int64(0), int64(k.Group))
		}
		if k.Value != "" {
			rows[references] = append(rows[references], name(prefix+k.Param+asIdentifier), k.Value, name(k.System), int64(k.Group))
		}
	}
	for i := range v.URIs {
		k := &v.URIs[i]
		rows[uris] = append(rows[uris], name(prefix+k.Param), k.Value, int64(k.Group))
	}
	for i := range v.Texts {
		k := &v.Texts[i]
		rows[texts] = append(rows[texts], name(prefix+k.Param), " "+strings.Join(k.Terms, " ")+" ")
	}
	return &rows, failed
}

// middle of an interval; an open end is its own middle.
func middle(low, high float64) float64 {
	switch {
	case math.IsInf(low, 0):
		return low
	case math.IsInf(high, 0):
		return high
	}
	return low + (high-low)/2
}

const digestSize = 8

var noDigest = make([]byte, digestSize)

// digests tells the rows of each table apart from any others; no rows are zeros.
func (r *indexRows) digests() []byte {
	out := make([]byte, 0, tables*digestSize)
	var buf []byte
	for _, rows := range r {
		if len(rows) == 0 {
			out = append(out, noDigest...)
			continue
		}
		buf = buf[:0]
		for _, value := range rows {
			switch v := value.(type) {
			case int64:
				buf = binary.LittleEndian.AppendUint64(append(buf, 'i'), uint64(v))
			case float64:
				buf = binary.LittleEndian.AppendUint64(append(buf, 'f'), math.Float64bits(v))
			case string:
				buf = binary.LittleEndian.AppendUint64(append(buf, 's'), uint64(len(v)))
				buf = append(buf, v...)
			}
		}
		sum := sha256.Sum256(buf)
		out = append(out, sum[:digestSize]...)
	}
	return out
}

// insertIndex writes the rows of one table.
func (t *tx) insertIndex(table int, rid int64, rows []any) error {
	it := &indexTables[table]
	width := it.count - 1
	left := len(rows) / width
	var args []any
	for step := insertSteps - 1; left > 0; {
		n := 1 << step
		if n > left {
			step--
			continue
		}
		args = args[:0]
		for range n {
			args = append(append(args, rid), rows[:width]...)
			rows = rows[width:]
		}
		if _, err := t.c.exec(it.inserts[step], args...); err != nil {
			return err
		}
		left -= n
	}
	return nil
}
