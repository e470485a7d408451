package postgres

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/yilian/yilian/gateway/search"
)

// keyed makes a source of rows of index_key, which is exact where the key is that of nothing else.
func keyed(key int64) source {
	s := source{
		rids:  fragment{"SELECT x.rid, x.at FROM index_key x WHERE x.key = ?", []any{key}},
		cond:  fragment{"? = ANY(@.keys)", []any{key}},
		keys:  []int64{key},
		exact: true,
	}
	if dated(key) {
		s.listing, s.dated = &listing{key: key}, true
	} else {
		s.rids.sql += " AND x.at = 0"
		s.ordered = true
	}
	return s
}

func keyedAny(keys []int64) source {
	if len(keys) == 1 {
		return keyed(keys[0])
	}
	return source{
		rids:  fragment{"SELECT x.rid, x.at FROM index_key x WHERE x.key = ANY(?)", []any{keys}},
		cond:  fragment{"@.keys && ?", []any{keys}},
		keys:  keys,
		exact: true,
		dated: !slices.ContainsFunc(keys, func(k int64) bool { return !dated(k) }),
	}
}

// proven makes a source of one whose key others have too: rows of the resource must prove it.
func (s source) proven(row fragment) source {
	s.exact, s.proof = false, row
	s.cond.sql = "(" + s.cond.sql + " AND "
	s.cond.append(row)
	s.cond.sql += ")"
	return s
}

// lead returns the key of a text, and whether the key is of nothing else.
func (b *builder) lead(typ string, pid int32, l lead, text string) (key int64, alone bool, err error) {
	h := &b.v.s.hash
	if l.own {
		return keyOf(h.text(text), h.param(pid), l.dated), true, nil
	}
	under, err := b.under(typ, l.shared)
	return keyOf(h.text(text), h.param(under), l.dated), false, err
}

// under is the number that parameters of a type share.
func (b *builder) under(typ string, s sharing) (int32, error) {
	typeID, _, err := b.name(typ)
	return s.of(typeID), err
}

// texts asks for a value in the text arrays of @: one that is equal to a text, or any
// where that is nil. cond asks u, which has pid, space, form, grp and text.
func texts(pid int32, equal []byte, cond fragment) fragment {
	f := fragment{sql: "EXISTS (SELECT 1 FROM "}
	f.append(textRows(pid, equal))
	f.sql += " AND "
	f.append(cond)
	f.sql += ")"
	return f
}

// textRows lists the values of a parameter. Those that are equal to a text are looked for in that array alone,
// in a tenth of the time that it takes to lay all arrays side by side.
func textRows(pid int32, equal []byte) fragment {
	if equal == nil {
		return fragment{"unnest(array_positions(@.x_pid, ?)) i, LATERAL (SELECT @.x_space[i] AS space, @.x_form[i] AS form, " +
			"@.x_group[i] AS grp, @.x_text[i] AS text) u WHERE true", []any{pid}}
	}
	return fragment{"unnest(array_positions(@.x_text, ?)) i, " +
		"LATERAL (SELECT @.x_pid[i] AS pid, @.x_space[i] AS space, @.x_form[i] AS form, @.x_group[i] AS grp) u WHERE u.pid = ?", []any{equal, pid}}
}

// tokenCond asks u for the system and type of a code as far as they are given; false
// when no row can hold them. equal is the code, nil for any.
func (b *builder) tokenCond(m search.TokenMatch) (equal []byte, cond fragment, ok bool, err error) {
	cond.sql = always
	if m.Code != "" {
		equal = []byte(m.Code)
	}
	if m.System != nil {
		system, ok, err := b.name(*m.System)
		if !ok || err != nil {
			return nil, cond, false, err
		}
		cond.add(" AND coalesce(u.space, 0) = ?", system)
	}
	if m.Type != "" {
		form, ok, err := b.name(m.Type)
		if !ok || err != nil {
			return nil, cond, false, err
		}
		cond.add(" AND u.form = ?", form)
	}
	return equal, cond, true, nil
}

