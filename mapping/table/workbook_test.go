package table_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

const main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`

// pack writes a workbook's parts in their order: name, content, name, content, …
func pack(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = w.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// workbook says what a test's workbook is made of; what is empty is as usual.
type workbook struct {
	sheets  []string // "name" or "name:hidden", then what stands in the worksheet element, by turns
	strings string   // what stands in sst
	styles  string   // what stands in styleSheet
	pr      string   // attributes of workbookPr
}

func (w workbook) bytes(t testing.TB) []byte {
	t.Helper()
	const relations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	const kind = `Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	list, rels := "", ""
	var sheets []string
	for i := 0; i < len(w.sheets); i += 2 {
		name, state, _ := strings.Cut(w.sheets[i], ":")
		if state != "" {
			state = ` state="` + state + `"`
		}
		n := i/2 + 1
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d"%s r:id="r%d"/>`, name, n, state, n)
		rels += fmt.Sprintf(`<Relationship Id="r%d" %sworksheet" Target="worksheets/sheet%d.xml"/>`, n, kind, n)
		sheets = append(sheets, fmt.Sprintf("xl/worksheets/sheet%d.xml", n), `<?xml version="1.0" encoding="UTF-8"?>`+"\n<worksheet "+main+">"+w.sheets[i+1]+"</worksheet>")
	}
	rels += `<Relationship Id="s" ` + kind + `sharedStrings" Target="/xl/sharedStrings.xml"/><Relationship Id="f" ` + kind + `styles" Target="styles.xml"/>` +
		`<Relationship Id="x" ` + kind + `externalLink" Target="https://example.org/a.xlsx" TargetMode="External"/>`
	return pack(t, append([]string{
		"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels", relations + `<Relationship Id="r1" ` + kind + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook ` + main + ` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr ` + w.pr + `/><sheets>` + list + `</sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", relations + rels + `</Relationships>`,
		"xl/sharedStrings.xml", `<sst ` + main + `>` + w.strings + `</sst>`,
		"xl/styles.xml", `<styleSheet ` + main + `>` + w.styles + `</styleSheet>`,
		"xl/vbaProject.bin", "\x00macros",
	}, sheets...)...)
}

// rowsOf writes sheet data from texts: lines are rows from 1, cells stand between bars, empty ones are not there, what
// begins with < is a cell as it stands.
func rowsOf(text string) string {
	var b strings.Builder
	b.WriteString("<sheetData>")
	for i, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		fmt.Fprintf(&b, `<row r="%d">`, i+1)
		for k, cell := range strings.Split(line, "|") {
			cell = strings.TrimSpace(cell)
			at := fmt.Sprintf("%c%d", 'A'+k, i+1)
			switch {
			case cell == "":
			case cell[0] == '<':
				b.WriteString(strings.Replace(cell, "<c", `<c r="`+at+`"`, 1))
			case strings.Trim(cell, "0123456789.-") == "":
				fmt.Fprintf(&b, `<c r="%s"><v>%s</v></c>`, at, cell)
			default:
				fmt.Fprintf(&b, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, at, cell)
			}
		}
		b.WriteString("</row>")
	}
	return b.String() + "</sheetData>"
}

func merges(refs ...string) string {
	var b strings.Builder
	b.WriteString("<mergeCells>")
	for _, ref := range refs {
		b.WriteString(`<mergeCell ref="` + ref + `"/>`)
	}
	return b.String() + "</mergeCells>"
}

// sheetOf reads the first sheet: its heading between slashes, then its rows as show writes them. An error is its code, its
// place and, for a row, its column.
func sheetOf(t testing.TB, data []byte, heading [2]int, lim table.Limits) string {
	t.Helper()
	b, err := table.OpenBook("b.xlsx", data, table.Options{Limits: lim})
	if err == nil {
		var f *table.File
		if f, err = b.Sheets()[0].Open(heading); err == nil {
			var s table.Set
			s.Add("T", f)
			return strings.TrimSpace(strings.Join(f.Heading(), "/") + " " + show(t, s.Records("T", nil, lim)))
		}
	}
	var at *record.SyntaxError
	if !errors.As(err, &at) || at.File != "b.xlsx" {
		t.Fatalf("got %v", err)
	}
	return fmt.Sprintf("%s@%d:%d", at.Code, at.Line, at.Column)
}

