package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
	"github.com/yilian/yilian/mapping/record"
)

// spelled are the files of a case: workbooks spelled out as sheets.
func spelled(t testing.TB, sections string) []mapping.File {
	t.Helper()
	c, err := maptest.Parse("a.txtar", []byte(sections))
	if err != nil {
		t.Fatal(err)
	}
	return c.Files
}

const week = `-- 周报_0922.xlsx/登记9月 --
登记表,<,<
号,患者,<
^,姓名,备注
H1,甲,x
H2,乙,
-- 周报_0922.xlsx/明细 --
号,项目,结果
H1,钾,#4.1 0.00
^,钠,#140
H9,氯,#1
-- 周报_0922.xlsx/空 --
-- 周报_0922.xlsx/值班 --
谁,何时
甲,周一
-- 周报_0922.xlsx/旧 --
A,A
1,2
`

// weekly has a map over two sheets.
func weekly(t testing.TB, sources string) *mapping.Institution {
	t.Helper()
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试\nsources:\n" + sources,
		"maps/m.yaml": "format: 1\nmap: m\nreads: {format: excel, table: T, join: {item: {table: I, on: {号: 号}, many: true}}}\nlane: 号\nrow: 号\n" +
			"resources:\n  patient: {type: Patient, key: [号], write: update, set: {name: {set: {text: 患者_姓名}}}}\n" +
			"  item: {type: Basic, each: item, key: [/号, 项目], write: replace, set: {code: {set: {text: 结果}}}}\n",
	}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

const weekTables = "  week: {format: excel, tables: {T: {file: \"周报*.xlsx\", sheet: \"登记*\"}, I: {file: \"*\", sheet: 明细*}, O: {file: \"*\", sheet: 旧}}}\n"

func cuts(t testing.TB, x *mapping.Intake) []string {
	t.Helper()
	var out []string
	for c, err := range x.Records() {
		if err != nil {
			t.Fatal(err)
		}
		what := "?"
		switch {
		case c.Err != nil:
			what = c.Err.Code
		case c.Record != nil:
			what = c.Record.Type + " " + c.Record.Format
			for _, p := range c.Record.Parts {
				what += " " + p.Place + p.Path
			}
		}
		out = append(out, fmt.Sprintf("%d %s line %d %s [%d:%d] %s: %s", c.File, c.Format, c.Line, c.Place, c.Start, c.End, strings.Join(c.Lanes, " "), what))
	}
	return out
}

