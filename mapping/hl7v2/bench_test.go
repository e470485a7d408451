package hl7v2_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/hl7v2"
)

// result is an ORU^R01 with 20 OBX as a laboratory sends it.
func result() string {
	var b strings.Builder
	b.WriteString("MSH|^~\\&|LIS|检验科|FHIRGW|区域平台|20240615103000||ORU^R01^ORU_R01|SYN0002|P|2.4||||||GB 18030-2000\r")
	b.WriteString("PID|1||P000123^^^示范医院^MR~990101194912310023^^^^NI||王小明^WANG XIAOMING||19491231|M||1^汉族^GB3304|示范路1号^^示范市^示范^999999^CHN^H||010-00000000||zh|20|||990101194912310023\r")
	b.WriteString("PV1|1|O|检验科^^^示范医院||||D001^李医生^LI\r")
	b.WriteString("ORC|RE|ORD001|LAB0001||CM||||20240615100000|||D001^李医生\r")
	b.WriteString("OBR|1|ORD001|LAB0001|CBC^血常规^LIS||20240615100000|20240615101500||||||头晕待查|20240615102000|全血|D001^李医生||||||20240615103000||检验科|F\r")
	for i := range 20 {
		fmt.Fprintf(&b, "OBX|%d|NM|WBC%d^白细胞计数^LIS||12.6|10\\S\\9/L|3.5-9.5|H|||F|||20240615102500||D002^王检验\r", i+1, i)
	}
	return b.String()
}

func BenchmarkParseResult(b *testing.B) {
	for name, in := range map[string][]byte{"GB18030": gb(b, result()), "UTF-8": []byte(strings.Replace(result(), "GB 18030-2000", "UNICODE UTF-8", 1))} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := hl7v2.Parse(in, hl7v2.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPeek(b *testing.B) {
	in := gb(b, result())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hl7v2.Peek(in, hl7v2.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
