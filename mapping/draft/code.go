package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/residentid"
)

// codeTable is a code table being drafted.
type codeTable struct {
	spec    tableSpec
	codes   map[string]*codeRow
	order   []string
	beyond  int // codes there was no room for
	columns []*column
}

type codeRow struct {
	times    int
	displays map[string]int
	sexes    map[residentid.Sex]int // what the resident numbers of the same rows say
	taken    map[string]int         // of what specimens the rows tell, in codes of HL7
}

// pairs reads a list of words and targets.
func pairs(list string) map[string]string {
	f := strings.Fields(list)
	out := make(map[string]string, len(f)/2)
	for i := 0; i+1 < len(f); i += 2 {
		out[fold.Key(f[i])] = f[i+1]
	}
	return out
}

// withKnown adds further pairs to known ones.
func withKnown(known map[string]string, list string) map[string]string {
	out := pairs(list)
	for word, target := range known {
		if _, ok := out[word]; !ok {
			out[word] = target
		}
	}
	return out
}

// table notes the codes of a column, and returns the name of the table that translates them: one of those built in when it has them all.
func (d *drafter) table(spec tableSpec, code, name *column) string {
	if spec.whole {
		if b := wholeTable(spec, code); b != "" && !d.contradicted(spec, code) {
			return b
		}
	}
	t := d.codeTable(spec)
	if slices.Contains(t.columns, code) {
		return spec.name
	}
	t.columns = append(t.columns, code)
	for _, v := range code.order {
		t.row(v, code.values[v], d.lim.MaxCodes)
	}
	idno, sample := code.scope.own("idno"), specimenBeside(spec, code)
	for _, row := range code.scope.cells {
		if code.at >= len(row) || row[code.at] == "" {
			continue
		}
		r := t.codes[codeKey(row[code.at])]
		if r == nil {
			continue
		}
		if name != nil && name.scope == code.scope && name.at < len(row) && row[name.at] != "" && len(r.displays) < 20 {
			r.displays[strings.Join(strings.Fields(fold.Width(row[name.at])), " ")]++
		}
		if sample != nil && sample.at < len(row) && row[sample.at] != "" {
			r.taken[groupOf(row[sample.at])]++
		}
		if (spec.name == sexTable.name || spec.name == sexCodeTable.name) && idno != nil && idno.at < len(row) {
			if id := residentid.Parse(row[idno.at]); id.Valid {
				r.sexes[id.Sex]++
			}
		}
	}
	return spec.name
}

func (d *drafter) codeTable(spec tableSpec) *codeTable {
	for _, t := range d.codes {
		if t.spec.name == spec.name {
			if t.spec.fallback == "" {
				t.spec.fallback = spec.fallback
			}
			return t
		}
	}
	t := &codeTable{spec: spec, codes: map[string]*codeRow{}}
	d.codes = append(d.codes, t)
	return t
}

func (t *codeTable) row(value string, times, most int) {
	key := codeKey(value)
	if key == "" {
		return
	}
	r := t.codes[key]
	if r == nil {
		if len(t.codes) >= most {
			t.beyond++
			return
		}
		r = &codeRow{displays: map[string]int{}, sexes: map[residentid.Sex]int{}, taken: map[string]int{}}
		t.codes[key] = r
		t.order = append(t.order, key)
	}
	r.times += times
}

// codeKey is a value as a code of a table: "" when it cannot be one.
func codeKey(v string) string {
	v = strings.TrimSpace(v)
	if len(v) > 4*codes.MaxCodeLength || strings.Contains(v, "  ") || !printable(v) {
		return ""
	}
	if runes := []rune(v); len(runes) > codes.MaxCodeLength {
		return ""
	}
	return v
}

// wholeTable returns the built-in table that has all codes of the column.
func wholeTable(spec tableSpec, c *column) string {
	for _, name := range spec.builtin {
		b, ok := codes.Builtin(name)
		if !ok {
			continue
		}
		all := len(c.order) > 0 && !c.more
		for _, v := range c.order {
			if e, ok := b.Lookup(v); !ok || e.Target.Code == "" {
				all = false
				break
			}
		}
		if all {
			return name
		}
	}
	return ""
}

// contradicted reports whether the resident numbers of the rows say another sex than the national codes would.
func (d *drafter) contradicted(spec tableSpec, c *column) bool {
	idno := c.scope.own("idno")
	if spec.name != sexTable.name || idno == nil {
		return false
	}
	b, _ := codes.Builtin("gb-sex")
	agree, differ := 0, 0
	for _, row := range c.scope.cells {
		if c.at >= len(row) || idno.at >= len(row) {
			continue
		}
		id := residentid.Parse(row[idno.at])
		e, ok := b.Lookup(row[c.at])
		if !ok || !id.Valid || e.Target.Code == "unknown" {
			continue
		}
		if e.Target.Code == string(id.Sex) {
			agree++
		} else {
			differ++
		}
	}
	return differ > agree
}