// tokens answers the plain tokens of a clause with one source, because most have
// several codes and no more; the others get one each.
func (b *builder) tokens(typ, param string, matches []search.TokenMatch) ([]source, error) {
	var out []source
	pid, known, err := b.pid(typ, param, "")
	if err != nil {
		return nil, err
	}
	var bare []int64
	var several [][]byte // codes of keys that others have too
	var common []int64
	for _, m := range matches {
		if m.Text != "" {
			s, err := b.prefix(typ, param+asText, byLabel, m.Text)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			continue
		}
		if !known || m.Code == "" && m.System == nil {
			continue
		}
		if m.Other {
			s, err := b.others(pid, m)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			continue
		}
		key, alone, err := b.lead(typ, pid, leadOf(param, "", m.Code, true, false), m.Code)
		if err != nil {
			return nil, err
		}
		if m.System == nil && m.Type == "" {
			if alone {
				bare = append(bare, key)
			} else {
				common, several = append(common, key), append(several, []byte(m.Code))
			}
			continue
		}
		equal, cond, ok, err := b.tokenCond(m)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		row := texts(pid, equal, cond)
		if m.Code == "" {
			out = append(out, source{cond: row})
			continue
		}
		out = append(out, keyed(key).proven(row))
	}
	if len(bare) > 0 {
		out = append(out, keyedAny(bare))
	}
	if len(common) > 0 {
		out = append(out, keyedAny(common).proven(oneOf(pid, several)))
	}
	return out, nil
}

// oneOf asks for a value of a parameter that is one of several texts.
func oneOf(pid int32, list [][]byte) fragment {
	if len(list) == 1 {
		return texts(pid, list[0], fragment{sql: always})
	}
	return texts(pid, nil, fragment{"u.text = ANY(?)", []any{list}})
}

// others answers codes that are not the one asked for; nothing leads to them.
func (b *builder) others(pid int32, m search.TokenMatch) (source, error) {
	equal, cond, ok, err := b.tokenCond(m)
	if err != nil {
		return noSource, err
	}
	if !ok {
		return source{cond: texts(pid, nil, fragment{sql: always})}, nil
	}
	if equal != nil {
		cond.add(" AND u.text = ?", equal)
	}
	cond.sql = "NOT coalesce(" + cond.sql + ", false)"
	return source{cond: texts(pid, nil, cond)}, nil
}

// prefix answers texts that begin so.
func (b *builder) prefix(typ, param string, s sharing, text string) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	rids, err := b.strings(typ, s, prefixCond("x.text", start(text)))
	return source{rids: rids, cond: texts(pid, nil, prefixCond("u.text", text))}, err
}

// strings lists what index_string has.
func (b *builder) strings(typ string, s sharing, cond fragment) (rids fragment, err error) {
	under, err := b.under(typ, s)
	rids.add("SELECT x.rid, NULL::int8 AS at FROM index_string x WHERE x.pid = ? AND ", under)
	rids.append(cond)
	return rids, err
}

func prefixCond(column, text string) fragment {
	cond := fragment{column + " >= ?", []any{[]byte(text)}}
	if end := after(text); end != "" {
		cond.add(" AND "+column+" < ?", []byte(end))
	}
	return cond
}

// stringCond asks u for a text, or says which one it must be equal to.
func (h hasher) stringCond(m search.StringMatch) (equal []byte, cond fragment) {
	switch m.Mode {
	case search.Prefix:
		return nil, prefixCond("u.text", m.Text)
	case search.Exact:
		high, low := h.written(m.Text)
		return nil, fragment{"coalesce(u.space, 0) = ? AND coalesce(u.form, 0) = ?", []any{high, low}}
	case search.Equal:
		return []byte(m.Text), fragment{sql: always}
	case search.Suffix:
		return nil, fragment{"substr(u.text, greatest(1, length(u.text) - ? + 1)) = ?", []any{len(m.Text), []byte(m.Text)}}
	}
	if m.Mode == search.Other {
		return nil, fragment{"u.text <> ?", []any{[]byte(m.Text)}}
	}
	return nil, fragment{"position(?::bytea IN u.text) > 0", []any{[]byte(m.Text)}}
}

