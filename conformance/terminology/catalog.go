package terminology

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Source finds definitions that are not FHIR's own: by resource type (CodeSystem, ValueSet, ConceptMap) and canonical
// URL, with |version or without. What it finds must stay as it is as long as the Catalog is used.
type Source interface {
	Resolve(kind, canonical string) (*fhir.Node, bool)
}

// Options say what a Catalog knows besides FHIR's own definitions, and bound it. The zero value means nothing more,
// and the defaults.
type Options struct {
	// Systems answer for their URLs before anything else.
	Systems []CodeSystem
	// Resources are CodeSystems, supplements of such, ValueSets and ConceptMaps. They come before Source, and Source
	// before the definitions. Others are passed over.
	Resources []*fhir.Node
	Source    Source
	Limits    Limits
	// Now is the clock for the time of expansions; nil for the time of day.
	Now func() time.Time
}

// Catalog knows code systems, value sets and concept maps, and answers what FHIR's terminology operations ask of them.
// What resources say is read when it is first asked for, and kept while there is room. It is safe for concurrent use.
type Catalog struct {
	defs    *definitions.Definitions
	source  Source
	limits  Limits
	now     func() time.Time
	systems map[string][]CodeSystem
	given   map[givenKey][]*fhir.Node // the newest version first
	added   map[string][]*fhir.Node   // supplements by URL of the code system
	wholes  map[string]string         // URL of a value set of all codes → URL of the code system
	maps    []string                  // URLs of the given concept maps
	kept    shelf
}

// New returns a Catalog of FHIR's own definitions, and of more.
func New(defs *definitions.Definitions, o Options) *Catalog {
	c := &Catalog{defs: defs, source: o.Source, limits: o.Limits.withDefaults(), now: o.Now, systems: map[string][]CodeSystem{},
		given: map[givenKey][]*fhir.Node{}, added: map[string][]*fhir.Node{}, wholes: map[string]string{}}
	if c.now == nil {
		c.now = time.Now
	}
	c.kept.limit = c.limits.Kept
	for url, s := range grammars() {
		c.systems[url] = []CodeSystem{s}
		if set := s.Describe().ValueSet; set != "" {
			c.wholes[set] = url
		}
	}
	own := map[string]bool{}
	for _, s := range o.Systems {
		about := s.Describe()
		if !own[about.URL] {
			own[about.URL] = true
			delete(c.systems, about.URL) // a grammar of ours
		}
		c.systems[about.URL] = append(c.systems[about.URL], s)
		if about.ValueSet != "" {
			c.wholes[about.ValueSet] = about.URL
		}
	}
	for _, n := range o.Resources {
		c.give(n)
	}
	for _, list := range c.given {
		slices.SortStableFunc(list, func(a, b *fhir.Node) int {
			return compareVersions(b.Get("version").Text(), a.Get("version").Text())
		})
	}
	for _, list := range c.systems {
		slices.SortStableFunc(list, func(a, b CodeSystem) int {
			return compareVersions(b.Describe().Version, a.Describe().Version)
		})
	}
	return c
}

func (c *Catalog) give(n *fhir.Node) {
	kind, url := n.ResourceType(), n.Get("url").Text()
	switch kind {
	case "CodeSystem":
		if Content(n.Get("content").Text()) == supplement {
			base, _ := cutVersion(n.Get("supplements").Text())
			c.added[base] = append(c.added[base], n)
			return
		}
		if set := n.Get("valueSet").Text(); set != "" && c.wholes[set] == "" {
			c.wholes[set] = url
		}
	case "ConceptMap":
		c.maps = append(c.maps, url)
	case "ValueSet":
	default:
		return
	}
	key := givenKey{kind, url}
	c.given[key] = append(c.given[key], n)
}

type givenKey struct{ kind, url string }

// resolve finds a resource by kind, URL and version; "" is any version.
func (c *Catalog) resolve(kind, url, version string) (*fhir.Node, bool) {
	list := c.given[givenKey{kind, url}]
	for _, n := range list {
		if versionFits(n.Get("version").Text(), version) {
			return n, true
		}
	}
	if c.source != nil {
		canonical := url
		if version != "" {
			canonical += "|" + version
		}
		if n, ok := c.source.Resolve(kind, canonical); ok && n.ResourceType() == kind && versionFits(n.Get("version").Text(), version) {
			return n, true
		}
	}
	if c.defs == nil {
		return nil, false
	}
	text := c.defs.Source(kind, url)
	if text == nil {
		return nil, false
	}
	n, err := fhir.Parse(text, fhir.Limits{Nodes: 10_000_000})
	if err != nil || n.Get("url").Text() != url {
		return nil, false
	}
	if have := n.Get("version").Text(); !versionFits(have, version) && version != c.defs.Version() {
		return nil, false
	}
	return n, true
}

// CodeSystem is the code system with a canonical URL, with |version or without; the newest if there are several. An
// error is a *Refusal: it is not known, or cannot be read.
func (c *Catalog) CodeSystem(canonical string) (CodeSystem, error) {
	url, version := c.cutSystem(canonical)
	return c.codeSystem(url, version)
}

// FindCodeSystem is CodeSystem for callers who go on without one that is not known or cannot be read: it is nil then.
// Most of the code systems that resources name are not known, so that takes no work to speak of.
func (c *Catalog) FindCodeSystem(canonical string) CodeSystem {
	url, version := c.cutSystem(canonical)
	s, err := c.found(url, version)
	if err != nil {
		return nil
	}
	return s
}

