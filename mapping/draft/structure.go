package draft

import (
	"slices"
	"strings"
	"unicode"
)

// What is taken as proved by how values stand in the samples. All of it is marked: it holds of the samples, and may not hold of more.
const (
	leastValues    = 3    // different values below which nothing is concluded
	leastRepeats   = 3    // rows beyond the different values: where none repeats, any two columns depend on each other
	leastLetters   = 4    // characters of a number that has letters in it
	leastDigits    = 5    // digits of one that has none: shorter ones are equal by chance
	containedShare = 0.95 // of a column's different values, in the column that it refers to
	dependentShare = 0.98 // of the rows in which one column decides another
	idShare        = 0.95 // of the values of a number, that look like one
	leastHead      = 2    // columns that a report's number must decide, a time among them
)

// numberOf is what the rows of a table of each kind are numbered by. Those that others refer to come first.
var numberOf = []struct {
	kind    kind
	concept string
}{{patients, "pid"}, {visits, "visit"}, {orders, "order"}, {labReports, "report"}, {exams, "report"}, {referrals, "referral"}}

// referring are the kinds whose rows tell of somebody, and of a visit of theirs.
var referring = []kind{visits, diagnoses, orders, labReports, labItems, exams, prescriptions, referrals, allergies, cultures, susceptibility}

// bareNumbers are headings that say no more than that it is a number: the table says of what.
var bareNumbers = func() map[string]bool {
	out := map[string]bool{}
	for _, key := range keysOf("流水号 流水编号 编号 单号 序列号 唯一号 唯一标识 主键 主键ID 记录号 业务号 业务流水号 ID id no number code key serial serialno sn uid") {
		out[key] = true
	}
	return out
}()

// infer lets the structure of the samples decide where headings are silent.
func (d *drafter) infer() {
	for _, n := range numberOf {
		for _, t := range d.samples.tables {
			if t.kind == n.kind {
				d.inferNumber(t, n.concept)
			}
		}
		for _, t := range d.samples.tables {
			if number := t.own(n.concept); t.kind == n.kind && number != nil && uniqueIn(number) {
				d.inferReferences(number, n.concept)
			}
		}
	}
	d.eachScope(func(s *scope) {
		d.inferPairs(s)
		d.inferWords(s)
	})
	for _, t := range d.samples.tables {
		d.inferGroup(t)
	}
}

// eachScope visits all scopes that are of a kind.
func (d *drafter) eachScope(visit func(*scope)) {
	var walk func(s *scope)
	walk = func(s *scope) {
		if s.kind != noKind {
			visit(s)
		}
		for _, k := range s.kids {
			walk(k)
		}
	}
	for _, t := range d.samples.tables {
		walk(t.scope)
	}
	for _, k := range d.kinds {
		walk(k.scope)
	}
}

// take notes what a column was taken for, and why.
func (d *drafter) take(c *column, concept string, why text, args ...any) {
	c.concept, c.score, c.doubt, c.rivals = d.lex.concepts[concept], certain, true, nil
	c.why = d.say(why, args...)
}

// unknown reports a column that nothing has been said about yet.
func (c *column) unknown() bool { return c.concept == nil && !c.left && c.present > 0 }

// numberlike reports a column whose values could be numbers of somebody or something, and are in every row.
func (c *column) numberlike() bool {
	if c.present < c.rows || c.distinct < leastValues || c.codelike < idShare || c.day > 0.5 || c.mobile > 0.5 || c.near > 0.3 || c.dx > 0.5 || c.decimal > c.integer && c.integer < idShare && c.minimum < leastDigits {
		return false
	}
	letters := true
	for _, v := range c.order {
		if strings.ContainsAny(v, "/%+") {
			return false
		}
		if strings.IndexFunc(v, unicode.IsLetter) < 0 {
			letters = false
		}
	}
	if letters {
		return c.minimum >= leastLetters
	}
	return c.minimum >= leastDigits && c.telephone < 0.5 && !slices.ContainsFunc(c.order, func(v string) bool { return strings.Contains(v, ".") })
}

// within reports whether the values of a column stand in another. Where there are more values than are kept, an equal heading and some of the
// values must do.
func (d *drafter) within(c, in *column) bool {
	if c.distinct < leastValues || d.compared+c.distinct > d.lim.MaxCompared {
		return false
	}
	d.compared += c.distinct
	found := 0
	for _, v := range c.order {
		if in.values[v] > 0 {
			found++
		}
	}
	if in.more || c.more {
		return found >= leastValues && headingKey(c.heading()) == headingKey(in.heading())
	}
	return float64(found) >= containedShare*float64(c.distinct)
}