func (b *builder) text(typ, param string, m search.StringMatch) (source, error) {
	if m.Mode == search.Prefix {
		return b.prefix(typ, param, byText, m.Text)
	}
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	equal, cond := b.v.s.hash.stringCond(m)
	s := source{cond: texts(pid, equal, cond)}
	switch {
	case m.Mode == search.Exact:
		s.rids, err = b.exact(typ, param, m.Text)
		return s, err
	case m.Mode == search.Equal:
		s.rids, err = b.strings(typ, byText, fragment{"x.text = ?", []any{[]byte(start(m.Text))}})
		s.ordered = true
		return s, err
	case m.Text == "" || m.Mode == search.Other:
		return s, nil
	}
	under, err := b.under(typ, byText)
	if err != nil {
		return noSource, err
	}
	var grams []int32
	list := leading(m.Text)
	for _, g := range list {
		if len(list) == 1 || len([]rune(g)) > 1 { // pairs suffice
			grams = append(grams, b.v.s.hash.gram(under, g))
		}
	}
	if len(grams) == 0 {
		return s, nil
	}
	if len(grams) > maxGrams {
		grams = grams[:maxGrams]
	}
	s.rids = fragment{"SELECT x.rid, NULL::int8 AS at FROM index_word x WHERE x.grams @> ? UNION ALL " +
		"SELECT x.rid, NULL::int8 AS at FROM index_word x WHERE x.grams @> ?", []any{grams, []int32{int32(b.v.s.hash.param(under))}}}
	return s, nil
}

// exact lists what may have a string that was written so: what has it folded, and what has a key because it was
// folded otherwise, such as a name in pinyin.
func (b *builder) exact(typ, param, text string) (rids fragment, err error) {
	folded := [][]byte{[]byte(start(text))}
	if f := search.Fold(text); f != text {
		folded = append(folded, []byte(start(f)))
	}
	if rids, err = b.strings(typ, byText, fragment{"x.text = ANY(?)", []any{folded}}); err != nil {
		return rids, err
	}
	pid, ok, err := b.pid(typ, param, asExact)
	if ok && err == nil {
		rids.append(fragment{sql: " UNION ALL "})
		rids.append(keyed(keyOf(b.v.s.hash.text(text), b.v.s.hash.param(pid), false)).rids)
	}
	return rids, err
}

// words answers texts in which all terms occur.
func (b *builder) words(typ, param string, m search.TextMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	if err := b.spend(len(m.Terms)); err != nil {
		return noSource, err
	}
	h := &b.v.s.hash
	var both int32
	if other := otherText(param); other != "" {
		if both, _, err = b.pid(typ, other, ""); err != nil {
			return noSource, err
		}
	}
	has := func(alias string) (f fragment) {
		if len(m.Terms) == 0 {
			return fragment{alias + ".words @> ?", []any{[]int64{h.param(pid)}}}
		}
		if both == 0 {
			words := make([]int64, len(m.Terms))
			for i, term := range m.Terms {
				words[i] = h.of(pid, term)
			}
			return fragment{alias + ".words @> ?", []any{unique(words)}}
		}
		for i, term := range m.Terms {
			if i > 0 {
				f.sql += " AND "
			}
			f.add(alias+".words && ?", []int64{h.of(pid, term), h.of(pid, term) ^ h.param(both)})
		}
		return f
	}
	s := source{rids: fragment{sql: "SELECT x.rid, NULL::int8 AS at FROM index_word x WHERE "}, exact: true}
	s.rids.append(has("x"))
	s.cond.sql = "EXISTS (SELECT 1 FROM index_word w WHERE w.rid = @.rid AND "
	s.cond.append(has("w"))
	s.cond.sql += ")"
	return s, nil
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
		from = min(m.Low, m.High) - span
		if m.Compare == search.AP {
			to = m.High
		}
	case search.LE:
		to = max(m.Low, m.High)
	case search.SA:
		from = m.High
	}
	return from, to
}

