package draft_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

// FuzzFrom: whatever the samples are, a draft ends, and what it writes loads.
func FuzzFrom(f *testing.F) {
	for _, seed := range []struct{ name, data string }{
		{"HIS_HZXX.csv", "HZID,XM,XB,CSRQ\n1,王强,1,1980-01-01\n2,李丽,2,1981-02-03\n"},
		{"LIS.csv", "BGDH,HZID,XMDM,XMMC,XMJG,XMDW,JGCKZ\n1,2,3,葡萄糖,5.1,mmol/L,3.9-6.1\n"},
		{"a.csv", "\"No.1\",\"a\"\"b\",x:y,- z,#c,[k],{m},~,null,y\n1,2,3,4,5,6,7,8,9,0\n"},
		{"v.json", `{"patient":{"id":"1","name":"王强"},"reportNo":"R1","items":[{"code":"GLU","name":"葡萄糖","value":5.1}]}`},
		{"n.json", `{"data":[{"visits":[{"visitId":"1","visitDate":"2020-01-01","patientId":"7"}]}],"a.b":{"":[[1]]},"$x":1,"@y":2}`},
		{"p.xml", `<r><患者 编号="1"><姓名>王强</姓名></患者><处方 处方号="3"><药品 编码="a">阿司匹林</药品><药品/></处方></r>`},
		{"m.hl7", "MSH|^~\\&|LIS|H|Y|Y|20250101||ORU^R01|1|P|2.4\rPID|1||7^^^H^MR||王强\rOBR|1|2^HIS|3^LIS|4^血常规^L\rOBX|1|NM|5^葡萄糖^LIS||5.1\rZXX|1|2\r"},
		{"page.xls", "<table><tr><td>处方号</td><td>药品名称</td></tr><tr><td>1</td><td>阿司匹林</td></tr></table>"},
	} {
		f.Add(seed.name, []byte(seed.data))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if len(data) > 1<<16 {
			t.Skip()
		}
		d, err := draft.From([]mapping.File{{Name: name, Bytes: data}}, draft.Options{Limits: draft.Limits{MaxColumns: 200, MaxTables: 20}})
		if err != nil {
			return
		}
		for _, q := range d.Questions {
			if strings.Contains(q.Ask, "does not load") || strings.Contains(q.Ask, "would not load") {
				t.Errorf("%s: %s", q.Place, q.Ask)
			}
		}
		if _, err := d.Load(); err != nil {
			t.Error(err)
		}
	})
}

// Whatever is answered, the draft is refused or loads.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"甲=pid", "t.甲=-", "t=@visit", "=", "a=b=c", "甲=visit.start", "姓名=result", "t.姓名=item.name"} {
		f.Add(seed, "乙=visit")
	}
	files := []mapping.File{tableOf("t", 6, "甲=K%05d", "乙=V%05d", "姓名=王强|李丽", "就诊时间=2025-01-%02d 08:00")}
	f.Fuzz(func(t *testing.T, one, two string) {
		d, err := draft.From(files, draft.Options{Is: []string{one, two}})
		if err != nil {
			return
		}
		if _, err := d.Load(); err != nil {
			t.Errorf("%v", err)
		}
	})
}