// inferNumber finds the number of a table's rows: the one column that names each of them. Where other tables name them by it, that decides;
// without that it must be the only one, and nothing else tell them apart.
func (d *drafter) inferNumber(t *tableSample, concept string) {
	if t.own(concept) != nil {
		return
	}
	var found *column
	best, tie := 0, false
	for _, c := range t.columns {
		if !c.unknown() || !c.numberlike() || !uniqueIn(c) {
			continue
		}
		score := 1 + 2*d.referrers(t, c, concept)
		if bareNumbers[headingKey(c.heading())] {
			score++
		}
		switch {
		case score > best:
			found, best, tie = c, score, false
		case score == best:
			tie = true
		}
	}
	if found == nil || tie || best == 1 && d.numbered(t) {
		return
	}
	if best > 2 {
		d.take(found, concept, text{"it is another in every row, and other tables have its values", "每行各不相同,且其他表引用其值"})
		return
	}
	d.take(found, concept, text{"it is the only number that is another in every row", "唯一一个每行都不同的编号"})
}

// numbered reports whether something else tells the rows of a table apart.
func (d *drafter) numbered(t *tableSample) bool {
	var others []string
	switch t.kind {
	case patients:
		others = patientKeys
	case visits:
		others = []string{"inno", "outno"}
	default:
		others = []string{"report", "order", "barcode", "referral"}
	}
	for _, name := range others {
		if c := t.own(name); c != nil && name != "idno" && c.present == c.rows {
			return true
		}
	}
	return false
}

// referrers counts the tables that have a column within another.
func (d *drafter) referrers(t *tableSample, c *column, concept string) int {
	n := 0
	for _, o := range d.samples.tables {
		if o != t && o.kind != t.kind && slices.Contains(referring, o.kind) && slices.ContainsFunc(o.columns, func(r *column) bool {
			return (r.unknown() && r.numberlike() || r.is(concept)) && d.within(r, c)
		}) {
			n++
		}
	}
	return n
}

// inferReferences finds the columns of other tables that hold what a table is numbered by.
func (d *drafter) inferReferences(number *column, concept string) {
	for _, o := range d.samples.tables {
		if o.scope == number.scope || o.kind == number.scope.kind || !slices.Contains(referring, o.kind) || o.own(concept) != nil {
			continue
		}
		var found *column
		tie := false
		for _, c := range o.columns {
			if !c.unknown() || !c.numberlike() || !d.within(c, number) {
				continue
			}
			same := headingKey(c.heading()) == headingKey(number.heading())
			if same {
				found, tie = c, false
				break
			}
			tie = found != nil
			found = c
		}
		if found != nil && !tie {
			d.take(found, concept, text{"its values stand in %s", "其值均见于%s"}, d.place(number))
		}
	}
}

// decides returns the share of rows in which one column decides another: 1 when equal values never stand beside different ones.
func decides(a, b *column) float64 {
	first := map[string]string{}
	rows, kept := 0, 0
	for _, row := range a.scope.cells {
		if a.at >= len(row) || b.at >= len(row) || row[a.at] == "" {
			continue
		}
		rows++
		v, seen := first[row[a.at]]
		if !seen {
			first[row[a.at]] = row[b.at]
		}
		if !seen || v == row[b.at] {
			kept++
		}
	}
	if rows == 0 {
		return 0
	}
	return float64(kept) / float64(rows)
}

// pairs are concepts that are a code and what it means.
var pairOf = []struct{ code, name string }{{"item", "item.name"}, {"doctor", "doctor.name"}, {"dept", "dept.name"}, {"dx", "dx.name"}, {"auditor", "auditor.name"},
	{"reporter", "reporter.name"}, {"requester", "requester.name"}, {"order.dept", "order.dept.name"}, {"prescriber", "prescriber.name"}, {"drug", "drug.name"},
	{"specimen", "specimen.name"}, {"organism", "organism.name"}, {"antibiotic", "antibiotic.name"}, {"allergen", "allergen.name"},
	{"report.code", "report.name"}, {"ref.doctor", "ref.doctor.name"}, {"route", "route.name"}, {"freq", "freq.name"}}