func TestSheets(t *testing.T) {
	for _, tt := range []struct {
		name, rows string
		merged     []string
		heading    [2]int
		want       string
	}{
		{"heading and rows", "姓名|结果\n甲|7.1\n乙|", nil, [2]int{}, "姓名/结果 [甲;7.1] [乙;-]"},
		{"title merged over the sheet", "登记表||\n姓名|性别|结果\n甲|男|1", []string{"A1:C1"}, [2]int{}, "姓名/性别/结果 [甲;男;1]"},
		{"title in one cell, then who made it", "登记表\n填报单位：某院||填报日期：8月|\n姓名|性别|结果|单位\n甲|男|1|g", nil, [2]int{}, "姓名/性别/结果/单位 [甲;男;1;g]"},
		{"a date above the heading", "单位|某院|日期|45889\n姓名|性别|结果|单位|备注\n甲|男|1|g|x", nil, [2]int{}, "姓名/性别/结果/单位/备注 [甲;男;1;g;x]"},
		{"heading of two rows", "号|患者||结果\n|姓名|性别|\n1|甲|男|7", []string{"A1:A2", "B1:C1", "D1:D2"}, [2]int{}, "号/患者_姓名/患者_性别/结果 [1;甲;男;7]"},
		{"heading of two rows, one of them only of groups", "患者||检验|\n姓名|性别|项目|结果\n甲|男|钾|4.1", []string{"A1:B1", "C1:D1"}, [2]int{}, "患者_姓名/患者_性别/检验_项目/检验_结果 [甲;男;钾;4.1]"},
		{"heading of three rows", "甲||\n乙||丙\nA|B|C\n1|2|3", []string{"A1:C1", "A2:B2"}, [2]int{1, 3}, "甲_乙_A/甲_乙_B/甲_丙_C [1;2;3]"},
		{"one name over two columns", "姓名|备注||号\n甲|x||1\n乙|y||2", []string{"B1:C1", "B2:C2"}, [2]int{}, "姓名/备注/号 [甲;x;1] [乙;y;2]"},
		{"one name over two columns, both filled", "姓名|备注||号\n甲|x|y|1", []string{"B1:C1"}, [2]int{1, 1}, "姓名/备注/号 columns@2:3"},
		{"heading that is given", "a|b|c\n年|2024|2025\n甲|1|2", nil, [2]int{2, 2}, "年/2024/2025 [甲;1;2]"},
		{"heading that is given in two rows, without merged cells", "x\n|体征|\n号|体温|脉搏\n1|36.7|79", nil, [2]int{2, 3}, "号/体征_体温/脉搏 [1;36.7;79]"},
		{"heading given where nothing stands", "a|b\n\n1|2", nil, [2]int{2, 2}, "heading@2:1"},
		{"heading that is not to be found out", "填报：甲|1|2\n填报：乙|3|4", nil, [2]int{}, "heading@1:2"},
		{"numbers where the heading should be", "a|1|c\nx|2|z", nil, [2]int{}, "heading@1:2"},
		{"equal names", "姓名|结果|结果\n甲|1|2", nil, [2]int{}, "heading@1:3"},
		{"line breaks and blanks in names", "姓&#10;名 |　结果\n甲|1", nil, [2]int{}, "姓名/结果 [甲;1]"},
		{"a cell in a column without a name", "姓名|性别|\n甲|男|\n乙|女|?\n丙|男|", nil, [2]int{}, "姓名/性别 [甲;男] columns@3:3 [丙;男]"},
		{"empty columns", "姓名||性别||\n甲||男||\n", nil, [2]int{}, "姓名/性别 [甲;男]"},
		{"empty rows are none", "姓名|性别\n\n甲|男\n\n\n乙|女\n\n", nil, [2]int{}, "姓名/性别 [甲;男] [乙;女]"},
		{"a sum is a row", "姓名|结果\n甲|1\n合计|1", nil, [2]int{}, "姓名/结果 [甲;1] [合计;1]"},
		{"cells merged downwards hold for every row", "单号|项目\nA|1\n|2\nB|3", []string{"A2:A3"}, [2]int{}, "单号/项目 [A;1] [A;2] [B;3]"},
		{"cells merged downwards over empty rows make none", "单号|项目\nA|1\n||\nB|3", []string{"A2:A3"}, [2]int{}, "单号/项目 [A;1] [B;3]"},
		{"cells merged in both directions", "a|b|c\nA||1\n||2", []string{"A2:B3"}, [2]int{}, "a/b/c [A;A;1] [A;A;2]"},
		{"a merged range without a value", "a|b\n|1\n|2", []string{"A2:A3"}, [2]int{}, "a/b [-;1] [-;2]"},
		{"ranges that overlap: the upper one counts", "a|b\nX|\n|Y", []string{"A2:B3", "B3:B3", "A3:B3"}, [2]int{}, "a/b [X;X] [X;X]"},
		{"one column", "姓名\n甲\n乙", nil, [2]int{}, "姓名 [甲] [乙]"},
		{"a heading alone", "姓名|结果", nil, [2]int{}, "姓名/结果"},
		{"nothing but a title", "登记表||", []string{"A1:C1"}, [2]int{}, "heading@1:1"},
		{"null of databases", `姓名|结果` + "\n甲|NULL", nil, [2]int{}, "姓名/结果 [甲;-]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := workbook{sheets: []string{"S", rowsOf(tt.rows) + merges(tt.merged...)}}.bytes(t)
			if got := sheetOf(t, data, tt.heading, table.Limits{}); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSheetsAndRowsThatAreHiddenAreRead(t *testing.T) {
	data := workbook{sheets: []string{"门诊&amp;急诊", rowsOf("A|B\n1|2"), "旧:hidden", `<sheetData><row r="1" hidden="1"><c r="A1" t="inlineStr"><is><t>A</t></is></c></row><row r="5" hidden="1"><c><v>7</v></c></row></sheetData>`, "旧2:veryHidden", rowsOf("")}}.bytes(t)
	b, err := table.OpenBook("b.xlsx", data, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range b.Sheets() {
		empty, err := s.Empty()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(s.Name, " ", s.Hidden, " ", empty))
	}
	if s := strings.Join(got, " "); s != "门诊&急诊 false false 旧 true false 旧2 true true" {
		t.Error(s)
	}
	f, err := b.Sheets()[1].Open([2]int{})
	if err != nil {
		t.Fatal(err)
	}
	var set table.Set
	set.Add("T", f)
	for rec, err := range set.Records("T", nil, table.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		want := record.Part{File: "b.xlsx", End: int64(len(data)), Line: 5, Place: "旧!5"}
		if rec.Parts[0] != want || rec.Format != record.Excel || rec.Root.Get("A").Origin() != (record.Origin{Line: 5, Column: 1, Path: "A"}) || rec.Root.Get("A").Text() != "7" {
			t.Errorf("%+v %v", rec, rec.Root.Get("A").Origin())
		}
	}
}

func TestCells(t *testing.T) {
	const styles = `<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/><numFmt numFmtId="165" formatCode="0000"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="20"/><xf numFmtId="2"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="31"/><xf numFmtId="9"/></cellXfs>` +
		`<dxfs><dxf><numFmt numFmtId="165" formatCode="yyyy"/></dxf></dxfs>`
	const strs = `<si><t>甲</t></si><si><r><rPr><b/></rPr><t>白</t></r><r><t xml:space="preserve"> 细胞</t></r><rPh sb="0" eb="1"><t>bai</t></rPh></si><si><t>a&amp;b&#x20;_x000D_
c_x005F_x0041_</t></si><si/><si><t>1.10105E+17</t></si>`
	for _, tt := range []struct{ name, cell, pr, want string }{
		{"shared string", `<c t="s"><v>0</v></c>`, "", "甲"},
		{"runs, and how they are read aloud", `<c t="s"><v>1</v></c>`, "", "白 细胞"},
		{"what XML cannot write", `<c t="s"><v>2</v></c>`, "", "a&b \nc_x0041_"},
		{"shared string without a text", `<c t="s"><v>3</v></c>`, "", "-"},
		{"string in the cell", `<c t="inlineStr"><is><r><t>乙</t></r><r><t><![CDATA[<丙>&amp;]]></t></r></is></c>`, "", "乙<丙>&amp;"},
		{"formula with a text", `<c t="str"><f>A1&amp;"x"</f><v>值</v></c>`, "", "值"},
		{"formula with an empty text", `<c t="str"><f>""</f><v></v></c>`, "", "-"},
		{"formula with a number", `<c><f t="shared" si="0">1+1</f><v>2</v></c>`, "", "2"},
		{"formula without a value", `<c><f>NOW()</f></c>`, "", "- formula-not-computed@2:2 B"},
		{"formula with an error", `<c t="e"><f>1/0</f><v>#DIV/0!</v></c>`, "", " cell-error@2:2 B"},
		{"error", `<c t="e"><v>#N/A</v></c>`, "", " cell-error@2:2 B"},
		{"true", `<c t="b"><v>1</v></c>`, "", "TRUE"},
		{"false", `<c t="b"><v>0</v></c>`, "", "FALSE"},
		{"date as text of ISO", `<c t="d"><v>2025-08-20T08:30:00</v></c>`, "", "2025-08-20 08:30:00"},
		{"whole number", `<c><v>123456789012345</v></c>`, "", "123456789012345"},
		{"sixteen digits", `<c><v>1234567890123456</v></c>`, "", "digits-lost@2:2"},
		{"resident id that became a number", `<c><v>9.9010119900307201E+17</v></c>`, "", "digits-lost@2:2"},
		{"resident id that became a number with a format", `<c s="6"><v>9.9010119900307201E+17</v></c>`, "", "digits-lost@2:2"},
		{"resident id that became a text", `<c t="s"><v>4</v></c>`, "", "digits-lost@2:2"},
		{"the same in the cell", `<c t="inlineStr"><is><t> 1.1E+11 </t></is></c>`, "", "digits-lost@2:2"},
		{"a double's digits", `<c><v>7.0999999999999996</v></c>`, "", "7.1"},
		{"fifteen digits of it", `<c><v>0.30000000000000004</v></c>`, "", "0.3"},
		{"small", `<c><v>1.0000000000000001E-5</v></c>`, "", "0.00001"},
		{"large", `<c><v>1.2E12</v></c>`, "", "1200000000000"},
		{"two places", `<c s="4"><v>7.1</v></c>`, "", "7.10"},
		{"zeros in front", `<c s="6"><v>10</v></c>`, "", "0010"},
		{"percent", `<c s="8"><v>0.42</v></c>`, "", "42%"},
		{"date", `<c s="1"><v>45889</v></c>`, "", "2025-08-20"},
		{"date with a time that is not shown", `<c s="1"><v>45889.354166666664</v></c>`, "", "2025-08-20 08:30:00"},
		{"date and time", `<c s="2"><v>45889.354166666664</v></c>`, "", "2025-08-20 08:30:00"},
		{"midnight that is shown", `<c s="2"><v>45889</v></c>`, "", "2025-08-20 00:00:00"},
		{"time of day", `<c s="3"><v>0.35416666666666669</v></c>`, "", "08:30:00"},
		{"date in Chinese", `<c s="5"><v>45889</v></c>`, "", "2025-08-20"},
		{"date in Chinese, built in", `<c s="7"><v>45889</v></c>`, "", "2025-08-20"},
		{"date counted from 1904", `<c s="1"><v>44427</v></c>`, `date1904="1"`, "2025-08-20"},
		{"time counted from 1904", `<c s="3"><v>0.5</v></c>`, `date1904="true"`, "12:00:00"},
		{"first day", `<c s="1"><v>1</v></c>`, "", "1900-01-01"},
		{"day before the one that never was", `<c s="1"><v>59</v></c>`, "", "1900-02-28"},
		{"day that never was", `<c s="1"><v>60</v></c>`, "", "60"},
		{"day after it", `<c s="1"><v>61</v></c>`, "", "1900-03-01"},
		{"no day", `<c s="1"><v>0</v></c>`, "", "0"},
		{"before all days", `<c s="1"><v>-3</v></c>`, "", "-3"},
		{"behind all days", `<c s="1"><v>2958466</v></c>`, "", "2958466"},
		{"a style that is not there", `<c s="99"><v>45889</v></c>`, "", "45889"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := workbook{sheets: []string{"S", rowsOf("A|B\nx|" + tt.cell)}, strings: strs, styles: styles, pr: tt.pr}.bytes(t)
			b, err := table.OpenBook("b.xlsx", data, table.Options{})
			if err != nil {
				t.Fatal(err)
			}
			f, err := b.Sheets()[0].Open([2]int{1, 1})
			if err != nil {
				t.Fatal(err)
			}
			var s table.Set
			s.Add("T", f)
			got := ""
			for rec, err := range s.Records("T", nil, table.Limits{}) {
				var at *record.SyntaxError
				if errors.As(err, &at) {
					if at.Path != "B" {
						t.Errorf("the column is %q", at.Path)
					}
					got = fmt.Sprintf("%s@%d:%d", at.Code, at.Line, at.Column)
					continue
				}
				switch n := rec.Root.Get("B"); n.State() {
				case record.Present:
					got = n.Text()
				case record.Empty:
					got = "-"
				}
				for _, i := range rec.Issues {
					got += fmt.Sprintf(" %s@%d:%d %s", i.ID, i.Line, i.Column, i.Origin)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNumberFormats(t *testing.T) {
	for _, tt := range []struct{ format, value, want string }{
		{"General", "1234.5", "1234.5"},
		{"G/通用格式", "1234.5", "1234.5"},
		{"0", "2.5", "3"},
		{"0", "-0.4", "0"},
		{"0.00", "2.675", "2.68"},
		{"0.00", "-7.1", "-7.10"},
		{"0.00_ ", "7.1", "7.10"},
		{"0.00_);[Red]\\(0.00\\)", "-7.1", "(7.10)"},
		{"#.##", "7.10", "7.1"},
		{"#.##", "7", "7"},
		{"0.0#", "0.999", "1.0"},
		{"0.000", "999.9996", "1000.000"},
		{"000", "11", "011"},
		{"#,##0.00", "1234567.891", "1,234,567.89"},
		{"#,##0", "999", "999"},
		{"000\\-0000", "8881234", "888-1234"},
		{"000\\-0000", "128881234", "12888-1234"},
		{"0.0%", "0.125", "12.5%"},
		{"0.00\"mg/L\"", "5", "5.00mg/L"},
		{"[$¥-804]#,##0.00", "1234.5", "¥1,234.50"},
		{"0元", "12", "12元"},
		{"0;-0;\"阴性\"", "0", "0"},
		{"0;-0;;@", "5", "5"},
		{"0.00E+00", "1500000000000", "1500000000000"},
		{"##0.0E+0", "12345", "12345"},
		{"# ?/?", "0.5", "0.5"},
		{"[>=100]0;0.0", "5.55", "5.55"},
		{"0,", "12345", "12345"},
		{";;;", "12345", "12345"},
		{"\"无\"", "3", "3"},
		{"@", "3.5", "3.5"},
		{"\"", "3.5", "3.5"},
		{"[", "3.5", "3.5"},
		{"yyyy-mm-dd", "45889", "2025-08-20"},
		{"[$-804]yyyy年m月d日;@", "45889", "2025-08-20"},
		{"yyyy/m/d h:mm AM/PM", "45889.75", "2025-08-20 18:00:00"},
		{"上午/下午h\"时\"mm\"分\"", "0.75", "18:00:00"},
		{"h:mm", "45889.75", "2025-08-20 18:00:00"},
		{"[h]:mm:ss", "1.5", "36:00:00"},
		{"mm:ss.0", "0.0005", "00:00:43"},
		{"yyyy\"年\"m\"月\"", "45889", "2025-08-20"},
		{"[$-411]e\\.m\\.d", "45889", "2025-08-20"},
		{"yyyy-mm-dd", "45888.999999999", "2025-08-20"},
	} {
		t.Run(tt.format+" of "+tt.value, func(t *testing.T) {
			styles := `<numFmts><numFmt numFmtId="170" formatCode="` + strings.NewReplacer(`"`, "&quot;", "<", "&lt;", ">", "&gt;").Replace(tt.format) + `"/></numFmts><cellXfs><xf numFmtId="170"/></cellXfs>`
			data := workbook{sheets: []string{"S", rowsOf("A|B\nx|<c><v>" + tt.value + "</v></c>")}, styles: styles}.bytes(t)
			if got := sheetOf(t, data, [2]int{}, table.Limits{}); got != "A/B [x;"+tt.want+"]" {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
