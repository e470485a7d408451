package server

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentLeavesHeadroom(t *testing.T) {
	for headroom, percents := range map[uint64]map[uint64]int{
		64 << 20: {0: 1600, 1 << 20: 1600, 4 << 20: 1600, 16 << 20: 400, 32 << 20: 200, 64 << 20: 100, 1 << 30: 100},
		8 << 20:  {0: 200, 4 << 20: 200, 8 << 20: 100, 64 << 20: 100},
		1 << 30:  {0: 25600, 64 << 20: 1600},
	} {
		for live, want := range percents {
			if got := percentFor(live, headroom); got != want {
				t.Errorf("%d MiB live and %d MiB headroom: %d, want %d", live>>20, headroom>>20, got, want)
			}
		}
	}
}

// percent is GOGC as it is.
func percent() int {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return int(s[0].Value.Uint64())
}

var kept [][]byte

func TestHeadroomFollowsWhatIsKept(t *testing.T) {
	t.Setenv("GOGC", "") // whatever tests run with
	defer debug.SetGCPercent(debug.SetGCPercent(150))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	runtime.GC()
	go func() { keepHeadroom(ctx, 64<<20); close(done) }()
	within := func(least, most int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if p := percent(); p >= least && p <= most {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("GOGC is %d, want %d to %d", percent(), least, most)
			}
			runtime.GC()
		}
	}
	within(151, 1600)
	before := percent()
	for range 64 {
		kept = append(kept, make([]byte, 1<<20))
	}
	within(minPercent, 149)
	kept = nil
	within(before*8/10, 1600)
	stop()
	<-done
	if p := percent(); p != 150 {
		t.Errorf("GOGC is left at %d", p)
	}
}