// target is what a code was translated to.
type target struct {
	code, display, equivalence string
	doubt                      bool
	why                        string
	named                      bool // it comes from a table of names alone
}

// translate finds the target of a code by what is certain: words with one meaning, the built-in tables, the numbers of patients.
func (t *codeTable) translate(code, display string, known []*codes.Table) (target, bool) {
	r := t.codes[code]
	if (t.spec.name == sexTable.name || t.spec.name == sexCodeTable.name) && len(r.sexes) > 0 {
		male, female := r.sexes[residentid.Male], r.sexes[residentid.Female]
		if male > 2*female || female > 2*male {
			sex := residentid.Male
			if female > male {
				sex = residentid.Female
			}
			if t.spec.name == sexCodeTable.name {
				return target{code: map[residentid.Sex]string{residentid.Male: "1", residentid.Female: "2"}[sex]}, true
			}
			return target{code: string(sex)}, true
		}
		return target{}, false
	}
	if t.spec.icd {
		return icdTarget(code)
	}
	for _, s := range []string{code, display} {
		if s == "" {
			continue
		}
		if to, ok := t.spec.known[fold.Key(s)]; ok {
			return target{code: to}, true
		}
	}
	if t.spec.name == flagTable.name {
		if c, ok := codes.Flag(code, codes.FlagOptions{}); ok {
			return target{code: c.Code, doubt: strings.EqualFold(code, "P")}, true
		}
	}
	for _, name := range t.spec.builtin {
		b, ok := codes.Builtin(name)
		if !ok {
			continue
		}
		for i, s := range []string{display, code} {
			if e, ok := b.Lookup(s); ok && s != "" && e.Target.Code != "" && (e.Target.System == t.spec.system || t.spec.system == "") {
				return target{code: e.Target.Code, display: e.Target.Display, equivalence: e.Equivalence, doubt: i == 1 && t.spec.digits && isDecimal(s)}, true
			}
		}
	}
	if named, ok := t.sameName(code, display, known); ok {
		return named, true
	}
	if t.spec.names != "" {
		if named, ok := r.named(t.spec.names, code, display); ok {
			return named, true
		}
	}
	for _, k := range known {
		if e, ok := byName(k, display, t.spec.system); ok && r.agrees(e.Target.Display) {
			return target{code: e.Target.Code, display: e.Target.Display, equivalence: e.Equivalence, why: k.Name()}, true
		}
	}
	return target{}, false
}

// sameName looks in the tables of other institutions that are for the same things.
func (t *codeTable) sameName(code, display string, known []*codes.Table) (target, bool) {
	for _, k := range known {
		if k.Name() != t.spec.name {
			continue
		}
		if e, ok := byName(k, display, t.spec.system); ok && t.codes[code].agrees(e.Target.Display) {
			return target{code: e.Target.Code, display: e.Target.Display, equivalence: e.Equivalence, why: k.Name()}, true
		}
	}
	return target{}, false
}

func byName(k *codes.Table, display, system string) (codes.Entry, bool) {
	if display == "" || system == "" {
		return codes.Entry{}, false
	}
	key := fold.Key(display)
	var found codes.Entry
	for _, e := range k.Entries() {
		if fold.Key(e.Display) != key || e.Target.System != system || e.Target.Code == "" {
			continue
		}
		if found.Code != "" && found.Target.Code != e.Target.Code {
			return codes.Entry{}, false // the name has two meanings
		}
		found = e
	}
	return found, found.Code != ""
}

// icdTarget shortens a code of the national editions of ICD-10 to the international one that it refines: E11.900 is E11.9,
// I10.x00x002 is I10.
func icdTarget(code string) (target, bool) {
	s := strings.TrimRight(strings.ToUpper(code), "+*")
	if !isDiagnosisCode(s) {
		return target{}, false
	}
	short := s[:3]
	rest := s[3:]
	if len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9' {
		short, rest = s[:5], s[5:]
	} else {
		rest = strings.TrimPrefix(rest, ".")
	}
	equivalence := ""
	if strings.Trim(rest, "0X") != "" {
		equivalence = "wider"
	}
	return target{code: short, equivalence: equivalence}, true
}

// best is the name that stands most often beside a code.
func (r *codeRow) best() string {
	out, times := "", 0
	for _, d := range sortedKeys(r.displays) {
		if r.displays[d] > times && len(d) < 300 {
			out, times = d, r.displays[d]
		}
	}
	return out
}

