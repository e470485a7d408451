package draft_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

// concepts are what the columns of the drafted tables were taken for, by heading; a doubtful guess ends in a question mark.
func conceptsOf(d *draft.Draft, table string) map[string]string {
	out := map[string]string{}
	for _, t := range d.Tables {
		if t.Name != table {
			continue
		}
		for _, f := range t.Fields {
			out[f.Path] = f.Concept
			if f.Concept != "" && f.Doubt {
				out[f.Path] += "?"
			}
		}
	}
	return out
}

// table writes a table of n rows; in a cell %d stands for the row's number.
func tableOf(name string, n int, columns ...string) mapping.File {
	var b strings.Builder
	for i := range columns {
		heading, _, _ := strings.Cut(columns[i], "=")
		b.WriteString(heading)
		b.WriteString(map[bool]string{true: "\n", false: "\t"}[i == len(columns)-1])
	}
	for row := range n {
		for i := range columns {
			_, values, _ := strings.Cut(columns[i], "=")
			list := strings.Split(values, "|")
			v := list[row%len(list)]
			if strings.Contains(v, "%") {
				v = fmt.Sprintf(v, row+1)
			}
			b.WriteString(v)
			b.WriteString(map[bool]string{true: "\n", false: "\t"}[i == len(columns)-1])
		}
	}
	return mapping.File{Name: name + ".csv", Bytes: []byte(b.String())}
}

// A person is who rows of other tables name; what only looks like a number is asked about.
func TestStructureDecidesWhereHeadingsSayNothing(t *testing.T) {
	person := []string{"姓名=王强|李丽|赵敏", "性别=男|女", "出生日期=1980-01-%02d"}
	visit := []string{"就诊类型=门诊|急诊", "就诊时间=2025-01-%02d 08:00", "科室=内科|外科"}
	with := func(first []string, more ...string) []string { return append(slices.Clone(more), first...) }
	for _, c := range []struct {
		name  string
		files []mapping.File
		table string
		want  map[string]string
	}{
		{"a number that other tables name patients by", []mapping.File{tableOf("病人", 9, with(person, "甲=K%05d", "乙=Q%05d")...), tableOf("就诊", 6, with(visit, "就诊号=V%05d", "丙=K%05d")...)},
			"病人", map[string]string{"甲": "pid?", "乙": ""}},
		{"the column that names them", []mapping.File{tableOf("病人", 9, with(person, "甲=K%05d")...), tableOf("就诊", 6, with(visit, "就诊号=V%05d", "丙=K%05d")...)},
			"就诊", map[string]string{"丙": "pid?"}},
		{"two numbers and nobody who uses them", []mapping.File{tableOf("病人", 9, with(person, "甲=K%05d", "乙=Q%05d")...)}, "病人", map[string]string{"甲": "", "乙": ""}},
		{"one number alone", []mapping.File{tableOf("病人", 9, with(person, "甲=K%05d")...)}, "病人", map[string]string{"甲": "pid?"}},
		{"one number beside a known one", []mapping.File{tableOf("病人", 9, with(person, "病案号=B%05d", "甲=K%05d")...)}, "病人", map[string]string{"甲": "", "病案号": "pid"}},
		{"numbers of rows", []mapping.File{tableOf("病人", 9, with(person, "甲=%d")...)}, "病人", map[string]string{"甲": ""}},
		{"a number that some rows lack", []mapping.File{tableOf("病人", 9, with(person, "甲=K%05d|K%05d|")...)}, "病人", map[string]string{"甲": ""}},
		{"times, phones and words", []mapping.File{tableOf("病人", 9, with(person, "甲=2025-01-01 10:%02d", "乙=127988045%02d", "丙=某处%d号")...)}, "病人",
			map[string]string{"甲": "", "乙": "", "丙": ""}},
		{"a bare number of visits", []mapping.File{tableOf("就诊", 9, with(visit, "患者ID=P1|P2|P3", "流水号=V%05d", "乙=Q%05d")...)}, "就诊", map[string]string{"流水号": "visit?", "乙": ""}},
		{"a code beside its name", []mapping.File{tableOf("就诊", 12, with(visit, "就诊号=V%05d", "接诊医生=王强|李丽|赵敏|周建国", "甲=G01|G02|G03|G04")...)}, "就诊", map[string]string{"甲": "doctor?"}},
		{"a code that differs from its name", []mapping.File{tableOf("就诊", 12, with(visit, "就诊号=V%05d", "接诊医生=王强|李丽|赵敏|周建国", "甲=G01|G02|G03")...)}, "就诊", map[string]string{"甲": ""}},
		{"a code beside names that never repeat", []mapping.File{tableOf("就诊", 4, with(visit, "就诊号=V%05d", "接诊医生=王强|李丽|赵敏|周建国", "甲=G01|G02|G03|G04")...)}, "就诊",
			map[string]string{"甲": ""}},
		{"words of one vocabulary", []mapping.File{tableOf("就诊", 12, "就诊号=V%05d", "就诊时间=2025-01-%02d 08:00", "主诉=头晕三天", "甲=门诊|急诊|住院", "乙=是|否", "丙=东楼|西楼")}, "就诊",
			map[string]string{"甲": "class?", "乙": "", "丙": ""}},
		{"items grouped by their report", []mapping.File{tableOf("检验结果", 12, "甲=R00001|R00001|R00001|R00002|R00002|R00002|R00003|R00003|R00003|R00004|R00004|R00004",
			"患者ID=P1|P1|P1|P2|P2|P2", "审核时间=2025-01-01 08:00|2025-01-01 08:00|2025-01-01 08:00|2025-01-02 08:00|2025-01-02 08:00|2025-01-02 08:00",
			"项目名称=葡萄糖|钾|钠", "结果=5.1|4.1|140", "单位=mmol/L")}, "检验结果", map[string]string{"甲": "report?"}},
		{"a group in which items come twice", []mapping.File{tableOf("检验结果", 12, "甲=R00001|R00001|R00001|R00001|R00001|R00001|R00002|R00002|R00002|R00002|R00002|R00002",
			"患者ID=P1|P1|P1|P1|P1|P1|P2|P2|P2|P2|P2|P2", "审核时间=2025-01-01 08:00", "项目名称=葡萄糖|钾|钠", "结果=5.1|4.1|140", "单位=mmol/L")}, "检验结果", map[string]string{"甲": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, c.files, draft.Options{})
			got := conceptsOf(d, c.table)
			for heading, want := range c.want {
				if have, ok := got[heading]; !ok || have != want {
					t.Errorf("%s is taken for %q (%v), want %q", heading, have, ok, want)
				}
			}
			load(t, d)
		})
	}
}

