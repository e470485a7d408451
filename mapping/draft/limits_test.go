package draft_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

// wide writes a table of so many columns and rows.
func wide(columns, rows int) mapping.File {
	var b strings.Builder
	b.WriteString("HZID,XM,XB")
	for i := range columns - 3 {
		fmt.Fprintf(&b, ",F%d", i)
	}
	for r := range rows {
		fmt.Fprintf(&b, "\n%d,王强,1", r)
		for i := range columns - 3 {
			fmt.Fprintf(&b, ",%d", r*i)
		}
	}
	b.WriteString("\n")
	return mapping.File{Name: "t.csv", Bytes: []byte(b.String())}
}

func TestLimits(t *testing.T) {
	many := func(n int) []mapping.File {
		var files []mapping.File
		for i := range n {
			files = append(files, mapping.File{Name: fmt.Sprintf("%c%c.csv", 'a'+i/26, 'a'+i%26), Bytes: []byte("HZID,XM\n1,王强\n")})
		}
		return files
	}
	long := mapping.File{Name: "t.csv", Bytes: []byte("HZID,BZ\n1," + strings.Repeat("某", 1000) + "\n")}
	for _, c := range []struct {
		name  string
		files []mapping.File
		limit draft.Limits
		holds func(d *draft.Draft) bool
	}{
		{"bytes", []mapping.File{wide(4, 3), {Name: "u.csv", Bytes: wide(10, 100).Bytes}}, draft.Limits{MaxBytes: 200}, func(d *draft.Draft) bool { return d.Records == 3 }},
		{"files", many(5), draft.Limits{MaxFiles: 2}, func(d *draft.Draft) bool { return len(d.Tables) == 2 }},
		{"records", []mapping.File{wide(3, 50)}, draft.Limits{MaxRecords: 20}, func(d *draft.Draft) bool { return d.Records == 20 }},
		{"columns", []mapping.File{wide(50, 2)}, draft.Limits{MaxColumns: 10}, func(d *draft.Draft) bool { return len(d.Tables[0].Fields) == 10 }},
		{"distinct values", []mapping.File{wide(5, 50)}, draft.Limits{MaxDistinct: 5}, func(d *draft.Draft) bool {
			return strings.Contains(fmt.Sprint(d.Questions), "5+ different")
		}},
		{"cells", []mapping.File{wide(5, 50)}, draft.Limits{MaxCells: 20}, func(d *draft.Draft) bool { return d.Records == 50 }},
		{"tables", many(5), draft.Limits{MaxTables: 3}, func(d *draft.Draft) bool { return len(d.Tables) == 3 }},
		{"length of a value", []mapping.File{long}, draft.Limits{MaxValue: 30}, func(d *draft.Draft) bool {
			for _, f := range d.Files {
				if strings.Contains(string(f.Bytes), strings.Repeat("某", 11)) {
					return false
				}
			}
			return true
		}},
		{"codes", []mapping.File{{Name: "诊断.csv", Bytes: []byte("患者ID,就诊号,诊断编码,诊断名称\n1,1,A01.1,甲病\n1,2,A01.2,乙病\n1,3,A01.3,丙病\n")}}, draft.Limits{MaxCodes: 2}, func(d *draft.Draft) bool {
			return strings.Contains(fmt.Sprint(d.Questions), "1 more codes had no room")
		}},
		{"comparisons", []mapping.File{tableOf("病人", 9, "甲=K%05d", "姓名=王强|李丽", "性别=男|女", "病案号=B%05d"), tableOf("就诊", 9, "就诊号=V%05d", "就诊类型=门诊|急诊", "就诊时间=2025-01-%02d 08:00", "乙=B%05d")},
			draft.Limits{MaxCompared: 8}, func(d *draft.Draft) bool { return conceptsOf(d, "就诊")["乙"] == "" }},
		{"questions", []mapping.File{wide(50, 2)}, draft.Limits{MaxAsked: 5}, func(d *draft.Draft) bool { return len(d.Questions) == 6 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, c.files, draft.Options{Limits: c.limit})
			if !c.holds(d) {
				t.Errorf("not held: %d records, %d tables, %d questions", d.Records, len(d.Tables), len(d.Questions))
			}
			load(t, d)
		})
	}
}

