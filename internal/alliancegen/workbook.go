package alliancegen

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// workbook is an .xlsx file, written part by part: no library has a say in what a
// reader must understand.
type workbook struct {
	sheets   []*worksheet
	date1904 bool
	shared   []string // <si> elements
	place    map[string]int
}

type worksheet struct {
	name   string
	hidden bool
	rows   [][]xcell // from row 1
	merges []string
	inline bool // strings stand in the cells
}

// xcell kinds.
type xkind byte

const (
	xempty  xkind = iota
	xtext         // text
	xruns         // text of several formatted runs, with a phonetic hint
	xnumber       // decimal text
	xdate         // serial day and time
	xclock        // fraction of a day
	xlookup       // formula with a saved text
	xcount        // formula with a saved number
	xerror        // error value
)

// xcell is the content of a cell. Format is a number format of xformats.
type xcell struct {
	kind    xkind
	text    string
	runs    []string
	at      time.Time
	formula string
	format  string
}

// xformats are the number formats in use; those with an id are built in. The place
// is the cell style.
var xformats = []struct {
	code string
	id   int
}{
	{"", 0}, {"0", 1}, {"0.00", 2}, {"#14", 14}, {"h:mm", 20}, {"#22", 22}, {"@", 49},
	{"0.0", 164}, {"00", 165}, {"000", 166}, {"0000", 167}, {"yyyy-mm-dd", 168}, {"yyyy/m/d", 169}, {`yyyy"年"m"月"d"日"`, 170},
	{"yyyy-mm-dd hh:mm:ss", 171}, {"m/d/yy h:mm", 172}, {"0.000", 173},
}

func text(s string) xcell {
	if s == "" {
		return xcell{}
	}
	return xcell{kind: xtext, text: s}
}

func figure(decimal, format string) xcell {
	if decimal == "" {
		return xcell{}
	}
	return xcell{kind: xnumber, text: decimal, format: format}
}

func escXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a builder never fails
	}
	return strings.ReplaceAll(b.String(), "&#xA;", "\n")
}

