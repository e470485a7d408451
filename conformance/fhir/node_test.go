package fhir_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

func parse(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNilNodeReadsAsAbsent(t *testing.T) {
	var n *fhir.Node
	if n.Get("a").Path("b", "c").At(0).Text() != "" || n.Len() != 0 || n.Kind() != fhir.Null || len(n.Items()) != 0 {
		t.Error("a nil node should read as absent")
	}
	for range n.All() {
		t.Error("a nil node has nothing to yield")
	}
}

func TestElementsPairPrimitivesWithTheirExtensions(t *testing.T) {
	n := parse(t, `{"given":["a",null,"c"],"_given":[null,{"id":"x"},null,{"id":"y"}],"birthDate":"2000","_birthDate":{"id":"z"},"_gender":{"id":"g"}}`)
	type pair struct{ value, id string }
	collect := func(name string) (got []pair) {
		for _, e := range n.Elements(name) {
			got = append(got, pair{e.Value.Text(), e.Extra.ID()})
		}
		return got
	}
	for name, want := range map[string][]pair{
		"given":     {{"a", ""}, {"", "x"}, {"c", ""}, {"", "y"}},
		"birthDate": {{"2000", "z"}},
		"gender":    {{"", "g"}},
		"absent":    nil,
	} {
		got := collect(name)
		if len(got) != len(want) {
			t.Fatalf("%s: got %v, want %v", name, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
	}
}

func TestEqualContent(t *testing.T) {
	base := `{"resourceType":"Patient","id":"1","meta":{"versionId":"1","lastUpdated":"2024-01-01T00:00:00Z","source":"x","tag":[{"code":"t"}]},"active":true}`
	for _, tt := range []struct {
		name, other string
		want        bool
	}{
		{"server's meta does not count", `{"resourceType":"Patient","id":"1","meta":{"tag":[{"code":"t"}]},"active":true}`, true},
		{"property order does not count", `{"active":true,"meta":{"tag":[{"code":"t"}],"versionId":"9"},"id":"1","resourceType":"Patient"}`, true},
		{"tags count", `{"resourceType":"Patient","id":"1","meta":{"versionId":"1"},"active":true}`, false},
		{"values count", `{"resourceType":"Patient","id":"1","meta":{"tag":[{"code":"t"}]},"active":false}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fhir.EqualContent(parse(t, base), parse(t, tt.other)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if fhir.EqualContent(parse(t, `{"a":[1,2]}`), parse(t, `{"a":[2,1]}`)) {
		t.Error("array order counts")
	}
	if fhir.EqualContent(parse(t, `{"a":1.0}`), parse(t, `{"a":1.00}`)) {
		t.Error("precision counts")
	}
	if !fhir.EqualContent(parse(t, `{"meta":{"versionId":"1"},"a":1}`), parse(t, `{"a":1}`)) {
		t.Error("a meta of the server's alone equals no meta")
	}
}

func TestEditing(t *testing.T) {
	n := parse(t, `{"a":1,"b":[1,2],"c":3}`)
	before := n.Clone()
	n.Set("b", fhir.NewString("x")).Set("d", fhir.NewArray(fhir.NewBool(true))).Set("c", nil)
	n.Get("d").Append(fhir.NewNull())
	n.Get("d").InsertAt(0, fhir.NewNumber("1.50"))
	n.Get("d").RemoveAt(1)
	n.Prepend("z", fhir.NewObject())
	if got, want := string(n.AppendJSON(nil)), `{"z":{},"a":1,"b":"x","d":[1.50,null]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(before.AppendJSON(nil)), `{"a":1,"b":[1,2],"c":3}`; got != want {
		t.Errorf("the clone changed: %s", got)
	}
}

func TestSetPositionIsRememberedUpToTheLastLine(t *testing.T) {
	for _, tt := range []struct{ line, column, want int }{{1, 1, 1}, {70_000, 3, 70_000}, {1<<24 - 1, 9, 1<<24 - 1}, {1 << 24, 9, 1<<24 - 1}} {
		line, column := fhir.NewBool(true).SetPosition(tt.line, tt.column).Position()
		if line != tt.want || column != tt.column {
			t.Errorf("got %d:%d, want %d:%d", line, column, tt.want, tt.column)
		}
	}
}

func TestPairFindsAPrimitiveAndWhatStandsBesideIt(t *testing.T) {
	n := parse(t, `{"_a":{"id":"1"},"b":2,"_b":null,"ab":3,"_c":{"id":"4"}}`)
	for _, row := range []struct{ name, value, beside string }{
		{"a", "", `{"id":"1"}`}, {"b", "2", "null"}, {"ab", "3", ""}, {"c", "", `{"id":"4"}`}, {"d", "", ""}, {"", "", ""},
	} {
		value, beside := n.Pair(row.name)
		if got := string(value.AppendJSON(nil)); value != nil && got != row.value || value == nil && row.value != "" {
			t.Errorf("%s: got %s, want %s", row.name, got, row.value)
		}
		if got := string(beside.AppendJSON(nil)); beside != nil && got != row.beside || beside == nil && row.beside != "" {
			t.Errorf("%s: beside it %s, want %s", row.name, got, row.beside)
		}
	}
	for _, none := range []*fhir.Node{nil, fhir.NewArray(), fhir.NewString("a")} {
		if value, beside := none.Pair("a"); value != nil || beside != nil {
			t.Errorf("a pair in %v", none.Kind())
		}
	}
}