// Where a hospital has more patients than are kept to compare, the same heading and some of the numbers say that it is the same.
func TestReferencesAreFoundAmongMoreNumbersThanAreKept(t *testing.T) {
	files := []mapping.File{tableOf("病人", 60, "甲=K%05d", "姓名=王强|李丽", "性别=男|女", "出生日期=1980-01-01"),
		tableOf("就诊", 60, "就诊号=V%05d", "就诊类型=门诊|急诊", "就诊时间=2025-01-01 08:00", "甲=K%05d")}
	d := from(t, files, draft.Options{Limits: draft.Limits{MaxDistinct: 20}})
	for _, table := range []string{"病人", "就诊"} {
		if got := conceptsOf(d, table)["甲"]; got != "pid?" {
			t.Errorf("%s: %q", table, got)
		}
	}
}

// Each column of real tables with its heading taken away, one in ten at a time: what the values alone say is right, or it is asked.
func TestColumnsWithoutHeadingsAreNotGuessedWrong(t *testing.T) {
	const parts = 10
	right, wrong, asked := 0, 0, 0
	want := truth(t)["county"]
	numbers := map[string]int{} // by heading: the same in all tables and deliveries
	for part := range parts {
		files := samples(t, deliveries+"*-county-hospital-*/*.csv")
		hidden := map[string]string{}
		for i := range files {
			heading, rest, _ := bytes.Cut(files[i].Bytes, []byte("\n"))
			names := strings.Split(strings.TrimRight(string(heading), "\r"), ",")
			for j, n := range names {
				if _, ok := numbers[n]; !ok {
					numbers[n] = len(numbers)
				}
				if numbers[n]%parts == part {
					names[j] = fmt.Sprintf("ZVQ%d", numbers[n])
					hidden[names[j]] = n
				}
			}
			files[i].Bytes = append([]byte(strings.Join(names, ",")+"\n"), rest...)
		}
		d := from(t, files, draft.Options{})
		for _, table := range d.Tables {
			for _, f := range table.Fields {
				meant, ok := hidden[f.Path]
				if !ok {
					continue
				}
				may := want[[2]string{table.Name, meant}]
				switch {
				case f.Concept == "":
					asked++
				case slices.Contains(may, f.Concept):
					right++
				default:
					wrong++
					t.Logf("%s %s taken for %s, it is %v", table.Name, meant, f.Concept, may)
				}
			}
		}
	}
	t.Logf("%d right, %d wrong, %d asked", right, wrong, asked)
	if total := right + wrong + asked; right < 20 || wrong*100 > 3*total {
		t.Errorf("%d right, %d wrong, %d asked of columns without a heading; want at most 3 in a hundred wrong", right, wrong, asked)
	}
}
