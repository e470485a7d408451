package sqlite

import (
	"bytes"
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
	rids     fragment
	cond     fragment
	exact    bool     // rids lists what fulfils cond and nothing else
	ordered  bool     // rids come in order of rid without sorting
	nested   bool     // rids is a chain with a driver of its own, not worth probing
	size     int64    // of a nested one: how many its driver lists, 0 when that is not known
	listing  *listing // rids are what it lists
	leading  bool     // the condition bounds the leading date to from … to
	from, to int64
	none     bool
	always   bool   // every row fulfils it; nothing else is set
	tests    []test // one entry that passes one of them fulfils it, where that is so
}

var noSource = source{none: true}

// tested makes a source of what is asked of one entry. rids may list too many; it is
// empty where nothing leads to the entries.
func (b *builder) tested(rids fragment, ordered bool, tests ...test) source {
	return source{rids: rids, cond: b.asks(anyOf(tests)), ordered: ordered, tests: tests}
}

// asks writes a condition on the values that @ holds.
func (b *builder) asks(fits func(*check) bool) fragment {
	return fragment{"yl_fits(?, @.held)", []any{b.check(&check{fits: fits})}}
}

// lead lists the resources that index_key has for any of texts under a parameter; dated
// tells that its keys are ordered by the leading date, whatever the text.
func (b *builder) lead(typ string, pid int64, dated bool, texts ...string) (*listing, error) {
	part, ok, err := b.pid(typ, asPart, "")
	if !ok || err != nil {
		return nil, err
	}
	l := &listing{keys: make([]any, len(texts)), dated: true}
	for i, text := range texts {
		l.keys[i] = b.v.s.hash.of(keyPID(pid, part, b.part, []byte(text)), []byte(text))
		l.dated = l.dated && (dated && !b.part || tells([]byte(text)))
	}
	return l, nil
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

// wanted is what a code or reference must be besides its text; -1 leaves open.
type wanted struct{ space, form int64 }

func (w wanted) fits(e *entry) bool {
	return (w.space < 0 || w.space == e.space) && (w.form < 0 || w.form == e.form)
}

// texts asks for one of several texts.
func texts(pid int64, texts []string, all []wanted) test {
	if len(texts) == 1 {
		text, want := texts[0], all[0]
		return test{[]int64{pid}, func(e *entry) bool { return string(e.text) == text && want.fits(e) }}
	}
	byText := make(map[string][]wanted, len(texts))
	for i, text := range texts {
		byText[text] = append(byText[text], all[i])
	}
	return test{[]int64{pid}, func(e *entry) bool {
		for _, w := range byText[string(e.text)] {
			if w.fits(e) {
				return true
			}
		}
		return false
	}}
}

// tokens answers the plain tokens of a clause with one source, because most have
// several codes and no more; the others get one each.
func (b *builder) tokens(typ, param string, matches []search.TokenMatch) ([]source, error) {
	var out []source
	pid, known, err := b.pid(typ, param, "")
	if err != nil {
		return nil, err
	}
	var codes []string
	var all []wanted
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
		want, ok := wanted{-1, -1}, true
		if m.System != nil {
			if want.space, ok, err = b.v.nameID(*m.System); err != nil {
				return nil, err
			}
		}
		if ok && m.Type != "" {
			if want.form, ok, err = b.v.nameID(m.Type); err != nil {
				return nil, err
			}
		}
		if m.Other {
			out = append(out, b.tested(fragment{}, false, test{[]int64{pid}, func(e *entry) bool {
				return !ok || !want.fits(e) || m.Code != "" && string(e.text) != m.Code
			}}))
			continue
		}
		if !ok {
			continue
		}
		if m.Code == "" {
			out = append(out, b.tested(fragment{}, false, test{[]int64{pid}, want.fits}))
			continue
		}
		codes, all = append(codes, m.Code), append(all, want)
	}
	return b.led(out, typ, pid, param == datedToken, codes, all)
}

