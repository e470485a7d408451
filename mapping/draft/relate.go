package draft

import (
	"fmt"
	"slices"
)

// join is how a table is read together with another.
type join struct {
	name   string
	parent *scope
	child  *scope // nil: a table that is only looked up
	table  string
	on     [][2]string // column of the parent, column of the other
	many   bool
}

// patientKeys are the concepts that tell whom a row is about, the surest first.
var patientKeys = []string{"pid", "idno", "healthcard", "card", "ehr", "insurance", "inno"}

// links are the numbers by which rows of one table name those of another.
var links = []string{"report", "order", "visit", "rx", "barcode", "referral", "inno", "outno"}

// reportNumbers are those of links that a report, or what was asked of it, is known by.
var reportNumbers = words("report order barcode")

// attachable are the kinds whose tables belong to those of others, by the numbers they share.
var attachable = map[kind][]kind{
	labItems:       {labReports, exams, orders},
	diagnoses:      {visits},
	prescriptions:  {prescriptions},
	susceptibility: {cultures, labReports},
	cultures:       {labReports},
}

// relate decides which tables are read together: the items of a report with their report, rows that do not say whom they are about with
// a table that does.
func (d *drafter) relate() {
	tables := slices.Clone(d.samples.tables)
	for _, t := range tables {
		if t.kind != visits {
			continue
		}
		if t.own("visit") != nil {
			d.visitBy = ""
			break
		}
		for _, name := range []string{"inno", "outno"} {
			if c := t.own(name); d.visitBy == "" && c != nil && c.present == c.rows && namesVisits(c, t.own("visit.start")) {
				d.visitBy = name
			}
		}
	}
	d.settlePatients()
	for _, t := range tables {
		d.attach(t, tables)
	}
	for _, t := range tables {
		if t.parent != nil {
			continue
		}
		d.main = append(d.main, t)
		d.flat(t)
		if t.near(patientKeys...) == nil && t.kind != noKind {
			d.lookUp(t, tables)
		}
	}
}

// namesVisits reports whether the number of a clinic or ward stands for one visit each: it is long enough not to start again every day, and
// never stands beside two different times.
func namesVisits(c, start *column) bool {
	if c.minimum < 6 || c.distinct < 3 || start == nil {
		return false
	}
	at := map[string]string{}
	for _, row := range c.scope.cells {
		if c.at >= len(row) || start.at >= len(row) {
			continue
		}
		if prior, ok := at[row[c.at]]; ok && prior != row[start.at] {
			return false
		}
		at[row[c.at]] = row[start.at]
	}
	return true
}

// settlePatients chooses the number by which patients are known in all tables and documents: the one that most of them have.
func (d *drafter) settlePatients() {
	have := map[string]int{}
	total := 0
	var walk func(s *scope)
	walk = func(s *scope) {
		any := false
		for _, name := range patientKeys {
			if c := s.own(name); c != nil && c.present > 0 && s.kind != staffList && s.kind != departments && s.kind != noKind {
				have[name]++
				any = true
			}
		}
		if any {
			total++
		}
		for _, k := range s.kids {
			walk(k)
		}
	}
	for _, t := range d.samples.tables {
		if t.parent == nil {
			walk(t.scope)
		}
	}
	for _, k := range d.kinds {
		walk(k.scope)
	}
	for _, name := range patientKeys {
		if have[name] > have[d.patientBy] {
			d.patientBy = name
		}
	}
	if d.patientBy != "" && have[d.patientBy] < total {
		d.ask("Patient", fmt.Sprintf("%s: %d/%d", d.patientBy, have[d.patientBy], total), text{"Not all tables know patients by the same number: what comes from the others makes patients of its own.", "各表的患者编号不一致:缺少该编号的表会另建患者。"})
	}
}

// attach makes a table a part of another whose rows it tells more about.
func (d *drafter) attach(t *tableSample, tables []*tableSample) {
	standsAlone := t.own(patientKeys...) != nil
	if standsAlone && t.kind != labItems || t.kind == prescriptions && t.own("drug", "drug.name") == nil {
		return
	}
	for _, parentKind := range attachable[t.kind] {
		for _, p := range tables {
			if p == t || p.parent != nil || p.kind != parentKind || p.format != t.format || p.under(t.scope) {
				continue
			}
			if t.kind == p.kind && p.own("drug", "drug.name") != nil {
				continue
			}
			for _, name := range links {
				a, b := p.own(name), t.own(name)
				if t.kind == labItems && !reportNumbers[name] && t.own("report", "order", "barcode") != nil {
					continue // a visit has images, too: results that say of which report they are belong to no other
				}
				if a == nil || b == nil || a.distinct*2 < a.present && !a.more || !contains(a, b) {
					continue
				}
				d.addJoin(&join{name: joinName(t.kind), parent: p.scope, child: t.scope, table: t.name, on: [][2]string{{a.steps[0], b.steps[0]}}, many: true})
				return
			}
		}
	}
}

