package alliancegen_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/testdata"
)

// seeds that the properties below must hold for.
var seeds = []uint64{1, 2, 3, 7, 42}

// generate keeps what it made; tests only read it.
func generate(seed uint64) *alliancegen.Alliance {
	a, ok := generated.Load(seed)
	if !ok {
		a, _ = generated.LoadOrStore(seed, alliancegen.Generate(seed, alliancegen.Options{}))
	}
	return a.(*alliancegen.Alliance)
}

var generated sync.Map

func decode(t *testing.T, b []byte) string {
	t.Helper()
	if utf8.Valid(b) {
		return string(b)
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestGenerateIsDeterministic(t *testing.T) {
	for _, seed := range seeds {
		a := alliancegen.Generate(seed, alliancegen.Options{})
		b := alliancegen.Generate(seed, alliancegen.Options{})
		if len(a.Files) != len(b.Files) {
			t.Fatalf("seed %d gives %d files, then %d", seed, len(a.Files), len(b.Files))
		}
		for i, f := range a.Files {
			if f.Path != b.Files[i].Path || !bytes.Equal(f.Bytes, b.Files[i].Bytes) {
				t.Errorf("seed %d: %s differs from run to run", seed, f.Path)
			}
		}
	}
}

func TestCommittedFilesEqualTheGenerators(t *testing.T) {
	want := map[string][]byte{}
	for _, f := range generate(1).Files {
		want[f.Path] = f.Bytes
	}
	total := 0
	err := fs.WalkDir(testdata.Alliance(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := fs.ReadFile(testdata.Alliance(), path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(path, "institutions/") {
			return nil // written by hand
		}
		total += len(got)
		if !bytes.Equal(got, want[path]) {
			t.Errorf("%s is not what the generator writes: run go generate ./internal/alliancegen", path)
		}
		delete(want, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range want {
		t.Errorf("%s is not committed", path)
	}
	if total > 3<<20 {
		t.Errorf("the data set has grown to %d bytes", total)
	}
}

func TestLedgerReadsBack(t *testing.T) {
	a := generate(1)
	l, err := alliancegen.ReadLedger(a.File("ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.Ledger.Totals, l.Totals); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.Ledger.Departments, l.Departments); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.Ledger.Staff, l.Staff); diff != "" {
		t.Error(diff)
	}
	for i, p := range a.Ledger.Persons {
		if got, want := len(l.Persons[i].Patients), len(p.Patients); got != want {
			t.Errorf("%s has %d patients, want %d", p.Key, got, want)
		}
		for j, v := range p.Visits {
			if got := l.Persons[i].Visits[j].Start; !got.Instant().Equal(v.Start.Instant()) || got.Precision() != v.Start.Precision() {
				t.Errorf("visit %s starts %s, want %s", v.Number, got, v.Start)
			}
		}
	}
	if len(l.Records) != len(a.Ledger.Records) {
		t.Errorf("%d records, want %d", len(l.Records), len(a.Ledger.Records))
	}
}

// The generator must not share a line with what its data tests.
func TestImportsNothingUnderTest(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, "github.com/yilian/") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// validResident checks GB 11643 with the standard's own weights.
func validResident(id string) bool {
	if len(id) != 18 {
		return false
	}
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
		sum += int(id[i]-'0') * w
	}
	return id[17] == "10X98765432"[sum%11]
}

func TestResidentCheckKnowsGoodFromBad(t *testing.T) {
	for id, want := range map[string]bool{
		"11010519491231002X": true, "440524188001010014": true,
		"110105194912310021": false, "3112219680806371X": false,
	} {
		if got := validResident(id); got != want {
			t.Errorf("%s: valid = %v, want %v", id, got, want)
		}
	}
}

func TestIdentifiersAreSyntheticAndValid(t *testing.T) {
	for _, seed := range seeds {
		l := generate(seed).Ledger
		wrongDate := map[string]bool{}
		for _, w := range l.Trap("birth-date-differs-from-id") {
			wrongDate[w] = true
		}
		wrongCheck := map[string]bool{}
		for _, w := range l.Trap("bad-check-digit") {
			wrongCheck[w] = true
		}
		for _, person := range l.Persons {
			for _, p := range person.Patients {
				where := "patient " + p.Institution + "/" + p.ID
				if p.Phone != "" && (!strings.HasPrefix(p.Phone, "12") || len(p.Phone) != 11) {
					t.Errorf("seed %d: %s has a phone of a real prefix", seed, where)
				}
				for _, id := range p.Identifiers {
					if id.Kind != alliancegen.ResidentID {
						continue
					}
					if !strings.HasPrefix(id.Value, "99") {
						t.Errorf("seed %d: %s has an assigned division code", seed, where)
					}
					if validResident(id.Value) == wrongCheck[where] {
						t.Errorf("seed %d: %s: check character valid is %v", seed, where, validResident(id.Value))
					}
					if !id.Usable || wrongDate[where] || p.Birth.Precision() == "" {
						continue
					}
					if got := p.Birth.Instant().Format("20060102"); id.Value[6:14] != got {
						t.Errorf("seed %d: %s: birth date differs from the number", seed, where)
					}
					if male := (id.Value[16]-'0')%2 == 1; male != (p.Sex == "male") {
						t.Errorf("seed %d: %s: sex differs from the number", seed, where)
					}
				}
			}
		}
	}
}

func TestSecondSeedTellsAnotherStory(t *testing.T) {
	one, two := generate(1), generate(2)
	seen := map[string]bool{}
	for _, p := range one.Ledger.Persons {
		for _, q := range p.Patients {
			seen[q.Institution+q.ID] = true
			for _, id := range q.Identifiers {
				if id.Kind == alliancegen.ResidentID {
					seen[id.Value] = true
				}
			}
		}
	}
	same, all := 0, 0
	for _, p := range two.Ledger.Persons {
		for _, q := range p.Patients {
			all++
			if seen[q.Institution+q.ID] {
				same++
			}
			for _, id := range q.Identifiers {
				if seen[id.Value] {
					t.Errorf("resident number occurs in both sets")
				}
			}
		}
	}
	if same*10 > all {
		t.Errorf("%d of %d local numbers are those of the first set", same, all)
	}
	for _, table := range []string{"HIS_HZXX", "HIS_JZXX", "LIS_BGXM"} {
		header := func(a *alliancegen.Alliance) string {
			for _, f := range a.Deliveries() {
				if strings.HasSuffix(f.Path, table+".csv") {
					line, _, _ := strings.Cut(string(f.Bytes), "\r\n")
					return line
				}
			}
			return ""
		}
		if header(one) == header(two) {
			t.Errorf("%s has the same column order in both sets", table)
		}
	}
}

func TestInterfaceDocumentsDoNotDependOnTheSeed(t *testing.T) {
	one, two := generate(1), generate(2)
	for _, name := range []string{"README.md", "codes.json"} {
		if !bytes.Equal(one.File(name), two.File(name)) {
			t.Errorf("%s differs between seeds", name)
		}
	}
}

func TestCastIsAsAsked(t *testing.T) {
	for _, seed := range seeds {
		l := generate(seed).Ledger
		two, three, five := 0, 0, 0
		up, down := 0, 0
		for _, p := range l.Persons {
			where := map[string]bool{}
			for _, q := range p.Patients {
				where[q.Institution] = true
			}
			if len(where) >= 2 {
				two++
			}
			if len(where) == 3 {
				three++
			}
			if len(where) == 5 {
				five++
			}
			for _, r := range p.Referrals {
				if r.Direction == "up" {
					up++
				} else {
					down++
				}
			}
		}
		if len(l.Persons) < 60 || two < 20 || three < 3 || five == 0 || up != 3 || down != 2 {
			t.Errorf("seed %d: %d persons, %d in two, %d in three and %d in five institutions, %d referrals up and %d down", seed, len(l.Persons), two, three, five, up, down)
		}
		show := l.Persons[0]
		from := map[string]bool{}
		for _, v := range show.Visits {
			from[v.Institution+" visit"] = true
		}
		for _, o := range show.Orders {
			from[o.Institution+" order"] = true
		}
		for _, r := range show.Reports {
			from[r.Institution+" report"] = true
		}
		for _, want := range []string{"city-hospital visit", "county-hospital visit", "city-hospital order", "county-hospital order", "city-hospital report", "county-hospital report", "regional-lab report", "township-center visit", "township-center report", "community-center visit"} {
			if !from[want] {
				t.Errorf("seed %d: the showcase has no %s", seed, want)
			}
		}
	}
}