// led adds a source of texts that index_key leads to; dated as lead takes it.
func (b *builder) led(out []source, typ string, pid int64, dated bool, codes []string, all []wanted) ([]source, error) {
	if len(codes) == 0 {
		return out, nil
	}
	keys, err := b.lead(typ, pid, dated, codes...)
	if err != nil || keys == nil {
		return out, err
	}
	s := b.tested(keys.rids(), false, texts(pid, codes, all))
	s.listing = keys
	return append(out, s), nil
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
	rids := b.strings(pid, "x.text >= ?", start(text))
	if end := after(start(text)); end != "" {
		rids.add(" AND x.text < ?", end)
	}
	s := b.tested(b.alone(rids), false, test{[]int64{pid}, func(e *entry) bool {
		return len(e.text) >= len(text) && string(e.text[:len(text)]) == text
	}})
	s.exact = len(text) <= startBytes
	if low := start(text); !b.part {
		s.listing = &listing{table: strs, pid: pid, low: low, high: after(low), first: b.check(&check{key: firstFrom(pid, low)})}
	}
	return s, nil
}

// firstFrom finds the first text of a parameter with a prefix, as index_string has it.
func firstFrom(pid int64, prefix string) func(*check) any {
	return func(c *check) any {
		var first []byte
		for c.r.next(&c.e) {
			if c.e.pid == pid && bytes.HasPrefix(c.e.text, []byte(prefix)) {
				if t := c.e.text[:min(len(c.e.text), startBytes)]; first == nil || bytes.Compare(t, first) < 0 {
					first = t
				}
			}
		}
		if first == nil {
			return nil
		}
		return string(first)
	}
}

// strings lists what index_string has of a parameter.
func (b *builder) strings(pid int64, cond string, args ...any) fragment {
	return fragment{"SELECT x.rid FROM index_string x WHERE x.pid = ? AND " + cond, append([]any{pid}, args...)}
}

// alone keeps a list unless a component of a composite is asked for, whose values are
// not in the table.
func (b *builder) alone(rids fragment) fragment {
	if b.part {
		return fragment{}
	}
	return rids
}

