package codes_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/mapping/codes"
)

// guideRow is what a table and a ConceptMap say of one code.
type guideRow struct{ Code, Display, System, Target, TargetDisplay, Equivalence, Comment string }

// national are the tables that the alliance's implementation guide shows too.
func national() []string {
	return slices.DeleteFunc(codes.BuiltinNames(), func(name string) bool {
		return !strings.HasPrefix(name, "gb-") && !strings.HasPrefix(name, "cv-")
	})
}

// TestGuideListsTheNationalTables holds the code systems of the alliance's implementation guide to the tables by which
// records are translated, row by row. The names of the tables are the Chinese ones.
func TestGuideListsTheNationalTables(t *testing.T) {
	for _, name := range national() {
		table, _ := codes.Builtin(name)
		system, ok := ig.Guide().Resolve("CodeSystem", guideSystem(table))
		if !ok {
			t.Errorf("%s: the guide has no code system %s", name, guideSystem(table))
			continue
		}
		if got := system.ID(); got != name {
			t.Errorf("%s has the id %s in the guide", name, got)
		}
		var want []guideRow
		for _, e := range table.Entries() {
			want = append(want, guideRow{Code: e.Code, Display: e.Display})
		}
		if diff := cmp.Diff(want, chineseRows(system)); diff != "" {
			t.Errorf("%s (- table, + guide):\n%s", name, diff)
		}
	}
}

// TestGuideTranslatesAsTheNationalTables holds its concept maps to the same tables.
func TestGuideTranslatesAsTheNationalTables(t *testing.T) {
	for _, name := range national() {
		table, _ := codes.Builtin(name)
		own := true // every code stays what it is: nothing to map
		var want []guideRow
		for _, e := range table.Entries() {
			own = own && e.Target.System == table.Source() && e.Target.Code == e.Code
			want = append(want, guideRow{e.Code, e.Display, e.Target.System, e.Target.Code, e.Target.Display, e.Equivalence, e.Comment})
		}
		concepts, ok := ig.Guide().Resolve("ConceptMap", ig.Base+"/ConceptMap/"+name)
		if ok == own {
			t.Errorf("%s: the guide has a concept map: %v", name, ok)
		}
		var got []guideRow
		for _, group := range concepts.Get("group").Items() {
			if source := group.Get("source").Text(); source != guideSystem(table) {
				t.Errorf("%s maps from %s, want %s", name, source, guideSystem(table))
			}
			for _, e := range group.Get("element").Items() {
				for _, to := range e.Get("target").Items() {
					r := guideRow{e.Get("code").Text(), e.Get("display").Text(), group.Get("target").Text(), to.Get("code").Text(), to.Get("display").Text(),
						to.Get("equivalence").Text(), to.Get("comment").Text()}
					if r.Target == "" {
						r.System = ""
					}
					got = append(got, r)
				}
			}
		}
		if own {
			continue
		}
		byCode := func(a, b guideRow) int { return strings.Compare(a.Code, b.Code) }
		slices.SortStableFunc(want, byCode)
		slices.SortStableFunc(got, byCode)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (- table, + guide):\n%s", name, diff)
		}
	}
}

// TestGuideListsTheOrdinals holds the code system of ordinal results to what results become.
func TestGuideListsTheOrdinals(t *testing.T) {
	data, err := codes.OrdinalCodeSystem()
	if err != nil {
		t.Fatal(err)
	}
	own, err := fhir.Parse(data, fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	system, _ := ig.Guide().Resolve("CodeSystem", codes.OrdinalSystem)
	var want []guideRow
	for _, c := range own.Get("concept").Items() {
		want = append(want, guideRow{Code: c.Get("code").Text(), Display: c.Get("display").Text()})
	}
	if diff := cmp.Diff(want, chineseRows(system)); diff != "" {
		t.Errorf("(- gateway, + guide):\n%s", diff)
	}
}

// TestGuideHasEveryOwnCode holds that no built-in table translates into a code of the alliance that the guide does not define.
func TestGuideHasEveryOwnCode(t *testing.T) {
	found := 0
	for _, name := range codes.BuiltinNames() {
		table, _ := codes.Builtin(name)
		for _, e := range table.Entries() {
			if !strings.HasPrefix(e.Target.System, ig.Base+"/") {
				continue
			}
			found++
			system, _ := ig.Guide().Resolve("CodeSystem", e.Target.System)
			if !slices.Contains(chineseRows(system), guideRow{Code: e.Target.Code, Display: e.Target.Display}) {
				t.Errorf("%s: %s becomes %s, which the guide's %s does not have by that name", name, e.Code, e.Target.Code, e.Target.System)
			}
		}
	}
	if found == 0 {
		t.Error("no table has a code of the alliance's own")
	}
}

// guideSystem is the URL that the guide gives the codes of a table: its source, or one of the guide's own.
func guideSystem(table *codes.Table) string {
	if source := table.Source(); source != "" {
		return source
	}
	return ig.Base + "/CodeSystem/" + table.Name()
}

// chineseRows are the codes of a code system with their Chinese names, the first of several.
func chineseRows(system *fhir.Node) []guideRow {
	var out []guideRow
	for _, c := range system.Get("concept").Items() {
		r := guideRow{Code: c.Get("code").Text()}
		for _, d := range c.Get("designation").Items() {
			if r.Display == "" && d.Get("language").Text() == "zh-CN" {
				r.Display = d.Get("value").Text()
			}
		}
		out = append(out, r)
	}
	return out
}
