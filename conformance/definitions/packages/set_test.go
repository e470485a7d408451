package packages_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
)

// store puts packages into a cache folder.
func store(t *testing.T, dir, id string, files ...file) {
	t.Helper()
	root := filepath.Join(dir, id)
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCacheFindsTheVersionThatFits(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"1.0.0", "1.0.2", "1.0.10", "1.0.11-ballot", "1.2.0", "2.0.0", "3.0.0-draft"} {
		store(t, dir, "test.one#"+v, manifest("test.one", v))
	}
	store(t, dir, "test.draft#0.1.0-a", manifest("test.draft", "0.1.0-a"))
	store(t, dir, "test.dev#current", manifest("test.dev", "1.0.0"))
	store(t, dir, "test.lies#1.0.0", manifest("test.other", "1.0.0"))
	store(t, dir, "test.empty#1.0.0", file{name: "package/a.json", text: "{}"})
	cache := packages.NewCache(dir, packages.Limits{})
	for _, tt := range []struct{ name, dependency, want string }{
		{"the exact one", "test.one#1.0.2", "test.one#1.0.2"},
		{"the highest patch", "test.one#1.0.x", "test.one#1.0.10"},
		{"the highest minor", "test.one#1.x", "test.one#1.2.0"},
		{"the latest without a label", "test.one#latest", "test.one#2.0.0"},
		{"a label when it is asked for", "test.one#3.0.0-draft", "test.one#3.0.0-draft"},
		{"a label when there is nothing else", "test.draft#latest", "test.draft#0.1.0-a"},
		{"a folder that is no version", "test.dev#current", "test.dev#current"},
		{"not what is not there", "test.one#4.0.0", "does not exist"},
		{"not another package", "test.none#1.0.0", "does not exist"},
		{"not a package under another's name", "test.lies#1.0.0", "its manifest names"},
		{"not a folder without a manifest", "test.empty#1.0.0", "package.json"},
		{"no name that is a path", "../x#1.0.0", "no package has the name"},
		{"no version that is a path", "x#../../1", "no package has the version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name, version, _ := strings.Cut(tt.dependency, "#")
			p, err := cache.Find(packages.Dependency{Name: name, Version: version})
			got := fmt.Sprint(err)
			if err == nil {
				got = p.ID()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := packages.NewCache(filepath.Join(dir, "none"), packages.Limits{}).Find(packages.Dependency{Name: "a", Version: "1"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder the error is %v", err)
	}
}

func TestCacheReadsFilesOfThePackageAlone(t *testing.T) {
	dir := t.TempDir()
	store(t, dir, "test.one#1.0.0", manifest("test.one", "1.0.0"),
		defined("ValueSet", "a.json", "urn:a", "1"), defined("ValueSet", "b.json", "urn:b", "1"),
		file{name: "package/large.json", text: `{"resourceType":"ValueSet","url":"urn:large","x":"` + strings.Repeat("x", 1<<10) + `"}`})
	store(t, dir, "test.index#1.0.0", manifest("test.index", "1.0.0"),
		defined("ValueSet", "a.json", "urn:a", "1"), defined("ValueSet", "b.json", "urn:b", "1"),
		file{name: "package/.index.json", text: `{"index-version": 1, "files": [
			{"filename": "a.json", "resourceType": "ValueSet", "url": "urn:a", "version": "1"},
			{"filename": "b.json", "resourceType": "ValueSet", "url": "urn:lie", "version": "1"},
			{"filename": "../../x.json", "resourceType": "ValueSet", "url": "urn:out", "version": "1"},
			{"filename": "none.json", "resourceType": "ValueSet", "url": "urn:none", "version": "1"}]}`})
	outside := filepath.Join(dir, "x.json")
	if err := os.WriteFile(outside, []byte(`{"resourceType":"ValueSet","url":"urn:out"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "test.one#1.0.0", "package", "link.json")); err != nil {
		t.Fatal(err)
	}
	cache := packages.NewCache(dir, packages.Limits{File: 1 << 10})
	for _, tt := range []struct {
		name  string
		want  []string
		finds []string
	}{
		{"test.one", []string{"urn:a", "urn:b"}, []string{"file-too-large"}},
		{"test.index", []string{"urn:a"}, nil},
	} {
		p, err := cache.Find(packages.Dependency{Name: tt.name, Version: "1.0.0"})
		if err != nil {
			t.Fatal(err)
		}
		var got, finds []string
		for _, url := range []string{"urn:a", "urn:b", "urn:lie", "urn:out", "urn:none", "urn:large"} {
			if n, ok := p.Resolve("ValueSet", url); ok && n.Get("url").Text() == url {
				got = append(got, url)
			}
		}
		for _, f := range p.Findings() {
			finds = append(finds, f.ID)
		}
		if diff := cmp.Diff([][]string{tt.want, tt.finds}, [][]string{got, finds}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

// shelf is a Finder over packages in memory.
type shelf map[string]*packages.Package

func (s shelf) Find(d packages.Dependency) (*packages.Package, error) {
	if p := s[d.String()]; p != nil {
		return p, nil
	}
	return nil, fs.ErrNotExist
}

func TestSetResolvesOverDependencies(t *testing.T) {
	const core = "http://hl7.org/fhir/StructureDefinition/Patient"
	root := read(t, packages.Limits{}, manifest("root", "1.0.0", "b#1.0.0", "a#1.0.0", "gone#1.0.0", "hl7.fhir.r4.core#4.0.1"),
		defined("ValueSet", "root.json", "urn:root", "1.0.0"), defined("ValueSet", "same.json", "urn:old", "1.0.0"))
	a := read(t, packages.Limits{}, manifest("a", "1.0.0", "root#1.0.0"), // a cycle
		defined("ValueSet", "a.json", "urn:both", "1.0.0"), defined("ValueSet", "new.json", "urn:old", "2.0.0"))
	b := read(t, packages.Limits{}, manifest("b", "1.0.0", "a#1.0.0", "b#1.0.0"), // and one with itself
		defined("ValueSet", "b.json", "urn:both", "1.0.0"), defined("StructureDefinition", "mine.json", core, "4.0.1"))
	s := packages.NewSet([]*packages.Package{root}, shelf{"root#1.0.0": root, "a#1.0.0": a, "b#1.0.0": b}, packages.R4(), packages.Limits{})

	var order, found []string
	for _, p := range s.Packages() {
		order = append(order, p.ID())
	}
	for _, f := range s.Findings() {
		found = append(found, f.ID+": "+f.Text)
	}
	if diff := cmp.Diff([]string{"root#1.0.0", "b#1.0.0", "a#1.0.0"}, order); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"dependency-missing: root#1.0.0 needs gone#1.0.0, which is not there",
		"canonical-duplicate: a#1.0.0 defines urn:both|1.0.0 as b#1.0.0 does, which counts",
	}, found); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	for _, tt := range []struct{ name, kind, url, want string }{
		{"of the package itself", "ValueSet", "urn:root", "root.json"},
		{"of the first by order, under one version", "ValueSet", "urn:both", "b.json"},
		{"of the highest version", "ValueSet", "urn:old", "new.json"},
		{"of the version asked for", "ValueSet", "urn:old|1.0.0", "same.json"},
		{"of a package before the core", "StructureDefinition", core, "mine.json"},
		{"of the core last", "StructureDefinition", "http://hl7.org/fhir/StructureDefinition/Observation", "Observation"},
		{"of the core by version", "ValueSet", "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", "AdministrativeGender"},
		{"of no other version of the core", "ValueSet", "http://hl7.org/fhir/ValueSet/administrative-gender|5.0.0", ""},
		{"operations of the core", "OperationDefinition", "http://hl7.org/fhir/OperationDefinition/ValueSet-expand", "Value Set Expansion"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, ok := s.Resolve(tt.kind, tt.url)
			if got := n.Get("name").Text(); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestLimitsOfDefinitionsAndFolders(t *testing.T) {
	values := file{name: "package/a.json", text: `{"resourceType": "ValueSet", "url": "urn:a", "x": [1, 2, 3, 4, 5, 6, 7, 8]}`}
	for nodes, want := range map[int]bool{8: false, 20: true} {
		if _, ok := read(t, packages.Limits{Nodes: nodes}, manifest("one", "1.0.0"), values).Resolve("ValueSet", "urn:a"); ok != want {
			t.Errorf("with %d values a definition is found: %v", nodes, ok)
		}
	}
	dir := t.TempDir()
	store(t, dir, "one#1.0.0", manifest("one", "1.0.0"), values, defined("ValueSet", "b.json", "urn:b", "1"))
	for entries, want := range map[int]bool{2: false, 3: true} {
		_, err := packages.NewCache(dir, packages.Limits{Entries: entries}).Find(packages.Dependency{Name: "one", Version: "1.0.0"})
		if (err == nil) != want || !want && !errors.Is(err, packages.ErrLimit) {
			t.Errorf("a folder of three files under a limit of %d: %v", entries, err)
		}
	}
}

func TestSetEndsAtItsLimit(t *testing.T) {
	have := shelf{}
	for i := range 10 {
		id := fmt.Sprintf("p%d", i)
		have[id+"#1.0.0"] = read(t, packages.Limits{}, manifest(id, "1.0.0", fmt.Sprintf("p%d#1.0.0", i+1)))
	}
	s := packages.NewSet([]*packages.Package{have["p0#1.0.0"]}, have, nil, packages.Limits{Packages: 3})
	if len(s.Packages()) != 3 || !slices.ContainsFunc(s.Findings(), func(i fhir.Issue) bool { return i.ID == "too-many-packages" }) {
		t.Errorf("%d packages, findings %v", len(s.Packages()), s.Findings())
	}
	if _, ok := s.Resolve("ValueSet", "urn:none"); ok {
		t.Error("found without a core")
	}
}

func TestCoreForgetsWhatIsOverItsLimit(t *testing.T) {
	core := packages.NewCore(packages.R4().Definitions(), 1<<20)
	const url = "http://hl7.org/fhir/StructureDefinition/"
	first, _ := core.Resolve("StructureDefinition", url+"Patient")
	again, _ := core.Resolve("StructureDefinition", url+"Patient")
	if first != again || first == nil {
		t.Error("the tree was not kept")
	}
	for _, name := range packages.R4().Definitions().ResourceTypes()[:20] {
		core.Resolve("StructureDefinition", url+name)
	}
	if later, _ := core.Resolve("StructureDefinition", url+"Patient"); later == first {
		t.Error("the tree was kept beyond the limit")
	}
}
