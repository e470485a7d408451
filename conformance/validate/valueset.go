package validate

import (
	"context"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

const loincSystem = "http://loinc.org"

// valueSet is a value set that a rule names. It is looked for when a code is
// first asked about: most of what is bound never has one.
type valueSet struct {
	url  string
	once sync.Once
	set  *terminology.Set
}

// named is the value set of that canonical URL; nil if it is empty.
func named(url string) *valueSet {
	if url == "" {
		return nil
	}
	return &valueSet{url: url}
}

// find is the value set, nil where there is none or it is not known.
func (s *valueSet) find(v *Validator) *terminology.Set {
	if s == nil {
		return nil
	}
	s.once.Do(func() { s.set = v.valueSet(s.url) })
	return s.set
}

// valueSet is the value set with that canonical URL, nil if it is not known.
func (v *Validator) valueSet(canonical string) *terminology.Set {
	set, err := v.catalog.ValueSet(canonical)
	if err != nil {
		return nil
	}
	return set
}

// system is the code system of that URL, in the version that is asked for if it
// is there; nil if it is not known.
func (v *Validator) system(url, version string) terminology.CodeSystem {
	if version != "" {
		if s := v.catalog.FindCodeSystem(url + "|" + version); s != nil {
			return s
		}
	}
	return v.catalog.FindCodeSystem(url)
}

// terms answers questions about codes, as long as there is work left.
func (r *run) terms() *terminology.Inquiry {
	if r.inquiry == nil {
		r.inquiry = r.v.catalog.Inquire(context.Background(), r.v.options.MaxSteps)
	}
	return r.inquiry
}

// member asks a set for a value of any coded type; coded is false where the
// value has no code.
func (r *run) member(set *terminology.Set, typ string, n *fhir.Node) (m definitions.Membership, coded bool) {
	switch typ {
	case "code", "string", "uri", "id", "url", "canonical":
		if n.Kind() != fhir.String {
			return definitions.NotMember, false
		}
		return r.terms().HasCode(set, n.Text()), true
	case "CodeableConcept":
		best := definitions.NotMember
		for _, c := range n.Get("coding").Items() {
			m, ok := r.codingMember(set, c)
			coded = coded || ok
			if m == definitions.Member || m == definitions.Unknown && best == definitions.NotMember {
				best = m
			}
		}
		return best, coded
	}
	return r.codingMember(set, n) // Coding, Quantity and its kinds
}

func (r *run) codingMember(set *terminology.Set, n *fhir.Node) (m definitions.Membership, coded bool) {
	system, code := n.Get("system").Text(), n.Get("code").Text()
	if code == "" {
		return definitions.NotMember, false
	}
	return r.terms().Has(set, system, code), true
}

// sameFold compares texts as displays are: case and white space do not matter.
func sameFold(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