func TestWhatCannotBeDraftedIsSaid(t *testing.T) {
	table := []mapping.File{{Name: "p.csv", Bytes: []byte("HZID,XM\n1,王强\n")}}
	for _, c := range []struct {
		name  string
		files []mapping.File
		o     draft.Options
		want  string
	}{
		{"nothing", nil, draft.Options{}, "no records in the samples"},
		{"an empty file", []mapping.File{{Name: "a.csv"}}, draft.Options{}, "a.csv holds no record that can be read [empty]"},
		{"a bad id", table, draft.Options{ID: "Bad Id"}, `id "Bad Id"; want`},
		{"the alliance's id", table, draft.Options{ID: "alliance"}, `id "alliance"; want`},
		{"an unknown language", table, draft.Options{Lang: "fr"}, `language "fr"; want en or zh`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := draft.From(c.files, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	for name, want := range map[string]string{"county-hospital": "county-hospital", "County Hospital 2": "county-hospital-2", "衡远中医院": "hyzyy", "..": "draft", "alliance": "draft",
		strings.Repeat("a", 80): strings.Repeat("a", 64)} {
		if got := draft.ID(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Questions and comments come in the language asked for, and both say the same number of things.
func TestLanguages(t *testing.T) {
	files := samples(t, deliveries+"01-county-hospital-nightly/*.csv")
	en, zh := from(t, files, draft.Options{}), from(t, files, draft.Options{Lang: draft.Chinese})
	if len(en.Questions) != len(zh.Questions) {
		t.Errorf("%d questions in English, %d in Chinese", len(en.Questions), len(zh.Questions))
	}
	if !strings.Contains(file(t, zh, "TODO.md"), "待确认事项") || !strings.Contains(file(t, en, "TODO.md"), "to be decided") {
		t.Error("the list is in another language")
	}
	load(t, zh)
}

func TestDraftsAreTheSameEveryTime(t *testing.T) {
	files := samples(t, deliveries+"01-county-hospital-nightly/*.csv", deliveries+"02-regional-lab-results/*.json", deliveries+"08-city-hospital-adt-ref/*.hl7")
	first := from(t, files, draft.Options{})
	for range 3 {
		again := from(t, files, draft.Options{})
		if len(again.Files) != len(first.Files) {
			t.Fatalf("%d files, then %d", len(first.Files), len(again.Files))
		}
		for i, f := range first.Files {
			if again.Files[i].Name != f.Name || string(again.Files[i].Bytes) != string(f.Bytes) {
				t.Errorf("%s differs", f.Name)
			}
		}
	}
}

// Ten megabytes of results are a matter of seconds: the bound is far above what a busy machine needs.
func TestManySamplesTakeSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 10 MB")
	}
	var b strings.Builder
	b.WriteString("BGDH,HZID,XM,XMDM,XMMC,XMJG,XMDW,JGCKZ,GDBZ,CJSJ,XGSJ\n")
	for i := 0; b.Len() < 10<<20; i++ {
		fmt.Fprintf(&b, "BG%08d,%08d,王强,%03d,项目%d,%d.%d,mmol/L,3.9~6.1,N,2025-08-18 08:%02d:00,2025-08-18 09:%02d:00\n", i/10, i/30, i%80, i%80, i%50, i%10, i%60, i%60)
	}
	start := time.Now()
	d := from(t, []mapping.File{{Name: "LIS_JG.csv", Bytes: []byte(b.String())}}, draft.Options{})
	took := time.Since(start)
	t.Logf("%d records, %d bytes in %v", d.Records, b.Len(), took)
	if took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}
