package draft_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

func TestTablesThatBelongTogetherAreJoined(t *testing.T) {
	patients := mapping.File{Name: "patients.csv", Bytes: []byte("HZID,XM,XB,CSRQ,LXDH\nP1,王强,1,1980-01-01,12798804563\nP2,李丽,2,1981-02-03,12798804564\nP3,赵敏,2,1982-02-03,12798804565\n")}
	visits := mapping.File{Name: "visits.csv", Bytes: []byte("JZLSH,HZID,JZLX,JZSJ,KSMC,XGSJ\nV1,P1,门诊,2025-01-01 08:00,内科,2025-01-01 09:00\nV2,P2,急诊,2025-01-02 08:00,外科,2025-01-02 09:00\nV3,P3,住院,2025-01-03 08:00,外科,2025-01-03 09:00\n")}
	for _, c := range []struct {
		name  string
		files []mapping.File
		file  string
		want  []string
	}{
		{"results belong to their report", []mapping.File{
			{Name: "head.csv", Bytes: []byte("BGDH,HZID,BGMC,CJSJ,BGSJ\nR1,P1,生化,2025-01-01 08:00,2025-01-01 10:00\nR2,P2,生化,2025-01-02 08:00,2025-01-02 10:00\n")},
			{Name: "lines.csv", Bytes: []byte("BGDH,XMDM,XMMC,XMJG,XMDW,JGCKZ\nR1,K,钾,4.1,mmol/L,3.5-5.3\nR1,NA,钠,140,mmol/L,137-147\nR2,K,钾,4.4,mmol/L,3.5-5.3\n")},
		}, "maps/lab-report.yaml", []string{"item: {table: lines, on: {BGDH: BGDH}, many: true}", "each: item", "result: {ref: {rule: observation, all: true}}"}},
		{"diagnoses belong to their visit", []mapping.File{visits,
			{Name: "zd.csv", Bytes: []byte("JZLSH,ZDXH,ZDBM,ZDMC\nV1,1,I10.x00,高血压\nV1,2,E11.900,2型糖尿病\nV2,1,J06.900,上呼吸道感染\n")},
		}, "maps/visit.yaml", []string{"diagnosis: {table: zd, on: {JZLSH: JZLSH}, many: true}", "{each: diagnosis, set: {condition: {ref: condition}, rank: ZDXH}}"}},
		{"who is meant stands in another table", []mapping.File{patients, visits,
			{Name: "rx.csv", Bytes: []byte("CFH,XH,JZLSH,YPBM,YPMC,YL,DW,PC,KFSJ\nC1,1,V1,D1,阿司匹林肠溶片,100,mg,QD,2025-01-01 08:30\nC1,2,V1,D2,盐酸二甲双胍片,0.5,g,BID,2025-01-01 08:30\nC2,1,V2,D1,阿司匹林肠溶片,100,mg,QD,2025-01-02 08:30\n")},
		}, "maps/prescription.yaml", []string{"of: {table: visits, on: {JZLSH: JZLSH}}", "key: [of.HZID]", "lane: of.HZID"}},
		{"head and item in one row", []mapping.File{
			{Name: "flat.csv", Bytes: []byte("BGDH,HZID,BGMC,CJSJ,XMDM,XMMC,XMJG,XMDW,JGCKZ\nR1,P1,生化,2025-01-01 08:00,K,钾,4.1,mmol/L,3.5-5.3\nR1,P1,生化,2025-01-01 08:00,NA,钠,140,mmol/L,137-147\n")},
		}, "maps/lab-report.yaml", []string{"item: {table: flat, on: {BGDH: BGDH}, many: true}", "row: [BGDH, XMDM]"}},
		{"results of their own report are not those of images of the same visit", []mapping.File{
			{Name: "RIS.csv", Bytes: []byte("JCDH,HZID,JZLSH,BGMC,检查所见,检查结论,BGSJ\nX1,P1,V1,胸部CT,两肺纹理清晰,未见异常,2025-01-01 11:00\nX2,P2,V2,胸部CT,两肺纹理清晰,未见异常,2025-01-02 11:00\n")},
			{Name: "LIS.csv", Bytes: []byte("BGDH,HZID,JZLSH,CJSJ,XMDM,XMMC,XMJG,XMDW,JGCKZ\nR1,P1,V1,2025-01-01 08:00,K,钾,4.1,mmol/L,3.5-5.3\nR1,P1,V1,2025-01-01 08:00,NA,钠,140,mmol/L,137-147\nR2,P2,V2,2025-01-02 08:00,K,钾,4.4,mmol/L,3.5-5.3\n")},
		}, "maps/lab-report.yaml", []string{"item: {table: LIS, on: {BGDH: BGDH}, many: true}", "table: LIS\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, c.files, draft.Options{})
			got := file(t, d, c.file)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("want %q in\n%s", want, got)
				}
			}
			inst := load(t, d)
			runCases(t, inst, d, len(d.Tables)-1)
			if d.Refused > 0 {
				t.Errorf("%d samples refused: %v", d.Refused, d.Questions)
			}
		})
	}
}

// Everybody is known by one number in all tables, else one person would become several patients.
func TestPatientsAreKnownByOneNumber(t *testing.T) {
	d := from(t, []mapping.File{
		{Name: "居民.csv", Bytes: []byte("档案号,姓名,性别,出生日期,身份证号,健康卡号\nB1,王强,1,1980-01-01,无,K1\nB2,李丽,2,1981-02-03,无,K2\n")},
		{Name: "门诊.csv", Bytes: []byte("就诊流水号,档案号,姓名,就诊类型,就诊时间,科室\nV1,B1,王强,门诊,2025-01-01 08:00,内科\nV2,B2,李丽,门诊,2025-01-02 08:00,内科\n")},
	}, draft.Options{})
	for _, name := range []string{"maps/patient.yaml", "maps/visit.yaml"} {
		if got := file(t, d, name); !strings.Contains(got, "key: [档案号]") || !strings.Contains(got, "{from: 档案号, as: identifier, system: patient}") {
			t.Errorf("%s has another key or system:\n%s", name, got)
		}
	}
}

