package server

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlineIsOverWhenAContextWithATimerWouldBe(t *testing.T) {
	for _, waits := range []bool{false, true} {
		for name, row := range map[string]struct {
			after time.Duration
			do    func(stop func(), d *deadline)
			want  error
		}{
			"still time":           {time.Second, func(func(), *deadline) { time.Sleep(time.Second - 1) }, nil},
			"time is over":         {time.Second, func(func(), *deadline) { time.Sleep(time.Second) }, context.DeadlineExceeded},
			"the client has left":  {time.Second, func(stop func(), _ *deadline) { stop() }, context.Canceled},
			"the request is done":  {time.Second, func(_ func(), d *deadline) { d.end() }, context.Canceled},
			"done, then the time":  {time.Second, func(_ func(), d *deadline) { d.end(); time.Sleep(time.Minute) }, context.Canceled},
			"the parent is before": {time.Hour, func(func(), *deadline) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
		} {
			synctest.Test(t, func(t *testing.T) {
				root, release := context.WithTimeout(context.Background(), time.Minute)
				defer release()
				parent, stop := context.WithCancel(root)
				defer stop()
				d := newDeadline(parent, row.after)
				defer d.end()
				if waits {
					d.Done()
				}
				row.do(stop, d)
				synctest.Wait()
				if err := d.Err(); !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
					t.Errorf("%s, waited for %v: %v", name, waits, err)
				}
				select {
				case <-d.Done():
					if row.want == nil {
						t.Errorf("%s: done", name)
					}
				default:
					synctest.Wait()
					if row.want != nil && d.Err() == nil {
						t.Errorf("%s: not done", name)
					}
				}
			})
		}
	}
}

func TestContextsOfADeadlineNeedNoGoroutines(t *testing.T) {
	type key struct{}
	parent, stop := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
	defer stop()
	d := newDeadline(parent, time.Hour)
	before := runtime.NumGoroutine()
	var children []context.Context
	for range 10 {
		child, cancel := context.WithCancel(d)
		defer cancel()
		children = append(children, child)
	}
	if n := runtime.NumGoroutine(); n != before {
		t.Errorf("%d goroutines more", n-before)
	}
	if d.Value(key{}) != 1 || children[0].Value(key{}) != 1 {
		t.Error("values of the parent are lost")
	}
	d.end()
	for _, child := range children {
		<-child.Done()
	}
}
