package codesystem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/codesystem"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// diseases is a table of n codes and more, shaped as a classification of diseases.
func diseases(n int) string {
	var b strings.Builder
	b.WriteString("\ufeffcode,name,english,chapter,state,group,note\n")
	parts, kinds := []string{"肺", "胃", "心脏", "肾", "皮肤", "关节"}, []string{"急性", "慢性", "先天性", "未特指的"}
	for i := 0; n > 0; i++ {
		letter, number := 'A'+rune(i/100%26), i%100
		chapter := fmt.Sprintf("%c%02d", letter, number)
		if i >= 2600 {
			chapter += fmt.Sprint("X", i/2600)
		}
		fmt.Fprintf(&b, "%s,%s疾病,Diseases of Kind %d,%c,active,Y,\n", chapter, parts[i%6], i, letter)
		n--
		for j := 0; j < 10 && n > 0; j++ {
			fmt.Fprintf(&b, "%s.%d,%s%s疾病,\"Disease %d, part %d\",%c,%s,,\"a|%d\"\n", chapter, j, kinds[j%4], parts[i%6], i, j, letter, []string{"active", "retired"}[j/9], j)
			n--
			for k := 1; k < 6 && j < 3 && n > 0; k++ {
				fmt.Fprintf(&b, "%s.%d%02d,%s%s疾病 %d型,,%c,active,,\n", chapter, j, k, kinds[j%4], parts[i%6], k, letter)
				n--
			}
		}
	}
	return b.String()
}

func diseaseTable() terminology.Table {
	return terminology.Table{Description: terminology.Description{URL: "urn:diseases", Version: "10", Language: "zh-CN", CaseSensitive: true, ValueSet: "urn:diseases/vs"}, Prefixes: true,
		Columns: terminology.Columns{Code: "code", Display: "name", Status: "state", Abstract: "group", Designations: map[string]string{"en": "english"},
			Properties: map[string]string{"chapter": "chapter", "note": "note"}}, Inactive: []string{"retired"}}
}

// tangled has codes that come twice, parents that come later, several, missing, and in a circle.
const tangled = "code,name,def,up\n" +
	"a,Erste,what a is,d|c\n" +
	"B,Zweite Ätiologie,,a\n" +
	"c,,what c is,\n" +
	"a,Again,other,c\n" +
	"d,Vierte,,e\n" +
	"e,Fünfte,,d|nowhere\n" +
	"F,ＦＵＬＬ width,,B|c|B\n" +
	"g,G,,F|g\n"

func tangledTable() terminology.Table {
	return terminology.Table{Description: terminology.Description{URL: "urn:tangled"},
		Columns: terminology.Columns{Code: "code", Display: "name", Definition: "def", Parent: "up"}}
}

