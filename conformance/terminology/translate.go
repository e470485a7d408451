package terminology

import (
	"context"
	"errors"
	"slices"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// TranslateRequest is what $translate may be asked for, https://hl7.org/fhir/R4/conceptmap-operation-translate.html.
type TranslateRequest struct {
	// Map is the concept map to use; nil for all that the Catalog can list.
	Map *Map
	// Codings are what is to be translated: one, or those of a CodeableConcept. A coding without a system is taken as
	// of any source system of the map.
	Codings      []Coding
	Source       string // canonical URL of the value set the codes are from; "" for any
	Target       string // canonical URL of the value set that is wanted; "" for any
	TargetSystem string // "" for any
	// Dependencies are what mappings may depend on.
	Dependencies []OtherElement
	// Reverse asks for codes of the source that have these as their target.
	Reverse bool
}

// Translation is what codes are elsewhere.
type Translation struct {
	// Result tells that at least one match is not unmatched or disjoint.
	Result  bool
	Matches []Match
	Issues  []fhir.Issue
}

// Match is one code that another one was translated to.
type Match struct {
	Equivalence Equivalence
	Coding      Coding // empty where the map says that there is none
	Products    []OtherElement
	Comment     string
	Map         string // canonical URL of the map that says so
}

// translation is the work for one TranslateRequest.
type translation struct {
	*run
	q      TranslateRequest
	out    *Translation
	target *Set
}

// Translate tells what codes are in another system. An error is a *Refusal: there is no map for that, or maps send each
// other round in a circle.
func (c *Catalog) Translate(ctx context.Context, q TranslateRequest) (*Translation, error) {
	t := &translation{run: c.run(ctx), q: q, out: &Translation{}}
	if len(q.Codings) == 0 || slices.ContainsFunc(q.Codings, func(c Coding) bool { return c.Code == "" }) {
		return nil, refuse(msgCodeMissing)
	}
	maps := []*Map{q.Map}
	if q.Map == nil {
		var err error
		if maps, err = t.candidates(); err != nil {
			return nil, err
		}
	} else if q.Target != "" && q.Target != q.Map.target && q.Target != q.Map.source {
		set, err := c.ValueSet(q.Target)
		if err != nil {
			return nil, err
		}
		t.target = set
	}
	for _, coding := range q.Codings {
		for _, m := range maps {
			if err := t.through(m, coding, nil); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(t.out.Matches, func(a, b Match) int { return a.Equivalence.rank() - b.Equivalence.rank() })
	t.out.Result = slices.ContainsFunc(t.out.Matches, func(m Match) bool { return m.Equivalence.matches() })
	if !t.out.Result {
		t.out.Issues = append(t.out.Issues, msgMapUnmatched.Issue(fhir.Information))
	}
	return t.out, nil
}

// candidates are the known maps between the value sets and systems that are asked for.
func (t *translation) candidates() ([]*Map, error) {
	urls := slices.Clone(t.c.maps)
	if t.c.defs != nil {
		urls = append(urls, t.c.defs.URLs("ConceptMap")...)
	}
	slices.Sort(urls)
	from, to := t.q.Source, t.q.Target
	if t.q.Reverse {
		from, to = to, from
	}
	var found []*Map
	for _, url := range slices.Compact(urls) {
		m, err := t.c.ConceptMap(url)
		if err != nil {
			continue // one map that cannot be read does not make the others useless
		}
		if (from == "" || m.source == from) && (to == "" || m.target == to) && slices.ContainsFunc(m.groups, t.concerns) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil, refuse(msgMapNone)
	}
	return found, nil
}

// concerns reports whether a group translates one of the codings to the system that is wanted.
func (t *translation) concerns(g group) bool {
	from, to := g.source, g.target
	if t.q.Reverse {
		from, to = to, from
	}
	return (t.q.TargetSystem == "" || t.q.TargetSystem == to) &&
		slices.ContainsFunc(t.q.Codings, func(c Coding) bool { return c.System == from && c.System != "" })
}

// maxMaps bounds how many maps hand a code on to each other.
const maxMaps = 16

// through translates a coding with one map. above are the maps that sent it here.
func (t *translation) through(m *Map, coding Coding, above []*Map) error {
	if slices.Contains(above, m) || len(above) >= maxMaps {
		return refuse(msgMapCyclic, m.name())
	}
	for i := range m.groups {
		g := &m.groups[i]
		from, fromVersion, to := g.source, g.sourceVersion, g.target
		codes := g.bySource[coding.Code]
		if t.q.Reverse {
			from, fromVersion, to, codes = g.target, g.targetVersion, g.source, g.byTarget[coding.Code]
		}
		if coding.System != "" && from != "" && from != coding.System ||
			coding.Version != "" && fromVersion != "" && coding.Version != fromVersion ||
			t.q.TargetSystem != "" && to != t.q.TargetSystem {
			continue
		}
		if err := t.step(1 + len(codes)); err != nil {
			return err
		}
		for _, k := range codes {
			if err := t.take(m, g, &g.targets[k]); err != nil {
				return err
			}
		}
		if len(codes) == 0 && g.unmapped != nil && !t.q.Reverse {
			if err := t.unmapped(m, g, coding, above); err != nil {
				return err
			}
		}
	}
	return nil
}

// take makes a match of one line of a map, if what it depends on is there.
func (t *translation) take(m *Map, g *group, x *target) error {
	if err := t.step(len(x.dependsOn) * len(t.q.Dependencies)); err != nil {
		return err
	}
	for _, d := range x.dependsOn {
		if !slices.ContainsFunc(t.q.Dependencies, func(have OtherElement) bool {
			return have.Property == d.Property && have.Value == d.Value && (d.System == "" || have.System == "" || have.System == d.System)
		}) {
			return nil
		}
	}
	match := Match{Equivalence: x.equivalence, Products: x.product, Comment: x.comment, Map: m.url}
	switch {
	case t.q.Reverse:
		match.Equivalence = x.equivalence.reversed()
		match.Coding = Coding{System: g.source, Version: g.sourceVersion, Code: x.source, Display: x.sourceDisplay}
		match.Products = nil
	case x.code != "":
		match.Coding = Coding{System: g.target, Version: g.targetVersion, Code: x.code, Display: x.display}
	}
	return t.add(match)
}

// add adds a match that is not there yet, in the value set that is wanted, with its display.
func (t *translation) add(match Match) error {
	if match.Coding.Code != "" && t.target != nil {
		a, err := t.ask(t.target, match.Coding.System, match.Coding.Code, false)
		if err != nil || a.member == definitions.NotMember {
			return err
		}
	}
	if match.Coding.Code != "" && match.Coding.Display == "" && match.Coding.System != "" {
		if err := t.display(&match.Coding); err != nil {
			return err
		}
	}
	if err := t.step(len(t.out.Matches)); err != nil {
		return err
	}
	if !slices.ContainsFunc(t.out.Matches, func(o Match) bool {
		return o.Equivalence == match.Equivalence && o.Coding == match.Coding && o.Map == match.Map && slices.Equal(o.Products, match.Products)
	}) {
		t.out.Matches = append(t.out.Matches, match)
	}
	return nil
}

func (t *translation) display(coding *Coding) error {
	system, err := t.c.codeSystem(coding.System, coding.Version)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	if err != nil {
		return err
	}
	c, _, err := system.Lookup(t.ctx, coding.Code)
	coding.Display = c.Display
	return err
}

// unmapped does what a group says of codes that it does not map.
func (t *translation) unmapped(m *Map, g *group, coding Coding, above []*Map) error {
	switch g.unmapped.mode {
	case "provided":
		return t.add(Match{Equivalence: MapEqual, Map: m.url, Coding: Coding{System: g.target, Version: g.targetVersion, Code: coding.Code, Display: coding.Display}})
	case "fixed":
		return t.add(Match{Equivalence: MapInexact, Map: m.url, Coding: Coding{System: g.target, Version: g.targetVersion, Code: g.unmapped.code, Display: g.unmapped.display}})
	case "other-map":
		other, err := t.c.ConceptMap(g.unmapped.url)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			issue := refusal.Issue
			issue.Severity = fhir.Warning
			t.out.Issues = append(t.out.Issues, issue)
			return nil
		}
		if err != nil {
			return err
		}
		return t.through(other, coding, append(slices.Clip(above), m))
	}
	return nil
}