func (b *builder) text(typ, param string, m search.StringMatch) (source, error) {
	if m.Mode == search.Prefix {
		return b.prefix(typ, param, m.Text)
	}
	form := ""
	if m.Mode == search.Exact {
		form = asExact
	}
	pid, ok, err := b.pid(typ, param, form)
	if !ok || err != nil {
		return noSource, err
	}
	switch m.Mode {
	case search.Exact:
		all, err := b.led(nil, typ, pid, false, []string{m.Text}, []wanted{{-1, -1}})
		s := union(all)
		if folded, ok, e := b.pid(typ, param, ""); err == nil && ok && !b.part && s.rids.sql != "" {
			lead := b.strings(folded, "x.text = ?", start(search.Fold(m.Text)))
			s.rids.add(" UNION ALL "+lead.sql, lead.args...)
			s.listing = nil
		} else if e != nil {
			err = e
		}
		return s, err
	case search.Equal:
		s := b.tested(b.alone(b.strings(pid, "x.text = ?", start(m.Text))), true, texts(pid, []string{m.Text}, []wanted{{-1, -1}}))
		s.exact = len(m.Text) < startBytes
		return s, nil
	case search.Suffix:
		return b.tested(b.alone(fragment{"SELECT x.rid FROM index_string x WHERE x.pid = ?", []any{pid}}), false,
			test{[]int64{pid}, func(e *entry) bool {
				return len(e.text) >= len(m.Text) && string(e.text[len(e.text)-len(m.Text):]) == m.Text
			}}), nil
	}
	look := []byte(m.Text)
	if m.Mode == search.Other {
		return b.tested(fragment{}, false, test{[]int64{pid}, func(e *entry) bool { return !bytes.Equal(e.text, look) }}), nil
	}
	return b.tested(b.alone(fragment{"SELECT x.rowid AS rid FROM index_gram x WHERE x.index_gram MATCH ?", []any{gramQuery(pid, m.Text)}}), true,
		test{[]int64{pid}, func(e *entry) bool { return bytes.Contains(e.text, look) }}), nil
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

// compares is interval for a value.
func compares(low, high int64, m search.DateMatch) bool {
	within := low >= m.Low && high <= m.High
	switch m.Compare {
	case search.NE:
		return !within
	case search.GT:
		return high > m.High
	case search.LT:
		return low < m.Low
	case search.GE:
		return high > m.High || within
	case search.LE:
		return low < m.Low || within
	case search.SA:
		return low >= m.High
	case search.EB:
		return high <= m.Low
	case search.AP:
		return low < m.High && high > m.Low
	}
	return within
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
	for _, m := range all {
		f, t := bounds(m, shortDate)
		from, to = max(from, f), min(to, t)
	}
	var rids fragment
	rids.add("SELECT x.rid FROM index_date x WHERE x.pid = ? AND x.class = 0 AND x.low >= ? AND x.low <= ?", pid, from, to)
	rids.add(" UNION ALL SELECT x.rid FROM index_date x WHERE x.pid = ? AND x.class = 1", pid)
	if _, t := bounds(all[0], 0); t < search.MaxTime {
		rids.add(" AND x.low <= ?", t)
	}
	var l *listing
	if !b.part {
		l = &listing{table: dates, pid: pid, from: from, to: to}
		if !b.after { // on later pages the order is that of the first
			irregular, err := b.irregular(l, true)
			if err != nil {
				return noSource, err
			}
			if irregular {
				l = nil
			}
		}
	}
	leading := !b.part && param == search.LeadingDate(typ) && (from > search.MinTime || to < search.MaxTime)
	if len(all) == 1 {
		m := all[0]
		s := b.tested(b.alone(rids), false, test{[]int64{pid}, func(e *entry) bool { return compares(e.low, e.high, m) }})
		s.leading, s.from, s.to, s.listing = leading, from, to, l
		return s, nil
	}
	found := make([]bool, len(all))
	cond := b.asks(func(c *check) bool { // each by some value, not all by the same
		clear(found)
		left := len(all)
		for left > 0 && c.r.next(&c.e) {
			if c.e.pid != pid {
				continue
			}
			for i, m := range all {
				if !found[i] && compares(c.e.low, c.e.high, m) {
					found[i] = true
					left--
				}
			}
		}
		return left == 0
	})
	return source{rids: rids, cond: cond, leading: leading, from: from, to: to, listing: l}, nil
}

// tolerance is the relative error that halving an interval may leave.
const tolerance = 1e-12

// compared tells how a number compares, which is kept as its interval [from, to].
// EQ takes what has its middle in the interval that the digits asked for imply; the
// others compare with the number itself, whatever its digits. An interval with an
// open end (">5") has that end as its middle and is compared by what it may stand for.
func compared(m search.NumberMatch) func(*entry) bool {
	eps := math.Abs(m.Value) * tolerance
	above, beneath := m.Value+eps, m.Value-eps
	switch m.Compare {
	case search.NE:
		eq := compared(search.NumberMatch{Compare: search.EQ, Low: m.Low, Value: m.Value, High: m.High})
		return func(e *entry) bool { return !eq(e) }
	case search.GT:
		return func(e *entry) bool { v := e.middle(); return v > above || math.IsInf(v, -1) && e.to > above }
	case search.LT:
		return func(e *entry) bool { v := e.middle(); return v < beneath || math.IsInf(v, 1) && e.from < beneath }
	case search.GE:
		return func(e *entry) bool { v := e.middle(); return v >= beneath || math.IsInf(v, -1) && e.to >= beneath }
	case search.LE:
		return func(e *entry) bool { v := e.middle(); return v <= above || math.IsInf(v, 1) && e.from <= above }
	case search.SA:
		return func(e *entry) bool { return e.middle() > m.Value && e.from > m.Value }
	case search.EB:
		return func(e *entry) bool { return e.middle() < m.Value && e.to < m.Value }
	case search.AP:
		tenth := math.Abs(m.Value) / 10
		low, high := min(m.Low, m.Value-tenth), max(m.High, m.Value+tenth)
		return func(e *entry) bool { return e.from <= high && e.to >= low }
	}
	if m.Low >= m.High {
		return func(e *entry) bool { v := e.middle(); return v >= beneath && v <= above }
	}
	return func(e *entry) bool { v := e.middle(); return v >= m.Low && v < m.High }
}

// amounts lists what index_number has that may compare so.
func amounts(pid int64, m search.NumberMatch) fragment {
	eps := math.Abs(m.Value) * tolerance
	low, high := math.Inf(-1), math.Inf(1)
	open := math.NaN() // the open end that is to be looked at besides
	switch m.Compare {
	case search.EQ:
		low, high = min(m.Low, m.Value-eps), max(m.High, m.Value+eps)
	case search.GT, search.GE:
		low, open = m.Value-eps, math.Inf(-1)
	case search.LT, search.LE:
		high, open = m.Value+eps, math.Inf(1)
	case search.SA:
		low = m.Value
	case search.EB:
		high = m.Value
	}
	out := fragment{"SELECT x.rid FROM index_number x WHERE x.pid = ? AND x.value BETWEEN ? AND ?", []any{pid, low, high}}
	if !math.IsNaN(open) {
		out.add(" UNION ALL SELECT x.rid FROM index_number x WHERE x.pid = ? AND x.value = ?", pid, open)
	}
	return out
}

func (b *builder) number(typ, param string, m search.NumberMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	return b.tested(b.alone(amounts(pid, m)), false, test{[]int64{pid}, compared(m)}), nil
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
	fits := compared(m.NumberMatch)
	if m.Code != "" {
		code, ok, err := b.v.nameID(m.Code)
		if !ok || err != nil {
			return noSource, err
		}
		number := fits
		switch {
		case m.Canonical:
			fits = func(e *entry) bool { return e.code == code && number(e) }
		case m.System == "":
			fits = func(e *entry) bool { return (e.code == code || e.unit == code) && number(e) }
		default:
			system, ok, err := b.v.nameID(m.System)
			if !ok || err != nil {
				return noSource, err
			}
			fits = func(e *entry) bool { return e.system == system && e.code == code && number(e) }
		}
	}
	part, ok, err := b.pid(typ, asPart, "")
	if !ok || err != nil {
		return noSource, err
	}
	of := byte(isQuantity)
	if m.Canonical {
		of = isCanonical
	}
	return b.tested(b.alone(amounts(amountPID(pid, part, of), m.NumberMatch)), false, test{[]int64{pid}, fits}), nil
}

// references answers the local references of a clause with one source, as tokens
// does with codes.
func (b *builder) references(typ, param string, matches []search.ReferenceMatch) ([]source, error) {
	var out []source
	var ids []string
	var all []wanted
	other := func(form, text string, want wanted) error {
		pid, ok, err := b.pid(typ, param, form)
		if ok && err == nil {
			out, err = b.led(out, typ, pid, false, []string{text}, []wanted{want})
		}
		return err
	}
	for _, m := range matches {
		var err error
		want, ok := wanted{-1, -1}, true
		switch {
		case m.ID != "":
			if m.Type != "" {
				want.space, ok, err = b.v.nameID(m.Type)
			}
			if ok {
				ids, all = append(ids, m.ID), append(all, want)
			}
		case m.URL != "":
			err = other(asURL, m.URL, want)
		case m.Identifier != nil && m.Identifier.Code != "":
			if m.Identifier.System != nil {
				want.space, ok, err = b.v.nameID(*m.Identifier.System)
			}
			if ok && err == nil {
				err = other(asIdentifier, m.Identifier.Code, want)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return out, err
	}
	return b.led(out, typ, pid, true, ids, all)
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
		var values []any
		for _, v := range ancestors(m.Value) {
			values = append(values, v)
		}
		return list(column, values), true
	}
	return fragment{column + " = ?", []any{m.Value}}, true
}

// ancestors are the uri itself and those above it, with and without a slash behind.
func ancestors(uri string) []string {
	out := []string{uri}
	for i := len(uri) - 1; i > 0 && len(out) < maxAbove; i-- {
		if uri[i] == '/' && uri[i-1] != '/' {
			out = append(out, uri[:i+1], uri[:i])
		}
	}
	return out
}

// maxAbove bounds the ancestors of a uri that :above looks for.
const maxAbove = 64

func (b *builder) uri(typ, param string, m search.URIMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	if !m.Below {
		values := []string{m.Value}
		if m.Above {
			values = ancestors(m.Value)
		}
		starts := make([]any, len(values))
		for i, v := range values {
			starts[i] = start(v)
		}
		in := list("x.text", starts)
		return b.tested(b.alone(b.strings(pid, in.sql, in.args...)), len(values) == 1, texts(pid, values, make([]wanted, len(values)))), nil
	}
	cond := fragment{"x.text = ?", []any{start(m.Value)}}
	if len(m.Value) < startBytes {
		cond, _ = uriCond("x.text", m)
	}
	base := strings.TrimSuffix(m.Value, "/") + "/"
	return b.tested(b.alone(b.strings(pid, cond.sql, cond.args...)), false, test{[]int64{pid}, func(e *entry) bool {
		return string(e.text) == m.Value || strings.HasPrefix(string(e.text), base)
	}}), nil
}