func (c *Catalog) codeSystem(url, version string) (CodeSystem, error) {
	s, err := c.found(url, version)
	if s != nil || err != nil {
		return s, err
	}
	if url == "" {
		return nil, refuse(msgSystemMissing)
	}
	if version != "" {
		if _, any := c.resolve("CodeSystem", url, ""); any || len(c.systems[url]) > 0 {
			return nil, refuse(msgSystemVersion, url, version)
		}
	}
	return nil, refuse(msgSystemUnknown, url)
}

// found is a code system, nil if it is not known. An error says why it cannot be read.
func (c *Catalog) found(url, version string) (CodeSystem, error) {
	for _, s := range c.systems[url] {
		if versionFits(s.Describe().Version, version) {
			return s, nil
		}
	}
	if url == "" {
		return nil, nil
	}
	key := shelfKey{"CodeSystem", url, version}
	if kept, ok := c.kept.get(key); ok {
		return kept.(CodeSystem), nil
	}
	n, ok := c.resolve("CodeSystem", url, version)
	if !ok || Content(n.Get("content").Text()) == supplement {
		if version != "" {
			return nil, nil
		}
		m, err := c.iso(url)
		if m == nil || err != nil {
			return nil, err
		}
		c.kept.put(key, m, m.most())
		return m, nil
	}
	m, _, err := Read(n, c.limits, c.added[url]...)
	if err != nil {
		return nil, err
	}
	c.kept.put(key, m, m.most())
	return m, nil
}

// cutSystem parts a version from a URL. Some code systems have a | in their URL.
func (c *Catalog) cutSystem(canonical string) (url, version string) {
	if c.systems[canonical] != nil || c.given[givenKey{"CodeSystem", canonical}] != nil {
		return canonical, ""
	}
	url, version = cutVersion(canonical)
	if version != "" && c.defs != nil && c.defs.CodeSystem(url) == nil && c.defs.CodeSystem(canonical) != nil {
		return canonical, ""
	}
	return url, version
}

func cutVersion(canonical string) (url, version string) {
	url, version, _ = strings.Cut(canonical, "|")
	return url, version
}

// versionFits reports whether a definition in one version answers who asks for another: all of it, or its beginning.
func versionFits(have, want string) bool {
	if want == "" || have == want {
		return true
	}
	if prefix, ok := strings.CutSuffix(want, ".x"); ok {
		return strings.HasPrefix(have, prefix+".")
	}
	return false
}

// compareVersions orders versions: numbers in them count as such.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, restA := versionPart(a)
		y, restB := versionPart(b)
		if len(x) != len(y) && isNumber(x) && isNumber(y) {
			return len(x) - len(y)
		}
		if d := strings.Compare(x, y); d != 0 {
			return d
		}
		a, b = restA, restB
	}
	return len(a) - len(b)
}

// versionPart cuts a number without leading zeros, or what stands between numbers.
func versionPart(s string) (part, rest string) {
	number := isDigit(s[0])
	end := 1
	for end < len(s) && isDigit(s[end]) == number {
		end++
	}
	part, rest = s[:end], s[end:]
	if number {
		part = strings.TrimLeft(part, "0")
	}
	return part, rest
}

func isNumber(s string) bool { return s == "" || isDigit(s[0]) }
func isDigit(c byte) bool    { return c >= '0' && c <= '9' }

// shelf keeps what was made of resources, up to a number of bytes. When it is full it is emptied: what is in use is soon
// back, and nobody has to keep account of it.
//
// Most of what is asked for has been there for long, and is found without a lock. What is newer waits behind one until it
// has been asked for about as often as it costs to copy everything.
type shelf struct {
	limit int

	settled atomic.Pointer[map[shelfKey]any] // never changed
	waiting atomic.Bool                      // whether there is something in fresh

	mu    sync.Mutex
	fresh map[shelfKey]any
	asked int // how often fresh was
	used  int
}

// shelfKey is a resource by type, URL and the version that was asked for.
type shelfKey struct{ kind, url, version string }

// Kept is how many bytes of what was read from resources are kept, at most Limits.Kept.
func (c *Catalog) Kept() int {
	c.kept.mu.Lock()
	defer c.kept.mu.Unlock()
	return c.kept.used
}

func (s *shelf) get(key shelfKey) (any, bool) {
	if v, ok := s.old()[key]; ok {
		return v, true
	}
	if !s.waiting.Load() {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.fresh[key]
	if s.asked++; s.asked > len(s.old())+len(s.fresh) {
		s.settle()
	}
	if !ok { // it may have settled meanwhile
		v, ok = s.old()[key]
	}
	return v, ok
}

func (s *shelf) old() map[shelfKey]any {
	if m := s.settled.Load(); m != nil {
		return *m
	}
	return nil
}

// settle makes one map of what is old and what is new. The lock is held.
func (s *shelf) settle() {
	all := make(map[shelfKey]any, len(s.old())+len(s.fresh))
	maps.Copy(all, s.old())
	maps.Copy(all, s.fresh)
	s.settled.Store(&all)
	s.waiting.Store(false)
	s.fresh, s.asked = nil, 0
}

func (s *shelf) put(key shelfKey, value any, size int) {
	size += len(key.url) + len(key.version) + 96
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh[key] != nil || s.old()[key] != nil || size > s.limit {
		return
	}
	if s.used+size > s.limit {
		s.settled.Store(nil)
		s.fresh, s.used = nil, 0
	}
	if s.fresh == nil {
		s.fresh = map[shelfKey]any{}
	}
	s.fresh[shelfKey{key.kind, strings.Clone(key.url), strings.Clone(key.version)}] = value
	s.waiting.Store(true)
	s.used += size
}