func TestSheetsOfAWorkbookAreTables(t *testing.T) {
	inst := weekly(t, weekTables)
	files := spelled(t, week)
	n := len(files[0].Bytes)
	x := inst.Open("week", files, mapping.IntakeLimits{})
	want := []string{
		fmt.Sprintf("0 excel line 1 值班!1 [0:%d] : table", n),
		fmt.Sprintf("0 excel line 1 旧!1 [0:%d] : heading", n),
		fmt.Sprintf("0 excel line 4 登记9月!4 [0:%d] H1: T excel 登记9月!4 明细!2item[1] 明细!3item[2]", n),
		fmt.Sprintf("0 excel line 5 登记9月!5 [0:%d] H2: T excel 登记9月!5", n),
		fmt.Sprintf("0 excel line 4 明细!4 [0:%d] : orphan", n),
	}
	for range 2 { // a second reading gives the same
		if diff := cmp.Diff(want, cuts(t, x)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(want, cuts(t, inst.Open("", files, mapping.IntakeLimits{}))); diff != "" {
		t.Errorf("without naming the source: %s", diff)
	}
}

func TestARowOfAWorkbookIsKnownAgain(t *testing.T) {
	inst := weekly(t, weekTables)
	hashes := func(sections string) map[string]string {
		out := map[string]string{}
		for c, err := range inst.Open("week", spelled(t, sections), mapping.IntakeLimits{}).Records() {
			if err != nil {
				t.Fatal(err)
			}
			if c.Key != "" {
				out[strings.Trim(c.Key, "\x00\x01\x02\x06T")] = c.Hash
			}
		}
		return out
	}
	first := hashes(week)
	moved := hashes(`-- 周报_0929.xlsx/明细10月 --
结果,号,项目
#4.10 0.0#,H1,钾
#140,H1,钠
-- 周报_0929.xlsx/登记 --
患者_备注,号,患者_姓名
,H2,丙
x,H1,甲
`)
	if len(first) != 2 || first["H1"] == "" || first["H1"] == moved["H1"] {
		t.Errorf("4.10 and 4.1 are shown differently: %v %v", first, moved)
	}
	if again := hashes(strings.ReplaceAll(week, "登记9月", "登记")); again["H1"] != first["H1"] || again["H2"] != first["H2"] {
		t.Error("a row that says the same has another hash")
	}
	if moved["H2"] == first["H2"] {
		t.Error("a row that says something else has the same hash")
	}
}

func TestWorkbooksAndFilesOfOneDelivery(t *testing.T) {
	inst := weekly(t, "  week: {format: csv, tables: {T: \"登记*\", I: \"明细*\"}}\n")
	files := spelled(t, "-- 登记.xlsx/Sheet1 --\n号,患者_姓名\nH1,甲\n-- 登记.xlsx/Sheet2 --\n-- 明细.csv --\n号,项目,结果\nH1,钾,4.1\n-- 登记_2.xls --\n号\t患者_姓名\nH2\t乙\n"+
		"-- 登记_3.xls --\n<html><table><tr><td>号<td>患者_姓名<tr><td>H3<td>丙</table></html>\n")
	var got []string
	for c, err := range inst.Open("week", files, mapping.IntakeLimits{}).Records() {
		if err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		got = append(got, fmt.Sprintf("%s %s %s %d", files[c.File].Name, c.Format, c.Lanes[0], len(run(t, inst, c.Record).Resources)))
	}
	if diff := cmp.Diff([]string{"登记_2.xls csv H2 1", "登记_3.xls excel H3 1", "登记.xlsx excel H1 2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWorkbooksWithoutDeclaredTables(t *testing.T) {
	inst, err := mapping.Load(folder(map[string]string{
		"institution.yaml": "format: 1\nid: test\nname: 测试\n",
		"maps/m.yaml":      "format: 1\nmap: m\nreads: {format: excel, table: 登记}\nresources: {p: {type: Patient, key: [A], write: update, set: {active: =true}}}\n",
	}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := cuts(t, inst.Open("", spelled(t, "-- x.xlsx/登记 --\nA\n1\n-- x.xlsx/其他 --\nA\n1\n"), mapping.IntakeLimits{}))
	if len(got) != 2 || !strings.HasSuffix(got[0], "登记 excel 登记!2") || !strings.HasSuffix(got[1], ": no-map") {
		t.Error(got)
	}
}

func TestTheHeadingThatASourceNames(t *testing.T) {
	inst := weekly(t, "  week: {format: excel, tables: {T: {file: \"*\", sheet: \"登记*\", heading: 2-3}, I: {file: \"*\", sheet: 明细*}}}\n")
	for c, err := range inst.Open("week", spelled(t, "-- a.xlsx/登记 --\n院,内,表\n,患者,\n号,姓名,备注\nH1,甲,#2025\n-- a.xlsx/明细 --\n号,项目,结果\n"), mapping.IntakeLimits{}).Records() {
		if err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		if got := c.Record.Root.Get("患者_姓名").Text() + c.Record.Root.Get("备注").Text(); got != "甲2025" {
			t.Errorf("got %s", got)
		}
	}
}

func TestOldWorkbooksAreRefusedWithWhatToDo(t *testing.T) {
	inst := weekly(t, weekTables)
	for name, tt := range map[string]struct{ data, code, word string }{
		"binary":     {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600), "old-workbook", ".xlsx"},
		"of 2003":    {"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook/>", "old-workbook", ".xlsx"},
		"cut":        {"PK\x03\x04xxxx", "truncated", "cut"},
		"encrypted":  {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "encrypted-workbook", "password"},
		"with a BOM": {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>", "old-workbook", ".xlsx"},
	} {
		for _, file := range []string{"周报.xls", "周报.dat"} {
			f := mapping.File{Name: file, Bytes: []byte(tt.data)}
			if got := mapping.FormatOf(f); got != record.Excel {
				t.Errorf("%s as %s is %s", name, file, got)
			}
			n := 0
			for c, err := range inst.Open("", []mapping.File{f}, mapping.IntakeLimits{}).Records() {
				if err != nil || c.Err == nil {
					t.Fatal(err)
				}
				n++
				if c.Err.Code != tt.code || !strings.Contains(c.Err.Reason, tt.word) || c.Err.File != file || c.End != int64(len(tt.data)) {
					t.Errorf("%s: %+v", name, c.Err)
				}
			}
			if n != 1 {
				t.Errorf("%s: %d cuts", name, n)
			}
		}
	}
}

func TestFormatsOfWorkbooksAndPages(t *testing.T) {
	for _, tt := range []struct{ name, head, want string }{
		{"x", "PK\x03\x04", record.Excel},
		{"x.csv", "PK\x03\x04", record.Excel},
		{"x.xlsx", "", record.Excel},
		{"x.XLS", "A\tB\n", record.Excel},
		{"x", "<html><table>", record.Excel},
		{"x", "\xEF\xBB\xBF\n<TABLE border=1>", record.Excel},
		{"x", "<!-- x --><html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">", record.Excel},
		{"x", "<?xml version=\"1.0\"?><html><table>", record.Excel},
		{"x.xml", "<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\">", record.XML},
		{"x", "<ClinicalDocument><section><text>x</text></section>", record.XML},
		{"x.xml", "<ClinicalDocument><text><table/></text></ClinicalDocument>", record.XML},
		{"x", "<r>1</r>", record.XML},
		{"x.csv", "A,B\n<table>,2\n", record.Table},
	} {
		if got := mapping.FormatOf(mapping.File{Name: tt.name, Bytes: []byte(tt.head)}); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.name, tt.head, got, tt.want)
		}
	}
}

func TestWorkbooksAreReadWithinTheirLimits(t *testing.T) {
	inst := weekly(t, weekTables)
	long := spelled(t, "-- 周报.xlsx/登记 --\n号,患者_姓名\nH1,"+strings.Repeat("甲", 500)+"\nH2,乙\n-- 周报.xlsx/明细 --\n号,项目,结果\n")
	for _, tt := range []struct {
		name string
		lim  mapping.IntakeLimits
		want string
	}{
		{"none", mapping.IntakeLimits{}, "H1 H2"},
		{"a row", mapping.IntakeLimits{Record: 1000}, "too-large H2"},
		{"the workbook", mapping.IntakeLimits{Book: 1000}, "too-large"},
	} {
		var got []string
		for c, err := range inst.Open("week", long, tt.lim).Records() {
			switch {
			case err != nil:
				got = append(got, err.Error())
			case c.Err != nil:
				got = append(got, c.Err.Code)
			default:
				got = append(got, c.Lanes...)
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
	}
}
