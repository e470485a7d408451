package draft_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
	"github.com/yilian/yilian/mapping/draft"
)

const deliveries = "../../testdata/alliance/deliveries/"

// samples reads the files that a pattern fits.
func samples(t testing.TB, patterns ...string) []mapping.File {
	t.Helper()
	var files []mapping.File
	for _, p := range patterns {
		names, err := filepath.Glob(p)
		if err != nil || len(names) == 0 {
			t.Fatalf("no samples at %s (%v)", p, err)
		}
		for _, n := range names {
			data, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, mapping.File{Name: n, Bytes: data})
		}
	}
	return files
}

func from(t testing.TB, files []mapping.File, o draft.Options) *draft.Draft {
	t.Helper()
	d, err := draft.From(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// truth reads testdata/truth.txt: by delivery, by table and column, what it may be taken for.
func truth(t testing.TB) map[string]map[[2]string][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/truth.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[[2]string][]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head := strings.SplitN(line, " ", 3)
		if all[head[0]] == nil {
			all[head[0]] = map[[2]string][]string{}
		}
		for _, pair := range strings.Split(head[2], ";") {
			column, concepts, ok := strings.Cut(strings.TrimSpace(pair), " ")
			if !ok {
				t.Fatalf("truth: %q", pair)
			}
			all[head[0]][[2]string{head[1], column}] = strings.Split(concepts, "|")
		}
	}
	return all
}

// The records of the demo alliance were not what the lexicon was made for: it must do without their maps.
func TestColumnsOfTheAllianceAreGuessed(t *testing.T) {
	right, wrong, asked, unknown, total := 0, 0, 0, 0, 0
	all := truth(t)
	for name, pattern := range map[string]string{"county": "*-county-hospital-*/*.csv", "regional": "*-regional-lab-*/*.json", "township": "*-township-center-*/*.xls*",
		"clinic": "*-community-center-clinic/*.xml"} {
		d := from(t, samples(t, deliveries+pattern), draft.Options{})
		seen := map[[2]string]bool{}
		r, w, a, u := 0, 0, 0, 0
		for _, table := range d.Tables {
			for _, f := range table.Fields {
				at := [2]string{table.Name, f.Path}
				want, ok := all[name][at]
				if !ok {
					t.Errorf("%s: %s %s is not in the list", name, table.Name, f.Path)
					continue
				}
				seen[at] = true
				switch {
				case want[0] == "?" && f.Concept == "":
					u++
				case f.Concept == "":
					a++
					t.Logf("%s %s %s: asked, it is %v", name, table.Name, f.Path, want)
				case slices.Contains(want, f.Concept):
					r++
				default:
					w++
					t.Logf("%s %s %s: taken for %s, it is %v", name, table.Name, f.Path, f.Concept, want)
				}
			}
		}
		for at := range all[name] {
			if !seen[at] {
				t.Errorf("%s: nothing was said about %v", name, at)
			}
		}
		t.Logf("%s: %d right, %d wrong, %d asked, %d rightly asked", name, r, w, a, u)
		right, wrong, asked, unknown = right+r, wrong+w, asked+a, unknown+u
		total += r + w + a + u
	}
	t.Logf("all: %d columns: %d right, %d wrong, %d asked, %d rightly asked", total, right, wrong, asked, unknown)
	if known := total - unknown; right*100 < 85*known {
		t.Errorf("%d of %d columns are guessed right; want at least 85 in a hundred", right, known)
	}
	if wrong*100 > 3*total {
		t.Errorf("%d of %d columns are guessed wrong; want at most 3 in a hundred", wrong, total)
	}
}

// The drafted folders load without a finding, map every sample that can be read, and their cases pass.
func TestDraftedFoldersLoadAndMapTheirSamples(t *testing.T) {
	for _, c := range []struct{ name, pattern string }{
		{"tables", "*-county-hospital-*/*.csv"},
		{"documents in JSON", "*-regional-lab-*/*.json"},
		{"messages", "*-city-hospital-*/*.hl7"},
		{"workbooks", "*-township-center-*/*.xls*"},
		{"documents in XML", "*-community-center-*/*.xml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := samples(t, deliveries+c.pattern)
			d := from(t, files, draft.Options{ID: "new-hospital", Name: "新医院"})
			inst := load(t, d)
			if len(inst.Warnings()) > 0 {
				t.Errorf("warning: %s", inst.Warnings()[0])
			}
			refused, made := 0, 0
			for cut, err := range inst.Open("", files, mapping.IntakeLimits{}).Records() {
				if err != nil {
					t.Fatal(err)
				}
				if cut.Err != nil {
					t.Logf("not read: %s", cut.Err)
					refused++
					continue
				}
				res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("x")})
				if err != nil {
					t.Fatal(err)
				}
				if res.Rejected() {
					refused++
					t.Logf("refused: %v", res.Issues)
				}
				made += len(res.Resources)
			}
			if refused > 0 || made == 0 || d.Refused > 0 {
				t.Errorf("%d records refused, %d resources made, %d findings told", refused, made, d.Refused)
			}
			runCases(t, inst, d, 1)
			for _, f := range d.Files {
				if f.Name == "TODO.md" && len(f.Bytes) < 100 {
					t.Error("nothing is asked")
				}
			}
		})
	}
}

// load loads a draft as a folder on disk is loaded.
func load(t testing.TB, d *draft.Draft) *mapping.Institution {
	t.Helper()
	dir := t.TempDir()
	for _, f := range d.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Bytes, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	inst, err := mapping.Load(os.DirFS(dir), mapping.Options{Base: base.FS, Lazy: true})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

// file returns a file of the draft.
func file(t testing.TB, d *draft.Draft, name string) string {
	t.Helper()
	for _, f := range d.Files {
		if f.Name == name {
			return string(f.Bytes)
		}
	}
	var have []string
	for _, f := range d.Files {
		have = append(have, f.Name)
	}
	t.Fatalf("no %s; there are %v", name, have)
	return ""
}

// fieldsOf shows what the columns of a table were taken for.
func fieldsOf(d *draft.Draft, table string) string {
	var b strings.Builder
	for _, tb := range d.Tables {
		if tb.Name == table {
			for _, f := range tb.Fields {
				concept := f.Concept
				if concept == "" {
					concept = "?"
				}
				fmt.Fprintf(&b, "%s %s\n", f.Path, concept)
			}
		}
	}
	return b.String()
}
