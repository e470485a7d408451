package draft

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/residentid"
)

// Limits of a case: it is for people to read.
const (
	maxCaseRows  = 20
	maxCaseBytes = 64 << 10
)

// cases writes one case for each kind of sample. Names, numbers of papers, phones and addresses are replaced by invented ones.
func (d *drafter) cases() {
	for _, t := range d.main {
		if len(t.cells) > 0 {
			d.tableCase(t)
		}
	}
	for _, k := range d.kinds {
		d.documentCase(k)
	}
	done := map[string]bool{}
	for _, m := range d.samples.messages {
		typ := shortType(m.rec.Type)
		if done[typ] || len(m.frame) > maxCaseBytes {
			continue
		}
		done[typ] = true
		d.messageCase(typ, m)
	}
}

// mapOf is the name of the map that reads the tables or documents of a scope, "" for none.
func (d *drafter) mapOf(reads string) string {
	for _, f := range d.out.Files {
		if strings.HasPrefix(f.Name, "maps/") && strings.Contains(string(f.Bytes), reads) {
			return strings.TrimSuffix(strings.TrimPrefix(f.Name, "maps/"), ".yaml")
		}
	}
	return ""
}

func (d *drafter) tableCase(t *tableSample) {
	name := d.mapOf("  table: " + scalar(t.name) + "\n")
	if name == "" {
		return
	}
	at, best := 0, -1
	for i, row := range t.cells[:min(len(t.cells), 50)] { // the first row with something of everything
		n := 0
		for _, j := range d.joins {
			if j.parent == t.scope {
				n += 100 * min(len(d.joined(j, row)), 1)
			}
		}
		for _, cell := range row {
			if cell != "" {
				n++
			}
		}
		if n > best {
			at, best = i, n
		}
	}
	m := newMask()
	a := &txtar.Archive{}
	rows := map[string][][]string{t.name: {t.cells[at]}}
	order := []*tableSample{t}
	m.row(t.scope, t.cells[at])
	d.follow(t.scope, t.cells[at], rows, &order, m, 0)
	for _, table := range order {
		if table.format == record.Excel {
			a.Files = append(a.Files, txtar.File{Name: table.name + ".xls", Data: pageOf(table, rows[table.name])})
			continue
		}
		a.Files = append(a.Files, txtar.File{Name: baseName(table.files[0]), Data: csvOf(table, rows[table.name])})
	}
	set := t.charset
	if t.format == record.Excel {
		set = ""
	}
	d.writeCase(name, a, set, m)
}

// follow adds the rows of the tables that are read together with a row.
func (d *drafter) follow(s *scope, row []string, rows map[string][][]string, order *[]*tableSample, m *mask, depth int) {
	if depth > 4 {
		return
	}
	for _, j := range d.joins {
		if j.parent != s {
			continue
		}
		table := d.tableNamed(j.table)
		if table == nil {
			continue
		}
		if !slices.Contains(*order, table) {
			*order = append(*order, table)
		}
		for _, r := range d.joined(j, row) {
			if len(rows[j.table]) >= maxCaseRows {
				break
			}
			if !slices.ContainsFunc(rows[j.table], func(have []string) bool { return slices.Equal(have, r) }) {
				rows[j.table] = append(rows[j.table], r)
				m.row(table.scope, r)
			}
			if j.child != nil {
				d.follow(j.child, r, rows, order, m, depth+1)
			}
		}
	}
}

func (d *drafter) tableNamed(name string) *tableSample {
	for _, t := range d.samples.tables {
		if t.name == name {
			return t
		}
	}
	return nil
}

// joined returns the rows that a join adds to a row, no more than a case holds.
func (d *drafter) joined(j *join, row []string) [][]string {
	table := d.tableNamed(j.table)
	if table == nil {
		return nil
	}
	own, other := j.parent.index[j.on[0][0]], table.index[j.on[0][1]]
	if own == nil || other == nil || own.at >= len(row) || row[own.at] == "" {
		return nil
	}
	var out [][]string
	for _, r := range table.cells {
		if other.at < len(r) && r[other.at] == row[own.at] {
			if out = append(out, r); len(out) == maxCaseRows || !j.many {
				break
			}
		}
	}
	return out
}

