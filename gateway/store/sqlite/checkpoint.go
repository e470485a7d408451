package sqlite

import (
	"fmt"
	"os"
	"time"
)

// log is what the writer knows of the write-ahead log, which is moved into the database
// in three steps, so that no commit waits for more than a few pages:
//
//	CheckpointPages written ──▶ another connection moves what there is, while commits go on
//	                        ──▶ the writer moves what came meanwhile, when no reader is in the log
//	                        ──▶ the next commit begins the log anew
//
// From the second step on no reader keeps a transaction open. Where one is long all the
// same, the writer does not wait for it, but tries again later.
type log struct {
	c        *conn         // moves the log
	pages    int           // written since the log began
	moving   chan struct{} // closed when c has moved it; nil where it does not
	truncate time.Time     // not before this a truncating checkpoint
}

const (
	// checkpointPause is how long after a checkpoint that readers hindered the next is tried.
	checkpointPause = 10 * time.Second
	// restartPause is how long readers keep no transactions for the log to begin anew, and restartWait how
	// long the writer waits for those that read.
	restartPause = 100 * time.Millisecond
	restartWait  = 20 * time.Millisecond
)

// grew is called after each group, by the writer.
func (l *log) grew(w *writer) {
	l.pages += w.c.written()
	l.shorten(w)
	if l.moving != nil {
		select {
		case <-l.moving:
			l.moving = nil
			w.s.read.hold(restartPause)
			waits := func(d time.Duration) { _ = w.c.script(fmt.Sprintf("PRAGMA busy_timeout=%d", d.Milliseconds())) }
			waits(restartWait)
			if l.pages = move(w.c, "RESTART"); l.pages > 0 {
				l.pages += w.s.opt.CheckpointPages / 2
			}
			waits(w.s.opt.BusyTimeout)
		default:
		}
		return
	}
	if l.pages >= w.s.opt.CheckpointPages {
		w.s.read.hold(time.Nanosecond) // what idle readers keep is old
		l.moving = make(chan struct{})
		go func() {
			defer close(l.moving)
			move(l.c, "PASSIVE")
		}()
	}
}

// move moves what no reader needs, and tells how many pages are left, at least one
// where the log cannot begin anew.
func move(c *conn, mode string) (left int) {
	_, err := c.one("PRAGMA wal_checkpoint("+mode+")", nil, func(row row) { left = int(max(row.int(0), row.int(1)-row.int(2))) })
	if err != nil {
		left = 1
	}
	c.lost = nil // where it failed, the next one goes on
	return left
}

// shorten empties the log when that was not enough, because some reader always held an
// old state, and when something was erased.
func (l *log) shorten(w *writer) {
	if time.Now().Before(l.truncate) {
		return
	}
	info, err := os.Stat(w.s.path + "-wal")
	if !w.scrub && (err != nil || info.Size() < w.s.opt.CheckpointBytes) {
		return
	}
	l.wait()
	l.truncate = time.Now().Add(checkpointPause)
	w.s.read.hold(forever)
	defer w.s.read.hold(0)
	busy := int64(1)
	if _, err := w.c.one("PRAGMA wal_checkpoint(TRUNCATE)", nil, func(row row) { busy = row.int(0) }); err == nil && busy == 0 {
		l.pages = 0
		if w.scrub {
			w.scrub, l.truncate = false, time.Time{}
		}
	}
	w.c.lost = nil // busy is no failure here
}

// wait waits for what the other connection does.
func (l *log) wait() {
	if l.moving != nil {
		<-l.moving
		l.moving = nil
	}
}

// stop ends the other connection.
func (l *log) stop() {
	l.wait()
	if l.c != nil {
		_ = l.c.close()
	}
}
