package sqlite

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// builder turns one query into SQL. Numbers of names are resolved while it does.
type builder struct {
	v        view
	allowed  search.Allowed
	budget   int // operands and conditions left
	aliases  int
	patients string // JSON of allowed.Patients
	part     bool   // what is compiled is a component of a composite
	after    bool   // a page behind the first is asked for
	effort   effort
	checks   []int64
}

// maxChain bounds how deep chains nest.
const maxChain = 4

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

// where is a compiled list of clauses on resources of one type.
type where struct {
	cond    fragment // what must hold of @ besides the sources: type, allowed, what must not be
	sources []source // all of them must hold; those with rids can drive the query
	none    bool
}

// but returns all that must hold of @ where the driver listed it.
func (w *where) but(driver *source) fragment {
	all := fragment{w.cond.sql, slices.Clip(w.cond.args)}
	for i := range w.sources {
		if s := &w.sources[i]; s.cond.sql != "" && (s != driver || !s.exact) {
			all.add(" AND "+s.cond.sql, s.cond.args...)
		}
	}
	return all
}

// compile turns the clauses on a type into a condition and the sources that could
// drive it.
func (b *builder) compile(typ string, clauses []search.Clause, depth int) (where, error) {
	if depth > maxChain {
		return where{}, fault.New(fault.TooCostly, "the search chains too deep")
	}
	var w where
	typeID, ok, err := b.v.nameID(typ)
	if err != nil {
		return w, err
	}
	if !ok || typ == "" {
		w.none = true
		return w, nil
	}
	w.cond.add("@.type = ? AND @.deleted = 0", typeID)
	if err := b.allow(typeID, &w); err != nil || w.none {
		return w, err
	}
	if err := b.all(typ, typeID, clauses, &w, depth); err != nil {
		return w, err
	}
	w.bound()
	return w, nil
}

