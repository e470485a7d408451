package terminology

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yilian/yilian/conformance/fhir"
)

// Set is a value set that was read, with all that it imports. It is immutable.
type Set struct {
	catalog *Catalog
	url     string
	version string
	header  *fhir.Node // what the resource says of itself, without compose, expansion and text

	include, exclude []*component
	activeOnly       bool  // compose.inactive is false
	stored           *list // the codes of the expansion that came with the resource; nil if none did
	storedWhole      bool  // and they are all there are
	imports          bool
	size             int
	cyclic           bool         // it was found to import itself
	room             atomic.Int64 // bytes that components keep
}

// component is an include or exclude.
type component struct {
	system, version string
	codes           *list // if they are enumerated
	filters         []Filter
	sets            []*Set
	broken          *Refusal // of an import that cannot be read
	resolved        atomic.Pointer[resolution]
	room            *atomic.Int64 // bytes that the components of the value set keep of resolutions
}

// maxResolved bounds the bytes of selections that one value set keeps; what is over it is made again for each answer.
const maxResolved = 16 << 20

// work is how many steps it takes to select the concepts of a component from a code system: a filter looks at each,
// but those about the hierarchy only at what they find.
func (p *component) work(system CodeSystem, text string) int {
	n := max(system.Describe().Count, 0)
	work := 0
	if text != "" {
		work = n / 8
	}
	if p.codes != nil {
		return work
	}
	for _, f := range p.filters {
		switch f.Op {
		case OpIsA, OpDescendentOf, OpIsNotA, OpGeneralizes:
			work += n / 256
		default:
			work += n / 4
		}
	}
	return work
}

// resolution is the code system of a component, and the concepts that its filters leave; or why there are none.
type resolution struct {
	system    CodeSystem
	selection Selection
	refusal   *Refusal
}

// list is enumerated codes in order.
type list struct {
	entries []entry
	at      map[listKey]int32

	fold   sync.Once
	folded map[listKey]int32 // by codes in small letters; made when it is first asked for
	index  sync.Once
	byCode map[string]int32 // the first of each code, whatever its system; made when it is first asked for
}

func newList(room int) *list {
	return &list{entries: make([]entry, 0, room), at: make(map[listKey]int32, room)}
}

type listKey struct{ system, code string }

// entry is an enumerated code, with what the value set says of it.
type entry struct {
	system, code, display string
	abstract, inactive    bool // of codes of an expansion
	designations          []Designation
}

func (l *list) add(e entry) {
	key := listKey{e.system, e.code}
	if _, ok := l.at[key]; !ok && e.code != "" {
		l.at[key] = int32(len(l.entries))
		l.entries = append(l.entries, e)
	}
}

func (l *list) find(system, code string) *entry {
	if i, ok := l.at[listKey{system, code}]; ok {
		return &l.entries[i]
	}
	return nil
}

// first finds a code whose system nobody says: of several the first.
func (l *list) first(code string) *entry {
	l.index.Do(func() {
		l.byCode = make(map[string]int32, len(l.entries))
		for i := len(l.entries) - 1; i >= 0; i-- {
			l.byCode[l.entries[i].code] = int32(i)
		}
	})
	if i, ok := l.byCode[code]; ok {
		return &l.entries[i]
	}
	return nil
}

// findFolded finds a code of a system in which case does not count.
func (l *list) findFolded(system, code string) *entry {
	l.fold.Do(func() {
		l.folded = make(map[listKey]int32, len(l.entries))
		for i, e := range l.entries {
			key := listKey{e.system, strings.ToLower(e.code)}
			if _, ok := l.folded[key]; !ok {
				l.folded[key] = int32(i)
			}
		}
	})
	if i, ok := l.folded[listKey{system, strings.ToLower(code)}]; ok {
		return &l.entries[i]
	}
	return nil
}

// URL is the canonical URL of the value set, "" if it has none; Version its version.
func (s *Set) URL() string { return s.url }

// Version is the version of the value set, "" if it has none.
func (s *Set) Version() string { return s.version }

// ValueSet is the value set with a canonical URL, with |version or without. It may be an implicit one. An error is a
// *Refusal: it is not known, or cannot be read.
func (c *Catalog) ValueSet(canonical string) (*Set, error) {
	return (&compiler{c: c}).named(canonical)
}

// ReadValueSet reads a value set that the Catalog need not know of, such as a contained one. What it imports it finds
// in the Catalog.
func (c *Catalog) ReadValueSet(resource *fhir.Node) (*Set, error) {
	s, err := (&compiler{c: c}).read(resource, "")
	if err != nil {
		return nil, err
	}
	return s, nil
}

// compiler reads one value set and what it imports.
type compiler struct {
	c     *Catalog
	above []string // value sets that are being read, outermost first
	parts int
}

