package sqlite

import (
	"database/sql/driver"
	"time"
)

// row is a result row as the driver gives it: int64, float64, string, []byte, nil.
type row []driver.Value

func (r row) int(i int) int64 {
	n, _ := r[i].(int64)
	return n
}

func (r row) text(i int) string {
	s, _ := r[i].(string)
	return s
}

func (r row) bytes(i int) []byte {
	b, _ := r[i].([]byte)
	return b
}

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