func (s *scope) under(o *scope) bool {
	for at := s; at != nil; at = at.parent {
		if at == o {
			return true
		}
	}
	return false
}

func (d *drafter) addJoin(j *join) {
	names := map[string]bool{}
	for _, o := range d.joins {
		if o.parent == j.parent {
			names[o.name] = true
		}
	}
	for _, c := range j.parent.columns { // a group must not hide a column
		names[c.steps[0]] = true
	}
	base := j.name
	for n := 2; names[j.name]; n++ {
		j.name = base + string(rune('0'+n%10))
		if n > 9 {
			j.name = base + "_" + j.name
		}
	}
	d.joins = append(d.joins, j)
	for _, pair := range j.on {
		if c := j.parent.index[pair[0]]; c != nil {
			c.used = true
		}
		if j.child != nil {
			for _, c := range j.child.columns {
				c.used = c.used || len(c.steps) == 1 && c.steps[0] == pair[1]
			}
		}
	}
	if j.child == nil {
		return
	}
	j.child.parent, j.child.each, j.child.step = j.parent, j.name, []string{j.name}
	j.parent.kids = append(j.parent.kids, j.child)
}

func joinName(k kind) string {
	switch k {
	case labItems:
		return "item"
	case diagnoses:
		return "diagnosis"
	case prescriptions:
		return "drug"
	case cultures:
		return "culture"
	case susceptibility:
		return "susceptibility"
	}
	return "row"
}

// uniqueIn reports a column that names each of its table's rows, but for a few that came twice. One with more values than are kept is taken
// for one.
func uniqueIn(c *column) bool {
	return c.more || c.present > 0 && c.distinct*10 >= c.present*9
}

// contains reports whether most values of b stand in a.
func contains(a, b *column) bool {
	if b.distinct == 0 || a.more {
		return a.present > 0
	}
	found := 0
	for _, v := range b.order {
		if a.values[v] > 0 {
			found++
		}
	}
	return found*2 >= b.distinct
}

// itemConcepts stand in each row of a table that repeats the report for each of its items.
var itemConcepts = words("item item.name item.en result result.num unit range range.low range.high flag method seq critical instrument")

// flat splits a table that holds a report's head and one of its items in each row: such a table is joined to itself.
func (d *drafter) flat(t *tableSample) {
	if t.kind != labItems && t.kind != labReports || t.own("result") == nil || t.own("item", "item.name") == nil {
		return
	}
	id := t.own("report", "order", "barcode")
	if id == nil {
		return
	}
	items := &scope{name: t.name, kind: labItems, rows: t.rows, heading: t.heading, cells: t.cells}
	var head []*column
	for _, c := range t.columns {
		if c.is("status") && decides(id, c) < dependentShare { // each item has a state of its own
			one := *c
			one.scope = items
			items.columns = append(items.columns, &one)
		}
		if c.concept != nil && itemConcepts[c.concept.name] {
			one := *c
			one.scope = items
			items.columns = append(items.columns, &one)
			continue
		}
		head = append(head, c)
	}
	t.kind = labReports
	t.columns = head
	d.addJoin(&join{name: "item", parent: t.scope, child: items, table: t.name, on: [][2]string{{id.steps[0], id.steps[0]}}, many: true})
}

// lookUp finds whom a row is about in another table.
func (d *drafter) lookUp(t *tableSample, tables []*tableSample) {
	for _, name := range links {
		own := t.own(name)
		if own == nil {
			continue
		}
		for _, o := range tables {
			if o == t || o.under(t.scope) || o.format != t.format {
				continue
			}
			other, who := o.own(name), o.own("pid")
			if who == nil {
				who = o.own(patientKeys...)
			}
			if other == nil || who == nil || !uniqueIn(other) || !contains(other, own) {
				continue
			}
			j := &join{name: "of", parent: t.scope, table: o.name, on: [][2]string{{own.steps[0], other.steps[0]}}}
			d.addJoin(j)
			found := &column{scope: t.scope, steps: []string{j.name, who.steps[0]}, at: len(t.columns), profile: who.profile, concept: who.concept, score: 1}
			found.rows = t.rows
			t.columns = append(t.columns, found)
			d.ask(d.title(t.scope), j.table, text{"Whom a row is about stands in %s only: will its rows always come in the same delivery?", "患者只能从%s查到,两者总在同一次交付中吗?"}, j.table)
			return
		}
	}
}
