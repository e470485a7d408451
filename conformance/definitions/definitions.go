package definitions

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

//go:embed r4.bin
var r4 []byte

// R4 is the definitions of FHIR R4 4.0.1. The first call reads the index,
// which takes a few milliseconds.
var R4 = sync.OnceValue(func() *Definitions {
	d, err := open(r4)
	if err != nil {
		panic("definitions: embedded file: " + err.Error())
	}
	return d
})

// Definitions are the definitions of one FHIR version.
type Definitions struct {
	version    string
	file       *pack.File
	types      map[string]*slot[Type]
	extensions map[string]*slot[Extension]
	valueSets  map[string]*slot[ValueSet]
	systems    map[string]*slot[CodeSystem]
	params     map[string]*slot[SearchParameter]
	comps      map[string]*slot[Compartment]
	sources    map[string]map[string]span // by kind and URL
	names      []string                   // of all types, sorted
	search     map[string]map[string]*slot[SearchParameter]
}

// slot holds one definition, decoded when it is first asked for.
type slot[T any] struct {
	entry
	once  sync.Once
	value *T
}

// entry is one line of the index.
type entry struct {
	kind         string // resourceType
	name, url    string
	compact      span // the record, if there is one
	typeKind     Kind
	typeAbstract bool
	typeBase     string
}

type span struct{ offset, size int }

// Version is the FHIR version, "4.0.1".
func (d *Definitions) Version() string { return d.version }

// get decodes the slot's record once. The file is ours and tested whole, so a
// record that cannot be read is a broken build.
func get[T any](d *Definitions, s *slot[T], decode func(*Definitions, *slot[T], *pack.Reader) *T) *T {
	if s == nil {
		return nil
	}
	s.once.Do(func() {
		blob, err := d.file.Blob(s.compact.offset, s.compact.size)
		if err != nil {
			panic(fmt.Sprintf("definitions: %s %s: %v", s.kind, s.url, err))
		}
		r := pack.NewReader(blob)
		s.value = decode(d, s, r)
		if err := r.Err(); err != nil {
			panic(fmt.Sprintf("definitions: %s %s: %v", s.kind, s.url, err))
		}
	})
	return s.value
}

// Type is the type with that name or canonical URL, nil if there is none.
func (d *Definitions) Type(name string) *Type {
	s := d.types[name]
	if s == nil {
		s = d.types[strings.TrimPrefix(name, Canonical)]
	}
	return get(d, s, decodeType)
}

// TypeNames are the names of all types, sorted.
func (d *Definitions) TypeNames() []string { return slices.Clone(d.names) }

// ResourceTypes are the names of all concrete resource types, sorted.
func (d *Definitions) ResourceTypes() []string {
	var out []string
	for _, n := range d.names {
		if d.IsResource(n) {
			out = append(out, n)
		}
	}
	return out
}

// IsResource reports whether name is a concrete resource type.
func (d *Definitions) IsResource(name string) bool {
	s := d.types[name]
	return s != nil && s.typeKind == Resource && !s.typeAbstract
}

// KindOf is the kind of the named type, zero if there is no such type.
func (d *Definitions) KindOf(name string) Kind {
	if s := d.types[name]; s != nil {
		return s.typeKind
	}
	return 0
}

// IsA reports whether the named type is ancestor or descends from it:
// Patient is a DomainResource, id is a string.
func (d *Definitions) IsA(name, ancestor string) bool {
	for s := d.types[name]; s != nil; s = d.types[s.typeBase] {
		if s.name == ancestor {
			return true
		}
	}
	return false
}

// ValueSet is the value set with that canonical URL, nil if it is not among
// the definitions. A version after | is ignored.
func (d *Definitions) ValueSet(url string) *ValueSet {
	return get(d, find(d.valueSets, url), decodeValueSet)
}

// CodeSystem is the code system with that canonical URL, nil if it is not
// among the definitions. A version after | is ignored.
func (d *Definitions) CodeSystem(url string) *CodeSystem {
	return get(d, find(d.systems, url), decodeCodeSystem)
}

// Display is the text of a code in a system, empty if either is unknown.
func (d *Definitions) Display(system, code string) string {
	if c := d.CodeSystem(system); c != nil {
		return c.Display(code)
	}
	return ""
}

// SearchParameters are the search parameters of a resource type sorted by
// code, with those every resource has.
func (d *Definitions) SearchParameters(resource string) []*SearchParameter {
	found := map[string]*slot[SearchParameter]{}
	for s := d.types[resource]; s != nil; s = d.types[s.typeBase] {
		for code, p := range d.search[s.name] {
			if found[code] == nil {
				found[code] = p
			}
		}
	}
	out := make([]*SearchParameter, 0, len(found))
	for _, s := range found {
		out = append(out, get(d, s, decodeSearchParameter))
	}
	slices.SortFunc(out, func(a, b *SearchParameter) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// SearchParameter is the parameter a resource type has under that code, its
// own or inherited; nil if there is none.
func (d *Definitions) SearchParameter(resource, code string) *SearchParameter {
	for s := d.types[resource]; s != nil; s = d.types[s.typeBase] {
		if p := d.search[s.name][code]; p != nil {
			return get(d, p, decodeSearchParameter)
		}
	}
	return nil
}

// SearchParameterByURL is the parameter with that canonical URL, nil if there
// is none.
func (d *Definitions) SearchParameterByURL(url string) *SearchParameter {
	return get(d, find(d.params, url), decodeSearchParameter)
}

// Compartment is the compartment of that code ("Patient"), nil if there is
// none.
func (d *Definitions) Compartment(code string) *Compartment {
	return get(d, d.comps[code], decodeCompartment)
}

// Source is the JSON of a definition, as published but without narrative,
// differential and publisher's contacts, a code system without translations;
// nil if there is none. Kind is a resource type: StructureDefinition
// (extensions and profiles too), ValueSet, CodeSystem, ConceptMap,
// SearchParameter, OperationDefinition or CompartmentDefinition.
func (d *Definitions) Source(kind, url string) []byte {
	e, ok := d.sources[kind][url]
	if !ok {
		e, ok = d.sources[kind][unversioned(url)]
	}
	if !ok {
		return nil
	}
	blob, err := d.file.Blob(e.offset, e.size)
	if err != nil {
		panic(fmt.Sprintf("definitions: %s %s: %v", kind, url, err))
	}
	return []byte(blob)
}

// URLs are the canonical URLs of all definitions of a kind, sorted.
func (d *Definitions) URLs(kind string) []string {
	var out []string
	for url := range d.sources[kind] {
		out = append(out, url)
	}
	slices.Sort(out)
	return out
}

// find looks a canonical URL up as it is, then without its version: some code
// systems have one in their URL.
func find[T any](m map[string]*slot[T], url string) *slot[T] {
	if s := m[url]; s != nil {
		return s
	}
	return m[unversioned(url)]
}

func unversioned(url string) string {
	url, _, _ = strings.Cut(url, "|")
	return url
}
