package sqlite

import "time"

func (r row) bool(i int) bool { return r.int(i) != 0 }

// time reads microseconds since 1970; 0 is the zero time.
func (r row) time(i int) time.Time { return microTime(r.int(i)) }

func microTime(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
