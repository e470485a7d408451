package base_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
)

// report20 is an ORU^R01 with twenty results.
func report20() []byte {
	var b strings.Builder
	b.WriteString("MSH|^~\\&|LIS|HOSP|YILIAN|ALLIANCE|20250820101500||ORU^R01|LIS0001|P|2.4||||||UTF-8\r" +
		"PID|1||P000123^^^HOSP^MR~990181198809140948^^^^NI||魏英琴||19880914|F|||衡远市石桥村65号^^衡远市^^990100^CHN^H||12453985973^PRN^CP|||20\r" +
		"PV1|1|O|HXK^^^HOSP||||2055^邹莉||||||||||||MZ202508200188^^^HOSP^VN\r" +
		"ORC|RE|S36177328^HIS|L0001^LIS\r" +
		"OBR|1|S36177328^HIS|L0001^LIS|JY001^血常规^L|||20250820090000|||||||20250820091000|01&全血|2055^邹莉||||||20250820101500||HM|F\r")
	for i := range 20 {
		fmt.Fprintf(&b, "OBX|%d|NM|T%02d^项目%02d^LIS||%d.%d|10\\S\\9/L|3.5-9.5|H|||F|||20250820100000\r", i+1, i, i, 3+i, i%10)
	}
	return []byte(b.String())
}

// BenchmarkReport parses and maps a report with twenty results. Gate: 500 µs on one core.
func BenchmarkReport(b *testing.B) {
	inst := load(b, strings.Replace(minimal, "sources:", "authorities: {HOSP: institution, HIS: order, LIS: report}\nsources:", 1))
	msg := report20()
	b.ReportAllocs()
	for b.Loop() {
		rec, err := hl7v2.Parse(msg, hl7v2.Options{})
		if err != nil {
			b.Fatal(err)
		}
		res, err := inst.Map(rec, mapping.RunOptions{Salt: salt})
		if err != nil || res.Rejected() {
			b.Fatal(err, res.Issues)
		}
	}
}
