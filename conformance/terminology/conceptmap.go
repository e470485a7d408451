package terminology

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// Map is a concept map that was read. It is immutable.
type Map struct {
	url, version   string
	source, target string // canonical URLs of value sets, "" if none is named
	groups         []group
	size           int
}

// group is the mappings from one system to another.
type group struct {
	source, sourceVersion string
	target, targetVersion string
	bySource              map[string][]int32 // targets by the code they are of
	byTarget              map[string][]int32
	targets               []target
	unmapped              *unmapped
}

// target is one line of a map: a code of the source, and what it is in the target.
type target struct {
	source, sourceDisplay string
	code, display         string
	equivalence           Equivalence
	comment               string
	dependsOn, product    []OtherElement
}

// unmapped is what to do with codes that a group does not map.
type unmapped struct {
	mode    string // provided, fixed, other-map
	code    string
	display string
	url     string
}

// OtherElement is a value that a mapping depends on, or that comes out beside the code.
type OtherElement struct {
	Property, System, Value, Display string
}

// Equivalence is a code of http://hl7.org/fhir/concept-map-equivalence: how the target is to the source.
type Equivalence string

// The equivalences.
const (
	MapRelatedTo   Equivalence = "relatedto"
	MapEquivalent  Equivalence = "equivalent"
	MapEqual       Equivalence = "equal"
	MapWider       Equivalence = "wider"
	MapSubsumes    Equivalence = "subsumes"
	MapNarrower    Equivalence = "narrower"
	MapSpecializes Equivalence = "specializes"
	MapInexact     Equivalence = "inexact"
	MapUnmatched   Equivalence = "unmatched"
	MapDisjoint    Equivalence = "disjoint"
)

// reversed is how the source is to the target.
func (e Equivalence) reversed() Equivalence {
	switch e {
	case MapWider:
		return MapNarrower
	case MapNarrower:
		return MapWider
	case MapSubsumes:
		return MapSpecializes
	case MapSpecializes:
		return MapSubsumes
	}
	return e
}

// matches reports whether the target stands for the source at all.
func (e Equivalence) matches() bool { return e != MapUnmatched && e != MapDisjoint }

// rank orders equivalences, the closest first.
func (e Equivalence) rank() int {
	switch e {
	case MapEqual:
		return 0
	case MapEquivalent:
		return 1
	case MapWider, MapSubsumes:
		return 2
	case MapNarrower, MapSpecializes:
		return 3
	case MapRelatedTo, MapInexact:
		return 4
	}
	return 5
}

// URL is the canonical URL of the map, "" if it has none.
func (m *Map) URL() string { return m.url }

// ConceptMap is the concept map with a canonical URL, with |version or without. An error is a *Refusal.
func (c *Catalog) ConceptMap(canonical string) (*Map, error) {
	key := shelfKey{"ConceptMap", canonical, ""}
	if kept, ok := c.kept.get(key); ok {
		return kept.(*Map), nil
	}
	url, version := cutVersion(canonical)
	n, ok := c.resolve("ConceptMap", url, version)
	if !ok {
		return nil, refuse(msgMapUnknown, canonical)
	}
	m, err := c.ReadConceptMap(n)
	if err != nil {
		return nil, err
	}
	c.kept.put(key, m, m.size)
	return m, nil
}

// ReadConceptMap reads a concept map that the Catalog need not know of.
func (c *Catalog) ReadConceptMap(n *fhir.Node) (*Map, error) {
	m := &Map{url: n.Get("url").Text(), version: n.Get("version").Text(), size: 1024}
	m.source, m.target = valueSetOf(n, "source"), valueSetOf(n, "target")
	count := 0
	for _, g := range n.Get("group").Items() {
		x := group{source: g.Get("source").Text(), sourceVersion: g.Get("sourceVersion").Text(), target: g.Get("target").Text(),
			targetVersion: g.Get("targetVersion").Text(), bySource: map[string][]int32{}, byTarget: map[string][]int32{}}
		for _, e := range g.Get("element").Items() {
			targets := e.Get("target").Items()
			if count += max(len(targets), 1); count > c.limits.Targets {
				return nil, refuse(msgMapLarge, m.name(), c.limits.Targets)
			}
			x.element(e, targets)
		}
		if u := g.Get("unmapped"); u != nil {
			x.unmapped = &unmapped{mode: u.Get("mode").Text(), code: u.Get("code").Text(), display: u.Get("display").Text(), url: u.Get("url").Text()}
		}
		m.groups = append(m.groups, x)
		m.size += 1024
	}
	m.size += 512 * count
	return m, nil
}

// valueSetOf is the value set that a map is from or to.
func valueSetOf(n *fhir.Node, end string) string {
	for _, typ := range []string{"Uri", "Canonical"} {
		if v := n.Get(end + typ).Text(); v != "" {
			return v
		}
	}
	return ""
}

func (g *group) element(e *fhir.Node, targets []*fhir.Node) {
	code, display := e.Get("code").Text(), e.Get("display").Text()
	if len(targets) == 0 {
		g.add(target{source: code, sourceDisplay: display, equivalence: MapUnmatched})
	}
	for _, t := range targets {
		g.add(target{source: code, sourceDisplay: display, code: t.Get("code").Text(), display: t.Get("display").Text(),
			equivalence: Equivalence(t.Get("equivalence").Text()), comment: t.Get("comment").Text(),
			dependsOn: otherElements(t.Get("dependsOn")), product: otherElements(t.Get("product"))})
	}
}

func (g *group) add(t target) {
	i := int32(len(g.targets))
	g.targets = append(g.targets, t)
	g.bySource[t.source] = append(g.bySource[t.source], i)
	if t.code != "" {
		g.byTarget[t.code] = append(g.byTarget[t.code], i)
	}
}

func otherElements(n *fhir.Node) []OtherElement {
	var out []OtherElement
	for _, o := range n.Items() {
		out = append(out, OtherElement{Property: o.Get("property").Text(), System: o.Get("system").Text(), Value: o.Get("value").Text(),
			Display: o.Get("display").Text()})
	}
	return out
}

func (m *Map) name() string {
	if m.url == "" {
		return "(without URL)"
	}
	return m.url
}
