package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// builder turns one query into SQL. Numbers of names are resolved while it does.
type builder struct {
	ctx     context.Context // of the search, which the builder does not outlive
	v       view
	allowed search.Allowed
	budget  int // operands and conditions left
	aliases int
	nested  int // depth of combinations
}

func newBuilder(ctx context.Context, v view, allowed search.Allowed) (*builder, error) {
	return &builder{ctx: ctx, v: v, allowed: allowed, budget: v.s.opt.MaxOperands}, nil
}

// maxChain bounds how deep chains nest; combinations are bound by the budget.
const maxChain = 8

// maxProbed is how deep combinations nest in which the best start is looked for.
const maxProbed = 4

func (b *builder) spend(n int) error {
	if b.budget -= n; b.budget < 0 {
		return fault.New(fault.TooCostly, "the search has too many conditions")
	}
	return nil
}

func (b *builder) alias() string {
	b.aliases++
	return "r" + strconv.Itoa(b.aliases)
}

func (b *builder) name(text string) (int32, bool, error) { return b.v.s.names.id(b.ctx, text) }

func (b *builder) pid(typ, param, form string) (int32, bool, error) {
	return b.name(typ + "." + param + form)
}

// source is one way to a condition: rids lists the resources that may fulfil it, cond
// asks whether one does.
type source struct {
	rids    fragment // rid, and at of index_key or NULL; no text: nothing leads to them, they are found by looking at all
	cond    fragment
	proof   fragment // what is left of cond where rids listed the resource; no text: all of it
	keys    []int64  // it has a row of index_key under one of them, what is exact and what is not; nil: nothing is known
	listing *listing // rids are what it lists, once each in its order
	exact   bool     // rids lists what fulfils cond and nothing else
	ordered bool     // rids come once each, in order of rid, without sorting
	dated   bool     // rids come with at
	nested  bool     // rids is a chain with a driver of its own, not worth probing
	size    int64    // of a nested one: how many its driver lists, 0 when that is not known
	none    bool     // no resource fulfils it

	leading  bool // the condition bounds the leading date to from … to
	from, to int64
}

var noSource = source{none: true}

// drive writes the resources that a source lists and met asks of, in order of rid, and behind one if it
// is not nil. OFFSET 0 keeps the planner, which may know nothing of the tables yet, from
// beginning anywhere else. The list is d followed by the alias.
func (s *source) drive(alias string, met fragment, behind any) fragment {
	var f fragment
	switch {
	case s.ordered:
		f.add("("+s.rids.sql, s.rids.args...)
		f.append(met.at("x"))
		if behind != nil {
			f.add(" AND x.rid > ?", behind)
		}
		f.sql += " ORDER BY x.rid OFFSET 0)"
	case s.listing != nil && !s.listing.bounded:
		f.add("("+s.rids.sql, s.rids.args...)
		f.append(met.at("x"))
		f.sql += " OFFSET 0)"
	default:
		f.add("(SELECT DISTINCT z.rid FROM ("+s.rids.sql+") z WHERE true", s.rids.args...)
		f.append(met.at("z"))
		f.sql += " ORDER BY z.rid OFFSET 0)"
	}
	f.sql += " d" + alias + rowOf(alias)
	return f
}

// rowOf joins the resource that a list d followed by the alias leads to.
func rowOf(alias string) string {
	return " CROSS JOIN LATERAL (SELECT * FROM resource y WHERE y.rid = d" + alias + ".rid OFFSET 0) " + alias
}

// where is a compiled list of clauses on resources of one type.
type where struct {
	cond    fragment // what must hold of @ besides the sources: allowed, what must not be
	sources []source // all of them must hold; those with rids can drive the query
	none    bool
}

// but returns all that must hold of @ where the driver listed it.
func (w *where) but(driver *source) fragment {
	var all fragment
	all.append(w.cond)
	for i := range w.sources {
		switch s := &w.sources[i]; {
		case s != driver || !s.exact && s.proof.sql == "":
			all.add(" AND "+s.cond.sql, s.cond.args...)
		case !s.exact:
			all.add(" AND "+s.proof.sql, s.proof.args...)
		}
	}
	return all
}

// maxMet bounds how many keys are looked up for each entry that a driver lists.
const maxMet = 2

