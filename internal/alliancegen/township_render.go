package alliancegen

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// files renders the workbooks and lists.
func (t *township) files() []File {
	var out []File
	for n, b := range t.books {
		f := File{Path: fmt.Sprintf("deliveries/%s/白河镇卫生院_%s.xlsx", b.dir, b.day.Format("20060102"))}
		f.Bytes = t.render(b, f.Path, n > 0 || t.s.seed != 1).bytes()
		out = append(out, f)
	}
	for _, l := range t.lists {
		f := File{Path: fmt.Sprintf("deliveries/%s/居民档案_%s.xls", l.dir, l.day.Format("20060102"))}
		f.Bytes = l.html(f.Path)
		out = append(out, f)
	}
	return out
}

// render lays out a workbook. Columns are shuffled when asked.
func (t *township) render(b *book, path string, shuffle bool) *workbook {
	w := &workbook{date1904: b.date1904}
	place := 0
	for _, sh := range sheets {
		rows := b.rows[sh.name]
		if len(rows) == 0 {
			continue
		}
		place++
		ws := &worksheet{name: sh.name, inline: b.inline}
		if slices.Contains(suffixed, sh.name) {
			ws.name += b.suffix
		}
		var columns []column
		for _, c := range sh.columns {
			if !slices.Contains(b.missing[sh.name], c.name) {
				columns = append(columns, c)
			}
		}
		if shuffle {
			columns = reorder(t.s.r, columns)
		}
		t.head(ws, sh, columns, b.day)
		t.data(ws, sh, columns, rows)
		for _, r := range rows {
			r.record.File, r.record.sheet = path, place
		}
		w.sheets = append(w.sheets, ws)
	}
	hidden := &worksheet{name: "代码表", hidden: true, rows: [][]xcell{{text("代码"), text("名称")}}}
	for _, d := range diagnoses {
		hidden.rows = append(hidden.rows, []xcell{text(d.icd), text(d.name)})
	}
	w.sheets = append(w.sheets, hidden)
	return w
}

// reorder shuffles columns; those under one upper heading stay together.
func reorder(r *rng, columns []column) []column {
	var blocks [][]column
	for _, c := range columns {
		upper, _, two := strings.Cut(c.name, "_")
		if last := len(blocks) - 1; two && last >= 0 && strings.HasPrefix(blocks[last][0].name, upper+"_") {
			blocks[last] = append(blocks[last], c)
			continue
		}
		blocks = append(blocks, []column{c})
	}
	return slices.Concat(shuffled(r, blocks)...)
}

// head writes title and heading.
func (t *township) head(ws *worksheet, sh sheet, columns []column, day time.Time) {
	last := columnName(len(columns) - 1)
	banner := func(s string) {
		ws.rows = append(ws.rows, []xcell{text(s)})
		ws.merges = append(ws.merges, fmt.Sprintf("A%d:%s%d", len(ws.rows), last, len(ws.rows)))
	}
	if sh.banner != "" {
		banner(sh.banner)
	}
	if sh.name == "居民档案" {
		banner("制表:公共卫生科  导出日期:" + day.Format("2006年1月2日"))
	}
	upper, lower := make([]xcell, len(columns)), make([]xcell, len(columns))
	row, two := len(ws.rows)+1, false
	for i := 0; i < len(columns); {
		up, low, under := strings.Cut(columns[i].name, "_")
		upper[i] = text(up)
		if !under {
			i++
			continue
		}
		two = true
		lower[i] = text(low)
		j := i + 1
		for ; j < len(columns) && strings.HasPrefix(columns[j].name, up+"_"); j++ {
			lower[j] = text(columns[j].name[len(up)+1:])
		}
		ws.merges = append(ws.merges, fmt.Sprintf("%s%d:%s%d", columnName(i), row, columnName(j-1), row))
		i = j
	}
	ws.rows = append(ws.rows, upper)
	if two {
		for i, c := range columns {
			if !strings.Contains(c.name, "_") {
				ws.merges = append(ws.merges, fmt.Sprintf("%s%d:%s%d", columnName(i), row, columnName(i), row+1))
			}
		}
		ws.rows = append(ws.rows, lower)
	}
}

// data writes the rows, with an empty one here and there.
func (t *township) data(ws *worksheet, sh sheet, columns []column, rows []*bookRow) {
	for i := 0; i < len(rows); {
		n := i + 1
		for rows[i].group != "" && n < len(rows) && rows[n].group == rows[i].group {
			n++
		}
		if i > 0 && t.s.r.intn(5) == 0 {
			ws.rows = append(ws.rows, make([]xcell, 0))
		}
		first := len(ws.rows) + 1
		for k, r := range rows[i:n] {
			line := make([]xcell, len(columns))
			for j, c := range columns {
				if k == 0 || !slices.Contains(merged[sh.name], c.name) {
					line[j] = r.cells[c.name]
				}
			}
			ws.rows = append(ws.rows, line)
			r.record.Position = len(ws.rows)
		}
		if n-i > 1 {
			for j, c := range columns {
				if slices.Contains(merged[sh.name], c.name) {
					ws.merges = append(ws.merges, fmt.Sprintf("%s%d:%s%d", columnName(j), first, columnName(j), len(ws.rows)))
				}
			}
		}
		i = n
	}
	// What somebody formatted and never filled.
	ws.rows = append(ws.rows, []xcell{}, []xcell{{format: "@"}, {format: "0.00"}})
}

// html writes the register as a table of HTML.
func (l *list) html(path string) []byte {
	sh := sheetByName("居民档案")
	var b strings.Builder
	b.WriteString("<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">\n" +
		"<style>td {mso-number-format:\"\\@\"; white-space:pre-wrap}</style>\n</head>\n<body>\n<table border=\"1\">\n")
	fmt.Fprintf(&b, "<tr><td colspan=\"%d\" align=\"center\"><b>%s</b></td></tr>\n<tr>", len(sh.columns), sh.banner)
	for _, c := range sh.columns {
		b.WriteString("<th>" + c.name + "</th>")
	}
	b.WriteString("</tr>\n")
	for i, r := range l.rows {
		b.WriteString("<tr>")
		for _, c := range sh.columns {
			b.WriteString("<td>" + strings.ReplaceAll(htmlText(r.cells[c.name]), "\n", "<br>") + "</td>")
		}
		b.WriteString("</tr>\n")
		r.record.File, r.record.Position = path, i+3
	}
	b.WriteString("</table>\n</body>\n</html>\n")
	return gb18030(b.String())
}

// htmlText is what a cell shows, as such programs write it.
func htmlText(c xcell) string {
	switch c.kind {
	case xempty:
		return "&nbsp;"
	case xdate:
		if strings.Contains(c.format, "h") {
			return c.at.Format(time.DateTime)
		}
		return c.at.Format(time.DateOnly)
	}
	return escXML(shown(c))
}
