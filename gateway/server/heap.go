package server

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// minPercent is how much garbage there may be at least, as Go has it by default.
const minPercent = 100

// minLive is what counts as kept at least: Go's smallest heap, of 4 MiB, grows with
// the percentage too.
const minLive = 4 << 20

// percentFor is what GOGC has to be for live bytes to have a headroom.
func percentFor(live, headroom uint64) int {
	return max(minPercent, int(headroom*100/max(live, minLive)))
}

// keepHeadroom adjusts the garbage collector after each of its cycles until ctx ends, so
// that as many bytes of garbage may pile up in the heap before they are collected. What a
// server keeps is small: with Go's rule – as much garbage as what is kept – it would
// collect all the time.
//
// Who sets GOGC knows better; GOMEMLIMIT holds in any case.
func keepHeadroom(ctx context.Context, headroom uint64) {
	if os.Getenv("GOGC") != "" {
		return
	}
	cycles := make(chan struct{}, 1)
	var watch func()
	watch = func() {
		// Its finalizer runs after the next cycle, which finds it unreachable.
		marker := new([64]byte)
		runtime.SetFinalizer(marker, func(*[64]byte) {
			select {
			case cycles <- struct{}{}:
			default:
			}
			if ctx.Err() == nil {
				watch()
			}
		})
	}
	before := debug.SetGCPercent(minPercent)
	defer debug.SetGCPercent(before)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	set := 0
	watch()
	for {
		metrics.Read(live)
		// Nothing is known before the first cycle. What changes little is left: setting it
		// stops the world.
		kept := live[0].Value.Uint64()
		if want := percentFor(kept, headroom); kept > 0 && (want < set*9/10 || want > set*11/10) {
			debug.SetGCPercent(want)
			set = want
		}
		select {
		case <-cycles:
		case <-ctx.Done():
			return
		}
	}
}
