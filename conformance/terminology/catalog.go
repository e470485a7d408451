package terminology

import (
	"slices"
	"strings"
	"sync"
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
	given   map[string][]*fhir.Node // by kind and URL, the newest version first
	added   map[string][]*fhir.Node // supplements by URL of the code system
	wholes  map[string]string       // URL of a value set of all codes → URL of the code system
	maps    []string                // URLs of the given concept maps
	kept    shelf
}

// New returns a Catalog of FHIR's own definitions, and of more.
func New(defs *definitions.Definitions, o Options) *Catalog {
	c := &Catalog{defs: defs, source: o.Source, limits: o.Limits.withDefaults(), now: o.Now, systems: map[string][]CodeSystem{},
		given: map[string][]*fhir.Node{}, added: map[string][]*fhir.Node{}, wholes: map[string]string{}}
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
	c.given[kind+" "+url] = append(c.given[kind+" "+url], n)
}

// resolve finds a resource by kind, URL and version; "" is any version.
func (c *Catalog) resolve(kind, url, version string) (*fhir.Node, bool) {
	list := c.given[kind+" "+url]
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

func (c *Catalog) codeSystem(url, version string) (CodeSystem, error) {
	list := c.systems[url]
	for _, s := range list {
		if versionFits(s.Describe().Version, version) {
			return s, nil
		}
	}
	if url == "" {
		return nil, refuse(msgSystemMissing)
	}
	key := shelfKey{"CodeSystem", url, version}
	if kept, ok := c.kept.get(key); ok {
		return kept.(CodeSystem), nil
	}
	n, ok := c.resolve("CodeSystem", url, version)
	if ok && Content(n.Get("content").Text()) == supplement {
		ok = false
	}
	if !ok && version == "" {
		if m, err := c.iso(url); m != nil || err != nil {
			if err == nil {
				c.kept.put(key, m, m.most())
			}
			return m, err
		}
	}
	if !ok {
		if _, any := c.resolve("CodeSystem", url, ""); version != "" && (any || len(list) > 0) {
			return nil, refuse(msgSystemVersion, url, version)
		}
		return nil, refuse(msgSystemUnknown, url)
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
	if c.systems[canonical] != nil || c.given["CodeSystem "+canonical] != nil {
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
type shelf struct {
	limit int

	mu   sync.RWMutex
	kept map[shelfKey]any
	used int
}

// shelfKey is a resource by type, URL and the version that was asked for.
type shelfKey struct{ kind, url, version string }

// Kept is how many bytes of what was read from resources are kept, at most Limits.Kept.
func (c *Catalog) Kept() int {
	c.kept.mu.RLock()
	defer c.kept.mu.RUnlock()
	return c.kept.used
}

func (s *shelf) get(key shelfKey) (any, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.kept[key]
	return v, ok
}

func (s *shelf) put(key shelfKey, value any, size int) {
	size += len(key.url) + len(key.version) + 96
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.kept[key]; ok || size > s.limit {
		return
	}
	if s.kept == nil || s.used+size > s.limit {
		s.kept, s.used = map[shelfKey]any{}, 0
	}
	s.kept[shelfKey{key.kind, strings.Clone(key.url), strings.Clone(key.version)}] = value
	s.used += size
}
