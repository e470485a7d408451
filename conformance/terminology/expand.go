package terminology

import (
	"context"
	"errors"
	"slices"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// ExpandRequest is what $expand may be asked for, https://hl7.org/fhir/R4/valueset-operation-expand.html. The zero value
// asks for everything.
type ExpandRequest struct {
	Filter              string // words, each of which must be in a code, display or designation
	Page                *Page  // nil for all codes at once, which are refused if there are too many
	ActiveOnly          bool
	ExcludeNested       bool // pages and what a filter leaves never nest
	ExcludeNotForUI     bool // leaves abstract codes out
	IncludeDesignations bool
	IncludeDefinition   bool
	Designations        []string // language tags, or system|code of the use; none for all
	DisplayLanguage     string   // a tag, or as in Accept-Language
	ExcludeSystem       []string // canonical URLs
	SystemVersion       []string // url|version, where nothing else is said
	CheckSystemVersion  []string
	ForceSystemVersion  []string
}

// Page is a part of an expansion: Count codes from the one at Offset, counted from 0. No page is longer than
// Limits.Expansion.
type Page struct{ Offset, Count int }

// Expand lists the codes of a value set. An error is a *Refusal if the set cannot be listed: it is infinite, too large,
// or depends on what is not known.
func (c *Catalog) Expand(ctx context.Context, s *Set, q ExpandRequest) (*Expansion, error) {
	w, err := newWalk(ctx, c, s, q)
	if err != nil {
		return nil, err
	}
	if err := w.expand(); err != nil {
		return nil, err
	}
	if !q.ExcludeNested && q.Page == nil && q.Filter == "" {
		w.out.Contains = nest(w.out.Contains)
	}
	return w.out, nil
}

// walk makes one expansion.
type walk struct {
	*run
	set     *Set
	q       ExpandRequest
	words   []string
	wanted  languages
	out     *Expansion
	seen    int // codes so far
	offset  int
	room    int // of the page
	used    map[string]bool
	partial map[string]bool
}

// item is a code on its way into an expansion.
type item struct {
	system  string
	concept Concept
	entry   *entry     // with which the value set lists it; nil if it does not
	where   CodeSystem // nil if the system is not known
}

func newWalk(ctx context.Context, c *Catalog, s *Set, q ExpandRequest) (*walk, error) {
	w := &walk{run: c.run(ctx), set: s, q: q, used: map[string]bool{}, partial: map[string]bool{}}
	var err error
	if w.words, err = words(q.Filter); err != nil {
		return nil, err
	}
	if w.wanted, err = readLanguages(q.DisplayLanguage); err != nil {
		return nil, err
	}
	if w.versions, err = readVersions(q); err != nil {
		return nil, err
	}
	w.room = c.limits.Expansion
	if q.Page != nil {
		if q.Page.Offset < 0 || q.Page.Count < 0 {
			return nil, refuse(msgParameter, "offset, count", "they count from 0")
		}
		w.offset, w.room = q.Page.Offset, min(q.Page.Count, w.room)
	}
	w.out = &Expansion{set: s, Time: c.now(), Offset: w.offset, Paged: q.Page != nil}
	w.out.echo(q, w.wanted)
	return w, nil
}

func readVersions(q ExpandRequest) (*versions, error) {
	if len(q.SystemVersion)+len(q.CheckSystemVersion)+len(q.ForceSystemVersion) == 0 {
		return nil, nil
	}
	v := &versions{preferred: map[string]string{}, checked: map[string]string{}, forced: map[string]string{}}
	for _, k := range []struct {
		name  string
		list  []string
		among map[string]string
	}{
		{"system-version", q.SystemVersion, v.preferred}, {"check-system-version", q.CheckSystemVersion, v.checked},
		{"force-system-version", q.ForceSystemVersion, v.forced},
	} {
		for _, canonical := range k.list {
			url, version := cutVersion(canonical)
			if version == "" {
				return nil, refuse(msgParameter, k.name, "it is no url|version")
			}
			k.among[url] = version
		}
	}
	return v, nil
}

func (w *walk) expand() error {
	for i, p := range w.set.include {
		if err := w.step(1 + i/16); err != nil { // to compare it with those before
			return err
		}
		if done, err := w.whole(i, p); err != nil {
			return err
		} else if done {
			continue
		}
		err := w.member(w.set, i, p, w.take)
		var refusal *Refusal
		switch {
		case errors.As(err, &refusal) && refusal.Issue.ID == msgTooMuchWork.ID && w.q.Page != nil && len(w.out.Contains) == w.room:
			w.out.Total = -1 // the page is right, and counting the rest is too much
			return nil
		case err != nil:
			return err
		}
	}
	w.out.Total = w.seen
	return nil
}

// whole takes an include of which nothing is left out or dropped: codes before the page need not be looked at.
func (w *walk) whole(i int, p *component) (done bool, err error) {
	s := w.set
	if p.system == "" || len(p.sets) > 0 || p.broken != nil || p.codes != nil || len(s.exclude) > 0 || s.activeOnly ||
		w.q.ActiveOnly || w.q.ExcludeNotForUI || w.without(p) || slices.ContainsFunc(s.include[:i], p.overlaps) {
		return false, nil
	}
	system, selection, err := w.selection(s, p)
	if err != nil || selection == nil {
		return false, err
	}
	n := selection.Count()
	if n < 0 {
		return false, refuse(msgSystemInfinite, p.system)
	}
	if err := w.fits(w.seen + n); err != nil {
		return false, err
	}
	start := max(w.offset-w.seen, 0)
	w.seen += n
	if start >= n || len(w.out.Contains) >= w.room {
		return true, nil
	}
	for c, err := range selection.From(w.ctx, start) {
		if err != nil {
			return false, err
		}
		if err := w.put(item{system: p.system, concept: c, where: system}); err != nil {
			return false, err
		}
		if len(w.out.Contains) >= w.room {
			break
		}
	}
	return true, nil
}

// fits refuses an expansion that is asked for at once and has too many codes.
func (w *walk) fits(n int) error {
	if w.q.Page == nil && n > w.c.limits.Expansion {
		return refuse(msgTooCostly, w.set.name(), w.c.limits.Expansion)
	}
	return nil
}

// take counts a code, and puts it into the expansion if it belongs to the page.
func (w *walk) take(it item) error {
	if w.q.ActiveOnly && it.concept.Inactive || w.q.ExcludeNotForUI && it.concept.Abstract {
		return nil
	}
	w.seen++
	if err := w.fits(w.seen); err != nil {
		return err
	}
	if w.seen <= w.offset || len(w.out.Contains) >= w.room {
		return nil
	}
	return w.put(it)
}

// overlaps reports whether codes may be in both components.
func (p *component) overlaps(o *component) bool {
	return p.system == o.system || p.system == "" || o.system == ""
}

// covers reports whether a component is all codes of the system whose codes another
// selects by filters, if at all.
func (p *component) covers(o *component) bool {
	return p.system != "" && p.system == o.system && p.version == o.version && p.codes == nil && len(p.filters) == 0 && len(p.sets) == 0 &&
		p.broken == nil && o.codes == nil && o.broken == nil
}

// without reports whether the component's system is not wanted.
func (w *walk) without(p *component) bool {
	return p.system != "" && slices.ContainsFunc(w.q.ExcludeSystem, func(canonical string) bool {
		url, version := cutVersion(canonical)
		return url == p.system && (version == "" || version == p.version)
	})
}

// members yields the codes of an imported value set.
func (w *walk) members(s *Set, yield func(item) error) error {
	for i, p := range s.include {
		if err := w.step(1 + i/16); err != nil {
			return err
		}
		if err := w.member(s, i, p, yield); err != nil {
			return err
		}
	}
	return nil
}

// member yields the codes of the i-th include of a value set that are in no earlier one and not excluded.
func (w *walk) member(s *Set, i int, p *component, yield func(item) error) error {
	if w.without(p) {
		return nil
	}
	var earlier []*component
	for _, e := range s.include[:i] {
		if !p.overlaps(e) || w.without(e) {
			continue
		}
		if e.covers(p) {
			return nil
		}
		earlier = append(earlier, e)
	}
	return w.source(s, p, func(it item) error {
		if err := w.step(1); err != nil {
			return err
		}
		for _, e := range earlier {
			if a, err := w.holds(e, it.system, it.concept.Code, false); err != nil || a.member == definitions.Member {
				return err
			}
		}
		for _, e := range s.exclude {
			a, err := w.certain(w.holds(e, it.system, it.concept.Code, false))
			if err != nil || a {
				return err
			}
		}
		if s.activeOnly && it.concept.Inactive {
			return nil
		}
		return yield(it)
	})
}

// certain turns what cannot be told into a refusal: an expansion is right or none.
func (w *walk) certain(a answer, err error) (bool, error) {
	if err == nil && a.member == definitions.Unknown {
		err = a.cause
	}
	return a.member == definitions.Member, err
}

// source yields the codes of a component.
func (w *walk) source(s *Set, p *component, yield func(item) error) error {
	if p.broken != nil {
		return p.broken
	}
	sets := p.sets
	if p.system == "" && len(sets) > 0 {
		sets = sets[1:]
	}
	every := func(it item) error {
		for _, set := range sets {
			in, err := w.certain(w.ask(set, it.system, it.concept.Code, false))
			if err != nil || !in {
				return err
			}
		}
		return yield(it)
	}
	switch {
	case p.codes != nil:
		return w.enumerated(p, every)
	case p.system == "":
		return w.members(p.sets[0], every)
	}
	system, selection, err := w.selection(s, p)
	if err != nil {
		return err
	}
	if selection == nil {
		return w.enumerated(&component{system: p.system, codes: s.stored}, every)
	}
	for c, err := range selection.From(w.ctx, 0) {
		if err != nil {
			return err
		}
		if err := every(item{system: p.system, concept: c, where: system}); err != nil {
			return err
		}
	}
	return nil
}

// selection finds the codes of a component that has a system; nil if only the expansion that came with the value set
// can tell them.
func (w *walk) selection(s *Set, p *component) (CodeSystem, Selection, error) {
	var system CodeSystem
	var selection Selection
	var err error
	if version := w.versions.of(p.system, p.version); len(w.words) == 0 {
		system, selection, err = w.resolved(p)
	} else {
		system, selection, err = w.run.selected(p, version, w.q.Filter)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && s.stored != nil && s.storedWhole {
		if note := msgStored.Issue(fhir.Information, s.name()); !slices.Contains(w.out.Issues, note) {
			w.out.Issues = append(w.out.Issues, note)
		}
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return system, selection, w.uses(system)
}

// uses notes that a code system, in its version, took part.
func (w *walk) uses(system CodeSystem) error {
	about := system.Describe()
	if w.used[about.URL+"|"+about.Version] {
		return nil
	}
	w.used[about.URL+"|"+about.Version] = true
	if w.versions != nil {
		if want, ok := w.versions.checked[about.URL]; ok && !versionFits(about.Version, want) {
			return refuse(msgSystemVersionCheck, about.URL, about.Version, want)
		}
	}
	if about.Version != "" {
		w.out.Parameters = append(w.out.Parameters, ExpansionParameter{"version", "Uri", about.URL + "|" + about.Version})
	}
	if about.Content == Fragment || about.Content == Example {
		w.out.Issues = append(w.out.Issues, msgSystemPartial.Issue(fhir.Warning, about.URL))
	}
	return nil
}

// enumerated yields listed codes, with what their system knows of them.
func (w *walk) enumerated(p *component, yield func(item) error) error {
	for i := range p.codes.entries {
		e := &p.codes.entries[i]
		if p.system != "" && e.system != p.system {
			continue
		}
		it := item{system: e.system, entry: e, concept: Concept{Code: e.code, Display: e.display, Abstract: e.abstract, Inactive: e.inactive}}
		system, err := w.known(p, e.system)
		if err != nil {
			return err
		}
		if system != nil {
			c, ok, err := system.Lookup(w.ctx, e.code)
			if err != nil {
				return err
			}
			if ok {
				it.where = system
				it.concept = Concept{Code: e.code, Display: c.Display, Parent: c.Parent, Abstract: c.Abstract || e.abstract, Inactive: c.Inactive || e.inactive}
				if e.display != "" {
					it.concept.Display = e.display
				}
			}
		}
		if found, err := w.found(it); err != nil {
			return err
		} else if !found {
			if err := w.step(1); err != nil {
				return err
			}
			continue
		}
		if err := yield(it); err != nil {
			return err
		}
	}
	return nil
}

// known is the code system of listed codes, nil if it is not here.
func (w *walk) known(p *component, url string) (CodeSystem, error) {
	var system CodeSystem
	var err error
	if p.system == url && url != "" {
		system, _, err = w.resolved(p)
	} else {
		system, err = w.c.codeSystem(url, w.versions.of(url, ""))
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return nil, nil
	}
	if err == nil && w.versions != nil {
		err = w.uses(system)
	}
	return system, err
}

// found reports whether a listed code has the words that are looked for.
func (w *walk) found(it item) (bool, error) {
	if len(w.words) == 0 {
		return true, nil
	}
	text := it.concept.Code + "\x01" + it.concept.Display
	for _, d := range it.entry.designations {
		text += "\x01" + d.Value
	}
	if it.where != nil {
		d, _, err := it.where.Details(w.ctx, it.concept.Code)
		if err != nil {
			return false, err
		}
		text += "\x01" + d.Display
		for _, x := range d.Designations {
			text += "\x01" + x.Value
		}
	}
	return hasWords(folded(text), w.words), nil
}

// put writes a code into the expansion.
func (w *walk) put(it item) error {
	m := Contained{System: it.system, Code: it.concept.Code, Display: it.concept.Display, Abstract: it.concept.Abstract,
		Inactive: it.concept.Inactive, parent: it.concept.Parent}
	if len(w.wanted) > 0 || w.q.IncludeDesignations {
		if err := w.name(&m, it); err != nil {
			return err
		}
	}
	w.out.Contains = append(w.out.Contains, m)
	return nil
}

// name chooses the display in the wanted language, and collects the other names.
func (w *walk) name(m *Contained, it item) error {
	own, others := w.set.header.Get("language").Text(), []Designation(nil)
	if it.entry != nil {
		others = append(others, it.entry.designations...)
	}
	if it.where != nil {
		d, _, err := it.where.Details(w.ctx, it.concept.Code)
		if err != nil {
			return err
		}
		language := it.where.Describe().Language
		if it.entry == nil || it.entry.display == "" {
			own = language
		} else if d.Display != "" && d.Display != m.Display && language != "" {
			others = append(others, Designation{Language: language, Value: d.Display})
		}
		others = append(others, d.Designations...)
	}
	if better := w.wanted.display(m.Display, own, others); better != "" && better != m.Display {
		if m.Display != "" {
			others = append([]Designation{{Language: own, Value: m.Display}}, others...)
		}
		m.Display = better
	}
	if w.q.IncludeDesignations {
		for _, d := range others {
			if wants(w.q.Designations, d) {
				m.Designations = append(m.Designations, d)
			}
		}
	}
	return nil
}
