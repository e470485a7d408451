package maptest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

const bookCase = `# a workbook
source: week
-- 周报.xlsx/登记9月 --
登记表,<,<,<
号,患者,<,体温
^,姓名,备注,^
H1,甲,,#36.7 0.00
^,乙,\#1,!#N/A
,
H2,"丙
丁",,#45889 yyyy-mm-dd
-- 周报.xlsx/说明 --
说明
随便写
-- 另.xlsx/登记 --
号,患者_姓名,患者_备注,体温
H3,戊,己,#37
-- want.txt --
Patient/patient.name[0].text = 甲
Patient/patient.name[1].text = 36.70
Patient/patient-2.name[0].text = 乙
Patient/patient-2.name[1].text = #1
Patient/patient-3.name[0].text = "丙\n丁"
Patient/patient-3.name[1].text = 2025-08-20
Patient/patient-4.name[0].text = 戊
Patient/patient-5 absent
-- want.issues --
error: 周报.xlsx:说明: the sheet's name fits no table of a source [table]
5:4: warning: the cell says only that its formula failed; it is read as if the column were not there from 体温 [cell-error]
`

func TestAWorkbookSpelledOut(t *testing.T) {
	inst, err := mapping.Load(fstest.MapFS{
		"institution.yaml": &fstest.MapFile{Data: []byte("format: 1\nid: test\nname: 测试\nsources: {week: {format: excel, tables: {T: {file: \"*.xlsx\", sheet: \"登记*\"}}}}\n")},
		"maps/m.yaml": &fstest.MapFile{Data: []byte("format: 1\nmap: m\nreads: {format: excel, table: T}\nresources:\n  patient:\n    type: Patient\n    key: [号, 患者_姓名]\n    write: update\n" +
			"    set: {name: [{set: {text: {from: 患者_姓名, as: narrative}}}, {set: {text: 体温}}, {set: {text: 患者_备注}}]}\n")},
	}, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := maptest.Parse("a.txtar", []byte(bookCase))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range c.Files {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"周报.xlsx", "另.xlsx"}, names); diff != "" {
		t.Error(diff)
	}
	if rep := maptest.Run(inst, c); !rep.Passed() {
		t.Error(rep)
	}
	updated, err := maptest.Parse("a.txtar", maptest.Update(c, maptest.Run(inst, c)))
	if err != nil || len(updated.Files) != 2 {
		t.Errorf("an updated case keeps its sheets: %v", err)
	}
}

func TestMistakesInWorkbooks(t *testing.T) {
	for text, want := range map[string]string{
		"-- a.xlsx/S --\nA,<\n^,<,<\n": "",
		"-- a.xlsx/S --\n<,A\n":        "a.txtar: a.xlsx/S: row 1, cell 1: nothing stands there to be merged with",
		"-- a.xlsx/S --\n^\n":          "a.txtar: a.xlsx/S: row 1, cell 1: nothing stands there to be merged with",
		"-- a.xlsx/S --\nA,\"b\n":      "a.txtar: a.xlsx/S: parse error on line 1",
	} {
		_, err := maptest.Parse("a.txtar", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