const (
	dateLow  = "@.d_bounds[2*i-1]"
	dateHigh = "@.d_bounds[2*i]"
)

// period answers date clauses of one parameter that must all hold. Where a
// resource has one short value, all of them bound it together.
func (b *builder) period(typ, param string, all []search.DateMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	from, to := int64(search.MinTime), int64(search.MaxTime)
	var s source
	for i, m := range all {
		f, t := bounds(m, shortDate)
		from, to = max(from, f), min(to, t)
		if i > 0 {
			s.cond.sql += " AND "
		}
		s.cond.add("EXISTS (SELECT 1 FROM unnest(array_positions(@.d_pid, ?)) i WHERE ", pid)
		s.cond.append(interval(dateLow, dateHigh, m))
		s.cond.sql += ")"
	}
	s.cond.sql = "(" + s.cond.sql + ")"
	at := [2]string{"NULL::int8", "NULL::int8"}
	if param == search.LeadingDate(typ) {
		s.dated = true
		s.leading, s.from, s.to = from > search.MinTime || to < search.MaxTime, from, to
		at = [2]string{"CASE WHEN x.low > 1 THEN x.low ELSE 1 END", "1::int8"} // atOther
	}
	low := from // of moments, which reach less far than days
	for _, m := range all {
		f, _ := bounds(m, momentDate)
		low = max(low, f)
	}
	short := func(class string, low int64) {
		s.rids.add("SELECT x.rid, "+at[0]+" AS at FROM index_date x WHERE x.pid = ? AND x.class = "+class+
			" AND x.low >= ? AND x.low <= ? UNION ALL ", pid, low, to)
	}
	if low == from {
		short("ANY('{0,2}')", from) // classMoment, classDay
	} else {
		short(strconv.Itoa(classMoment), low)
		short(strconv.Itoa(classDay), from)
	}
	s.rids.add("SELECT x.rid, "+at[1]+" AS at FROM index_date x WHERE x.pid = ? AND x.class = 1", pid)
	if _, t := bounds(all[0], 0); t < search.MaxTime {
		s.rids.add(" AND x.low <= ?", t)
	}
	return s, nil
}

// tolerance is the relative error that halving an interval may leave.
const tolerance = 1e-12

const (
	amountValue = "@.q_bounds[3*i-2]"
	amountLow   = "@.q_bounds[3*i-1]"
	amountHigh  = "@.q_bounds[3*i]"
)

// span is a range of middles, both ends within.
type span struct{ low, high float64 }

// numberCond writes how a number compares, which is kept as its middle in its interval.
// EQ takes what lies in the interval that the digits asked for imply; the others compare
// with the number itself, whatever its digits. An interval with an open end (">5") has
// that end as its middle and is compared by what it may stand for. spans hold the
// middles of all that may fulfil it.
func numberCond(m search.NumberMatch) (cond fragment, spans []span) {
	const value, low, high = amountValue, amountLow, amountHigh
	least, most := math.Inf(-1), math.Inf(1)
	eps := math.Abs(m.Value) * tolerance
	above, beneath := m.Value+eps, m.Value-eps
	switch m.Compare {
	case search.NE:
		eq, _ := numberCond(search.NumberMatch{Compare: search.EQ, Low: m.Low, Value: m.Value, High: m.High})
		return fragment{"NOT (" + eq.sql + ")", eq.args}, []span{{least, most}}
	case search.GT:
		return fragment{"(" + value + " > ? OR " + value + " = ? AND " + high + " > ?)", []any{above, least, above}}, []span{{above, most}, {least, least}}
	case search.LT:
		return fragment{"(" + value + " < ? OR " + value + " = ? AND " + low + " < ?)", []any{beneath, most, beneath}}, []span{{least, beneath}, {most, most}}
	case search.GE:
		return fragment{"(" + value + " >= ? OR " + value + " = ? AND " + high + " >= ?)", []any{beneath, least, beneath}}, []span{{beneath, most}, {least, least}}
	case search.LE:
		return fragment{"(" + value + " <= ? OR " + value + " = ? AND " + low + " <= ?)", []any{above, most, above}}, []span{{least, above}, {most, most}}
	case search.SA:
		return fragment{"(" + value + " > ? AND " + low + " > ?)", []any{m.Value, m.Value}}, []span{{m.Value, most}}
	case search.EB:
		return fragment{"(" + value + " < ? AND " + high + " < ?)", []any{m.Value, m.Value}}, []span{{least, m.Value}}
	case search.AP:
		tenth := math.Abs(m.Value) / 10
		return fragment{"(" + low + " <= ? AND " + high + " >= ?)", []any{max(m.High, m.Value+tenth), min(m.Low, m.Value-tenth)}}, []span{{least, most}}
	}
	if m.Low >= m.High {
		return fragment{value + " BETWEEN ? AND ?", []any{beneath, above}}, []span{{beneath, above}}
	}
	return fragment{"(" + value + " >= ? AND " + value + " < ?)", []any{m.Low, m.High}}, []span{{m.Low, m.High}}
}

