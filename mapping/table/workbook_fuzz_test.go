package table_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

// FuzzOpenWorkbook changes the parts of a workbook: its list of sheets, one sheet, its strings and styles; or takes the bytes
// as they are, as a page or an archive. Nothing may panic; what is read must be what a second reading gives.
func FuzzOpenWorkbook(f *testing.F) {
	small := workbook{sheets: []string{"S", rowsOf("标题||\n号|患者|\n|姓名|性别\n1|<c t=\"s\"><v>0</v></c>|<c s=\"1\"><v>45889.5</v></c>\n|<c><f>A1</f></c>|<c t=\"e\"><v>#N/A</v></c>") + merges("A1:C1", "A2:A3", "B2:C2", "A4:A5")},
		strings: "<si><r><t>甲</t></r><rPh><t>jia</t></rPh></si>", styles: `<numFmts><numFmt numFmtId="170" formatCode="[$-804]#,##0.00;0;&quot;x&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="170"/></cellXfs>`}.bytes(f)
	z, err := zip.NewReader(bytes.NewReader(small), int64(len(small)))
	if err != nil {
		f.Fatal(err)
	}
	var names, bodies []string
	for _, p := range z.File {
		r, err := p.Open()
		if err != nil {
			f.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		names, bodies = append(names, p.Name), append(bodies, string(body))
	}
	for i := range names {
		f.Add(uint8(i), []byte(bodies[i]))
	}
	page := `<html><meta charset=gb2312><table><tr><td colspan=2>题<tr><td rowspan=2>号<td>名<tr><td>甲<br>&nbsp;<table><tr><td>x</table></table></html>`
	f.Add(uint8(200), []byte(page))
	f.Add(uint8(200), []byte(gb(page)))
	f.Add(uint8(200), small)
	lim := table.Limits{MaxUnzipped: 1 << 20, MaxCells: 20_000, MaxColumns: 200, MaxRowBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		data := body
		if int(which) < len(names) {
			var parts []string
			for i, name := range names {
				if i == int(which) {
					parts = append(parts, name, string(body))
				} else {
					parts = append(parts, name, bodies[i])
				}
			}
			data = pack(t, parts...)
		}
		first := everything(t, data, lim)
		if second := everything(t, data, lim); first != second {
			t.Errorf("read twice:\n%s\n%s", first, second)
		}
	})
}

func everything(t *testing.T, data []byte, lim table.Limits) string {
	b, err := table.OpenBook("b.xlsx", data, table.Options{Limits: lim})
	var at *record.SyntaxError
	if errors.As(err, &at) {
		return at.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, s := range b.Sheets() {
		if _, err := s.Empty(); err != nil && !errors.As(err, &at) {
			t.Fatal(err)
		}
		f, err := s.Open([2]int{})
		if errors.As(err, &at) {
			fmt.Fprintln(&out, s.Name, at)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, s.Name, f.Heading())
		var set table.Set
		set.Add("T", f)
		for rec, err := range set.Records("T", nil, lim) {
			if err != nil {
				if !errors.As(err, &at) || rec == nil || rec.Parts[0].Place == "" {
					t.Fatal(err)
				}
				fmt.Fprintln(&out, at)
				continue
			}
			fmt.Fprintln(&out, group(rec.Root), rec.Issues)
		}
	}
	return out.String()
}

// BenchmarkRowOfASheet reads 10,000 rows of 20 columns, as a workbook and as a file, per row.
func BenchmarkRowOfASheet(b *testing.B) {
	const rows, columns = 10_000, 20
	var sheet, strs, csv strings.Builder
	sheet.WriteString("<sheetData><row>")
	for c := range columns {
		fmt.Fprintf(&sheet, `<c t="inlineStr"><is><t>列%d</t></is></c>`, c)
		fmt.Fprintf(&csv, "列%d,", c)
	}
	sheet.WriteString("</row>")
	csv.WriteString("\n")
	n := 0
	for r := range rows {
		fmt.Fprintf(&sheet, `<row r="%d">`, r+2)
		for c := range columns {
			at := fmt.Sprintf("%c%d", 'A'+c, r+2)
			switch c % 4 {
			case 0:
				fmt.Fprintf(&strs, "<si><t>文本%d</t></si>", r*c)
				fmt.Fprintf(&sheet, `<c r="%s" t="s"><v>%d</v></c>`, at, n)
				fmt.Fprintf(&csv, "文本%d,", r*c)
				n++
			case 1:
				fmt.Fprintf(&sheet, `<c r="%s" s="1"><v>%d.5</v></c>`, at, r)
				fmt.Fprintf(&csv, "%d.50,", r)
			case 2:
				fmt.Fprintf(&sheet, `<c r="%s" s="2"><v>45889.354166666664</v></c>`, at)
				csv.WriteString("2025-08-20 08:30:00,")
			default:
				fmt.Fprintf(&sheet, `<c r="%s"><v>%d</v></c>`, at, r)
				fmt.Fprintf(&csv, "%d,", r)
			}
		}
		sheet.WriteString("</row>")
		csv.WriteString("\n")
	}
	book := workbook{sheets: []string{"S", sheet.String() + "</sheetData>"}, strings: strs.String(),
		styles: `<cellXfs><xf numFmtId="0"/><xf numFmtId="2"/><xf numFmtId="22"/></cellXfs>`}.bytes(b)
	text := strings.ReplaceAll(csv.String(), ",\n", "\n")
	run := func(b *testing.B, size int, open func() *table.File) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			var set table.Set
			set.Add("T", open())
			n := 0
			for _, err := range set.Records("T", nil, table.Limits{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != rows {
				b.Fatalf("%d rows", n)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	}
	b.Run("workbook", func(b *testing.B) {
		run(b, len(book), func() *table.File {
			w, err := table.OpenBook("b.xlsx", book, table.Options{})
			if err != nil {
				b.Fatal(err)
			}
			f, err := w.Sheets()[0].Open([2]int{1, 1})
			if err != nil {
				b.Fatal(err)
			}
			return f
		})
	})
	b.Run("csv", func(b *testing.B) {
		run(b, len(text), func() *table.File { return open(b, "t.csv", text, table.Options{}) })
	})
}
