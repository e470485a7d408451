package validate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// item is one repetition of an element, where a profile looks at it.
type item struct {
	element   fhir.Element
	typ       string
	name      string // as in locations
	index     int
	property  *definitions.Property
	container *definitions.Element // says what may be below
	value     fhirpath.Value
	valued    bool
	hits      []*shape // slices it is in
}

func (it *item) node() *fhir.Node { return at(it.element.Value, it.element.Extra) }

// holder is the object that has the item's children.
func (it *item) holder() *fhir.Node {
	if it.element.Value.Kind() == fhir.Object {
		return it.element.Value
	}
	return it.element.Extra
}

// fhirpath is the item as FHIRPath sees it.
func (it *item) fhirpath(r *run) fhirpath.Value {
	if !it.valued && it.property != nil {
		it.value, it.valued = r.v.model.Element(it.element, it.property), true
	}
	return it.value
}

func itoa(n int) string { return strconv.Itoa(n) }

// spend counts work that profiles cause and ends the walk when it is too much.
func (r *run) spend() bool {
	if r.full {
		return false
	}
	r.steps++
	if r.steps > r.v.options.MaxSteps {
		if !r.full {
			r.fail(nil, msgTooCostly, itoa(r.v.options.MaxSteps))
		}
		r.full = true
		return false
	}
	return true
}

// conform judges an item against a profile and reports what is wrong, once.
func (r *run) conform(p *profile, it item) {
	key := trialKey{p, it.node()}
	if r.said[key] {
		return
	}
	if r.said == nil {
		r.said = map[trialKey]bool{}
	}
	r.said[key] = true
	r.profiled(p, it)
}

