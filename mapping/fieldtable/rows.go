package fieldtable

import (
	"strings"

	"github.com/yilian/yilian/mapping/codes"
)

func (p *Paper) columns() []string {
	w := p.words
	return []string{w.field, w.element, w.kind, w.how, w.table, w.condition, w.must}
}

func (p *Paper) rows(r Resource) [][]string {
	out := make([][]string, 0, len(r.Rows))
	for _, row := range r.Rows {
		must := ""
		if row.Mandatory {
			must = p.words.yes
		}
		out = append(out, []string{row.Field, row.Element, row.Type, row.How, row.Table, row.Condition, must})
	}
	return out
}

func (p *Paper) uses() [][]string {
	out := make([][]string, 0, len(p.Fields))
	for _, u := range p.Fields {
		out = append(out, []string{u.Map, u.Field, strings.Join(u.Elements, ", ")})
	}
	return out
}

func (p *Paper) codeColumns() []string {
	w := p.words
	return []string{w.local, w.name, w.target, w.targetName, w.remark}
}

func codeRows(t *codes.Table) [][]string {
	var out [][]string
	for _, e := range t.Entries() {
		target := e.Target.Code
		if target != "" && e.Target.System != "" {
			target = e.Target.System + " " + target
		}
		remark := e.Comment
		if e.Equivalence != "" && e.Equivalence != "equivalent" && e.Target.Code != "" {
			remark = strings.TrimSpace(e.Equivalence + " " + remark)
		}
		out = append(out, []string{e.Code, e.Display, target, e.Target.Display, remark})
	}
	return out
}
