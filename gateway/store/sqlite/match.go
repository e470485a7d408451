package sqlite

import (
	"math"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

// fragment is SQL text with its arguments. In conditions @ stands for the alias of
// the resource row that is asked about; values are always arguments, so @ never
// means anything else.
type fragment struct {
	sql  string
	args []any
}

func (f *fragment) add(sql string, args ...any) {
	f.sql += sql
	f.args = append(f.args, args...)
}

func (f fragment) at(alias string) fragment {
	return fragment{strings.ReplaceAll(f.sql, "@", alias), f.args}
}

// source is one way to a condition: rids lists the resources that fulfil it, cond
// asks whether one does. none says that no row can.
type source struct {
	rids    fragment
	cond    fragment
	exact   bool // rids lists what fulfils cond and nothing else
	ordered bool // rids come in order of rid without sorting
	nested  bool // rids is a chain with a driver of its own, not worth probing
	none    bool
	always  bool // every row fulfils it; nothing else is set
	row     row1 // the index row that fulfils it, where it is one
}

// row1 is the condition on one row x of an index table.
type row1 struct {
	table int
	cond  fragment // pid and what else must hold; empty where the condition is another
}

var noSource = source{none: true}

// indexed makes a source of rows x of an index table. fixed: the condition fixes
// all columns before rid.
func indexed(table int, pid int64, cond fragment, fixed, ordered bool) source {
	name := indexTables[table].name
	by := " INDEXED BY " + name + "_rid"
	if fixed {
		by = ""
	}
	args := append([]any{pid}, cond.args...)
	return source{
		rids:    fragment{"SELECT x.rid FROM " + name + " x WHERE x.pid = ? AND " + cond.sql, args},
		cond:    fragment{"EXISTS (SELECT 1 FROM " + name + " x" + by + " WHERE x.rid = @.rid AND x.pid = ? AND " + cond.sql + ")", args},
		exact:   true,
		ordered: ordered,
		row:     row1{table, fragment{"x.pid = ? AND " + cond.sql, args}},
	}
}

// list writes "column IN (?, …)", padded to a power of two so that statements of
// all lengths share few shapes.
func list(column string, values []any) fragment {
	if len(values) == 1 {
		return fragment{column + " = ?", values}
	}
	n := 1
	for n < len(values) {
		n *= 2
	}
	args := append(make([]any, 0, n), values...)
	for len(args) < n {
		args = append(args, values[0])
	}
	return fragment{column + " IN (?" + strings.Repeat(", ?", n-1) + ")", args}
}

func (b *builder) pid(typ, param, form string) (int64, bool, error) {
	return b.v.nameID(typ + "." + param + form)
}

// tokens answers the plain tokens of a clause with one source, because most have
// several codes and no more; the others get one each.
func (b *builder) tokens(typ, param string, matches []search.TokenMatch) ([]source, error) {
	var out []source
	pid, known, err := b.pid(typ, param, "")
	if err != nil {
		return nil, err
	}
	var codes []any
	residual := fragment{}
	narrow := false
	for _, m := range matches {
		if m.Text != "" {
			s, err := b.prefix(typ, param+asText, m.Text)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			continue
		}
		if !known || m.Code == "" && m.System == nil {
			continue
		}
		system, ok := int64(0), true
		if m.System != nil {
			if system, ok, err = b.v.nameID(*m.System); err != nil {
				return nil, err
			}
		}
		form := int64(0)
		if ok && m.Type != "" {
			form, ok, err = b.v.nameID(m.Type)
			if err != nil {
				return nil, err
			}
		}
		if !ok {
			continue
		}
		if m.Code == "" {
			out = append(out, indexed(tokens, pid, fragment{"x.system = ?", []any{system}}, false, false))
			continue
		}
		if residual.sql != "" {
			residual.add(" OR ")
		}
		residual.add("(x.code = ?", m.Code)
		if m.System != nil {
			residual.add(" AND x.system = ?", system)
			narrow = true
		}
		if m.Type != "" {
			residual.add(" AND x.form = ?", form)
			narrow = true
		}
		residual.add(")")
		codes = append(codes, m.Code)
	}
	if len(codes) > 0 {
		cond := list("x.code", codes)
		if narrow {
			cond.add(" AND ("+residual.sql+")", residual.args...)
		}
		out = append(out, indexed(tokens, pid, cond, true, len(codes) == 1))
	}
	return out, nil
}

// after returns the least text that is greater than every text with the prefix, in
// bytewise order; "" when there is none.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

func (b *builder) prefix(typ, param, text string) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	cond := fragment{"x.text >= ?", []any{text}}
	if end := after(text); end != "" {
		cond.add(" AND x.text < ?", end)
	}
	return indexed(strs, pid, cond, false, false), nil
}