// met asks index_key of what @ leads to for the keys of all sources but the driver: that
// takes less than a look at the row, which most of what a driver lists does not need then.
// Dated keys can be asked for only where @ comes with at.
func (w *where) met(driver *source, withAt bool) fragment {
	var all fragment
	n := 0
	for i := range w.sources {
		s := &w.sources[i]
		if s == driver || s.keys == nil || n == maxMet || !withAt && slices.ContainsFunc(s.keys, dated) {
			continue
		}
		n++
		if len(s.keys) == 1 {
			at := "0"
			if dated(s.keys[0]) {
				at = "@.at"
			}
			all.add(" AND EXISTS (SELECT 1 FROM index_key e WHERE e.key = ? AND e.at = "+at+" AND e.rid = @.rid OFFSET 0)", s.keys[0])
			continue
		}
		at := "0"
		if slices.ContainsFunc(s.keys, dated) {
			at = "CASE WHEN k & 1 = 1 THEN @.at ELSE 0 END"
		}
		all.add(" AND EXISTS (SELECT 1 FROM unnest(?::int8[]) k JOIN index_key e ON e.key = k AND e.at = "+at+" AND e.rid = @.rid OFFSET 0)", s.keys)
	}
	return all
}

// must adds a source that all results fulfil.
func (w *where) must(s source) {
	if s.none {
		w.none = true
		return
	}
	w.sources = append(w.sources, s)
}

// compile turns the clauses on a type into a condition and the sources that could
// drive it.
func (b *builder) compile(typ string, clauses []search.Clause, depth int) (where, error) {
	var w where
	if depth > maxChain {
		return w, fault.New(fault.TooCostly, "the search chains too deep")
	}
	typeID, ok, err := b.name(typ)
	if err != nil {
		return w, err
	}
	if !ok || typ == "" {
		w.none = true
		return w, nil
	}
	w.cond.add("@.type = ? AND NOT @.deleted", typeID)
	if err := b.allow(typeID, &w); err != nil || w.none {
		return w, err
	}
	err = b.clauses(typ, typeID, clauses, &w, depth)
	w.bound()
	return w, err
}

func (b *builder) clauses(typ string, typeID int32, clauses []search.Clause, w *where, depth int) error {
	for done, i := map[string]bool{}, 0; i < len(clauses); i++ {
		c := &clauses[i]
		if err := b.spend(1 + len(c.Any)); err != nil {
			return err
		}
		if periods := together(clauses, c); periods != nil {
			if !done[c.Param] { // the first of a parameter's clauses answers for all
				done[c.Param] = true
				s, err := b.dates(typ, typeID, c.Param, periods)
				if err != nil {
					return err
				}
				w.must(s)
			}
			continue
		}
		if err := b.clause(typ, typeID, c, w, depth); err != nil {
			return err
		}
	}
	return nil
}

// together returns the matches of all clauses that ask one date parameter for one
// thing each; nil when c is not of that form.
func together(clauses []search.Clause, c *search.Clause) []search.DateMatch {
	plain := func(c *search.Clause) (search.DateMatch, bool) {
		if c.Not || c.Missing != nil || len(c.Any) != 1 {
			return search.DateMatch{}, false
		}
		m, ok := c.Any[0].(search.DateMatch)
		return m, ok
	}
	if _, ok := plain(c); !ok {
		return nil
	}
	var all []search.DateMatch
	for i := range clauses {
		if m, ok := plain(&clauses[i]); ok && clauses[i].Param == c.Param {
			all = append(all, m)
		}
	}
	return all
}

func (b *builder) clause(typ string, typeID int32, c *search.Clause, w *where, depth int) error {
	if c.Missing != nil {
		present, err := b.present(typ, c)
		if err != nil {
			return err
		}
		wanted := *c.Missing == c.Not // a value
		switch {
		case present.sql == always && !wanted, present.sql == never && wanted:
			w.none = true
		case present.sql == always, present.sql == never:
		case wanted:
			w.cond.add(" AND "+present.sql, present.args...)
		default:
			w.cond.add(" AND ("+present.sql+") IS NOT TRUE", present.args...)
		}
		return nil
	}
	sources, err := b.operands(typ, typeID, c, depth)
	if err != nil {
		return err
	}
	any := union(sources)
	if !c.Not {
		w.must(any)
	} else if !any.none {
		w.cond.add(" AND ("+any.cond.sql+") IS NOT TRUE", any.cond.args...)
	}
	return nil
}