// amounts makes a source of rows of index_number under a number that parameters share, and a condition on them.
func amounts(pid, under int32, cond fragment, spans []span) source {
	var s source
	s.cond.add("EXISTS (SELECT 1 FROM unnest(array_positions(@.q_pid, ?)) i WHERE ", pid)
	s.cond.append(cond)
	s.cond.sql += ")"
	for i, r := range spans {
		if i > 0 {
			s.rids.sql += " UNION ALL "
		}
		s.rids.add("SELECT x.rid, NULL::int8 AS at FROM index_number x WHERE x.pid = ? AND x.value >= ? AND x.value <= ?", under, r.low, r.high)
	}
	return s
}

func (b *builder) number(typ, param string, m search.NumberMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	under, err := b.under(typ, byAmount)
	cond, spans := numberCond(m)
	return amounts(pid, under, cond, spans), err
}

// quantityCond asks i for an amount with its unit; false when no row can hold it.
func (b *builder) quantityCond(m search.QuantityMatch) (cond fragment, spans []span, ok bool, err error) {
	cond, spans = numberCond(m.NumberMatch)
	if m.Code == "" {
		return cond, spans, true, nil
	}
	code, ok, err := b.name(m.Code)
	if !ok || err != nil {
		return cond, nil, false, err
	}
	switch {
	case m.Canonical:
		cond.add(" AND @.q_units[3*i-1] = ?", code)
	case m.System == "":
		cond.add(" AND (@.q_units[3*i-1] = ? OR @.q_units[3*i] = ?)", code, code)
	default:
		system, ok, err := b.name(m.System)
		if !ok || err != nil {
			return cond, nil, false, err
		}
		cond.add(" AND @.q_units[3*i-2] = ? AND @.q_units[3*i-1] = ?", system, code)
	}
	return cond, spans, true, nil
}

func (b *builder) quantity(typ, param string, m search.QuantityMatch) (source, error) {
	form, of := "", byAmount
	if m.Canonical {
		form, of = asCanonical, byCanonical
	}
	pid, ok, err := b.pid(typ, param, form)
	if !ok || err != nil {
		return noSource, err
	}
	cond, spans, ok, err := b.quantityCond(m)
	if !ok || err != nil {
		return noSource, err
	}
	under, err := b.under(typ, of)
	return amounts(pid, under, cond, spans), err
}

