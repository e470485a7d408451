package draft

import (
	"fmt"
	"strings"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// maps writes the maps of tables and documents.
func (d *drafter) maps() {
	for _, t := range d.main {
		d.tableMap(t)
	}
	for _, k := range d.kinds {
		d.documentMap(k)
	}
	for _, t := range d.codes {
		d.writeTable(t)
	}
}

func (d *drafter) emitter(name string, root *scope) *emitter {
	return &emitter{d: d, name: name, root: root, patient: map[*scope]string{}, visit: map[*scope]string{}, report: map[*scope]string{},
		specimen: map[*scope]string{}, named: map[string]bool{}}
}

// emit writes the rules for what a scope and those inside it tell about.
func (e *emitter) emit(s *scope) {
	if len(s.columns) > 0 {
		e.person(s)
		e.encounterRule(s)
		e.orderRule(s)
		e.reportRule(s)
		e.itemRule(s)
		e.prescriptionRule(s)
		e.referralRule(s)
		e.allergyRule(s)
		e.diagnosisRule(s)
		e.staffRule(s)
		e.departmentRule(s)
	}
	for _, k := range s.kids {
		e.emit(k)
	}
}

func (d *drafter) tableMap(t *tableSample) {
	if t.kind == noKind {
		d.askFor(d.flag(d.title(t.scope), "@KIND"), d.title(t.scope), d.say(text{"%d columns, %d rows", "%d列,%d行"}, len(t.columns), t.rows),
			text{"What does this table tell? Its columns fit none of the kinds known; no map reads it.", "这张表是什么内容?列名不符合任何已知类型,暂无映射读取。"})
		return
	}
	e := d.emitter(d.unique(mapName(t.kind)), t.scope)
	e.emit(t.scope)
	var b strings.Builder
	d.head(&b, e, t.kind)
	b.WriteString("reads:\n")
	fmt.Fprintf(&b, "  format: %s\n  table: %s\n", t.format, scalar(t.name))
	var joins []string
	for _, j := range d.joins {
		if j.parent == t.scope {
			joins = append(joins, d.joinText(j, "    "))
		}
	}
	if joins != nil {
		b.WriteString("  join:\n" + strings.Join(joins, ""))
	}
	d.rest(&b, e)
	if key := e.rowKey(t); key != "" {
		b.WriteString("row: " + key + "\n")
	}
	d.finishMap(&b, e)
}

func (d *drafter) joinText(j *join, indent string) string {
	var on []string
	for _, pair := range j.on {
		on = append(on, scalar(pair[0])+": "+scalar(pair[1]))
	}
	many := ""
	if j.many {
		many = ", many: true"
	}
	var inner []string
	for _, k := range d.joins {
		if j.child != nil && k.parent == j.child {
			inner = append(inner, d.joinText(k, indent+"    "))
		}
	}
	line := fmt.Sprintf("%s%s: {table: %s, on: {%s}%s}\n", indent, j.name, scalar(j.table), strings.Join(on, ", "), many)
	if inner == nil {
		return line
	}
	return fmt.Sprintf("%s%s:\n%s  table: %s\n%s  on: {%s}\n%s  many: %v\n%s  join:\n%s", indent, j.name, indent, scalar(j.table), indent, strings.Join(on, ", "), indent, j.many,
		indent, strings.Join(inner, ""))
}

func (d *drafter) head(b *strings.Builder, e *emitter, k kind) {
	b.WriteString("# " + d.say(text{"Drafted from samples. Lines marked # ? are guesses to be looked at.", "由样本自动起草;标有 # ? 的行为推测,需人工核对。"}) + "\n")
	fmt.Fprintf(b, "format: 1\nmap: %s\ntitle: %s\n", e.name, titleOf(k))
}

// rest writes lane and version.
func (d *drafter) rest(b *strings.Builder, e *emitter) {
	c := e.root.own(d.patientBy)
	if c == nil {
		c = e.root.own(patientKeys...)
	}
	if c != nil && e.patient[e.root] != "" {
		b.WriteString("lane: " + e.path(e.root, c) + "\n")
	}
	var stamp *column
	for _, name := range []string{"modified", "sent", "audit.time", "issued", "created", "order.time", "rx.time", "ref.time", "allergy.time", "dx.time", "visit.end", "visit.start"} {
		if c := e.root.own(name); c != nil && c.present > 0 {
			stamp = c
			break
		}
	}
	if stamp == nil {
		d.ask("maps/"+e.name+".yaml: version", d.say(text{"no time of change", "没有修改时间"}),
			text{"How new is a record? Without a time the last to arrive wins.", "记录的新旧以什么为准?现以到达先后为准。"})
		return
	}
	sequence := ""
	if c := e.root.own("version"); c != nil {
		sequence = ", sequence: " + e.path(e.root, c)
	}
	doubt := ""
	if !stamp.is("modified") && !stamp.is("sent") {
		doubt = " # ? " + d.say(text{"does it change with every correction?", "更正时会变化吗?"})
		d.ask("maps/"+e.name+".yaml: version", stamp.heading(), text{"Records are ordered by this time. Does it change whenever a record is corrected?", "以此时间判断新旧,记录更正时它会变化吗?"})
	}
	b.WriteString("version: {time: " + e.path(e.root, stamp) + sequence + "}" + doubt + "\n")
}

// rowKey are the columns by which an unchanged row is known again.
func (e *emitter) rowKey(t *tableSample) string {
	var key []*column
	switch t.kind {
	case staffList:
		key = []*column{t.own("staff", "doctor")}
	case departments:
		key = []*column{t.own("dept")}
	case patients:
		key = []*column{t.own(append([]string{e.d.patientBy}, patientKeys...)...)}
	case visits:
		key = []*column{t.own("visit", e.d.visitBy)}
	case diagnoses:
		key = []*column{t.own("visit", "pid"), t.own("dx.rank", "dx", "dx.name")}
	case orders:
		key = []*column{t.own("order")}
		if c := t.own("order"); c != nil && !uniqueIn(c) {
			key = append(key, t.own("seq", "item"))
		}
	case labReports, exams:
		key = []*column{t.own("report", "order", "barcode")}
	case labItems:
		key = []*column{t.own("report", "order", "barcode", "visit"), t.own("item", "item.name")}
	case prescriptions:
		key = []*column{t.own("rx", "order", "visit"), t.own("seq", "drug", "drug.name")}
	case referrals:
		key = []*column{t.own("referral")}
	case allergies:
		key = []*column{t.own(append([]string{e.d.patientBy}, patientKeys...)...), t.own("allergen", "allergen.name")}
	}
	for _, k := range t.kids {
		if k.heading != nil && k.name == t.name { // a table joined to itself: every row is a record of its own
			for _, name := range []string{"item", "item.name"} {
				if c := k.own(name); c != nil {
					key = append(key, c)
					break
				}
			}
		}
	}
	var out []string
	for _, c := range key {
		if c == nil || len(c.steps) != 1 {
			return ""
		}
		out = append(out, pathOf(c.steps))
	}
	switch len(out) {
	case 0:
		return ""
	case 1:
		return scalar(out[0])
	}
	return list(out...)
}

func (d *drafter) documentMap(k *documentKind) {
	if k.builtin() {
		d.nationalDocuments(k)
		return
	}
	main := mainKind(k.scope)
	if main == noKind {
		d.ask(d.title(k.scope), d.say(text{"%d documents", "%d个文档"}, len(k.docs)),
			text{"What do these documents tell? Their fields fit none of the kinds known; no map reads them.", "这些文档是什么内容?字段不符合任何已知类型,暂无映射读取。"})
		return
	}
	e := d.emitter(d.unique(mapName(main)), k.scope)
	e.emit(k.scope)
	var b strings.Builder
	d.head(&b, e, main)
	b.WriteString("reads:\n")
	fmt.Fprintf(&b, "  format: %s\n", k.format)
	if k.format == record.XML {
		fmt.Fprintf(&b, "  root: %s\n", scalar(k.root))
		if k.space != "" {
			fmt.Fprintf(&b, "  namespace: %s\n", scalar(k.space))
		}
	}
	others := 0
	for _, o := range d.kinds {
		if o != k && o.format == k.format && o.root == k.root {
			others++
		}
	}
	if path := k.keyed(d.kinds); path != "" {
		k.where = path
	}
	switch {
	case k.where != "" && (k.format == record.JSON || others > 0):
		fmt.Fprintf(&b, "  where: {%s: present}\n", scalar(k.where))
	case others > 0:
		d.ask("maps/"+e.name+".yaml: reads", d.say(text{"%d documents", "%d个文档"}, len(k.docs)),
			text{"What tells these documents from the others? Add a condition (where:).", "这些文档与其他文档如何区分?请补充where条件。"})
	}
	d.rest(&b, e)
	if d.finishMap(&b, e) {
		k.mapped = e.name
	}
}

// keyed is the path of a number that identifies what the documents tell, if all of them have it and no others do.
func (k *documentKind) keyed(all []*documentKind) string {
	for _, c := range k.columns {
		if !c.key || c.present < k.rows || c.is("pid") || c.is("idno") {
			continue
		}
		alone := true
		for _, o := range all {
			if o != k && o.format == k.format && o.root == k.root && o.paths["\x00"+strings.Join(c.steps, "\x00")] > 0 {
				alone = false
			}
		}
		if alone {
			return pathOf(c.steps)
		}
	}
	return ""
}

// nationalDocuments asks about documents of WS/T 500 that no built-in map reads.
func (d *drafter) nationalDocuments(k *documentKind) {
	inst, err := (&Draft{Files: []mapping.File{fileOf("institution.yaml", "format: 1\nid: draft\nname: draft\nsources: {xml: {format: xml, base: true}}\n")}}).Load()
	if err != nil {
		return
	}
	unread := map[string]int{}
	for _, doc := range k.docs {
		if _, ok := inst.Route(doc.rec); !ok {
			unread[doc.rec.Root.Get("templateId").Get("@root").Text()]++
		}
	}
	for _, id := range sortedKeys(unread) {
		d.ask("ClinicalDocument "+oneLine(id), d.say(text{"%d documents", "%d个文档"}, unread[id]), text{"No built-in map is for this template.", "该模板没有内置映射。"})
	}
}

// mainKind is the kind of a document, or of the first array in it that has one.
func mainKind(s *scope) kind {
	if s.kind != noKind && s.kind != patients {
		return s.kind
	}
	best := s.kind
	for _, k := range s.kids {
		if m := mainKind(k); m != noKind && (best == noKind || best == patients) {
			best = m
		}
	}
	return best
}

// finishMap writes the rules; false when there are none.
func (d *drafter) finishMap(b *strings.Builder, e *emitter) bool {
	if len(e.rules) == 0 {
		d.ask(d.title(e.root), d.say(text{"%d columns, %d rows", "%d列,%d行"}, len(e.root.columns), e.root.rows), text{"No rule could be written; no map reads this.", "未能生成任何规则,暂无映射读取。"})
		delete(d.names, e.name)
		return false
	}
	b.WriteString("\nresources:\n")
	for _, r := range e.rules {
		b.WriteString(r)
	}
	d.file("maps/"+e.name+".yaml", []byte(b.String()))
	return true
}
