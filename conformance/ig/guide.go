package ig

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/fhir"
)

// What the guide is called, as source/ig.json says too.
const (
	Base    = "https://yilian.dev/fhir" // begins all canonical URLs of the guide's own
	Name    = "dev.yilian.alliance"     // of the package
	Version = "0.1.0"
)

// national begins the URLs of code systems that the guide lists and does not own.
const national = "urn:oid:2.16.156.10011."

// Source is the guide as its sources say it: definitions have no snapshot. It is safe for concurrent use, and what it
// returns is only read.
type Source struct {
	guide    func() *fhir.Node
	parsed   func() *contents
	examples func() []*fhir.Node
}

// contents are the definitions of the guide.
type contents struct {
	resources []*fhir.Node
	index     map[key]*fhir.Node
}

type key struct{ kind, url string }

var guide = sync.OnceValue(func() *Source { return open(files) })

// Guide is the guide that is built in. Its definitions are parsed when the first one is asked for.
func Guide() *Source { return guide() }

// open makes a Source of a folder of sources, which are the program's own: one that cannot be read is a defect.
func open(folder fs.FS) *Source {
	s := &Source{}
	s.guide = sync.OnceValue(func() *fhir.Node { return read(folder, "source/ig.json") })
	s.parsed = sync.OnceValue(func() *contents {
		c := &contents{index: map[key]*fhir.Node{}}
		for _, kind := range []string{"profiles", "extensions", "terminology", "searchparameters", "operations", "capabilities"} {
			for _, name := range list(folder, kind) {
				n := read(folder, name)
				s.complete(n)
				k := key{n.ResourceType(), n.Get("url").Text()}
				if k.url == "" || c.index[k] != nil {
					panic(fmt.Sprintf("ig: %s: no URL, or one that another file has", name))
				}
				c.index[k] = n
				c.resources = append(c.resources, n)
			}
		}
		slices.SortFunc(c.resources, byTypeAndID)
		return c
	})
	s.examples = sync.OnceValue(func() []*fhir.Node {
		var out []*fhir.Node
		for _, name := range list(folder, "examples") {
			out = append(out, read(folder, name))
		}
		slices.SortFunc(out, byTypeAndID)
		return out
	})
	return s
}

// Resolve finds a definition of the guide by resource type and canonical URL, with |version or without.
func (s *Source) Resolve(kind, canonical string) (*fhir.Node, bool) {
	if !strings.HasPrefix(canonical, Base+"/") && !strings.HasPrefix(canonical, national) {
		return nil, false // and nothing is parsed for it
	}
	url, version, versioned := strings.Cut(canonical, "|")
	n := s.parsed().index[key{kind, url}]
	if n == nil || versioned && version != n.Get("version").Text() {
		return nil, false
	}
	return n, true
}

// Resources are all definitions of the guide, sorted by type and id.
func (s *Source) Resources() []*fhir.Node { return slices.Clone(s.parsed().resources) }

// Examples are what the guide shows as valid, sorted by type and id.
func (s *Source) Examples() []*fhir.Node { return slices.Clone(s.examples()) }

// common are the properties that the definitions of the guide share, in the order in which FHIR has them.
var common = []string{"version", "experimental", "date", "publisher", "contact", "jurisdiction"}

// complete puts into a definition what ig.json says of all of them.
func (s *Source) complete(n *fhir.Node) {
	for _, name := range common {
		if v := s.guide().Get(name); v != nil && n.Get(name) == nil {
			n.Set(name, v.Clone())
		}
	}
	if n.ResourceType() == "StructureDefinition" && n.Get("fhirVersion") == nil {
		n.Set("fhirVersion", s.guide().Get("fhirVersion").At(0).Clone())
	}
}

func byTypeAndID(a, b *fhir.Node) int {
	return cmp.Or(strings.Compare(a.ResourceType(), b.ResourceType()), strings.Compare(a.ID(), b.ID()))
}

// list names the files of one kind of source; a kind may have none.
func list(folder fs.FS, kind string) []string {
	names, err := fs.Glob(folder, path.Join("source", kind, "*.json"))
	if err != nil {
		panic("ig: " + err.Error())
	}
	return names
}

func read(folder fs.FS, name string) *fhir.Node {
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		panic("ig: " + err.Error())
	}
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		panic(fmt.Sprintf("ig: %s: %v", name, err))
	}
	return n
}