func (b *builder) text(typ, param string, m search.StringMatch) (source, error) {
	switch m.Mode {
	case search.Prefix:
		return b.prefix(typ, param, m.Text)
	case search.Equal:
		pid, ok, err := b.pid(typ, param, "")
		if !ok || err != nil {
			return noSource, err
		}
		return indexed(strs, pid, fragment{"x.text = ?", []any{m.Text}}, true, true), nil
	case search.Exact:
		pid, ok, err := b.pid(typ, param, asExact)
		if !ok || err != nil {
			return noSource, err
		}
		return indexed(strs, pid, fragment{"x.text = ?", []any{m.Text}}, true, true), nil
	}
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	if m.Mode == search.Suffix {
		return indexed(strs, pid, fragment{"substr(x.text, -length(?)) = ?", []any{m.Text, m.Text}}, false, false), nil
	}
	return indexed(strs, pid, fragment{"instr(x.text, ?) > 0", []any{m.Text}}, false, false), nil
}

// interval writes how the half-open interval [low, high) of a row compares with
// that of the question, by https://hl7.org/fhir/R4/search.html#prefix.
func interval(low, high string, m search.DateMatch) fragment {
	within := "(" + low + " >= ? AND " + high + " <= ?)"
	switch m.Compare {
	case search.NE:
		return fragment{"NOT " + within, []any{m.Low, m.High}}
	case search.GT:
		return fragment{high + " > ?", []any{m.High}}
	case search.LT:
		return fragment{low + " < ?", []any{m.Low}}
	case search.GE:
		return fragment{"(" + high + " > ? OR " + within + ")", []any{m.High, m.Low, m.High}}
	case search.LE:
		return fragment{"(" + low + " < ? OR " + within + ")", []any{m.Low, m.Low, m.High}}
	case search.SA:
		return fragment{low + " >= ?", []any{m.High}}
	case search.EB:
		return fragment{high + " <= ?", []any{m.Low}}
	case search.AP:
		return fragment{"(" + low + " < ? AND " + high + " > ?)", []any{m.High, m.Low}}
	}
	return fragment{within, []any{m.Low, m.High}}
}

// bounds are what the comparison implies for the low end of a row that is at most
// span long: it lies in [from, to].
func bounds(m search.DateMatch, span int64) (from, to int64) {
	from, to = search.MinTime, search.MaxTime
	switch m.Compare {
	case search.EQ:
		from, to = m.Low, m.High
	case search.GT:
		from = m.High - span
	case search.LT, search.EB:
		to = m.Low
	case search.GE, search.AP:
		from = m.Low - span
		if m.Compare == search.AP {
			to = m.High
		}
	case search.LE:
		to = m.High
	case search.SA:
		from = m.High
	}
	return from, to
}

// period answers date clauses of one parameter that must all hold. Where a
// resource has one short value, all of them bound it together.
func (b *builder) period(typ, param string, all []search.DateMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	from, to := int64(search.MinTime), int64(search.MaxTime)
	short, cond := fragment{}, fragment{}
	for i, m := range all {
		f, t := bounds(m, shortDate)
		from, to = max(from, f), min(to, t)
		c := interval("x.low", "x.high", m)
		short.add(" AND "+c.sql, c.args...)
		if i > 0 {
			cond.add(" AND ")
		}
		cond.add("EXISTS (SELECT 1 FROM index_date x INDEXED BY index_date_rid WHERE x.rid = @.rid AND x.pid = ? AND "+c.sql+")",
			append([]any{pid}, c.args...)...)
	}
	first := interval("x.low", "x.high", all[0])
	var rids fragment
	rids.add("SELECT x.rid FROM index_date x WHERE x.pid = ? AND x.class = 0 AND x.low >= ? AND x.low <= ?", pid, from, to)
	rids.add(short.sql, short.args...)
	rids.add(" UNION ALL SELECT x.rid FROM index_date x WHERE x.pid = ? AND x.class = 1", pid)
	if _, t := bounds(all[0], 0); t < search.MaxTime {
		rids.add(" AND x.low <= ?", t)
	}
	rids.add(" AND "+first.sql, first.args...)
	s := source{rids: rids, cond: cond, exact: len(all) == 1}
	if s.exact {
		s.row = row1{dates, fragment{"x.pid = ? AND " + first.sql, append([]any{pid}, first.args...)}}
	}
	return s, nil
}

// tolerance is the relative error that halving an interval may leave.
const tolerance = 1e-12

