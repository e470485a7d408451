package mapping_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/table"
)

// oru is a report of n results.
func oru(n int) []byte {
	var b strings.Builder
	b.WriteString("MSH|^~\\&|LIS|H|||20240501093000||ORU^R01|1|P|2.4|||||CHN|UNICODE UTF-8\r")
	b.WriteString("PID|1||P1^^^HIS^MR~99010119900307721X^^^&2.16.156.10011.1.3&ISO^NI||张三||19900307|M|||北京路1号^^城^省^100000||13000000000\r")
	b.WriteString("PV1|1|I|01^101^1|||||D1^李四||||||||||V1\r")
	b.WriteString("ORC|RE|S1|R1||CM||||20240501080000|||D1^李四\r")
	b.WriteString("OBR|1|S1|R1|SH^生化^L|||20240501080000|||||||20240501081000||||||||20240501093000||LAB|F\r")
	for i := range n {
		fmt.Fprintf(&b, "OBX|%d|NM|%d^葡萄糖^L||5.%d|mmol/L|3.9-6.1|N|||F|||20240501090000\r", i+1, 1000+i, i)
	}
	return []byte(b.String())
}

func baseInstitution(tb testing.TB) *mapping.Institution {
	tb.Helper()
	inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution + "sources: {hl7: {format: hl7v2, base: true}}\n"}),
		mapping.Options{Base: os.DirFS("base")})
	if err != nil {
		tb.Fatal(err)
	}
	return inst
}

// serverHeap gives the garbage collector the heap of a small server. Without it a
// benchmark measures little but collections.
func serverHeap(b *testing.B) {
	ballast := make([]byte, 64<<20)
	b.Cleanup(func() { runtime.KeepAlive(ballast) })
}

func BenchmarkParseAndMapReportOf20Results(b *testing.B) {
	serverHeap(b)
	inst := baseInstitution(b)
	frame := oru(20)
	b.ReportAllocs()
	for b.Loop() {
		rec, err := hl7v2.Parse(frame, hl7v2.Options{})
		if err != nil {
			b.Fatal(err)
		}
		res, err := inst.Map(rec, mapping.RunOptions{Salt: salt})
		if err != nil || len(res.Resources) < 22 {
			b.Fatal(err, len(res.Resources))
		}
	}
}

const patientMap = `
format: 1
map: patient
reads: {format: csv, table: HIS_HZXX}
lane: HZID
version: {time: XGSJ}
row: HZID
resources:
  patient:
    type: Patient
    key: [HZID]
    write: update
    set:
      identifier:
        - {from: HZID, as: identifier, system: patient}
        - {from: SFZH, as: identifier, system: resident-id}
        - {from: JKKH, as: identifier, system: health-card}
      name: {from: XM, as: name}
      telecom: {from: LXDH, as: phone}
      gender: [{from: XB, table: gb-sex}, {from: SFZH, as: id-sex}]
      birthDate: [CSRQ, {from: SFZH, as: age-birth}]
      address: JTZZ
      maritalStatus: {from: HYZK, table: gb-marital}
      contact:
        set:
          name: {from: LXRXM, as: name}
          telecom: {from: LXRDH, as: phone}
`

func BenchmarkParseAndMapPatientRow(b *testing.B) {
	serverHeap(b)
	inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/patient.yaml": patientMap}), mapping.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var file strings.Builder
	file.WriteString("HZID,XM,XB,CSRQ,ZJLX,SFZH,JKKH,LXDH,HYZK,MZ,JTZZ,LXRXM,LXRGX,LXRDH,SWSJ,JDRQ,XGSJ\n")
	const rows = 1000
	for i := range rows {
		fmt.Fprintf(&file, "P%d,张三,1,1990-03-07,01,990101199003077217,,12000000000,20,01,北京路%d号,李四,1,12000000001,,2020-01-01,2024-05-01 08:00:00\n", i, i)
	}
	data := []byte(file.String())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		f, err := table.Open("HIS_HZXX.csv", bytes.NewReader(data), int64(len(data)), table.Options{Charset: "UTF-8"})
		if err != nil {
			b.Fatal(err)
		}
		set := &table.Set{}
		set.Add("HIS_HZXX", f)
		for rec, err := range set.Records("HIS_HZXX", nil, table.Limits{}) {
			if err != nil {
				b.Fatal(err)
			}
			if _, err := inst.Map(rec, mapping.RunOptions{Salt: salt}); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/row")
}