func open(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func reader(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// both makes the same code system in memory and in a store.
func both(t testing.TB, s *sqlite.Store, table terminology.Table, text string) (m, x terminology.CodeSystem) {
	t.Helper()
	memory, wrong, err := terminology.ReadCSV(strings.NewReader(text), table, terminology.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, issues, err := codesystem.ImportTable(t.Context(), s, table, reader(text), terminology.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts(wrong), texts(issues)); diff != "" {
		t.Errorf("issues (-memory +store):\n%s", diff)
	}
	stored, err := codesystem.New(s, got)
	if err != nil {
		t.Fatal(err)
	}
	return memory, stored
}

func texts(issues []fhir.Issue) (list []string) {
	for _, i := range issues {
		list = append(list, i.Text)
	}
	return list
}

// answer is what a code system says to a query: how many, the first ones, and those from a place on.
func answer(t *testing.T, s terminology.CodeSystem, q terminology.Query) (a struct {
	Count int
	First []terminology.Concept
	Later []terminology.Concept
	Has   []bool
	Err   string
}) {
	t.Helper()
	selected, err := s.Select(t.Context(), q)
	if err != nil {
		var refusal *terminology.Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("not refused, but failed: %v", err)
		}
		a.Err = err.Error()
		return a
	}
	a.Count = selected.Count()
	take := func(from, limit int) (list []terminology.Concept) {
		for c, err := range selected.From(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			if list = append(list, c); len(list) == limit {
				break
			}
		}
		return list
	}
	a.First, a.Later = take(-1, 1200), take(a.Count*2/3, 60)
	if got := take(a.Count, 1); len(got) > 0 {
		t.Error("there is one behind the last")
	}
	for _, code := range []string{"A01", "A01.1", "a", "A", "F", "nothing"} {
		has, err := selected.Has(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		a.Has = append(a.Has, has)
	}
	return a
}

func TestAnswersAsMemoryDoes(t *testing.T) {
	size := 40_000
	if testing.Short() {
		size = 3000
	}
	filter := func(property string, op terminology.Op, value string) terminology.Query {
		return terminology.Query{Filters: []terminology.Filter{{Property: property, Op: op, Value: value}}}
	}
	queries := []terminology.Query{
		{}, {Text: "  "}, {Text: "肺"}, {Text: "急性 肺"}, {Text: "DISEASE part"}, {Text: "a01."}, {Text: "atiologie"}, {Text: "full"}, {Text: "nothing at all"},
		{Text: strings.Repeat("x", terminology.MaxWordBytes+1)}, {Text: strings.Repeat("x ", terminology.MaxWords+1)},
		filter("concept", terminology.OpIsA, "A01"), filter("code", terminology.OpDescendentOf, "A01"), filter("concept", terminology.OpIsNotA, "A01"),
		filter("concept", terminology.OpGeneralizes, "A01.101"), filter("concept", terminology.OpIsA, "nothing"), filter("display", terminology.OpIsA, "A01"),
		filter("concept", terminology.OpIsA, "c"), filter("concept", terminology.OpDescendentOf, "A"), filter("concept", terminology.OpGeneralizes, "g"),
		filter("code", terminology.OpRegex, `B\d\d\.1`), filter("code", terminology.OpRegex, `(`), filter("display", terminology.OpRegex, `.*性肺疾病`),
		filter("code", terminology.OpEqual, "A01"), filter("code", terminology.OpEqual, "f"), filter("code", terminology.OpIn, "A01, A02,F"), filter("code", terminology.OpNotIn, "A01,F,c"),
		filter("chapter", terminology.OpEqual, "B"), filter("chapter", terminology.OpIn, "A,C"), filter("chapter", terminology.OpNotIn, "A,C"), filter("note", terminology.OpExists, "true"),
		filter("note", terminology.OpExists, "false"), filter("note", terminology.OpNotIn, "a|1"), filter("note", terminology.OpExists, "perhaps"), filter("unknown", terminology.OpEqual, "x"),
		filter("definition", terminology.OpExists, "true"), filter("definition", terminology.OpRegex, "what.*"), filter("display", terminology.OpExists, "false"),
		filter("parent", terminology.OpEqual, "A01"), filter("parent", terminology.OpExists, "false"), filter("child", terminology.OpEqual, "A01.1"), filter("child", terminology.OpExists, "true"),
		filter("child", terminology.OpRegex, "A01.*"), filter("child", terminology.OpNotIn, "B,F"), filter("parent", terminology.OpNotIn, "c"), filter("inactive", terminology.OpEqual, "true"),
		filter("abstract", terminology.OpEqual, "true"), filter("notSelectable", terminology.OpEqual, "false"), filter("code", "like", "A01"),
		{Filters: []terminology.Filter{{Property: "concept", Op: terminology.OpIsA, Value: "A01"}, {Property: "inactive", Op: terminology.OpEqual, Value: "false"}}, Text: "急性"},
	}
	codes := []string{"A01", "A01.1", "A01.101", "a01", "A", "a", "b", "B", "c", "d", "e", "f", "g", "", "nothing", "'", "A01 "}
	shared := open(t)
	for _, tt := range []struct {
		name  string
		table terminology.Table
		text  string
	}{{"diseases", diseaseTable(), diseases(size)}, {"tangled", tangledTable(), tangled}, {"empty", tangledTable(), "code,name,def,up\n"}} {
		t.Run(tt.name, func(t *testing.T) {
			m, x := both(t, shared, tt.table, tt.text)
			if diff := cmp.Diff(m.Describe(), x.Describe()); diff != "" {
				t.Errorf("description (-memory +store):\n%s", diff)
			}
			for _, q := range queries {
				if diff := cmp.Diff(answer(t, m, q), answer(t, x, q)); diff != "" {
					t.Errorf("%+v (-memory +store):\n%s", q, diff)
				}
			}
			for _, code := range codes {
				type known struct {
					Concept terminology.Concept
					There   bool
					Details terminology.Details
				}
				ask := func(s terminology.CodeSystem) (k known) {
					var err, failed error
					k.Concept, k.There, err = s.Lookup(t.Context(), code)
					k.Details, _, failed = s.Details(t.Context(), code)
					if err != nil || failed != nil {
						t.Error(err, failed)
					}
					return k
				}
				if diff := cmp.Diff(ask(m), ask(x)); diff != "" {
					t.Errorf("%q (-memory +store):\n%s", code, diff)
				}
				for _, other := range codes {
					want, wrong := m.Subsumes(t.Context(), code, other)
					got, err := x.Subsumes(t.Context(), code, other)
					if got != want || fmt.Sprint(err) != fmt.Sprint(wrong) {
						t.Errorf("%q subsumes %q: %v %v, in memory %v %v", code, other, got, err, want, wrong)
					}
				}
			}
		})
	}
}

func TestACodeSystemThatIsReadAlreadyIsImportedWithAllItHas(t *testing.T) {
	n, err := fhir.Parse([]byte(`{"resourceType":"CodeSystem","url":"urn:read","version":"2","content":"complete","caseSensitive":true,"concept":[
		{"code":"a","display":"A","property":[{"code":"mass","valueDecimal":1.50},{"code":"kind","valueCoding":{"system":"urn:k","code":"x","display":"X"}}],
			"concept":[{"code":"b","designation":[{"language":"de","use":{"system":"urn:u","code":"s"},"value":"Bé"}],"property":[{"code":"parent","valueCode":"c"}]}]},
		{"code":"c","definition":"C it is","property":[{"code":"child","valueCode":"a"},{"code":"notSelectable","valueBoolean":true}]}]}`), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := terminology.Read(n, terminology.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	if _, err := codesystem.Import(t.Context(), s, m, terminology.Limits{}); err != nil {
		t.Fatal(err)
	}
	list, err := codesystem.Library{Store: s}.Systems(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if diff := cmp.Diff(m.Describe(), list[0].Describe()); diff != "" {
		t.Errorf("description (-memory +store):\n%s", diff)
	}
	for _, code := range []string{"a", "b", "c"} {
		want, _, _ := m.Details(t.Context(), code)
		got, _, err := list[0].Details(t.Context(), code)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-memory +store): %v\n%s", code, err, diff)
		}
	}
	q := terminology.Query{Filters: []terminology.Filter{{Property: "kind", Op: terminology.OpEqual, Value: "x"}}}
	if diff := cmp.Diff(answer(t, m, q), answer(t, list[0], q)); diff != "" {
		t.Errorf("(-memory +store):\n%s", diff)
	}
}

func TestImportRefuses(t *testing.T) {
	s := open(t)
	plain := tangledTable()
	second := 0
	for _, tt := range []struct {
		name, text, want string
		limits           terminology.Limits
		open             func() (io.ReadCloser, error)
	}{
		{name: "no header", want: "the table has no header"},
		{name: "a column that is not there", text: "code,name\n", want: "the header has no column def"},
		{name: "a row without a code", text: "code,name,def,up\n,x,,\n", want: "line 2: it has no code"},
		{name: "no UTF-8", text: "code,name,def,up\na,\xff,,\n", want: "line 2: it is not UTF-8"},
		{name: "a row over the limit", text: "code,name,def,up\na,\"" + strings.Repeat("x", terminology.DefaultMaxRow+8192), want: "1048576 bytes"},
		{name: "too many codes", text: "code,name,def,up\na,,,\nb,,,\n", limits: terminology.Limits{Concepts: 1}, want: "1 concepts"},
		{name: "a table that changes", want: "the table changed while it was imported", open: func() (io.ReadCloser, error) {
			second++
			return io.NopCloser(strings.NewReader("code,name,def,up\n" + strings.Repeat("a,,,\n", second%2) + "b,,,\n")), nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.open == nil {
				tt.open = reader(tt.text)
			}
			_, _, err := codesystem.ImportTable(t.Context(), s, plain, tt.open, tt.limits)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if list, err := s.CodeSystems(t.Context()); err != nil || len(list) > 0 {
		t.Error("something was imported", list, err)
	}
}

func TestWhatWasReplacedSaysSo(t *testing.T) {
	s := open(t)
	_, old := both(t, s, tangledTable(), tangled)
	lib := codesystem.Library{Store: s}
	before, err := lib.Imports(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	both(t, s, tangledTable(), "code,name,def,up\nz,,,\n")
	if after, err := lib.Imports(t.Context()); err != nil || after == before {
		t.Error("nobody can tell that something was imported", err)
	}
	if _, _, err := old.Lookup(t.Context(), "a"); !errors.Is(err, store.ErrCodeSystem) {
		t.Error(err)
	}
	if _, err := old.Select(t.Context(), terminology.Query{Text: "x"}); !errors.Is(err, store.ErrCodeSystem) {
		t.Error(err)
	}
}

func TestAnImportEndsWithItsContext(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := codesystem.ImportTable(ctx, s, tangledTable(), reader(tangled), terminology.Limits{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if list, err := s.CodeSystems(t.Context()); err != nil || len(list) > 0 {
		t.Error("something was imported", list, err)
	}
}
