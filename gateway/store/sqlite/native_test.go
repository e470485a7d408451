package sqlite

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func bare(t *testing.T) *conn {
	t.Helper()
	c, err := connect(filepath.Join(t.TempDir(), "x.db"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.close() })
	return c
}

// Values come back as they went in, whatever went through the same statement before.
func TestValuesGoThroughAStatement(t *testing.T) {
	c := bare(t)
	for range 2 {
		for _, tt := range []struct{ in, want any }{
			{nil, nil},
			{int64(-1 << 63), int64(-1 << 63)},
			{7, int64(7)},
			{true, int64(1)},
			{false, int64(0)},
			{-1.5, -1.5},
			{"", ""},
			{"名\x00字", "名\x00字"},
			{strings.Repeat("x", 2*keptBuffer), strings.Repeat("x", 2*keptBuffer)},
			{[]byte(nil), nil},
			{[]byte{}, []byte(nil)},
			{bytes.Repeat([]byte{0xff}, 3*keptBuffer), bytes.Repeat([]byte{0xff}, 3*keptBuffer)},
			{[]byte{0}, []byte{0}},
		} {
			n, err := c.one("SELECT ?", []any{tt.in}, func(row row) {
				if diff := cmp.Diff(tt.want, row.value(0)); diff != "" {
					t.Errorf("%T: %.200s", tt.in, diff)
				}
			})
			if err != nil || !n {
				t.Errorf("%T: %v", tt.in, err)
			}
		}
	}
	for _, args := range [][]any{nil, {1, 2}, {struct{}{}}} {
		if _, err := c.exec("SELECT ?", args...); err == nil {
			t.Errorf("%d arguments of %T are taken", len(args), args)
		}
	}
}

// A statement that is being read may be asked again, and a text in double quotes is no
// value.
func TestStatementsNest(t *testing.T) {
	c := bare(t)
	var got []int64
	err := c.query(t.Context(), "SELECT ? UNION ALL SELECT 2", []any{1}, func(outer row) error {
		return c.query(t.Context(), "SELECT ? UNION ALL SELECT 2", []any{10}, func(inner row) error {
			got = append(got, outer.int(0)*inner.int(0))
			return nil
		})
	})
	if diff := cmp.Diff([]int64{10, 2, 20, 4}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := c.exec(`SELECT "x"`); err == nil {
		t.Error("a text in double quotes is taken")
	}
}

// The end of a context ends a statement wherever it is, and the connection is not
// used again.
func TestAnEndedContextInterrupts(t *testing.T) {
	const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
	for _, sql := range []string{endless + "SELECT count(*) FROM n", endless + "SELECT x FROM n"} {
		c := bare(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := c.query(ctx, sql, nil, func(row) error { return nil })
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !c.stale {
			t.Errorf("%v, stale %t", err, c.stale)
		}
	}
}
