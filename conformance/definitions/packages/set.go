package packages

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Finder finds the packages that others depend on. Its error is fs.ErrNotExist for what is not there. Cache is one.
type Finder interface {
	Find(d Dependency) (*Package, error)
}

// corePackages are what the core stands for.
var corePackages = []string{"hl7.fhir.r4.core", "hl7.fhir.core", "hl7.fhir.r4.expansions", "hl7.fhir.r4.examples"}

// Set is packages with all that they depend on, and the core behind them.
type Set struct {
	packages []*Package
	core     Resolver
	findings []fhir.Issue
	index    map[heading]place // of those without a version: the highest
}

// place is a definition of a package.
type place struct {
	p *Package
	i int
}

// NewSet joins packages with their dependencies, breadth first, each package once. Cycles are no matter. What is
// missing, and what two packages define differently under one URL and version, are findings: of such definitions the
// one of the package that comes first counts. finder may be nil: then nothing is found.
func NewSet(roots []*Package, finder Finder, core Resolver, limits Limits) *Set {
	limits = limits.withDefaults()
	s := &Set{core: core, index: map[heading]place{}}
	have := map[string]bool{}
	queue := slices.Clone(roots)
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		if have[p.ID()] {
			continue
		}
		if len(s.packages) == limits.Packages {
			s.report(fhir.Error, fhir.TypeTooCostly, "too-many-packages", (&LimitError{Limit: "Packages", Value: int64(limits.Packages)}).Error())
			break
		}
		have[p.ID()] = true
		s.packages = append(s.packages, p)
		for _, d := range p.Dependencies {
			if slices.Contains(corePackages, d.Name) || s.loaded(d) || slices.ContainsFunc(queue, d.is) {
				continue
			}
			if len(s.packages)+len(queue) >= limits.Packages {
				s.report(fhir.Error, fhir.TypeTooCostly, "too-many-packages", (&LimitError{Limit: "Packages", Value: int64(limits.Packages)}).Error())
				break
			}
			if next := s.find(p, d, finder); next != nil {
				queue = append(queue, next)
			}
		}
	}
	for _, p := range s.packages {
		s.add(p)
	}
	return s
}

// is reports whether a package is exactly what a dependency asks for.
func (d Dependency) is(p *Package) bool { return p.Name == d.Name && p.Version == d.Version }

func (s *Set) loaded(d Dependency) bool { return slices.ContainsFunc(s.packages, d.is) }

func (s *Set) find(p *Package, d Dependency, finder Finder) *Package {
	err := fs.ErrNotExist
	if finder != nil {
		var found *Package
		if found, err = finder.Find(d); err == nil {
			return found
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		s.report(fhir.Warning, fhir.TypeNotFound, "dependency-missing", p.ID()+" needs "+d.String()+", which is not there")
		return nil
	}
	s.report(fhir.Error, fhir.TypeInvalid, "dependency-unusable", p.ID()+" needs "+d.String()+": "+err.Error())
	return nil
}

// add puts the definitions of a package behind those that are there.
func (s *Set) add(p *Package) {
	s.findings = append(s.findings, p.findings...)
	for i, e := range p.entries {
		if e.second {
			continue
		}
		if first, ok := s.index[e.heading]; ok {
			s.report(fhir.Warning, fhir.TypeDuplicate, "canonical-duplicate",
				p.ID()+" defines "+clip(e.url)+"|"+clip(e.version)+" as "+first.p.ID()+" does, which counts")
		} else {
			s.index[e.heading] = place{p, i}
		}
		newest := heading{kind: e.kind, url: e.url, version: anyVersion}
		if first, ok := s.index[newest]; !ok || compareVersions(e.version, first.p.entries[first.i].version) > 0 {
			s.index[newest] = place{p, i}
		}
	}
}

// anyVersion marks the highest version of a URL in the index; no definition has such a version.
const anyVersion = "\x00"

func (s *Set) report(severity fhir.Severity, code fhir.IssueType, id, text string) {
	if len(s.findings) < maxFindings {
		s.findings = append(s.findings, fhir.Issue{Severity: severity, Code: code, ID: id, Text: text})
	}
}

// Findings are what is wrong with the packages and their dependencies.
func (s *Set) Findings() []fhir.Issue { return slices.Clone(s.findings) }

// Packages are the packages in the order in which they count.
func (s *Set) Packages() []*Package { return slices.Clone(s.packages) }

// Resolve finds a definition in the packages, then in the core. Without a version it is the highest that a package has.
func (s *Set) Resolve(kind, url string) (*fhir.Node, bool) {
	at, ok := s.index[heading{kind, url, anyVersion}]
	if !ok {
		if base, version, cut := strings.Cut(url, "|"); cut {
			at, ok = s.index[heading{kind, base, version}]
		}
	}
	if ok {
		if n, ok := at.p.tree(at.i); ok {
			return n, true
		}
	}
	if s.core == nil {
		return nil, false
	}
	return s.core.Resolve(kind, url)
}
