package validate

import (
	"strings"

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
