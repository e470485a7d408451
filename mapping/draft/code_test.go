package draft_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/draft"
	"github.com/yilian/yilian/mapping/residentid"
)

// people writes rows with resident numbers of the given sexes and the codes beside them.
func people(codes ...string) string {
	var b strings.Builder
	b.WriteString("HZID,XM,XB,CSRQ,SFZH\n")
	for i, c := range codes {
		sex, code, _ := strings.Cut(c, "=")
		digit := 1
		if sex == "f" {
			digit = 2
		}
		first := fmt.Sprintf("99010119800101%02d%d", i, digit)
		fmt.Fprintf(&b, "%d,王强,%s,1980-01-01,%s%c\n", i, code, first, residentid.CheckDigit(first))
	}
	return b.String()
}

// Some houses count 0 and 1: the numbers of the same rows show it.
func TestSexIsCheckedAgainstResidentNumbers(t *testing.T) {
	for _, c := range []struct{ name, csv, file, want string }{
		{"national codes", people("m=1", "f=2", "m=1"), "maps/patient.yaml", "gender: {from: XB, table: gb-sex}"},
		{"other way round", people("m=2", "f=1", "m=2"), "codes/sex.csv", "1,,female,,,\n2,,male,,,\n"},
		{"from zero", people("m=0", "f=1", "m=0", "f=1"), "codes/sex.csv", "0,,male,,,\n1,,female,,,\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, []mapping.File{{Name: "patients.csv", Bytes: []byte(c.csv)}}, draft.Options{})
			if got := file(t, d, c.file); !strings.Contains(got, c.want) {
				t.Errorf("want %q in\n%s", c.want, got)
			}
			load(t, d)
		})
	}
}

// A report may be in part there; a result is there or not.
func TestResultsHaveStatesOfResults(t *testing.T) {
	files := []mapping.File{tableOf("检验结果", 6, "报告号=R1|R1|R2|R2|R3|R3", "患者ID=P1|P1|P2|P2", "报告时间=2025-01-01 08:00", "项目名称=葡萄糖|钾", "结果=5.1|4.1", "单位=mmol/L",
		"状态=部分报告|部分报告|已审核|已审核|已作废|已作废")}
	d := from(t, files, draft.Options{})
	if d.Refused > 0 {
		t.Errorf("%d refused: %v", d.Refused, d.Questions)
	}
	got := map[string]int{}
	for _, r := range store(t, load(t, d), files) {
		got[at(r, "resourceType")+" "+at(r, "status")]++
	}
	for what, n := range map[string]int{"Observation preliminary": 2, "Observation final": 2, "Observation entered-in-error": 2, "DiagnosticReport partial": 1,
		"DiagnosticReport final": 1, "DiagnosticReport entered-in-error": 1} {
		if got[what] != n {
			t.Errorf("%d × %s, want %d: %v", got[what], what, n, got)
		}
	}
}

func TestCodeTables(t *testing.T) {
	known, problems, err := codes.ParseTable("lab-items", strings.NewReader("#! system: http://loinc.org\ncode,display,target,target_display\nX1,葡萄糖,14749-6,Glucose\nX2,钾离子,2823-3,Potassium\n"), codes.TableOptions{})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	d := from(t, []mapping.File{
		{Name: "报告.csv", Bytes: []byte("报告号,患者ID,报告名称,标本类型,采集时间,报告状态\nR1,P1,生化,血清,2025-01-01 08:00,已审核\nR2,P1,生化,2,2025-01-02 08:00,7\nR3,P2,生化,血清,2025-01-02 08:00,已审核\n")},
		{Name: "报告结果.csv", Bytes: []byte("报告号,项目代码,项目名称,结果,单位,参考范围,提示\nR1,001,葡萄糖,5.1,mmol/L,3.9-6.1,P\nR1,#2,钾,4.1,mmol/L,3.5-5.3,↑\nR2,\"a,b\",\"某\"\"项\",4.1,mmol/L,3.5-5.3,\n")},
	}, draft.Options{Known: []*codes.Table{known}})
	for name, want := range map[string][]string{
		"codes/lab-items.csv":     {"001,葡萄糖,14749-6,Glucose,equivalent,same name in lab-items\n", "\"#2\",钾,2823-3,Potassium [Moles/volume] in Serum or Plasma,equivalent,by name (lab-names)\n", "\"a,b\",\"某\"\"项\",,,unmatched,\n"},
		"codes/report-status.csv": {"#! unmapped: reject\n", "# ? seen 1×\n7,,final,,inexact,not known: taken for that until somebody says\n", "已审核,已审核,final,"},
		"codes/specimens.csv":     {"血清,血清,SER,", "2,,,,unmatched,\n"},
		"codes/flags.csv":         {"# ? seen 1×\nP,,,,unmatched,", "↑,,H,"},
	} {
		got := file(t, d, name)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: want %q in\n%s", name, w, got)
			}
		}
	}
	inst := load(t, d)
	if table, ok := inst.Table("lab-items"); !ok || table.Len() != 3 {
		t.Error("the table of items was not read whole")
	}
	if d.Refused > 0 {
		t.Errorf("%d samples refused", d.Refused)
	}
}

func TestNationalEditionsOfICD(t *testing.T) {
	d := from(t, []mapping.File{{Name: "诊断.csv", Bytes: []byte("患者ID,就诊流水号,诊断序号,诊断编码,诊断名称\n1,2,1,E11.900,2型糖尿病\n1,2,2,E11.200x021,2型糖尿病性肾病\n1,3,1,I10.x00,高血压\n1,3,2,Z00,体检\n1,3,3,BNX080,眩晕\n")}}, draft.Options{})
	got := file(t, d, "codes/diagnoses.csv")
	for _, want := range []string{"E11.900,2型糖尿病,E11.9,,,", "E11.200x021,2型糖尿病性肾病,E11.2,,wider,", "I10.x00,高血压,I10,,,", "Z00,体检,Z00,,,", "BNX080,眩晕,,,unmatched,"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	load(t, d)
}