func (k *compiler) named(canonical string) (*Set, error) {
	key := shelfKey{"ValueSet", canonical, ""}
	if kept, ok := k.c.kept.get(key); ok {
		return kept.(*Set), nil
	}
	if slices.Contains(k.above, canonical) {
		return nil, refuse(msgValueSetCyclic, canonical)
	}
	url, version := cutVersion(canonical)
	n, ok := k.c.resolve("ValueSet", url, version)
	if !ok {
		if n = k.c.implicit(url, version); n == nil {
			return nil, refuse(msgValueSetUnknown, canonical)
		}
	}
	s, err := k.read(n, canonical)
	if err != nil {
		return nil, err
	}
	// What was found inside a cycle depends on where the reading began.
	if len(k.above) == 0 || !s.cyclic {
		k.c.kept.put(key, s, s.size)
	}
	return s, nil
}

func (k *compiler) read(n *fhir.Node, canonical string) (*Set, error) {
	s := &Set{catalog: k.c, url: n.Get("url").Text(), version: n.Get("version").Text(), header: header(n), size: 1024}
	name := s.name()
	if len(k.above) >= k.c.limits.Imports {
		return nil, refuse(msgValueSetDeep, name, k.c.limits.Imports)
	}
	k.above = append(k.above, canonical)
	defer func() { k.above = k.above[:len(k.above)-1] }()

	compose := n.Get("compose")
	s.activeOnly = compose.Get("inactive").Text() == "false"
	var err error
	if s.include, err = k.components(s, compose.Get("include")); err != nil {
		return nil, err
	}
	if s.exclude, err = k.components(s, compose.Get("exclude")); err != nil {
		return nil, err
	}
	if err := k.expansion(s, n.Get("expansion")); err != nil {
		return nil, err
	}
	if compose == nil {
		if s.stored == nil {
			return nil, refuse(msgValueSetEmpty, name)
		}
		s.include = []*component{{codes: s.stored}}
	}
	return s, nil
}

func (k *compiler) count(s *Set, n int) error {
	if k.parts += n; k.parts > k.c.limits.Parts {
		return refuse(msgValueSetLarge, s.name(), k.c.limits.Parts)
	}
	return nil
}

func (k *compiler) components(s *Set, nodes *fhir.Node) ([]*component, error) {
	var out []*component
	for _, n := range nodes.Items() {
		p, err := k.component(s, n)
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, p)
		}
	}
	return out, nil
}

func (k *compiler) component(s *Set, n *fhir.Node) (*component, error) {
	p := &component{system: n.Get("system").Text(), version: n.Get("version").Text()}
	if p.version == "" {
		p.system, p.version = k.c.cutSystem(p.system)
	}
	concepts, filters, sets := n.Get("concept").Items(), n.Get("filter").Items(), n.Get("valueSet").Items()
	if p.system == "" && len(sets) == 0 {
		return nil, refuse(msgIncludeEmpty, s.name())
	}
	if err := k.count(s, 1+len(concepts)+len(filters)+len(sets)); err != nil {
		return nil, err
	}
	s.size += 256
	p.room = &s.room
	for i, c := range concepts {
		if i == 0 {
			p.codes = newList(len(concepts))
		}
		e := entry{system: p.system, code: c.Get("code").Text(), display: c.Get("display").Text()}
		for _, d := range c.Get("designation").Items() {
			e.designations = append(e.designations, readDesignation(d))
			s.size += 128
		}
		p.codes.add(e)
		s.size += 256
	}
	for _, f := range filters {
		p.filters = append(p.filters, Filter{Property: f.Get("property").Text(), Op: Op(f.Get("op").Text()), Value: f.Get("value").Text()})
		s.size += 256
	}
	for _, v := range sets {
		s.imports = true
		set, err := k.named(v.Text())
		var refusal *Refusal
		switch {
		case err == nil:
			p.sets = append(p.sets, set)
			s.cyclic = s.cyclic || set.cyclic
		case errors.As(err, &refusal):
			p.broken = refusal
			s.cyclic = s.cyclic || refusal.Issue.ID == msgValueSetCyclic.ID
		default:
			return nil, err
		}
	}
	return p, nil
}

// resolve finds the code system of a component in the version that it names, once as long as there is room to keep it.
func (r *run) resolve(p *component) (CodeSystem, Selection, error) {
	found := p.resolved.Load()
	if found == nil {
		system, selection, err := r.selected(p, p.version, "")
		found = &resolution{system: system, selection: selection}
		if err != nil && (!errors.As(err, &found.refusal) || found.refusal.Issue.ID == msgTooMuchWork.ID) {
			return nil, nil, err // it may be better next time
		}
		size := 64
		if system != nil && len(p.filters) > 0 {
			size += max(system.Describe().Count, 0) / 8
		}
		if p.room == nil || p.room.Add(int64(size)) <= maxResolved {
			p.resolved.Store(found)
		}
	}
	if found.refusal != nil {
		return found.system, nil, found.refusal
	}
	return found.system, found.selection, nil
}