// referenceCond says in which form of the parameter u must hold which text, and what
// else is asked of u.
func (b *builder) referenceCond(m search.ReferenceMatch) (form, text string, cond fragment, ok bool, err error) {
	space := int32(0)
	cond.sql = always
	switch {
	case m.ID != "":
		text = m.ID
		if m.Type == "" {
			break
		}
		if space, ok, err = b.name(m.Type); !ok || err != nil {
			return "", "", cond, false, err
		}
		return "", text, fragment{"u.space = ?", []any{space}}, true, nil
	case m.URL != "":
		form, text = asURL, m.URL
	case m.Identifier != nil && m.Identifier.Code != "":
		form, text = asIdentifier, m.Identifier.Code
		if m.Identifier.System == nil {
			break
		}
		if space, ok, err = b.name(*m.Identifier.System); !ok || err != nil {
			return "", "", cond, false, err
		}
		return form, text, fragment{"coalesce(u.space, 0) = ?", []any{space}}, true, nil
	default:
		return "", "", cond, false, nil
	}
	return form, text, cond, true, nil
}

// references answers the references of a clause, those that ask for nothing but an id
// with one source.
func (b *builder) references(typ, param string, matches []search.ReferenceMatch) ([]source, error) {
	var out []source
	var bare, common []int64
	var several [][]byte
	var of int32
	for _, m := range matches {
		form, text, cond, ok, err := b.referenceCond(m)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		pid, ok, err := b.pid(typ, param, form)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		key, alone, err := b.lead(typ, pid, leadOf(param, form, text, false, false), text)
		if err != nil {
			return nil, err
		}
		switch {
		case len(cond.args) > 0 || !alone && form != "":
			out = append(out, keyed(key).proven(texts(pid, []byte(text), cond)))
		case alone:
			bare = append(bare, key)
		default:
			common, several, of = append(common, key), append(several, []byte(text)), pid
		}
	}
	if len(bare) > 0 {
		out = append(out, keyedAny(bare))
	}
	if len(common) > 0 {
		out = append(out, keyedAny(common).proven(oneOf(of, several)))
	}
	return out, nil
}

func (b *builder) uri(typ, param string, m search.URIMatch) (source, error) {
	pid, ok, err := b.pid(typ, param, "")
	if !ok || err != nil {
		return noSource, err
	}
	cond, whole := uriCond("u.text", m)
	s := source{cond: texts(pid, nil, cond)}
	var rids fragment
	switch {
	case m.Above:
		rids.add("x.text = ANY(?)", starts(above(m.Value)))
	case len(m.Value) >= startBytes:
		rids.add("x.text = ?", []byte(start(m.Value)))
	default:
		rids, _ = uriCond("x.text", m)
		s.ordered = whole
	}
	s.rids, err = b.strings(typ, byText, rids)
	return s, err
}

// part says which rows of @ hold one component of a composite: a list of groups.
func (b *builder) part(typ, param string, p search.CompositePart) (groups fragment, key int64, ok bool, err error) {
	form := ""
	var equal []byte
	var cond fragment
	ok = true
	switch m := p.Match.(type) {
	case search.TokenMatch:
		if m.Text != "" {
			form, cond = asText, prefixCond("u.text", m.Text)
			break
		}
		if m.Code != "" {
			if key, _, err = b.lead(typ, 0, leadOf(param, "", m.Code, true, true), m.Code); err != nil {
				return groups, 0, false, err
			}
		}
		equal, cond, ok, err = b.tokenCond(m)
	case search.StringMatch:
		equal, cond = b.v.s.hash.stringCond(m)
	case search.ReferenceMatch:
		var text string
		form, text, cond, ok, err = b.referenceCond(m)
		equal = []byte(text)
	case search.URIMatch:
		cond, _ = uriCond("u.text", m)
	case search.DateMatch:
		return b.groups(typ, param, "", "d", interval(dateLow, dateHigh, m))
	case search.NumberMatch:
		cond, _ := numberCond(m)
		return b.groups(typ, param, "", "q", cond)
	case search.QuantityMatch:
		cond, _, ok, err := b.quantityCond(m)
		if !ok || err != nil {
			return groups, 0, false, err
		}
		if m.Canonical {
			form = asCanonical
		}
		return b.groups(typ, param, form, "q", cond)
	default:
		return groups, 0, false, errPart
	}
	if !ok || err != nil {
		return groups, 0, false, err
	}
	pid, ok, err := b.pid(typ, param, form)
	if !ok || err != nil {
		return groups, 0, false, err
	}
	groups.sql = "SELECT u.grp FROM "
	groups.append(textRows(pid, equal))
	groups.sql += " AND "
	groups.append(cond)
	return groups, key, true, nil
}

