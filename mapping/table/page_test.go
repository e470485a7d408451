package table_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

// pageOf reads all tables of a page: the name of each, its heading and its rows.
func pageOf(t *testing.T, name, page string, o table.Options) string {
	t.Helper()
	b, err := table.OpenBook(name, []byte(page), o)
	var at *record.SyntaxError
	if errors.As(err, &at) {
		return at.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range b.Sheets() {
		f, err := s.Open([2]int{})
		if errors.As(err, &at) {
			out = append(out, s.Name+" "+at.Code)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var set table.Set
		set.Add("T", f)
		out = append(out, strings.TrimSpace(s.Name+" "+strings.Join(f.Heading(), "/")+" "+show(t, set.Records("T", nil, o.Limits))))
	}
	return strings.Join(out, " | ")
}

func TestPagesOfHTML(t *testing.T) {
	for _, tt := range []struct{ name, page, want string }{
		{"one table is called like the file", `<html><table><tr><th>姓名</th><th>结果</th></tr><tr><td>甲</td><td>1.10</td></tr></table></html>`, "居民_1 姓名/结果 [甲;1.10]"},
		{"several are numbered", `<table><tr><td>A<tr><td>1</table><TABLE><TR><TD>B</TD></TR><TR><TD>2</TD></TR></TABLE>`, "Table1 A [1] | Table2 B [2]"},
		{"one in another", `<table><tr><td>A<tr><td>1<table><tr><td>B<tr><td>2</table>x</table>`, "Table1 A [1x] | Table2 B [2]"},
		{"tags that do not end", `<table><tr><td>A<td>B<tr><td>1<td>2`, "居民_1 A/B [1;2]"},
		{"cells without a row", `<table><td>A<td>B<tr><td>1<td>2</table>`, "居民_1 A/B [1;2]"},
		{"title over the columns", `<table><tr><td colspan=2>登记表</td></tr><tr><td>A</td><td>B</td></tr><tr><td>1</td><td>2</td></tr></table>`, "居民_1 A/B [1;2]"},
		{"heading of two rows", `<table><tr><td rowspan="2">号<td colspan="2">患者<tr><td>姓名<td>性别<tr><td>1<td>甲<td>男</table>`, "居民_1 号/患者_姓名/患者_性别 [1;甲;男]"},
		{"cells over several rows", `<table><tr><td>A<td>B<td>C<tr><td rowspan=3>1<td>x<td>y<tr><td rowspan=2>2<td>z<tr><td>q<tr><td>9<td>8<td>7</table>`, "居民_1 A/B/C [1;x;y] [1;2;z] [1;2;q] [9;8;7]"},
		{"blanks, breaks and what is no text", "<table><style>td{}</style><tr><td>A<td>B<tr><td>&nbsp;\n <b>甲</b> &amp;\t乙<br/>丙 <br> <td><!-- x --><script>1<2</script>&nbsp;</table>", "居民_1 A/B [甲 & 乙\n丙;-]"},
		{"an empty table", `<table></table><table><tr><td>A<tr><td>1</table>`, "Table1 heading | Table2 A [1]"},
		{"no table", `<html><body>x</body></html>`, ""},
		{"numbers are text as it stands", `<table><tr><td>A<tr><td style="mso-number-format:'0'">1.0E5<tr><td>0012</table>`, "居民_1 A [1.0E5] [0012]"},
		{"digits that were lost", `<table><tr><td>A<td>B<tr><td>甲<td>1.10105E+17<tr><td>乙<td>2</table>`, "居民_1 A/B digits-lost@2:2 [乙;2]"},
		{"spans without measure", `<table><tr><td colspan=99999999>A<tr><td rowspan=-1 colspan=x>B<tr><td>1</table>`, "居民_1 B [1]"},
		{"tables far inside each other", strings.Repeat("<table><tr><td>", 100), "too-large"},
		{"rows of many cells", "<table><tr>" + strings.Repeat("<td>x", 3000) + "</table>", "too-large"},
		{"a cell of many characters", "<table><tr><td>" + strings.Repeat("x<b>", 1_100_000) + "</table>", "too-large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pageOf(t, "x/居民_1.xls", tt.page, table.Options{}); got != tt.want {
				t.Errorf("\n got %.500q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCharsetOfAPage(t *testing.T) {
	page := `<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head><table><tr><td>姓名<td>科室<tr><td>王玘<td>㐀科</table></html>`
	want := "p 姓名/科室 [王玘;㐀科]"
	for name, tt := range map[string]struct{ page, setting, want string }{
		"declared as GB2312, is GB18030":    {gb(page), "", want},
		"declared as GB2312, is UTF-8":      {page, "", want},
		"set":                               {gb(strings.Replace(page, "gb2312", "", 1)), "GBK", want},
		"UTF-16 with a mark":                {"\xFF\xFE" + wide(page), "", want},
		"bytes that are in no charset here": {page + "<table><tr><td>\xFF\xFF\xFF", "UTF-8", "charset"},
	} {
		if !table.IsBook([]byte(tt.page)) {
			t.Errorf("%s: not known as a page", name)
		}
		if got := pageOf(t, "p.xls", tt.page, table.Options{Charset: tt.setting}); got != tt.want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestSheetsAndFilesAreJoinedAlike(t *testing.T) {
	reports := workbook{sheets: []string{"报告", rowsOf("标题||\nBGDH|HZID|BGMC\nR1|H1|生化\nR2|H2|血常规") + merges("A1:C1"),
		"明细", rowsOf("BGDH|项目|结果\nR1|钾|4.1\n|钠|<c t=\"e\"><v>#REF!</v></c>\nR9|氯|1") + merges("A2:A3")}}.bytes(t)
	b, err := table.OpenBook("周报.xlsx", reports, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var set table.Set
	for i, name := range []string{"BG", "MX"} {
		f, err := b.Sheets()[i].Open([2]int{})
		if err != nil {
			t.Fatal(err)
		}
		set.Add(name, f)
	}
	set.Add("HZ", open(t, "HZ.csv", "HZID,XM\nH1,甲\nH2,乙\n", table.Options{}))
	joins := []table.Join{
		{Name: "item", Table: "MX", On: map[string]string{"BGDH": "BGDH"}, Many: true},
		{Name: "patient", Table: "HZ", On: map[string]string{"HZID": "HZID"}},
	}
	want := "[R1;H1;生化;item[R1;钾;4.1];item[R1;钠];patient[H1;甲]] [R2;H2;血常规;patient[H2;乙]] orphan@4:1"
	for range 2 { // a set can be read again
		if got := show(t, set.Records("BG", joins, table.Limits{})); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
	for rec, err := range set.Records("BG", joins, table.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		var parts, issues []string
		for _, p := range rec.Parts {
			parts = append(parts, p.File+" "+p.Place+" "+p.Path)
		}
		for _, i := range rec.Issues {
			issues = append(issues, i.String())
		}
		if got := strings.Join(parts, ", "); got != "周报.xlsx 报告!3 , 周报.xlsx 明细!2 item[1], 周报.xlsx 明细!3 item[2], HZ.csv  patient" {
			t.Errorf("parts %s", got)
		}
		if got := strings.Join(issues, ", "); got != "3:3: warning: the cell says only that its formula failed; it is read as if the column were not there from item[2].结果 [cell-error]" {
			t.Errorf("issues %s", got)
		}
		break
	}
}

func TestARowOfASheetAndOneOfAFileHaveTheSameDigest(t *testing.T) {
	digest := func(f *table.File) (sum [32]byte) {
		var s table.Set
		s.Add("T", f)
		for rec, err := range s.Records("T", nil, table.Limits{}) {
			if err != nil {
				t.Fatal(err)
			}
			sum = table.Digest(rec)
		}
		return sum
	}
	b, err := table.OpenBook("b.xlsx", workbook{sheets: []string{"S", rowsOf("标题\nB|A|C\n2||x")}}.bytes(t), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := b.Sheets()[0].Open([2]int{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	if digest(sheet) != digest(open(t, "t.csv", "A,B,C\n,2,x\n", table.Options{})) {
		t.Error("the same cells have different digests")
	}
}

func TestDigitsThatWereLostInCSV(t *testing.T) {
	for cell, lost := range map[string]bool{
		"1.10105E+17": true, "1.1E+11": true, " 1.10105E+17 ": true, "-1.2E+15": true, "3E+12": true, "1.10105E+017": true,
		"1.1E+10": false, "1.1e+17": false, "1.1E17": false, "1.1E-17": false, "11.1E+17": false, "1.E+17": false, "0.1E+17": false,
		"E+17": false, "1E+": false, "x1.1E+17": false, "1.1E+17x": false, "1.10105E+9999": false, "990101199003072017": false, "1×10E+12": false,
	} {
		want := "[甲;" + strings.TrimSpace(cell) + "] [乙;1]"
		if lost {
			want = "digits-lost@2:3 [乙;1]"
		}
		if got := read(t, "姓名,身份证号\n甲,"+cell+"\n乙,1\n", table.Options{}); got != want {
			t.Errorf("%q: got %s, want %s", cell, got, want)
		}
	}
	var s table.Set
	s.Add("T", open(t, "t.csv", "姓名,身份证号\n甲,1.10105E+17\n", table.Options{}))
	for _, err := range s.Records("T", nil, table.Limits{}) {
		var at *record.SyntaxError
		if !errors.As(err, &at) || at.Path != "身份证号" || strings.Contains(at.Reason, "1.1") || !strings.Contains(at.Reason, "text") {
			t.Errorf("the error names the column and what to do, and quotes nothing: %v", err)
		}
	}
}
