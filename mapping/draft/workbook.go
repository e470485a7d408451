package draft

import (
	"fmt"
	"html"
	"strings"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

// readWorkbook profiles the sheets of a workbook. Hidden ones hold the lists that others choose from.
func (s *samples) readWorkbook(f mapping.File) {
	book, err := table.OpenBook(f.Name, f.Bytes, table.Options{})
	if err != nil {
		s.refuseError(f.Name, err)
		return
	}
	for _, sheet := range book.Sheets() {
		if sheet.Hidden {
			continue
		}
		if empty, err := sheet.Empty(); err == nil && empty {
			continue
		}
		opened, err := sheet.Open([2]int{})
		if err != nil {
			s.refuseError(f.Name, err)
			continue
		}
		s.addTable(f.Name, sheetName(sheet.Name), sheet.Name, record.Excel, opened)
	}
}

// sheetName is the name of a sheet without a month or number in brackets behind it.
func sheetName(name string) string {
	short := name
	if i := strings.LastIndexAny(short, "(（"); i > 0 && strings.ContainsAny(short[i:], "0123456789") {
		short = strings.TrimSpace(short[:i])
	}
	return short
}

func (d *drafter) workbookSource(b *strings.Builder) {
	begun := false
	for _, t := range d.samples.tables {
		if t.format != record.Excel {
			continue
		}
		if !begun {
			b.WriteString("  workbooks:\n    format: excel\n    tables:\n")
			begun = true
		}
		fmt.Fprintf(b, "      %s: {file: %q, sheet: %s}\n", scalar(t.name), "*.xls*", scalar(escapePattern(t.name)+d.anyEnd(t)))
	}
}

// anyEnd is what may follow a name in a pattern: anything, unless the name of another table goes on like this one.
func (d *drafter) anyEnd(t *tableSample) string {
	for _, o := range d.samples.tables {
		if o != t && o.format == t.format && strings.HasPrefix(strings.ToLower(o.name), strings.ToLower(t.name)) {
			return ""
		}
	}
	return "*"
}

// pageOf writes rows as a page of HTML, the form of a workbook that is text.
func pageOf(t *tableSample, rows [][]string) []byte {
	var b strings.Builder
	b.WriteString("<html><body><table>\n<tr>")
	for _, h := range t.heading {
		b.WriteString("<th>" + html.EscapeString(h) + "</th>")
	}
	b.WriteString("</tr>\n")
	for _, cells := range t.cellsOf(rows) {
		b.WriteString("<tr>")
		for _, c := range cells {
			b.WriteString("<td>" + strings.ReplaceAll(html.EscapeString(c), "\n", "<br>") + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table></body></html>\n")
	return []byte(b.String())
}