func (b *builder) groups(typ, param, form, arrays string, cond fragment) (groups fragment, key int64, ok bool, err error) {
	pid, ok, err := b.pid(typ, param, form)
	if !ok || err != nil {
		return groups, 0, false, err
	}
	groups.add("SELECT @."+arrays+"_group[i] FROM unnest(array_positions(@."+arrays+"_pid, ?)) i WHERE ", pid)
	groups.append(cond)
	return groups, 0, true, nil
}

// composite answers elements that fulfil all parts: the groups of the parts meet.
func (b *builder) composite(typ, param string, m search.CompositeMatch) (source, error) {
	if err := b.spend(len(m.Parts)); err != nil {
		return noSource, err
	}
	if len(m.Parts) == 0 {
		return noSource, errPart
	}
	var s source
	var keys []int64
	for i, p := range m.Parts {
		groups, key, ok, err := b.part(typ, search.Component(param, i), p)
		if !ok || err != nil {
			return noSource, err
		}
		if i > 0 {
			s.cond.sql += " INTERSECT "
		}
		s.cond.append(groups)
		if key != 0 {
			keys = append(keys, key)
		}
	}
	s.cond.sql = "EXISTS (" + s.cond.sql + ")"
	if len(keys) > 0 { // codes lead to candidates
		slices.SortStableFunc(keys, func(x, y int64) int { return cmp.Compare(y&1, x&1) }) // dated ones first
		k := keyed(keys[0])
		if len(keys) > 1 {
			at := "0"
			if dated(keys[1]) {
				at = "x.at"
			}
			k.rids.add(" AND EXISTS (SELECT 1 FROM index_key y WHERE y.key = ? AND y.at = "+at+" AND y.rid = x.rid)", keys[1])
		}
		s.rids, s.keys, s.ordered, s.listing, s.dated = k.rids, k.keys, k.ordered, k.listing, k.dated
		s.cond.sql = "(" + k.cond.sql + " AND " + s.cond.sql + ")"
		s.cond.args = append(append([]any{}, k.cond.args...), s.cond.args...)
	}
	return s, nil
}

// earth is the mean radius of the earth in metres.
const earth = 6_371_008.8

// near answers positions within a distance on the sphere.
func (b *builder) near(typ, param string, m search.NearMatch) (source, error) {
	latitude, ok, err := b.pid(typ, search.Component(param, 0), "")
	if !ok || err != nil {
		return noSource, err
	}
	longitude, ok, err := b.pid(typ, search.Component(param, 1), "")
	if !ok || err != nil {
		return noSource, err
	}
	const a, o = "@.q_bounds[3*i-2]", "@.q_bounds[3*j-2]"
	var s source
	s.cond.add("EXISTS (SELECT 1 FROM generate_subscripts(@.q_pid, 1) i, generate_subscripts(@.q_pid, 1) j "+
		"WHERE @.q_pid[i] = ? AND @.q_pid[j] = ? AND @.q_group[i] IS NOT DISTINCT FROM @.q_group[j] AND "+
		"2 * asin(least(1, sqrt(power(sin(radians("+a+" - ?::float8) / 2), 2) + "+
		"cos(radians(?::float8)) * cos(radians("+a+")) * power(sin(radians("+o+" - ?::float8) / 2), 2)))) * ?::float8 <= ?::float8)",
		latitude, longitude, m.Latitude, m.Latitude, m.Longitude, earth, m.Meters)
	degrees := m.Meters/earth*180/math.Pi + 1e-9
	under, err := b.under(typ, byAmount)
	s.rids.add("SELECT x.rid, NULL::int8 AS at FROM index_number x WHERE x.pid = ? AND x.value >= ? AND x.value <= ?", under, m.Latitude-degrees, m.Latitude+degrees)
	return s, err
}
