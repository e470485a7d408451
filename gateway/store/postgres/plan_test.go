package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// The plans must be right without statistics, and stay right with them.
func TestEverydaySearchesReadNoTableWhole(t *testing.T) {
	s := open(t, postgres.Options{AnalyzeFrom: 1 << 40})
	load(t, s, 0, 4000, 200, 2)
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for n := range 200 {
			p := storetest.Observation(1e6 + n)
			p.Values.Texts = []search.Text{{Param: "_text", Terms: []string{"bone", fmt.Sprint("t", n)}}, {Param: "_content", Terms: []string{"bone", fmt.Sprint("c", n)}}}
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	words := shape{"words of both texts", false, func(n int) *search.Query {
		return &search.Query{Type: "Observation", Where: []search.Clause{{Param: "_content", Kind: search.KindText, Any: []search.Operand{
			search.TextMatch{Terms: []string{"bone", fmt.Sprint("c", n%200)}}}}}}
	}}
	for _, analysed := range []bool{false, true} {
		if analysed {
			if err := s.Exec(t.Context(), "ANALYZE", true); err != nil {
				t.Fatal(err)
			}
		}
		for _, shape := range append(slices.Clone(shapes), words) {
			q := shape.query(1234)
			q.Count, q.Allowed = 20, search.Allowed{Owners: []string{"h0", "h1", "h2"}, Shared: true}
			lines, err := s.Explain(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			plan := strings.Join(lines, "\n")
			for _, line := range lines {
				if strings.Contains(line, "Seq Scan on") || strings.Contains(line, "Hash Join") || strings.Contains(line, "Merge Join") || strings.Contains(line, "Materialize") {
					t.Errorf("%s, statistics %v: %s\n%s", shape.name, analysed, strings.TrimSpace(line), plan)
					break
				}
			}
			if strings.HasSuffix(shape.name, "by page") && strings.Count(plan, "Sort  (") > 1 { // one orders the page that was found
				t.Errorf("%s, statistics %v, sorts what an index has in order:\n%s", shape.name, analysed, plan)
			}
		}
	}
}