// all adds what clauses ask, all of which must hold.
func (b *builder) all(typ string, typeID int64, clauses []search.Clause, w *where, depth int) error {
	for done, i := map[string]bool{}, 0; i < len(clauses); i++ {
		c := &clauses[i]
		if err := b.spend(1 + len(c.Any)); err != nil {
			return err
		}
		if inner, ok := conjunction(c); ok {
			if err := b.all(typ, typeID, inner, w, depth); err != nil {
				return err
			}
			continue
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

// conjunction returns what a clause that is nothing but AllMatch asks.
func conjunction(c *search.Clause) ([]search.Clause, bool) {
	if c.Not || c.Missing != nil || len(c.Any) != 1 {
		return nil, false
	}
	m, ok := c.Any[0].(search.AllMatch)
	return m.Where, ok
}

// must adds a source that all results fulfil.
func (w *where) must(s source) {
	if s.none {
		w.none = true
		return
	}
	w.sources = append(w.sources, s)
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

func (b *builder) clause(typ string, typeID int64, c *search.Clause, w *where, depth int) error {
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
			w.cond.add(" AND NOT "+present.sql, present.args...)
		}
		return nil
	}
	sources, err := b.operands(typ, typeID, c, depth)
	if err != nil {
		return err
	}
	any := union(sources)
	switch {
	case any.always && c.Not:
		w.none = true
	case any.always:
	case !c.Not && (any.none || any.rids.sql != ""):
		w.must(any)
	case !c.Not:
		w.cond.add(" AND "+any.cond.sql, any.cond.args...)
	case !any.none:
		w.cond.add(" AND NOT "+any.cond.sql, any.cond.args...)
	}
	return nil
}

// union makes one source of alternatives. It can drive a query where all of them can.
func union(sources []source) source {
	var u source
	var conds, rids []string
	n := 0
	for _, s := range sources {
		if s.none {
			continue
		}
		if s.always {
			return source{always: true}
		}
		conds, rids = append(conds, s.cond.sql), append(rids, s.rids.sql)
		if n++; n == 1 {
			u = s
			u.cond.args, u.rids.args = slices.Clip(u.cond.args), slices.Clip(u.rids.args)
			continue
		}
		u.cond.args = append(u.cond.args, s.cond.args...)
		u.rids.args = append(u.rids.args, s.rids.args...)
		u.ordered, u.listing, u.leading = false, nil, false
		if u.tests == nil || s.tests == nil {
			u.tests = nil
		} else {
			u.tests = append(u.tests[:len(u.tests):len(u.tests)], s.tests...)
		}
		u.nested = u.nested || s.nested
		u.exact = u.exact && s.exact
	}
	switch {
	case n == 0:
		return noSource
	case n > 1:
		u.cond.sql, u.rids.sql = "("+either(conds)+")", joined(rids)
		if slices.Contains(rids, "") {
			u.rids = fragment{}
		}
	}
	return u
}

// maxTerms bounds what is put together at one level: SQLite takes 500 terms of a
// compound SELECT, and nests expressions 1000 deep.
const maxTerms = 400

// either is the disjunction of conditions, nested no deeper than it must be.
func either(conds []string) string {
	if len(conds) <= maxTerms {
		return strings.Join(conds, " OR ")
	}
	half := len(conds) / 2
	return "(" + either(conds[:half]) + ") OR (" + either(conds[half:]) + ")"
}

// joined lists what all of some queries list, which may be compound themselves.
func joined(rids []string) string {
	const joint = " UNION ALL "
	var groups, group []string
	terms := 0
	end := func() {
		if len(group) > 0 {
			groups = append(groups, "SELECT rid FROM ("+strings.Join(group, joint)+")")
		}
		group, terms = nil, 0
	}
	for _, r := range rids {
		n := 1 + strings.Count(r, joint)
		if terms+n > maxTerms {
			end()
		}
		group, terms = append(group, r), terms+n
	}
	if groups == nil {
		return strings.Join(group, joint)
	}
	end()
	return strings.Join(groups, joint)
}

// operands compiles the alternatives of a clause. Kinds whose alternatives share a
// shape go together, so that a list of codes is one IN.
func (b *builder) operands(typ string, typeID int64, c *search.Clause, depth int) ([]source, error) {
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
				cond, exact := uriCond("@.source", m)
				out = append(out, column(typeID, "resource_source", cond, "@.source <> ''", exact && !m.Above))
			} else {
				err = add(b.uri(typ, c.Param, m))
			}
		case search.ChainMatch:
			err = add(b.chain(typ, c.Param, m, depth))
		case search.HasMatch:
			err = add(b.has(typeID, m, depth))
		case search.AllMatch:
			err = add(b.conjunction(typ, typeID, m, depth))
		case search.CompositeMatch:
			err = add(b.composite(typ, typeID, c.Param, m, depth))
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
		values := make([]any, len(codes))
		for i, m := range codes {
			values[i] = m.Code
		}
		out = append(out, column(typeID, "resource_id", list("@.id", values), "", false))
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

// column makes a source of a condition on the resource row itself.
func column(typeID int64, index string, cond fragment, partial string, ordered bool) source {
	x := cond.at("x")
	rids := fragment{"SELECT x.rid FROM resource x INDEXED BY " + index + " WHERE x.type = ?", []any{typeID}}
	if index != "resource_id" {
		rids.add(" AND x.deleted = 0")
	}
	if partial != "" {
		rids.add(" AND " + strings.ReplaceAll(partial, "@", "x"))
	}
	rids.add(" AND "+x.sql, x.args...)
	return source{rids: rids, cond: cond, exact: true, ordered: ordered}
}

// dates answers date clauses of one parameter that must all hold.
func (b *builder) dates(typ string, typeID int64, param string, all []search.DateMatch) (source, error) {
	if param != paramUpdated {
		return b.period(typ, param, all)
	}
	// An instant, so all bounds are on one column.
	var cond fragment
	from, to := int64(search.MinTime), int64(search.MaxTime)
	for _, m := range all {
		c := interval("@.updated", "@.updated + 1", m)
		cond.add(" AND "+c.sql, c.args...)
		f, t := bounds(m, 1)
		from, to = max(from, f), min(to, t)
	}
	cond.sql = "@.updated >= ? AND @.updated <= ?" + cond.sql
	cond.args = append([]any{from, to}, cond.args...)
	cond.sql = "(" + cond.sql + ")"
	return column(typeID, "resource_updated", cond, "", false), nil
}

// Conditions that need no look at a row. They must not get into SQL, where the
// planner would find no use for the index that it is told to use.
const (
	always = "1"
	never  = "0"
)

// present asks whether a resource has any value of a parameter.
func (b *builder) present(typ string, c *search.Clause) (fragment, error) {
	switch c.Param {
	case paramID, paramUpdated:
		return fragment{sql: always}, nil
	case paramSource:
		return fragment{sql: "(@.source <> '')"}, nil
	}
	if !sortable(c.Kind) {
		return fragment{}, fault.Newf(fault.Invalid, "a search parameter of kind %d is not known", c.Kind)
	}
	var pids []int64
	for _, form := range presentForms(c.Kind) {
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
	return b.asks(anyOf([]test{{pids, func(*entry) bool { return true }}})), nil
}

// sortable reports whether values of a kind are kept by parameter.
func sortable(k search.Kind) bool { return k >= search.KindToken && k <= search.KindURI }

func presentForms(k search.Kind) []string {
	if k == search.KindReference {
		return []string{"", asURL, asIdentifier}
	}
	return []string{""}
}

// allow adds what the viewer may see. It is part of every level of a query, so
// that nothing unseen can be felt through a chain.
func (b *builder) allow(typeID int64, w *where) error {
	a := &b.allowed
	if !a.All {
		var either fragment
		var owners []any
		for _, o := range a.Owners {
			id, ok, err := b.v.nameID(o)
			if err != nil {
				return err
			}
			if ok && id != 0 {
				owners = append(owners, id)
			}
		}
		if len(owners) > 0 {
			in := list("@.owner", owners)
			either.add(in.sql, in.args...)
		}
		if a.Shared {
			id, ok, err := b.v.nameID(store.Alliance)
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
		in := fragment{"@.patient IN (SELECT value FROM json_each(?))", []any{b.patients}}
		if len(a.Patients) == 1 {
			in = fragment{"@.patient = ?", []any{a.Patients[0]}}
		}
		if len(a.Patients) == 0 {
			w.none = true
			return nil
		}
		w.cond.add(" AND @.patient <> '' AND "+in.sql, in.args...)
		x := in.at("x")
		w.sources = append(w.sources, source{rids: fragment{
			"SELECT x.rid FROM resource x INDEXED BY resource_patient WHERE x.deleted = 0 AND x.patient <> '' AND " + x.sql +
				" AND x.type = ?", append(append([]any{}, x.args...), typeID)}, ordered: len(a.Patients) == 1})
	}
	return nil
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
	space, ok, err := b.v.nameID(m.Type)
	if !ok || err != nil {
		return noSource, err
	}
	part, ok, err := b.pid(typ, asPart, "")
	if !ok || err != nil {
		return noSource, err
	}
	refers := b.check(&check{pid: pid, of: space, part: part})
	a := b.alias()
	cond := inner.but(nil).at(a)
	s := source{nested: true, exact: true}
	s.cond.add("EXISTS (SELECT 1 FROM json_each(yl_targets(?, @.held)) x CROSS JOIN resource "+a+
		" INDEXED BY resource_id ON "+a+".type = ? AND "+a+".id = x.value WHERE ", refers, space)
	s.cond.add(cond.sql+")", cond.args...)
	from, cond, size, err := b.from(a, &inner)
	if err != nil {
		return noSource, err
	}
	s.size = size
	t := b.alias()
	s.rids.add("SELECT y.rid FROM "+from.sql, from.args...)
	s.rids.add(" CROSS JOIN index_key y ON y.key = yl_lead(?, "+a+".id) CROSS JOIN resource "+t+" ON "+t+".rid = y.rid WHERE ", refers)
	s.rids.add(cond.sql, cond.args...)
	s.rids.add(" AND yl_refers(?, "+t+".held, "+a+".id)", refers)
	return s, nil
}

// has answers resources that something refers to.
func (b *builder) has(typeID int64, m search.HasMatch, depth int) (source, error) {
	inner, err := b.compile(m.Type, m.Where, depth+1)
	if err != nil {
		return noSource, err
	}
	pid, ok, err := b.pid(m.Type, m.Param, "")
	if err != nil || !ok || inner.none {
		return noSource, err
	}
	part, ok, err := b.pid(m.Type, asPart, "")
	if !ok || err != nil {
		return noSource, err
	}
	refers := b.check(&check{pid: pid, of: typeID, part: part})
	a := b.alias()
	cond := inner.but(nil).at(a)
	s := source{nested: true, exact: true}
	s.cond.add("EXISTS (SELECT 1 FROM index_key x CROSS JOIN resource "+a+" ON "+a+".rid = x.rid WHERE x.key = yl_lead(?, @.id) AND ", refers)
	for i := range inner.sources { // what refers is looked for under other keys before its row is read
		if other := &inner.sources[i]; other.streams() && other.listing.table == keys {
			at := "x.at" // references are dated
			if !other.listing.dated {
				at = "0"
			}
			s.cond.add("EXISTS (SELECT 1 FROM index_key z WHERE z.key = ? AND z.at = "+at+" AND z.rid = x.rid) AND ", other.listing.keys[0])
		}
	}
	s.cond.add("yl_refers(?, "+a+".held, @.id) AND ", refers)
	s.cond.add(cond.sql+")", cond.args...)
	from, cond, size, err := b.from(a, &inner)
	if err != nil {
		return noSource, err
	}
	s.size = size
	target := b.alias()
	s.rids.add("SELECT "+target+".rid FROM "+from.sql, from.args...)
	s.rids.add(" CROSS JOIN json_each(yl_targets(?, "+a+".held)) y CROSS JOIN resource "+target+" INDEXED BY resource_id ON "+target+
		".type = ? AND "+target+".id = y.value WHERE ", refers, typeID)
	s.rids.add(cond.sql, cond.args...)
	return s, nil
}

// from writes what a level of the query starts with, its rarest source or all
// resources of the type, and what remains to be asked of them; and how many it lists,
// 0 when that is not known.
func (b *builder) from(alias string, w *where) (from, cond fragment, size int64, err error) {
	d, size, _, err := b.rarest(w.sources, true)
	if err != nil {
		return from, cond, 0, err
	}
	cond = w.but(d).at(alias)
	if d == nil {
		return fragment{sql: "resource " + alias + " INDEXED BY resource_type"}, cond, 0, nil
	}
	return fragment{"(SELECT DISTINCT rid FROM (" + d.rids.sql + ")) d" + alias + " CROSS JOIN resource " + alias + " ON " + alias +
		".rid = d" + alias + ".rid", d.rids.args}, cond, size, nil
}

// probeSteps are how far the alternatives are counted, widening, until one of them
// ends; the last step is Options.ScanFrom. Most searches have one that ends at the
// first.
var probeSteps = [...]int64{64, 512, math.MaxInt64}

// nestedMost is how many resources the driver of a chain may list for it to be taken at
// once instead of a condition that lists more. Beyond, what the condition lists is
// followed for a while first.
const nestedMost = 512

// rarest returns the source that lists the fewest resources, nil when there is none to
// choose from; how many it lists, 0 when that is not known; and whether even that one is
// common. Where one source alone comes in order it is not counted, unless wanted.
func (b *builder) rarest(sources []source, counted bool) (best *source, size int64, common bool, err error) {
	var plain []*source
	for i := range sources {
		if d := &sources[i]; !d.nested {
			plain = append(plain, d)
		} else if best == nil || d.size > 0 && (best.size == 0 || d.size < best.size) {
			best = d // better than all of a type; a plain one that ends is better still
		}
	}
	if len(plain) == 0 {
		if best != nil {
			size = best.size
		}
		return best, size, best != nil && size == 0 && b.effort == bold, nil
	}
	if len(plain) == 1 && best == nil && !counted && (plain[0].ordered || plain[0].streams()) {
		return plain[0], 0, false, nil // never worse than reading the whole type
	}
	follow := best != nil || slices.ContainsFunc(plain, (*source).streams)
	last := int64(b.v.s.opt.ScanFrom)
	for _, limit := range probeSteps {
		limit = min(limit, last)
		least := limit
		var found *source
		if most := least; best != nil && best.size > 0 {
			if b.effort == bold {
				most = min(most, nestedMost)
			}
			if best.size < most {
				least, found = best.size, best
			}
		}
		for _, d := range plain {
			n, err := b.count(d, limit)
			if err != nil {
				return nil, 0, false, err
			}
			if n < least {
				least, found = n, d
			}
			if n == 0 {
				break
			}
		}
		if found != nil {
			return found, max(least, 1), false, nil
		}
		if limit == last || limit >= sortFrom && follow && b.effort == bold || limit >= nestedMost && counted && b.effort == bold && len(plain) == 1 && best == nil {
			break
		}
	}
	for _, d := range plain {
		if d.streams() {
			return d, 0, true, nil
		}
	}
	if best != nil {
		return best, 0, b.effort == bold, nil
	}
	for _, d := range plain {
		if d.ordered {
			return d, 0, true, nil
		}
	}
	return plain[0], 0, true, nil
}

// count tells how many resources a source lists, at most limit.
func (b *builder) count(d *source, limit int64) (int64, error) {
	key, sole := d.sole()
	if sole && b.v.s.common.lists(key, limit, b.v.s.opt.Now()) {
		return limit, nil
	}
	n, err := b.v.c.integer("SELECT count(*) FROM (SELECT 1 FROM ("+d.rids.sql+")"+limited(limit)+")", d.rids.args...)
	if err == nil && sole && n == limit {
		b.v.s.common.listed(key, n, b.v.s.opt.Now())
	}
	return n, err
}

// commons remember for a while which keys list many resources, so that they are not
// counted for each question. It decides nothing but the way to an answer.
type commons struct {
	mu   sync.Mutex
	keys map[int64]seen
}

type seen struct {
	least int64
	until time.Time
}

// commonKeys is how many keys are remembered, commonTime how long each is.
const (
	commonKeys = 4096
	commonTime = time.Minute
)

func (c *commons) lists(key, n int64, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.keys[key]
	return ok && k.least >= n && now.Before(k.until)
}

func (c *commons) listed(key, n int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= commonKeys {
		c.keys = map[int64]seen{}
	}
	c.keys[key] = seen{n, now.Add(commonTime)}
}
