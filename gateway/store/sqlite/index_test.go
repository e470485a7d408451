package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

func found(t testing.TB, in interface {
	Search(context.Context, *search.Query) (store.Page, error)
}, where ...search.Clause) string {
	t.Helper()
	p, err := in.Search(context.Background(), &search.Query{Type: "Patient", Where: where, Count: 100, Allowed: search.Allowed{All: true}})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 0, len(p.Rows))
	for _, r := range p.Rows {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// Index rows of a group are written late. Here every transaction shares one commit
// with others: some search, some fail after they did.
func TestTransactionsOfAGroupFindWhatThoseBeforeThemWrote(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	failure := errors.New("on purpose")
	block := make(chan struct{})
	running := make(chan struct{})
	results := make(chan error, 100)
	go func() { // holds the writer until all others wait
		results <- s.Update(t.Context(), func(context.Context, store.Tx) error {
			close(running)
			<-block
			return nil
		})
	}()
	<-running
	const members = 30
	for n := range members {
		go func() {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				id := fmt.Sprintf("m%02d", n)
				if n%3 == 1 { // what committed members wrote is found, what failed ones wrote is not
					before := found(t, tx, token("identifier", "shared"))
					for other := range members {
						if strings.Contains(before, fmt.Sprintf("m%02d", other)) && other%3 == 2 {
							t.Errorf("%s finds %q", id, before)
						}
					}
				}
				p := put(id, 0, "{}")
				p.Values.Tokens = append(p.Values.Tokens, search.Token{Param: "identifier", Code: "shared"})
				if _, err := tx.Put(ctx, p); err != nil {
					return err
				}
				if n%3 == 2 {
					if !strings.Contains(found(t, tx, token("identifier", "shared")), id) {
						t.Errorf("%s does not find itself", id)
					}
					return failure
				}
				return nil
			})
			if n%3 == 2 && errors.Is(err, failure) {
				err = nil
			}
			results <- err
		}()
	}
	time.Sleep(50 * time.Millisecond)
	close(block)
	for range members + 1 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	var want []string
	for n := range members {
		if n%3 != 2 {
			want = append(want, fmt.Sprintf("m%02d", n))
		}
	}
	if got := found(t, s, token("identifier", "shared")); got != strings.Join(want, " ") {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAnUpdateLeavesNoOldIndexRows(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	full := search.Values{
		Tokens:     []search.Token{{Param: "code", System: "a", Code: "one", Text: "first"}, {Param: "cv$0", Code: "one", Group: 1}},
		Strings:    []search.String{{Param: "name", Folded: "wang", Exact: "Wang"}, {Param: "cv$1", Folded: "x", Exact: "X", Group: 1}},
		Dates:      []search.Date{{Param: "date", Low: 1, High: 2}, {Param: "date", Low: 5, High: 6}},
		References: []search.Reference{{Param: "patient", Type: "Patient", ID: "p"}, {Param: "subject", URL: "http://a"}, {Param: "other", System: "s", Value: "v"}},
		Numbers:    []search.Number{{Param: "n", Low: 1, High: 2}},
		Quantities: []search.Quantity{{Param: "q", Low: 1, High: 2, System: "u", Code: "g", CanonicalCode: "g", CanonicalLow: 1, CanonicalHigh: 2}},
		URIs:       []search.URI{{Param: "url", Value: "http://a/b"}},
		Texts:      []search.Text{{Param: "_text", Terms: []string{"a", "b"}}},
	}
	tables := []string{"index_key", "index_string", "index_date", "index_number", "index_text", "index_gram_docsize"}
	counts := func() (out []int64) {
		for _, table := range tables {
			n, err := s.Count(t.Context(), table)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		return out
	}
	p := put("a", 0, "{}")
	p.Values = full
	if err := write(s, p); err != nil {
		t.Fatal(err)
	}
	if got, want := counts(), []int64{6, 3, 2, 3, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("%v has %v rows, want %v", tables, got, want)
	}
	for n, step := range []struct {
		values search.Values
		want   []int64
	}{
		{full, []int64{6, 3, 2, 3, 1, 1}},
		{search.Values{Tokens: full.Tokens[:1]}, []int64{1, 1, 0, 0, 0, 0}},
		{full, []int64{6, 3, 2, 3, 1, 1}},
		{search.Values{}, []int64{0, 0, 0, 0, 0, 0}},
	} {
		p := put("a", int64(n+1), "{}")
		p.Values = step.values
		if err := write(s, p); err != nil {
			t.Fatal(err)
		}
		if got := counts(); !slices.Equal(got, step.want) {
			t.Errorf("after version %d %v has %v rows, want %v", n+2, tables, got, step.want)
		}
	}
}

func TestLongTextsAreComparedWhole(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	long := strings.Repeat("长", 200) // 600 bytes, more than the index holds
	for id, text := range map[string]string{"a": long + "a", "b": long + "b", "c": long, "d": long[:3]} {
		p := put(id, 0, "{}")
		p.Values = search.Values{Strings: []search.String{{Param: "name", Folded: text, Exact: text}},
			URIs: []search.URI{{Param: "url", Value: "http://" + text + "/x"}}}
		if err := write(s, p); err != nil {
			t.Fatal(err)
		}
	}
	name := func(mode search.StringMode, text string) search.Clause {
		return search.Clause{Param: "name", Kind: search.KindString, Any: []search.Operand{search.StringMatch{Mode: mode, Text: text}}}
	}
	url := func(m search.URIMatch) search.Clause {
		return search.Clause{Param: "url", Kind: search.KindURI, Any: []search.Operand{m}}
	}
	for _, tt := range []struct {
		name  string
		where search.Clause
		want  string
	}{
		{"prefix", name(search.Prefix, long+"a"), "a"},
		{"prefix of all", name(search.Prefix, long[:3]), "a b c d"},
		{"whole", name(search.Equal, long), "c"},
		{"as written", name(search.Exact, long+"b"), "b"},
		{"end", name(search.Suffix, "长b"), "b"},
		{"inside", name(search.Contains, "长a"), "a"},
		{"long inside", name(search.Contains, long), "a b c"},
		{"one character", name(search.Contains, "b"), "b"},
		{"uri", url(search.URIMatch{Value: "http://" + long + "a/x"}), "a"},
		{"below a long uri", url(search.URIMatch{Value: "http://" + long + "b", Below: true}), "b"},
		{"below another", url(search.URIMatch{Value: "http://" + long + "b/y", Below: true}), ""},
		{"above a long uri", url(search.URIMatch{Value: "http://" + long + "a/x/y", Above: true}), "a"},
	} {
		if got := found(t, s, tt.where); got != tt.want {
			t.Errorf("%s finds %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTextsLongerThanTheGramsAreStillFound(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	p := put("a", 0, "{}")
	p.Values = search.Values{Strings: []search.String{{Param: "name", Folded: strings.Repeat("x", 2000) + "王小明", Exact: "-"}}}
	if err := write(s, p); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"小明": "a", "明": "a", "明小": "", "y": ""} {
		if got := found(t, s, search.Clause{Param: "name", Kind: search.KindString,
			Any: []search.Operand{search.StringMatch{Mode: search.Contains, Text: text}}}); got != want {
			t.Errorf("%s finds %q, want %q", text, got, want)
		}
	}
}

func TestChangesNeverRunBackAfterAnExpungeAndARestart(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if err := write(s, put(id, 0, "{}")); err != nil {
			t.Fatal(err)
		}
	}
	newest, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return tx.Expunge(ctx, newest.Key) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, sqlite.Options{Now: func() time.Time { return time.UnixMicro(1) }})
	if err := write(s, put("c", 0, "{}")); err != nil {
		t.Fatal(err)
	}
	later, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if later.Change <= newest.Change || later.Updated.Before(newest.Updated) {
		t.Errorf("after change %d of %s came change %d of %s", newest.Change, newest.Updated, later.Change, later.Updated)
	}
	if got := found(t, s, token("identifier", "b")); got != "" {
		t.Errorf("what was expunged is found: %q", got)
	}
}

func TestAnEstimateStopsCounting(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{EstimateRows: 7})
	fill(t, s, 0, 20)
	for total, want := range map[search.Total]int{search.TotalEstimate: 7, search.TotalAccurate: 20, search.TotalNone: -1} {
		p, err := s.Search(t.Context(), &search.Query{Type: "Observation", Where: []search.Clause{token("status", "final")}, Count: 3,
			Total: total, Allowed: search.Allowed{All: true}})
		if err != nil || p.Total != want || len(p.Rows) != 3 {
			t.Errorf("total %d: %d, %d rows, %v; want %d", total, p.Total, len(p.Rows), err, want)
		}
	}
}

func TestStatisticsAreGatheredAfterABulkLoad(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{AnalyzeFrom: 100})
	fill(t, s, 0, 99)
	if _, err := s.Count(t.Context(), "sqlite_stat1"); err == nil {
		t.Error("there are statistics of a small store")
	}
	fill(t, s, 99, 101)
	if err := s.Exec(t.Context(), "SELECT 1", true); err != nil { // behind the group that gathers them
		t.Fatal(err)
	}
	if n, err := s.Count(t.Context(), "sqlite_stat1 WHERE tbl = 'index_key'"); err != nil || n == 0 {
		t.Errorf("%d rows of statistics, %v", n, err)
	}
}
