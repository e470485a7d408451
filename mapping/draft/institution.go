package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// write draws up institution.yaml last, when it is known what the maps use.
func (d *drafter) write() {
	var b strings.Builder
	b.WriteString("# " + d.say(text{"Drafted from samples. Lines marked # ? are guesses to be looked at.", "由样本自动起草;标有 # ? 的行为推测,需人工核对。"}) + "\n")
	fmt.Fprintf(&b, "format: 1\nid: %s\n", scalar(d.o.ID))
	if d.o.Name == "" {
		fmt.Fprintf(&b, "name: %s # ? %s\n", scalar(d.o.ID), d.say(text{"the printed name", "机构名称"}))
		d.ask("institution.yaml: name", "", text{"What is the institution called?", "机构叫什么名称?"})
	} else {
		fmt.Fprintf(&b, "name: %s\n", scalar(oneLine(d.o.Name)))
	}
	d.ask("institution.yaml: organization", "", text{"Its level, and its organisation code (identifier of system urn:oid:2.16.156.10011.1.5).", "机构等级,以及组织机构代码(系统urn:oid:2.16.156.10011.1.5的标识)。"})
	fmt.Fprintf(&b, "timezone: \"+08:00\" # ? %s\n", d.say(text{"times without a zone are taken for it", "不带时区的时间按此理解"}))
	if set := d.charset(); set != "" {
		fmt.Fprintf(&b, "charset: %s\n", scalar(set))
	}
	d.settings(&b)
	var identifiers []string
	for _, name := range []string{"visit-card", "insurance"} {
		if d.usesIdentifier(name) {
			identifiers = append(identifiers, fmt.Sprintf("  %s: {local: true}\n", name))
		}
	}
	if identifiers != nil {
		b.WriteString("identifiers:\n" + strings.Join(identifiers, ""))
	}
	d.messageParts(&b)
	b.WriteString("sources:\n")
	d.sources(&b)
	d.out.Files = slices.Insert(d.out.Files, 0, fileOf("institution.yaml", b.String()))
}

// charset is what most samples are written in.
func (d *drafter) charset() string {
	delete(d.samples.charsets, "") // workbooks
	best := ""
	for _, set := range sortedKeys(d.samples.charsets) {
		if best == "" || d.samples.charsets[set] > d.samples.charsets[best] {
			best = set
		}
	}
	if len(d.samples.charsets) > 1 && best != "" {
		d.ask("institution.yaml: charset", strings.Join(sortedKeys(d.samples.charsets), ", "), text{"The samples are written in several character sets; %s is the most frequent.", "样本有多种字符集,以最多的%s为准。"}, best)
	}
	return best
}

// settings notes what the values of dates hint at.
func (d *drafter) settings(b *strings.Builder) {
	zulu, plain := 0, 0
	d.eachColumn(func(c *column) {
		if c.moment < 0.5 {
			return
		}
		for _, v := range c.order {
			if strings.HasSuffix(v, "Z") {
				zulu++
			} else {
				plain++
			}
		}
	})
	if zulu == 0 {
		return
	}
	fmt.Fprintf(b, "settings:\n  zulu-is-local: false # ? %s\n", d.say(text{"is a trailing Z really UTC?", "结尾的Z真的是UTC吗?"}))
	d.ask("institution.yaml: zulu-is-local", d.say(text{"%d times end in Z, %d do not", "%d个时间以Z结尾,%d个没有"}, zulu, plain),
		text{"Is Z true UTC, or local time mislabelled? Compare a time with the clock.", "Z是真正的UTC,还是误标的本地时间?请对照实际时间核对。"})
}

func (d *drafter) eachColumn(visit func(*column)) {
	var walk func(s *scope)
	walk = func(s *scope) {
		for _, c := range s.columns {
			visit(c)
		}
		for _, k := range s.kids {
			walk(k)
		}
	}
	for _, t := range d.main {
		walk(t.scope)
	}
	for _, k := range d.kinds {
		walk(k.scope)
	}
}

func (d *drafter) usesIdentifier(name string) bool {
	for _, f := range d.out.Files {
		if strings.Contains(string(f.Bytes), "system: "+name+"}") {
			return true
		}
	}
	return false
}

// sources says how each kind of sample arrives.
func (d *drafter) sources(b *strings.Builder) {
	var delimiters []rune
	for _, t := range d.samples.tables {
		if t.format == record.Table && !slices.Contains(delimiters, t.delim) {
			delimiters = append(delimiters, t.delim)
		}
	}
	for i, delim := range delimiters {
		name := "tables"
		if i > 0 {
			name = fmt.Sprintf("tables%d", i+1)
		}
		fmt.Fprintf(b, "  %s:\n    format: csv\n    delimiter: %q\n    tables:\n", name, string(delim))
		for _, t := range d.samples.tables {
			if t.format == record.Table && t.delim == delim {
				fmt.Fprintf(b, "      %s: %s\n", scalar(t.name), scalar(d.filePattern(t)))
			}
		}
	}
	d.workbookSource(b)
	formats := map[string]bool{}
	cda := false
	for _, k := range d.kinds {
		formats[k.format] = true
		cda = cda || k.space == "urn:hl7-org:v3"
	}
	if formats[record.JSON] {
		b.WriteString("  documents: {format: json}\n")
	}
	if formats[record.XML] {
		base := ""
		if cda {
			base = ", base: true"
		}
		fmt.Fprintf(b, "  xml: {format: xml%s}\n", base)
	}
	if len(d.samples.messages) > 0 {
		b.WriteString("  messages: {format: hl7v2, base: true}\n")
	}
}

// filePattern is the pattern of the names of a table's files: the part that stays, and anything behind it.
func (d *drafter) filePattern(t *tableSample) string {
	file := t.files[0]
	file = file[strings.LastIndexAny(file, `/\`)+1:]
	end := ""
	if i := strings.LastIndexByte(file, '.'); i >= 0 {
		end = file[i:]
	}
	stem := strings.TrimSuffix(file, end)
	switch star := d.anyEnd(t); {
	case star != "":
		return escapePattern(t.name) + star + end
	case stem == t.name:
		return escapePattern(t.name) + end
	}
	d.ask("institution.yaml: tables", t.name, text{"How are the files of this table called? The name of another one begins like it.", "该表的文件如何命名?另一张表的名称以它开头。"})
	return escapePattern(stem) + end
}

// escapePattern makes a name stand for itself in a pattern.
func escapePattern(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

func fileOf(path, content string) mapping.File {
	return mapping.File{Name: path, Bytes: []byte(content)}
}
