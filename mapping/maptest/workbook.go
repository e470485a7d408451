package maptest

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping"
)

// sheetOf tells a section of a workbook: "周报.xlsx/门诊登记" is the sheet 门诊登记.
func sheetOf(section string) (book, sheet string, ok bool) {
	for _, ending := range []string{".xlsx/", ".xlsm/"} {
		if i := strings.Index(section, ending); i > 0 && i+len(ending) < len(section) {
			return section[:i+len(ending)-1], section[i+len(ending):], true
		}
	}
	return "", "", false
}

// workbook is a workbook that a case spells out, sheet by sheet.
type workbook struct {
	name    string
	names   []string // of its sheets
	sheets  []string // their XML
	formats []string // number formats, by style; the first is General
}

// add reads a sheet: CSV, each line a row of the sheet from the first on, a cell
//
//	葡萄糖            a text
//	#7.2              a number
//	#7.2 0.00         a number with a format: a date is its serial number, #45889 yyyy-mm-dd
//	!#N/A             an error
//	<                 merged with the cell to the left
//	^                 merged with the cell above
//	\#7               a text that begins like one of these
//
// An empty row is a comma.
func (w *workbook) add(name string, data []byte) error {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return err
	}
	type at struct{ row, column int }
	ends := map[at]at{} // first cell of a merged range → its last
	first := map[at]at{}
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, `<row r="%d">`, i+1)
		for k, cell := range row {
			here := at{i, k}
			neighbour, merged := at{i, k - 1}, cell == "<"
			if cell == "^" {
				neighbour, merged = at{i - 1, k}, true
			}
			if merged {
				from, ok := first[neighbour]
				if !ok {
					return fmt.Errorf("row %d, cell %d: nothing stands there to be merged with", i+1, k+1)
				}
				first[here] = from
				ends[from] = at{max(ends[from].row, i), max(ends[from].column, k)}
				continue
			}
			first[here] = here
			w.cell(&b, cellName(i, k), cell)
		}
		b.WriteString("</row>")
	}
	sheet := "<sheetData>" + b.String() + "</sheetData>"
	var ranges []string
	for from, to := range ends {
		ranges = append(ranges, `<mergeCell ref="`+cellName(from.row, from.column)+":"+cellName(to.row, to.column)+`"/>`)
	}
	slices.Sort(ranges)
	if ranges != nil {
		sheet += "<mergeCells>" + strings.Join(ranges, "") + "</mergeCells>"
	}
	w.names, w.sheets = append(w.names, name), append(w.sheets, sheet)
	return nil
}

func (w *workbook) cell(b *strings.Builder, at, text string) {
	switch {
	case text == "":
	case text[0] == '#':
		value, format, _ := strings.Cut(text[1:], " ")
		style := slices.Index(w.formats, format)
		if style < 0 {
			style = len(w.formats)
			w.formats = append(w.formats, format)
		}
		fmt.Fprintf(b, `<c r="%s" s="%d"><v>%s</v></c>`, at, style, escaped(value))
	case text[0] == '!':
		fmt.Fprintf(b, `<c r="%s" t="e"><v>%s</v></c>`, at, escaped(text[1:]))
	default:
		fmt.Fprintf(b, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, escaped(strings.TrimPrefix(text, `\`)))
	}
}

func cellName(row, column int) string {
	name := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return fmt.Sprintf("%s%d", name, row+1)
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}

// file packs the workbook.
func (w *workbook) file() (mapping.File, error) {
	const (
		prolog    = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
		spread    = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
		relations = prolog + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
		kind      = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
		content   = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
	)
	list, rels, types := "", "", ""
	var parts [][2]string
	for i, name := range w.names {
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d" r:id="r%d"/>`, escaped(name), i+1, i+1)
		rels += fmt.Sprintf(`<Relationship Id="r%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, i+1, kind, i+1)
		types += fmt.Sprintf(`<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, i+1, content)
		parts = append(parts, [2]string{fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), prolog + "<worksheet " + spread + ">" + w.sheets[i] + "</worksheet>"})
	}
	formats, styles := "", ""
	for i, f := range w.formats {
		formats += fmt.Sprintf(`<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, escaped(f))
		styles += fmt.Sprintf(`<xf numFmtId="%d"/>`, 164+i)
	}
	parts = append([][2]string{
		{"[Content_Types].xml", prolog + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + content + `sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="` + content + `styles+xml"/>` + types + `</Types>`},
		{"_rels/.rels", relations + `<Relationship Id="r1" Type="` + kind + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", prolog + `<workbook ` + spread + ` xmlns:r="` + kind + `"><sheets>` + list + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", relations + rels + `<Relationship Id="s" Type="` + kind + `/styles" Target="styles.xml"/></Relationships>`},
		{"xl/styles.xml", prolog + `<styleSheet ` + spread + `><numFmts>` + formats + `</numFmts><cellXfs>` + styles + `</cellXfs></styleSheet>`},
	}, parts...)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		f, err := z.CreateHeader(&zip.FileHeader{Name: p[0], Method: zip.Deflate})
		if err == nil {
			_, err = f.Write([]byte(p[1]))
		}
		if err != nil {
			return mapping.File{}, err
		}
	}
	if err := z.Close(); err != nil {
		return mapping.File{}, err
	}
	return mapping.File{Name: w.name, Bytes: b.Bytes()}, nil
}
