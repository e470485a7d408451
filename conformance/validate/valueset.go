package validate

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

const (
	ucumSystem   = "http://unitsofmeasure.org"
	snomedSystem = "http://snomed.info/sct"
	loincSystem  = "http://loinc.org"
)

// valueSet is a value set that is not the specification's: rules that say of a
// code whether it is in.
type valueSet struct {
	include, exclude []rule
}

// rule is one include or exclude.
type rule struct {
	system string // empty if only sets bound it
	codes  map[string]bool
	whole  bool // every code of the system
	known  *codeSystem
	below  []string // is-a: codes below these
	self   bool     // and these themselves
	open   bool     // a part of the rule cannot be decided here
	sets   []codes  // the code must be in each
}

// expand reads the rules of a value set, or the codes of its expansion.
func (v *Validator) expand(n *fhir.Node, above []string) codes {
	s := &valueSet{}
	compose := n.Get("compose")
	for _, i := range compose.Get("include").Items() {
		s.include = append(s.include, v.rule(i, above))
	}
	for _, i := range compose.Get("exclude").Items() {
		s.exclude = append(s.exclude, v.rule(i, above))
	}
	if compose == nil {
		s.include = expansionRules(n.Path("expansion", "contains"))
	}
	return s
}

// expansionRules are the codes of an expansion, by system.
func expansionRules(contains *fhir.Node) []rule {
	bySystem := map[string]int{}
	var out []rule
	todo := slices.Clone(contains.Items())
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], c.Get("contains").Items()...)
		code, system := c.Get("code").Text(), c.Get("system").Text()
		if code == "" || c.Get("abstract").Text() == "true" {
			continue
		}
		i, ok := bySystem[system]
		if !ok {
			i = len(out)
			bySystem[system] = i
			out = append(out, rule{system: system, codes: map[string]bool{}})
		}
		out[i].codes[code] = true
	}
	return out
}

func (v *Validator) rule(n *fhir.Node, above []string) rule {
	r := rule{system: n.Get("system").Text()}
	for _, c := range n.Get("concept").Items() {
		if r.codes == nil {
			r.codes = map[string]bool{}
		}
		r.codes[c.Get("code").Text()] = true
	}
	if r.system != "" && r.codes == nil {
		r.known = v.system(r.system)
	}
	filters := n.Get("filter").Items()
	r.whole = r.system != "" && r.codes == nil && len(filters) == 0
	for _, f := range filters {
		op, property := f.Get("op").Text(), f.Get("property").Text()
		switch {
		case (op == "is-a" || op == "descendent-of") && property == "concept" && r.known != nil && r.known.complete:
			r.below = append(r.below, f.Get("value").Text())
			r.self = op == "is-a"
		default:
			r.open = true
		}
	}
	for _, set := range n.Get("valueSet").Items() {
		if s := v.openValueSet(set.Text(), above); s != nil {
			r.sets = append(r.sets, s)
		} else {
			r.open = true
		}
	}
	return r
}

// holds says whether the rule takes a code. system "" is any, as elements of
// type code have it.
func (r *rule) holds(system, code string, any bool) definitions.Membership {
	out := definitions.Member
	if r.system != "" {
		if !any && system != r.system {
			return definitions.NotMember
		}
		switch {
		case r.codes != nil:
			if !r.codes[code] {
				return definitions.NotMember
			}
		case r.system == ucumSystem:
			if !ucum.Valid(code) {
				return definitions.NotMember
			}
		case r.known == nil:
			out = definitions.Unknown
		case !r.known.has(code):
			if r.known.complete {
				return definitions.NotMember
			}
			out = definitions.Unknown
		}
		for _, b := range r.below {
			if !r.known.below(b, code) || !r.self && b == code {
				return definitions.NotMember
			}
		}
	}
	for _, s := range r.sets {
		var m definitions.Membership
		if any {
			m = s.HasCode(code)
		} else {
			m = s.Has(system, code)
		}
		switch m {
		case definitions.NotMember:
			return m
		case definitions.Unknown:
			out = m
		}
	}
	if r.open {
		return definitions.Unknown
	}
	return out
}

func (s *valueSet) Has(system, code string) definitions.Membership {
	return s.ask(system, code, false)
}

func (s *valueSet) HasCode(code string) definitions.Membership { return s.ask("", code, true) }

func (s *valueSet) ask(system, code string, any bool) definitions.Membership {
	out := definitions.NotMember
	for i := range s.include {
		switch s.include[i].holds(system, code, any) {
		case definitions.Member:
			out = definitions.Member
		case definitions.Unknown:
			if out == definitions.NotMember {
				out = definitions.Unknown
			}
		}
	}
	if out == definitions.NotMember {
		return out
	}
	for i := range s.exclude {
		switch s.exclude[i].holds(system, code, any) {
		case definitions.Member:
			return definitions.NotMember
		case definitions.Unknown:
			out = definitions.Unknown
		}
	}
	return out
}

// member asks a set for a value of any coded type; coded is false where the
// value has no code.
func member(set codes, typ string, n *fhir.Node) (m definitions.Membership, coded bool) {
	switch typ {
	case "code", "string", "uri", "id", "url", "canonical":
		return set.HasCode(n.Text()), n.Kind() == fhir.String
	case "Coding":
		return codingMember(set, n)
	case "CodeableConcept":
		best := definitions.NotMember
		for _, c := range n.Get("coding").Items() {
			m, ok := codingMember(set, c)
			coded = coded || ok
			if m == definitions.Member || m == definitions.Unknown && best == definitions.NotMember {
				best = m
			}
		}
		return best, coded
	}
	return codingMember(set, n) // Quantity and its kinds
}

func codingMember(set codes, n *fhir.Node) (m definitions.Membership, coded bool) {
	system, code := n.Get("system").Text(), n.Get("code").Text()
	if code == "" {
		return definitions.NotMember, false
	}
	return set.Has(system, code), true
}

// sameFold compares texts as displays are: case and white space do not matter.
func sameFold(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
