package compare_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/compare"
)

const institution = "format: 1\nid: hospital\nname: 医院\nsources:\n  his: {format: csv, tables: {VISIT: \"VISIT*.csv\", DIAG: \"DIAG*.csv\"}}\n  lis: {format: json}\n"

const report = `format: 1
map: report
reads: {format: json, where: {no: present}}
version: {time: time}
lane: who
resources:
  patient:
    type: Patient
    key: [who]
    write: merge
    set:
      identifier: {from: who, as: identifier, system: patient}
  observation:
    type: Observation
    each: items
    key: [/no, code]
    write: replace
    set:
      status: =final
      code: {from: code, as: codeable, text: name}
      subject: {ref: patient}
      value[x]: {from: value, as: result, with: {unit: unit}}
`

const visit = `format: 1
map: visit
reads:
  format: csv
  table: VISIT
  join: {diag: {table: DIAG, on: {NO: NO}, many: true}}
row: NO
resources:
  patient:
    type: Patient
    key: [WHO]
    write: update
    set:
      identifier: {from: WHO, as: identifier, system: patient}
`

var corpus = []compare.Delivery{
	{Source: "lis", Files: []mapping.File{{Name: "r.json", Bytes: []byte(`[
{"no":"1","who":"A","time":"2025-01-01 08:00","items":[{"code":"x","name":"钾","value":"4.10","unit":"mmol/L"},{"code":"y","name":"钠","value":"140","unit":"mmol/L"}]},
{"no":"2","who":"B","time":"2025-01-02 08:00","items":[{"code":"x","name":"钾","value":"3.9","unit":"mmol/L"}]}]`)}}},
	{Source: "his", Files: []mapping.File{
		{Name: "VISIT.csv", Bytes: []byte("NO,WHO\n1,A\n2,B\n")},
		{Name: "DIAG.csv", Bytes: []byte("NO,CODE\n1,I10\n")},
	}},
}

