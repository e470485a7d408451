package mapping_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
)

// mutate changes a text at a few places: it cuts, doubles, exchanges and inserts what maps and messages are made of.
func mutate(r *rand.Rand, s string) string {
	bits := []string{"|", "^", "~", "&", "\\", "\r", "\"\"", "{", "}", "[", "]", ":", " ", "\n", "- ", "=", "$x", "null", "each: ", "when: ", "set: ", "ref: patient", "..", "𠮷", "\x00", "999999999999", "PID-3", "//OBX", "expr: 'a'", "'", "\"", "#", "&a", "*a", "<<: ", "!!x "}
	b := []byte(s)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			return ""
		}
		at := r.IntN(len(b))
		n := min(1+r.IntN(20), len(b)-at)
		switch r.IntN(5) {
		case 0:
			b = append(b[:at:at], b[at+n:]...)
		case 1:
			b = append(b[:at+n:at+n], b[at:]...)
		case 2:
			b = append(b[:at:at], append([]byte(bits[r.IntN(len(bits))]), b[at:]...)...)
		case 3:
			b[at] = byte(r.IntN(256))
		default:
			to := r.IntN(len(b))
			b = append(b[:at:at], append([]byte(string(b[to:min(to+n, len(b))])), b[at:]...)...)
		}
	}
	return string(b)
}

func TestBrokenMapsAndRecordsNeverPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	deadline := time.Now().Add(2 * time.Second)
	inst := baseInstitution(t)
	maps := append(readmeBlocks(t, "## 9."), patientMap, patientHead+"      active: {value: true, with: {n: PID-5}, when: \"left(n, 1) == 'x'\"}\n")
	loaded := 0
	for i := 0; i < 200 || time.Now().Before(deadline); i++ { // at least so many on a busy machine
		if m, err := loadMap(mutate(r, maps[i%len(maps)])); err == nil {
			loaded++
			_, _ = m.Map(er7(t, "PID|1||A~B||张三||19900102|M", "NK1|1|李四"), mapping.RunOptions{Salt: salt, Trace: true, Coverage: true})
			_, _ = m.Map(row("HZID=1", "XM=张三"), mapping.RunOptions{Salt: salt})
		} else if strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
		rec, err := hl7v2.Parse([]byte(mutate(r, string(oru(3)))), hl7v2.Options{})
		if err != nil {
			continue
		}
		if _, err := inst.Map(rec, mapping.RunOptions{Salt: salt, Trace: true, Coverage: true}); err != nil {
			t.Fatal(err)
		}
		inst.Lanes(rec)
	}
	if loaded == 0 {
		t.Error("no changed map loads: the changes are too many")
	}
}
