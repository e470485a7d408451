package postgres

import (
	"testing"
	"time"
)

func TestOnlyLargeCountsOfSingleKeysAreRemembered(t *testing.T) {
	now := time.UnixMicro(1.7e15)
	one, many := keyed(7), keyedAny([]int64{7, 8})
	both := keyed(7)
	both.rids.add(" AND EXISTS (SELECT 1 FROM index_key y WHERE y.key = ?)", 9)
	for name, row := range map[string]struct {
		s        source
		n, limit int64
		later    time.Duration
		want     counted
		ok       bool
	}{
		"whole":             {one, 300, 1024, 0, counted{300, false, now}, true},
		"at least so many":  {one, 256, 256, countsTime - 1, counted{256, true, now}, true},
		"too old":           {one, 300, 1024, countsTime, counted{300, false, now}, false},
		"small":             {one, countsFrom - 1, 256, 0, counted{}, false},
		"of several keys":   {many, 300, 1024, 0, counted{}, false},
		"of two conditions": {both, 300, 1024, 0, counted{}, false},
	} {
		var c counts
		c.remember(&row.s, row.n, row.limit, now)
		if got, ok := c.of(&row.s, now.Add(row.later)); got != row.want || ok != row.ok {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestRememberedCountsAreBounded(t *testing.T) {
	var c counts
	for key := range int64(3 * maxCounts) {
		s := keyed(key)
		c.remember(&s, 1000, 1024, time.UnixMicro(key))
	}
	if len(c.byKey) > maxCounts {
		t.Errorf("%d counts are kept, at most %d may be", len(c.byKey), maxCounts)
	}
}
