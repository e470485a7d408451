package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Source finds definitions that the specification does not have: profiles,
// extensions, value sets, code systems, questionnaires. It is asked from many
// goroutines at once; what it returns is only read.
type Source interface {
	// Resolve returns the definition of a kind ("ValueSet") with that canonical
	// URL, of that version if one follows a |.
	Resolve(kind, url string) (*fhir.Node, bool)
}

// Resolver finds what references lead to outside of the resource, nil if there
// is nothing.
type Resolver interface {
	Resolve(reference string) *fhir.Node
}

// definition finds a definition of a kind: the caller's, or the
// specification's own. It is nil if there is none of that kind.
func (v *Validator) definition(kind, canonical string) *fhir.Node {
	url, version, _ := strings.Cut(canonical, "|")
	own := version == "" || strings.HasPrefix(v.defs.Version(), version)
	if !own || v.defs.Source(kind, url) == nil {
		if n := v.outside(kind, canonical); n != nil {
			return n
		}
	}
	if text := v.defs.Source(kind, url); text != nil {
		if n, err := fhir.Parse(text, fhir.Limits{}); err == nil {
			return n
		}
	}
	return nil
}

func (v *Validator) outside(kind, canonical string) *fhir.Node {
	if v.options.Source == nil {
		return nil
	}
	n, ok := v.options.Source.Resolve(kind, canonical)
	if !ok || n.ResourceType() != kind {
		return nil
	}
	return n
}

// Codes is a value set as far as its members are known.
type Codes interface {
	Has(system, code string) definitions.Membership
	HasCode(code string) definitions.Membership
}

type codes = Codes

// valueSet is the value set with that canonical URL, nil if it is not known.
func (v *Validator) valueSet(canonical string) codes {
	if canonical == "" {
		return nil
	}
	if known, ok := v.valueSets.Load(canonical); ok {
		return known.(codes)
	}
	var s codes
	if v.options.ValueSets != nil {
		s = v.options.ValueSets(canonical)
	}
	if s == nil {
		s = v.openValueSet(canonical, nil)
	}
	if s != nil {
		v.valueSets.Store(canonical, s)
	}
	return s
}

// maxIncludes bounds how deep value sets include others.
const maxIncludes = 16

// openValueSet reads a value set. above are those that include it.
func (v *Validator) openValueSet(canonical string, above []string) codes {
	url, version, _ := strings.Cut(canonical, "|")
	if set := v.defs.ValueSet(url); set != nil && (version == "" || version == set.Version || version == v.defs.Version()) {
		return set
	}
	n := v.outside("ValueSet", canonical)
	if n == nil || len(above) >= maxIncludes {
		return nil
	}
	for _, a := range above {
		if a == canonical {
			return nil
		}
	}
	return v.expand(n, append(above, canonical))
}

// codeSystem is what is known of a code system.
type codeSystem struct {
	url      string
	complete bool // every code is known
	fragment bool
	draft    bool
	folds    bool // codes are compared without case
	has      func(code string) bool
	displays func(code string) []string // nil if there are none
	below    func(ancestor, code string) bool
}

// system is the code system with that URL, nil if it is not known. What is not
// known is not remembered: resources may name any number of such.
func (v *Validator) system(url string) *codeSystem {
	if known, ok := v.systems.Load(url); ok {
		return known.(*codeSystem)
	}
	if strings.Contains(url, "|") && v.outside("CodeSystem", url) == nil {
		return nil
	}
	s := v.openSystem(url)
	if s != nil {
		v.systems.Store(url, s)
	}
	return s
}

// drafted reports whether one of FHIR's own code systems is a draft.
func (v *Validator) drafted(url string) bool {
	if !strings.HasPrefix(url, "http://hl7.org/fhir/") {
		return false
	}
	n, err := fhir.Parse(v.defs.Source("CodeSystem", url), fhir.Limits{})
	return err == nil && n.Get("status").Text() == "draft"
}

func (v *Validator) openSystem(url string) *codeSystem {
	if c := v.defs.CodeSystem(url); c != nil {
		return &codeSystem{
			url: url, draft: v.drafted(url), complete: c.Complete, folds: !c.CaseSensitive,
			has:   func(code string) bool { _, ok := c.Lookup(code); return ok },
			below: c.Subsumes,
			displays: func(code string) []string {
				if d := c.Display(code); d != "" {
					return []string{d}
				}
				return nil
			},
		}
	}
	n := v.outside("CodeSystem", url)
	if n == nil {
		return nil
	}
	content := n.Get("content").Text()
	s := &codeSystem{url: url, complete: content == "complete" || content == "", fragment: content == "fragment",
		draft: n.Get("status").Text() == "draft"}
	type concept struct {
		displays []string
		parents  []string
	}
	concepts := map[string]*concept{}
	type open struct {
		node   *fhir.Node
		parent string
	}
	var todo []open
	for _, c := range n.Get("concept").Items() {
		todo = append(todo, open{c, ""})
	}
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		code := c.node.Get("code").Text()
		k := concepts[code]
		if k == nil {
			k = &concept{}
			concepts[code] = k
		}
		if d := c.node.Get("display").Text(); d != "" {
			k.displays = append(k.displays, d)
		}
		for _, d := range c.node.Get("designation").Items() {
			k.displays = append(k.displays, d.Get("value").Text())
		}
		if c.parent != "" {
			k.parents = append(k.parents, c.parent)
		}
		for _, below := range c.node.Get("concept").Items() {
			todo = append(todo, open{below, code})
		}
	}
	s.has = func(code string) bool { return concepts[code] != nil }
	s.displays = func(code string) []string {
		if k := concepts[code]; k != nil {
			return k.displays
		}
		return nil
	}
	s.below = func(ancestor, code string) bool {
		seen := map[string]bool{}
		for todo := []string{code}; len(todo) > 0; {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if c == ancestor {
				return concepts[c] != nil
			}
			if !seen[c] && concepts[c] != nil {
				seen[c] = true
				todo = append(todo, concepts[c].parents...)
			}
		}
		return false
	}
	if len(concepts) == 0 {
		s.complete = false
	}
	return s
}
