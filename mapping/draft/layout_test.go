package draft_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

// lines writes what is wanted one field a line.
func lines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// Tables of a hospital for traditional medicine: other words for the same things, columns nobody else has.
func TestTablesWithChineseHeadings(t *testing.T) {
	files := samples(t, "testdata/tcm/*.csv")
	d := from(t, files, draft.Options{ID: "tcm"})
	for table, want := range map[string]string{
		"门诊病员": `登记号 pid
			病员姓名 name
			性别 sex
			出生年月 birth
			身份证号码 idno
			移动电话 phone
			家庭住址 address
			婚姻 marital
			民族名称 ethnicity
			录入员代号 ?
			最后更新时间 modified`,
		"门诊就诊": `就诊ID visit
			登记号 pid
			挂号科室 dept.name
			接诊医师 doctor.name
			接诊时间 visit.start
			西医诊断编码 dx
			西医诊断 dx.name
			中医病名 tcm
			中医证型 syndrome
			舌脉备注码 ?
			就诊状态 status
			更新时间 modified`,
		"中药处方": `处方编号 rx
			就诊ID visit
			登记号 pid
			中药名称 drug.name
			单次用量 dose
			用量单位 dose.unit
			给药途径 route.name
			用药频次 freq
			付数 ?
			煎煮要求 ?
			开方医师 prescriber.name
			开方日期 rx.time
			处方状态 status`,
		"检验结果明细": `检验单号 report
			登记号 pid
			病员姓名 name
			组合项目 report.name
			指标代码 item
			指标名称 item.name
			测定值 result
			计量单位 unit
			正常参考值 range
			结果提示 flag
			标本种类 specimen.name
			采样时间 collected
			审核日期 audit.time
			审核人 auditor.name
			通道号 ?`,
	} {
		if diff := cmp.Diff(lines(want), fieldsOf(d, table)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	inst := load(t, d)
	runCases(t, inst, d, 4)
	// Nine rows are three reports of three results.
	reports, observations := map[string]bool{}, map[string]bool{}
	for cut, err := range inst.Open("", files, mapping.IntakeLimits{}).Records() {
		if err != nil || cut.Err != nil {
			t.Fatal(err, cut.Err)
		}
		res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("x")})
		if err != nil || res.Rejected() {
			t.Fatal(err, res.Issues)
		}
		for _, r := range res.Resources {
			switch r.Type {
			case "DiagnosticReport":
				reports[r.ID] = true
				if n := len(r.Tree.Get("result").Items()); n != 3 {
					t.Errorf("a report refers to %d results, want 3", n)
				}
			case "Observation":
				observations[r.ID] = true
			}
		}
	}
	if len(reports) != 3 || len(observations) != 9 {
		t.Errorf("%d reports and %d observations, want 3 and 9", len(reports), len(observations))
	}
}

