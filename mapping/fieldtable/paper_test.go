package fieldtable_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/fieldtable"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

const institution = `format: 1
id: hospital
name: 县|医院
sources:
  lis: {format: csv, tables: {LIS_BG: "LIS_BG*.csv", LIS_BGXM: "LIS_BGXM*.csv"}}
`

const report = `format: 1
map: report
title: 检验报告
reads:
  format: csv
  table: LIS_BG
  join: {item: {table: LIS_BGXM, on: {BGDH: BGDH}, many: true}}
let:
  voided: {from: BGZT, is: [作废]}
resources:
  patient:
    type: Patient
    key: [HZID]
    write: reference
    set: {identifier: {from: HZID, as: identifier, system: patient}}
  observation:
    type: Observation
    each: item
    when: {XMJG: present}
    key: [/BGDH, XMDM]
    write: replace
    set:
      status:
        - {when: voided, value: entered-in-error}
        - {value: final}
      category: {value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/observation-category", code: laboratory}]}}
      code: {from: XMDM, table: item, text: XMMC}
      subject: {ref: patient}
      value[x]: {from: XMJG, as: result, with: {unit: XMDW}}
      referenceRange:
        set:
          text: {expr: "low + '-' + high", with: {low: XX, high: SX}}
`

const codes = "#! system: http://loinc.org\ncode,display,target,target_display,comment\n1,葡萄糖,14749-6,Glucose,\n2,=HYPERLINK(1),,,a|b\n"

func load(t testing.TB) *mapping.Institution {
	t.Helper()
	inst, err := mapping.Load(fstest.MapFS{
		"institution.yaml": {Data: []byte(institution)}, "maps/report.yaml": {Data: []byte(report)},
		"codes/item.csv": {Data: []byte(strings.Replace(codes, "2,=HYPERLINK(1),,,a|b", "2,=HYPERLINK(1),2345-7,,a|b", 1))},
	}, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

func rows(p *fieldtable.Paper) (out []string) {
	for _, s := range p.Sections {
		for _, r := range s.Resources {
			for _, row := range r.Rows {
				must := ""
				if row.Mandatory {
					must = "!"
				}
				out = append(out, strings.Join([]string{row.Field, row.Element + must, row.How, row.Table, row.Condition}, " | "))
			}
		}
	}
	return out
}

func TestEveryElementSaysWhereItComesFrom(t *testing.T) {
	want := []string{
		"HZID | Patient.identifier | as identifier, system patient |  | ",
		" | Observation.status! | always entered-in-error |  | voided",
		" | Observation.status! | always final |  | ",
		" | Observation.category | always laboratory (http://terminology.hl7.org/CodeSystem/observation-category) |  | ",
		"item.XMDM | Observation.code! | as coded concept, printed text from item.XMMC | item | ",
		" | Observation.subject | refers to patient |  | ",
		"item.XMJG | Observation.value[x] | as result with number, unit or code, unit from item.XMDW |  | ",
		"item.SX, item.XX | Observation.referenceRange.text | computed: low + '-' + high, as text |  | ",
	}
	p := fieldtable.New(load(t), "en")
	if diff := cmp.Diff(want, rows(p)); diff != "" {
		t.Error(diff)
	}
	if len(p.Tables) != 1 || p.Tables[0].Name() != "item" {
		t.Errorf("%d code tables, want the one that is used", len(p.Tables))
	}
}

func TestEveryLocalFieldIsInTheIndex(t *testing.T) {
	got := map[string]string{}
	for _, u := range fieldtable.New(load(t), "zh").Fields {
		got[u.Field] = strings.Join(u.Elements, " ")
	}
	for field, element := range map[string]string{
		"HZID": "Patient.identifier", "item.XMDM": "Observation.code", "item.XMMC": "Observation.code",
		"item.XMDW": "Observation.value[x]", "BGZT": "Observation.status",
	} {
		if !strings.Contains(got[field], element) {
			t.Errorf("%s is said to fill %q, want %s", field, got[field], element)
		}
	}
}

func TestMarkdownKeepsTextInItsCell(t *testing.T) {
	for _, language := range fieldtable.Languages {
		var b bytes.Buffer
		if err := fieldtable.New(load(t), language).Markdown(&b); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "|") {
				continue
			}
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") - 1
			if cells != 2 && cells != 3 && cells != 5 && cells != 7 {
				t.Errorf("%d cells in %q", cells, line)
			}
		}
		if !strings.Contains(text, `县\|医院`) || !strings.Contains(text, `a\|b`) {
			t.Error("a bar in a text is not kept in its cell")
		}
	}
}

