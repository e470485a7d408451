package sqlite_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// plans are the everyday shapes of search, and by which index each must start.
var plans = []struct {
	name  string
	typ   string
	where []search.Clause
	sort  []search.Sort
	start string
}{
	{"identifier", "Observation", []search.Clause{token("identifier", "N5")}, nil, "SEARCH x USING PRIMARY KEY (key=?"},
	{"patient and code", "Observation", []search.Clause{token("code", "5"), reference("patient", "Patient", storetest.Observation(15).Patient)}, nil, "SEARCH x USING PRIMARY KEY (key=?"},
	{"patient, newest first", "Observation", []search.Clause{reference("patient", "Patient", storetest.Observation(15).Patient)},
		[]search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}, "SEARCH x USING PRIMARY KEY (key=?"},
	{"based on an order", "Observation", []search.Clause{reference("based-on", "ServiceRequest", "s7"), token("status", "final")}, nil, "SEARCH x USING PRIMARY KEY (key=?"},
	{"name from the start", "Patient", []search.Clause{name("name77")}, nil, "SEARCH x USING PRIMARY KEY (pid=? AND text>? AND text<?"},
	{"birth date", "Patient", []search.Clause{date("birthdate", search.EQ, 50)}, nil, "SEARCH x USING PRIMARY KEY (pid=? AND class=? AND low>? AND low<?"},
	{"date range", "Observation", []search.Clause{date("date", search.GE, 100), date("date", search.LT, 101)}, nil, "SEARCH x USING PRIMARY KEY (pid=? AND class=? AND low>? AND low<?"},
	{"status, by page", "Observation", []search.Clause{token("status", "final")}, nil, "SEARCH x USING PRIMARY KEY (key=?"},
	{"since", "Observation", []search.Clause{{Param: "_lastUpdated", Kind: search.KindDate,
		Any: []search.Operand{search.DateMatch{Compare: search.GT, Low: search.MaxTime - 1, High: search.MaxTime}}}}, nil, "SEARCH x USING INDEX resource_updated (type=? AND "},
	{"from a record", "Observation", []search.Clause{{Param: "_source", Kind: search.KindURI,
		Any: []search.Operand{search.URIMatch{Value: "https://yilian.dev/institution/h0/record/000000000003", Below: true}}}}, nil, "SEARCH x USING INDEX resource_source (type=? AND "},
	{"ids", "Observation", []search.Clause{token("_id", storetest.Observation(3).ID)}, nil, "SEARCH x USING INDEX resource_id (type=? AND "},
	{"all, by page", "Observation", nil, nil, "SEARCH r USING INDEX resource_type (type=?"},
	{"all, latest change first", "Observation", nil, []search.Sort{{Param: "_lastUpdated", Kind: search.KindDate, Down: true}}, "SEARCH r USING INDEX resource_updated (type=?"},
	{"chain", "Observation", []search.Clause{{Param: "patient", Kind: search.KindReference, Any: []search.Operand{
		search.ChainMatch{Type: "Patient", Where: []search.Clause{name("name77")}}}}}, nil, "SEARCH x USING PRIMARY KEY (pid=? AND text>? AND text<?"},
	{"reverse chain", "Patient", []search.Clause{{Kind: search.KindReference, Any: []search.Operand{
		search.HasMatch{Type: "Observation", Param: "patient", Where: []search.Clause{token("identifier", "N5")}}}}}, nil, "SEARCH x USING PRIMARY KEY (key=?"},
}

func token(param, code string) search.Clause {
	return search.Clause{Param: param, Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: code}}}
}

func reference(param, typ, id string) search.Clause {
	return search.Clause{Param: param, Kind: search.KindReference, Any: []search.Operand{search.ReferenceMatch{Type: typ, ID: id}}}
}

func name(text string) search.Clause {
	return search.Clause{Param: "name", Kind: search.KindString, Any: []search.Operand{search.StringMatch{Text: text}}}
}

// date is the n-th minute of the feed, or day of births.
func date(param string, c search.Compare, n int64) search.Clause {
	low, unit := int64(1.7e15)+n*60e6, int64(60e6)
	if param == "birthdate" {
		low, unit = n*86400e6, 86400e6
	}
	return search.Clause{Param: param, Kind: search.KindDate, Any: []search.Operand{search.DateMatch{Compare: c, Low: low, High: low + unit}}}
}

// region fills a store with results and their patients.
func region(t testing.TB, results int) *sqlite.Store {
	t.Helper()
	s := open(t, t.TempDir(), sqlite.Options{})
	fill(t, s, 0, results)
	for from := 0; from < results/10; from += 500 {
		err := s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			for n := from; n < min(from+500, results/10); n++ {
				id := storetest.Observation(n * 10).Patient
				_, err := tx.Put(ctx, &store.Put{Key: store.Key{Type: "Patient", ID: id}, Owner: fmt.Sprint("h", n%3), Patient: id,
					Render: func(number int64, updated time.Time) []byte { return storetest.ObservationBody(n, id, number, updated) },
					Values: search.Values{
						Strings: []search.String{{Param: "name", Folded: fmt.Sprint("name", n), Exact: fmt.Sprint("Name", n)}},
						Dates:   []search.Date{{Param: "birthdate", Low: int64(n) * 86400e6, High: int64(n+1) * 86400e6}},
						Tokens:  []search.Token{{Param: "identifier", System: "urn:id", Code: fmt.Sprint(n)}, {Param: "gender", Code: fmt.Sprint(n % 2)}}}})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The plans must be right without statistics, and stay right with them.
func TestEverydaySearchesStartFromAnIndex(t *testing.T) {
	s := region(t, 8000)
	for _, optimized := range []bool{false, true} {
		if optimized {
			if err := s.Exec(t.Context(), "ANALYZE", true); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range plans {
			for _, later := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, statistics %v, later page %v", tt.name, optimized, later), func(t *testing.T) {
					q := &search.Query{Type: tt.typ, Where: tt.where, Sort: tt.sort, Count: 10,
						Allowed: search.Allowed{Owners: []string{"h0", "h1", "h2"}, Shared: true}}
					if later {
						q.AsOf, q.After = 1<<40, &search.Position{Keys: []string{"i5"}}
						for range tt.sort {
							q.After.Keys = append([]string{"i1700000000000000"}, q.After.Keys...)
						}
					}
					lines, err := s.Explain(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					plan := strings.Join(lines, "\n")
					started := ""
					for _, line := range lines {
						if strings.HasPrefix(line, "SCAN ") && !justMade(line) {
							t.Errorf("%q reads a whole table:\n%s", line, plan)
						}
						if strings.HasPrefix(line, "SEARCH ") && started == "" {
							started = line
						}
					}
					if !strings.HasPrefix(strings.ReplaceAll(started, "COVERING ", ""), tt.start) {
						t.Errorf("it starts with %q, want %q:\n%s", started, tt.start, plan)
					}
					if testing.Verbose() {
						t.Log("\n" + plan)
					}
				})
			}
		}
	}
}

// justMade tells the page that was found, or a list of candidates, from a table.
func justMade(line string) bool {
	table := strings.Fields(line)[1]
	return table == "h" || table == "keyed" || table == "d" || strings.HasPrefix(table, "dr") || strings.HasPrefix(table, "(subquery") || strings.Contains(line, "VIRTUAL TABLE")
}