func load(t testing.TB, files map[string]string) *mapping.Institution {
	t.Helper()
	fsys := fstest.MapFS{"institution.yaml": {Data: []byte(institution)}}
	for name, text := range files {
		fsys["maps/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	inst, err := mapping.Load(fsys, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

func each(list []compare.Delivery) iter.Seq2[compare.Delivery, error] {
	return func(yield func(compare.Delivery, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func run(t testing.TB, old, now map[string]string, o compare.Options) *compare.Report {
	t.Helper()
	o.Salt = []byte("salt")
	rep, err := compare.Run(context.Background(), load(t, old), load(t, now), each(corpus), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// lines are the changes as "kind type element issue count: old -> new of the first example".
func lines(rep *compare.Report) []string {
	var out []string
	for _, c := range rep.Changes {
		e := c.Examples[0]
		what := strings.Join(strings.Fields(fmt.Sprint(c.Kind, " ", c.Type, " ", c.Element, " ", c.Issue)), " ")
		out = append(out, fmt.Sprintf("%s %d: %s:%d %s -> %s", what, c.Count, e.File, e.Line, e.Old, e.New))
	}
	return out
}

func TestWhatAChangeOfMapsChanges(t *testing.T) {
	both := map[string]string{"report.yaml": report, "visit.yaml": visit}
	for _, tt := range []struct {
		name      string
		old, with string // in both maps
		changed   int
		want      []string
	}{
		{"nothing", "", "", 0, nil},
		{"a literal", "status: =final", "status: =amended", 2, []string{"element-changed Observation Observation.status 3: r.json:2 final -> amended"}},
		{"an element goes", "      subject: {ref: patient}\n", "", 2, []string{"element-removed Observation Observation.subject.reference 3"}},
		{"an element comes", "      status: =final\n", "      status: =final\n      effectiveDateTime: /time\n", 2, []string{"element-added Observation Observation.effectiveDateTime 3"}},
		{"a way of writing", "write: merge", "write: update", 2, []string{"write-changed Patient 2: r.json:2 merge -> update"}},
		{"a key", "key: [/no, code]", "key: [/no, name]", 2, []string{"resource-removed Observation 3", "resource-added Observation 3"}},
		{"a lane", "lane: who", "lane: no", 2, []string{"ordered 2"}},
		{"records without a map", "{no: present}", "{other: present}", 2, []string{"refused 2", "issue-added"}},
		{"a joined table", "CODE", "CODE", 0, nil},
		{"rows without their table", "table: VISIT", "table: DIAG", 3, []string{"record-removed", "record-added"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := map[string]string{}
			for name, text := range both {
				now[name] = strings.Replace(text, tt.old, tt.with, 1)
			}
			if tt.with == "table: DIAG" {
				now["visit.yaml"] = strings.Replace(strings.Replace(visit, "table: VISIT", "table: DIAG", 1), "{table: DIAG, on: {NO: NO}, many: true}", "{table: VISIT, on: {NO: NO}}", 1)
				now["visit.yaml"] = strings.ReplaceAll(strings.ReplaceAll(now["visit.yaml"], "WHO", "NO"), "row: NO", "row: [NO]")
			}
			rep := run(t, both, now, compare.Options{})
			if rep.Changed != tt.changed {
				t.Errorf("%d records differ, want %d: %v", rep.Changed, tt.changed, lines(rep))
			}
			got := lines(rep)
			for _, want := range tt.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }) {
					t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
				}
			}
			if tt.want == nil && !rep.Same() {
				t.Errorf("differs: %v", got)
			}
		})
	}
}

func TestOnlyTheChangedMapIsTold(t *testing.T) {
	old := map[string]string{"report.yaml": report, "visit.yaml": visit}
	now := map[string]string{"report.yaml": strings.Replace(report, "text: name", "text: code", 1), "visit.yaml": visit}
	rep := run(t, old, now, compare.Options{})
	want := []string{"element-changed Observation Observation.code.text 3: r.json:2 钾 -> x"}
	var got []string
	for _, line := range lines(rep) {
		if strings.Contains(line, "code.text") {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rep.Records != 4 || rep.Changed != 2 {
		t.Errorf("%d of %d records differ, want 2 of 4", rep.Changed, rep.Records)
	}
}

func TestExamplesAndKindsAreBounded(t *testing.T) {
	old := map[string]string{"report.yaml": report, "visit.yaml": visit}
	now := map[string]string{"report.yaml": strings.NewReplacer("status: =final", "status: =amended", "text: name", "text: code").Replace(report), "visit.yaml": visit}
	rep := run(t, old, now, compare.Options{Examples: 1, Kinds: 1})
	if len(rep.Changes) != 1 || len(rep.Changes[0].Examples) != 1 {
		t.Fatalf("%d kinds with %d examples, want one of each", len(rep.Changes), len(rep.Changes[0].Examples))
	}
	if rep.Untold == 0 {
		t.Error("differences beyond the limit are not counted")
	}
}

func TestAnErrorOfADeliveryNamesTheVersion(t *testing.T) {
	old := map[string]string{"visit.yaml": visit}
	now := map[string]string{"visit.yaml": strings.Replace(visit, "on: {NO: NO}", "on: {NO: NUMBER}", 1)}
	_, err := compare.Run(context.Background(), load(t, old), load(t, now), each(corpus), compare.Options{Salt: []byte("salt")})
	if err == nil || !strings.Contains(err.Error(), "new maps") {
		t.Errorf("got %v, want an error of the new maps", err)
	}
}

func TestACanceledComparisonEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	maps := map[string]string{"report.yaml": report, "visit.yaml": visit}
	if _, err := compare.Run(ctx, load(t, maps), load(t, maps), each(corpus), compare.Options{Salt: []byte("salt")}); err == nil {
		t.Error("want the error of the context")
	}
}