// TestTheWorkbookIsReadAsItWasWritten reads the workbook with the reader of members' workbooks.
func TestTheWorkbookIsReadAsItWasWritten(t *testing.T) {
	p := fieldtable.New(load(t), "zh")
	var b bytes.Buffer
	if err := p.Workbook(&b); err != nil {
		t.Fatal(err)
	}
	inst, err := mapping.Load(fstest.MapFS{
		"institution.yaml": {Data: []byte("format: 1\nid: reader\nname: reader\nsources:\n  book: {format: excel, tables: {codes: {file: \"*.xlsx\", sheet: 码表, heading: 1}, map: {file: \"*.xlsx\", sheet: \"report*\", heading: 1}}}\n")},
		"maps/codes.yaml":  {Data: []byte(reader("codes", "本地代码"))},
		"maps/map.yaml":    {Data: []byte(reader("map", "FHIR 元素"))},
	}, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for cut, err := range inst.Open("book", []mapping.File{{Name: "paper.xlsx", Bytes: b.Bytes()}}, mapping.IntakeLimits{}).Records() {
		if err != nil {
			t.Fatal(err)
		}
		if cut.Err != nil {
			continue // sheets that no map reads
		}
		if cut.Format != record.Excel {
			t.Errorf("a row of format %s", cut.Format)
		}
		for _, k := range cut.Record.Root.Kids() {
			if k.State() == record.Present {
				got = append(got, k.Name()+"="+k.Text())
			}
		}
	}
	for _, want := range []string{"本地代码=1", "本地名称=葡萄糖", "标准代码=http://loinc.org 14749-6", "FHIR 元素=Observation.code", "码表=item", "写入=整体替换,主键 /BGDH + XMDM,逐条 item,仅当 XMJG present"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no cell %q", want)
		}
	}
}

func reader(name, key string) string {
	return "format: 1\nmap: " + name + "\nreads: {format: excel, table: " + name + "}\nresources:\n  basic:\n    type: Basic\n    key: ['\"" + key + "\"']\n    write: replace\n    set:\n      code: {value: {text: row}}\n"
}

func TestSheetsOfManyMapsHaveNamesOfTheirOwn(t *testing.T) {
	fsys := fstest.MapFS{"institution.yaml": {Data: []byte("format: 1\nid: many\nname: many\n")}}
	for _, name := range []string{"a-very-long-name-of-a-map-that-goes-on-1", "a-very-long-name-of-a-map-that-goes-on-2"} {
		fsys["maps/"+name+".yaml"] = &fstest.MapFile{Data: []byte("format: 1\nmap: " + name + "\nreads: {format: json, where: {k: present, " + "x" + name[len(name)-1:] + ": absent}}\nresources:\n  p:\n    type: Patient\n    key: [k]\n    write: update\n    set: {birthDate: k}\n")}
	}
	inst, err := mapping.Load(fsys, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := fieldtable.New(inst, "en").Workbook(&b); err != nil {
		t.Fatal(err)
	}
	book, err := table.OpenBook("paper.xlsx", b.Bytes(), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(book.Sheets()); n != 5 {
		t.Errorf("%d sheets, want cover, two maps, fields and codes", n)
	}
}