// number writes how a number compares, which is kept as its middle x.value in its
// interval [x.low, x.high]. EQ takes what lies in the interval that the digits
// asked for imply; the others compare with the number itself, whatever its digits.
// An interval with an open end (">5") has that end as its middle and is compared
// by what it may stand for.
func number(m search.NumberMatch) fragment {
	eps := math.Abs(m.Value) * tolerance
	above, beneath := m.Value+eps, m.Value-eps
	switch m.Compare {
	case search.NE:
		eq := number(search.NumberMatch{Compare: search.EQ, Low: m.Low, Value: m.Value, High: m.High})
		return fragment{"NOT (" + eq.sql + ")", eq.args}
	case search.GT:
		return fragment{"(x.value > ? OR x.value = ? AND x.high > ?)", []any{above, math.Inf(-1), above}}
	case search.LT:
		return fragment{"(x.value < ? OR x.value = ? AND x.low < ?)", []any{beneath, math.Inf(1), beneath}}
	case search.GE:
		return fragment{"(x.value >= ? OR x.value = ? AND x.high > ?)", []any{beneath, math.Inf(-1), above}}
	case search.LE:
		return fragment{"(x.value <= ? OR x.value = ? AND x.low < ?)", []any{above, math.Inf(1), beneath}}
	case search.SA:
		return fragment{"x.value > ? AND x.low > ?", []any{m.Value, m.Value}}
	case search.EB:
		return fragment{"x.value < ? AND x.high < ?", []any{m.Value, m.Value}}
	case search.AP:
		tenth := math.Abs(m.Value) / 10
		return fragment{"x.low <= ? AND x.high >= ?", []any{max(m.High, m.Value+tenth), min(m.Low, m.Value-tenth)}}
	}
	if m.Low >= m.High {
		return fragment{"x.value BETWEEN ? AND ?", []any{beneath, above}}
	}
	return fragment{"x.value >= ? AND x.value < ?", []any{m.Low, m.High}}
}

func (b *builder) quantity(typ, param string, m search.QuantityMatch) (source, error) {
	form := ""
	if m.Canonical {
		form = asCanonical
	}
	pid, ok, err := b.pid(typ, param, form)
	if !ok || err != nil {
		return noSource, err
	}
	cond := number(m.NumberMatch)
	if m.Code != "" {
		code, ok, err := b.v.nameID(m.Code)
		if !ok || err != nil {
			return noSource, err
		}
		switch {
		case m.Canonical:
			cond.add(" AND x.code = ?", code)
		case m.System == "":
			cond.add(" AND (x.code = ? OR x.unit = ?)", code, code)
		default:
			system, ok, err := b.v.nameID(m.System)
			if !ok || err != nil {
				return noSource, err
			}
			cond.add(" AND x.system = ? AND x.code = ?", system, code)
		}
	}
	return indexed(quantities, pid, cond, false, false), nil
}

// references answers the local references of a clause with one source, as tokens
// does with codes.
func (b *builder) references(typ, param string, matches []search.ReferenceMatch) ([]source, error) {
	var out []source
	var ids []any
	residual := fragment{}
	narrow := false
	for _, m := range matches {
		switch {
		case m.ID != "":
			if residual.sql != "" {
				residual.add(" OR ")
			}
			residual.add("(x.key = ?", m.ID)
			if m.Type != "" {
				space, ok, err := b.v.nameID(m.Type)
				if err != nil {
					return nil, err
				}
				if !ok {
					space = -1
				}
				residual.add(" AND x.space = ?", space)
				narrow = true
			}
			residual.add(")")
			ids = append(ids, m.ID)
		case m.URL != "":
			pid, ok, err := b.pid(typ, param, asURL)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, indexed(references, pid, fragment{"x.key = ?", []any{m.URL}}, true, true))
			}
		case m.Identifier != nil && m.Identifier.Code != "":
			pid, ok, err := b.pid(typ, param, asIdentifier)
			if err != nil {
				return nil, err
			}
			cond := fragment{"x.key = ?", []any{m.Identifier.Code}}
			if ok && m.Identifier.System != nil {
				var space int64
				if space, ok, err = b.v.nameID(*m.Identifier.System); err != nil {
					return nil, err
				}
				cond.add(" AND x.space = ?", space)
			}
			if ok {
				out = append(out, indexed(references, pid, cond, true, true))
			}
		}
	}
	if len(ids) > 0 {
		pid, ok, err := b.pid(typ, param, "")
		if err != nil {
			return nil, err
		}
		if ok {
			cond := list("x.key", ids)
			if narrow {
				cond.add(" AND ("+residual.sql+")", residual.args...)
			}
			out = append(out, indexed(references, pid, cond, true, len(ids) == 1))
		}
	}
	return out, nil
}

// uriCond writes how a text column compares with a uri.
func uriCond(column string, m search.URIMatch) (cond fragment, exact bool) {
	switch {
	case m.Below:
		// The uri itself and what continues it behind a slash, so that …/a is not above …/ab.
		base := strings.TrimSuffix(m.Value, "/") + "/"
		cond = fragment{column + " >= ? AND " + column + " < ?", []any{m.Value, after(base)}}
		if m.Value != base {
			cond.add(" AND ("+column+" = ? OR "+column+" >= ?)", m.Value, base)
		}
		return fragment{"(" + cond.sql + ")", cond.args}, false
	case m.Above:
		values := []any{m.Value}
		for i := len(m.Value) - 1; i > 0 && len(values) < maxAbove; i-- {
			if m.Value[i] == '/' && m.Value[i-1] != '/' {
				values = append(values, m.Value[:i+1], m.Value[:i])
			}
		}
		return list(column, values), true
	}
	return fragment{column + " = ?", []any{m.Value}}, true
}

// maxAbove bounds the ancestors of a uri that :above looks for.
const maxAbove = 64

func (b *builder) uri(typ, param string, m search.URIMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	cond, exact := uriCond("x.value", m)
	return indexed(uris, pid, cond, exact, exact && !m.Above), nil
}