// serial is a moment's number of days, in the workbook's count.
func (w *workbook) serial(t time.Time) string {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if w.date1904 {
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return decimal(local.Sub(epoch).Hours() / 24)
}

// decimal keeps the 15 digits that spreadsheets keep.
func decimal(f float64) string {
	if f == math.Trunc(f) {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 15, 64)
}

func columnName(n int) string {
	name := ""
	for ; n >= 0; n = n/26 - 1 {
		name = string(rune('A'+n%26)) + name
	}
	return name
}

func (w *workbook) share(si string) int {
	if w.place == nil {
		w.place = map[string]int{}
	}
	if at, ok := w.place[si]; ok {
		return at
	}
	w.place[si] = len(w.shared)
	w.shared = append(w.shared, si)
	return len(w.shared) - 1
}

func (w *workbook) cell(s *worksheet, ref string, c xcell) string {
	style := ""
	for i, f := range xformats {
		if c.format != "" && f.code == c.format {
			style = fmt.Sprintf(` s="%d"`, i)
		}
	}
	if c.format != "" && style == "" {
		panic("alliancegen: no number format " + c.format)
	}
	open := `<c r="` + ref + `"` + style
	switch c.kind {
	case xempty:
		return open + "/>"
	case xruns:
		var b strings.Builder
		for i, r := range c.runs {
			fmt.Fprintf(&b, `<r><rPr>%s<sz val="11"/></rPr><t xml:space="preserve">%s</t></r>`, []string{"<b/>", ""}[i%2], escXML(r))
		}
		b.WriteString(`<rPh sb="0" eb="1"><t>PINYIN</t></rPh>`)
		return fmt.Sprintf(`%s t="s"><v>%d</v></c>`, open, w.share(b.String()))
	case xnumber:
		return open + "><v>" + c.text + "</v></c>"
	case xdate:
		return open + "><v>" + w.serial(c.at) + "</v></c>"
	case xclock:
		return open + "><v>" + decimal(float64(c.at.Hour()*60+c.at.Minute())/1440) + "</v></c>"
	case xlookup:
		return open + ` t="str"><f>` + escXML(c.formula) + "</f><v>" + escXML(c.text) + "</v></c>"
	case xcount:
		return open + "><f>" + escXML(c.formula) + "</f><v>" + c.text + "</v></c>"
	case xerror:
		return open + ` t="e"><v>` + c.text + "</v></c>"
	}
	if s.inline {
		return open + ` t="inlineStr"><is><t xml:space="preserve">` + escXML(c.text) + "</t></is></c>"
	}
	return fmt.Sprintf(`%s t="s"><v>%d</v></c>`, open, w.share(`<t xml:space="preserve">`+escXML(c.text)+`</t>`))
}

const (
	xmlProlog   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace   = `http://schemas.openxmlformats.org/spreadsheetml/2006/main`
	officeSpace = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	relSpace    = `http://schemas.openxmlformats.org/package/2006/relationships`
	typeSpace   = `http://schemas.openxmlformats.org/package/2006/content-types`
	sheetMIME   = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
)

func (w *workbook) sheetXML(s *worksheet) string {
	var b strings.Builder
	wide := 1
	for _, row := range s.rows {
		wide = max(wide, len(row))
	}
	fmt.Fprintf(&b, `%s<worksheet xmlns="%s"><dimension ref="A1:%s%d"/><sheetData>`, xmlProlog, mainSpace, columnName(wide-1), max(1, len(s.rows)))
	for i, row := range s.rows {
		if len(row) == 0 {
			continue
		}
		fmt.Fprintf(&b, `<row r="%d">`, i+1)
		for j, c := range row {
			if c.kind != xempty || c.format != "" {
				b.WriteString(w.cell(s, columnName(j)+strconv.Itoa(i+1), c))
			}
		}
		b.WriteString("</row>\n")
	}
	b.WriteString("</sheetData>")
	if len(s.merges) > 0 {
		fmt.Fprintf(&b, `<mergeCells count="%d">`, len(s.merges))
		for _, m := range s.merges {
			b.WriteString(`<mergeCell ref="` + m + `"/>`)
		}
		b.WriteString("</mergeCells>")
	}
	b.WriteString("</worksheet>")
	return b.String()
}

func stylesXML() string {
	var formats, xfs strings.Builder
	n := 0
	for _, f := range xformats {
		if f.id >= 164 {
			n++
			fmt.Fprintf(&formats, `<numFmt numFmtId="%d" formatCode="%s"/>`, f.id, escXML(f.code))
		}
		fmt.Fprintf(&xfs, `<xf numFmtId="%d" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`, f.id)
	}
	return fmt.Sprintf(`%s<styleSheet xmlns="%s"><numFmts count="%d">%s</numFmts><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>`+
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>`+
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>`+
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="%d">%s</cellXfs>`+
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
		xmlProlog, mainSpace, n, formats.String(), len(xformats), xfs.String())
}

// bytes packs the parts, stored and without times, so that equal workbooks are equal
// bytes whatever compresses.
func (w *workbook) bytes() []byte {
	var types, rels, list strings.Builder
	type part struct{ name, body string }
	var parts []part
	for i, s := range w.sheets {
		n := i + 1
		parts = append(parts, part{fmt.Sprintf("xl/worksheets/sheet%d.xml", n), w.sheetXML(s)})
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, n, sheetMIME)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, officeSpace, n)
		state := ""
		if s.hidden {
			state = ` state="hidden"`
		}
		fmt.Fprintf(&list, `<sheet name="%s" sheetId="%d"%s r:id="rId%d"/>`, escXML(s.name), n, state, n)
	}
	n := len(w.sheets)
	fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/><Relationship Id="rId%d" Type="%s/sharedStrings" Target="sharedStrings.xml"/>`, n+1, officeSpace, n+2, officeSpace)
	properties := ""
	if w.date1904 {
		properties = `<workbookPr date1904="1"/>`
	}
	var strs strings.Builder
	for _, si := range w.shared {
		strs.WriteString("<si>" + si + "</si>\n")
	}
	front := []part{
		{"[Content_Types].xml", xmlProlog + `<Types xmlns="` + typeSpace + `"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + sheetMIME + `sheet.main+xml"/>` + types.String() +
			`<Override PartName="/xl/styles.xml" ContentType="` + sheetMIME + `styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="` + sheetMIME + `sharedStrings+xml"/></Types>`},
		{"_rels/.rels", xmlProlog + `<Relationships xmlns="` + relSpace + `"><Relationship Id="rId1" Type="` + officeSpace + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", xmlProlog + `<workbook xmlns="` + mainSpace + `" xmlns:r="` + officeSpace + `">` + properties + `<sheets>` + list.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xmlProlog + `<Relationships xmlns="` + relSpace + `">` + rels.String() + `</Relationships>`},
		{"xl/styles.xml", stylesXML()},
		{"xl/sharedStrings.xml", fmt.Sprintf(`%s<sst xmlns="%s" uniqueCount="%d">%s</sst>`, xmlProlog, mainSpace, len(w.shared), strs.String())},
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range append(front, parts...) {
		f, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte(p.body))
		}
		if err != nil {
			panic(err) // a buffer never fails
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