func TestFlatDocumentsOfAVendor(t *testing.T) {
	d := from(t, samples(t, "testdata/vendor/*.json"), draft.Options{ID: "vendor"})
	want := `hospCode org
		traceTag ?
		patId pid
		patName name
		gender sex
		dob birth
		certNo idno
		mobile phone
		visitSn visit
		labReportId report
		reportTitle report.name
		sampleType specimen
		sampleTime collected
		testItemCode item
		testItemName item.name
		testValue result
		testUnit unit
		refLow range.low
		refHigh range.high
		abnormalFlag flag
		verifyTime audit.time
		verifierName auditor.name
		updateTime modified
		rackPos ?`
	if diff := cmp.Diff(lines(want), fieldsOf(d, "document")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	inst := load(t, d)
	runCases(t, inst, d, 1)
	if !strings.Contains(file(t, d, "TODO.md"), "traceTag") {
		t.Error("an unknown field is not asked about")
	}
}

func TestOtherSpellingsOfHeadings(t *testing.T) {
	const rows = `A7,李秀英,2,1965-06-07,12798804563,2025-08-18 08:30:00
A8,王强,1,1971-01-02,12798804564,2025-08-18 08:31:00
A9,赵丽,2,1980-11-12,12798804565,2025-08-18 08:32:00
`
	want := []string{"pid", "name", "sex", "birth", "phone", "modified"}
	for name, heading := range map[string]string{
		"prefixes":         "HZ_ID,HZ_XM,HZ_XB,HZ_CSRQ,HZ_LXDH,T_XGSJ",
		"numbers":          "HZID_1,XM_1,XB_1,CSRQ_1,LXDH_1,XGSJ_1",
		"small letters":    "brid,brxm,brxb,brcsrq,brlxdh,gxsj",
		"English":          "patient_id,patient_name,patient_sex,date_of_birth,mobile_phone,last_updated",
		"camel case":       "patientId,patientName,genderCode,birthDate,telephoneNo,updateTime",
		"data elements":    "患者ID,DE02.01.039.00,DE02.01.040.00,DE02.01.005.01,DE02.01.010.00,修改时间",
		"regional uploads": "PATIENT_ID,WS02_01_039_001,CT02_01_040_01,WS02_01_005_01,WS02_01_010_01,MODIFY_TIME",
		"full width":       "患者ＩＤ,姓 名,性别:,出生日期(年月日),联系电话*,修改时间",
	} {
		t.Run(name, func(t *testing.T) {
			d := from(t, []mapping.File{{Name: "p.csv", Bytes: []byte(heading + "\n" + rows)}}, draft.Options{})
			var got []string
			for _, f := range d.Tables[0].Fields {
				got = append(got, f.Concept)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// XM is a name or an item, DW a unit or an organisation, YF a usage: the values and the other columns decide.
func TestAmbiguousHeadingsAreDecidedByValues(t *testing.T) {
	for _, c := range []struct{ name, csv, column, want string }{
		{"names", "HZID,XM,XB,CSRQ,LXDH\n1,李秀英,1,1965-06-07,12798804563\n2,王强,2,1971-01-02,12798804564\n", "XM", "name"},
		{"items", "BGDH,XM,JG,DW,CKZ\n1,葡萄糖,5.1,mmol/L,3.9-6.1\n1,总胆固醇,4.2,mmol/L,0-5.18\n1,红细胞,4.2,10^12/L,3.8-5.1\n", "XM", "item.name"},
		{"units of results", "BGDH,XM,JG,DW,CKZ\n1,葡萄糖,5.1,mmol/L,3.9-6.1\n1,尿素,4.2,mmol/L,2.8-7.2\n", "DW", "unit"},
		{"units of doses", "CFH,YPMC,YL,DW,PC\n1,阿司匹林肠溶片,100,mg,QD\n2,头孢克肟胶囊,0.1,g,BID\n", "DW", "dose.unit"},
		{"no names at all", "HZID,XM,XB,CSRQ,LXDH\n1,x91,1,1965-06-07,12798804563\n2,x92,2,1971-01-02,12798804564\n", "XM", ""},
		{"an identity without its name", "HZID,XM,COL7,XB\n1,李秀英,990121196506073324,1\n2,王强,990102197612038421,2\n3,赵丽,990102197612038421,2\n", "COL7", "idno"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, []mapping.File{{Name: "t.csv", Bytes: []byte(c.csv)}}, draft.Options{})
			for _, f := range d.Tables[0].Fields {
				if f.Path == c.column && f.Concept != c.want {
					t.Errorf("taken for %q, want %q", f.Concept, c.want)
				}
			}
		})
	}
}

func TestNoiseIsAskedAbout(t *testing.T) {
	var b strings.Builder
	b.WriteString("F1,COL_2,备用字段1,自定义,XQZ,QWERTY,扩展属性\n")
	for i := range 30 {
		b.WriteString(strings.Join([]string{"v" + string(rune('a'+i%26)), "17", "甲乙", "0.5", "q-" + string(rune('0'+i%10)), "", "其他"}, ",") + "\n")
	}
	d := from(t, []mapping.File{{Name: "dump.csv", Bytes: []byte(b.String())}}, draft.Options{})
	if d.Guessed > 0 {
		t.Errorf("%d fields guessed: %s", d.Guessed, fieldsOf(d, "dump"))
	}
	if d.Tables[0].Kind != "" {
		t.Errorf("taken for %s", d.Tables[0].Kind)
	}
	load(t, d)
	if !strings.Contains(file(t, d, "TODO.md"), "dump") {
		t.Error("the table is not asked about")
	}
}