// union makes one source of alternatives.
func union(sources []source) source {
	var u source
	n := 0
	for _, s := range sources {
		if s.none {
			continue
		}
		if n++; n == 1 {
			u = s
			continue
		}
		if n == 2 {
			u.cond.args, u.rids.args = append([]any{}, u.cond.args...), append([]any{}, u.rids.args...)
		}
		u.cond.add(" OR "+s.cond.sql, s.cond.args...)
		if u.rids.sql == "" || s.rids.sql == "" {
			u.rids = fragment{}
		} else {
			u.rids.add(" UNION ALL "+s.rids.sql, s.rids.args...)
		}
		if u.keys == nil || s.keys == nil {
			u.keys = nil
		} else {
			u.keys = append(u.keys[:len(u.keys):len(u.keys)], s.keys...)
		}
		u.ordered, u.listing, u.leading, u.proof = false, nil, false, fragment{}
		u.dated = u.dated && s.dated
		u.nested = u.nested || s.nested
		u.exact = u.exact && s.exact
	}
	switch {
	case n == 0:
		return noSource
	case n > 1:
		u.cond.sql = "(" + u.cond.sql + ")"
	}
	return u
}

// operands compiles the alternatives of a clause. Kinds whose alternatives share a
// shape go together, so that a list of codes is one condition.
func (b *builder) operands(typ string, typeID int32, c *search.Clause, depth int) ([]source, error) {
	var out []source
	var codes []search.TokenMatch
	var refs []search.ReferenceMatch
	add := func(s source, err error) error {
		out = append(out, s)
		return err
	}
	for _, o := range c.Any {
		var err error
		switch m := o.(type) {
		case search.TokenMatch:
			codes = append(codes, m)
		case search.ReferenceMatch:
			refs = append(refs, m)
		case search.StringMatch:
			err = add(b.text(typ, c.Param, m))
		case search.DateMatch:
			err = add(b.dates(typ, typeID, c.Param, []search.DateMatch{m}))
		case search.NumberMatch:
			err = add(b.number(typ, c.Param, m))
		case search.QuantityMatch:
			err = add(b.quantity(typ, c.Param, m))
		case search.URIMatch:
			if c.Param == paramSource {
				out = append(out, b.source(typeID, m))
			} else {
				err = add(b.uri(typ, c.Param, m))
			}
		case search.ChainMatch:
			err = add(b.chain(typ, c.Param, m, depth))
		case search.HasMatch:
			err = add(b.has(typeID, m, depth))
		case search.AllMatch:
			err = add(b.all(typ, typeID, m, depth))
		case search.CompositeMatch:
			err = add(b.composite(typ, c.Param, m))
		case search.NearMatch:
			err = add(b.near(typ, c.Param, m))
		case search.TextMatch:
			err = add(b.words(typ, c.Param, m))
		default:
			err = fault.Newf(fault.Invalid, "a search operand of type %T is not known", o)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(codes) > 0 && c.Param == paramID {
		values := make([][]byte, len(codes))
		for i, m := range codes {
			values[i] = []byte(m.Code)
		}
		out = append(out, source{
			rids:  fragment{"SELECT x.rid, NULL::int8 AS at FROM resource x WHERE x.type = ? AND x.id = ANY(?)", []any{typeID, values}},
			cond:  fragment{"@.id = ANY(?)", []any{values}},
			exact: true,
		})
	} else if len(codes) > 0 {
		s, err := b.tokens(typ, c.Param, codes)
		if err != nil {
			return nil, err
		}
		out = append(out, s...)
	}
	if len(refs) > 0 {
		s, err := b.references(typ, c.Param, refs)
		if err != nil {
			return nil, err
		}
		out = append(out, s...)
	}
	return out, nil
}

// Parameters that are columns of the resource.
const (
	paramID      = "_id"
	paramUpdated = "_lastUpdated"
	paramSource  = "_source"
)

// source answers meta.source, which is indexed by how it begins.
func (b *builder) source(typeID int32, m search.URIMatch) source {
	cond, whole := uriCond("@.source", m)
	cond.sql = "@.source <> '' AND " + cond.sql
	lead := m
	lead.Value = start(m.Value)
	range1, _ := uriCond("substr(x.source, 1, 256)", lead)
	if m.Above {
		range1 = fragment{"substr(x.source, 1, 256) = ANY(?)", []any{starts(above(m.Value))}}
	} else if len(m.Value) >= startBytes {
		range1 = fragment{"substr(x.source, 1, 256) = ?", []any{[]byte(lead.Value)}}
	}
	s := source{cond: fragment{"(" + cond.sql + ")", cond.args}, ordered: false}
	s.exact = whole && len(m.Value) < startBytes && !m.Above
	s.rids.add("SELECT x.rid, NULL::int8 AS at FROM resource x WHERE x.type = ? AND NOT x.deleted AND x.source <> '' AND ", typeID)
	s.rids.append(range1)
	return s
}

// dates answers date clauses of one parameter that must all hold.
func (b *builder) dates(typ string, typeID int32, param string, all []search.DateMatch) (source, error) {
	if param != paramUpdated {
		return b.period(typ, param, all)
	}
	// An instant, so all bounds are on one column.
	var cond fragment
	from, to := int64(search.MinTime), int64(search.MaxTime)
	for _, m := range all {
		c := interval("@.updated", "(@.updated + 1)", m)
		cond.add(" AND "+c.sql, c.args...)
		f, t := bounds(m, 1)
		from, to = max(from, f), min(to, t)
	}
	cond.sql = "(@.updated >= ? AND @.updated <= ?" + cond.sql + ")"
	cond.args = append([]any{from, to}, cond.args...)
	x := cond.at("x")
	s := source{cond: cond, exact: true}
	s.rids.add("SELECT x.rid, NULL::int8 AS at FROM resource x WHERE x.type = ? AND NOT x.deleted AND ", typeID)
	s.rids.append(x)
	return s, nil
}

// Conditions that need no look at a row.
const (
	always = "true"
	never  = "false"
)

// present asks whether a resource has any value of a parameter.
func (b *builder) present(typ string, c *search.Clause) (fragment, error) {
	switch c.Param {
	case paramID, paramUpdated:
		return fragment{sql: always}, nil
	case paramSource:
		return fragment{sql: "(@.source <> '')"}, nil
	}
	column, forms := "@.x_pid", []string{""}
	switch c.Kind {
	case search.KindToken, search.KindString, search.KindURI:
	case search.KindReference:
		forms = []string{"", asURL, asIdentifier}
	case search.KindDate:
		column = "@.d_pid"
	case search.KindNumber, search.KindQuantity:
		column = "@.q_pid"
	case search.KindComposite:
		return b.presentParts(typ, c.Param)
	case search.KindSpecial:
		column, forms = "@.q_pid", []string{search.Component("", 0)}
	case search.KindText:
		pid, ok, err := b.pid(typ, c.Param, "")
		if !ok || err != nil {
			return fragment{sql: never}, err
		}
		return fragment{"EXISTS (SELECT 1 FROM index_word w WHERE w.rid = @.rid AND w.words @> ?)", []any{[]int64{b.v.s.hash.param(pid)}}}, nil
	default:
		return fragment{}, fault.Newf(fault.Invalid, "a search parameter of kind %d is not known", c.Kind)
	}
	var pids []int32
	for _, form := range forms {
		pid, ok, err := b.pid(typ, c.Param, form)
		if err != nil {
			return fragment{}, err
		}
		if ok {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		return fragment{sql: never}, nil
	}
	return fragment{column + " && ?", []any{pids}}, nil
}

// presentParts asks whether a resource has values of a composite: of all its parts in
// one group.
func (b *builder) presentParts(typ, param string) (fragment, error) {
	var out fragment
	parts := 0
	for ; ; parts++ {
		var pids []int32
		for _, form := range []string{"", asURL, asIdentifier} {
			pid, ok, err := b.pid(typ, search.Component(param, parts), form)
			if err != nil {
				return out, err
			}
			if ok {
				pids = append(pids, pid)
			}
		}
		if len(pids) == 0 {
			break
		}
		if parts > 0 {
			out.sql += " INTERSECT "
		}
		out.add("(SELECT u.grp FROM unnest(@.x_pid, @.x_group) u(pid, grp) WHERE u.pid = ANY(?) UNION ALL "+
			"SELECT u.grp FROM unnest(@.d_pid, @.d_group) u(pid, grp) WHERE u.pid = ANY(?) UNION ALL "+
			"SELECT u.grp FROM unnest(@.q_pid, @.q_group) u(pid, grp) WHERE u.pid = ANY(?))", pids, pids, pids)
	}
	if parts == 0 {
		return fragment{sql: never}, nil
	}
	out.sql = "EXISTS (" + out.sql + ")"
	return out, nil
}

// allow adds what the viewer may see. It is part of every level of a query, so
// that nothing unseen can be felt through a chain.
func (b *builder) allow(typeID int32, w *where) error {
	a := &b.allowed
	if !a.All {
		var either fragment
		var owners []int32
		for _, o := range a.Owners {
			id, ok, err := b.name(o)
			if err != nil {
				return err
			}
			if ok && id != 0 {
				owners = append(owners, id)
			}
		}
		if len(owners) > 0 {
			either.add("@.owner = ANY(?)", owners)
		}
		if a.Shared {
			id, ok, err := b.name(store.Alliance)
			if err != nil {
				return err
			}
			if ok {
				if either.sql != "" {
					either.add(" OR ")
				}
				either.add("@.owner = ? AND @.patient = ''", id)
			}
		}
		if either.sql == "" {
			w.none = true
			return nil
		}
		w.cond.add(" AND ("+either.sql+")", either.args...)
	}
	if a.Patients != nil {
		patients := bytesOf(a.Patients)
		if len(patients) == 0 {
			w.none = true
			return nil
		}
		w.cond.add(" AND @.patient <> '' AND @.patient = ANY(?)", patients)
		s := source{rids: fragment{"SELECT x.rid, x.at FROM resource x WHERE NOT x.deleted AND x.patient <> '' AND x.patient = ANY(?) AND x.type = ?",
			[]any{patients, typeID}}, exact: true, dated: true}
		if len(patients) == 1 {
			s.rids = fragment{"SELECT x.rid, x.at FROM resource x WHERE NOT x.deleted AND x.patient <> '' AND x.patient = ? AND x.type = ?",
				[]any{patients[0], typeID}}
			s.ordered = true
		}
		s.cond.sql = always
		w.sources = append(w.sources, s)
	}
	return nil
}

// bytesOf are texts as columns have them, without empty ones.
func bytesOf(list []string) [][]byte {
	out := make([][]byte, 0, len(list))
	for _, text := range list {
		if text != "" {
			out = append(out, []byte(text))
		}
	}
	return out
}

// all answers a combination of conditions on the same resource.
func (b *builder) all(typ string, typeID int32, m search.AllMatch, depth int) (source, error) {
	var w where
	b.nested++
	defer func() { b.nested-- }()
	if err := b.spend(1); err != nil {
		return noSource, err
	}
	if err := b.clauses(typ, typeID, m.Where, &w, depth); err != nil || w.none {
		return noSource, err
	}
	w.bound()
	s := source{}
	s.cond.sql = "(" + always
	s.cond.append(w.but(nil))
	s.cond.sql += ")"
	var d *source
	if b.nested <= maxProbed {
		var err error
		if d, _, _, err = b.rarest(w.sources, false); err != nil {
			return noSource, err
		}
	} else if i := slices.IndexFunc(w.sources, func(s source) bool { return s.rids.sql != "" }); i >= 0 {
		d = &w.sources[i]
	}
	if d != nil {
		s.rids, s.nested, s.size, s.dated = d.rids, d.nested, d.size, d.dated
	}
	return s, nil
}

// chain answers references to a resource for which something holds.
func (b *builder) chain(typ, param string, m search.ChainMatch, depth int) (source, error) {
	inner, err := b.compile(m.Type, m.Where, depth+1)
	if err != nil {
		return noSource, err
	}
	pid, ok, err := b.pid(typ, param, "")
	if err != nil || !ok || inner.none {
		return noSource, err
	}
	space, ok, err := b.name(m.Type)
	if !ok || err != nil {
		return noSource, err
	}
	a := b.alias()
	s := source{nested: true}
	s.cond.add("EXISTS (SELECT 1 FROM unnest(array_positions(@.x_pid, ?)) i JOIN resource "+a+
		" ON "+a+".type = @.x_space[i] AND "+a+".id = @.x_text[i] WHERE @.x_space[i] = ? AND ", pid, space)
	s.cond.append(inner.but(nil).at(a))
	s.cond.sql += ")"
	from, cond, size, err := b.from(a, &inner)
	if err != nil {
		return noSource, err
	}
	s.size, s.dated = size, true
	refers, ok, err := b.refers(typ, pid, a)
	if !ok || err != nil {
		return noSource, err
	}
	// The key of a reference does not hold the type: cond asks for that.
	s.rids.sql = "SELECT y.rid, y.at FROM "
	s.rids.append(from)
	s.rids.sql += " JOIN index_key y ON y.key = "
	s.rids.append(refers)
	s.rids.sql += " WHERE "
	s.rids.append(cond)
	return s, nil
}

// has answers resources that something refers to.
func (b *builder) has(typeID int32, m search.HasMatch, depth int) (source, error) {
	inner, err := b.compile(m.Type, m.Where, depth+1)
	if err != nil {
		return noSource, err
	}
	pid, ok, err := b.pid(m.Type, m.Param, "")
	if err != nil || !ok || inner.none {
		return noSource, err
	}
	a := b.alias()
	s := source{nested: true, exact: true}
	refers, ok, err := b.refers(m.Type, pid, "@")
	if !ok || err != nil {
		return noSource, err
	}
	s.cond.sql = "EXISTS (SELECT 1 FROM (SELECT x.rid FROM index_key x WHERE x.key = "
	s.cond.append(refers)
	s.cond.append(inner.met(nil, true).at("x"))
	s.cond.sql += " OFFSET 0) d" + a + rowOf(a)
	s.cond.add(" WHERE EXISTS (SELECT 1 FROM unnest(array_positions("+a+".x_text, @.id)) i WHERE "+a+".x_pid[i] = ? AND "+a+".x_space[i] = ?) AND ",
		pid, typeID)
	s.cond.append(inner.but(nil).at(a))
	s.cond.sql += ")"
	from, cond, size, err := b.from(a, &inner)
	if err != nil {
		return noSource, err
	}
	s.size = size
	target := b.alias()
	s.rids.add("SELECT " + target + ".rid, NULL::int8 AS at FROM ")
	s.rids.append(from)
	s.rids.add(" CROSS JOIN LATERAL unnest(array_positions("+a+".x_pid, ?)) i JOIN resource "+target+
		" ON "+target+".type = "+a+".x_space[i] AND "+target+".id = "+a+".x_text[i] WHERE "+a+".x_space[i] = ? AND ", pid, typeID)
	s.rids.append(cond)
	return s, nil
}

// refers writes the keys of references to the resource with an alias.
func (b *builder) refers(typ string, pid int32, alias string) (fragment, bool, error) {
	typeID, ok, err := b.name(typ)
	h := &b.v.s.hash
	return fragment{"((" + alias + ".self # CASE WHEN " + alias + ".self & 1 = 1 THEN ?::int8 ELSE ?::int8 END) | 1)",
		[]any{h.param(byTell.of(typeID)), h.param(pid)}}, ok, err
}

// from writes what a level of the query starts with, its rarest source or all
// resources of the type, what remains to be asked of them, and how many the source lists, 0
// when that is not known.
func (b *builder) from(alias string, w *where) (from, cond fragment, size int64, err error) {
	d, size, _, err := b.rarest(w.sources, true)
	if err != nil {
		return from, cond, 0, err
	}
	cond = w.but(d).at(alias)
	if d == nil {
		return fragment{sql: "resource " + alias}, cond, 0, nil
	}
	return d.drive(alias, w.met(d, d.dated), nil), cond, size, nil
}

// starts are the beginnings of texts that index_string holds.
func starts(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, text := range list {
		out[i] = []byte(start(text))
	}
	return out
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

// above are a uri and those it is below of.
func above(uri string) []string {
	list := []string{uri}
	for i := len(uri) - 1; i > 0 && len(list) < maxAbove; i-- {
		if uri[i] == '/' && uri[i-1] != '/' {
			list = append(list, uri[:i+1], uri[:i])
		}
	}
	return list
}

// maxAbove bounds the ancestors of a uri that :above looks for.
const maxAbove = 64

// uriCond writes how a column compares with a uri; whole when nothing but equality is asked.
func uriCond(column string, m search.URIMatch) (cond fragment, whole bool) {
	switch {
	case m.Below:
		// The uri itself and what continues it behind a slash, so that …/a is not above …/ab.
		base := strings.TrimSuffix(m.Value, "/") + "/"
		cond.add("("+column+" >= ?", []byte(m.Value))
		if end := after(base); end != "" {
			cond.add(" AND "+column+" < ?", []byte(end))
		}
		if m.Value != base {
			cond.add(" AND ("+column+" = ? OR "+column+" >= ?)", []byte(m.Value), []byte(base))
		}
		cond.sql += ")"
		return cond, false
	case m.Above:
		list := above(m.Value)
		values := make([][]byte, len(list))
		for i, text := range list {
			values[i] = []byte(text)
		}
		return fragment{column + " = ANY(?)", []any{values}}, true
	}
	return fragment{column + " = ?", []any{[]byte(m.Value)}}, true
}
