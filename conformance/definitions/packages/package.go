package packages

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Resolver finds definitions by resource type – StructureDefinition, ValueSet, CodeSystem, ConceptMap,
// SearchParameter, OperationDefinition, StructureMap … – and canonical URL, with |version or without. What it returns
// belongs to it and is only read.
type Resolver interface {
	Resolve(kind, url string) (*fhir.Node, bool)
}

// Dependency is another package that one needs.
type Dependency struct {
	Name    string
	Version string // "1.2.3", "1.2.x", "latest"
}

func (d Dependency) String() string { return d.Name + "#" + d.Version }

// Package is one FHIR package. Its definitions are parsed when they are asked for.
type Package struct {
	Name         string
	Version      string
	Title        string
	Canonical    string
	FHIRVersions []string
	Dependencies []Dependency // in the order of the manifest

	findings []fhir.Issue
	entries  []entry
	index    map[string]map[string][]int // by kind and URL: entries, highest version first
	load     func(entry) ([]byte, error)
	limits   Limits
	parsed   shelf
}

// entry is one definition of a package.
type entry struct {
	heading
	file string
	data []byte // compressed, for packages that were read from an archive
	// second is true when another entry has the same heading and counts.
	second bool
}

// ID is name#version.
func (p *Package) ID() string { return p.Name + "#" + p.Version }

// Findings are what is wrong with the package and does not keep it from being used, such as files that were left out.
func (p *Package) Findings() []fhir.Issue { return slices.Clone(p.findings) }

// Kinds are the resource types that the package defines something of, sorted.
func (p *Package) Kinds() []string {
	var out []string
	for kind := range p.index {
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

// URLs are the canonical URLs of all definitions of a kind, sorted.
func (p *Package) URLs(kind string) []string {
	var out []string
	for url := range p.index[kind] {
		out = append(out, url)
	}
	slices.Sort(out)
	return out
}

// Resolve finds a definition of this package: without a version the one of the highest.
func (p *Package) Resolve(kind, url string) (*fhir.Node, bool) {
	i, ok := p.lookup(kind, url)
	if !ok {
		return nil, false
	}
	return p.tree(i)
}

func (p *Package) tree(i int) (*fhir.Node, bool) {
	e := p.entries[i]
	return p.parsed.get(e.file, p.limits, func() ([]byte, bool) {
		text, err := p.load(e)
		return text, err == nil
	}, func(n *fhir.Node) bool {
		// An index may say anything: the definition itself decides.
		return n.ResourceType() == e.kind && n.Get("url").Text() == e.url
	})
}

func (p *Package) lookup(kind, url string) (int, bool) {
	found := p.index[kind][url]
	if len(found) > 0 {
		return found[0], true
	}
	base, version, ok := strings.Cut(url, "|")
	if !ok {
		return 0, false
	}
	for _, i := range p.index[kind][base] {
		if p.entries[i].version == version {
			return i, true
		}
	}
	return 0, false
}

func (p *Package) report(severity fhir.Severity, code fhir.IssueType, id, format string, args ...any) {
	if len(p.findings) == maxFindings {
		return
	}
	p.findings = append(p.findings, fhir.Issue{Severity: severity, Code: code, ID: id, Text: fmt.Sprintf(format, args...)})
}

// arrange makes the index. Of two definitions with the same URL and version the first file by name counts.
func (p *Package) arrange() {
	slices.SortStableFunc(p.entries, func(a, b entry) int { return strings.Compare(a.file, b.file) })
	p.index = map[string]map[string][]int{}
	seen := map[heading]bool{}
	for i, e := range p.entries {
		of := p.index[e.kind]
		if of == nil {
			of = map[string][]int{}
			p.index[e.kind] = of
		}
		if seen[e.heading] {
			p.entries[i].second = true
			p.report(fhir.Warning, fhir.TypeDuplicate, "canonical-duplicate", "%s: %s defines %s a second time", p.ID(), clip(e.file), clip(e.url))
			continue
		}
		seen[e.heading] = true
		of[e.url] = append(of[e.url], i)
	}
	for _, of := range p.index {
		for _, list := range of {
			slices.SortStableFunc(list, func(a, b int) int {
				return -compareVersions(p.entries[a].version, p.entries[b].version)
			})
		}
	}
	p.parsed = newShelf(p.limits.Parsed)
}

// manifest reads package.json.
func (p *Package) manifest(text []byte) error {
	n, err := fhir.Parse(text, fhir.Limits{Bytes: maxManifest, Nodes: maxManifestNodes})
	if err != nil {
		return fmt.Errorf("read package.json: %w", err)
	}
	p.Name, p.Version = n.Get("name").Text(), n.Get("version").Text()
	p.Title, p.Canonical = n.Get("title").Text(), n.Get("canonical").Text()
	if !validName(p.Name) || !validVersion(p.Version) {
		return fmt.Errorf("read package.json: no package has the name %q and the version %q", clip(p.Name), clip(p.Version))
	}
	for _, list := range []string{"fhirVersions", "fhir-version-list"} {
		for _, v := range n.Get(list).Items() {
			if !slices.Contains(p.FHIRVersions, v.Text()) {
				p.FHIRVersions = append(p.FHIRVersions, v.Text())
			}
		}
	}
	for _, d := range n.Get("dependencies").All() {
		dep := Dependency{Name: d.Name(), Version: d.Text()}
		if !validName(dep.Name) || !validVersion(dep.Version) {
			p.report(fhir.Warning, fhir.TypeInvalid, "dependency-invalid", "%s: %q is no package", p.ID(), clip(dep.String()))
			continue
		}
		p.Dependencies = append(p.Dependencies, dep)
	}
	return nil
}

// files reads .index.json: file names with their headings; ok is false if it is none.
func files(text []byte) (list []entry, ok bool) {
	var index struct {
		Files []struct{ Filename, ResourceType, URL, Version string }
	}
	if json.Unmarshal(text, &index) != nil || len(index.Files) == 0 {
		return nil, false
	}
	for _, f := range index.Files {
		if f.URL == "" || f.ResourceType == "" || !validFile(f.Filename) {
			continue
		}
		list = append(list, entry{heading: heading{f.ResourceType, f.URL, f.Version}, file: f.Filename})
	}
	return list, true
}

// validFile reports whether a name is that of a definition in a package's folder.
func validFile(name string) bool {
	return strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, ".") && !strings.ContainsAny(name, "/\\:\x00") &&
		name != "package.json" && len(name) <= maxFileName
}

const maxFileName = 255

// maxFindings bounds what is said about one package, and about one set.
const maxFindings = 100

const maxClip = 120

func clip(s string) string {
	if len(s) > maxClip {
		return strings.ToValidUTF8(s[:maxClip], "") + "…"
	}
	return s
}