func csvOf(t *tableSample, rows [][]string) []byte {
	var b strings.Builder
	write := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteRune(t.delim)
			}
			if strings.ContainsRune(c, t.delim) || strings.ContainsAny(c, "\"\r\n") || strings.TrimSpace(c) != c {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			b.WriteString(c)
		}
		b.WriteString("\n")
	}
	write(t.heading)
	for _, cells := range t.cellsOf(rows) {
		write(cells)
	}
	return []byte(b.String())
}

// cellsOf puts the values of rows under the heading.
func (t *tableSample) cellsOf(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for r, row := range rows {
		out[r] = make([]string, len(t.heading))
		for i, h := range t.heading {
			if c := t.index[h]; c != nil && c.at < len(row) {
				out[r][i] = row[c.at]
			}
		}
	}
	return out
}

func (d *drafter) documentCase(k *documentKind) {
	var best *documentSample
	for _, doc := range k.docs {
		if len(doc.text) <= maxCaseBytes && (best == nil || len(doc.text) > len(best.text)) {
			best = doc
		}
	}
	if best == nil {
		return
	}
	name := d.nameOfDocuments(k)
	m := newMask()
	var walk func(s *scope)
	walk = func(s *scope) {
		for _, c := range s.columns {
			for _, v := range c.order {
				if bytes.Contains(best.text, charset.Encode(v, best.rec.Charset)) {
					m.value(c, v)
				}
			}
		}
		for _, kid := range s.kids {
			walk(kid)
		}
	}
	walk(k.scope)
	text, err := charset.Decode(best.text, charset.Options{Setting: best.rec.Charset})
	if err != nil {
		return
	}
	a := &txtar.Archive{Files: []txtar.File{{Name: baseName(best.file), Data: []byte(strings.TrimRight(text.Text, "\r\n") + "\n")}}}
	d.writeCase(name, a, best.rec.Charset, m)
}

// nameOfDocuments is the name of the map that reads them, or one of its own where that is built in.
func (d *drafter) nameOfDocuments(k *documentKind) string {
	if k.mapped != "" {
		return k.mapped
	}
	return d.unique("document")
}

func (d *drafter) messageCase(typ string, s *messageSample) {
	text, err := charset.Decode(s.frame, charset.Options{Setting: s.rec.Charset})
	if err != nil {
		return
	}
	m := newMask()
	m.message(s.rec.Root)
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text.Text)
	a := &txtar.Archive{Files: []txtar.File{{Name: "in.hl7", Data: []byte(strings.TrimRight(lines, "\n\x1c\x0b") + "\n")}}}
	d.writeCase(strings.ToLower(strings.ReplaceAll(typ, "^", "-")), a, s.rec.Charset, m)
}

func (d *drafter) writeCase(name string, a *txtar.Archive, set string, m *mask) {
	replace := m.replacer()
	for i := range a.Files {
		a.Files[i].Data = []byte(replace.Replace(string(a.Files[i].Data)))
	}
	comment := "# " + d.say(text{"%s, from a sample with names and numbers replaced. Say what must come out: want.txt, want.json, want.issues", "%s:取自样本,姓名和号码已替换。请补充应得结果:want.txt、want.json、want.issues"}, name) + "\n"
	if set != "" && set != charset.UTF8 {
		comment += "charset: " + set + "\n"
	}
	a.Comment = []byte(comment)
	data := txtar.Format(a)
	again := txtar.Parse(data)
	if len(again.Files) != len(a.Files) || len(data) > 4*maxCaseBytes { // a line of the sample looks like one of the case
		return
	}
	for i := range a.Files {
		if !bytes.Equal(again.Files[i].Data, a.Files[i].Data) || again.Files[i].Name != a.Files[i].Name || strings.HasPrefix(a.Files[i].Name, "want") {
			return
		}
	}
	clean := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == ':' || r == '*' || r == '?' || r == '"' || r == '<' || r == '>' || r == '|' {
			return '-'
		}
		return r
	}, name)
	d.file("cases/"+clean+".txtar", data)
}