// selected resolves the code system of a component and the concepts that its filters and a text leave.
func (r *run) selected(p *component, version, text string) (CodeSystem, Selection, error) {
	system, err := r.c.codeSystem(p.system, version)
	if err != nil {
		return nil, nil, err
	}
	if system.Describe().Content == NotPresent {
		return system, nil, refuse(msgSystemAbsent, p.system)
	}
	if p.codes != nil {
		return system, nil, nil
	}
	if err := r.step(p.work(system, text)); err != nil {
		return nil, nil, err
	}
	s, err := system.Select(r.ctx, Query{Filters: p.filters, Text: text})
	if err == nil && len(p.filters) > 0 {
		err = r.step(max(s.Count(), 0) / 4)
	}
	return system, s, err
}

// expansion reads the codes of an expansion; depth costs no stack.
func (k *compiler) expansion(s *Set, n *fhir.Node) error {
	if n == nil {
		return nil
	}
	s.stored = newList(0)
	var stack [][]*fhir.Node
	stack = append(stack, n.Get("contains").Items())
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		if len(top) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		c := top[0]
		stack[len(stack)-1] = top[1:]
		if err := k.count(s, 1); err != nil {
			return err
		}
		e := entry{system: c.Get("system").Text(), code: c.Get("code").Text(), display: c.Get("display").Text(),
			abstract: c.Get("abstract").Text() == "true", inactive: c.Get("inactive").Text() == "true"}
		for _, d := range c.Get("designation").Items() {
			e.designations = append(e.designations, readDesignation(d))
		}
		s.stored.add(e)
		s.size += 256
		if below := c.Get("contains").Items(); len(below) > 0 {
			stack = append(stack, below)
		}
	}
	offset := n.Get("offset").Text()
	s.storedWhole = offset == "" || offset == "0"
	if total := n.Get("total").Text(); total != "" && total != itoa(len(s.stored.entries)) {
		s.storedWhole = false
	}
	for _, p := range n.Get("parameter").Items() {
		switch p.Get("name").Text() {
		case "count", "offset", "filter", "limitedExpansion":
			s.storedWhole = false
		}
	}
	return nil
}

// name is how messages call the value set.
func (s *Set) name() string {
	if s.url == "" {
		return "(without URL)"
	}
	return s.url
}

// header copies what a value set says of itself and an expansion repeats.
func header(n *fhir.Node) *fhir.Node {
	out := fhir.NewObject().SetString("resourceType", "ValueSet")
	for _, name := range []string{"id", "language", "url", "identifier", "version", "name", "title", "status", "experimental", "date",
		"publisher", "description", "jurisdiction", "immutable", "copyright"} {
		if v := n.Get(name); v != nil {
			out.Set(name, v.Clone())
		}
	}
	return out
}

// implicit makes the value set that a code system defines without a resource, nil if there is none of that URL.
func (c *Catalog) implicit(url, version string) *fhir.Node {
	include := fhir.NewObject()
	system, filter := c.wholes[url], ""
	if base, query, ok := strings.Cut(url, "?"); ok && system == "" {
		value, isSet := strings.CutPrefix(query, "fhir_vs")
		if !isSet {
			return nil
		}
		switch {
		case value == "":
			system = base
		case strings.HasPrefix(value, "=isa/"):
			system, filter = base, strings.TrimPrefix(value, "=isa/")
		default:
			return nil // refsets and expressions
		}
		// A version of SNOMED CT stands in the URL: http://snomed.info/sct/{module}/version/{date}.
		if rest, ok := strings.CutPrefix(system, snomed+"/"); ok && rest != "" {
			system, version = snomed, base
		}
		if filter == "" && query != "fhir_vs" {
			return nil
		}
	}
	if url == "http://loinc.org/vs" {
		system = "http://loinc.org"
	}
	if system == "" {
		return nil
	}
	if s, err := c.codeSystem(system, version); err != nil || s.Describe().Content == NotPresent && c.wholes[url] == "" {
		return nil
	}
	include.SetString("system", system)
	if version != "" {
		include.SetString("version", version)
	}
	if filter != "" {
		include.Set("filter", fhir.NewArray(fhir.NewObject().SetString("property", "concept").SetString("op", string(OpIsA)).SetString("value", filter)))
	}
	set := fhir.NewObject().SetString("resourceType", "ValueSet").SetString("url", url).SetString("status", "active")
	return set.Set("compose", fhir.NewObject().Set("include", fhir.NewArray(include)))
}

const snomed = "http://snomed.info/sct"