func TestKindsOfDocumentsAreToldApart(t *testing.T) {
	const head = `"head": {"msgId": "M%", "sendTime": "2025-01-01 08:00:00"}, "patient": {"patientId": "P1", "name": "王强", "sex": "1"}`
	visit := `{` + head + `, "visit": {"visitId": "V1", "visitType": "门诊", "visitTime": "2025-01-01 08:00", "deptName": "内科", "doctorName": "李丽", "dischargeTime": ""}}`
	report := `{` + head + `, "report": {"reportNo": "R1", "reportName": "生化", "collectTime": "2025-01-01 08:00", "reportTime": "2025-01-01 10:00", "status": "已审核"},
		"results": [{"itemCode": "K", "itemName": "钾", "result": "4.1", "unit": "mmol/L", "refRange": "3.5-5.3"}]}`
	d := from(t, []mapping.File{{Name: "all.json", Bytes: []byte(visit + "\n" + report + "\n" + strings.ReplaceAll(visit, "V1", "V2"))}}, draft.Options{})
	if got := file(t, d, "maps/visit.yaml"); !strings.Contains(got, "where: {visit.visitId: present}") {
		t.Errorf("visit:\n%s", got)
	}
	if got := file(t, d, "maps/lab-report.yaml"); !strings.Contains(got, "where: {report.reportNo: present}") || !strings.Contains(got, "each: results") {
		t.Errorf("report:\n%s", got)
	}
	runCases(t, load(t, d), d, 2)
	if d.Refused > 0 {
		t.Error(d.Questions)
	}
}

// What stands in an envelope is found: the records are items of an array.
func TestRecordsInsideAnArrayOfOneDocument(t *testing.T) {
	d := from(t, []mapping.File{{Name: "page.json", Bytes: []byte(`{"code": 0, "data": [
		{"visitId": "V1", "patientId": "P1", "visitType": "门诊", "visitTime": "2025-01-01 08:00", "deptName": "内科", "diagnoses": [{"diagCode": "I10.x00", "diagName": "高血压"}]},
		{"visitId": "V2", "patientId": "P2", "visitType": "急诊", "visitTime": "2025-01-02 08:00", "deptName": "外科", "diagnoses": []}]}`)}}, draft.Options{})
	got := file(t, d, "maps/visit.yaml")
	for _, want := range []string{"each: data\n", "each: data.diagnoses", "key: [patientId]", "code: {from: diagCode, table: diagnoses, text: diagName}"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	runCases(t, load(t, d), d, 1)
}

func TestDeliveriesOfOneTableAreOneTable(t *testing.T) {
	row := func(names string) []byte { return []byte("HZID,XM,XB,CSRQ\n" + names) }
	d := from(t, []mapping.File{
		{Name: "in/HIS_HZXX_20250101.csv", Bytes: row("1,王强,1,1980-01-01\n")},
		{Name: "in/HIS_HZXX_20250102.csv", Bytes: row("2,李丽,2,1981-01-01\n")},
		{Name: "T01.csv", Bytes: row("3,赵敏,2,1982-01-01\n")},
		{Name: "T02.csv", Bytes: []byte("CFH,HZID,YPMC,PC\n1,3,阿司匹林肠溶片,QD\n")},
	}, draft.Options{})
	var got []string
	for _, table := range d.Tables {
		got = append(got, table.Name)
	}
	if strings.Join(got, " ") != "HIS_HZXX T T02" {
		t.Errorf("tables %v", got)
	}
	if inst := file(t, d, "institution.yaml"); !strings.Contains(inst, "HIS_HZXX: 'HIS_HZXX*.csv'") {
		t.Error(inst)
	}
	runCases(t, load(t, d), d, 3) // each of them reads its own files
}

func TestMessagesTellNamesAndNumbers(t *testing.T) {
	const messages = "MSH|^~\\&|LIS|H|Y|Y|20250101080000||ORU^R01|1|P|2.4\rPID|1||7^^^HOSP^MR~990121196506073324^^^GA^NI~K9^^^WJW^HC||王强\rPV1|1|O|||||||||||||||||V7^^^HOSP^VN\r" +
		"OBR|1|2^HIS|3^LIS|4^血常规^L|||20250101\rOBX|1|NM|5^葡萄糖^LISX||5.1|mmol/L|||||F\rOBX|2|NM|6^钾||4.1|mmol/L|||||F\rZXX|1|12798804563\r" +
		"MSH|^~\\&|HIS|H|Y|Y|20250101080000||QRY^Q01|2|P|2.4\rPID|1||7^^^HOSP^MR||王强\r"
	d := from(t, []mapping.File{{Name: "m.hl7", Bytes: []byte(messages)}}, draft.Options{ID: "h"})
	got := file(t, d, "institution.yaml")
	for _, want := range []string{"  GA: resident-id\n", "  HIS: order\n", "  HOSP: institution\n", "  LIS: report\n", "  WJW: health-card\n", "  L: order-items\n", "  LISX: lab-items\n", "base: true"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	todo := file(t, d, "TODO.md")
	for _, want := range []string{"| QRY^Q01 | 1 messages |", "| ZXX: ZXX-2 | phone numbers;", "| OBX-3 | 1 codes without a coding system |"} {
		if !strings.Contains(todo, want) {
			t.Errorf("want %q in\n%s", want, todo)
		}
	}
	runCases(t, load(t, d), d, 2)
}