func baseName(file string) string { return file[strings.LastIndexAny(file, `/\`)+1:] }

// mask replaces what would tell who somebody is.
type mask struct {
	values map[string]string
	n      map[string]int
}

func newMask() *mask { return &mask{values: map[string]string{}, n: map[string]int{}} }

// masked are the concepts whose values are replaced, and what by.
var masked = map[string]string{"name": "person", "contact": "person", "doctor.name": "person", "requester.name": "person", "reporter.name": "person", "auditor.name": "person",
	"prescriber.name": "person", "ref.doctor.name": "person", "idno": "number", "phone": "phone", "contact.phone": "phone", "address": "address", "employer": "address",
	"healthcard": "digits", "card": "digits", "insurance": "digits", "ehr": "digits"}

func (m *mask) row(s *scope, row []string) {
	for _, c := range s.columns {
		if c.at < len(row) && len(c.steps) == 1 {
			m.value(c, row[c.at])
		}
	}
	for _, k := range s.kids { // a table that is joined to itself
		if k.name == s.name {
			m.row(k, row)
		}
	}
}

func (m *mask) value(c *column, v string) {
	kind := ""
	if c.concept != nil {
		kind = masked[c.concept.name]
	}
	if kind == "" {
		kind = masked[c.seems]
	}
	unsure := c.concept == nil || c.seems != ""
	switch {
	case kind != "":
	case residentid.Parse(v).Valid:
		kind = "number"
	case unsure && c.person > 0.7:
		kind = "person"
	case unsure && c.telephone > 0.7:
		kind = "phone"
	default:
		return
	}
	m.replace(kind, v)
}

func (m *mask) replace(kind, v string) {
	if len(v) < 2 || m.values[v] != "" {
		return
	}
	m.n[kind]++
	n := m.n[kind]
	switch kind {
	case "person":
		m.values[v] = string([]rune("赵钱孙李周吴郑王冯陈")[n%10]) + string([]rune("甲乙丙丁戊己庚辛壬癸")[(n/10)%10])
	case "number":
		id := residentid.Parse(v)
		if !id.Valid {
			m.replace("digits", v)
			return
		}
		first := fmt.Sprintf("990101%s%02d%s", id.Number[6:14], n%100, id.Number[16:17])
		m.values[v] = first + string(residentid.CheckDigit(first))
	case "phone":
		m.values[v] = fmt.Sprintf("12%09d", n)
	case "address":
		m.values[v] = fmt.Sprintf("某市某区某路%d号", n)
	default:
		left := n
		out := []byte(v)
		for i := len(out) - 1; i >= 0; i-- {
			if out[i] >= '0' && out[i] <= '9' {
				out[i] = byte('0' + left%10)
				left /= 10
			}
		}
		m.values[v] = string(out)
	}
}

// staffFields are where messages name those who treat and report.
var staffFields = map[string][]int{"EVN": {5}, "PV1": {7, 8, 9, 17}, "ORC": {10, 11, 12, 19}, "OBR": {10, 16, 28, 32, 33, 34, 35}, "DG1": {16}, "PRD": {2}, "AIP": {3}}

// message replaces what PID and NK1 say, and the names of staff.
func (m *mask) message(n *record.Node) {
	for _, s := range n.Kids() {
		switch {
		case s.Kind() == record.Group:
			m.message(s)
		case s.Name() == "PID":
			for _, id := range s.At(3).Repetitions() {
				if v := id.At(1).Text(); residentid.Parse(v).Valid {
					m.replace("number", v)
				} else if id.At(5).Text() == "HC" {
					m.replace("digits", v)
				}
			}
			m.parts(s.At(5), "person")
			m.parts(s.At(9), "person")
			for _, a := range s.At(11).Repetitions() {
				m.replace("address", a.At(1).Text())
			}
			for _, field := range []int{13, 14} {
				for _, p := range s.At(field).Repetitions() {
					m.replace("phone", p.At(1).Text())
				}
			}
			m.replace("number", s.At(19).Text())
		case s.Name() == "NK1":
			m.parts(s.At(2), "person")
			for _, p := range s.At(5).Repetitions() {
				m.replace("phone", p.At(1).Text())
			}
		}
		for _, field := range staffFields[s.Name()] {
			m.staff(s.At(field), 0)
		}
	}
}

func (m *mask) staff(n *record.Node, depth int) {
	if n.Kind() == record.Leaf {
		if isPerson(n.Text()) {
			m.replace("person", n.Text())
		}
		return
	}
	for _, k := range n.Kids() {
		if depth < 4 {
			m.staff(k, depth+1)
		}
	}
}

func (m *mask) parts(n *record.Node, kind string) {
	for _, rep := range n.Repetitions() {
		for i := 1; i <= 2; i++ {
			if v := rep.At(i).Text(); len(v) > 2 {
				m.replace(kind, v)
			}
		}
	}
}

func (m *mask) replacer() *strings.Replacer {
	keys := sortedKeys(m.values)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, k := range keys {
		pairs = append(pairs, k, m.values[k])
	}
	return strings.NewReplacer(pairs...)
}
