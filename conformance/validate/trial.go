package validate

import (
	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// trialKey is a question that a run asks at most once. Without that, profiles
// that name each other would never end, and chains of choices between two
// would double the work at each link.
type trialKey struct {
	profile *profile
	node    *fhir.Node
}

// maxProfileDepth bounds how deep profiles lead to others.
const maxProfileDepth = 48

// try judges an item against a profile and keeps the findings to itself. A
// question that is being answered already is answered with yes: the cycle
// holds if nothing else breaks it.
func (r *run) try(p *profile, it item) bool {
	key := trialKey{p, at(it.element.Value, it.element.Extra)}
	if verdict, ok := r.verdicts[key]; ok {
		return verdict
	}
	if r.verdicts == nil {
		r.verdicts = map[trialKey]bool{}
	}
	r.verdicts[key] = true
	verdict := !fhir.HasErrors(r.aside(func() { r.profiled(p, it) }))
	r.verdicts[key] = verdict
	return verdict
}

// aside runs f and takes back what it reports.
func (r *run) aside(f func()) []fhir.Issue {
	issues, full, said := r.issues, r.full, r.said
	r.issues, r.said = nil, nil
	f()
	found := r.issues
	r.issues, r.said = issues, said
	r.full = full || r.steps > r.v.options.MaxSteps
	return found
}

// conformsTo answers the function of that name.
func (r *run) conformsTo(v fhirpath.Value, url string) (bool, error) {
	p, err := r.v.profile(url)
	if err != nil {
		return false, err
	}
	if p == nil {
		if t := r.v.defs.Type(url); t != nil {
			return r.v.defs.IsA(v.Type(), t.Name) && r.sound(v.Node()), nil
		}
		return false, errUnknownProfile
	}
	e := v.Element()
	it := item{element: e, typ: v.Type(), value: v, valued: true}
	if t := r.v.defs.Type(it.typ); t != nil {
		it.container = t.Root()
	}
	if it.typ != p.typ && !r.v.defs.IsA(it.typ, p.typ) {
		return false, nil
	}
	return r.try(p, it), nil
}

// sound judges a resource by its type alone, once. What is not a resource has
// been judged on the way.
func (r *run) sound(n *fhir.Node) bool {
	if !r.v.defs.IsResource(n.ResourceType()) || r.bare {
		return true
	}
	key := trialKey{nil, n}
	if verdict, ok := r.verdicts[key]; ok {
		return verdict
	}
	if r.verdicts == nil {
		r.verdicts = map[trialKey]bool{}
	}
	inner := run{v: r.v, thorough: true, bare: true, inquiry: r.terms()}
	inner.path = inner.pathStore[:0]
	inner.resource(n)
	r.steps += maxSoundSteps
	r.verdicts[key] = !fhir.HasErrors(inner.issues)
	return r.verdicts[key]
}

// maxSoundSteps is what judging one resource by its type counts for.
const maxSoundSteps = 100

// flaw is why something cannot be used.
type flaw struct{ text fhir.Text }

// flawed makes a flaw of a phrase.
func flawed(english string, details ...any) error {
	return &flaw{catalogue.Say(english, details...)}
}

func (f *flaw) Error() string    { return f.text.English }
func (f *flaw) Texts() fhir.Text { return f.text }

var errUnknownProfile = flawed("the profile is not known")

// resourceItem is a resource as an item.
func (r *run) resourceItem(n *fhir.Node) item {
	it := item{element: fhir.Element{Value: n}, typ: n.ResourceType()}
	if t := r.v.defs.Type(it.typ); t != nil && t.Kind == definitions.Resource {
		it.container = t.Root()
		it.value, it.valued = r.v.model.Resource(n), true
	}
	return it
}