// inferPairs finds the code of a name, and the name of a code: the column that stands for the same things.
func (d *drafter) inferPairs(s *scope) {
	for _, p := range pairOf {
		code, name := s.own(p.code), s.own(p.name)
		switch {
		case code == nil && name != nil:
			if c := d.partner(s, name, p.code); c != nil {
				d.take(c, p.code, text{"each %s has one of its own", "与%s一一对应"}, name.heading())
			}
		case code != nil && name == nil:
			if c := d.partner(s, code, p.name); c != nil {
				d.take(c, p.name, text{"each %s has one of its own", "与%s一一对应"}, code.heading())
			}
		}
	}
}

// partner is the one unknown column that stands for the same things as a known one. Of several the neighbour is.
func (d *drafter) partner(s *scope, known *column, concept string) *column {
	if !repeats(known) {
		return nil
	}
	isCode := !strings.HasSuffix(concept, ".name")
	fit := fits[d.lex.concepts[concept].class]
	var found []*column
	for _, c := range s.columns {
		if !c.unknown() || c.more || c.distinct < leastValues || !repeats(c) || fit(&c.profile) == never || isCode != (c.codelike > idShare) || !isCode && c.han < 0.5 ||
			isCode && (c.decimal > 0.5 && c.minimum < 2 || c.day > 0.5) {
			continue
		}
		if bijective(known, c) {
			found = append(found, c)
		}
	}
	beside := slices.DeleteFunc(slices.Clone(found), func(c *column) bool { return c.at != known.at-1 && c.at != known.at+1 })
	switch {
	case len(beside) == 1:
		found = beside
	case len(found) != 1 || !d.alone(s, found[0], known):
		return nil
	}
	return found[0]
}

// alone reports whether no other known column stands for the same things as an unknown one: what is not beside it may belong to that.
func (d *drafter) alone(s *scope, c, known *column) bool {
	return !slices.ContainsFunc(s.columns, func(o *column) bool { return o != c && o != known && o.concept != nil && repeats(o) && bijective(o, c) })
}

func repeats(c *column) bool {
	return !c.more && c.distinct >= leastValues && c.present >= c.distinct+leastRepeats
}

// bijective reports whether two columns decide each other, and are in the same rows.
func bijective(a, b *column) bool {
	return a.present == b.present && decides(a, b) >= dependentShare && decides(b, a) >= dependentShare
}

// heads are concepts that are the same in all rows of a report or prescription; times tell of which.
var (
	headConcepts = words("pid idno visit order collected received issued audit.time test.time rx.time order.time auditor auditor.name reporter reporter.name requester requester.name " +
		"prescriber prescriber.name specimen specimen.name dept dept.name order.dept order.dept.name")
	headTimes = words("collected received issued audit.time test.time rx.time order.time")
)

// inferGroup finds the number of a report, or prescription, whose items have a row each: it decides whom they are about and when, and no item
// stands twice in it.
func (d *drafter) inferGroup(t *tableSample) {
	concept := "report"
	item := t.own("item", "item.name")
	switch t.kind {
	case labItems, labReports:
		if t.own("result") == nil {
			return
		}
	case prescriptions:
		concept, item = "rx", t.own("drug", "drug.name")
	default:
		return
	}
	if item == nil || t.own(concept) != nil {
		return
	}
	var found *column
	for _, c := range t.columns {
		if c.unknown() && c.numberlike() && c.present >= c.distinct+leastRepeats && !c.more && groups(t, c, item) && (found == nil || c.distinct > found.distinct) {
			found = c
		}
	}
	if found != nil {
		d.take(found, concept, text{"rows that share it share patient and times, and no item stands twice", "同号各行的患者与时间一致,且项目不重复"})
	}
}

func groups(t *tableSample, c, item *column) bool {
	head, timed := 0, false
	for _, o := range t.columns {
		if o.concept == nil || !headConcepts[o.concept.name] {
			continue
		}
		if decides(c, o) < dependentShare {
			return false
		}
		head++
		timed = timed || headTimes[o.concept.name]
	}
	if head < leastHead || !timed {
		return false
	}
	seen := map[[2]string]bool{}
	rows := 0
	for _, row := range t.cells {
		if c.at < len(row) && item.at < len(row) && row[c.at] != "" {
			rows++
			seen[[2]string{row[c.at], row[item.at]}] = true
		}
	}
	return float64(len(seen)) >= dependentShare*float64(rows)
}
