package fieldtable

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// MaxMarkdownRows bounds the rows of one code table in Markdown; a workbook has them all.
const MaxMarkdownRows = 300

// Markdown writes the paper as Markdown with tables.
func (p *Paper) Markdown(out io.Writer) error {
	b := bufio.NewWriter(out)
	w := p.words
	fmt.Fprintf(b, "# %s · %s\n\n%s\n\n", w.title, cell(p.Name), w.summary)
	table(b, []string{w.institution, w.version}, [][]string{{p.ID, p.Version}})
	fmt.Fprintf(b, "\n## %s\n", w.maps)
	for _, s := range p.Sections {
		fmt.Fprintf(b, "\n### %s %s\n\n%s: %s\n", cell(s.Map), cell(s.Title), w.reads, cell(s.Reads))
		for _, r := range s.Resources {
			fmt.Fprintf(b, "\n#### %s (%s)\n\n%s\n\n", r.Type, cell(r.Rule), cell(r.How))
			table(b, p.columns(), p.rows(r))
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n", w.fields)
	table(b, []string{w.columnMap, w.field, w.element}, p.uses())
	fmt.Fprintf(b, "\n## %s\n", w.tables)
	for _, t := range p.Tables {
		fmt.Fprintf(b, "\n### %s %s\n\n", cell(t.Name()), cell(t.Title()))
		rows := codeRows(t)
		more := len(rows) - MaxMarkdownRows
		if more > 0 {
			rows = rows[:MaxMarkdownRows]
		}
		table(b, p.codeColumns(), rows)
		if more > 0 {
			fmt.Fprintf(b, "\n%d %s\n", more, w.more)
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n", w.sign)
	table(b, []string{"", w.hospital, w.vendor}, [][]string{{w.signature, "", ""}, {w.date, "", ""}})
	return b.Flush()
}

func table(b *bufio.Writer, heading []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(b, "| %s ", cell(c))
		}
		fmt.Fprintln(b, "|")
	}
	line(heading)
	fmt.Fprintln(b, strings.Repeat("|---", len(heading))+"|")
	for _, r := range rows {
		line(r)
	}
}

// cell writes a text so that it stays in its cell and is read as it stands.
var cellText = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`)

func cell(s string) string { return cellText.Replace(s) }