// profiled judges an item against a profile. The path is that of the item.
func (r *run) profiled(p *profile, it item) {
	if r.depth >= maxProfileDepth || !r.spend() {
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	if r.v.defs.IsResource(it.typ) && it.node() != r.scope.env.Resource {
		r.elsewhere(it.node(), func() bool { r.shape(p, p.root, &it); return true })
		return
	}
	r.shape(p, p.root, &it)
}

// shape judges one item by what a profile says of its element.
func (r *run) shape(p *profile, s *shape, it *item) {
	if !r.spend() || len(r.path) > r.v.options.MaxDepth {
		return
	}
	n := it.node()
	if s.restricted && !r.typed(s, it) {
		r.fail(n, msgProfileType, typeNames(s.types), p.url)
		return
	}
	if s.valued || len(s.instead) > 0 {
		r.hasValue(p, s, it)
	}
	if s.fixed != nil {
		r.fixed(p, s.fixed, it.element.Value, n, "")
	}
	if s.pattern != nil && !fits(s.pattern, it.element.Value) {
		r.fail(n, msgProfilePattern, p.url)
	}
	if s.least != nil || s.most != nil {
		r.between(p, s, it)
	}
	if s.longest > 0 && it.element.Value.Kind() == fhir.String && runes(it.element.Value.Text()) > s.longest {
		r.fail(n, msgTooLong, itoa(s.longest))
	}
	if s.narrative != nil && it.typ == "Narrative" {
		r.narrated(p, s.narrative, it)
	}
	if s.bound != nil && it.element.Value != nil {
		r.boundBy(s.bound, it)
	}
	for _, b := range s.bounds {
		if it.element.Value != nil {
			r.boundBy(b, it)
		}
	}
	if len(s.invariants) > 0 {
		r.judge(r.ownInvariants(s, it), it.fhirpath(r), n)
	}
	r.typeProfiles(p, s, it)
	if len(s.children) > 0 {
		r.below(p, s, it)
	}
}

// ownInvariants are those that an element does not have from the profile of its
// type, which a snapshot repeats: there they are judged where the resource is
// the one that they speak of.
func (r *run) ownInvariants(s *shape, it *item) []*invariant {
	if !r.v.defs.IsResource(it.typ) {
		return s.invariants
	}
	out := s.invariants
	for _, t := range s.types {
		for _, url := range t.profiles {
			p, err := r.v.profile(url)
			if err != nil || p == nil {
				continue
			}
			out = slices.DeleteFunc(slices.Clone(out), func(i *invariant) bool {
				return slices.ContainsFunc(p.root.invariants, func(k *invariant) bool { return k.key == i.key })
			})
		}
	}
	return out
}

// hasValue tests that a primitive has a value, or an extension that a profile
// names to stand for it.
func (r *run) hasValue(p *profile, s *shape, it *item) {
	if it.element.Value != nil {
		return
	}
	for _, e := range it.element.Extra.Get("extension").Items() {
		if slices.Contains(s.instead, e.Get("url").Text()) {
			return
		}
	}
	r.fail(it.node(), msgProfileValue, s.label, p.url)
}

// boundBy tests a value against a profile's binding.
func (r *run) boundBy(b *binding, it *item) {
	typ := it.typ
	if typ == "CodeableConcept" && b.strength == definitions.BindingRequired && b.set != nil {
		if it.element.Value.Get("coding") == nil && it.element.Value.Get("extension") == nil {
			r.fail(it.node(), msgConceptUncoded, b.url)
			return
		}
	}
	r.bound(b, typ, it.element.Value)
}

// typed reports whether the item has one of the shape's types.
func (r *run) typed(s *shape, it *item) bool {
	for _, t := range s.types {
		if t.code == "" || r.v.listed(t.code, it.typ) {
			return true
		}
	}
	return false
}

// listed reports whether a type that a profile lists takes in another: itself, what is made from it if it is abstract,
// and nothing else. A code is made from string, but is none where a string is wanted.
func (v *Validator) listed(code, typ string) bool {
	if code == typ {
		return true
	}
	t := v.defs.Type(code)
	return t != nil && t.Abstract && v.defs.IsA(typ, code)
}

func typeNames(types []shapeType) string {
	var names []string
	for _, t := range types {
		names = append(names, t.code)
	}
	return strings.Join(names, ", ")
}

func runes(s string) int {
	n := 0
	for range s {
		n++
	}
	return n
}

// below judges the children of an item.
func (r *run) below(p *profile, s *shape, it *item) {
	if r.v.defs.IsResource(it.typ) && it.node() != r.scope.env.Resource {
		r.elsewhere(it.node(), func() bool { r.belowHere(p, s, it); return true })
		return
	}
	r.belowHere(p, s, it)
}

func (r *run) belowHere(p *profile, s *shape, it *item) {
	holder := it.holder()
	if it.element.Value.Kind() == fhir.Object && it.container == nil {
		return
	}
	for _, c := range s.children {
		if r.full {
			return
		}
		items := r.childItems(it, holder, c)
		n := it.node()
		if c.counted {
			if len(items) < c.min {
				r.fail(n, msgProfileMissing, c.label, p.url)
			}
			if c.max >= 0 && len(items) > c.max {
				r.fail(n, msgProfileTooMany, c.label, itoa(c.max), p.url)
			}
		}
		r.group(p, c, items, n, true)
	}
}

// group judges the repetitions of an element, and by its slices.
func (r *run) group(p *profile, s *shape, items []item, parent *fhir.Node, _ bool) {
	if len(s.slices) > 0 && s.slicing != nil {
		r.sliced(p, s, items, parent)
	}
	for i := range items {
		if r.full {
			return
		}
		r.push(items[i].name, items[i].index)
		r.shape(p, s, &items[i])
		r.pop()
	}
}

// childItems are the repetitions of a child of an item.
func (r *run) childItems(it *item, holder *fhir.Node, s *shape) []item {
	var out []item
	if holder.Kind() != fhir.Object {
		return nil
	}
	container := it.container
	if container == nil {
		t := r.v.defs.Type(it.typ)
		if t == nil {
			return nil
		}
		container = t.Root()
	}
	if it.typ == "xhtml" {
		return nil
	}
	if s.choice {
		for i := range holder.Len() {
			name := strings.TrimPrefix(holder.At(i).Name(), "_")
			if !strings.HasPrefix(name, s.name) || name != holder.At(i).Name() && holder.Get(name) != nil {
				continue
			}
			prop := container.Child(name)
			if prop == nil || prop.Element.Name != s.name+"[x]" {
				continue
			}
			out = r.appendItems(out, holder, prop, s.name+".ofType("+prop.Type+")")
		}
		return out
	}
	prop := container.Child(s.name)
	if prop == nil {
		return nil
	}
	name := s.name
	if prop.Element.Choice() {
		name = strings.TrimSuffix(prop.Element.Name, "[x]") + ".ofType(" + prop.Type + ")"
	}
	return r.appendItems(out, holder, prop, name)
}

func (r *run) appendItems(out []item, holder *fhir.Node, prop *definitions.Property, name string) []item {
	repeats := prop.Repeats()
	for i, e := range holder.Elements(prop.Name) {
		it := item{element: e, typ: prop.Type, name: name, index: none, property: prop, container: prop.Container()}
		if repeats {
			it.index = i
		}
		if r.v.defs.KindOf(prop.Type) == definitions.Resource {
			it.typ = e.Value.ResourceType()
			it.container = nil
			if t := r.v.defs.Type(it.typ); t != nil && r.v.defs.IsResource(it.typ) {
				it.container = t.Root()
			}
		}
		out = append(out, it)
	}
	return out
}

// typeProfiles judges an item by the profiles on its type, and what a reference
// leads to by those on its target.
func (r *run) typeProfiles(p *profile, s *shape, it *item) {
	var urls, targets, modes []string
	for _, t := range s.types {
		if !r.v.listed(t.code, it.typ) {
			continue
		}
		urls = append(urls, t.profiles...)
		if it.typ == "Reference" || it.typ == "canonical" {
			targets = append(targets, t.targets...)
			modes = append(modes, t.modes...)
		}
	}
	if len(urls) > 0 {
		r.oneOf(p, urls, it)
	}
	if it.typ == "Reference" && (len(targets) > 0 || len(modes) > 0) {
		r.targetProfiles(targets, modes, it)
	}
}

// oneOf judges an item by profiles of which it must fulfil one.
func (r *run) oneOf(from *profile, urls []string, it *item) {
	var known []*profile
	for _, url := range urls {
		p, err := r.v.profile(url)
		switch {
		case err != nil:
			r.report(it.node(), fhir.Warning, msgProfileUnusable, url, err)
			return
		case p == nil:
			t := r.v.defs.Type(url)
			switch {
			case t == nil && it.typ != "Extension":
				r.fail(it.node(), msgProfileUnknown, url)
			case t != nil && !r.v.defs.IsA(it.typ, t.Name) && len(urls) == 1:
				r.fail(it.node(), msgProfileType, t.Name, from.url)
			}
			return
		}
		known = append(known, p)
	}
	if len(known) == 1 {
		r.conform(known[0], *it)
		return
	}
	hits := 0
	for _, p := range known {
		if r.try(p, *it) {
			hits++
		}
	}
	switch {
	case hits == 0:
		r.fail(it.node(), msgProfileNone, strings.Join(urls, ", "))
		for _, p := range known {
			r.conform(p, *it)
		}
	case hits > 1:
		r.report(it.node(), fhir.Warning, msgProfileSeveral, strings.Join(urls, ", "))
	}
}