// write draws up the file of the table.
func (d *drafter) writeTable(t *codeTable) {
	slices.SortStableFunc(t.order, func(a, b string) int { return cmp.Compare(a, b) })
	var rows strings.Builder
	open, doubtful := 0, 0
	for _, code := range t.order {
		r := t.codes[code]
		display := r.best()
		if display == "" && hasHan(code) {
			display = code
		}
		to, ok := t.translate(code, display, d.o.Known)
		switch {
		case ok:
			if to.doubt {
				doubtful++
				rows.WriteString("# ? " + d.say(text{"is that so here?", "本院是这样吗?"}) + "\n")
			}
			why := ""
			switch {
			case to.named:
				why = d.say(text{"by name (%s)", "按名称对照(%s)"}, to.why)
			case to.why != "":
				why = d.say(text{"same name in %s", "与%s同名"}, to.why)
			}
			if why == "" && (to.equivalence == "inexact" || to.equivalence == "narrower") {
				why = d.say(text{"the nearest that the standard has", "标准中最接近的"})
			}
			rows.WriteString(csvRow(code, display, to.code, to.display, to.equivalence, why))
		case t.spec.fallback != "":
			open++
			rows.WriteString("# ? " + d.say(text{"seen %d×", "出现%d次"}, r.times) + "\n")
			rows.WriteString(csvRow(code, display, t.spec.fallback, "", "inexact", d.say(text{"not known: taken for that until somebody says", "未知:核对前暂作此解"})))
		default:
			if t.spec.system != "" {
				open++
				rows.WriteString("# ? " + d.say(text{"seen %d×", "出现%d次"}, r.times) + d.nearest(t, display) + "\n")
			}
			rows.WriteString(csvRow(code, display, "", "", "unmatched", ""))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#! title: %s\n", t.spec.title)
	if t.spec.system != "" {
		fmt.Fprintf(&b, "#! system: %s\n", t.spec.system)
	}
	switch { // what no sample showed is refused; what had no room here is known to come
	case t.spec.fallback != "" && t.beyond > 0:
		fmt.Fprintf(&b, "#! unmapped: default %s\n", t.spec.fallback)
	case t.spec.fallback != "":
		b.WriteString("#! unmapped: reject\n")
	}
	b.WriteString("code,display,target,target_display,equivalence,comment\n")
	b.WriteString(rows.String())
	path := "codes/" + t.spec.name + ".csv"
	d.file(path, []byte(b.String()))
	seen := d.say(text{"%d codes", "%d个代码"}, len(t.order))
	if open > 0 {
		where := t.spec.system
		d.ask(path, seen, text{"%d codes have no target in %s yet.", "%d个代码尚未对照到%s。"}, open, where)
	}
	if doubtful > 0 {
		d.ask(path, seen, text{"%d codes are digits taken for the national ones (marked # ?). Are they?", "%d个数字代码按国标理解(标有# ?),请核对。"}, doubtful)
	}
	if t.beyond > 0 {
		d.ask(path, seen, text{"%d more codes had no room: take the full list from the hospital.", "另有%d个代码未列入,请向医院索取完整字典。"}, t.beyond)
	}
}

// nearest lists what resembles a name in the tables known.
func (d *drafter) nearest(t *codeTable, display string) string {
	type near struct {
		codes.Candidate
		table string
	}
	var all []near
	tables := d.o.Known
	if b, ok := codes.Builtin(t.spec.names); ok {
		tables = append(slices.Clone(tables), b)
	}
	for _, k := range tables {
		for _, c := range k.Nearest(display, 3) {
			if c.Entry.Target.System == t.spec.system && c.Entry.Target.Code != "" {
				all = append(all, near{c, k.Name()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.Distance, b.Distance) })
	var out []string
	for _, n := range all {
		s := n.Entry.Target.Code + " " + oneLine(n.Entry.Display)
		if !slices.Contains(out, s) && len(out) < 3 {
			out = append(out, s)
		}
	}
	if out == nil {
		return ""
	}
	return d.say(text{"; nearest: ", ";最接近:"}) + strings.Join(out, " | ")
}

// csvRow writes one row; a code that begins like a comment is quoted.
func csvRow(cells ...string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		c = oneLine(c)
		if strings.ContainsAny(c, `,"`) || i == 0 && strings.HasPrefix(c, "#") || strings.TrimSpace(c) != c {
			c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		out[i] = c
	}
	return strings.Join(out, ",") + "\n"
}

// knownFlags reports whether all marks of a column mean one thing everywhere.
func knownFlags(c *column) bool {
	if c.more || len(c.order) == 0 {
		return false
	}
	for _, v := range c.order {
		if _, ok := codes.Flag(v, codes.FlagOptions{}); !ok || strings.EqualFold(v, "P") {
			return false
		}
	}
	return true
}
